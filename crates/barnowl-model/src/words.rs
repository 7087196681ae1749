//! What words and operations mean: which value is computed once an update, and which at every step.

use crate::error::{Error, Place};
use crate::nearest::nearest;
use crate::op::{Binary, FUNCTIONS, Id, Op, Unary};
use crate::parse::{Line, Meaning, Token, defined, expression, lines};
use crate::program::Builder;
use crate::source::{Source, Text, identifier};
use crate::unused::{Part, Unused};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

/// The name of the input current.
pub(crate) const CURRENT: &str = "I";
/// The name of the length of a step.
pub(crate) const DT: &str = "dt";
/// The name of what a neuron emits.
pub(crate) const EMITTED: &str = "s";
/// How many operations a model may have.
const OPERATIONS: usize = 4096;

/// A value: early if it is the same at every step, late if not.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value {
    Early(Id),
    Late(Id),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Parameter,
    Constant,
    Step,
}

/// What is known of a name.
struct Word {
    kind: Kind,
    place: Place,
    /// Its value, once computed.
    value: Option<Value>,
    /// Its number among the states, if any line has it with `'`.
    state: Option<u32>,
    used: bool,
}

/// Whose expression is being read.
#[derive(Clone, Copy)]
pub(crate) enum Reading<'a> {
    Constant(&'a str),
    Rest(&'a str),
    Step,
}

pub(crate) struct Compiler<'a> {
    words: BTreeMap<&'a str, Word>,
    parameters: u32,
    states: u32,
    pub(crate) reading: Reading<'a>,
    pub(crate) early: Builder,
    pub(crate) late: Builder,
    /// The early values that late ones use, as inputs of the step.
    pub(crate) constants: Vec<Id>,
}

impl<'a> Compiler<'a> {
    /// All names, each given once.
    pub(crate) fn new(source: &'a Source, equations: &[Line<'a>]) -> Result<Self, Error> {
        let mut compiler = Self {
            words: BTreeMap::new(),
            parameters: source.parameters.len() as u32,
            states: 0,
            reading: Reading::Step,
            early: Builder::default(),
            late: Builder::default(),
            constants: Vec::new(),
        };
        for (number, parameter) in source.parameters.iter().enumerate() {
            identifier(&parameter.name, "parameter")?;
            parameter.check()?;
            compiler.name(Kind::Parameter, &parameter.name.text, parameter.name.place)?;
            let value = Value::Early(compiler.early.input(number as u32));
            compiler.computed(&parameter.name.text, value);
        }
        for constant in &source.constants {
            identifier(&constant.name, "constant")?;
            compiler.name(Kind::Constant, &constant.name.text, constant.name.place)?;
        }
        let mut previous: Vec<&str> = Vec::new();
        for line in equations {
            let (name, place) = defined(line)?;
            compiler.name(Kind::Step, name, place)?;
            for (token, _) in &line.tokens {
                if let Token::Word(name, true) = token {
                    previous.push(name);
                }
            }
        }
        previous.sort_unstable();
        // States are numbered by the lines that compute them.
        for line in equations {
            let (name, _) = defined(line)?;
            if previous.binary_search(&name).is_ok()
                && let Some(word) = compiler.words.get_mut(name)
            {
                word.state = Some(compiler.states);
                compiler.states += 1;
            }
        }
        Ok(compiler)
    }

    /// A new name.
    fn name(&mut self, kind: Kind, name: &'a str, place: Place) -> Result<(), Error> {
        let reserved = match name {
            CURRENT => Some("the input current"),
            DT => Some("the length of a step"),
            EMITTED if kind != Kind::Step => Some("what the neuron emits"),
            _ if FUNCTIONS.contains(&name) => Some("a function"),
            _ => None,
        };
        if let Some(what) = reserved {
            return Err(Error::new(place, format!("the name `{name}` is taken: it is {what}")));
        }
        if let Some(first) = self.words.get(name) {
            return Err(Error::new(
                place,
                format!("the name `{name}` is given twice, first in line {}", first.place.line),
            ));
        }
        self.words.insert(name, Word { kind, place, value: None, state: None, used: false });
        Ok(())
    }

    pub(crate) fn computed(&mut self, name: &str, value: Value) {
        if let Some(word) = self.words.get_mut(name) {
            word.value = Some(value);
        }
    }

    /// The value of a text of one expression.
    pub(crate) fn read(&mut self, reading: Reading<'a>, text: &'a Text) -> Result<Value, Error> {
        self.reading = reading;
        let lines = lines(text)?;
        match &lines[..] {
            [line] => expression(&line.tokens, line.end, self),
            [] => Err(Error::new(text.place, "an expression is expected, and there is none")),
            [_, second, ..] => Err(Error::new(
                second.tokens[0].1,
                "an expression that stands by itself has one line",
            )),
        }
    }

    /// The value at every step: an early one becomes an input of the step, unless it is a number.
    pub(crate) fn late(&mut self, value: Value) -> Id {
        let id = match value {
            Value::Late(id) => return id,
            Value::Early(id) => id,
        };
        if let Op::Const(x) = self.early.op(id) {
            return self.late.number(x);
        }
        let known = self.constants.iter().position(|&constant| constant == id);
        let number = known.unwrap_or_else(|| {
            self.constants.push(id);
            self.constants.len() - 1
        });
        self.late.input(1 + self.states + number as u32)
    }

    /// There is an `s`, and some value spikes.
    pub(crate) fn check_emission(&self, place: Place) -> Result<(), Error> {
        let Some(word) = self.words.get(EMITTED) else {
            return Err(Error::new(place, "no line computes `s`, which is what the neuron emits")
                .remedy("write `s = spike(v - theta)`, or what spikes here"));
        };
        let spikes = (0..self.late.len())
            .any(|i| matches!(self.late.op(Id(i as u32)), Op::Unary(Unary::Spike, _)));
        if spikes {
            return Ok(());
        }
        Err(Error::new(
            word.place,
            "no line has a `spike` of a value that changes: this neuron never spikes",
        )
        .remedy("write `s = spike(v - theta)`, or what spikes here"))
    }

    /// Whether a line has the name with `'`.
    pub(crate) fn is_state(&self, name: &str) -> bool {
        self.words.get(name).is_some_and(|word| word.state.is_some())
    }

    /// A value is of use beyond the equations.
    pub(crate) fn uses(&mut self, name: &str) {
        if let Some(word) = self.words.get_mut(name) {
            word.used = true;
        }
    }

    /// Parameters and constants that no equation uses; a line that none uses is an error.
    pub(crate) fn unused(&self) -> Result<Vec<Unused>, Error> {
        let mut found = Vec::new();
        for (name, word) in self.words.iter().filter(|(_, word)| !word.used) {
            match word.kind {
                Kind::Parameter => found.push(Unused::new(Part::Parameter, name, word.place)),
                Kind::Constant => found.push(Unused::new(Part::Constant, name, word.place)),
                Kind::Step if *name == EMITTED => {}
                Kind::Step => {
                    let problem = format!("`{name}` is computed and no equation uses it");
                    return Err(Error::new(word.place, problem));
                }
            }
        }
        Ok(found)
    }

    /// A word that nothing is known of.
    fn unknown(&self, word: &str, place: Place) -> Error {
        let step = matches!(self.reading, Reading::Step);
        let known = self.words.iter().filter(|(_, known)| step || known.kind != Kind::Step);
        let known = known.map(|(name, _)| *name).chain([DT]).chain(FUNCTIONS);
        let error = Error::new(place, format!("`{word}` is not known")).meant(word, known);
        // Too short for a slip of the pen: the case alone may be wrong.
        let current = step && word == "i";
        error.or_remedy(|| match current {
            true => "the input current is `I`".into(),
            false => "give it in an equation, [constants] or [parameters]".into(),
        })
    }

    /// A constant or value at rest that is not the same at every step.
    fn changes(&self, shown: &str, place: Place) -> Option<Error> {
        let what = match self.reading {
            Reading::Step => return None,
            Reading::Constant(name) => format!("the constant `{name}`"),
            Reading::Rest(name) => format!("the value of `{name}` at rest"),
        };
        Some(
            Error::new(place, format!("{what} depends on `{shown}`, which changes at every step"))
                .remedy("it is computed from parameters, dt and constants alone"),
        )
    }

    /// The value that the step before gave `word`.
    fn previous(&mut self, word: &str, place: Place) -> Result<Value, Error> {
        let shown = format!("{word}'");
        let same = match self.words.get(word).map(|word| word.kind) {
            _ if word == CURRENT => {
                return Err(Error::new(place, "the input current of the step before is not kept")
                    .remedy("give it a name: `i = I`, then `i'`"));
            }
            Some(kind) => kind != Kind::Step,
            None => word == DT,
        };
        if same {
            return Err(Error::new(place, format!("`{shown}` is the same at every step"))
                .remedy(format!("write `{word}`")));
        }
        if let Some(error) = self.changes(&shown, place) {
            return Err(error);
        }
        if let Some(known) = self.words.get_mut(word)
            && let Some(number) = known.state
        {
            known.used = true;
            return Ok(Value::Late(self.late.input(1 + number)));
        }
        let error = Error::new(
            place,
            format!("`{shown}` is the value of the step before, but no line computes `{word}`"),
        );
        let values = self.words.iter().filter(|(_, known)| known.kind == Kind::Step);
        Err(match nearest(word, values.map(|(name, _)| *name)) {
            Some(meant) => error.remedy(format!("did you mean `{meant}'`?")),
            None => error.remedy(format!("a state needs its next value: `{word} = …`")),
        })
    }

    /// A value that can be, and not too many of them.
    fn checked(&self, value: Value, place: Place) -> Result<Value, Error> {
        if let Value::Early(id) = value
            && let Op::Const(x) = self.early.op(id)
            && !x.is_finite()
        {
            return Err(Error::new(
                place,
                format!("this comes to {x}, which is not a finite number"),
            ));
        }
        if self.early.len() + self.late.len() > OPERATIONS {
            return Err(Error::new(place, format!("a model of more than {OPERATIONS} operations")));
        }
        Ok(value)
    }
}

impl Meaning for Compiler<'_> {
    type Value = Value;

    fn number(&mut self, x: f32) -> Value {
        Value::Early(self.early.number(x))
    }

    fn word(&mut self, word: &str, previous: bool, place: Place) -> Result<Value, Error> {
        if previous {
            return self.previous(word, place);
        }
        if word == DT {
            return Ok(Value::Early(self.early.input(self.parameters)));
        }
        if word == CURRENT {
            return match self.changes(word, place) {
                Some(error) => Err(error),
                None => Ok(Value::Late(self.late.input(0))),
            };
        }
        let Some(known) = self.words.get(word) else {
            return Err(self.unknown(word, place));
        };
        let (kind, line, value) = (known.kind, known.place.line, known.value);
        if kind == Kind::Step
            && let Some(error) = self.changes(word, place)
        {
            return Err(error);
        }
        if let Some(known) = self.words.get_mut(word) {
            known.used = true;
        }
        if let Some(value) = value {
            return Ok(value);
        }
        let error =
            Error::new(place, format!("`{word}` is used before it is computed, in line {line}"));
        Err(match kind {
            Kind::Step => error.remedy(format!(
                "move that line up, or write `{word}'` for the value of the step before"
            )),
            _ => error.remedy("move it up"),
        })
    }

    fn unary(&mut self, op: Unary, a: Value, place: Place) -> Result<Value, Error> {
        let value = match a {
            Value::Early(_) if op == Unary::Spike => {
                return Err(Error::new(place, "a `spike` of a value that never changes"));
            }
            Value::Early(a) => Value::Early(self.early.unary(op, a)),
            Value::Late(a) => Value::Late(self.late.unary(op, a)),
        };
        self.checked(value, place)
    }

    fn binary(&mut self, op: Binary, a: Value, b: Value, place: Place) -> Result<Value, Error> {
        if op == Binary::Div
            && let Value::Early(divisor) = b
            && let Op::Const(0.0) = self.early.op(divisor)
        {
            return Err(Error::new(place, "a division by zero"));
        }
        let value = match (a, b) {
            (Value::Early(a), Value::Early(b)) => Value::Early(self.early.binary(op, a, b)),
            _ => {
                let (a, b) = (self.late(a), self.late(b));
                Value::Late(self.late.binary(op, a, b))
            }
        };
        self.checked(value, place)
    }
}

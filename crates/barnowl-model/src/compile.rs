//! Words and operations to programs: which value is computed once an update, and which at every step.

use crate::error::{Error, Place};
use crate::model::{Listing, Model, State};
use crate::nearest::nearest;
use crate::op::{Binary, FUNCTIONS, Id, Op, Unary};
use crate::parse::{Line, Meaning, Token, expression, lines};
use crate::program::Builder;
use crate::source::{Source, Text};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::ToString;
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
enum Value {
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
enum Reading<'a> {
    Constant(&'a str),
    Rest(&'a str),
    Step,
}

struct Compiler<'a> {
    words: BTreeMap<&'a str, Word>,
    parameters: u32,
    states: u32,
    reading: Reading<'a>,
    early: Builder,
    late: Builder,
    /// The early values that late ones use, as inputs of the step.
    constants: Vec<Id>,
}

impl Model {
    /// The model that is written so, or what is wrong with it.
    ///
    /// # Errors
    /// The first fault found, with its place: see [`Error`].
    pub fn build(source: Source) -> Result<Self, Error> {
        let (parts, states) = compile(&source)?;
        Ok(Self::new(source, parts, states))
    }
}

fn compile(source: &Source) -> Result<(Listing, Vec<State>), Error> {
    identifier(&source.name, "model")?;
    let equations = lines(&source.equations)?;
    let mut compiler = Compiler::new(source, &equations)?;

    let mut early_names = Vec::new();
    for constant in &source.constants {
        let name = constant.name.text.as_str();
        let value = compiler.read(Reading::Constant(name), &constant.expression)?;
        let Value::Early(id) = value else { unreachable!("constants see no state") };
        early_names.push((name.to_string(), id));
        compiler.computed(name, value);
    }

    let mut late_names = Vec::new();
    compiler.reading = Reading::Step;
    for line in &equations {
        let (name, _) = defined(line)?;
        let value = expression(&line.tokens[2..], line.end, &mut compiler)?;
        let id = compiler.late(value);
        late_names.push((name.to_string(), id));
        compiler.computed(name, value);
    }
    compiler.check_emission(source.equations.place)?;

    // Next states, then what is emitted.
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in &late_names {
        if compiler.words.get(name.as_str()).is_some_and(|word| word.state.is_some()) {
            names.push(name);
        }
    }
    let value_of =
        |name: &str| late_names.iter().find(|(known, _)| known == name).map(|(_, id)| *id);
    let outputs: Vec<Id> =
        names.iter().chain([&EMITTED]).filter_map(|name| value_of(name)).collect();

    let mut states = Vec::new();
    let mut rest = Vec::new();
    for documented in &source.values {
        let name = documented.name.text.as_str();
        if value_of(name).is_none() {
            let error = Error::new(
                documented.name.place,
                format!("`{name}` is described, but no line of the equations computes it"),
            );
            let known = late_names.iter().map(|(name, _)| name.as_str());
            return Err(meaning(error, nearest(name, known)));
        }
        if documented.rest.is_some() && !names.contains(&name) {
            return Err(Error::new(
                documented.name.place,
                format!(
                    "`{name}` is no state: no line uses `{name}'`, and its value at rest would have no effect"
                ),
            ));
        }
    }
    for name in names {
        let documented = source.values.iter().find(|known| known.name.text == name);
        let value = match documented.and_then(|documented| documented.rest.as_ref()) {
            Some(text) => compiler.read(Reading::Rest(name), text)?,
            None => Value::Early(compiler.early.number(0.0)),
        };
        let Value::Early(id) = value else { unreachable!("values at rest see no state") };
        rest.push(id);
        states.push(State {
            name: name.to_string(),
            description: documented.map(|d| d.description.clone()).unwrap_or_default(),
            unit: documented.map(|d| d.unit.clone()).unwrap_or_default(),
            emitted: name == EMITTED,
        });
    }
    compiler.check_use()?;
    let Compiler { early, late, constants, .. } = compiler;
    Ok((Listing { early, late, early_names, late_names, constants, rest, outputs }, states))
}

/// The name that a line of the equations computes.
fn defined<'a>(line: &Line<'a>) -> Result<(&'a str, Place), Error> {
    match line.tokens[..] {
        [(Token::Word(name, true), place), ..] => Err(Error::new(
            place,
            format!("`{name}'` is the value of the step before, which is over"),
        )
        .remedy(format!("write `{name} = …`"))),
        [(Token::Word(name, false), place), (Token::Sign('='), _), ..] => Ok((name, place)),
        [(_, place), ..] => {
            Err(Error::new(place, "a line of the equations is `name = expression`"))
        }
        [] => Err(Error::new(line.end, "a line of the equations is `name = expression`")),
    }
}

/// The error, with the name that was probably meant.
fn meaning(error: Error, meant: Option<&str>) -> Error {
    match meant {
        Some(meant) => error.remedy(format!("did you mean `{meant}`?")),
        None => error,
    }
}

/// A name is of letters, digits and `_`, and no digit first.
fn identifier(name: &Text, what: &str) -> Result<(), Error> {
    let text = name.text.as_str();
    let letters = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if letters && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return Ok(());
    }
    Err(Error::new(name.place, format!("`{}` cannot name a {what}", text.escape_debug()))
        .remedy("names are of the letters a to z, digits and _, a letter first"))
}

impl<'a> Compiler<'a> {
    /// All names, each given once.
    fn new(source: &'a Source, equations: &[Line<'a>]) -> Result<Self, Error> {
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

    fn computed(&mut self, name: &str, value: Value) {
        if let Some(word) = self.words.get_mut(name) {
            word.value = Some(value);
        }
    }

    /// The value of a text of one expression.
    fn read(&mut self, reading: Reading<'a>, text: &'a Text) -> Result<Value, Error> {
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
    fn late(&mut self, value: Value) -> Id {
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
    fn check_emission(&self, place: Place) -> Result<(), Error> {
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

    /// Nothing is written without effect.
    fn check_use(&self) -> Result<(), Error> {
        let idle = self
            .words
            .iter()
            .filter(|(name, word)| !word.used && **name != EMITTED)
            .min_by_key(|(_, word)| (word.place.line, word.place.column));
        let Some((name, word)) = idle else { return Ok(()) };
        let problem = match word.kind {
            Kind::Parameter => format!("no equation uses the parameter `{name}`"),
            Kind::Constant => format!("no equation uses the constant `{name}`"),
            Kind::Step => format!("`{name}` is computed and no equation uses it"),
        };
        Err(Error::new(word.place, problem))
    }

    /// A word that nothing is known of.
    fn unknown(&self, word: &str, place: Place) -> Error {
        let step = matches!(self.reading, Reading::Step);
        let known = self.words.iter().filter(|(_, known)| step || known.kind != Kind::Step);
        let known = known.map(|(name, _)| *name).chain([DT]).chain(FUNCTIONS);
        let error = Error::new(place, format!("`{word}` is not known"));
        match nearest(word, known) {
            Some(meant) => error.remedy(format!("did you mean `{meant}`?")),
            // Too short for a slip of the pen: the case alone may be wrong.
            None if step && word == "i" => error.remedy("the input current is `I`"),
            None => error.remedy("give it in an equation, [constants] or [parameters]"),
        }
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
        match nearest(word, values.map(|(name, _)| *name)) {
            Some(meant) => Err(error.remedy(format!("did you mean `{meant}'`?"))),
            None => Err(error.remedy(format!("a state needs its next value: `{word} = …`"))),
        }
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

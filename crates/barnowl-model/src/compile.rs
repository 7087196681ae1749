//! Text to programs: the order in which a model is read.

use crate::error::{Error, Place};
use crate::model::{Listing, Model, State};
use crate::nearest::nearest;
use crate::op::Id;
use crate::parse::{Line, Token, expression, lines};
use crate::source::{Documented, Source, Text};
use crate::words::{Compiler, EMITTED, Reading, Value};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

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

/// Constants, then equations, then values at rest.
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

    let mut late_names: Vec<(String, Id)> = Vec::new();
    compiler.reading = Reading::Step;
    for line in &equations {
        let (name, _) = defined(line)?;
        let value = expression(&line.tokens[2..], line.end, &mut compiler)?;
        let id = compiler.late(value);
        late_names.push((name.to_string(), id));
        compiler.computed(name, value);
    }
    compiler.check_emission(source.equations.place)?;
    check_values(&source.values, &late_names, &compiler)?;

    let mut states = Vec::new();
    let mut rest = Vec::new();
    let mut outputs = Vec::new();
    for (name, id) in &late_names {
        if !compiler.is_state(name) {
            continue;
        }
        let documented = source.values.iter().find(|known| known.name.text == *name);
        let value = match documented {
            Some(Documented { name, rest: Some(text), .. }) => {
                compiler.read(Reading::Rest(&name.text), text)?
            }
            _ => Value::Early(compiler.early.number(0.0)),
        };
        let Value::Early(at_rest) = value else { unreachable!("values at rest see no state") };
        rest.push(at_rest);
        outputs.push(*id);
        states.push(State {
            name: name.clone(),
            description: documented.map(|d| d.description.clone()).unwrap_or_default(),
            unit: documented.map(|d| d.unit.clone()).unwrap_or_default(),
            emitted: name == EMITTED,
        });
    }
    outputs.extend(late_names.iter().find(|(name, _)| name == EMITTED).map(|(_, id)| *id));
    compiler.check_use()?;
    let Compiler { early, late, constants, .. } = compiler;
    Ok((Listing { early, late, early_names, late_names, constants, rest, outputs }, states))
}

/// Only values of the equations are described, each once, and only states have a value at rest.
fn check_values(
    values: &[Documented],
    lines: &[(String, Id)],
    compiler: &Compiler<'_>,
) -> Result<(), Error> {
    for (number, Documented { name, rest, .. }) in values.iter().enumerate() {
        let fault = |problem: String| Error::new(name.place, problem);
        let name = name.text.as_str();
        if !lines.iter().any(|(known, _)| known == name) {
            let error =
                fault(format!("`{name}` is described, but no line of the equations computes it"));
            let known = lines.iter().map(|(name, _)| name.as_str());
            return Err(match nearest(name, known) {
                Some(meant) => error.remedy(format!("did you mean `{meant}`?")),
                None => error,
            });
        }
        if values[..number].iter().any(|before| before.name.text == name) {
            return Err(fault(format!("`{name}` is described twice")));
        }
        if rest.is_some() && !compiler.is_state(name) {
            return Err(fault(format!(
                "`{name}` is no state: no line uses `{name}'`, and its value at rest would have no effect"
            )));
        }
    }
    Ok(())
}

/// The name that a line of the equations computes.
pub(crate) fn defined<'a>(line: &Line<'a>) -> Result<(&'a str, Place), Error> {
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

/// A name is of letters, digits and `_`, and no digit first.
pub(crate) fn identifier(name: &Text, what: &str) -> Result<(), Error> {
    let text = name.text.as_str();
    let letters = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if letters && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return Ok(());
    }
    Err(Error::new(name.place, format!("`{}` cannot name a {what}", text.escape_debug()))
        .remedy("names are of the letters a to z, digits and _, a letter first"))
}

//! Text to programs: the order in which a model is read.

use crate::error::Error;
use crate::model::{Listing, Model, State};
use crate::op::Id;
use crate::parse::{defined, expression, lines};
use crate::source::{Source, identifier};
use crate::unused::Unused;
use crate::words::{Compiler, EMITTED, Reading, Value};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

impl Model {
    /// The model that is written so, or what is wrong with it; of several variants, the first.
    ///
    /// # Errors
    /// The first fault found, with its place: see [`Error`]. A model is right if all its variants are.
    pub fn build(source: Source) -> Result<Self, Error> {
        Self::assemble(source, 0)
    }

    /// The variant of this name.
    ///
    /// # Errors
    /// As [`Model::build`], and if there is no such variant.
    pub fn build_variant(source: Source, variant: &str) -> Result<Self, Error> {
        let number = source.variant(variant)?;
        Self::assemble(source, number)
    }

    /// The variant of a number, without what only other variants use.
    fn assemble(mut source: Source, number: usize) -> Result<Self, Error> {
        identifier(&source.name, "model")?;
        source.check_variants()?;
        let each: Result<Vec<Compiled>, Error> =
            (0..source.variants.len()).map(|number| compile(&source, number)).collect();
        Unused::by_all(each?.into_iter().map(|compiled| compiled.unused))?;
        loop {
            let Compiled { listing, states, unused } = compile(&source, number)?;
            if unused.is_empty() {
                return Ok(Self::new(source, number, listing, states));
            }
            unused.iter().for_each(|unused| unused.remove_from(&mut source));
        }
    }
}

/// What has become of a variant.
struct Compiled {
    listing: Listing,
    states: Vec<State>,
    unused: Vec<Unused>,
}

/// Constants, then equations, then values at rest.
fn compile(source: &Source, number: usize) -> Result<Compiled, Error> {
    let text = &source.variants[number].equations;
    let equations = lines(text)?;
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
    compiler.check_emission(text.place)?;
    let named = |name: &str| late_names.iter().find(|(known, _)| known == name);

    let mut membrane = None;
    if let Some(value) = &source.membrane {
        let name = value.text.as_str();
        let Some((_, id)) = named(name) else {
            let problem =
                format!("the membrane is `{name}`, which no line of the equations computes");
            let known = late_names.iter().map(|(name, _)| name.as_str());
            return Err(Error::new(value.place, problem).meant(name, known));
        };
        compiler.uses(name);
        membrane = Some(*id);
    }

    let mut states = Vec::new();
    let mut rest = Vec::new();
    let mut outputs = Vec::new();
    for (name, id) in &late_names {
        if !compiler.is_state(name) {
            continue;
        }
        let documented = source.values.iter().find(|known| known.name.text == *name);
        let value = match documented.and_then(|known| known.rest.as_ref()) {
            Some(text) => compiler.read(Reading::Rest(name), text)?,
            None => Value::Early(compiler.early.number(0.0)),
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
    outputs.extend(named(EMITTED).map(|(_, id)| *id));
    let mut unused = Unused::of_values(source, &late_names, |name| compiler.is_state(name))?;
    unused.extend(compiler.unused()?);
    let Compiler { early, late, constants, .. } = compiler;
    let listing =
        Listing { early, late, early_names, late_names, constants, rest, outputs, membrane };
    Ok(Compiled { listing, states, unused })
}

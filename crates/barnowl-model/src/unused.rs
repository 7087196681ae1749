//! What is written and has no effect: an error, unless another variant of the model uses it.

use crate::error::{Error, Place};
use crate::op::Id;
use crate::source::{Documented, Source};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What part of a model's source it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Parameter,
    Constant,
    /// What is said of a value.
    Value,
    /// A value before the first step.
    Rest,
}

/// A part that a variant does not use.
#[derive(Debug)]
pub(crate) struct Unused {
    part: Part,
    name: String,
    /// What is wrong if no variant uses it.
    error: Error,
}

impl Unused {
    /// A parameter or constant that no equation uses.
    pub(crate) fn new(part: Part, name: &str, place: Place) -> Self {
        let what = if part == Part::Parameter { "parameter" } else { "constant" };
        let error = Error::new(place, format!("no equation uses the {what} `{name}`"));
        Self { part, name: name.to_string(), error }
    }

    /// What is said of values that no line computes, and values at rest of those that are no states.
    pub(crate) fn of_values(
        source: &Source,
        lines: &[(String, Id)],
        is_state: impl Fn(&str) -> bool,
    ) -> Result<Vec<Self>, Error> {
        let mut found = Vec::new();
        for (number, Documented { name, rest, .. }) in source.values.iter().enumerate() {
            let (place, name) = (name.place, name.text.as_str());
            if source.values[..number].iter().any(|before| before.name.text == name) {
                return Err(Error::new(place, format!("`{name}` is described twice")));
            }
            let mut add = |part, error| {
                found.push(Self { part, name: name.to_string(), error });
            };
            let computed = lines.iter().any(|(known, _)| known == name);
            if !computed {
                let problem = "is described, but no line of the equations computes it";
                let known = lines.iter().map(|(name, _)| name.as_str());
                let error = Error::new(place, format!("`{name}` {problem}")).meant(name, known);
                add(Part::Value, error);
            }
            if rest.is_some() && !(computed && is_state(name)) {
                let problem = format!(
                    "`{name}` is no state: no line uses `{name}'`, and its value at rest would have no effect"
                );
                add(Part::Rest, Error::new(place, problem));
            }
        }
        Ok(found)
    }

    /// The first part that no variant uses is an error.
    pub(crate) fn by_all(variants: impl IntoIterator<Item = Vec<Self>>) -> Result<(), Error> {
        let common = variants.into_iter().reduce(|mut common, other| {
            common.retain(|a| other.iter().any(|b| (a.part, &a.name) == (b.part, &b.name)));
            common
        });
        let first = common.into_iter().flatten().min_by_key(|unused| unused.error.place);
        first.map_or(Ok(()), |unused| Err(unused.error))
    }

    /// The source without it.
    pub(crate) fn remove_from(&self, source: &mut Source) {
        let other = |name: &str| name != self.name;
        match self.part {
            Part::Parameter => source.parameters.retain(|known| other(&known.name.text)),
            Part::Constant => source.constants.retain(|known| other(&known.name.text)),
            Part::Value => source.values.retain(|known| other(&known.name.text)),
            Part::Rest => {
                for value in source.values.iter_mut().filter(|known| !other(&known.name.text)) {
                    value.rest = None;
                }
            }
        }
    }
}

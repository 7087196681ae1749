//! A neuron model: what it is made of and the programs that run it.

use crate::op::Id;
use crate::program::{Builder, Program};
use crate::source::{Parameter, Source};
use alloc::string::String;
use alloc::vec::Vec;

/// A value that the next step needs.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Its name in the equations.
    pub name: String,
    /// What it stands for.
    pub description: String,
    /// Its unit; empty where it has none.
    pub unit: String,
    /// Whether it is what the neuron emits, `s`.
    pub emitted: bool,
}

/// A neuron as its equations.
///
/// | program | inputs | outputs |
/// | --- | --- | --- |
/// | [`constants`](Self::constants) | parameters, `dt` | constants |
/// | [`rest`](Self::rest) | parameters, `dt` | states before the first step |
/// | [`step`](Self::step) | `I`, states of the step before, constants | states, `s` |
#[derive(Debug, Clone)]
pub struct Model {
    source: Source,
    states: Vec<State>,
    constants: Program,
    rest: Program,
    step: Program,
    pub(crate) listing: Listing,
}

/// The operations as they were read, none left out, with their names.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub(crate) early: Builder,
    pub(crate) late: Builder,
    pub(crate) early_names: Vec<(String, Id)>,
    pub(crate) late_names: Vec<(String, Id)>,
    /// The early values that the step uses.
    pub(crate) constants: Vec<Id>,
    pub(crate) rest: Vec<Id>,
    /// Next states, then what is emitted.
    pub(crate) outputs: Vec<Id>,
}

impl Model {
    pub(crate) fn new(source: Source, listing: Listing, states: Vec<State>) -> Self {
        let once = source.parameters.len() + 1;
        Self {
            constants: listing.early.finish(once, &listing.constants),
            rest: listing.early.finish(once, &listing.rest),
            step: listing.late.finish(1 + states.len() + listing.constants.len(), &listing.outputs),
            source,
            states,
            listing,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.source.name.text
    }

    /// What it was read from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Its parameters.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.source.parameters
    }

    /// Its states.
    #[must_use]
    pub fn states(&self) -> &[State] {
        &self.states
    }

    /// What is computed once an update: parameters and `dt` to constants.
    #[must_use]
    pub fn constants(&self) -> &Program {
        &self.constants
    }

    /// Parameters and `dt` to the states before the first step.
    #[must_use]
    pub fn rest(&self) -> &Program {
        &self.rest
    }

    /// One step of time: `I`, the states of the step before and constants to the states and `s`.
    #[must_use]
    pub fn step(&self) -> &Program {
        &self.step
    }
}

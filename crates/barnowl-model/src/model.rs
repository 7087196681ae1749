//! A neuron model: what it is made of and the programs that run it.

use crate::op::Id;
use crate::program::{Builder, Program};
use crate::source::{Parameter, Source, Variant};
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
/// | [`step_and_membrane`](Self::step_and_membrane) | the same | states, `s`, the membrane |
#[derive(Debug, Clone)]
pub struct Model {
    source: Source,
    /// The number of the variant that it is.
    variant: usize,
    name: String,
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
    /// What a readout is decoded from.
    pub(crate) membrane: Option<Id>,
}

impl Model {
    pub(crate) fn new(
        source: Source,
        variant: usize,
        listing: Listing,
        states: Vec<State>,
    ) -> Self {
        let once = source.parameters.len() + 1;
        Self {
            name: source.word(variant),
            constants: listing.early.finish(once, &listing.constants),
            rest: listing.early.finish(once, &listing.rest),
            step: listing.late.finish(1 + states.len() + listing.constants.len(), &listing.outputs),
            source,
            variant,
            states,
            listing,
        }
    }

    /// The word that it is found by: its name, such as `lif`, and where it is not the first variant, which one: `lif:zero`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is, in a sentence or two: of the model, and of the variant.
    #[must_use]
    pub fn title(&self) -> String {
        let sentences = [self.source.title.as_str(), self.variant().description.as_str()];
        sentences.map(str::trim).join(" ").trim().into()
    }

    /// The variant of the source that it is.
    #[must_use]
    pub fn variant(&self) -> &Variant {
        &self.source.variants[self.variant]
    }

    /// What it was read from, without what only other variants use.
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

    /// The value that a readout of these neurons is decoded from, if the model says which.
    #[must_use]
    pub fn membrane(&self) -> Option<&str> {
        self.source.membrane.as_ref().map(|name| name.text.as_str())
    }

    /// The program of [`Model::step`] with one more output, the last: the value of [`Model::membrane`].
    #[must_use]
    pub fn step_and_membrane(&self) -> Option<Program> {
        let outputs = [&self.listing.outputs[..], &[self.listing.membrane?]].concat();
        Some(self.listing.late.finish(self.step.inputs(), &outputs))
    }
}

//! Layers of neurons that run from their equations: any [`Model`], built in or one's own.
//!
//! | file | holds |
//! | --- | --- |
//! | `config.rs` | which model a layer's neurons are of, and what the layer says of its parameters |
//! | `parameters.rs` | the trained parameters, within their ranges |

mod config;
mod parameters;

pub(crate) use config::{Neuron, no_effect};
pub use config::{ParameterConfig, ParameterOwner, ParameterStart, read, renamed};
pub use parameters::NeuronParameters;
pub(crate) use parameters::{to_raw, value};

use crate::device::is_cpu;
use crate::pass::{Pass, SequencePath, Start};
use crate::sequence::equations::equations_sequence;
use crate::sequence::reference::{self, EquationsSequence};
use crate::weights::project;
use barnowl_model::Model;
use barnowl_neuron::Surrogate;
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;
use std::sync::Arc;

/// One set of neurons: input weights, recurrent weights, and the parameters of their equations.
#[derive(Module, Debug)]
pub struct EquationsLayer {
    /// Input weights `[inputs, neurons]` and bias.
    pub input: Linear,
    /// Recurrent weights `[neurons, neurons]`, row = presynaptic neuron, and bias.
    pub recurrent: Option<Linear>,
    /// Those of the neurons.
    pub parameters: NeuronParameters,
}

impl EquationsLayer {
    /// Runs the neurons over a sequence `[T, B, inputs]`: their spikes `[T, B, neurons]`, and their state after the last
    /// step without a gradient, `[states + 1, B, neurons]`, s last.
    ///
    /// # Panics
    ///
    /// If they are not of this model.
    pub(crate) fn forward(
        &self,
        input: Tensor<3>,
        model: &Arc<Model>,
        dt: f32,
        surrogate: Surrogate,
        pass: Pass<'_>,
        start: Start,
    ) -> (Tensor<3>, Tensor<3>) {
        let recurrent_bias = self.recurrent.as_ref().and_then(|linear| linear.bias.as_ref());
        let sequence = EquationsSequence {
            current: project(&self.input, recurrent_bias.map(Param::val), input),
            recurrent: self.recurrent.as_ref().map(|linear| linear.weight.val()),
            parameters: self.parameters.values(),
            dt,
            initial: match start {
                Start::At(state) => Some(state),
                Start::Drawn(_) => None,
            },
        };
        // Graphics processors run them step by step.
        if pass.path == SequencePath::Fused && is_cpu(&sequence.current.device()) {
            equations_sequence(sequence, model, surrogate)
        } else {
            reference::equations_sequence(sequence, model, surrogate)
        }
    }

    /// The same without recurrence, with membrane potentials `[T, B, neurons]` after the spikes. Both have gradients. Step by
    /// step on every device: readouts have a few neurons only.
    ///
    /// # Panics
    ///
    /// If they are not of this model, or it has no membrane.
    pub(crate) fn observed(
        &self,
        input: Tensor<3>,
        model: &Model,
        dt: f32,
        surrogate: Surrogate,
        start: Start,
    ) -> (Tensor<3>, Tensor<3>, Tensor<3>) {
        let sequence = EquationsSequence {
            current: project(&self.input, None, input),
            recurrent: None,
            parameters: self.parameters.values(),
            dt,
            initial: match start {
                Start::At(state) => Some(state),
                Start::Drawn(_) => None,
            },
        };
        reference::equations_and_membrane(sequence, model, surrogate)
    }
}

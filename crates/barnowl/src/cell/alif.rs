//! Layers of adaptive neurons, spiking or rectified linear.

use crate::neuron::{InitialState, TrainedTimeConstants};
use crate::pass::{Pass, SequencePath, Start};
use crate::sequence::{self, AlifOptions, AlifOutput, AlifSequence};
use crate::weights::project;
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;

/// One set of adaptive neurons: input weights, recurrent weights, time constants.
#[derive(Module, Debug)]
pub struct AlifLayer {
    /// Input weights `[inputs, neurons]` and bias.
    pub input: Linear,
    /// Recurrent weights `[neurons, neurons]`, row = presynaptic neuron, and bias.
    pub recurrent: Option<Linear>,
    /// Membrane time constants τ_m.
    pub tau_m: TrainedTimeConstants,
    /// Adaptation time constants τ_adp.
    pub tau_adp: TrainedTimeConstants,
}

impl AlifLayer {
    pub(crate) fn from_parts(
        input: Linear,
        recurrent: Option<Linear>,
        tau_m: TrainedTimeConstants,
        tau_adp: TrainedTimeConstants,
        train_time_constants: bool,
    ) -> Self {
        Self {
            input,
            recurrent,
            tau_m: tau_m.set_require_grad(train_time_constants),
            tau_adp: tau_adp.set_require_grad(train_time_constants),
        }
    }

    /// Runs the neurons over a sequence `[T, B, inputs]`.
    pub(crate) fn forward(
        &self,
        input: Tensor<3>,
        initial_state: InitialState,
        options: AlifOptions,
        pass: Pass<'_>,
        start: Start,
    ) -> AlifOutput {
        let [_, batch, _] = input.dims();
        let device = input.device();
        let neurons = self.tau_m.log_tau.dims()[0];
        let recurrent_bias = self.recurrent.as_ref().and_then(|linear| linear.bias.as_ref());
        // I_t = W x_t + bias + W_rec s_{t−1} + bias_rec: both biases at once, the recurrent weights in the operation.
        let current = project(&self.input, recurrent_bias.map(Param::val), input);
        let b0 = options.threshold.b0;
        let initial = start.alif(initial_state, b0, [batch, neurons], &device, pass);
        let sequence = AlifSequence {
            current,
            recurrent: self.recurrent.as_ref().map(|linear| linear.weight.val()),
            tau_m: self.tau_m.steps(),
            tau_adp: self.tau_adp.steps(),
            initial,
        };
        match pass.path {
            SequencePath::Fused => sequence::alif_sequence(sequence, options),
            SequencePath::Reference => sequence::reference::alif_sequence(sequence, options),
        }
    }
}

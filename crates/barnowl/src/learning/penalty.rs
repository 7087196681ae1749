//! A penalty on spike rates.

use crate::device::total;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Adds `weight · Σ_layers (mean spike rate − target)²` to the loss; where the weights change after every window, to that of
/// each window with a step that counts, by its own rates and its share of the steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RatePenalty {
    /// Spikes per neuron and step.
    /// Range: 0 to 1.
    pub target: f64,
    /// How strong the penalty is.
    /// Range: more than 0.
    pub weight: f64,
}

impl RatePenalty {
    /// The derivative by the mean spike rate of a layer.
    pub(super) fn slope(self, rate: f64) -> f64 {
        2.0 * self.weight * (rate - self.target)
    }

    /// The penalty on tensors: the spikes of every hidden layer, `[T, B, outputs]`, 0 after the end of a sequence, and the steps
    /// of all sequences together, without padding.
    pub(super) fn of(self, spikes: &[Tensor<3>], steps: usize) -> Option<Tensor<1>> {
        let layer = |spikes: &Tensor<3>| {
            let count = (steps * spikes.dims()[2]) as f64;
            let distance = total(spikes.clone()) / count - self.target;
            distance.clone() * distance * self.weight
        };
        spikes.iter().map(layer).reduce(|a, b| a + b)
    }
}

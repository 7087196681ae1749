//! Penalties on what neurons do, which are no mean over sequences: they ask for all spikes of a batch before the first gradient.

use crate::device::total;
use crate::error::{Error, Result};
use burn::tensor::{Tensor, activation::relu};
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

/// Adds `weight · Σ_layers mean_neurons (max(0, low − rate)² + max(0, rate − high)²)` to the loss: no neuron is drawn anywhere
/// while it spikes as often as it may. Windows as of [`RatePenalty`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NeuronRatePenalty {
    /// The least spikes per step, below which a neuron is drawn up. Default 0.
    /// Range: 0 to 1.
    #[serde(default)]
    #[schemars(example = &0.01)]
    pub low: f64,
    /// The most spikes per step, `low` or more, above which a neuron is drawn down.
    /// Range: 0 to 1.
    #[schemars(example = &0.3)]
    pub high: f64,
    /// How strong the penalty is.
    /// Range: more than 0.
    pub weight: f64,
}

/// Everything that draws on spike rates.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Penalties {
    /// On the mean rate of a layer.
    pub rate: Option<RatePenalty>,
    /// On the rate of each neuron.
    pub neuron_rate: Option<NeuronRatePenalty>,
}

impl RatePenalty {
    /// Checks ranges; `key` names the penalty in messages.
    pub(crate) fn validate(&self, key: &str) -> Result<()> {
        rate(key, "target", self.target)?;
        weight(key, self.weight)
    }
}

impl NeuronRatePenalty {
    /// Checks ranges; `key` names the penalty in messages.
    pub(crate) fn validate(&self, key: &str) -> Result<()> {
        rate(key, "low", self.low)?;
        rate(key, "high", self.high)?;
        if self.low > self.high {
            return Err(Error::setting(format!("{key}.high"), self.high)
                .expected(format!("low = {} or more", self.low)));
        }
        if (self.low, self.high) == (0.0, 1.0) {
            return Err(Error::config(format!(
                "{key} has no effect: every rate is between 0 and 1"
            ))
            .with_key(key)
            .remedy(format!("set {key}.low = 0.01, or {key}.high = 0.3, for example")));
        }
        weight(key, self.weight)
    }
}

fn rate(key: &str, name: &str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::setting(format!("{key}.{name}"), value).expected("0 to 1 spikes per step"))
}

fn weight(key: &str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::setting(format!("{key}.weight"), value).expected("a positive number"))
}

impl Penalties {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// ∂/∂s of every spike of a layer's neurons, from the spikes of each in `steps` steps of all sequences together.
    pub(super) fn slopes(&self, spikes: &[u64], steps: f64) -> Vec<f32> {
        let neurons = spikes.len() as f64;
        let of_layer = self.rate.map_or(0.0, |RatePenalty { target, weight }| {
            let rate = spikes.iter().sum::<u64>() as f64 / (steps * neurons);
            2.0 * weight * (rate - target) / (steps * neurons)
        });
        let of_neuron = |spikes: &u64| {
            self.neuron_rate.map_or(0.0, |NeuronRatePenalty { low, high, weight }| {
                let rate = *spikes as f64 / steps;
                let outside = (rate - high).max(0.0) - (low - rate).max(0.0);
                2.0 * weight * outside / (steps * neurons)
            })
        };
        spikes.iter().map(|spikes| (of_layer + of_neuron(spikes)) as f32).collect()
    }

    /// The penalties on tensors: the spikes of every hidden layer, `[T, B, outputs]`, 0 after the end of a sequence, and the
    /// steps of all sequences together, without padding. None if there is nothing to add.
    pub(super) fn of(&self, spikes: &[Tensor<3>], steps: usize) -> Option<Tensor<1>> {
        let of_layers = self.rate.into_iter().flat_map(|RatePenalty { target, weight }| {
            spikes.iter().map(move |spikes| {
                let count = (steps * spikes.dims()[2]) as f64;
                let distance = total(spikes.clone()) / count - target;
                distance.clone() * distance * weight
            })
        });
        let of_neurons = self.neuron_rate.into_iter().flat_map(|penalty| {
            let NeuronRatePenalty { low, high, weight } = penalty;
            spikes.iter().map(move |spikes| {
                let rates = spikes.clone().sum_dim(0).sum_dim(1) / steps as f64;
                let (below, above) = (relu(-rates.clone() + low), relu(rates - high));
                (below.clone() * below + above.clone() * above).mean() * weight
            })
        });
        of_layers.chain(of_neurons).reduce(|a, b| a + b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn penalties_that_do_nothing_or_cannot_be_are_refused() {
        let refused = |low, high, weight| {
            let penalty = NeuronRatePenalty { low, high, weight };
            penalty.validate("train.neuron_rate_penalty").unwrap_err().to_string()
        };
        assert!(refused(0.0, 1.0, 1.0).contains("has no effect"));
        assert!(refused(0.3, 0.2, 1.0).contains("low = 0.3 or more"));
        assert!(refused(-0.1, 0.2, 1.0).contains("0 to 1 spikes per step"));
        assert!(refused(0.0, 0.2, f64::NAN).contains("a positive number"));
        assert!(NeuronRatePenalty { low: 0.01, high: 0.3, weight: 2.0 }.validate("x").is_ok());
    }
}

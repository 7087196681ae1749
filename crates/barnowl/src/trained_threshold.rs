//! A symmetric threshold on the inputs of a network, trained with it.

use crate::dataset::Events;
use crate::error::{Error, Result};
use crate::sequence::reference::spike;
use barnowl_neuron::Surrogate;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// What turns the real-valued inputs of a network into spikes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum EncoderConfig {
    /// One threshold θ for all channels, in both directions: `s = [x > θ] − [x < −θ]`, with −1, 0 and 1 for spikes.
    TrainedThreshold {
        /// θ at the start, in the unit of the inputs. Default 0.05.
        /// Range: 1e-6 or more.
        #[serde(default = "initial")]
        initial: f64,
    },
}

fn initial() -> f64 {
    0.05
}

/// The least θ that training comes to: at 0, every value but 0 would be a spike of its own sign.
pub(crate) const LEAST_THRESHOLD: f64 = 1e-6;

impl EncoderConfig {
    /// Checks ranges, for so many inputs; `key` names the encoder in messages.
    ///
    /// # Errors
    ///
    /// Names the key, its value and what is allowed.
    pub fn validate(&self, key: &str, inputs: usize) -> Result<()> {
        let Self::TrainedThreshold { initial } = *self;
        if !(LEAST_THRESHOLD..f64::from(f32::MAX)).contains(&initial) {
            return Err(Error::setting(format!("{key}.initial"), initial)
                .expected(format!("a positive threshold, {LEAST_THRESHOLD:e} or more")));
        }
        if inputs > Events::MOST_CHANNELS {
            return Err(Error::setting(key, self)
                .expected(format!("at most {} inputs", Events::MOST_CHANNELS)));
        }
        Ok(())
    }

    /// The encoder on `device`.
    #[must_use]
    pub fn init(&self, device: &Device) -> TrainedThreshold {
        let Self::TrainedThreshold { initial } = *self;
        TrainedThreshold { threshold: Param::from_tensor(Tensor::full([1], initial, device)) }
    }
}

/// The threshold of the inputs.
#[derive(Module, Debug)]
pub struct TrainedThreshold {
    /// θ, `[1]`.
    pub threshold: Param<Tensor<1>>,
}

impl TrainedThreshold {
    /// Spikes of the same shape as the inputs `[T, B, C]`.
    ///
    /// As for any spike, the derivative of `[v > 0]` is ψ(v), of the surrogate: `ds/dθ = ψ(−θ − x) − ψ(x − θ)`.
    #[must_use]
    pub fn forward(&self, input: Tensor<3>, surrogate: Surrogate) -> Tensor<3> {
        let [steps, batch, channels] = input.dims();
        let threshold = self.threshold.val().unsqueeze::<2>();
        let x = input.reshape([steps * batch, channels]);
        let above = spike(x.clone() - threshold.clone(), surrogate);
        let below = spike(-x - threshold, surrogate);
        (above - below).reshape([steps, batch, channels])
    }
}

//! Where the membrane potentials of neurons start.

use crate::error::{Error, Result};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// The state of neurons before the first step.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum InitialState {
    /// u = 0.
    #[default]
    Zero,
    /// u uniform between two bounds, drawn anew for every sequence.
    Uniform {
        /// The lower bound.
        /// Range: -1e30 to 1e30.
        #[serde(default)]
        low: f32,
        /// The upper bound.
        /// Range: -1e30 to 1e30, `low` or more.
        #[serde(default = "unit")]
        high: f32,
    },
}

fn unit() -> f32 {
    1.0
}

impl InitialState {
    /// Checks the bounds; `key` names the setting in messages.
    ///
    /// # Errors
    ///
    /// If the upper bound is below the lower one, or one is not a number.
    pub fn validate(&self, key: &str) -> Result<()> {
        match *self {
            Self::Uniform { low, high } if !(low <= high && (high - low).is_finite()) => {
                Err(Error::setting(format!("{key}.high"), high)
                    .expected(format!("at least low = {low}")))
            }
            _ => Ok(()),
        }
    }

    /// `count` membrane potentials before the first step; `None` for zero.
    pub(crate) fn draw(&self, count: usize, rng: &mut ChaCha8Rng) -> Option<Vec<f32>> {
        match *self {
            Self::Zero => None,
            Self::Uniform { low, high } => {
                Some((0..count).map(|_| low + (high - low) * rng.random::<f32>()).collect())
            }
        }
    }
}

//! Surrogate gradients of spikes.

use crate::error::{Error, Result};
use barnowl_neuron::{Shape, Surrogate};
use serde::{Deserialize, Serialize};

/// The surrogate gradient in a configuration; constants that are left out are the paper's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SurrogateConfig {
    /// γ [(1+h) N(v; 0, σ) − h N(v; σ, sσ) − h N(v; −σ, sσ)].
    MultiGaussian {
        /// Height γ.
        /// Range: more than 0.
        #[serde(default = "gamma")]
        gamma: f32,
        /// Width σ.
        /// Range: more than 0.
        #[serde(default = "sigma")]
        sigma: f32,
        /// Relative height h of the side lobes.
        /// Range: 0 or more.
        #[serde(default = "height")]
        height: f32,
        /// Relative width s of the side lobes.
        /// Range: more than 0.
        #[serde(default = "scale")]
        scale: f32,
    },
    /// γ N(v; 0, σ).
    Gaussian {
        /// Height γ.
        /// Range: more than 0.
        #[serde(default = "gamma")]
        gamma: f32,
        /// Width σ.
        /// Range: more than 0.
        #[serde(default = "sigma")]
        sigma: f32,
    },
    /// γ max(0, 1 − |v|).
    Linear {
        /// Height γ.
        /// Range: more than 0.
        #[serde(default = "gamma")]
        gamma: f32,
    },
    /// γ exp(−5 |v|).
    Slayer {
        /// Height γ.
        /// Range: more than 0.
        #[serde(default = "gamma")]
        gamma: f32,
    },
    /// γ / (1 + 10 |v|)².
    FastSigmoid {
        /// Height γ.
        /// Range: more than 0.
        #[serde(default = "gamma")]
        gamma: f32,
    },
    /// γ / (1 + (π v)²).
    Arctan {
        /// Height γ.
        /// Range: more than 0.
        #[serde(default = "gamma")]
        gamma: f32,
    },
    /// γ [(1+h) N(v; 0, σ) − 2 h N(v; 0, sσ)].
    DoubleGaussian {
        /// Height γ.
        /// Range: more than 0.
        #[serde(default = "gamma")]
        gamma: f32,
        /// Width σ.
        /// Range: more than 0.
        #[serde(default = "sigma")]
        sigma: f32,
        /// Half the height h of the wide Gaussian, relative to the narrow one.
        /// Range: 0 or more.
        #[serde(default = "height")]
        height: f32,
        /// Relative width s of the wide Gaussian.
        /// Range: more than 0.
        #[serde(default = "scale")]
        scale: f32,
    },
    /// γ exp(−k |v|).
    Exponential {
        /// Height γ.
        /// Range: more than 0.
        #[serde(default = "unit")]
        gamma: f32,
        /// Steepness k.
        /// Range: more than 0.
        #[serde(default = "five")]
        steepness: f32,
    },
    /// γ k σ(k v) (1 − σ(k v)), where σ is the logistic function.
    Sigmoid {
        /// Height γ; that of ψ is γ k / 4.
        /// Range: more than 0.
        #[serde(default = "unit")]
        gamma: f32,
        /// Steepness k.
        /// Range: more than 0.
        #[serde(default = "four")]
        steepness: f32,
    },
    /// γ everywhere.
    StraightThrough {
        /// Height γ.
        /// Range: more than 0.
        #[serde(default = "unit")]
        gamma: f32,
    },
    /// γ where |v| is less than the width, else 0.
    Box {
        /// Height γ.
        /// Range: more than 0.
        #[serde(default = "unit")]
        gamma: f32,
        /// Half the width.
        /// Range: more than 0.
        #[serde(default = "half")]
        width: f32,
    },
}

fn gamma() -> f32 {
    0.5
}
fn sigma() -> f32 {
    0.5
}
fn height() -> f32 {
    0.15
}
fn unit() -> f32 {
    1.0
}
fn four() -> f32 {
    4.0
}
fn five() -> f32 {
    5.0
}
fn half() -> f32 {
    0.5
}
fn scale() -> f32 {
    6.0
}

impl Default for SurrogateConfig {
    fn default() -> Self {
        Self::MultiGaussian { gamma: gamma(), sigma: sigma(), height: height(), scale: scale() }
    }
}

impl SurrogateConfig {
    /// The surrogate of the kernels.
    #[must_use]
    pub fn surrogate(&self) -> Surrogate {
        let (shape, gamma) = match *self {
            Self::MultiGaussian { gamma, sigma, height, scale } => {
                (Shape::MultiGaussian { sigma, height, scale }, gamma)
            }
            Self::Gaussian { gamma, sigma } => (Shape::Gaussian { sigma }, gamma),
            Self::Linear { gamma } => (Shape::Linear, gamma),
            Self::Slayer { gamma } => (Shape::Slayer, gamma),
            Self::FastSigmoid { gamma } => (Shape::FastSigmoid, gamma),
            Self::Arctan { gamma } => (Shape::Arctan, gamma),
            Self::DoubleGaussian { gamma, sigma, height, scale } => {
                (Shape::DoubleGaussian { sigma, height, scale }, gamma)
            }
            Self::Exponential { gamma, steepness } => (Shape::Exponential { steepness }, gamma),
            Self::Sigmoid { gamma, steepness } => (Shape::Sigmoid { steepness }, gamma),
            Self::StraightThrough { gamma } => (Shape::StraightThrough, gamma),
            Self::Box { gamma, width } => (Shape::Box { width }, gamma),
        };
        Surrogate { shape, gamma }
    }

    /// Checks ranges; `key` names the setting in messages.
    ///
    /// # Errors
    ///
    /// If γ, σ or s is not positive, or h is negative.
    pub fn validate(&self, key: &str) -> Result<()> {
        let Surrogate { shape, gamma } = self.surrogate();
        let check = |name: &str, value: f32, allowed: bool, expected: &str| {
            if allowed && value.is_finite() {
                Ok(())
            } else {
                Err(Error::setting(format!("{key}.{name}"), value).expected(expected))
            }
        };
        check("gamma", gamma, gamma > 0.0, "a positive number")?;
        let positive = |name, value| check(name, value, value > 0.0, "a positive number");
        match shape {
            Shape::MultiGaussian { sigma, height, scale }
            | Shape::DoubleGaussian { sigma, height, scale } => {
                positive("sigma", sigma)?;
                check("height", height, height >= 0.0, "0 or more")?;
                positive("scale", scale)?;
            }
            Shape::Gaussian { sigma } => positive("sigma", sigma)?,
            Shape::Exponential { steepness } | Shape::Sigmoid { steepness } => {
                positive("steepness", steepness)?;
            }
            Shape::Box { width } => positive("width", width)?,
            Shape::Linear
            | Shape::Slayer
            | Shape::FastSigmoid
            | Shape::Arctan
            | Shape::StraightThrough => {}
        }
        Ok(())
    }
}

//! Time constants of neurons: how they start, and as what they are trained.
//!
//! A time constant is trained as its logarithm, so no learning rate can make it zero, negative or NaN: τ = exp(log τ),
//! kept within [`TAU_MIN`] and [`TAU_MAX`] steps by projection. Files and plots hold τ itself.

use crate::error::{Error, Result};
use crate::weights::replace;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use serde::{Deserialize, Serialize};

/// The shortest time constant, in steps: exp(−1/τ) is zero to the last bit.
pub const TAU_MIN: f64 = 1e-3;
/// The longest time constant, in steps: 1 − exp(−1/τ) is still a normal single-precision number.
pub const TAU_MAX: f64 = 1e7;

/// How the time constants of a layer start, in the units of `dt`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TimeConstants {
    /// The same for every neuron.
    Constant {
        /// The time constant τ, in the units of `dt`.
        /// Range: more than 0.
        value: f64,
    },
    /// Normally distributed; what is not positive is drawn again.
    Normal {
        /// Mean of τ.
        /// Range: more than 0.
        mean: f64,
        /// Standard deviation.
        /// Range: 0 or more.
        sd: f64,
    },
    /// Uniform in log τ: every scale of time is as likely.
    LogUniform {
        /// The shortest τ.
        /// Range: more than 0.
        low: f64,
        /// The longest τ.
        /// Range: more than 0, `low` or more.
        high: f64,
    },
    /// A mixture of normals: the neurons are split into groups, one after the other, each with its own normal.
    Mixture {
        /// The groups, in the order of the neurons.
        groups: Vec<TimeConstantGroup>,
    },
}

/// One group of a mixture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeConstantGroup {
    /// Mean of τ.
    /// Range: more than 0.
    pub mean: f64,
    /// Standard deviation.
    /// Range: 0 or more.
    #[serde(default)]
    pub sd: f64,
    /// How large the group is relative to the others.
    /// Range: more than 0.
    #[serde(default = "one")]
    pub share: f64,
}

fn one() -> f64 {
    1.0
}

impl TimeConstants {
    /// τ = 20 for every neuron: the paper's membrane.
    #[must_use]
    pub fn constant(value: f64) -> Self {
        Self::Constant { value }
    }

    /// Checks ranges; `key` names the setting in messages.
    ///
    /// # Errors
    ///
    /// If a time constant is not positive, a deviation negative, a range empty, or a mixture has no groups.
    pub fn validate(&self, key: &str) -> Result<()> {
        let positive = |name: &str, value: f64| {
            if value > 0.0 && value.is_finite() {
                Ok(())
            } else {
                Err(Error::setting(format!("{key}.{name}"), value).expected("a positive number"))
            }
        };
        let deviation = |name: &str, value: f64| {
            if value >= 0.0 && value.is_finite() {
                Ok(())
            } else {
                Err(Error::setting(format!("{key}.{name}"), value).expected("0 or more"))
            }
        };
        match self {
            Self::Constant { value } => positive("value", *value),
            Self::Normal { mean, sd } => positive("mean", *mean).and(deviation("sd", *sd)),
            Self::LogUniform { low, high } => {
                positive("low", *low)?;
                if high >= low && high.is_finite() {
                    Ok(())
                } else {
                    Err(Error::setting(format!("{key}.high"), high)
                        .expected(format!("at least low = {low}")))
                }
            }
            Self::Mixture { groups } => {
                if groups.is_empty() {
                    return Err(Error::setting(format!("{key}.groups"), groups)
                        .expected("at least one group { mean, sd, share }"));
                }
                groups.iter().enumerate().try_for_each(|(i, group)| {
                    positive(&format!("groups.{i}.mean"), group.mean)?;
                    deviation(&format!("groups.{i}.sd"), group.sd)?;
                    positive(&format!("groups.{i}.share"), group.share)
                })
            }
        }
    }

    /// One τ per neuron.
    fn draw(&self, neurons: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
        match self {
            Self::Constant { value } => vec![*value; neurons],
            Self::Normal { mean, sd } => (0..neurons).map(|_| normal(*mean, *sd, rng)).collect(),
            Self::LogUniform { low, high } => (0..neurons)
                .map(|_| (low.ln() + (high.ln() - low.ln()) * rng.random::<f64>()).exp())
                .collect(),
            Self::Mixture { groups } => {
                let total: f64 = groups.iter().map(|group| group.share).sum();
                let mut ends = groups.iter().scan(0.0, |sum, group| {
                    *sum += group.share;
                    Some((*sum / total * neurons as f64).round() as usize)
                });
                let mut group = 0;
                let mut end = ends.next().unwrap_or(neurons);
                (0..neurons)
                    .map(|neuron| {
                        while neuron >= end && group + 1 < groups.len() {
                            group += 1;
                            end = ends.next().unwrap_or(neurons);
                        }
                        normal(groups[group].mean, groups[group].sd, rng)
                    })
                    .collect()
            }
        }
    }
}

/// A positive draw of N(mean, sd); the mean itself if that is too rare.
fn normal(mean: f64, sd: f64, rng: &mut ChaCha8Rng) -> f64 {
    let Ok(normal) = Normal::new(mean, sd) else {
        return mean;
    };
    (0..100).map(|_| normal.sample(rng)).find(|tau| *tau > 0.0).unwrap_or(mean)
}

/// The trained time constants of a layer.
#[derive(Module, Debug)]
pub struct TrainedTimeConstants {
    /// log(τ/dt), `[H]`.
    pub log_tau: Param<Tensor<1>>,
}

impl TrainedTimeConstants {
    /// Draws the time constants of a layer.
    pub(crate) fn init(
        config: &TimeConstants,
        neurons: usize,
        dt: f64,
        device: &Device,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let steps: Vec<f64> = config.draw(neurons, rng).iter().map(|tau| tau / dt).collect();
        Self { log_tau: Param::from_tensor(log_tau(&steps, device)) }
    }

    /// Sets τ, in steps.
    pub(crate) fn set(&mut self, steps: &[f64]) {
        replace(&mut self.log_tau, |device| log_tau(steps, device));
    }

    /// Brings time constants that a step has carried out of range back to its edge.
    pub(crate) fn project(&mut self) {
        let range = TAU_MIN.ln() as f32..=TAU_MAX.ln() as f32;
        let data = self.log_tau.val().into_data();
        let values: &[f32] = data.as_slice().expect("parameters are 32-bit floats");
        if values.iter().any(|log_tau| !range.contains(log_tau)) {
            let (low, high) = range.into_inner();
            let inside: Vec<f32> = values.iter().map(|x| x.clamp(low, high)).collect();
            let shape = [inside.len()];
            replace(&mut self.log_tau, |device| {
                Tensor::from_data(TensorData::new(inside, shape), device)
            });
        }
    }

    /// τ in steps, `[H]`, differentiable.
    #[must_use]
    pub fn steps(&self) -> Tensor<1> {
        tau(self.log_tau.val())
    }

    /// τ in steps, `[H]`, the same bits outside the autodiff graph: it keeps what is computed of parameters until a backward
    /// pass frees it, and the fused path has none.
    pub(crate) fn untracked_steps(&self) -> Tensor<1> {
        tau(self.log_tau.val().detach())
    }
}

/// τ of log τ, kept in range.
fn tau(log_tau: Tensor<1>) -> Tensor<1> {
    log_tau.clamp(TAU_MIN.ln(), TAU_MAX.ln()).exp()
}

fn log_tau(steps: &[f64], device: &Device) -> Tensor<1> {
    let log: Vec<f32> = steps.iter().map(|tau| tau.clamp(TAU_MIN, TAU_MAX).ln() as f32).collect();
    Tensor::from_data(TensorData::new(log, [steps.len()]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn draws_follow_their_distribution() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let normal = TimeConstants::Normal { mean: 20.0, sd: 5.0 }.draw(4000, &mut rng);
        let mean = normal.iter().sum::<f64>() / 4000.0;
        let sd = (normal.iter().map(|tau| (tau - mean).powi(2)).sum::<f64>() / 4000.0).sqrt();
        assert!((mean - 20.0).abs() < 0.4 && (sd - 5.0).abs() < 0.3, "{mean} {sd}");
        let wide = TimeConstants::Normal { mean: 1.0, sd: 10.0 }.draw(1000, &mut rng);
        assert!(wide.iter().all(|tau| *tau > 0.0));
        let log = TimeConstants::LogUniform { low: 3.0, high: 120.0 }.draw(4000, &mut rng);
        assert!(log.iter().all(|tau| (3.0..=120.0).contains(tau)));
        let below = log.iter().filter(|tau| **tau < (3.0_f64 * 120.0).sqrt()).count();
        assert!((1850..2150).contains(&below), "{below}");
    }

    #[test]
    fn a_mixture_splits_the_neurons_by_share() {
        let group = |mean, share| TimeConstantGroup { mean, sd: 0.0, share };
        let groups = vec![group(5.0, 1.0), group(20.0, 2.0), group(100.0, 1.0)];
        let taus = TimeConstants::Mixture { groups }.draw(8, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(taus, [5.0, 5.0, 20.0, 20.0, 20.0, 20.0, 100.0, 100.0]);
    }

    #[test]
    fn extreme_values_stay_in_range() {
        let device = Device::flex();
        let constants = TrainedTimeConstants {
            log_tau: Param::from_tensor(Tensor::from_floats([-1e30, 0.0, 1e30], &device)),
        };
        let steps: Vec<f32> = constants.steps().try_into_vec_as().unwrap();
        assert!(steps.iter().all(|tau| tau.is_finite() && *tau > 0.0), "{steps:?}");
        assert!((steps[1] - 1.0).abs() < 1e-6);
        let mut projected = constants.clone();
        projected.project();
        let log: Vec<f32> = projected.log_tau.val().try_into_vec_as().unwrap();
        assert!(log[0] < -6.9 && log[0] > -7.0 && log[1] == 0.0 && log[2] > 16.1 && log[2] < 16.2);
        assert_eq!(projected.log_tau.id, constants.log_tau.id);
    }

    #[test]
    fn a_bad_value_names_its_key() {
        let error =
            TimeConstants::Normal { mean: -1.0, sd: 0.0 }.validate("layers.0.tau_m").unwrap_err();
        assert_eq!(error.key(), Some("layers.0.tau_m.mean"));
    }
}

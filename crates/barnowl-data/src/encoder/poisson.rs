//! Rate coding: the larger a value, the more often it spikes.

use barnowl_base::error::{Error, Result};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Poisson encoder: a value x between 0 and 1 spikes at the rate `x · most` spikes a step, at random.
///
/// ```text
/// P(s_t = 1) = 1 − exp(−x · most)
/// ```
///
/// which is the chance of at least one event of a Poisson process in a step. Values beyond 0 and 1 count as those.
///
/// ```
/// use barnowl_data::encoder::Poisson;
///
/// let spikes = Poisson::new(0.5)?.encode(&[0.0, 1.0], 1000, 7);
/// assert_eq!(spikes.len(), 2000);
/// // The first channel is silent, the second spikes in about 1 − exp(−0.5) = 39 of 100 steps.
/// let count = |channel: usize| spikes.iter().skip(channel).step_by(2).filter(|s| **s == 1).count();
/// assert_eq!(count(0), 0);
/// assert!((350..440).contains(&count(1)));
/// # Ok::<(), barnowl_base::error::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Poisson {
    most: f64,
}

impl Poisson {
    /// An encoder whose largest value has a rate of `most` spikes a step.
    ///
    /// # Errors
    ///
    /// If the rate is not positive and finite.
    pub fn new(most: f64) -> Result<Self> {
        if most > 0.0 && most.is_finite() {
            Ok(Self { most })
        } else {
            Err(Error::setting("most", most).expected("a positive rate, in spikes a step"))
        }
    }

    /// Spikes `[steps, channels]` of the values of the channels. The same seed gives the same spikes; NaN gives none.
    #[must_use]
    pub fn encode(&self, values: &[f32], steps: usize, seed: u64) -> Vec<i8> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let chance = |x: &f32| match x.is_nan() {
            true => 0.0,
            false => -(-f64::from(x.clamp(0.0, 1.0)) * self.most).exp_m1(),
        };
        let chances: Vec<f64> = values.iter().map(chance).collect();
        let mut spikes = Vec::with_capacity(steps * values.len());
        for _ in 0..steps {
            spikes.extend(chances.iter().map(|chance| i8::from(rng.random::<f64>() < *chance)));
        }
        spikes
    }
}

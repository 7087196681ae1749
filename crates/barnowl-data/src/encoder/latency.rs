//! Latency coding: the larger a value, the earlier its one spike.

use barnowl_base::error::{Error, Result};

/// How a value becomes a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Curve {
    /// `t = (1 − x) (T − 1)`
    Linear,
    /// The time at which a membrane of time constant τ (in steps), driven by x, comes to the threshold θ:
    /// `t = τ ln(x / (x − θ))`; no spike for x ≤ θ.
    Membrane {
        /// τ, in steps.
        tau: f32,
        /// θ, between 0 and 1.
        threshold: f32,
    },
}

/// Latency encoder: one spike for each value between 0 and 1, the earlier the larger it is.
///
/// ```
/// use barnowl_data::encoder::{Curve, Latency};
///
/// let latency = Latency::new(Curve::Linear, 5)?;
/// assert_eq!(latency.times(&[1.0, 0.5, 0.0]), [Some(0), Some(2), Some(4)]);
/// // Row by row, [5, 3].
/// let spikes = latency.encode(&[1.0, 0.5, 0.0]);
/// assert_eq!(spikes, [1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
/// # Ok::<(), barnowl_base::error::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latency {
    curve: Curve,
    steps: usize,
}

impl Latency {
    /// An encoder into so many steps.
    ///
    /// # Errors
    ///
    /// If there are no steps, or τ or θ is out of range.
    pub fn new(curve: Curve, steps: usize) -> Result<Self> {
        if steps == 0 {
            return Err(Error::setting("steps", steps).expected("1 or more"));
        }
        if let Curve::Membrane { tau, threshold } = curve
            && !(tau > 0.0 && tau.is_finite() && threshold > 0.0 && threshold < 1.0)
        {
            return Err(Error::setting("tau, threshold", (tau, threshold))
                .expected("a positive time constant, and a threshold between 0 and 1"));
        }
        Ok(Self { curve, steps })
    }

    /// The step of each value's spike; none if it does not spike in time, or is NaN. Values beyond 0 and 1 count as those.
    #[must_use]
    pub fn times(&self, values: &[f32]) -> Vec<Option<usize>> {
        let time = |x: &f32| {
            if x.is_nan() {
                return None;
            }
            let x = x.clamp(0.0, 1.0);
            let time = match self.curve {
                Curve::Linear => (1.0 - x) * (self.steps - 1) as f32,
                Curve::Membrane { threshold, .. } if x <= threshold => return None,
                Curve::Membrane { tau, threshold } => tau * (x / (x - threshold)).ln(),
            };
            let step = time.round() as usize;
            (step < self.steps).then_some(step)
        };
        values.iter().map(time).collect()
    }

    /// Spikes `[steps, channels]` of the values of the channels.
    #[must_use]
    pub fn encode(&self, values: &[f32]) -> Vec<i8> {
        let mut spikes = vec![0; self.steps * values.len()];
        for (channel, step) in self.times(values).into_iter().enumerate() {
            if let Some(step) = step {
                spikes[step * values.len() + channel] = 1;
            }
        }
        spikes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_membrane_crosses_its_threshold_in_the_order_of_the_drive() {
        let latency = Latency::new(Curve::Membrane { tau: 20.0, threshold: 0.2 }, 60).unwrap();
        let times = latency.times(&[1.0, 0.6, 0.3, 0.21, 0.2, 0.0, f32::NAN]);
        // τ ln(1 / 0.8), τ ln 1.5, τ ln 3; 0.21 comes too late, 0.2 never.
        assert_eq!(times, [Some(4), Some(8), Some(22), None, None, None, None]);
        assert!(Latency::new(Curve::Membrane { tau: 1.0, threshold: 1.0 }, 5).is_err());
        assert!(Latency::new(Curve::Linear, 0).is_err());
    }
}

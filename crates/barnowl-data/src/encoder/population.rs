//! Population coding: a value as the activity of neurons that each prefer another one.

use barnowl_base::error::{Error, Result};

/// Population encoder with Gaussian receptive fields (Bohté, La Poutré & Kok 2002, doi:10.1109/TNN.2002.1000125).
///
/// n neurons prefer values μ_i, evenly spaced from `low` to `high`:
///
/// ```text
/// a_i = exp(−(x − μ_i)² / (2σ²))      σ = overlap · (high − low) / (n − 1)
/// ```
///
/// The activities lie between 0 and 1: [`Latency`](super::Latency) and [`Poisson`](super::Poisson) turn them into spikes.
///
/// ```
/// use barnowl_data::encoder::Population;
///
/// let population = Population::new(5, -1.0, 1.0, 0.5)?;
/// let activity = population.encode(&[0.5]);
/// // The fourth neuron prefers 0.5; its neighbours are two σ away.
/// assert_eq!(activity[3], 1.0);
/// assert!((activity[2] - (-2.0_f32).exp()).abs() < 1e-6);
/// # Ok::<(), barnowl_base::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Population {
    centres: Vec<f32>,
    sigma: f32,
}

impl Population {
    /// So many neurons for values from `low` to `high`, with fields of σ = `overlap` · their distance.
    ///
    /// # Errors
    ///
    /// If there are fewer than two neurons, the range is empty, or the overlap not positive.
    pub fn new(neurons: usize, low: f32, high: f32, overlap: f32) -> Result<Self> {
        if neurons < 2 {
            return Err(Error::setting("neurons", neurons).expected("2 or more"));
        }
        if !(low < high && (high - low).is_finite()) {
            return Err(Error::setting("low, high", (low, high)).expected("two numbers in order"));
        }
        if !(overlap > 0.0 && overlap.is_finite()) {
            return Err(Error::setting("overlap", overlap).expected("a positive number"));
        }
        let distance = (high - low) / (neurons - 1) as f32;
        let centres = (0..neurons).map(|i| low + distance * i as f32).collect();
        Ok(Self { centres, sigma: overlap * distance })
    }

    /// Activities `[values, neurons]`; those of NaN are 0.
    #[must_use]
    pub fn encode(&self, values: &[f32]) -> Vec<f32> {
        let activity = |x: f32, centre: &f32| match x.is_nan() {
            true => 0.0,
            false => (-((x - centre) / self.sigma).powi(2) / 2.0).exp(),
        };
        values.iter().flat_map(|x| self.centres.iter().map(|c| activity(*x, c))).collect()
    }
}

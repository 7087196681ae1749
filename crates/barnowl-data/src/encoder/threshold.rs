//! Symmetric threshold: values far from zero become events.

use barnowl_base::error::Result;

/// Symmetric threshold: −1, 0 or 1 for every value.
///
/// ```text
/// s = [x > θ] − [x < −θ]
/// ```
///
/// With θ trained, it belongs to the network (`network.encoder`).
///
/// ```
/// use barnowl_data::encoder::SymmetricThreshold;
///
/// assert_eq!(SymmetricThreshold::new(0.5)?.encode(&[0.7, 0.5, -0.2, -3.0]), [1, 0, 0, -1]);
/// # Ok::<(), barnowl_base::error::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SymmetricThreshold {
    threshold: f32,
}

impl SymmetricThreshold {
    /// An encoder with the threshold θ, in the unit of the values.
    ///
    /// # Errors
    ///
    /// If the threshold is negative or not finite.
    pub fn new(threshold: f32) -> Result<Self> {
        super::check_threshold(threshold)?;
        Ok(Self { threshold })
    }

    /// An event for every value, in whatever shape they are; none where a value is NaN.
    #[must_use]
    pub fn encode(&self, values: &[f32]) -> Vec<i8> {
        let event = |x: &f32| i8::from(*x > self.threshold) - i8::from(*x < -self.threshold);
        values.iter().map(event).collect()
    }
}

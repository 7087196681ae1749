//! Delta modulation: an event when a signal changes fast enough.

use barnowl_base::error::Result;

/// Delta modulator: compares each value with the one before it.
///
/// ```text
/// e_t = 1 if x_t − x_{t−1} > Δ,  −1 if x_t − x_{t−1} < −Δ,  else 0
/// ```
///
/// It keeps no reference: a slow drift makes no events, however far it goes; to follow a signal, use
/// [`LevelCrossing`](super::LevelCrossing).
///
/// ```
/// use barnowl_data::encoder::Delta;
///
/// let events = Delta::new(0.5)?.encode(&[0.0, 0.6, 0.7, 0.7, 0.1, 0.1]);
/// assert_eq!(events, [0, 1, 0, 0, -1, 0]);
/// # Ok::<(), barnowl_base::error::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delta {
    threshold: f32,
}

impl Delta {
    /// An encoder of changes larger than `threshold`, in the unit of the signal.
    ///
    /// # Errors
    ///
    /// If the threshold is negative or not finite.
    pub fn new(threshold: f32) -> Result<Self> {
        super::check_threshold(threshold)?;
        Ok(Self { threshold })
    }

    /// The events `[T]` of a signal of T steps; none at the first step, nor where a value is NaN.
    #[must_use]
    pub fn encode(&self, signal: &[f32]) -> Vec<i8> {
        let event = |pair: &[f32]| {
            let change = pair[1] - pair[0];
            i8::from(change > self.threshold) - i8::from(change < -self.threshold)
        };
        let first = signal.first().map(|_| 0);
        first.into_iter().chain(signal.windows(2).map(event)).collect()
    }
}

//! Level crossing: an event each time that a signal has moved by one level.

use barnowl_base::error::{Error, Result};

/// Level-crossing encoder (send-on-delta, one-bit delta modulation): two event channels a signal, up and down.
///
/// The encoder holds a reference r, which starts at the first value of the signal s and follows it, one level of
/// height Δ (the threshold) a step at most:
///
/// ```text
/// r_0 = s_0
/// up_t   = 1 if s_t − r_{t−1} ≥  Δ else 0
/// down_t = 1 if s_t − r_{t−1} ≤ −Δ else 0
/// r_t = r_{t−1} + Δ (up_t − down_t)
/// ```
///
/// So at most one of the two channels fires in a step, events are 0 or 1, and s is known to within Δ from the events
/// and s_0 wherever the signal moves by no more than Δ a step. A faster signal is followed at Δ a step until the
/// reference has caught up: a steep flank becomes a run of events, one a step. This is the form of the events in the
/// encoded QT Database of Yin, Corradi & Bohté (2021; doi:10.1038/s42256-021-00397-w).
///
/// Where values are missing (NaN) there are no events, and the reference starts anew at the next value: how the signal got
/// there is not known, and catching up with it would make events that look like a steep flank.
///
/// ```
/// use barnowl_data::encoder::LevelCrossing;
///
/// let encoder = LevelCrossing::new(0.5)?;
/// let events = encoder.encode(&[0.0, 0.2, 0.6, 1.7, 1.7, 1.7, 0.9]);
/// assert_eq!(events, [[0, 0], [0, 0], [1, 0], [1, 0], [1, 0], [0, 0], [0, 1]]);
/// # Ok::<(), barnowl_base::error::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelCrossing {
    threshold: f32,
}

impl LevelCrossing {
    /// An encoder with levels of height `threshold`, in the unit of the signal.
    ///
    /// # Errors
    ///
    /// If the threshold is not positive and finite.
    pub fn new(threshold: f32) -> Result<Self> {
        if threshold > 0.0 && threshold.is_finite() {
            Ok(Self { threshold })
        } else {
            Err(Error::config(format!("the level-crossing threshold is {threshold}"))
                .expected("a positive, finite number"))
        }
    }

    /// Δ, the height of a level.
    #[must_use]
    pub fn threshold(&self) -> f32 {
        self.threshold
    }

    /// The events `[T, 2]`, up and down, of a signal of T steps.
    ///
    /// There is no event at the first step, nor at a step whose value is NaN or follows one that is.
    #[must_use]
    pub fn encode(&self, signal: &[f32]) -> Vec<[i8; 2]> {
        // Counted in levels from the value that the reference started at, so that no rounding adds up over a long signal.
        let (mut start, mut level) = (f32::NAN, 0_i32);
        signal
            .iter()
            .map(|value| {
                if start.is_nan() || value.is_nan() {
                    (start, level) = (*value, 0);
                }
                let distance = value - (start + self.threshold * level as f32);
                let (up, down) = (distance >= self.threshold, distance <= -self.threshold);
                level += i32::from(up) - i32::from(down);
                [i8::from(up), i8::from(down)]
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_staircase_gives_one_event_a_step() {
        let encoder = LevelCrossing::new(1.0).unwrap();
        let signal = [5.0, 6.0, 7.0, 7.5, 6.5, 6.0, 5.0];
        let expected = [[0, 0], [1, 0], [1, 0], [0, 0], [0, 0], [0, 1], [0, 1]];
        assert_eq!(encoder.encode(&signal), expected);
    }

    #[test]
    fn a_jump_is_followed_level_by_level() {
        let events = LevelCrossing::new(1.0).unwrap().encode(&[0.0, -3.5, -3.5, -3.5, -3.5]);
        assert_eq!(events, [[0, 0], [0, 1], [0, 1], [0, 1], [0, 0]]);
    }

    #[test]
    fn missing_values_give_no_events_and_the_level_starts_anew_behind_them() {
        let encoder = LevelCrossing::new(1.0).unwrap();
        let gap = f32::NAN;
        assert!(encoder.encode(&[]).is_empty());
        assert_eq!(encoder.encode(&[gap; 3]), [[0; 2]; 3]);
        let events = encoder.encode(&[gap, 5.0, 6.0, gap, gap, 0.0, 0.5, -1.0]);
        let expected = [[0, 0], [0, 0], [1, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 1]];
        assert_eq!(events, expected);
    }

    #[test]
    fn thresholds_must_be_positive_and_finite() {
        for threshold in [0.0, -0.1, f32::NAN, f32::INFINITY] {
            let error = LevelCrossing::new(threshold).unwrap_err();
            assert!(error.to_string().contains("expected a positive, finite number"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn the_events_tell_a_slow_signal_to_within_a_level(
            threshold in 0.05_f32..2.0,
            start in -3.0_f32..3.0,
            moves in prop::collection::vec(-0.99_f32..0.99, 0..200),
        ) {
            let mut signal = vec![start];
            for step in moves {
                signal.push(signal[signal.len() - 1] + step * threshold);
            }
            let events = LevelCrossing::new(threshold).unwrap().encode(&signal);
            prop_assert_eq!(events.len(), signal.len());
            let mut reference = f64::from(start);
            for (value, [up, down]) in signal.iter().zip(events) {
                prop_assert!((0..=1).contains(&up) && (0..=1).contains(&down) && up + down <= 1);
                reference += f64::from(threshold) * f64::from(up - down);
                let distance = (f64::from(*value) - reference).abs();
                prop_assert!(distance <= f64::from(threshold) * 1.001, "{distance} of {threshold}");
            }
        }

        #[test]
        fn a_mirrored_signal_swaps_up_and_down(
            signal in prop::collection::vec(-5.0_f32..5.0, 0..100),
        ) {
            let encoder = LevelCrossing::new(0.25).unwrap();
            let mirrored: Vec<f32> = signal.iter().map(|value| -value).collect();
            let swapped: Vec<_> =
                encoder.encode(&mirrored).into_iter().map(|[up, down]| [down, up]).collect();
            prop_assert_eq!(encoder.encode(&signal), swapped);
        }
    }
}

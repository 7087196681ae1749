//! The learning rate of a mini-batch.

use super::TrainConfig;
use crate::error::{Error, Result};
use crate::optimizer::Place;

/// Longer than any run.
const MOST_EPOCHS: f64 = 1e9;

impl TrainConfig {
    /// The learning rate of a mini-batch: that of the schedule, and in the warm-up the share of it that grows by as much with
    /// every mini-batch, to the whole at the last.
    #[must_use]
    pub fn rate(&self, place: Place) -> f64 {
        let rate = self.schedule.learning_rate(self.learning_rate, place);
        let warmup = self.warmup * place.batches as f64;
        if place.count() < warmup { rate * place.count() / warmup } else { rate }
    }

    pub(super) fn validate_rate(&self, key: &str) -> Result<()> {
        self.schedule.validate(&format!("{key}.schedule"))?;
        let refuse = |expected: String| {
            Err(Error::setting(format!("{key}.warmup"), self.warmup).expected(expected))
        };
        if !(0.0..=MOST_EPOCHS).contains(&self.warmup) {
            return refuse("0 to 1000000000 epochs".to_owned());
        }
        if self.warmup > 0.0 && self.schedule.warmup_epochs > 0 {
            return refuse(format!("0 beside {key}.schedule.warmup_epochs"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::{Decay, OneCycle, ScheduleConfig};

    /// The rates of all mini-batches, three an epoch.
    fn rates(warmup: f64, decay: Decay, epochs: usize) -> Vec<f64> {
        let schedule = ScheduleConfig { decay, warmup_epochs: 0 };
        let config = TrainConfig { learning_rate: 6.0, warmup, schedule, ..TrainConfig::default() };
        config.validate("train").unwrap();
        let place = |i: usize| Place { epoch: i / 3, epochs, batch: i % 3, batches: 3 };
        (0..3 * epochs).map(|i| config.rate(place(i))).collect()
    }

    #[test]
    fn the_warm_up_rises_by_batch_to_what_the_schedule_says() {
        let constant = |warmup| rates(warmup, Decay::Constant {}, 2);
        assert_eq!(constant(0.0), [6.0; 6]);
        assert_eq!(constant(1.0), [2.0, 4.0, 6.0, 6.0, 6.0, 6.0]);
        assert_eq!(constant(2.0), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        // A part of an epoch; longer than the run; shorter than a mini-batch.
        assert_eq!(constant(0.5), [4.0, 6.0, 6.0, 6.0, 6.0, 6.0]);
        assert_eq!(constant(4.0), [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]);
        assert_eq!(constant(0.1), [6.0; 6]);
        let step = Decay::Step { every: 1, factor: 0.5 };
        assert_eq!(rates(2.0, step, 3), [1.0, 2.0, 3.0, 2.0, 2.5, 3.0, 1.5, 1.5, 1.5]);
        let cycle = OneCycle { rise: 0.5, start: 0.5, end: 0.0 };
        let found = rates(1.0, Decay::OneCycle(cycle), 2);
        for (found, expected) in found.iter().zip([1.0, 3.0, 6.0, 4.5, 1.5, 0.0]) {
            assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        }
    }

    #[test]
    fn a_warm_up_that_cannot_be_is_refused() {
        let refused = |warmup, warmup_epochs| {
            let schedule = ScheduleConfig { warmup_epochs, ..ScheduleConfig::default() };
            let config = TrainConfig { warmup, schedule, ..TrainConfig::default() };
            config.validate("train").unwrap_err().to_string()
        };
        for warmup in [-0.5, f64::NAN, f64::INFINITY] {
            let error = refused(warmup, 0);
            assert!(error.starts_with("train.warmup = "), "{error}");
        }
        let error = refused(2.0, 1);
        assert!(error.contains("0 beside train.schedule.warmup_epochs"), "{error}");
    }
}

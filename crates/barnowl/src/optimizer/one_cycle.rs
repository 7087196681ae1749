//! A learning rate that rises and falls once.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::require;
use crate::error::Result;

/// Constants of [`Decay::OneCycle`](super::Decay::OneCycle).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OneCycle {
    /// The share of the mini-batches in which the rate rises. Default 0.3.
    /// Range: more than 0, less than 1.
    pub rise: f64,
    /// The share of the base rate at the first mini-batch. Default 0.04.
    /// Range: more than 0, at most 1.
    pub start: f64,
    /// The share of the base rate at the last mini-batch. Default 4·10⁻⁶, a ten-thousandth of the default of `start`.
    /// Range: 0 to 1.
    pub end: f64,
}

impl Default for OneCycle {
    fn default() -> Self {
        Self { rise: 0.3, start: 0.04, end: 4e-6 }
    }
}

impl OneCycle {
    pub(super) fn validate(&self, section: &str) -> Result<()> {
        let Self { rise, start, end } = *self;
        require(rise > 0.0 && rise < 1.0, section, "rise", rise, "a number in (0, 1)")?;
        require(start > 0.0 && start <= 1.0, section, "start", start, "a number in (0, 1]")?;
        require((0.0..=1.0).contains(&end), section, "end", end, "a number in [0, 1]")
    }

    /// The share of the base rate at mini-batch `count` of `all`, from 1.
    pub(super) fn factor(&self, count: f64, all: f64) -> f64 {
        // Of a run too short to rise, the first mini-batch has the full rate.
        let peak = (self.rise * all).max(1.0);
        if count < peak {
            let risen = (count - 1.0) / (peak - 1.0);
            return self.start + (1.0 - self.start) * (1.0 - (PI * risen).cos()) / 2.0;
        }
        let fallen = if all > peak { ((count - peak) / (all - peak)).min(1.0) } else { 0.0 };
        self.end + (1.0 - self.end) * (1.0 + (PI * fallen).cos()) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn factors(cycle: &OneCycle, all: u32) -> Vec<f64> {
        (1..=all).map(|count| cycle.factor(count.into(), all.into())).collect()
    }

    /// By hand, as `torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1, total_steps=10)` computes them.
    #[test]
    fn the_defaults_give_the_rates_of_pytorch() {
        let expected = [
            0.04,
            0.52,
            1.0,
            0.950484632,
            0.811745654,
            0.611262022,
            0.388741978,
            0.188258346,
            0.049519368,
            0.000004,
        ];
        let found = factors(&OneCycle::default(), 10);
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        }
    }

    #[test]
    fn a_run_too_short_to_rise_falls() {
        let cycle = OneCycle { end: 0.5, ..OneCycle::default() };
        assert_eq!(factors(&cycle, 1), [1.0]);
        assert_eq!(factors(&cycle, 2), [1.0, 0.5]);
    }

    proptest! {
        #[test]
        fn the_rate_rises_and_falls_once(
            rise in 0.001..0.999f64, start in 1e-3..=1.0f64, end in 0.0..=1.0f64, all in 2..300u32,
        ) {
            let cycle = OneCycle { rise, start, end };
            cycle.validate("schedule").unwrap();
            let found = factors(&cycle, all);
            prop_assert!(found.iter().all(|factor| (0.0..=1.0).contains(factor)), "{found:?}");
            let peak = ((rise * f64::from(all)) as usize).max(1);
            prop_assert!(found[..peak].is_sorted_by(|a, b| a <= b), "{found:?}");
            prop_assert!(found[peak..].is_sorted_by(|a, b| a >= b), "{found:?}");
            prop_assert_eq!(found[found.len() - 1], end);
            prop_assert!(peak < 2 || found[0] == start);
        }
    }
}

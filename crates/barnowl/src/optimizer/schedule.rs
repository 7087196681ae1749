//! Learning-rate schedules.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::{OneCycle, require};
use crate::error::Result;

/// How the learning rate goes over a run: a pure function of the [`Place`] in it, so that a resumed run needs no state.
///
/// With base rate η₀, epoch e counted from 0, E epochs in all and w epochs of warm-up,
///
/// ```text
/// η(e) = η₀ · min(1, (e+1)/(w+1)) · d(e)
/// ```
///
/// where the [`Decay`] d(e) counts epochs from the start of the run, warm-up included. `linear` and `cosine` reach
/// their final value in epoch E, the first that is not trained, so that no epoch is spent at a rate of zero; PyTorch's
/// schedulers do the same. `one_cycle` alone goes by mini-batch.
///
/// ```toml
/// [schedule]
/// kind = "cosine"
/// warmup_epochs = 5
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ScheduleConfig {
    /// The decay; its keys stand beside `warmup_epochs`.
    #[serde(flatten)]
    pub decay: Decay,
    /// Epochs w of linear warm-up; epoch w is the first at the full rate. Default 0.
    /// Range: 0 to 1000000000 epochs.
    #[serde(default)]
    pub warmup_epochs: usize,
}

/// The place of a mini-batch in a run, everything counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The epoch.
    pub epoch: usize,
    /// Epochs of the run.
    pub epochs: usize,
    /// The mini-batch of the epoch.
    pub batch: usize,
    /// Mini-batches of an epoch.
    pub batches: usize,
}

impl Place {
    /// An epoch as a whole, for schedules that do not go by mini-batch.
    #[must_use]
    pub fn of_epoch(epoch: usize, epochs: usize) -> Self {
        Self { epoch, epochs, batch: 0, batches: 1 }
    }

    /// Mini-batches from the start of the run to the end of this one.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.epoch as f64 * self.batches as f64 + (self.batch + 1) as f64
    }
}

/// The factor d(e) on the base rate; `kind` in a file names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Decay {
    /// d(e) = 1
    Constant {},
    /// d(e) = `factor`^⌊e / `every`⌋
    Step {
        /// Epochs between two reductions.
        /// Range: 1 to 1000000000 epochs.
        every: usize,
        /// What the rate is multiplied with at each reduction.
        /// Range: more than 0, at most 1.
        factor: f64,
    },
    /// d(e) = `factor`^(number of `milestones` ≤ e)
    MultiStep {
        /// The epochs that begin with a reduction: at least one.
        /// Range: 1 to 1000000000, ascending.
        milestones: Vec<usize>,
        /// What the rate is multiplied with at each reduction.
        /// Range: more than 0, at most 1.
        factor: f64,
    },
    /// d(e) = 1 − (1 − `final_factor`) p, with p = min(1, e/E)
    Linear {
        /// The share of the base rate at the end. Default 0.
        /// Range: 0 to 1.
        #[serde(default)]
        final_factor: f64,
    },
    /// d(e) = `final_factor` + (1 − `final_factor`) (1 + cos πp)/2, with p = min(1, e/E)
    /// (Loshchilov & Hutter 2017, without restarts; arXiv 1608.03983).
    Cosine {
        /// The share of the base rate at the end. Default 0.
        /// Range: 0 to 1.
        #[serde(default)]
        final_factor: f64,
    },
    /// d(e) = `factor`^e
    Exponential {
        /// What the rate is multiplied with at each reduction.
        /// Range: more than 0, at most 1.
        factor: f64,
    },
    /// The rate rises and falls once, by mini-batch: of N in the whole run, counted from 1, from `start` at the first along half
    /// a cosine to the base rate at number `rise` N, and along another half to `end` at the last (Smith & Topin 2019, whose
    /// cycle is of straight lines; arXiv 1708.07120). Shape and defaults are those of PyTorch's `OneCycleLR`; momentum stays as
    /// it is.
    OneCycle(OneCycle),
}

impl Default for Decay {
    fn default() -> Self {
        Self::Constant {}
    }
}

impl ScheduleConfig {
    /// The learning rate of a mini-batch; `base` is the full rate.
    #[must_use]
    pub fn learning_rate(&self, base: f64, place: Place) -> f64 {
        let warmup = (place.epoch as f64 + 1.0) / (self.warmup_epochs as f64 + 1.0);
        base * warmup.min(1.0) * self.decay.factor(place)
    }

    /// Whether the learning rate of an epoch depends on how many epochs there are in all.
    #[must_use]
    pub fn depends_on_epochs(&self) -> bool {
        matches!(self.decay, Decay::Linear { .. } | Decay::Cosine { .. } | Decay::OneCycle(_))
    }

    /// Checks the range of every value; `section` is the name of the table in messages, such as `"schedule"`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::error::ErrorKind::Config), naming the key, its value and the allowed range.
    pub fn validate(&self, section: &str) -> Result<()> {
        let reduction = |factor: f64| {
            let allowed = factor > 0.0 && factor <= 1.0;
            require(allowed, section, "factor", factor, "a number in (0, 1]")
        };
        match &self.decay {
            Decay::Constant {} => Ok(()),
            Decay::Step { every, factor } => {
                require(*every >= 1, section, "every", every, "at least 1 epoch")?;
                reduction(*factor)
            }
            Decay::MultiStep { milestones, factor } => {
                let allowed = milestones.first().is_some_and(|&first| first >= 1)
                    && milestones.is_sorted_by(|a, b| a < b);
                let expected = "at least one epoch, ascending, from 1";
                require(allowed, section, "milestones", milestones, expected)?;
                reduction(*factor)
            }
            Decay::Linear { final_factor } | Decay::Cosine { final_factor } => {
                let allowed = (0.0..=1.0).contains(final_factor);
                require(allowed, section, "final_factor", final_factor, "a number in [0, 1]")
            }
            Decay::Exponential { factor } => reduction(*factor),
            Decay::OneCycle(cycle) => cycle.validate(section),
        }
    }
}

impl Decay {
    /// d(e), in [0, 1]; never increasing but for `one_cycle`.
    fn factor(&self, place: Place) -> f64 {
        let Place { epoch, epochs, batches, .. } = place;
        let progress = || (epoch as f64 / epochs.max(1) as f64).min(1.0);
        match self {
            Self::Constant {} => 1.0,
            Self::Step { every, factor } => factor.powf((epoch / every) as f64),
            Self::MultiStep { milestones, factor } => {
                let passed = milestones.iter().filter(|&&milestone| milestone <= epoch);
                factor.powf(passed.count() as f64)
            }
            Self::Linear { final_factor } => 1.0 - (1.0 - final_factor) * progress(),
            Self::Cosine { final_factor } => {
                final_factor + (1.0 - final_factor) * (1.0 + (PI * progress()).cos()) / 2.0
            }
            Self::Exponential { factor } => factor.powf(epoch as f64),
            Self::OneCycle(cycle) => cycle.factor(place.count(), epochs as f64 * batches as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> ScheduleConfig {
        let schedule: ScheduleConfig = toml::from_str(text).unwrap();
        schedule.validate("schedule").unwrap();
        schedule
    }

    fn rates(text: &str, epochs: usize) -> Vec<f64> {
        let schedule = parse(text);
        (0..=epochs).map(|e| schedule.learning_rate(8.0, Place::of_epoch(e, epochs))).collect()
    }

    fn assert_close(actual: &[f64], expected: &[f64]) {
        assert_eq!(actual.len(), expected.len());
        for (a, b) in actual.iter().zip(expected) {
            assert!((a - b).abs() <= 1e-12, "{actual:?} is not {expected:?}");
        }
    }

    #[test]
    fn each_kind_follows_its_equation() {
        assert_close(&rates("kind = 'constant'", 3), &[8.0; 4]);
        let step = rates("kind = 'step'\nevery = 2\nfactor = 0.5", 5);
        assert_close(&step, &[8.0, 8.0, 4.0, 4.0, 2.0, 2.0]);
        let multi_step = rates("kind = 'multi_step'\nmilestones = [1, 4]\nfactor = 0.5", 5);
        assert_close(&multi_step, &[8.0, 4.0, 4.0, 4.0, 2.0, 2.0]);
        assert_close(&rates("kind = 'linear'", 4), &[8.0, 6.0, 4.0, 2.0, 0.0]);
        let linear = rates("kind = 'linear'\nfinal_factor = 0.5", 4);
        assert_close(&linear, &[8.0, 7.0, 6.0, 5.0, 4.0]);
        assert_close(&rates("kind = 'cosine'", 3), &[8.0, 6.0, 2.0, 0.0]);
        let cosine = rates("kind = 'cosine'\nfinal_factor = 0.5", 2);
        assert_close(&cosine, &[8.0, 6.0, 4.0]);
        let exponential = rates("kind = 'exponential'\nfactor = 0.5", 3);
        assert_close(&exponential, &[8.0, 4.0, 2.0, 1.0]);
        let warmup = rates("kind = 'constant'\nwarmup_epochs = 3", 5);
        assert_close(&warmup, &[2.0, 4.0, 6.0, 8.0, 8.0, 8.0]);
    }

    #[test]
    fn one_cycle_alone_goes_by_batch() {
        let rates = |text: &str| -> Vec<f64> {
            let (epochs, batches, schedule) = (3, 2, parse(text));
            let place = |i| Place { epoch: i / batches, epochs, batch: i % batches, batches };
            (0..epochs * batches).map(|i| schedule.learning_rate(8.0, place(i))).collect()
        };
        let cycle = rates("kind = 'one_cycle'\nrise = 0.5\nstart = 0.5\nend = 0.0");
        assert_close(&cycle, &[4.0, 6.0, 8.0, 6.0, 2.0, 0.0]);
        let cosine = rates("kind = 'cosine'\nwarmup_epochs = 1");
        assert_close(&cosine, &[4.0, 4.0, 6.0, 6.0, 2.0, 2.0]);
        assert!(parse("kind = 'one_cycle'").depends_on_epochs());
    }

    #[test]
    fn a_schedule_survives_a_file() {
        for text in [
            "kind = 'constant'",
            "kind = 'step'\nevery = 2\nfactor = 0.5\nwarmup_epochs = 2",
            "kind = 'multi_step'\nmilestones = [1, 4]\nfactor = 1",
            "kind = 'cosine'\nfinal_factor = 1e-3",
            "kind = 'one_cycle'\nrise = 0.25\nwarmup_epochs = 2",
        ] {
            let schedule = parse(text);
            assert_eq!(parse(&toml::to_string(&schedule).unwrap()), schedule);
        }
    }

    #[test]
    fn unknown_and_missing_keys_are_refused_by_name() {
        for (text, name) in [
            ("kind = 'cosines'", "cosines"),
            ("kind = 'cosine'\nminimum = 0", "minimum"),
            ("kind = 'constant'\nfactor = 0.5", "factor"),
            ("kind = 'one_cycle'\nfinal_factor = 0.5", "final_factor"),
            ("kind = 'step'\nfactor = 0.5", "every"),
            ("warmup_epochs = 3", "kind"),
        ] {
            let error = toml::from_str::<ScheduleConfig>(text).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn values_out_of_range_are_refused_by_key() {
        for (text, key) in [
            ("kind = 'step'\nevery = 0\nfactor = 0.5", "schedule.every = 0;"),
            ("kind = 'step'\nevery = 1\nfactor = 1.5", "schedule.factor = 1.5;"),
            ("kind = 'exponential'\nfactor = 0", "schedule.factor = 0.0;"),
            ("kind = 'exponential'\nfactor = nan", "schedule.factor = NaN;"),
            ("kind = 'linear'\nfinal_factor = 2", "schedule.final_factor = 2.0;"),
            ("kind = 'cosine'\nfinal_factor = -1", "schedule.final_factor = -1.0;"),
            ("kind = 'one_cycle'\nrise = 1", "schedule.rise = 1.0;"),
            ("kind = 'one_cycle'\nstart = 0", "schedule.start = 0.0;"),
            ("kind = 'one_cycle'\nend = nan", "schedule.end = NaN;"),
            ("kind = 'multi_step'\nmilestones = []\nfactor = 1", "schedule.milestones = [];"),
            ("kind = 'multi_step'\nmilestones = [0]\nfactor = 1", "schedule.milestones = [0];"),
            (
                "kind = 'multi_step'\nmilestones = [2, 2]\nfactor = 1",
                "schedule.milestones = [2, 2];",
            ),
        ] {
            let schedule: ScheduleConfig = toml::from_str(text).unwrap();
            let error = schedule.validate("schedule").unwrap_err();
            assert_eq!(error.kind(), crate::error::ErrorKind::Config);
            assert!(error.to_string().starts_with(key), "{error}");
        }
    }

    fn decay() -> impl Strategy<Value = Decay> {
        let factor = || 1e-3..=1.0f64;
        let final_factor = || 0.0..=1.0f64;
        let milestones = prop::collection::btree_set(1..200usize, 1..6);
        prop_oneof![
            Just(Decay::Constant {}),
            (1..50usize, factor()).prop_map(|(every, factor)| Decay::Step { every, factor }),
            (milestones, factor()).prop_map(|(milestones, factor)| Decay::MultiStep {
                milestones: milestones.into_iter().collect(),
                factor
            }),
            final_factor().prop_map(|final_factor| Decay::Linear { final_factor }),
            final_factor().prop_map(|final_factor| Decay::Cosine { final_factor }),
            factor().prop_map(|factor| Decay::Exponential { factor }),
        ]
    }

    proptest! {
        #[test]
        fn the_rate_stays_between_zero_and_the_base_rate(
            decay in decay(), warmup_epochs in 0..40usize, base in 1e-6..10.0f64,
            epoch in 0..500usize, epochs in 0..300usize,
        ) {
            let schedule = ScheduleConfig { decay, warmup_epochs };
            schedule.validate("schedule").unwrap();
            let rate = schedule.learning_rate(base, Place::of_epoch(epoch, epochs));
            prop_assert!((0.0..=base).contains(&rate), "{rate}");
        }

        #[test]
        fn the_rate_never_rises_after_the_warm_up(
            decay in decay(), warmup_epochs in 0..40usize, epochs in 1..300usize,
        ) {
            let schedule = ScheduleConfig { decay, warmup_epochs };
            let rates: Vec<f64> = (warmup_epochs..epochs + 50)
                .map(|epoch| schedule.learning_rate(0.1, Place::of_epoch(epoch, epochs)))
                .collect();
            prop_assert!(rates.is_sorted_by(|a, b| a >= b), "{rates:?}");
        }

        #[test]
        fn linear_and_cosine_run_from_the_base_rate_to_the_final_one(
            final_factor in 0.0..=1.0f64, base in 1e-6..10.0f64, epochs in 1..1000usize,
        ) {
            for decay in [Decay::Linear { final_factor }, Decay::Cosine { final_factor }] {
                let schedule = ScheduleConfig { decay, warmup_epochs: 0 };
                let rate = |epoch| schedule.learning_rate(base, Place::of_epoch(epoch, epochs));
                prop_assert_eq!(rate(0), base);
                let last = rate(epochs);
                prop_assert!((last - base * final_factor).abs() <= 1e-15 * base);
                prop_assert_eq!(rate(epochs + 7), last);
            }
        }

        #[test]
        fn the_warm_up_rises_to_the_full_rate(warmup_epochs in 0..100usize, base in 1e-6..10.0f64) {
            let schedule = ScheduleConfig { decay: Decay::default(), warmup_epochs };
            let rates: Vec<f64> = (0..=warmup_epochs)
                .map(|epoch| schedule.learning_rate(base, Place::of_epoch(epoch, 1000)))
                .collect();
            prop_assert!(rates[0] > 0.0 && rates.is_sorted_by(|a, b| a < b));
            prop_assert_eq!(rates[warmup_epochs], base);
        }
    }
}

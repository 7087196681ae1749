//! Whether a recipe can be carried out.

use super::config::{Keep, TrainConfig};
use crate::dataset::Fold;
use crate::error::{Error, Result};
use serde::Serialize;

impl TrainConfig {
    /// Checks ranges; `key` names the recipe in messages.
    ///
    /// # Errors
    ///
    /// Names the key, its value and what is allowed.
    pub fn validate(&self, key: &str) -> Result<()> {
        fn refuse(key: &str, name: &str, value: impl Serialize, expected: &str) -> Result<()> {
            Err(Error::setting(format!("{key}.{name}"), value).expected(expected))
        }
        let positive = |value: f64| value > 0.0 && value.is_finite();
        if self.epochs == 0 {
            return refuse(key, "epochs", self.epochs, "1 or more");
        }
        if self.batch == 0 {
            return refuse(key, "batch", self.batch, "1 or more");
        }
        for (name, seed) in [("seed", self.seed), ("split_seed", self.split_seed)] {
            if i64::try_from(seed).is_err() {
                return refuse(key, name, seed, "at most 2⁶³ − 1");
            }
        }
        if !positive(self.learning_rate) {
            return refuse(key, "learning_rate", self.learning_rate, "a positive number");
        }
        let rates = [
            ("time_constant_rate", self.time_constant_rate),
            ("neuron_rate", self.neuron_rate),
            ("encoder_rate", self.encoder_rate),
        ];
        for (name, rate) in rates {
            if !(rate >= 0.0 && rate.is_finite()) {
                return refuse(key, name, rate, "0 or more");
            }
        }
        if !(self.validation > 0.0 && self.validation < 1.0) {
            return refuse(key, "validation", self.validation, "a share between 0 and 1");
        }
        if let Some(Fold { index, count }) = self.fold {
            if count < 2 {
                return refuse(key, "fold.count", count, "2 or more");
            }
            if !(1..=count).contains(&index) {
                return refuse(key, "fold.index", index, &format!("1 to {count}"));
            }
            if let Some(group) = &self.leave_out {
                return refuse(key, "leave_out", group, "none beside train.fold");
            }
        }
        if self.checkpoint_steps == Some(0) {
            return refuse(key, "checkpoint_steps", 0, "1 or more");
        }
        if self.truncation.is_some_and(|truncation| truncation.window == 0) {
            return refuse(key, "truncation.window", 0, "1 or more steps");
        }
        if self.patience == Some(0) {
            return refuse(key, "patience", 0, "1 or more");
        }
        if let Some(decay) = self.average.filter(|decay| !(*decay > 0.0 && *decay < 1.0)) {
            return refuse(key, "average", decay, "more than 0, less than 1");
        }
        if self.snapshots == Some(0) {
            return refuse(key, "snapshots", 0, "1 or more epochs");
        }
        if let (Some(patience), Keep::Last) = (self.patience, self.keep) {
            return refuse(key, "patience", patience, "none beside train.keep = \"last\"");
        }
        if self.divergence.is_nan() || self.divergence <= 1.0 {
            return refuse(key, "divergence", self.divergence, "more than 1");
        }
        if let Some(penalty) = self.rate_penalty {
            penalty.validate(&format!("{key}.rate_penalty"))?;
        }
        if let Some(penalty) = self.neuron_rate_penalty {
            penalty.validate(&format!("{key}.neuron_rate_penalty"))?;
        }
        self.weight_penalty.validate(&format!("{key}.weight_penalty"))?;
        if let Some(augmentation) = &self.augmentation {
            augmentation.validate(&format!("{key}.augmentation"))?;
        }
        self.loss.validate(&format!("{key}.loss"))?;
        if let Some(clipping) = &self.clipping {
            clipping.validate(&format!("{key}.clipping"))?;
        }
        self.optimizer.validate(&format!("{key}.optimizer"))?;
        self.decay.validate(&format!("{key}.decay"), &self.optimizer)?;
        self.validate_rate(key)
    }
}

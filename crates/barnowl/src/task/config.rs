//! What a task consists of.

use super::data::DatasetConfig;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::network::NetworkConfig;
use crate::recipe::TrainConfig;
use serde::{Deserialize, Serialize};

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskConfig {
    /// A short name, such as `ecg`.
    pub name: String,
    /// What the task is, in one line.
    pub summary: String,
    /// Makes the task a forecast: not classes are to be found, but at every step the values that the inputs have so many steps
    /// later. Needs `network.decode = { kind = "per_step", answer = "values" }`. Default: what the data set says is to be found.
    /// Range: 1 to 1000000000 steps, less than the shortest sequence has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<usize>,
    /// Where the data come from.
    pub dataset: DatasetConfig,
    /// The network.
    pub network: NetworkConfig,
    /// The training recipe.
    #[serde(default)]
    pub train: TrainConfig,
}

impl TaskConfig {
    /// Checks every range.
    ///
    /// # Errors
    ///
    /// Names the key, its value and what is allowed.
    pub fn validate(&self) -> Result<()> {
        self.network.validate("network")?;
        self.train.validate("train")?;
        if self.forecast == Some(0) {
            return Err(Error::setting("forecast", 0).expected("1 step or more"));
        }
        if let (Some(_), Some(change)) = (self.forecast, &self.train.augmentation)
            && (change.gain > 0.0 || change.channel_shift > 0)
        {
            return Err(Error::setting("train.augmentation", change).expected(
                "no gain and no channel_shift beside forecast: what is to be found would not change with the inputs",
            ));
        }
        self.dataset.validate()
    }

    /// The configuration as TOML text.
    ///
    /// # Errors
    ///
    /// If a value has no TOML form, such as an integer beyond 63 bits.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string_pretty(self)
            .map_err(|error| Error::config(format!("the configuration cannot be written: {error}")))
    }

    /// Steps per second, where the data have a scale of time.
    #[must_use]
    pub fn sampling_rate(&self) -> Option<f64> {
        self.dataset.sampling_rate()
    }

    /// Whether a data set fits the network.
    ///
    /// # Errors
    ///
    /// If channels, classes, steps or the kind of targets differ.
    pub fn check(&self, dataset: &Dataset) -> Result<()> {
        self.network.check(dataset)
    }
}

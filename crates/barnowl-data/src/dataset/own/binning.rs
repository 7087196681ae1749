//! How events become steps.

use super::unit::TimeUnit;
use barnowl_base::error::{Error, Result};
use barnowl_base::words::counted;
use barnowl_engine::events::Events;
use serde::{Deserialize, Serialize};

/// How events are put into steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Binning {
    /// The number of channels.
    /// Range: 1 to 32768 channels.
    pub channels: usize,
    /// The length of a step: in seconds if `unit` is given, else in the unit of the column `time`, whatever that is.
    /// Range: more than 0.
    pub step: f64,
    /// The unit of the column `time`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<TimeUnit>,
    /// When the first step begins. Default: at time zero.
    #[serde(default, skip_serializing_if = "Origin::is_default")]
    pub origin: Origin,
    /// What several events of one channel in one step are. Default: the last one.
    #[serde(default, skip_serializing_if = "Several::is_default")]
    pub several: Several,
}

/// When the first step of a recording begins.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// At time zero.
    #[default]
    Zero,
    /// At its first event.
    FirstEvent,
}

/// What several events of one channel in one step become.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Several {
    /// One event: the last in time.
    #[default]
    Last,
    /// One event of the sign that most of them have; none if there are as many of either.
    Sign,
    /// Their number as a real value, those of polarity 0 or −1 taken from the others.
    Count,
}

impl Origin {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Several {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Last => "the last one stands (several = \"last\")",
            Self::Sign => "the sign of most of them stands (several = \"sign\")",
            Self::Count => "they are counted (several = \"count\")",
        }
    }
}

impl Binning {
    /// Steps of this length, in the unit of the column `time`; all else by default.
    #[must_use]
    pub fn new(channels: usize, step: f64) -> Self {
        Self { channels, step, unit: None, origin: Origin::Zero, several: Several::Last }
    }

    /// The length of a step in the unit of the column `time`.
    pub(super) fn step_in_times(&self) -> f64 {
        self.step * self.unit.map_or(1.0, TimeUnit::per_second)
    }

    pub(super) fn counts_from_zero(&self) -> bool {
        self.origin == Origin::Zero
    }

    /// Steps a second, where a unit says it.
    pub(super) fn sampling_rate(&self) -> Option<f64> {
        self.unit.map(|_| 1.0 / self.step)
    }

    pub(super) fn validate(&self) -> Result<()> {
        let possible = (1..=Events::MOST_CHANNELS).contains(&self.channels);
        let step = self.step_in_times();
        if possible && self.step > 0.0 && step.is_finite() && step > 0.0 {
            return Ok(());
        }
        let found = format!("{}, step {}", counted(self.channels, "channel"), self.step);
        Err(Error::config(format!("dataset.form.events: {found}"))
            .expected(format!("1 to {} channels, and a positive step", Events::MOST_CHANNELS)))
    }
}

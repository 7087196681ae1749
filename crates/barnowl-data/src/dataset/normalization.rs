//! How values are brought to one scale.

use serde::{Deserialize, Serialize};

/// How the channels of real-valued data are brought to one scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normalize {
    /// By mean and standard deviation.
    Standardize,
    /// By median and interquartile range: a few wild values change nothing.
    Robust,
    /// Not at all.
    None,
}

/// What the values of each channel became: (x − center) / scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalization {
    /// How it was found.
    pub kind: Normalize,
    /// What is taken away, a number a channel.
    pub center: Vec<f32>,
    /// What is divided by after that, a number a channel; 1 of a channel that never changes.
    pub scale: Vec<f32>,
}

impl Normalization {
    /// The value in its own unit that became `x`, in this place.
    #[must_use]
    pub fn undo(&self, place: usize, x: f32) -> f32 {
        x * self.scale[place] + self.center[place]
    }
}

//! How one run of a study ended.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How a run of a study ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Trained, and tested once.
    Finished,
    /// No number came out; it has no accuracy.
    Diverged,
    /// Below the median of the others; not tested.
    Stopped,
}

/// One run of a study.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunRecord {
    pub variant: String,
    pub seed: u64,
    /// The folder of the run, relative to that of the study.
    pub folder: PathBuf,
    pub end: End,
    pub epochs: usize,
    pub best_epoch: Option<u64>,
    pub valid_accuracy: Option<f64>,
    pub test_accuracy: Option<f64>,
    /// Spikes per hidden neuron and step, on the test data.
    pub spike_rate: Option<f64>,
    pub seconds: Option<f64>,
    /// Weights, biases and time constants of the network.
    #[serde(default)]
    pub parameters: Option<usize>,
    /// Why it ended early.
    pub note: Option<String>,
}

impl RunRecord {
    /// A run of which no more is known.
    pub fn new(end: End, seed: u64) -> Self {
        Self {
            variant: String::new(),
            seed,
            folder: PathBuf::new(),
            end,
            epochs: 0,
            best_epoch: None,
            valid_accuracy: None,
            test_accuracy: None,
            spike_rate: None,
            seconds: None,
            parameters: None,
            note: None,
        }
    }
}

//! How one run of a study ended.

use barnowl::metric::ScoreKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
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
    /// What the scores are.
    #[serde(default)]
    pub judged_by: ScoreKind,
    #[serde(rename = "valid_accuracy", alias = "valid_r2")]
    pub valid_score: Option<f64>,
    #[serde(rename = "test_accuracy", alias = "test_r2")]
    pub test_score: Option<f64>,
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
            judged_by: ScoreKind::Accuracy,
            valid_score: None,
            test_score: None,
            spike_rate: None,
            seconds: None,
            parameters: None,
            note: None,
        }
    }
}

/// What is written of runs, with scores under their own names.
pub fn named(value: Value, kind: ScoreKind) -> Value {
    if kind == ScoreKind::Accuracy {
        return value;
    }
    match value {
        Value::Object(map) => {
            let entry = |(key, value): (String, Value)| {
                let key = match key.as_str() {
                    "valid_accuracy" | "test_accuracy" => {
                        key.replace(ScoreKind::Accuracy.key(), kind.key())
                    }
                    _ => key,
                };
                (key, named(value, kind))
            };
            Value::Object(map.into_iter().map(entry).collect())
        }
        Value::Array(all) => {
            Value::Array(all.into_iter().map(|value| named(value, kind)).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_stand_under_their_names_and_are_read_again() {
        for judged_by in [ScoreKind::Accuracy, ScoreKind::R2] {
            let record = RunRecord {
                judged_by,
                valid_score: Some(-0.5),
                ..RunRecord::new(End::Finished, 3)
            };
            let value = named(serde_json::to_value(&record).unwrap(), judged_by);
            assert_eq!(value[format!("valid_{}", judged_by.key())], -0.5);
            assert_eq!(value.get("valid_accuracy").is_some(), judged_by == ScoreKind::Accuracy);
            let again: RunRecord = serde_json::from_value(value).unwrap();
            assert_eq!((again.valid_score, again.judged_by), (Some(-0.5), judged_by));
        }
    }
}

//! What is told of an epoch: a line of `metrics.jsonl`.

use crate::metric::ScoreKind;
use serde::{Deserialize, Serialize};

/// What an observer hears after every epoch, and a line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Line", into = "Line")]
pub struct EpochReport {
    /// The epoch, from 1.
    pub epoch: usize,
    /// What the scores are.
    pub judged_by: ScoreKind,
    /// Mean training loss of a sequence: of an answer per step, the sum over its steps.
    pub train_loss: f64,
    /// The mean over steps that count, of an answer per step.
    pub train_loss_per_step: Option<f64>,
    /// Training [score](super::Evaluation::score), while the weights changed.
    pub train_score: f64,
    /// Validation loss of a sequence.
    pub valid_loss: f64,
    /// The mean over steps that count, of an answer per step.
    pub valid_loss_per_step: Option<f64>,
    /// Validation [score](super::Evaluation::score).
    pub valid_score: f64,
    /// Spikes per hidden neuron and step, on the validation data.
    pub spike_rate: f64,
    /// The same for each hidden layer.
    pub layer_spike_rates: Vec<f64>,
    /// The learning rate of the last mini-batch.
    pub learning_rate: f64,
    /// Whether this epoch is kept: the best so far, or the last.
    pub best: bool,
}

/// The same as it is written: a score under its own name.
#[derive(Serialize, Deserialize)]
struct Line {
    epoch: usize,
    train_loss: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    train_loss_per_step: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    train_accuracy: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    train_r2: Option<f64>,
    valid_loss: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_loss_per_step: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_accuracy: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_r2: Option<f64>,
    spike_rate: f64,
    layer_spike_rates: Vec<f64>,
    learning_rate: f64,
    best: bool,
}

impl From<EpochReport> for Line {
    fn from(report: EpochReport) -> Self {
        let of = |kind: ScoreKind, score: f64| (report.judged_by == kind).then_some(score);
        Self {
            epoch: report.epoch,
            train_loss: report.train_loss,
            train_loss_per_step: report.train_loss_per_step,
            train_accuracy: of(ScoreKind::Accuracy, report.train_score),
            train_r2: of(ScoreKind::R2, report.train_score),
            valid_loss: report.valid_loss,
            valid_loss_per_step: report.valid_loss_per_step,
            valid_accuracy: of(ScoreKind::Accuracy, report.valid_score),
            valid_r2: of(ScoreKind::R2, report.valid_score),
            spike_rate: report.spike_rate,
            layer_spike_rates: report.layer_spike_rates,
            learning_rate: report.learning_rate,
            best: report.best,
        }
    }
}

impl From<Line> for EpochReport {
    fn from(line: Line) -> Self {
        // A score that is not a number is written as none.
        let (judged_by, train, valid) = match line.valid_accuracy.or(line.train_accuracy) {
            Some(_) => (ScoreKind::Accuracy, line.train_accuracy, line.valid_accuracy),
            None => (ScoreKind::R2, line.train_r2, line.valid_r2),
        };
        Self {
            epoch: line.epoch,
            judged_by,
            train_loss: line.train_loss,
            train_loss_per_step: line.train_loss_per_step,
            train_score: train.unwrap_or(f64::NAN),
            valid_loss: line.valid_loss,
            valid_loss_per_step: line.valid_loss_per_step,
            valid_score: valid.unwrap_or(f64::NAN),
            spike_rate: line.spike_rate,
            layer_spike_rates: line.layer_spike_rates,
            learning_rate: line.learning_rate,
            best: line.best,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_score_under_its_name_and_is_read_again() {
        for judged_by in [ScoreKind::Accuracy, ScoreKind::R2] {
            let report = EpochReport {
                epoch: 3,
                judged_by,
                train_loss: 1.5,
                train_loss_per_step: Some(0.5),
                train_score: 0.25,
                valid_loss: 2.0,
                valid_loss_per_step: None,
                valid_score: -0.75,
                spike_rate: 0.1,
                layer_spike_rates: vec![0.1],
                learning_rate: 0.01,
                best: true,
            };
            let line = serde_json::to_string(&report).unwrap();
            let key = format!("\"valid_{}\":-0.75", judged_by.key());
            assert!(line.contains(&key), "{line}");
            assert_eq!(line.contains("accuracy"), judged_by == ScoreKind::Accuracy);
            assert_eq!(serde_json::from_str::<EpochReport>(&line).unwrap(), report);
            let none = EpochReport { train_score: f64::NAN, valid_score: f64::NAN, ..report };
            let line = serde_json::to_string(&none).unwrap();
            let again = serde_json::from_str::<EpochReport>(&line).unwrap();
            assert!(again.valid_score.is_nan());
            if judged_by == ScoreKind::R2 {
                assert_eq!(again.judged_by, judged_by, "of R² that is not defined: {line}");
            }
        }
    }
}

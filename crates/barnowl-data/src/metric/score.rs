//! What answers are judged by.

use serde::{Deserialize, Serialize};

/// The figure by which epochs and settings are chosen; the more, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreKind {
    /// The share of right answers.
    #[default]
    Accuracy,
    /// Of numbers, 1 − Σ (ŷ − y)² / Σ (y − mean)²: [`Regression::r2`](super::Regression::r2).
    R2,
}

impl ScoreKind {
    /// What it is called in text.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::R2 => "R²",
        }
    }

    /// What it is called in files.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::R2 => "r2",
        }
    }
}

//! Metrics: confusion between classes, errors of numbers, and how well the boundaries of labelled segments are found; how far to trust
//! an accuracy, and its spread over runs.

pub mod boundary;
mod confusion;
mod interval;
mod prediction;
mod regression;
mod score;
mod spread;
mod votes;

pub use confusion::{ClassScore, ConfusionMatrix};
pub use interval::accuracy_interval;
pub use prediction::Prediction;
pub use regression::{Regression, RegressionSums, ValueScore};
pub use score::ScoreKind;
pub use spread::Spread;
pub use votes::Votes;

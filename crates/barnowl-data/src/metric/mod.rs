//! Metrics: confusion between classes, and how well the boundaries of labelled segments are found; how far to trust
//! an accuracy, and its spread over runs.

pub mod boundary;
mod confusion;
mod interval;
mod prediction;
mod spread;
mod votes;

pub use confusion::{ClassScore, ConfusionMatrix};
pub use interval::accuracy_interval;
pub use prediction::Prediction;
pub use spread::Spread;
pub use votes::Votes;

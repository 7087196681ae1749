//! Metrics: confusion between classes, and how well the boundaries of labelled segments are found; how far to trust
//! an accuracy.

pub mod boundary;
mod confusion;
mod interval;

pub use confusion::{ClassScore, ConfusionMatrix};
pub use interval::accuracy_interval;

//! Metrics: confusion between classes, and how well the boundaries of labelled segments are found.

pub mod boundary;
mod confusion;

pub use confusion::{ClassScore, ConfusionMatrix};

//! Spike encoders: from real-valued signals to events. One file each; they work on plain slices.

pub mod level_crossing;
mod trained_threshold;

pub use level_crossing::LevelCrossing;
pub(crate) use trained_threshold::LEAST_THRESHOLD;
pub use trained_threshold::{EncoderConfig, TrainedThreshold};

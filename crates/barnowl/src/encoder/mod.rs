//! Spike encoders: from real-valued signals to events. One file each; they work on plain slices.

pub mod level_crossing;

pub use level_crossing::LevelCrossing;

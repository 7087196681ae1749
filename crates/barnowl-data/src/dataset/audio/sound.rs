//! What a sound file holds.

/// A recording of one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound {
    /// Samples a second.
    pub rate: u32,
    /// From −1 to 1.
    pub samples: Vec<f32>,
}

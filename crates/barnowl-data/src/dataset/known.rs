//! What a model knows of its data.

use super::details::Ends;

/// What a model knows of its data. Other data are read to match: in the order of its classes and channels, where a source has
/// names for them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// The names of the classes; none where nothing is known.
    pub classes: &'a [String],
    /// Whether a number stands for one of them by its place.
    pub classes_are_listed: bool,
    /// The names of the channels; none where nothing is known.
    pub channels: &'a [String],
    /// The number of channels.
    pub width: Option<usize>,
    /// Steps of the longest training sequence.
    pub steps: Option<usize>,
    /// Samples a second of the sounds, where it was sounds.
    pub sound_rate: Option<u32>,
    /// Whether events had a polarity, where it was events.
    pub polarity: Option<bool>,
    /// How the sequences ended, where that is known.
    pub ends: Option<Ends>,
}

//! The answers of a network.

/// What a network has found in a data set, sequence by sequence: every step, or once a sequence.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prediction {
    /// The classes, `[N, T]` or `[N]`; none where numbers are found. After the end of a sequence there is no answer, but
    /// [`UNLABELLED`](crate::dataset::UNLABELLED).
    pub classes: Vec<u16>,
    /// The numbers, `[N, T, K]` or `[N, K]`, on the scale of the data set's targets; none where classes are found. NaN after the end of a
    /// sequence.
    pub values: Vec<f32>,
    /// T, or 1 where there is one answer a sequence.
    pub steps: usize,
}

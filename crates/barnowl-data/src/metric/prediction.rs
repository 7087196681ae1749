//! The answers of a network.

/// The predicted classes of a data set, sequence by sequence: every step, or one a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prediction {
    /// The classes, `[N, T]` or `[N]`. After the end of a sequence there is no answer, but [`UNLABELLED`](crate::dataset::UNLABELLED).
    pub classes: Vec<u16>,
    /// T, or 1 where there is one class a sequence.
    pub steps: usize,
}

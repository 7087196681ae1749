//! What a tile works on.

use super::decoder::Reader;
use super::stage::{Plan, Stage};
use crate::dataset::Dataset;
use barnowl_neuron::Surrogate;

/// A few sequences to be run.
pub(super) struct Job<'a> {
    pub(super) plan: &'a Plan,
    pub(super) data: &'a Dataset,
    /// What the inputs of each channel are multiplied by, if by anything.
    pub(super) factors: Option<&'a [f32]>,
    /// The sequences of the tile.
    pub(super) indices: &'a [usize],
    pub(super) reader: Reader<'a>,
    pub(super) surrogate: Surrogate,
    /// The membrane potentials before the first step, `[B, neurons]` for every layer that does not start at zero.
    pub(super) initial: &'a [Option<Vec<f32>>],
    /// Steps of a segment, a multiple of [`CHUNK`](barnowl_engine::CHUNK).
    pub(super) segment: usize,
    /// Steps after each of which the gradient of the state ends.
    pub(super) cut: usize,
    /// The threshold that turns real-valued inputs into spikes.
    pub(super) threshold: Option<f32>,
    /// ∂L/∂s of every spike of a neuron, by layer, of what counts these.
    pub(super) counted: Option<&'a [Vec<f32>]>,
    /// Whether the spikes of every neuron are to be counted.
    pub(super) counts: bool,
    /// Whether the tile is to run back.
    pub(super) train: bool,
}

impl Job<'_> {
    /// The row of the data set that a stage reads at its step `k`; none after the end of the batch row.
    pub(super) fn data_row(&self, stage: &Stage, k: usize, row: usize) -> Option<usize> {
        let step = stage.place(k, self.reader.length(row))? / stage.repeat;
        Some(self.indices[row] * self.data.steps() + step)
    }

    /// The real-valued inputs of a row of the data set.
    pub(super) fn read(&self, row: usize, to: &mut [f32]) {
        self.data.read(row, to);
        if let Some(factors) = self.factors {
            to.iter_mut().zip(factors).for_each(|(x, factor)| *x *= factor);
        }
    }
}

//! A weight matrix in the layouts that the kernels want.

use super::floats::Floats;
use super::product::Panels;
use super::simd::{LANES, padded};

/// Weights `[inputs, outputs]`: rows to gather, and panels of the transpose for the gradient that flows back.
#[derive(Debug, Default)]
pub struct Weights {
    /// `[inputs, width]`, a row per presynaptic neuron; the columns in groups of `group` blocks, one after the other.
    pub rows: Floats,
    /// Blocks of columns in a group.
    pub group: usize,
    /// The rows as panels, for real-valued inputs; empty otherwise.
    pub panels: Panels,
    /// `[outputs, inputs]`; empty where nothing flows back.
    pub transposed: Panels,
}

/// Which products a matrix takes part in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// Inputs are the neurons' own spikes a step before, so that all columns are wanted before the next entry.
    pub recurrent: bool,
    /// Inputs are real numbers.
    pub dense: bool,
    /// A gradient flows back to the inputs.
    pub backward: bool,
}

/// Blocks that the nearest cache holds, 32 KiB.
const NEAREST: usize = 512;

/// Blocks of columns in a group: as many as fit the nearest cache for all inputs, so that a group serves all entries of
/// a chunk before the next one is fetched. At least four, or the sums would wait for each other. All, where there are so
/// many inputs that an entry names few of them: no row would be met twice anyway.
fn group(inputs: usize, blocks: usize) -> usize {
    match NEAREST / inputs {
        0 => blocks,
        fit => if fit < 8 { 4 } else { 8 }.min(blocks),
    }
}

impl Weights {
    /// Takes over `values`, row-major `[inputs, outputs]`.
    pub fn set(&mut self, values: &[f32], outputs: usize, uses: Use) {
        let width = padded(outputs);
        let inputs = values.len() / outputs;
        let blocks = width / LANES;
        self.group = if uses.recurrent { blocks } else { group(inputs, blocks) };
        self.rows.resize(inputs * width);
        for (first, size) in groups(blocks, self.group) {
            let rows = &mut self.rows[first * LANES * inputs..(first + size) * LANES * inputs];
            let valid = first * LANES..outputs.min((first + size) * LANES);
            let from = values.chunks_exact(outputs);
            for (row, values) in rows.chunks_exact_mut(size * LANES).zip(from) {
                let (to, padding) = row.split_at_mut(valid.len());
                to.copy_from_slice(&values[valid.clone()]);
                padding.fill(0.0);
            }
        }
        if uses.dense {
            self.panels.set(values, inputs, outputs);
        }
        if uses.backward {
            self.transposed.set_transposed(values, inputs, outputs);
        }
    }
}

/// First block and number of blocks of every group.
pub fn groups(blocks: usize, group: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..blocks).step_by(group.max(1)).map(move |first| (first, group.min(blocks - first)))
}

//! A weight matrix in the layouts that the kernels want.

use super::floats::Floats;
use super::product::Panels;
use super::simd::padded;

/// Weights `[inputs, outputs]`: rows to gather, and panels of the transpose for the gradient that flows back.
#[derive(Debug, Default)]
pub(crate) struct Weights {
    /// `[inputs, width]`, a row per presynaptic neuron.
    pub(crate) rows: Floats,
    /// The rows as panels, for real-valued inputs; empty otherwise.
    pub(crate) panels: Panels,
    /// `[outputs, inputs]`; empty where nothing flows back.
    pub(crate) transposed: Panels,
}

/// Which products a matrix takes part in, besides gathers of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Use {
    /// Inputs are real numbers.
    pub(crate) dense: bool,
    /// A gradient flows back to the inputs.
    pub(crate) backward: bool,
}

impl Weights {
    /// Takes over `values`, row-major `[inputs, outputs]`.
    pub(crate) fn set(&mut self, values: &[f32], outputs: usize, uses: Use) {
        let width = padded(outputs);
        let inputs = values.len() / outputs;
        self.rows.resize(inputs * width);
        for (row, values) in self.rows.chunks_exact_mut(width).zip(values.chunks_exact(outputs)) {
            row[..outputs].copy_from_slice(values);
        }
        if uses.dense {
            self.panels.set(&self.rows, inputs, width);
        }
        if uses.backward {
            self.transposed.set_transposed(&self.rows, inputs, outputs, width);
        }
    }
}

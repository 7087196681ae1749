//! Recurrent cells that pass on real numbers instead of spikes: one step of a few rows.
//!
//! Every unit reaches every other at every step, so there is nothing to leave out: a step is one dense product for the
//! whole tile, `inner = U h + b`, and then the cell of [`mod@super::gated`] or [`mod@super::rectified`], element by element.
//! A *plane* is one number per unit, `[width]`; a row holds its planes one after the other.

use super::simd::{Isa, Lanes, blocks, blocks_mut, dispatch};

/// A cell: what it computes from `outer = W x` and `inner = U h_{t−1} + b`, and the gradient of that.
pub trait DenseCell: Sync {
    /// Planes of `outer` and of `inner`.
    const GATES: usize;
    /// Planes that a step leaves to the next one and to the backward pass, besides h.
    const KEPT: usize;
    /// Planes of gradient that a step hands to the one before it, besides that of h.
    const CARRY: usize;
    /// Planes of gradients of the cell's own parameters.
    const SUMS: usize;
    /// Whether `inner` has a gradient of its own; else it is that of `outer`.
    const DISTINCT: bool;

    /// A row, forward.
    fn forward<I: Isa>(&self, isa: I, row: ForwardStep<'_, Lanes>);
    /// A row, backward.
    fn backward<I: Isa>(&self, isa: I, row: BackwardStep<'_, Lanes>);
}

/// What a forward step reads and writes: of a tile as numbers, of a row as blocks.
pub struct ForwardStep<'a, T> {
    /// W x, GATES planes a row.
    pub outer: &'a [T],
    /// U h_{t−1} + b, GATES planes a row.
    pub inner: &'a [T],
    /// What the step before kept, KEPT planes a row.
    pub kept_before: &'a [T],
    /// h_{t−1}, a plane a row.
    pub h_before: &'a [T],
    /// What this step keeps.
    pub kept: &'a mut [T],
    /// h_t.
    pub h: &'a mut [T],
}

/// What a backward step reads and writes: of a tile as numbers, of a row as blocks.
pub struct BackwardStep<'a, T> {
    /// As in [`ForwardStep`].
    pub kept_before: &'a [T],
    /// As in [`ForwardStep`].
    pub h_before: &'a [T],
    /// As in [`ForwardStep`].
    pub kept: &'a [T],
    /// As in [`ForwardStep`].
    pub h: &'a [T],
    /// In: ∂L/∂h_t. Out: what of it reaches h_{t−1} other than through `inner`.
    pub dh: &'a mut [T],
    /// In: from the step after. Out: for the step before. CARRY planes a row.
    pub carry: &'a mut [T],
    /// ∂L/∂outer, GATES planes a row.
    pub outer: &'a mut [T],
    /// ∂L/∂inner, the same; empty unless [`DenseCell::DISTINCT`].
    pub inner: &'a mut [T],
    /// Gradients of the cell's parameters, added up over rows: SUMS planes.
    pub sums: &'a mut [T],
    /// The gradient of b, added up over rows: GATES planes.
    pub bias: &'a mut [T],
}

dispatch! {
    /// Runs the rows of a step.
    pub fn forward[C: DenseCell](cell: &C, rows: usize, step: ForwardStep<'_, f32>) = forward_kernel
}

#[inline(always)]
fn forward_kernel<I: Isa, C: DenseCell>(isa: I, cell: &C, rows: usize, step: ForwardStep<'_, f32>) {
    let (outer, inner) = (blocks(step.outer), blocks(step.inner));
    let (kept_before, h_before) = (blocks(step.kept_before), blocks(step.h_before));
    let (kept, h) = (blocks_mut(step.kept), blocks_mut(step.h));
    let plane = h.len() / rows;
    for row in 0..rows {
        let at = |planes: usize| row * planes * plane..(row + 1) * planes * plane;
        cell.forward(
            isa,
            ForwardStep {
                outer: &outer[at(C::GATES)],
                inner: &inner[at(C::GATES)],
                kept_before: &kept_before[at(C::KEPT)],
                h_before: &h_before[at(1)],
                kept: &mut kept[at(C::KEPT)],
                h: &mut h[at(1)],
            },
        );
    }
}

dispatch! {
    /// Runs the rows of a step backward.
    pub fn backward[C: DenseCell](cell: &C, rows: usize, step: BackwardStep<'_, f32>) = backward_kernel
}

#[inline(always)]
fn backward_kernel<I: Isa, C: DenseCell>(
    isa: I,
    cell: &C,
    rows: usize,
    step: BackwardStep<'_, f32>,
) {
    let (kept_before, h_before) = (blocks(step.kept_before), blocks(step.h_before));
    let (kept, h) = (blocks(step.kept), blocks(step.h));
    let (dh, carry) = (blocks_mut(step.dh), blocks_mut(step.carry));
    let (outer, inner) = (blocks_mut(step.outer), blocks_mut(step.inner));
    let (sums, bias) = (blocks_mut(step.sums), blocks_mut(step.bias));
    let plane = h.len() / rows;
    for row in 0..rows {
        let at = |planes: usize| row * planes * plane..(row + 1) * planes * plane;
        let inner = if C::DISTINCT { &mut inner[at(C::GATES)] } else { &mut [] };
        let outer = &mut outer[at(C::GATES)];
        cell.backward(
            isa,
            BackwardStep {
                kept_before: &kept_before[at(C::KEPT)],
                h_before: &h_before[at(1)],
                kept: &kept[at(C::KEPT)],
                h: &h[at(1)],
                dh: &mut dh[at(1)],
                carry: &mut carry[at(C::CARRY)],
                outer: &mut *outer,
                inner: &mut *inner,
                sums: &mut *sums,
                bias: &mut [],
            },
        );
        let inner = if C::DISTINCT { inner } else { outer };
        for (sum, g) in bias.iter_mut().zip(&*inner) {
            isa.store(isa.add(isa.load(sum), isa.load(g)), sum);
        }
    }
}

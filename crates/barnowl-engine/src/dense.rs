//! Recurrent cells that pass on real numbers instead of spikes.
//!
//! Every unit reaches every other at every step, so there is nothing to leave out: a step is one dense product for the
//! whole tile, `inner = U h + b`, and then the cell of [`mod@super::gated`] or [`mod@super::rectified`], element by element.
//! A *plane* is one number per unit, `[width]`; a row holds its planes one after the other.

use super::floats::Floats;
use super::neurons::{Backward, Carry, Forward, Neurons, Output, Shape, Sums};
use super::product::add_product;
use super::simd::{Isa, Lanes, blocks, blocks_mut, dispatch, padded};
use super::weights::Weights;
use barnowl_neuron::Surrogate;

/// A cell: what it computes from `outer = W x` and `inner = U h_{t−1} + b`, and the gradient of that.
pub trait DenseCell: std::fmt::Debug + Send + Sync {
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

    /// Sets the cell's own parameters, if it has any.
    fn set(&mut self, _parameters: &[Vec<f32>]) {}

    /// Their gradients, from their sums.
    fn parameter_gradients(&self, _sums: &[f64], _parameters: &[Vec<f32>]) -> Vec<Vec<f64>> {
        Vec::new()
    }

    /// Sets what a row has kept before the first step.
    fn rest(&self, kept: &mut [f32]) {
        kept.fill(0.0);
    }

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

/// A layer of such cells.
///
/// Where what comes from the units themselves [is apart](DenseCell::DISTINCT), its bias b is a parameter that is
/// [set](Neurons::set) after the cell's own, `[GATES · H]`; else it is added to the input current.
#[derive(Debug)]
pub struct Dense<C> {
    cell: C,
    neurons: usize,
    width: usize,
    /// b, GATES planes.
    bias: Floats,
}

impl<C: DenseCell> Dense<C> {
    /// A layer of so many units.
    pub fn new(cell: C, neurons: usize) -> Self {
        let width = padded(neurons);
        Self { cell, neurons, width, bias: Floats::zeros(C::GATES * width) }
    }
}

impl<C: DenseCell> Neurons for Dense<C> {
    fn shape(&self) -> Shape {
        Shape {
            neurons: self.neurons,
            width: self.width,
            gates: C::GATES,
            traced: C::KEPT,
            driven_in_place: false,
            states: 0,
            carried: C::CARRY,
            constants: C::SUMS,
            output: Output::Numbers,
            trace_is_state: true,
            recurrent_apart: C::DISTINCT,
        }
    }

    fn set(&mut self, parameters: &[Vec<f32>], _: f32) {
        self.cell.set(parameters);
        if let (true, Some(bias)) = (C::DISTINCT, parameters.last()) {
            let planes = self.bias.chunks_exact_mut(self.width);
            for (plane, bias) in planes.zip(bias.chunks_exact(self.neurons)) {
                plane[..self.neurons].copy_from_slice(bias);
            }
        }
    }

    fn parameter_gradients(&self, sums: &Sums, parameters: &[Vec<f32>], _: f32) -> Vec<Vec<f64>> {
        self.cell.parameter_gradients(&sums.constants, parameters)
    }

    fn rest(&self, trace: &mut [f32], _: &mut [f32]) {
        if C::KEPT > 0 {
            trace.chunks_exact_mut(C::KEPT * self.width).for_each(|kept| self.cell.rest(kept));
        }
    }

    fn forward(&self, recurrent: Option<&Weights>, chunk: Forward<'_>) {
        let Forward { rows, steps, trace, current, numbers, scratch, .. } = chunk;
        let (plane, wide) = (rows * self.width, rows * C::GATES * self.width);
        let keeps = C::KEPT * plane;
        scratch.resize(wide);
        for k in 0..steps {
            let (h_before, h) = numbers[k * plane..(k + 2) * plane].split_at_mut(plane);
            let (kept_before, kept) = trace[k * keeps..(k + 2) * keeps].split_at_mut(keeps);
            scratch
                .chunks_exact_mut(self.bias.len())
                .for_each(|row| row.copy_from_slice(&self.bias));
            if let Some(weights) = recurrent {
                add_product(h_before, self.width, &weights.panels, scratch, self.bias.len());
            }
            let (outer, inner) = (&current[k * wide..(k + 1) * wide], &scratch[..]);
            forward(&self.cell, rows, ForwardStep { outer, inner, kept_before, h_before, kept, h });
        }
    }

    fn backward(&self, recurrent: Option<&Weights>, _: Surrogate, chunk: Backward<'_>) {
        let Backward { rows, steps, trace, numbers, current_gradient, recurrent_gradient, .. } =
            chunk;
        let Carry { s: dh, state: carry } = chunk.carry;
        let (plane, wide) = (rows * self.width, rows * C::GATES * self.width);
        let keeps = C::KEPT * plane;
        let (sizes, scratch) = ([C::SUMS * self.width, self.bias.len()], chunk.scratch);
        scratch.refill(sizes[0] + sizes[1], 0.0);
        let (sums, bias) = scratch.split_at_mut(sizes[0]);
        for k in (0..steps).rev() {
            if let Some(given) = chunk.spikes_gradient {
                let given = &given[k * plane..(k + 1) * plane];
                dh.iter_mut().zip(given).for_each(|(dh, given)| *dh += given);
            }
            let now = k * wide..(k + 1) * wide;
            let step = BackwardStep {
                kept_before: &trace[k * keeps..(k + 1) * keeps],
                h_before: &numbers[k * plane..(k + 1) * plane],
                kept: &trace[(k + 1) * keeps..(k + 2) * keeps],
                h: &numbers[(k + 1) * plane..(k + 2) * plane],
                dh: &mut *dh,
                carry: &mut *carry,
                outer: &mut current_gradient[now.clone()],
                inner: if C::DISTINCT { &mut recurrent_gradient[now.clone()] } else { &mut [] },
                sums: &mut *sums,
                bias: &mut *bias,
            };
            backward(&self.cell, rows, step);
            if let Some(weights) = recurrent {
                let inner = if C::DISTINCT { &*recurrent_gradient } else { &*current_gradient };
                let inner = &inner[now];
                add_product(inner, self.bias.len(), &weights.transposed, dh, self.width);
            }
        }
        let add = |sums: &mut [f64], parts: &[f32]| {
            sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += f64::from(*part));
        };
        add(&mut chunk.sums.constants, sums);
        if C::DISTINCT {
            add(&mut chunk.sums.recurrent_bias, bias);
            bias.fill(0.0);
            for row in current_gradient[..steps * wide].chunks_exact(bias.len()) {
                bias.iter_mut().zip(row).for_each(|(sum, g)| *sum += g);
            }
        }
        add(&mut chunk.sums.bias, bias);
    }
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

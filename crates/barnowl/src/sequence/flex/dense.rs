//! A layer of cells that pass on real numbers, over all of time: batch tiles in parallel, forward and backward.
//!
//! Unlike the spiking layer, the forward pass keeps what every step leaves (a few numbers a unit and step) and the
//! backward pass reads it: to run the dense products again would cost a third of the whole.

use super::buffer::TileRows;
use super::tile::{Tiles, pad, unpad};
use barnowl_engine::CHUNK;
use barnowl_engine::dense::{BackwardStep, DenseCell, ForwardStep, backward, forward};
use barnowl_engine::floats::Floats;
use barnowl_engine::product::{Panels, add_outer, add_product};
use barnowl_engine::simd::padded;
use rayon::prelude::*;

/// A layer's cell and its recurrent parameters, rows padded to whole blocks.
pub(super) struct DenseLayer<C> {
    cell: C,
    neurons: usize,
    width: usize,
    /// U, and its transpose for the way back.
    recurrent: Option<[Panels; 2]>,
    /// b, GATES planes.
    bias: Floats,
}

/// What a forward pass returns. *State* is h and the kept planes of a row, `[B, 1 + KEPT, width]`.
pub(super) struct DenseForward {
    /// h, `[T, B, H]`.
    pub(super) output: Vec<f32>,
    /// By tiles: h and then the kept planes of all their rows, before the first step and after every step.
    pub(super) trace: Option<Vec<f32>>,
    /// After the last step.
    pub(super) state: Vec<f32>,
}

/// What a backward pass returns.
pub(super) struct DenseGradients {
    /// ∂L/∂outer, `[T, B, GATES · H]`.
    pub(super) outer: Vec<f32>,
    /// ∂L/∂U, `[H, GATES · H]`; empty without recurrence.
    pub(super) recurrent: Vec<f32>,
    /// ∂L/∂b, `[GATES · H]`.
    pub(super) bias: Vec<f32>,
    /// The sums of the cell, SUMS planes of `width`.
    pub(super) sums: Vec<f64>,
    /// ∂L/∂h and the carried planes before the first step, `[B, 1 + CARRY, width]`.
    pub(super) state: Vec<f32>,
}

impl<C: DenseCell> DenseLayer<C> {
    /// `recurrent` `[H, GATES · H]`, `bias` `[GATES · H]`; `backward` if gradients are wanted.
    pub(super) fn new(
        cell: C,
        neurons: usize,
        recurrent: Option<&[f32]>,
        bias: Option<&[f32]>,
        backward: bool,
    ) -> Self {
        let width = padded(neurons);
        let wide = C::GATES * width;
        let recurrent = recurrent.map(|values| {
            let mut rows = vec![0.0; neurons * wide];
            pad(values, neurons, &mut rows, width);
            let [mut panels, mut transposed] = [Panels::default(), Panels::default()];
            panels.set(&rows, neurons, wide);
            if backward {
                transposed.set_transposed(&rows, neurons, wide);
            }
            [panels, transposed]
        });
        let mut padded_bias = Floats::zeros(wide);
        if let Some(bias) = bias {
            pad(bias, neurons, &mut padded_bias, width);
        }
        Self { cell, neurons, width, recurrent, bias: padded_bias }
    }

    /// Numbers of the rows of a tile's trace, for `slots` steps.
    fn traced(&self, rows: usize, slots: usize) -> usize {
        slots * rows * (1 + C::KEPT) * self.width
    }

    /// Runs all steps of `outer`, `[T, B, GATES · H]`, from `state`, zero if none; with `trace` for the way back.
    pub(super) fn forward(
        &self,
        outer: &[f32],
        [steps, batch]: [usize; 2],
        state: Option<&[f32]>,
        trace: bool,
    ) -> DenseForward {
        let tiles = Tiles::new(steps, batch);
        let mut output = vec![0.0; steps * batch * self.neurons];
        let span = (1 + C::KEPT) * self.width;
        let mut last = state.map_or_else(|| vec![0.0; batch * span], <[f32]>::to_vec);
        let rows = TileRows::new(&mut output);
        let run = |tile: usize, buffer: &mut [f32], slots: usize, state: &mut [f32]| {
            self.forward_tile(outer, tiles, tile, buffer, slots, state, &rows);
        };
        let states = last.par_chunks_mut(tiles.rows * span).enumerate();
        let trace = if trace {
            let mut trace = vec![0.0; self.traced(batch, steps + 1)];
            let parts = trace.par_chunks_mut(self.traced(tiles.rows, steps + 1));
            states.zip(parts).for_each(|((tile, state), part)| run(tile, part, steps + 1, state));
            Some(trace)
        } else {
            states.for_each(|(tile, state)| {
                let mut buffer = Floats::zeros(self.traced(tiles.range(tile).1, 2));
                run(tile, &mut buffer, 2, state);
            });
            None
        };
        DenseForward { output, trace, state: last }
    }

    /// All steps of one tile, in `slots` places of `buffer` by turns.
    #[allow(clippy::too_many_arguments, reason = "the tile of each of them")]
    fn forward_tile(
        &self,
        outer: &[f32],
        tiles: Tiles,
        tile: usize,
        buffer: &mut [f32],
        slots: usize,
        state: &mut [f32],
        output: &TileRows<'_>,
    ) {
        let (neurons, width) = (self.neurons, self.width);
        let (first, rows) = tiles.range(tile);
        let (given, wide) = (C::GATES * neurons, C::GATES * width);
        let (plane, keeps) = (rows * width, rows * C::KEPT * width);
        let (h, kept) = buffer.split_at_mut(slots * plane);
        let rows_of_state = state.chunks_exact((1 + C::KEPT) * width).enumerate();
        for (row, state) in rows_of_state {
            h[row * width..(row + 1) * width].copy_from_slice(&state[..width]);
            let at = row * C::KEPT * width;
            kept[at..at + C::KEPT * width].copy_from_slice(&state[width..]);
        }
        let (mut outside, mut inner) = (Floats::zeros(rows * wide), Floats::zeros(rows * wide));
        for t in 0..tiles.steps {
            let at = (t * tiles.batch + first) * given;
            pad(&outer[at..at + rows * given], neurons, &mut outside, width);
            inner.chunks_exact_mut(wide).for_each(|row| row.copy_from_slice(&self.bias));
            let (h_before, h) = neighbours(h, plane, t, slots);
            let (kept_before, kept) = neighbours(kept, keeps, t, slots);
            if let Some([recurrent, _]) = &self.recurrent {
                add_product(h_before, width, recurrent, &mut inner, wide);
            }
            let (outer, inner) = (&outside[..], &inner[..]);
            let step = ForwardStep { outer, inner, kept_before, h_before, kept, h: &mut *h };
            forward(&self.cell, rows, step);
            // SAFETY: the tile's rows of step t, which are its alone.
            let out = unsafe { output.rows((t * tiles.batch + first) * neurons, rows * neurons) };
            unpad(h, width, out, neurons);
        }
        let last = tiles.steps % slots;
        for (row, state) in state.chunks_exact_mut((1 + C::KEPT) * width).enumerate() {
            state[..width].copy_from_slice(&h[last * plane + row * width..][..width]);
            let at = last * keeps + row * C::KEPT * width;
            state[width..].copy_from_slice(&kept[at..at + C::KEPT * width]);
        }
    }

    /// Runs all steps backward: `gradient` is ∂L/∂h, `[T, B, H]`.
    pub(super) fn backward(
        &self,
        trace: &[f32],
        gradient: &[f32],
        [steps, batch]: [usize; 2],
    ) -> DenseGradients {
        let tiles = Tiles::new(steps, batch);
        let (neurons, width) = (self.neurons, self.width);
        let (given, wide) = (C::GATES * neurons, C::GATES * width);
        let mut outer = vec![0.0; steps * batch * given];
        let rows = TileRows::new(&mut outer);
        let found: Vec<TileGradients> = trace
            .par_chunks(self.traced(tiles.rows, steps + 1))
            .enumerate()
            .map(|(tile, trace)| self.backward_tile(trace, gradient, tiles, tile, &rows))
            .collect();

        // In the order of the tiles, so that the result does not depend on the number of threads.
        let mut weights = Floats::zeros(if self.recurrent.is_some() { width * wide } else { 0 });
        let (mut bias, mut sums) = (vec![0.0; wide], vec![0.0; C::SUMS * width]);
        let mut state = Vec::with_capacity(batch * (1 + C::CARRY) * width);
        for part in &found {
            weights.iter_mut().zip(&*part.recurrent).for_each(|(sum, part)| *sum += part);
            bias.iter_mut().zip(&part.bias).for_each(|(sum, part)| *sum += part);
            sums.iter_mut().zip(&part.sums).for_each(|(sum, part)| *sum += part);
            state.extend_from_slice(&part.state);
        }
        let mut recurrent = vec![0.0; if self.recurrent.is_some() { neurons * given } else { 0 }];
        unpad(&weights, width, &mut recurrent, neurons);
        let bias: Vec<f32> = bias.iter().map(|sum: &f64| *sum as f32).collect();
        let mut packed = vec![0.0; given];
        unpad(&bias, width, &mut packed, neurons);
        DenseGradients { outer, recurrent, bias: packed, sums, state }
    }

    /// All steps of one tile.
    fn backward_tile(
        &self,
        trace: &[f32],
        gradient: &[f32],
        tiles: Tiles,
        tile: usize,
        output: &TileRows<'_>,
    ) -> TileGradients {
        let (neurons, width) = (self.neurons, self.width);
        let (first, rows) = tiles.range(tile);
        let (given, wide) = (C::GATES * neurons, C::GATES * width);
        let (plane, keeps, gates) = (rows * width, rows * C::KEPT * width, rows * wide);
        let (h, kept) = trace.split_at((tiles.steps + 1) * plane);
        let (mut dh, mut carry) = (Floats::zeros(plane), Floats::zeros(rows * C::CARRY * width));
        let mut outer = Floats::zeros(CHUNK * gates);
        let mut inner = Floats::zeros(if C::DISTINCT { CHUNK * gates } else { 0 });
        let weights = if self.recurrent.is_some() { width * wide } else { 0 };
        let mut found = TileGradients {
            recurrent: Floats::zeros(weights),
            bias: vec![0.0; wide],
            sums: vec![0.0; C::SUMS * width],
            state: Vec::new(),
        };
        let (mut bias, mut sums) = (Floats::zeros(wide), Floats::zeros(C::SUMS * width));
        for start in (0..tiles.steps).step_by(CHUNK).rev() {
            let length = CHUNK.min(tiles.steps - start);
            bias.fill(0.0);
            sums.fill(0.0);
            for k in (0..length).rev() {
                let t = start + k;
                let at = (t * tiles.batch + first) * neurons;
                let from = gradient[at..at + rows * neurons].chunks_exact(neurons);
                for (dh, from) in dh.chunks_exact_mut(width).zip(from) {
                    dh.iter_mut().zip(from).for_each(|(dh, from)| *dh += from);
                }
                let now = k * gates..(k + 1) * gates;
                let step = BackwardStep {
                    kept_before: &kept[t * keeps..(t + 1) * keeps],
                    h_before: &h[t * plane..(t + 1) * plane],
                    kept: &kept[(t + 1) * keeps..(t + 2) * keeps],
                    h: &h[(t + 1) * plane..(t + 2) * plane],
                    dh: &mut dh,
                    carry: &mut carry,
                    outer: &mut outer[now.clone()],
                    inner: if C::DISTINCT { &mut inner[now.clone()] } else { &mut [] },
                    sums: &mut sums,
                    bias: &mut bias,
                };
                backward(&self.cell, rows, step);
                let inner = if C::DISTINCT { &inner[now.clone()] } else { &outer[now.clone()] };
                if let Some([_, transposed]) = &self.recurrent {
                    add_product(inner, wide, transposed, &mut dh, width);
                }
                // SAFETY: the tile's rows of step t, which are its alone.
                let out = unsafe { output.rows((t * tiles.batch + first) * given, rows * given) };
                unpad(&outer[now], width, out, neurons);
            }
            if self.recurrent.is_some() {
                let g = if C::DISTINCT { &inner } else { &outer };
                // The h that entered step t stands at place t.
                let h = &h[start * plane..(start + length) * plane];
                add_outer(h, width, &g[..length * gates], wide, &mut found.recurrent);
            }
            let totals = found.bias.iter_mut().zip(&*bias);
            totals.for_each(|(total, part)| *total += f64::from(*part));
            let totals = found.sums.iter_mut().zip(&*sums);
            totals.for_each(|(total, part)| *total += f64::from(*part));
        }
        for row in 0..rows {
            found.state.extend_from_slice(&dh[row * width..(row + 1) * width]);
            found
                .state
                .extend_from_slice(&carry[row * C::CARRY * width..(row + 1) * C::CARRY * width]);
        }
        found
    }
}

/// What a tile adds to the gradients; as in [`DenseGradients`], padded.
struct TileGradients {
    recurrent: Floats,
    bias: Vec<f64>,
    sums: Vec<f64>,
    state: Vec<f32>,
}

/// The places of the steps before and after step `t`, each `span` long, of `slots`.
fn neighbours(values: &mut [f32], span: usize, t: usize, slots: usize) -> (&[f32], &mut [f32]) {
    let (from, to) = (t % slots, (t + 1) % slots);
    if from < to {
        let (left, right) = values.split_at_mut(to * span);
        (&left[from * span..], &mut right[..span])
    } else {
        let (left, right) = values.split_at_mut(from * span);
        (&right[..span], &mut left[to * span..(to + 1) * span])
    }
}

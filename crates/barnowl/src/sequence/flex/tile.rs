//! A tile of a layer of neurons: a few batch rows, a chunk of time, padded to whole blocks.

use super::buffer::TileRows;
use barnowl_engine::floats::Floats;
use barnowl_engine::neurons::{Forward, Neurons, Shape};
use barnowl_engine::simd::LANES;
use barnowl_engine::spikes::Lists;
use barnowl_engine::weights::{Use, Weights};
use barnowl_engine::{CHUNK, ROWS};
use burn_flex::FlexTensor;

/// A layer of neurons that spike.
pub(super) struct Layer<'a> {
    pub(super) neurons: &'a dyn Neurons,
    pub(super) recurrent: Option<Weights>,
}

impl<'a> Layer<'a> {
    /// Neurons with recurrent weights `[H, H]`; `backward` if gradients are to flow through these.
    pub(super) fn new(
        neurons: &'a dyn Neurons,
        recurrent: Option<&FlexTensor>,
        backward: bool,
    ) -> Self {
        let recurrent = recurrent.map(|values| {
            let mut weights = Weights::default();
            let uses = Use { recurrent: true, dense: false, backward };
            weights.set(values.to_contiguous().storage(), neurons.shape().neurons, uses);
            weights
        });
        Self { neurons, recurrent }
    }
}

/// How the batch is cut into tiles: by the shape alone, never by the number of threads.
#[derive(Clone, Copy)]
pub(super) struct Tiles {
    pub(super) steps: usize,
    pub(super) batch: usize,
    pub(super) rows: usize,
}

impl Tiles {
    pub(super) fn new(steps: usize, batch: usize) -> Self {
        Self { steps, batch, rows: batch.div_ceil(8).clamp(1, ROWS) }
    }

    pub(super) fn count(&self) -> usize {
        self.batch.div_ceil(self.rows)
    }

    /// First row and number of rows of a tile.
    pub(super) fn range(&self, tile: usize) -> (usize, usize) {
        let first = tile * self.rows;
        (first, self.rows.min(self.batch - first))
    }
}

/// The arrays of a tile during one chunk.
pub(super) struct Tile {
    pub(super) first: usize,
    pub(super) rows: usize,
    shape: Shape,
    /// `[CHUNK + 1, rows, width]`.
    pub(super) trace: Floats,
    /// `[states, rows, width]`.
    pub(super) state: Floats,
    /// `[CHUNK + 1, rows, blocks]`.
    pub(super) bits: Vec<u16>,
    lists: Lists,
    scratch: Floats,
}

impl Tile {
    pub(super) fn new(layer: &Layer<'_>, (first, rows): (usize, usize)) -> Self {
        let shape = layer.neurons.shape();
        let span = rows * shape.width;
        let mut lists = Lists::default();
        lists.resize((CHUNK + 1) * rows, shape.width);
        // What padding does reaches no one.
        let (mut trace, mut state) =
            (Floats::zeros((CHUNK + 1) * span), Floats::zeros(shape.states * span));
        layer.neurons.rest(&mut trace[..span], &mut state);
        Self {
            first,
            rows,
            shape,
            trace,
            state,
            bits: vec![0; (CHUNK + 1) * span / LANES],
            lists,
            scratch: Floats::default(),
        }
    }

    /// Reads the state before a chunk from a state `[planes, B, H]`.
    pub(super) fn load(&mut self, state: &[f32], batch: usize) {
        let Shape { neurons, width, .. } = self.shape;
        let span = self.rows * width;
        let part = |part: usize| {
            let start = (part * batch + self.first) * neurons;
            &state[start..start + self.rows * neurons]
        };
        let mut next = 0..;
        if self.shape.trace_is_state {
            pad(part(next.next().unwrap_or_default()), neurons, &mut self.trace[..span], width);
        }
        for (plane, number) in self.state.chunks_exact_mut(span).zip(&mut next) {
            pad(part(number), neurons, plane, width);
        }
        let blocks = width / LANES;
        for (row, s) in part(self.shape.planes() - 1).chunks_exact(neurons).enumerate() {
            let bits = &mut self.bits[row * blocks..(row + 1) * blocks];
            bits.fill(0);
            for (n, s) in s.iter().enumerate() {
                bits[n / LANES] |= u16::from(*s > 0.0) << (n % LANES);
            }
            self.lists.read(row, bits);
        }
    }

    /// Runs `steps` steps from step `start` of the current `[T, B, H]`.
    pub(super) fn run(
        &mut self,
        layer: &Layer<'_>,
        current: &[f32],
        batch: usize,
        start: usize,
        steps: usize,
    ) {
        let Shape { neurons, width, .. } = self.shape;
        for k in 0..steps {
            let from = ((start + k) * batch + self.first) * neurons;
            let from = &current[from..from + self.rows * neurons];
            let to = &mut self.trace[(k + 1) * self.rows * width..];
            pad(from, neurons, to, width);
        }
        let chunk = Forward {
            rows: self.rows,
            steps,
            trace: &mut self.trace,
            state: &mut self.state,
            bits: &mut self.bits,
            current: &[],
            numbers: &mut [],
            lists: &mut self.lists,
            scratch: &mut self.scratch,
        };
        layer.neurons.forward(layer.recurrent.as_ref(), chunk);
    }

    /// Makes the last of `steps` steps the step before the next chunk.
    pub(super) fn rewind(&mut self, steps: usize) {
        let span = self.rows * self.shape.width;
        let blocks = span / LANES;
        self.trace.copy_within(steps * span..(steps + 1) * span, 0);
        self.bits.copy_within(steps * blocks..(steps + 1) * blocks, 0);
        self.lists.rewind(steps * self.rows, self.rows);
    }

    /// Writes the state before the chunk to entry `index` of `[_, planes, B, H]`.
    pub(super) fn store(&self, to: &TileRows<'_>, index: usize, batch: usize) {
        let Shape { neurons, width, .. } = self.shape;
        let (planes, size) = (self.shape.planes(), self.rows * neurons);
        // SAFETY: the tile's own rows of this part of the state.
        let part = |part: usize| unsafe {
            to.rows(((index * planes + part) * batch + self.first) * neurons, size)
        };
        let mut next = 0..;
        if self.shape.trace_is_state {
            unpad(&self.trace, width, part(next.next().unwrap_or_default()), neurons);
        }
        for (plane, number) in self.state.chunks_exact(self.rows * width).zip(&mut next) {
            unpad(plane, width, part(number), neurons);
        }
        self.spikes(0, part(planes - 1));
    }

    /// Writes the membrane potentials of step `step`, 0 being the one before the chunk, as `[rows, H]`.
    pub(super) fn membrane(&self, step: usize, to: &mut [f32]) {
        let Shape { neurons, width, .. } = self.shape;
        unpad(&self.trace[step * self.rows * width..], width, to, neurons);
    }

    /// The same for the spikes.
    pub(super) fn spikes(&self, step: usize, to: &mut [f32]) {
        to.fill(0.0);
        let Shape { neurons, width, .. } = self.shape;
        for (row, to) in to.chunks_exact_mut(neurons).enumerate() {
            let blocks = width / LANES;
            let start = (step * self.rows + row) * blocks;
            for (to, &mask) in to.chunks_mut(LANES).zip(&self.bits[start..start + blocks]) {
                for (lane, to) in to.iter_mut().enumerate() {
                    *to = f32::from(mask >> lane & 1);
                }
            }
        }
    }
}

/// Copies packed rows `[rows, neurons]` to padded ones `[rows, width]`.
pub(super) fn pad(packed: &[f32], neurons: usize, padded: &mut [f32], width: usize) {
    for (to, from) in padded.chunks_exact_mut(width).zip(packed.chunks_exact(neurons)) {
        to[..neurons].copy_from_slice(from);
    }
}

/// Copies padded rows to packed ones.
pub(super) fn unpad(padded: &[f32], width: usize, packed: &mut [f32], neurons: usize) {
    for (to, from) in packed.chunks_exact_mut(neurons).zip(padded.chunks_exact(width)) {
        to.copy_from_slice(&from[..neurons]);
    }
}

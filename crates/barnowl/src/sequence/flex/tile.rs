//! A tile of a layer: a few batch rows, a chunk of time, padded to whole blocks.

use super::super::AlifArguments;
use super::buffer::TileRows;
use crate::kernel::alif::{Chunk, Neurons, forward};
use crate::kernel::floats::Floats;
use crate::kernel::simd::LANES;
use crate::kernel::spikes::Lists;
use crate::kernel::weights::{Use, Weights};
use crate::kernel::{CHUNK, ROWS};
use burn::backend::Flex;

/// The parameters of a layer.
pub(super) struct Layer {
    pub(super) neurons: Neurons,
    pub(super) recurrent: Option<Weights>,
}

impl Layer {
    /// The layer of an operation's arguments; `backward` if gradients are to flow through its weights.
    pub(super) fn new(arguments: &AlifArguments<Flex>, size: usize, backward: bool) -> Self {
        let mut neurons = Neurons::new(size, arguments.options.threshold);
        let (tau_m, tau_adp) = (arguments.tau_m.to_contiguous(), arguments.tau_adp.to_contiguous());
        neurons.set(tau_m.storage(), tau_adp.storage());
        let recurrent = arguments.recurrent.as_ref().map(|values| {
            let mut weights = Weights::default();
            let uses = Use { recurrent: true, dense: false, backward };
            weights.set(values.to_contiguous().storage(), size, uses);
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
    neurons: usize,
    width: usize,
    /// `[CHUNK + 1, rows, width]`.
    pub(super) u: Floats,
    /// `[rows, width]`.
    pub(super) b: Floats,
    /// `[CHUNK + 1, rows, blocks]`.
    pub(super) bits: Vec<u16>,
    lists: Lists,
    /// `[CHUNK, rows, width]`.
    current: Floats,
}

impl Tile {
    pub(super) fn new(layer: &Layer, (first, rows): (usize, usize)) -> Self {
        let Neurons { neurons, width, .. } = layer.neurons;
        let mut lists = Lists::default();
        lists.resize((CHUNK + 1) * rows, width);
        Self {
            first,
            rows,
            neurons,
            width,
            u: Floats::zeros((CHUNK + 1) * rows * width),
            b: Floats::zeros(rows * width),
            bits: vec![0; (CHUNK + 1) * rows * width / LANES],
            lists,
            current: Floats::zeros(CHUNK * rows * width),
        }
    }

    /// Reads the state before a chunk from a state `[3, B, H]`.
    pub(super) fn load(&mut self, state: &[f32], batch: usize) {
        let (neurons, width) = (self.neurons, self.width);
        let row_of = |part: usize, row: usize| {
            let start = (part * batch + self.first + row) * neurons;
            &state[start..start + neurons]
        };
        let blocks = width / LANES;
        for row in 0..self.rows {
            self.u[row * width..row * width + neurons].copy_from_slice(row_of(0, row));
            self.b[row * width..row * width + neurons].copy_from_slice(row_of(1, row));
            let bits = &mut self.bits[row * blocks..(row + 1) * blocks];
            bits.fill(0);
            for (n, s) in row_of(2, row).iter().enumerate() {
                bits[n / LANES] |= u16::from(*s > 0.0) << (n % LANES);
            }
            self.lists.read(row, bits);
        }
    }

    /// Runs `steps` steps from step `start` of the current `[T, B, H]`.
    pub(super) fn run(
        &mut self,
        layer: &Layer,
        current: &[f32],
        batch: usize,
        start: usize,
        steps: usize,
    ) {
        for k in 0..steps {
            let from = ((start + k) * batch + self.first) * self.neurons;
            let from = &current[from..from + self.rows * self.neurons];
            let to = &mut self.current[k * self.rows * self.width..];
            pad(from, self.neurons, to, self.width);
        }
        let chunk = Chunk {
            rows: self.rows,
            steps,
            u: &mut self.u,
            b: &mut self.b,
            bits: &mut self.bits,
            lists: &mut self.lists,
        };
        let recurrent = layer.recurrent.as_ref().map(|weights| &weights.rows[..]);
        forward(&layer.neurons, recurrent, &self.current, chunk);
    }

    /// Makes the last of `steps` steps the step before the next chunk.
    pub(super) fn rewind(&mut self, steps: usize) {
        let (span, blocks) = (self.rows * self.width, self.rows * self.width / LANES);
        self.u.copy_within(steps * span..(steps + 1) * span, 0);
        self.bits.copy_within(steps * blocks..(steps + 1) * blocks, 0);
        self.lists.rewind(steps * self.rows, self.rows);
    }

    /// Writes the state before the chunk to entry `index` of `[_, 3, B, H]`.
    pub(super) fn store(&self, to: &TileRows<'_>, index: usize, batch: usize) {
        let mut spikes = vec![0.0; self.rows * self.neurons];
        self.spikes(0, &mut spikes);
        for part in 0..3 {
            let start = ((index * 3 + part) * batch + self.first) * self.neurons;
            // SAFETY: the tile's own rows of this part of the state.
            let to = unsafe { to.rows(start, self.rows * self.neurons) };
            match part {
                0 => unpad(&self.u, self.width, to, self.neurons),
                1 => unpad(&self.b, self.width, to, self.neurons),
                _ => to.copy_from_slice(&spikes),
            }
        }
    }

    /// Writes the membrane potentials of step `step`, 0 being the one before the chunk, as `[rows, H]`.
    pub(super) fn membrane(&self, step: usize, to: &mut [f32]) {
        unpad(&self.u[step * self.rows * self.width..], self.width, to, self.neurons);
    }

    /// The same for the spikes.
    pub(super) fn spikes(&self, step: usize, to: &mut [f32]) {
        to.fill(0.0);
        for (row, to) in to.chunks_exact_mut(self.neurons).enumerate() {
            let blocks = self.width / LANES;
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

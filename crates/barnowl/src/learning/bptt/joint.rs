//! What some layers of a tile pass on over a whole sequence, and its gradient, for stages that read it in their own order.

use super::job::Job;
use super::layer::LayerArrays;
use super::plan::LayerPlan;
use super::stage::{Joint, Stage};
use barnowl_engine::CHUNK;
use barnowl_engine::floats::Floats;
use barnowl_engine::gather::Source;
use barnowl_engine::simd::LANES;
use barnowl_engine::spikes::Lists;

/// The arrays of a joint. A row has the columns of all its layers, each with its padding.
#[derive(Debug, Default)]
pub(super) struct JointArrays {
    /// Spikes as bits, `[steps, rows, blocks]`.
    bits: Vec<u16>,
    /// Real numbers, `[steps, rows, width]`.
    numbers: Floats,
    /// ∂L/∂ of either, `[steps, rows, width]`.
    gradient: Floats,
    /// A chunk of the bits or the numbers in the order of a stage; spikes as lists too.
    chunk_bits: Vec<u16>,
    chunk_numbers: Floats,
    lists: Lists,
    /// ∂L/∂ of a chunk.
    chunk_gradient: Floats,
}

/// A chunk of a joint as a stage reads it.
pub(super) enum Read<'a> {
    /// As bits, `[steps, rows, blocks]`.
    Bits(&'a [u16]),
    /// `[steps, rows, width]`.
    Numbers(&'a [f32]),
}

impl JointArrays {
    /// Puts together what the layers have passed on.
    pub(super) fn gather(&mut self, job: &Job<'_>, joint: &Joint, layers: &[LayerArrays]) {
        let (rows, width) = (job.reader.rows, joint.columns.width());
        let steps = job.reader.window.len() * joint.clock();
        let (taken, mean_of) =
            if joint.mean { (joint.repeat, joint.repeat as f32) } else { (1, 1.0) };
        match joint.numbers {
            true => self.numbers.refill(steps * rows * width, 0.0),
            false => {
                self.bits.clear();
                self.bits.resize(steps * rows * width / LANES, 0);
            }
        }
        if job.train {
            self.gradient.refill(steps * rows * width, 0.0);
        }
        for at in joint.layers.clone() {
            let (layer, arrays) = (&job.plan.layers[at], &layers[at]);
            let (column, span) = (joint.column(at, &job.plan.layers), layer.shape.width);
            for (t, row) in (0..steps).flat_map(|t| (0..rows).map(move |row| (t, row))) {
                let length = job.reader.length(row) * joint.repeat;
                for part in t * taken..(t + 1) * taken {
                    let Some(step) = joint.step(at, part, length) else { continue };
                    let to = (t * rows + row) * width + column;
                    if joint.numbers {
                        let to = &mut self.numbers[to..to + span];
                        arrays.add_output(layer, step, row, rows, mean_of, to);
                    } else {
                        let to = &mut self.bits[to / LANES..(to + span) / LANES];
                        to.copy_from_slice(arrays.bits_of(layer, step, row, rows));
                    }
                }
            }
        }
    }

    /// A chunk for the way forward.
    pub(super) fn source(
        &mut self,
        job: &Job<'_>,
        joint: &Joint,
        stage: &Stage,
        [start, steps]: [usize; 2],
    ) -> Source<'_> {
        let rows = job.reader.rows;
        self.read(job, joint, stage, [start, steps]);
        if joint.numbers {
            return Source::Real(&self.chunk_numbers);
        }
        let width = joint.columns.width();
        self.lists.resize(CHUNK * rows, width);
        for (entry, bits) in self.chunk_bits.chunks_exact(width / LANES).enumerate() {
            self.lists.read(entry, bits);
        }
        Source::Spikes { lists: &self.lists, first: 0 }
    }

    /// A chunk as it was passed on; nothing after the end of a row.
    pub(super) fn read(
        &mut self,
        job: &Job<'_>,
        joint: &Joint,
        stage: &Stage,
        [start, steps]: [usize; 2],
    ) -> Read<'_> {
        let (rows, width) = (job.reader.rows, joint.columns.width());
        let (blocks, entries) = (width / LANES, steps * rows);
        match joint.numbers {
            true => self.chunk_numbers.refill(entries * width, 0.0),
            false => {
                self.chunk_bits.clear();
                self.chunk_bits.resize(entries * blocks, 0);
            }
        }
        for entry in 0..entries {
            let (step, row) = (start + entry / rows, entry % rows);
            let Some(t) = stage.place(step, job.reader.length(row)) else { continue };
            let from = t * rows + row;
            if joint.numbers {
                let to = &mut self.chunk_numbers[entry * width..(entry + 1) * width];
                to.copy_from_slice(&self.numbers[from * width..(from + 1) * width]);
            } else {
                let to = &mut self.chunk_bits[entry * blocks..(entry + 1) * blocks];
                to.copy_from_slice(&self.bits[from * blocks..(from + 1) * blocks]);
            }
        }
        match joint.numbers {
            true => Read::Numbers(&self.chunk_numbers),
            false => Read::Bits(&self.chunk_bits),
        }
    }

    /// Room for ∂L/∂ of a chunk of so many entries, to be [added](Self::add_gradient).
    pub(super) fn chunk_gradient(&mut self, joint: &Joint, entries: usize) -> &mut [f32] {
        self.chunk_gradient.resize(entries * joint.columns.width());
        &mut self.chunk_gradient
    }

    /// Adds the gradient of a chunk that a stage has read.
    pub(super) fn add_gradient(
        &mut self,
        job: &Job<'_>,
        joint: &Joint,
        stage: &Stage,
        start: usize,
    ) {
        let (rows, width) = (job.reader.rows, joint.columns.width());
        for (entry, g) in self.chunk_gradient.chunks_exact(width).enumerate() {
            let (step, row) = (start + entry / rows, entry % rows);
            let Some(t) = stage.place(step, job.reader.length(row)) else { continue };
            let to = &mut self.gradient[(t * rows + row) * width..][..width];
            to.iter_mut().zip(g).for_each(|(to, g)| *to += g);
        }
    }

    /// The gradient of what a layer passed on in a chunk of its steps, `[steps, rows, width of the layer]`.
    pub(super) fn give(
        &self,
        job: &Job<'_>,
        joint: &Joint,
        layer: usize,
        start: usize,
        given: &mut [f32],
    ) {
        let plan: &[LayerPlan] = &job.plan.layers;
        let (rows, width, span) = (job.reader.rows, joint.columns.width(), plan[layer].shape.width);
        let column = joint.column(layer, plan);
        for (entry, given) in given.chunks_exact_mut(span).enumerate() {
            let (step, row) = (start + entry / rows, entry % rows);
            // The way from a step of a layer to one of the joint is its own inverse.
            let length = job.reader.length(row) * joint.repeat;
            let Some(part) = joint.step(layer, step, length) else {
                given.fill(0.0);
                continue;
            };
            let t = if joint.mean { part / joint.repeat } else { part };
            given.copy_from_slice(&self.gradient[(t * rows + row) * width + column..][..span]);
            if joint.mean {
                given.iter_mut().for_each(|g| *g /= joint.repeat as f32);
            }
        }
    }
}

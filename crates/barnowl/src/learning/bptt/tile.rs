//! A few sequences on their way through the network and back.
//!
//! Forward, every chunk of time passes through all layers before the next one starts. What is kept for the way back is
//! the membrane potential of every neuron and step (its input current, where it runs from equations), its spikes as bits,
//! and its other states before every chunk. With `checkpoint_steps`, that is kept of one segment of time only, and the state before every segment: on the way back
//! each segment runs forward once more, by the same code and hence with the same bits.
//!
//! Truncated, a run covers a window of time, and goes on from the state in which the one before ended; or all of it, but
//! no gradient of the state crosses from one window into the one before.

use super::decoder::{Output, Reader, Readings, Score, refill};
use super::encoded::Encoded;
use super::plan::LayerPlan;
use crate::dataset::{Dataset, Inputs};
use crate::loss::DecoderKind;
use barnowl_engine::CHUNK;
use barnowl_engine::events::EventRows;
use barnowl_engine::floats::Floats;
use barnowl_engine::gather::{Source, add_gradient, drive};
use barnowl_engine::neurons::{Backward, Carry, Forward, Sums};
use barnowl_engine::product::{add_outer, set_product};
use barnowl_engine::simd::LANES;
use barnowl_engine::spikes::{Entries, Lists};
use barnowl_neuron::Surrogate;
use std::ops::Range;

/// What a tile works on.
pub(super) struct Job<'a> {
    pub(super) plan: &'a [LayerPlan],
    pub(super) data: &'a Dataset,
    /// What the inputs of each channel are multiplied by, if by anything.
    pub(super) factors: Option<&'a [f32]>,
    /// The sequences of the tile.
    pub(super) indices: &'a [usize],
    pub(super) reader: Reader<'a>,
    pub(super) surrogate: Surrogate,
    /// The membrane potentials before the first step, `[B, neurons]` for every layer that does not start at zero.
    pub(super) initial: &'a [Option<Vec<f32>>],
    /// Steps of a segment, a multiple of [`CHUNK`].
    pub(super) segment: usize,
    /// Steps after each of which the gradient of the state ends.
    pub(super) cut: usize,
    /// The threshold that turns real-valued inputs into spikes.
    pub(super) threshold: Option<f32>,
    /// Whether the tile is to run back.
    pub(super) train: bool,
}

/// The gradients of a layer, summed over the sequences of one or more tiles.
#[derive(Debug, Default)]
pub(super) struct LayerGradients {
    /// `[inputs, width]`.
    pub(super) input: Floats,
    /// `[neurons, width]`, empty in a feed-forward layer.
    pub(super) recurrent: Floats,
    pub(super) sums: Sums,
    /// Of the first layer: that of the threshold of its inputs.
    pub(super) threshold: f64,
}

impl LayerGradients {
    /// Zero.
    pub(super) fn reset(&mut self, layer: &LayerPlan) {
        self.input.refill(layer.inputs * layer.width, 0.0);
        let recurrent = if layer.recurrent.is_some() { layer.neurons } else { 0 };
        self.recurrent.refill(recurrent * layer.width, 0.0);
        self.sums.reset(layer.shape());
        self.threshold = 0.0;
    }
}

/// Where the sequences of a tile stand between two windows of time.
#[derive(Debug, Default)]
pub(super) struct Stand {
    layers: Vec<State>,
    score: Score,
}

/// The state of a layer after a step.
#[derive(Debug, Default)]
struct State {
    trace: Floats,
    planes: Floats,
    bits: Vec<u16>,
}

/// The arrays of a tile, used again for one tile after another.
#[derive(Debug, Default)]
pub(super) struct Tile {
    layers: Vec<LayerArrays>,
    pub(super) readings: Readings,
    /// Spikes of every layer.
    pub(super) spikes: Vec<u64>,
    /// For every row, the row of the data set's events that holds its first step.
    first: Vec<usize>,
    /// Inputs that the threshold has turned into spikes.
    encoded: Encoded,
    /// Real-valued inputs of a chunk, `[steps, rows, channels]`.
    x: Floats,
    /// When each neuron spiked a step before, or each input channel had an event.
    entries: Entries,
}

/// The arrays of a layer. `rows` and `width` are those of tile and layer; a segment starts with the step before it.
#[derive(Debug, Default)]
struct LayerArrays {
    /// What the neurons keep of every step, `[segment + 1, rows, width]`.
    trace: Floats,
    /// s as bits, `[segment + 1, rows, blocks]`; none unless they spike.
    bits: Vec<u16>,
    /// Their other state, `[states, rows, width]`: of the last step, and before every chunk of the segment.
    state: Floats,
    chunk_states: Floats,
    /// s as lists, of a chunk and the step before it.
    lists: Lists,
    /// The state before every segment.
    saved: Vec<State>,
    /// ∂L/∂s, or ∂L/∂m of the readout, `[CHUNK, rows, width]`.
    given: Floats,
    /// gI, `[CHUNK, rows, width]`.
    current_gradient: Floats,
    carry: Carry,
    scratch: Floats,
}

impl Tile {
    /// Runs the job: forward, and back if it is to be trained on, adding to `gradients`. With `stand`, a window that does
    /// not begin with the first step goes on from there, and leaves there where it ends.
    pub(super) fn run(
        &mut self,
        job: &Job<'_>,
        gradients: &mut [LayerGradients],
        mut stand: Option<&mut Stand>,
    ) {
        self.start(job);
        // Of a tile whose rows have all ended before the window, it is empty.
        let window = job.reader.window.clone();
        if let Some(stand) = stand.as_deref().filter(|_| window.start > 0) {
            self.enter(job, stand);
        }
        let segments: Vec<Range<usize>> = window
            .clone()
            .step_by(job.cut)
            .map(|start| start..window.end.min(start.saturating_add(job.cut)))
            .flat_map(|cut| {
                let starts = cut.clone().step_by(job.segment);
                starts.map(move |start| start..cut.end.min(start + job.segment))
            })
            .collect();
        for (i, segment) in segments.iter().enumerate() {
            if i > 0 {
                self.rewind(job, segments[i - 1].len());
            }
            if job.train && segments.len() > 1 {
                self.save(job, i);
            }
            self.forward(job, segment.clone(), true);
        }
        self.readings.finish(&job.reader);
        if let Some(stand) = &mut stand {
            self.leave(job, segments.last().map_or(0, Range::len), stand);
        }
        if !job.train {
            return;
        }
        for (i, segment) in segments.iter().enumerate().rev() {
            if i + 1 < segments.len() {
                self.restore(job, i);
                self.forward(job, segment.clone(), false);
            }
            if segment.end == window.end || (segment.end - window.start).is_multiple_of(job.cut) {
                for (layer, arrays) in job.plan.iter().zip(&mut self.layers) {
                    arrays.carry.reset(layer.shape(), job.reader.rows);
                }
            }
            for start in segment.clone().step_by(CHUNK).rev() {
                let chunk = start..segment.end.min(start + CHUNK);
                self.backward_chunk(job, chunk, segment.start, gradients);
            }
        }
        if window.start == 0 {
            for ((layer, arrays), gradients) in job.plan.iter().zip(&self.layers).zip(gradients) {
                gradients.sums.add_rest(layer.shape(), job.reader.rows, &arrays.carry);
            }
        }
    }

    /// Makes room, and sets the state before the first step.
    fn start(&mut self, job: &Job<'_>) {
        let Reader { rows, first, ref window, .. } = job.reader;
        self.layers.resize_with(job.plan.len(), LayerArrays::default);
        refill(&mut self.spikes, job.plan.len(), 0);
        self.first.clear();
        self.first.extend(job.indices.iter().map(|sample| sample * job.data.steps()));
        self.readings.start(&job.reader);
        if let Some(threshold) = job.threshold {
            let channels = job.plan[0].inputs;
            self.encoded.start(channels, rows, window.start, window.len());
            for row in 0..rows {
                real_inputs(job, row..row + 1, window.start, window.len(), &mut self.x);
                self.encoded.push(&self.x, channels, threshold);
            }
        }
        let segment = job.segment.min(job.cut).min(window.len());
        for ((layer, arrays), initial) in job.plan.iter().zip(&mut self.layers).zip(job.initial) {
            let (width, span) = (layer.width, rows * layer.width);
            let shape = layer.shape();
            // What is longer than needed is cut, what is shorter grows; only the first step needs values.
            arrays.trace.resize((segment + 1) * span);
            arrays.state.resize(shape.states * span);
            layer.neurons().rest(&mut arrays.trace[..span], &mut arrays.state);
            if let Some(initial) = initial {
                let rows_of = initial[first * layer.neurons..].chunks_exact(layer.neurons);
                for (to, from) in arrays.trace[..span].chunks_exact_mut(width).zip(rows_of) {
                    to[..layer.neurons].copy_from_slice(from);
                }
            }
            arrays.chunk_states.resize(segment.div_ceil(CHUNK) * shape.states * span);
            let spiking = if shape.spiking { span / LANES } else { 0 };
            arrays.bits.resize((segment + 1) * spiking, 0);
            arrays.bits[..spiking].fill(0);
            arrays.lists.resize((CHUNK + 1) * rows, width);
            for row in 0..rows {
                arrays.lists.read(row, &[]);
            }
            if job.train {
                arrays.given.resize(CHUNK * span);
                arrays.current_gradient.resize(CHUNK * span);
            }
        }
    }

    /// Makes the last step of a segment of `steps` steps the step before the next one.
    fn rewind(&mut self, job: &Job<'_>, steps: usize) {
        for (layer, arrays) in job.plan.iter().zip(&mut self.layers) {
            let span = job.reader.rows * layer.width;
            arrays.trace.copy_within(steps * span..(steps + 1) * span, 0);
            if layer.shape().spiking {
                let blocks = span / LANES;
                arrays.bits.copy_within(steps * blocks..(steps + 1) * blocks, 0);
            }
        }
    }

    /// Saves the state before segment `index`.
    fn save(&mut self, job: &Job<'_>, index: usize) {
        for (layer, arrays) in job.plan.iter().zip(&mut self.layers) {
            if arrays.saved.len() <= index {
                arrays.saved.resize_with(index + 1, Default::default);
            }
            let mut saved = std::mem::take(&mut arrays.saved[index]);
            arrays.state(job.reader.rows * layer.width, 0, &mut saved);
            arrays.saved[index] = saved;
        }
    }

    /// Goes back to the state before segment `index`.
    fn restore(&mut self, job: &Job<'_>, index: usize) {
        for (layer, arrays) in job.plan.iter().zip(&mut self.layers) {
            let saved = std::mem::take(&mut arrays.saved[index]);
            arrays.set_state(layer.width, &saved);
            arrays.saved[index] = saved;
        }
    }

    /// Goes on where the window before ended.
    fn enter(&mut self, job: &Job<'_>, from: &Stand) {
        for ((layer, arrays), state) in job.plan.iter().zip(&mut self.layers).zip(&from.layers) {
            arrays.set_state(layer.width, state);
        }
        self.readings.enter(&job.reader, &from.score);
    }

    /// Keeps where a window ends, whose last segment has so many steps.
    fn leave(&self, job: &Job<'_>, steps: usize, to: &mut Stand) {
        to.layers.resize_with(job.plan.len(), State::default);
        for ((layer, arrays), state) in job.plan.iter().zip(&self.layers).zip(&mut to.layers) {
            arrays.state(job.reader.rows * layer.width, steps, state);
        }
        self.readings.leave(&mut to.score);
    }

    /// Runs all layers over a segment, chunk by chunk.
    fn forward(&mut self, job: &Job<'_>, segment: Range<usize>, observe: bool) {
        let rows = job.reader.rows;
        for start in segment.clone().step_by(CHUNK) {
            let steps = CHUNK.min(segment.end - start);
            for place in 0..job.plan.len() {
                self.forward_chunk(job, place, start, steps, start - segment.start);
            }
            // On the way back, the readings of a class per step are made there.
            if observe && !(job.train && job.reader.decoder.is_per_step()) {
                let readout = &self.layers[job.plan.len() - 1];
                let output = readout.output(job, start, steps, start - segment.start);
                self.readings.observe(&job.reader, output);
            }
            for (layer, arrays) in job.plan.iter().zip(&mut self.layers) {
                if layer.shape().spiking {
                    arrays.lists.rewind(steps * rows, rows);
                }
            }
        }
        if observe {
            for ((layer, arrays), spikes) in job.plan.iter().zip(&self.layers).zip(&mut self.spikes)
            {
                if layer.shape().spiking {
                    let blocks = layer.width / LANES;
                    let steps = arrays.bits.chunks_exact(rows * blocks).skip(1);
                    for (step, bits) in segment.clone().zip(steps) {
                        let bits = &bits[..job.reader.running(step) * blocks];
                        *spikes +=
                            bits.iter().map(|mask| u64::from(mask.count_ones())).sum::<u64>();
                    }
                }
            }
        }
    }

    /// Runs one layer over a chunk, which begins `offset` steps after the segment.
    fn forward_chunk(
        &mut self,
        job: &Job<'_>,
        place: usize,
        start: usize,
        steps: usize,
        offset: usize,
    ) {
        let rows = job.reader.rows;
        let layer = &job.plan[place];
        let (below, rest) = self.layers.split_at_mut(place);
        let arrays = &mut rest[0];
        let span = rows * layer.width;
        let (bias, weights) = (&layer.bias[..], &layer.input);
        let source = match (below.last(), job.data.inputs()) {
            (Some(below), _) => Source::Spikes { lists: &below.lists, first: rows },
            (None, _) if job.threshold.is_some() => Source::Events(self.encoded.rows(start)),
            (None, Inputs::Events(events)) => {
                Source::Events(EventRows { events, first: &self.first, step: start })
            }
            (None, _) => {
                real_inputs(job, 0..rows, start, steps, &mut self.x);
                Source::Real(&self.x)
            }
        };
        let trace = &mut arrays.trace[offset * span..(offset + steps + 1) * span];
        drive(bias, weights, source, rows, &mut trace[span..]);
        let states = arrays.state.len();
        arrays.chunk_states[offset / CHUNK * states..][..states].copy_from_slice(&arrays.state);
        let blocks = if layer.shape().spiking { span / LANES } else { 0 };
        let chunk = Forward {
            rows,
            steps,
            trace,
            state: &mut arrays.state,
            bits: &mut arrays.bits[offset * blocks..(offset + steps + 1) * blocks],
            lists: &mut arrays.lists,
            scratch: &mut arrays.scratch,
        };
        layer.neurons().forward(layer.recurrent.as_ref(), chunk);
    }

    /// Runs all layers back over a chunk of the segment that starts at step `segment`.
    fn backward_chunk(
        &mut self,
        job: &Job<'_>,
        chunk: Range<usize>,
        segment: usize,
        gradients: &mut [LayerGradients],
    ) {
        let (rows, steps, offset) = (job.reader.rows, chunk.len(), chunk.start - segment);
        let readout = job.plan.len() - 1;
        let mut given = std::mem::take(&mut self.layers[readout].given);
        let output = self.layers[readout].output(job, chunk.start, steps, offset);
        self.readings.gradient(&job.reader, output, &mut given);
        self.layers[readout].given = given;
        for place in (0..job.plan.len()).rev() {
            let (layer, gradients) = (&job.plan[place], &mut gradients[place]);
            let (below, rest) = self.layers.split_at_mut(place);
            let arrays = &mut rest[0];
            let (width, entries) = (layer.width, steps * rows);
            arrays.backward(job, layer, place == readout, steps, offset, &mut gradients.sums);
            let g = &arrays.current_gradient[..entries * width];
            let blocks = width / LANES;
            let at = offset * rows * blocks;
            if layer.recurrent.is_some() {
                self.entries.fill(&arrays.bits[at..at + entries * blocks], blocks);
                add_gradient(&self.entries, false, g, width, &mut gradients.recurrent);
            }
            let input = &mut gradients.input;
            match (below.last_mut(), job.data.inputs()) {
                (Some(below), _) => {
                    let blocks = job.plan[place - 1].width / LANES;
                    let at = (offset + 1) * rows * blocks;
                    self.entries.fill(&below.bits[at..at + entries * blocks], blocks);
                    add_gradient(&self.entries, false, g, width, input);
                    let below_width = job.plan[place - 1].width;
                    let given = &mut below.given[..entries * below_width];
                    set_product(g, width, &layer.input.transposed, given, below_width);
                }
                (None, inputs) => {
                    let events = match (job.threshold, inputs) {
                        (Some(_), _) => Some(self.encoded.rows(chunk.start)),
                        (None, Inputs::Events(events)) => {
                            Some(EventRows { events, first: &self.first, step: chunk.start })
                        }
                        (None, _) => None,
                    };
                    for negative in [false, true] {
                        let shape = [steps, rows];
                        if events.is_some_and(|events| {
                            self.entries.fill_events(events, shape, layer.inputs, negative)
                        }) {
                            add_gradient(&self.entries, negative, g, width, input);
                        }
                    }
                    let has_events = events.is_some();
                    if job.threshold.is_some() || !has_events {
                        real_inputs(job, 0..rows, chunk.start, steps, &mut self.x);
                    }
                    if !has_events {
                        add_outer(&self.x, layer.inputs, g, width, input);
                    }
                    if let Some(threshold) = job.threshold {
                        let (x, surrogate) = (&self.x, job.surrogate);
                        gradients.threshold +=
                            self.encoded.threshold_gradient(layer, g, x, threshold, surrogate);
                    }
                }
            }
        }
    }
}

impl LayerArrays {
    /// The state after so many steps of the segment; its planes are those of the last step run. `span` is rows · width.
    fn state(&self, span: usize, steps: usize, to: &mut State) {
        to.trace.copy_of(&self.trace[steps * span..(steps + 1) * span]);
        to.planes.copy_of(&self.state);
        let blocks = span / LANES;
        self.bits.get(steps * blocks..(steps + 1) * blocks).unwrap_or(&[]).clone_into(&mut to.bits);
    }

    /// Sets the state before a segment.
    fn set_state(&mut self, width: usize, State { trace, planes, bits }: &State) {
        self.trace[..trace.len()].copy_from_slice(trace);
        self.state.copy_from_slice(planes);
        self.bits[..bits.len()].copy_from_slice(bits);
        for (row, bits) in bits.chunks_exact(width / LANES).enumerate() {
            self.lists.read(row, bits);
        }
    }

    /// What the layer put out over a chunk.
    fn output<'a>(
        &'a self,
        job: &Job<'_>,
        start: usize,
        steps: usize,
        offset: usize,
    ) -> Output<'a> {
        let span = job.reader.rows * job.reader.width;
        let blocks = span / LANES;
        let steps_of = offset + 1..offset + 1 + steps;
        Output {
            membrane: &self.trace[steps_of.start * span..steps_of.end * span],
            bits: self.bits.get(steps_of.start * blocks..steps_of.end * blocks).unwrap_or(&[]),
            start,
        }
    }

    /// Runs the layer's neurons back over a chunk.
    fn backward(
        &mut self,
        job: &Job<'_>,
        layer: &LayerPlan,
        readout: bool,
        steps: usize,
        offset: usize,
        sums: &mut Sums,
    ) {
        let (rows, shape) = (job.reader.rows, layer.shape());
        let span = rows * layer.width;
        let counted = job.reader.decoder.kind == DecoderKind::SpikeCount;
        let given = &self.given[..steps * span];
        let (spikes_gradient, membrane_gradient) =
            if readout && !counted { (None, Some(given)) } else { (Some(given), None) };
        let blocks = if shape.spiking { span / LANES } else { 0 };
        let states = shape.states * span;
        let chunk = Backward {
            rows,
            steps,
            trace: &self.trace[offset * span..(offset + steps + 1) * span],
            bits: &self.bits[offset * blocks..(offset + steps + 1) * blocks],
            state: &self.chunk_states[offset / CHUNK * states..][..states],
            spikes_gradient,
            membrane_gradient,
            carry: &mut self.carry,
            current_gradient: &mut self.current_gradient,
            sums,
            scratch: &mut self.scratch,
        };
        layer.neurons().backward(layer.recurrent.as_ref(), job.surrogate, chunk);
    }
}

/// The inputs of some rows in a chunk as real numbers, `[steps, rows, channels]`; zeros where a row has ended.
fn real_inputs(job: &Job<'_>, rows: Range<usize>, start: usize, steps: usize, x: &mut Floats) {
    let channels = job.plan[0].inputs;
    x.resize(steps * rows.len() * channels);
    let places = (start..start + steps).flat_map(|k| rows.clone().map(move |row| (k, row)));
    for (to, (step, row)) in x.chunks_exact_mut(channels).zip(places) {
        if step >= job.reader.length(row) {
            to.fill(0.0);
            continue;
        }
        job.data.read(job.indices[row] * job.data.steps() + step, to);
        if let Some(factors) = job.factors {
            to.iter_mut().zip(factors).for_each(|(x, factor)| *x *= factor);
        }
    }
}

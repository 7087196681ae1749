//! A few sequences on their way through the network and back.
//!
//! Forward, every chunk of time passes through all layers of a [stage](super::stage) before the next one starts. What is kept
//! for the way back is what the neurons trace of every step (the membrane potential, the input current where they run from
//! equations, or what a gated cell keeps), their outputs, spikes as bits, and their other states before every chunk. With `checkpoint_steps`, that is kept
//! of one segment of time only, and the state before every segment: on the way back each segment runs forward once more, by the
//! same code and hence with the same bits. Networks of several stages keep it of the whole sequence.
//!
//! Truncated, a run covers a window of time, and goes on from the state in which the one before ended; or all of it, but
//! no gradient of the state crosses from one window into the one before.

use super::decoder::{Reader, Readings, Score, refill};
use super::inputs::Feed;
use super::job::Job;
use super::joint::{JointArrays, Read};
use super::layer::{Chunk, LayerArrays, LayerGradients, State};
use super::plan::LayerPlan;
use super::stage::Stage;
use barnowl_engine::CHUNK;
use barnowl_engine::gather::{Source, add_gradient};
use barnowl_engine::neurons::Output;
use barnowl_engine::product::{add_outer, set_product};
use barnowl_engine::simd::LANES;
use barnowl_engine::spikes::Entries;
use std::ops::Range;

/// Where the sequences of a tile stand between two windows of time.
#[derive(Debug, Default)]
pub(super) struct Stand {
    layers: Vec<State>,
    score: Score,
}

/// The arrays of a tile, used again for one tile after another.
#[derive(Debug, Default)]
pub(super) struct Tile {
    layers: Vec<LayerArrays>,
    joints: Vec<JointArrays>,
    pub(super) readings: Readings,
    /// The outputs of every layer that are not zero: spikes.
    pub(super) spikes: Vec<u64>,
    /// The spikes of every neuron, `[width]` of every layer, if they are counted.
    pub(super) by_neuron: Vec<Vec<u64>>,
    /// The data as they are read forward, and from the end.
    feeds: [Feed; 2],
    /// When each neuron spiked a step before, or each input channel had an event.
    entries: Entries,
}

impl Tile {
    /// Runs the job: forward, and back if it is to be trained on, adding to `gradients`. With `stand`, a window that does
    /// not begin with the first step goes on from there; with `leave`, it leaves there where it ends.
    pub(super) fn run(
        &mut self,
        job: &Job<'_>,
        gradients: &mut [LayerGradients],
        stand: Option<&mut Stand>,
        leave: bool,
    ) {
        self.start(job);
        let window = job.reader.window.clone();
        match job.plan.is_one_stage() {
            true => {
                // Of a tile whose rows have all ended before the window, it is empty.
                if let Some(stand) = stand.as_deref().filter(|_| window.start > 0) {
                    self.enter(job, stand);
                }
                self.run_segments(job, gradients, stand.filter(|_| leave));
            }
            false => self.run_stages(job, gradients),
        }
        if job.train && window.start == 0 {
            let layers = job.plan.layers.iter().zip(&self.layers);
            for ((layer, arrays), gradients) in layers.zip(gradients) {
                gradients.sums.add_rest(layer.shape, job.reader.rows, &arrays.carry);
            }
        }
    }

    /// Runs a network of one stage, a segment at a time.
    fn run_segments(
        &mut self,
        job: &Job<'_>,
        gradients: &mut [LayerGradients],
        stand: Option<&mut Stand>,
    ) {
        let (window, rows) = (job.reader.window.clone(), job.reader.rows);
        let stage = &job.plan.stages[0];
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
            for (layer, arrays) in job.plan.layers.iter().zip(&mut self.layers) {
                if i > 0 {
                    arrays.rewind(layer, rows, segments[i - 1].len());
                }
                if job.train && segments.len() > 1 {
                    arrays.save(layer, rows, i);
                }
            }
            self.forward(job, stage, segment.clone(), true);
        }
        self.readings.finish(&job.reader);
        if let Some(stand) = stand {
            self.leave(job, segments.last().map_or(0, Range::len), stand);
        }
        if !job.train {
            return;
        }
        for (i, segment) in segments.iter().enumerate().rev() {
            if i + 1 < segments.len() {
                for (layer, arrays) in job.plan.layers.iter().zip(&mut self.layers) {
                    arrays.restore(layer, i);
                }
                self.forward(job, stage, segment.clone(), false);
            }
            if segment.end == window.end || (segment.end - window.start).is_multiple_of(job.cut) {
                self.reset_carries(job, stage);
            }
            self.backward(job, stage, segment.clone(), gradients);
        }
    }

    /// Runs a network of several stages over whole sequences, one stage after the other.
    fn run_stages(&mut self, job: &Job<'_>, gradients: &mut [LayerGradients]) {
        for stage in &job.plan.stages {
            self.forward(job, stage, stage.window(&job.reader.window), true);
            for (joint, arrays) in job.plan.joints.iter().zip(&mut self.joints) {
                if joint.layers.end == stage.layers.end {
                    arrays.gather(job, joint, &self.layers);
                }
            }
        }
        self.readings.finish(&job.reader);
        if !job.train {
            return;
        }
        for stage in job.plan.stages.iter().rev() {
            self.reset_carries(job, stage);
            self.backward(job, stage, stage.window(&job.reader.window), gradients);
        }
    }

    /// Makes room, and sets the state before the first step.
    fn start(&mut self, job: &Job<'_>) {
        let Reader { rows, first, ref window, .. } = job.reader;
        let plan = job.plan;
        self.layers.resize_with(plan.layers.len(), LayerArrays::default);
        self.joints.resize_with(plan.joints.len(), JointArrays::default);
        refill(&mut self.spikes, plan.layers.len(), 0);
        self.by_neuron.clear();
        if job.counts {
            self.by_neuron.extend(plan.layers.iter().map(|layer| vec![0; layer.shape.width]));
        }
        self.readings.start(&job.reader);
        for stage in &plan.stages {
            if stage.reads.is_none() {
                self.feeds[usize::from(stage.backward)].start(job, stage);
            }
            let segment = match plan.is_one_stage() {
                true => job.segment.min(job.cut).min(window.len()),
                false => stage.window(window).len(),
            };
            for place in stage.layers.clone() {
                let layer = &plan.layers[place];
                let initial =
                    job.initial[place].as_ref().map(|all| &all[first * layer.shape.neurons..]);
                self.layers[place].start(layer, rows, segment, initial, job.train);
            }
        }
    }

    /// Goes on where the window before ended.
    fn enter(&mut self, job: &Job<'_>, from: &Stand) {
        let layers = job.plan.layers.iter().zip(&mut self.layers);
        for ((layer, arrays), state) in layers.zip(&from.layers) {
            arrays.set_state(layer, state);
        }
        self.readings.enter(&job.reader, &from.score);
    }

    /// Keeps where a window ends, whose last segment has so many steps.
    fn leave(&self, job: &Job<'_>, steps: usize, to: &mut Stand) {
        to.layers.resize_with(job.plan.layers.len(), State::default);
        let layers = job.plan.layers.iter().zip(&self.layers);
        for ((layer, arrays), state) in layers.zip(&mut to.layers) {
            arrays.state_after(layer, job.reader.rows, steps, state);
        }
        self.readings.leave(&mut to.score);
    }

    /// Lets no gradient flow into the layers of a stage from what follows.
    fn reset_carries(&mut self, job: &Job<'_>, stage: &Stage) {
        for place in stage.layers.clone() {
            self.layers[place].carry.reset(job.plan.layers[place].shape, job.reader.rows);
        }
    }

    /// Runs the layers of a stage over a segment, chunk by chunk.
    fn forward(&mut self, job: &Job<'_>, stage: &Stage, segment: Range<usize>, observe: bool) {
        let (rows, readout) = (job.reader.rows, job.plan.layers.len() - 1);
        for start in segment.clone().step_by(CHUNK) {
            let steps = CHUNK.min(segment.end - start);
            let chunk = Chunk { start, steps, offset: start - segment.start };
            for place in stage.layers.clone() {
                self.forward_chunk(job, stage, place, chunk);
            }
            // On the way back, the readings of a class per step are made there.
            let read = observe && stage.layers.contains(&readout);
            if read && !(job.train && job.reader.decoder.is_per_step()) {
                let output = self.layers[readout].output(job, chunk);
                self.readings.observe(&job.reader, output);
            }
            for place in stage.layers.clone() {
                self.layers[place].end_chunk(&job.plan.layers[place], rows, steps);
            }
        }
        if observe {
            for place in stage.layers.clone() {
                let (layer, arrays) = (&job.plan.layers[place], &self.layers[place]);
                for (k, step) in segment.clone().enumerate() {
                    let running = job.reader.running(step / stage.repeat);
                    self.spikes[place] += arrays.active(layer, k, rows, running);
                    if job.counts {
                        arrays.count(layer, k, rows, running, &mut self.by_neuron[place]);
                    }
                }
            }
        }
    }

    /// Runs one layer over a chunk.
    fn forward_chunk(&mut self, job: &Job<'_>, stage: &Stage, place: usize, chunk: Chunk) {
        let (rows, plan) = (job.reader.rows, job.plan);
        let (below, rest) = self.layers.split_at_mut(place);
        let span = [chunk.start, chunk.steps];
        let source = match (below.last(), stage.reads) {
            (Some(below), _) if place > stage.layers.start => {
                below.source(&plan.layers[place - 1], rows, chunk)
            }
            (_, Some(joint)) => self.joints[joint].source(job, &plan.joints[joint], stage, span),
            _ => {
                let feed = &mut self.feeds[usize::from(stage.backward)];
                if feed.events(job, chunk.start).is_none() {
                    feed.read(job, stage, chunk.start, chunk.steps);
                }
                match feed.events(job, chunk.start) {
                    Some(events) => Source::Events(events),
                    None => Source::Real(feed.numbers()),
                }
            }
        };
        rest[0].forward(&plan.layers[place], rows, source, chunk);
    }

    /// Runs the layers of a stage back over a segment, chunk by chunk.
    fn backward(
        &mut self,
        job: &Job<'_>,
        stage: &Stage,
        segment: Range<usize>,
        gradients: &mut [LayerGradients],
    ) {
        for start in segment.clone().step_by(CHUNK).rev() {
            let steps = CHUNK.min(segment.end - start);
            let chunk = Chunk { start, steps, offset: start - segment.start };
            self.give(job, stage, chunk);
            for place in stage.layers.clone().rev() {
                let readout = place == job.plan.layers.len() - 1;
                let (layer, gradients) = (&job.plan.layers[place], &mut gradients[place]);
                let arrays = &mut self.layers[place];
                if let (Some(counted), false) = (job.counted, readout) {
                    arrays.add_to_given(job, layer, stage.repeat, chunk, &counted[place]);
                }
                arrays.backward(job, layer, readout, chunk, &mut self.entries, gradients);
                self.backward_inputs(job, stage, place, chunk, gradients);
            }
        }
    }

    /// Gives the last layer of a stage the gradient of what it passes on, or of what is decoded of it.
    fn give(&mut self, job: &Job<'_>, stage: &Stage, chunk: Chunk) {
        let (last, rows) = (stage.layers.end - 1, job.reader.rows);
        let mut given = std::mem::take(&mut self.layers[last].given);
        let joint = job.plan.joints.iter().position(|joint| joint.layers.contains(&last));
        match joint {
            None => {
                let output = self.layers[last].output(job, chunk);
                self.readings.gradient(&job.reader, output, &mut given);
            }
            Some(joint) => {
                let size = chunk.steps * rows * job.plan.layers[last].shape.width;
                let (joint, arrays) = (&job.plan.joints[joint], &self.joints[joint]);
                arrays.give(job, joint, last, chunk.start, &mut given[..size]);
            }
        }
        self.layers[last].given = given;
    }

    /// Adds the gradient of a layer's input weights over a chunk, and hands on that of its inputs.
    fn backward_inputs(
        &mut self,
        job: &Job<'_>,
        stage: &Stage,
        place: usize,
        chunk: Chunk,
        gradients: &mut LayerGradients,
    ) {
        let (layer, rows) = (&job.plan.layers[place], job.reader.rows);
        let (entries, wide) = (chunk.steps * rows, layer.currents());
        let (below, rest) = self.layers.split_at_mut(place);
        let g = rest[0].current_gradient(layer, entries);
        let weights = &mut gradients.input;
        let mut sorted = |entries: &mut Entries, bits: &[u16], blocks: usize| {
            entries.fill(bits, blocks);
            add_gradient(entries, false, g, wide, weights);
        };
        match (below.last_mut(), stage.reads) {
            (Some(arrays), _) if place > stage.layers.start => {
                let from: &LayerPlan = &job.plan.layers[place - 1];
                let width = from.shape.width;
                let places = chunk.offset + 1..chunk.offset + 1 + chunk.steps;
                match from.shape.output {
                    Output::Numbers => {
                        let s = arrays.numbers_of(from, rows, places);
                        add_outer(s, width, g, wide, weights);
                    }
                    Output::Spikes | Output::Trace => {
                        let blocks = width / LANES;
                        let bits = &arrays.bits[places.start * rows * blocks..];
                        sorted(&mut self.entries, &bits[..entries * blocks], blocks);
                    }
                }
                let given = &mut arrays.given[..entries * width];
                set_product(g, wide, &layer.input.transposed, given, width);
            }
            (_, Some(number)) => {
                let (joint, arrays) = (&job.plan.joints[number], &mut self.joints[number]);
                match arrays.read(job, joint, stage, [chunk.start, chunk.steps]) {
                    Read::Numbers(s) => add_outer(s, joint.columns.width(), g, wide, weights),
                    Read::Bits(bits) => {
                        sorted(&mut self.entries, bits, joint.columns.width() / LANES);
                    }
                }
                let given = arrays.chunk_gradient(joint, entries);
                set_product(g, wide, &layer.input.transposed, given, joint.columns.width());
                arrays.add_gradient(job, joint, stage, chunk.start);
            }
            _ => {
                let feed = &mut self.feeds[usize::from(stage.backward)];
                let has_events = feed.events(job, chunk.start).is_some();
                if !has_events || job.threshold.is_some() {
                    feed.read(job, stage, chunk.start, chunk.steps);
                }
                match feed.events(job, chunk.start) {
                    None => add_outer(feed.numbers(), layer.inputs.width(), g, wide, weights),
                    Some(events) => {
                        let shape = [chunk.steps, rows];
                        let channels = layer.inputs.width();
                        for negative in [false, true] {
                            if self.entries.fill_events(events, shape, channels, negative) {
                                add_gradient(&self.entries, negative, g, wide, weights);
                            }
                        }
                    }
                }
                if let Some(threshold) = job.threshold {
                    gradients.threshold +=
                        feed.threshold_gradient(layer, g, threshold, job.surrogate);
                }
            }
        }
    }
}

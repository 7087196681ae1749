//! A layer of a tile: its arrays, and a chunk of it forward and back.

use super::decoder::Output;
use super::job::Job;
use super::plan::LayerPlan;
use crate::loss::DecoderKind;
use barnowl_engine::CHUNK;
use barnowl_engine::floats::Floats;
use barnowl_engine::gather::{Source, add_gradient, drive};
use barnowl_engine::neurons::{Backward, Carry, Forward, Output as Passes, Sums};
use barnowl_engine::product::add_outer;
use barnowl_engine::simd::LANES;
use barnowl_engine::spikes::{Entries, Lists};

/// The gradients of a layer, summed over the sequences of one or more tiles.
#[derive(Debug, Default)]
pub(super) struct LayerGradients {
    /// `[inputs, gates · width]`.
    pub(super) input: Floats,
    /// `[neurons, gates · width]`, or `[width, …]` of those that pass on real numbers; empty in a feed-forward layer.
    pub(super) recurrent: Floats,
    pub(super) sums: Sums,
    /// Of a layer that reads the data: that of the threshold of these.
    pub(super) threshold: f64,
}

impl LayerGradients {
    /// Zero.
    pub(super) fn reset(&mut self, layer: &LayerPlan) {
        self.input.refill(layer.inputs.width() * layer.currents(), 0.0);
        let recurrent = if layer.recurrent.is_some() { layer.own().width() } else { 0 };
        self.recurrent.refill(recurrent * layer.currents(), 0.0);
        self.sums.reset(layer.shape);
        self.threshold = 0.0;
    }
}

/// The state of a layer after a step.
#[derive(Debug, Default)]
pub(super) struct State {
    trace: Floats,
    planes: Floats,
    bits: Vec<u16>,
    numbers: Floats,
}

/// A chunk of a segment of time.
#[derive(Clone, Copy)]
pub(super) struct Chunk {
    /// Its first step.
    pub(super) start: usize,
    pub(super) steps: usize,
    /// How many steps after the segment it begins.
    pub(super) offset: usize,
}

/// The arrays of a layer. `rows` and `width` are those of tile and layer; a segment starts with the step before it.
#[derive(Debug, Default)]
pub(super) struct LayerArrays {
    /// What the neurons keep of every step, `[segment + 1, rows, traced · width]`.
    trace: Floats,
    /// The input currents of a chunk, `[CHUNK, rows, gates · width]`, unless the trace begins as these.
    current: Floats,
    /// s as bits, `[segment + 1, rows, blocks]`; none unless they spike.
    pub(super) bits: Vec<u16>,
    /// s as numbers, `[segment + 1, rows, width]`; none unless they are such.
    numbers: Floats,
    /// Membrane potentials, `[segment, rows, width]`; none unless they are apart from the trace.
    membrane: Floats,
    /// Their other state, `[states, rows, width]`: of the last step, and before every chunk of the segment.
    state: Floats,
    chunk_states: Floats,
    /// s as lists, of a chunk and the step before it.
    lists: Lists,
    /// The state before every segment.
    saved: Vec<State>,
    /// ∂L/∂s, or ∂L/∂m of the readout, `[CHUNK, rows, width]`.
    pub(super) given: Floats,
    /// gI, `[CHUNK, rows, gates · width]`, and that of its recurrent part where it is apart.
    pub(super) current_gradient: Floats,
    recurrent_gradient: Floats,
    pub(super) carry: Carry,
    scratch: Floats,
}

impl LayerArrays {
    /// Makes room for segments of so many steps, and sets the state before the first.
    pub(super) fn start(
        &mut self,
        layer: &LayerPlan,
        rows: usize,
        segment: usize,
        initial: Option<&[f32]>,
        train: bool,
    ) {
        let shape = layer.shape;
        let (span, currents) = (rows * shape.width, rows * layer.currents());
        // What is longer than needed is cut, what is shorter grows; only the first step needs values.
        self.trace.resize((segment + 1) * span * shape.traced);
        self.state.resize(shape.states * span);
        layer.neurons().rest(&mut self.trace[..span * shape.traced], &mut self.state);
        if let Some(initial) = initial {
            let rows_of = initial.chunks_exact(shape.neurons);
            let to = self.trace[..span * shape.traced].chunks_exact_mut(shape.traced * shape.width);
            for (to, from) in to.zip(rows_of) {
                to[..shape.neurons].copy_from_slice(from);
            }
        }
        self.current.resize(if shape.driven_in_place { 0 } else { CHUNK * currents });
        self.chunk_states.resize(segment.div_ceil(CHUNK) * shape.states * span);
        let spiking = if shape.is_spiking() { span / LANES } else { 0 };
        self.bits.resize((segment + 1) * spiking, 0);
        self.bits[..spiking].fill(0);
        if shape.is_spiking() {
            self.lists.resize((CHUNK + 1) * rows, shape.width);
            for row in 0..rows {
                self.lists.read(row, &[]);
            }
        }
        let numbers = if shape.output == Passes::Numbers { span } else { 0 };
        self.numbers.resize((segment + 1) * numbers);
        self.numbers[..numbers].fill(0.0);
        self.membrane.resize(if shape.membrane_apart { segment * span } else { 0 });
        if train {
            self.given.resize(CHUNK * span);
            self.current_gradient.resize(CHUNK * currents);
            let apart = if shape.recurrent_apart { CHUNK * currents } else { 0 };
            self.recurrent_gradient.resize(apart);
        }
    }

    /// Makes the last step of a segment of `steps` steps the step before the next one.
    pub(super) fn rewind(&mut self, layer: &LayerPlan, rows: usize, steps: usize) {
        let span = rows * layer.shape.width;
        let traced = span * layer.shape.traced;
        self.trace.copy_within(steps * traced..(steps + 1) * traced, 0);
        match layer.shape.output {
            Passes::Spikes => {
                let blocks = span / LANES;
                self.bits.copy_within(steps * blocks..(steps + 1) * blocks, 0);
            }
            Passes::Numbers => self.numbers.copy_within(steps * span..(steps + 1) * span, 0),
            Passes::Trace => {}
        }
    }

    /// Saves the state before segment `index`.
    pub(super) fn save(&mut self, layer: &LayerPlan, rows: usize, index: usize) {
        if self.saved.len() <= index {
            self.saved.resize_with(index + 1, Default::default);
        }
        let mut saved = std::mem::take(&mut self.saved[index]);
        self.state_after(layer, rows, 0, &mut saved);
        self.saved[index] = saved;
    }

    /// Goes back to the state before segment `index`.
    pub(super) fn restore(&mut self, layer: &LayerPlan, index: usize) {
        let saved = std::mem::take(&mut self.saved[index]);
        self.set_state(layer, &saved);
        self.saved[index] = saved;
    }

    /// The state after so many steps of the segment; its planes are those of the last step run.
    pub(super) fn state_after(&self, layer: &LayerPlan, rows: usize, steps: usize, to: &mut State) {
        let span = rows * layer.shape.width;
        let traced = span * layer.shape.traced;
        to.trace.copy_of(&self.trace[steps * traced..(steps + 1) * traced]);
        to.planes.copy_of(&self.state);
        let blocks = span / LANES;
        self.bits.get(steps * blocks..(steps + 1) * blocks).unwrap_or(&[]).clone_into(&mut to.bits);
        to.numbers.copy_of(self.numbers.get(steps * span..(steps + 1) * span).unwrap_or(&[]));
    }

    /// Sets the state before a segment.
    pub(super) fn set_state(&mut self, layer: &LayerPlan, from: &State) {
        self.trace[..from.trace.len()].copy_from_slice(&from.trace);
        self.state.copy_from_slice(&from.planes);
        self.numbers[..from.numbers.len()].copy_from_slice(&from.numbers);
        self.bits[..from.bits.len()].copy_from_slice(&from.bits);
        for (row, bits) in from.bits.chunks_exact(layer.shape.width / LANES).enumerate() {
            self.lists.read(row, bits);
        }
    }

    /// Runs a chunk forward.
    pub(super) fn forward(
        &mut self,
        layer: &LayerPlan,
        rows: usize,
        source: Source<'_>,
        Chunk { steps, offset, .. }: Chunk,
    ) {
        let shape = layer.shape;
        let span = rows * shape.width;
        let traced = span * shape.traced;
        let trace = &mut self.trace[offset * traced..(offset + steps + 1) * traced];
        let current = match shape.driven_in_place {
            true => &mut trace[traced..],
            false => &mut self.current[..steps * rows * layer.currents()],
        };
        drive(&layer.bias, &layer.input, source, rows, current);
        let states = self.state.len();
        self.chunk_states[offset / CHUNK * states..][..states].copy_from_slice(&self.state);
        let blocks = if shape.is_spiking() { span / LANES } else { 0 };
        let numbers = if shape.output == Passes::Numbers { span } else { 0 };
        let membrane = if shape.membrane_apart { span } else { 0 };
        let chunk = Forward {
            rows,
            steps,
            trace,
            current: &self.current,
            state: &mut self.state,
            bits: &mut self.bits[offset * blocks..(offset + steps + 1) * blocks],
            lists: &mut self.lists,
            numbers: &mut self.numbers[offset * numbers..(offset + steps + 1) * numbers],
            membrane: &mut self.membrane[offset * membrane..(offset + steps) * membrane],
            scratch: &mut self.scratch,
        };
        layer.neurons().forward(layer.recurrent.as_ref(), chunk);
    }

    /// What the layer above reads of the chunk that was run last.
    pub(super) fn source(
        &self,
        layer: &LayerPlan,
        rows: usize,
        Chunk { steps, offset, .. }: Chunk,
    ) -> Source<'_> {
        match layer.shape.output {
            Passes::Numbers => {
                Source::Real(self.numbers_of(layer, rows, offset + 1..offset + 1 + steps))
            }
            Passes::Spikes | Passes::Trace => Source::Spikes { lists: &self.lists, first: rows },
        }
    }

    /// Ends a chunk: its last step is the one before the next.
    pub(super) fn end_chunk(&mut self, layer: &LayerPlan, rows: usize, steps: usize) {
        if layer.shape.is_spiking() {
            self.lists.rewind(steps * rows, rows);
        }
    }

    /// s as numbers at some places of the segment, 0 being the step before it.
    pub(super) fn numbers_of(
        &self,
        layer: &LayerPlan,
        rows: usize,
        places: std::ops::Range<usize>,
    ) -> &[f32] {
        let span = rows * layer.shape.width;
        &self.numbers[places.start * span..places.end * span]
    }

    /// The spikes of a row at a step of the segment, as bits.
    pub(super) fn bits_of(
        &self,
        layer: &LayerPlan,
        step: usize,
        row: usize,
        rows: usize,
    ) -> &[u16] {
        let blocks = layer.shape.width / LANES;
        &self.bits[((step + 1) * rows + row) * blocks..][..blocks]
    }

    /// Adds what a row passed on at a step of the segment, divided by `by`.
    pub(super) fn add_output(
        &self,
        layer: &LayerPlan,
        step: usize,
        row: usize,
        rows: usize,
        by: f32,
        to: &mut [f32],
    ) {
        match layer.shape.output {
            Passes::Numbers => {
                let at = ((step + 1) * rows + row) * to.len();
                let from = &self.numbers[at..at + to.len()];
                to.iter_mut().zip(from).for_each(|(to, s)| *to += s / by);
            }
            Passes::Spikes | Passes::Trace => {
                let bits = self.bits_of(layer, step, row, rows);
                for (to, mask) in to.chunks_exact_mut(LANES).zip(bits) {
                    for (lane, to) in to.iter_mut().enumerate() {
                        *to += f32::from(mask >> lane & 1) / by;
                    }
                }
            }
        }
    }

    /// Counts the outputs that are not zero of the first `running` rows at a step of the segment: spikes, if they are such.
    pub(super) fn active(
        &self,
        layer: &LayerPlan,
        step: usize,
        rows: usize,
        running: usize,
    ) -> u64 {
        match layer.shape.output {
            Passes::Spikes => {
                let blocks = layer.shape.width / LANES;
                let bits = &self.bits[(step + 1) * rows * blocks..][..running * blocks];
                bits.iter().map(|mask| u64::from(mask.count_ones())).sum()
            }
            Passes::Numbers => {
                let at = (step + 1) * rows;
                let numbers = self.numbers_of(layer, 1, at..at + running);
                numbers.iter().map(|s| u64::from(*s != 0.0)).sum()
            }
            Passes::Trace => 0,
        }
    }

    /// Adds the spikes of every neuron, `[width]`, of the first `running` rows at a step of the segment.
    pub(super) fn count(
        &self,
        layer: &LayerPlan,
        step: usize,
        rows: usize,
        running: usize,
        counts: &mut [u64],
    ) {
        if !layer.shape.is_spiking() {
            return;
        }
        for row in 0..running {
            for (block, mask) in self.bits_of(layer, step, row, rows).iter().enumerate() {
                let mut mask = *mask;
                while mask != 0 {
                    counts[block * LANES + mask.trailing_zeros() as usize] += 1;
                    mask &= mask - 1;
                }
            }
        }
    }

    /// What the readout put out over a chunk.
    pub(super) fn output<'a>(
        &'a self,
        job: &Job<'_>,
        Chunk { start, steps, offset }: Chunk,
    ) -> Output<'a> {
        let span = job.reader.rows * job.reader.width;
        let blocks = span / LANES;
        let steps_of = offset + 1..offset + 1 + steps;
        let membrane = match job.plan.readout().shape.membrane_apart {
            true => &self.membrane[offset * span..(offset + steps) * span],
            false => &self.trace[steps_of.start * span..steps_of.end * span],
        };
        Output {
            membrane,
            bits: self.bits.get(steps_of.start * blocks..steps_of.end * blocks).unwrap_or(&[]),
            start,
        }
    }

    /// Adds to ∂L/∂s of a chunk the gradient of something that counts the spikes of each neuron, where a row has not ended.
    pub(super) fn add_to_given(
        &mut self,
        job: &Job<'_>,
        layer: &LayerPlan,
        repeat: usize,
        Chunk { start, steps, .. }: Chunk,
        g: &[f32],
    ) {
        let width = layer.shape.width;
        let span = job.reader.rows * width;
        for (step, given) in (start..start + steps).zip(self.given.chunks_exact_mut(span)) {
            let running = job.reader.running(step / repeat);
            for row in given.chunks_exact_mut(width).take(running) {
                row.iter_mut().zip(g).for_each(|(given, g)| *given += g);
            }
        }
    }

    /// Runs a chunk of the layer's neurons back, from what was given; adds the gradients of the neurons and of their
    /// recurrent weights.
    pub(super) fn backward(
        &mut self,
        job: &Job<'_>,
        layer: &LayerPlan,
        readout: bool,
        Chunk { steps, offset, .. }: Chunk,
        entries: &mut Entries,
        gradients: &mut LayerGradients,
    ) {
        let (rows, shape) = (job.reader.rows, layer.shape);
        let span = rows * shape.width;
        let traced = span * shape.traced;
        let counted = job.reader.decoder.kind == DecoderKind::SpikeCount;
        let given = &self.given[..steps * span];
        let (spikes_gradient, membrane_gradient) =
            if readout && !counted { (None, Some(given)) } else { (Some(given), None) };
        let blocks = if shape.is_spiking() { span / LANES } else { 0 };
        let numbers = if shape.output == Passes::Numbers { span } else { 0 };
        let states = shape.states * span;
        let chunk = Backward {
            rows,
            steps,
            trace: &self.trace[offset * traced..(offset + steps + 1) * traced],
            bits: &self.bits[offset * blocks..(offset + steps + 1) * blocks],
            numbers: &self.numbers[offset * numbers..(offset + steps + 1) * numbers],
            state: &self.chunk_states[offset / CHUNK * states..][..states],
            spikes_gradient,
            membrane_gradient,
            carry: &mut self.carry,
            current_gradient: &mut self.current_gradient,
            recurrent_gradient: &mut self.recurrent_gradient,
            sums: &mut gradients.sums,
            scratch: &mut self.scratch,
        };
        let surrogate = layer.surrogate.unwrap_or(job.surrogate);
        layer.neurons().backward(layer.recurrent.as_ref(), surrogate, chunk);
        if layer.recurrent.is_none() {
            return;
        }
        let wide = layer.currents();
        let g =
            if shape.recurrent_apart { &self.recurrent_gradient } else { &self.current_gradient };
        let g = &g[..steps * rows * wide];
        match shape.output {
            Passes::Numbers => {
                // The s that entered a step stands at the place before it.
                let before = &self.numbers[offset * span..(offset + steps) * span];
                add_outer(before, shape.width, g, wide, &mut gradients.recurrent);
            }
            Passes::Spikes | Passes::Trace => {
                let bits = &self.bits[offset * blocks..(offset + steps) * blocks];
                entries.fill(bits, shape.width / LANES);
                add_gradient(entries, false, g, wide, &mut gradients.recurrent);
            }
        }
    }

    /// gI of the chunk that was run back last.
    pub(super) fn current_gradient(&self, layer: &LayerPlan, entries: usize) -> &[f32] {
        &self.current_gradient[..entries * layer.currents()]
    }
}

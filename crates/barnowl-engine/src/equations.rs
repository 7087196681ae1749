//! Neurons that run from their equations: any [`Model`], a chunk of steps at a time.
//!
//! The trace is the input current with its recurrent part, so that on the way back a chunk's states are computed once more
//! from those before it, without a gather. Then comes ψ of all its spikes at once, and then each step runs back.

use super::ROWS;
use super::code::{Code, Compiled, Machine};
use super::compiled::CompiledKernels;
use super::floats::Floats;
use super::gather::{add_rows, for_column_groups};
use super::neurons::{Backward, Carry, Forward, Neurons, Shape, Sums};
use super::product::set_product;
use super::psi::pseudo_derivatives;
use super::simd::{Isa, LANES, blocks_mut, dispatch, padded, valid};
use super::spikes::Lists;
use super::weights::Weights;
use barnowl_model::{Kernels, Model, Program};
use barnowl_neuron::Surrogate;
use std::sync::Arc;

/// The neurons of a layer.
#[derive(Debug)]
pub struct Equations {
    model: Arc<Model>,
    neurons: usize,
    width: usize,
    /// The neurons of every block that are not padding.
    valid: Vec<u16>,
    forward: Code,
    replay: Code,
    backward: Code,
    /// Whether the membrane potential is observed.
    observed: bool,
    /// How many spikes a step has.
    spikes: usize,
    /// The number of the state that is s, if one is.
    emitted: Option<usize>,
    /// Which constants have a gradient.
    differentiated: Vec<usize>,
    /// The gradient of the constants by the parameters.
    constants_back: Program,
    /// That of the states before the first step likewise.
    rest_back: Program,
    /// For every constant and row of a tile, `[constants][ROWS, width]`.
    constants: Floats,
    /// The states before the first step, `[states][width]`.
    rest: Floats,
}

impl Equations {
    /// Neurons of a layer of the given size, whose parameters are still to be [set](Neurons::set). Of the parameters, in
    /// order, some are `trained`.
    pub fn new(model: Arc<Model>, neurons: usize, trained: &[bool]) -> Self {
        let (kernels, compiled) = match compiled(&model) {
            None => (Kernels::new(&model, trained), [None; 3]),
            // What is compiled gives the gradients of the parameters that are usually trained, or of all.
            Some((CompiledKernels { forward, replay, backward_usual, .. }, usual))
                if usual == trained =>
            {
                let compiled = [forward, replay, backward_usual].map(Some);
                (Kernels::new(&model, trained), compiled)
            }
            Some((CompiledKernels { forward, replay, backward, .. }, _)) => {
                let compiled = [forward, replay, backward].map(Some);
                (Kernels::new(&model, &vec![true; trained.len()]), compiled)
            }
        };
        Self::of(model, neurons, kernels, compiled)
    }

    /// The same whose membrane potentials are observed, and may have gradients; `None` if the model has no
    /// [membrane](Model::membrane). They are interpreted, built in or not: a readout has a few neurons only.
    pub fn observed(model: Arc<Model>, neurons: usize, trained: &[bool]) -> Option<Self> {
        let kernels = Kernels::observed(&model, trained)?;
        Some(Self { observed: true, ..Self::of(model, neurons, kernels, [None; 3]) })
    }

    fn of(
        model: Arc<Model>,
        neurons: usize,
        kernels: Kernels,
        [forward, replay, backward]: [Option<Compiled>; 3],
    ) -> Self {
        let width = padded(neurons);
        let states = model.states().len();
        let constants = model.constants().outputs().len();
        Self {
            observed: false,
            forward: Code::new(&kernels.forward, kernels.forward.outputs().len(), forward),
            replay: Code::new(&kernels.replay, states + kernels.spikes, replay),
            backward: Code::new(&kernels.backward, kernels.written, backward),
            spikes: kernels.spikes,
            emitted: kernels.emitted,
            differentiated: kernels.constants,
            constants_back: model.constants().adjoint(),
            rest_back: model.rest().adjoint(),
            constants: Floats::zeros(constants * ROWS * width),
            rest: Floats::zeros(states * width),
            valid: valid(neurons),
            neurons,
            width,
            model,
        }
    }

    /// Sets the constants, `[constants][H]`, without the parameters that they are of. The state before the first step is
    /// then still to be given.
    pub fn set_constants(&mut self, values: &[f32]) {
        let (neurons, width) = (self.neurons, self.width);
        let planes = self.constants.chunks_exact_mut(ROWS * width);
        for (plane, values) in planes.zip(values.chunks_exact(neurons)) {
            for row in plane.chunks_exact_mut(width) {
                row[..neurons].copy_from_slice(values);
                row[neurons..].fill(values[0]);
            }
        }
    }

    /// The gradients of the constants, `[constants][H]`, zero of those that have none.
    pub fn constant_gradients(&self, sums: &Sums) -> Vec<f32> {
        let mut gradients = vec![0.0; self.constant_count() * self.neurons];
        for (place, number) in self.differentiated.iter().enumerate() {
            let to = &mut gradients[number * self.neurons..(number + 1) * self.neurons];
            let sums = &sums.constants[place * self.width..];
            to.iter_mut().zip(sums).for_each(|(to, sum)| *to = *sum as f32);
        }
        gradients
    }

    /// Constant `number` of the neurons of so many rows.
    fn constant(&self, number: usize, rows: usize) -> &[f32] {
        &self.constants[number * ROWS * self.width..][..rows * self.width]
    }

    /// How many constants there are.
    fn constant_count(&self) -> usize {
        self.constants.len() / (ROWS * self.width)
    }
}

/// The parameters and the states are those of the equations.
impl Neurons for Equations {
    fn shape(&self) -> Shape {
        let (states, constants) = (self.model.states().len(), self.differentiated.len());
        let shape = Shape::of_spiking(self.neurons, self.width, states, constants);
        let membrane_apart = self.observed;
        Shape { carried: states, trace_is_state: false, membrane_apart, ..shape }
    }

    fn set(&mut self, parameters: &[Vec<f32>], dt: f32) {
        let (neurons, width) = (self.neurons, self.width);
        let mut inputs = vec![dt; (parameters.len() + 1) * width];
        for (plane, values) in inputs.chunks_exact_mut(width).zip(parameters) {
            for (i, value) in plane.iter_mut().enumerate() {
                // The padding is as the first neuron, so that nothing in it is undefined.
                let neuron = if i < neurons { i } else { 0 };
                *value = values[neuron.min(values.len() - 1)];
            }
        }
        let run = |program: &Program| {
            let mut outputs = vec![0.0; program.outputs().len() * width];
            let mut scratch = vec![0.0; program.scratch()];
            program.run_planes(width, &inputs, &mut outputs, &mut scratch, |_| 0.0);
            outputs
        };
        let constants = run(self.model.constants());
        self.rest.copy_from_slice(&run(self.model.rest()));
        let planes = self.constants.chunks_exact_mut(ROWS * width);
        for (plane, values) in planes.zip(constants.chunks_exact(width)) {
            plane.chunks_exact_mut(width).for_each(|row| row.copy_from_slice(values));
        }
    }

    fn parameter_gradients(&self, sums: &Sums, parameters: &[Vec<f32>], dt: f32) -> Vec<Vec<f64>> {
        let count = self.model.constants().outputs().len();
        let mut gradients = vec![vec![0.0; self.neurons]; parameters.len()];
        let mut found = vec![0.0; parameters.len() + 1];
        for neuron in 0..self.neurons {
            let value = |values: &Vec<f32>| f64::from(values[neuron.min(values.len() - 1)]);
            let mut given: Vec<f64> = parameters.iter().map(value).collect();
            given.push(f64::from(dt));
            let mut of_constants = vec![0.0; count];
            for (place, number) in self.differentiated.iter().enumerate() {
                of_constants[*number] = sums.constants[place * self.width + neuron];
            }
            let mut of_rest = given.clone();
            of_rest.extend(sums.rest.iter().skip(neuron).step_by(self.width));
            given.extend(of_constants);
            for (program, given) in [(&self.constants_back, given), (&self.rest_back, of_rest)] {
                program.run(&given, &mut found, |_| 0.0);
                gradients.iter_mut().zip(&found).for_each(|(to, g)| to[neuron] += *g);
            }
        }
        gradients
    }

    fn rest(&self, trace: &mut [f32], state: &mut [f32]) {
        // The current before the first step is no one's.
        trace.fill(0.0);
        if trace.is_empty() {
            return;
        }
        for (plane, rest) in
            state.chunks_exact_mut(trace.len()).zip(self.rest.chunks_exact(self.width))
        {
            plane.chunks_exact_mut(self.width).for_each(|row| row.copy_from_slice(rest));
        }
    }

    fn forward(&self, recurrent: Option<&Weights>, chunk: Forward<'_>) {
        let Forward { rows, steps, trace, state, bits, lists, membrane, scratch, .. } = chunk;
        let span = rows * self.width;
        let stride = self.width / LANES;
        // The states after a step, s, and what the interpreter works in.
        scratch.resize(state.len() + span + self.forward.memory());
        let (mut next, rest) = scratch.split_at_mut(state.len());
        let (s, memory) = rest.split_at_mut(span);
        let mut now = state;
        let mut machine = Machine::new(&self.forward, memory);
        for k in 0..steps {
            let current = &mut trace[(k + 1) * span..(k + 2) * span];
            if let Some(weights) = recurrent {
                add_recurrent(&weights.rows, lists, k * rows, self.width, current);
            }
            let mut call = machine.call(rows, stride);
            call.input(current);
            call.inputs(now);
            for number in 0..self.constant_count() {
                call.input(self.constant(number, rows));
            }
            call.outputs(next);
            if self.emitted.is_none() {
                call.output(s);
            }
            if self.observed {
                call.output(&mut membrane[k * span..(k + 1) * span]);
            }
            call.run();
            let s = match self.emitted {
                Some(number) => &next[number * span..(number + 1) * span],
                None => &*s,
            };
            let bits = &mut bits[(k + 1) * rows * stride..(k + 2) * rows * stride];
            emit(s, &self.valid, bits, lists, (k + 1) * rows);
            std::mem::swap(&mut now, &mut next);
        }
        if steps % 2 == 1 {
            // They have changed places.
            next.copy_from_slice(now);
        }
    }

    fn backward(&self, recurrent: Option<&Weights>, surrogate: Surrogate, chunk: Backward<'_>) {
        let Backward { rows, steps, trace, state, carry, current_gradient, sums, .. } = chunk;
        let span = rows * self.width;
        let stride = self.width / LANES;
        let states = state.len();
        let given = chunk.spikes_gradient;
        // States before every step, v and then ψ of every spike, ∂L/∂states of the step before, zeros, and sums.
        let sizes = [
            (steps + 1) * states,
            steps * self.spikes * span,
            states,
            span,
            (1 + self.differentiated.len()) * self.width,
            self.replay.memory().max(self.backward.memory()),
        ];
        let scratch = chunk.scratch;
        scratch.resize(sizes.iter().sum());
        let (before, rest) = scratch.split_at_mut(sizes[0]);
        let (psi, rest) = rest.split_at_mut(sizes[1]);
        let (mut earlier, rest) = rest.split_at_mut(sizes[2]);
        let (none, rest) = rest.split_at_mut(sizes[3]);
        let (added, memory) = rest.split_at_mut(sizes[4]);
        added.fill(0.0);
        none.fill(0.0);
        before[..states].copy_from_slice(state);
        {
            let mut machine = Machine::new(&self.replay, memory);
            for k in 0..steps {
                let (now, next) = before[k * states..(k + 2) * states].split_at_mut(states);
                let mut call = machine.call(rows, stride);
                call.input(&trace[(k + 1) * span..(k + 2) * span]);
                call.inputs(now);
                for number in 0..self.constant_count() {
                    call.input(self.constant(number, rows));
                }
                call.outputs(next);
                call.outputs(&mut psi[k * self.spikes * span..(k + 1) * self.spikes * span]);
                call.run();
            }
        }
        pseudo_derivatives(surrogate, psi);
        let Carry { s: carry_s, state: carried } = carry;
        let mut carried = &mut carried[..];
        let mut machine = Machine::new(&self.backward, memory);
        for k in (0..steps).rev() {
            let mut call = machine.call(rows, stride);
            call.input(&trace[(k + 1) * span..(k + 2) * span]);
            call.inputs(&before[k * states..(k + 1) * states]);
            for number in 0..self.constant_count() {
                call.input(self.constant(number, rows));
            }
            call.inputs(&psi[k * self.spikes * span..(k + 1) * self.spikes * span]);
            call.input(given.map_or(&*none, |given| &given[k * span..(k + 1) * span]));
            call.input(carry_s);
            call.inputs(carried);
            if self.observed {
                let given = chunk.membrane_gradient;
                call.input(given.map_or(&*none, |given| &given[k * span..(k + 1) * span]));
            }
            call.output(&mut current_gradient[k * span..(k + 1) * span]);
            call.outputs(earlier);
            call.sums(added);
            call.run();
            std::mem::swap(&mut carried, &mut earlier);
            if let Some(weights) = recurrent {
                let g = &current_gradient[k * span..(k + 1) * span];
                set_product(g, self.width, &weights.transposed, carry_s, self.width);
            }
        }
        if steps % 2 == 1 {
            // They have changed places.
            earlier.copy_from_slice(carried);
        }
        // The bias comes first there.
        added.rotate_left(self.width);
        sums.add_chunk(added);
    }
}

/// Of every state, whether it is s.
fn emitted(model: &Model) -> impl Iterator<Item = bool> {
    model.states().iter().map(|state| state.emitted)
}

/// What was compiled of a model, and which of its parameters that takes for trained: of a built-in one, if the equations are
/// those.
fn compiled(model: &Model) -> Option<(CompiledKernels, Vec<bool>)> {
    let found = super::compiled::find(model.name())?;
    let built_in = barnowl_model::built_in(model.name()).ok()?;
    let same = built_in.step() == model.step()
        && built_in.constants() == model.constants()
        && emitted(&built_in).eq(emitted(model));
    let trained = built_in.parameters().iter().map(|parameter| parameter.trained).collect();
    same.then_some((found, trained))
}

dispatch! {
    /// Adds the recurrent part of a step's current, `[rows, width]`.
    fn add_recurrent(weights: &[f32], lists: &Lists, first: usize, width: usize, current: &mut [f32]) = add_recurrent_kernel
}

#[inline(always)]
fn add_recurrent_kernel<I: Isa>(
    isa: I,
    weights: &[f32],
    lists: &Lists,
    first: usize,
    width: usize,
    current: &mut [f32],
) {
    let stride = width / LANES;
    let weights = super::simd::blocks(weights);
    for (row, current) in blocks_mut(current).chunks_exact_mut(stride).enumerate() {
        let list = lists.entry(first + row);
        for_column_groups!(I, stride, |column, V| {
            let mut sum = [isa.splat(0.0); V];
            for v in 0..V {
                sum[v] = isa.load(&current[column + v]);
            }
            let sum = add_rows::<I, V>(isa, weights, stride, column, list, sum);
            for v in 0..V {
                isa.store(sum[v], &mut current[column + v]);
            }
        });
    }
}

dispatch! {
    /// Writes the spikes of a step, `[rows, width]` of zeros and ones, as bits and as lists from `first` on.
    fn emit(s: &[f32], valid: &[u16], bits: &mut [u16], lists: &mut Lists, first: usize) = emit_kernel
}

#[inline(always)]
fn emit_kernel<I: Isa>(
    isa: I,
    s: &[f32],
    valid: &[u16],
    bits: &mut [u16],
    lists: &mut Lists,
    first: usize,
) {
    let stride = valid.len();
    let rows = super::simd::blocks(s).chunks_exact(stride).zip(bits.chunks_exact_mut(stride));
    for (row, (s, bits)) in rows.enumerate() {
        let mut list = lists.writer(first + row);
        for (block, ((s, bits), valid)) in s.iter().zip(bits).zip(valid).enumerate() {
            *bits = isa.positive(isa.load(s)) & valid;
            list.push(isa, *bits, block);
        }
        list.finish();
    }
}

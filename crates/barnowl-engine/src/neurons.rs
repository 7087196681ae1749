//! The seam between the engine and the neurons of a layer: what runs a chunk of time forward and back.
//!
//! A tile asks this of every layer, once a chunk, and knows nothing else of it. Neurons of which speed is asked have
//! kernels written by hand ([`alif`](super::alif), [`integrator`](super::integrator)); any other neuron runs from its
//! equations ([`equations`](super::equations)). Cells that pass on real numbers ([`dense`](super::dense)) are neurons too.

use super::floats::Floats;
use super::spikes::Lists;
use super::weights::Weights;
use barnowl_neuron::Surrogate;

/// What a layer passes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Spikes.
    Spikes,
    /// A real number of every neuron, s like a spike.
    Numbers,
    /// Its trace: membrane potentials that a decoder reads.
    Trace,
}

/// The sizes of a layer's arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// H.
    pub neurons: usize,
    /// H rounded up to whole blocks.
    pub width: usize,
    /// Input currents of a neuron: the gates of gated cells, of others 1.
    pub gates: usize,
    /// Planes of a row that are kept of every step, the trace.
    pub traced: usize,
    /// Whether the input currents come in at their place of the trace. Else the trace is another array.
    pub driven_in_place: bool,
    /// Planes of state from step to step besides the trace.
    pub states: usize,
    /// Planes of gradient that a step hands to the one before it, besides that of s.
    pub carried: usize,
    /// Constants of which the gradient is summed.
    pub constants: usize,
    /// What the neurons pass on.
    pub output: Output,
    /// Whether the trace of a step is state of the next one: their membrane potential. Else it is the input current.
    pub trace_is_state: bool,
    /// Whether what comes from the neurons themselves has another gradient than the input current.
    pub recurrent_apart: bool,
}

impl Shape {
    /// That of neurons with one input current, whose place it takes in the trace.
    pub fn of_spiking(neurons: usize, width: usize, states: usize, constants: usize) -> Self {
        Self {
            neurons,
            width,
            gates: 1,
            traced: 1,
            driven_in_place: true,
            states,
            carried: 1 + states,
            constants,
            output: Output::Spikes,
            trace_is_state: true,
            recurrent_apart: false,
        }
    }

    /// Whether the neurons spike.
    pub fn is_spiking(&self) -> bool {
        self.output == Output::Spikes
    }

    /// Planes of all state from step to step: the trace, if it is, the other planes, and s.
    pub fn planes(&self) -> usize {
        usize::from(self.trace_is_state) + self.states + usize::from(self.is_spiking())
    }
}

/// The neurons of a layer.
///
/// All arrays of a chunk are `[steps, rows, width]`; those of `steps + 1` steps begin with the step before the chunk. A
/// *plane* is `[rows, width]`.
pub trait Neurons: std::fmt::Debug + Send + Sync {
    /// The sizes of their arrays.
    fn shape(&self) -> Shape;

    /// Sets the parameters, in the order of the neurons' own: the value of every neuron, or one for all; time constants in
    /// steps. `dt` is the length of a step in the unit of the others.
    fn set(&mut self, parameters: &[Vec<f32>], dt: f32);

    /// The gradients of the parameters, in order and of every neuron, from sums of those of the constants.
    fn parameter_gradients(&self, sums: &Sums, parameters: &[Vec<f32>], dt: f32) -> Vec<Vec<f64>>;

    /// Sets the state before the first step: a step of the trace, and the planes of the state.
    fn rest(&self, trace: &mut [f32], state: &mut [f32]);

    /// Runs a chunk forward. `recurrent` are the weights among the neurons.
    fn forward(&self, recurrent: Option<&Weights>, chunk: Forward<'_>);

    /// Runs a chunk back.
    fn backward(&self, recurrent: Option<&Weights>, surrogate: Surrogate, chunk: Backward<'_>);
}

/// What a chunk reads and writes on its way forward.
pub struct Forward<'a> {
    /// Batch rows.
    pub rows: usize,
    /// Steps.
    pub steps: usize,
    /// What the neurons keep of every step for the way back, `[steps + 1, rows, traced · width]`. Where they are
    /// [driven in place](Shape::driven_in_place), the input current without its recurrent part comes in at the steps of the
    /// chunk: the trace takes its place.
    pub trace: &'a mut [f32],
    /// The input currents without their recurrent part, `[steps, rows, gates · width]`; empty where they come in place.
    pub current: &'a [f32],
    /// Planes of state, of the step before the chunk; then of its last.
    pub state: &'a mut [f32],
    /// s as bits, `[steps + 1, rows, blocks]`; empty unless the neurons spike.
    pub bits: &'a mut [u16],
    /// s as lists, `(steps + 1) · rows` entries.
    pub lists: &'a mut Lists,
    /// s as real numbers, `[steps + 1, rows, width]`; empty unless the neurons pass on such.
    pub numbers: &'a mut [f32],
    /// Memory to work in.
    pub scratch: &'a mut Floats,
}

/// What a chunk reads and writes on its way back.
pub struct Backward<'a> {
    /// Batch rows.
    pub rows: usize,
    /// Steps.
    pub steps: usize,
    /// As the way forward left it, `[steps + 1, rows, traced · width]`.
    pub trace: &'a [f32],
    /// s likewise, `[steps + 1, rows, blocks]`.
    pub bits: &'a [u16],
    /// s as real numbers, `[steps + 1, rows, width]`, likewise.
    pub numbers: &'a [f32],
    /// The state before the chunk.
    pub state: &'a [f32],
    /// ∂L/∂s without what flows through the layer itself, `[steps, rows, width]`, if any.
    pub spikes_gradient: Option<&'a [f32]>,
    /// ∂L/∂u likewise, u being the membrane potential.
    pub membrane_gradient: Option<&'a [f32]>,
    /// From the chunk after this one; then for the one before it.
    pub carry: &'a mut Carry,
    /// ∂L/∂I, `[steps, rows, gates · width]`, to be written.
    pub current_gradient: &'a mut [f32],
    /// That of the recurrent part of I likewise; empty unless it is [another](Shape::recurrent_apart).
    pub recurrent_gradient: &'a mut [f32],
    /// To be added to.
    pub sums: &'a mut Sums,
    /// Memory to work in.
    pub scratch: &'a mut Floats,
}

/// The gradient that flows from a step to the one before it.
#[derive(Debug, Default)]
pub struct Carry {
    /// What reaches s of the step before, a plane.
    pub s: Floats,
    /// What reaches its trace and its state, as many planes as are [carried](Shape::carried).
    pub state: Floats,
}

impl Carry {
    /// No gradient, as after the last step.
    pub fn reset(&mut self, shape: Shape, rows: usize) {
        let plane = rows * shape.width;
        self.s.refill(plane, 0.0);
        self.state.refill(shape.carried * plane, 0.0);
    }
}

/// Sums over rows and time of a layer's gradients: in double precision, since thousands of steps add up.
#[derive(Debug, Default)]
pub struct Sums {
    /// Of the constants, `[constants][width]`; what each stands for is the neurons' own affair.
    pub constants: Vec<f64>,
    /// Σ gI, the gradient of a bias, `[gates][width]`.
    pub bias: Vec<f64>,
    /// That of a bias of what comes from the neurons themselves; empty unless it is [another](Shape::recurrent_apart).
    pub recurrent_bias: Vec<f64>,
    /// Of the state before the first step, `[states][width]`, where it is of parameters.
    pub rest: Vec<f64>,
}

impl Sums {
    /// Zero.
    pub fn reset(&mut self, shape: Shape) {
        let rest = if shape.trace_is_state { 0 } else { shape.states };
        let apart = if shape.recurrent_apart { shape.gates } else { 0 };
        for (values, planes) in [
            (&mut self.constants, shape.constants),
            (&mut self.bias, shape.gates),
            (&mut self.recurrent_bias, apart),
            (&mut self.rest, rest),
        ] {
            values.clear();
            values.resize(planes * shape.width, 0.0);
        }
    }

    /// Adds another tile's sums.
    pub fn add(&mut self, other: &Self) {
        let parts = [
            (&mut self.constants, &other.constants),
            (&mut self.bias, &other.bias),
            (&mut self.recurrent_bias, &other.recurrent_bias),
            (&mut self.rest, &other.rest),
        ];
        for (to, from) in parts {
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        }
    }

    /// Adds what a chunk that begins with the first step carries to the state before it.
    pub fn add_rest(&mut self, shape: Shape, rows: usize, carry: &Carry) {
        let planes = carry.state.chunks_exact(rows * shape.width);
        for (sums, plane) in self.rest.chunks_exact_mut(shape.width).zip(planes) {
            for row in plane.chunks_exact(shape.width) {
                sums.iter_mut().zip(row).for_each(|(sum, g)| *sum += f64::from(*g));
            }
        }
    }

    /// Adds the sums of a chunk in single precision, `[constants + 1][width]`, the bias last.
    pub fn add_chunk(&mut self, parts: &[f32]) {
        let sums = self.constants.iter_mut().chain(&mut self.bias);
        sums.zip(parts).for_each(|(sum, part)| *sum += f64::from(*part));
    }
}

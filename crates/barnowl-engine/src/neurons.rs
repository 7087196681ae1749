//! The seam between the engine and the neurons of a layer: what runs a chunk of time forward and back.
//!
//! A tile asks this of every layer, once a chunk, and knows nothing else of it. Neurons of which speed is asked have
//! kernels written by hand ([`alif`](super::alif), [`integrator`](super::integrator)); any other neuron runs from its
//! equations ([`equations`](super::equations)).

use super::floats::Floats;
use super::spikes::Lists;
use super::weights::Weights;
use barnowl_neuron::Surrogate;

/// The sizes of a layer's arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// H.
    pub neurons: usize,
    /// H rounded up to whole blocks.
    pub width: usize,
    /// Planes of state from step to step besides the trace.
    pub states: usize,
    /// Constants of which the gradient is summed.
    pub constants: usize,
    /// Whether the neurons spike. Else the trace is what they give.
    pub spiking: bool,
    /// Whether the trace of a step is state of the next one: their membrane potential. Else it is the input current.
    pub trace_is_state: bool,
}

impl Shape {
    /// Planes of all state from step to step: the trace, if it is, the other planes, and s.
    pub fn planes(&self) -> usize {
        usize::from(self.trace_is_state) + self.states + usize::from(self.spiking)
    }
}

/// The neurons of a layer.
///
/// All arrays of a chunk are `[steps, rows, width]`; those of `steps + 1` steps begin with the step before the chunk. A
/// *plane* is `[rows, width]`.
pub trait Neurons: std::fmt::Debug + Send + Sync {
    /// The sizes of their arrays.
    fn shape(&self) -> Shape;

    /// Sets the state before the first step: a plane of the trace, and those of the state.
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
    /// What the neurons keep of every step for the way back, `[steps + 1, rows, width]`. At the steps of the chunk the
    /// input current without its recurrent part comes in: the trace takes its place.
    pub trace: &'a mut [f32],
    /// Planes of state, of the step before the chunk; then of its last.
    pub state: &'a mut [f32],
    /// s as bits, `[steps + 1, rows, blocks]`; empty unless the neurons spike.
    pub bits: &'a mut [u16],
    /// s as lists, `(steps + 1) · rows` entries.
    pub lists: &'a mut Lists,
    /// Memory to work in.
    pub scratch: &'a mut Floats,
}

/// What a chunk reads and writes on its way back.
pub struct Backward<'a> {
    /// Batch rows.
    pub rows: usize,
    /// Steps.
    pub steps: usize,
    /// As the way forward left it, `[steps + 1, rows, width]`.
    pub trace: &'a [f32],
    /// s likewise, `[steps + 1, rows, blocks]`.
    pub bits: &'a [u16],
    /// The state before the chunk.
    pub state: &'a [f32],
    /// ∂L/∂s without what flows through the layer itself, `[steps, rows, width]`, if any.
    pub spikes_gradient: Option<&'a [f32]>,
    /// ∂L/∂u likewise, u being the membrane potential.
    pub membrane_gradient: Option<&'a [f32]>,
    /// From the chunk after this one; then for the one before it.
    pub carry: &'a mut Carry,
    /// ∂L/∂I, `[steps, rows, width]`, to be written.
    pub current_gradient: &'a mut [f32],
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
    /// What reaches its trace and its state, a plane each.
    pub state: Floats,
}

impl Carry {
    /// No gradient, as after the last step.
    pub fn reset(&mut self, shape: Shape, rows: usize) {
        let plane = rows * shape.width;
        self.s.refill(plane, 0.0);
        self.state.refill((1 + shape.states) * plane, 0.0);
    }
}

/// Sums over rows and time of a layer's gradients: in double precision, since thousands of steps add up.
#[derive(Debug, Default)]
pub struct Sums {
    /// Of the constants, `[constants][width]`; what each stands for is the neurons' own affair.
    pub constants: Vec<f64>,
    /// Σ gI, the gradient of a bias, `[width]`.
    pub bias: Vec<f64>,
    /// Of the state before the first step, `[states][width]`, where it is of parameters.
    pub rest: Vec<f64>,
}

impl Sums {
    /// Zero.
    pub fn reset(&mut self, shape: Shape) {
        let rest = if shape.trace_is_state { 0 } else { shape.states };
        for (values, planes) in
            [(&mut self.constants, shape.constants), (&mut self.bias, 1), (&mut self.rest, rest)]
        {
            values.clear();
            values.resize(planes * shape.width, 0.0);
        }
    }

    /// Adds another tile's sums.
    pub fn add(&mut self, other: &Self) {
        let parts = [
            (&mut self.constants, &other.constants),
            (&mut self.bias, &other.bias),
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

//! Neurons that run from their equations, on the CPU.

use super::super::Observe;
use super::backward::{self, Given};
use super::forward;
use super::tensor::{dims, tensor};
use super::tile::Layer;
use barnowl_engine::equations::Equations;
use barnowl_engine::neurons::Neurons;
use barnowl_model::Model;
use barnowl_neuron::Surrogate;
use burn_flex::FlexTensor;
use std::sync::Arc;

/// What the kernels read, forward and backward.
#[derive(Debug, Clone)]
pub(in super::super) struct Arguments {
    /// `[T, B, H]`.
    pub(in super::super) current: FlexTensor,
    /// `[H, H]`, row = presynaptic neuron.
    pub(in super::super) recurrent: Option<FlexTensor>,
    /// `[constants, H]`.
    pub(in super::super) constants: FlexTensor,
    /// `[states + 1, B, H]`, s last.
    pub(in super::super) initial: FlexTensor,
    pub(in super::super) model: Arc<Model>,
    pub(in super::super) surrogate: Surrogate,
}

/// The gradients of neurons that run from their equations, of the shapes of [`Arguments`].
#[derive(Debug)]
pub(in super::super) struct Gradients {
    pub(in super::super) current: FlexTensor,
    pub(in super::super) recurrent: Option<FlexTensor>,
    pub(in super::super) constants: FlexTensor,
    pub(in super::super) initial: FlexTensor,
}

fn neurons(arguments: &Arguments, size: usize) -> Equations {
    let model = &arguments.model;
    let trained = vec![true; model.parameters().len()];
    let mut neurons = Equations::new(Arc::clone(model), size, &trained);
    neurons.set_constants(arguments.constants.to_contiguous().storage());
    neurons
}

/// The spikes, the state after the last step, and the trace if asked for.
pub(in super::super) fn forward(
    arguments: &Arguments,
    trace: bool,
) -> (FlexTensor, FlexTensor, Option<FlexTensor>) {
    let [steps, batch, size] = dims(&arguments.current);
    let neurons = neurons(arguments, size);
    let layer = Layer::new(&neurons, arguments.recurrent.as_ref(), false);
    let (current, initial) = (arguments.current.to_contiguous(), arguments.initial.to_contiguous());
    let (current, initial) = (current.storage(), initial.storage());
    let found = forward::run(&layer, [steps, batch], current, initial, Observe::Spikes, trace);
    let trace = found.trace.map(|trace| {
        let length = trace.len();
        tensor(trace, [length])
    });
    let state = tensor(found.state, [neurons.shape().planes(), batch, size]);
    (tensor(found.output, [steps, batch, size]), state, trace)
}

/// The gradients of all arguments.
pub(in super::super) fn backward(
    arguments: &Arguments,
    trace: &FlexTensor,
    gradient: &FlexTensor,
) -> Gradients {
    let [steps, batch, size] = dims(&arguments.current);
    let neurons = neurons(arguments, size);
    let layer = Layer::new(&neurons, arguments.recurrent.as_ref(), true);
    let (current, gradient) = (arguments.current.to_contiguous(), gradient.to_contiguous());
    let given = Given {
        shape: [steps, batch],
        current: current.storage(),
        trace: trace.storage(),
        observe: Observe::Spikes,
        gradient: gradient.storage(),
    };
    let found = backward::run(&layer, arguments.surrogate, &given);
    let mut constants = neurons.constant_gradients(&found.sums);
    if constants.is_empty() {
        // That of the row that stands for none.
        constants.resize(size, 0.0);
    }
    let count = constants.len() / size;
    Gradients {
        current: tensor(found.current, [steps, batch, size]),
        recurrent: found.recurrent.map(|weights| tensor(weights, [size, size])),
        constants: tensor(constants, [count, size]),
        initial: tensor(found.initial, [neurons.shape().planes(), batch, size]),
    }
}

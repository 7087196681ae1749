//! tanh, LSTM and GRU layers on the CPU.

use super::super::{GatedArguments, GatedCell, GatedGradients};
use super::dense::DenseLayer;
use super::tensor::{dims, tensor};
use barnowl_engine::dense::DenseCell;
use barnowl_engine::gated::{Gru, Lstm, Tanh};
use burn::backend::Flex;
use burn_flex::FlexTensor;

/// h, and the trace if asked for.
pub(super) fn forward(
    arguments: &GatedArguments<Flex>,
    trace: bool,
) -> (FlexTensor, Option<FlexTensor>) {
    match arguments.cell {
        GatedCell::Tanh => forward_of(Tanh, arguments, trace),
        GatedCell::Lstm => forward_of(Lstm, arguments, trace),
        GatedCell::Gru => forward_of(Gru, arguments, trace),
    }
}

/// The gradients of all arguments.
pub(super) fn backward(
    arguments: &GatedArguments<Flex>,
    trace: &FlexTensor,
    gradient: &FlexTensor,
) -> GatedGradients<Flex> {
    match arguments.cell {
        GatedCell::Tanh => backward_of(Tanh, arguments, trace, gradient),
        GatedCell::Lstm => backward_of(Lstm, arguments, trace, gradient),
        GatedCell::Gru => backward_of(Gru, arguments, trace, gradient),
    }
}

/// The layer, and T, B and H.
fn layer<C: DenseCell>(
    cell: C,
    arguments: &GatedArguments<Flex>,
    backward: bool,
) -> (DenseLayer<C>, [usize; 3]) {
    let [steps, batch, wide] = dims(&arguments.current);
    let neurons = wide / C::GATES;
    let (recurrent, bias) = (arguments.recurrent.to_contiguous(), arguments.bias.to_contiguous());
    let (recurrent, bias) = (Some(recurrent.storage()), Some(bias.storage()));
    (DenseLayer::new(cell, neurons, recurrent, bias, backward), [steps, batch, neurons])
}

fn forward_of<C: DenseCell>(
    cell: C,
    arguments: &GatedArguments<Flex>,
    trace: bool,
) -> (FlexTensor, Option<FlexTensor>) {
    let (layer, [steps, batch, neurons]) = layer(cell, arguments, false);
    let current = arguments.current.to_contiguous();
    let found = layer.forward(current.storage(), [steps, batch], None, trace);
    let trace = found.trace.map(|trace| {
        let length = trace.len();
        tensor(trace, [length])
    });
    (tensor(found.output, [steps, batch, neurons]), trace)
}

fn backward_of<C: DenseCell>(
    cell: C,
    arguments: &GatedArguments<Flex>,
    trace: &FlexTensor,
    gradient: &FlexTensor,
) -> GatedGradients<Flex> {
    let (layer, [steps, batch, neurons]) = layer(cell, arguments, true);
    let gradient = gradient.to_contiguous();
    let found = layer.backward(trace.storage(), gradient.storage(), [steps, batch]);
    let wide = C::GATES * neurons;
    GatedGradients {
        current: tensor(found.outer, [steps, batch, wide]),
        recurrent: tensor(found.recurrent, [neurons, wide]),
        bias: tensor(found.bias, [wide]),
    }
}

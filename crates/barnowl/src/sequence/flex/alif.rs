//! ALIF neurons on the CPU.

use super::super::{AlifArguments, AlifForward, AlifGradients, Observe};
use super::backward::{self, Given};
use super::forward;
use super::tensor::{dims, tensor};
use super::tile::Layer;
use barnowl_engine::CHUNK;
use barnowl_engine::alif::Alif;
use barnowl_engine::neurons::Neurons;
use burn::backend::Flex;
use burn_flex::FlexTensor;

fn neurons(arguments: &AlifArguments<Flex>, size: usize) -> Alif {
    let mut neurons = Alif::new(size, arguments.options.threshold);
    let (tau_m, tau_adp) = (arguments.tau_m.to_contiguous(), arguments.tau_adp.to_contiguous());
    neurons.set(&[tau_m.storage::<f32>().to_vec(), tau_adp.storage::<f32>().to_vec()], 1.0);
    neurons
}

/// Runs a layer over all steps.
pub(super) fn forward(arguments: &AlifArguments<Flex>, trace: bool) -> AlifForward<Flex> {
    let [steps, batch, size] = dims(&arguments.current);
    let neurons = neurons(arguments, size);
    let layer = Layer::new(&neurons, arguments.recurrent.as_ref(), false);
    let (current, initial) = (arguments.current.to_contiguous(), arguments.initial.to_contiguous());
    let observe = arguments.options.observe;
    let (current, initial) = (current.storage(), initial.storage());
    let found = forward::run(&layer, [steps, batch], current, initial, observe, trace);
    AlifForward {
        output: match observe {
            Observe::Both => tensor(found.output, [2, steps, batch, size]),
            _ => tensor(found.output, [steps, batch, size]),
        },
        state: tensor(found.state, [3, batch, size]),
        trace: found.trace.map(|trace| tensor(trace, [steps.div_ceil(CHUNK), 3, batch, size])),
    }
}

/// Runs a layer backward over all steps.
pub(super) fn backward(
    arguments: &AlifArguments<Flex>,
    trace: &FlexTensor,
    gradient: &FlexTensor,
) -> AlifGradients<Flex> {
    let [steps, batch, size] = dims(&arguments.current);
    let neurons = neurons(arguments, size);
    let layer = Layer::new(&neurons, arguments.recurrent.as_ref(), true);
    let (current, gradient) = (arguments.current.to_contiguous(), gradient.to_contiguous());
    let given = Given {
        shape: [steps, batch],
        current: current.storage(),
        trace: trace.storage(),
        observe: arguments.options.observe,
        gradient: gradient.storage(),
    };
    let found = backward::run(&layer, arguments.options.surrogate, &given);
    let taus = [&arguments.tau_m, &arguments.tau_adp];
    let taus = taus.map(|tau| tau.to_contiguous().storage::<f32>().to_vec());
    let of_taus = neurons.parameter_gradients(&found.sums, &taus, 1.0);
    let tau =
        |place: usize| tensor(of_taus[place].iter().map(|g: &f64| *g as f32).collect(), [size]);
    AlifGradients {
        recurrent: found.recurrent.map(|weights| tensor(weights, [size, size])),
        tau_m: tau(0),
        tau_adp: tau(1),
        current: tensor(found.current, [steps, batch, size]),
        initial: tensor(found.initial, [3, batch, size]),
    }
}

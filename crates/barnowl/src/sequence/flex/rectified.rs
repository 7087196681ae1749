//! A layer of adaptive neurons with a rectified output on the CPU.

use super::super::{AlifArguments, AlifForward, AlifGradients};
use super::dense::DenseLayer;
use super::tensor::{dims, tensor};
use barnowl_engine::dense::DenseCell;
use barnowl_engine::rectified::Rectified;
use barnowl_engine::simd::padded;
use barnowl_engine::tau_gradient;
use burn::backend::Flex;
use burn_flex::FlexTensor;

/// Planes of a state: s, u, b, I.
const PLANES: usize = 4;

fn layer(arguments: &AlifArguments<Flex>, backward: bool) -> DenseLayer<Rectified> {
    let (tau_m, tau_adp) = (arguments.tau_m.to_contiguous(), arguments.tau_adp.to_contiguous());
    let (tau_m, tau_adp): (&[f32], &[f32]) = (tau_m.storage(), tau_adp.storage());
    let mut cell = Rectified::new(arguments.options.threshold, tau_m.len());
    cell.set(&[tau_m.to_vec(), tau_adp.to_vec()]);
    let recurrent = arguments.recurrent.as_ref().map(FlexTensor::to_contiguous);
    let recurrent = recurrent.as_ref().map(FlexTensor::storage);
    DenseLayer::new(cell, tau_m.len(), recurrent, None, backward)
}

/// The outputs, the final state, and the trace if asked for.
pub(super) fn forward(arguments: &AlifArguments<Flex>, trace: bool) -> AlifForward<Flex> {
    let [steps, batch, neurons] = dims(&arguments.current);
    let (current, initial) = (arguments.current.to_contiguous(), arguments.initial.to_contiguous());
    let initial = to_planes::<PLANES>(initial.storage(), batch, neurons);
    let layer = layer(arguments, false);
    let found = layer.forward(current.storage(), [steps, batch], Some(&initial), trace);
    AlifForward {
        output: tensor(found.output, [steps, batch, neurons]),
        state: tensor(from_planes::<PLANES>(&found.state, batch, neurons), [3, batch, neurons]),
        trace: found.trace.map(|trace| {
            let length = trace.len();
            tensor(trace, [length])
        }),
    }
}

/// The gradients of all arguments.
pub(super) fn backward(
    arguments: &AlifArguments<Flex>,
    trace: &FlexTensor,
    gradient: &FlexTensor,
) -> AlifGradients<Flex> {
    let [steps, batch, neurons] = dims(&arguments.current);
    let gradient = gradient.to_contiguous();
    let layer = layer(arguments, true);
    let found = layer.backward(trace.storage(), gradient.storage(), [steps, batch]);
    let [tau_m, tau_adp] = [&arguments.tau_m, &arguments.tau_adp].map(FlexTensor::to_contiguous);
    let (alpha, rho) = found.sums.split_at(padded(neurons));
    let tau = |tau: &[f32], decay: &[f64]| {
        let found = tau.iter().zip(decay).map(|(tau, decay)| tau_gradient(*tau, *decay) as f32);
        tensor(found.collect(), [neurons])
    };
    AlifGradients {
        current: tensor(found.outer, [steps, batch, neurons]),
        recurrent: arguments
            .recurrent
            .is_some()
            .then(|| tensor(found.recurrent, [neurons, neurons])),
        tau_m: tau(tau_m.storage(), alpha),
        tau_adp: tau(tau_adp.storage(), rho),
        // ∂L/∂s, ∂L/∂u, ∂L/∂b.
        initial: tensor(from_planes::<3>(&found.state, batch, neurons), [3, batch, neurons]),
    }
}

/// u, b and s, `[3, B, H]`, as the first of `N` planes a row: s, u, b.
fn to_planes<const N: usize>(state: &[f32], batch: usize, neurons: usize) -> Vec<f32> {
    let width = padded(neurons);
    let mut planes = vec![0.0; batch * N * width];
    for (place, part) in [(0, 2), (1, 0), (2, 1)] {
        for row in 0..batch {
            let from = &state[(part * batch + row) * neurons..][..neurons];
            planes[(row * N + place) * width..][..neurons].copy_from_slice(from);
        }
    }
    planes
}

/// The way back.
fn from_planes<const N: usize>(planes: &[f32], batch: usize, neurons: usize) -> Vec<f32> {
    let width = padded(neurons);
    let mut state = vec![0.0; 3 * batch * neurons];
    for (place, part) in [(0, 2), (1, 0), (2, 1)] {
        for row in 0..batch {
            let from = &planes[(row * N + place) * width..][..neurons];
            state[(part * batch + row) * neurons..][..neurons].copy_from_slice(from);
        }
    }
    state
}

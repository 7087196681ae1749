//! Adaptive neurons that do not spike: `s_t = max(0, u_t − θ_t)`, everything else as in [`barnowl_neuron::alif`].

use super::steps;
use crate::layer::AlifLayer;
use crate::neuron::InitialState;
use crate::sequence::{reference::decay, state_at_rest};
use barnowl_neuron::Threshold;
use burn::module::Param;
use burn::tensor::activation::relu;
use burn::tensor::{Tensor, module::linear};
use rand_chacha::ChaCha8Rng;

/// Runs the neurons over a sequence `[T, B, inputs]`, and returns their outputs `[T, B, neurons]`.
///
/// The paper's ReLU baseline (doi 10.1038/s42256-021-00397-w): dynamics of a spiking neuron, an analogue output. The
/// gradient is exact.
pub(crate) fn forward(
    layer: &AlifLayer,
    input: Tensor<3>,
    initial_state: InitialState,
    threshold: Threshold,
    rng: &mut ChaCha8Rng,
) -> Tensor<3> {
    let [_, batch, _] = input.dims();
    let device = input.device();
    let neurons = layer.tau_m.log_tau.dims()[0];
    let shape = [batch, neurons];
    let rest = state_at_rest(shape, threshold.b0, &device);
    let [mut u, mut b, mut s] =
        [0, 1, 2].map(|i| rest.clone().narrow(0, i, 1).reshape([batch, neurons]));
    if let Some(initial) = initial_state.membrane(shape, &device, rng) {
        u = initial;
    }
    let [alpha, leak] = decay(layer.tau_m.steps());
    let [rho, gain] = decay(layer.tau_adp.steps());
    let weight = layer.input.weight.val();
    let biases = [layer.recurrent.as_ref(), Some(&layer.input)]
        .map(|dense| dense.and_then(|dense| dense.bias.as_ref()).map(Param::val));
    let bias = match biases {
        [Some(a), Some(b)] => Some(a + b),
        [a, b] => a.or(b),
    };
    let recurrent = layer.recurrent.as_ref().map(|dense| dense.weight.val());
    // R belongs to the leak: one product less at every step.
    let leak = leak * threshold.resistance;
    let mut outputs = Vec::new();
    for x in steps(input) {
        let mut current = linear(x, weight.clone(), bias.clone());
        if let Some(recurrent) = &recurrent {
            current = current + s.clone().matmul(recurrent.clone());
        }
        // b_t = ρ b_{t−1} + (1−ρ) s_{t−1}
        b = rho.clone() * b + gain.clone() * s.clone();
        // θ_t = b0 + β b_t
        let theta = b.clone() * threshold.beta + threshold.b0;
        // u_t = α u_{t−1} + (1−α) R I_t − θ_t s_{t−1}
        u = alpha.clone() * u + leak.clone() * current - theta.clone() * s;
        s = relu(u.clone() - theta);
        outputs.push(s.clone());
    }
    Tensor::stack(outputs, 0)
}

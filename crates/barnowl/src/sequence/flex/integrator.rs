//! The leaky integrator, forward and backward.
//!
//! ```text
//! m_t = α m_{t−1} + (1−α) I_t
//! gm_t = ∂L/∂m_t + α gm_{t+1}      gI_t = (1−α) gm_t      dα += gm_t (m_{t−1} − I_t)      dτ = dα · α / τ²
//! ```
//!
//! A readout has a few neurons only, so the batch rows and neurons of a step are one loop; the whole takes one pass
//! over memory each way.

use super::super::IntegratorGradients;
use super::tensor::{dims, tensor};
use barnowl_neuron::{Decay, alif::integrate};
use burn::backend::Flex;
use burn_flex::FlexTensor;

/// The decay of every entry of a step, `[B, H]`: repeated, so that a step is one loop without an inner one.
fn decays(tau: &FlexTensor, batch: usize) -> (Vec<f32>, Vec<f32>) {
    let tau = tau.to_contiguous();
    let one: Vec<Decay> =
        tau.storage::<f32>().iter().map(|&tau| Decay::from_time_constant(tau, 1.0)).collect();
    (0..batch).flat_map(|_| one.iter().map(|decay| (decay.keep, decay.leak))).unzip()
}

/// `[T, B, H]` currents → `[T, B, H]` membrane potentials.
pub(super) fn forward(current: &FlexTensor, tau: &FlexTensor, initial: &FlexTensor) -> FlexTensor {
    let [steps, batch, neurons] = dims(current);
    let (current, initial) = (current.to_contiguous(), initial.to_contiguous());
    let current: &[f32] = current.storage();
    let (keep, leak) = decays(tau, batch);
    let mut m: Vec<f32> = initial.storage::<f32>().to_vec();
    let mut output = Vec::with_capacity(current.len());
    for current in current.chunks_exact(batch * neurons) {
        for (((m, current), &keep), &leak) in m.iter_mut().zip(current).zip(&keep).zip(&leak) {
            *m = integrate(Decay { keep, leak }, *m, *current);
        }
        output.extend_from_slice(&m);
    }
    tensor(output, [steps, batch, neurons])
}

/// The gradients of current, τ and initial membrane.
pub(super) fn backward(
    current: &FlexTensor,
    tau: &FlexTensor,
    initial: &FlexTensor,
    membrane: &FlexTensor,
    gradient: &FlexTensor,
) -> IntegratorGradients<Flex> {
    let [steps, batch, neurons] = dims(current);
    let span = batch * neurons;
    let [current, initial, membrane, gradient] =
        [current, initial, membrane, gradient].map(FlexTensor::to_contiguous);
    let [current, initial, membrane, gradient]: [&[f32]; 4] =
        [current.storage(), initial.storage(), membrane.storage(), gradient.storage()];
    let (keep, leak) = decays(tau, batch);
    let mut current_gradient = vec![0.0; current.len()];
    // α gm_{t+1}
    let mut carry = vec![0.0; span];
    let mut decay_gradient = vec![0.0_f64; neurons];
    for t in (0..steps).rev() {
        let step = t * span..(t + 1) * span;
        let before = if t == 0 { initial } else { &membrane[(t - 1) * span..t * span] };
        let (given, current) = (&gradient[step.clone()], &current[step.clone()]);
        let out = &mut current_gradient[step];
        for i in 0..span {
            let gm = given[i] + carry[i];
            out[i] = leak[i] * gm;
            carry[i] = keep[i] * gm;
            decay_gradient[i % neurons] += f64::from(gm * (before[i] - current[i]));
        }
    }
    let tau = tau.to_contiguous();
    let tau_gradient = tau
        .storage::<f32>()
        .iter()
        .zip(decay_gradient)
        .map(|(&tau, decay)| barnowl_engine::tau_gradient(tau, decay) as f32);
    IntegratorGradients {
        tau: tensor(tau_gradient.collect(), [neurons]),
        current: tensor(current_gradient, [steps, batch, neurons]),
        initial: tensor(carry, [batch, neurons]),
    }
}

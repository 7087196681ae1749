//! The sequence operations in plain tensor operations, step by step: slow, short and differentiated by Burn.
//!
//! This is the oracle: every fused path is tested against it, values and gradients.

use super::{AlifOptions, AlifOutput, AlifSequence, Observe, state_at_rest};
use barnowl_neuron::{Decay, Shape, Surrogate};
use burn::tensor::Tensor;
use std::f64::consts::PI;

/// [`alif_sequence`](super::alif_sequence), step by step.
///
/// # Panics
///
/// If the shapes do not agree.
#[must_use]
pub fn alif_sequence(sequence: AlifSequence, options: AlifOptions) -> AlifOutput {
    let [steps, batch, neurons] = sequence.check();
    let device = sequence.current.device();
    let threshold = options.threshold;
    let initial =
        sequence.initial.unwrap_or_else(|| state_at_rest([batch, neurons], threshold.b0, &device));
    let [mut u, mut b, mut s] = [0, 1, 2].map(|i| step_of(&initial, i));

    // α = exp(−1/τ_m)      ρ = exp(−1/τ_adp)      1−α = −expm1(−1/τ_m)
    let [alpha, leak] = decay(sequence.tau_m);
    let [rho, gain] = decay(sequence.tau_adp);
    let (mut spikes, mut membrane) = (Vec::new(), Vec::new());
    for t in 0..steps {
        let mut current = step_of(&sequence.current, t);
        if let Some(recurrent) = &sequence.recurrent {
            current = current + s.clone().matmul(recurrent.clone());
        }
        // b_t = ρ b_{t−1} + (1−ρ) s_{t−1}
        b = rho.clone() * b + gain.clone() * s.clone();
        // θ_t = b0 + β b_t
        let theta = b.clone() * threshold.beta + threshold.b0;
        // u_t = α u_{t−1} + (1−α) R I_t − θ_t s_{t−1}
        u = alpha.clone() * u + leak.clone() * (current * threshold.resistance) - theta.clone() * s;
        // s_t = 1 if u_t − θ_t > 0 else 0
        s = spike(u.clone() - theta, options.surrogate);
        spikes.push(s.clone());
        membrane.push(u.clone());
    }
    let stack = |steps: Vec<Tensor<2>>| Tensor::stack::<3>(steps, 0);
    AlifOutput {
        spikes: matches!(options.observe, Observe::Spikes | Observe::Both).then(|| stack(spikes)),
        membrane: matches!(options.observe, Observe::Membrane | Observe::Both)
            .then(|| stack(membrane)),
        state: Tensor::stack::<3>(vec![u, b, s], 0).detach(),
    }
}

/// [`integrator_sequence`](super::integrator_sequence), step by step.
#[must_use]
pub fn integrator_sequence(
    current: Tensor<3>,
    tau: Tensor<1>,
    initial: Option<Tensor<2>>,
) -> Tensor<3> {
    let [steps, batch, neurons] = current.dims();
    let mut m = initial.unwrap_or_else(|| Tensor::zeros([batch, neurons], &current.device()));
    let [alpha, leak] = decay(tau);
    let mut membrane = Vec::with_capacity(steps);
    for t in 0..steps {
        // m_t = α m_{t−1} + (1−α) I_t
        m = alpha.clone() * m + leak.clone() * step_of(&current, t);
        membrane.push(m.clone());
    }
    Tensor::stack(membrane, 0)
}

/// α and 1−α, `[1, H]` each, of time constants `[H]` in steps.
///
/// The derivative is Burn's, of the formula; the values are those that every other path uses, to the bit. A decay that
/// differs in its last digit sooner or later lifts some membrane over a threshold that it misses elsewhere.
pub(crate) fn decay(tau: Tensor<1>) -> [Tensor<2>; 2] {
    let steps: Vec<f32> = tau.to_data().iter().collect();
    let decays = steps.iter().map(|tau| Decay::from_time_constant(*tau, 1.0));
    let (keep, leak): (Vec<f32>, Vec<f32>) = decays.map(|decay| (decay.keep, decay.leak)).unzip();
    let exponent = -tau.recip();
    [(exponent.clone().exp(), keep), (-(exponent.exp() - 1.0), leak)].map(|(formula, values)| {
        let values = Tensor::<1>::from_floats(values.as_slice(), &formula.device());
        // The bracket is zero: it adds nothing to the value and the formula's derivative to the derivative.
        let exact = values + (formula.clone() - formula.detach());
        exact.unsqueeze()
    })
}

/// Step `t` of `[T, B, H]`, `[B, H]`.
fn step_of(tensor: &Tensor<3>, t: usize) -> Tensor<2> {
    let [_, batch, neurons] = tensor.dims();
    let step: Tensor<3> = tensor.clone().narrow(0, t, 1);
    step.reshape([batch, neurons])
}

/// `s = 1 if v > 0 else 0` with ds/dv = ψ(v): `v − v` adds nothing to the value and ψ to the derivative.
fn spike(v: Tensor<2>, surrogate: Surrogate) -> Tensor<2> {
    let fixed = v.clone().detach();
    let spike = fixed.clone().greater_elem(0.0).float();
    let psi = pseudo_derivative(fixed.clone(), surrogate);
    spike + psi * (v - fixed)
}

/// ψ(v); the equations are those of [`Surrogate`].
fn pseudo_derivative(v: Tensor<2>, surrogate: Surrogate) -> Tensor<2> {
    let normal = |mean: f32, sigma: f32| {
        let z = (v.clone() - mean) / sigma;
        (-(z.clone() * z) / 2.0).exp() / (f64::from(sigma) * (2.0 * PI).sqrt())
    };
    let absolute = v.clone().abs();
    let shape = match surrogate.shape {
        Shape::MultiGaussian { sigma, height, scale } => {
            normal(0.0, sigma) * (1.0 + height)
                - normal(sigma, scale * sigma) * height
                - normal(-sigma, scale * sigma) * height
        }
        Shape::Gaussian { sigma } => normal(0.0, sigma),
        Shape::Linear => (-absolute + 1.0).clamp_min(0.0),
        Shape::Slayer => (absolute * -5.0).exp(),
        Shape::FastSigmoid => {
            let slope = absolute * 10.0 + 1.0;
            (slope.clone() * slope).recip()
        }
        Shape::Arctan => {
            let x = v.clone() * PI;
            (x.clone() * x + 1.0).recip()
        }
    };
    shape * surrogate.gamma
}

//! The sequence operations in plain tensor operations, step by step: slow, short and differentiated by Burn.
//!
//! This is the oracle: every fused path is tested against it, values and gradients.

use super::{AlifOptions, AlifOutput, AlifSequence, Emission, GatedCell, Observe, state_at_rest};
use barnowl_neuron::{Decay, Shape, Surrogate};
use burn::tensor::Tensor;
use burn::tensor::activation::{relu, sigmoid, tanh};
use std::f64::consts::PI;

/// [`alif_sequence`](super::alif_sequence), step by step.
///
/// # Panics
///
/// If the shapes do not agree.
#[must_use]
pub fn alif_sequence(sequence: AlifSequence, options: AlifOptions) -> AlifOutput {
    let [_, batch, neurons] = sequence.check();
    let device = sequence.current.device();
    let threshold = options.threshold;
    let initial =
        sequence.initial.unwrap_or_else(|| state_at_rest([batch, neurons], threshold.b0, &device));
    let [mut u, mut b, mut s] = [0, 1, 2].map(|i| {
        let part: Tensor<3> = initial.clone().narrow(0, i, 1);
        part.reshape([batch, neurons])
    });

    // α = exp(−1/τ_m)      ρ = exp(−1/τ_adp)      1−α = −expm1(−1/τ_m)
    let [alpha, leak] = decay(sequence.tau_m);
    let [rho, gain] = decay(sequence.tau_adp);
    let (mut spikes, mut membrane) = (Vec::new(), Vec::new());
    for mut current in steps(sequence.current) {
        if let Some(recurrent) = &sequence.recurrent {
            current = current + s.clone().matmul(recurrent.clone());
        }
        // b_t = ρ b_{t−1} + (1−ρ) s_{t−1}
        b = rho.clone() * b + gain.clone() * s.clone();
        // θ_t = b0 + β b_t
        let theta = b.clone() * threshold.beta + threshold.b0;
        // u_t = α u_{t−1} + (1−α) R I_t − θ_t s_{t−1}
        u = alpha.clone() * u + leak.clone() * (current * threshold.resistance) - theta.clone() * s;
        s = match options.emission {
            // s_t = 1 if u_t − θ_t > 0 else 0
            Emission::Spike => spike(u.clone() - theta, options.surrogate),
            // s_t = max(0, u_t − θ_t)
            Emission::Rectified => relu(u.clone() - theta),
        };
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
    let [length, batch, neurons] = current.dims();
    let mut m = initial.unwrap_or_else(|| Tensor::zeros([batch, neurons], &current.device()));
    let [alpha, leak] = decay(tau);
    let mut membrane = Vec::with_capacity(length);
    for current in steps(current) {
        // m_t = α m_{t−1} + (1−α) I_t
        m = alpha.clone() * m + leak.clone() * current;
        membrane.push(m.clone());
    }
    Tensor::stack(membrane, 0)
}

/// [`gated_sequence`](super::gated_sequence), step by step.
#[must_use]
pub fn gated_sequence(
    current: Tensor<3>,
    recurrent: Tensor<2>,
    bias: Tensor<1>,
    cell: GatedCell,
) -> Tensor<3> {
    let batch = current.dims()[1];
    let neurons = recurrent.dims()[0];
    let zeros = Tensor::<2>::zeros([batch, neurons], &current.device());
    let (mut h, mut c) = (zeros.clone(), zeros);
    let block = |gates: &Tensor<2>, gate: usize| gates.clone().narrow(1, gate * neurons, neurons);
    let mut outputs = Vec::new();
    for outer in steps(current) {
        let inner = h.clone().matmul(recurrent.clone()) + bias.clone().unsqueeze();
        let a = outer.clone() + inner.clone();
        h = match cell {
            GatedCell::Tanh => tanh(a),
            GatedCell::Lstm => {
                let [i, f, o] = [0, 1, 3].map(|gate| sigmoid(block(&a, gate)));
                c = f * c + i * tanh(block(&a, 2));
                o * tanh(c.clone())
            }
            GatedCell::Gru => {
                let [r, z] = [0, 1].map(|gate| sigmoid(block(&a, gate)));
                let n = tanh(block(&outer, 2) + r * block(&inner, 2));
                n.clone() + z * (h - n)
            }
        };
        outputs.push(h.clone());
    }
    Tensor::stack(outputs, 0)
}

/// α and 1−α, `[1, H]` each, of time constants `[H]` in steps.
///
/// The derivative is Burn's, of the formula; the values are those that every other path uses, to the bit. A decay that
/// differs in its last digit sooner or later lifts some membrane over a threshold that it misses elsewhere.
fn decay(tau: Tensor<1>) -> [Tensor<2>; 2] {
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

/// The steps of `[T, B, C]`, `[B, C]` each.
///
/// By halves: the gradient of a slice is as large as what it was cut from, so that cutting every step from the whole
/// would cost T² on the way back.
fn steps(sequence: Tensor<3>) -> Vec<Tensor<2>> {
    fn split(sequence: Tensor<3>, into: &mut Vec<Tensor<2>>) {
        let [steps, batch, channels] = sequence.dims();
        match steps {
            0 => {}
            1 => into.push(sequence.reshape([batch, channels])),
            _ => {
                let middle = steps / 2;
                split(sequence.clone().narrow(0, 0, middle), into);
                split(sequence.narrow(0, middle, steps - middle), into);
            }
        }
    }
    let mut found = Vec::with_capacity(sequence.dims()[0]);
    split(sequence, &mut found);
    found
}

/// `s = 1 if v > 0 else 0` with ds/dv = ψ(v): `v − v` adds nothing to the value and ψ to the derivative.
pub(crate) fn spike(v: Tensor<2>, surrogate: Surrogate) -> Tensor<2> {
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

//! A chunk of leaky integrators, forward and backward.
//!
//! ```text
//! m_t = α m_{t−1} + (1−α) I_t
//! gm_t = ∂L/∂m_t + α gm_{t+1}      gI_t = (1−α) gm_t      dα += gm_t (m_{t−1} − I_t)
//! ```
//!
//! As with the neurons that spike, currents are not kept: (1−α) (m_{t−1} − I_t) = m_{t−1} − m_t.

use super::alif::decays;
use super::floats::Floats;
use super::neurons::{Backward, Forward, Neurons, Output, Shape, Sums};
use super::simd::{Isa, LANES, blocks, blocks_mut, dispatch, padded};
use super::weights::Weights;
use barnowl_neuron::Surrogate;

/// The constants of a layer of integrators, padded to whole blocks.
#[derive(Debug)]
pub struct Integrators {
    /// H.
    pub neurons: usize,
    /// H rounded up to whole blocks.
    pub width: usize,
    /// α, 1−α: `[width]` each.
    alpha: Floats,
    leak: Floats,
}

impl Integrators {
    /// Integrators whose time constants are still to be [set](Neurons::set).
    pub fn new(neurons: usize) -> Self {
        let width = padded(neurons);
        Self { neurons, width, alpha: Floats::zeros(width), leak: Floats::zeros(width) }
    }

    /// The gradient of τ, in steps, from Σ gm (m_{t−1} − m_t).
    pub fn tau_gradient(&self, tau: &[f32], sums: &[f64]) -> Vec<f64> {
        let decays = sums.iter().zip(self.leak.iter()).map(|(sum, &leak)| sum / f64::from(leak));
        tau.iter().zip(decays).map(|(&tau, decay)| super::tau_gradient(tau, decay)).collect()
    }
}

/// The trace is m; there is no other state, and no recurrence. The parameter is τ.
impl Neurons for Integrators {
    fn shape(&self) -> Shape {
        let shape = Shape::of_spiking(self.neurons, self.width, 0, 1);
        Shape { output: Output::Trace, ..shape }
    }

    fn set(&mut self, parameters: &[Vec<f32>], _: f32) {
        decays(&parameters[0], &mut self.alpha, &mut self.leak);
    }

    fn parameter_gradients(&self, sums: &Sums, parameters: &[Vec<f32>], _: f32) -> Vec<Vec<f64>> {
        vec![self.tau_gradient(&parameters[0], &sums.constants)]
    }

    fn rest(&self, trace: &mut [f32], _: &mut [f32]) {
        trace.fill(0.0);
    }

    fn forward(&self, _: Option<&Weights>, chunk: Forward<'_>) {
        forward(self, chunk.rows, chunk.trace);
    }

    fn backward(&self, _: Option<&Weights>, _: Surrogate, chunk: Backward<'_>) {
        let Backward { rows, steps, trace, current_gradient, carry, sums, .. } = chunk;
        let size = steps * rows * self.width;
        let g = &mut current_gradient[..size];
        match chunk.membrane_gradient {
            Some(given) => g.copy_from_slice(&given[..size]),
            None => g.fill(0.0),
        }
        let sums = [&mut sums.constants[..], &mut sums.bias[..]];
        backward(self, rows, trace, g, &mut carry.state, sums);
    }
}

/// Runs a chunk forward. `m` is `[steps + 1, rows, width]`: the step before the chunk, then the currents, which become
/// membrane potentials.
pub fn forward(integrators: &Integrators, rows: usize, m: &mut [f32]) {
    run(integrators, rows, m);
}

dispatch! {
    fn run(integrators: &Integrators, rows: usize, m: &mut [f32]) = forward_kernel
}

#[inline(always)]
fn forward_kernel<I: Isa>(isa: I, integrators: &Integrators, rows: usize, m: &mut [f32]) {
    let span = rows * integrators.width;
    let stride = integrators.width / LANES;
    let (alpha, leak) = (blocks(&integrators.alpha), blocks(&integrators.leak));
    for k in 0..m.len() / span - 1 {
        let (before, now) = m[k * span..(k + 2) * span].split_at_mut(span);
        let (before, now) = (blocks(before), blocks_mut(now));
        for at in 0..now.len() {
            let n = at % stride;
            let kept = isa.mul(isa.load(&alpha[n]), isa.load(&before[at]));
            let next = isa.add(kept, isa.mul(isa.load(&leak[n]), isa.load(&now[at])));
            isa.store(next, &mut now[at]);
        }
    }
}

/// Runs a chunk backward: `g` `[steps, rows, width]` comes in as ∂L/∂m and goes out as gI; `carry` `[rows, width]` is
/// α gm of the chunk after this one, then for the one before it; Σ gm (m_{t−1} − m_t) is added to `alpha_sum` `[width]`
/// and Σ gI to `bias_sum`.
pub fn backward(
    integrators: &Integrators,
    rows: usize,
    m: &[f32],
    g: &mut [f32],
    carry: &mut [f32],
    [alpha_sum, bias_sum]: [&mut [f64]; 2],
) {
    run_back(integrators, rows, m, g, carry, alpha_sum, bias_sum);
}

dispatch! {
    fn run_back(integrators: &Integrators, rows: usize, m: &[f32], g: &mut [f32], carry: &mut [f32], alpha_sum: &mut [f64], bias_sum: &mut [f64]) = backward_kernel
}

#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "one kernel, called once")]
fn backward_kernel<I: Isa>(
    isa: I,
    integrators: &Integrators,
    rows: usize,
    m: &[f32],
    g: &mut [f32],
    carry: &mut [f32],
    alpha_sum: &mut [f64],
    bias_sum: &mut [f64],
) {
    let width = integrators.width;
    let span = rows * width;
    let (alpha, leak) = (blocks(&integrators.alpha), blocks(&integrators.leak));
    let carry = blocks_mut(carry);
    for n in 0..alpha.len() {
        let (alpha, leak) = (isa.load(&alpha[n]), isa.load(&leak[n]));
        let (mut alpha_part, mut bias_part) = (isa.splat(0.0), isa.splat(0.0));
        for k in (0..g.len() / span).rev() {
            let before = blocks(&m[k * span..(k + 1) * span]);
            let now = blocks(&m[(k + 1) * span..(k + 2) * span]);
            let g = blocks_mut(&mut g[k * span..(k + 1) * span]);
            for at in (n..rows * width / LANES).step_by(width / LANES) {
                let gm = isa.add(isa.load(&g[at]), isa.load(&carry[at]));
                let change = isa.sub(isa.load(&before[at]), isa.load(&now[at]));
                let current = isa.mul(leak, gm);
                alpha_part = isa.mul_add(gm, change, alpha_part);
                bias_part = isa.add(bias_part, current);
                isa.store(current, &mut g[at]);
                isa.store(isa.mul(alpha, gm), &mut carry[at]);
            }
        }
        let mut lanes = [0.0; LANES];
        for (sums, part) in [(&mut *alpha_sum, alpha_part), (&mut *bias_sum, bias_part)] {
            isa.store(part, &mut lanes);
            let sums = &mut sums[n * LANES..];
            sums.iter_mut().zip(lanes).for_each(|(sum, part)| *sum += f64::from(part));
        }
    }
}

//! A chunk of adaptive leaky integrate-and-fire neurons, forward and backward.

use super::floats::Floats;
use super::gather::{add_rows, for_column_groups};
use super::neurons::{Backward, Carry, Forward, Neurons, Shape, Sums};
use super::product::{Panels, add_product};
use super::psi::pseudo_derivatives;
use super::simd::{Flag, Isa, LANES, Lanes, Off, On, blocks, blocks_mut, dispatch, padded, valid};
use super::weights::Weights;
use barnowl_neuron::{Decay, Surrogate, Threshold};

/// The constants of a layer's neurons, padded to whole blocks. The neurons of the padding stay silent.
#[derive(Debug)]
pub struct Alif {
    /// H.
    pub neurons: usize,
    /// H rounded up to whole blocks.
    pub width: usize,
    /// b0, β and R.
    pub threshold: Threshold,
    alpha: Floats,
    /// 1−α. α, ρ and 1−ρ beside it: `[width]` each.
    pub leak: Floats,
    rho: Floats,
    gain: Floats,
    /// The neurons of every block that are not padding.
    valid: Vec<u16>,
}

impl Alif {
    /// Neurons of a layer of the given size, whose time constants are still to be [set](Neurons::set).
    pub fn new(neurons: usize, threshold: Threshold) -> Self {
        let width = padded(neurons);
        let zeros = || Floats::zeros(width);
        Self {
            neurons,
            width,
            threshold,
            alpha: zeros(),
            leak: zeros(),
            rho: zeros(),
            gain: zeros(),
            valid: valid(neurons),
        }
    }

    /// Blocks of a row.
    fn blocks(&self) -> usize {
        self.width / LANES
    }

    /// The gradients of τ_m and τ_adp, in steps.
    fn tau_gradients(&self, sums: &Sums, [tau_m, tau_adp]: [&[f32]; 2]) -> [Vec<f64>; 2] {
        // dα (1−α) and dρ.
        let (of_alpha, of_rho) = sums.constants.split_at(self.width);
        let leak = self.leak.iter().map(|&leak| f64::from(leak));
        let alpha = of_alpha.iter().zip(leak).map(|(sum, leak)| sum / leak);
        let gradient = |(tau, decay): (&f32, f64)| super::tau_gradient(*tau, decay);
        [
            tau_m.iter().zip(alpha).map(gradient).collect(),
            tau_adp.iter().zip(of_rho.iter().copied()).map(gradient).collect(),
        ]
    }
}

/// The parameters are τ_m and τ_adp.
impl Neurons for Alif {
    fn shape(&self) -> Shape {
        Shape::of_spiking(self.neurons, self.width, 1, 2)
    }

    fn set(&mut self, parameters: &[Vec<f32>], _: f32) {
        decays(&parameters[0], &mut self.alpha, &mut self.leak);
        decays(&parameters[1], &mut self.rho, &mut self.gain);
    }

    fn parameter_gradients(&self, sums: &Sums, parameters: &[Vec<f32>], _: f32) -> Vec<Vec<f64>> {
        self.tau_gradients(sums, [&parameters[0], &parameters[1]]).into()
    }

    fn rest(&self, trace: &mut [f32], state: &mut [f32]) {
        trace.fill(0.0);
        state.fill(self.threshold.b0);
    }

    fn forward(&self, recurrent: Option<&Weights>, chunk: Forward<'_>) {
        forward(self, recurrent.map(|weights| &weights.rows[..]), chunk);
    }

    fn backward(&self, recurrent: Option<&Weights>, surrogate: Surrogate, chunk: Backward<'_>) {
        backward(self, surrogate, recurrent.map(|weights| &weights.transposed), chunk);
    }
}

/// What a neuron keeps and what it lets in each step, for every τ.
pub fn decays(tau: &[f32], keep: &mut [f32], leak: &mut [f32]) {
    for ((&tau, keep), leak) in tau.iter().zip(keep).zip(leak) {
        let decay = Decay::from_time_constant(tau, 1.0);
        (*keep, *leak) = (decay.keep, decay.leak);
    }
}

/// Runs a chunk forward:
///
/// ```text
/// I_t = (its input part) + Σ_j s_{j,t−1} W_j
/// b_t = ρ b_{t−1} + (1−ρ) s_{t−1}
/// θ_t = b0 + β b_t
/// u_t = α u_{t−1} + (1−α) R I_t − θ_t s_{t−1}
/// s_t = 1 if u_t − θ_t > 0 else 0
/// ```
///
/// The trace is u, and the state b.
fn forward(neurons: &Alif, recurrent: Option<&[f32]>, chunk: Forward<'_>) {
    run(neurons, recurrent, chunk);
}

dispatch! {
    fn run(neurons: &Alif, recurrent: Option<&[f32]>, chunk: Forward<'_>) = forward_kernel
}

#[inline(always)]
fn forward_kernel<I: Isa>(isa: I, neurons: &Alif, recurrent: Option<&[f32]>, chunk: Forward<'_>) {
    let Forward { rows, steps, trace: u, state: b, bits, lists, .. } = chunk;
    let stride = neurons.blocks();
    let span = rows * stride;
    let (u, b) = (blocks_mut(u), blocks_mut(b));
    let recurrent = recurrent.map(blocks);
    let Threshold { b0, beta, resistance } = neurons.threshold;
    let (b0, beta, resistance) = (isa.splat(b0), isa.splat(beta), isa.splat(resistance));
    let alpha = &blocks(&neurons.alpha)[..stride];
    let leak = &blocks(&neurons.leak)[..stride];
    let rho = &blocks(&neurons.rho)[..stride];
    let gain = &blocks(&neurons.gain)[..stride];
    let valid = &neurons.valid[..stride];
    for k in 0..steps {
        let (u_before, u_now) = u[k * span..(k + 2) * span].split_at_mut(span);
        let (s_before, s_now) = bits[k * span..(k + 2) * span].split_at_mut(span);
        for row in 0..rows {
            let entry = k * rows + row;
            let at = row * stride;
            let u_before = &u_before[at..at + stride];
            let u_now = &mut u_now[at..at + stride];
            let b = &mut b[at..at + stride];
            let s_before = &s_before[at..at + stride];
            let s_now = &mut s_now[at..at + stride];
            for_column_groups!(I, stride, |column, V| {
                // The current, in registers.
                let mut current = [isa.splat(0.0); V];
                let driven = &u_now[column..column + V];
                for v in 0..V {
                    current[v] = isa.load(&driven[v]);
                }
                if let Some(weights) = recurrent {
                    let list = lists.entry(entry);
                    current = add_rows::<I, V>(isa, weights, stride, column, list, current);
                }
                // The step. Without fused operations, so that spikes are the same on every processor.
                for v in 0..V {
                    let n = column + v;
                    let spiked = s_before[n];
                    let adapted = isa.mul(isa.load(&rho[n]), isa.load(&b[n]));
                    let adapted = isa.add_where(spiked, adapted, isa.load(&gain[n]));
                    let theta = isa.add(b0, isa.mul(beta, adapted));
                    let driven = isa.mul(isa.load(&leak[n]), isa.mul(resistance, current[v]));
                    let kept = isa.mul(isa.load(&alpha[n]), isa.load(&u_before[n]));
                    let membrane = isa.sub_where(spiked, isa.add(kept, driven), theta);
                    isa.store(adapted, &mut b[n]);
                    isa.store(membrane, &mut u_now[n]);
                    s_now[n] = isa.positive(isa.sub(membrane, theta)) & valid[n];
                }
            });
            let mut writer = lists.writer(entry + rows);
            for (block, &mask) in s_now.iter().enumerate() {
                writer.push(isa, mask, block);
            }
            writer.finish();
        }
    }
}

/// Runs a chunk backward. With every `t+1` term zero at the last step:
///
/// ```text
/// gs_t = ∂L/∂s_t + W_recᵀ gI_{t+1} + (1−ρ) gb_{t+1} − θ_{t+1} gu_{t+1}
/// gv_t = gs_t ψ(v_t)        gu_t = ∂L/∂u_t + gv_t + α gu_{t+1}        gI_t = (1−α) R gu_t
/// gθ_t = −gv_t − s_{t−1} gu_t        gb_t = β gθ_t + ρ gb_{t+1}
/// dW_rec += gI_t s_{t−1}ᵀ    dα += gu_t (u_{t−1} − R I_t)    dρ += gb_t (b_{t−1} − s_{t−1})
/// ```
///
/// The currents are not kept: since (1−α) R I_t = u_t − α u_{t−1} + θ_t s_{t−1},
///
/// ```text
/// (1−α) (u_{t−1} − R I_t) = u_{t−1} − u_t − θ_t s_{t−1}
/// ```
///
/// The adaptation is not kept either, it is recomputed from the spikes. `transposed` are the panels of W_recᵀ.
fn backward(
    neurons: &Alif,
    surrogate: Surrogate,
    transposed: Option<&Panels>,
    chunk: Backward<'_>,
) {
    if neurons.threshold.beta == 0.0 {
        run_back(neurons, Off, surrogate, transposed, chunk);
    } else {
        run_back(neurons, On, surrogate, transposed, chunk);
    }
}

dispatch! {
    fn run_back[A: Flag](neurons: &Alif, adaptive: A, surrogate: Surrogate, transposed: Option<&Panels>, chunk: Backward<'_>) = backward_kernel
}

#[inline(always)]
fn backward_kernel<I: Isa, A: Flag>(
    isa: I,
    neurons: &Alif,
    adaptive: A,
    surrogate: Surrogate,
    transposed: Option<&Panels>,
    chunk: Backward<'_>,
) {
    let Backward { rows, steps, trace: u, bits, carry, current_gradient, sums, .. } = chunk;
    let Carry { s: carry_s, state: carried } = carry;
    let (carry_u, carry_b) = carried.split_at_mut(rows * neurons.width);
    let width = neurons.width;
    let span = rows * neurons.blocks();
    // Whatever was in it: all of it is written before it is read.
    let size = steps * rows * width;
    chunk.scratch.resize(2 * size + rows * width + 3 * width);
    let (pseudo, rest) = chunk.scratch.split_at_mut(size);
    let (b, partial) = rest.split_at_mut(size + rows * width);
    partial.fill(0.0);
    let u = blocks(u);
    prepare(
        isa,
        neurons,
        adaptive,
        u,
        bits,
        blocks(chunk.state),
        blocks_mut(b),
        blocks_mut(pseudo),
    );
    pseudo_derivatives(surrogate, pseudo);
    let (b, pseudo) = (blocks(b), blocks(pseudo));
    let given_s = chunk.spikes_gradient.map(blocks);
    let given_u = chunk.membrane_gradient.map(blocks);
    for k in (0..steps).rev() {
        let at = k * span;
        let step = BackwardStep {
            pseudo: &pseudo[at..at + span],
            u: [&u[at..at + span], &u[at + span..at + 2 * span]],
            b: [&b[at..at + span], &b[at + span..at + 2 * span]],
            s_before: &bits[at..at + span],
            gi: &mut blocks_mut(current_gradient)[at..at + span],
            gs: &mut blocks_mut(carry_s)[..span],
            gu: &mut blocks_mut(carry_u)[..span],
            gb: &mut blocks_mut(carry_b)[..span],
        };
        let partial = blocks_mut(partial);
        match (given_s, given_u) {
            (Some(given), None) => {
                step_back(isa, neurons, adaptive, On, &given[at..at + span], step, partial);
            }
            (None, Some(given)) => {
                step_back(isa, neurons, adaptive, Off, &given[at..at + span], step, partial);
            }
            (given_s, given_u) => {
                // Both or neither, which only the operation of one layer asks for.
                if let Some(given) = given_u {
                    for (gu, given) in step.gu.iter_mut().zip(&given[at..at + span]) {
                        isa.store(isa.add(isa.load(gu), isa.load(given)), gu);
                    }
                }
                let given = given_s.map_or(&[][..], |given| &given[at..at + span]);
                step_back(isa, neurons, adaptive, On, given, step, partial);
            }
        }
        if let Some(transposed) = transposed {
            // A function of its own: inlined here, its sums would have to share the registers with all of the above.
            let gi = &current_gradient[at * LANES..(at + span) * LANES];
            add_product(gi, width, transposed, carry_s, width);
        }
    }
    sums.add_chunk(partial);
}

/// What of the way back does not depend on the step after it: v of every step, `[steps, rows, blocks]`, whose ψ then takes
/// its place, and b, `[steps + 1, rows, blocks]`, from that before the chunk and the spikes.
///
/// Apart from the recurrence, the long chain of ψ runs over many rows at a time.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "one kernel, called once")]
fn prepare<I: Isa, A: Flag>(
    isa: I,
    neurons: &Alif,
    _: A,
    u: &[Lanes],
    bits: &[u16],
    before: &[Lanes],
    b: &mut [Lanes],
    v: &mut [Lanes],
) {
    let stride = neurons.blocks();
    let span = before.len();
    let Threshold { b0, beta, .. } = neurons.threshold;
    let (b0, beta) = (isa.splat(b0), isa.splat(beta));
    if !A::ON {
        for (v, u) in v.iter_mut().zip(&u[span..]) {
            isa.store(isa.sub(isa.load(u), b0), v);
        }
        return;
    }
    b[..span].copy_from_slice(before);
    let (rho, gain) = (&blocks(&neurons.rho)[..stride], &blocks(&neurons.gain)[..stride]);
    for start in (0..v.len()).step_by(span) {
        let (before, now) = b[start..start + 2 * span].split_at_mut(span);
        for row in (0..span).step_by(stride) {
            let (before, now) = (&before[row..row + stride], &mut now[row..row + stride]);
            let bits = &bits[start + row..start + row + stride];
            let u = &u[span + start + row..][..stride];
            let v = &mut v[start + row..start + row + stride];
            for n in 0..stride {
                let adapted = isa.mul(isa.load(&rho[n]), isa.load(&before[n]));
                let adapted = isa.add_where(bits[n], adapted, isa.load(&gain[n]));
                isa.store(adapted, &mut now[n]);
                let theta = isa.mul_add(beta, adapted, b0);
                isa.store(isa.sub(isa.load(&u[n]), theta), &mut v[n]);
            }
        }
    }
}

/// One step back: what it reads, and what it leaves for the step before it, `[rows, blocks]` each.
struct BackwardStep<'a> {
    pseudo: &'a [Lanes],
    /// u of the step before, and of the step.
    u: [&'a [Lanes]; 2],
    /// b likewise.
    b: [&'a [Lanes]; 2],
    s_before: &'a [u16],
    gi: &'a mut [Lanes],
    gs: &'a mut [Lanes],
    gu: &'a mut [Lanes],
    gb: &'a mut [Lanes],
}

/// The equations of [`backward`]; `given` is ∂L/∂s, or ∂L/∂u if `spikes` is off, or empty.
#[inline(always)]
fn step_back<I: Isa, A: Flag, S: Flag>(
    isa: I,
    neurons: &Alif,
    _: A,
    _: S,
    given: &[Lanes],
    step: BackwardStep<'_>,
    partial: &mut [Lanes],
) {
    let stride = neurons.blocks();
    let Threshold { b0, beta, resistance } = neurons.threshold;
    let (b0, beta, resistance) = (isa.splat(b0), isa.splat(beta), isa.splat(resistance));
    let alpha = &blocks(&neurons.alpha)[..stride];
    let leak = &blocks(&neurons.leak)[..stride];
    let rho = &blocks(&neurons.rho)[..stride];
    let gain = &blocks(&neurons.gain)[..stride];
    let (alpha_sum, partial) = partial.split_at_mut(stride);
    let (rho_sum, bias_sum) = partial.split_at_mut(stride);
    let bias_sum = &mut bias_sum[..stride];
    let BackwardStep { pseudo, u: [u_before, u_now], b: [b_before, b_now], s_before, .. } = step;
    let BackwardStep { gi, gs, gu, gb, .. } = step;
    let size = gi.len();
    let (pseudo, u_before, u_now) = (&pseudo[..size], &u_before[..size], &u_now[..size]);
    let (b_before, b_now, s_before) = (&b_before[..size], &b_now[..size], &s_before[..size]);
    let (gs, gu, gb) = (&mut gs[..size], &mut gu[..size], &mut gb[..size]);
    // Four rows share what is loaded and stored once for each neuron.
    for first in (0..size).step_by(4 * stride) {
        let last = size.min(first + 4 * stride);
        for n in 0..stride {
            let (alpha, leak) = (isa.load(&alpha[n]), isa.load(&leak[n]));
            let (rho, gain) = (isa.load(&rho[n]), isa.load(&gain[n]));
            let leak = isa.mul(leak, resistance);
            let (mut of_alpha, mut of_bias) = (isa.load(&alpha_sum[n]), isa.load(&bias_sum[n]));
            let mut of_rho = isa.load(&rho_sum[n]);
            let mut at = first + n;
            while at < last {
                let spiked = s_before[at];
                let mut s = isa.load(&gs[at]);
                if S::ON && !given.is_empty() {
                    s = isa.add(s, isa.load(&given[at]));
                }
                let v = isa.mul(s, isa.load(&pseudo[at]));
                let mut g = isa.add(isa.load(&gu[at]), v);
                if !S::ON {
                    g = isa.add(g, isa.load(&given[at]));
                }
                let current = isa.mul(leak, g);
                isa.store(current, &mut gi[at]);
                isa.store(isa.mul(alpha, g), &mut gu[at]);
                of_bias = isa.add(of_bias, current);
                let theta = if A::ON { isa.mul_add(beta, isa.load(&b_now[at]), b0) } else { b0 };
                let change = isa.sub(isa.load(&u_before[at]), isa.load(&u_now[at]));
                let change = isa.sub_where(spiked, change, theta);
                of_alpha = isa.mul_add(g, change, of_alpha);
                let mut s = isa.splat(0.0);
                if A::ON {
                    // −gθ
                    let minus_theta = isa.add_where(spiked, v, g);
                    let b = isa.sub_mul(beta, minus_theta, isa.load(&gb[at]));
                    let before = isa.sub_where(spiked, isa.load(&b_before[at]), isa.splat(1.0));
                    of_rho = isa.mul_add(b, before, of_rho);
                    isa.store(isa.mul(rho, b), &mut gb[at]);
                    s = isa.mul(gain, b);
                }
                isa.store(isa.sub_mul(theta, g, s), &mut gs[at]);
                at += stride;
            }
            isa.store(of_alpha, &mut alpha_sum[n]);
            isa.store(of_bias, &mut bias_sum[n]);
            isa.store(of_rho, &mut rho_sum[n]);
        }
    }
}

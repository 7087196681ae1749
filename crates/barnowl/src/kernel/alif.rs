//! A chunk of adaptive leaky integrate-and-fire neurons, forward and backward.

use super::gather::{add_rows, add_signed_rows, for_column_groups};
use super::product::{Panels, product_kernel};
use super::psi::{Psi, WithPsi, choose};
use super::simd::{Isa, LANES, blocks, blocks_mut, dispatch, padded};
use super::spikes::Lists;
use crate::dataset::Events;
use barnowl_neuron::{Decay, Surrogate, Threshold};

/// The constants of a layer's neurons, padded to whole blocks. The neurons of the padding stay silent.
#[derive(Debug)]
pub(crate) struct Neurons {
    /// H.
    pub(crate) neurons: usize,
    /// H rounded up to whole blocks.
    pub(crate) width: usize,
    /// b0, β and R.
    pub(crate) threshold: Threshold,
    /// α, 1−α, ρ, 1−ρ: `[width]` each.
    alpha: Vec<f32>,
    pub(crate) leak: Vec<f32>,
    rho: Vec<f32>,
    gain: Vec<f32>,
    /// The neurons of every block that are not padding.
    valid: Vec<u16>,
}

impl Neurons {
    /// Neurons of a layer of the given size, whose time constants are still to be [set](Self::set).
    pub(crate) fn new(neurons: usize, threshold: Threshold) -> Self {
        let width = padded(neurons);
        let zeros = || vec![0.0; width];
        let valid = (0..width / LANES)
            .map(|block| u16::MAX >> LANES.saturating_sub(neurons - block * LANES))
            .collect();
        Self {
            neurons,
            width,
            threshold,
            alpha: zeros(),
            leak: zeros(),
            rho: zeros(),
            gain: zeros(),
            valid,
        }
    }

    /// Sets τ_m and τ_adp, in steps.
    pub(crate) fn set(&mut self, tau_m: &[f32], tau_adp: &[f32]) {
        decays(tau_m, &mut self.alpha, &mut self.leak);
        decays(tau_adp, &mut self.rho, &mut self.gain);
    }

    /// Blocks of a row.
    pub(crate) fn blocks(&self) -> usize {
        self.width / LANES
    }
}

/// What a neuron keeps and what it lets in each step, for every τ.
pub(crate) fn decays(tau: &[f32], keep: &mut [f32], leak: &mut [f32]) {
    for ((&tau, keep), leak) in tau.iter().zip(keep).zip(leak) {
        let decay = Decay::from_time_constant(tau, 1.0);
        (*keep, *leak) = (decay.keep, decay.leak);
    }
}

/// What drives the neurons of a chunk, besides their own spikes.
#[derive(Clone, Copy)]
pub(crate) enum Drive<'a> {
    /// The current of every entry, `[entries, width]`.
    Current(&'a [f32]),
    /// A bias `[width]`, and rows `[inputs, width]` for the spikes of the layer below, whose lists start at `first`.
    Spikes {
        /// `[width]`.
        bias: &'a [f32],
        /// `[inputs, width]`.
        weights: &'a [f32],
        /// Of the layer below.
        lists: &'a Lists,
        /// The list of the chunk's first entry.
        first: usize,
    },
    /// The same with events of either sign.
    Events {
        /// `[width]`.
        bias: &'a [f32],
        /// `[channels, width]`.
        weights: &'a [f32],
        /// Where the events of an entry are.
        events: EventRows<'a>,
    },
}

/// The input events of a tile's chunk.
#[derive(Clone, Copy)]
pub(crate) struct EventRows<'a> {
    /// The events of the data set.
    pub(crate) events: &'a Events,
    /// For every batch row, the row of `events` that holds its first step.
    pub(crate) first: &'a [usize],
    /// The first step of the chunk.
    pub(crate) step: usize,
}

impl<'a> EventRows<'a> {
    /// The events of batch row `row` at step `k` of the chunk.
    #[inline(always)]
    pub(crate) fn entry(&self, k: usize, row: usize) -> &'a [u16] {
        self.events.row(self.first[row] + self.step + k)
    }
}

/// What a chunk of neurons reads and writes. Arrays with `steps + 1` steps begin with the step before the chunk.
pub(crate) struct Chunk<'a> {
    /// Batch rows.
    pub(crate) rows: usize,
    /// Steps.
    pub(crate) steps: usize,
    /// u, `[steps + 1, rows, width]`.
    pub(crate) u: &'a mut [f32],
    /// b, `[rows, width]`, of the step before the chunk; then of its last.
    pub(crate) b: &'a mut [f32],
    /// s as bits, `[steps + 1, rows, blocks]`.
    pub(crate) bits: &'a mut [u16],
    /// s as lists, `(steps + 1) · rows` entries.
    pub(crate) lists: &'a mut Lists,
}

/// Runs a chunk forward:
///
/// ```text
/// I_t = drive + Σ_j s_{j,t−1} W_j
/// b_t = ρ b_{t−1} + (1−ρ) s_{t−1}
/// θ_t = b0 + β b_t
/// u_t = α u_{t−1} + (1−α) R I_t − θ_t s_{t−1}
/// s_t = 1 if u_t − θ_t > 0 else 0
/// ```
///
/// `recurrent` is `[neurons, width]`.
pub(crate) fn forward(
    neurons: &Neurons,
    recurrent: Option<&[f32]>,
    drive: Drive<'_>,
    chunk: Chunk<'_>,
) {
    run(neurons, recurrent, drive, chunk);
}

dispatch! {
    fn run(neurons: &Neurons, recurrent: Option<&[f32]>, drive: Drive<'_>, chunk: Chunk<'_>) = forward_kernel
}

#[inline(always)]
fn forward_kernel<I: Isa>(
    isa: I,
    neurons: &Neurons,
    recurrent: Option<&[f32]>,
    drive: Drive<'_>,
    chunk: Chunk<'_>,
) {
    let Chunk { rows, steps, u, b, bits, lists } = chunk;
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
                match drive {
                    Drive::Current(values) => {
                        let values = &blocks(values)[entry * stride + column..][..V];
                        for v in 0..V {
                            current[v] = isa.load(&values[v]);
                        }
                    }
                    Drive::Spikes { bias, weights, lists, first } => {
                        let bias = &blocks(bias)[column..][..V];
                        for v in 0..V {
                            current[v] = isa.load(&bias[v]);
                        }
                        let list = lists.entry(first + entry);
                        add_rows::<I, V>(isa, blocks(weights), stride, column, list, &mut current);
                    }
                    Drive::Events { bias, weights, events } => {
                        let bias = &blocks(bias)[column..][..V];
                        for v in 0..V {
                            current[v] = isa.load(&bias[v]);
                        }
                        let list = events.entry(k, row);
                        let weights = blocks(weights);
                        add_signed_rows::<I, V>(isa, weights, stride, column, list, &mut current);
                    }
                }
                if let Some(weights) = recurrent {
                    let list = lists.entry(entry);
                    add_rows::<I, V>(isa, weights, stride, column, list, &mut current);
                }
                // The step. Without fused operations, so that spikes are the same on every processor.
                for v in 0..V {
                    let n = column + v;
                    let spiked = s_before[n];
                    let load = |values: &[super::simd::Lanes]| isa.load(&values[n]);
                    let adapted = isa.mul(load(rho), load(b));
                    let adapted = isa.add_where(spiked, adapted, load(gain));
                    let theta = isa.add(b0, isa.mul(beta, adapted));
                    let driven = isa.mul(load(leak), isa.mul(resistance, current[v]));
                    let membrane = isa.add(isa.mul(load(alpha), load(u_before)), driven);
                    let membrane = isa.sub_where(spiked, membrane, theta);
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

/// What flows back from one chunk to the one before it.
#[derive(Debug, Default)]
pub(crate) struct Carry {
    /// W_recᵀ gI + (1−ρ) gb − θ gu, `[rows, width]`.
    pub(crate) s: Vec<f32>,
    /// α gu.
    pub(crate) u: Vec<f32>,
    /// ρ gb.
    pub(crate) b: Vec<f32>,
}

impl Carry {
    /// No gradient, as after the last step.
    pub(crate) fn reset(&mut self, length: usize) {
        for values in [&mut self.s, &mut self.u, &mut self.b] {
            values.clear();
            values.resize(length, 0.0);
        }
    }
}

/// Sums over rows and time of a layer's gradients: `[width]` each, in double precision, since thousands of steps add up.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    /// dα (1−α).
    pub(crate) alpha: Vec<f64>,
    /// dρ.
    pub(crate) rho: Vec<f64>,
    /// Σ gI, the gradient of a bias.
    pub(crate) bias: Vec<f64>,
}

impl Sums {
    /// Zero.
    pub(crate) fn reset(&mut self, width: usize) {
        for values in [&mut self.alpha, &mut self.rho, &mut self.bias] {
            values.clear();
            values.resize(width, 0.0);
        }
    }

    /// Adds another tile's sums.
    pub(crate) fn add(&mut self, other: &Self) {
        let parts = [
            (&mut self.alpha, &other.alpha),
            (&mut self.rho, &other.rho),
            (&mut self.bias, &other.bias),
        ];
        for (to, from) in parts {
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        }
    }

    /// The gradients of τ_m and τ_adp, in steps.
    pub(crate) fn tau_gradients<'a>(
        &'a self,
        neurons: &'a Neurons,
        tau_m: &'a [f32],
        tau_adp: &'a [f32],
    ) -> (Vec<f32>, Vec<f32>) {
        let leak = neurons.leak.iter().map(|&leak| f64::from(leak));
        let alpha = self.alpha.iter().zip(leak).map(|(sum, leak)| sum / leak);
        let gradient = |(tau, decay): (&f32, f64)| super::tau_gradient(*tau, decay);
        (
            tau_m.iter().zip(alpha).map(gradient).collect(),
            tau_adp.iter().zip(self.rho.iter().copied()).map(gradient).collect(),
        )
    }
}

/// What the backward pass of a chunk reads and writes.
pub(crate) struct BackwardChunk<'a> {
    /// Batch rows.
    pub(crate) rows: usize,
    /// Steps.
    pub(crate) steps: usize,
    /// u as the forward pass left it, `[steps + 1, rows, width]`.
    pub(crate) u: &'a [f32],
    /// s as the forward pass left it, `[steps + 1, rows, blocks]`.
    pub(crate) bits: &'a [u16],
    /// b of the step before the chunk, `[rows, width]`.
    pub(crate) b: &'a [f32],
    /// ∂L/∂s without what flows through the layer itself, `[steps, rows, width]`, if any.
    pub(crate) spikes_gradient: Option<&'a [f32]>,
    /// ∂L/∂u likewise.
    pub(crate) membrane_gradient: Option<&'a [f32]>,
    /// From the chunk after this one; then for the one before it.
    pub(crate) carry: &'a mut Carry,
    /// gI, `[steps, rows, width]`, to be written.
    pub(crate) current_gradient: &'a mut [f32],
    /// To be added to.
    pub(crate) sums: &'a mut Sums,
    /// Scratch: b of every step, `[steps + 1, rows, width]`, and sums in single precision.
    pub(crate) scratch: &'a mut Vec<f32>,
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
pub(crate) fn backward(
    neurons: &Neurons,
    surrogate: Surrogate,
    transposed: Option<&Panels>,
    chunk: BackwardChunk<'_>,
) {
    struct With<'a, 'b>(&'a Neurons, Option<&'a Panels>, BackwardChunk<'b>);
    impl WithPsi for With<'_, '_> {
        type Output = ();
        fn call<P: Psi>(self, psi: P) {
            run_back(self.0, psi, self.1, self.2);
        }
    }
    choose(surrogate, With(neurons, transposed, chunk));
}

dispatch! {
    fn run_back[P: Psi](neurons: &Neurons, psi: P, transposed: Option<&Panels>, chunk: BackwardChunk<'_>) = backward_kernel
}

#[inline(always)]
fn backward_kernel<I: Isa, P: Psi>(
    isa: I,
    neurons: &Neurons,
    psi: P,
    transposed: Option<&Panels>,
    chunk: BackwardChunk<'_>,
) {
    let BackwardChunk { rows, steps, u, bits, carry, current_gradient, sums, .. } = chunk;
    let width = neurons.width;
    let stride = neurons.blocks();
    let span = rows * stride;
    let Threshold { b0, beta, resistance } = neurons.threshold;
    let (b0, beta, resistance) = (isa.splat(b0), isa.splat(beta), isa.splat(resistance));
    let alpha = &blocks(&neurons.alpha)[..stride];
    let leak = &blocks(&neurons.leak)[..stride];
    let rho = &blocks(&neurons.rho)[..stride];
    let gain = &blocks(&neurons.gain)[..stride];

    chunk.scratch.clear();
    chunk.scratch.resize((steps + 1) * rows * width + 3 * width, 0.0);
    let (b, partial) = chunk.scratch.split_at_mut((steps + 1) * rows * width);
    let (b, partial) = (blocks_mut(b), blocks_mut(partial));
    b[..span].copy_from_slice(blocks(chunk.b));
    for k in 0..steps {
        let (before, now) = b[k * span..(k + 2) * span].split_at_mut(span);
        let bits = &bits[k * span..(k + 1) * span];
        for n in 0..stride {
            let (rho, gain) = (isa.load(&rho[n]), isa.load(&gain[n]));
            for at in (n..span).step_by(stride) {
                let adapted = isa.mul(rho, isa.load(&before[at]));
                isa.store(isa.add_where(bits[at], adapted, gain), &mut now[at]);
            }
        }
    }

    let u = blocks(u);
    let (given_s, given_u) =
        (chunk.spikes_gradient.map(blocks), chunk.membrane_gradient.map(blocks));
    for k in (0..steps).rev() {
        let at = k * span;
        let (u_before, u_now) = (&u[at..at + span], &u[at + span..at + 2 * span]);
        let (b_before, b_now) = (&b[at..at + span], &b[at + span..at + 2 * span]);
        let s_before = &bits[at..at + span];
        let given_s = given_s.map(|given| &given[at..at + span]);
        let given_u = given_u.map(|given| &given[at..at + span]);
        let gi = &mut blocks_mut(current_gradient)[at..at + span];
        let gs = &mut blocks_mut(&mut carry.s)[..span];
        let gu = &mut blocks_mut(&mut carry.u)[..span];
        let gb = &mut blocks_mut(&mut carry.b)[..span];
        for n in 0..stride {
            let (alpha, leak) = (isa.load(&alpha[n]), isa.load(&leak[n]));
            let (rho, gain) = (isa.load(&rho[n]), isa.load(&gain[n]));
            let leak = isa.mul(leak, resistance);
            let mut alpha_sum = isa.load(&partial[n]);
            let mut rho_sum = isa.load(&partial[stride + n]);
            let mut bias_sum = isa.load(&partial[2 * stride + n]);
            for at in (n..span).step_by(stride) {
                let spiked = s_before[at];
                let (u_before, u_now) = (isa.load(&u_before[at]), isa.load(&u_now[at]));
                let theta = isa.mul_add(beta, isa.load(&b_now[at]), b0);
                let mut s = isa.load(&gs[at]);
                if let Some(given) = given_s {
                    s = isa.add(s, isa.load(&given[at]));
                }
                let v = isa.mul(s, psi.psi(isa, isa.sub(u_now, theta)));
                let mut g = isa.add(isa.load(&gu[at]), v);
                if let Some(given) = given_u {
                    g = isa.add(g, isa.load(&given[at]));
                }
                // −gθ
                let minus_theta = isa.add_where(spiked, v, g);
                let g_b = isa.sub_mul(beta, minus_theta, isa.load(&gb[at]));
                let current = isa.mul(leak, g);
                let change = isa.sub_where(spiked, isa.sub(u_before, u_now), theta);
                alpha_sum = isa.mul_add(g, change, alpha_sum);
                let adaptation = isa.load(&b_before[at]);
                let adaptation = isa.sub_where(spiked, adaptation, isa.splat(1.0));
                rho_sum = isa.mul_add(g_b, adaptation, rho_sum);
                bias_sum = isa.add(bias_sum, current);
                isa.store(current, &mut gi[at]);
                isa.store(isa.sub_mul(theta, g, isa.mul(gain, g_b)), &mut gs[at]);
                isa.store(isa.mul(alpha, g), &mut gu[at]);
                isa.store(isa.mul(rho, g_b), &mut gb[at]);
            }
            isa.store(alpha_sum, &mut partial[n]);
            isa.store(rho_sum, &mut partial[stride + n]);
            isa.store(bias_sum, &mut partial[2 * stride + n]);
        }
        if let Some(transposed) = transposed {
            let gi = &current_gradient[at * LANES..(at + span) * LANES];
            product_kernel(isa, gi, width, transposed, &mut carry.s, width);
        }
    }
    let partial = partial.as_flattened();
    for (sums, partial) in [&mut sums.alpha, &mut sums.rho, &mut sums.bias]
        .into_iter()
        .zip(partial.chunks_exact(width))
    {
        sums.iter_mut().zip(partial).for_each(|(sum, part)| *sum += f64::from(*part));
    }
}

//! Kernels of adaptive leaky integrate-and-fire neurons: one launch runs a layer through all of time.
//!
//! A cube (CUDA's block, WGSL's workgroup) owns a few sequences and all neurons of a recurrent layer, so that spikes
//! reach the next step through shared memory and a barrier, and no step needs a launch of its own. A unit (a thread)
//! owns some neurons of these sequences and keeps their state in registers. Layers without recurrence need no barrier:
//! their neurons spread over as many cubes as there is room for.
//!
//! Forward, spikes are bits, 32 neurons to a word. Every unit walks over the bits that are set and adds the weight that
//! leads to its neuron: neighbours read neighbouring weights, and what did not spike costs nothing. Backward, the
//! product with the weights is dense, since every neuron has a gradient at every step.

use super::launch::UNROLLED;
use super::surrogate::{Pseudo, pseudo_derivative};
use cubecl::prelude::*;

/// What a kernel is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Layout {
    /// H.
    pub(super) neurons: usize,
    /// Sequences of a cube.
    pub(super) rows: usize,
    /// Units of a cube.
    pub(super) units: usize,
    /// Neurons of a unit, `units` apart.
    pub(super) columns: usize,
    /// Whether there are recurrent weights.
    pub(super) recurrent: bool,
    /// Whether these are kept in shared memory.
    pub(super) resident: bool,
    /// Whether a neuron emits max(0, v) instead of spikes.
    pub(super) rectified: bool,
    /// Whether the emission is observed.
    pub(super) spikes: bool,
    /// Whether the membrane is observed.
    pub(super) membrane: bool,
    /// Whether the backward pass is to follow.
    pub(super) trace: bool,
    /// ψ.
    pub(super) pseudo: Pseudo,
}

impl Layout {
    /// Words of the bits of one sequence.
    fn words(&self) -> usize {
        self.neurons.div_ceil(32)
    }
}

/// What a neuron emits at v = u − θ.
#[cube]
fn emit(v: f32, #[comptime] rectified: bool) -> f32 {
    let mut s = 0.0f32;
    if v > 0.0f32 {
        if comptime!(rectified) {
            s = v;
        } else {
            s = 1.0f32;
        }
    }
    s
}

/// Runs a layer forward:
///
/// ```text
/// I_t = current + Σ_j s_{j,t−1} W_j
/// b_t = ρ b_{t−1} + (1−ρ) s_{t−1}
/// θ_t = b0 + β b_t
/// u_t = α u_{t−1} + (1−α) R I_t − θ_t s_{t−1}
/// s_t = 1 if u_t − θ_t > 0 else 0
/// ```
///
/// `current` `[T, B, H]`; `weights` `[H, H]`, row = presynaptic neuron; `decays` `[4, H]`: α, 1−α, ρ, 1−ρ; `initial` and
/// `state` `[3, B, H]`: u, b, s; `output` `[T, B, H]`, or `[2, T, B, H]` for spikes and membrane; `trace` `[2, T, B, H]`:
/// u, b. Arrays that are not asked for are not touched.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
pub(super) fn forward(
    current: &[f32],
    weights: &[f32],
    decays: &[f32],
    initial: &[f32],
    output: &mut [f32],
    trace: &mut [f32],
    state: &mut [f32],
    steps: u32,
    batch: u32,
    b0: f32,
    beta: f32,
    resistance: f32,
    #[comptime] layout: Layout,
) {
    let neurons = comptime!(layout.neurons);
    let rows = comptime!(layout.rows);
    let units = comptime!(layout.units);
    let columns = comptime!(layout.columns);
    let words = comptime!(layout.words());
    let owned = comptime!(rows * columns);
    let steps = steps as usize;
    let batch = batch as usize;
    let span = batch * neurons;
    let size = steps * span;
    let unit = UNIT_POS_X as usize;
    let first_row = CUBE_POS_X as usize * rows;
    let first_column = CUBE_POS_Y as usize * comptime!(units * columns) + unit;

    // The state of the unit's neurons.
    let mut u = Array::<f32>::new(owned);
    let mut b = Array::<f32>::new(owned);
    let mut s = Array::<f32>::new(owned);
    let mut drive = Array::<f32>::new(owned);
    #[unroll]
    for r in 0..rows {
        #[unroll]
        for c in 0..columns {
            let i = comptime!(r * columns + c);
            let (row, column) = (first_row + r, first_column + c * units);
            u[i] = 0.0f32;
            b[i] = 0.0f32;
            s[i] = 0.0f32;
            if row < batch && column < neurons {
                let at = row * neurons + column;
                u[i] = initial[at];
                b[i] = initial[span + at];
                s[i] = initial[2 * span + at];
            }
        }
    }

    // Bits of the step before, of this step, and of the one after, to be cleared: so one barrier a step is enough.
    let bits = comptime!(rows * words);
    let flags = Shared::<[Atomic<u32>]>::new_slice(comptime!(3 * bits));
    // What rectified neurons emitted, of the step before and of this one.
    let values_length =
        comptime!(if layout.rectified && layout.recurrent { 2 * rows * neurons } else { 1 });
    let mut values = Shared::<[f32]>::new_slice(values_length);
    let resident_length =
        comptime!(if layout.recurrent && layout.resident { neurons * neurons } else { 1 });
    let mut resident = Shared::<[f32]>::new_slice(resident_length);
    if comptime!(layout.recurrent) {
        if comptime!(layout.resident) {
            let mut at = unit;
            while at < comptime!(neurons * neurons) {
                resident[at] = weights[at];
                at += units;
            }
        }
        let mut word = unit;
        while word < comptime!(3 * bits) {
            flags[word].store(0u32);
            word += units;
        }
        sync_cube();
        #[unroll]
        for r in 0..rows {
            #[unroll]
            for c in 0..columns {
                let column = first_column + c * units;
                let i = comptime!(r * columns + c);
                if column < neurons && s[i] != 0.0f32 {
                    flags[r * words + column / 32].fetch_or(1u32 << (column % 32) as u32);
                    if comptime!(layout.rectified) {
                        values[r * neurons + column] = s[i];
                    }
                }
            }
        }
        sync_cube();
    }

    for t in 0..steps {
        #[unroll]
        for r in 0..rows {
            #[unroll]
            for c in 0..columns {
                let i = comptime!(r * columns + c);
                let (row, column) = (first_row + r, first_column + c * units);
                drive[i] = 0.0f32;
                if row < batch && column < neurons {
                    drive[i] = current[t * span + row * neurons + column];
                }
            }
            if comptime!(layout.recurrent) {
                let from = (t % 3) * bits + r * words;
                for word in 0..words {
                    let mut rest = flags[from + word].load();
                    while rest != 0u32 {
                        let j = word * 32 + rest.trailing_zeros() as usize;
                        rest &= rest - 1u32;
                        #[unroll]
                        for c in 0..columns {
                            let i = comptime!(r * columns + c);
                            let column = first_column + c * units;
                            if column < neurons {
                                let weight = if comptime!(layout.resident) {
                                    resident[j * neurons + column]
                                } else {
                                    weights[j * neurons + column]
                                };
                                if comptime!(layout.rectified) {
                                    let from = (t % 2) * comptime!(rows * neurons) + r * neurons;
                                    drive[i] += weight * values[from + j];
                                } else {
                                    drive[i] += weight;
                                }
                            }
                        }
                    }
                }
            }
        }
        #[unroll]
        for r in 0..rows {
            #[unroll]
            for c in 0..columns {
                let i = comptime!(r * columns + c);
                let (row, column) = (first_row + r, first_column + c * units);
                if row < batch && column < neurons {
                    b[i] =
                        decays[2 * neurons + column] * b[i] + decays[3 * neurons + column] * s[i];
                    let theta = b0 + beta * b[i];
                    u[i] = decays[column] * u[i]
                        + decays[neurons + column] * (resistance * drive[i])
                        - theta * s[i];
                    s[i] = emit(u[i] - theta, comptime!(layout.rectified));
                    let at = t * span + row * neurons + column;
                    if comptime!(layout.spikes) {
                        output[at] = s[i];
                    }
                    if comptime!(layout.membrane && layout.spikes) {
                        output[size + at] = u[i];
                    }
                    if comptime!(layout.membrane && !layout.spikes) {
                        output[at] = u[i];
                    }
                    if comptime!(layout.trace) {
                        trace[at] = u[i];
                        trace[size + at] = b[i];
                    }
                    if comptime!(layout.recurrent) {
                        if s[i] != 0.0f32 {
                            let to = ((t + 1) % 3) * bits + r * words + column / 32;
                            flags[to].fetch_or(1u32 << (column % 32) as u32);
                        }
                        if comptime!(layout.rectified) {
                            values[((t + 1) % 2) * comptime!(rows * neurons)
                                + r * neurons
                                + column] = s[i];
                        }
                    }
                }
            }
        }
        if comptime!(layout.recurrent) {
            let mut word = unit;
            while word < bits {
                flags[((t + 2) % 3) * bits + word].store(0u32);
                word += units;
            }
            sync_cube();
        }
    }

    #[unroll]
    for r in 0..rows {
        #[unroll]
        for c in 0..columns {
            let i = comptime!(r * columns + c);
            let (row, column) = (first_row + r, first_column + c * units);
            if row < batch && column < neurons {
                let at = row * neurons + column;
                state[at] = u[i];
                state[span + at] = b[i];
                state[2 * span + at] = s[i];
            }
        }
    }
}

/// Runs a layer backward. With every `t+1` term zero at the last step:
///
/// ```text
/// gs_t = ∂L/∂s_t + W_recᵀ gI_{t+1} + (1−ρ) gb_{t+1} − θ_{t+1} gu_{t+1}
/// gv_t = gs_t ψ(v_t)        gu_t = ∂L/∂u_t + gv_t + α gu_{t+1}        gI_t = (1−α) R gu_t
/// gθ_t = −gv_t − s_{t−1} gu_t        gb_t = β gθ_t + ρ gb_{t+1}
/// dα (1−α) += gu_t (u_{t−1} − u_t − θ_t s_{t−1})        dρ += gb_t (b_{t−1} − s_{t−1})
/// ```
///
/// The currents are not kept: (1−α) R I_t = u_t − α u_{t−1} + θ_t s_{t−1}. Spikes are computed again from u and b.
///
/// `gradient` as the forward pass's `output`; `transposed` `[H, H]`, column = presynaptic neuron; `decays`, `initial` and
/// `trace` as there. `found`: gI `[T, B, H]`, then, of recurrent layers, s_{t−1} `[T, B, H]`. `ends`: the gradients of
/// the initial u, b and s `[3, B, H]`, then the sums (1−α) dα and dρ of every cube's sequences `[cubes, 2, H]`.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
pub(super) fn backward(
    gradient: &[f32],
    transposed: &[f32],
    decays: &[f32],
    initial: &[f32],
    trace: &[f32],
    found: &mut [f32],
    ends: &mut [f32],
    steps: u32,
    batch: u32,
    b0: f32,
    beta: f32,
    resistance: f32,
    gamma: f32,
    sigma: f32,
    height: f32,
    scale: f32,
    #[comptime] layout: Layout,
) {
    let neurons = comptime!(layout.neurons);
    let rows = comptime!(layout.rows);
    let units = comptime!(layout.units);
    let columns = comptime!(layout.columns);
    let owned = comptime!(rows * columns);
    let steps = steps as usize;
    let batch = batch as usize;
    let span = batch * neurons;
    let size = steps * span;
    let unit = UNIT_POS_X as usize;
    let first_row = CUBE_POS_X as usize * rows;
    let first_column = CUBE_POS_Y as usize * comptime!(units * columns) + unit;

    // W_recᵀ gI + (1−ρ) gb − θ gu, α gu and ρ gb of the step after.
    let mut carry_s = Array::<f32>::new(owned);
    let mut carry_u = Array::<f32>::new(owned);
    let mut carry_b = Array::<f32>::new(owned);
    #[unroll]
    for i in 0..owned {
        carry_s[i] = 0.0f32;
        carry_u[i] = 0.0f32;
        carry_b[i] = 0.0f32;
    }
    let mut sum_alpha = Array::<f32>::new(columns);
    let mut sum_rho = Array::<f32>::new(columns);
    #[unroll]
    for c in 0..columns {
        sum_alpha[c] = 0.0f32;
        sum_rho[c] = 0.0f32;
    }

    // gI of this step and of the one before it: so one barrier a step is enough.
    let shared_length = comptime!(if layout.recurrent { 2 * rows * neurons } else { 1 });
    let mut shared = Shared::<[f32]>::new_slice(shared_length);
    let resident_length =
        comptime!(if layout.recurrent && layout.resident { neurons * neurons } else { 1 });
    let mut resident = Shared::<[f32]>::new_slice(resident_length);
    if comptime!(layout.recurrent) {
        if comptime!(layout.resident) {
            let mut at = unit;
            while at < comptime!(neurons * neurons) {
                resident[at] = transposed[at];
                at += units;
            }
        }
        // The rows beyond the batch stay zero.
        let mut at = unit;
        while at < shared_length {
            shared[at] = 0.0f32;
            at += units;
        }
        sync_cube();
    }

    for back in 0..steps {
        let t = steps - 1 - back;
        let buffer = (back % 2) * comptime!(rows * neurons);
        #[unroll]
        for r in 0..rows {
            #[unroll]
            for c in 0..columns {
                let i = comptime!(r * columns + c);
                let (row, column) = (first_row + r, first_column + c * units);
                if row < batch && column < neurons {
                    let within = row * neurons + column;
                    let at = t * span + within;
                    let u = trace[at];
                    let b = trace[size + at];
                    let mut u_before = initial[within];
                    let mut b_before = initial[span + within];
                    let mut s_before = initial[2 * span + within];
                    if t > 0 {
                        u_before = trace[at - span];
                        b_before = trace[size + at - span];
                        s_before =
                            emit(u_before - (b0 + beta * b_before), comptime!(layout.rectified));
                    }
                    let theta = b0 + beta * b;
                    let mut gs = carry_s[i];
                    let mut gu = carry_u[i];
                    if comptime!(layout.spikes) {
                        gs += gradient[at];
                    }
                    if comptime!(layout.membrane && layout.spikes) {
                        gu += gradient[size + at];
                    }
                    if comptime!(layout.membrane && !layout.spikes) {
                        gu += gradient[at];
                    }
                    let gv = gs
                        * pseudo_derivative(
                            u - theta,
                            gamma,
                            sigma,
                            height,
                            scale,
                            comptime!(layout.pseudo),
                        );
                    gu += gv;
                    let g_theta = -gv - s_before * gu;
                    let gb = beta * g_theta + carry_b[i];
                    let gi = decays[neurons + column] * resistance * gu;
                    sum_alpha[c] += gu * (u_before - u - theta * s_before);
                    sum_rho[c] += gb * (b_before - s_before);
                    carry_s[i] = decays[3 * neurons + column] * gb - theta * gu;
                    carry_u[i] = decays[column] * gu;
                    carry_b[i] = decays[2 * neurons + column] * gb;
                    found[at] = gi;
                    if comptime!(layout.recurrent) {
                        found[size + at] = s_before;
                        shared[buffer + r * neurons + column] = gi;
                    }
                }
            }
        }
        if comptime!(layout.recurrent) {
            sync_cube();
            #[unroll]
            for c in 0..columns {
                let column = first_column + c * units;
                if column < neurons {
                    // One weight for all sequences of the cube.
                    for part in 0..comptime!(neurons.div_ceil(UNROLLED)) {
                        #[unroll]
                        for q in 0..UNROLLED {
                            let h = part * UNROLLED + q;
                            if h < neurons {
                                let weight = if comptime!(layout.resident) {
                                    resident[h * neurons + column]
                                } else {
                                    transposed[h * neurons + column]
                                };
                                #[unroll]
                                for r in 0..rows {
                                    carry_s[comptime!(r * columns + c)] +=
                                        weight * shared[buffer + r * neurons + h];
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    #[unroll]
    for r in 0..rows {
        #[unroll]
        for c in 0..columns {
            let i = comptime!(r * columns + c);
            let (row, column) = (first_row + r, first_column + c * units);
            if row < batch && column < neurons {
                let at = row * neurons + column;
                ends[at] = carry_u[i];
                ends[span + at] = carry_b[i];
                ends[2 * span + at] = carry_s[i];
            }
        }
    }
    #[unroll]
    for c in 0..columns {
        let column = first_column + c * units;
        if column < neurons {
            let at = 3 * span + CUBE_POS_X as usize * 2 * neurons + column;
            ends[at] = sum_alpha[c];
            ends[at + neurons] = sum_rho[c];
        }
    }
}

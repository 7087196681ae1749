//! Time constants: what neurons keep, and the gradients.
//!
//! How many neurons there are is told, not taken from an array's length: CUDA's arrays may be longer than their tensors.

use cubecl::prelude::*;

/// What neurons keep and let in each step: `decays[0..H]` α = exp(−1/τ), `decays[H..2H]` 1−α, from `at` on.
#[cube]
fn decay(tau: f32, decays: &mut [f32], at: usize, neurons: usize) {
    let x = 1.0f32 / tau;
    let mut keep = f32::exp(-x);
    let mut leak = 1.0f32 - keep;
    if x < 0.5f32 {
        // 1 − exp(−x) by its series, without the cancellation; the first term left out is x⁹/9!.
        let mut rest = 1.0f32;
        #[unroll]
        for n in 0..7 {
            // 8, 7, … 2
            let divisor = comptime!((8 - n) as f32);
            rest = 1.0f32 - x / divisor * rest;
        }
        leak = x * rest;
        keep = 1.0f32 - leak;
    }
    decays[at] = keep;
    decays[at + neurons] = leak;
}

/// `decays` `[4, H]`: α, 1−α, ρ, 1−ρ of τ_m and τ_adp `[H]`, in steps.
#[cube(launch)]
pub(super) fn decays_of_two(tau_m: &[f32], tau_adp: &[f32], decays: &mut [f32], neurons: u32) {
    let neurons = neurons as usize;
    if ABSOLUTE_POS < neurons {
        decay(tau_m[ABSOLUTE_POS], decays, ABSOLUTE_POS, neurons);
        decay(tau_adp[ABSOLUTE_POS], decays, 2 * neurons + ABSOLUTE_POS, neurons);
    }
}

/// `decays` `[2, H]`: α, 1−α of τ `[H]`, in steps.
#[cube(launch)]
pub(super) fn decays_of_one(tau: &[f32], decays: &mut [f32], neurons: u32) {
    let neurons = neurons as usize;
    if ABSOLUTE_POS < neurons {
        decay(tau[ABSOLUTE_POS], decays, ABSOLUTE_POS, neurons);
    }
}

/// dL/dτ = dL/dα exp(−1/τ) / τ².
#[cube]
fn tau_gradient(tau: f32, decay_gradient: f32) -> f32 {
    let x = 1.0f32 / tau;
    decay_gradient * f32::exp(-x) * x * x
}

/// The gradient of τ_m and, if there are two, of τ_adp: the sums of the cubes, in their order.
///
/// `sums` `[cubes, 1 or 2, H]` from `from` on: (1−α) dα, dρ; `leak` 1−α, `[H]` from H on; `found` `[1 or 2, H]`.
#[cube(launch)]
pub(super) fn tau_gradients(
    sums: &[f32],
    decays: &[f32],
    tau_m: &[f32],
    tau_adp: &[f32],
    found: &mut [f32],
    from: u32,
    cubes: u32,
    neurons: u32,
    #[comptime] two: bool,
) {
    let neurons = neurons as usize;
    let neuron = ABSOLUTE_POS;
    if neuron < neurons {
        let stride = neurons * comptime!(if two { 2usize } else { 1usize });
        let mut alpha = 0.0f32;
        let mut rho = 0.0f32;
        for cube in 0..cubes as usize {
            let at = from as usize + cube * stride + neuron;
            alpha += sums[at];
            if comptime!(two) {
                rho += sums[at + neurons];
            }
        }
        found[neuron] = tau_gradient(tau_m[neuron], alpha / decays[neurons + neuron]);
        if comptime!(two) {
            found[neurons + neuron] = tau_gradient(tau_adp[neuron], rho);
        }
    }
}

//! Kernels of leaky integrators: a unit runs one neuron of one sequence through all of time.

use cubecl::prelude::*;

/// `m_t = α m_{t−1} + (1−α) I_t`. `current` and `membrane` `[T, B, H]`, `initial` `[B, H]`, `decays` `[2, H]`.
#[cube(launch)]
pub(super) fn forward(
    current: &[f32],
    decays: &[f32],
    initial: &[f32],
    membrane: &mut [f32],
    steps: u32,
    batch: u32,
    neurons: u32,
) {
    let neurons = neurons as usize;
    let span = batch as usize * neurons;
    if ABSOLUTE_POS < span {
        let neuron = ABSOLUTE_POS % neurons;
        let alpha = decays[neuron];
        let leak = decays[neurons + neuron];
        let mut m = initial[ABSOLUTE_POS];
        for t in 0..steps as usize {
            let at = t * span + ABSOLUTE_POS;
            m = alpha * m + leak * current[at];
            membrane[at] = m;
        }
    }
}

/// `gm_t = ∂L/∂m_t + α gm_{t+1}`, `gI_t = (1−α) gm_t`, `(1−α) dα += gm_t (m_{t−1} − m_t)`.
///
/// `current_gradient` `[T, B, H]`; `ends` `[2, B, H]`: the gradient of the initial membrane, then the sums of dα.
#[cube(launch)]
pub(super) fn backward(
    gradient: &[f32],
    decays: &[f32],
    initial: &[f32],
    membrane: &[f32],
    current_gradient: &mut [f32],
    ends: &mut [f32],
    steps: u32,
    batch: u32,
    neurons: u32,
) {
    let neurons = neurons as usize;
    let steps = steps as usize;
    let span = batch as usize * neurons;
    if ABSOLUTE_POS < span {
        let neuron = ABSOLUTE_POS % neurons;
        let alpha = decays[neuron];
        let leak = decays[neurons + neuron];
        let mut carry = 0.0f32;
        let mut sum = 0.0f32;
        for back in 0..steps {
            let t = steps - 1 - back;
            let at = t * span + ABSOLUTE_POS;
            let gm = gradient[at] + carry;
            let mut before = initial[ABSOLUTE_POS];
            if t > 0 {
                before = membrane[at - span];
            }
            sum += gm * (before - membrane[at]);
            current_gradient[at] = leak * gm;
            carry = alpha * gm;
        }
        ends[ABSOLUTE_POS] = carry;
        ends[span + ABSOLUTE_POS] = sum;
    }
}

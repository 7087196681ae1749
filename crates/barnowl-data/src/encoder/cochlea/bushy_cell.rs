//! The bushy cell: a leaky integrate-and-fire neuron that forty fibres of one hair cell excite.
//!
//! A fibre fires at random, but not within a millisecond after it did. The neuron has an exponential synaptic current I, a
//! membrane V and a threshold of 1; after a spike V stays at 0 for a millisecond:
//!
//! ```text
//! I_t = exp(−dt/τ_s) I_{t−1} + (fibres that fire)        V_t = exp(−dt/τ_m) V_{t−1} + W dt I_t
//! ```

use rand::RngExt;
use std::collections::VecDeque;

const FIBRES: usize = 40;
const TAU_MEMBRANE: f64 = 1e-3;
const TAU_SYNAPSE: f64 = 5e-4;
const REFRACTORY: f64 = 1e-3;
const WEIGHT: f64 = 13_000.0 / FIBRES as f64;

/// The steps, of `rate` a second, at which the cell spikes.
pub(super) fn spikes(chances: &[f64], rate: f64, rng: &mut impl RngExt) -> Vec<usize> {
    let dt = 1.0 / rate;
    let (decay, synaptic_decay) = ((-dt / TAU_MEMBRANE).exp(), (-dt / TAU_SYNAPSE).exp());
    let refractory = (REFRACTORY * rate).ceil() as usize;
    // How many fibres fired in each of the steps that they still recover from. Fibres are alike, so their number is enough.
    let mut fired: VecDeque<usize> = vec![0; refractory.saturating_sub(1)].into();
    let mut ready = FIBRES;
    let (mut current, mut potential) = (0.0, 0.0);
    let mut wait = 0;
    let mut spikes = Vec::new();
    for (step, chance) in chances.iter().enumerate() {
        let count = binomial(ready, *chance, rng);
        fired.push_back(count);
        ready = ready - count + fired.pop_front().unwrap_or(0);
        current = current * synaptic_decay + count as f64;
        if wait > 0 {
            wait -= 1;
            continue;
        }
        potential = potential * decay + WEIGHT * dt * current;
        if potential >= 1.0 {
            spikes.push(step);
            potential = 0.0;
            wait = refractory;
        }
    }
    spikes
}

/// How many of `n` happen, each with the chance `p`: by inversion, from one random number.
fn binomial(n: usize, p: f64, rng: &mut impl RngExt) -> usize {
    let draw: f64 = rng.random();
    if n == 0 || p <= 0.0 {
        return 0;
    }
    if p >= 1.0 {
        return n;
    }
    let mut mass = (1.0 - p).powi(n as i32);
    let (mut sum, mut k) = (mass, 0);
    while draw >= sum && k < n {
        mass *= (n - k) as f64 / (k + 1) as f64 * p / (1.0 - p);
        sum += mass;
        k += 1;
    }
    k
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn counts_have_mean_and_variance() {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        for (n, p) in [(40, 0.02), (40, 0.7), (1, 0.5)] {
            let counts: Vec<f64> = (0..50_000).map(|_| binomial(n, p, rng) as f64).collect();
            let mean = counts.iter().sum::<f64>() / 5e4;
            let variance = counts.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 5e4;
            let expected = [n as f64 * p, n as f64 * p * (1.0 - p)];
            assert!((mean - expected[0]).abs() < 0.02 * (1.0 + expected[0]), "{n} {p}: {mean}");
            assert!((variance - expected[1]).abs() < 0.05 * expected[1], "{n} {p}: {variance}");
        }
        assert_eq!(
            [binomial(40, 1.0, rng), binomial(40, 0.0, rng), binomial(0, 0.5, rng)],
            [40, 0, 0]
        );
    }

    #[test]
    fn cells_recover_for_a_millisecond() {
        let rng = &mut ChaCha8Rng::seed_from_u64(2);
        // Certain fibres fire together, then recover for 24 steps.
        let spikes = spikes(&[1.0; 240], 24_000.0, rng);
        assert!(spikes.len() > 3, "{spikes:?}");
        assert!(spikes.windows(2).all(|pair| pair[1] - pair[0] > 24), "{spikes:?}");
        assert!(super::spikes(&[0.0; 1000], 24_000.0, rng).is_empty());
    }
}

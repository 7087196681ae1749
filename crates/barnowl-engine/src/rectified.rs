//! Adaptive neurons with a rectified linear output in place of spikes, element by element.
//!
//! ```text
//! b_t = ρ b_{t−1} + (1−ρ) s_{t−1}      θ_t = b0 + β b_t
//! u_t = α u_{t−1} + (1−α) R I_t − θ_t s_{t−1}      s_t = max(0, u_t − θ_t)
//!
//! gv_t = ∂L/∂s_t where s_t > 0      gu_t = gv_t + α gu_{t+1}      gθ_t = −gv_t − gu_t s_{t−1}
//! gb_t = β gθ_t + ρ gb_{t+1}        gI_t = (1−α) R gu_t
//! ∂L/∂s_{t−1} += (1−ρ) gb_t − θ_t gu_t      dα += gu_t (u_{t−1} − R I_t)      dρ += gb_t (b_{t−1} − s_{t−1})
//! ```

use super::alif::decays;
use super::dense::{BackwardStep, DenseCell, ForwardStep};
use super::floats::Floats;
use super::simd::{Isa, Lanes, blocks, padded};
use barnowl_neuron::Threshold;

/// The neurons of a layer; s is what other cells call h. The parameters are τ_m and τ_adp, in steps.
#[derive(Debug)]
pub struct Rectified {
    threshold: Threshold,
    /// α, 1−α, ρ, 1−ρ: `[width]` each, zero beyond the neurons.
    decays: [Floats; 4],
}

impl Rectified {
    /// Neurons of a layer of the given size, whose time constants are still to be [set](DenseCell::set).
    pub fn new(threshold: Threshold, neurons: usize) -> Self {
        let zeros = || Floats::zeros(padded(neurons));
        Self { threshold, decays: [zeros(), zeros(), zeros(), zeros()] }
    }

    /// Block `i` of α, 1−α, ρ and 1−ρ.
    #[inline(always)]
    fn block<I: Isa>(&self, isa: I, i: usize) -> [I::Block; 4] {
        std::array::from_fn(|p| isa.load(&blocks(&self.decays[p])[i]))
    }
}

impl DenseCell for Rectified {
    const GATES: usize = 1;
    /// u, b, I.
    const KEPT: usize = 3;
    /// ∂L/∂u, ∂L/∂b.
    const CARRY: usize = 2;
    /// dα, dρ.
    const SUMS: usize = 2;
    const DISTINCT: bool = false;

    fn set(&mut self, parameters: &[Vec<f32>]) {
        let [keep_m, leak_m, keep_adp, leak_adp] = &mut self.decays;
        decays(&parameters[0], keep_m, leak_m);
        decays(&parameters[1], keep_adp, leak_adp);
    }

    fn parameter_gradients(&self, sums: &[f64], parameters: &[Vec<f32>]) -> Vec<Vec<f64>> {
        let of = sums.chunks_exact(self.decays[0].len()).zip(parameters);
        let gradient = |(sum, tau): (&f64, &f32)| super::tau_gradient(*tau, *sum);
        of.map(|(sums, tau)| sums.iter().zip(tau).map(gradient).collect()).collect()
    }

    fn rest(&self, kept: &mut [f32]) {
        let width = self.decays[0].len();
        kept.fill(0.0);
        kept[width..2 * width].fill(self.threshold.b0);
    }

    #[inline(always)]
    fn forward<I: Isa>(&self, isa: I, row: ForwardStep<'_, Lanes>) {
        let plane = row.h.len();
        let [b0, beta] = [self.threshold.b0, self.threshold.beta].map(|x| isa.splat(x));
        let resistance = isa.splat(self.threshold.resistance);
        for i in 0..plane {
            let [alpha, leak, rho, gain] = self.block(isa, i);
            let s = isa.load(&row.h_before[i]);
            let [u, b] = [0, 1].map(|p| isa.load(&row.kept_before[p * plane + i]));
            let current = isa.add(isa.load(&row.outer[i]), isa.load(&row.inner[i]));
            let b = isa.mul_add(rho, b, isa.mul(gain, s));
            let theta = isa.mul_add(beta, b, b0);
            let driven = isa.mul(leak, isa.mul(current, resistance));
            let u = isa.sub_mul(theta, s, isa.mul_add(alpha, u, driven));
            isa.store(isa.max(isa.sub(u, theta), isa.splat(0.0)), &mut row.h[i]);
            for (p, value) in [u, b, current].into_iter().enumerate() {
                isa.store(value, &mut row.kept[p * plane + i]);
            }
        }
    }

    #[inline(always)]
    fn backward<I: Isa>(&self, isa: I, row: BackwardStep<'_, Lanes>) {
        let plane = row.h.len();
        let [b0, beta] = [self.threshold.b0, self.threshold.beta].map(|x| isa.splat(x));
        let resistance = isa.splat(self.threshold.resistance);
        let zero = isa.splat(0.0);
        for i in 0..plane {
            let [alpha, leak, rho, gain] = self.block(isa, i);
            let before = isa.load(&row.h_before[i]);
            let [u_before, b_before] = [0, 1].map(|p| isa.load(&row.kept_before[p * plane + i]));
            let [b, current] = [1, 2].map(|p| isa.load(&row.kept[p * plane + i]));
            let fires = isa.positive(isa.load(&row.h[i]));
            let gv = isa.add_where(fires, zero, isa.load(&row.dh[i]));
            let gu = isa.add(gv, isa.load(&row.carry[i]));
            let minus_theta = isa.mul_add(gu, before, gv);
            let gb = isa.sub_mul(beta, minus_theta, isa.load(&row.carry[plane + i]));
            isa.store(isa.mul(isa.mul(gu, leak), resistance), &mut row.outer[i]);
            let theta = isa.mul_add(beta, b, b0);
            isa.store(isa.sub_mul(theta, gu, isa.mul(gain, gb)), &mut row.dh[i]);
            isa.store(isa.mul(alpha, gu), &mut row.carry[i]);
            isa.store(isa.mul(rho, gb), &mut row.carry[plane + i]);
            let sums = [
                (i, gu, isa.sub_mul(resistance, current, u_before)),
                (plane + i, gb, isa.sub(b_before, before)),
            ];
            for (at, g, x) in sums {
                let sum = isa.mul_add(g, x, isa.load(&row.sums[at]));
                isa.store(sum, &mut row.sums[at]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::LANES;

    #[test]
    fn padding_stays_at_rest() {
        let threshold = Threshold { b0: 0.1, beta: 1.8, resistance: 1.0 };
        let mut cell = Rectified::new(threshold, 5);
        cell.set(&[vec![3.0; 5], vec![20.0; 5]]);
        for decay in &cell.decays {
            assert_eq!(decay.len(), LANES);
            assert!(decay[..5].iter().all(|x| *x > 0.0) && decay[5..].iter().all(|x| *x == 0.0));
        }
    }
}

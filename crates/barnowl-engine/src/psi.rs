//! Pseudo-derivatives in the form that vectorises best.
//!
//! The equations are those of [`barnowl_neuron::surrogate`]; the tests compare the two.

use super::simd::{Isa, LANES, Lanes, blocks_mut, dispatch, exp, exp_scaled};
use barnowl_neuron::{Shape, Surrogate};

/// ψ of one surrogate, a type of its own so that the choice is made once and not per neuron and step.
pub trait Psi: Copy + Sync {
    /// ψ(v) of several blocks, side by side: see [`exp_scaled`].
    fn psi<I: Isa, const N: usize>(&self, isa: I, v: [I::Block; N]) -> [I::Block; N];
}

/// Any surrogate, as it stands in `barnowl-neuron`.
#[derive(Clone, Copy)]
pub struct General(pub Surrogate);

impl Psi for General {
    #[inline(always)]
    fn psi<I: Isa, const N: usize>(&self, isa: I, mut v: [I::Block; N]) -> [I::Block; N] {
        for v in &mut v {
            let mut lanes: Lanes = [0.0; LANES];
            isa.store(*v, &mut lanes);
            *v = isa.load(&lanes.map(|v| self.0.pseudo_derivative(v)));
        }
        v
    }
}

/// γ N(v; 0, σ).
#[derive(Clone, Copy)]
pub struct Gaussian {
    peak: f32,
    inverse_sigma: f32,
}

impl Psi for Gaussian {
    #[inline(always)]
    fn psi<I: Isa, const N: usize>(&self, isa: I, mut v: [I::Block; N]) -> [I::Block; N] {
        for v in &mut v {
            let z = isa.mul(*v, isa.splat(self.inverse_sigma));
            *v = isa.mul(z, isa.mul(z, isa.splat(-0.5)));
        }
        let mut e = exp(isa, v);
        for e in &mut e {
            *e = isa.mul(isa.splat(self.peak), *e);
        }
        e
    }
}

/// The multi-Gaussian with side lobes six times as wide as the centre, by one exponential instead of three.
///
/// With z = v/σ and e = exp(−z²/72): N(v; 0, σ) ∝ exp(−z²/2) = e³⁶, and the side lobes together are
/// N(v; σ, 6σ) + N(v; −σ, 6σ) ∝ 2 exp(−1/72) e cosh(z/36).
#[derive(Clone, Copy)]
pub struct MultiGaussian {
    inverse_sigma: f32,
    centre: f32,
    side: f32,
}

impl MultiGaussian {
    /// The width of the side lobes for which the form holds.
    const SCALE: f32 = 6.0;
    /// z² up to which exp(−z²/72) is a normal number.
    const LARGEST: f32 = 6250.0;

    fn new(gamma: f32, sigma: f32, height: f32) -> Self {
        let density = gamma / (sigma * std::f32::consts::TAU.sqrt());
        Self {
            inverse_sigma: 1.0 / sigma,
            centre: density * (1.0 + height),
            side: density / Self::SCALE * height * 2.0 * (-1.0_f32 / 72.0).exp(),
        }
    }
}

impl Psi for MultiGaussian {
    #[inline(always)]
    fn psi<I: Isa, const N: usize>(&self, isa: I, mut v: [I::Block; N]) -> [I::Block; N] {
        let mut z2 = v;
        for z2 in &mut z2 {
            let z = isa.mul(*z2, isa.splat(self.inverse_sigma));
            // Where z² is larger, both terms are zero.
            *z2 = isa.min(isa.mul(z, z), isa.splat(Self::LARGEST));
        }
        let e = exp_scaled(isa, z2, -1.0 / 72.0);
        let (mut e4, mut e36) = (e, e);
        for i in 0..N {
            let e2 = isa.mul(e[i], e[i]);
            e4[i] = isa.mul(e2, e2);
        }
        for i in 0..N {
            let e8 = isa.mul(e4[i], e4[i]);
            let e16 = isa.mul(e8, e8);
            e36[i] = isa.mul(isa.mul(e16, e16), e4[i]);
        }
        // cosh x for |x| < 1, x² = z² / 1296; where |x| is larger, e has long made the product zero.
        let fourth = isa.splat(1.0 / (24.0 * 1296.0 * 1296.0));
        for i in 0..N {
            let cosh = isa.mul_add(z2[i], fourth, isa.splat(0.5 / 1296.0));
            let cosh = isa.mul_add(z2[i], cosh, isa.splat(1.0));
            let side = isa.mul(isa.mul(e[i], isa.splat(self.side)), cosh);
            v[i] = isa.mul_sub(isa.splat(self.centre), e36[i], side);
        }
        v
    }
}

/// γ max(0, 1 − |v|).
#[derive(Clone, Copy)]
pub struct Linear(f32);

impl Psi for Linear {
    #[inline(always)]
    fn psi<I: Isa, const N: usize>(&self, isa: I, mut v: [I::Block; N]) -> [I::Block; N] {
        for v in &mut v {
            let height = isa.sub(isa.splat(1.0), isa.max(*v, isa.sub(isa.splat(0.0), *v)));
            *v = isa.mul(isa.splat(self.0), isa.max(height, isa.splat(0.0)));
        }
        v
    }
}

/// γ exp(−k |v|): γ and −k.
#[derive(Clone, Copy)]
pub struct Exponential(f32, f32);

impl Psi for Exponential {
    #[inline(always)]
    fn psi<I: Isa, const N: usize>(&self, isa: I, mut v: [I::Block; N]) -> [I::Block; N] {
        for v in &mut v {
            *v = isa.mul(isa.splat(self.1), isa.max(*v, isa.sub(isa.splat(0.0), *v)));
        }
        let mut e = exp(isa, v);
        for e in &mut e {
            *e = isa.mul(isa.splat(self.0), *e);
        }
        e
    }
}

/// γ / (1 + 10 |v|)².
#[derive(Clone, Copy)]
pub struct FastSigmoid(f32);

impl Psi for FastSigmoid {
    #[inline(always)]
    fn psi<I: Isa, const N: usize>(&self, isa: I, mut v: [I::Block; N]) -> [I::Block; N] {
        for v in &mut v {
            let slope = isa.mul_add(
                isa.splat(10.0),
                isa.max(*v, isa.sub(isa.splat(0.0), *v)),
                isa.splat(1.0),
            );
            *v = isa.div(isa.splat(self.0), isa.mul(slope, slope));
        }
        v
    }
}

/// γ / (1 + (π v)²).
#[derive(Clone, Copy)]
pub struct Arctan(f32);

impl Psi for Arctan {
    #[inline(always)]
    fn psi<I: Isa, const N: usize>(&self, isa: I, mut v: [I::Block; N]) -> [I::Block; N] {
        for v in &mut v {
            let x = isa.mul(isa.splat(std::f32::consts::PI), *v);
            *v = isa.div(isa.splat(self.0), isa.mul_add(x, x, isa.splat(1.0)));
        }
        v
    }
}

/// γ [(1+h) N(v; 0, σ) − 2 h N(v; 0, sσ)]: the peaks of both, and −1/2σ² and −1/2(sσ)².
#[derive(Clone, Copy)]
pub struct DoubleGaussian {
    peaks: [f32; 2],
    exponents: [f32; 2],
}

impl DoubleGaussian {
    fn new(gamma: f32, sigma: f32, height: f32, scale: f32) -> Self {
        let density = gamma / (sigma * std::f32::consts::TAU.sqrt());
        let exponent = |sigma: f32| -0.5 / (sigma * sigma);
        Self {
            peaks: [density * (1.0 + height), density / scale * 2.0 * height],
            exponents: [exponent(sigma), exponent(scale * sigma)],
        }
    }
}

impl Psi for DoubleGaussian {
    #[inline(always)]
    fn psi<I: Isa, const N: usize>(&self, isa: I, mut v: [I::Block; N]) -> [I::Block; N] {
        let (mut narrow, mut wide) = (v, v);
        for i in 0..N {
            let square = isa.mul(v[i], v[i]);
            narrow[i] = isa.mul(square, isa.splat(self.exponents[0]));
            wide[i] = isa.mul(square, isa.splat(self.exponents[1]));
        }
        let (narrow, wide) = (exp(isa, narrow), exp(isa, wide));
        for i in 0..N {
            let wide = isa.mul(isa.splat(self.peaks[1]), wide[i]);
            v[i] = isa.mul_sub(isa.splat(self.peaks[0]), narrow[i], wide);
        }
        v
    }
}

/// γ k σ(k v) (1 − σ(k v)): γ k, and k.
#[derive(Clone, Copy)]
pub struct Sigmoid(f32, f32);

impl Psi for Sigmoid {
    #[inline(always)]
    fn psi<I: Isa, const N: usize>(&self, isa: I, mut v: [I::Block; N]) -> [I::Block; N] {
        // With e = exp(−k |v|), which does not overflow: σ (1 − σ) = e / (1 + e)².
        for v in &mut v {
            let absolute = isa.max(*v, isa.sub(isa.splat(0.0), *v));
            *v = isa.mul(isa.splat(-self.1), absolute);
        }
        let mut e = exp(isa, v);
        for e in &mut e {
            let sum = isa.add(isa.splat(1.0), *e);
            *e = isa.div(isa.mul(isa.splat(self.0), *e), isa.mul(sum, sum));
        }
        e
    }
}

/// γ where |v| < w, or everywhere, if w is infinite: γ and w.
#[derive(Clone, Copy)]
pub struct Flat(f32, f32);

impl Psi for Flat {
    #[inline(always)]
    fn psi<I: Isa, const N: usize>(&self, isa: I, mut v: [I::Block; N]) -> [I::Block; N] {
        let zero = isa.splat(0.0);
        for v in &mut v {
            let absolute = isa.max(*v, isa.sub(zero, *v));
            let within = isa.positive(isa.sub(isa.splat(self.1), absolute));
            *v = isa.add_where(within, zero, isa.splat(self.0));
        }
        v
    }
}

/// ψ(v) in the place of every v.
pub fn pseudo_derivatives(surrogate: Surrogate, v: &mut [f32]) {
    struct With<'a>(&'a mut [f32]);
    impl WithPsi for With<'_> {
        type Output = ();
        fn call<P: Psi>(self, psi: P) {
            run(psi, self.0);
        }
    }
    dispatch! {
        fn run[P: Psi](psi: P, v: &mut [f32]) = kernel
    }
    #[inline(always)]
    fn kernel<I: Isa, P: Psi>(isa: I, psi: P, v: &mut [f32]) {
        // Several side by side, since ψ is a long chain.
        let (fours, rest) = blocks_mut(v).as_chunks_mut::<4>();
        for four in fours {
            let mut x = [isa.splat(0.0); 4];
            for i in 0..4 {
                x[i] = isa.load(&four[i]);
            }
            let found = psi.psi(isa, x);
            for i in 0..4 {
                isa.store(found[i], &mut four[i]);
            }
        }
        for v in rest {
            let [found] = psi.psi(isa, [isa.load(v)]);
            isa.store(found, v);
        }
    }
    choose(surrogate, With(v));
}

/// What to do with the ψ of a surrogate: a closure that is generic over it.
pub trait WithPsi {
    /// The result.
    type Output;
    /// Called once with the ψ that was chosen.
    fn call<P: Psi>(self, psi: P) -> Self::Output;
}

/// Calls `with` with the ψ of `surrogate`.
pub fn choose<W: WithPsi>(surrogate: Surrogate, with: W) -> W::Output {
    let gamma = surrogate.gamma;
    match surrogate.shape {
        Shape::MultiGaussian { sigma, height, scale } if scale == MultiGaussian::SCALE => {
            with.call(MultiGaussian::new(gamma, sigma, height))
        }
        Shape::MultiGaussian { .. } => with.call(General(surrogate)),
        Shape::Gaussian { sigma } => with.call(Gaussian {
            peak: gamma / (sigma * std::f32::consts::TAU.sqrt()),
            inverse_sigma: 1.0 / sigma,
        }),
        Shape::Linear => with.call(Linear(gamma)),
        Shape::Slayer => with.call(Exponential(gamma, -5.0)),
        Shape::FastSigmoid => with.call(FastSigmoid(gamma)),
        Shape::Arctan => with.call(Arctan(gamma)),
        Shape::DoubleGaussian { sigma, height, scale } => {
            with.call(DoubleGaussian::new(gamma, sigma, height, scale))
        }
        Shape::Exponential { steepness } => with.call(Exponential(gamma, -steepness)),
        Shape::Sigmoid { steepness } => with.call(Sigmoid(gamma * steepness, steepness)),
        Shape::StraightThrough => with.call(Flat(gamma, f32::INFINITY)),
        Shape::Box { width } => with.call(Flat(gamma, width)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Portable;

    struct Compare(Surrogate);

    impl WithPsi for Compare {
        type Output = ();

        fn call<P: Psi>(self, psi: P) {
            for i in -40_000..40_000 {
                let v = i as f32 * 1e-3;
                let (fast, plain) =
                    (psi.psi(Portable, [[v; LANES]])[0][0], self.0.pseudo_derivative(v));
                let error = (fast - plain).abs();
                assert!(error < 2e-6, "{} at {v}: {fast} against {plain}", self.0.name());
            }
            for v in [1e4, -1e9, f32::MAX, f32::MIN] {
                assert!(
                    psi.psi(Portable, [[v; LANES]])[0][0].is_finite(),
                    "{} at {v}",
                    self.0.name()
                );
            }
        }
    }

    #[test]
    fn every_form_agrees_with_the_definition() {
        let narrow = Shape::MultiGaussian { sigma: 0.3, height: 0.2, scale: 6.0 };
        let general = Shape::MultiGaussian { sigma: 0.5, height: 0.15, scale: 4.0 };
        for surrogate in Surrogate::ALL.into_iter().chain([narrow, general].map(Surrogate::of)) {
            choose(surrogate, Compare(surrogate));
        }
    }
}

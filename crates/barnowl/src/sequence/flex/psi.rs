//! Pseudo-derivatives in the form that vectorises best.
//!
//! The equations are those of [`barnowl_neuron::surrogate`]; the tests compare the two.

use barnowl_neuron::math::exp;
use barnowl_neuron::{Shape, Surrogate};

/// ψ of one surrogate, a type of its own so that the choice is made once and not per neuron and step.
pub(super) trait Psi: Copy + Sync {
    /// ψ(v).
    fn psi(&self, v: f32) -> f32;
}

/// Any surrogate, as it stands in `barnowl-neuron`.
#[derive(Clone, Copy)]
pub(super) struct General(pub(super) Surrogate);

impl Psi for General {
    #[inline(always)]
    fn psi(&self, v: f32) -> f32 {
        self.0.pseudo_derivative(v)
    }
}

/// γ N(v; 0, σ).
#[derive(Clone, Copy)]
pub(super) struct Gaussian {
    peak: f32,
    inverse_sigma: f32,
}

impl Psi for Gaussian {
    #[inline(always)]
    fn psi(&self, v: f32) -> f32 {
        let z = v * self.inverse_sigma;
        self.peak * exp(-0.5 * z * z)
    }
}

/// The multi-Gaussian with side lobes six times as wide as the centre, by one exponential instead of three.
///
/// With z = v/σ and e = exp(−z²/72): N(v; 0, σ) ∝ exp(−z²/2) = e³⁶, and the side lobes together are
/// N(v; σ, 6σ) + N(v; −σ, 6σ) ∝ 2 exp(−1/72) e cosh(z/36).
#[derive(Clone, Copy)]
pub(super) struct MultiGaussian {
    inverse_sigma: f32,
    centre: f32,
    side: f32,
}

impl MultiGaussian {
    /// The width of the side lobes for which the form holds.
    const SCALE: f32 = 6.0;

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
    fn psi(&self, v: f32) -> f32 {
        // Beyond 100 σ both terms are zero, and the clamp keeps the series below finite.
        let z = (v * self.inverse_sigma).clamp(-100.0, 100.0);
        let z2 = z * z;
        let e = exp(z2 * (-1.0 / 72.0));
        let (e2, x2) = (e * e, z2 * (1.0 / 1296.0));
        let e4 = e2 * e2;
        let e16 = (e4 * e4) * (e4 * e4);
        let e36 = e16 * e16 * e4;
        // cosh x for |x| < 1; where |x| is larger, e has long made the product zero.
        let cosh = 1.0 + x2 * (0.5 + x2 * (1.0 / 24.0 + x2 * (1.0 / 720.0)));
        self.centre * e36 - self.side * (e * cosh)
    }
}

/// γ max(0, 1 − |v|).
#[derive(Clone, Copy)]
pub(super) struct Linear(f32);

impl Psi for Linear {
    #[inline(always)]
    fn psi(&self, v: f32) -> f32 {
        self.0 * (1.0 - v.abs()).max(0.0)
    }
}

/// γ exp(−5 |v|).
#[derive(Clone, Copy)]
pub(super) struct Slayer(f32);

impl Psi for Slayer {
    #[inline(always)]
    fn psi(&self, v: f32) -> f32 {
        self.0 * exp(-5.0 * v.abs())
    }
}

/// γ / (1 + 10 |v|)².
#[derive(Clone, Copy)]
pub(super) struct FastSigmoid(f32);

impl Psi for FastSigmoid {
    #[inline(always)]
    fn psi(&self, v: f32) -> f32 {
        let slope = 1.0 + 10.0 * v.abs();
        self.0 / (slope * slope)
    }
}

/// γ / (1 + (π v)²).
#[derive(Clone, Copy)]
pub(super) struct Arctan(f32);

impl Psi for Arctan {
    #[inline(always)]
    fn psi(&self, v: f32) -> f32 {
        let x = std::f32::consts::PI * v;
        self.0 / (1.0 + x * x)
    }
}

/// What to do with the ψ of a surrogate: a closure that is generic over it.
pub(super) trait WithPsi {
    /// The result.
    type Output;
    /// Called once with the ψ that was chosen.
    fn call<P: Psi>(self, psi: P) -> Self::Output;
}

/// Calls `with` with the ψ of `surrogate`.
pub(super) fn choose<W: WithPsi>(surrogate: Surrogate, with: W) -> W::Output {
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
        Shape::Slayer => with.call(Slayer(gamma)),
        Shape::FastSigmoid => with.call(FastSigmoid(gamma)),
        Shape::Arctan => with.call(Arctan(gamma)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Compare(Surrogate);

    impl WithPsi for Compare {
        type Output = ();

        fn call<P: Psi>(self, psi: P) {
            for i in -40_000..40_000 {
                let v = i as f32 * 1e-3;
                let (fast, plain) = (psi.psi(v), self.0.pseudo_derivative(v));
                let error = (fast - plain).abs();
                assert!(error < 2e-6, "{} at {v}: {fast} against {plain}", self.0.name());
            }
            for v in [1e4, -1e9, f32::MAX, f32::MIN] {
                assert!(psi.psi(v).is_finite(), "{} at {v}", self.0.name());
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

//! Spikes and their surrogate derivatives.
//!
//! Forward, a neuron spikes where `v = u − θ` is positive. Backward, the derivative of that step, zero almost
//! everywhere, is replaced by a pseudo-derivative ψ(v). With γ the height and N(v; μ, σ) the normal density:
//!
//! | surrogate | ψ(v) |
//! | --- | --- |
//! | multi-Gaussian | γ [(1+h) N(v; 0, σ) − h N(v; σ, sσ) − h N(v; −σ, sσ)] |
//! | Gaussian | γ N(v; 0, σ) |
//! | linear | γ max(0, 1 − abs v) |
//! | SLAYER | γ exp(−5 abs v) |
//! | fast sigmoid | γ / (1 + 10 abs v)² |
//! | arctan | γ / (1 + (π v)²) |
//! | double Gaussian | γ [(1+h) N(v; 0, σ) − 2 h N(v; 0, sσ)] |
//! | exponential | γ exp(−k abs v) |
//! | sigmoid | γ k σ(k v) (1 − σ(k v)) |
//! | straight-through | γ |
//! | box | γ if abs v < w, else 0 |
//!
//! Source of the first six: Yin, Corradi & Bohté 2021, *Nature Machine Intelligence* 3, 905–913, doi 10.1038/s42256-021-00397-w, and
//! the references there.

use crate::math::exp;

/// 1 / √(2π).
const INV_SQRT_TAU: f32 = 0.398_942_3;

/// The shape of the pseudo-derivative, without its height γ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// A Gaussian with shallow negative side lobes: neurons far from threshold learn to come nearer.
    MultiGaussian {
        /// Width σ of the central Gaussian.
        sigma: f32,
        /// Height h of the side lobes relative to the centre.
        height: f32,
        /// Width of the side lobes, in units of σ.
        scale: f32,
    },
    /// A Gaussian of width σ.
    Gaussian {
        /// Width σ.
        sigma: f32,
    },
    /// A triangle of half-width 1.
    Linear,
    /// An exponential on both sides, as in SLAYER (Shrestha & Orchard 2018).
    Slayer,
    /// The derivative of the fast sigmoid, as in SuperSpike (Zenke & Ganguli 2018).
    FastSigmoid,
    /// The derivative of the arctangent (Fang et al. 2021).
    Arctan,
    /// The multi-Gaussian with both side lobes in the middle, as for resonate-and-fire neurons (Higuchi et al. 2024).
    DoubleGaussian {
        /// Width σ of the narrow Gaussian.
        sigma: f32,
        /// Half the height h of the wide Gaussian, relative to the narrow one.
        height: f32,
        /// Width of the wide Gaussian, in units of σ.
        scale: f32,
    },
    /// An exponential on both sides (as for the adaptive neurons of Baronig et al. 2024).
    Exponential {
        /// k, by which it falls off.
        steepness: f32,
    },
    /// The derivative of the logistic function.
    Sigmoid {
        /// k, the slope of its argument.
        steepness: f32,
    },
    /// The gradient passes as if there were no step (Bengio et al. 2013).
    StraightThrough,
    /// The gradient passes near the threshold.
    Box {
        /// Half its width, w.
        width: f32,
    },
}

/// A surrogate gradient: shape and height γ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surrogate {
    /// The shape of ψ.
    pub shape: Shape,
    /// The height γ; 0.5 in the paper.
    pub gamma: f32,
}

impl Default for Surrogate {
    fn default() -> Self {
        Self::MULTI_GAUSSIAN
    }
}

impl Surrogate {
    /// The paper's choice: σ = 0.5, h = 0.15, s = 6, γ = 0.5.
    pub const MULTI_GAUSSIAN: Self =
        Self::of(Shape::MultiGaussian { sigma: 0.5, height: 0.15, scale: 6.0 });
    /// A Gaussian with σ = 0.5, γ = 0.5.
    pub const GAUSSIAN: Self = Self::of(Shape::Gaussian { sigma: 0.5 });
    /// The triangle, γ = 0.5.
    pub const LINEAR: Self = Self::of(Shape::Linear);
    /// The double exponential, γ = 0.5.
    pub const SLAYER: Self = Self::of(Shape::Slayer);
    /// The fast sigmoid, γ = 0.5.
    pub const FAST_SIGMOID: Self = Self::of(Shape::FastSigmoid);
    /// The arctangent, γ = 0.5.
    pub const ARCTAN: Self = Self::of(Shape::Arctan);
    /// The six surrogates that the paper compares, with its constants.
    pub const PAPER: [Self; 6] = [
        Self::MULTI_GAUSSIAN,
        Self::GAUSSIAN,
        Self::LINEAR,
        Self::SLAYER,
        Self::FAST_SIGMOID,
        Self::ARCTAN,
    ];

    /// The paper's height, γ = 0.5, for a shape.
    #[must_use]
    pub const fn of(shape: Shape) -> Self {
        Self { shape, gamma: 0.5 }
    }

    /// The double Gaussian, σ = 0.5, h = 0.15, s = 6, γ = 0.5.
    pub const DOUBLE_GAUSSIAN: Self =
        Self::of(Shape::DoubleGaussian { sigma: 0.5, height: 0.15, scale: 6.0 });
    /// The exponential, k = 5, γ = 1.
    pub const EXPONENTIAL: Self = Self { shape: Shape::Exponential { steepness: 5.0 }, gamma: 1.0 };
    /// The derivative of the logistic function, k = 4, γ = 1.
    pub const SIGMOID: Self = Self { shape: Shape::Sigmoid { steepness: 4.0 }, gamma: 1.0 };
    /// The straight-through estimator, γ = 1.
    pub const STRAIGHT_THROUGH: Self = Self { shape: Shape::StraightThrough, gamma: 1.0 };
    /// The box, w = 0.5, γ = 1.
    pub const BOX: Self = Self { shape: Shape::Box { width: 0.5 }, gamma: 1.0 };
    /// All surrogates, with their usual constants: first those that the paper compares.
    pub const ALL: [Self; 11] = [
        Self::MULTI_GAUSSIAN,
        Self::GAUSSIAN,
        Self::LINEAR,
        Self::SLAYER,
        Self::FAST_SIGMOID,
        Self::ARCTAN,
        Self::DOUBLE_GAUSSIAN,
        Self::EXPONENTIAL,
        Self::SIGMOID,
        Self::STRAIGHT_THROUGH,
        Self::BOX,
    ];

    /// The name in configurations, such as `multi_gaussian`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.shape {
            Shape::MultiGaussian { .. } => "multi_gaussian",
            Shape::Gaussian { .. } => "gaussian",
            Shape::Linear => "linear",
            Shape::Slayer => "slayer",
            Shape::FastSigmoid => "fast_sigmoid",
            Shape::Arctan => "arctan",
            Shape::DoubleGaussian { .. } => "double_gaussian",
            Shape::Exponential { .. } => "exponential",
            Shape::Sigmoid { .. } => "sigmoid",
            Shape::StraightThrough => "straight_through",
            Shape::Box { .. } => "box",
        }
    }

    /// Whether a neuron spikes at `v = u − θ`: strictly above threshold. The same for every surrogate.
    #[inline(always)]
    #[must_use]
    pub fn spike(v: f32) -> bool {
        v > 0.0
    }

    /// ψ(v), which stands for ds/dv in the backward pass.
    #[inline]
    #[must_use]
    pub fn pseudo_derivative(&self, v: f32) -> f32 {
        let absolute = if v < 0.0 { -v } else { v };
        self.gamma
            * match self.shape {
                Shape::MultiGaussian { sigma, height, scale } => {
                    (1.0 + height) * normal(v, 0.0, sigma)
                        - height * normal(v, sigma, scale * sigma)
                        - height * normal(v, -sigma, scale * sigma)
                }
                Shape::Gaussian { sigma } => normal(v, 0.0, sigma),
                Shape::Linear => (1.0 - absolute).max(0.0),
                Shape::Slayer => exp(-5.0 * absolute),
                Shape::FastSigmoid => {
                    let slope = 1.0 + 10.0 * absolute;
                    1.0 / (slope * slope)
                }
                Shape::Arctan => {
                    let x = core::f32::consts::PI * v;
                    1.0 / (1.0 + x * x)
                }
                Shape::DoubleGaussian { sigma, height, scale } => {
                    (1.0 + height) * normal(v, 0.0, sigma)
                        - 2.0 * height * normal(v, 0.0, scale * sigma)
                }
                Shape::Exponential { steepness } => exp(-steepness * absolute),
                Shape::Sigmoid { steepness } => {
                    // By e = exp(−k |v|), which does not overflow: σ (1 − σ) = e / (1 + e)².
                    let e = exp(-steepness * absolute);
                    steepness * e / ((1.0 + e) * (1.0 + e))
                }
                Shape::StraightThrough => 1.0,
                Shape::Box { width } => {
                    if absolute < width {
                        1.0
                    } else {
                        0.0
                    }
                }
            }
    }
}

/// The normal density N(v; μ, σ).
#[inline(always)]
fn normal(v: f32, mean: f32, sigma: f32) -> f32 {
    let z = (v - mean) / sigma;
    INV_SQRT_TAU / sigma * exp(-0.5 * z * z)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_needs_v_strictly_above_zero() {
        assert!(Surrogate::spike(f32::MIN_POSITIVE));
        assert!(!Surrogate::spike(0.0));
        assert!(!Surrogate::spike(-1e-6));
        assert!(!Surrogate::spike(f32::NAN));
    }

    #[test]
    fn values_at_threshold() {
        // By hand: N(0; 0, 0.5) = 0.797885; N(0; 0.5, 3) = 0.131147.
        let cases = [
            (Surrogate::MULTI_GAUSSIAN, 0.5 * (1.15 * 0.797_884_6 - 0.3 * 0.131_146_6)),
            (Surrogate::GAUSSIAN, 0.398_942_3),
            (Surrogate::LINEAR, 0.5),
            (Surrogate::SLAYER, 0.5),
            (Surrogate::FAST_SIGMOID, 0.5),
            (Surrogate::ARCTAN, 0.5),
            // N(0; 0, 3) = 0.132981.
            (Surrogate::DOUBLE_GAUSSIAN, 0.5 * (1.15 * 0.797_884_6 - 0.3 * 0.132_980_8)),
            (Surrogate::EXPONENTIAL, 1.0),
            (Surrogate::SIGMOID, 1.0),
            (Surrogate::STRAIGHT_THROUGH, 1.0),
            (Surrogate::BOX, 1.0),
        ];
        for (surrogate, expected) in cases {
            let found = surrogate.pseudo_derivative(0.0);
            assert!((found - expected).abs() < 1e-6, "{}: {found}", surrogate.name());
        }
    }

    #[test]
    fn symmetric_and_finite_everywhere() {
        for surrogate in Surrogate::ALL {
            for i in 0..2000 {
                let v = i as f32 * 0.5;
                let (right, left) =
                    (surrogate.pseudo_derivative(v), surrogate.pseudo_derivative(-v));
                assert!(
                    right.is_finite() && (right - left).abs() <= 1e-7,
                    "{} at {v}",
                    surrogate.name()
                );
            }
        }
    }

    #[test]
    fn sums_of_gaussians_alone_have_negative_lobes() {
        let lobes = [Surrogate::MULTI_GAUSSIAN, Surrogate::DOUBLE_GAUSSIAN];
        for surrogate in Surrogate::ALL {
            let lobe = surrogate.pseudo_derivative(2.0);
            assert_eq!(lobe < 0.0, lobes.contains(&surrogate), "{}", surrogate.name());
        }
    }

    #[test]
    fn the_derivative_of_the_logistic_function_is_that() {
        let logistic = |x: f32| 1.0 / (1.0 + crate::math::exp(-4.0 * x));
        for i in -200..200 {
            let v = i as f32 * 0.01;
            let slope = (logistic(v + 1e-2) - logistic(v - 1e-2)) / 2e-2;
            let found = Surrogate::SIGMOID.pseudo_derivative(v);
            assert!((found - slope).abs() < 1e-3, "at {v}: {found} against {slope}");
        }
    }
}

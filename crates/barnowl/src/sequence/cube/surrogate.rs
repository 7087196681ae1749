//! ψ(v) on a graphics processor; the equations are those of [`Surrogate`].

use barnowl_neuron::{Shape, Surrogate};
use cubecl::prelude::*;

/// The shape of ψ, without its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Pseudo {
    MultiGaussian,
    Gaussian,
    Linear,
    FastSigmoid,
    Arctan,
    DoubleGaussian,
    Exponential,
    Sigmoid,
    Box,
    /// The exact derivative of max(0, v).
    Rectified,
}

impl Pseudo {
    /// The shape of a surrogate, and its numbers: γ, σ (or the steepness, or the width), h, s.
    pub(super) fn of(surrogate: Surrogate) -> (Self, [f32; 4]) {
        let (shape, [sigma, height, scale]) = match surrogate.shape {
            Shape::MultiGaussian { sigma, height, scale } => {
                (Self::MultiGaussian, [sigma, height, scale])
            }
            Shape::Gaussian { sigma } => (Self::Gaussian, [sigma, 0.0, 1.0]),
            Shape::Linear => (Self::Linear, [1.0, 0.0, 1.0]),
            Shape::Slayer => (Self::Exponential, [5.0, 0.0, 1.0]),
            Shape::FastSigmoid => (Self::FastSigmoid, [1.0, 0.0, 1.0]),
            Shape::Arctan => (Self::Arctan, [1.0, 0.0, 1.0]),
            Shape::DoubleGaussian { sigma, height, scale } => {
                (Self::DoubleGaussian, [sigma, height, scale])
            }
            Shape::Exponential { steepness } => (Self::Exponential, [steepness, 0.0, 1.0]),
            Shape::Sigmoid { steepness } => (Self::Sigmoid, [steepness, 0.0, 1.0]),
            Shape::StraightThrough => (Self::Box, [f32::INFINITY, 0.0, 1.0]),
            Shape::Box { width } => (Self::Box, [width, 0.0, 1.0]),
        };
        (shape, [surrogate.gamma, sigma, height, scale])
    }
}

/// The normal density N(v; μ, σ).
#[cube]
fn normal(v: f32, mean: f32, sigma: f32) -> f32 {
    let z = (v - mean) / sigma;
    // 1 / √(2π)
    0.398_942_3f32 / sigma * f32::exp(-0.5f32 * z * z)
}

/// ψ(v).
#[cube]
pub(super) fn pseudo_derivative(
    v: f32,
    gamma: f32,
    sigma: f32,
    height: f32,
    scale: f32,
    #[comptime] pseudo: Pseudo,
) -> f32 {
    let absolute = f32::abs(v);
    let mut psi = 0.0f32;
    if comptime!(pseudo == Pseudo::MultiGaussian) {
        psi = (1.0f32 + height) * normal(v, 0.0f32, sigma)
            - height * normal(v, sigma, scale * sigma)
            - height * normal(v, -sigma, scale * sigma);
    } else if comptime!(pseudo == Pseudo::Gaussian) {
        psi = normal(v, 0.0f32, sigma);
    } else if comptime!(pseudo == Pseudo::Linear) {
        psi = f32::max(1.0f32 - absolute, 0.0f32);
    } else if comptime!(pseudo == Pseudo::Exponential) {
        psi = f32::exp(-sigma * absolute);
    } else if comptime!(pseudo == Pseudo::FastSigmoid) {
        let slope = 1.0f32 + 10.0f32 * absolute;
        psi = 1.0f32 / (slope * slope);
    } else if comptime!(pseudo == Pseudo::Arctan) {
        let x = comptime!(core::f32::consts::PI) * v;
        psi = 1.0f32 / (1.0f32 + x * x);
    } else if comptime!(pseudo == Pseudo::DoubleGaussian) {
        psi = (1.0f32 + height) * normal(v, 0.0f32, sigma)
            - 2.0f32 * height * normal(v, 0.0f32, scale * sigma);
    } else if comptime!(pseudo == Pseudo::Sigmoid) {
        let e = f32::exp(-sigma * absolute);
        psi = sigma * e / ((1.0f32 + e) * (1.0f32 + e));
    } else if comptime!(pseudo == Pseudo::Box) {
        if absolute < sigma {
            psi = 1.0f32;
        }
    } else if v > 0.0f32 {
        psi = 1.0f32;
    }
    if comptime!(pseudo == Pseudo::Rectified) { psi } else { gamma * psi }
}

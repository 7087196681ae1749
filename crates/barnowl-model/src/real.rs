//! The numbers that programs are run in: `f32`, as in training, and `f64`, to check against.

use barnowl_neuron::math;

/// A floating-point type that programs run in.
pub trait Real:
    Copy
    + Default
    + PartialOrd
    + core::ops::Add<Output = Self>
    + core::ops::Sub<Output = Self>
    + core::ops::Mul<Output = Self>
    + core::ops::Div<Output = Self>
    + core::ops::Neg<Output = Self>
{
    /// The number of a program in this type.
    fn from_f32(x: f32) -> Self;
    /// |x|
    fn abs(self) -> Self;
    /// eˣ
    fn exp(self) -> Self;
    /// eˣ − 1
    fn expm1(self) -> Self;
    /// The natural logarithm.
    fn log(self) -> Self;
    /// √x
    fn sqrt(self) -> Self;
    /// tanh x
    fn tanh(self) -> Self;
    /// 1 / (1 + e⁻ˣ)
    fn sigmoid(self) -> Self;
}

impl Real for f32 {
    #[inline(always)]
    fn from_f32(x: f32) -> Self {
        x
    }

    #[inline(always)]
    fn abs(self) -> Self {
        f32::from_bits(self.to_bits() & 0x7fff_ffff)
    }

    #[inline(always)]
    fn exp(self) -> Self {
        math::exp(self)
    }

    #[inline(always)]
    fn expm1(self) -> Self {
        // Up to 0.35 the series holds, beyond it nothing cancels.
        if self > 0.35 { math::exp(self) - 1.0 } else { math::exp_minus_one(self) }
    }

    fn log(self) -> Self {
        libm::logf(self)
    }

    fn sqrt(self) -> Self {
        libm::sqrtf(self)
    }

    /// As the gated cells have it.
    #[inline(always)]
    fn tanh(self) -> Self {
        1.0 - 2.0 / (1.0 + math::exp(self + self))
    }

    #[inline(always)]
    fn sigmoid(self) -> Self {
        1.0 / (1.0 + math::exp(-self))
    }
}

impl Real for f64 {
    fn from_f32(x: f32) -> Self {
        f64::from(x)
    }

    fn abs(self) -> Self {
        libm::fabs(self)
    }

    fn exp(self) -> Self {
        libm::exp(self)
    }

    fn expm1(self) -> Self {
        libm::expm1(self)
    }

    fn log(self) -> Self {
        libm::log(self)
    }

    fn sqrt(self) -> Self {
        libm::sqrt(self)
    }

    fn tanh(self) -> Self {
        libm::tanh(self)
    }

    fn sigmoid(self) -> Self {
        1.0 / (1.0 + libm::exp(-self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_precision_agrees_with_double() {
        for i in -800..=800 {
            let x = i as f32 * 0.01;
            let wide = f64::from(x);
            let pairs = [
                (Real::exp(x), Real::exp(wide)),
                (Real::expm1(x), Real::expm1(wide)),
                (Real::tanh(x), Real::tanh(wide)),
                (Real::sigmoid(x), Real::sigmoid(wide)),
                (Real::sqrt(Real::abs(x)), Real::sqrt(Real::abs(wide))),
            ];
            for (single, double) in pairs {
                let error = (f64::from(single) - double).abs();
                assert!(error <= 3e-7 * (1.0 + double.abs()), "at {x}: {single} and {double}");
            }
        }
    }
}

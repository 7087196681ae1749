//! Exponentials without a standard library.
//!
//! Branch-free, so that the compiler turns a loop over them into vector instructions; the training kernels of the
//! `barnowl` crate use the same functions, hence the same bits on every target. Cephes-style range reduction:
//! `exp(x) = 2ⁿ exp(r)` with `n = round(x / ln 2)` and `|r| ≤ ln 2 / 2`.

const LOG2_E: f32 = core::f32::consts::LOG2_E;
/// ln 2 in two parts: the first has so few bits that `n · LN_2_HIGH` is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// 1.5 · 2²³: adding it rounds to the nearest integer, which then stands in the low bits.
const ROUND: f32 = 12_582_912.0;

/// `exp(x)`, to within 2 units in the last place; 0 below −87, clamped to `exp(88)` above.
#[inline(always)]
#[must_use]
pub fn exp(x: f32) -> f32 {
    let clamped = x.clamp(-87.0, 88.0);
    let shifted = clamped * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (clamped - n * LN_2_HIGH) - n * LN_2_LOW;
    // The low bits of `shifted` hold n as an integer: move it into the exponent of 1.0.
    let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    let value = (1.0 + (r + r * r * tail(r))) * scale;
    if x < -87.0 { 0.0 } else { value }
}

/// `exp(x) − 1` for `x ≤ 0`, accurate also where `x` is small: the `1 − α` of a slow membrane.
#[inline(always)]
#[must_use]
pub fn exp_minus_one(x: f32) -> f32 {
    // Near zero the series itself, elsewhere the subtraction loses less than one bit.
    if x > -0.35 { x + x * x * tail(x) } else { exp(x) - 1.0 }
}

/// `(exp(r) − 1 − r) / r²` for `|r| ≤ 0.35`: the Taylor series to r⁸.
#[inline(always)]
fn tail(r: f32) -> f32 {
    let p = 1.0 / 40320.0;
    let p = p * r + 1.0 / 5040.0;
    let p = p * r + 1.0 / 720.0;
    let p = p * r + 1.0 / 120.0;
    let p = p * r + 1.0 / 24.0;
    let p = p * r + 1.0 / 6.0;
    p * r + 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_agrees_with_double_precision() {
        for i in -8699..8800 {
            let x = i as f32 * 0.01 + 0.003;
            let exact = f64::from(x).exp();
            let relative = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(relative < 2.4e-7, "exp({x}): relative error {relative:e}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-1e9), 0.0);
        assert!(exp(1e9).is_finite());
    }

    #[test]
    fn exp_minus_one_is_accurate_near_zero() {
        for i in 1..4000 {
            let x = -(1.01_f32.powi(i - 3000));
            if x < -80.0 {
                break;
            }
            let exact = f64::from(x).exp_m1();
            let relative = ((f64::from(exp_minus_one(x)) - exact) / exact).abs();
            assert!(relative < 3e-7, "exp_minus_one({x}): relative error {relative:e}");
        }
    }
}

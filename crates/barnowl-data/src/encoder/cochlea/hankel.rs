//! The Hankel function of order 0.

use realfft::num_complex::Complex64;
use std::f64::consts::{FRAC_PI_4, PI};

const EULER: f64 = 0.577_215_664_901_532_9;

/// From here on the asymptotic series is the better one: both lose about eight of sixteen digits.
const FAR: f64 = 9.5;

/// `H₀⁽¹⁾(z) exp(−iz)`, which neither grows nor vanishes far from the real axis, for `−π/2 < arg z < π`; to about 10⁻⁷.
///
/// ```text
/// H₀⁽¹⁾ = J₀ + i Y₀       J₀ = Σ_k (−z²/4)^k / k!²       Y₀ = 2/π ((ln(z/2) + γ) J₀ − Σ_k (1 + … + 1/k) (−z²/4)^k / k!²)
/// H₀⁽¹⁾ ~ √(2/πz) exp(i(z − π/4)) Σ_k (−i)^k (1² 3² … (2k−1)²) / (k! (8z)^k)
/// ```
///
/// (DLMF 10.2.2, 10.8.2, 10.17.5).
pub(super) fn scaled_hankel(z: Complex64) -> Complex64 {
    if z.norm() < FAR { near(z) } else { far(z) }
}

fn near(z: Complex64) -> Complex64 {
    let q = -z * z / 4.0;
    let (mut j, mut rest) = (Complex64::ONE, Complex64::ZERO);
    let (mut term, mut harmonic) = (Complex64::ONE, 0.0);
    for k in 1..60 {
        let k = f64::from(k);
        term *= q / (k * k);
        harmonic += 1.0 / k;
        j += term;
        rest += term * harmonic;
        if term.norm() < 1e-17 {
            break;
        }
    }
    let y = (((z / 2.0).ln() + EULER) * j - rest) * (2.0 / PI);
    (j + Complex64::I * y) * (-Complex64::I * z).exp()
}

fn far(z: Complex64) -> Complex64 {
    let step = -Complex64::I / (8.0 * z);
    let (mut sum, mut term) = (Complex64::ONE, Complex64::ONE);
    for k in 1..40 {
        let k = f64::from(k);
        let next = term * step * ((2.0 * k - 1.0) * (2.0 * k - 1.0) / k);
        // Asymptotic: terms shrink at first and grow at last.
        if next.norm() > term.norm() || next.norm() < 1e-17 {
            break;
        }
        term = next;
        sum += term;
    }
    (2.0 / (PI * z)).sqrt() * Complex64::from_polar(1.0, -FRAC_PI_4) * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_scipy() {
        // scipy.special.hankel1e(0, z)
        for (x, y, real, imaginary) in [
            (0.1, 0.0, 0.8393499226111182, -1.6261578376757568),
            (1.0, -0.2, 0.5435673392719257, -0.5527701813768913),
            (3.0, 0.01, 0.31004310439716454, -0.3368439682581286),
            (5.0, 4.0, 0.13100521643070107, -0.28254974583039155),
            (9.49, 0.0, 0.18060597601475945, -0.1854002369057688),
            (1.0, 9.4, 0.01324898445513391, -0.25593632832942487),
            (9.51, 0.5, 0.17527667691079124, -0.18959799272862796),
            (0.0, 9.6, 0.0, -0.25434103865030633),
            (-3.0, 9.2, -0.038869828769916195, -0.250490760171027),
            (32.0, -0.1, 0.09949661105568158, -0.09996377140126493),
            (20.0, 60.0, 0.015980088039103776, -0.09885874159717575),
            (-5.0, 40.0, -0.007738063562524717, -0.12504787370715134),
        ] {
            let found = scaled_hankel(Complex64::new(x, y));
            let error = (found - Complex64::new(real, imaginary)).norm() / found.norm();
            assert!(error < 1e-7, "{x} + {y}i: {found}, {error}");
        }
    }
}

//! The rhythm: RR intervals that vary with blood pressure and breathing.

use libm::{cos, exp, sqrt};
use rand::{Rng, RngExt};
use std::f64::consts::TAU;

/// Centre of the low-frequency band (Mayer waves), in Hz.
const LOW_FREQUENCY: f64 = 0.1;

/// Standard deviation of either band, in Hz.
const BANDWIDTH: f64 = 0.01;

/// Spectral lines of a band, at multiples of the bandwidth from its centre.
const LINES: [f64; 5] = [-2.0, -1.0, 0.0, 1.0, 2.0];

/// The RR interval as a function of time, by the bimodal power spectrum of McSharry et al. (2003):
///
/// ```text
/// S(f) ∝ r exp(−(f − f_1)² / 2c²) + exp(−(f − f_2)² / 2c²)          r = LF/HF
/// ```
///
/// The paper draws the phase of every frequency at random and transforms S^½ back into time. So does this, on lines
/// that stand c apart within 2 c of either centre, summed directly:
///
/// ```text
/// RR(t) = mean + Σ_k A_k cos(2π f_k t + φ_k)          A_k ∝ S(f_k)^½,  Σ A_k² / 2 = deviation²
/// ```
#[derive(Debug, Clone)]
pub(super) struct Rhythm {
    /// Mean RR interval, in seconds.
    mean: f64,
    lines: Vec<Line>,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    /// 2π f, in rad/s.
    frequency: f64,
    phase: f64,
    /// In seconds.
    amplitude: f64,
}

impl Rhythm {
    /// RR intervals of the given mean and standard deviation, in seconds; `respiration` is f_2, in Hz.
    pub(super) fn new(
        mean: f64,
        deviation: f64,
        lf_hf_ratio: f64,
        respiration: f64,
        rng: &mut impl Rng,
    ) -> Self {
        let bands = [(LOW_FREQUENCY, lf_hf_ratio), (respiration, 1.0)];
        let mut lines: Vec<Line> = bands
            .into_iter()
            .flat_map(|(centre, power)| LINES.map(|line| (centre, power, line)))
            .map(|(centre, power, line)| Line {
                frequency: TAU * (centre + line * BANDWIDTH),
                phase: rng.random_range(0.0..TAU),
                amplitude: sqrt(power * exp(-line * line / 2.0)),
            })
            .collect();
        let power: f64 = lines.iter().map(|line| line.amplitude * line.amplitude / 2.0).sum();
        for line in &mut lines {
            line.amplitude *= deviation / sqrt(power);
        }
        Self { mean, lines }
    }

    /// The RR interval at the given time, in seconds, never below 0.7 of its mean.
    pub(super) fn interval(&self, time: f64) -> f64 {
        let wave = |line: &Line| line.amplitude * cos(line.frequency * time + line.phase);
        (self.mean + self.lines.iter().map(wave).sum::<f64>()).max(0.7 * self.mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    /// Mean and standard deviation of the interval over many periods of every line.
    fn moments(rhythm: &Rhythm) -> (f64, f64) {
        let values: Vec<f64> = (0..10_000).map(|i| rhythm.interval(f64::from(i))).collect();
        let mean = values.iter().sum::<f64>() / 1e4;
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / 1e4;
        (mean, sqrt(variance))
    }

    #[test]
    fn mean_and_deviation_are_those_asked_for() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (mean, deviation) = moments(&Rhythm::new(0.9, 0.05, 0.5, 0.2537, &mut rng));
        assert!((mean - 0.9).abs() < 1e-3, "{mean}");
        assert!((deviation - 0.05).abs() < 2e-3, "{deviation}");
    }

    #[test]
    fn no_variability_is_a_constant_interval() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert_eq!(moments(&Rhythm::new(0.75, 0.0, 0.0, 0.25, &mut rng)), (0.75, 0.0));
    }
}

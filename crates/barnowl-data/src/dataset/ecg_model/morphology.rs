//! The shape of a heartbeat: five waves on the phase circle, two leads, and where the waves begin and end.

use super::config::GeneratorConfig;
use libm::sqrt;
use rand::{Rng, RngExt};
use std::f64::consts::TAU;

/// The leads of a recording.
pub(super) const LEADS: usize = 2;

/// P, Q, R, S and T, in this order.
pub(super) const WAVES: usize = 5;

const P: usize = 0;
const Q: usize = 1;
const R: usize = 2;
const S: usize = 3;
const T: usize = 4;

/// Onset and offset of a wave stand this many widths from its peak, where a Gaussian has fallen to 9 %.
const EXTENT: f64 = 2.2;

/// Shortest PQ and TP segment, in radians.
const MIN_SEGMENT: f64 = 0.2;

/// A wave of the average beat at 60 beats a minute, and how far it varies, as shares of the value.
struct Wave {
    /// θ of the peak, in radians; the R peak is at 0.
    angle: f64,
    angle_varies: f64,
    /// b, the standard deviation of the Gaussian, in radians.
    width: f64,
    width_varies: f64,
    /// Height in either lead, in mV.
    amplitude: [f64; LEADS],
    amplitude_varies: f64,
}

/// Positions and widths follow table 1 of McSharry et al. (2003), changed so that the mean durations of the six
/// classes are those of the encoded QT Database: P and S are narrower, and P is earlier by 50 ms.
const AVERAGE: [Wave; WAVES] = [
    Wave {
        angle: -1.25,
        angle_varies: 0.2,
        width: 0.17,
        width_varies: 0.25,
        amplitude: [0.15, 0.12],
        amplitude_varies: 0.5,
    },
    Wave {
        angle: -0.26,
        angle_varies: 0.2,
        width: 0.08,
        width_varies: 0.25,
        amplitude: [-0.12, -0.08],
        amplitude_varies: 0.7,
    },
    Wave {
        angle: 0.0,
        angle_varies: 0.0,
        width: 0.1,
        width_varies: 0.2,
        amplitude: [1.1, 0.8],
        amplitude_varies: 0.4,
    },
    Wave {
        angle: 0.19,
        angle_varies: 0.3,
        width: 0.06,
        width_varies: 0.25,
        amplitude: [-0.25, -0.45],
        amplitude_varies: 0.7,
    },
    Wave {
        angle: 1.6,
        angle_varies: 0.15,
        width: 0.36,
        width_varies: 0.25,
        amplitude: [0.35, 0.3],
        amplitude_varies: 0.5,
    },
];

/// The beat of one recording.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Beat {
    /// θ_i, in radians.
    pub(super) angles: [f64; WAVES],
    /// b_i, in radians.
    pub(super) widths: [f64; WAVES],
    /// Height of each wave in each lead, in mV.
    pub(super) amplitudes: [[f64; WAVES]; LEADS],
    /// The phases at which the six classes begin, in the order of the classes from the onset of P; ascending, in
    /// radians, within 2π of the first.
    onsets: [f64; 6],
}

impl Beat {
    /// Draws a beat at the given heart rate, in beats a minute.
    ///
    /// At other rates than 60 a minute the waves take another share of the cycle: with h = (rate / 60)^½, widths, Q and
    /// S scale by h, P and T move by h^½, as in the authors' program ECGSYN (PhysioNet); so the
    /// QT interval shortens with the rate about as Bazett's formula says.
    pub(super) fn draw(config: &GeneratorConfig, heart_rate: f64, rng: &mut impl Rng) -> Self {
        let mut vary = |share: f64| 1.0 + config.morphology * share * rng.random_range(-1.0..=1.0);
        let h = sqrt(heart_rate / 60.0);
        let moves = [sqrt(h), h, 1.0, h, sqrt(h)];
        let mut angles = [0.0; WAVES];
        let mut widths = [0.0; WAVES];
        let mut amplitudes = [[0.0; WAVES]; LEADS];
        for (i, wave) in AVERAGE.iter().enumerate() {
            angles[i] = wave.angle * moves[i] * vary(wave.angle_varies);
            widths[i] = wave.width * h * vary(wave.width_varies);
            for (amplitudes, amplitude) in amplitudes.iter_mut().zip(wave.amplitude) {
                amplitudes[i] = amplitude * vary(wave.amplitude_varies);
            }
        }
        for amplitudes in &mut amplitudes {
            if rng.random::<f64>() < config.small_p {
                amplitudes[P] *= 0.3;
            }
            let t_shape: f64 = rng.random();
            if t_shape < config.flat_t {
                amplitudes[T] *= 0.2;
            } else if t_shape < config.flat_t + config.inverted_t {
                amplitudes[T] *= -0.8;
            }
        }
        // Waves drawn close together at a high rate must not overlap: conduction from atria to ventricles takes time,
        // and the ventricles rest before the next P.
        let qrs_onset = angles[Q] - EXTENT * widths[Q];
        let p_half = EXTENT * widths[P];
        angles[P] = angles[P].min(qrs_onset - MIN_SEGMENT - p_half);
        let latest_t = angles[P] - p_half + TAU - MIN_SEGMENT - EXTENT * widths[T];
        angles[T] = angles[T].min(latest_t);
        let onsets = [
            angles[P] - p_half,
            angles[P] + p_half,
            qrs_onset,
            angles[R],
            angles[S] + EXTENT * widths[S],
            angles[T] + EXTENT * widths[T],
        ];
        Self { angles, widths, amplitudes, onsets }
    }

    /// The class at a phase, of any number of turns: the last one that has begun.
    pub(super) fn class(&self, phase: f64) -> u16 {
        let first = self.onsets[0];
        let turns = ((phase - first) / TAU).floor();
        let phase = phase - TAU * turns;
        let begun = self.onsets[1..].iter().take_while(|onset| phase >= **onset).count();
        begun as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    proptest! {
        #[test]
        fn waves_never_overlap(seed: u64, heart_rate in 30.0..=150.0, morphology in 0.0..=1.0) {
            let config = GeneratorConfig { morphology, ..GeneratorConfig::default() };
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let beat = Beat::draw(&config, heart_rate, &mut rng);
            let mut onsets = beat.onsets.to_vec();
            onsets.push(onsets[0] + TAU);
            prop_assert!(onsets.is_sorted_by(|a, b| a + 0.01 < *b), "{:?}", onsets);
            for (class, pair) in onsets.windows(2).enumerate() {
                let middle = (pair[0] + pair[1]) / 2.0;
                for turns in [-1.0, 0.0, 2.0] {
                    prop_assert_eq!(usize::from(beat.class(middle + TAU * turns)), class);
                }
            }
        }
    }

    #[test]
    fn without_variation_only_the_rate_matters() {
        let config = GeneratorConfig {
            morphology: 0.0,
            small_p: 0.0,
            flat_t: 0.0,
            inverted_t: 0.0,
            ..GeneratorConfig::default()
        };
        let draw = |rate, seed| Beat::draw(&config, rate, &mut ChaCha8Rng::seed_from_u64(seed));
        assert_eq!(draw(60.0, 1), draw(60.0, 2));
        assert_eq!(draw(60.0, 1).angles, [-1.25, -0.26, 0.0, 0.19, 1.6]);
        assert!(draw(90.0, 1).widths[T] > draw(60.0, 1).widths[T]);
    }
}

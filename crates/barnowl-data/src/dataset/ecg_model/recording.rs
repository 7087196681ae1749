//! One recording: heart, rhythm and noise put together.

use super::config::GeneratorConfig;
use super::dynamics::Heart;
use super::morphology::{Beat, LEADS};
use super::rhythm::Rhythm;
use crate::dataset::Split;
use barnowl_base::error::Result;
use libm::sin;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use std::f64::consts::TAU;

/// Frequency of the mains hum, in Hz.
const MAINS_FREQUENCY: f64 = 50.0;

/// Longest integration step, in seconds; the R wave has a standard deviation of about 15 ms.
const MAX_DT: f64 = 0.004;

/// Seconds that run before the recording begins, so that the potential forgets its start: it relaxes within 1 s.
const SETTLING: f64 = 4.0;

/// A recording before it is encoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The potential of each lead at every step, in mV.
    pub leads: [Vec<f64>; 2],
    /// The class at every step, as an index of [`CLASSES`](super::CLASSES).
    pub classes: Vec<u16>,
}

/// The recording behind sequence `index` of a split.
///
/// # Errors
///
/// If a setting is out of range.
pub fn recording(config: &GeneratorConfig, split: Split, index: u64) -> Result<Recording> {
    config.validate("generator")?;
    Ok(record(config, split.is_test_of_two("the ECG generator")?, index))
}

/// As [`recording`], of valid settings.
pub(super) fn record(config: &GeneratorConfig, test: bool, index: u64) -> Recording {
    let rng = &mut stream(config.seed, test, index);
    // Even in the interval, not in the rate: resting rates are more often low than high.
    let interval = rng.random_range(60.0 / config.heart_rate_max..=60.0 / config.heart_rate_min);
    let respiration = rng.random_range(0.2..=0.35);
    let rhythm = Rhythm::new(
        interval,
        interval * config.rr_variability,
        config.lf_hf_ratio,
        respiration,
        rng,
    );
    let beat = Beat::draw(config, 60.0 / interval, rng);
    let mut heart = Heart::new(&beat, TAU / interval, rng.random_range(0.0..TAU));
    let mut noise = Noise::draw(config, rng);
    let breath = rng.random_range(0.0..TAU);

    let step = 1.0 / config.sampling_rate;
    let substeps = (step / MAX_DT).ceil();
    let dt = step / substeps;
    let substeps = substeps as usize;
    let mut ticks = 0_u64;
    let mut advance = |heart: &mut Heart, count: usize| {
        for _ in 0..count {
            let time = ticks as f64 * dt;
            let baseline = config.baseline_wander * sin(TAU * respiration * time + breath);
            heart.step(dt, TAU / rhythm.interval(time), baseline);
            ticks += 1;
        }
    };
    advance(&mut heart, (SETTLING / dt).ceil() as usize);
    let mut leads = [const { Vec::new() }; LEADS];
    let mut classes = Vec::with_capacity(config.steps);
    for t in 0..config.steps {
        classes.push(beat.class(heart.phase()));
        let time = t as f64 * step;
        for ((lead, potential), noise) in
            leads.iter_mut().zip(heart.potentials()).zip(noise.sample(time, rng))
        {
            lead.push(potential + noise);
        }
        advance(&mut heart, substeps);
    }
    Recording { leads, classes }
}

/// The random numbers of one sequence: its own ChaCha stream, even for training, odd for testing.
fn stream(seed: u64, test: bool, index: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(2 * index + u64::from(test));
    rng
}

/// White noise and mains hum of one recording.
#[derive(Debug, Clone)]
struct Noise {
    /// Standard deviation in each lead, in mV.
    white: [f64; LEADS],
    /// Amplitude in each lead, in mV.
    mains: [f64; LEADS],
    mains_phase: f64,
}

impl Noise {
    fn draw(config: &GeneratorConfig, rng: &mut impl Rng) -> Self {
        Self {
            white: std::array::from_fn(|_| config.noise * rng.random_range(0.5..=1.5)),
            mains: std::array::from_fn(|_| config.mains * rng.random_range(0.0..=2.0)),
            mains_phase: rng.random_range(0.0..TAU),
        }
    }

    /// The noise of each lead, in mV, at the given time, in seconds.
    fn sample(&mut self, time: f64, rng: &mut impl Rng) -> [f64; LEADS] {
        let hum = sin(TAU * MAINS_FREQUENCY * time + self.mains_phase);
        std::array::from_fn(|lead| {
            let white: f64 = StandardNormal.sample(rng);
            self.white[lead] * white + self.mains[lead] * hum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_label_changes_from_qr_to_rs_at_the_peak() {
        let config = GeneratorConfig { noise: 0.0, mains: 0.0, ..GeneratorConfig::default() };
        for index in 0..20 {
            let recording = recording(&config, Split::Test, index).unwrap();
            let lead = &recording.leads[0];
            for t in 10..1291 {
                if recording.classes[t - 1..=t] == [2, 3] {
                    let near = (t - 10..t + 10).max_by(|a, b| lead[*a].total_cmp(&lead[*b]));
                    assert!(near.is_some_and(|peak| peak.abs_diff(t) <= 3), "{near:?}, {t}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn each_class_is_followed_only_by_the_next(
            seed: u64,
            rates in (30.0..=150.0, 30.0..=150.0),
            rr_variability in 0.0..=0.1,
            lf_hf_ratio in 0.0..=100.0,
            sampling_rate in 125.0..=500.0,
        ) {
            let config = GeneratorConfig {
                seed,
                heart_rate_min: f64::min(rates.0, rates.1),
                heart_rate_max: f64::max(rates.0, rates.1),
                rr_variability,
                lf_hf_ratio,
                sampling_rate,
                ..GeneratorConfig::default()
            };
            let classes = recording(&config, Split::Train, 0).unwrap().classes;
            for pair in classes.windows(2) {
                prop_assert!(pair[1] == pair[0] || pair[1] == (pair[0] + 1) % 6, "{:?}", pair);
            }
        }
    }
}

//! Generated ECGs with exact wave labels: the dynamical model of McSharry, Clifford, Tarassenko & Smith, *A dynamical
//! model for generating synthetic electrocardiogram signals*, IEEE Transactions on Biomedical Engineering 50(3),
//! 289–294, 2003 (doi:10.1109/TBME.2003.808805).
//!
//! A point runs round a circle, once a heartbeat, and passes the P, Q, R, S and T waves, each of which pushes the
//! potential up and down again. Heart rate and its variability, position, width and height of the waves, and noise are
//! drawn for every sequence; both leads see the same waves at other heights. As the phase is known, so are the labels:
//! the classes and channels are those of the encoded [QT Database](super::qtdb).
//!
//! Bits: random numbers come from ChaCha, transcendental functions from the `libm` crate, which computes them in
//! plain arithmetic, so that the data do not depend on the platform's mathematics library. One exception is left:
//! normal variates beyond 3.6 standard deviations, one in four thousand, use the platform's logarithm, and its last
//! bit could move an event only where the signal meets a level to within that bit.

mod config;
mod dynamics;
mod morphology;
mod rhythm;

pub use super::qtdb::{CLASSES, Split};
pub use config::GeneratorConfig;

use super::{Dataset, Inputs, Targets};
use crate::encoder::LevelCrossing;
use crate::error::Result;
use dynamics::Heart;
use libm::sin;
use morphology::{Beat, LEADS};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use rhythm::Rhythm;
use std::f64::consts::TAU;

/// Event channels: up and down of each lead.
const CHANNELS: usize = 2 * LEADS;

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
    /// The class at every step, as an index of [`CLASSES`].
    pub classes: Vec<u16>,
}

/// The data set of a split: events −1, 0 or 1 `[N, T, 4]`, a class at every step.
///
/// Each lead is brought to mean 0 and variance 1 and encoded by [`LevelCrossing`] into two channels, up and down: up 1,
/// down 1, up 2, down 2; an event is 1 in all four. The sequences are made in parallel, each from a random stream of
/// its own, so they do not depend on the number of threads, nor on how many others there are.
///
/// # Errors
///
/// If a setting is out of range.
pub fn generate(config: &GeneratorConfig, split: Split) -> Result<Dataset> {
    config.validate("generator")?;
    let encoder = LevelCrossing::new(config.threshold)?;
    let (samples, name) = match split {
        Split::Train => (config.train_samples, "training"),
        Split::Test => (config.test_samples, "testing"),
    };
    let mut events = vec![0; samples * config.steps * CHANNELS];
    let mut classes = vec![0; samples * config.steps];
    events
        .par_chunks_exact_mut(config.steps * CHANNELS)
        .zip(classes.par_chunks_exact_mut(config.steps))
        .enumerate()
        .for_each(|(index, (events, classes))| {
            let recording = record(config, split, index as u64);
            classes.copy_from_slice(&recording.classes);
            for (lead, signal) in recording.leads.iter().enumerate() {
                let codes = encoder.encode(&standardized(signal));
                for (to, code) in events.chunks_exact_mut(CHANNELS).zip(codes) {
                    to[2 * lead..2 * lead + 2].copy_from_slice(&code);
                }
            }
        });
    Dataset::new(
        [samples, config.steps, CHANNELS],
        CLASSES.map(str::to_owned).to_vec(),
        Inputs::Spikes(events),
        Targets::PerStep(classes),
        format!(
            "generated ECG (McSharry et al. 2003, seed {}), level-crossing encoded, {samples} {name} sequences of {} \
             steps at {} Hz",
            config.seed, config.steps, config.sampling_rate
        ),
    )
}

/// The recording behind sequence `index` of a split.
///
/// # Errors
///
/// If a setting is out of range.
pub fn recording(config: &GeneratorConfig, split: Split, index: u64) -> Result<Recording> {
    config.validate("generator")?;
    Ok(record(config, split, index))
}

/// As [`recording`], of valid settings.
fn record(config: &GeneratorConfig, split: Split, index: u64) -> Recording {
    let rng = &mut stream(config.seed, split, index);
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
        for ((lead, potential), noise) in leads
            .iter_mut()
            .zip(heart.potentials())
            .zip(noise.sample(time, rng))
        {
            lead.push(potential + noise);
        }
        advance(&mut heart, substeps);
    }
    Recording { leads, classes }
}

/// The random numbers of one sequence: its own ChaCha stream, even for training, odd for testing.
fn stream(seed: u64, split: Split, index: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(2 * index + u64::from(split == Split::Test));
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

/// The signal with mean 0 and variance 1; a constant one becomes 0.
fn standardized(signal: &[f64]) -> Vec<f32> {
    let count = signal.len() as f64;
    let mean = signal.iter().sum::<f64>() / count;
    let variance = signal
        .iter()
        .map(|value| (value - mean) * (value - mean))
        .sum::<f64>()
        / count;
    let scale = if variance > 0.0 {
        1.0 / variance.sqrt()
    } else {
        0.0
    };
    signal
        .iter()
        .map(|value| ((value - mean) * scale) as f32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn small() -> GeneratorConfig {
        GeneratorConfig {
            train_samples: 40,
            test_samples: 12,
            ..GeneratorConfig::default()
        }
    }

    fn events(data: &Dataset) -> &[i8] {
        match data.inputs() {
            Inputs::Spikes(events) => events,
            Inputs::Real(_) => panic!("real values"),
        }
    }

    fn classes(data: &Dataset) -> &[u16] {
        match data.targets() {
            Targets::PerStep(classes) => classes,
            Targets::PerSequence(_) => panic!("one class a sequence"),
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| generate(&small(), Split::Train).unwrap())
        };
        let data = on(1);
        assert_eq!(data, on(3));
        assert_eq!(
            [data.samples(), data.steps(), data.channels()],
            [40, 1301, 4]
        );
        let other = GeneratorConfig { seed: 1, ..small() };
        assert_ne!(
            events(&data),
            events(&generate(&other, Split::Train).unwrap())
        );
    }

    #[test]
    fn the_bits_are_the_same_on_every_platform() {
        let config = GeneratorConfig {
            train_samples: 3,
            ..GeneratorConfig::default()
        };
        let data = generate(&config, Split::Train).unwrap();
        let bytes = events(&data)
            .iter()
            .map(|event| u64::from(event.unsigned_abs()));
        let values = bytes.chain(classes(&data).iter().copied().map(u64::from));
        // FNV-1a.
        let hash = values.fold(0xcbf2_9ce4_8422_2325_u64, |hash, value| {
            (hash ^ value).wrapping_mul(0x0100_0000_01b3)
        });
        assert_eq!(
            hash, 0,
            "the default data have changed: every result on them changes too"
        );
    }

    #[test]
    fn a_sequence_does_not_depend_on_how_many_others_there_are() {
        let fewer = generate(
            &GeneratorConfig {
                train_samples: 7,
                ..small()
            },
            Split::Train,
        );
        let (fewer, all) = (fewer.unwrap(), generate(&small(), Split::Train).unwrap());
        assert_eq!(events(&fewer), &events(&all)[..7 * 1301 * 4]);
    }

    #[test]
    fn no_test_sequence_is_in_the_training_data() {
        let train = generate(&small(), Split::Train).unwrap();
        let test = generate(&small(), Split::Test).unwrap();
        let size = 1301 * 4;
        for sequence in events(&test).chunks(size) {
            assert!(events(&train).chunks(size).all(|other| other != sequence));
        }
    }

    #[test]
    fn densities_and_shares_are_those_of_the_qt_database() {
        let data = generate(&small(), Split::Train).unwrap();
        // Measured in QTDB_train.mat: 0.083, 0.068, 0.087, 0.073.
        let mut counts = [0; CHANNELS];
        for step in events(&data).chunks(CHANNELS) {
            assert!(step.iter().all(|event| (0..=1).contains(event)));
            assert!(step[0] + step[1] <= 1 && step[2] + step[3] <= 1, "{step:?}");
            counts
                .iter_mut()
                .zip(step)
                .for_each(|(count, event)| *count += i32::from(*event));
        }
        let steps = f64::from(40 * 1301);
        for count in counts {
            let density = f64::from(count) / steps;
            assert!((0.05..0.12).contains(&density), "{density}");
        }
        // Of the labelled steps of QTDB_train.mat.
        let shares = [0.136, 0.067, 0.063, 0.048, 0.329, 0.356];
        for (class, expected) in (0..).zip(shares) {
            let found = classes(&data)
                .iter()
                .filter(|found| **found == class)
                .count() as f64
                / steps;
            assert!(
                (found / expected - 1.0).abs() < 0.3,
                "class {class}: {found}"
            );
        }
    }

    #[test]
    fn the_first_phase_is_random() {
        let data = generate(&small(), Split::Train).unwrap();
        let first: Vec<_> = classes(&data).iter().step_by(1301).collect();
        assert!(
            [0, 4, 5].iter().all(|class| first.contains(&class)),
            "{first:?}"
        );
    }

    #[test]
    fn the_label_changes_from_qr_to_rs_at_the_peak() {
        let config = GeneratorConfig {
            noise: 0.0,
            mains: 0.0,
            ..small()
        };
        for index in 0..20 {
            let recording = recording(&config, Split::Test, index).unwrap();
            let lead = &recording.leads[0];
            for t in 10..1291 {
                if recording.classes[t - 1..=t] == [2, 3] {
                    let near = (t - 10..t + 10).max_by(|a, b| lead[*a].total_cmp(&lead[*b]));
                    assert!(
                        near.is_some_and(|peak| peak.abs_diff(t) <= 3),
                        "{near:?}, {t}"
                    );
                }
            }
        }
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let config = GeneratorConfig {
            steps: 0,
            ..small()
        };
        assert!(
            generate(&config, Split::Test)
                .unwrap_err()
                .to_string()
                .contains("steps = 0")
        );
        assert!(recording(&config, Split::Test, 0).is_err());
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

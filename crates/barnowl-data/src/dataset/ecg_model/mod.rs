//! Generated ECGs with exact wave labels: the dynamical model of McSharry, Clifford, Tarassenko & Smith, *A dynamical
//! model for generating synthetic electrocardiogram signals*, IEEE Transactions on Biomedical Engineering 50(3),
//! 289–294, 2003 (doi:10.1109/TBME.2003.808805).
//!
//! A point runs round a circle, once a heartbeat, and passes the P, Q, R, S and T waves, each of which pushes the
//! potential up and down again. Heart rate and its variability, position, width and height of the waves, and noise are
//! drawn for every sequence; both leads see the same waves at other heights. As the phase is known, so are the labels:
//! the classes and channels are those of the encoded [QT Database](super::qtdb). Its labels come 19 steps late; these
//! do not, so the network has to name a wave without having seen what follows.
//!
//! Bits: random numbers come from ChaCha, transcendental functions from the `libm` crate, which computes them in
//! plain arithmetic, so that the data do not depend on the platform's mathematics library. One exception is left:
//! normal variates beyond 3.6 standard deviations, one in four thousand, use the platform's logarithm, and its last
//! bit could move an event only where the signal meets a level to within that bit.

mod config;
mod dynamics;
mod morphology;
mod recording;
mod rhythm;

pub use super::qtdb::CLASSES;
pub use config::GeneratorConfig;
pub use recording::{Recording, recording};

use super::{Dataset, Inputs, Split, Targets};
use crate::encoder::LevelCrossing;
use barnowl_base::error::Result;
use barnowl_base::words::counted;
use morphology::LEADS;
use rayon::prelude::*;
use recording::record;

/// Event channels: up and down of each lead.
const CHANNELS: usize = 2 * LEADS;

/// The data set of a split: events 0 or 1 `[N, T, 4]`, or [signals](GeneratorConfig::signals) `[N, T, 2]`, a class at every
/// step.
///
/// Each lead is brought to mean 0 and variance 1 and, for events, encoded by [`LevelCrossing`] into two channels, up and down:
/// up 1, down 1, up 2, down 2. The sequences are made in parallel, each from a random stream of
/// its own, so they do not depend on the number of threads, nor on how many others there are.
///
/// # Errors
///
/// If a setting is out of range.
pub fn generate(config: &GeneratorConfig, split: Split) -> Result<Dataset> {
    config.validate("generator")?;
    let encoder = LevelCrossing::new(config.threshold)?;
    let test = split.is_test_of_two("the ECG generator")?;
    let samples = if test { config.test_samples } else { config.train_samples };
    let origin = |form: &str| {
        format!(
            "generated ECG (McSharry et al. 2003, seed {}), {form}, {} of {} at {} Hz",
            config.seed,
            counted(samples, &format!("{} sequence", split.purpose())),
            counted(config.steps, "step"),
            config.sampling_rate
        )
    };
    let names = CLASSES.map(str::to_owned).to_vec();
    if config.signals {
        let mut values = vec![0.0; samples * config.steps * LEADS];
        let mut classes = vec![0; samples * config.steps];
        values
            .par_chunks_exact_mut(config.steps * LEADS)
            .zip(classes.par_chunks_exact_mut(config.steps))
            .enumerate()
            .for_each(|(index, (values, classes))| {
                let recording = record(config, test, index as u64);
                classes.copy_from_slice(&recording.classes);
                for (lead, signal) in recording.leads.iter().enumerate() {
                    let signal = standardized(signal);
                    for (to, value) in values.chunks_exact_mut(LEADS).zip(signal) {
                        to[lead] = value;
                    }
                }
            });
        return Dataset::new(
            [samples, config.steps, LEADS],
            names,
            Inputs::Real(values),
            Targets::PerStep(classes),
            origin("standardized signals"),
        )?
        .with_channel_names((1..=LEADS).map(|lead| format!("lead {lead}")).collect());
    }
    let mut events = vec![0; samples * config.steps * CHANNELS];
    let mut classes = vec![0; samples * config.steps];
    events
        .par_chunks_exact_mut(config.steps * CHANNELS)
        .zip(classes.par_chunks_exact_mut(config.steps))
        .enumerate()
        .for_each(|(index, (events, classes))| {
            let recording = record(config, test, index as u64);
            classes.copy_from_slice(&recording.classes);
            for (lead, signal) in recording.leads.iter().enumerate() {
                let codes = encoder.encode(&standardized(signal));
                for (to, code) in events.chunks_exact_mut(CHANNELS).zip(codes) {
                    to[2 * lead..2 * lead + 2].copy_from_slice(&code);
                }
            }
        });
    Dataset::from_spikes(
        [samples, config.steps, CHANNELS],
        names,
        &events,
        Targets::PerStep(classes),
        origin("level-crossing encoded"),
    )
}

/// The signal with mean 0 and variance 1; a constant one becomes 0.
fn standardized(signal: &[f64]) -> Vec<f32> {
    let count = signal.len() as f64;
    let mean = signal.iter().sum::<f64>() / count;
    let variance = signal.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    let scale = if variance > 0.0 { 1.0 / variance.sqrt() } else { 0.0 };
    signal.iter().map(|value| ((value - mean) * scale) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> GeneratorConfig {
        GeneratorConfig { train_samples: 40, test_samples: 12, ..GeneratorConfig::default() }
    }

    fn events(data: &Dataset) -> Vec<i8> {
        let batch = |sample| data.batch(&[sample]).inputs;
        (0..data.samples()).flat_map(batch).map(|value| value as i8).collect()
    }

    fn classes(data: &Dataset) -> &[u16] {
        data.targets().classes().unwrap()
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| generate(&small(), Split::Train).unwrap())
        };
        let data = on(1);
        assert_eq!(data, on(3));
        assert_eq!([data.samples(), data.steps(), data.channels()], [40, 1301, 4]);
        let other = GeneratorConfig { seed: 1, ..small() };
        assert_ne!(events(&data), events(&generate(&other, Split::Train).unwrap()));
    }

    #[test]
    fn signals_are_what_the_events_were_made_of() {
        let config = GeneratorConfig { train_samples: 2, ..GeneratorConfig::default() };
        let coded = generate(&config, Split::Train).unwrap();
        let config = GeneratorConfig { signals: true, ..config };
        let data = generate(&config, Split::Train).unwrap();
        assert_eq!([data.samples(), data.steps(), data.channels()], [2, 1301, LEADS]);
        assert_eq!(data.targets(), coded.targets());
        let encoder = LevelCrossing::new(config.threshold).unwrap();
        let lead: Vec<f32> =
            data.batch(&[1]).inputs.iter().skip(1).step_by(LEADS).copied().collect();
        let events = coded.batch(&[1]).inputs;
        for (code, events) in encoder.encode(&lead).iter().zip(events.chunks_exact(CHANNELS)) {
            assert_eq!([f32::from(code[0]), f32::from(code[1])], events[2..4]);
        }
    }

    #[test]
    fn the_bits_are_the_same_on_every_platform() {
        let config = GeneratorConfig { train_samples: 3, ..GeneratorConfig::default() };
        let data = generate(&config, Split::Train).unwrap();
        let events = events(&data);
        let bytes = events.iter().map(|event| u64::from(event.unsigned_abs()));
        let values = bytes.chain(classes(&data).iter().copied().map(u64::from));
        // FNV-1a.
        let hash = values.fold(0xcbf2_9ce4_8422_2325_u64, |hash, value| {
            (hash ^ value).wrapping_mul(0x0100_0000_01b3)
        });
        assert_eq!(
            hash, 7_629_878_655_469_430_162,
            "the default data have changed: every result on them changes too"
        );
    }

    #[test]
    fn a_sequence_does_not_depend_on_how_many_others_there_are() {
        let fewer = generate(&GeneratorConfig { train_samples: 7, ..small() }, Split::Train);
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
            counts.iter_mut().zip(step).for_each(|(count, event)| *count += i32::from(*event));
        }
        let steps = f64::from(40 * 1301);
        for count in counts {
            let density = f64::from(count) / steps;
            assert!((0.05..0.12).contains(&density), "{density}");
        }
        // Of the labelled steps of QTDB_train.mat.
        let shares = [0.136, 0.067, 0.063, 0.048, 0.329, 0.356];
        for (class, expected) in (0..).zip(shares) {
            let found =
                classes(&data).iter().filter(|found| **found == class).count() as f64 / steps;
            assert!((found / expected - 1.0).abs() < 0.3, "class {class}: {found}");
        }
    }

    #[test]
    fn the_first_phase_is_random() {
        let data = generate(&small(), Split::Train).unwrap();
        let first: Vec<_> = classes(&data).iter().step_by(1301).collect();
        assert!([0, 4, 5].iter().all(|class| first.contains(&class)), "{first:?}");
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let config = GeneratorConfig { steps: 0, ..small() };
        assert!(generate(&config, Split::Test).unwrap_err().to_string().contains("steps = 0"));
        assert!(recording(&config, Split::Test, 0).is_err());
    }
}

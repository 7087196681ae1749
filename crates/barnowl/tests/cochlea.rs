//! The cochlea against scipy (reference/cochlea_golden.py), and against the recordings that went through the published one.

use barnowl::dataset::audio::Sound;
use barnowl::dataset::hdf5::File;
use barnowl::encoder::{Cochlea, CochleaConfig};
use barnowl::exchange::safetensors;
use std::path::{Path, PathBuf};

#[test]
fn firing_chances_are_those_of_scipy() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cochlea.safetensors");
    let golden = safetensors::read(path).unwrap().tensors;
    let expected = &golden["chances"];
    let config = CochleaConfig { channels: expected.shape[0], ..CochleaConfig::default() };
    let cochlea = Cochlea::new(&config, 8000).unwrap();
    let found = cochlea.firing_chances(&golden["sound"].values);
    let most = expected.values.iter().fold(0.0, |most: f32, x| most.max(*x));
    assert!(most > 0.005, "a silent cell proves nothing");
    for (channel, (found, expected)) in
        found.iter().zip(expected.values.chunks_exact(expected.shape[1])).enumerate()
    {
        assert_eq!(found.len(), 4800);
        for (step, (a, b)) in found.iter().step_by(6).zip(expected).enumerate() {
            let a = *a as f32;
            assert!((a - b).abs() < 1e-4 * most, "channel {channel}, step {step}: {a}, not {b}");
        }
    }
}

#[test]
fn spikes_do_not_depend_on_threads_and_silence_is_quiet() {
    let config = CochleaConfig { channels: 50, ..CochleaConfig::default() };
    let cochlea = Cochlea::new(&config, 16_000).unwrap();
    let sound: Vec<f32> =
        (0..4000).map(|n| (n as f32 * 0.2).sin() * (n as f32 * 0.01).sin()).collect();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| cochlea.encode(&sound, 3))
    };
    let spikes = on(1);
    assert!(spikes.len() > 100);
    assert_eq!(spikes, on(3));
    assert_ne!(spikes, cochlea.encode(&sound, 4));
    assert!(spikes.iter().all(|spike| (0.0..0.25).contains(&spike.time) && spike.unit < 50));
    // At rest, cells spike about 0.7 times a second.
    let silent = cochlea.encode(&[0.0; 16_000], 1);
    assert!((15..70).contains(&silent.len()), "{}", silent.len());
    assert_eq!(cochlea.encode(&[f32::NAN; 16_000], 1), silent);
    assert_eq!(cochlea.encode(&[], 1), []);
    assert!(cochlea.encode(&[1.0], 1).len() < 10);
}

#[test]
fn bad_settings_are_refused() {
    let refused = |config: CochleaConfig, rate, part: &str| {
        let error = Cochlea::new(&config, rate).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    let good = CochleaConfig::default();
    refused(CochleaConfig { channels: 1, ..good }, 8000, "channels");
    refused(CochleaConfig { level: f64::NAN, ..good }, 8000, "level");
    refused(CochleaConfig { velocity_rate: 4000, ..good }, 8000, "velocity_rate");
    refused(good, 10, "rate");
}

/// Of fifty recordings of a digit by one speaker, the one whose published spikes come first in `fsdd-spikes` is the one whose
/// spikes, encoded here, are most like them; and there are about as many.
#[test]
fn published_spikes_are_recognised() {
    let Ok(data) = std::env::var("BARNOWL_DATA") else {
        println!("skipped: BARNOWL_DATA is not set");
        return;
    };
    let (recordings, path) = (
        PathBuf::from(&data).join("fsdd/recordings"),
        PathBuf::from(&data).join("fsdd-spikes/train.h5"),
    );
    if !recordings.is_dir() || !path.is_file() {
        println!("skipped: there is no fsdd or no fsdd-spikes");
        return;
    }
    // Spikes in frames of 5 ms and groups of 20 channels.
    const GROUPS: usize = 35;
    const FRAMES: usize = 100;
    let binned = |spikes: &mut dyn Iterator<Item = (f64, usize)>| {
        let mut bins = vec![0.0; GROUPS * FRAMES];
        for (time, unit) in spikes {
            let frame = (time / 0.005) as usize;
            if frame < FRAMES {
                bins[unit / 20 * FRAMES + frame] += 1.0;
            }
        }
        bins
    };
    let file = File::open(&path).unwrap();
    let (times, units) = (file.rows("spikes/times").unwrap(), file.rows("spikes/units").unwrap());
    let (times, units) = (times.row(0).unwrap(), units.row(0).unwrap());
    let published = binned(&mut times.iter().copied().zip(units.iter().map(|unit| *unit as usize)));
    // These recordings were encoded at 16 kHz, and the velocity has half the rate of the sound there.
    let config = CochleaConfig { velocity_rate: 8000, ..CochleaConfig::default() };
    let cochlea = Cochlea::new(&config, 8000).unwrap();
    let likeness = |index: usize| {
        let sound = Sound::read(recordings.join(format!("7_nicolas_{index}.wav"))).unwrap();
        let spikes = cochlea.encode(&sound.samples, 1);
        let found = binned(&mut spikes.iter().map(|spike| (spike.time, usize::from(spike.unit))));
        (correlation(&found, &published), spikes.len())
    };
    let all: Vec<(f64, usize)> = (0..20).map(likeness).collect();
    let best = (0..20).max_by(|a, b| all[*a].0.total_cmp(&all[*b].0)).unwrap();
    println!("{all:?}");
    assert_eq!(best, 9, "{all:?}");
    assert!(all[9].0 > 0.85, "{all:?}");
    let ratio = all[9].1 as f64 / times.len() as f64;
    assert!((0.85..1.15).contains(&ratio), "{} spikes, published {}", all[9].1, times.len());
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let covariance = |x: &[f64], mx: f64, y: &[f64], my: f64| {
        x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>()
    };
    covariance(a, ma, b, mb) / (covariance(a, ma, a, ma) * covariance(b, mb, b, mb)).sqrt()
}

//! The cochlea against scipy (reference/cochlea_golden.py).

use barnowl::encoder::{Cochlea, CochleaConfig};
use barnowl::exchange::safetensors;
use std::path::Path;

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

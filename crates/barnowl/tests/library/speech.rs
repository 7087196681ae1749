//! Sounds and features against soundfile, librosa and python_speech_features (reference/speech_golden.py).

use barnowl::dataset::audio::Sound;
use barnowl::dataset::speech::SpeechFeatures;
use barnowl::encoder::{MelConfig, MelSpectrogram, Mfcc, MfccConfig, deltas};
use barnowl::exchange::{TensorMap, safetensors};
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn golden() -> TensorMap {
    safetensors::read(fixture("speech.safetensors")).unwrap().tensors
}

/// Within 1e-4 of the largest expected value.
fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= 1e-4 * scale, "{what}, element {i}: {a}, expected {b}");
    }
}

#[test]
fn mel_bands_are_those_of_librosa() {
    let golden = golden();
    for rate in [8000, 16_000] {
        let tensor = |name: &str| &golden[&format!("{rate}.{name}")];
        let (window, hop) = (rate as usize * 3 / 100, rate as usize / 100);
        let config = MelConfig { rate, window, hop, mels: 40, low: 20.0, high: 4000.0 };
        let power = MelSpectrogram::new(&config).unwrap().power(&tensor("sound").values);
        assert_close(&power, &tensor("power").values, "power");
        for (order, name) in [(1, "delta"), (2, "delta2")] {
            let delta = deltas::savitzky_golay(&power, 40, order);
            assert_close(&delta, &tensor(name).values, name);
        }
    }
}

#[test]
fn coefficients_are_those_of_python_speech_features() {
    let golden = golden();
    for rate in [8000, 16_000] {
        let tensor = |name: &str| &golden[&format!("{rate}.{name}")];
        let mfcc = Mfcc::new(&MfccConfig::new(rate)).unwrap();
        let sound: Vec<f32> = tensor("sound").values.iter().map(|x| x * 32768.0).collect();
        let coefficients = mfcc.features(&sound);
        let first = deltas::regression(&coefficients, 13, 2);
        let second = deltas::regression(&first, 13, 2);
        let expected = tensor("mfcc");
        assert_eq!(expected.shape, [mfcc.frames(sound.len()), 39]);
        for (part, found) in [coefficients, first, second].iter().enumerate() {
            let expected: Vec<f32> = expected
                .values
                .chunks_exact(39)
                .flat_map(|row| &row[13 * part..][..13])
                .copied()
                .collect();
            assert_close(found, &expected, &format!("{rate}, part {part}"));
        }
    }
}

#[test]
fn the_features_of_a_word_are_those_of_the_authors() {
    let golden = golden();
    for rate in [8000, 16_000] {
        let tensor = |name: &str| &golden[&format!("{rate}.{name}")];
        let extractor = SpeechFeatures::default().extractor("features", rate).unwrap();
        assert_eq!(extractor.steps(), 101);
        let features = extractor.features(&tensor("sound").values);
        // Every fifth step is on record; half precision keeps three digits.
        let found = features.chunks_exact(120).step_by(5).flatten().map(|x| x.to_f32());
        for (i, (a, b)) in found.zip(&tensor("word").values).enumerate() {
            assert!(
                (a - b).abs() <= 2e-3 * b.abs().max(1.0),
                "{rate}, element {i}: {a}, expected {b}"
            );
        }
    }
}

#[test]
fn a_sound_that_is_almost_silent_has_features() {
    let extractor = SpeechFeatures::default().extractor("features", 8000).unwrap();
    for value in [0.0, 1e-45, 1e-38] {
        let features = extractor.features(&[value; 100]);
        assert!(features.iter().all(|x| x.is_finite()), "{value}");
    }
}

#[test]
fn sounds_of_every_format_are_the_same_sound() {
    let expected = safetensors::read(fixture("sound.safetensors")).unwrap().tensors;
    let expected = &expected["sound"].values;
    for (name, tolerance) in [
        ("8.wav", 1.0 / 128.0),
        ("16.wav", 1.0 / 32768.0),
        ("24.wav", 1e-6),
        ("32.wav", 1e-6),
        ("float.wav", 0.0),
        ("extensible.wav", 1.0 / 32768.0),
        ("16.sph", 1.0 / 32768.0),
        ("ulaw.sph", 0.02),
    ] {
        let sound = Sound::read(fixture(&format!("sound_{name}"))).unwrap();
        assert_eq!((sound.rate, sound.samples.len()), (8000, expected.len()), "{name}");
        for (a, b) in sound.samples.iter().zip(expected) {
            assert!((a - b).abs() <= tolerance * 1.01, "{name}: {a}, expected {b}");
        }
    }
    // Of two channels, the mean; the second is silent.
    let stereo = Sound::read(fixture("sound_stereo.wav")).unwrap();
    assert_eq!(stereo.samples.len(), expected.len());
    for (a, b) in stereo.samples.iter().zip(expected) {
        assert!((a - b / 2.0).abs() <= 1.0 / 32768.0);
    }
}

#[test]
fn damaged_sounds_are_refused() {
    let message = |bytes: &[u8]| Sound::from_bytes(bytes).unwrap_err().to_string();
    let wav = std::fs::read(fixture("sound_16.wav")).unwrap();
    assert!(message(&wav[..wav.len() - 20]).contains("cut short"));
    assert!(message(&wav[..44]).contains("samples"));
    assert!(message(b"OggS").contains("no sound"));
    assert!(message(b"").contains("the file is empty"));
    for form in [&b"RF64\xff\xff\xff\xffWAVEds64"[..], b"BW64\xff\xff\xff\xffWAVEds64"] {
        let message = message(form);
        assert!(message.contains("RF64 or BW64") && message.contains("sox INPUT"), "{message}");
    }
    let sphere = std::fs::read(fixture("sound_16.sph")).unwrap();
    assert!(message(&sphere[..sphere.len() - 2]).contains("expected 320 as the header says"));
    let replaced = |from: &str, to: &str| -> Vec<u8> {
        let at = sphere.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        let mut bytes = sphere.clone();
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    assert!(message(&replaced("sample_coding -s3 pcm", "sample_coding -s3 xyz")).contains("xyz"));
    assert!(message(&replaced("sample_rate -i 8000", "sample_rate -i 80x0")).contains("80x0"));
    assert!(message(&replaced("end_head", "and_head")).contains("end_head"));
    for bytes in [&wav, &sphere] {
        for at in 0..bytes.len().min(1100) {
            for value in [0, 0xFF, bytes[at] ^ 1] {
                let mut bad = bytes.clone();
                bad[at] = value;
                // An answer or an error, and no panic.
                let _ = Sound::from_bytes(&bad);
            }
            let _ = Sound::from_bytes(&bytes[..at]);
        }
    }
}

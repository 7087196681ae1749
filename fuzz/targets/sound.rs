//! Sounds, WAV and SPHERE.

#![no_main]

use barnowl::dataset::audio::Sound;
use barnowl_fuzz::{file, named};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Some(sound) = named(Sound::read(file("a.wav", input))) {
        assert!(sound.rate > 0 && !sound.samples.is_empty());
        assert!(sound.samples.iter().all(|x| x.is_finite()));
    }
});

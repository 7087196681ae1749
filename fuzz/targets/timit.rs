//! A sentence of TIMIT: the sound, its phones.

#![no_main]

use barnowl::dataset::Split;
use barnowl::dataset::timit::{self, Pieces};
use barnowl_fuzz::{file, folder, parts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [sound, phones] = parts(input);
    file("timit/TRAIN/DR1/FABC0/SX2.WAV", sound);
    file("timit/TRAIN/DR1/FABC0/SX2.PHN", phones);
    if let Ok(data) = timit::load(folder(), Split::Train, Pieces::default()) {
        let _ = data.batch(&[0]);
    }
});

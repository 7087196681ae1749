//! Recordings of deep-soli, which are HDF5 files.

#![no_main]

use barnowl::dataset::Split;
use barnowl::dataset::soli::{self, Pieces};
use barnowl_fuzz::{file, folder};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    file("soli/file_half.json", br#"{"train": ["a"], "eval": ["a"]}"#);
    file("soli/a.h5", input);
    if let Ok(data) = soli::load(folder(), Split::Train, Pieces { frames: 4, channel: 0 }) {
        let _ = data.batch(&[0]);
    }
});

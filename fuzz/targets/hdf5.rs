//! HDF5 files: data sets by the names that readers ask for and the fixtures have, and the Spiking Heidelberg Digits.

#![no_main]

use barnowl::dataset::hdf5::File;
use barnowl::dataset::heidelberg::{self, Frames};
use barnowl_fuzz::{folder, named};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 11] = [
    "spikes/times",
    "spikes/units",
    "labels",
    "extra/keys",
    "ch0",
    "label",
    "scalar",
    "names",
    "rows",
    "plain/>f8",
    "packed/<i4",
];

fuzz_target!(|input: &[u8]| {
    // The path is the name in messages.
    let Some(file) = named(File::from_bytes(input.to_vec(), folder().join("a.h5"))) else {
        return;
    };
    for name in NAMES {
        named(file.numbers(name));
        named(file.texts(name));
        if let Some(rows) = named(file.rows(name)) {
            (0..rows.len()).map_while(|row| named(rows.row(row))).for_each(drop);
        }
    }
    named(heidelberg::read(&file, Frames { step_ms: 4.0, steps: 20 }));
});

//! A list of events.

#![no_main]

use barnowl::dataset::own::{Binning, Form};
use barnowl_fuzz::{file, folder, named, own};
use libfuzzer_sys::fuzz_target;

/// So long a step that the largest time, a 32-bit float, makes 34,028 of them: the reader allows a sequence 800 MB, and a
/// fuzzer would be busy with nothing else.
const BINNING: Binning = Binning { channels: 3, step: 1e34 };

fuzz_target!(|input: &[u8]| {
    file("train/a/1.csv", input);
    named(own(Form::Events(BINNING)));
});

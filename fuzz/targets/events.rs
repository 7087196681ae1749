//! A list of events.

#![no_main]

use barnowl::dataset::own::{Binning, Form};
use barnowl_fuzz::{file, named, own};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    file("train/a/1.csv", input);
    named(own(Form::Events(Binning::new(3, 1.0))));
});

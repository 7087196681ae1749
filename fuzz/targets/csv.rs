//! A table in the folder of its class, or with labels.

#![no_main]

use barnowl::dataset::Split;
use barnowl::dataset::own::{self, Form};
use barnowl_fuzz::{file, folder, named};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    file("train/a/1.csv", input);
    named(own::load(folder(), Split::Train, Form::Csv, None));
});

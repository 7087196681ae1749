//! A table in the folder of its class, or with labels.

#![no_main]

use barnowl::dataset::own::Form;
use barnowl_fuzz::{file, named, own};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    file("train/a/1.csv", input);
    named(own(Form::Csv));
});

//! An archive of NumPy's arrays.

#![no_main]

use barnowl::dataset::own::Form;
use barnowl_fuzz::{file, named, own};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    file("train.npz", input);
    named(own(Form::Arrays));
});

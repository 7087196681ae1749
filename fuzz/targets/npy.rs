//! A pair of NumPy's arrays: x, y.

#![no_main]

use barnowl::dataset::own::Form;
use barnowl_fuzz::{file, named, own, parts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [x, y] = parts(input);
    file("train/x.npy", x);
    file("train/y.npy", y);
    named(own(Form::Arrays));
});

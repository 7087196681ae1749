//! A file of the UCR/UEA archive.

#![no_main]

use barnowl::dataset::own::Form;
use barnowl_fuzz::{file, named, own};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    file("train.ts", input);
    named(own(Form::Ts));
});

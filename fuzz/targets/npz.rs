//! An archive of NumPy's arrays.

#![no_main]

use barnowl::dataset::Split;
use barnowl::dataset::own::{self, Form};
use barnowl_fuzz::{file, folder, named};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    file("train.npz", input);
    named(own::load(folder(), Split::Train, Form::Arrays, None));
});

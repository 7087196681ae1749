//! The order in which the pixels of MNIST are read, as text.

#![no_main]

use barnowl::dataset::mnist::{PIXELS, Permutation};
use barnowl_fuzz::{file, named};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Some(mut order) = named(Permutation::File(file("order.txt", input)).order()) {
        order.sort_unstable();
        assert!(order.into_iter().eq(0..PIXELS), "every pixel once");
    }
});

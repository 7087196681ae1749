//! State dicts of PyTorch, as ZIP archives and in the format before, and their names.

#![no_main]

use barnowl::exchange::{self, pytorch};
use barnowl_fuzz::{file, named};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Some(tensors) = named(pytorch::read(file("a.pth", input))) {
        let _ = exchange::rename("shd", tensors, &[]);
    }
});

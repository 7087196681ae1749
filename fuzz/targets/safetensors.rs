//! safetensors files; what was read is written, and read again to the same bits.

#![no_main]

use barnowl::exchange::safetensors::{self, Contents};
use barnowl_fuzz::{file, named};
use libfuzzer_sys::fuzz_target;

fn write(contents: &Contents) -> Vec<u8> {
    let written = safetensors::encode(&contents.tensors, &contents.metadata);
    written.expect("what was read can be written")
}

fuzz_target!(|input: &[u8]| {
    if let Some(contents) = named(safetensors::read(file("a.safetensors", input))) {
        let bytes = write(&contents);
        let again = safetensors::decode(&bytes).expect("what was written can be read");
        // Not the contents: NaN is not equal to itself.
        assert!(write(&again) == bytes, "something is lost");
    }
});

//! Barnowl's own models and checkpoints.

#![no_main]

use barnowl::dataset::DataCard;
use barnowl::model::Model;
use barnowl::train::Checkpoint;
use barnowl_fuzz::{file, named};
use burn::tensor::Device;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let path = file("a.safetensors", input);
    named(Model::load(&path, &Device::flex()));
    if let Some(checkpoint) = named(Checkpoint::load(&path)) {
        let task = checkpoint.task.clone();
        let _ = checkpoint.resume(&task, &DataCard::default(), &Device::flex());
    }
});

//! MNIST's IDX files, each plain or compressed: images, labels.

#![no_main]

use barnowl::dataset::{Split, mnist};
use barnowl_fuzz::{file, folder, parts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [images, labels] = parts(input);
    file("mnist/train-images-idx3-ubyte", images);
    file("mnist/train-labels-idx1-ubyte", labels);
    if let Ok(data) = mnist::load(folder(), Split::Train, 8, None) {
        let _ = data.batch(&[0]);
    }
});

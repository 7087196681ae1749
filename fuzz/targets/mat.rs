//! MATLAB files: every array of them, and the QT Database in one.

#![no_main]

use barnowl::dataset::{Split, mat, qtdb};
use barnowl_fuzz::{file, folder, named};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Some(arrays) = named(mat::read(file("qtdb/QTDB_train.mat", input))) {
        for name in arrays.names() {
            if let Some(array) = named(arrays.array(name)) {
                assert_eq!(array.row_major().count(), array.values.len());
            }
        }
    }
    named(qtdb::load(folder(), Split::Train));
});

//! A recording of PhysioNet, and the sequences that the QT Database is cut into: header, signals, annotations.

#![no_main]

use barnowl::dataset::qtdb_raw::{self, Encoding};
use barnowl::dataset::{Split, wfdb};
use barnowl_fuzz::{file, folder, named, parts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [header, signals, annotations] = parts(input);
    // Also where a header or signals are refused before.
    let _ = wfdb::parse_annotations(annotations);
    // The fifth recording is the test part: the others need not be there.
    file("qtdb-raw/RECORDS", b"a\nb\nc\nd\ne\n");
    file("qtdb-raw/e.hea", header);
    file("qtdb-raw/e.dat", signals);
    file("qtdb-raw/e.q1c", annotations);
    let encoding = Encoding { steps: 50, ..Encoding::default() };
    named(qtdb_raw::load(folder(), Split::Test, &encoding));
});

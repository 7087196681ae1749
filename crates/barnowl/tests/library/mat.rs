//! MATLAB files and the QT Database: scipy wrote the files in `tests/fixtures` (`reference/mat_fixture.py`).

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use barnowl::dataset::mat::{self, MatArray, Values};
use barnowl::dataset::{Events, Inputs, Targets};
use barnowl::dataset::{
    Split,
    qtdb::{self, CLASSES},
};
use barnowl::error::{Error, ErrorKind, Result};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use proptest::prelude::*;
use tempfile::TempDir;

const FIXTURES: [&str; 4] = [
    "mat_types_stored.mat",
    "mat_types_compressed.mat",
    "mat_packed_big_endian.mat",
    "mat_qtdb.mat",
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

#[track_caller]
fn message<T>(result: Result<T>, parts: &[&str]) -> Error {
    let Err(error) = result else { panic!("no error, but expected {parts:?}") };
    for part in parts {
        assert!(error.to_string().contains(part), "{error} lacks: {part}");
    }
    error
}

/// A file of the given bytes in a folder that lives as long as the guard.
fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.mat");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// Reads the file and every array in it, as far as they go.
fn read_all(bytes: &[u8]) -> Vec<Result<MatArray>> {
    let (_folder, path) = file(bytes);
    match mat::read(&path) {
        Ok(file) => file.names().map(|name| file.array(name)).collect(),
        Err(error) => vec![Err(error)],
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn element(kind: u32, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap();
    let mut bytes = [kind.to_le_bytes(), length.to_le_bytes()].concat();
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// An array of a class by number, with values of a storage type by number.
fn matrix(class: u32, name: &str, shape: &[i32], storage: u32, values: &[u8]) -> Vec<u8> {
    let words = [class, 0].map(u32::to_le_bytes).concat();
    let shape: Vec<u8> = shape.iter().flat_map(|n| n.to_le_bytes()).collect();
    let parts = [
        element(6, &words),
        element(5, &shape),
        element(1, name.as_bytes()),
        element(storage, values),
    ];
    element(14, &parts.concat())
}

/// An element compressed: this kind has no padding.
fn compressed(element: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(element).unwrap();
    let data = encoder.finish().unwrap();
    let length = u32::try_from(data.len()).unwrap();
    [&15_u32.to_le_bytes()[..], &length.to_le_bytes(), &data].concat()
}

fn mat_file(elements: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"MATLAB 5.0 MAT-file".to_vec();
    bytes.resize(124, b' ');
    bytes.extend([0x00, 0x01, b'I', b'M']);
    bytes.extend(elements.concat());
    bytes
}

#[test]
fn every_numeric_type_is_read_stored_and_compressed() {
    for name in &FIXTURES[..2] {
        let file = mat::read(fixture(name)).unwrap();
        let array = |name: &str| file.array(name).unwrap();
        for (kind, offset) in [
            ("int8", 7.0),
            ("uint8", 0.0),
            ("int16", 7.0),
            ("uint16", 0.0),
            ("int32", 7.0),
            ("uint32", 0.0),
            ("int64", 7.0),
            ("uint64", 0.0),
            ("single", 7.0),
            ("double", 7.0),
        ] {
            let array = array(&format!("ramp_{kind}"));
            assert_eq!(array.shape, [2, 3, 4]);
            // In column-major order the first index changes fastest.
            assert_eq!(array.values.get(1), Some(100.0 - offset), "{kind}");
            assert_eq!(array.values.get(24), None);
            let expected: Vec<f64> = (0..24)
                .map(|i| f64::from(100 * (i / 12) + 10 * (i / 4 % 3) + i % 4) - offset)
                .collect();
            assert_eq!(array.row_major().collect::<Vec<_>>(), expected, "{kind}");
        }
        assert!(matches!(array("ramp_int16").values, Values::I16(_)));
        assert!(matches!(array("ramp_single").values, Values::F32(_)));
        let extreme = array("extreme_int64");
        assert_eq!(extreme.values, Values::I64(vec![i64::MIN, i64::MAX]));
        assert_eq!(extreme.to_string(), "extreme_int64 [1, 2]");
        let Values::F64(special) = array("special").values else { panic!("not doubles") };
        let expected = [f64::INFINITY, -f64::INFINITY, f64::NAN, -0.0, 5e-324];
        assert_eq!(
            special.iter().map(|v| v.is_nan()).collect::<Vec<_>>(),
            expected.map(f64::is_nan)
        );
        assert_eq!(
            [0, 1, 3, 4].map(|i| special[i].to_bits()),
            [0, 1, 3, 4].map(|i: usize| expected[i].to_bits())
        );
        assert_eq!(array("scalar").shape, [1, 1]);
        assert_eq!(array("scalar").values, Values::F64(vec![0.125]));
        assert_eq!(array("small").values, Values::U8(vec![3]));
        assert_eq!(array("flag").values, Values::U8(vec![1, 0]));
        assert_eq!(array("empty").shape, [0, 3]);
        assert!(array("empty").values.is_empty() && array("empty").row_major().next().is_none());
    }
}

#[test]
fn what_is_no_numeric_array_is_named_when_asked_for() {
    for name in &FIXTURES[..2] {
        let file = mat::read(fixture(name)).unwrap();
        for (name, kind) in [
            ("text", "found text"),
            ("record", "struct"),
            ("cells", "cell"),
            ("wave", "complex"),
            ("diagonal", "sparse"),
        ] {
            let error = message(file.array(name), &[kind, name, "types_", "byte "]);
            assert_eq!(error.kind(), ErrorKind::Format);
        }
        message(file.array("absent"), &["no array `absent`", "ramp_int8, ", "diagonal"]);
    }
}

#[test]
fn big_endian_and_packed_values_are_read() {
    let array = mat::read(fixture(FIXTURES[2])).unwrap().array("p").unwrap();
    assert_eq!(array.shape, [3, 2]);
    assert_eq!(array.values, Values::I16(vec![1, 2, 3, -4, -5, -600]));
    assert_eq!(array.row_major().collect::<Vec<_>>(), [1.0, -4.0, 2.0, -5.0, 3.0, -600.0]);
}

#[test]
fn a_gzip_file_is_read_and_a_damaged_one_refused() {
    for name in FIXTURES {
        let plain = fs::read(fixture(name)).unwrap();
        let zipped = gzip(&plain);
        let arrays = |bytes: &[u8]| {
            let arrays = read_all(bytes);
            let text: Vec<_> = arrays.iter().flatten().map(|a| format!("{a:?}")).collect();
            assert!(!text.is_empty());
            text
        };
        assert_eq!(arrays(&zipped), arrays(&plain));
        for length in 2..zipped.len() {
            let end = format!("byte {length}:");
            let error = message(read_all(&zipped[..length]).remove(0), &["gzip", &end]);
            assert_eq!(error.kind(), ErrorKind::Format);
        }
        let inner = gzip(&plain[..plain.len() - 20]);
        message(read_all(&inner).remove(0), &["after gunzip"]);
    }
}

#[test]
fn other_versions_say_how_to_save_again() {
    let again = "save it again with -v7";
    let mut newer = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".to_vec();
    newer.resize(512, 0);
    newer[124..128].copy_from_slice(&[0, 2, b'I', b'M']);
    message(read_all(&newer).remove(0), &["0x0200", again]);
    newer.extend(b"\x89HDF\r\n\x1a\n and more");
    message(read_all(&newer).remove(0), &["-v7.3", again]);
    message(read_all(&newer[512..]).remove(0), &["-v7.3", again]);
    message(read_all(&[0; 200]).remove(0), &["not a MATLAB file", "byte 126", again]);
    message(read_all(&[b'x'; 200]).remove(0), &["not a MATLAB file", "check that"]);
    message(read_all(b"").remove(0), &["0 bytes long", "128"]);
    let folder = tempfile::tempdir().unwrap();
    let absent = mat::read(folder.path().join("absent.mat"));
    assert_eq!(message(absent, &["absent.mat"]).kind(), ErrorKind::Io);
}

#[test]
fn contradictions_are_found_before_memory_is_taken() {
    let ones = [1_u8; 6];
    let refused = |element: Vec<u8>, parts: &[&str]| {
        for element in [compressed(&element), element] {
            let mut arrays = read_all(&mat_file(&[element]));
            message(arrays.remove(0), &[parts, &["byte "]].concat());
        }
    };
    for (shape, parts) in [
        (&[2, 4][..], ["there are 6 values", "expected 8"]),
        (&[6], ["1 dimension", "at least 2"]),
        (&[-1, 6], ["dimension", "negative"]),
        (&[i32::MAX; 3], ["2147483647", "larger than any file"]),
        (&[i32::MAX; 2], ["there are 6 values", "4611686014132420609"]),
        (&[1; 65], ["the dimensions takes 260 bytes", "at most 256"]),
    ] {
        refused(matrix(6, "x", shape, 2, &ones), &parts);
    }
    refused(matrix(6, "x", &[2, 3], 8, &ones), &["6 bytes of type 8"]);
    refused(matrix(6, "x", &[2, 3], 3, &[1; 13]), &["13 bytes of type 3"]);
    refused(matrix(6, "x", &[2, 0], 2, &ones), &["6 bytes", "at most 0"]);
    refused(element(14, &[]), &["ends before the array flags"]);
    // A length that the data do not have.
    let mut long = matrix(6, "x", &[2, 3], 2, &ones);
    long[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    message(read_all(&mat_file(&[long.clone()])).remove(0), &["byte 128", "4294967295"]);
    message(read_all(&mat_file(&[compressed(&long)])).remove(0), &["byte 128", "4294967295"]);
    // Sixteen megabytes of zeros in a few kilobytes, of which the dimensions say nothing.
    let bomb = matrix(6, "x", &[2, 3], 2, &vec![0; 1 << 24]);
    message(read_all(&mat_file(&[compressed(&bomb)])).remove(0), &["16777216 bytes", "at most 48"]);
    let more = [matrix(6, "x", &[2, 3], 2, &ones), vec![0]].concat();
    message(read_all(&mat_file(&[compressed(&more)])).remove(0), &["more bytes follow"]);
    message(read_all(&mat_file(&[element(9, &ones)])).remove(0), &["type 9", "(14)"]);
}

#[test]
fn a_file_cut_anywhere_is_refused_or_ends_between_variables() {
    for name in FIXTURES {
        let bytes = fs::read(fixture(name)).unwrap();
        let all = read_all(&bytes);
        for length in 0..bytes.len() {
            let (_folder, path) = file(&bytes[..length]);
            match mat::read(&path) {
                Ok(file) => {
                    let arrays = file.names().zip(&all);
                    assert!(arrays.len() < all.len(), "{name} cut at {length}");
                    for (name, whole) in arrays {
                        let show = |array: Option<&MatArray>| format!("{array:?}");
                        assert_eq!(show(file.array(name).as_ref().ok()), show(whole.as_ref().ok()));
                    }
                }
                Err(error) => {
                    message::<()>(Err(error), &["file.mat, byte "]);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Bytes changed anywhere give an error with its offset, or other values: nothing else.
    #[test]
    fn changed_bytes_never_panic(
        which in 0..FIXTURES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        zipped: bool,
    ) {
        let mut bytes = fs::read(fixture(FIXTURES[which])).unwrap();
        if zipped {
            bytes = gzip(&bytes);
        }
        for (index, value) in changes {
            *index.get_mut(&mut bytes) = value;
        }
        for array in read_all(&bytes) {
            match array {
                Ok(array) => prop_assert_eq!(array.row_major().count(), array.values.len()),
                Err(error) => prop_assert!(error.to_string().contains(", byte "), "{}", error),
            }
        }
    }

    #[test]
    fn row_major_order_is_that_of_the_indices(shape in prop::collection::vec(0..5_usize, 2..5)) {
        let count: usize = shape.iter().product();
        let values = Values::U16((0..u16::try_from(count).unwrap()).collect());
        let array = MatArray { name: String::new(), shape: shape.clone(), values };
        let mut expected = Vec::new();
        for mut i in 0..count {
            // The index in row-major order, from the last digit on, gives the position in column-major order.
            let (mut position, mut stride) = (0, count);
            for size in shape.iter().rev() {
                stride /= size;
                position += i % size * stride;
                i /= size;
            }
            expected.push(position as f64);
        }
        prop_assert_eq!(array.row_major().collect::<Vec<_>>(), expected);
    }
}

/// A data folder with the given training file.
fn data_folder(bytes: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("qtdb")).unwrap();
    fs::write(folder.path().join("qtdb/QTDB_train.mat"), bytes).unwrap();
    folder
}

#[test]
fn the_qt_database_is_read_row_major() {
    let folder = data_folder(&fs::read(fixture("mat_qtdb.mat")).unwrap());
    let data = qtdb::load(folder.path(), Split::Train).unwrap();
    assert_eq!([data.samples(), data.steps(), data.channels()], [3, 5, 4]);
    assert_eq!(data.class_names(), CLASSES);
    let events =
        (0..60).map(|i| i8::try_from((i / 20 + 2 * (i / 4 % 5) + 3 * (i % 4)) % 3).unwrap());
    let events: Vec<i8> = events.map(|v| v - 1).collect();
    assert_eq!(data.inputs(), &Inputs::Events(Events::from_dense(4, &events).unwrap()));
    let mut classes: Vec<u16> = (0..15).map(|i| (i / 5 + i % 5) % 6).collect();
    classes[10] = 0;
    assert_eq!(data.targets(), &Targets::PerStep(classes));
    assert_eq!(
        data.origin(),
        "QT Database (PhysioNet), level-crossing encoded, 3 training sequences of 5 steps at 250 Hz; \
         1 step without a label counts as P"
    );
}

#[test]
fn a_missing_file_is_explained() {
    let folder = data_folder(b"");
    let error = message(
        qtdb::load(folder.path(), Split::Test),
        &["qtdb/QTDB_test.mat", "--data names the folder", "built-in"],
    );
    assert_eq!(error.kind(), ErrorKind::Io);
    message(qtdb::load(folder.path(), Split::Train), &["QTDB_train.mat, byte 0", "0 bytes long"]);
}

#[test]
fn what_is_not_the_qt_database_is_refused() {
    let text = matrix(4, "x", &[1, 2], 4, &[65, 0, 66, 0]);
    let events = matrix(6, "x", &[1, 1, 2], 1, &[0, 2]);
    let labels = matrix(9, "y", &[1, 1, 6], 2, &[0, 0, 0, 0, 0, 1]);
    for (arrays, found) in [
        (vec![labels.clone()], "no array `x`"),
        (vec![text, labels.clone()], "array `x`: found text"),
        (vec![events, labels], "sequence 0, step 0: channel 1 of x is 2"),
    ] {
        let folder = data_folder(&mat_file(&arrays));
        let result = qtdb::load(folder.path(), Split::Train);
        message(result, &["QTDB_train.mat", found]);
    }
}

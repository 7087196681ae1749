//! HDF5 files that h5py wrote (reference/hdf5_fixture.py), and data sets in their published layouts.

use barnowl::dataset::heidelberg::{self, Frames};
use barnowl::dataset::{Events, Inputs, Split, Targets, hdf5};
use barnowl::task::TaskConfig;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

#[test]
fn numbers_of_every_type_and_layout() {
    for version in ["earliest", "latest"] {
        let file = hdf5::File::open(fixture(&format!("h5_types_{version}.h5"))).unwrap();
        for name in ["<f2", "<f4", ">f8", "<i1", ">i2", "<i4", "<i8", "<u1", "<u2", ">u4"] {
            let offset = if name.contains('u') { 0.0 } else { 7.0 };
            let expected: Vec<f64> =
                (0..12).map(|i| f64::from(10 * (i / 4) + i % 4) - offset).collect();
            for layout in ["plain", "packed"] {
                let array = file.numbers(&format!("{layout}/{name}")).unwrap();
                assert_eq!(array.shape, [3, 4]);
                assert_eq!(array.values, expected, "{version}, {layout}, {name}");
            }
        }
        assert_eq!(file.numbers("scalar").unwrap().values, [0.125]);
        assert_eq!(file.texts("names").unwrap(), ["zero", "eins"]);
        let rows = file.rows("rows").unwrap();
        let rows: Vec<Vec<f64>> = (0..rows.len()).map(|row| rows.row(row).unwrap()).collect();
        assert_eq!(rows, [vec![0.5, 1.5], vec![], vec![2.5]]);
        for other in ["text", "record", "names", "rows", "none", "plain"] {
            let error = file.numbers(other).unwrap_err().to_string();
            assert!(error.contains(other) && error.contains(version), "{error}");
        }
        assert!(file.rows("scalar").is_err());
    }
}

#[test]
fn spikes_become_frames() {
    let frames = Frames { step_ms: 4.0, steps: 125 };
    for (name, classes) in [("shd_good.h5", ["zero", "one"]), ("shd_latest.h5", ["0", "1"])] {
        let data = heidelberg::load(fixture(name), frames).unwrap();
        assert_eq!([data.samples(), data.steps(), data.channels()], [3, 125, 700]);
        assert_eq!(data.class_names(), classes);
        assert_eq!(data.targets(), &Targets::PerSequence(vec![1, 0, 1]));
        // In half precision, 0.0040 s is a little more than 4 ms, 0.0039 s less, and 0.5 s is beyond the last frame.
        let expected = [(0, 0, vec![3, 699]), (0, 1, vec![0]), (2, 0, vec![7]), (2, 1, vec![7])];
        let Inputs::Events(events) = data.inputs() else { panic!("no events") };
        let mut found = Events::new(700).unwrap();
        for row in 0..3 * 125 {
            let expected = expected.iter().find(|(n, t, _)| n * 125 + t == row);
            let last: &[u16] = if row == 2 * 125 + 2 { &[350] } else { &[] };
            found.push_row(expected.map_or(last, |(_, _, units)| units)).unwrap();
        }
        assert_eq!(events, &found);
        assert!(data.origin().contains("2 spikes after the last frame"), "{}", data.origin());
    }
}

#[test]
fn times_in_another_unit_are_refused() {
    for (name, parts) in [
        (
            "shd_ms.h5",
            ["7 of 9 spikes come after the last frame", "look like ms: divide them by 1e3"],
        ),
        ("shd_us.h5", ["the last is at 900000", "they look like µs: divide them by 1e6"]),
        ("shd_ns.h5", ["the last is at 900000000", "they look like ns: divide them by 1e9"]),
        ("shd_short.h5", ["the last spike of all recordings is at 0.0009 s", "step_ms = 4.0e-3"]),
    ] {
        let error = heidelberg::load(fixture(name), Frames::default()).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("times in seconds"), "{error}");
        assert!(parts.iter().all(|part| error.contains(part)), "{error} lacks one of {parts:?}");
    }
    // What the messages advise is a way.
    let frames = Frames { step_ms: 0.004, steps: 250 };
    assert!(heidelberg::load(fixture("shd_short.h5"), frames).unwrap().notes().is_empty());
}

#[test]
fn spikes_that_are_left_out_are_noted() {
    let notes = |name, steps| {
        let frames = Frames { step_ms: 4.0, steps };
        heidelberg::load(fixture(name), frames).unwrap().notes().to_vec()
    };
    assert_eq!(notes("shd_good.h5", 500), [""; 0]);
    assert_eq!(
        notes("shd_good.h5", 20),
        ["2 of 9 spikes come after the last frame, which ends at 0.08 s, and are left out"]
    );
    // A recording without a spike before the last frame.
    let found = notes("shd_late.h5", 235);
    assert!(found[0].starts_with("4 of 9 spikes come after the last frame"), "{found:?}");
    assert!(found[0].ends_with("left out; 1 recording has none before it"), "{found:?}");
    // All of them.
    let error = heidelberg::load(fixture("shd_grid.h5"), Frames { step_ms: 1e-3, steps: 1 });
    let error = error.unwrap_err().to_string();
    assert!(error.contains("117 of 120 spikes") && error.contains("look like"), "{error}");
}

#[test]
fn a_spike_on_a_border_counts_in_the_later_frame() {
    // Of i times 20 ms in single precision, a third is a little less.
    let frames = Frames { step_ms: 20.0, steps: 40 };
    let data = heidelberg::load(fixture("shd_grid.h5"), frames).unwrap();
    let Inputs::Events(events) = data.inputs() else { panic!("no events") };
    let mut expected = Events::new(700).unwrap();
    (0..3 * 40).for_each(|row| expected.push_row(&[row % 40]).unwrap());
    assert_eq!(events, &expected);
}

#[test]
fn other_kinds_of_data_are_named_in_words() {
    let types = hdf5::File::open(fixture("h5_types_latest.h5")).unwrap();
    for (name, words) in [
        ("text", "text holds a single value of texts; expected numbers"),
        ("names", "names holds an array [2] of texts"),
        ("record", "record holds an array [1] of records of several fields"),
        ("rows", "rows holds an array [3] of rows of 32-bit floats, each of its own length"),
    ] {
        let error = types.numbers(name).unwrap_err().to_string();
        assert!(error.contains(words), "{error} lacks {words}");
    }
    for (name, words) in [
        ("plain/<u2", "plain/<u2 holds an array [3, 4] of 16-bit integers without a sign"),
        ("plain/<i8", "an array [3, 4] of 64-bit integers; expected rows of numbers, each of its"),
        ("scalar", "scalar holds a single value of 64-bit floats"),
    ] {
        let error = types.rows(name).err().unwrap().to_string();
        assert!(error.contains(words), "{error} lacks {words}");
    }
    let error = heidelberg::load(fixture("shd_fixed.h5"), Frames::default()).unwrap_err();
    let error = error.to_string();
    for part in [
        "shd_fixed.h5: spikes/times holds an array [3, 2] of 32-bit floats",
        "rows of numbers, each of its own length",
        "create_dataset(\"spikes/times\", (N,), dtype=h5py.vlen_dtype(\"f4\"))",
    ] {
        assert!(error.contains(part), "{error} lacks {part}");
    }
}

#[test]
fn bad_recordings_are_named() {
    for (name, parts) in [
        ("shd_unit.h5", ["recording 2", "spike 2 is of unit 700", "0 to 699"]),
        ("shd_decreasing.h5", ["recording 0", "spike 3", "from 0 s on\n  sort the spikes"]),
        ("shd_label.h5", ["recording 2 is 2", "0 to 1", "extra/keys"]),
        ("shd_labels.h5", ["3 rows", "2 labels", "as many of each"]),
        ("shd_pairs.h5", ["recording 0", "5 times and 4 units", "a unit for every time"]),
        ("shd_no_units.h5", ["no spikes/units", "a data set", "spikes"]),
    ] {
        let error = heidelberg::load(fixture(name), Frames::default()).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
        assert!(parts.iter().all(|part| error.contains(part)), "{error} lacks one of {parts:?}");
    }
    let error = heidelberg::load(fixture("none.h5"), Frames::default()).unwrap_err().to_string();
    assert!(error.contains("none.h5") && error.contains("No such file"), "{error}");
    let error = heidelberg::load(fixture("mat_qtdb.mat"), Frames::default()).unwrap_err();
    assert!(error.to_string().contains("an HDF5 file"), "{error}");
}

#[test]
fn a_label_beyond_the_readout_is_named_with_its_recording() {
    let task = TaskConfig::load("shd", &["network.readout.size=10".into()]).unwrap();
    let error = task.data(Some(&fixture("data")), Split::Test).unwrap_err().to_string();
    // Of 20 classes, the recordings are of 0, 6, 12 and 19.
    assert!(error.contains("sequence 2 is of class 12 (shd_test.h5: "), "{error}");
}

/// Whatever is cut off or changed, there is an error or an answer, and never a panic.
#[test]
fn damaged_files_are_refused() {
    let bytes = std::fs::read(fixture("shd_good.h5")).unwrap();
    let read = |bytes: Vec<u8>| {
        let file = hdf5::File::from_bytes(bytes, "damaged.h5")?;
        heidelberg::read(&file, Frames { step_ms: 4.0, steps: 20 })
    };
    assert!(read(bytes.clone()).is_ok());
    for length in (0..bytes.len()).step_by(97) {
        assert!(read(bytes[..length].to_vec()).is_err(), "cut at {length}");
    }
    let mut changed = 0;
    for at in (0..bytes.len()).step_by(13) {
        for value in [0, 0xFF, bytes[at] ^ 0x10] {
            let mut bad = bytes.clone();
            bad[at] = value;
            changed += usize::from(read(bad).is_err());
        }
    }
    assert!(changed > 50, "{changed} changes were noticed");
}

//! Recordings that the package wfdb wrote (reference/wfdb_fixture.py), and the QT Database in its published form.

use barnowl::dataset::qtdb_raw::{self, Encoding};
use barnowl::dataset::wfdb::{self, Record};
use barnowl::dataset::{Inputs, Split, Targets};
use barnowl::exchange::safetensors;
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn qtdb(name: &str) -> PathBuf {
    fixtures().join("data/qtdb-raw").join(name)
}

#[test]
fn signals_and_annotations_are_those_that_wfdb_reads() {
    let expected = safetensors::read(fixtures().join("wfdb.safetensors")).unwrap().tensors;
    for name in ["sel100", "sel104"] {
        let record = Record::read(qtdb(&format!("{name}.hea"))).unwrap();
        assert_eq!(
            (record.rate, record.names.as_slice()),
            (250.0, &["MLII".into(), "V5".into()][..])
        );
        let signals = &expected[&format!("{name}.signals")];
        assert_eq!(signals.shape, [record.signals[0].len(), 2]);
        for (t, pair) in signals.values.chunks_exact(2).enumerate() {
            for (signal, expected) in record.signals.iter().zip(pair) {
                assert!((signal[t] - expected).abs() < 1e-6, "{name}, {t}");
            }
        }
        let annotations = wfdb::annotations(qtdb(&format!("{name}.q1c"))).unwrap();
        let samples: Vec<f32> = annotations.iter().map(|a| a.sample as f32).collect();
        let signs: Vec<f32> = annotations.iter().map(|a| a.sign as u32 as f32).collect();
        assert_eq!(samples, expected[&format!("{name}.samples")].values);
        assert_eq!(signs, expected[&format!("{name}.signs")].values);
    }
    let extra = wfdb::annotations(qtdb("sel100.xtr")).unwrap();
    let found: Vec<_> = extra.iter().map(|a| (a.sample, a.sign)).collect();
    assert_eq!(found, [(5, 'N'), (100_000, 't'), (100_100, 'V')]);
}

#[test]
fn recordings_become_events() {
    let encoding = Encoding { steps: 400, ..Encoding::default() };
    let data = fixtures().join("data");
    let train = qtdb_raw::load(&data, Split::Train, &encoding).unwrap();
    let test = qtdb_raw::load(&data, Split::Test, &encoding).unwrap();
    // Eight beats of 200 samples: three sequences a recording; every fifth recording is a test recording.
    assert_eq!([train.samples(), test.samples(), train.steps(), train.channels()], [12, 3, 400, 4]);
    let Targets::PerStep(classes) = train.targets() else { panic!("one class a sequence") };
    let marks = [
        (0, 0),
        (39, 0),
        (40, 1),
        (45, 2),
        (55, 3),
        (65, 4),
        (139, 4),
        (140, 5),
        (199, 5),
        (200, 0),
    ];
    for (step, class) in marks {
        assert_eq!(classes[step], class, "step {step}");
    }
    let Inputs::Events(events) = train.inputs() else { panic!("no events") };
    // R: up on the first lead, where it is down on the second.
    let at = |channel: usize, steps: std::ops::Range<usize>| {
        steps.flat_map(|row| events.signed(row)).filter(|event| event.0 == channel).count()
    };
    assert!(at(0, 45..56) > 3 && at(1, 45..56) == 0 && at(3, 45..56) > 1, "{events:?}");
    assert!(at(1, 56..90) > 5 && at(2, 56..90) > 3);
}

/// A copy of the recordings, to be changed: the data folder, and the folder of the recordings in it.
fn copy() -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("qtdb-raw");
    std::fs::create_dir(&folder).unwrap();
    for entry in std::fs::read_dir(qtdb("")).unwrap() {
        let path = entry.unwrap().path();
        assert!(std::fs::copy(&path, folder.join(path.file_name().unwrap())).is_ok());
    }
    (temp, folder)
}

#[test]
fn missing_samples_are_gaps() {
    let (temp, folder) = copy();
    let encoding = Encoding { steps: 400, ..Encoding::default() };
    let load = |part| qtdb_raw::load(temp.path(), part, &encoding);
    let by_channel = |data: &barnowl::dataset::Dataset, steps: std::ops::Range<usize>| {
        let Inputs::Events(events) = data.inputs() else { panic!("no events") };
        let mut count = [0; 4];
        steps.flat_map(|row| events.signed(row)).for_each(|event| count[event.0] += 1);
        count
    };
    let good = load(Split::Test).unwrap();
    assert!(good.notes().is_empty(), "{:?}", good.notes());
    // Format 16, of which sel104 is, from the first sample on: the sequences begin at sample 58.
    let path = folder.join("sel104.dat");
    let bytes = std::fs::read(&path).unwrap();
    let missing = |samples: std::ops::Range<usize>| {
        let mut bytes = bytes.clone();
        samples.for_each(|t| bytes[4 * t..4 * t + 2].copy_from_slice(&i16::MIN.to_le_bytes()));
        std::fs::write(&path, bytes).unwrap();
    };
    missing(0..100);
    let data = load(Split::Test).unwrap();
    assert_eq!(data.notes().len(), 1);
    let note = &data.notes()[0];
    assert!(note.starts_with("100 samples are marked as missing (sel104, lead 1: 100)"), "{note}");
    assert_eq!(by_channel(&data, 0..43)[..2], [0, 0]);
    let all = 0..data.samples() * data.steps();
    let (with, without) = (by_channel(&data, all.clone()), by_channel(&good, all));
    assert_eq!(with[2..], without[2..], "the other lead stays as it is");
    assert!(with[0] > without[0] / 2 && with[0] <= without[0] + 1, "{with:?}, {without:?}");
    // In the middle; the signal there rises by more than a level.
    missing(90..130);
    assert_eq!(by_channel(&load(Split::Test).unwrap(), 32..73)[..2], [0, 0]);
    missing(0..bytes.len() / 4);
    let error = load(Split::Test).unwrap_err().to_string();
    for part in ["sel104.hea", "lead 1 (MLII) has no samples", "expected two leads", "RECORDS"] {
        assert!(error.contains(part), "{error} lacks {part}");
    }
    // Format 212: -2048 of the first lead, in the first sample of three bytes.
    let path = folder.join("sel101.dat");
    let mut bytes = std::fs::read(&path).unwrap();
    for t in 0..60 {
        bytes[3 * t] = 0;
        bytes[3 * t + 1] = bytes[3 * t + 1] & 0xF0 | 0x08;
    }
    std::fs::write(&path, bytes).unwrap();
    let record = Record::read(folder.join("sel101.hea")).unwrap();
    assert!(record.signals[0][..60].iter().all(|x| x.is_nan()));
    assert!(record.signals.iter().all(|lead| lead[60..].iter().all(|x| x.is_finite())));
    let note = &load(Split::Train).unwrap().notes()[0].clone();
    assert!(note.starts_with("60 samples are marked as missing (sel101, lead 1: 60)"), "{note}");
}

#[test]
fn headers_are_read_whatever_their_comments_and_line_ends() {
    let (temp, folder) = copy();
    let encoding = Encoding { steps: 400, ..Encoding::default() };
    let load = || qtdb_raw::load(temp.path(), Split::Train, &encoding).unwrap();
    let good = load();
    let path = folder.join("sel101.hea");
    let header = std::fs::read(&path).unwrap();
    let with = |before: &[u8], after: &[u8]| [before, &header[..], after].concat();
    let lines = |end: &str| String::from_utf8(header.clone()).unwrap().replace('\n', end);
    for bytes in [
        with(b"", b"# 69 M, caf\xe9\n"),
        with(b"# Herzzentrum M\xfcnchen\n\n#\n", b"#\x93\xfa\x96{\n"),
        with(b"\xef\xbb\xbf", b"# \xc3\xa9\n"),
        lines("\r\n").into_bytes(),
        lines("\r").into_bytes(),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(load().inputs(), good.inputs(), "{}", bytes.escape_ascii());
    }
    // The name of a lead, too.
    let named = String::from_utf8(header.clone()).unwrap().replace("MLII", "D\u{e9}riv");
    std::fs::write(&path, named.chars().map(|c| c as u8).collect::<Vec<_>>()).unwrap();
    assert_eq!(Record::read(&path).unwrap().names[0], "D\u{e9}riv");
    std::fs::write(&path, &header).unwrap();
    // Hidden headers are no recordings, with RECORDS or without.
    std::fs::write(folder.join("._sel101.hea"), b"\0\x05\x16\x07").unwrap();
    std::fs::remove_file(folder.join("RECORDS")).unwrap();
    assert_eq!(load().inputs(), good.inputs());
}

#[test]
fn bad_recordings_are_named() {
    let (temp, folder) = copy();
    let refused = |parts: &[&str]| {
        let encoding = Encoding { steps: 400, ..Encoding::default() };
        let result =
            qtdb_raw::load(temp.path(), Split::Train, &encoding).map(|data| data.samples());
        let error = result.expect_err(parts[0]).to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error} lacks one of {parts:?}");
    };
    let spoil = |name: &str, change: &dyn Fn(Vec<u8>) -> Vec<u8>, parts: &[&str]| {
        let path = folder.join(name);
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, change(good.clone())).unwrap();
        refused(parts);
        std::fs::write(&path, good).unwrap();
    };
    let text = |from: &'static str, to: &'static str| {
        move |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(from, to).into_bytes()
    };
    spoil(
        "sel101.dat",
        &|b| b[..b.len() / 2].to_vec(),
        &["sel101.dat", "1701, as the header says"],
    );
    spoil("sel101.q1c", &|b| b[..b.len() - 2].to_vec(), &["sel101.q1c", "cut short"]);
    spoil("sel101.hea", &text(" 212 ", " 310 "), &["sel101.hea, line 2", "format 212 or 16"]);
    spoil("sel101.hea", &text(" 212 200", " 212 1e-300"), &["sel101.hea, line 2", "a gain"]);
    spoil("sel101.hea", &text("sel101 2", "sel101 x"), &["sel101.hea, line 1", "signals"]);
    spoil(
        "sel101.hea",
        &text("sel101.dat", "../evil.dat"),
        &["sel101.hea, line 2", "beside the header"],
    );
    spoil(
        "sel101.hea",
        &text("sel101 2 250", "sel101 2 360"),
        &["sel101.hea, line 1", "360 samples a second", "expected 250"],
    );
    spoil("RECORDS", &text("sel101", "sel001"), &["sel001.hea", "No such file"]);
    let annotations = folder.join("sel101.q1c");
    let good = std::fs::read(&annotations).unwrap();
    std::fs::remove_file(&annotations).unwrap();
    refused(&["sel101.q1c", "No such file", "boundaries of waves", "`barnowl data`"]);
    std::fs::write(&annotations, good).unwrap();
    std::fs::remove_file(folder.join("sel101.dat")).unwrap();
    refused(&["sel101.dat", "No such file", "`barnowl data`"]);
}

#[test]
fn impossible_encodings_are_named_by_their_keys() {
    let good = Encoding::default();
    for (encoding, key) in [
        (Encoding { level: -1.0, ..good.clone() }, "dataset.encoding.level"),
        (Encoding { steps: 1, ..good.clone() }, "dataset.encoding.steps"),
        (Encoding { annotator: "../q1c".into(), ..good }, "dataset.encoding.annotator"),
    ] {
        let data = fixtures().join("data");
        let error = qtdb_raw::load(data, Split::Train, &encoding).unwrap_err();
        assert_eq!(error.key(), Some(key), "{error}");
    }
}

#[test]
fn annotations_come_in_order() {
    let pair = |code: u16, value: u16| (code << 10 | value).to_le_bytes();
    // A beat at 100, a skip back by 70, a wave at 40.
    let skip: i32 = -70;
    let [low, high] = [(skip & 0xFFFF) as u16, (skip >> 16) as u16];
    let words = [pair(1, 100), pair(59, 0), high.to_le_bytes(), low.to_le_bytes(), pair(24, 10)];
    let bytes = [words.concat(), vec![0, 0]].concat();
    let found = wfdb::parse_annotations(&bytes).unwrap();
    let found: Vec<_> = found.iter().map(|found| (found.sample, found.sign)).collect();
    assert_eq!(found, [(40, 'p'), (100, 'N')]);
}

#[test]
fn annotations_survive_any_bytes() {
    let bytes = std::fs::read(qtdb("sel100.xtr")).unwrap();
    for at in 0..bytes.len() {
        for value in 0..=255 {
            let mut bad = bytes.clone();
            bad[at] = value;
            let _ = wfdb::parse_annotations(&bad);
        }
        assert!(wfdb::parse_annotations(&bytes[..at]).is_err());
    }
}

//! Data sets in their published folders, written by soundfile and h5py (reference/speech_golden.py, hdf5_fixture.py).

use barnowl::dataset::speech::SpeechFeatures;
use barnowl::dataset::{Dataset, Inputs, Split, UNLABELLED, fsdd, gsc, soli, timit};
use barnowl::error::Result;
use std::path::{Path, PathBuf};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data")
}

/// A copy of a folder of the fixtures, to be spoiled.
fn copy(name: &str) -> tempfile::TempDir {
    fn walk(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let to = to.join(path.file_name().unwrap());
            if path.is_dir() {
                walk(&path, &to)
            } else {
                assert!(std::fs::copy(&path, &to).is_ok())
            }
        }
    }
    let temp = tempfile::tempdir().unwrap();
    walk(&data().join(name), &temp.path().join(name));
    temp
}

fn refused(result: Result<Dataset>, parts: &[&str]) {
    let error = result.unwrap_err().to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{error} lacks one of {parts:?}");
}

fn classes(data: &Dataset) -> Vec<u16> {
    data.targets().classes().unwrap().to_vec()
}

#[test]
fn speech_commands_by_the_official_lists() {
    let features = SpeechFeatures::default();
    let load = |part, classes| gsc::load(data(), part, classes, [3, 2, 1], &features).unwrap();
    let train = load(Split::Train, gsc::Classes::Twelve);
    assert_eq!([train.steps(), train.channels(), train.class_names().len()], [101, 120, 12]);
    // bed is unknown (11), no 1, yes 0; then three silences.
    assert_eq!(classes(&train), [11, 11, 1, 1, 0, 0, 10, 10, 10]);
    assert_eq!(classes(&load(Split::Valid, gsc::Classes::Twelve)), [11, 1, 0, 10, 10]);
    assert_eq!(classes(&load(Split::Test, gsc::Classes::Twelve)), [11, 1, 0, 10]);
    let all = load(Split::Train, gsc::Classes::All);
    assert_eq!(all.class_names(), ["bed", "no", "yes"]);
    assert_eq!(classes(&all), [0, 0, 1, 1, 2, 2]);
    assert_eq!(load(Split::Train, gsc::Classes::Twelve), train, "silences are drawn alike");
    assert!(train.batch_factors(&[0, 1]).is_some());
}

#[test]
fn bad_speech_commands_are_named() {
    let temp = copy("gsc");
    let folder = temp.path().join("gsc");
    let load = || {
        let features = SpeechFeatures::default();
        gsc::load(temp.path(), Split::Train, gsc::Classes::Twelve, [1, 1, 1], &features)
    };
    assert!(load().is_ok());
    // One bad file is named.
    let word = folder.join("no/1_nohash_0.wav");
    let bytes = std::fs::read(&word).unwrap();
    std::fs::write(&word, &bytes[..bytes.len() / 2]).unwrap();
    refused(load(), &["1_nohash_0.wav", "cut short"]);
    // 8 kHz among 16 kHz.
    std::fs::copy(data().join("fsdd/recordings/3_ann_5.wav"), &word).unwrap();
    refused(load(), &["1_nohash_0.wav", "8000 samples a second", "expected 16000", "sox"]);
    std::fs::write(&word, bytes).unwrap();
    let noise = folder.join("_background_noise_");
    std::fs::rename(&noise, folder.join("_noise_")).unwrap();
    refused(load(), &["_background_noise_", "No such file", "unpacked in part"]);
    std::fs::rename(folder.join("_noise_"), &noise).unwrap();
    assert!(load().is_ok());
    // An empty folder is no word, and is named.
    std::fs::create_dir(folder.join("zero")).unwrap();
    std::fs::create_dir(folder.join(".ipynb_checkpoints")).unwrap();
    let features = SpeechFeatures::default();
    let all = gsc::load(temp.path(), Split::Train, gsc::Classes::All, [0; 3], &features).unwrap();
    assert_eq!(all.class_names(), ["bed", "no", "yes"]);
    assert_eq!(all.notes(), ["folders without sounds are no words: zero"]);
    // Lists that are empty, or of an archive that was not unpacked to its end.
    let list = folder.join("testing_list.txt");
    for (text, parts) in [
        ("no/1.wav\nnonsense\n", ["testing_list.txt, line 2", "nonsense", "word/file.wav"]),
        ("\n", ["testing_list.txt, line 1", "the list is empty", "unpacked in part"]),
        (
            "no/3_nohash_0.wav\nzero/1.wav\nno/9.wav\n",
            ["testing_list.txt, line 2", "zero/1.wav is not there, 2 files", "unpacked in part"],
        ),
        ("no/9.wav", ["testing_list.txt, line 1", "no/9.wav is not there;", "unpacked in part"]),
    ] {
        std::fs::write(&list, text).unwrap();
        refused(load(), &parts);
    }
    std::fs::remove_file(list).unwrap();
    refused(load(), &["testing_list.txt", "official split"]);
}

#[test]
fn spoken_digits_by_the_official_indices() {
    let features = SpeechFeatures { scale_batches: false, ..SpeechFeatures::default() };
    let (train, test) = (
        fsdd::load(data(), Split::Train, &features).unwrap(),
        fsdd::load(data(), Split::Test, &features).unwrap(),
    );
    assert_eq!([train.samples(), test.samples(), train.steps()], [20, 10, 101]);
    assert_eq!(classes(&test), (0..10).collect::<Vec<_>>());
    assert!(train.batch_factors(&[0]).is_none());
    let temp = copy("fsdd");
    let folder = temp.path().join("fsdd/recordings");
    std::fs::rename(folder.join("3_ann_5.wav"), folder.join("three.wav")).unwrap();
    refused(fsdd::load(temp.path(), Split::Train, &features), &["three.wav", "7_jackson_32.wav"]);
}

#[test]
fn sentences_of_timit() {
    let load = |part| timit::load(data(), part, timit::Pieces { frames: 30 }).unwrap();
    let train = load(Split::Train);
    // Two sentences of 0.45 s, the third is one that all speakers read: 44 frames in two pieces each.
    assert_eq!([train.samples(), train.steps(), train.channels()], [4, 30, 39]);
    assert_eq!(train.recordings().unwrap(), [0, 0, 1, 1]);
    let phones = classes(&train);
    let number = |phone| timit::number(phone).unwrap();
    // The middle of window f is at 10 f + 12.5 ms: silence to 100 ms, iy to 300 ms.
    let expected = |frame: usize| match frame {
        0..9 => number("h#"),
        9..29 => number("iy"),
        29..44 => number("s"),
        _ => UNLABELLED,
    };
    assert_eq!(phones[..60], (0..60).map(expected).collect::<Vec<_>>());
    let Inputs::Real(values) = train.inputs() else { panic!("no real values") };
    assert!(values.iter().all(|x| (0.0..=1.0).contains(x)) && values.contains(&1.0));
    for part in [Split::Valid, Split::Test] {
        assert_eq!(load(part).samples(), 4);
    }
}

#[test]
fn mirrors_of_timit_are_the_same_sentences() {
    let load = |folder: &Path, part| timit::load(folder, part, timit::Pieces { frames: 30 });
    let rename = |folder: &Path, of: &dyn Fn(&str) -> String| {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = of(path.file_name().unwrap().to_str().unwrap());
            std::fs::rename(&path, folder.join(name)).unwrap();
        }
    };
    let speakers = ["TRAIN/DR1/FABC0", "TEST/DR1/FAKS0", "TEST/DR1/MDAB0"];
    let copied = |folder: &Path| {
        for (name, speaker) in ["SX2", "SI1", "SA1"].iter().flat_map(|s| speakers.map(|p| (s, p))) {
            let path = folder.join("timit").join(speaker).join(name);
            let bytes = std::fs::read(path.with_extension("WAV")).unwrap();
            std::fs::write(path.with_extension("WAV.wav"), bytes).unwrap();
        }
    };
    let lower = |name: &str| name.to_lowercase();
    // Each makes another layout of the same data.
    type Change<'a> = &'a dyn Fn(&Path);
    let layouts: [(&str, Change<'_>); 6] = [
        ("SX2.WAV.wav beside SX2.WAV", &copied),
        ("SX2.WAV.wav only", &|folder| {
            copied(folder);
            for (name, speaker) in
                ["SX2", "SI1", "SA1"].iter().flat_map(|s| speakers.map(|p| (s, p)))
            {
                let path = folder.join("timit").join(speaker).join(format!("{name}.WAV"));
                std::fs::remove_file(path).unwrap();
            }
        }),
        ("in lower case", &|folder| {
            copied(folder);
            for inner in speakers.iter().chain(&["TRAIN/DR1", "TEST/DR1", "TRAIN", "TEST", ""]) {
                rename(&folder.join("timit").join(inner), &lower);
            }
        }),
        ("sounds in lower case", &|folder| {
            let sounds = |name: &str| name.replace(".WAV", ".wav");
            speakers.iter().for_each(|inner| rename(&folder.join("timit").join(inner), &sounds));
        }),
        ("in data/", &|folder| {
            std::fs::rename(folder.join("timit"), folder.join("data")).unwrap();
            std::fs::create_dir_all(folder.join("timit/__MACOSX/TRAIN")).unwrap();
            std::fs::rename(folder.join("data"), folder.join("timit/data")).unwrap();
        }),
        ("two folders below, with hidden files", &|folder| {
            std::fs::rename(folder.join("timit"), folder.join("TIMIT")).unwrap();
            std::fs::create_dir_all(folder.join("timit/archive")).unwrap();
            std::fs::rename(folder.join("TIMIT"), folder.join("timit/archive/TIMIT")).unwrap();
            for name in ["._SX2.WAV", "._SX2.PHN"] {
                let speaker = folder.join("timit/archive/TIMIT").join(speakers[0]);
                std::fs::write(speaker.join(name), "").unwrap();
            }
        }),
    ];
    for (what, change) in layouts {
        let temp = copy("timit");
        change(temp.path());
        for part in [Split::Train, Split::Valid, Split::Test] {
            let (found, expected) = (load(temp.path(), part), load(&data(), part).unwrap());
            assert_eq!(found.unwrap_or_else(|error| panic!("{what}: {error}")), expected, "{what}");
        }
    }
    // A second copy, and a speaker without sentences.
    let temp = copy("timit");
    std::fs::create_dir(temp.path().join("timit/TRAIN/DR1/FXYZ0")).unwrap();
    let notes = load(temp.path(), Split::Train).unwrap().notes().to_vec();
    assert!(notes[0].starts_with("1 folder of speakers holds no sounds: "), "{notes:?}");
    assert!(notes[0].ends_with("FXYZ0"), "{notes:?}");
    let inside = temp.path().join("timit");
    std::fs::rename(&inside, temp.path().join("a")).unwrap();
    std::fs::create_dir_all(inside.join("b/TRAIN")).unwrap();
    std::fs::rename(temp.path().join("a"), inside.join("a")).unwrap();
    refused(
        load(temp.path(), Split::Train),
        &["timit/a", "another copy in", "timit/b", "one copy"],
    );
}

#[test]
fn bad_transcriptions_are_named() {
    let temp = copy("timit");
    let load = || timit::load(temp.path(), Split::Train, timit::Pieces::default());
    let path = temp.path().join("timit/TRAIN/DR1/FABC0/SX2.PHN");
    for (text, parts) in [
        (
            "0 1600 h#\n1600 4800 xx\n",
            ["SX2.PHN, line 2: the phone \"xx\"", "61 phones", "as the LDC"],
        ),
        ("0 1600 h#\n1500 4800 iy\n", ["SX2.PHN, line 2", "1500 to 4800", "do not decrease"]),
        // The sound has 7200 samples.
        ("0 7200 h#\n7200 8801 iy\n", ["SX2.PHN, line 2", "ends at sample 8801", "near 7200"]),
        ("0 1600 h#\n1600 3500 iy\n", ["SX2.PHN, line 2", "cover 3500", "7200 samples"]),
        ("3800 9000 h#\n", ["SX2.PHN, line 1", "ends at sample 9000", "one copy of TIMIT"]),
        ("3800 7200 h#\n", ["SX2.PHN, line 1", "cover 3400", "from its beginning"]),
        ("0 1600 h#\n1600 iy\n", ["SX2.PHN, line 2", "1600 iy", "begin, end and phone"]),
        ("", ["SX2.PHN", "no phones", "begin end phone"]),
    ] {
        std::fs::write(&path, text).unwrap();
        refused(load(), &parts);
    }
    for text in ["0 7200 h#\n7200 8800 iy\n", "0 3600 h#\n"] {
        std::fs::write(&path, text).unwrap();
        assert!(load().is_ok(), "{text}");
    }
    std::fs::remove_file(&path).unwrap();
    refused(load(), &["SX2.PHN", "no transcription", "`barnowl data`"]);
    std::fs::write(&path, "0 7200 h#\n").unwrap();
    std::fs::remove_dir_all(temp.path().join("timit/TEST")).unwrap();
    refused(
        timit::load(temp.path(), Split::Test, timit::Pieces::default()),
        &["TEST", "TRAIN/ and TEST/"],
    );
}

#[test]
fn gestures_in_pieces() {
    let pieces = soli::Pieces { frames: 40, channel: 2 };
    let train = soli::load(data(), Split::Train, pieces).unwrap();
    // Recordings of 45 and 40 frames.
    assert_eq!([train.samples(), train.steps(), train.channels()], [3, 40, 1024]);
    assert_eq!(train.recordings().unwrap(), [0, 0, 1]);
    let classes = classes(&train);
    assert_eq!(classes[..45], [0; 45]);
    assert_eq!(classes[45..80], [UNLABELLED; 35]);
    assert_eq!(classes[80..], [3; 40]);
    let batch = train.batch(&[1]);
    // Frame 44 of receiver 2 of the first recording.
    assert_eq!(batch.inputs[4 * 1024 + 44 * 7], 2.25);
    assert_eq!(batch.targets[..6], [0, 0, 0, 0, 0, -1]);

    let temp = copy("soli");
    let load = || soli::load(temp.path(), Split::Train, pieces);
    let split = temp.path().join("soli/file_half.json");
    std::fs::write(&split, "{\"train\": [\"0_1_0\"").unwrap();
    refused(load(), &["file_half.json", "train and eval"]);
    std::fs::write(&split, "{\"train\": [\"0_1_0\"]}").unwrap();
    refused(load(), &["file_half.json", "eval", "deep-soli"]);
    std::fs::write(&split, "{\"train\": [\"9_9_9\"], \"eval\": []}").unwrap();
    refused(load(), &["9_9_9.h5", "No such file", "`barnowl data`"]);
    refused(soli::load(temp.path(), Split::Test, pieces), &["file_half.json", "empty"]);
    std::fs::remove_file(&split).unwrap();
    refused(load(), &["file_half.json", "authors' split", "`barnowl data`"]);
    refused(
        soli::load(data(), Split::Train, soli::Pieces { channel: 4, ..pieces }),
        &["channel = 4", "0 to 3"],
    );
}

//! Data of one's own: arrays that NumPy wrote (reference/own_fixture.py), tables and events.

use barnowl::dataset::own::{self, Binning, Form, OwnConfig, SoundEncoding};
use barnowl::dataset::speech::SpeechFeatures;
use barnowl::dataset::{Dataset, Events, Inputs, Known, Split, Targets, UNLABELLED};
use barnowl::error::Result;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// One part, read by itself.
fn load_own(
    folder: &Path,
    split: Split,
    form: Form,
    steps: Option<usize>,
) -> Result<Option<Dataset>> {
    let config = OwnConfig { steps, ..OwnConfig::new(folder, form) };
    own::load(folder, split, &config, Known::default())
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/own").join(name)
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = temp.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    temp
}

fn refused(result: Result<Option<Dataset>>, parts: &[&str]) {
    let error = result.unwrap_err().to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{error} lacks one of {parts:?}");
}

fn real(data: &Dataset) -> &[f32] {
    match data.inputs() {
        Inputs::Real(values) => values,
        _ => panic!("no real values"),
    }
}

#[test]
fn arrays_of_numpy() {
    let halves: Vec<f32> = (0..24).map(|i| i as f32 / 2.0).collect();
    for name in ["plain.npz", "packed.npz"] {
        let temp = tempfile::tempdir().unwrap();
        std::fs::copy(fixture(name), temp.path().join("train.npz")).unwrap();
        let data = load_own(temp.path(), Split::Train, Form::Arrays, None).unwrap().unwrap();
        assert_eq!([data.samples(), data.steps(), data.channels()], [4, 3, 2]);
        assert_eq!(real(&data), halves, "{name}");
        assert_eq!(data.targets(), &Targets::PerSequence(vec![0, 1, 2, 1]));
        assert_eq!(data.class_names(), ["0", "1", "2"]);
        assert!(load_own(temp.path(), Split::Valid, Form::Arrays, None).unwrap().is_none());
        refused(
            load_own(temp.path(), Split::Test, Form::Arrays, None),
            &["test", "docs/own-data.md"],
        );
    }
    // Two files in a folder; cut to two steps, filled up to four.
    let temp = tempfile::tempdir().unwrap();
    std::fs::create_dir(temp.path().join("train")).unwrap();
    for name in ["x.npy", "y.npy"] {
        std::fs::copy(fixture(name), temp.path().join("train").join(name)).unwrap();
    }
    let cut = load_own(temp.path(), Split::Train, Form::Arrays, Some(2)).unwrap().unwrap();
    assert_eq!(real(&cut)[..6], [0.0, 0.5, 1.0, 1.5, 3.0, 3.5]);
    assert!(cut.origin().contains("4 were longer"), "{}", cut.origin());
    // A label at every step.
    let temp = tempfile::tempdir().unwrap();
    std::fs::copy(fixture("steps.npz"), temp.path().join("train.npz")).unwrap();
    let data = load_own(temp.path(), Split::Train, Form::Arrays, Some(4)).unwrap().unwrap();
    let Targets::PerStep(classes) = data.targets() else { panic!("one class a sequence") };
    assert_eq!(classes[..5], [0, 1, 2, UNLABELLED, 0]);
    assert_eq!(real(&data)[..8], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 0.0, 0.0]);
}

#[test]
fn bad_arrays_are_named() {
    for (name, parts) in [
        ("wrong.npz", ["x is [4, 3, 2] and y [2]", "y [4] or [4, 3]"]),
        ("text.npz", ["the elements are", "float32"]),
        ("alone.npz", ["there is no array y", "numpy.savez"]),
        ("x.npy", ["the archive cannot be read", "numpy.savez"]),
    ] {
        let temp = tempfile::tempdir().unwrap();
        std::fs::copy(fixture(name), temp.path().join("train.npz")).unwrap();
        refused(load_own(temp.path(), Split::Train, Form::Arrays, None), &parts);
        refused(load_own(temp.path(), Split::Train, Form::Arrays, None), &["train.npz"]);
    }
    // Cut short or changed anywhere: an error or an answer, and no panic.
    let bytes = std::fs::read(fixture("packed.npz")).unwrap();
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("train.npz");
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 0x55;
        std::fs::write(&path, bad).unwrap();
        let _ = load_own(temp.path(), Split::Train, Form::Arrays, None);
        std::fs::write(&path, &bytes[..at]).unwrap();
        assert!(load_own(temp.path(), Split::Train, Form::Arrays, None).is_err(), "cut at {at}");
    }
}

#[test]
fn tables_in_folders_of_classes() {
    let temp = folder(&[
        ("train/run/1.csv", "x,y\n0.5,1\n2,3\n4,5\n"),
        ("train/walk/2.csv", "x,y\n6,7\n"),
        ("test/walk/9.csv", "x,y\n1,1\n2,2.5\n3,3\n4,4\n"),
    ]);
    let train = load_own(temp.path(), Split::Train, Form::Csv, None).unwrap().unwrap();
    assert_eq!(train.class_names(), ["run", "walk"]);
    assert_eq!(train.targets(), &Targets::PerSequence(vec![0, 1]));
    assert_eq!(real(&train), [0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 0.0, 0.0, 0.0, 0.0]);
    // As long as those that were trained on.
    let test = load_own(temp.path(), Split::Test, Form::Csv, None).unwrap().unwrap();
    assert_eq!((test.steps(), test.targets()), (3, &Targets::PerSequence(vec![1])));
    assert!(test.origin().contains("1 were longer and are cut"));
}

#[test]
fn tables_with_a_label_at_every_step() {
    let temp = folder(&[
        ("classes.txt", "rest\nmove\n"),
        ("train/1.csv", "x,label\n0.5,rest\n1,move\n"),
        ("train/2.csv", "x,label\n2,1\n"),
    ]);
    let data = load_own(temp.path(), Split::Train, Form::Csv, None).unwrap().unwrap();
    assert_eq!(data.class_names(), ["rest", "move"]);
    assert_eq!(data.targets(), &Targets::PerStep(vec![0, 1, 1, UNLABELLED]));
}

#[test]
fn bad_tables_are_named_with_their_line() {
    for (text, parts) in [
        ("x,y\n1,2\n3,oops\n", ["1.csv, line 3", "y is \"oops\""]),
        ("x,y\n1,2\n3\n", ["1.csv, line 3", "as many columns"]),
        ("1,2\n3,4\n", ["1.csv, line 1", "names no columns"]),
        ("x,y\n", ["1.csv", "nothing below"]),
        ("x,z\n1,2\n", ["1.csv, line 1", "expected x, y"]),
    ] {
        let temp = folder(&[("train/run/0.csv", "x,y\n1,2.5\n"), ("train/run/1.csv", text)]);
        refused(load_own(temp.path(), Split::Train, Form::Csv, None), &parts);
    }
    let temp = folder(&[("train/run/0.csv", "x\n0.5\n"), ("test/fly/0.csv", "x\n0.5\n")]);
    refused(
        load_own(temp.path(), Split::Test, Form::Csv, None),
        &["fly", "no class", "one of run"],
    );
    let temp = folder(&[("train/0.csv", "x\n0.5\n")]);
    refused(load_own(temp.path(), Split::Train, Form::Csv, None), &["0.csv", "no label"]);
    let temp = folder(&[("train/0.csv", "x,label\n0.5,rest\n")]);
    refused(load_own(temp.path(), Split::Train, Form::Csv, None), &["line 2", "classes.txt"]);
}

#[test]
fn events_are_put_into_steps() {
    let temp = folder(&[
        ("train/left/1.csv", "time,channel,polarity\n0.0,2,1\n0.9,0,0\n2.5,1,-1\n"),
        ("train/right/1.csv", "channel,time,polarity\n1,1.0,1\n"),
    ]);
    let form = Form::Events(Binning { channels: 3, step: 1.0 });
    let data = load_own(temp.path(), Split::Train, form, None).unwrap().unwrap();
    let expected = [-1, 0, 1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    assert_eq!(data.inputs(), &Inputs::Events(Events::from_dense(3, &expected).unwrap()));
    assert_eq!(data.class_names(), ["left", "right"]);
    // The last event of a channel in a step says its sign, whatever their order.
    let temp = folder(&[
        ("train/a/1.csv", "time,channel,polarity\n3.1,2,1\n0,1,1\n3.2,2,0\n0.5,0,-1\n0.1,0,1\n"),
        ("train/a/2.csv", "time,channel\n0,1\n"),
        ("test/a/1.csv", "time,channel\n5,0\n0,2\n"),
    ]);
    let load = |split, steps| load_own(temp.path(), split, form, steps).unwrap().unwrap();
    let of = |values: &[i8]| Inputs::Events(Events::from_dense(3, values).unwrap());
    let long = load(Split::Train, None);
    let first = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1];
    let second = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(long.inputs(), &of(&[first, second].concat()));
    assert!(long.origin().ends_with("2 sequences of 4 steps; 1 were shorter and are filled up"));
    let short = load(Split::Train, Some(1));
    assert_eq!(short.inputs(), &of(&[1, 1, 0, 0, 1, 0]));
    assert!(short.origin().ends_with("2 sequences of 1 steps; 1 were longer and are cut"));
    let test = load(Split::Test, None);
    assert_eq!(test.inputs(), &of(&[0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]), "as long as trained on");
    refused(load_own(temp.path(), Split::Train, form, Some(1_500_000_000)), &["2000000000 steps"]);
    for (text, parts) in [
        ("time,channel\n0,3\n", ["line 2", "channel is 3", "0 to 2"]),
        ("time,channel\n-1,0\n", ["line 2", "time is -1", "0 to"]),
        ("time,unit\n0,1\n", ["line 1", "time, unit", "time, channel"]),
        ("time,channel,polarity\n0,1,up\n", ["line 2", "\"up\"", "1, or 0"]),
    ] {
        let temp = folder(&[("train/left/1.csv", text)]);
        refused(load_own(temp.path(), Split::Train, form, None), &parts);
    }
}

/// As a dense array they would take 13 GB.
#[test]
fn events_on_many_channels_are_kept_as_events() {
    let temp = folder(&[("train/a/1.csv", "time,channel\n7,32767\n"), ("train/b/1.csv", "")]);
    let load = |channels, steps| {
        let form = Form::Events(Binning { channels, step: 1.0 });
        load_own(temp.path(), Split::Train, form, steps)
    };
    refused(load(32_768, None), &["train/b/1.csv"]);
    std::fs::remove_dir_all(temp.path().join("train/b")).unwrap();
    let data = load(32_768, Some(100_000)).unwrap().unwrap();
    assert_eq!([data.samples(), data.steps(), data.channels()], [1, 100_000, 32_768]);
    let Inputs::Events(events) = data.inputs() else { panic!("no events") };
    assert_eq!((events.len(), events.row(7)), (1, &[32_767][..]));
    refused(load(32_769, None), &["dataset.form.events", "1 to 32768 channels"]);
    std::fs::remove_dir_all(temp.path().join("train/a")).unwrap();
    refused(load(3, None), &["train", "no sequences", "docs/own-data.md"]);
    std::fs::remove_dir_all(temp.path().join("train")).unwrap();
    refused(load(3, None), &["train", "cannot read the folder", "docs/own-data.md"]);
}

#[test]
fn sounds_become_spikes_or_bands() {
    let temp = TempDir::new().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data/gsc");
    for (part, class, file) in [
        ("train", "no", "no/0_nohash_0.wav"),
        ("train", "yes", "yes/0_nohash_0.wav"),
        ("test", "yes", "yes/1_nohash_0.wav"),
    ] {
        let folder = temp.path().join(part).join(class);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(fixtures.join(file), folder.join("a.wav")).unwrap();
    }
    let cochlea = Form::Sound(SoundEncoding::Cochlea { step_ms: 10.0, channels: 30 });
    let load = |split, form, steps| load_own(temp.path(), split, form, steps);
    let train = load(Split::Train, cochlea, None).unwrap().unwrap();
    assert_eq!(train.class_names(), ["no", "yes"]);
    assert!(matches!(train.inputs(), Inputs::Events(events) if events.len() > 20));
    let test = load(Split::Test, cochlea, None).unwrap().unwrap();
    assert_eq!([train.samples(), test.samples()], [2, 1]);
    assert_eq!(train.steps(), test.steps());
    assert_eq!(load(Split::Train, cochlea, None).unwrap().unwrap(), train, "the same spikes");
    assert_eq!(load(Split::Test, cochlea, Some(7)).unwrap().unwrap().steps(), 7);
    assert!(load(Split::Valid, cochlea, None).unwrap().is_none());

    let mel = Form::Sound(SoundEncoding::Mel { features: SpeechFeatures::default() });
    let bands = load(Split::Test, mel, None).unwrap().unwrap();
    assert_eq!([bands.steps(), bands.channels()], [101, 120]);
    refused(load(Split::Test, mel, Some(7)), &["dataset.steps", "features.seconds"]);
    let bad = Form::Sound(SoundEncoding::Cochlea { step_ms: 0.0, channels: 30 });
    refused(load(Split::Train, bad, None), &["step_ms"]);
    let bad = Form::Sound(SoundEncoding::Cochlea { step_ms: 4.0, channels: 1 });
    refused(load(Split::Train, bad, None), &["channels", "form.sound"]);
    // A test part at 8 kHz, and a training part at 16.
    let slow = fixtures.with_file_name("fsdd/recordings/3_ann_5.wav");
    std::fs::copy(slow, temp.path().join("test/yes/a.wav")).unwrap();
    for form in [cochlea, mel] {
        let parts = ["test/yes/a.wav", "8000 samples", "16000, as of", "train/no/a.wav", "sox"];
        refused(load(Split::Test, form, None), &parts);
    }
    std::fs::copy(fixtures.join("no/1_nohash_0.wav"), temp.path().join("train/b.wav")).unwrap();
    refused(load(Split::Train, cochlea, None), &["b.wav", "no label"]);
}

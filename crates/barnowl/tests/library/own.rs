//! Data of one's own: arrays that NumPy wrote (reference/own_fixture.py), tables and events.

use barnowl::dataset::own::{
    self, Binning, Form, Missing, Origin, OwnConfig, Several, SoundEncoding, TimeUnit,
};
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
        ("text.npz", ["x holds words", "float32"]),
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
    // As long as it is, whatever was trained on.
    let test = load_own(temp.path(), Split::Test, Form::Csv, None).unwrap().unwrap();
    assert_eq!((test.steps(), test.targets()), (4, &Targets::PerSequence(vec![1])));
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
        ("x,y\n1,2\n3\n", ["1.csv, line 3", "as many fields"]),
        ("1,2\n3,4\n", ["1.csv, line 1", "no names of columns"]),
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
    // Labels that are words name the classes, in alphabetical order.
    let temp = folder(&[("train/0.csv", "x,label\n0.5,rest\n1,\n2,move\n")]);
    let named = load_own(temp.path(), Split::Train, Form::Csv, None).unwrap().unwrap();
    assert_eq!(named.class_names(), ["move", "rest"]);
    assert_eq!(named.targets(), &Targets::PerStep(vec![1, UNLABELLED, 0]));
    let temp = folder(&[("train/0.csv", "x,label\n0.5,0\n1,0.5\n")]);
    refused(load_own(temp.path(), Split::Train, Form::Csv, None), &["line 3", "\"0.5\""]);
}

#[test]
fn events_are_put_into_steps() {
    let temp = folder(&[
        ("train/left/1.csv", "time,channel,polarity\n0.0,2,1\n0.9,0,0\n2.5,1,-1\n"),
        ("train/right/1.csv", "channel,time,polarity\n1,1.0,1\n"),
    ]);
    let form = Form::Events(Binning::new(3, 1.0));
    let data = load_own(temp.path(), Split::Train, form, None).unwrap().unwrap();
    let expected = [-1, 0, 1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    assert_eq!(data.inputs(), &Inputs::Events(Events::from_dense(3, &expected).unwrap()));
    assert_eq!(data.class_names(), ["left", "right"]);
    // The last event in time of a channel in a step says its sign, whatever the order of lines.
    let temp = folder(&[
        ("train/a/1.csv", "time,channel,polarity\n3.1,2,1\n0,1,1\n3.2,2,0\n0.5,0,-1\n0.1,0,1\n"),
        ("train/a/2.csv", "time,channel,polarity\n0,1,1\n"),
        ("test/a/1.csv", "time,channel\n5,0\n0,2\n"),
    ]);
    let load = |split, steps| load_own(temp.path(), split, form, steps).unwrap().unwrap();
    let of = |values: &[i8]| Inputs::Events(Events::from_dense(3, values).unwrap());
    let long = load(Split::Train, None);
    let first = [-1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1];
    let second = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(long.inputs(), &of(&[first, second].concat()));
    assert!(long.origin().ends_with("2 sequences of 4 steps; 1 was shorter and is filled up"));
    let short = load(Split::Train, Some(1));
    assert_eq!(short.inputs(), &of(&[-1, 1, 0, 0, 1, 0]));
    assert!(short.origin().ends_with("2 sequences of 1 step; 1 was longer and is cut"));
    let test = load(Split::Test, None);
    assert_eq!(test.inputs(), &of(&[0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]), "as long as trained on");
    refused(load_own(temp.path(), Split::Train, form, Some(1_500_000_000)), &["2000000000 steps"]);
    for (text, parts) in [
        ("time,channel\n0,3\n", ["line 2", "channel is 3", "0 to 2"]),
        ("time,channel\n-1,0\n", ["line 2", "time is -1", "0 or more"]),
        ("time,unit\n0,1\n", ["line 1", "time, unit", "time, channel"]),
        ("time,channel,polarity\n0,1,up\n", ["line 2", "\"up\"", "1, or 0"]),
    ] {
        let temp = folder(&[("train/left/1.csv", text)]);
        refused(load_own(temp.path(), Split::Train, form, None), &parts);
    }
}

fn of_events(folder: &TempDir, split: Split, binning: Binning, steps: Option<usize>) -> Dataset {
    load_own(folder.path(), split, Form::Events(binning), steps).unwrap().unwrap()
}

/// Nothing happened in some recordings: they are sequences as well.
#[test]
fn recordings_without_events_are_silence() {
    let temp = folder(&[
        ("train/still/1.csv", "time,channel\n"),
        ("train/still/2.csv", "time,channel\n0,1\n"),
        ("train/wave/1.csv", "time,channel\n1,0\n4,1\n"),
        ("test/still/1.csv", "time,channel\n"),
    ]);
    let binning = Binning::new(2, 1.0);
    let train = of_events(&temp, Split::Train, binning, None);
    assert_eq!(train.lengths(), Some(&[5, 1, 5][..]), "to the last event, or all the time");
    assert_eq!(train.sequence_name(2), "wave/1.csv");
    assert!(train.notes()[0].contains("1 recording without events is silence of 5 steps"));
    let test = of_events(&temp, Split::Test, binning, None);
    assert_eq!([test.samples(), test.steps(), test.length(0)], [1, 5, 5]);
    let alone = folder(&[("train/still/1.csv", "time,channel\n")]);
    assert_eq!(of_events(&alone, Split::Train, binning, Some(7)).steps(), 7);
    let form = Form::Events(binning);
    refused(load_own(alone.path(), Split::Train, form, None), &["no recording has an event"]);
}

/// The same events in seconds, milliseconds, microseconds and nanoseconds, on the grid of steps.
#[test]
fn events_on_the_grid_are_in_their_own_step() {
    let list = |per_second: f64, digits: usize| {
        let line = |k: u32| format!("{:.digits$},{}\n", f64::from(k) * 0.001 * per_second, k % 3);
        let lines: String = (0..1000).map(line).collect();
        format!("time,channel\n{lines}")
    };
    let load = |text: &str, binning| {
        of_events(&folder(&[("train/a/1.csv", text)]), Split::Train, binning, None)
    };
    let seconds = load(&list(1.0, 3), Binning::new(3, 0.001));
    let Inputs::Events(events) = seconds.inputs() else { panic!("no events") };
    assert!((0..1000).all(|k| events.row(k) == [k as u16 % 3]) && seconds.steps() == 1000);
    for (unit, digits) in
        [(TimeUnit::S, 6), (TimeUnit::Ms, 0), (TimeUnit::Us, 0), (TimeUnit::Ns, 1)]
    {
        let text = list(unit.per_second(), digits);
        let other = load(&text, Binning { unit: Some(unit), ..Binning::new(3, 0.001) });
        assert_eq!(other.inputs(), seconds.inputs(), "{unit:?}");
        let scaled = load(&text, Binning::new(3, 0.001 * unit.per_second()));
        assert_eq!(scaled.inputs(), seconds.inputs(), "{unit:?}");
    }
}

#[test]
fn times_of_another_unit_or_origin_are_refused_with_what_to_set() {
    let list = |start: f64, every: f64| {
        let line = |k: u32| format!("{},{}\n", start + f64::from(k) * every, k % 2);
        let lines: String = (0..24).map(line).collect();
        folder(&[("train/a/0.csv", &*format!("time,channel\n{lines}"))])
    };
    let seconds = Binning::new(2, 0.001);
    let refused = |temp: &TempDir, binning, steps, parts: &[&str]| {
        refused(load_own(temp.path(), Split::Train, Form::Events(binning), steps), parts);
    };
    let unix = list(1_700_000_000.0, 0.001);
    let from_start = ["0.csv, line 2", "subtract that of the first", "origin = \"first_event\""];
    refused(&unix, seconds, None, &from_start);
    let first = Binning { origin: Origin::FirstEvent, ..seconds };
    assert_eq!(of_events(&unix, Split::Train, first, None).steps(), 24, "as the message says");
    let micro = list(0.0, 4000.0);
    let unit = ["0.csv, line 3", "microseconds", "step = 1000", "unit = \"us\""];
    refused(&micro, seconds, None, &unit);
    let by_unit = Binning { unit: Some(TimeUnit::Us), ..seconds };
    for binning in [by_unit, Binning::new(2, 1000.0)] {
        assert_eq!(of_events(&micro, Split::Train, binning, None).steps(), 93, "as it says");
    }
    // Few enough steps, but with hardly an event; most events after the end; all in one step.
    let sparse = list(0.0, 25.0);
    refused(&sparse, seconds, None, &["24 events in 575001 steps", "unit = \"ms\""]);
    refused(&micro, seconds, Some(100), &["23 of 24 events are after", "unit = \"us\""]);
    let coarse = Binning { unit: Some(TimeUnit::Us), ..seconds };
    refused(&list(0.0, 0.01), coarse, None, &["all events are in the first step", "unit = \"s\""]);
    refused(&list(-5.0, 0.001), seconds, None, &["line 2", "time is -5", "first_event"]);
    // Cut where the user says so, and told.
    let some = of_events(&list(0.0, 0.001), Split::Train, seconds, Some(20));
    assert!(some.notes()[0].contains("4 of 24 events are after the last of 20 steps"));
}

#[test]
fn several_events_of_a_channel_in_a_step() {
    let temp = folder(&[(
        "train/a/1.csv",
        "time,channel,polarity\n2.9,0,0\n2.1,0,1\n2.5,0,1\n0,1,1\n0,1,0\n5,0,1\n",
    )]);
    let load = |several| {
        let binning = Binning { several, ..Binning::new(2, 1.0) };
        let data = of_events(&temp, Split::Train, binning, None);
        let values = data.batch(&[0]).inputs;
        let note = "3 of 6 events share their step and channel";
        assert!(data.notes()[0].contains(note), "{:?}", data.notes());
        (values, data.inputs().is_real())
    };
    let expected = |first: f32, second: f32| {
        [0.0, first, 0.0, 0.0, second, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0].to_vec()
    };
    assert_eq!(load(Several::Last), (expected(-1.0, -1.0), false));
    assert_eq!(load(Several::Sign), (expected(0.0, 1.0), false));
    assert_eq!(load(Several::Count), (expected(0.0, 1.0), true));
}

#[test]
fn columns_of_events_by_other_names() {
    let load = |text: &str| {
        let temp = folder(&[("train/a/1.csv", text)]);
        let form = Form::Events(Binning::new(4, 1.0));
        load_own(temp.path(), Split::Train, form, None)
    };
    let plain = load("time,channel,polarity\n0,1,1\n2,3,0\n").unwrap().unwrap();
    let other = load("ch,T,On\n1,0,true\n3.0,2,false\n").unwrap().unwrap();
    assert_eq!(plain.inputs(), other.inputs());
    let extra = load("time,channel,note\n0,1,x\n").unwrap().unwrap();
    assert_eq!(extra.notes(), ["columns that are not used: note"]);
    for (text, parts) in [
        ("time,chanel\n0,1\n", ["line 1", "is the column chanel meant to be channel?"]),
        ("time_us,channel\n0,1\n", ["call the column time_us time", "unit = \"us\""]),
        ("t,x,y,p\n0,1,1,1\n", ["line 1", "channel = x + width · y"]),
        ("t,time,channel\n0,1,1\n", ["the columns t and time", "only one of"]),
        ("time,channel,polarty\n0,1,1\n", ["column polarty", "polarity"]),
        ("time,channel\nNaN,1\n", ["line 2", "time is \"NaN\""]),
        ("time,channel\n0,1.5\n", ["line 2", "channel is 1.5"]),
        ("time,channel\n0,4\n", ["numbered from 0", "channels = 5"]),
    ] {
        refused(load(text), &parts);
    }
}

/// As a dense array they would take 13 GB.
#[test]
fn events_on_many_channels_are_kept_as_events() {
    let temp = folder(&[("train/a/1.csv", "time,channel\n7,32767\n"), ("train/b/1.csv", "")]);
    let load = |channels, steps| {
        let form = Form::Events(Binning::new(channels, 1.0));
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

const TS: &str = "\u{feff}# Vowels, by someone\r\n\r\n@problemName v\r\n@timeStamps false\r\n@univariate false\r\n\
                  @dimensions 2\r\n@equalLength false\r\n@classLabel true b a\r\n@data\r\n\
                  1.5,2,3:4,5,6:a\r\n# between\r\n -1, 2.5 : 0,1e1 : b \r\n";

/// A folder of the archive: keys in any case, comments, BOM, CRLF, spaces, classes in the order of the header.
#[test]
fn series_of_the_archive() {
    let lower = "@PROBLEMNAME v\n@classlabel true b a\n@data\n1,2,3,4:9,9,9,9:b\n";
    let temp = folder(&[
        ("V/V_TRAIN.ts", TS),
        ("V/v_test.ts", lower),
        ("V/V_eq_TRAIN.ts", "another of the same folder"),
        ("one/train.ts", "@univariate true\n@classLabel true x\n@data\n0.5,1:x\n"),
    ]);
    let load = |name: &str, split| load_own(&temp.path().join(name), split, Form::Ts, None);
    let train = load("V", Split::Train).unwrap().unwrap();
    assert_eq!([train.samples(), train.steps(), train.channels()], [2, 3, 2]);
    assert_eq!(train.class_names(), ["b", "a"]);
    assert_eq!(train.targets(), &Targets::PerSequence(vec![1, 0]));
    let values = [1.5, 4.0, 2.0, 5.0, 3.0, 6.0, -1.0, 0.0, 2.5, 10.0, 0.0, 0.0];
    assert_eq!((real(&train), train.lengths()), (&values[..], Some(&[3, 2][..])));
    let test = load("V", Split::Test).unwrap().unwrap();
    assert_eq!((test.steps(), test.targets()), (4, &Targets::PerSequence(vec![0])));
    assert!(load("V", Split::Valid).unwrap().is_none());
    assert_eq!(load("one", Split::Train).unwrap().unwrap().channels(), 1);
    refused(load("one", Split::Test), &["no file of the part test", "one_TEST.ts, or test.ts"]);
    refused(load("", Split::Train), &["no file of the part train"]);
    // A model's order of classes; a class that it does not know.
    let known: Vec<String> = ["a", "b"].map(str::to_owned).to_vec();
    let config = OwnConfig::new("V", Form::Ts);
    let of = |classes: &[String]| {
        let known = Known { classes, ..Known::default() };
        own::load(&temp.path().join("V"), Split::Train, &config, known)
    };
    assert_eq!(of(&known).unwrap().unwrap().targets(), &Targets::PerSequence(vec![0, 1]));
    refused(of(&known[..1]), &["V_TRAIN.ts, line 12", "the label is \"b\"", "one of a"]);
    std::fs::rename(temp.path().join("V"), temp.path().join("W")).unwrap();
    refused(load("W", Split::Train), &["V_TRAIN.ts", "V_eq_TRAIN.ts", "one file a part"]);
}

#[test]
fn missing_values_of_series() {
    let text = "@classLabel true a b\n@data\n1,?,3.5,?:2,NaN,?,?:a\n?,?:1,2:b\n";
    let load = |text: &str, missing| {
        let temp = folder(&[("train.ts", text)]);
        let config = OwnConfig { missing, ..OwnConfig::new(temp.path(), Form::Ts) };
        own::load(temp.path(), Split::Train, &config, Known::default())
    };
    let parts = ["line 3", "5 values of series 1 are missing; 7 of 2 series", "\"interpolate\""];
    refused(load(text, None), &parts);
    let interpolate = Some(Missing::Interpolate);
    refused(load(text, interpolate), &["line 4", "all values of dimension 1 are missing"]);
    let data = load(text.split_once("?,?:1,2:b").unwrap().0, interpolate).unwrap().unwrap();
    assert_eq!(real(&data), [1.0, 2.0, 2.25, 2.0, 3.5, 2.0], "and nothing at the end");
    assert!(data.notes()[0].contains("3 missing values are interpolated"), "{:?}", data.notes());
    let csv = OwnConfig { missing: interpolate, ..OwnConfig::new("x", Form::Csv) };
    assert!(csv.validate("dataset").unwrap_err().to_string().contains("form = \"ts\""));
}

#[test]
fn bad_series_are_named_with_their_line() {
    for (text, parts) in [
        ("@timeStamps true\n@data\n", ["line 1", "time stamps"]),
        ("@classLabel true a\n@data\n(0,1),(1,2):a\n", ["line 3", "time stamps"]),
        ("@targetLabel true\n@data\n", ["line 1", "regression"]),
        ("@classLabel false\n@data\n", ["line 1", "no classes"]),
        ("@classLabel true a a\n@data\n", ["line 1", "not a twice"]),
        ("@univariate maybe\n", ["line 1", "true, or false"]),
        ("@problemName x\n@data\n1:a\n", ["line 2", "names no classes"]),
        ("1,2:a\n", ["line 1", "no @data"]),
        ("@classLabel true a\n", ["train.ts", "no series"]),
        ("@classLabel true a\n@data\n1,x:a\n", ["line 3", "dimension 1 is \"x\""]),
        ("@classLabel true a\n@data\n1,,2:a\n", ["line 3", "dimension 1 is \"\""]),
        ("@classLabel true a\n@data\n1,2\n", ["line 3", "no \":\""]),
        ("@classLabel true a\n@data\n1,2:3:a\n", ["line 3", "dimension 2 has 1 value"]),
        ("@classLabel true a\n@data\n1:2:a\n1:a\n", ["line 4", "the series has 1 dimension"]),
        ("@univariate true\n@classLabel true a\n@data\n1:2:a\n", ["line 4", "expected 1"]),
        ("@equalLength true\n@classLabel true a\n@data\n1,2:a\n1:a\n", ["line 5", "1 value"]),
        ("@classLabel true walk\n@data\n1,2.5:wlk\n", ["line 3", "is walk meant?"]),
        ("\u{0}@data\n", ["train.ts", "UTF-8"]),
    ] {
        let temp = folder(&[("train.ts", text)]);
        refused(load_own(temp.path(), Split::Train, Form::Ts, None), &parts);
    }
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
    assert_eq!(train.sequence_name(0), "no/a.wav");
    // A short sound ends early; one of another rate is refused, in whatever part it is.
    let wav = |rate: u32, samples: u16| {
        let (size, bytes) = (u32::from(samples) * 2, rate * 2);
        let mut wav = b"RIFF".to_vec();
        wav.extend((36 + size).to_le_bytes());
        wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        wav.extend([rate.to_le_bytes(), bytes.to_le_bytes()].concat());
        wav.extend(b"\x02\0\x10\0data");
        wav.extend(size.to_le_bytes());
        wav.extend((0..samples).flat_map(|n| (n % 50 * 400).to_le_bytes()));
        wav
    };
    let short = temp.path().join("test/no/short.wav");
    std::fs::create_dir_all(short.parent().unwrap()).unwrap();
    std::fs::write(&short, wav(16_000, 1600)).unwrap();
    let both = load(Split::Test, cochlea, None).unwrap().unwrap();
    assert_eq!([both.length(0), both.steps()], [10, train.steps()], "0.1 s in steps of 10 ms");
    for path in ["test/no/short.wav", "test/yes/a.wav"] {
        std::fs::write(temp.path().join(path), wav(8000, 1600)).unwrap();
    }
    let rates = ["short.wav", "8000 samples a second", "expected 16000", "ffmpeg", "-ar 16000"];
    refused(load(Split::Test, cochlea, None), &rates);
    std::fs::remove_file(&short).unwrap();
    std::fs::copy(fixtures.join("yes/1_nohash_0.wav"), temp.path().join("test/yes/a.wav")).unwrap();
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

/// An array as NumPy writes it.
fn npy(kind: &str, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let shape: Vec<String> = shape.iter().map(|n| format!("{n},")).collect();
    let mut header =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({}), }}", shape.concat());
    header += &" ".repeat(64 - (11 + header.len()) % 64);
    header.push('\n');
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), bytes].concat()
}

/// Words of up to four letters.
fn words(words: &[&str]) -> Vec<u8> {
    let letters = |word: &&str| -> Vec<u8> {
        let mut codes: Vec<u32> = word.chars().map(u32::from).collect();
        codes.resize(4, 0);
        codes.into_iter().flat_map(u32::to_le_bytes).collect()
    };
    npy("<U4", &[words.len()], &words.iter().flat_map(letters).collect::<Vec<u8>>())
}

/// A part of arrays in a folder: a sequence of two steps for each label, and others beside.
fn part(folder: &TempDir, name: &str, y: Vec<u8>, count: usize, more: &[(&str, Vec<u8>)]) {
    let place = folder.path().join(name);
    std::fs::create_dir_all(&place).unwrap();
    let values: Vec<u8> = (0..count as u8 * 2).map(|n| n + 3).collect();
    std::fs::write(place.join("x.npy"), npy("|u1", &[count, 2, 1], &values)).unwrap();
    std::fs::write(place.join("y.npy"), y).unwrap();
    for (name, bytes) in more {
        std::fs::write(place.join(format!("{name}.npy")), bytes).unwrap();
    }
}

fn classes(data: &Dataset) -> Vec<u16> {
    data.targets().classes().unwrap().to_vec()
}

#[test]
fn a_number_beside_named_classes_is_a_place_only_where_they_are_listed() {
    let numbers = |y: &[u8]| npy("|u1", &[y.len()], y);
    let known = |classes: &'static [String], listed| Known {
        classes,
        classes_are_listed: listed,
        ..Known::default()
    };
    let read = |folder: &TempDir, split, known| {
        own::load(folder.path(), split, &OwnConfig::new(folder.path(), Form::Arrays), known)
    };
    let names: &'static [String] = Box::leak(Box::new(["jump", "run", "walk"].map(String::from)));
    let temp = tempfile::tempdir().unwrap();
    // Classes that words have named: a number is none of them.
    part(&temp, "train", words(&["walk", "jump", "run"]), 3, &[]);
    part(&temp, "test", numbers(&[0, 1]), 2, &[]);
    let train = read(&temp, Split::Train, Known::default()).unwrap().unwrap();
    assert_eq!(train.class_names(), names);
    assert!(!train.has_listed_classes());
    refused(
        read(&temp, Split::Test, known(names, false)),
        &["\"0\"", "one of jump, run, walk", "class_names"],
    );
    // Those that a list has named: a place in it.
    let test = read(&temp, Split::Test, known(names, true)).unwrap().unwrap();
    assert_eq!(classes(&test), [0, 1]);
    // Its own list says what a number of a part means, and one behind its end means nothing.
    part(&temp, "test", numbers(&[0, 1]), 2, &[("class_names", words(&["walk", "jump"]))]);
    let test = read(&temp, Split::Test, known(names, true)).unwrap().unwrap();
    assert_eq!(classes(&test), [2, 0]);
    part(&temp, "test", numbers(&[0, 2]), 2, &[("class_names", words(&["walk", "jump"]))]);
    refused(read(&temp, Split::Test, known(names, true)), &["a label is 2", "class_names"]);
    // Names that are numbers are names.
    let digits: &'static [String] = Box::leak(Box::new(["1", "2", "3"].map(String::from)));
    part(&temp, "test", numbers(&[3, 1]), 2, &[]);
    std::fs::remove_file(temp.path().join("test/class_names.npy")).unwrap();
    let test = read(&temp, Split::Test, known(digits, true)).unwrap().unwrap();
    assert_eq!(classes(&test), [2, 0]);
    part(&temp, "test", numbers(&[0, 1]), 2, &[]);
    refused(read(&temp, Split::Test, known(digits, true)), &["\"0\"", "one of 1, 2, 3"]);
}

#[test]
fn a_number_that_is_no_label_is_none_in_arrays_too() {
    let temp = tempfile::tempdir().unwrap();
    part(&temp, "train", npy("|u1", &[3, 2], &[0, 99, 1, 1, 99, 0]), 3, &[]);
    let no_label = Some(own::NoLabel::Number(99.0));
    let config = OwnConfig { no_label, ..OwnConfig::new(temp.path(), Form::Arrays) };
    let data = own::load(temp.path(), Split::Train, &config, Known::default()).unwrap().unwrap();
    assert_eq!(data.class_names(), ["0", "1"]);
    assert_eq!(classes(&data), [0, UNLABELLED, 1, 1, UNLABELLED, 0]);
}

#[test]
fn groups_of_files_and_of_what_has_none() {
    let events = "time,channel\n0.5,0\n1.5,1\n";
    let temp = folder(&[
        ("train/a/eve_1.csv", events),
        ("train/a/adam_1.csv", events),
        ("train/b/eve_2.csv", events),
    ]);
    let form = Form::Events(Binning::new(2, 1.0));
    let groups = |groups| OwnConfig { groups, ..OwnConfig::new(temp.path(), form) };
    let by_name = groups(Some(own::Groups::Name(own::FileName { before: "_".into() })));
    let data = own::load(temp.path(), Split::Train, &by_name, Known::default()).unwrap().unwrap();
    assert_eq!(data.group_names(), ["adam", "eve"]);
    assert_eq!(data.groups(), Some(&[0, 1, 1][..]));
    let key = |config: OwnConfig| config.validate("dataset").unwrap_err().to_string();
    let column = || Some(own::Groups::Column("subject".into()));
    assert!(key(groups(column())).contains("dataset.groups"));
    let of_ts = OwnConfig { groups: column(), ..OwnConfig::new("x", Form::Ts) };
    assert!(key(of_ts).contains("files .ts say nothing of groups"));
    let word = Some(own::NoLabel::Word("?".into()));
    let unheard = OwnConfig { no_label: word, ..OwnConfig::new("x", form) };
    assert!(key(unheard).contains("dataset.no_label"));
}

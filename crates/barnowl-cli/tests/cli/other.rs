//! Data that are otherwise than the training data, or than they seem: refused, or said.

use super::cases::{SECONDS, events, in_seconds, integers, npy, npz, with};
use super::own::{at, table, tables, tone, train, walk, with_task, write};
use super::{json, refuses, stderr, succeeds};
use std::path::Path;
use std::process::Command;

/// Appends a column to the files of a folder.
fn with_column(folder: &Path, name: &str, value: impl Fn(usize) -> String) {
    for path in walk(folder) {
        let text = std::fs::read_to_string(&path).unwrap();
        let line = |(n, line): (usize, &str)| match n {
            0 => format!("{line},{name}\n"),
            n => format!("{line},{}\n", value(n - 1)),
        };
        std::fs::write(&path, text.lines().enumerate().map(line).collect::<String>()).unwrap();
    }
}

#[track_caller]
fn refused(folder: &Path, command: Command, parts: &[&str]) {
    refuses(command, parts);
    assert!(!folder.join("m").exists(), "a run folder is left");
}

#[track_caller]
fn says(command: Command, parts: &[&str]) {
    let said = stderr(&succeeds(command));
    parts.iter().for_each(|part| assert!(said.contains(part), "{part:?} is not in: {said}"));
}

fn sign(n: usize) -> String {
    (n % 2).to_string()
}

#[test]
fn a_polarity_of_one_part_alone_is_refused() {
    const NONE: &str = "there is no column polarity; expected one, as in the training data: without it, every event counts as 1";
    const ONE: &str = "there is a column polarity; expected none, as in the training data, where every event counts as 1";
    for (signed, other) in [("train", NONE), ("test", ONE)] {
        let temp = events(SECONDS, in_seconds);
        let temp = temp.path();
        with_column(&temp.join("data").join(signed), "polarity", sign);
        refused(temp, train(temp), &["data/test/a/0.csv, line 1", other]);
        refuses(at(temp, &["data", "look", "t.toml", "--split", "test"]), &[other]);
    }
    // Of one file alone.
    let temp = events(SECONDS, in_seconds);
    let temp = temp.path();
    write(temp, "data/train/b/1.csv", "time,channel,p\n0.001,1,0\n0.030,0,1\n");
    let parts =
        ["data/train/b/1.csv", "there is a column polarity", "none, as in data/train/a/0.csv"];
    refused(temp, train(temp), &parts);
    // A model knows what its data had.
    for part in ["train", "test"] {
        let bare = ["time,channel\n", "0.001,1\n", "0.030,0\n"].concat();
        write(temp, "bare.csv", bare);
        write(temp, &format!("data/{part}/b/1.csv"), "time,channel\n0.001,1\n0.030,0\n");
        with_column(&temp.join("data").join(part), "polarity", sign);
    }
    succeeds(train(temp));
    refuses(at(temp, &["predict", "m", "bare.csv"]), &["bare.csv", NONE]);
    succeeds(at(temp, &["predict", "m", "data/test/b/1.csv"]));
    for path in walk(&temp.join("data/test")) {
        std::fs::copy(temp.join("bare.csv"), path).unwrap();
    }
    refuses(at(temp, &["eval", "m"]), &[NONE]);
    let other = "the events were with a polarity, and are without a polarity";
    says(at(temp, &["eval", "m", "--other-data"]), &[other]);
}

/// Arrays of eight sequences of one channel; of every second one, the last steps are `fill`.
fn filled(folder: &Path, part: &str, fill: f32, seed: f32, lengths: bool) {
    let length = |n: usize| if n.is_multiple_of(2) { 12 } else { 12 - n };
    let value = |n: usize, t: usize| match t < length(n) {
        true => (t as f32 * (0.3 + 0.7 * (n % 2) as f32) + n as f32 + seed).sin() + 2.0,
        false => fill,
    };
    let values = (0..8).flat_map(|n| (0..12).flat_map(move |t| value(n, t).to_le_bytes()));
    let values: Vec<u8> = values.collect();
    write(folder, &format!("data/{part}/x.npy"), npy("<f4", &[8, 12, 1], &values));
    write(folder, &format!("data/{part}/y.npy"), integers(&[8], &[0, 1, 0, 1, 0, 1, 0, 1]));
    let path = format!("data/{part}/lengths.npy");
    match lengths {
        true => write(
            folder,
            &path,
            integers(&[8], &std::array::from_fn::<_, 8, _>(length).map(|n| n as i64)),
        ),
        false => drop(std::fs::remove_file(folder.join(path))),
    }
}

#[test]
fn rows_of_zeros_that_fill_up_are_said_and_told_from_lengths() {
    const ZEROS: &str = "4 of 8 sequences end in 1 to 7 rows of zeros, which count as steps";
    let temp = with_task("\"arrays\"", "mean_membrane");
    let temp = temp.path();
    let train = |out: &str| {
        with(at(temp, &["train", "t.toml", "--json", "--out", out]), &["network.inputs=1"])
    };
    let both =
        |of: &dyn Fn(&str, f32)| [("train", 0.0), ("test", 0.5)].map(|(part, seed)| of(part, seed));
    // Of both parts: a note.
    both(&|part, seed| filled(temp, part, 0.0, seed, false));
    says(
        train("zeros"),
        &[ZEROS, "if they only fill up, give the steps of each in an array lengths [8]"],
    );
    let look = succeeds(at(temp, &["data", "look", "t.toml", "--set", "network.inputs=1"]));
    assert!(String::from_utf8_lossy(&look.stdout).contains(ZEROS));
    // Of the test part alone.
    filled(temp, "train", 0.0, 0.0, true);
    let refusal = ["data/test", ZEROS, "end at their own last step, as those of the training data"];
    refuses(train("m"), &refusal);
    // Of the training part alone.
    filled(temp, "train", 0.0, 0.0, false);
    filled(temp, "test", 0.0, 0.5, true);
    refuses(train("m"), &["data/test", "rows of zeros up to the end, as in the training data"]);
    assert!(!temp.join("m").exists());
    // As advised, by lengths or NaN: the same, and no more is said.
    both(&|part, seed| filled(temp, part, 0.0, seed, true));
    let lengths = succeeds(train("lengths"));
    assert!(!stderr(&lengths).contains("rows of zeros"), "{}", stderr(&lengths));
    both(&|part, seed| filled(temp, part, f32::NAN, seed, false));
    assert_eq!(json(&succeeds(train("nan")))["test"], json(&lengths)["test"]);
    // And of a model.
    filled(temp, "test", 0.0, 0.5, false);
    refuses(at(temp, &["eval", "nan"]), &refusal);
    refuses(at(temp, &["predict", "nan", "data/test/x.npy"]), &[ZEROS, "of the training data"]);
    let other =
        "the ends of sequences were where each ends, and are at the last of their rows of zeros";
    says(at(temp, &["eval", "nan", "--other-data"]), &[other]);
}

#[test]
fn sequences_of_both_parts_are_counted() {
    const SAID: &str = "4 sequences of the test data are in the training data too, value by value";
    let temp = with_task("\"csv\"", "mean_membrane");
    let temp = temp.path();
    tables(temp, |text| text.as_bytes().to_vec());
    for i in 0..3 {
        // The first two of each class are those of the training part.
        let text = |class| table(class, if i == 2 { 9 } else { i }, 20 + i);
        write(temp, &format!("data/test/a/{i}.csv"), text(0));
        write(temp, &format!("data/test/b/{i}.csv"), text(1));
    }
    let trained = succeeds(train(temp));
    assert!(stderr(&trained).contains(SAID), "{}", stderr(&trained));
    assert!(json(&trained)["warnings"].to_string().contains(SAID));
    says(at(temp, &["eval", "m"]), &[SAID]);
    let evaluated = json(&succeeds(at(temp, &["eval", "m", "--json"])));
    assert_eq!(evaluated["data_of"]["trained_on"], 4);
    // Of other data too; what was trained on may be tested by itself.
    std::fs::create_dir(temp.join("other")).unwrap();
    write(temp, "other/test/a/0.csv", table(0, 3, 23));
    write(temp, "other/test/b/0.csv", table(1, 8, 23));
    let other = ["eval", "m", "--set", "dataset.folder=other", "--other-data"];
    says(at(temp, &other), &["1 sequence of the test data is in the training data too"]);
    let own = stderr(&succeeds(at(temp, &["eval", "m", "--split", "train"])));
    assert!(!own.contains("value by value"), "{own}");
    says(at(temp, &["train", "t.toml", "--seeds", "2", "--epochs", "1", "--out", "s"]), &[SAID]);
}

#[test]
fn predict_reads_files_that_are_written_otherwise() {
    let temp = events("{ events = { channels = 2, step = 0.001, unit = \"s\" } }", in_seconds);
    let temp = temp.path();
    succeeds(train(temp));
    let file = "data/test/a/0.csv";
    let seconds = succeeds(at(temp, &["predict", "m", file])).stdout;
    let text = std::fs::read_to_string(temp.join(file)).unwrap().replace("0.0", "");
    write(temp, file, text);
    refuses(at(temp, &["predict", "m", file]), &["unit = \"ms\""]);
    let set = |setting| with(at(temp, &["predict", "m", file]), &[setting]);
    assert_eq!(succeeds(set("dataset.form.events.unit=ms")).stdout, seconds);
    refuses(set("train.batch=3"), &["--set train.batch=3", "a key of the data"]);
    refuses(set("dataset.normalize=none"), &["normalized as the training data were"]);
}

#[test]
fn columns_that_are_no_channels_are_left_out() {
    let plain = with_task("\"csv\"", "mean_membrane");
    let temp = with_task("\"csv\"", "mean_membrane");
    for folder in [plain.path(), temp.path()] {
        tables(folder, |text| text.as_bytes().to_vec());
    }
    let temp = temp.path();
    with_column(&temp.join("data"), "time", |n| (n as f64 * 0.02).to_string());
    let advice = ["time is no channel, leave it out: dataset.ignore = [\"time\"]"];
    refused(temp, train(temp), &["the channels are x, y, time", "left out by dataset.ignore"]);
    says(with(train(temp), &["network.inputs=3", "train.epochs=1"]), &advice);
    std::fs::remove_dir_all(temp.join("m")).unwrap();
    // Words, such as whose it is.
    with_column(&temp.join("data"), "who", |_| "eve".into());
    let words = "if who is no channel, leave it out: dataset.ignore = [\"who\"]; if it says whose a sequence is, set dataset.groups";
    refused(temp, train(temp), &["0.csv, line 2", "who is \"eve\"", words]);
    let ignore = ["dataset.ignore=[\"time\", \"who\"]"];
    let found = succeeds(with(train(temp), &ignore));
    let expected = succeeds(train(plain.path()));
    assert_eq!(json(&found)["test"]["loss"], json(&expected)["test"]["loss"]);
    assert!(
        stderr(&found).contains("columns that are left out, as dataset.ignore says: time, who")
    );
    // The model keeps what is none; its files may have such columns or not.
    let evaluated = |folder| json(&succeeds(at(folder, &["eval", "m", "--json"])))["loss"].clone();
    assert_eq!(evaluated(temp), evaluated(plain.path()));
    let answer = |folder: &Path, file: &str| succeeds(at(folder, &["predict", "m", file])).stdout;
    let file = "data/test/a/0.csv";
    let expected = answer(plain.path(), file);
    assert_eq!(answer(temp, file), expected);
    std::fs::copy(plain.path().join(file), temp.join(file)).unwrap();
    assert_eq!(answer(temp, file), expected);
    with_column(&temp.join("data/test/a"), "more", |n| n.to_string());
    let parts =
        ["x, y, as in the training data", "if more is no channel", "[\"time\", \"who\", \"more\"]"];
    refuses(at(temp, &["predict", "m", file]), &parts);
    let all = "dataset.ignore=[\"time\", \"who\", \"more\"]";
    assert_eq!(succeeds(with(at(temp, &["predict", "m", file]), &[all])).stdout, expected);
    // Slips.
    let slip = |setting: &str| with(at(temp, &["train", "t.toml", "--out", "n"]), &[setting]);
    let none = ["dataset.ignore = [\"tim\", \"who\"]", "no table has a column tim"];
    with_column(&temp.join("data/test/b"), "more", |n| n.to_string());
    refuses(slip("dataset.ignore=[\"tim\", \"who\"]"), &none);
    let group = with(slip("dataset.ignore=[\"who\"]"), &["dataset.groups=who"]);
    refuses(group, &["no who: dataset.groups says what that column is"]);
    refuses(with(slip("dataset.form=ts"), &ignore), &["none, unless form = \"csv\""]);
    assert!(!temp.join("n").exists());
}

#[test]
fn what_does_not_fit_is_said_with_what_to_set() {
    let labelled = |decode: &str, label: &dyn Fn(usize) -> &'static str| {
        let temp = with_task("\"csv\"", decode);
        for part in ["train", "test"] {
            for i in 0..4 {
                write(temp.path(), &format!("data/{part}/{i}.csv"), table(0, i, 12));
            }
        }
        with_column(&temp.path().join("data"), "label", |n| label(n).to_owned());
        temp
    };
    let temp = labelled("per_step", &|n| ["walk", "run", "unknown"][n % 3]);
    let temp = temp.path();
    let parts = ["the classes are run, unknown, walk", "set dataset.no_label = \"unknown\""];
    refused(temp, train(temp), &parts);
    let unknown = || with(train(temp), &["dataset.no_label=unknown"]);
    let per_sequence = with(unknown(), &["network.decode.kind=mean_membrane"]);
    let kinds = ["a label at every step, and the decoder mean_membrane", "kind = \"per_step\""];
    refused(temp, per_sequence, &kinds);
    let stretched = with(unknown(), &["train.augmentation={ time_stretch = 0.2 }"]);
    refused(
        temp,
        stretched,
        &["train.augmentation.time_stretch = 0.2", "labels stay where they are"],
    );
    let balanced = with(unknown(), &["train.sampling=balanced"]);
    refused(temp, balanced, &["train.sampling = \"balanced\""]);
    let study =
        ["train", "t.toml", "--seeds", "1", "--out", "m", "--set", "dataset.no_label=unknown"];
    let study = with(at(temp, &study), &["train.sampling=balanced"]);
    refuses(study, &["train.sampling = \"balanced\""]);
    assert!(!temp.join("m/runs").exists());
    std::fs::remove_dir_all(temp.join("m")).unwrap();
    succeeds(unknown());
    // A test part without labels is known before the training.
    for i in 0..4 {
        write(
            temp,
            &format!("data/test/{i}.csv"),
            "x,y,label\n1,2,unknown\n1,2,unknown\n1,2,run\n",
        );
    }
    std::fs::remove_dir_all(temp.join("m")).unwrap();
    refused(temp, with(unknown(), &["network.decode.skip=1", "dataset.steps=2"]), &["test"]);

    let temp = labelled("per_step", &|n| ["0", "1", "99"][n % 3]);
    refused(temp.path(), train(temp.path()), &["100 classes", "set dataset.no_label = 99"]);

    let temp = with_task("\"csv\"", "per_step");
    tables(temp.path(), |text| text.as_bytes().to_vec());
    let parts = ["one label a sequence, and the decoder per_step", "such as \"mean_membrane\""];
    refused(temp.path(), train(temp.path()), &parts);
}

#[test]
fn a_list_of_classes_in_another_order_is_said() {
    let temp = with_task("\"arrays\"", "mean_membrane");
    let temp = temp.path();
    let names = |names: [&str; 2]| {
        let text: Vec<u8> =
            names.concat().chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        npy("<U1", &[2], &text)
    };
    for (part, seed, list) in [("train", 0.0, ["a", "b"]), ("test", 0.5, ["b", "a"])] {
        filled(temp, part, f32::NAN, seed, false);
        write(temp, &format!("data/{part}/class_names.npy"), names(list));
    }
    says(
        with(train(temp), &["network.inputs=1"]),
        &[
            "numbers are places in the list of classes of these data, b, a, and not in that of the training data, a, b",
        ],
    );
}

#[test]
fn votes_go_into_files_and_standard_input_may_hold_any_form() {
    let piped = |folder: &Path, file: &str| {
        let mut command = at(folder, &["predict", "m", "-"]);
        command.stdin(std::fs::File::open(folder.join(file)).unwrap());
        command
    };
    // Without the first field, which names the file.
    let answers = |command: Command| -> Vec<String> {
        let text = String::from_utf8(succeeds(command).stdout).unwrap();
        text.lines().map(|line| line.split_once(',').unwrap().1.to_owned()).collect()
    };
    let temp = with_task("\"arrays\"", "mean_membrane");
    let temp = temp.path();
    for (part, seed) in [("train", 0.0), ("test", 0.5)] {
        filled(temp, part, f32::NAN, seed, false);
    }
    succeeds(with(train(temp), &["network.inputs=1"]));
    let [x, y] =
        ["x", "y"].map(|name| std::fs::read(temp.join(format!("data/test/{name}.npy"))).unwrap());
    write(temp, "test.npz", npz(&x, &y));
    for file in ["data/test/x.npy", "test.npz"] {
        assert_eq!(answers(piped(temp, file)), answers(at(temp, &["predict", "m", file])));
    }
    let votes = |more: &[&str]| {
        let mut command = at(temp, &["predict", "m", "test.npz", "--votes"]);
        command.args(more);
        command
    };
    let table = succeeds(votes(&[])).stdout;
    succeeds(votes(&["--out", "votes.csv"]));
    assert_eq!(std::fs::read(temp.join("votes.csv")).unwrap(), table);
    let list = json(&succeeds(votes(&["--format", "json"])));
    assert_eq!((&list[0]["votes"], &list[0]["file"]), (&8.into(), &"test.npz".into()));
    succeeds(votes(&["--out", "votes.json"]));
    let written = std::fs::read_to_string(temp.join("votes.json")).unwrap();
    assert_eq!(written, format!("{list}\n"));
    refuses(votes(&["--out", "votes.npy"]), &["votes.npy ends in none of .csv, .json"]);

    let form = "{ sound = { encoder = \"cochlea\", step_ms = 5.0, channels = 2 } }";
    let temp = with_task(form, "mean_membrane");
    let temp = temp.path();
    for (part, count) in [("train", 4), ("test", 1)] {
        for (class, name) in ["a", "b"].into_iter().enumerate() {
            for i in 0..count {
                let sound = tone(300.0 + 1500.0 * class as f64, 800 + 160 * i);
                write(temp, &format!("data/{part}/{name}/{i}.wav"), sound);
            }
        }
    }
    succeeds(train(temp));
    let file = "data/test/a/0.wav";
    assert_eq!(answers(piped(temp, file)), answers(at(temp, &["predict", "m", file])));
    write(temp, "table", "x,y\n1,2\n");
    refuses(piped(temp, "table"), &["not of a form", "sounds (.wav)"]);
}

#[test]
fn a_list_of_classes_orders_those_of_a_header() {
    let temp = with_task("\"ts\"", "mean_membrane");
    let temp = temp.path();
    for (part, count) in [("train", 8), ("test", 3)] {
        let mut text = "@equalLength true\n@classLabel true a b\n@data\n".to_owned();
        for i in 0..2 * count {
            let value = |t: usize| (t as f64 * (0.2 + 0.6 * (i % 2) as f64) + i as f64).sin();
            let row: Vec<String> = (0..20).map(|t| format!("{:.3}", value(t))).collect();
            text += &format!("{0}:{0}:{1}\n", row.join(","), ["a", "b"][i % 2]);
        }
        write(temp, &format!("data/{part}.ts"), text);
    }
    let classes = || {
        let look = json(&succeeds(at(temp, &["data", "look", "t.toml", "--json"])));
        let names = look["summary"]["classes"].as_array().unwrap().clone();
        names
            .into_iter()
            .map(|class| class["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(classes(), ["a", "b"]);
    write(temp, "data/classes.txt", "b\na\n");
    assert_eq!(classes(), ["b", "a"]);
    succeeds(train(temp));
    write(temp, "data/classes.txt", "b\nc\n");
    let parts =
        ["train.ts", "@classLabel names the class a; expected one of b, c, as classes.txt says"];
    refuses(at(temp, &["data", "look", "t.toml"]), &parts);
}

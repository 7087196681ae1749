//! Data of one's own from outside, as people have them, and the answers of `barnowl predict`.

use super::{barnowl, folder, json, refuses, succeeds};
use std::path::Path;
use std::process::Command;

fn task(form: &str, decode: &str) -> String {
    format!(
        "name = \"t\"\nsummary = \"two movements\"\n[dataset]\nkind = \"own\"\nfolder = \"data\"\nform = {form}\n\
         [network]\ninputs = 2\ndecode = {{ kind = \"{decode}\" }}\n[[network.layers]]\nsize = 8\nb0 = 0.1\n\
         [network.readout]\nkind = \"leaky_integrator\"\nsize = 2\n\
         [train]\nepochs = 4\nbatch = 4\nvalidation = 0.25\n"
    )
}

/// A folder with a task, for files of this form.
pub fn with_task(form: &str, decode: &str) -> tempfile::TempDir {
    let temp = folder();
    std::fs::write(temp.path().join("t.toml"), task(form, decode)).unwrap();
    temp
}

pub fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

pub fn at(folder: &Path, args: &[&str]) -> Command {
    let mut command = barnowl(args);
    command.current_dir(folder);
    command
}

pub fn train(folder: &Path) -> Command {
    at(folder, &["train", "t.toml", "--out", "m", "--json"])
}

/// One value of a movement: class 0 goes up and down slowly, class 1 fast.
fn value(class: usize, i: usize, t: usize) -> f64 {
    (t as f64 * (0.2 + 0.6 * class as f64) + i as f64).sin() * 2.0 + 5.0
}

/// A table of a movement of `steps` steps, of which `dialect` makes the text.
pub fn table(class: usize, i: usize, steps: usize) -> String {
    let mut text = "x,y\n".to_owned();
    for t in 0..steps {
        text += &format!("{:.3},{:.3}\n", value(class, i, t), -value(class, i, t));
    }
    text
}

/// Training and test files of two classes, in folders of their names.
pub fn tables(folder: &Path, dialect: impl Fn(&str) -> Vec<u8>) {
    for (part, count) in [("train", 8), ("test", 3)] {
        for (class, name) in ["a", "b"].iter().enumerate() {
            for i in 0..count {
                let text = table(class, i, 20 + i);
                write(folder, &format!("data/{part}/{name}/{i}.csv"), dialect(&text));
            }
        }
    }
}

#[test]
fn every_dialect_of_tables_trains_to_the_same_bits() {
    let result = |dialect: &dyn Fn(&str) -> Vec<u8>| {
        let temp = with_task("\"csv\"", "mean_membrane");
        tables(temp.path(), dialect);
        // A folder that a system leaves behind is no class.
        write(temp.path(), "data/train/__MACOSX/0.csv", "x,y\n1,2\n");
        let result = json(&succeeds(train(temp.path())));
        (result["test"]["loss"].to_string(), result["valid_accuracy"].to_string())
    };
    let plain = result(&|text| text.as_bytes().to_vec());
    for dialect in [
        &(|text: &str| text.replace(',', "\t").replace('\n', "\r\n").into_bytes())
            as &dyn Fn(&str) -> Vec<u8>,
        &|text| format!("\u{feff}{text}").into_bytes(),
    ] {
        assert_eq!(result(dialect), plain);
    }
}

#[test]
fn tables_that_cannot_be_meant_are_refused_in_the_users_words() {
    let refused = |first: &str, parts: &[&str]| {
        let temp = with_task("\"csv\"", "mean_membrane");
        tables(temp.path(), |text| text.as_bytes().to_vec());
        write(temp.path(), "data/train/a/5.csv", first);
        refuses(train(temp.path()), parts);
    };
    refused("-1.5,0.0\n1,2\n", &["5.csv, line 1", "no names of columns"]);
    refused("x,z\n1,2\n", &["5.csv, line 1", "the columns are x, z"]);
    refused("x,y\n1,2\n1,\n", &["5.csv, line 3", "y is \"\"", "missing"]);
    refused("x,y\n1,2\n1\n", &["5.csv, line 3", "1 field"]);
    refused("x,y\n", &["5.csv", "nothing below the names"]);
    // Labels a step.
    let labelled = |text: &str, parts: &[&str]| {
        let temp = with_task("\"csv\"", "per_step");
        for part in ["train", "test"] {
            for i in 0..4 {
                write(temp.path(), &format!("data/{part}/{i}.csv"), text);
            }
        }
        match parts {
            [] => drop(succeeds(train(temp.path()))),
            _ => refuses(train(temp.path()), parts),
        }
    };
    labelled("x,y,label\n1,2,0\n2,2,1\n3,1,\n", &[]);
    labelled("x,y,label\n1,2,walk\n2,2,run\n3,1,nan\n", &[]);
    labelled("x,y,label\n1,2,1\n2,2,2\n", &["nothing is of class 0", "take 1 from every label"]);
    labelled("x,y,label\n1,2,0\n2,2,1.5\n", &["label"]);
}

#[test]
fn answers_without_labels_are_those_with_labels() {
    for (decode, per_step) in [("mean_membrane", false), ("per_step", true)] {
        let temp = with_task("\"csv\"", decode);
        let temp = temp.path();
        for (part, count) in [("train", 8), ("test", 3)] {
            for (class, name) in ["left, turn", "b"].iter().enumerate() {
                for i in 0..count {
                    let text = table(class, i, 20 + i);
                    match per_step {
                        false => write(temp, &format!("data/{part}/{name}/{i}.csv"), text),
                        true => {
                            let label = |(n, line): (usize, &str)| match n {
                                0 => format!("{line},label\n"),
                                _ => format!("{line},\"{name}\"\n"),
                            };
                            let text: String = text.lines().enumerate().map(label).collect();
                            write(temp, &format!("data/{part}/{class}{i}.csv"), text);
                        }
                    }
                }
            }
        }
        succeeds(train(temp));
        succeeds(at(temp, &["eval", "m", "--predictions", "eval.csv"]));
        succeeds(at(temp, &["eval", "m", "--predictions", "eval.json"]));
        succeeds(at(temp, &["eval", "m", "--predictions", "eval.npy"]));
        let evaluated = std::fs::read_to_string(temp.join("eval.csv")).unwrap();
        let names = evaluated.lines().next().unwrap();
        assert!(names.ends_with("label,class,p(b),\"p(left, turn)\""), "{names}");
        // The same files, without their labels, one by one.
        let mut files: Vec<_> = Vec::new();
        let test = temp.join("data/test");
        for entry in walk(&test) {
            let name = entry.strip_prefix(&test).unwrap().display().to_string();
            let table = std::fs::read_to_string(&entry).unwrap();
            let bare: String = table
                .lines()
                .map(|line| {
                    let fields: Vec<&str> = line.splitn(3, ',').take(2).collect();
                    fields.join(",") + "\n"
                })
                .collect();
            let place = name.replace('/', "_");
            write(temp, &format!("new/{place}"), bare);
            files.push(format!("new/{place}"));
        }
        let mut predict = at(temp, &["predict", "m"]);
        predict.args(&files);
        let predicted = String::from_utf8(succeeds(predict).stdout).unwrap();
        // Without the first fields, the names of files, and the labels.
        let answers = |text: &str| -> Vec<String> {
            let probabilities = |line: &str| {
                let parts: Vec<&str> = line.rsplitn(3, ',').collect();
                format!("{} {}", parts[1], parts[0])
            };
            text.lines().skip(1).map(probabilities).collect()
        };
        assert_eq!(answers(&predicted), answers(&evaluated));
        assert_eq!(predicted.lines().count(), evaluated.lines().count());
        // From standard input, as JSON, and by votes.
        let mut piped = at(temp, &["predict", "m", "-", "--format", "json"]);
        piped.stdin(std::fs::File::open(temp.join(&files[0])).unwrap());
        let rows = json(&succeeds(piped));
        let p = &rows[0]["probabilities"];
        assert!((p["b"].as_f64().unwrap() + p["left, turn"].as_f64().unwrap() - 1.0).abs() < 1e-5);
        let mut votes = at(temp, &["predict", "m", "--votes"]);
        votes.args(&files);
        let votes = String::from_utf8(succeeds(votes).stdout).unwrap();
        assert_eq!(votes.lines().count(), 1 + files.len(), "{votes}");
        refuses(at(temp, &["predict", "m", "t.wav"]), &["t.wav", "not of a form"]);
        write(temp, "other.csv", "a,b\n1,2\n");
        refuses(at(temp, &["predict", "m", "other.csv"]), &["other.csv", "the columns are a, b"]);
    }
}

/// All files below a folder, by name.
pub fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() { found.extend(walk(&entry)) } else { found.push(entry) }
    }
    found
}

/// A WAV file of a tone of so many samples, 16 bits at 16 kHz.
pub fn tone(frequency: f64, samples: u32) -> Vec<u8> {
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + 2 * samples).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend([16_000_u32.to_le_bytes(), 32_000_u32.to_le_bytes()].concat());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend((2 * samples).to_le_bytes());
    let at = |n: u32| (f64::from(n) * frequency * std::f64::consts::TAU / 16_000.0).sin() * 9e3;
    wav.extend((0..samples).flat_map(|n| (at(n) as i16).to_le_bytes()));
    wav
}

/// Trains on a folder of any form, and returns what `eval` and `predict` answer to its test files: rows without names.
fn answered(temp: &Path, files: &[String]) -> [Vec<Vec<String>>; 2] {
    let trained = json(&succeeds(train(temp)));
    let evaluated = json(&succeeds(at(temp, &["eval", "m", "--predictions", "e.csv", "--json"])));
    assert_eq!(trained["test"]["confusion"], evaluated["confusion"]);
    let mut predict = at(temp, &["predict", "m"]);
    predict.args(files);
    let predicted = String::from_utf8(succeeds(predict).stdout).unwrap();
    let rows = |text: &str| -> Vec<Vec<String>> {
        let row = |line: &str| {
            let fields: Vec<&str> = line.rsplitn(4, ',').take(3).collect();
            fields.into_iter().map(str::to_owned).collect()
        };
        text.lines().skip(1).map(row).collect()
    };
    [rows(&std::fs::read_to_string(temp.join("e.csv")).unwrap()), rows(&predicted)]
}

#[test]
fn files_of_every_form_are_answered_as_in_the_test() {
    let parts = [("train", 8), ("test", 3)];
    let each = |of: &mut dyn FnMut(&str, usize, &str, usize)| {
        for (part, count) in parts {
            for (class, name) in ["a", "b"].into_iter().enumerate() {
                (0..count).for_each(|i| of(part, class, name, i));
            }
        }
    };
    let files_of = |end: &str| -> Vec<String> {
        let of = |name: &'static str| (0..3).map(move |i| format!("data/test/{name}/{i}"));
        of("a").chain(of("b")).map(|file| format!("{file}.{end}")).collect()
    };

    // Events: the first channel is busy in one class, the second in the other; one test recording is longer than any other.
    let events = "{ events = { channels = 2, step = 0.01 } }";
    let temp = with_task(events, "mean_membrane");
    each(&mut |part, class, name, i| {
        let mut text = "time,channel,polarity\n".to_owned();
        let count = if (part, i) == ("test", 2) { 60 } else { 20 + i };
        for n in 0..count {
            let channel = if n % 3 == 0 { 1 - class } else { class };
            text += &format!("{:.3},{channel},{}\n", n as f64 * 0.013, n % 2);
        }
        write(temp.path(), &format!("data/{part}/{name}/{i}.csv"), text);
    });
    let [evaluated, predicted] = answered(temp.path(), &files_of("csv"));
    assert_eq!(predicted, evaluated);
    // One by one too, the long one among them; times in another unit are refused.
    for (file, expected) in files_of("csv").iter().zip(&evaluated) {
        let alone = String::from_utf8(succeeds(at(temp.path(), &["predict", "m", file])).stdout);
        assert!(alone.unwrap().trim_end().ends_with(&format!("{},{}", expected[1], expected[0])));
    }
    let text: String = (0..20).map(|n| format!("{},0,1\n", 13 * n)).collect();
    write(temp.path(), "ms.csv", format!("time,channel,polarity\n{text}"));
    refuses(at(temp.path(), &["predict", "m", "ms.csv"]), &["ms.csv", "are after the last step"]);
    refuses(at(temp.path(), &["predict", "m", "x.wav"]), &["x.wav", "lists of events (.csv)"]);

    // Sounds: two tones. A sound's spikes do not depend on the files beside it.
    let sound = "{ sound = { encoder = \"cochlea\", step_ms = 5.0, channels = 2 } }";
    let temp = with_task(sound, "mean_membrane");
    each(&mut |part, class, name, i| {
        let sound = tone(300.0 + 1500.0 * class as f64, 800 + 160 * i as u32);
        write(temp.path(), &format!("data/{part}/{name}/{i}.wav"), sound);
    });
    let files = files_of("wav");
    let [evaluated, predicted] = answered(temp.path(), &files);
    assert_eq!(predicted, evaluated);
    for (file, expected) in files.iter().zip(&evaluated) {
        let alone = String::from_utf8(succeeds(at(temp.path(), &["predict", "m", file])).stdout);
        assert!(alone.unwrap().trim_end().ends_with(&format!("{},{}", expected[1], expected[0])));
    }
    let slow: Vec<u8> =
        [&tone(300.0, 800)[..24], &8000_u32.to_le_bytes(), &tone(300.0, 800)[28..]].concat();
    write(temp.path(), "slow.wav", slow);
    let said = ["slow.wav", "8000 samples a second", "16000, as of the sounds of the model"];
    refuses(at(temp.path(), &["predict", "m", "slow.wav"]), &said);

    // A file of the UCR/UEA archive, with the classes and without.
    let temp = with_task("\"ts\"", "mean_membrane");
    for labelled in [true, false] {
        for (part, count) in parts {
            let mut text = "@problemName data\n@univariate false\n@equalLength false\n".to_owned();
            text += if labelled {
                "@classLabel true a b\n@data\n"
            } else {
                "@classLabel false\n@data\n"
            };
            for (class, name) in ["a", "b"].iter().enumerate() {
                for i in 0..count {
                    let values = |sign: f64| -> String {
                        let of = |t| format!("{:.3}", sign * value(class, i, t));
                        (0..20 + i).map(of).collect::<Vec<_>>().join(",")
                    };
                    let end = if labelled { format!(":{name}") } else { String::new() };
                    text += &format!("{}:{}{end}\n", values(1.0), values(-1.0));
                }
            }
            let folder = if labelled { "data" } else { "bare" };
            write(temp.path(), &format!("{folder}/{part}.ts"), text);
        }
    }
    let [evaluated, predicted] = answered(temp.path(), &["data/test.ts".into()]);
    assert_eq!(predicted, evaluated);
    let bare = succeeds(at(temp.path(), &["predict", "m", "bare/test.ts"])).stdout;
    let labelled = succeeds(at(temp.path(), &["predict", "m", "data/test.ts"])).stdout;
    let text = String::from_utf8(bare).unwrap();
    assert_eq!(text.replace("bare/", "data/"), String::from_utf8(labelled).unwrap());
    refuses(
        at(temp.path(), &["data", "look", "t.toml", "--set", "dataset.folder=bare"]),
        &["@classLabel false"],
    );
}

#[test]
fn files_with_a_column_of_groups_are_answered() {
    let temp = with_task("\"csv\"\ngroups = \"subject\"", "mean_membrane");
    for (part, count) in [("train", 8), ("test", 3)] {
        for (class, name) in ["a", "b"].iter().enumerate() {
            for i in 0..count {
                let text = table(class, i, 20 + i).replace('\n', &format!(",{part}{i}\n"));
                let text = text.replacen(&format!(",{part}{i}\n"), ",subject\n", 1);
                write(temp.path(), &format!("data/{part}/{name}/{i}.csv"), text);
            }
        }
    }
    let of = |name: &'static str| (0..3).map(move |i| format!("data/test/{name}/{i}.csv"));
    let files: Vec<String> = of("a").chain(of("b")).collect();
    let [evaluated, predicted] = answered(temp.path(), &files);
    assert_eq!(predicted, evaluated);
}

#[test]
fn the_last_epoch_is_kept_if_wanted() {
    let temp = with_task("\"csv\"", "mean_membrane");
    tables(temp.path(), |text| text.as_bytes().to_vec());
    let train = |out: &str, epochs: &str, keep: &str| {
        let keep = format!("train.keep={keep}");
        let mut command = at(temp.path(), &["train", "t.toml", "--json", "--epochs", epochs]);
        command.args(["--out", out, "--set", &keep, "--set", "train.learning_rate=0.5"]);
        command
    };
    let kept = |out: &str| json(&succeeds(train(out, "10", "last")))["best_epoch"].clone();
    assert_eq!(kept("last"), 10);
    let best = json(&succeeds(train("best", "10", "best")));
    assert_ne!(best["best_epoch"], 10, "the best epoch is another one: {best}");
    let model = |out: &str| std::fs::read(temp.path().join(out).join("best.safetensors")).unwrap();
    assert_ne!(model("last"), model("best"));
    // The same after a stop in between.
    succeeds(train("two", "4", "last"));
    succeeds(at(temp.path(), &["train", "--resume", "--out", "two", "--epochs", "10"]));
    let answers = |run: &str| {
        succeeds(at(temp.path(), &["eval", run, "--predictions", "p.csv"]));
        std::fs::read_to_string(temp.path().join("p.csv")).unwrap()
    };
    assert_eq!(answers("last"), answers("two"));
    let patient = &["train.patience", "train.keep = \"last\""];
    let mut command = train("p", "10", "last");
    command.args(["--set", "train.patience=2"]);
    refuses(command, patient);
}

//! What a run and its model know: their data, damage, other processes, how to go on.

use super::{barnowl, folder, json, refuses, run, stderr, succeeds, train};
use barnowl::model::Model;
use barnowl::train::Checkpoint;
use burn::tensor::Device;
use std::path::Path;
use std::process::Command;

const TASK: &str = r#"
name = "gestures"
summary = "Two gestures"
[dataset]
kind = "own"
folder = "gestures"
form = "csv"
sampling_rate = 50.0
[network]
inputs = 2
decode = { kind = "mean_membrane" }
[[network.layers]]
size = 6
b0 = 0.1
[network.readout]
kind = "leaky_integrator"
size = 2
[train]
epochs = 3
batch = 4
validation = 0.25
"#;

/// Two gestures as tables, in a folder `gestures` below `at`: the second axis is `scale` times the first.
fn gestures(at: &Path, names: [&str; 2], columns: &str, scale: f64) {
    for (part, count, start) in [("train", 8, 0.0), ("test", 4, 0.1)] {
        for (class, name) in names.iter().enumerate() {
            let folder = at.join("gestures").join(part).join(name);
            std::fs::create_dir_all(&folder).unwrap();
            for i in 0..count {
                let mut text = format!("{columns}\n");
                for t in 0..12 + i {
                    let t = f64::from(t) + start;
                    let x = (t * (0.3 + 0.5 * class as f64) + f64::from(i)).sin();
                    text += &format!("{x:.4},{:.4}\n", scale * x);
                }
                std::fs::write(folder.join(format!("{i}.csv")), text).unwrap();
            }
        }
    }
}

/// A folder with the task, and the data below `data`.
fn set_up() -> tempfile::TempDir {
    let temp = folder();
    std::fs::write(temp.path().join("t.toml"), TASK).unwrap();
    gestures(&temp.path().join("data"), ["jump", "walk"], "x,y", 2.0);
    temp
}

fn at(temp: &Path, args: &[&str]) -> Command {
    let mut command = barnowl(args);
    command.current_dir(temp);
    command
}

fn trained(temp: &Path, out: &str, more: &[&str]) {
    let mut command = at(temp, &["train", "t.toml", "--data", "data", "--out", out]);
    command.args(more);
    succeeds(command);
}

#[test]
fn a_run_remembers_its_data() {
    let temp = set_up();
    let temp = temp.path();
    trained(temp, "m", &[]);
    let result: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(temp.join("m/result.json")).unwrap())
            .unwrap();
    for model in ["m", "m/best.safetensors"] {
        let found = json(&succeeds(at(temp, &["eval", model, "--json"])));
        assert_eq!(found["accuracy"], result["test"]["accuracy"]);
        assert_eq!(found["loss"], result["test"]["loss"]);
        assert_eq!(found["data_of"]["of_the_model"], true, "{found}");
    }
    for command in ["energy", "sparsity"] {
        succeeds(at(temp, &[command, "m"]));
    }
    succeeds(at(temp, &["report", "m"]));
    let page = std::fs::read_to_string(temp.join("m/report.html")).unwrap();
    let folder = std::fs::canonicalize(temp).unwrap().join("data");
    assert!(page.contains("--data") && page.contains(&*folder.to_string_lossy()), "no data folder");
    // Data that have moved are known again; what the environment says does not count against the run's own.
    let mut elsewhere = at(temp, &["eval", "m", "--json"]);
    elsewhere.env("BARNOWL_DATA", "nowhere");
    succeeds(elsewhere);
    std::fs::rename(temp.join("data"), temp.join("moved")).unwrap();
    succeeds(at(temp, &["eval", "m", "--data", "moved"]));
    refuses(at(temp, &["eval", "m"]), &["gestures", "--data"]);
    // A file without its run is told where the data are.
    std::fs::copy(temp.join("m/best.safetensors"), temp.join("alone.safetensors")).unwrap();
    succeeds(at(temp, &["eval", "alone.safetensors", "--data", "moved"]));
}

#[test]
fn other_data_are_refused_or_named() {
    let temp = set_up();
    let temp = temp.path();
    trained(temp, "m", &[]);
    gestures(&temp.join("names"), ["sit", "stand"], "x,y", 2.0);
    gestures(&temp.join("values"), ["jump", "walk"], "x,y", 2.1);
    gestures(&temp.join("columns"), ["jump", "walk"], "a,b", 2.0);
    for (data, parts) in
        [("values", &["the data were", "--other-data"][..]), ("columns", &["x, y"])]
    {
        for command in ["eval", "energy", "sparsity"] {
            refuses(at(temp, &[command, "m", "--data", data]), parts);
        }
        refuses(at(temp, &["report", "m", "--data", data]), parts);
    }
    let other = ["eval", "m", "--json", "--other-data", "--data"];
    let found = json(&succeeds(at(temp, &[&other[..], &["values"]].concat())));
    assert_eq!(found["data_of"]["of_the_model"], false);
    assert!(found["data_of"]["differences"][0].as_str().unwrap().contains("the data were"));
    let found = json(&succeeds(at(temp, &[&other[..], &["names"]].concat())));
    let differences = found["data_of"]["differences"].to_string();
    assert!(differences.contains("jump, walk, and are sit, stand"), "{differences}");
    // What a generator makes by other settings is other data.
    let out = temp.join("generated");
    succeeds(train(&out, &["--epochs", "1"]));
    let found = json(&succeeds(at(temp, &["eval", "generated", "--json"])));
    assert_eq!(found["data_of"]["of_the_model"], true);
    let longer = ["eval", "generated", "--set", "dataset.generator.steps=150"];
    refuses(at(temp, &longer), &["the data were", "generated ECG", "--other-data"]);
    succeeds(at(temp, &[&longer[..], &["--other-data"]].concat()));
}

#[test]
fn a_run_goes_on_by_its_own_settings() {
    let temp = set_up();
    let temp = temp.path();
    let settings = ["--seed", "5", "--set", "train.learning_rate=0.02"];
    trained(temp, "whole", &[&settings[..], &["--epochs", "6"]].concat());
    trained(temp, "longer", &[&settings[..], &["--epochs", "2"]].concat());
    // Longer, from elsewhere, with no flag that the folder knows.
    let mut longer = barnowl(&["train", "--resume", "--epochs", "6", "--out"]);
    succeeds({
        longer.arg(temp.join("longer"));
        longer
    });
    for name in ["best.safetensors", "metrics.jsonl", "config.toml", "last/checkpoint.safetensors"]
    {
        let read = |run: &str| std::fs::read(temp.join(run).join(name)).unwrap();
        assert!(read("whole") == read("longer"), "{name} differs");
    }
    // Not shorter than it is, not otherwise; not where the rate depends on the number of epochs.
    let resume = ["train", "t.toml", "--resume", "--out", "longer"];
    let resumed = |more: &[&str]| at(temp, &[&resume[..], more].concat());
    refuses(resumed(&["--epochs", "3"]), &["train.epochs", "at least the 6"]);
    refuses(resumed(&["--seed", "6"]), &["train.seed was 5 and is now 6"]);
    trained(temp, "cosine", &["--set", "train.schedule.kind=cosine"]);
    refuses(
        at(temp, &["train", "--resume", "--out", "cosine", "--epochs", "9"]),
        &["train.epochs", "learning rate"],
    );
    // Not on files that have changed since, nor with epochs missing.
    let file = temp.join("data/gestures/train/jump/0.csv");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("0.", "1.", 1)).unwrap();
    refuses(resumed(&["--epochs", "8"]), &["the train data are not those"]);
    std::fs::write(&file, text).unwrap();
    let metrics = temp.join("longer/metrics.jsonl");
    let lines = std::fs::read_to_string(&metrics).unwrap();
    std::fs::write(&metrics, lines.split_inclusive('\n').skip(1).collect::<String>()).unwrap();
    refuses(resumed(&["--epochs", "8"]), &["metrics.jsonl", "epoch 1 is not there"]);
}

#[test]
fn no_flipped_bit_of_model_or_checkpoint_goes_unnoticed() {
    let temp = set_up();
    let temp = temp.path();
    trained(temp, "m", &[]);
    let flipped = temp.join("flipped.safetensors");
    type Read = fn(&Path) -> barnowl::error::Result<()>;
    let readers: [(&str, Read); 2] = [
        ("m/best.safetensors", |path| Model::load(path, &Device::flex()).map(drop)),
        ("m/last/checkpoint.safetensors", |path| Checkpoint::load(path).map(drop)),
    ];
    for (name, read) in readers {
        let bytes = std::fs::read(temp.join(name)).unwrap();
        read(&temp.join(name)).unwrap();
        // 200 places over the whole file, drawn by a linear congruential generator.
        let mut state = 7_u64;
        for _ in 0..200 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let bit = (state >> 16) as usize % (8 * bytes.len());
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&flipped, &damaged).unwrap();
            assert!(read(&flipped).is_err(), "{name}: bit {bit}");
        }
    }
    // From outside: a flipped element, and a flipped letter of the header.
    let bytes = std::fs::read(temp.join("m/best.safetensors")).unwrap();
    for place in [bytes.len() - 3, 200] {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1;
        std::fs::write(temp.join("m/best.safetensors"), &damaged).unwrap();
        refuses(at(temp, &["eval", "m"]), &["best.safetensors"]);
    }
}

#[test]
fn of_two_runs_at_once_in_one_folder_one_is_refused() {
    let temp = set_up();
    let temp = temp.path();
    for round in 0..50 {
        let out = format!("two-{round}");
        let start = |seed: &str| {
            let args = [
                "train", "t.toml", "--data", "data", "--epochs", "1", "--seed", seed, "--out", &out,
            ];
            let mut command = at(temp, &args);
            command.args(["--threads", "1"]);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            command.spawn().unwrap()
        };
        let both = [start("1"), start("2")].map(|child| child.wait_with_output().unwrap());
        let codes = both.each_ref().map(|output| output.status.code());
        assert!(codes == [Some(0), Some(2)] || codes == [Some(2), Some(0)], "{codes:?}");
        let said = both.each_ref().map(stderr).concat();
        let refusal = said.contains("is working in this folder") || said.contains("a run already");
        assert!(refusal, "{said}");
        let lines = std::fs::read_to_string(temp.join(&out).join("metrics.jsonl")).unwrap();
        assert_eq!(lines.lines().count(), 1);
    }
}

#[test]
fn a_locked_folder_names_who_works_in_it() {
    let temp = set_up();
    let temp = temp.path();
    trained(temp, "m", &[]);
    let lock = barnowl::file::FolderLock::acquire(temp.join("m")).unwrap();
    let number = format!("process {}", std::process::id());
    refuses(at(temp, &["train", "--resume", "--out", "m", "--epochs", "4"]), &[&number]);
    drop(lock);
    std::fs::create_dir(temp.join("study")).unwrap();
    let lock = barnowl::file::FolderLock::acquire(temp.join("study")).unwrap();
    let study = ["study", "adaptation", "ecg", "--out", "study"];
    refuses(at(temp, &study), &[&number]);
    drop(lock);
}

#[test]
fn runs_that_start_at_once_get_folders_of_their_own() {
    let temp = set_up();
    let temp = temp.path();
    let start = |_| {
        let mut command = at(temp, &["train", "t.toml", "--data", "data", "--epochs", "2"]);
        command.args(["--threads", "1"]);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        command.spawn().unwrap()
    };
    let children: Vec<_> = (0..6).map(start).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    for number in 1..=6 {
        let metrics = temp.join(format!("runs/gestures-{number}/metrics.jsonl"));
        assert_eq!(std::fs::read_to_string(metrics).unwrap().lines().count(), 2);
    }
}

#[test]
fn a_plot_that_cannot_be_written_costs_nothing_else() {
    let temp = set_up();
    let temp = temp.path();
    // A folder in the way of a plot.
    std::fs::create_dir_all(temp.join("m/curves.svg/x")).unwrap();
    let output = succeeds(at(temp, &["train", "t.toml", "--data", "data", "--out", "m"]));
    let (said, shown) = (stderr(&output), String::from_utf8_lossy(&output.stdout).into_owned());
    assert!(
        said.contains("warning: the plots are not whole") && said.contains("curves.svg"),
        "{said}"
    );
    assert!(shown.contains("accuracy"), "{shown}");
    assert!(temp.join("m/result.json").is_file());
}

#[test]
fn a_report_judges_as_the_run_was_judged() {
    let temp = set_up();
    let temp = temp.path();
    trained(temp, "m", &["--no-test"]);
    let svg = std::fs::read(temp.join("m/raster.svg")).unwrap();
    succeeds(at(temp, &["report", "m", "--figures", "figures"]));
    let page = std::fs::read_to_string(temp.join("m/report.html")).unwrap();
    assert!(page.contains("validation accuracy") && !page.contains("test accuracy"));
    assert!(page.contains("--no-test"));
    assert_eq!(std::fs::read(temp.join("m/raster.svg")).unwrap(), svg, "as train wrote it");
    assert!(temp.join("figures/m-raster.svg").is_file());
    succeeds(at(temp, &["report", "m", "--split", "test"]));
    let page = std::fs::read_to_string(temp.join("m/report.html")).unwrap();
    assert!(page.contains("test accuracy"));
}

#[test]
fn a_study_does_not_mix_data() {
    let temp = set_up();
    let temp = temp.path();
    gestures(&temp.join("other"), ["jump", "walk"], "x,y", 3.0);
    let study = |data: &str, seeds: &str| {
        let args = ["study", "adaptation", "t.toml", "--epochs", "1", "--out", "s", "--data", data];
        at(temp, &[&args[..], &["--seeds", seeds]].concat())
    };
    succeeds(study("data", "1"));
    refuses(study("other", "2"), &["the run was on other train and test data", "--data"]);
    std::fs::rename(temp.join("data"), temp.join("moved")).unwrap();
    succeeds(study("moved", "2"));
}

#[test]
fn files_of_an_older_version_load_with_a_warning() {
    let temp = set_up();
    let temp = temp.path();
    trained(temp, "m", &[]);
    let path = temp.join("m/best.safetensors");
    let mut contents = barnowl::exchange::safetensors::read(&path).unwrap();
    contents.metadata.remove("barnowl.checksum").unwrap();
    contents.metadata.remove("barnowl.data").unwrap();
    contents.metadata.insert("barnowl.format".into(), "model 1".into());
    let old = temp.join("old.safetensors");
    barnowl::exchange::safetensors::write(&old, &contents.tensors, &contents.metadata).unwrap();
    let output = run(at(temp, &["eval", "old.safetensors", "--data", "data"]));
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("warning") && said.contains("no checksum"), "{said}");
    // The same, without its version: then there must be a checksum.
    contents.metadata.insert("barnowl.format".into(), "model 2".into());
    barnowl::exchange::safetensors::write(&old, &contents.tensors, &contents.metadata).unwrap();
    refuses(at(temp, &["eval", "old.safetensors", "--data", "data"]), &["no checksum"]);
}

#[test]
fn a_result_keeps_what_a_run_was_warned_of() {
    let temp = set_up();
    let temp = temp.path();
    let warnings = |out: &str, more: &[&str]| {
        let run = ["train", "t.toml", "--data", "data", "--json", "--out", out];
        let output = succeeds(at(temp, &[&run[..], more].concat()));
        let text = std::fs::read_to_string(temp.join(out).join("result.json")).unwrap();
        let written: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(written, json(&output), "the same on the screen and in the folder");
        let list = |text: &serde_json::Value| text.as_str().unwrap().to_owned();
        let kept: Vec<String> = written["warnings"].as_array().unwrap().iter().map(list).collect();
        let said = stderr(&output);
        let lines = said.lines().filter_map(|line| line.strip_prefix("warning: "));
        assert_eq!(kept, lines.collect::<Vec<_>>(), "as it was said");
        kept
    };
    let well = ["--epochs", "40", "--set", "train.learning_rate=0.05"];
    assert_eq!(warnings("good", &well), [""; 0]);
    // Of an epoch, and of the result.
    let dead = warnings("dead", &["--set", "network.layers.0.b0=50"]);
    assert!(dead[0].contains("no neuron of hidden layer 1 spiked"), "{dead:?}");
    assert!(dead[1].contains("to all of the test data"), "{dead:?}");
    // Of the data.
    std::fs::remove_dir_all(temp.join("data/gestures/test/walk")).unwrap();
    let one = warnings("one", &[]);
    assert!(one[0].contains("the test data are of one class, \"jump\""), "{one:?}");
    // A study keeps them with each of its runs.
    let study = ["train", "t.toml", "--data", "data", "--seeds", "2", "--out", "seeds"];
    succeeds(at(temp, &study));
    for seed in ["1", "2"] {
        let text = temp.join(format!("seeds/runs/t/seed-{seed}/result.json"));
        assert!(std::fs::read_to_string(text).unwrap().contains("the test data are of one class"));
    }
}

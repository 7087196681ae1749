//! The command from outside: what it writes, that it resumes bit for bit, and what it says of bad input.

#[path = "cli/bench.rs"]
mod bench;
#[path = "cli/cases.rs"]
mod cases;
#[path = "cli/command.rs"]
mod command;
#[path = "cli/energy.rs"]
mod energy;
#[path = "cli/mirror.rs"]
mod mirror;
#[path = "cli/neurons.rs"]
mod neurons;
#[path = "cli/numbers.rs"]
mod numbers;
#[path = "cli/other.rs"]
mod other;
#[path = "cli/own.rs"]
mod own;
#[path = "cli/own_neuron.rs"]
mod own_neuron;
#[path = "cli/report.rs"]
mod report;
#[path = "cli/runs.rs"]
mod runs;
#[path = "cli/snapshots.rs"]
mod snapshots;
#[path = "cli/study.rs"]
mod study;
#[path = "cli/tasks.rs"]
mod tasks;

use barnowl::exchange::safetensors;
use command::{barnowl, few_samples, folder, json, refuses, run, stderr, succeeds};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A task small enough to train in a second: the built-in generator, 8 neurons, 200 steps.
const SMALL: [&str; 6] = [
    "dataset.generator.train_samples=24",
    "dataset.generator.test_samples=8",
    "dataset.generator.steps=200",
    "network.layers.0.size=8",
    "train.batch=5",
    "train.validation=0.25",
];

fn train(out: &Path, more: &[&str]) -> Command {
    train_task("ecg", out, more)
}

fn train_task(task: &str, out: &Path, more: &[&str]) -> Command {
    let mut command = barnowl(&["train", task, "--out"]);
    command.arg(out);
    for setting in SMALL {
        command.args(["--set", setting]);
    }
    command.args(more);
    command
}

/// What a run leaves of its weights.
fn weights(run: &Path) -> [Vec<u8>; 3] {
    ["best.safetensors", "last/checkpoint.safetensors", "metrics.jsonl"]
        .map(|name| std::fs::read(run.join(name)).unwrap())
}

/// Waits until a run has reported `epochs` epochs.
fn wait_for(run: &Path, epochs: usize, child: &mut Child) {
    let started = Instant::now();
    loop {
        let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap_or_default();
        if text.lines().count() >= epochs {
            return;
        }
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it was stopped");
        assert!(started.elapsed() < Duration::from_secs(120), "the run does not get on");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_run_starts_from_a_trained_model() {
    let temp = folder();
    let [first, second, other] = ["first", "second", "other"].map(|name| temp.path().join(name));
    let with = |out: &Path, more: &[&str]| {
        train(out, &[&["--no-test", "--json", "--set", "network.layers.0.size=8"], more].concat())
    };
    let trained = json(&succeeds(with(&first, &["--epochs", "12"])));
    let frozen = ["--epochs", "1", "--set", "train.learning_rate=1e-9", "--init"];
    let init = first.to_str().unwrap();
    let again = json(&succeeds(with(&second, &[&frozen[..], &[init]].concat())));
    let accuracy = |result: &Value| result["valid_accuracy"].as_f64().unwrap();
    assert!((accuracy(&trained) - accuracy(&again)).abs() < 2e-3, "{trained} {again}");
    let mut command = barnowl(&["train", "ecg", "--epochs", "1", "--init", init, "--out"]);
    command.arg(&other);
    refuses(command, &["best.safetensors", "layers.0.input.weight is [8, 4], expected [36, 4]"]);
}

#[test]
fn a_trial_leaves_the_test_data_alone() {
    let temp = folder();
    let out = temp.path().join("run");
    let result = json(&succeeds(train(&out, &["--epochs", "2", "--no-test", "--json"])));
    assert!(result["test"].is_null(), "{result}");
    assert_eq!(result["valid"]["accuracy"], result["valid_accuracy"]);
    assert!(out.join("result.json").is_file() && out.join("raster.svg").is_file());
}

#[test]
fn a_run_leaves_everything_and_its_result_is_repeatable() {
    let temp = folder();
    let out = temp.path().join("run");
    let result = json(&succeeds(train(&out, &["--epochs", "3", "--json"])));
    for name in [
        "config.toml",
        "curves.svg",
        "raster.svg",
        "confusion.svg",
        "time_constants.svg",
        "result.json",
    ] {
        assert!(out.join(name).metadata().unwrap().len() > 100, "{name}");
    }
    let metrics = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    assert_eq!(metrics.lines().count(), 3);
    let mut eval = barnowl(&["eval", "--json", "--predictions"]);
    eval.arg(temp.path().join("p.npy")).arg(&out);
    let mut evaluation = json(&succeeds(eval));
    let data = evaluation.as_object_mut().unwrap().remove("data_of").unwrap();
    assert_eq!(data["of_the_model"], true);
    assert_eq!(evaluation, result["test"]);
    for key in ["task", "split", "samples", "accuracy", "loss"] {
        assert!(!evaluation[key].is_null(), "{key}");
    }
    let layers = evaluation["spike_rate"]["layers"].as_array().unwrap();
    assert_eq!(layers[0], evaluation["spike_rate"]["overall"]);
    assert_eq!(std::fs::metadata(temp.path().join("p.npy")).unwrap().len(), 128 + 2 * 8 * 200);
    // The written configuration is a task of its own.
    let mut again = barnowl(&["train", "--json", "--out"]);
    again.arg(temp.path().join("again")).arg(out.join("config.toml"));
    assert_eq!(json(&succeeds(again))["test"], result["test"]);
    let mut info = barnowl(&["info"]);
    info.arg(&out);
    let info = succeeds(info);
    assert!(String::from_utf8_lossy(&info.stdout).contains("layers.0.tau_m"));
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let temp = folder();
    let of = |threads: &str| {
        let out = temp.path().join(threads);
        succeeds(train(&out, &["--epochs", "3", "--threads", threads]));
        weights(&out)
    };
    let one = of("1");
    assert_eq!(one, of("2"));
    assert_eq!(one, of("5"));
}

#[test]
fn a_killed_run_resumes_bit_for_bit() {
    let temp = folder();
    let (whole, killed) = (temp.path().join("whole"), temp.path().join("killed"));
    let settings = ["--epochs", "40", "--set", "train.rate_penalty={ target = 0.1, weight = 1.0 }"];
    succeeds(train(&whole, &settings));
    let mut child =
        train(&killed, &settings).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    for epochs in [3, 11] {
        wait_for(&killed, epochs, &mut child);
        child.kill().unwrap();
        child.wait().unwrap();
        let mut resumed = train(&killed, &settings);
        resumed.arg("--resume").stderr(Stdio::null()).stdout(Stdio::null());
        child = resumed.spawn().unwrap();
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(weights(&whole), weights(&killed));
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_in_mid_epoch_and_exits_with_130() {
    let temp = folder();
    for (cell, epochs) in [("alif", "60"), ("lstm", "40")] {
        let [whole, stopped] = ["whole", "stopped"].map(|name| temp.path().join(cell).join(name));
        let cell = format!("network.cell={cell}");
        let settings = ["--epochs", epochs, "--set", &cell];
        succeeds(train(&whole, &settings));
        let mut child =
            train(&stopped, &settings).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        wait_for(&stopped, 2, &mut child);
        let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(status.success());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let mut resumed = train(&stopped, &settings);
        resumed.arg("--resume");
        succeeds(resumed);
        assert_eq!(weights(&whole), weights(&stopped));
    }
}

/// What is in the files is tested in the library, and with TensorBoard itself by `reference/tensorboard_check.py`.
#[test]
fn events_for_tensorboard_change_no_result() {
    let temp = folder();
    let (plain, told) = (temp.path().join("plain"), temp.path().join("told"));
    succeeds(train(&plain, &["--epochs", "4"]));
    succeeds(train(&told, &["--epochs", "2", "--tensorboard"]));
    let events = || -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&told).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.to_string_lossy().contains("tfevents")).collect()
    };
    let [first] = &events()[..] else { panic!("{:?}", events()) };
    let bytes = std::fs::read(first).unwrap();
    for tag in ["brain.Event:2", "loss/valid", "spike_rate/layer_1", "layers/0/tau_m", "raster"] {
        let found = bytes.windows(tag.len()).filter(|window| window == &tag.as_bytes()).count();
        assert_eq!(found, if tag.starts_with("brain") { 1 } else { 2 }, "{tag}");
    }
    // Nobody looks: training is the same.
    let whole = temp.path().join("whole");
    succeeds(train(&whole, &["--epochs", "4", "--tensorboard"]));
    assert_eq!(weights(&plain), weights(&whole));
}

#[test]
fn a_divergence_is_reported_and_no_file_holds_a_nan() {
    let temp = folder();
    let out = temp.path().join("run");
    // A thousand times the recipe's rate, reached slowly, so that some epochs are good.
    let settings = ["--epochs", "40", "--set", "train.learning_rate=30", "--set"];
    let mut command = train_task("ecg-paper", &out, &settings);
    command.arg("train.schedule={ kind = \"constant\", warmup_epochs = 5 }");
    let output = run(command);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let text = stderr(&output);
    assert!(text.contains("epoch ") && text.contains("learning_rate"), "{text}");
    assert!(text.contains("layers.") || text.contains("readout."), "names a parameter: {text}");
    for entry in ["best.safetensors", "last/checkpoint.safetensors"] {
        let tensors = safetensors::read(out.join(entry)).unwrap().tensors;
        assert!(tensors.values().all(|tensor| tensor.values.iter().all(|x| x.is_finite())));
    }
    assert!(!std::fs::read_to_string(out.join("metrics.jsonl")).unwrap().contains("null"));
    // At the full rate from the first step there is no good epoch, and no model is left.
    let out = temp.path().join("at once");
    assert_eq!(run(train_task("ecg-paper", &out, &settings[..4])).status.code(), Some(3));
    assert!(!out.join("best.safetensors").exists());
}

#[test]
fn resuming_with_another_configuration_is_refused() {
    let temp = folder();
    let out = temp.path().join("run");
    succeeds(train(&out, &["--epochs", "2"]));
    let before = weights(&out);
    refuses(
        train(&out, &["--epochs", "2", "--resume", "--seed", "9"]),
        &["train.seed was 1 and is now 9", "resume with the configuration"],
    );
    refuses(train(&out, &["--epochs", "2"]), &["holds a run already", "--resume"]);
    refuses(train(&temp.path().join("none"), &["--resume"]), &["holds no run"]);
    assert_eq!(weights(&out), before);
    // Cut short, then with a byte changed in the header.
    let checkpoint = out.join("last/checkpoint.safetensors");
    std::fs::write(&checkpoint, &before[1][..before[1].len() / 2]).unwrap();
    refuses(train(&out, &["--epochs", "2", "--resume"]), &["checkpoint.safetensors"]);
    let mut damaged = before[1].clone();
    damaged[9] ^= 0xff;
    std::fs::write(&checkpoint, damaged).unwrap();
    refuses(train(&out, &["--epochs", "2", "--resume"]), &["checkpoint.safetensors"]);
}

#[test]
fn bad_settings_are_refused() {
    let temp = folder();
    let path = |name: &str| temp.path().join(name);
    let out = path("run");
    for (setting, parts) in [
        ("train.epochs=0", &["train.epochs = 0", "1 to 1000000000"][..]),
        ("network.layers.0.b0=-1", &["network.layers.0.b0 = -1", "0 or more"]),
        ("train.optimizer.kind=adamm", &["train.optimizer.kind", "adamm"]),
        ("train.nonsense=1", &["nonsense"]),
        ("train.batch=0", &["--set train.batch=5", "--set train.batch=0"]),
        ("network.inputs=5", &["4 channels", "5 inputs"]),
        ("network.readout.size=7", &["6 classes", "7 neurons"]),
        ("network.decode.skip=5000", &["network.decode.skip = 5000", "200 steps"]),
        (
            "network.decode.kind=last_membrane",
            &["a label at every step", "the decoder last_membrane"],
        ),
    ] {
        refuses(train(&out, &["--set", setting]), parts);
    }
    assert!(!out.exists(), "nothing is written for a configuration that is refused");
    refuses(train(&out, &["--epochs", "0"]), &["train.epochs = 0"]);
    refuses(barnowl(&["train", "nosuch"]), &["there is no task \"nosuch\"", "ecg"]);
    refuses(barnowl(&["train", "nosuch.toml"]), &["nosuch.toml"]);
    let text = barnowl::task::BUILT_IN[0].1.replace("size = 36", "sise = 36");
    std::fs::write(path("mine.toml"), &text).unwrap();
    let line = 1 + text.lines().position(|line| line == "sise = 36").unwrap();
    let mut mine = barnowl(&["train"]);
    mine.arg(path("mine.toml"));
    refuses(mine, &["mine.toml, line", "sise"]);
    assert!(line > 1);
    // A folder below a file cannot be made, not even by root.
    std::fs::write(path("file"), "").unwrap();
    refuses(train(&path("file").join("run"), &[]), &["file"]);
    let output = run(train(&out, &["--threads", "0"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--threads"), "{}", stderr(&output));
}

/// A data folder with the QTDB files of the given bytes.
fn data(folder: &Path, train: &[u8], test: &[u8]) -> PathBuf {
    let data = folder.join("data");
    std::fs::create_dir_all(data.join("qtdb")).unwrap();
    std::fs::write(data.join("qtdb/QTDB_train.mat"), train).unwrap();
    std::fs::write(data.join("qtdb/QTDB_test.mat"), test).unwrap();
    data
}

#[test]
fn an_unknown_instruction_set_is_refused() {
    let mut command = barnowl(&["tasks"]);
    command.env("BARNOWL_SIMD", "mmx");
    refuses(command, &["BARNOWL_SIMD", "mmx", "portable, avx2 or avx512"]);
}

#[test]
fn bench_counts_spikes_and_memory() {
    let args = ["bench", "gsc", "--steps", "1", "--batch", "3", "--length", "20", "--json"];
    let output = succeeds(barnowl(&args));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let shape = &found["shapes"][0];
    assert_eq!(shape["shape"], "gsc");
    assert_eq!([&shape["batch"], &shape["steps"]], [3, 20]);
    assert!(shape["seconds_per_step"].as_f64().unwrap() > 0.0);
    let rate = shape["spike_rate"][1].as_f64().unwrap();
    assert!((0.02..0.5).contains(&rate), "{rate}");
    refuses(barnowl(&["bench", "gsc", "--length", "3"]), &["--length", "16"]);
}

#[test]
fn bad_data_are_refused() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../barnowl/tests/fixtures");
    let good = std::fs::read(fixtures.join("mat_qtdb.mat")).unwrap();
    let types = std::fs::read(fixtures.join("mat_types_stored.mat")).unwrap();
    let temp = folder();
    let out = temp.path().join("run");
    let with = |folder: &Path| {
        // The fixture has five steps.
        let mut command = train(&out, &["--set", "network.decode.skip=0"]);
        command.arg("--data").arg(folder);
        command
    };
    refuses(with(&temp.path().join("empty")), &["QTDB_train.mat"]);
    refuses(with(&data(temp.path(), &good[..good.len() / 2], &good)), &["QTDB_train.mat", "byte"]);
    refuses(with(&data(temp.path(), &good, &good[..200])), &["QTDB_test.mat", "byte"]);
    refuses(with(&data(temp.path(), &types, &good)), &["QTDB_train.mat"]);
    refuses(with(&data(temp.path(), b"", &good)), &["QTDB_train.mat"]);
}

#[test]
fn a_task_without_data_says_where_they_go() {
    for task in ["smnist", "psmnist"] {
        refuses(barnowl(&["train", task]), &[task, "mnist/", "--data"]);
        refuses(barnowl(&["train", task, "--data", "/nowhere"]), &["/nowhere/mnist/train-images"]);
    }
    let pixels = ["train", "smnist", "--set", "dataset.pixels=785"];
    refuses(barnowl(&pixels), &["dataset.pixels", "1 to 784"]);
}

#[test]
fn bad_parameters_are_refused() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../barnowl/tests/fixtures");
    let temp = folder();
    let model = temp.path().join("model.safetensors");
    let import = |file: &Path| {
        let mut command = barnowl(&["import", "--task", "ecg-paper", "--out"]);
        command.arg(&model).arg(file);
        command
    };
    let bytes = std::fs::read(fixtures.join("state_dict.pth")).unwrap();
    let cut = temp.path().join("cut.pth");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    refuses(import(&cut), &["cut.pth"]);
    refuses(import(&temp.path().join("missing.pth")), &["missing.pth"]);
    refuses(import(&fixtures.join("not_a_dict.pth")), &["not_a_dict.pth"]);
    assert!(!model.exists());
    // A file of another program is no model.
    let mut eval = barnowl(&["eval"]);
    eval.arg(fixtures.join("types_f32.safetensors"));
    refuses(eval, &["types_f32.safetensors", "barnowl import"]);
    // Missing, extra and misshapen tensors: all in one error.
    let out = temp.path().join("run");
    succeeds(train(&out, &["--epochs", "1"]));
    let mut tensors = safetensors::read(out.join("best.safetensors")).unwrap().tensors;
    let weight = tensors.remove("layers.0.input.weight").unwrap();
    tensors.insert("layers.1.input.weight".into(), weight);
    let other = temp.path().join("other.safetensors");
    safetensors::write(&other, &tensors, &Default::default()).unwrap();
    refuses(
        import(&other),
        &[
            "missing: layers.0.input.weight",
            "not expected: layers.1.input.weight",
            "layer 0 has 8 neurons in the file, 36 in the task",
        ],
    );
    // Time constants that no membrane can have.
    let mut tensors = safetensors::read(out.join("best.safetensors")).unwrap().tensors;
    tensors.get_mut("layers.0.tau_adp").unwrap().values[3] = -55.0;
    safetensors::write(&other, &tensors, &Default::default()).unwrap();
    let import_of = import;
    let mut import = import_of(&other);
    import.args(["--set", "network.layers.0.size=8"]);
    refuses(import, &["layers.0.tau_adp, elements 3 (-55) of 8", "positive numbers", "--repair"]);
    let mut import = import_of(&other);
    import.args(["--set", "network.layers.0.size=8", "--repair", "--json"]);
    let repaired = json(&succeeds(import));
    // What is there is not written over unasked, nor the file that is read.
    let again = |more: &[&str]| {
        let mut import = import_of(&other);
        import.args(["--set", "network.layers.0.size=8", "--repair"]).args(more);
        import
    };
    let before = std::fs::read(&model).unwrap();
    refuses(
        again(&[]),
        &["model.safetensors", "a model of ecg-paper", "other.safetensors", "--force"],
    );
    assert_eq!(std::fs::read(&model).unwrap(), before);
    succeeds(again(&["--force"]));
    let mut onto_itself = barnowl(&["import", "--task", "ecg-paper", "--force", "--out"]);
    onto_itself.arg(&other).arg(&other);
    refuses(onto_itself, &["this is the file that is imported"]);
    let repair = &repaired["repaired"][0];
    assert_eq!(repair["tensor"], "layers.0.tau_adp");
    assert_eq!(repair["values"], serde_json::json!([[3, -55.0]]));
    assert_eq!(repair["now"], serde_json::json!([1e7]));
}

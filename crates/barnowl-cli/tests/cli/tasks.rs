//! Every task of the paper from data in its published form to a result, and what is said of data that are not there.

use super::{barnowl, folder, json, refuses, succeeds};
use std::path::{Path, PathBuf};

/// Data sets of a few samples each, in their published folders.
fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../barnowl/tests/fixtures/data")
}

/// Trains a task on few samples until it knows them all, and returns its result.
fn overfits(task: &str, settings: &[&str]) -> serde_json::Value {
    let temp = folder();
    let out = temp.path().join("run");
    let mut train = barnowl(&["train", task, "--json", "--out"]);
    train.arg(&out).arg("--data").arg(data());
    for setting in settings {
        train.args(["--set", setting]);
    }
    let result = json(&succeeds(train));
    let metrics = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    let accuracy = |line: &str| {
        let report: serde_json::Value = serde_json::from_str(line).unwrap();
        report["train_accuracy"].as_f64().unwrap()
    };
    let best = metrics.lines().map(accuracy).fold(0.0, f64::max);
    assert_eq!(best, 1.0, "{task} learns its few samples by heart:\n{metrics}");
    result
}

#[test]
fn cochlear_spikes() {
    let epochs = "train.epochs=40";
    overfits("shd", &[epochs, "train.validation=0.25", "train.batch=2"]);
    // Its validation part is its own.
    overfits("ssc", &[epochs, "train.batch=2", "network.layers.*.size=40"]);
}

#[test]
fn speech_commands() {
    let few = "dataset.silences=[2,1,1]";
    let quick = ["train.epochs=40", "train.batch=2", "network.layers.*.b0=0.1"];
    overfits("gsc", &[&[few][..], &quick].concat());
    let three = "network.readout.size=3";
    overfits("gsc-35", &[&[three][..], &quick].concat());
}

#[test]
fn phones() {
    let result = overfits(
        "timit",
        &[
            "train.epochs=60",
            "train.batch=2",
            "train.learning_rate=0.02",
            "network.layers.0.b0=0.1",
            "network.layers.0.size=64",
            "network.layers.0.tau_m={kind=\"constant\",value=3.0}",
        ],
    );
    assert!(
        result["test"]["accuracy_39"].as_f64().unwrap()
            >= result["test"]["accuracy"].as_f64().unwrap()
    );
}

#[test]
fn recordings_of_the_heart() {
    let steps = "dataset.encoding.steps=400";
    let quick = ["train.epochs=150", "train.batch=4", "train.learning_rate=0.02"];
    overfits("ecg-raw", &[&[steps, "network.layers.0.size=64"][..], &quick].concat());
}

#[test]
fn gestures() {
    let result = overfits(
        "soli",
        &["train.epochs=30", "train.batch=1", "train.validation=0.34", "network.layers.*.size=64"],
    );
    let votes = &result["test"]["votes"];
    assert!(votes["per_sequence"].is_number() && votes["per_recording"].is_number(), "{result}");
}

/// The authors' networks for data that are not here: they import, and run on data of the same form.
#[test]
fn published_networks_run() {
    let Some(checkpoints) = std::env::var_os("BARNOWL_CHECKPOINT_DIR") else {
        eprintln!("skipped: BARNOWL_CHECKPOINT_DIR is not set");
        return;
    };
    let temp = folder();
    for (task, settings) in [
        ("shd", &[][..]),
        ("ssc", &[][..]),
        ("timit", &["--repair", "--set", "network.layers.0.size=512"][..]),
    ] {
        let model = temp.path().join(task).with_extension("safetensors");
        let file = Path::new(&checkpoints).join(format!("{task}.safetensors"));
        let import = || {
            let mut import = barnowl(&["import", "--json", "--task", task, "--out"]);
            import.arg(&model).arg(&file);
            import
        };
        if task == "timit" {
            // One adaptation constant is below zero.
            refuses(
                import(),
                &["layers.0.forward.tau_adp, elements 363 (-55.5851) of 512", "--repair"],
            );
        }
        let mut import = import();
        import.args(settings);
        let imported = json(&succeeds(import));
        let list = |key: &str| imported[key].as_array().unwrap().len();
        let expected = match task {
            "ssc" => (0, 2),
            "timit" => (1, 0),
            _ => (0, 0),
        };
        assert_eq!((list("repaired"), list("shorter_than_a_step")), expected, "{task}");
        let mut eval = barnowl(&["eval", "--json"]);
        eval.arg(&model).arg("--data").arg(data());
        let result = json(&succeeds(eval));
        let rate = result["spike_rate"]["overall"].as_f64().unwrap();
        assert!((0.001..0.7).contains(&rate), "{task}: {rate}");
        assert!(result["loss"].is_number(), "{task}");
    }
}

#[test]
fn tasks_say_whether_their_data_are_there() {
    let mut tasks = barnowl(&["tasks", "--json", "--data"]);
    tasks.arg(data());
    let tasks = json(&succeeds(tasks));
    let status = |name: &str| {
        let tasks = tasks["tasks"].as_array().unwrap();
        let task = tasks.iter().find(|task| task["name"] == name).unwrap();
        task["data_status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status("shd"), "there");
    assert_eq!(status("ssc"), "there");
    assert_eq!(status("smnist"), "not there");
    assert!(status("fsdd").contains("30 of 3000 .wav files in recordings"), "{}", status("fsdd"));
    let text = String::from_utf8(succeeds(barnowl(&["tasks"])).stdout).unwrap();
    assert!(text.contains("the built-in generator stands in"), "{text}");
    for task in ["ecg-paper", "psmnist", "gsc-35", "timit", "soli", "fsdd-spikes"] {
        assert!(text.contains(task), "{task}");
    }
}

#[test]
fn data_that_are_not_there_are_explained() {
    for task in ["shd", "gsc", "timit", "soli", "fsdd", "smnist"] {
        refuses(barnowl(&["train", task]), &["are not given", "BARNOWL_DATA", "`barnowl data`"]);
    }
    let temp = folder();
    let on_nothing = |task: &str| {
        let mut train = barnowl(&["train", task, "--data"]);
        train.arg(temp.path());
        train
    };
    refuses(on_nothing("shd"), &["shd_train.h5", "No such file"]);
    refuses(on_nothing("timit"), &["TRAIN", "there is no such folder"]);
    refuses(on_nothing("gsc"), &["validation_list.txt"]);
}

#[test]
fn data_sets_are_listed_verified_and_not_made_up() {
    let mut list = barnowl(&["data", "--data"]);
    list.arg(data());
    let text = String::from_utf8(succeeds(list).stdout).unwrap();
    for part in ["CC BY 4.0", "barnowl data fetch shd", "catalog.ldc.upenn.edu", "by hand"] {
        assert!(text.contains(part), "{part}");
    }
    let with_data = |args: &[&str]| {
        let mut command = barnowl(args);
        command.arg("--data").arg(data());
        command
    };
    refuses(with_data(&["data", "fetch", "timit"]), &["not openly served", "LDC93S1"]);
    refuses(
        with_data(&["data", "fetch", "nonsense"]),
        &["nonsense", "expected qtdb, qtdb-raw, mnist"],
    );
    refuses(with_data(&["data", "verify", "gsc"]), &["of 64000 .wav files", "fetch gsc"]);
    refuses(barnowl(&["data", "fetch", "mnist"]), &["no data folder"]);
    let temp = folder();
    let mut fetch = barnowl(&["data", "fetch", "mnist", "--mirror", "http://127.0.0.1:9"]);
    fetch.arg("--data").arg(temp.path());
    refuses(fetch, &["connection to the internet", "yann.lecun.com"]);
}

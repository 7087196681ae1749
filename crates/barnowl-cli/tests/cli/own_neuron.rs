//! A neuron of one's own, from its file to a trained model: what docs/own-neuron.md does.

use crate::command::{barnowl, folder, json, refuses, succeeds};
use std::path::Path;
use std::process::Command;

/// The neuron of the page.
const FATIGUE: &str = include_str!("../../../../docs/neuron-example.toml");

fn at(folder: &Path, args: &[&str]) -> Command {
    let mut command = barnowl(args);
    command.current_dir(folder);
    command.env_remove("BARNOWL_DATA");
    command
}

fn train(folder: &Path, out: &str, epochs: &str, more: &[&str]) -> Command {
    let mut command = at(folder, &["train", "ecg", "--epochs", epochs, "--seed", "1", "--json"]);
    command.args(["--set", "dataset.generator.train_samples=40", "--out", out]);
    command.args(["--set", "dataset.generator.test_samples=20"]);
    command.args(["--set", "train.schedule=constant"]);
    command.args(more);
    command
}

#[test]
fn the_neuron_of_the_page_is_right_and_trains() {
    let temp = folder();
    let temp = temp.path();
    std::fs::write(temp.join("fatigue.toml"), FATIGUE).unwrap();
    assert!(FATIGUE.lines().count() <= 25);
    succeeds(at(temp, &["neurons", "check", "fatigue.toml"]));
    let set = ["--set", "network.layers.0.neuron=fatigue.toml"];
    let start = "network.layers.0.parameters.theta.start=0.2";
    let result = json(&succeeds(train(temp, "run", "2", &[&set[..], &["--set", start]].concat())));

    // The model carries its equations: the file is not asked for again.
    std::fs::remove_file(temp.join("fatigue.toml")).unwrap();
    let again = json(&succeeds(at(temp, &["eval", "run", "--json"])));
    assert_eq!(again["accuracy"], result["test"]["accuracy"]);
    let info = json(&succeeds(at(temp, &["info", "run", "--json"])));
    let text = info.to_string();
    for tensor in ["layers.0.tau_m", "layers.0.tau_g", "layers.0.c", "layers.0.theta"] {
        assert!(text.contains(tensor), "no {tensor} in {text}");
    }
    let told = succeeds(at(temp, &["info", "run"]));
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("recurrent fatigue"), "{told}");
    for command in ["energy", "sparsity", "report"] {
        succeeds(at(temp, &[command, "run"]));
    }

    // Training goes on where it stopped, to the byte.
    succeeds(at(temp, &["train", "--resume", "--out", "run", "--epochs", "3"]));
    std::fs::write(temp.join("fatigue.toml"), FATIGUE).unwrap();
    let set = [&set[..], &["--set", start]].concat();
    succeeds(train(temp, "whole", "3", &set));
    let model = |run: &str| std::fs::read(temp.join(run).join("last/checkpoint.safetensors"));
    assert_eq!(model("run").unwrap(), model("whole").unwrap());
}

#[test]
fn built_in_neurons_train_by_name() {
    let temp = folder();
    for neuron in ["adlif_se", "lif:zero", "brf"] {
        let set = format!("network.layers.0.neuron={neuron}");
        let out = neuron.replace(':', "_");
        succeeds(train(temp.path(), &out, "2", &["--set", &set]));
    }
}

#[test]
fn what_is_wrong_with_a_neuron_is_said() {
    let temp = folder();
    let temp = temp.path();
    let refused = |settings: &[&str], parts: &[&str]| {
        let set: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
        refuses(train(temp, "run", "2", &set), parts);
        assert!(!temp.join("run").exists(), "a folder is left");
    };
    refused(
        &["network.layers.0.neuron=adlif_es"],
        &["network.layers.0.neuron", "did you mean `adlif_", "barnowl neurons"],
    );
    refused(&["network.layers.0.neuron=missing.toml"], &["missing.toml"]);
    let wrong = FATIGUE.replace("theta*s'\n", "thet*s'\n");
    std::fs::write(temp.join("wrong.toml"), wrong).unwrap();
    refused(
        &["network.layers.0.neuron=wrong.toml"],
        &["wrong.toml", "line 7", "column 34", "`thet`", "`theta`"],
    );
    let graded = FATIGUE.replace("= spike(u - theta)", "= u*spike(u - theta)");
    std::fs::write(temp.join("graded.toml"), graded).unwrap();
    let bench = ["bench", "ecg", "--steps", "1", "--length", "20", "--neuron", "graded.toml"];
    refuses(at(temp, &bench), &["s is not 0 or 1"]);
    refused(&["network.layers.0.neuron=graded.toml"], &["s is not 0 or 1", "spike(v)"]);

    let neuron = "network.layers.0.neuron=adlif_se";
    refused(
        &[neuron, "network.layers.0.parameters.tau_v.start=5"],
        &["adlif_se", "tau_v", "perhaps tau_"],
    );
    refused(
        &[neuron, "network.layers.0.parameters.tau_u.start=50"],
        &["network.layers.0.parameters.tau_u.start", "leaves its range, 5 to 25"],
    );
    refused(&[neuron, "network.layers.0.beta=0.5"], &["beta", "no effect", "adlif_se"]);
    refused(&["network.layers.0.parameters.tau_u.start=5"], &["no effect", "neuron"]);
    refused(&[neuron, "network.layers.0.cell=lstm"], &["network.layers.0", "neuron"]);
}

//! Snapshots and averages of a run: they are written whole, once, and survive a kill.

use super::{barnowl, folder, json, refuses, succeeds, train, wait_for, weights};
use barnowl::model::Model;
use burn::tensor::Device;
use std::path::Path;
use std::process::Stdio;

/// The names of the snapshots, and what is in them.
fn snapshots(run: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(run.join("snapshots")).unwrap().map(|entry| entry.unwrap());
    let mut found: Vec<_> = entries
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn a_killed_run_resumes_with_its_average_and_snapshots() {
    let temp = folder();
    let (whole, killed) = (temp.path().join("whole"), temp.path().join("killed"));
    let settings = [
        "--epochs=40",
        "--set=train.average=0.95",
        "--set=train.warmup=2.5",
        "--set=train.schedule=one_cycle",
        "--set=train.snapshots=3",
    ];
    succeeds(train(&whole, &settings));
    let start = |more: &[&str]| {
        let mut command = train(&killed, &[&settings[..], more].concat());
        command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
    };
    let mut child = start(&[]);
    for epochs in [3, 11] {
        wait_for(&killed, epochs, &mut child);
        child.kill().unwrap();
        child.wait().unwrap();
        child = start(&["--resume"]);
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(weights(&whole), weights(&killed));
    let found = snapshots(&whole);
    assert!(found == snapshots(&killed), "the snapshots differ");
    let names: Vec<String> = (1..=13).map(|i| format!("epoch-{:04}.safetensors", 3 * i)).collect();
    assert_eq!(found.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), names);
    // The learning rate depends on the number of epochs.
    refuses(train(&killed, &["--resume", "--epochs=60"]), &["train.epochs", "learning rate"]);
}

#[test]
fn a_snapshot_is_a_model_of_its_run() {
    let temp = folder();
    let out = temp.path().join("run");
    let settings = ["--epochs=4", "--set=train.keep=last", "--set=train.snapshots=2"];
    succeeds(train(&out, &settings));
    let found = snapshots(&out);
    assert_eq!(found.len(), 2);
    // The last epoch is kept.
    assert!(found[1].1 == std::fs::read(out.join("best.safetensors")).unwrap());
    let first = out.join("snapshots").join(&found[0].0);
    assert_eq!(Model::load(&first, &Device::flex()).unwrap().provenance["epoch"], "2");
    let mut eval = barnowl(&["eval", "--json", "--split", "valid"]);
    eval.arg(&first);
    let accuracy = json(&succeeds(eval))["accuracy"].as_f64().unwrap();
    let metrics = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    let report: serde_json::Value = serde_json::from_str(metrics.lines().nth(1).unwrap()).unwrap();
    // Time constants in a model file are rounded otherwise than their logarithms.
    assert!((accuracy - report["valid_accuracy"].as_f64().unwrap()).abs() < 2e-3);
}

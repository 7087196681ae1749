//! `barnowl bench` from outside: what it measures, its turns with other programs, and what it refuses.

use super::{barnowl, folder, json, refuses, stderr, succeeds};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The keys of an object that hold a positive number.
fn positive(value: &Value, keys: &[&str]) {
    for key in keys {
        assert!(value[key].as_f64().is_some_and(|x| x > 0.0), "{key}: {}", value[key]);
    }
}

#[test]
fn bench_measures_a_step_an_evaluation_and_their_work() {
    let result = json(&succeeds(barnowl(&["bench", "gsc", "--steps", "1", "--json"])));
    positive(&result["peaks"], &["sgemm_gflops", "memory_gigabytes_per_second"]);
    let shape = &result["shapes"][0];
    assert_eq!(shape["shape"], "gsc");
    positive(
        shape,
        &[
            "seconds_per_step",
            "fastest_step",
            "samples_per_second",
            "inference_seconds",
            "inference_samples_per_second",
            "operations",
            "dense_operations",
            "bytes",
            "gflops",
            "dense_gflops",
            "sgemm_fraction",
            "gigabytes_per_second",
            "memory_fraction",
            "input_rate",
        ],
    );
    assert_eq!(shape["spike_rate"].as_array().unwrap().len(), 2);
    assert!(shape["operations"].as_f64() < shape["dense_operations"].as_f64());
    assert!(shape["checkpoint_steps"].is_null());
    if cfg!(target_os = "linux") {
        positive(shape, &["peak_memory", "memory_before"]);
    }
    let less = ["bench", "gsc", "--steps", "1", "--json", "--checkpoint-steps", "16"];
    let less = json(&succeeds(barnowl(&less)));
    assert_eq!(less["shapes"][0]["checkpoint_steps"], 16);
    assert!(less["shapes"][0]["operations"].as_f64() > shape["operations"].as_f64());
    let stream = json(&succeeds(barnowl(&["bench", "ecg", "--latency", "--steps", "1", "--json"])));
    positive(&stream["latency"][0], &["nanoseconds_per_step", "spike_rate"]);
}

#[test]
fn bench_draws_how_a_step_scales() {
    let temp = folder();
    let (file, numbers) = (temp.path().join("s.svg"), temp.path().join("s.json"));
    let mut bench = barnowl(&["bench", "--steps", "1", "--json", "--scaling"]);
    bench.arg(&file);
    let result = json(&succeeds(bench));
    let written: Value = serde_json::from_slice(&std::fs::read(numbers).unwrap()).unwrap();
    assert_eq!(written, result);
    let series = result["series"].as_array().unwrap();
    assert_eq!(series.len(), 5);
    for point in series.iter().flat_map(|series| series["points"].as_array().unwrap()) {
        positive(point, &["value", "seconds_per_step", "fastest_step", "spike_rate"]);
    }
    assert!(std::fs::read_to_string(file).unwrap().contains("Hidden neurons"));
}

/// A program in the place of Python that takes no notice of what script it is to run but for its name.
#[cfg(unix)]
fn fake_python(folder: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("python");
    let text = r#"#!/bin/sh
for last; do :; done
[ "$2 $3 $last" = "gsc --threads --serve" ] || { echo "called with $*" >&2; exit 1; }
echo "$*" >> "${0%/*}/called"
case "$1" in
  */time_norse.py) echo "Traceback:" >&2; echo "No module named 'norse'" >&2; exit 1;;
  */time_jax.py) turns=1;;
  */time_snntorch.py) echo "hello"; sleep 60;;
  */time_spyx.py) exec sleep 60;;
  *) turns=9;;
esac
echo $$ >> "${0%/*}/started"
echo '{"ready": true, "framework": "fake", "version": "1.5"}'
while [ $turns -gt 0 ] && read line; do
  [ "$line" = step ] || exit 1
  echo '{"seconds": 2.5}'
  turns=$((turns - 1))
done
echo "out of memory" >&2
exit 1
"#;
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[cfg(unix)]
#[test]
fn bench_takes_turns_with_peers() {
    let temp = folder();
    let bench = |names: &[&str]| {
        let mut bench = barnowl(&["bench", "gsc", "--json", "--peers"]);
        bench.arg(fake_python(temp.path())).args(["--reference", "scripts"]);
        for name in names {
            bench.args(["--peer", name]);
        }
        bench
    };
    let mut four = bench(&["pytorch", "norse", "jax", "snntorch"]);
    four.args(["--steps", "2"]);
    let output = succeeds(four);
    let turns = &json(&output)["peers"][0];
    positive(&turns["barnowl"], &["seconds_per_step", "fastest_step"]);
    assert_eq!(turns["rounds"], 2);
    let peers = turns["peers"].as_array().unwrap();
    assert_eq!(peers.len(), 1, "{turns}");
    assert_eq!((&peers[0]["name"], &peers[0]["version"]), (&"pytorch".into(), &"1.5".into()));
    assert_eq!(peers[0]["seconds_per_step"], 2.5);
    let ratio = 2.5 / turns["barnowl"]["seconds_per_step"].as_f64().unwrap();
    assert!((peers[0]["ratio"].as_f64().unwrap() / ratio - 1.0).abs() < 0.5, "{turns}");
    positive(&peers[0], &["ratio_least", "ratio_most", "ratio_of_fastest"]);
    // The one that is not installed, the one that answers something else, the one that ends between two steps.
    let failed: Vec<[&str; 2]> = turns["failed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|failed| ["name", "reason"].map(|key| failed[key].as_str().unwrap()))
        .collect();
    assert!(failed[0][0] == "norse" && failed[0][1].starts_with("No module named 'norse'"));
    assert!(failed[0][1].ends_with("-m pip install numpy torch norse"), "{failed:?}");
    assert!(failed[1][0] == "snntorch" && failed[1][1].contains("hello"), "{failed:?}");
    assert_eq!(failed[2], ["jax", "out of memory"]);
    let text = stderr(&output);
    assert!(text.contains("norse is left out: No module named 'norse'"), "{text}");
    // With another neuron, those that have it; sizes go to the peers as well.
    let with = |names: &[&str], flags: &[&str]| {
        let mut bench = bench(names);
        bench.args(flags);
        bench
    };
    let sizes = ["--neuron", "adlif_se", "--batch", "3", "--length", "20", "--hidden", "8"];
    let output =
        succeeds(with(&["jax-layers", "norse"], &[&sizes[..], &["--steps", "1"]].concat()));
    let turns = &json(&output)["peers"][0];
    assert_eq!(
        (&turns["neuron"], &turns["peers"][0]["name"]),
        (&"adlif_se".into(), &"jax-layers".into())
    );
    assert_eq!(turns["failed"][0]["reason"], "its script has no adlif_se");
    let called = std::fs::read_to_string(temp.path().join("called")).unwrap();
    let called = called.lines().last().unwrap();
    let rest = "--batch 3 --length 20 --hidden 8 --neuron adlif_se --scan layers --serve";
    assert!(called.ends_with(rest), "{called}");
    refuses(with(&["jax"], &["--neuron", "lif"]), &["--neuron", "adlif_se"]);
    refuses(with(&["jax"], &["--neuron", "brf", "--neuron", "alif"]), &["brf, alif"]);
    refuses(with(&["spyx"], &["--peer-limit", "1"]), &["not ready after 1 s", "--peer-limit"]);
    refuses(bench(&["norse"]), &["no peer starts", "No module named 'norse'", "--reference"]);
    refuses(bench(&["jax"]), &["no peer is left", "out of memory"]);
    // Nothing that was started is left over.
    for id in std::fs::read_to_string(temp.path().join("started")).unwrap().lines() {
        let alive = Command::new("kill").args(["-0", id]).stderr(Stdio::null()).status().unwrap();
        assert!(!alive.success(), "process {id} is alive");
    }
    let mut missing = barnowl(&["bench", "gsc", "--peers"]);
    missing.arg(temp.path().join("none"));
    refuses(missing, &["cannot start", "none"]);
}

#[test]
fn bad_flags_of_bench_are_refused() {
    for (flags, part) in [
        (&["nosuch"][..], "nosuch"),
        (&["--steps", "0"], "--steps"),
        (&["--threads", "0"], "--threads"),
        (&["--checkpoint-steps", "0"], "--checkpoint-steps"),
        (&["--peer", "jax"], "--peers"),
        (&["--reference", "scripts"], "--peers"),
        (&["--peer-limit", "9"], "--peers"),
        (&["--neuron", "brf", "--latency"], "--latency"),
        (&["--peers", "python3", "--peer", "nosuch"], "nosuch"),
        (&["--peers", "python3", "--latency"], "--latency"),
        (&["ecg", "--scaling", "s.svg"], "--scaling"),
        (&["--scaling", "s.png"], ".svg"),
        (&["--scaling", "no/such/folder/s.svg"], "no/such/folder"),
    ] {
        let mut bench = barnowl(&["bench"]);
        bench.args(flags);
        refuses(bench, &[part]);
    }
}

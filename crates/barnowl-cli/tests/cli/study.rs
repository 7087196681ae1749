//! `barnowl study` and `barnowl sweep` from outside: tables, the same bits as single runs, going on after a kill.

use super::own::{at, table, with_task, write};
use super::{
    SMALL, barnowl, folder, json, refuses, run, stderr, succeeds, train, wait_for, weights,
};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

fn study(out: &Path, more: &[&str]) -> Command {
    let mut command = barnowl(&["study", "surrogates", "ecg", "--seeds", "2", "--json", "--out"]);
    command.arg(out);
    for setting in SMALL {
        command.args(["--set", setting]);
    }
    command.args(more);
    command
}

fn sweep(folder: &Path, text: &str) -> Command {
    let file = folder.join("search.toml");
    let settings: Vec<String> = SMALL.iter().map(|setting| format!("{setting:?}")).collect();
    std::fs::write(&file, format!("task = \"ecg\"\nset = [{}]\n{text}", settings.join(", ")))
        .unwrap();
    let mut command = barnowl(&["sweep", "--json", "--out"]);
    command.arg(folder.join("out")).arg(file);
    command
}

fn ended(run: &Path) -> SystemTime {
    run.join("ended.json").metadata().unwrap().modified().unwrap()
}

#[test]
fn a_study_that_was_killed_goes_on_without_repeating_a_run() {
    let temp = folder();
    let out = temp.path().join("study");
    let epochs = ["--epochs", "12", "--jobs", "1"];
    let mut child =
        study(&out, &epochs).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let second = out.join("runs/gaussian/seed-1");
    wait_for(&second, 2, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    let first = out.join("runs/multi_gaussian/seed-1");
    let before = ended(&first);
    assert!(!second.join("ended.json").exists());

    let result = json(&succeeds(study(&out, &epochs)));
    assert_eq!(ended(&first), before, "the first run was finished");
    assert_eq!(result["runs"].as_array().unwrap().len(), 12);
    for row in result["variants"].as_array().unwrap() {
        assert_eq!(row["finished"], 2);
        assert!(row["test_accuracy"]["mean"].as_f64().unwrap() > 0.1);
        assert!(row["test_accuracy"]["sd"].is_f64());
    }
    let csv = std::fs::read_to_string(out.join("runs.csv")).unwrap();
    assert_eq!(csv.lines().count(), 13);
    for name in ["summary.md", "summary.svg", "plan.json"] {
        assert!(out.join(name).metadata().unwrap().len() > 100, "{name}");
    }
    // What was killed and went on has the bits of a run on its own.
    let alone = temp.path().join("alone");
    let kind = "network.surrogate={ kind = \"gaussian\" }";
    succeeds(train(&alone, &["--epochs", "12", "--set", kind]));
    assert_eq!(weights(&second), weights(&alone));

    let other = study(&out, &["--epochs", "13"]);
    refuses(other, &["multi_gaussian", "config.toml", "another configuration", "--out"]);
}

#[test]
fn a_sweep_ranks_by_validation_and_writes_down_divergence() {
    let temp = folder();
    let text = "[grid]\n\"train.epochs\" = [6]\n\"train.learning_rate\" = [0.02, 1e-9, 1e30]";
    let output = succeeds(sweep(temp.path(), text));
    assert!(stderr(&output).contains("3 variants × 1 seed,"), "{}", stderr(&output));
    let result = json(&output);
    let rows = result["variants"].as_array().unwrap();
    assert!(rows[0]["variant"].as_str().unwrap().contains("learning_rate=0.02"), "{rows:?}");
    assert!(rows[0]["test_accuracy"]["mean"].is_f64());
    assert!(rows[1]["test_accuracy"].is_null());
    assert_eq!(rows[2]["diverged"], 1, "{rows:?}");
    let diverged = result["runs"].as_array().unwrap().iter().find(|run| run["end"] == "diverged");
    assert!(diverged.unwrap()["note"].as_str().unwrap().contains("loss"));
}

#[test]
fn a_variant_below_the_median_is_not_run_on_other_seeds() {
    let temp = folder();
    let text = "seeds = [1, 2]\n[grid]\n\"train.epochs\" = [9]\n\
         \"train.learning_rate\" = [0.02, 0.021, 0.022, 1e-9]\n\
         [median_stopping]\nafter = 4\nleast = 3";
    let mut command = sweep(temp.path(), text);
    command.args(["--jobs", "1"]);
    let result = json(&succeeds(command));
    let rows = result["variants"].as_array().unwrap();
    let last = &rows[3];
    assert!(last["variant"].as_str().unwrap().contains("0.000000001"), "{rows:?}");
    assert_eq!(last["stopped"], 2);
    assert_eq!(rows[0]["finished"], 2);
    let runs = result["runs"].as_array().unwrap();
    let epochs: Vec<u64> = runs
        .iter()
        .filter(|run| run["variant"] == last["variant"])
        .map(|run| run["epochs"].as_u64().unwrap())
        .collect();
    assert!((4..9).contains(&epochs[0]) && epochs[1] == 0, "{epochs:?}");
}

#[test]
fn bad_sweeps_are_refused_before_anything_runs() {
    for (text, parts) in [
        ("[grid]\n\"train.batch\" = [5, 0]", &["search.toml", "train.batch"][..]),
        ("[grid]\n\"train.nothing\" = [5]", &["search.toml", "train.nothing"]),
        ("seed = 3", &["search.toml, line 3", "seed"]),
        ("grid = 7", &["search.toml, line 3"]),
    ] {
        let temp = folder();
        refuses(sweep(temp.path(), text), parts);
        assert!(!temp.path().join("out").exists());
    }
}

fn seeds(out: &Path, count: &str, more: &[&str]) -> Command {
    train(out, &[&["--epochs", "3", "--seeds", count][..], more].concat())
}

#[test]
fn seeds_side_by_side_have_the_bits_of_single_runs_and_a_mean() {
    let temp = folder();
    let out = temp.path().join("seeds");
    succeeds(seeds(&out, "2", &["--json"]));
    let first = out.join("runs/ecg/seed-1");
    let before = ended(&first);
    // More of them: those that are there are not run again.
    let result = json(&succeeds(seeds(&out, "3", &["--json"])));
    assert_eq!(ended(&first), before);
    assert_eq!(result["seeds"], serde_json::json!([1, 2, 3]));
    for (seed, folder) in [("1", "one"), ("3", "three")] {
        let alone = temp.path().join(folder);
        succeeds(train(&alone, &["--epochs", "3", "--seed", seed]));
        assert_eq!(weights(&out.join(format!("runs/ecg/seed-{seed}"))), weights(&alone));
    }
    let row = &result["variants"][0];
    assert_eq!((&row["finished"], &row["test_accuracy"]["runs"]), (&3.into(), &3.into()));
    let accuracies: Vec<f64> = result["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["test_accuracy"].as_f64().unwrap())
        .collect();
    let mean = accuracies.iter().sum::<f64>() / 3.0;
    let sd = (accuracies.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 2.0).sqrt();
    assert!(sd > 0.0, "seeds differ: {accuracies:?}");
    assert!((row["test_accuracy"]["mean"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert!((row["test_accuracy"]["sd"].as_f64().unwrap() - sd).abs() < 1e-12);
    let shown = succeeds(seeds(&out, "3", &[]));
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(text.contains(&format!("{mean:.4} ± {sd:.4}")), "{text}");
    assert!(stderr(&shown).contains("ecg, 3 seeds: 1 variant × 3 seeds"), "{}", stderr(&shown));
}

#[test]
fn a_seed_that_fails_is_named_and_the_others_stay() {
    let temp = folder();
    let out = temp.path().join("seeds");
    let blocked = out.join("runs/ecg/seed-2");
    write(&out, "runs/ecg/seed-2", "in the way");
    // One at a time, so that the first has ended.
    let one_by_one = ["--threads", "1"];
    refuses(seeds(&out, "2", &one_by_one), &["ecg, seed 2", "seed-2"]);
    let before = ended(&out.join("runs/ecg/seed-1"));
    std::fs::remove_file(&blocked).unwrap();
    succeeds(seeds(&out, "2", &one_by_one));
    assert_eq!(ended(&out.join("runs/ecg/seed-1")), before);
    assert!(blocked.join("ended.json").is_file());
    // All diverge: that is told by the exit status, as of a single run.
    let out = temp.path().join("diverged");
    let output = run(seeds(&out, "2", &["--json", "--set", "train.learning_rate=1e30"]));
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let row = &json(&output)["variants"][0];
    assert_eq!((&row["finished"], &row["diverged"]), (&0.into(), &2.into()));
    assert!(row["test_accuracy"].is_null(), "{row}");
    for (flag, other) in [("--seed", Some("3")), ("--resume", None), ("--no-test", None)] {
        let mut command = seeds(&out, "2", &[flag]);
        command.args(other);
        let output = run(command);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("cannot be used with"), "{}", stderr(&output));
    }
}

/// A task on recordings of four subjects, whose names stand before the number of the recording.
fn subjects() -> tempfile::TempDir {
    let temp = with_task("\"csv\"", "mean_membrane");
    for (n, subject) in ["ann", "bob", "cat", "dan"].iter().enumerate() {
        for (class, name) in ["a", "b"].iter().enumerate() {
            for i in 0..3 {
                let text = table(class, 3 * n + i, 16);
                write(temp.path(), &format!("data/train/{name}/{subject}_{i}.csv"), text);
            }
        }
    }
    // Of a subject that is in no fold: cross-validation leaves the test part alone.
    write(temp.path(), "data/test/a/eve_0.csv", table(0, 0, 16));
    temp
}

fn by_subject(folder: &Path, study: &[&str]) -> Value {
    let mut command = at(folder, &["study"]);
    command.args(study).args(["--seeds", "1", "--epochs", "2", "--json", "--out", "s"]);
    json(&succeeds(with_groups(command)))
}

fn with_groups(mut command: Command) -> Command {
    command.args(["--set", "dataset.groups={ before = \"_\" }"]);
    command
}

/// The subjects in a part of a run of a study, and how many sequences it has.
fn subjects_of(folder: &Path, run: &str, part: &str) -> (BTreeSet<String>, usize) {
    succeeds(at(folder, &["eval", run, "--split", part, "--predictions", "p.csv"]));
    let text = std::fs::read_to_string(folder.join("p.csv")).unwrap();
    let subject = |line: &str| {
        let name = line.split(',').next().unwrap();
        name.split(['/', '_']).nth(1).unwrap().to_owned()
    };
    let names: Vec<String> = text.lines().skip(1).map(subject).collect();
    let count = names.len();
    (names.into_iter().collect(), count)
}

/// In every run, no subject is in two parts; over all runs, each is held out once. Returns whom each run held out.
fn held_out(folder: &Path, result: &Value) -> Vec<BTreeSet<String>> {
    let mut all = Vec::new();
    for run in result["runs"].as_array().unwrap() {
        assert_eq!(run["end"], "finished");
        let run = format!("s/{}", run["folder"].as_str().unwrap());
        let [train, valid, test] =
            ["train", "valid", "test"].map(|part| subjects_of(folder, &run, part));
        assert!(train.0.is_disjoint(&valid.0), "{run}: {train:?} {valid:?}");
        assert!(test.0.is_disjoint(&train.0) && test.0.is_disjoint(&valid.0), "{run}: {test:?}");
        assert_eq!(train.1 + valid.1 + test.1, 24, "{run}: none is lost");
        all.push(test.0);
    }
    let mut names: Vec<&str> = all.iter().flatten().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["ann", "bob", "cat", "dan"], "each once");
    all
}

#[test]
fn folds_keep_groups_whole() {
    let temp = subjects();
    let result = by_subject(temp.path(), &["folds", "t.toml", "--folds", "2"]);
    let parts = held_out(temp.path(), &result);
    assert!(parts.len() == 2 && parts.iter().all(|part| part.len() == 2), "{parts:?}");
    let means: Vec<f64> = result["variants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["test_accuracy"]["mean"].as_f64().unwrap())
        .collect();
    let over = result["over_parts"]["test_accuracy"]["mean"].as_f64().unwrap();
    assert!((over - (means[0] + means[1]) / 2.0).abs() < 1e-12, "{means:?}");
    let mut more = at(temp.path(), &["study", "folds", "t.toml", "--folds", "5", "--out", "five"]);
    more.args(["--epochs", "1"]);
    refuses(with_groups(more), &["train.fold.count = 5", "at most 4", "no more groups"]);
}

#[test]
fn every_group_is_left_out_once() {
    let temp = subjects();
    let result = by_subject(temp.path(), &["groups", "t.toml"]);
    let parts = held_out(temp.path(), &result);
    assert!(parts.iter().all(|part| part.len() == 1), "{parts:?}");
    let names: Vec<&str> = result["variants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["variant"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["without ann", "without bob", "without cat", "without dan"]);
    // Without groups there is nobody to leave out.
    let bare = at(temp.path(), &["study", "groups", "t.toml", "--out", "none"]);
    refuses(bare, &["does not say which group", "barnowl study folds"]);
    let folds = ["study", "groups", "t.toml", "--folds", "3", "--out", "none"];
    refuses(at(temp.path(), &folds), &["--folds 3 belongs to the study folds"]);
}

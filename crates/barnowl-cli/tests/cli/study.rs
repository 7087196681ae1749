//! `barnowl study` and `barnowl sweep` from outside: tables, the same bits as single runs, going on after a kill.

use super::{SMALL, barnowl, folder, json, refuses, stderr, succeeds, train, wait_for, weights};
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
    assert!(stderr(&output).contains("3 variants × 1 seeds"), "{}", stderr(&output));
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

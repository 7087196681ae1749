//! `barnowl energy` and `barnowl sparsity` from outside.

use super::{barnowl, folder, json, refuses, succeeds, train};
use std::path::Path;

fn on(command: &str, run: &Path, more: &[&str]) -> std::process::Command {
    let mut command = barnowl(&[command]);
    command.arg(run).args(more);
    command
}

#[test]
fn energy_and_sparsity_of_a_run() {
    let temp = folder();
    let run = temp.path().join("run");
    succeeds(train(&run, &["--epochs", "3"]));
    let versus = run.to_string_lossy();
    let result = json(&succeeds(on("energy", &run, &["--json", "--versus", &versus])));
    assert_eq!(result["ratio"], 1.0);
    assert_eq!(result["layers"].as_array().unwrap().len(), 2);
    // Events in and spikes on: no synapse multiplies.
    for layer in result["layers"].as_array().unwrap() {
        assert_eq!(layer["synapses"]["mac"], 0.0);
        assert!(layer["neurons"]["mac"].as_f64().unwrap() > 0.0);
    }
    let inference = &result["inference"];
    let number = |key: &str| inference[key].as_f64().unwrap();
    let energy = 0.9 * number("ac") + 4.6 * number("mac");
    assert!((number("picojoules") / energy - 1.0).abs() < 1e-12);
    let dear = json(&succeeds(on("energy", &run, &["--json", "--cost", "10,0"])));
    assert_eq!(dear["inference"]["picojoules"].as_f64().unwrap(), 10.0 * number("mac"));
    let text = succeeds(on("energy", &run, &[])).stdout;
    assert!(String::from_utf8_lossy(&text).contains("LSTM of the same sizes"));

    let plot = temp.path().join("rates.svg");
    let plot_flag = plot.to_string_lossy();
    let sparsity = json(&succeeds(on("sparsity", &run, &["--json", "--plot", &plot_flag])));
    let evaluation = json(&succeeds(on("eval", &run, &["--json"])));
    let rate = |value: &serde_json::Value| value.as_f64().unwrap();
    let difference =
        rate(&sparsity["layers"][0]["rate"]) - rate(&evaluation["spike_rate"]["overall"]);
    assert!(difference.abs() < 1e-9, "{difference}");
    assert!(plot.is_file());
    succeeds(on("sparsity", &run, &[]));
    // A network of real numbers costs what its sizes say.
    let lstm = temp.path().join("lstm");
    succeeds(train(&lstm, &["--epochs", "1", "--set", "network.cell=lstm"]));
    let path = lstm.to_string_lossy();
    let versus = json(&succeeds(on("energy", &run, &["--json", "--versus", &path])));
    let dense = versus["dense"][0]["picojoules"].as_f64().unwrap();
    assert_eq!(versus["versus"]["inference"]["picojoules"].as_f64().unwrap(), dense);
    assert!(versus["ratio"].as_f64().unwrap() > 1.0);
    succeeds(on("sparsity", &lstm, &[]));
    succeeds(on("report", &lstm, &[]));
    refuses(on("energy", &run, &["--cost", "cheap"]), &["cost", "cheap", "float32"]);
    refuses(on("energy", temp.path(), &[]), &["holds no run"]);
}

//! Tests of the command on what only some machines have: published data and checkpoints.

#[path = "cli/command.rs"]
mod command;
#[path = "cli/mirror.rs"]
mod mirror;
#[path = "../../barnowl/tests/needs/mod.rs"]
mod needs;

use command::{barnowl, few_samples, json, refuses, stderr, succeeds};
use mirror::{MNIST, NOBODY, data_command, garbage, serve};
use needs::{folder, with};
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let data = |parts: &'static [&'static str]| move || folder("BARNOWL_DATA", parts);
    let checkpoints =
        |parts: &'static [&'static str]| move || folder("BARNOWL_CHECKPOINT_DIR", parts);
    let both = move || {
        let data = data(&["qtdb/QTDB_test.mat", "mnist"])()?;
        Ok((data, checkpoints(&["ecg.pth", "smnist.safetensors"])()?))
    };
    let others = checkpoints(&["shd.safetensors", "ssc.safetensors", "timit.safetensors"]);
    needs::run(vec![
        with("the_published_networks", both, the_published_networks),
        with("published_networks_run", others, published_networks_run),
        with("garbage_is_replaced", data(&["mnist"]), garbage_is_replaced),
    ])
}

/// The authors' trained networks on real data give the accuracy and the spike rate of their own scripts.
fn the_published_networks((data, checkpoints): (PathBuf, PathBuf)) {
    let temp = command::folder();
    // The rate is that of the hidden layer of `ecg-paper`, and the mean of all four layers of `smnist`.
    for (task, file, expected, rate_of, expected_rate) in [
        ("ecg-paper", "ecg.pth", 0.8586, "overall", 0.344),
        ("smnist", "smnist.safetensors", 0.9789, "mean_of_layers", 0.139),
    ] {
        let model = temp.path().join(task).with_extension("safetensors");
        let mut import = barnowl(&["import", "--task", task, "--out"]);
        import.arg(&model).arg(checkpoints.join(file));
        succeeds(import);
        let mut eval = barnowl(&["eval", "--json", "--data"]);
        eval.arg(&data).arg(&model);
        let result = json(&succeeds(eval));
        let accuracy = result["accuracy"].as_f64().unwrap();
        let rate = result["spike_rate"][rate_of].as_f64().unwrap();
        assert!((accuracy - expected).abs() <= 5e-4, "{task}: {accuracy}");
        assert!((rate - expected_rate).abs() <= 2e-3, "{task}: {rate}");
    }
}

/// The authors' networks for data that are not here: they import, and run on data of the same form.
fn published_networks_run(checkpoints: PathBuf) {
    let temp = command::folder();
    for (task, settings) in [
        ("shd", &[][..]),
        ("ssc", &[][..]),
        ("timit", &["--repair", "--set", "network.layers.0.size=512"][..]),
    ] {
        let model = temp.path().join(task).with_extension("safetensors");
        let file = checkpoints.join(format!("{task}.safetensors"));
        let import = || {
            let mut import = barnowl(&["import", "--json", "--task", task, "--out"]);
            import.arg(&model).arg(&file);
            import
        };
        if task == "timit" {
            // Another size, and one adaptation constant is below zero: both are said at once.
            refuses(
                import(),
                &[
                    "layer 0 has 512 neurons in the file, 256 in the task",
                    "layers.0.forward.tau_adp, elements 363 (-55.5851) of 512",
                    "add to the command: --set network.layers.0.size=512 --repair",
                ],
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
        eval.arg(&model).arg("--data").arg(few_samples());
        let result = json(&succeeds(eval));
        let rate = result["spike_rate"]["overall"].as_f64().unwrap();
        assert!((0.001..0.7).contains(&rate), "{task}: {rate}");
        assert!(result["loss"].is_number(), "{task}");
    }
}

fn garbage_is_replaced(data: PathBuf) {
    let mirror = serve(move |name| std::fs::read(data.join("mnist").join(name)).ok());
    let temp = garbage();
    // Readers prefer a file that is not compressed.
    let plain = temp.path().join("mnist").join(MNIST[0]);
    std::fs::write(&plain, "garbage too").unwrap();
    let fetched = succeeds(data_command("fetch", "mnist", temp.path(), &mirror));
    assert!(stderr(&fetched).contains("was not what is published: replaced"), "{fetched:?}");
    assert!(!plain.exists());
    let again = succeeds(data_command("fetch", "mnist", temp.path(), NOBODY));
    let text = String::from_utf8(again.stdout).unwrap();
    assert!(text.contains("4 equal their published checksums: nothing to fetch"), "{text}");
}

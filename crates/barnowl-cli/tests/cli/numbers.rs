//! Real numbers in the place of classes: forecasts, and numbers of one's own, from training to answers.

use super::own::{at, train, write};
use super::{folder, json, refuses, succeeds, train_task};
use std::path::Path;

/// A running mean of the input, in a unit of its own; per step, and at the end.
fn series(i: usize) -> (Vec<f64>, Vec<f64>) {
    let x = |t: usize| ((t as f64 * (0.3 + 0.05 * i as f64)) + i as f64).sin();
    let x: Vec<f64> = (0..30 + i).map(x).collect();
    let mut mean = 0.0;
    let y = x.iter().map(|x| {
        mean += 0.2 * (x - mean);
        1000.0 + 50.0 * mean
    });
    let y = y.collect();
    (x, y)
}

fn tables(folder: &Path) {
    for (part, first, count) in [("train", 0, 12), ("test", 20, 4)] {
        for i in first..first + count {
            let (x, y) = series(i);
            let lines = x.iter().zip(&y).map(|(x, y)| format!("{x:.4},{y:.4}\n"));
            write(
                folder,
                &format!("data/{part}/{i}.csv"),
                format!("x,target\n{}", lines.collect::<String>()),
            );
        }
    }
}

fn task(decode: &str, size: usize) -> String {
    format!(
        "name = \"t\"\nsummary = \"a running mean\"\n[dataset]\nkind = \"own\"\nfolder = \"data\"\nform = \"csv\"\n\
         targets = \"values\"\n[network]\ninputs = 1\ndecode = {decode}\n[[network.layers]]\nsize = 12\nb0 = 0.1\n\
         [network.readout]\nkind = \"leaky_integrator\"\nsize = {size}\ntau_m = 3.0\n\
         [train]\nepochs = 30\nbatch = 4\nlearning_rate = 0.03\nvalidation = 0.25\n"
    )
}

const VALUES: &str = "{ kind = \"per_step\", answer = \"values\" }";

fn columns(text: &str) -> (Vec<String>, Vec<Vec<f64>>) {
    let mut lines = text.lines();
    let head = lines.next().unwrap().split(',').map(str::to_owned).collect();
    let number = |cell: &str| cell.parse().unwrap_or(f64::NAN);
    (head, lines.map(|line| line.split(',').map(number).collect()).collect())
}

#[test]
fn numbers_of_ones_own_train_and_are_answered_in_their_unit() {
    let temp = folder();
    let place = temp.path();
    tables(place);
    write(place, "t.toml", task(VALUES, 1));
    let output = succeeds(train(place));
    let result = json(&output);
    let test = &result["test"];
    assert!(test["r2"].as_f64().unwrap() > 0.2, "{test}");
    assert!(result["valid_r2"].is_f64() && test.get("accuracy").is_none(), "{result}");
    assert!(result.get("valid_accuracy").is_none() && test.get("confusion").is_none());
    // In the unit of the data, where the standard deviation is some tens.
    let (rmse, value) = (test["rmse"].as_f64().unwrap(), &test["values"][0]);
    assert_eq!(value["name"], "target");
    assert!((900.0..1100.0).contains(&value["mean"].as_f64().unwrap()), "{value}");
    assert!(rmse > 1.0 && rmse < value["sd"].as_f64().unwrap(), "{test}");
    for file in ["values.svg", "curves.svg", "raster.svg", "best.safetensors"] {
        assert!(place.join("m").join(file).is_file(), "{file}");
    }
    let line = std::fs::read_to_string(place.join("m/metrics.jsonl")).unwrap();
    assert!(line.contains("\"valid_r2\":") && !line.contains("accuracy"), "{line}");

    // eval: the same score, and a table from which it follows.
    let eval = at(place, &["eval", "m", "--json", "--predictions", "answers.csv"]);
    let again = json(&succeeds(eval));
    assert_eq!(again["r2"], test["r2"]);
    let text = std::fs::read_to_string(place.join("answers.csv")).unwrap();
    let (head, rows) = columns(&text);
    assert_eq!(head, ["sequence", "step", "target(target)", "target"]);
    let squares: f64 = rows.iter().map(|row| (row[2] - row[3]).powi(2)).sum();
    assert!(((squares / rows.len() as f64).sqrt() - rmse).abs() < 1e-2 * rmse);

    // predict: the same numbers, whether the column is there or not.
    let (x, _) = series(20);
    let lines: String = x.iter().map(|x| format!("{x:.4}\n")).collect();
    write(place, "new.csv", format!("x\n{lines}"));
    let found = succeeds(at(place, &["predict", "m", "new.csv"]));
    let (head, answers) = columns(&String::from_utf8(found.stdout).unwrap());
    assert_eq!(head, ["sequence", "step", "target"]);
    for (row, answer) in rows.iter().zip(&answers) {
        assert!((row[3] - answer[2]).abs() < 1e-2, "{row:?} {answer:?}");
    }
    refuses(at(place, &["predict", "m", "new.csv", "--votes"]), &["numbers"]);
    let page = succeeds(at(place, &["report", "m", "--out", "page.html"]));
    drop(page);
    let page = std::fs::read_to_string(place.join("page.html")).unwrap();
    assert!(page.contains("test R²") && page.contains("root mean squared error"));
    for command in ["energy", "sparsity", "info"] {
        succeeds(at(place, &[command, "m"]));
    }
    succeeds(at(place, &["data", "look", "t.toml", "--out", "look.svg"]));

    // Over seeds.
    let study = at(place, &["train", "t.toml", "--seeds", "2", "--epochs", "3", "--json"]);
    let study = json(&succeeds(study));
    assert!(study["variants"][0]["test_r2"]["mean"].is_f64(), "{study}");
}

#[test]
fn numbers_for_classes_and_the_reverse_are_refused_with_the_setting() {
    let temp = folder();
    let place = temp.path();
    tables(place);
    write(place, "t.toml", task("{ kind = \"per_step\" }", 1));
    refuses(train(place), &["numbers to be found", "network.decode.answer = \"values\""]);
    write(place, "t.toml", task(VALUES, 3));
    refuses(train(place), &["1 number", "network.readout.size = 1"]);
    write(place, "t.toml", task("{ kind = \"last_membrane\", answer = \"values\" }", 1));
    refuses(train(place), &["numbers at every step", "per_step"]);
    write(place, "t.toml", task("{ kind = \"softmax_sum\", answer = \"values\" }", 1));
    refuses(train(place), &["network.decode.kind", "softmax"]);
    write(place, "t.toml", task("{ kind = \"per_step\", answer = \"labels\" }", 1));
    refuses(train(place), &["0 or 1", "values"]);
    write(place, "t.toml", task(VALUES, 1) + "loss = { focal = 2.0 }\n");
    refuses(train(place), &["train.loss", "no classes"]);
}

#[test]
fn a_forecast_of_the_generator_trains_and_resumes() {
    let temp = folder();
    let out = temp.path().join("run");
    let more = ["--epochs", "4", "--json", "--set", "train.learning_rate=0.05"];
    let constant = ["--set", "train.schedule.kind=constant"];
    let result =
        json(&succeeds(train_task("ecg-forecast", &out, &[&more[..], &constant].concat())));
    assert_eq!(result["test"]["values"][1]["name"], "lead 2");
    let reports = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    let loss = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["train_loss"].as_f64().unwrap()
    };
    let losses: Vec<f64> = reports.lines().map(loss).collect();
    assert!(losses[3] < losses[0], "{losses:?}");
    // In two parts, to the same bits.
    let (parts, two) = (temp.path().join("parts"), ["--epochs", "2", "--json", "--set"]);
    let two = [&two[..], &["train.learning_rate=0.05"], &constant].concat();
    succeeds(train_task("ecg-forecast", &parts, &two));
    let mut resume = super::barnowl(&["train", "--resume", "--epochs", "4", "--json", "--out"]);
    resume.arg(&parts);
    let again = json(&succeeds(resume));
    assert_eq!(again["test"]["loss"], result["test"]["loss"]);
    let wrong = train_task("ecg", &temp.path().join("other"), &["--set", "forecast=10"]);
    refuses(wrong, &["numbers to be found", "network.decode.answer"]);
    let far = ["--set", "forecast=200"];
    refuses(train_task("ecg-forecast", &temp.path().join("far"), &far), &["forecast", "1 to 199"]);
}

#[test]
fn a_forecast_of_ones_own_data_needs_no_classes_of_theirs() {
    let temp = folder();
    let place = temp.path();
    super::own::tables(place, |text| text.as_bytes().to_vec());
    let text =
        task(VALUES, 2).replace("targets = \"values\"\n", "").replace("inputs = 1", "inputs = 2");
    write(place, "t.toml", format!("forecast = 2\n{text}"));
    let result = json(&succeeds(train(place)));
    let names: Vec<&str> =
        (0..2).map(|k| result["test"]["values"][k]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["x", "y"]);
    // In the unit of the data, around 5 and −5.
    assert!((result["test"]["values"][1]["mean"].as_f64().unwrap() + 5.0).abs() < 1.0, "{result}");
    let again = json(&succeeds(at(place, &["eval", "m", "--json"])));
    assert_eq!(again["r2"], result["test"]["r2"]);
    let found = succeeds(at(place, &["predict", "m", "data/test/a/0.csv"]));
    let (head, rows) = columns(&String::from_utf8(found.stdout).unwrap());
    assert_eq!(
        (head.as_slice(), rows.len()),
        (&["sequence", "step", "x", "y"].map(str::to_owned)[..], 20)
    );
    succeeds(at(
        place,
        &["study", "folds", "t.toml", "--folds", "3", "--epochs", "2", "--out", "s"],
    ));
}

#[test]
fn numbers_that_never_change_are_named_and_epochs_are_chosen_by_the_loss() {
    let temp = folder();
    let place = temp.path();
    tables(place);
    for i in 0..3 {
        let (x, _) = series(i + 30);
        let lines: String = x.iter().map(|x| format!("{x:.4},1010\n")).collect();
        write(place, &format!("data/valid/{i}.csv"), format!("x,target\n{lines}"));
    }
    write(place, "t.toml", task(VALUES, 1).replace("epochs = 30", "epochs = 6"));
    let output = succeeds(train(place));
    let said = super::stderr(&output);
    assert!(said.contains("in the validation data, target is always 1010"), "{said}");
    let result = json(&output);
    assert!(result["valid_r2"].is_null() && result["test"]["r2"].is_f64(), "{result}");
    let lines = std::fs::read_to_string(place.join("m/metrics.jsonl")).unwrap();
    let losses = lines.lines().map(|line| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["valid_loss"].as_f64().unwrap()
    });
    let least = losses.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    assert_eq!(result["best_epoch"], least.0 + 1, "{lines}");
    let mut longer = at(place, &["train", "--resume", "--out", "m", "--epochs", "7", "--json"]);
    longer.current_dir(place);
    assert_eq!(json(&succeeds(longer))["epochs"], 7);
}

#[test]
fn horizons_of_a_sweep_have_data_of_their_own() {
    let temp = folder();
    let place = temp.path();
    super::own::tables(place, |text| text.as_bytes().to_vec());
    let text =
        task(VALUES, 2).replace("targets = \"values\"\n", "").replace("inputs = 1", "inputs = 2");
    let text = text.replace("epochs = 30", "epochs = 2");
    write(place, "t.toml", format!("forecast = 1\n{text}"));
    write(place, "s.toml", "task = \"t.toml\"\nseeds = [1]\n[grid]\nforecast = [1, 6]\n");
    let study = json(&succeeds(at(place, &["sweep", "s.toml", "--out", "s", "--json"])));
    let folder = |run: usize| study["runs"][run]["folder"].as_str().unwrap().to_owned();
    let loss = |run: usize| {
        let result = std::fs::read_to_string(place.join("s").join(folder(run)).join("result.json"));
        let result: serde_json::Value = serde_json::from_str(&result.unwrap()).unwrap();
        (
            result["test"]["values"][0]["count"].as_u64().unwrap(),
            result["test"]["loss"].as_f64().unwrap(),
        )
    };
    // A step less to be found for each step further.
    assert_ne!(loss(0).0, loss(1).0, "{study}");
}

//! `barnowl neurons`: the list, a page about a model, checks of one's own, pictures.

use crate::command::{barnowl, folder, json, refuses, run, stderr, succeeds};
use std::path::{Path, PathBuf};
use std::process::Output;

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn neurons(args: &[&str]) -> std::process::Command {
    barnowl(&[&["neurons"], args].concat())
}

/// A file of a model, and its path as a word.
fn model(folder: &Path, equations: &str, alpha: &str) -> PathBuf {
    let path = folder.join("mine.toml");
    let text =
        format!("name = 'mine'\nequations = '''\n{equations}\n'''\n[parameters.alpha]\n{alpha}\n");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn built_in_models_are_listed() {
    let text = stdout(&succeeds(neurons(&[])));
    for start in ["alif", "lif ", "lif:zero", "lif:none", "bhrf", "radlif", "lsnn", "glif3"] {
        assert!(text.lines().any(|line| line.starts_with(start)), "no {start} in\n{text}");
    }
    let listed = json(&succeeds(neurons(&["--json"])));
    let listed = listed["neurons"].as_array().unwrap();
    let alif = listed.iter().find(|model| model["name"] == "alif").unwrap();
    assert_eq!(alif["membrane"], "u");
    assert_eq!(alif["parameters"][0]["range"], serde_json::json!([0.0, null]));
    assert_eq!(alif["parameters"][0]["start"]["normal"][0], 20.0);
}

#[test]
fn a_model_is_shown_in_every_form() {
    let page = stdout(&succeeds(neurons(&["lif:zero"])));
    for part in [
        "lif:zero\nLeaky integrate-and-fire. A spike sets the membrane potential to zero.\n",
        "  alpha = exp(-dt/tau_m)\n",
        "  u = alpha*u'*(1 - s') + leak*I\n  s = spike(u - theta)\n",
        "A readout is decoded from u.",
        "Beside ALIF: ",
    ] {
        assert!(page.contains(part), "no {part:?} in\n{page}");
    }
    assert!(stdout(&succeeds(neurons(&["lif", "--latex"]))).contains("\\tau_{\\mathrm{m}}"));
    assert!(stdout(&succeeds(neurons(&["lif", "--markdown"]))).starts_with("# lif\n"));
    let zero = json(&succeeds(neurons(&["lif:zero", "--json"])));
    assert_eq!(zero["variants"], serde_json::json!(["lif", "lif:zero", "lif:none"]));

    // The file of a built-in model is one to start from.
    let folder = folder();
    let path = folder.path().join("mine.toml");
    std::fs::write(&path, stdout(&succeeds(neurons(&["lif", "--toml"])))).unwrap();
    let word = format!("{}:zero", path.display());
    assert_eq!(stdout(&succeeds(neurons(&[&word]))), page);
}

#[test]
fn words_that_find_no_model() {
    refuses(neurons(&["alfi"]), &["no built-in neuron is called `alfi`; did you mean `alif`?"]);
    refuses(neurons(&["lif:zeor"]), &["`lif` has no variant `zeor`; did you mean `zero`?"]);
    refuses(neurons(&["none.toml"]), &["none.toml"]);
    refuses(neurons(&["alif", "--latex", "--markdown"]), &["--latex"]);
    refuses(neurons(&["--toml"]), &["MODEL"]);
}

#[test]
fn a_file_that_is_wrong_says_where() {
    let folder = folder();
    let path = model(folder.path(), "u = alhpa*u' + I\ns = spike(u - 1)", "start = 0.9");
    let place = format!("{}: line 3, column 5: `alhpa` is not known", path.display());
    refuses(neurons(&[path.to_str().unwrap()]), &[&place, "did you mean `alpha`?"]);
    refuses(neurons(&["check", path.to_str().unwrap()]), &[&place]);
    let out = folder.path().join("x.svg");
    let (path, out) = (path.to_str().unwrap(), out.to_str().unwrap());
    refuses(neurons(&["plot", path, "--out", out]), &[&place]);
    std::fs::write(path, b"name = '\xff'").unwrap();
    refuses(neurons(&["check", path]), &[path, "byte 8", "not UTF-8"]);
}

#[test]
fn a_model_that_is_right_is_checked() {
    let folder = folder();
    let path = model(folder.path(), "u = alpha*u' + I - s'\ns = spike(u - 1)", "start = 0.9");
    let path = path.to_str().unwrap();
    let text = stdout(&succeeds(neurons(&["check", path])));
    for part in
        ["mine: all is well", "16 compared", "spikes    from a current of 0.1", "Beside ALIF"]
    {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    let report = json(&succeeds(neurons(&["check", path, "--json"])));
    let report = &report["neurons"][0];
    assert_eq!(
        (report["name"].as_str(), report["faults"].as_array().unwrap().len()),
        (Some("mine"), 0)
    );
    assert!(report["gradient_error"].as_f64().unwrap() < 1e-6);
    // All variants of a file.
    let all = json(&succeeds(neurons(&["check", "lif", "--json"])));
    assert_eq!(all["neurons"].as_array().unwrap().len(), 3);
}

#[test]
fn a_model_that_cannot_be_trained_is_refused() {
    let folder = folder();
    let unstable = "u = alpha*u' + I - s'\ns = spike(u - 1)";
    let path = model(folder.path(), unstable, "start = 1.2");
    let word = path.to_str().unwrap();
    refuses(neurons(&["check", word]), &[word, "`u` grows without bound under", "below 1 in size"]);
    let output = run(neurons(&["check", word, "--json"]));
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let problem = json(&output)["neurons"][0]["faults"][0]["problem"].as_str().unwrap().to_owned();
    assert!(problem.contains("grows without bound"), "{problem}");

    model(folder.path(), "u = alpha*u' + tanh(I)\ns = spike(u - 99)", "start = 0.9");
    refuses(neurons(&["check", word]), &["it never spikes", "neurons plot"]);
    model(
        folder.path(),
        "u = sqrt(1 - alpha)*u' + I - s'\ns = spike(u - 1)",
        "start = 0.5\nrange = [0, 2]",
    );
    refuses(
        neurons(&["check", word]),
        &["at the end of the range of `alpha`, 2", "narrow the range"],
    );
}

#[test]
fn a_neuron_is_drawn() {
    let folder = folder();
    let out = folder.path().join("lif.svg");
    let word = out.to_str().unwrap();
    let drawn = json(&succeeds(neurons(&["plot", "lif:zero", "--out", word, "--json"])));
    assert!((drawn["rheobase"].as_f64().unwrap() - 1.0).abs() < 0.01);
    let picture = std::fs::read_to_string(&out).unwrap();
    for part in
        ["<svg ", ">lif:zero</text>", "tau_m = 20 ms", "u: membrane potential", "Spikes a second"]
    {
        assert!(picture.contains(part), "no {part:?}");
    }
    assert!(!picture.contains("NaN"));
    // One that never spikes is drawn too.
    let path = model(folder.path(), "u = alpha*u' + tanh(I)\ns = spike(u - 99)", "start = 0.9");
    succeeds(neurons(&["plot", path.to_str().unwrap(), "--out", word]));
    assert!(std::fs::read_to_string(&out).unwrap().contains("it never spikes"));
    let nowhere = folder.path().join("no/such/folder/x.svg");
    refuses(neurons(&["plot", "lif", "--out", nowhere.to_str().unwrap()]), &["x.svg"]);
}

/// The page about model files.
fn docs() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/neurons.md");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_documentation_lists_every_built_in_model() {
    let docs = docs();
    let listed = json(&succeeds(neurons(&["--json"])));
    for model in listed["neurons"].as_array().unwrap() {
        let (name, title, source) = (&model["name"], &model["title"], &model["source"]);
        let [name, title, source] = [name, title, source].map(|text| text.as_str().unwrap());
        let count = |key: &str| model[key].as_array().unwrap().len();
        let row = format!(
            "| `{name}` | {title} | {} | {} | {} | {source} |",
            count("states"),
            count("parameters"),
            model["operations"]["total"]
        );
        assert!(docs.lines().any(|line| line == row), "docs/neurons.md has no line\n{row}");
    }
}

#[test]
fn the_examples_of_the_documentation_are_right() {
    let folder = folder();
    let path = folder.path().join("example.toml");
    let docs = docs();
    let examples = docs.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut count = 0;
    for example in examples {
        std::fs::write(&path, example).unwrap();
        let output = succeeds(neurons(&["check", path.to_str().unwrap(), "--json"]));
        for model in json(&output)["neurons"].as_array().unwrap() {
            assert_eq!(model["remarks"].as_array().unwrap().len(), 0, "{model}");
            count += 1;
        }
    }
    assert_eq!(count, 3);
}

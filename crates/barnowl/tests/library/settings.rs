//! Settings: the reference is what the code says, short forms are read, and wrong values are refused in the user's words.

use barnowl::task::{BUILT_IN, TaskConfig, reference};

fn with(task: &str, settings: &[&str]) -> Result<TaskConfig, String> {
    let settings: Vec<String> = settings.iter().map(|&setting| setting.into()).collect();
    TaskConfig::load(task, &settings).map_err(|error| error.to_string())
}

fn file(text: &str) -> Result<TaskConfig, String> {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("mine.toml");
    std::fs::write(&path, text).unwrap();
    TaskConfig::load(path.to_str().unwrap(), &[]).map_err(|error| error.to_string())
}

#[test]
fn the_page_of_settings_is_what_the_code_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md");
    if std::env::var_os("RENEW_SETTINGS").is_some() {
        std::fs::write(path, reference()).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        page.trim_end() == reference().trim_end(),
        "docs/settings.md is old; renew it: RENEW_SETTINGS=1 cargo test --release --workspace --test library settings"
    );
}

#[test]
fn a_task_with_all_settings_is_the_same_task() {
    for (name, _) in BUILT_IN {
        let task = with(name, &[]).unwrap();
        let text = task.to_commented_toml().unwrap();
        assert_eq!(file(&text).unwrap_or_else(|error| panic!("{error}\n{text}")), task, "{name}");
        // With every example in force: comments that are no sentences.
        for key in ["patience", "checkpoint_steps", "init", "[train.rate_penalty]"] {
            assert!(
                text.lines().any(|line| line.starts_with(&format!("# {key}"))),
                "{key}\n{text}"
            );
        }
    }
}

#[test]
fn a_setting_of_several_shapes_takes_each_of_them() {
    let own = |setting: &str| {
        let dataset = "dataset={ kind = \"own\", folder = \".\", form = \"csv\" }";
        with("ecg", &[dataset, setting])
    };
    for setting in [
        "dataset.groups=subject",
        "dataset.groups={ before = \"_\" }",
        "dataset.groups.before=_",
        "dataset.no_label=99",
        "dataset.no_label=-0.5",
        "dataset.no_label=unknown",
    ] {
        let task = own(setting).unwrap_or_else(|error| panic!("{setting}: {error}"));
        assert_eq!(file(&task.to_toml().unwrap()).unwrap(), task, "{setting}");
        assert_eq!(file(&task.to_commented_toml().unwrap()).unwrap(), task, "{setting}");
    }
    for (setting, parts) in [
        ("dataset.groups=7", ["dataset.groups = 7", "text or a table", "before"]),
        ("dataset.groups={ befor = \"_\" }", ["dataset.groups.befor", "perhaps", "before"]),
        ("dataset.groups={ before = 7 }", ["dataset.groups.before", "7", "text"]),
        ("dataset.no_label=true", ["dataset.no_label = true", "a number", "or text"]),
    ] {
        let error = own(setting).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error} lacks one of {parts:?}");
    }
}

#[test]
fn examples_of_what_is_not_set_can_be_set() {
    let task = with("ecg", &[]).unwrap();
    let text = task.to_commented_toml().unwrap();
    for example in text.lines().filter_map(|line| line.strip_prefix("# ")) {
        let Some((key, value)) = example.split_once(" = ") else { continue };
        if !key.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            continue;
        }
        // The table that it stands in, in comments or not.
        let before = &text[..text.find(&format!("# {example}")).unwrap()];
        let head = before.lines().rev().map(|line| line.trim_start_matches("# "));
        let head = head.into_iter().find(|line| line.starts_with('[')).unwrap_or("[]");
        let head = head.trim_matches(['[', ']']).replace("network.layers", "network.layers.0");
        let whole = match head.as_str() {
            "train.rate_penalty" => {
                vec!["train.rate_penalty={ target = 0.1, weight = 1 }".to_owned()]
            }
            "train.neuron_rate_penalty" => {
                vec!["train.neuron_rate_penalty={ high = 0.3, weight = 1 }".to_owned()]
            }
            "network.layers.0.surrogate" | "network.readout.surrogate" => {
                vec![format!("{head}=multi_gaussian")]
            }
            "train.truncation" => vec!["train.truncation={ window = 50 }".to_owned()],
            "train.fold" => vec!["train.fold={ index = 1, count = 5 }".to_owned()],
            // Such a task has other inputs, decoder and readout.
            "" if key == "forecast" => [
                "dataset.generator.signals=true",
                "network.inputs=2",
                "network.readout.size=2",
                "network.decode.answer=values",
            ]
            .map(str::to_owned)
            .to_vec(),
            _ => vec![],
        };
        let setting = match head.as_str() {
            "" => format!("{key}={value}"),
            head => format!("{head}.{key}={value}"),
        };
        let settings: Vec<&str> =
            whole.iter().map(String::as_str).chain([setting.as_str()]).collect();
        if let Err(error) = with("ecg", &settings) {
            panic!("{setting}: {error}");
        }
    }
}

#[test]
fn short_forms_mean_the_long_ones() {
    for (short, long) in [
        ("train.optimizer=adamw", "train.optimizer={ kind = \"adamw\" }"),
        (
            "train.optimizer={ weight_decay = 0.1 }",
            "train.optimizer={ kind = \"adam\", weight_decay = 0.1 }",
        ),
        ("train.schedule=cosine", "train.schedule={ kind = \"cosine\" }"),
        ("network.surrogate=gaussian", "network.surrogate={ kind = \"gaussian\" }"),
        ("network.encoder=trained_threshold", "network.encoder={ kind = \"trained_threshold\" }"),
        (
            "network.layers.0.tau_m=20",
            "network.layers.0.tau_m={ kind = \"constant\", value = 20.0 }",
        ),
        (
            "network.layers.*.tau_adp=7.5",
            "network.layers.0.tau_adp={ kind = \"constant\", value = 7.5 }",
        ),
        (
            "network.layers.0.initial_state=uniform",
            "network.layers.0.initial_state={ kind = \"uniform\" }",
        ),
        (
            "network.layers.0.input_weights=zeros",
            "network.layers.0.input_weights={ kind = \"zeros\" }",
        ),
        ("network.layers.0.cell=lif", "network.layers.0.beta=0"),
        ("network.layers.0.cell=feedforward", "network.layers.0.recurrent=false"),
        (
            "network.layers=[{ size = 5, cell = \"lif\", tau_m = 3 }]",
            "network.layers=[{ size = 5, beta = 0, tau_m = { kind = \"constant\", value = 3 } }]",
        ),
        ("dataset=ecg", "dataset={ kind = \"ecg\" }"),
    ] {
        let task = with("ecg", &[short]).unwrap_or_else(|error| panic!("{short}: {error}"));
        assert_eq!(task, with("ecg", &[long]).unwrap(), "{short}");
        // What we write has the long form, and is read again.
        assert_eq!(file(&task.to_toml().unwrap()).unwrap(), task);
    }
    let ecg = BUILT_IN.iter().find(|(name, _)| *name == "ecg").unwrap().1;
    let text = ecg
        .replace("{ kind = \"cosine\" }", "\"cosine\"")
        .replace("{ kind = \"adam\" }", "\"adam\"");
    assert_ne!(text, ecg);
    assert_eq!(file(&text).unwrap(), with("ecg", &[]).unwrap());
    // A part after the whole.
    let task = with("ecg", &["train.optimizer=adamw", "train.optimizer.weight_decay=0.5"]).unwrap();
    assert_eq!(task, with("ecg", &["train.optimizer={kind='adamw', weight_decay=0.5}"]).unwrap());
    // Several that belong together.
    with("ecg", &["dataset.kind=own", "dataset.folder=x", "dataset.form=csv"]).unwrap();
}

#[test]
fn a_setting_that_another_undoes_is_refused() {
    for settings in [
        ["train.optimizer.weight_decay=0.1", "train.optimizer=adamw"],
        ["train.optimizer.beta_1=0.8", "train.optimizer=sgd"],
        ["network.cell=lif", "network.layers.0.beta=1"],
        ["network.layers.0.beta=1", "network.layers.0.cell=lif"],
        ["network.cell=lstm", "network.readout.kind=alif"],
    ] {
        let message = with("ecg", &settings).unwrap_err();
        assert!(message.contains("undoes it"), "{settings:?}: {message}");
    }
    with("ecg", &["network.layers.0.cell=lif", "network.layers.0.beta=1"]).unwrap();
    with("ecg", &["train.epochs=3", "train.epochs=4"]).unwrap();
    let message =
        file(&BUILT_IN[0].1.replacen("size = 36", "size = 36\ncell = \"lif\"", 1)).unwrap_err();
    assert!(
        message
            .contains("network.layers.0.beta = 1.8; expected 0.0, since the layer's cell is lif"),
        "{message}"
    );
}

#[test]
fn unknown_names_are_told_with_the_nearest() {
    for (setting, parts) in [
        ("train.epoch=3", vec!["train.epoch;", "train.epochs", "barnowl tasks NAME --all"]),
        ("epochs=3", vec!["setting epochs;", "train.epochs"]),
        ("trian.epochs=3", vec!["trian", "perhaps train"]),
        (
            "network.layers.0.taum=3",
            vec!["network.layers.0.taum", "perhaps network.layers.0.tau_m"],
        ),
        ("train.optimizer=adamv", vec!["train.optimizer = \"adamv\"", "sgd", "perhaps \"adam"]),
        ("train.optimizer.kind=adma", vec!["train.optimizer.kind = \"adma\"", "perhaps \"adam\""]),
        ("train.optimizer.momentum=0.5", vec!["train.optimizer.momentum of adam"]),
        (
            "train.sampling=balance",
            vec!["train.sampling = \"balance\"", "shuffled or balanced", "perhaps \"balanced\""],
        ),
        (
            "network.layers.0.cell=lift",
            vec!["network.layers.0.cell", "lif, feedforward", "perhaps \"lif\""],
        ),
        ("network.cell=lift", vec!["network.cell", "lif"]),
        ("train.clipping=1.0", vec!["train.clipping = 1.0", "{ norm = … } or { value = … }"]),
        ("train.schedule=step", vec!["train.schedule.every of step is missing"]),
        (
            "train.seed=18446744073709551615",
            vec!["train.seed = 18446744073709551615;", "0 to 9223372036854775807"],
        ),
        ("network.layers.0.tau_m=nan", vec!["network.layers.0.tau_m.value = NaN", "more than 0"]),
        ("network.readout.kind=dens", vec!["perhaps \"dense\""]),
    ] {
        let message = with("ecg", &[setting]).unwrap_err();
        for part in parts {
            assert!(message.contains(part), "{setting}: {part}\n{message}");
        }
        assert!(!message.contains("built-in task"), "{message}");
    }
    let text = BUILT_IN[0].1.replace("batch = 16", "batsch = 16");
    let line = 1 + text.lines().position(|line| line == "batsch = 16").unwrap();
    let message = file(&text).unwrap_err();
    assert!(
        message.contains(&format!(
            "mine.toml, line {line}: there is no setting train.batsch; expected perhaps train.batch"
        )),
        "{message}"
    );
}

//! Every task of the paper from data in its published form to a result, and what is said of data that are not there.

use super::mirror::{NOBODY, data_command, garbage, serve};
use super::{barnowl, few_samples, folder, json, refuses, stderr, succeeds};

/// Trains a task on few samples until it knows them all, and returns its result.
fn overfits(task: &str, settings: &[&str]) -> serde_json::Value {
    let temp = folder();
    let out = temp.path().join("run");
    let mut train = barnowl(&["train", task, "--json", "--out"]);
    train.arg(&out).arg("--data").arg(few_samples());
    for setting in settings {
        train.args(["--set", setting]);
    }
    let result = json(&succeeds(train));
    let metrics = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    let accuracy = |line: &str| {
        let report: serde_json::Value = serde_json::from_str(line).unwrap();
        report["train_accuracy"].as_f64().unwrap()
    };
    let best = metrics.lines().map(accuracy).fold(0.0, f64::max);
    assert_eq!(best, 1.0, "{task} learns its few samples by heart:\n{metrics}");
    result
}

#[test]
fn cochlear_spikes() {
    let epochs = "train.epochs=40";
    overfits("shd", &[epochs, "train.validation=0.25", "train.batch=2"]);
    // Its validation part is its own.
    overfits("ssc", &[epochs, "train.batch=2", "network.layers.*.size=40"]);
}

#[test]
fn speech_commands() {
    let few = "dataset.silences=[2,1,1]";
    let quick = ["train.epochs=40", "train.batch=2", "network.layers.*.b0=0.1"];
    overfits("gsc", &[&[few][..], &quick].concat());
    let three = "network.readout.size=3";
    overfits("gsc-35", &[&[three][..], &quick].concat());
}

#[test]
fn phones() {
    let result = overfits(
        "timit",
        &[
            "train.epochs=60",
            "train.batch=2",
            "train.learning_rate=0.02",
            "network.layers.0.b0=0.1",
            "network.layers.0.size=64",
            "network.layers.0.tau_m={kind=\"constant\",value=3.0}",
        ],
    );
    assert!(
        result["test"]["accuracy_39"].as_f64().unwrap()
            >= result["test"]["accuracy"].as_f64().unwrap()
    );
}

#[test]
fn recordings_of_the_heart() {
    let steps = "dataset.encoding.steps=400";
    let quick = ["train.epochs=150", "train.batch=4", "train.learning_rate=0.02"];
    overfits("ecg-raw", &[&[steps, "network.layers.0.size=64"][..], &quick].concat());
}

#[test]
fn gestures() {
    let result = overfits(
        "soli",
        &["train.epochs=30", "train.batch=1", "train.validation=0.34", "network.layers.*.size=64"],
    );
    let votes = &result["test"]["votes"];
    assert!(votes["per_sequence"].is_number() && votes["per_recording"].is_number(), "{result}");
}

#[test]
fn tasks_say_whether_their_data_are_there() {
    let mut tasks = barnowl(&["tasks", "--json", "--data"]);
    tasks.arg(few_samples());
    let tasks = json(&succeeds(tasks));
    let task = |name: &str| {
        let tasks = tasks["tasks"].as_array().unwrap();
        tasks.iter().find(|task| task["name"] == name).unwrap()
    };
    let status = |name: &str| task(name)["data_status"].as_str().unwrap();
    assert_eq!(status("shd"), "there");
    assert_eq!(status("ssc"), "there");
    assert_eq!(status("smnist"), "not there");
    assert!(status("fsdd").contains("30 of 3000 .wav files in recordings"), "{}", status("fsdd"));
    let gsc = task("gsc");
    assert_eq!([&gsc["inputs"], &gsc["classes"]], [120, 12]);
    assert_eq!(gsc["decoder"], "mean_membrane");
    assert_eq!(gsc["layers"][0]["recurrent"], false);
    let text = String::from_utf8(succeeds(barnowl(&["tasks"])).stdout).unwrap();
    assert!(text.contains("the built-in generator stands in"), "{text}");
    for task in ["ecg-paper", "psmnist", "gsc-35", "timit", "soli", "fsdd-spikes"] {
        assert!(text.contains(task), "{task}");
    }
    // One line a task, in columns.
    let mut tasks = barnowl(&["tasks", "--data"]);
    tasks.arg(few_samples());
    let text = String::from_utf8(succeeds(tasks).stdout).unwrap();
    let rows: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(rows.len(), 1 + barnowl::task::BUILT_IN.len());
    let gsc = rows.iter().find(|row| row.starts_with("gsc ")).unwrap();
    for part in ["gsc: incomplete", "120–256 ff–256–12", "mean_membrane", "Google Speech Commands"]
    {
        assert!(gsc.contains(part), "{gsc}");
    }
    let place = |row: &str, part: &str| row[..row.find(part).unwrap()].chars().count();
    assert_eq!(place(rows[0], "decoder"), place(gsc, "mean_membrane"));
}

#[test]
fn data_that_are_not_there_are_explained() {
    for task in ["shd", "gsc", "timit", "soli", "fsdd", "smnist"] {
        refuses(barnowl(&["train", task]), &["are not given", "BARNOWL_DATA", "`barnowl data`"]);
    }
    let temp = folder();
    let on_nothing = |task: &str| {
        let mut train = barnowl(&["train", task, "--data"]);
        train.arg(temp.path());
        train
    };
    refuses(on_nothing("shd"), &["shd_train.h5", "No such file"]);
    refuses(on_nothing("timit"), &["timit", "`barnowl data` says where timit comes from"]);
    refuses(on_nothing("gsc"), &["validation_list.txt"]);
}

#[test]
fn data_sets_are_listed_verified_and_not_made_up() {
    let mut list = barnowl(&["data", "--data"]);
    list.arg(few_samples());
    let text = String::from_utf8(succeeds(list).stdout).unwrap();
    let fetch = format!("barnowl data fetch shd --data {}", few_samples().display());
    for part in ["CC BY 4.0", fetch.as_str(), "catalog.ldc.upenn.edu", "by hand", "polybox.ethz.ch"]
    {
        assert!(text.contains(part), "{part}");
    }
    let text = String::from_utf8(succeeds(barnowl(&["data"])).stdout).unwrap();
    assert!(text.contains("barnowl data fetch qtdb-raw --data DIR"), "{text}");
    let with_data = |args: &[&str]| {
        let mut command = barnowl(args);
        command.arg("--data").arg(few_samples());
        command
    };
    refuses(with_data(&["data", "fetch", "timit"]), &["not openly served", "LDC93S1"]);
    refuses(with_data(&["data", "fetch", "fsdd-spikes"]), &["not openly served", "cochlea"]);
    refuses(
        with_data(&["data", "fetch", "nonsense"]),
        &["nonsense", "expected qtdb, qtdb-raw, mnist"],
    );
    refuses(
        with_data(&["data", "verify", "gsc"]),
        &["13 of 64727 or 105829 .wav files", "fetch gsc --data", "unpacked into the folder gsc"],
    );
    refuses(barnowl(&["data", "fetch", "mnist"]), &["no data folder"]);
}

#[test]
fn a_fetch_that_fails_says_where_the_files_are_and_leaves_nothing() {
    let temp = folder();
    let made = temp.path().join("new");
    for data in [temp.path(), made.as_path()] {
        refuses(
            data_command("fetch", "mnist", data, NOBODY),
            &["connection to the internet", "/mnist/train-images-idx3-ubyte.gz", "folder mnist"],
        );
    }
    assert!(!temp.path().join("mnist").exists() && !made.exists());
    // A folder that was there stays.
    std::fs::create_dir(temp.path().join("mnist")).unwrap();
    refuses(data_command("fetch", "mnist", temp.path(), NOBODY), &["connection"]);
    assert!(temp.path().join("mnist").is_dir());
}

#[test]
fn garbage_of_the_right_names_is_not_the_data() {
    let temp = garbage();
    let expected = ["train-images-idx3-ubyte.gz", "MD5", "barnowl data fetch mnist --data"];
    refuses(data_command("verify", "mnist", temp.path(), ""), &expected);
    refuses(data_command("fetch", "mnist", temp.path(), NOBODY), &["connection to the internet"]);
    // It stays until there is something better.
    assert!(temp.path().join("mnist/train-images-idx3-ubyte.gz").is_file());
}

#[test]
fn records_are_fetched_with_their_checksums() {
    // The standard's: that of "abc".
    const SUM: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let names: Vec<String> = (0..105).map(|i| format!("sel{i}")).collect();
    let mut sums = String::new();
    for name in &names {
        for extension in ["hea", "dat", "q1c"] {
            sums += &format!("{SUM} {name}.{extension}\n");
        }
    }
    // One has annotations of an algorithm too.
    sums += &format!("{SUM} sel7.pu0\n");
    let records = names.join("\n");
    let mirror = serve(move |name| match name {
        "SHA256SUMS.txt" => Some(sums.clone().into_bytes()),
        "RECORDS" => Some(records.clone().into_bytes()),
        "sel7.pu0" => Some(b"abc".to_vec()),
        name if name.ends_with(".pu0") => None,
        _ => Some(b"abc".to_vec()),
    });
    let temp = folder();
    succeeds(data_command("fetch", "qtdb-raw", temp.path(), &mirror));
    let path = |name: &str| temp.path().join("qtdb-raw").join(name);
    assert!(path("sel104.dat").is_file() && path("sel7.pu0").is_file());
    let verified = succeeds(data_command("verify", "qtdb-raw", temp.path(), ""));
    let text = String::from_utf8(verified.stdout).unwrap();
    assert!(text.contains("316 equal their published checksums"), "{text}");
    // Only what is damaged or missing is fetched again.
    std::fs::write(path("sel30.dat"), "abd").unwrap();
    std::fs::remove_file(path("sel31.dat")).unwrap();
    refuses(data_command("verify", "qtdb-raw", temp.path(), ""), &["104 of 105 .dat files"]);
    refuses(data_command("fetch", "qtdb-raw", temp.path(), NOBODY), &["wget -r"]);
    succeeds(data_command("fetch", "qtdb-raw", temp.path(), &mirror));
    succeeds(data_command("fetch", "qtdb-raw", temp.path(), NOBODY));
    // A list may not lead out of the folder.
    let temp = folder();
    let mirror = serve(|name| match name {
        "SHA256SUMS.txt" => Some(format!("{SUM} sel0.hea\n").into_bytes()),
        _ => Some(b"sel0\n../evil\n".to_vec()),
    });
    refuses(
        data_command("fetch", "qtdb-raw", temp.path(), &mirror),
        &["RECORDS, line 2", "../evil", "the name of a record"],
    );
}

#[test]
fn a_task_with_all_its_settings_is_the_same_task() {
    let temp = folder();
    let all = succeeds(barnowl(&["tasks", "ecg", "--all"])).stdout;
    let text = String::from_utf8(all.clone()).unwrap();
    for part in
        ["# patience = ", "# [train.rate_penalty]", "Range: 1 or more", "Kinds: adam, adamw"]
    {
        assert!(text.replace("1 to 1000000000", "1 or more").contains(part), "{part}\n{text}");
    }
    let mine = temp.path().join("mine.toml");
    std::fs::write(&mine, all).unwrap();
    let mut again = barnowl(&["tasks", "--json"]);
    again.arg(&mine);
    assert_eq!(json(&succeeds(again)), json(&succeeds(barnowl(&["tasks", "ecg", "--json"]))));
    let page = String::from_utf8(succeeds(barnowl(&["tasks", "--reference"])).stdout).unwrap();
    assert!(page.starts_with("# Settings of a task"), "{page}");
}

#[test]
fn a_flag_and_a_setting_of_the_same_key_are_refused() {
    for (flag, value, key) in [
        ("--epochs", "1", "train.epochs"),
        ("--batch", "3", "train.batch"),
        ("--seed", "4", "train.seed"),
    ] {
        let set = format!("{key}=2");
        refuses(
            barnowl(&["train", "ecg", flag, value, "--set", &set]),
            &[&format!("{flag} {value}"), &format!("--set {set}"), "leave one of them out"],
        );
    }
    refuses(
        barnowl(&["train", "ecg", "--set", "train.epochs=1", "--set", "train.epochs=2"]),
        &["--set train.epochs=1", "--set train.epochs=2"],
    );
    refuses(
        barnowl(&["train", "ecg", "--seed", "18446744073709551615"]),
        &["train.seed = 18446744073709551615", "0 to 9223372036854775807"],
    );
}

/// What a network gets, in numbers, in the terminal and drawn; what goes wrong with the picture costs nothing.
#[test]
fn data_are_looked_at_before_training() {
    let temp = folder();
    let write = |name: &str, text: &str| {
        let path = temp.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("train/left/1.csv", "x,y\n0.5,1\n2,1\n4,1\n");
    write("train/right/1.csv", "x,y\n6,1\n7,1\n");
    let task = "name = \"g\"\nsummary = \"s\"\n[dataset]\nkind = \"own\"\nfolder = \".\"\nform = \"csv\"\n\
                [network]\ninputs = 2\ndecode = { kind = \"mean_membrane\" }\n[[network.layers]]\nsize = 4\n\
                [network.readout]\nkind = \"leaky_integrator\"\nsize = 2\n\
                [train]\nepochs = 1\nbatch = 1\nlearning_rate = 0.01\nvalidation = 0.5\n";
    write("g.toml", task);
    let look = |extra: &[&str]| {
        let mut look = barnowl(&[&["data", "look", "g.toml"][..], extra].concat());
        look.current_dir(temp.path());
        look
    };
    write("valid/left/1.csv", "x,y\n0.5,1\n");
    let shown = succeeds(look(&[]));
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    for part in [
        "2 of 2 to 3 steps",
        "left 1, right 1",
        "2 channels of real values",
        "channel    x:",
        "constant",
        "g-data.svg",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        std::fs::read_to_string(temp.path().join("g-data.svg")).unwrap().contains("g: train data")
    );
    let result = json(&succeeds(look(&["--json", "--out", "there.svg"])));
    assert_eq!(result["summary"]["classes"][0]["name"], "left");
    assert_eq!(result["picture"], "there.svg");
    let shown = succeeds(look(&["--out", "train", "--set", "dataset.steps=2"]));
    assert!(stderr(&shown).contains("warning: there is no picture"), "{}", stderr(&shown));
}

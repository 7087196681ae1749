//! Numbers in tables.

use super::super::{FileName, Groups, NoLabel};
use super::*;

const CSV: Form = Form::Csv;

#[test]
fn columns_that_begin_with_target_are_no_channels() {
    let temp = folder(&[
        ("train/1.csv", "x,target,y\n0.5,7,1\n2,,3\n4,-1,5\n"),
        ("train/2.csv", "target,y,x\n1e3,1,2\n"),
    ]);
    let data = train(&temp, &values(CSV));
    assert_eq!(found(&data), per_step("7 NaN -1 1000 NaN NaN"));
    assert_eq!(
        (data.class_names(), data.channel_names()),
        (&owned(&["target"])[..], &owned(&["x", "y"])[..])
    );
    assert_eq!(real(&data), [0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!((data.lengths(), data.sequence_name(1)), (Some(&[3, 1][..]), "2.csv".to_owned()));
    assert!(noted(&data, &["1 of 4 numbers to be found is not known"]), "{:?}", data.notes());
    assert!(noted(&data, &["1 file has its columns in another order"]));
    // Several, in any order, with decimal commas.
    let temp = folder(&[
        ("train/1.csv", "target_b;x;target_a\n1,5;2,5;nan\n3;4;na\n"),
        ("train/2.csv", "target_a;target_b;x\n7;8;9,5\n"),
    ]);
    let data = train(&temp, &values(CSV));
    assert_eq!(data.class_names(), ["target_b", "target_a"]);
    assert_eq!(found(&data), per_step("1.5 NaN 3 NaN 8 7 NaN NaN"));
    assert_eq!(real(&data), [2.5, 4.0, 9.5, 0.0]);
}

#[test]
fn columns_may_be_named() {
    let temp =
        folder(&[("train/1.csv", "t,x,heart_rate,glucose,who\n0,1.5,60,5.5,eve\n1,2,,?,eve\n")]);
    let config = OwnConfig {
        ignore: owned(&["t"]),
        groups: Some(Groups::Column("who".into())),
        no_label: Some(NoLabel::Word("?".into())),
        ..columns(CSV, &["glucose", "heart_rate"])
    };
    let data = train(&temp, &config);
    assert_eq!(found(&data), per_step("5.5 60 NaN NaN"));
    assert_eq!(data.class_names(), ["glucose", "heart_rate"]);
    assert_eq!(
        (data.channel_names(), data.group_names()),
        (&owned(&["x"])[..], &owned(&["eve"])[..])
    );
    assert!(noted(&data, &["left out, as dataset.ignore says: t"]));
    refused(
        read(&temp, Split::Train, &OwnConfig { no_label: None, ..config.clone() }),
        &["1.csv, line 3: glucose is \"?\"", "nothing or nan", "dataset.no_label"],
    );
    let absent = columns(CSV, &["glucose", "lactate"]);
    let parts = ["1.csv, line 1", "no column lactate", "dataset.targets says", "t, x, heart_rate"];
    refused(read(&temp, Split::Train, &absent), &parts);
    // Numbers that stand for none, with a comma too.
    let temp = folder(&[("train/1.csv", "x;y\n0,5;-99,5\n2;3\n")]);
    let no_label = Some(NoLabel::Number(-99.5));
    let data = train(&temp, &OwnConfig { no_label, ..columns(CSV, &["y"]) });
    assert_eq!(found(&data), per_step("NaN 3"));
    // A column label is a target like any other, if it is named, and none if it is left out.
    let temp = folder(&[("train/1.csv", "x,label,target\n0.5,3,1\n")]);
    assert_eq!(found(&train(&temp, &columns(CSV, &["label", "target"]))), per_step("3 1"));
    let data = train(&temp, &OwnConfig { ignore: owned(&["label"]), ..values(CSV) });
    assert_eq!((found(&data), data.channels()), (per_step("1"), 1));
}

#[test]
fn what_may_be_a_target_or_a_channel_is_refused() {
    let of = |text: &str, config: &OwnConfig| {
        read(&folder(&[("train/1.csv", text)]), Split::Train, config)
    };
    for (text, config, parts) in [
        (
            "x,y\n1,2\n",
            values(CSV),
            &["no column target: the columns are x, y", "begin with target_", "columns = [\"y\"]"]
                [..],
        ),
        (
            "x,target,target_b\n1,2,3\n",
            values(CSV),
            &["a column target, and a column target_b", "columns = [\"target\", \"target_b\"]"],
        ),
        (
            "x,target,label\n1,2,3\n",
            values(CSV),
            &[
                "the column label is neither",
                "dataset.ignore = [\"label\"]",
                "columns = [\"target\", \"label\"]",
            ],
        ),
        ("x,target,Target_b\n1,2,3\n", values(CSV), &["the column Target_b is neither"]),
        ("x,y,target_b\n1,2,3\n", columns(CSV, &["y"]), &["the column target_b is neither"]),
        ("x,y,Label\n1,2,3\n", columns(CSV, &["y"]), &["the column Label is neither"]),
        ("target\n1\n", values(CSV), &["there is no channel", "beside target"]),
        ("x,target,target\n1,2,3\n", values(CSV), &["two columns are called \"target\""]),
    ] {
        refused(of(text, &config), &[parts, &["1.csv, line 1"][..]].concat());
    }
    for (text, parts) in [
        ("x,target\n1,2\n3,high\n", ["1.csv, line 3: target is \"high\"", "expected a number"]),
        ("x,target\n1,inf\n", ["1.csv, line 2: target is \"inf\"", "expected a number"]),
        ("x,target\n1,1e300\n", ["1.csv, line 2: target is \"1e300\"", "below 3e38"]),
        ("x,target\n,1\n", ["1.csv, line 2: x is \"\"", "a value is missing"]),
        ("x,target\n1\n", ["1.csv, line 2", "1 field and 2 names"]),
        ("x,target\n", ["1.csv", "nothing below the names"]),
        ("x,target\n1,\n2,nan\n", ["train", "no number that is to be found is known"]),
    ] {
        refused(of(text, &values(CSV)), &parts);
    }
    // Without the setting they are channels, which is said.
    let temp = folder(&[("train/a/1.csv", "x,target\n1.5,2\n")]);
    let data = train(&temp, &OwnConfig::new("x", CSV));
    assert_eq!(data.channels(), 2);
    assert!(noted(&data, &["column target is read as a channel", "dataset.targets = \"values\""]));
}

#[test]
fn all_files_have_the_same_targets() {
    let other = |text: &str, config: &OwnConfig| {
        let temp =
            folder(&[("train/1.csv", "x,target_a,target_b\n1.5,2,3\n"), ("train/2.csv", text)]);
        read(&temp, Split::Train, config)
    };
    for text in [
        "x,target_a\n1,2\n",
        "x,target_a,target_c\n1,2,3\n",
        "x,target_a,target_b,target_c\n1,2,3,4\n",
    ] {
        let parts = ["2.csv, line 1", "to be found", "target_a, target_b, as the other files have"];
        refused(other(text, &values(CSV)), &parts);
    }
    refused(other("x,target\n1,2\n", &values(CSV)), &["2.csv, line 1", "found is target;"]);
    let named = columns(CSV, &["target_a", "target_b"]);
    refused(other("x,target_a\n1,2\n", &named), &["2.csv, line 1", "no column target_b"]);
    refused(
        other("y,target_a,target_b\n1,2,3\n", &named),
        &["2.csv, line 1", "expected x, as in the other files"],
    );
}

#[test]
fn folders_only_put_files_in_order() {
    let files = [
        ("train/eve_1.csv", "x,target\n1.5,1\n"),
        ("train/old/adam_1.csv", "x,target\n2.5,2\n"),
        ("train/old/eve_2.csv", "x,target\n3.5,\n"),
    ];
    let temp = folder(&files);
    let groups = Some(Groups::Name(FileName { before: "_".into() }));
    let data = train(&temp, &OwnConfig { groups, ..values(CSV) });
    assert_eq!(found(&data), per_step("1 2"));
    assert_eq!(
        (data.groups(), data.sequence_name(1)),
        (Some(&[1, 0][..]), "old/adam_1.csv".to_owned())
    );
    assert!(noted(&data, &["names of folders say nothing", "stands in target"]));
    assert!(noted(&data, &["1 sequence has no number that is known"]));
    write(&temp, "train/old/older/1.csv", "x,target\n2.5,2\n");
    let parts = ["older", "a folder of the part holds a folder, with 1 file", "move them up"];
    refused(read(&temp, Split::Train, &values(CSV)), &parts);
    let temp = folder(&[("train/readme.txt", "")]);
    refused(read(&temp, Split::Train, &values(CSV)), &["train", "there are no sequences"]);
}

#[test]
fn other_parts_are_read_by_the_names_of_the_training_part() {
    let test = |text: &str| {
        let temp =
            folder(&[("train/1.csv", "x,y,target_a,target_b\n1,2.5,3,4\n"), ("test/1.csv", text)]);
        let (names, channels) = (owned(&["target_a", "target_b"]), owned(&["x", "y"]));
        let known = Known { classes: &names, channels: &channels, ..Known::default() };
        let by_part = read(&temp, Split::Test, &values(CSV));
        let by_model = read_as(&temp, Split::Test, &values(CSV), known);
        match (&by_part, &by_model) {
            (Ok(data), Ok(same)) => assert_eq!(data, same),
            (by_part, by_model) => assert_eq!(by_part.is_ok(), by_model.is_ok()),
        }
        by_model
    };
    let data = test("target_b,y,target_a,x\n1,2,3.5,4\n").unwrap();
    assert_eq!((found(&data), real(&data)), (per_step("3.5 1"), &[4.0, 2.0][..]));
    let parts = ["test/1.csv, line 1", "target_a, target_b, as in the training data"];
    refused(test("x,y,target_a\n1,2,3\n"), &parts);
    refused(test("x,y,target_a,target_c\n1,2,3,4\n"), &parts);
    refused(test("x,target_a,target_b\n1,2,3\n"), &["x, y, as in the training data"]);
    refused(test("x,y\n1,2\n"), &["test/1.csv", "no column target"]);
    // A model of other numbers.
    let temp = folder(&[("test/1.csv", "x,glucose\n1,2\n")]);
    let names = owned(&["lactate"]);
    let known = Known { classes: &names, ..Known::default() };
    let parts = ["test/1.csv", "found is glucose", "lactate, as in the training data"];
    refused(read_as(&temp, Split::Test, &columns(CSV, &["glucose"]), known), &parts);
}

#[test]
fn files_to_answer_may_have_targets_or_not() {
    let temp = folder(&[
        ("with.csv", "x,target,y\n1.5,high,2\n2,,3\n"),
        ("without.csv", "y,x\n2,1.5\n3,2\n"),
        ("more.csv", "y,x,target_b,label,glucose\n2,1.5,1,a,5\n3,2,1,a,5\n"),
        ("alone.csv", "target,target_b\n1,2\n"),
    ]);
    let channels = owned(&["x", "y"]);
    let names = owned(&["glucose", "target"]);
    let known = Known { classes: &names, channels: &channels, ..Known::default() };
    let named = columns(CSV, &["glucose", "target"]);
    for (name, config, per_step) in [
        ("with.csv", values(CSV), true),
        ("without.csv", values(CSV), true),
        ("more.csv", named.clone(), true),
        ("with.csv", named.clone(), false),
        ("more.csv", values(CSV), false),
    ] {
        let data = unlabelled(&temp, name, &config, known, per_step).unwrap();
        assert_eq!(real(&data), [1.5, 2.0, 2.0, 3.0], "{name}");
        assert_eq!((data.class_names(), data.channel_names()), (&names[..], &channels[..]));
        let (said, values) = found(&data);
        assert_eq!(said, per_step);
        assert!(values.split(' ').all(|x| x == "NaN"));
        assert_eq!(values.split(' ').count(), if per_step { 4 } else { 2 });
    }
    // Of a model that knows no channels, the setting alone tells.
    let unknown = Known { classes: &names, ..Known::default() };
    let data = unlabelled(&temp, "more.csv", &named, unknown, true).unwrap();
    assert_eq!(data.channel_names(), ["y", "x"]);
    // Numbers without names are no names of columns.
    let plain = owned(&["0", "1"]);
    let unknown = Known { classes: &plain, ..Known::default() };
    write(&temp, "numbered.csv", "name,0,1\n9,1.5,2\n");
    let config = OwnConfig { ignore: owned(&["name"]), ..values(Form::Csv) };
    let data = unlabelled(&temp, "numbered.csv", &config, unknown, true).unwrap();
    assert_eq!(real(&data), [1.5, 2.0]);
    // What a model reads as a channel stays one.
    let channels = owned(&["glucose", "x"]);
    let forecast = Known { classes: &names, channels: &channels, ..Known::default() };
    write(&temp, "channel.csv", "x,glucose,target\n1,2.5,3\n");
    let data = unlabelled(&temp, "channel.csv", &values(CSV), forecast, true).unwrap();
    assert_eq!(real(&data), [2.5, 1.0]);
    let none = unlabelled(&temp, "alone.csv", &values(CSV), Known::default(), true);
    refused(none, &["alone.csv", "there is no channel"]);
    // Classes are read as before: a column of that name is a channel.
    let channels = owned(&["target", "x"]);
    let classes = Known { classes: &names, channels: &channels, ..Known::default() };
    write(&temp, "classes.csv", "x,target,label\n1.5,2,a\n");
    let data = unlabelled(&temp, "classes.csv", &OwnConfig::new("x", CSV), classes, false).unwrap();
    assert_eq!((real(&data), data.targets().is_real()), (&[2.0, 1.5][..], false));
}

#[test]
fn a_target_among_the_channels_is_noticed() {
    let of = |text: &str| train(&folder(&[("train/1.csv", text)]), &columns(CSV, &["a", "b"]));
    let data = of("x,a,y,b\n1.5,2,2,0\n2,3,3,0\n4,,5,0\n");
    let notes: Vec<&String> =
        data.notes().iter().filter(|note| note.contains("the same")).collect();
    assert!(matches!(notes[..], [note] if note.starts_with("a is to be found")), "{notes:?}");
    assert!(notes[0].contains("the channel y at every step"));
    // Nearly is not the same, and what never changes tells nothing.
    let data = of("x,a,b\n0,2.5,0\n0,3,0\n");
    assert!(data.notes().is_empty(), "{:?}", data.notes());
}

#[test]
fn damage_is_no_panic() {
    let temp = folder(&[("train/1.csv", "x,target_a,target_b\n-1.5,2,\n3,nan,4e2\n")]);
    damage(&temp, "train/1.csv", &values(CSV));
    damage(&temp, "train/1.csv", &columns(CSV, &["target_b"]));
}

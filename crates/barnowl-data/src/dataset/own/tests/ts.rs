//! Numbers in files of the UCR/TSER archive.

use super::super::NoLabel;
use super::*;

const TS: Form = Form::Ts;

/// As the archive of regression has them.
const FLOODS: &str = "#A comment\n@problemname Floods\n@timestamps false\n@missing false\n@univariate false\n\
                      @dimension 2\n@equallength false\n@targetlabel true\n@data\n\
                      1,2.5,3:4,5,6:0.75\n-1,0:7,8:-1\n9,9:9,9:?\n";

#[test]
fn a_number_ends_each_series() {
    let temp = folder(&[
        ("Floods_TRAIN.ts", FLOODS),
        ("Floods_TEST.ts", "@classLabel false\n@targetLabel TRUE\n@data\n1,2,3,4:5,6,7,8.5:12\n"),
    ]);
    let data = train(&temp, &values(TS));
    assert_eq!(found(&data), per_sequence("0.75 -1"));
    assert_eq!([data.samples(), data.steps(), data.channels()], [2, 3, 2]);
    assert_eq!(real(&data)[..6], [1.0, 4.0, 2.5, 5.0, 3.0, 6.0]);
    assert_eq!((data.class_names(), data.lengths()), (&owned(&["target"])[..], Some(&[3, 2][..])));
    assert!(noted(&data, &["1 sequence has no number that is known and is left out"]));
    let test = read(&temp, Split::Test, &values(TS)).unwrap();
    assert_eq!((found(&test), test.steps()), (per_sequence("12"), 4));
    assert!(load(temp.path(), Split::Valid, &values(TS), Known::default()).unwrap().is_none());
    // Another name, and a number that stands for none.
    let named = columns(TS, &["depth"]);
    assert_eq!(train(&temp, &named).class_names(), ["depth"]);
    let no_label = Some(NoLabel::Number(-1.0));
    assert_eq!(
        found(&train(&temp, &OwnConfig { no_label, ..named.clone() })),
        per_sequence("0.75")
    );
    let names = owned(&["target"]);
    let known = Known { classes: &names, ..Known::default() };
    refused(
        read_as(&temp, Split::Test, &named, known),
        &["Floods_TEST.ts", "found is depth", "target, as in the training data"],
    );
    let cut = train(&temp, &OwnConfig { steps: Some(2), ..values(TS) });
    assert_eq!((cut.steps(), found(&cut)), (2, per_sequence("0.75 -1")));
}

#[test]
fn classes_and_numbers_are_told_apart() {
    let of =
        |text: &str, config: &OwnConfig| read(&folder(&[("train.ts", text)]), Split::Train, config);
    for (text, parts) in [
        (
            "@classLabel true a b\n@data\n1,2.5:a\n",
            &["line 1", "have classes", "@targetLabel true", "leave dataset.targets out"][..],
        ),
        ("@targetLabel true\n@classLabel true a b\n@data\n1:a\n", &["line 2", "have classes"]),
        ("@univariate true\n@data\n1,2\n", &["line 2", "nothing of numbers", "@targetLabel true"]),
        ("@targetLabel false\n@data\n1,2\n", &["line 2", "nothing of numbers"]),
        ("@targetLabel maybe\n@data\n1,2\n", &["line 1", "true, or false"]),
        ("@targetLabel true\n@data\n1,2:high\n", &["line 3", "is \"high\"", "a number"]),
        ("@targetLabel true\n@data\n1,2:1\n1,2:inf\n", &["line 4", "is \"inf\""]),
        ("@targetLabel true\n@data\n1,2:1e99\n", &["line 3", "is \"1e99\"", "below 3e38"]),
        ("@targetLabel true\n@data\n1,2\n", &["line 3", "no \":\"", "class or number"]),
        ("@targetLabel true\n@data\n1,2:3,4\n", &["line 3", "ends in \"3,4\"", "a number after"]),
        ("@targetLabel true\n@data\n1,2:?\n1,2:NaN\n", &["train.ts", "no number", "is known"]),
        ("@targetLabel true\n@data\n1,?:2\n", &["line 3", "1 value of series 1 is missing"]),
    ] {
        refused(of(text, &values(TS)), parts);
    }
    let classes = OwnConfig::new("x", TS);
    let remedy = "dataset.targets = \"values\"";
    for (text, parts) in [
        (FLOODS, ["line 8", "regression", remedy]),
        ("@classLabel false\n@targetLabel true\n@data\n1:1\n", ["line 1", "no classes", remedy]),
        ("@classLabel true a\n@targetLabel true\n@data\n1:a\n", ["line 2", "regression", remedy]),
    ] {
        refused(of(text, &classes), &parts);
    }
    let data = of("@targetLabel false\n@classLabel true a b\n@data\n1,2.5:b\n", &classes).unwrap();
    assert_eq!(data.targets(), &Targets::PerSequence(vec![1]));
}

#[test]
fn files_to_answer_may_end_in_numbers_or_not() {
    let names = owned(&["depth"]);
    let known = Known { classes: &names, width: Some(2), ..Known::default() };
    let temp = folder(&[
        ("with.ts", "@targetLabel true\n@data\n1,2.5:3,4:5\n"),
        ("without.ts", "@univariate false\n@data\n1,2.5:3,4\n"),
        ("neither.ts", "@classLabel false\n@data\n1,2.5:3,4\n"),
        ("class.ts", "@classLabel true a\n@data\n1,2.5:3,4:a\n"),
    ]);
    for name in ["with.ts", "without.ts", "neither.ts", "class.ts"] {
        for config in [values(TS), columns(TS, &["depth"])] {
            let data = unlabelled(&temp, name, &config, known, false).unwrap();
            assert_eq!(real(&data), [1.0, 3.0, 2.5, 4.0], "{name}");
            assert_eq!((found(&data), data.class_names()), (per_sequence("NaN"), &names[..]));
        }
    }
    write(&temp, "lost.ts", "@targetLabel true\n@data\n1,2.5:3,4\n");
    refused(
        unlabelled(&temp, "lost.ts", &values(TS), known, false),
        &["line 3", "ends in \"3,4\""],
    );
}

#[test]
fn damage_is_no_panic() {
    damage(&folder(&[("train.ts", FLOODS)]), "train.ts", &values(TS));
}

//! The setting itself: how it is written, and what it does not go with.

use super::super::{Binning, FileName, Groups, NoLabel, SoundEncoding};
use super::*;

#[test]
fn it_is_written_as_a_word_or_a_list() {
    let parse = |text: &str| {
        toml::from_str::<OwnConfig>(&format!("folder = \"x\"\nform = \"csv\"\n{text}"))
    };
    assert_eq!(parse("").unwrap().targets, TargetKind::Classes);
    assert_eq!(parse("targets = \"classes\"").unwrap(), parse("").unwrap());
    assert_eq!(parse("targets = \"values\"").unwrap().targets, TargetKind::Values);
    let named = parse("targets = { columns = [\"a\", \"b\"] }").unwrap();
    assert_eq!(named.targets, TargetKind::Columns(owned(&["a", "b"])));
    for wrong in ["\"numbers\"", "{ columns = \"a\" }", "{ column = [\"a\"] }", "1", "[\"a\"]"] {
        assert!(parse(&format!("targets = {wrong}")).is_err(), "{wrong}");
    }
    // By default it is not there.
    let written = |config: &OwnConfig| toml::to_string(config).unwrap();
    assert!(!written(&OwnConfig::new("x", Form::Csv)).contains("targets"));
    for config in [values(Form::Csv), named] {
        assert_eq!(toml::from_str::<OwnConfig>(&written(&config)).unwrap(), config);
    }
}

#[test]
fn what_has_no_place_for_numbers_is_refused() {
    let events = Form::Events(Binning::new(2, 1.0));
    let sound = Form::Sound(SoundEncoding::Cochlea { step_ms: 4.0, channels: 30 });
    let grouped = |name: &str| Some(Groups::Column(name.to_owned()));
    let word = || Some(NoLabel::Word("none".into()));
    for (config, parts) in [
        (values(events), &["dataset.targets = \"values\"", "no place", "form = \"arrays\""][..]),
        (columns(sound, &["a"]), &["dataset.targets = { columns = [\"a\"] }", "a sound"]),
        (columns(Form::Csv, &[]), &["dataset.targets", "the name of each number"]),
        (columns(Form::Csv, &["a", " "]), &["dataset.targets", "the name of each number"]),
        (columns(Form::Arrays, &["a", "b", "a"]), &["each name once, and not a twice"]),
        (columns(Form::Ts, &["a", "b"]), &["one name", ".ts"]),
        (
            OwnConfig { ignore: owned(&["a"]), ..columns(Form::Csv, &["a"]) },
            &["no a, or no dataset.ignore with it"],
        ),
        (
            OwnConfig { groups: grouped("a"), ..columns(Form::Csv, &["a"]) },
            &["no a: dataset.groups says"],
        ),
        (
            OwnConfig { no_label: word(), ..values(Form::Arrays) },
            &["dataset.no_label", "and no words"],
        ),
    ] {
        let error = config.validate("dataset").unwrap_err();
        let said = error.to_string();
        assert!(parts.iter().all(|part| said.contains(part)), "{said} lacks one of {parts:?}");
        // A library that has not validated them is told the same.
        if config.form != Form::Ts {
            let temp = tempfile::tempdir().unwrap();
            std::fs::create_dir(temp.path().join("train")).unwrap();
            let told = load(temp.path(), Split::Train, &config, Known::default());
            assert!(told.is_err(), "{said}");
        }
    }
    let before = || Some(Groups::Name(FileName { before: "_".into() }));
    for config in [
        values(Form::Arrays),
        columns(Form::Ts, &["a"]),
        OwnConfig { no_label: Some(NoLabel::Number(-9.0)), ..values(Form::Arrays) },
        OwnConfig { no_label: word(), ..values(Form::Csv) },
        OwnConfig { no_label: word(), ..values(Form::Ts) },
        OwnConfig { groups: before(), ..columns(Form::Csv, &["a"]) },
        OwnConfig { groups: grouped("a"), ..columns(Form::Arrays, &["a"]) },
        OwnConfig::new("x", events),
        OwnConfig::new("x", sound),
    ] {
        config.validate("dataset").unwrap();
    }
    // Classes of files .ts are all known.
    let config = OwnConfig { no_label: word(), ..OwnConfig::new("x", Form::Ts) };
    assert!(config.validate("dataset").unwrap_err().to_string().contains("has a class"));
}

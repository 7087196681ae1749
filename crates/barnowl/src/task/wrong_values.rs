//! Tests: whatever a user gives for a setting, the answer is in the user's words.

use super::reference::example;
use super::shape::{self, Fields, Form, Setting, Shape};
use super::{DatasetConfig, TaskConfig};

/// What no message has: words of the language and of the libraries that it is written in.
const FORBIDDEN: [&str; 24] = [
    "struct",
    "enum ",
    "u64",
    "u16",
    "i64",
    "f32",
    "f64",
    "usize",
    "invalid type",
    "invalid value",
    "invalid length",
    "Option",
    "missing field",
    "unknown field",
    "unknown variant",
    "untagged",
    "internally",
    "Config",
    "Some(",
    "::",
    "PerStep",
    "Alif",
    "Balanced",
    "cannot be read",
];

const WRONG: [&str; 18] = [
    "\"zebra\"",
    "\"\"",
    "-1",
    "-0.5",
    "0",
    "1.5",
    "nan",
    "inf",
    "-inf",
    "1e300",
    "9223372036854775807",
    "18446744073709551615",
    "[1, 2]",
    "[]",
    "{ zebra = 1 }",
    "{}",
    "true",
    "1979-05-27",
];

/// Shows `each` every setting with its key, and with the settings that bring it about.
fn every(
    path: &str,
    context: &[String],
    setting: &Setting,
    each: &mut impl FnMut(&str, &[String], &Setting),
) {
    let mut fields = |context: &[String], fields: &Fields| {
        for (name, field) in fields {
            let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            each(&key, context, field);
            every(&key, context, field, each);
        }
    };
    let with = |value: String| [context, &[format!("{path}={value}")]].concat();
    match &setting.shape {
        Shape::Table(all) if setting.needed || setting.default.is_some() => fields(context, all),
        Shape::Table(all) => fields(&with(example(setting)), all),
        Shape::Kinds { tag, kinds } => {
            for kind in kinds {
                let needed = kind.fields.iter().filter(|(_, field)| field.needed);
                let entries: String =
                    needed.map(|(name, field)| format!(", {name} = {}", example(field))).collect();
                fields(&with(format!("{{ {tag} = \"{}\"{entries} }}", kind.name)), &kind.fields);
            }
        }
        Shape::Forms(forms) => {
            for Form { name, inside, .. } in forms {
                let Some(inside) = inside else { continue };
                let key = format!("{path}.{name}");
                let context = with(format!("{{ {name} = {} }}", example(inside)));
                each(&key, &context, inside);
                every(&key, &context, inside, each);
            }
        }
        Shape::List { of, .. } => every(&format!("{path}.0"), context, of, each),
        Shape::Either(all) => {
            for setting in all {
                if let Shape::Table(inside) = &setting.shape {
                    fields(&with(example(setting)), inside);
                }
            }
        }
        _ => {}
    }
}

fn load(context: &[String], setting: String) -> Result<TaskConfig, String> {
    let settings = [context, &[setting]].concat();
    TaskConfig::load("ecg", &settings).map_err(|error| error.to_string())
}

#[test]
fn wrong_values_are_refused_in_the_words_of_the_user() {
    let mut seen = 0;
    every("", &[], shape::task(), &mut |key, context, setting| {
        let edges = setting.range.as_ref().map(super::range::Range::edges);
        let numeric = matches!(setting.shape, Shape::Number { .. } | Shape::Whole);
        assert!(
            !numeric || setting.range.as_ref().is_some_and(super::range::Range::is_stated),
            "{key} states no range"
        );
        assert!(
            !setting.meaning.is_empty() || key.contains("form.") || numeric,
            "{key} has no meaning"
        );
        let outside = edges.as_ref().filter(|_| numeric).map_or(vec![], |[_, outside]| {
            outside.iter().map(|value| format!("{value:?}")).collect()
        });
        for value in &outside {
            load(context, format!("{key}={value}")).expect_err(&format!("{key}={value}"));
        }
        let wrong = WRONG.iter().map(|&value| value.to_owned());
        for value in wrong.chain(outside) {
            seen += 1;
            let Err(message) = load(context, format!("{key}={value}")) else { continue };
            // Where two settings must agree, the other may be the one that is named with this.
            let (table, name) = key.rsplit_once('.').unwrap_or(("", key));
            let both = message.contains(table) && message.contains(name);
            assert!(both, "{key}={value}: {message}");
            for word in FORBIDDEN {
                assert!(!message.contains(word), "{key}={value}: {word}\n{message}");
            }
        }
    });
    assert!(seen > 3000, "{seen}");
}

#[test]
fn every_kind_of_data_has_settings() {
    let mut kinds = Vec::new();
    every("", &[], shape::task(), &mut |key, context, _| {
        if key.starts_with("dataset.")
            && let Ok(task) = load(context, "train.epochs=1".into())
        {
            kinds.push(std::mem::discriminant(&task.dataset));
        }
    });
    kinds.dedup();
    let own = DatasetConfig::Own(crate::dataset::own::OwnConfig::new(
        "x",
        crate::dataset::own::Form::Csv,
    ));
    assert!(kinds.len() >= 9 && kinds.contains(&std::mem::discriminant(&own)), "{}", kinds.len());
}

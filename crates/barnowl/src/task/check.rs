//! Whether a task's settings are what there is: names, kinds, words, types and ranges.
//!
//! The types of the configuration refuse the same, in the words of their libraries; here it is said in the user's.

use super::paths::{below, paths};
use super::shape::{self, Fields, Form, Kind, Setting, Shape};
use super::short::CELLS;
use crate::error::{Error, Result};
use crate::nearest::nearest;
use toml::{Table, Value};

const ALL: &str = "`barnowl tasks NAME --all` prints a task with every setting that there is";

/// More names than this are not listed in a message.
const FEW: usize = 14;

/// Refuses the first value that a task cannot have.
///
/// # Errors
///
/// Names the setting as the user writes it, what was found and what is expected.
pub(super) fn check(task: &Table) -> Result<()> {
    let Shape::Table(fields) = &shape::task().shape else { return Ok(()) };
    entries("", fields, None, task)
}

/// Entries of a table, of which `kind` (its key and value) is known.
fn entries(path: &str, fields: &Fields, kind: Option<(&str, &str)>, table: &Table) -> Result<()> {
    for (name, value) in table {
        if kind.is_some_and(|(tag, _)| tag == name) {
            continue;
        }
        match fields.iter().find(|(known, _)| known == name) {
            Some((_, setting)) => one(&below(path, name), setting, value)?,
            None => return Err(unknown(path, name, fields, kind)),
        }
    }
    let missing = fields.iter().find(|(name, field)| field.needed && !table.contains_key(name));
    match missing {
        None => Ok(()),
        Some((name, setting)) => {
            let key = below(path, name);
            let because = kind.map(|(_, kind)| format!(" of {kind}")).unwrap_or_default();
            Err(Error::config(format!("{key}{because} is missing"))
                .with_key(key)
                .expected(expected(setting))
                .remedy(ALL))
        }
    }
}

fn unknown(path: &str, name: &str, fields: &Fields, kind: Option<(&str, &str)>) -> Error {
    let key = below(path, name);
    let of = kind.map(|(_, kind)| format!(" of {kind}")).unwrap_or_default();
    let names = || fields.iter().map(|(name, _)| name.as_str());
    let error = Error::config(format!("there is no setting {key}{of}")).with_key(&key);
    if let Some(near) = nearest(name, names()) {
        return error.expected(format!("perhaps {}", below(path, near))).remedy(ALL);
    }
    // A name without its path, such as `epochs`, or of another table.
    let same = paths().iter().find(|path| path.rsplit('.').next() == Some(name));
    if let Some(elsewhere) = same.filter(|other| kind.is_none() || !other.starts_with(path)) {
        return error.expected(format!("perhaps {elsewhere}")).remedy(ALL);
    }
    match fields.len() {
        0 => error.expected("nothing beside the kind"),
        count if count <= FEW => error.expected(one_of(names())),
        _ => error,
    }
    .remedy(ALL)
}

/// A value of one setting.
fn one(path: &str, setting: &Setting, value: &Value) -> Result<()> {
    let wrong = || Err(Error::found(path, shown(value)).expected(expected(setting)));
    let beyond = || {
        let range = setting.range.as_ref().map_or_else(|| expected(setting), ToString::to_string);
        Err(Error::found(path, shown(value)).expected(range))
    };
    match (&setting.shape, value) {
        (Shape::Flag, Value::Boolean(_)) | (Shape::Text, Value::String(_)) => Ok(()),
        (Shape::Number { single }, Value::Integer(_) | Value::Float(_)) => {
            let number = match value {
                Value::Float(number) => *number,
                other => other.as_integer().map_or(0.0, |number| number as f64),
            };
            let fits = !*single || number.is_infinite() || number.abs() <= f64::from(f32::MAX);
            let inside = match &setting.range {
                Some(range) => range.contains(number),
                None => number.is_finite(),
            };
            if fits && inside { Ok(()) } else { beyond() }
        }
        (Shape::Whole, Value::Integer(number)) => {
            let allowed = setting.range.as_ref().is_none_or(|range| range.contains(*number as f64));
            if *number >= 0 && allowed { Ok(()) } else { beyond() }
        }
        (Shape::Words(words), Value::String(word)) => {
            if words.iter().any(|known| known.name == *word) {
                return Ok(());
            }
            let cells = CELLS.iter().filter(|_| setting.group.as_deref() == Some("CellKind"));
            let names = words.iter().map(|word| word.name.as_str());
            let names = names.chain(cells.map(|(word, ..)| *word));
            Err(among(path, word, names, expected(setting)))
        }
        (Shape::List { of, length }, Value::Array(values)) => {
            if length.is_some_and(|length| length != values.len()) {
                return wrong();
            }
            let mut values = values.iter().enumerate();
            values.try_for_each(|(place, value)| one(&format!("{path}.{place}"), of, value))
        }
        (Shape::Table(fields), Value::Table(table)) => entries(path, fields, None, table),
        (Shape::Map(entry), Value::Table(table)) => {
            table.iter().try_for_each(|(name, value)| one(&below(path, name), entry, value))
        }
        (Shape::Kinds { tag, kinds }, Value::Table(table)) => {
            let key = below(path, tag);
            let names = || kinds.iter().map(|kind| kind.name.as_str());
            let kind = match table.get(tag) {
                Some(Value::String(kind)) => kind,
                Some(other) => {
                    return Err(Error::found(key, shown(other)).expected(one_of(names())));
                }
                None => {
                    return Err(Error::config(format!("{key} is missing"))
                        .with_key(key)
                        .expected(one_of(names())));
                }
            };
            match kinds.iter().find(|known| known.name == *kind) {
                Some(known) => entries(path, &known.fields, Some((tag, kind)), table),
                None => Err(among(&key, kind, names(), one_of(names()))),
            }
        }
        (Shape::Kinds { kinds, .. }, Value::String(word)) => {
            Err(among(path, word, kinds.iter().map(|kind| kind.name.as_str()), expected(setting)))
        }
        (Shape::Either(all), _) => {
            if all.iter().any(|setting| one(path, setting, value).is_ok()) {
                return Ok(());
            }
            // Of a table, what is wrong in it.
            let table = all.iter().find(|setting| matches!(setting.shape, Shape::Table(_)));
            table.filter(|_| value.is_table()).map_or_else(wrong, |table| one(path, table, value))
        }
        (Shape::Forms(forms), Value::String(word)) => form_alone(path, forms, word, setting),
        (Shape::Forms(forms), Value::Table(table)) => {
            let known = |name: &String| forms.iter().find(|form| form.name == *name);
            let mut entries = table.iter();
            match (entries.next(), entries.next()) {
                (Some((name, value)), None) => match known(name) {
                    Some(Form { inside: Some(inside), .. }) => {
                        one(&below(path, name), inside, value)
                    }
                    Some(_) => Err(Error::found(path, shown(&Value::Table(table.clone())))
                        .expected(format!("the word alone, {name:?}"))),
                    None => {
                        let names = forms.iter().map(|form| form.name.as_str());
                        Err(among(&below(path, name), name, names, expected(setting)))
                    }
                },
                _ => wrong(),
            }
        }
        _ => wrong(),
    }
}

fn form_alone(path: &str, forms: &[Form], word: &str, setting: &Setting) -> Result<()> {
    match forms.iter().find(|form| form.name == word) {
        Some(Form { inside: None, .. }) => Ok(()),
        Some(Form { inside: Some(inside), .. }) => Err(Error::found(path, format!("{word:?}"))
            .expected(format!("{{ {word} = … }} with {}", expected(inside)))
            .remedy(ALL)),
        None => {
            let names = forms.iter().map(|form| form.name.as_str());
            Err(among(path, word, names, expected(setting)))
        }
    }
}

/// None of the words that there are.
fn among<'a>(
    path: &str,
    word: &str,
    words: impl Iterator<Item = &'a str>,
    expected: String,
) -> Error {
    let near = nearest(word, words);
    let error = Error::found(path, shown(&Value::String(word.to_owned()))).expected(expected);
    match near {
        Some(near) => error.remedy(format!("perhaps {near:?} is meant")),
        None => error,
    }
}

/// A value as the user writes it; a number that is too large to be one has come as text.
pub(super) fn shown(value: &Value) -> String {
    const MOST: usize = 60;
    let text = match value {
        Value::String(text) if is_number(text) => text.clone(),
        Value::Float(number) => format!("{number:?}"),
        value => value.to_string().trim().replace('\n', " "),
    };
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '_')
}

fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// What a setting may be, in words.
pub(super) fn expected(setting: &Setting) -> String {
    let range = |kind: &str| match &setting.range {
        Some(range) => format!("{kind}, {range}"),
        None => kind.to_owned(),
    };
    match &setting.shape {
        Shape::Flag => "true or false".into(),
        Shape::Number { .. } => range("a number"),
        Shape::Whole => range("a whole number"),
        Shape::Text => "text".into(),
        Shape::Words(words) if setting.group.as_deref() == Some("CellKind") => {
            let names = words.iter().map(|word| word.name.as_str());
            one_of(CELLS.iter().map(|(word, ..)| *word).chain(names))
        }
        Shape::Words(words) => one_of(words.iter().map(|word| word.name.as_str())),
        Shape::List { of, length: None } => format!("a list, each {}", expected(of)),
        Shape::List { of, length: Some(length) } => {
            format!("a list of {length}, each {}", expected(of))
        }
        Shape::Table(fields) => table_of(fields),
        Shape::Map(entry) => format!("a table of names, each {}", expected(entry)),
        Shape::Kinds { kinds, .. } => {
            let names = one_of(kinds.iter().map(|kind| kind.name.as_str()));
            let number = kinds.iter().any(super::short::is_of_one_value);
            if number { format!("a number, or a table of kind {names}") } else { names }
        }
        Shape::Forms(forms) => {
            let form = |form: &Form| match &form.inside {
                None => form.name.clone(),
                Some(_) => format!("{{ {} = … }}", form.name),
            };
            let forms: Vec<String> = forms.iter().map(form).collect();
            one_of(forms.iter().map(String::as_str))
        }
        Shape::Either(all) => all.iter().map(expected).collect::<Vec<_>>().join(" or "),
    }
}

fn table_of(fields: &Fields) -> String {
    let mut names: Vec<&str> =
        fields.iter().filter(|(_, field)| field.needed).map(|(name, _)| name.as_str()).collect();
    let all_needed = names.len() == fields.len();
    if names.is_empty() {
        names = fields.iter().map(|(name, _)| name.as_str()).take(3).collect();
    }
    let more = if all_needed { "" } else { ", …" };
    format!(
        "a table {{ {}{more} }}",
        names.iter().map(|name| format!("{name} = …")).collect::<Vec<_>>().join(", ")
    )
}

/// All kinds' names, for the reference.
pub(super) fn names(kinds: &[Kind]) -> String {
    one_of(kinds.iter().map(|kind| kind.name.as_str()))
}

//! From TOML text to a valid task: every error names file, line and key.

use super::check::{check, shown};
use super::{TaskConfig, cell, neurons, shape, short};
use crate::error::{Error, Result};
use std::path::Path;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

/// A setting of the command, the place that it set, and what stood there afterwards.
type Done<'a> = (&'a String, String, Option<Value>);

/// Parses a task and applies overrides of the form `key=value`.
pub(super) fn task(origin: &str, text: &str, overrides: &[String]) -> Result<TaskConfig> {
    let mut whole: Table =
        toml::from_str(text).map_err(|error| parse_error(origin, text, &error))?;
    let place = |error: Error| located(error, origin, text, overrides);
    // `network.cell` stands for settings of the layers, and leaves only those behind.
    let network = whole.get_mut("network").and_then(Value::as_table_mut);
    let mut cell = network.and_then(|network| network.remove("cell"));
    let folder = Path::new(origin).parent().unwrap_or(Path::new(""));
    expand(&mut whole, folder).map_err(place)?;
    let mut done = Vec::new();
    for setting in overrides {
        let (key, value) = split(setting)?;
        if key == "network.cell" {
            cell = Some(value);
            continue;
        }
        let places = places(&whole, key)?;
        for place in &places {
            neurons::replace(&mut whole, place);
            set(&mut whole, place, value.clone())?;
        }
        expand(&mut whole, folder)
            .map_err(|error| error.during(format_args!("--set {setting}")))?;
        done.extend(places.into_iter().map(|place| {
            let value = value_at(&whole, &place).cloned();
            (setting, place, value)
        }));
    }
    check(&whole).map_err(place)?;
    let mut task: TaskConfig = whole.clone().try_into().map_err(|error: toml::de::Error| {
        Error::config(format!("the task cannot be read: {}", error.message().trim()))
            .in_file(origin)
    })?;
    if let Some(cell) = &cell {
        let word = cell.as_str().map_or_else(|| cell.to_string(), str::to_owned);
        cell::set_all(&mut task.network, &word)?;
    }
    task.validate().map_err(place)?;
    kept(&task, &whole, &done, cell.is_some())?;
    Ok(task)
}

/// Brings short forms to the long ones, and reads the files of neurons, from the task's folder on.
fn expand(task: &mut Table, folder: &Path) -> Result<()> {
    short::cells(task)?;
    neurons::read_files(task, folder)?;
    let mut value = Value::Table(std::mem::take(task));
    short::expand(shape::task(), &mut value);
    if let Value::Table(expanded) = value {
        *task = expanded;
    }
    Ok(())
}

/// Refuses settings that others undid: `value` is what stood at `place` after the setting.
fn kept(task: &TaskConfig, whole: &Table, done: &[Done<'_>], cell: bool) -> Result<()> {
    if done.is_empty() {
        return Ok(());
    }
    let read: Table = toml::from_str(&task.to_toml()?).map_err(|error| {
        Error::config(format!("the task cannot be read again: {}", error.message()))
    })?;
    for (number, (setting, place, value)) in done.iter().enumerate() {
        // What was set once more is meant to be.
        let again = done[number + 1..].iter().any(|(_, other, _)| other == place);
        let Some(value) = value.as_ref().filter(|_| !again) else { continue };
        // What is as by default need not be written.
        let stays = value_at(&read, place).is_none_or(|found| includes(found, value, done, place));
        if value_at(whole, place).is_none() || !stays {
            return Err(undone(setting, cell));
        }
    }
    Ok(())
}

fn undone(setting: &str, cell: bool) -> Error {
    let by = if cell { "another setting, such as network.cell," } else { "a later setting" };
    Error::config(format!("--set {setting}: {by} undoes it"))
        .remedy("leave one of the two out, or give the setting of the whole first and that of its part after it")
}

/// Whether all of `value` is in what was `found`, but for what later settings changed.
fn includes(found: &Value, value: &Value, done: &[Done<'_>], place: &str) -> bool {
    if done
        .iter()
        .any(|(_, other, _)| other.strip_prefix(place).is_some_and(|rest| rest.starts_with('.')))
    {
        return true;
    }
    match (found, value) {
        (Value::Table(found), Value::Table(value)) => value
            .iter()
            .all(|(key, value)| found.get(key).is_none_or(|found| includes(found, value, &[], ""))),
        (Value::Array(found), Value::Array(value)) => {
            found.len() == value.len()
                && found.iter().zip(value).all(|(found, value)| includes(found, value, &[], ""))
        }
        (Value::Float(found), Value::Float(value)) => *found as f32 == *value as f32,
        (Value::Float(found), Value::Integer(value)) => *found as f32 == *value as f32,
        _ => short::same(found, value),
    }
}

/// Says where the value stands that an error is about: in the file, or in a setting of the command.
fn located(error: Error, origin: &str, text: &str, overrides: &[String]) -> Error {
    let Some(key) = error.key() else { return error.in_file(origin) };
    let of = |setting: &&String| {
        let set = setting.split_once('=').map_or("", |(key, _)| key.trim());
        let parts = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        parts(set).iter().zip(parts(key)).all(|(set, part)| *set == part || set == "*")
    };
    match overrides.iter().rfind(of) {
        // The key says it.
        Some(setting) if setting.split_once('=').is_some_and(|(set, _)| set.trim() == key) => error,
        Some(setting) => error.during(format_args!("--set {setting}")),
        None => match line_of(text, key) {
            Some(line) => error.in_file(origin).at_line(line),
            None => error.in_file(origin),
        },
    }
}

fn parse_error(origin: &str, text: &str, error: &toml::de::Error) -> Error {
    let message = error.message().trim().replace('\n', ", ");
    let found = Error::config(message).in_file(origin);
    match error.span() {
        Some(span) => found.at_line(line_at(text, span.start)),
        None => found,
    }
}

/// The line, from 1, of a byte offset.
fn line_at(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}

/// The line on which a dotted key stands, or the nearest table above it that does.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let mut place = None;
    let mut inside = Some(DeValue::Table(table.into_inner()));
    for part in key.split('.') {
        let next: Option<Spanned<DeValue<'_>>> = match inside.take() {
            Some(DeValue::Table(table)) => {
                table.into_iter().find(|(name, _)| name.get_ref() == part).map(|(name, value)| {
                    place = Some(name.span().start);
                    value
                })
            }
            Some(DeValue::Array(array)) => {
                let index = part.parse::<usize>().ok();
                let found = index.and_then(|index| array.into_iter().nth(index));
                if let Some(value) = &found {
                    place = Some(value.span().start);
                }
                found
            }
            _ => None,
        };
        match next {
            Some(value) => inside = Some(value.into_inner()),
            None => break,
        }
    }
    place.map(|offset| line_at(text, offset))
}

fn split(setting: &str) -> Result<(&str, Value)> {
    let Some((key, value)) = setting.split_once('=') else {
        return Err(
            Error::config(format!("--set {setting}")).expected("key=value, such as train.batch=32")
        );
    };
    let (key, value) = (key.trim(), value.trim());
    // A value is TOML; what is not, is a word that needs no quotes here.
    let parsed = toml::from_str::<Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(value.to_owned()));
    Ok((key, parsed))
}

/// The places that a dotted key stands for: `*` is every element of a list.
fn places(table: &Table, key: &str) -> Result<Vec<String>> {
    let Some((before, after)) = key.split_once(".*.") else { return Ok(vec![key.to_owned()]) };
    let Some(Value::Array(array)) = value_at(table, before) else {
        return Err(Error::config(format!("--set {key}: {before} is no list"))
            .remedy("`*` stands for all elements of a list, as in network.layers.*.size"));
    };
    let mut found = Vec::new();
    for element in 0..array.len() {
        found.extend(places(table, &format!("{before}.{element}.{after}"))?);
    }
    Ok(found)
}

/// What stands at a dotted key; a number selects an element of a list.
fn value_at<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let mut parts = key.split('.');
    let first = table.get(parts.next()?)?;
    parts.try_fold(first, |value, part| match value {
        Value::Array(array) => array.get(part.parse::<usize>().ok()?),
        value => value.get(part),
    })
}

/// Sets a dotted key; a number selects an element of a list.
fn set(table: &mut Table, key: &str, value: Value) -> Result<()> {
    let mut parts = key.split('.').peekable();
    let first = parts.next().unwrap_or_default();
    let mut place = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
    let mut path = first.to_owned();
    while let Some(part) = parts.next() {
        place = match place {
            Value::Array(array) => {
                let length = array.len();
                let index = part.parse().ok().filter(|index: &usize| *index < length);
                let Some(index) = index else {
                    return Err(Error::config(format!("--set {key}: there is no element {part}"))
                        .expected(format!("an index below {length}")));
                };
                &mut array[index]
            }
            Value::Table(table) => {
                if part == "cell" && parts.peek().is_none() {
                    // A cell that stands for another setting brings it along.
                    let word = short::CELLS.iter().find(|(word, ..)| value.as_str() == Some(word));
                    word.and_then(|(_, key, _)| table.remove(*key));
                }
                table.entry(part).or_insert_with(|| Value::Table(Table::new()))
            }
            other => {
                return Err(Error::config(format!(
                    "--set {key}: there is nothing below {path} = {}",
                    shown(other)
                )));
            }
        };
        path = format!("{path}.{part}");
    }
    // An integer where a decimal number stands is meant as one.
    *place = match (&*place, value) {
        (Value::Float(_), Value::Integer(value)) => Value::Float(value as f64),
        (_, value) => value,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECG: &str = include_str!("../../../../tasks/ecg.toml");

    fn with(overrides: &[&str]) -> Result<TaskConfig> {
        let overrides: Vec<String> = overrides.iter().map(|&setting| setting.into()).collect();
        task("ecg.toml", ECG, &overrides)
    }

    #[test]
    fn overrides_reach_every_level() {
        let task = with(&[
            "network.layers.0.size=12",
            "train.learning_rate=1",
            "train.optimizer.kind=adamax",
            "network.layers.0.tau_m={ kind = \"constant\", value = 9.0 }",
            "network.layers.*.b0=1",
        ])
        .unwrap();
        assert_eq!(task.network.layers[0].size, 12);
        assert_eq!(task.network.layers[0].b0, 1.0);
        assert_eq!(task.train.learning_rate, 1.0);
        assert_eq!(task.network.layers[0].tau_m, crate::neuron::TimeConstants::constant(9.0));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let text = ECG.replace("[train]", "[train]\nepoch = 3");
        let error = task("mine.toml", &text, &[]).unwrap_err().to_string();
        let line = 1 + text.lines().position(|line| line == "epoch = 3").unwrap();
        assert!(error.starts_with(&format!("mine.toml, line {line}: ")), "{error}");
        assert!(error.contains("epoch"), "{error}");
    }

    #[test]
    fn a_value_out_of_range_is_named_with_key_line_and_range() {
        let text = ECG.replacen("size = 36", "size = 0", 1);
        let error = task("mine.toml", &text, &[]).unwrap_err().to_string();
        let line = 1 + text.lines().position(|line| line == "size = 0").unwrap();
        let expected = format!("mine.toml, line {line}: network.layers.0.size = 0; expected 1 to ");
        assert!(error.starts_with(&expected), "{error}");
    }

    #[test]
    fn bad_overrides_are_refused() {
        for setting in [
            "nonsense",
            "network.layers.7.size=3",
            "network.*.size=3",
            "train.epochs=-1",
            "train.unknown=1",
            "train.epochs.below=1",
            "network.layers.0.size=0",
            "train.validation=1.5",
        ] {
            let error = with(&[setting]).unwrap_err().to_string();
            let key = setting.split('=').next().unwrap();
            assert!(error.contains(key), "{setting}: {error}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let task = with(&[]).unwrap();
        let text = task.to_toml().unwrap();
        assert_eq!(super::task("again", &text, &[]).unwrap(), task);
    }
}

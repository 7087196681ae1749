//! From TOML text to a valid task: every error names file, line and key.

use super::TaskConfig;
use crate::cell::set_cell;
use crate::error::{Error, Result};
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

/// Parses a task and applies overrides of the form `key=value`.
pub(super) fn task(origin: &str, text: &str, overrides: &[String]) -> Result<TaskConfig> {
    // `network.cell` stands for settings of the layers, and leaves only those behind.
    let mut whole: Table =
        toml::from_str(text).map_err(|error| parse_error(origin, text, &error))?;
    let network = whole.get_mut("network").and_then(Value::as_table_mut);
    let mut cell = network.and_then(|network| network.remove("cell"));
    let mut task: TaskConfig = match cell {
        None => toml::from_str(text).map_err(|error| parse_error(origin, text, &error))?,
        Some(_) => whole.clone().try_into().map_err(|error| parse_error(origin, text, &error))?,
    };
    if !overrides.is_empty() {
        let mut table = whole;
        for setting in overrides {
            let (key, value) = split(setting)?;
            if key == "network.cell" {
                cell = Some(value);
                continue;
            }
            set(&mut table, key, value)?;
            // One at a time, so that a refusal is about the setting at hand.
            task = table.clone().try_into().map_err(|error: toml::de::Error| {
                Error::config(format!("--set {setting}: {}", error.message().trim()))
                    .remedy("`barnowl tasks NAME` prints the task with all its keys")
            })?;
        }
    }
    if let Some(cell) = cell {
        let word = cell.as_str().map_or_else(|| cell.to_string(), str::to_owned);
        set_cell(&mut task.network, &word)?;
    }
    task.validate().map_err(|error| {
        let overridden = |key: &str| {
            let keys = overrides.iter().filter_map(|setting| setting.split_once('='));
            keys.map(|(key, _)| key.trim()).any(|set| key.starts_with(set))
        };
        match error.key() {
            Some(key) if overridden(key) => error,
            Some(key) => match line_of(text, key) {
                Some(line) => error.in_file(origin).at_line(line),
                None => error.in_file(origin),
            },
            None => error.in_file(origin),
        }
    })?;
    Ok(task)
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

/// Sets a dotted key; a number selects an element of an array, `*` all of them.
fn set(table: &mut Table, key: &str, value: Value) -> Result<()> {
    if let Some((before, after)) = key.split_once(".*.") {
        let mut place = table.get(before.split('.').next().unwrap_or_default());
        for part in before.split('.').skip(1) {
            place = place.and_then(|value| value.get(part));
        }
        let Some(Value::Array(array)) = place else {
            return Err(Error::config(format!("--set {key}: {before} is no list"))
                .remedy("`*` stands for all elements of a list, as in network.layers.*.size"));
        };
        return (0..array.len())
            .try_for_each(|i| set(table, &format!("{before}.{i}.{after}"), value.clone()));
    }
    let mut parts = key.split('.').peekable();
    let first = parts.next().unwrap_or_default();
    let mut place = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
    for part in parts {
        place = match place {
            Value::Array(array) => {
                let length = array.len();
                part.parse().ok().and_then(|index: usize| array.get_mut(index)).ok_or_else(
                    || {
                        Error::config(format!("--set {key}: there is no element {part}"))
                            .expected(format!("an index below {length}"))
                    },
                )?
            }
            Value::Table(table) => table.entry(part).or_insert_with(|| Value::Table(Table::new())),
            other => {
                return Err(Error::config(format!(
                    "--set {key}: there is nothing below a value of type {}",
                    other.type_str()
                )));
            }
        };
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

//! What the command line says of a task's settings, by flags of their own and by `--set`.

use barnowl::error::{Error, Result};
use barnowl::task::TaskConfig;

/// A flag that stands for a setting: its name, the setting's key, and the value as TOML where it is given.
pub type Flag = (&'static str, &'static str, Option<String>);

/// All settings in the form `key=value`.
///
/// # Errors
///
/// If two of them give different values to one key.
pub fn join(flags: impl IntoIterator<Item = Flag>, set: &[String]) -> Result<Vec<String>> {
    let twice = |first: &str, second: &str, key: &str| {
        Err(Error::config(format!("{first} and {second} both set {key}"))
            .remedy("leave one of them out"))
    };
    let parts: Vec<(&str, &str)> = set
        .iter()
        .filter_map(|setting| setting.split_once('='))
        .map(|(key, value)| (key.trim(), value.trim()))
        .collect();
    for (number, (key, value)) in parts.iter().enumerate() {
        let other = parts[..number].iter().find(|(before, other)| before == key && other != value);
        if let Some((_, other)) = other {
            return twice(&format!("--set {key}={other}"), &format!("--set {key}={value}"), key);
        }
    }
    let mut all = Vec::new();
    for (flag, key, value) in flags {
        let Some(value) = value else { continue };
        let covers = |set: &str| {
            set == key || key.strip_prefix(set).is_some_and(|rest| rest.starts_with('.'))
        };
        if let Some((set, other)) = parts.iter().find(|(set, _)| covers(set)) {
            return twice(&format!("{flag} {value}"), &format!("--set {set}={other}"), key);
        }
        all.push(format!("{key}={value}"));
    }
    all.extend(set.iter().cloned());
    Ok(all)
}

/// The task of a model with other settings of its data, which say how files are read.
///
/// # Errors
///
/// If a setting is none of the data, or the model has decided it.
pub fn of_data(task: &TaskConfig, set: &[String]) -> Result<TaskConfig> {
    for setting in set {
        let key = setting.split('=').next().unwrap_or_default().trim();
        let refused =
            |expected: &str| Err(Error::config(format!("--set {setting}")).expected(expected));
        if !key.starts_with("dataset.") {
            return refused(
                "a key of the data, such as dataset.folder: the model decides all else",
            );
        }
        if key.starts_with("dataset.normalize") {
            return refused("another key: values are normalized as the training data were");
        }
    }
    task.overridden(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(epochs: Option<&str>, set: &[&str]) -> Result<Vec<String>> {
        let set: Vec<String> = set.iter().map(|&set| set.into()).collect();
        join([("--epochs", "train.epochs", epochs.map(str::to_owned))], &set)
    }

    #[test]
    fn one_key_has_one_value() {
        assert_eq!(
            joined(Some("1"), &["train.batch=2"]).unwrap(),
            ["train.epochs=1", "train.batch=2"]
        );
        assert_eq!(joined(None, &["a=1", "a = 1"]).unwrap().len(), 2);
        for (epochs, set) in [
            (Some("1"), vec!["train.epochs=2"]),
            (Some("1"), vec!["train={ epochs = 2 }"]),
            (None, vec!["train.epochs=1", "train.epochs=2"]),
        ] {
            let message = joined(epochs, &set).unwrap_err().to_string();
            assert!(message.contains("both set train.epochs"), "{message}");
            assert!(set.iter().all(|set| message.contains(set)), "{message}");
        }
    }
}

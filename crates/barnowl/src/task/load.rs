//! Tasks from their names and files, and as text that people read.

use super::config::TaskConfig;
use super::{parse, reference};
use crate::error::{Error, Result};
use std::path::Path;

/// The built-in tasks: name and TOML text.
pub const BUILT_IN: [(&str, &str); 17] = [
    ("ecg", include_str!("../../../../tasks/ecg.toml")),
    ("ecg-paper", include_str!("../../../../tasks/ecg-paper.toml")),
    ("ecg-forecast", include_str!("../../../../tasks/ecg-forecast.toml")),
    ("ecg-raw", include_str!("../../../../tasks/ecg-raw.toml")),
    ("smnist", include_str!("../../../../tasks/smnist.toml")),
    ("psmnist", include_str!("../../../../tasks/psmnist.toml")),
    ("shd", include_str!("../../../../tasks/shd.toml")),
    ("ssc", include_str!("../../../../tasks/ssc.toml")),
    ("gsc", include_str!("../../../../tasks/gsc.toml")),
    ("gsc-35", include_str!("../../../../tasks/gsc-35.toml")),
    ("timit", include_str!("../../../../tasks/timit.toml")),
    ("soli", include_str!("../../../../tasks/soli.toml")),
    ("fsdd", include_str!("../../../../tasks/fsdd.toml")),
    ("fsdd-spikes", include_str!("../../../../tasks/fsdd-spikes.toml")),
    ("fsdd-spikes-augmented", include_str!("../../../../tasks/fsdd-spikes-augmented.toml")),
    ("smnist-windows", include_str!("../../../../tasks/smnist-windows.toml")),
    ("psmnist-windows", include_str!("../../../../tasks/psmnist-windows.toml")),
];

impl TaskConfig {
    /// The task of a built-in name or a TOML file, with overrides of the form `key=value`, such as
    /// `network.layers.0.size=64`.
    ///
    /// # Errors
    ///
    /// An unknown name, a file that cannot be read or parsed, an unknown key, a value of the wrong type or out of range:
    /// with file, line, key and the allowed range.
    pub fn load(name_or_path: &str, overrides: &[String]) -> Result<Self> {
        let built_in = BUILT_IN.iter().find(|(name, _)| *name == name_or_path);
        let (origin, text) = if let Some((name, text)) = built_in {
            (format!("built-in task {name}"), (*text).to_owned())
        } else if name_or_path.ends_with(".toml") || Path::new(name_or_path).is_file() {
            let bytes = crate::file::read(Path::new(name_or_path))?;
            let text = String::from_utf8(bytes).map_err(|error| {
                Error::config("the file is not UTF-8 text")
                    .in_file(name_or_path)
                    .at_byte(error.utf8_error().valid_up_to() as u64)
            })?;
            (name_or_path.to_owned(), text)
        } else {
            let names: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
            return Err(Error::config(format!("there is no task {name_or_path:?}"))
                .expected(format!("{} or the path of a TOML file", names.join(", ")))
                .remedy("`barnowl tasks` lists the built-in tasks"));
        };
        parse::task(&origin, &text, overrides)
    }

    /// The same task, with overrides of the form `key=value`.
    ///
    /// # Errors
    ///
    /// As [`TaskConfig::load`].
    pub fn overridden(&self, overrides: &[String]) -> Result<Self> {
        parse::task(&format!("task {}", self.name), &self.to_toml()?, overrides)
    }

    /// The configuration as TOML text with every setting that there is, each with its meaning, range and default in a comment;
    /// what is not set stands in comments, with an example.
    ///
    /// # Errors
    ///
    /// As [`TaskConfig::to_toml`].
    pub fn to_commented_toml(&self) -> Result<String> {
        let written = toml::from_str(&self.to_toml()?);
        let table = written.map_err(|error| {
            Error::config(format!("the configuration cannot be read again: {}", error.message()))
        })?;
        Ok(reference::commented(&table))
    }
}

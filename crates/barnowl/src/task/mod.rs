//! A task: data set, network and training recipe in one TOML file.
//!
//! The built-in tasks stand in the folder `tasks/` and are embedded in the binary; [`TaskConfig::load`] takes a name or
//! a path, and overrides of single keys.

mod check;
mod data;
mod effort;
mod parse;
mod range;
mod reference;
mod shape;
mod short;
#[cfg(test)]
mod wrong_values;

pub use crate::dataset::Split;
pub use data::DatasetConfig;
pub use reference::reference;

use crate::dataset::{DataCard, Dataset, Known};
use crate::error::{Error, Result};
use crate::network::NetworkConfig;
use crate::train::TrainConfig;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The built-in tasks: name and TOML text.
pub const BUILT_IN: [(&str, &str); 16] = [
    ("ecg", include_str!("../../../../tasks/ecg.toml")),
    ("ecg-paper", include_str!("../../../../tasks/ecg-paper.toml")),
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

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskConfig {
    /// A short name, such as `ecg`.
    pub name: String,
    /// What the task is, in one line.
    pub summary: String,
    /// Where the data come from.
    pub dataset: DatasetConfig,
    /// The network.
    pub network: NetworkConfig,
    /// The training recipe.
    #[serde(default)]
    pub train: TrainConfig,
}

/// The data of a run.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What the weights are trained on.
    pub train: Dataset,
    /// What the epoch is chosen by.
    pub valid: Dataset,
    /// What is reported, if it was wanted.
    pub test: Option<Dataset>,
    /// What a model will remember of them.
    pub card: DataCard,
}

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

    /// Checks every range.
    ///
    /// # Errors
    ///
    /// Names the key, its value and what is allowed.
    pub fn validate(&self) -> Result<()> {
        self.network.validate("network")?;
        self.train.validate("train")?;
        self.dataset.validate()
    }

    /// The configuration as TOML text.
    ///
    /// # Errors
    ///
    /// If a value has no TOML form, such as an integer beyond 63 bits.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string_pretty(self)
            .map_err(|error| Error::config(format!("the configuration cannot be written: {error}")))
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

    /// The training and validation data: the data set's own parts, or a split of its training part.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, or do not fit the network.
    pub fn training_data(&self, data: Option<&Path>) -> Result<(Dataset, Dataset)> {
        let prepared = self.prepare(data, false)?;
        Ok((prepared.train, prepared.valid))
    }

    /// The training part without the fold or the group that is held out, and what is held out; none where nothing is.
    pub(crate) fn hold_out(&self, train: &Dataset) -> Result<Option<(Dataset, Dataset)>> {
        let TrainConfig { fold, leave_out, split_seed, .. } = &self.train;
        match (fold, leave_out) {
            (Some(fold), _) => train.hold_out(*fold, *split_seed).map(Some),
            (None, Some(group)) => train.leave_out(group).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The names of the groups of the training part, such as its subjects.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, or have no groups.
    pub fn groups(&self, data: Option<&Path>) -> Result<Vec<String>> {
        let train = self.part(data, Split::Train, Known::default())?;
        match train.groups() {
            Some(_) => Ok(train.group_names().to_vec()),
            None => Err(Error::mismatch(format!(
                "{} does not say which group its sequences are of",
                self.dataset.source()
            ))
            .expected("a group, such as the subject, for every sequence")
            .remedy(
                "say which subject or group each sequence is of, or use `barnowl study folds`",
            )),
        }
    }

    /// One part of the data, normalized as the task says by the training data.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, or do not fit the network.
    pub fn data(&self, data: Option<&Path>, split: Split) -> Result<Dataset> {
        if split == Split::Test && !self.dataset.is_normalized() && !self.train.holds_out() {
            return self.part(data, split, Known::default());
        }
        let prepared = self.prepare(data, split == Split::Test)?;
        Ok(match split {
            Split::Train => prepared.train,
            Split::Valid => prepared.valid,
            // Asked for, so there.
            Split::Test => prepared.test.unwrap_or(prepared.valid),
        })
    }

    /// The data of a run: to train on, to validate with and, if wanted, to test with, and the card by which a model will know
    /// them again.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, or do not fit the network.
    pub fn prepare(&self, data: Option<&Path>, with_test: bool) -> Result<Prepared> {
        let whole = self.part(data, Split::Train, Known::default())?;
        let mut card = DataCard::of(&whole, self.sampling_rate());
        let (whole, held_out) = match self.hold_out(&whole)? {
            Some((rest, out)) => (rest, Some(out)),
            None => (whole, None),
        };
        // A validation part of the data set's own may share groups with what is held out.
        let valid = match held_out {
            Some(_) => None,
            None => self.dataset.load(data, Split::Valid, card.known())?,
        };
        if let Some(valid) = &valid {
            self.check(valid)?;
            card = card.with(Split::Valid, valid);
        }
        let (train, valid) = match valid {
            Some(valid) => (whole, valid),
            None => whole.split(self.train.validation, self.train.split_seed)?,
        };
        let test = match (with_test, held_out) {
            (true, None) => {
                let test = self.part(data, Split::Test, card.known())?;
                card = card.with(Split::Test, &test);
                Some(test)
            }
            (true, held_out) => held_out,
            (false, _) => None,
        };
        card.normalization = train.fit_normalization(self.dataset.normalize(&train));
        let normal = |data: Dataset| match &card.normalization {
            Some(by) => data.normalized(by),
            None => Ok(data),
        };
        let test = test.map(normal).transpose()?;
        Ok(Prepared { train: normal(train)?, valid: normal(valid)?, test, card })
    }

    /// A part of the data as it is read: not split, not normalized. `known` is what a model knows of its data.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, do not fit the network, or there is no such part.
    pub fn raw_part(&self, data: Option<&Path>, split: Split, known: Known<'_>) -> Result<Dataset> {
        self.part(data, split, known)
    }

    /// Steps per second, where the data have a scale of time.
    #[must_use]
    pub fn sampling_rate(&self) -> Option<f64> {
        self.dataset.sampling_rate()
    }

    /// A part that every data set has.
    fn part(&self, data: Option<&Path>, part: Split, known: Known<'_>) -> Result<Dataset> {
        let loaded = self.dataset.load(data, part, known).map_err(|error| match data {
            // Without a file to name, the task says what was asked for.
            None => error.during(format_args!("task {}", self.name)),
            Some(_) => error,
        });
        let dataset = loaded?.ok_or_else(|| {
            Error::mismatch(format!("{} has no {} part", self.dataset.source(), part.name()))
        })?;
        self.check(&dataset)?;
        Ok(dataset)
    }

    /// Whether a data set fits the network.
    ///
    /// # Errors
    ///
    /// If channels, classes, steps or the kind of targets differ.
    pub fn check(&self, dataset: &Dataset) -> Result<()> {
        self.network.check(dataset)
    }
}

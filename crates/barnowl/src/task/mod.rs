//! A task: data set, network and training recipe in one TOML file.
//!
//! The built-in tasks stand in the folder `tasks/` and are embedded in the binary; [`TaskConfig::load`] takes a name or
//! a path, and overrides of single keys.

mod data;
mod parse;

pub use crate::dataset::Split;
pub use data::DatasetConfig;

use crate::dataset::{Dataset, Known, Targets, UNLABELLED};
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

    /// The training and validation data: the data set's own parts, or a split of its training part.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, or do not fit the network.
    pub fn training_data(&self, data: Option<&Path>) -> Result<(Dataset, Dataset)> {
        // A validation part of the data set's own may share groups with what is held out.
        if let Some((rest, _)) = self.held_out(data)? {
            return rest.split(self.train.validation, self.train.split_seed);
        }
        let train = self.part(data, Split::Train)?;
        match self.validation_part(data)? {
            Some(valid) => Ok((train, valid)),
            None => train.split(self.train.validation, self.train.split_seed),
        }
    }

    /// The training part without the fold or the group that is held out, and what is held out; none where nothing is.
    fn held_out(&self, data: Option<&Path>) -> Result<Option<(Dataset, Dataset)>> {
        let TrainConfig { fold, leave_out, split_seed, .. } = &self.train;
        match (fold, leave_out) {
            (Some(fold), _) => {
                self.part(data, Split::Train)?.hold_out(*fold, *split_seed).map(Some)
            }
            (None, Some(group)) => self.part(data, Split::Train)?.leave_out(group).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The names of the groups of the training part, such as its subjects.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, or have no groups.
    pub fn groups(&self, data: Option<&Path>) -> Result<Vec<String>> {
        let train = self.part(data, Split::Train)?;
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

    /// One part of the data.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, or do not fit the network.
    pub fn data(&self, data: Option<&Path>, split: Split) -> Result<Dataset> {
        match split {
            Split::Train => Ok(self.training_data(data)?.0),
            Split::Valid => match self.validation_part(data)? {
                Some(valid) if !self.train.holds_out() => Ok(valid),
                _ => Ok(self.training_data(data)?.1),
            },
            Split::Test => match self.held_out(data)? {
                Some((_, out)) => Ok(out),
                None => self.part(data, Split::Test),
            },
        }
    }

    /// The validation part of the data set's own, if it has one.
    fn validation_part(&self, data: Option<&Path>) -> Result<Option<Dataset>> {
        let valid = self.dataset.load(data, Split::Valid, Known::default())?;
        valid.map(|valid| self.check(&valid).map(|()| valid)).transpose()
    }

    /// Steps per second, where the data have a scale of time.
    #[must_use]
    pub fn sampling_rate(&self) -> Option<f64> {
        self.dataset.sampling_rate()
    }

    /// A part that every data set has.
    fn part(&self, data: Option<&Path>, part: Split) -> Result<Dataset> {
        let loaded = self.dataset.load(data, part, Known::default()).map_err(|error| match data {
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
        let network = &self.network;
        let (channels, classes) = (dataset.channels(), dataset.class_names().len());
        if channels != network.inputs {
            return Err(Error::mismatch(format!(
                "the data have {channels} channels, the network has {} inputs",
                network.inputs
            ))
            .remedy("use data of the task that the model was trained on, or set network.inputs"));
        }
        if classes != network.readout.size {
            let error = Error::mismatch(format!(
                "the data have {classes} classes, the readout has {} neurons",
                network.readout.size
            ))
            .remedy("set network.readout.size to the number of classes, if the labels are right");
            let (Targets::PerStep(all) | Targets::PerSequence(all)) = dataset.targets();
            let beyond =
                |class: &u16| *class != UNLABELLED && usize::from(*class) >= network.readout.size;
            let per = all.len() / dataset.samples();
            return Err(match all.iter().position(beyond) {
                Some(at) => error.also(format_args!(
                    "sequence {} is of class {} ({})",
                    at / per,
                    all[at],
                    dataset.origin()
                )),
                None => error,
            });
        }
        if dataset.targets().is_per_step() != network.decode.is_per_step() {
            return Err(Error::mismatch(
                "the data have labels per step and the decoder one class per sequence, or the reverse",
            )
            .remedy("set network.decode.kind to per_step, or to another decoder"));
        }
        if network.decode.skip >= dataset.steps() {
            return Err(Error::setting("network.decode.skip", network.decode.skip)
                .expected(format!("less than the {} steps of the data", dataset.steps())));
        }
        Ok(())
    }
}

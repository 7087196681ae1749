//! A task: data set, network and training recipe in one TOML file.
//!
//! The built-in tasks stand in the folder `tasks/` and are embedded in the binary; [`TaskConfig::load`] takes a name or
//! a path, and overrides of single keys.

mod parse;

use crate::dataset::{Dataset, ecg_model, mnist, qtdb};
use crate::error::{Error, Result};
use crate::network::NetworkConfig;
use crate::train::TrainConfig;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The built-in tasks: name and TOML text.
pub const BUILT_IN: [(&str, &str); 4] = [
    ("ecg", include_str!("../../../../tasks/ecg.toml")),
    ("ecg-paper", include_str!("../../../../tasks/ecg-paper.toml")),
    ("smnist", include_str!("../../../../tasks/smnist.toml")),
    ("psmnist", include_str!("../../../../tasks/psmnist.toml")),
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

/// Which data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum DatasetConfig {
    /// Waves of the ECG: the QT Database where a data folder is given, else the built-in generator.
    Ecg {
        /// What the generator makes.
        #[serde(default)]
        generator: ecg_model::GeneratorConfig,
    },
    /// Handwritten digits, pixel by pixel.
    Mnist {
        /// The pixels of a step. Default 8.
        #[serde(default = "eight")]
        pixels: usize,
        /// Their order, if not row by row.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        permutation: Option<mnist::Permutation>,
    },
}

fn eight() -> usize {
    8
}

/// A part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// What the weights are trained on.
    Train,
    /// What epochs and settings are chosen by; split off the training data.
    Valid,
    /// What is reported, once.
    Test,
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
        match &self.dataset {
            DatasetConfig::Ecg { generator } => generator.validate("dataset.generator"),
            DatasetConfig::Mnist { pixels, .. } if !(1..=mnist::PIXELS).contains(pixels) => {
                Err(Error::setting("dataset.pixels", pixels)
                    .expected(format!("1 to {}", mnist::PIXELS)))
            }
            DatasetConfig::Mnist { .. } => Ok(()),
        }
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

    /// The training and validation data.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, or do not fit the network.
    pub fn training_data(&self, data: Option<&Path>) -> Result<(Dataset, Dataset)> {
        let whole = self.load_part(data, false)?;
        whole.split(self.train.validation, self.train.split_seed)
    }

    /// One part of the data.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, or do not fit the network.
    pub fn data(&self, data: Option<&Path>, split: Split) -> Result<Dataset> {
        match split {
            Split::Train => Ok(self.training_data(data)?.0),
            Split::Valid => Ok(self.training_data(data)?.1),
            Split::Test => self.load_part(data, true),
        }
    }

    /// Steps per second, where the data have a scale of time.
    #[must_use]
    pub fn sampling_rate(&self) -> Option<f64> {
        match &self.dataset {
            DatasetConfig::Ecg { .. } => Some(qtdb::SAMPLING_RATE),
            DatasetConfig::Mnist { .. } => None,
        }
    }

    fn load_part(&self, data: Option<&Path>, test: bool) -> Result<Dataset> {
        let dataset = match (&self.dataset, data) {
            (DatasetConfig::Ecg { .. }, Some(directory)) => {
                let split = if test { qtdb::Split::Test } else { qtdb::Split::Train };
                qtdb::load(directory, split)?
            }
            (DatasetConfig::Ecg { generator }, None) => {
                let split = if test { ecg_model::Split::Test } else { ecg_model::Split::Train };
                ecg_model::generate(generator, split)?
            }
            (DatasetConfig::Mnist { pixels, permutation }, Some(directory)) => {
                let split = if test { mnist::Split::Test } else { mnist::Split::Train };
                mnist::load(directory, split, *pixels, permutation.as_ref())?
            }
            (DatasetConfig::Mnist { .. }, None) => {
                return Err(Error::config(format!("the data of {} are not given", self.name))
                    .expected("a folder that holds mnist/, with --data or in BARNOWL_DATA")
                    .remedy("without data of your own, train the task ecg: it has a generator"));
            }
        };
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
            return Err(Error::mismatch(format!(
                "the data have {classes} classes, the readout has {} neurons",
                network.readout.size
            ))
            .remedy("set network.readout.size to the number of classes"));
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

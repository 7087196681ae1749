//! Where the data of a task come from.

use crate::dataset::speech::SpeechFeatures;
use crate::dataset::{
    Dataset, Split, catalog, ecg_model, fsdd, gsc, heidelberg, mnist, own, qtdb, qtdb_raw, soli,
    timit,
};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Which data set, and how it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum DatasetConfig {
    /// Waves of the ECG: the QT Database where a data folder is given, else the built-in generator.
    Ecg {
        /// What the generator makes.
        #[serde(default)]
        generator: ecg_model::GeneratorConfig,
    },
    /// Waves of the ECG, from the recordings of the QT Database as PhysioNet publishes them.
    QtdbRaw {
        /// How recordings are encoded and cut.
        #[serde(default)]
        encoding: qtdb_raw::Encoding,
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
    /// Speech as the spikes of a cochlea, in the layout of the Spiking Heidelberg Digits.
    Heidelberg {
        /// The folder of the data, `shd`, `ssc` or `fsdd-spikes`: the files `train.h5`, `test.h5` and, if there is one,
        /// `valid.h5`, each with `FOLDER_` before its name or not.
        folder: String,
        /// How spikes are put into frames.
        #[serde(default)]
        frames: heidelberg::Frames,
    },
    /// Google Speech Commands.
    Gsc {
        /// Which words are classes.
        #[serde(default)]
        classes: gsc::Classes,
        /// Pieces of silence to train on, to validate with and to test with, of twelve classes. Default 2300, 260, 260.
        #[serde(default = "silences")]
        silences: [usize; 3],
        /// How features are computed.
        #[serde(default)]
        features: SpeechFeatures,
    },
    /// The Free Spoken Digit Dataset.
    Fsdd {
        /// How features are computed.
        #[serde(default)]
        features: SpeechFeatures,
    },
    /// TIMIT, a phone at every frame.
    Timit {
        /// How sentences are cut.
        #[serde(default)]
        pieces: timit::Pieces,
    },
    /// Data of your own.
    Own {
        /// The folder of the data: below the data folder, or anywhere.
        folder: PathBuf,
        /// What the files are.
        form: own::Form,
        /// Steps of a sequence. Default: those of the longest of the training data.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        steps: Option<usize>,
        /// Steps a second, where time has a scale.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sampling_rate: Option<f64>,
    },
    /// Gestures before a radar.
    Soli {
        /// How recordings are cut.
        #[serde(default)]
        pieces: soli::Pieces,
    },
}

fn eight() -> usize {
    8
}

fn silences() -> [usize; 3] {
    gsc::SILENCES
}

impl DatasetConfig {
    /// Checks ranges.
    ///
    /// # Errors
    ///
    /// Names the key, its value and what is allowed.
    pub fn validate(&self) -> Result<()> {
        match self {
            Self::Ecg { generator } => generator.validate("dataset.generator"),
            Self::Mnist { pixels, .. } if !(1..=mnist::PIXELS).contains(pixels) => {
                Err(Error::setting("dataset.pixels", pixels)
                    .expected(format!("1 to {}", mnist::PIXELS)))
            }
            Self::Heidelberg { frames, .. } => frames.validate("dataset.frames"),
            Self::Gsc { features, .. } => {
                features.extractor("dataset.features", gsc::RATE).map(drop)
            }
            Self::Fsdd { features } => features.extractor("dataset.features", fsdd::RATE).map(drop),
            Self::Own { steps: Some(steps), .. } if !(1..=100_000_000).contains(steps) => {
                Err(Error::setting("dataset.steps", steps).expected("1 to 100000000"))
            }
            Self::Own { sampling_rate: Some(rate), .. } if !(*rate > 0.0 && rate.is_finite()) => {
                Err(Error::setting("dataset.sampling_rate", rate).expected("steps a second"))
            }
            Self::Mnist { .. }
            | Self::QtdbRaw { .. }
            | Self::Timit { .. }
            | Self::Soli { .. }
            | Self::Own { .. } => Ok(()),
        }
    }

    /// The name of the data set in the [catalog].
    #[must_use]
    pub fn source(&self) -> &str {
        match self {
            Self::Ecg { .. } => "qtdb",
            Self::QtdbRaw { .. } => "qtdb-raw",
            Self::Mnist { .. } => "mnist",
            Self::Heidelberg { folder, .. } => folder,
            Self::Gsc { .. } => "gsc",
            Self::Fsdd { .. } => "fsdd",
            Self::Timit { .. } => "timit",
            Self::Soli { .. } => "soli",
            Self::Own { folder, .. } => folder.to_str().unwrap_or("a folder"),
        }
    }

    /// Steps per second, where the data have a scale of time.
    #[must_use]
    pub fn sampling_rate(&self) -> Option<f64> {
        match self {
            Self::Ecg { .. } | Self::QtdbRaw { .. } => Some(qtdb::SAMPLING_RATE),
            Self::Heidelberg { frames, .. } => Some(1000.0 / frames.step_ms),
            Self::Gsc { features, .. } | Self::Fsdd { features } => Some(1000.0 / features.hop_ms),
            Self::Timit { .. } => Some(100.0),
            Self::Own { sampling_rate, form, .. } => sampling_rate.or(form.sampling_rate()),
            Self::Mnist { .. } | Self::Soli { .. } => None,
        }
    }

    /// One part of the data; none for validation data where the data set has no such part of its own.
    ///
    /// # Errors
    ///
    /// If no data folder is given and the data set has no generator, or the data cannot be read.
    pub(super) fn load(&self, data: Option<&Path>, split: Split) -> Result<Option<Dataset>> {
        if split == Split::Valid && !self.may_have_validation_part() {
            return Ok(None);
        }
        let dataset = match (self, data) {
            (Self::Own { folder, form, steps, .. }, _) => {
                // A path of its own needs no data folder.
                let folder = data.map_or_else(|| folder.clone(), |data| data.join(folder));
                return own::load(&folder, split, *form, *steps);
            }
            (Self::Ecg { generator }, None) => ecg_model::generate(generator, split)?,
            (_, None) => return Err(self.missing()),
            (Self::Ecg { .. }, Some(data)) => qtdb::load(data, split)?,
            (Self::QtdbRaw { encoding }, Some(data)) => qtdb_raw::load(data, split, encoding)?,
            (Self::Mnist { pixels, permutation }, Some(data)) => {
                mnist::load(data, split, *pixels, permutation.as_ref())?
            }
            (Self::Heidelberg { folder, frames }, Some(data)) => {
                let path = heidelberg::path(data, folder, split);
                if split == Split::Valid && !path.is_file() {
                    return Ok(None);
                }
                heidelberg::load(path, *frames).map_err(|error| self.explain(error))?
            }
            (Self::Gsc { classes, silences, features }, Some(data)) => {
                gsc::load(data, split, *classes, *silences, features)?
            }
            (Self::Fsdd { features }, Some(data)) => fsdd::load(data, split, features)?,
            (Self::Timit { pieces }, Some(data)) => timit::load(data, split, *pieces)?,
            (Self::Soli { pieces }, Some(data)) => soli::load(data, split, *pieces)?,
        };
        Ok(Some(dataset))
    }

    fn may_have_validation_part(&self) -> bool {
        matches!(
            self,
            Self::Heidelberg { .. } | Self::Gsc { .. } | Self::Timit { .. } | Self::Own { .. }
        )
    }

    fn missing(&self) -> Error {
        let error = Error::config(format!("the data of {} are not given", self.source()));
        let error = match catalog::source(self.source()) {
            Some(source) => error.expected(format!(
                "a folder that holds {}/ ({}), with --data or in BARNOWL_DATA",
                source.name, source.expects
            )),
            None => error.expected(format!(
                "a folder that holds {}/, with --data or in BARNOWL_DATA",
                self.source()
            )),
        };
        error.remedy(
            "`barnowl data` says where each data set comes from; without data of your own, train the task ecg: it \
             has a generator",
        )
    }

    /// Says where missing files come from.
    fn explain(&self, error: Error) -> Error {
        error.remedy(format!("`barnowl data` says where {} comes from", self.source()))
    }
}

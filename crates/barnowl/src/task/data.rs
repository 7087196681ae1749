//! Where the data of a task come from.

use crate::dataset::speech::SpeechFeatures;
use crate::dataset::{
    Dataset, Inputs, Known, Normalize, Split, catalog, ecg_model, fsdd, gsc, heidelberg, mnist,
    own, qtdb, qtdb_raw, soli, timit,
};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Which data set, and how it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
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
        /// Range: 1 to 784.
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
        /// Range: 0 to 1000000.
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
    Own(own::OwnConfig),
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
            Self::Own(config) => config.validate("dataset"),
            Self::QtdbRaw { encoding } => encoding.validate("dataset.encoding"),
            Self::Mnist { .. } | Self::Timit { .. } | Self::Soli { .. } => Ok(()),
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
            Self::Own(config) => config.folder.to_str().unwrap_or("a folder"),
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
            Self::Own(config) => config.sampling_rate.or(config.form.sampling_rate()),
            Self::Mnist { .. } | Self::Soli { .. } => None,
        }
    }

    /// Whether values may be brought to one scale by the training data, so that no part can do without them.
    pub(super) fn is_normalized(&self) -> bool {
        matches!(self, Self::Own(_))
    }

    /// How real values are brought to one scale: of data of one's own as the task says, or else by mean and deviation where
    /// they are plain numbers; those of the other data sets are as their readers make them.
    pub(super) fn normalize(&self, train: &Dataset) -> Normalize {
        match self {
            Self::Own(config) => config.normalize.unwrap_or(match train.inputs() {
                Inputs::Real(_) if config.form.is_plain() => Normalize::Standardize,
                _ => Normalize::None,
            }),
            _ => Normalize::None,
        }
    }

    /// One part of the data; none for validation data where the data set has no such part of its own. What a model knows of
    /// its data decides the order of classes and channels, where a source could have another.
    ///
    /// # Errors
    ///
    /// If no data folder is given and the data set has no generator, or the data cannot be read.
    pub(super) fn load(
        &self,
        data: Option<&Path>,
        split: Split,
        known: Known<'_>,
    ) -> Result<Option<Dataset>> {
        if split == Split::Valid && !self.may_have_validation_part() {
            return Ok(None);
        }
        let dataset = match (self, data) {
            (Self::Own(config), _) => {
                // A path of its own needs no data folder.
                let folder = &config.folder;
                let place = data.map_or_else(|| folder.clone(), |data| data.join(folder));
                if !place.is_dir() {
                    return Err(no_folder(folder, &place, data));
                }
                return own::load(&place, split, config, known);
            }
            // Signals are made by the generator alone: the files hold events.
            (Self::Ecg { generator }, data) if data.is_none() || generator.signals => {
                ecg_model::generate(generator, split)?
            }
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

    /// Says where the files come from, if one is missing, or nothing else is known to help.
    fn explain(&self, error: Error) -> Error {
        let remedy = format!("`barnowl data` says where {} comes from", self.source());
        error.if_missing(remedy.as_str()).or_remedy(remedy)
    }
}

/// Own data are not there: says what their path, found to be `place`, is relative to.
fn no_folder(folder: &Path, place: &Path, data: Option<&Path>) -> Error {
    let remedy = match data {
        _ if folder.is_absolute() => "check the path".to_owned(),
        Some(data) => format!(
            "the path is relative to the data folder, {} (--data or BARNOWL_DATA)",
            data.display()
        ),
        None => "the path is relative to the current folder, as there is no data folder (--data or BARNOWL_DATA)"
            .to_owned(),
    };
    Error::setting("dataset.folder", folder)
        .expected(format!("a folder; there is none at {}", place.display()))
        .remedy(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remedies_of_readers_stay() {
        const ORIGIN: &str = "`barnowl data` says where shd comes from";
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("shd/shd_train.h5");
        std::fs::create_dir(temp.path().join("shd")).unwrap();
        let frames = heidelberg::Frames::default();
        let shd = DatasetConfig::Heidelberg { folder: "shd".into(), frames };
        let message =
            || shd.load(Some(temp.path()), Split::Train, Known::default()).unwrap_err().to_string();
        assert!(message().ends_with(ORIGIN), "{}", message());
        for (name, remedy) in [
            ("shd_unit.h5", "the data have more channels than a cochlea"),
            ("shd_no_units.h5", "at the top, the file has"),
            ("shd_labels.h5", ORIGIN),
        ] {
            std::fs::write(&file, std::fs::read(fixtures.join(name)).unwrap()).unwrap();
            let message = message();
            assert!(message.contains(remedy), "{message}");
            assert_eq!(message.contains(ORIGIN), remedy == ORIGIN, "{message}");
        }
        let bytes = std::fs::read(fixtures.join("shd_good.h5")).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() - 100]).unwrap();
        let message = message();
        assert!(message.contains("cut short") && !message.contains(ORIGIN), "{message}");
    }

    #[test]
    fn own_data_are_looked_for_below_the_data_folder_or_the_current_one() {
        let own = |folder: &Path| DatasetConfig::Own(own::OwnConfig::new(folder, own::Form::Csv));
        let temp = tempfile::tempdir().unwrap();
        let message = |folder: &Path, data| {
            let error = own(folder).load(data, Split::Train, Known::default()).unwrap_err();
            assert_eq!(error.key(), Some("dataset.folder"));
            error.to_string()
        };
        let below = temp.path().join("gestures");
        let found = message(Path::new("gestures"), Some(temp.path()));
        let relative = format!("relative to the data folder, {}", temp.path().display());
        assert!(found.contains(&below.display().to_string()), "{found}");
        assert!(found.contains(&relative), "{found}");
        let found = message(Path::new("no-such-gestures"), None);
        assert!(found.contains("relative to the current folder"), "{found}");
        assert!(message(&below, None).ends_with("check the path"));
    }
}

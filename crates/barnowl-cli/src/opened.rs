//! A model with the data that it is to be judged on: those of its run, unless others are asked for.

use crate::args::ModelData;
use barnowl::dataset::{DataCard, Dataset};
use barnowl::error::{Error, Result};
use barnowl::model::Model;
use barnowl::task::{DatasetConfig, Split, TaskConfig};
use barnowl::train::run::RunFolder;
use barnowl::train::{far_values, repeated};
use burn::tensor::Device;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A model file, or that of a run.
pub struct Opened {
    pub model: Model,
    /// Where the data of the run are; `None` if there is no run, or it is of an older version.
    data: Option<Option<PathBuf>>,
}

/// A part of the data, as the model reads it.
pub struct Part {
    pub split: Split,
    pub data: Dataset,
    pub directory: Option<PathBuf>,
    /// In what the data differ from those that the model was trained on: in words.
    pub differences: Vec<String>,
    /// Whether the model says what its data were.
    is_known: bool,
    /// How many of its sequences the model was trained on, although the part is one to test with.
    repeated: usize,
}

impl Opened {
    /// Loads a model, from its file or the folder of its run.
    ///
    /// # Errors
    ///
    /// If there is no model, or it is damaged.
    pub fn load(path: &Path, device: &Device) -> Result<Self> {
        let (file, run) = match path.is_dir() {
            true => {
                let run = RunFolder::open(path)?;
                (run.best_file(), Some(run))
            }
            false => (path.to_path_buf(), RunFolder::of_model(path)),
        };
        let model = Model::load(&file, device)?;
        if !model.is_sealed {
            eprintln!(
                "warning: {} is of an older version: it has no checksum, so that damage cannot be noticed, and does not say \
                 what data it was trained on; train again, or import it, to have both",
                file.display()
            );
        }
        let data = match &run {
            Some(run) => run.data()?.map(|data| data.directory),
            None => None,
        };
        Ok(Self { model, data })
    }

    /// The data folder: the one that is given, else that of the run, else that of the environment.
    pub fn directory(&self, args: &ModelData) -> Option<PathBuf> {
        match (&args.directory, &self.data) {
            (Some(given), _) => Some(given.clone()),
            (None, Some(of_run)) => of_run.clone(),
            (None, None) => crate::args::data_of_environment(),
        }
    }

    /// Reads a part of the data. `task` says which: the model's own, or another's.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, or are not those that the model was trained on and it was not said that they may be others.
    pub fn part(&self, task: &TaskConfig, args: &ModelData, split: Split) -> Result<Part> {
        let directory = self.directory(args);
        let read = match &self.model.data {
            Some(card) => task.part_of(card, directory.as_deref(), split, args.other_data),
            None => task.data(directory.as_deref(), split).map(|data| (data, Vec::new())),
        };
        let (data, differences) = read.map_err(|error| self.explain(error))?;
        if !differences.is_empty() && !args.other_data {
            return Err(self.explain(Error::mismatch(format!(
                "the data are not those that the model was trained on:\n  {}",
                differences.join("\n  ")
            ))));
        }
        let is_known = self.model.data.is_some();
        let repeated = match &self.model.data {
            Some(card) if split == Split::Test => self.repeated(card, &data, &differences),
            _ => 0,
        };
        let part = Part { split, data, directory, differences, is_known, repeated };
        part.warn();
        Ok(part)
    }

    /// How many sequences of a test part the model was trained on: what its card says of its own part, and of other data of the
    /// user's what the training data say, if they are still there.
    fn repeated(&self, card: &DataCard, data: &Dataset, differences: &[String]) -> usize {
        let task = &self.model.task;
        let is_own = card.fingerprints.contains_key(Split::Test.name()) || task.train.holds_out();
        if is_own && differences.is_empty() {
            return card.repeated.get(Split::Test.name()).copied().unwrap_or(0);
        }
        if !matches!(task.dataset, DatasetConfig::Own(_)) {
            return 0;
        }
        let directory = self.data.clone().flatten();
        let train = task.raw_part(directory.as_deref(), Split::Train, card.known());
        let train = train.ok().filter(|train| card.is_same(Split::Train, train) == Some(true));
        let train = match (train, &card.normalization) {
            (Some(train), Some(by)) => train.normalized(by).ok(),
            (train, _) => train,
        };
        train.map_or(0, |train| data.repeats_of(&train))
    }

    /// Says where the right data may be.
    fn explain(&self, error: Error) -> Error {
        let with = |error: Error, remedy: String| error.or_remedy(remedy);
        match self.model.data.as_ref() {
            Some(_) => with(
                error,
                "give the folder of the model's own data with --data; with --other-data, others are used, and the result \
                 names them"
                    .to_owned(),
            ),
            None => error,
        }
    }
}

impl Part {
    /// What the data are, for the result of a command.
    pub fn describe(&self) -> Value {
        json!({
            "origin": self.data.origin(),
            "directory": self.directory,
            "of_the_model": self.is_known.then_some(self.differences.is_empty()),
            "differences": self.differences,
            "trained_on": self.repeated,
        })
    }

    fn warn(&self) {
        if !self.is_known {
            eprintln!(
                "note: the model does not say what data it was trained on; it is judged on {}",
                self.data.origin()
            );
        }
        for difference in &self.differences {
            eprintln!("warning: other data than the model's: {difference}");
        }
        for note in self.data.notes() {
            eprintln!("note: {note}");
        }
        let far = far_values(&self.data);
        let repeated = (self.repeated > 0).then(|| repeated(self.split.purpose(), self.repeated));
        for text in far.into_iter().chain(repeated) {
            eprintln!("warning: {text}");
        }
    }
}

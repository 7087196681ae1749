//! The folder of a run on disk.
//!
//! | file | holds |
//! | --- | --- |
//! | `config.toml` | the whole task as it was trained |
//! | `data.json` | the folder of the data, and their [card](DataCard) |
//! | `metrics.jsonl` | a line of JSON an epoch: [`EpochReport`] |
//! | `best.safetensors` | the [`Model`] of the epoch that is [kept](crate::recipe::Keep): the best on the validation data, or the last |
//! | `snapshots/epoch-NNNN.safetensors` | the [`Model`] after every so many [epochs](crate::recipe::TrainConfig::snapshots) |
//! | `last/checkpoint.safetensors` | the [`Checkpoint`] to resume from |
//! | `curves.svg`, `raster.svg`, `confusion.svg`, `time_constants.svg` | plots |
//! | `result.json` | the evaluation of that model on the test data |
//!
//! Every file is written to a temporary name, synced and renamed, so a run that is killed leaves whole files.

use super::{Checkpoint, EpochReport, Trainer};
use crate::dataset::{DataCard, Split};
use crate::error::{Error, Result};
use crate::exchange::safetensors::Metadata;
use crate::file::{self, FolderLock};
use crate::model::Model;
use crate::task::TaskConfig;
use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A run folder.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// Held while a run is under way.
    _lock: Option<FolderLock>,
}

/// Where the data of a run are, and what they were: the file `data.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunData {
    /// The data folder; none where the task's generator made the data.
    pub directory: Option<PathBuf>,
    /// What the data were.
    pub card: DataCard,
}

const CONFIG_FILE: &str = "config.toml";
const DATA_FILE: &str = "data.json";
const SNAPSHOTS: &str = "snapshots";

impl RunFolder {
    /// Starts a run in a folder, which is made if need be, and locks it.
    ///
    /// # Errors
    ///
    /// If the folder holds a run already, another process is working in it, or it is not writable.
    pub fn create(path: impl Into<PathBuf>, task: &TaskConfig, data: &RunData) -> Result<Self> {
        let path = path.into();
        file::create_folder(&path)?;
        let lock = FolderLock::acquire(&path)?;
        let folder = Self { path, _lock: Some(lock) };
        if folder.holds_a_run() {
            return Err(Error::config("the folder holds a run already")
                .in_file(&folder.path)
                .remedy("go on with it by --resume, or give another folder with --out"));
        }
        file::create_folder(folder.path.join("last"))?;
        folder.write_data(data)?;
        file::write_atomic_bytes(folder.path.join(CONFIG_FILE), task.to_toml()?.as_bytes())?;
        Ok(folder)
    }

    /// Starts a run in the first of the folders `NAME-1`, `NAME-2`, … below `parent` that is not there yet. Of several processes
    /// at once, each gets one of its own.
    ///
    /// # Errors
    ///
    /// If a folder cannot be made.
    pub fn create_next(
        parent: impl AsRef<Path>,
        name: &str,
        task: &TaskConfig,
        data: &RunData,
    ) -> Result<Self> {
        let parent = parent.as_ref();
        file::create_folder(parent)?;
        for number in 1_u32.. {
            let path = parent.join(format!("{name}-{number}"));
            // Making it is the claim: only one process can.
            if file::claim_folder(&path)? {
                return Self::create(path, task, data);
            }
        }
        Err(Error::config("there are too many runs").in_file(parent))
    }

    /// The last of the folders `NAME-1`, `NAME-2`, … below `parent`; the first if there is none.
    #[must_use]
    pub fn last(parent: impl AsRef<Path>, name: &str) -> PathBuf {
        let number = |path: &PathBuf| {
            let found = path.file_name()?.to_str()?.strip_prefix(name)?.strip_prefix('-')?;
            found.parse::<u32>().ok()
        };
        let folders = file::folders(&parent).unwrap_or_default();
        let last = folders.iter().filter_map(number).max().unwrap_or(1);
        parent.as_ref().join(format!("{name}-{last}"))
    }

    /// Opens the folder of a run that was started before, to read it.
    ///
    /// # Errors
    ///
    /// If it holds no run.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let folder = Self { path: path.into(), _lock: None };
        if !folder.path.join(CONFIG_FILE).is_file() {
            return Err(Error::config("the folder holds no run")
                .in_file(&folder.path)
                .expected("a folder that `barnowl train` made, with config.toml"));
        }
        Ok(folder)
    }

    /// The folder of the run that a model file is of: its model, or a snapshot. `None` if there is none.
    #[must_use]
    pub fn of_model(file: &Path) -> Option<Self> {
        let folder = file.parent()?;
        let run = Self::open(folder).ok().filter(|run| run.best_file() == file);
        let above = || folder.parent().filter(|_| folder.ends_with(SNAPSHOTS));
        run.or_else(|| Self::open(above()?).ok())
    }

    /// Opens the folder of a run that was started before, to go on with it, and locks it.
    ///
    /// # Errors
    ///
    /// As [`RunFolder::open`], and if another process is working in it.
    pub fn reopen(path: impl Into<PathBuf>) -> Result<Self> {
        let folder = Self::open(path)?;
        let lock = FolderLock::acquire(&folder.path)?;
        Ok(Self { _lock: Some(lock), ..folder })
    }

    fn holds_a_run(&self) -> bool {
        self.checkpoint_file().exists() || self.metrics_file().exists()
    }

    /// The task of the run, as it was trained, with overrides.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn task(&self, overrides: &[String]) -> Result<TaskConfig> {
        let path = self.path.join(CONFIG_FILE);
        TaskConfig::load(&path.to_string_lossy(), overrides)
    }

    /// Where the data of the run are, and what they were; `None` in folders that older versions made.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn data(&self) -> Result<Option<RunData>> {
        let path = self.path.join(DATA_FILE);
        if !path.is_file() {
            return Ok(None);
        }
        serde_json::from_str(&file::read_text(&path)?).map(Some).map_err(|error| {
            Error::format(format!("not the data of a run: {error}"))
                .in_file(&path)
                .remedy("remove the file, and give the data folder with --data")
        })
    }

    fn write_data(&self, data: &RunData) -> Result<()> {
        let text = serde_json::to_string_pretty(data)
            .map_err(|error| Error::format(format!("the data cannot be written down: {error}")))?;
        self.write(DATA_FILE, &(text + "\n"))
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the model: of the best epoch so far, or of the last, as the recipe keeps.
    #[must_use]
    pub fn best_file(&self) -> PathBuf {
        self.path.join("best.safetensors")
    }

    /// The file of the model as it was after an epoch, counted from 1.
    #[must_use]
    pub fn snapshot_file(&self, epoch: usize) -> PathBuf {
        self.path.join(SNAPSHOTS).join(format!("epoch-{epoch:04}.safetensors"))
    }

    /// The file of the last checkpoint.
    #[must_use]
    pub fn checkpoint_file(&self) -> PathBuf {
        self.path.join("last").join("checkpoint.safetensors")
    }

    fn metrics_file(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// The run as it was at its last checkpoint; a new one if it was stopped before the first.
    ///
    /// Reports of epochs after the checkpoint are dropped: they come again, the same.
    ///
    /// # Errors
    ///
    /// If the checkpoint is damaged, or task or data are not those of the run.
    pub fn resume(&self, task: &TaskConfig, data: &RunData, device: &Device) -> Result<Trainer> {
        self.clean();
        let trainer = if self.checkpoint_file().exists() {
            let path = self.checkpoint_file();
            let checkpoint = Checkpoint::load(&path)?;
            checkpoint.resume(task, &data.card, device).map_err(|error| error.in_file(&path))?
        } else {
            Trainer::new(&task.network, &task.train, device)?
        };
        let reports: Vec<EpochReport> = self.reports()?;
        let done = trainer.progress().epoch;
        if let Some(missing) =
            (1..=done).find(|epoch| !reports.iter().any(|report| report.epoch == *epoch))
        {
            return Err(Error::mismatch(format!("the report of epoch {missing} is not there"))
                .in_file(self.metrics_file())
                .expected(format!("a line for each of the {done} epochs of the checkpoint"))
                .remedy("put the file back as it was, or start a new run in another folder"));
        }
        // A longer run than it was, or data in another place.
        file::write_atomic_bytes(self.path.join(CONFIG_FILE), task.to_toml()?.as_bytes())?;
        self.write_data(data)?;
        let kept = reports.iter().filter(|report| report.epoch <= trainer.progress().epoch);
        let lines: Result<Vec<String>> = kept.map(to_line).collect();
        let text: String = lines?.into_iter().map(|line| line + "\n").collect();
        file::write_atomic_bytes(self.metrics_file(), text.as_bytes())?;
        Ok(trainer)
    }

    /// Removes temporary files that a killed run left behind.
    fn clean(&self) {
        for folder in [self.path.clone(), self.path.join("last"), self.path.join(SNAPSHOTS)] {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                if name.starts_with(".barnowl-") && name.ends_with(".tmp") {
                    // A file that cannot be removed is in nobody's way.
                    let _ = std::fs::remove_file(entry.path());
                }
            }
        }
    }

    /// The reports of all epochs.
    ///
    /// # Errors
    ///
    /// If the file is damaged. A last line that was cut short is left out: it comes again on resuming.
    pub fn reports(&self) -> Result<Vec<EpochReport>> {
        let path = self.metrics_file();
        if !path.exists() {
            return Ok(Vec::new());
        }
        let text = file::read_text(&path)?;
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let report = |(i, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|error| {
                Error::format(format!("not the report of an epoch: {error}"))
                    .in_file(&path)
                    .at_line(i + 1)
            })
        };
        whole.lines().enumerate().map(report).collect()
    }

    /// Records an epoch: the model if it is kept or a snapshot is due, its report, and the checkpoint last, so that a run that
    /// is killed in between does the epoch again, and writes the same.
    ///
    /// # Errors
    ///
    /// If a file cannot be written; what was there before survives.
    pub fn record(
        &self,
        report: &EpochReport,
        trainer: &Trainer,
        task: &TaskConfig,
        data: &DataCard,
    ) -> Result<()> {
        let snapshot = task.train.snapshots.filter(|every| report.epoch.is_multiple_of(*every));
        if report.best || snapshot.is_some() {
            let provenance = Metadata::from([
                ("data".to_owned(), data.origin.clone()),
                ("epoch".to_owned(), report.epoch.to_string()),
                ("seed".to_owned(), task.train.seed.to_string()),
                (
                    format!("validation {}", report.judged_by.key()),
                    format!("{:.4}", report.valid_score),
                ),
            ]);
            let network = trainer.averaged().valid();
            let model = Model::new(task.clone(), network, Some(data.clone()));
            let model = model.with_provenance(provenance);
            if report.best {
                model.save(self.best_file())?;
            }
            if snapshot.is_some() {
                file::create_folder(self.path.join(SNAPSHOTS))?;
                model.save(self.snapshot_file(report.epoch))?;
            }
        }
        file::append_line(self.metrics_file(), &to_line(report)?)?;
        self.save_checkpoint(trainer, task, data)
    }

    /// Writes a checkpoint.
    ///
    /// # Errors
    ///
    /// If it cannot be written; the one before survives.
    pub fn save_checkpoint(
        &self,
        trainer: &Trainer,
        task: &TaskConfig,
        data: &DataCard,
    ) -> Result<()> {
        Checkpoint::of(trainer, task, data).save(self.checkpoint_file())
    }

    /// Whether the run was judged on the test data at its end; `None` if it has not ended.
    ///
    /// # Errors
    ///
    /// If `result.json` is damaged.
    pub fn was_tested(&self) -> Result<Option<bool>> {
        let path = self.path.join("result.json");
        if !path.is_file() {
            return Ok(None);
        }
        let text = file::read_text(&path)?;
        let result: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
            Error::format(format!("not the result of a run: {error}")).in_file(&path)
        })?;
        Ok(Some(result.get(Split::Test.name()).is_some()))
    }

    /// Writes a file of the folder, whole or not at all.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        file::write_atomic_bytes(self.path.join(name), text.as_bytes())
    }
}

fn to_line(report: &EpochReport) -> Result<String> {
    serde_json::to_string(report).map_err(|error| {
        Error::format(format!("the report of an epoch cannot be written: {error}"))
    })
}

//! The folder of a run on disk.
//!
//! | file | holds |
//! | --- | --- |
//! | `config.toml` | the whole task as it was trained |
//! | `metrics.jsonl` | a line of JSON an epoch: [`EpochReport`] |
//! | `best.safetensors` | the [`Model`] of the best epoch on the validation data |
//! | `last/checkpoint.safetensors` | the [`Checkpoint`] to resume from |
//! | `curves.svg`, `raster.svg`, `confusion.svg`, `time_constants.svg` | plots |
//! | `result.json` | the evaluation of the best model on the test data |
//!
//! Every file is written to a temporary name, synced and renamed, so a run that is killed leaves whole files.

use super::{Checkpoint, EpochReport, Trainer};
use crate::error::{Error, Result};
use crate::exchange::safetensors::Metadata;
use crate::file;
use crate::model::Model;
use crate::task::TaskConfig;
use burn::module::Module;
use burn::tensor::Device;
use std::path::{Path, PathBuf};

/// A run folder.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Starts a run in a folder, which is made if need be.
    ///
    /// # Errors
    ///
    /// If the folder holds a run already, or is not writable.
    pub fn create(path: impl Into<PathBuf>, task: &TaskConfig) -> Result<Self> {
        let folder = Self { path: path.into() };
        if folder.checkpoint_file().exists() || folder.metrics_file().exists() {
            return Err(Error::config("the folder holds a run already")
                .in_file(&folder.path)
                .remedy("go on with it by --resume, or give another folder with --out"));
        }
        file::create_folder(folder.path.join("last"))?;
        file::write_atomic_bytes(folder.path.join("config.toml"), task.to_toml()?.as_bytes())?;
        Ok(folder)
    }

    /// Opens the folder of a run that was started before.
    ///
    /// # Errors
    ///
    /// If it holds no run.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let folder = Self { path: path.into() };
        if !folder.path.join("config.toml").is_file() {
            return Err(Error::config("the folder holds no run")
                .in_file(&folder.path)
                .expected("a folder that `barnowl train` made, with config.toml"));
        }
        Ok(folder)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the best model.
    #[must_use]
    pub fn best_file(&self) -> PathBuf {
        self.path.join("best.safetensors")
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
    pub fn resume(&self, task: &TaskConfig, data: &str, device: &Device) -> Result<Trainer> {
        self.clean();
        let trainer = if self.checkpoint_file().exists() {
            let path = self.checkpoint_file();
            let checkpoint = Checkpoint::load(&path)?;
            checkpoint.resume(task, data, device).map_err(|error| error.in_file(&path))?
        } else {
            Trainer::new(&task.network, &task.train, device)?
        };
        let reports: Vec<EpochReport> = self.reports()?;
        let kept = reports.iter().filter(|report| report.epoch <= trainer.progress().epoch);
        let lines: Result<Vec<String>> = kept.map(to_line).collect();
        let text: String = lines?.into_iter().map(|line| line + "\n").collect();
        file::write_atomic_bytes(self.metrics_file(), text.as_bytes())?;
        Ok(trainer)
    }

    /// Removes temporary files that a killed run left behind.
    fn clean(&self) {
        for folder in [self.path.clone(), self.path.join("last")] {
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

    /// Records an epoch: the model if it is the best, its report, and the checkpoint last, so that a run that is killed
    /// in between does the epoch again.
    ///
    /// # Errors
    ///
    /// If a file cannot be written; what was there before survives.
    pub fn record(
        &self,
        report: &EpochReport,
        trainer: &Trainer,
        task: &TaskConfig,
        data: &str,
    ) -> Result<()> {
        if report.best {
            let provenance = Metadata::from([
                ("data".to_owned(), data.to_owned()),
                ("epoch".to_owned(), report.epoch.to_string()),
                ("seed".to_owned(), task.train.seed.to_string()),
                ("validation accuracy".to_owned(), format!("{:.4}", report.valid_accuracy)),
            ]);
            let network = trainer.network().valid();
            Model { task: task.clone(), network, provenance }.save(self.best_file())?;
        }
        file::append_line(self.metrics_file(), &to_line(report)?)?;
        self.save_checkpoint(trainer, task, data)
    }

    /// Writes a checkpoint.
    ///
    /// # Errors
    ///
    /// If it cannot be written; the one before survives.
    pub fn save_checkpoint(&self, trainer: &Trainer, task: &TaskConfig, data: &str) -> Result<()> {
        Checkpoint::of(trainer, task, data).save(self.checkpoint_file())
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

//! `--tensorboard`: a run as TensorBoard shows it, epoch by epoch.

use crate::plots;
use barnowl::activity::Activity;
use barnowl::dataset::Dataset;
use barnowl::error::Result;
use barnowl::parameters::TimeConstantForm;
use barnowl::report::raster_pixels;
use barnowl::report::tensorboard::{EventFile, Events};
use barnowl::task::TaskConfig;
use barnowl::train::run::RunFolder;
use barnowl::train::{EpochReport, Trainer};
use burn::module::Module;

/// Histograms and images a run, at most: they take a pass over the validation data each.
const PICTURES: usize = 50;

/// Writes an event file into a run folder.
pub struct Recorder {
    file: EventFile,
}

impl Recorder {
    /// For a run that goes on after `trainer`'s last epoch.
    pub fn create(folder: &RunFolder, trainer: &Trainer) -> Result<Self> {
        let first = trainer.progress().epoch as u64 + 1;
        Ok(Self { file: EventFile::create(folder.path(), first)? })
    }

    /// The numbers of an epoch; and, fifty times a run, how time constants and rates are spread, and a raster.
    pub fn epoch(
        &mut self,
        task: &TaskConfig,
        valid: &Dataset,
        report: &EpochReport,
        trainer: &Trainer,
    ) -> Result<()> {
        let mut events = Events::default();
        for (tag, value) in [
            ("loss/train", report.train_loss),
            ("loss/valid", report.valid_loss),
            ("spike_rate/all", report.spike_rate),
            ("learning_rate", report.learning_rate),
        ] {
            events.scalar(tag, value);
        }
        for (part, score) in [("train", report.train_score), ("valid", report.valid_score)] {
            events.scalar(format!("{}/{part}", report.judged_by.key()), score);
        }
        let per_step = [
            ("loss_per_step/train", report.train_loss_per_step),
            ("loss_per_step/valid", report.valid_loss_per_step),
        ];
        for (tag, value) in per_step {
            if let Some(value) = value {
                events.scalar(tag, value);
            }
        }
        for (i, rate) in report.layer_spike_rates.iter().enumerate() {
            events.scalar(format!("spike_rate/layer_{}", i + 1), *rate);
        }
        let every = task.train.epochs.div_ceil(PICTURES);
        if report.epoch.is_multiple_of(every) || report.epoch == task.train.epochs {
            self.pictures(task, valid, trainer, &mut events)?;
        }
        self.file.write(report.epoch as u64, events)
    }

    fn pictures(
        &self,
        task: &TaskConfig,
        valid: &Dataset,
        trainer: &Trainer,
        events: &mut Events,
    ) -> Result<()> {
        let network = &trainer.averaged().valid();
        for (name, tensor) in network.tensors(&task.network, TimeConstantForm::Tau) {
            if plots::is_time_constant(task, &name) {
                events.histogram(name.replace('.', "/"), &tensor.values);
            }
        }
        let activity = Activity::measure(network, &task.network, valid, task.train.batch)?;
        for (i, layer) in activity.layers.iter().enumerate() {
            let rates: Vec<f32> = activity.rates(layer).iter().map(|rate| *rate as f32).collect();
            events.histogram(format!("spike_rates/layer_{}", i + 1), &rates);
        }
        events.image("raster", &raster_pixels(&plots::raster(task, network, valid)?))
    }
}

//! Everything that a run needs to go on, bit for bit, in one file.
//!
//! Parameters as they are trained (log τ, not τ), their moving average if there is one, the optimizer's memory, how far the
//! epoch is, and the task itself.
//! Random streams depend on seed, epoch and batch alone, so their state is the progress.

use super::average::Average;
use super::evaluate::Sums;
use super::trainer::{Progress, Trainer};
use crate::dataset::DataCard;
use crate::error::{Error, Result};
use crate::exchange::safetensors::{Contents, Metadata};
use crate::exchange::sealed;
use crate::exchange::{NamedTensor, TensorMap};
use crate::model::{FORMAT, TASK, format_of, task_from_json, task_to_json};
use crate::network::Network;
use crate::optimizer::OptimizerState;
use crate::parameters::TimeConstantForm;
use crate::task::TaskConfig;
use burn::tensor::{Device, TensorData};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Sealed, with a card of the data.
const CHECKPOINT_FORMAT: &str = "checkpoint 2";
/// Without a seal, the data in words.
const OLD_CHECKPOINT_FORMAT: &str = "checkpoint 1";
const STATE: &str = "barnowl.state";
const NETWORK: &str = "network.";
const OPTIMIZER: &str = "optimizer.";
const AVERAGE: &str = "average.";

/// The state of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The task, with its training recipe.
    pub task: TaskConfig,
    /// Parameters, log τ as it is trained.
    network: TensorMap,
    /// Their moving average; nothing if there is none.
    average: TensorMap,
    optimizer: OptimizerState,
    state: State,
}

/// What is not a tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    /// What the data were, in words.
    data: String,
    /// What the data were, to notice others on resuming; none in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    card: Option<DataCard>,
    progress: Progress,
    sums: Sums,
    counters: BTreeMap<String, u64>,
    /// The updates that the moving average is over; none without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    averaged: Option<u64>,
}

impl Checkpoint {
    /// The state of a run, to be written.
    #[must_use]
    pub fn of(trainer: &Trainer, task: &TaskConfig, data: &DataCard) -> Self {
        let form = TimeConstantForm::Log;
        let optimizer = trainer.optimizer.state();
        let average = trainer.average.as_ref().filter(|average| average.updates() > 0);
        let averaged = average.and_then(Average::network);
        Self {
            task: task.clone(),
            network: trainer.network.tensors(&trainer.network_config, form),
            average: (averaged.map(|network| network.tensors(&trainer.network_config, form)))
                .unwrap_or_default(),
            state: State {
                data: data.origin.clone(),
                card: Some(data.clone()),
                progress: trainer.progress.clone(),
                sums: trainer.sums.clone(),
                counters: optimizer.counters.clone(),
                averaged: average.map(Average::updates),
            },
            optimizer,
        }
    }

    /// How far the run had come.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.state.progress
    }

    /// The run, to go on with the same task and data, on whichever device. The data may lie in another place, and the run may
    /// have more epochs than it was started with, where the learning rate does not depend on how many there are.
    ///
    /// # Errors
    ///
    /// If task or data differ from those of the checkpoint, naming the keys that do; or if its tensors are not those of
    /// the task.
    pub fn resume(self, task: &TaskConfig, data: &DataCard, device: &Device) -> Result<Trainer> {
        self.check_task(task)?;
        self.check_data(data)?;
        let mut trainer = Trainer::drawn(&task.network, &task.train, device)?;
        let form = TimeConstantForm::Log;
        if let (Some(average), Some(updates)) = (&mut trainer.average, self.state.averaged) {
            let plain = device.clone().without_autodiff();
            let network = Network::from_tensors(&task.network, &self.average, form, &plain)?;
            average.restore(updates, network);
        }
        let device = device.clone().autodiff();
        trainer.network = Network::from_tensors(&task.network, &self.network, form, &device)?;
        trainer.optimizer.restore(self.optimizer, &trainer.network)?;
        trainer.progress = self.state.progress;
        trainer.sums = self.state.sums;
        Ok(trainer)
    }

    fn check_task(&self, task: &TaskConfig) -> Result<()> {
        let mut longer = self.task.clone();
        longer.train.epochs = task.train.epochs;
        let (before, after) = (self.task.train.epochs, task.train.epochs);
        if before != after {
            if task.train.schedule.depends_on_epochs() {
                return Err(Error::setting("train.epochs", after)
                    .expected(format!(
                        "{before}, as the run was started with: its learning rate goes down over all epochs, and was another \
                         at every epoch if there had been {after}"
                    ))
                    .remedy("start a new run of so many epochs; one with a constant learning rate can be lengthened"));
            }
            if after < self.state.progress.epoch {
                return Err(Error::setting("train.epochs", after).expected(format!(
                    "at least the {} that the run has done",
                    self.state.progress.epoch
                )));
            }
        }
        let differences = differences(&longer, task)?;
        if differences.is_empty() {
            return Ok(());
        }
        Err(Error::mismatch(format!(
            "the run was started with another configuration: {}",
            differences.join("; ")
        ))
        .remedy("resume with the configuration of the run, or start a new run in another folder"))
    }

    fn check_data(&self, data: &DataCard) -> Result<()> {
        let changed = match &self.state.card {
            Some(card) => {
                let parts = card.changed_parts(data);
                if parts.is_empty() {
                    return Ok(());
                }
                format!(
                    "the {} data are not those that the run was started on",
                    parts.join(" and ")
                )
            }
            None if self.state.data == data.origin => return Ok(()),
            None => "the run was started on other data".to_owned(),
        };
        Err(Error::mismatch(format!("{changed}: {}", self.state.data))
            .expected(data.origin.clone())
            .remedy(
                "put the data back as they were, give the folder of the run's data with --data, or start a new run in another \
                 folder",
            ))
    }

    /// Writes the checkpoint, whole or not at all.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; an older checkpoint of the name survives then.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let mut tensors = TensorMap::new();
        for (name, tensor) in &self.network {
            tensors.insert(format!("{NETWORK}{name}"), tensor.clone());
        }
        for (name, tensor) in &self.average {
            tensors.insert(format!("{AVERAGE}{name}"), tensor.clone());
        }
        for (name, data) in &self.optimizer.tensors {
            let values = data.as_slice::<f32>().map_err(|error| {
                Error::format(format!("the optimizer's {name} is not of 32-bit floats: {error:?}"))
            })?;
            let tensor = NamedTensor::new(data.shape().to_vec(), values.to_vec());
            tensors.insert(format!("{OPTIMIZER}{name}"), tensor);
        }
        let state = serde_json::to_string(&self.state)
            .map_err(|error| Error::format(format!("the state cannot be written: {error}")))?;
        let metadata = Metadata::from([
            (FORMAT.to_owned(), CHECKPOINT_FORMAT.to_owned()),
            (TASK.to_owned(), task_to_json(&self.task)?),
            (STATE.to_owned(), state),
        ]);
        sealed::write(path, &tensors, &metadata)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is damaged or is no checkpoint.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let contents = sealed::read(path, |contents| format_of(contents) == CHECKPOINT_FORMAT)?;
        match format_of(&contents) {
            CHECKPOINT_FORMAT | OLD_CHECKPOINT_FORMAT => Self::from_contents(contents),
            _ => {
                Err(Error::format("the file is no Barnowl checkpoint").expected(CHECKPOINT_FORMAT))
            }
        }
        .map_err(|error| error.in_file(path))
    }

    fn from_contents(contents: Contents) -> Result<Self> {
        let state = contents.metadata.get(STATE).map(String::as_str).unwrap_or_default();
        let state: State = serde_json::from_str(state)
            .map_err(|error| Error::format(format!("the state of the run: {error}")))?;
        let (mut network, mut average) = (TensorMap::new(), TensorMap::new());
        let mut optimizer = OptimizerState::default();
        for (name, tensor) in contents.tensors {
            if let Some(name) = name.strip_prefix(NETWORK) {
                network.insert(name.to_owned(), tensor);
            } else if let Some(name) = name.strip_prefix(AVERAGE) {
                average.insert(name.to_owned(), tensor);
            } else if let Some(name) = name.strip_prefix(OPTIMIZER) {
                let data = TensorData::new(tensor.values, tensor.shape);
                optimizer.tensors.insert(name.to_owned(), data);
            } else {
                return Err(Error::format(format!("the checkpoint has a tensor {name}"))
                    .expected("only tensors of the network, its average and its optimizer"));
            }
        }
        optimizer.counters = state.counters.clone();
        let task = task_from_json(contents.metadata.get(TASK))?;
        Ok(Self { task, network, average, optimizer, state })
    }
}

/// The keys in which two tasks differ, each with both values.
///
/// # Errors
///
/// If a task has no form as JSON.
pub fn differences(old: &TaskConfig, new: &TaskConfig) -> Result<Vec<String>> {
    let json = |task: &TaskConfig| {
        serde_json::to_value(task)
            .map_err(|error| Error::config(format!("the task cannot be compared: {error}")))
    };
    let mut found = Vec::new();
    compare("", &json(old)?, &json(new)?, &mut found);
    Ok(found)
}

fn compare(key: &str, old: &serde_json::Value, new: &serde_json::Value, found: &mut Vec<String>) {
    use serde_json::Value;
    let below = |name: &str| {
        if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") }
    };
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let mut names: Vec<_> = old.keys().chain(new.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let value = |map: &serde_json::Map<String, Value>| {
                    map.get(name).cloned().unwrap_or(Value::Null)
                };
                compare(&below(name), &value(old), &value(new), found);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (i, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&below(&i.to_string()), old, new, found);
            }
        }
        _ if old == new => {}
        _ => found.push(format!("{key} was {old} and is now {new}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Prepared;
    use crate::train::{BatchReport, Control, EpochReport, Observer, Outcome, evaluate};

    /// Stops a run after so many mini-batches, and hears of every epoch.
    struct Stop(usize, Vec<EpochReport>);

    impl Observer for Stop {
        fn batch(&mut self, _: &BatchReport) -> Control {
            self.0 -= 1;
            if self.0 == 0 { Control::Stop } else { Control::Continue }
        }

        fn epoch(&mut self, report: &EpochReport, _: &Trainer) -> Result<()> {
            self.1.push(report.clone());
            Ok(())
        }
    }

    fn task(more: &[&str]) -> TaskConfig {
        let small = [
            "dataset.generator.train_samples=16",
            "dataset.generator.test_samples=2",
            "dataset.generator.steps=120",
            "network.layers.0.size=6",
            "train.batch=4",
            "train.validation=0.25",
            "train.epochs=4",
        ];
        let settings: Vec<String> = small.iter().chain(more).map(|&s| s.to_owned()).collect();
        TaskConfig::load("ecg", &settings).unwrap()
    }

    #[test]
    fn a_run_with_an_average_goes_on_bit_for_bit() {
        let task = task(&[
            "train.average=0.9",
            "train.warmup=1.5",
            "train.schedule=one_cycle",
            "train.learning_rate=0.02",
        ]);
        let Prepared { train, valid, card, .. } = task.prepare(None, false).unwrap();
        let device = Device::flex();
        let new = || Trainer::new(&task.network, &task.train, &device).unwrap();
        let mut whole = new();
        let mut heard = Stop(usize::MAX, Vec::new());
        assert_eq!(whole.run(&train, &valid, &mut heard).unwrap(), Outcome::Finished);
        let tensors = |network: &Network| network.tensors(&task.network, TimeConstantForm::Log);
        assert_ne!(tensors(whole.averaged()), tensors(whole.network()));
        // The average is what validates, and what trains is another.
        let loss = |network| evaluate(network, &task.network, &valid, 4).unwrap().loss;
        assert_eq!(heard.1[3].valid_loss, loss(whole.averaged()));
        assert_ne!(heard.1[3].valid_loss, loss(whole.network()));
        // The rate of the last mini-batch; of all, that is the last of the cycle.
        assert_eq!(heard.1[3].learning_rate, 0.02 * 4e-6);

        // After the first mini-batch, within an epoch, at the end of one.
        for stop in [1, 5, 6] {
            let temp = tempfile::tempdir().unwrap();
            let path = temp.path().join("checkpoint.safetensors");
            let (mut first, mut until) = (new(), Stop(stop, Vec::new()));
            assert_eq!(first.run(&train, &valid, &mut until).unwrap(), Outcome::Interrupted);
            Checkpoint::of(&first, &task, &card).save(&path).unwrap();
            let kept = Checkpoint::load(&path).unwrap();
            let mut again = kept.resume(&task, &card, &device).unwrap();
            let mut rest = Stop(usize::MAX, until.1);
            again.run(&train, &valid, &mut rest).unwrap();
            assert_eq!(rest.1, heard.1);
            assert_eq!(tensors(again.averaged()), tensors(whole.averaged()));
            let [again, whole] = [&again, &whole].map(|run| Checkpoint::of(run, &task, &card));
            assert_eq!(again, whole);
        }
    }

    #[test]
    fn a_run_without_an_average_keeps_none() {
        let task = task(&["train.epochs=1"]);
        let Prepared { train, valid, card, .. } = task.prepare(None, false).unwrap();
        let mut trainer = Trainer::new(&task.network, &task.train, &Device::flex()).unwrap();
        trainer.run(&train, &valid, &mut crate::train::Silent).unwrap();
        let checkpoint = Checkpoint::of(&trainer, &task, &card);
        assert!(checkpoint.average.is_empty());
        // As in the files of older versions.
        assert!(!serde_json::to_string(&checkpoint.state).unwrap().contains("averaged"));
    }
}

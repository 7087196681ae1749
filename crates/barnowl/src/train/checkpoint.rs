//! Everything that a run needs to go on, bit for bit, in one file.
//!
//! Parameters as they are trained (log τ, not τ), the optimizer's memory, how far the epoch is, and the task itself.
//! Random streams depend on seed, epoch and batch alone, so their state is the progress.

use super::evaluate::Sums;
use super::trainer::{Progress, Trainer};
use crate::error::{Error, Result};
use crate::exchange::safetensors::{self, Metadata};
use crate::exchange::{NamedTensor, TensorMap};
use crate::model::{FORMAT, TASK, task_from_json, task_to_json};
use crate::network::Network;
use crate::optimizer::OptimizerState;
use crate::parameters::TimeConstantForm;
use crate::task::TaskConfig;
use burn::tensor::{Device, TensorData};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

const CHECKPOINT_FORMAT: &str = "checkpoint 1";
const STATE: &str = "barnowl.state";
const NETWORK: &str = "network.";
const OPTIMIZER: &str = "optimizer.";

/// The state of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The task, with its training recipe.
    pub task: TaskConfig,
    /// Parameters, log τ as it is trained.
    network: TensorMap,
    optimizer: OptimizerState,
    state: State,
}

/// What is not a tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    /// What the data were, to notice other data on resuming.
    data: String,
    progress: Progress,
    sums: Sums,
    counters: BTreeMap<String, u64>,
}

impl Checkpoint {
    /// The state of a run, to be written.
    #[must_use]
    pub fn of(trainer: &Trainer, task: &TaskConfig, data: &str) -> Self {
        let form = TimeConstantForm::Log;
        let optimizer = trainer.optimizer.state();
        Self {
            task: task.clone(),
            network: trainer.network.tensors(&trainer.network_config, form),
            state: State {
                data: data.to_owned(),
                progress: trainer.progress.clone(),
                sums: trainer.sums.clone(),
                counters: optimizer.counters.clone(),
            },
            optimizer,
        }
    }

    /// How far the run had come.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.state.progress
    }

    /// The run, to go on with the same task and data, on whichever device.
    ///
    /// # Errors
    ///
    /// If task or data differ from those of the checkpoint, naming the keys that do; or if its tensors are not those of
    /// the task.
    pub fn resume(self, task: &TaskConfig, data: &str, device: &Device) -> Result<Trainer> {
        let differences = differences(&self.task, task)?;
        if !differences.is_empty() {
            return Err(Error::mismatch(format!(
                "the run was started with another configuration: {}",
                differences.join("; ")
            ))
            .remedy(
                "resume with the configuration of the run, or start a new run in another folder",
            ));
        }
        if self.state.data != data {
            return Err(Error::mismatch(format!(
                "the run was started on other data: {}",
                self.state.data
            ))
            .expected(data)
            .remedy("give the same --data as when the run was started, or start a new run"));
        }
        let mut trainer = Trainer::drawn(&task.network, &task.train, device)?;
        let device = device.clone().autodiff();
        let form = TimeConstantForm::Log;
        trainer.network = Network::from_tensors(&task.network, &self.network, form, &device)?;
        trainer.optimizer.restore(self.optimizer, &trainer.network)?;
        trainer.progress = self.state.progress;
        trainer.sums = self.state.sums;
        Ok(trainer)
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
        safetensors::write(path, &tensors, &metadata)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is damaged or is no checkpoint.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let contents = safetensors::read(path)?;
        Self::from_contents(contents).map_err(|error| error.in_file(path))
    }

    fn from_contents(contents: safetensors::Contents) -> Result<Self> {
        if contents.metadata.get(FORMAT).map(String::as_str) != Some(CHECKPOINT_FORMAT) {
            return Err(
                Error::format("the file is no Barnowl checkpoint").expected(CHECKPOINT_FORMAT)
            );
        }
        let state = contents.metadata.get(STATE).map(String::as_str).unwrap_or_default();
        let state: State = serde_json::from_str(state)
            .map_err(|error| Error::format(format!("the state of the run: {error}")))?;
        let (mut network, mut optimizer) = (TensorMap::new(), OptimizerState::default());
        for (name, tensor) in contents.tensors {
            if let Some(name) = name.strip_prefix(NETWORK) {
                network.insert(name.to_owned(), tensor);
            } else if let Some(name) = name.strip_prefix(OPTIMIZER) {
                let data = TensorData::new(tensor.values, tensor.shape);
                optimizer.tensors.insert(name.to_owned(), data);
            } else {
                return Err(Error::format(format!("the checkpoint has a tensor {name}"))
                    .expected("only tensors of the network and its optimizer"));
            }
        }
        optimizer.counters = state.counters.clone();
        Ok(Self { task: task_from_json(contents.metadata.get(TASK))?, network, optimizer, state })
    }
}

/// The keys in which two tasks differ, each with both values.
fn differences(old: &TaskConfig, new: &TaskConfig) -> Result<Vec<String>> {
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

//! A model file: one safetensors file that holds the parameters and, in its metadata, the whole task.
//!
//! A model file is enough to run the network: no configuration beside it.

use crate::error::{Error, Result};
use crate::exchange::safetensors::{self, Metadata};
use crate::network::Network;
use crate::parameters::TimeConstantForm;
use crate::task::TaskConfig;
use burn::tensor::Device;
use std::path::Path;

/// A trained network with the task that it was trained for.
#[derive(Debug, Clone)]
pub struct Model {
    /// Data, network and recipe.
    pub task: TaskConfig,
    /// The parameters.
    pub network: Network,
    /// Where the parameters come from, for people: free text by name, such as `epoch` or `imported from`.
    pub provenance: Metadata,
}

/// The metadata key that says what kind of file this is, and its version.
pub(crate) const FORMAT: &str = "barnowl.format";
const MODEL_FORMAT: &str = "model 1";
pub(crate) const TASK: &str = "barnowl.task";
const PROVENANCE: &str = "provenance.";

impl Model {
    /// Writes the model, whole or not at all.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; an older file of the name survives then.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let mut metadata = Metadata::new();
        metadata.insert(FORMAT.into(), MODEL_FORMAT.into());
        metadata.insert(TASK.into(), task_to_json(&self.task)?);
        for (name, text) in &self.provenance {
            metadata.insert(format!("{PROVENANCE}{name}"), text.clone());
        }
        let tensors = self.network.tensors(&self.task.network, TimeConstantForm::Tau);
        safetensors::write(path, &tensors, &metadata)
    }

    /// Reads a model.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is damaged, is no Barnowl model, or its tensors are not those of its task.
    pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let path = path.as_ref();
        let contents = safetensors::read(path)?;
        let in_file = |error: Error| error.in_file(path);
        match contents.metadata.get(FORMAT).map(String::as_str) {
            Some(MODEL_FORMAT) => {}
            Some(other) => {
                return Err(Error::format(format!("the file is a Barnowl {other}"))
                    .expected(MODEL_FORMAT)
                    .in_file(path));
            }
            None => {
                return Err(Error::format(
                    "the file is no Barnowl model: its metadata name no task",
                )
                .in_file(path)
                .remedy(
                    "for a file of another program: `barnowl import FILE --task TASK --out MODEL`",
                ));
            }
        }
        let task = task_from_json(contents.metadata.get(TASK)).map_err(in_file)?;
        let tensors = &contents.tensors;
        let form = TimeConstantForm::Tau;
        let network =
            Network::from_tensors(&task.network, tensors, form, device).map_err(in_file)?;
        let provenance = contents.metadata.iter().filter_map(|(name, text)| {
            Some((name.strip_prefix(PROVENANCE)?.to_owned(), text.clone()))
        });
        Ok(Self { network, provenance: provenance.collect(), task })
    }
}

pub(crate) fn task_to_json(task: &TaskConfig) -> Result<String> {
    serde_json::to_string(task)
        .map_err(|error| Error::config(format!("the task cannot be written: {error}")))
}

pub(crate) fn task_from_json(text: Option<&String>) -> Result<TaskConfig> {
    let text = text.ok_or_else(|| Error::format("the file's metadata hold no task"))?;
    let task: TaskConfig = serde_json::from_str(text)
        .map_err(|error| Error::format(format!("the task in the file's metadata: {error}")))?;
    task.validate()?;
    Ok(task)
}

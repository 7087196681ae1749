//! A model file: one safetensors file that holds the parameters and, in its metadata, the whole task.
//!
//! A model file is enough to run the network: no configuration beside it.

use crate::dataset::{DataCard, Known};
use crate::error::{Error, Result};
use crate::exchange::safetensors::{Contents, Metadata};
use crate::exchange::sealed;
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
    /// What the data were that it was trained on; `None` if the parameters come from another program, or an older version.
    pub data: Option<DataCard>,
    /// Where the parameters come from, for people: free text by name, such as `epoch` or `imported from`.
    pub provenance: Metadata,
    /// Whether its file has a checksum, by which damage is noticed; those of older versions have none.
    pub is_sealed: bool,
}

/// The metadata key that says what kind of file this is, and its version.
pub(crate) const FORMAT: &str = "barnowl.format";
/// Sealed, with a card of the data.
const MODEL_FORMAT: &str = "model 2";
/// Without a seal.
const OLD_MODEL_FORMAT: &str = "model 1";
pub(crate) const TASK: &str = "barnowl.task";
pub(crate) const DATA: &str = "barnowl.data";
const PROVENANCE: &str = "provenance.";

impl Model {
    /// A model that no file holds yet.
    #[must_use]
    pub fn new(task: TaskConfig, network: Network, data: Option<DataCard>) -> Self {
        Self { task, network, data, provenance: Metadata::new(), is_sealed: true }
    }

    /// The same model, with where its parameters come from.
    #[must_use]
    pub fn with_provenance(self, provenance: Metadata) -> Self {
        Self { provenance, ..self }
    }

    /// Writes the model, whole or not at all.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; an older file of the name survives then.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let mut metadata = Metadata::new();
        metadata.insert(FORMAT.into(), MODEL_FORMAT.into());
        metadata.insert(TASK.into(), task_to_json(&self.task)?);
        if let Some(card) = &self.data {
            metadata.insert(DATA.into(), card_to_json(card)?);
        }
        for (name, text) in &self.provenance {
            metadata.insert(format!("{PROVENANCE}{name}"), text.clone());
        }
        let tensors = self.network.tensors(&self.task.network, TimeConstantForm::Tau);
        sealed::write(path, &tensors, &metadata)
    }

    /// Reads a model, and compares it with its checksum. Files of older versions have none, and no card.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is damaged, is no Barnowl model, or its tensors are not those of its task.
    pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let path = path.as_ref();
        let contents = sealed::read(path, |contents| format_of(contents) == MODEL_FORMAT)?;
        let in_file = |error: Error| error.in_file(path);
        match format_of(&contents) {
            MODEL_FORMAT | OLD_MODEL_FORMAT => {}
            "" => {
                return Err(Error::format(
                    "the file is no Barnowl model: its metadata name no task",
                )
                .in_file(path)
                .remedy(
                    "for a file of another program: `barnowl import FILE --task TASK --out MODEL`",
                ));
            }
            other => {
                return Err(Error::format(format!("the file is a Barnowl {other}"))
                    .expected(MODEL_FORMAT)
                    .in_file(path));
            }
        }
        let task = task_from_json(contents.metadata.get(TASK)).map_err(in_file)?;
        let data = contents.metadata.get(DATA).map(|text| card_from_json(text).map_err(in_file));
        let tensors = &contents.tensors;
        let form = TimeConstantForm::Tau;
        let network =
            Network::from_tensors(&task.network, tensors, form, device).map_err(in_file)?;
        let provenance = contents.metadata.iter().filter_map(|(name, text)| {
            Some((name.strip_prefix(PROVENANCE)?.to_owned(), text.clone()))
        });
        let (provenance, data) = (provenance.collect(), data.transpose()?);
        let is_sealed = format_of(&contents) == MODEL_FORMAT;
        Ok(Self { network, data, provenance, is_sealed, task })
    }

    /// What readers need to know of the model's data, to put others in the same order; nothing of a model without a card.
    #[must_use]
    pub fn known(&self) -> Known<'_> {
        self.data.as_ref().map(DataCard::known).unwrap_or_default()
    }
}

/// What kind of file this is, and its version; empty if it is none of ours.
pub(crate) fn format_of(contents: &Contents) -> &str {
    contents.metadata.get(FORMAT).map_or("", String::as_str)
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

pub(crate) fn card_to_json(card: &DataCard) -> Result<String> {
    serde_json::to_string(card)
        .map_err(|error| Error::format(format!("the card of the data cannot be written: {error}")))
}

pub(crate) fn card_from_json(text: &str) -> Result<DataCard> {
    serde_json::from_str(text)
        .map_err(|error| Error::format(format!("the card of the data in the metadata: {error}")))
}

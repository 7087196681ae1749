//! What is known of sequences beside their values and classes, as it is kept.

use super::normalization::Normalization;
use super::rows::pick;
use serde::{Deserialize, Serialize};

/// How sequences of arrays end: what fills them up to one length is told from data, or counts as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ends {
    /// Each at its own last step, as lengths or missing values say.
    Given,
    /// Many in rows of zeros, more than there are within them, which count as steps.
    Zeros,
}

/// Facts of a data set beside its values; each is there only where the source says it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Details {
    /// Steps of each sequence, if some end before T.
    pub(super) lengths: Option<Vec<u32>>,
    /// Which recording each sequence was cut from, if several may be of one.
    pub(super) recordings: Option<Vec<u32>>,
    /// Which group, such as a subject, each sequence is of, as a place in `group_names`.
    pub(super) groups: Option<Vec<u32>>,
    pub(super) group_names: Vec<String>,
    /// What each sequence is called: its file, or its place in an array.
    pub(super) sequence_names: Option<Vec<String>>,
    pub(super) channel_names: Vec<String>,
    /// Steps a second.
    pub(super) sampling_rate: Option<f64>,
    /// Samples a second of the sounds that the sequences were made of.
    pub(super) sound_rate: Option<u32>,
    /// Whether the classes are listed, so that a number stands for one by its place.
    pub(super) are_listed: bool,
    /// Whether events have a polarity.
    pub(super) polarity: Option<bool>,
    /// How the sequences end.
    pub(super) ends: Option<Ends>,
    /// What has been done to the values.
    pub(super) normalization: Option<Normalization>,
    /// What has been done to the numbers that are to be found.
    pub(super) target_normalization: Option<Normalization>,
    /// What was left out, cut or merged while reading, and why.
    pub(super) notes: Vec<String>,
}

impl Details {
    /// Those of the sequences `indices`.
    pub(super) fn pick(&self, indices: &[usize]) -> Self {
        let of = |all: &Option<Vec<u32>>| all.as_ref().map(|all| pick(all, 1, indices));
        let names = self.sequence_names.as_ref();
        Self {
            lengths: of(&self.lengths),
            recordings: of(&self.recordings),
            groups: of(&self.groups),
            sequence_names: names.map(|all| indices.iter().map(|i| all[*i].clone()).collect()),
            ..self.clone()
        }
    }
}

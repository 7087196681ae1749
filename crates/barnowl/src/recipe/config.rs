//! The settings of a training run.

use super::decay::DecayGroups;
use super::weight_penalty::WeightPenalties;
use crate::class_loss::ClassLossConfig;
use crate::dataset::{Augmentation, Fold};
use crate::learning::{NeuronRatePenalty, RatePenalty};
use crate::optimizer::{GradientClipping, OptimizerConfig, ScheduleConfig};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A training recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// The number of epochs. Default 100.
    /// Range: 1 to 1000000000.
    pub epochs: usize,
    /// Sequences per mini-batch. Default 64.
    /// Range: 1 to 1000000000.
    pub batch: usize,
    /// Seed of weights, batches and initial states. Default 1.
    /// Range: 0 to 9223372036854775807.
    pub seed: u64,
    /// A model file whose parameters the run starts from, in the place of drawn ones. The hidden layers must be the same; what
    /// differs in the readout is drawn, so that a trained network can learn other classes. Default: all are drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<PathBuf>,
    /// The base learning rate. Default 0.01.
    /// Range: more than 0.
    pub learning_rate: f64,
    /// The learning rate of (the logarithms of) time constants, relative to that of the weights. Default 1.
    /// Range: 0 or more.
    pub time_constant_rate: f64,
    /// The learning rate of the parameters of neurons that run from their equations, relative to that of the weights.
    /// Default 1.
    /// Range: 0 or more.
    pub neuron_rate: f64,
    /// The learning rate of the threshold of the inputs, where they are encoded, relative to that of the weights.
    /// Default 0.01.
    /// Range: 0 or more.
    pub encoder_rate: f64,
    /// The update rule. Default Adam.
    pub optimizer: OptimizerConfig,
    /// On which parameters the optimizer's weight decay acts. Default: on weights alone.
    #[serde(skip_serializing_if = "DecayGroups::is_default")]
    pub decay: DecayGroups,
    /// How the learning rate goes over the epochs. Default constant.
    pub schedule: ScheduleConfig,
    /// Warm-up: over these epochs, or parts of one, the learning rate rises linearly, with every mini-batch, to what the schedule
    /// says. Not beside `warmup_epochs` of the schedule, which rises with every epoch. Default 0.
    /// Range: 0 to 1000000000 epochs.
    #[serde(skip_serializing_if = "is_zero")]
    pub warmup: f64,
    /// How gradients are bounded. Default not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clipping: Option<GradientClipping>,
    /// How the loss of classes is weighed. Default: the plain cross-entropy.
    #[serde(skip_serializing_if = "ClassLossConfig::is_plain")]
    pub loss: ClassLossConfig,
    /// Draws spike rates towards a target. Default not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_penalty: Option<RatePenalty>,
    /// Keeps the spike rate of every neuron between two bounds. Default not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neuron_rate_penalty: Option<NeuronRatePenalty>,
    /// Draws weights to zero by their absolute values or squares. Default not at all.
    #[serde(skip_serializing_if = "WeightPenalties::is_default")]
    pub weight_penalty: WeightPenalties,
    /// Keeps the potentials of so many steps at a time and computes the others again on the way back: less memory, more
    /// time, the same bits. See [`BpttOptions`](crate::learning::BpttOptions). Without effect on a graphics processor, and on
    /// networks that do not read [step by step](crate::network::NetworkConfig::is_causal). Default: keeps all.
    /// Range: 1 to 1000000000 steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_steps: Option<usize>,
    /// Truncates backpropagation through time. Default: gradients flow back to the first step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncation: Option<Truncation>,
    /// Changes the training sequences at random in every epoch. Default: not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<Augmentation>,
    /// Which sequences an epoch is made of. Default: each once.
    pub sampling: Sampling,
    /// The share of the training data that validates. Default 0.1.
    /// Range: more than 0, less than 1.
    pub validation: f64,
    /// Seed of the split into training and validation data: apart from `seed`, so that runs of different seeds are
    /// chosen on the same sequences. Default 1.
    /// Range: 0 to 9223372036854775807.
    pub split_seed: u64,
    /// Holds a part of the training data out, which takes the place of the test data: one fold of a cross-validation, such as
    /// `{ index = 1, count = 5 }`. Folds are drawn by `split_seed` and keep groups and recordings whole. Default: nothing is
    /// held out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
    /// Holds the group of this name, such as a subject, out of the training data, in the place of the test data. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leave_out: Option<String>,
    /// Which epoch's parameters become the model. Default: those of the best one.
    #[serde(skip_serializing_if = "Keep::is_default")]
    pub keep: Keep,
    /// Keeps a moving average of the parameters, which decays by this factor with every update and has its bias corrected
    /// (Kingma & Ba 2015, section 7.2; arXiv 1412.6980). The average validates and becomes the model; training goes on with the
    /// parameters themselves. Of time constants, the logarithms are averaged. Default: no average.
    /// Range: more than 0, less than 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = 0.999)]
    pub average: Option<f64>,
    /// Writes a model file `snapshots/epoch-NNNN.safetensors` into the run folder after every so many epochs, beside the model
    /// that is kept. Default: none.
    /// Range: 1 to 1000000000 epochs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = 10)]
    pub snapshots: Option<usize>,
    /// Stops after this many epochs without a better validation accuracy, or R² of numbers. Default never.
    /// Range: 1 to 1000000000 epochs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
    /// A mean loss of an epoch this many times that of a network that knows nothing counts as divergence. Default 10.
    /// Range: more than 1, or inf.
    pub divergence: f64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 100,
            batch: 64,
            seed: 1,
            init: None,
            learning_rate: 0.01,
            time_constant_rate: 1.0,
            neuron_rate: 1.0,
            encoder_rate: 0.01,
            optimizer: OptimizerConfig::default(),
            decay: DecayGroups::default(),
            schedule: ScheduleConfig::default(),
            warmup: 0.0,
            clipping: None,
            loss: ClassLossConfig::default(),
            rate_penalty: None,
            neuron_rate_penalty: None,
            weight_penalty: WeightPenalties::default(),
            checkpoint_steps: None,
            truncation: None,
            augmentation: None,
            sampling: Sampling::default(),
            validation: 0.1,
            split_seed: 1,
            fold: None,
            leave_out: None,
            keep: Keep::default(),
            average: None,
            snapshots: None,
            patience: None,
            divergence: 10.0,
        }
    }
}

/// Which epoch's parameters become the model.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Those of the highest validation accuracy, or R² of numbers; of the lowest validation loss among equals.
    #[default]
    Best,
    /// Those of the last epoch. Of few validation sequences, the best epoch is a matter of luck; end with a low learning rate
    /// instead, as with a cosine schedule.
    Last,
}

impl Keep {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What the epoch kept is among the others.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Last => "last",
        }
    }
}

/// Which sequences an epoch is made of.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// Each sequence once, in random order.
    #[default]
    Shuffled,
    /// As many draws with replacement as there are sequences, every class as often as any other.
    Balanced,
}

/// Backpropagation through time in windows: the state goes from one to the next, its gradient does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Truncation {
    /// Steps of a window. The memory for potentials and spikes is that of one window.
    /// Range: 1 to 1000000000 steps.
    pub window: usize,
    /// When the weights change. Default after every window.
    #[serde(default)]
    pub update: Update,
}

/// When truncated backpropagation changes the weights.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Update {
    /// After every window, by the loss of what has been read so far; the state goes on under the new weights. So
    /// Yin, Corradi & Bohté (2021) train permuted MNIST.
    #[default]
    Window,
    /// Once, by the loss of the whole sequence; the gradients of its windows are summed. Each window but the last is
    /// computed once more on the way back.
    Sequence,
}

fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

impl TrainConfig {
    /// Whether a part of the training data takes the place of the test data.
    #[must_use]
    pub fn holds_out(&self) -> bool {
        self.fold.is_some() || self.leave_out.is_some()
    }
}

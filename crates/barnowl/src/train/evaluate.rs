//! Evaluation: a network on a whole data set, without gradients.

use crate::dataset::{Dataset, UNLABELLED};
use crate::device::{guard, is_cpu};
use crate::error::{Error, Result};
use crate::layer::Pass;
use crate::learning::{BatchOutcome, Bptt, BpttOptions, Layerwise};
use crate::metric::{ConfusionMatrix, Prediction};
use crate::network::{Network, NetworkConfig};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

/// What a network is worth on a data set.
#[derive(Debug, Clone, Serialize)]
pub struct Evaluation {
    /// The number of sequences.
    pub samples: usize,
    /// The loss, averaged over sequences: of a class per step, that of a sequence is the sum over its steps.
    pub loss: f64,
    /// The loss of a class per step, averaged over the steps that count; none of one class a sequence.
    pub loss_per_step: Option<f64>,
    /// The share of right answers: of steps that count, or of sequences.
    pub accuracy: f64,
    /// Spikes per hidden neuron and step, without padding; of cells that do not spike, the share of outputs that are not zero.
    pub spike_rate: SpikeRate,
    /// True classes against predicted ones.
    pub confusion: ConfusionMatrix,
    /// The predicted classes.
    #[serde(skip)]
    pub prediction: Prediction,
}

/// Spikes per neuron and step.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct SpikeRate {
    /// Of all hidden neurons.
    pub overall: f64,
    /// Of each hidden layer.
    pub layers: Vec<f64>,
    /// Of the readout, if it spikes.
    pub readout: Option<f64>,
    /// The mean of the rates of all layers that spike, the readout among them, whatever their sizes: what Yin, Corradi &
    /// Bohté (2021) state.
    pub mean_of_layers: f64,
}

/// Sums over batches.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Sums {
    pub(super) samples: usize,
    /// Σ loss over sequences.
    pub(super) loss: f64,
    pub(super) right: u64,
    pub(super) counted: u64,
    /// Σ over sequences, by their share of T, of the mean spike rate, per layer.
    pub(super) rates: Vec<f64>,
    /// The same of the readout.
    #[serde(default)]
    pub(super) readout_rate: Option<f64>,
    /// Σ over sequences of the share of T that is padding.
    #[serde(default)]
    pub(super) padding: f64,
}

impl Sums {
    pub(super) fn loss(&self) -> f64 {
        self.loss / self.samples as f64
    }

    /// Of a class per step, the mean over the steps that count; none before the first of them.
    pub(super) fn loss_per_step(&self, data: &Dataset) -> Option<f64> {
        let per_step = data.targets().is_per_step() && self.counted > 0;
        per_step.then(|| self.loss / self.counted as f64)
    }

    pub(super) fn accuracy(&self) -> f64 {
        self.right as f64 / self.counted as f64
    }

    pub(super) fn spike_rate(&self, config: &NetworkConfig) -> SpikeRate {
        let weight = self.samples as f64 - self.padding;
        let layers: Vec<f64> = self.rates.iter().map(|rate| rate / weight).collect();
        let neurons = || config.layers.iter().map(|layer| layer.outputs() as f64);
        let weighted: f64 = layers.iter().zip(neurons()).map(|(rate, n)| rate * n).sum();
        let readout = self.readout_rate.map(|rate| rate / weight);
        let all = || layers.iter().chain(&readout);
        SpikeRate {
            overall: weighted / neurons().sum::<f64>(),
            mean_of_layers: all().sum::<f64>() / all().count() as f64,
            layers,
            readout,
        }
    }

    /// Adds a batch of sequences.
    pub(super) fn add(
        &mut self,
        outcome: &BatchOutcome,
        data: &Dataset,
        indices: &[usize],
        skip: usize,
    ) {
        let (targets, size) = (data.batch_targets(indices), indices.len());
        let padded = |sample: &usize| data.steps() - data.length(*sample);
        let padding = indices.iter().map(padded).sum::<usize>() as f64 / data.steps() as f64;
        let weight = size as f64 - padding;
        self.padding += padding;
        self.samples += size;
        self.loss += outcome.loss * size as f64;
        self.rates.resize(outcome.rates.len(), 0.0);
        for (sum, rate) in self.rates.iter_mut().zip(&outcome.rates) {
            *sum += rate * weight;
        }
        if let Some(rate) = outcome.readout_rate {
            *self.readout_rate.get_or_insert(0.0) += rate * weight;
        }
        let per_step = targets.len() > size;
        let from = if per_step { skip * size } else { 0 };
        // Steps without a label have a target below 0.
        let pairs = outcome.classes.iter().zip(&targets).skip(from).filter(|pair| *pair.1 >= 0);
        for (class, target) in pairs {
            self.right += u64::from(i32::from(*class) == *target);
            self.counted += 1;
        }
    }
}

/// Runs a network over a data set, `batch` sequences at a time.
///
/// The result does not depend on `batch`, except for the last digits of the loss, and except for data that are
/// [scaled by batch](Dataset::scaled_by_batch): random initial states are drawn for each sequence, by its place in the data
/// set.
///
/// # Errors
///
/// If the data do not fit the network, or no step that counts has a label;
/// [`ErrorKind::Divergence`](crate::error::ErrorKind::Divergence) if the loss is not a finite number;
/// [`ErrorKind::Device`](crate::error::ErrorKind::Device) if a graphics processor fails.
pub fn evaluate(
    network: &Network,
    config: &NetworkConfig,
    dataset: &Dataset,
    batch: usize,
) -> Result<Evaluation> {
    config.check_labelled(dataset)?;
    guard(&network.device(), || evaluate_unguarded(network, config, dataset, batch))
}

fn evaluate_unguarded(
    network: &Network,
    config: &NetworkConfig,
    dataset: &Dataset,
    batch: usize,
) -> Result<Evaluation> {
    let per_step = dataset.targets().is_per_step();
    let mut confusion = ConfusionMatrix::new(config.readout.size);
    let mut sums = Sums::default();
    let steps = if per_step { dataset.steps() } else { 1 };
    let skip = if per_step { config.decode.skip } else { 0 };
    let mut prediction = Prediction { classes: vec![UNLABELLED; dataset.samples() * steps], steps };
    let mut indices: Vec<usize> = (0..dataset.samples()).collect();
    if dataset.is_scaled_by_batch() {
        // In the order of the files, a batch might be of one class, and be scaled by what that class has in it.
        indices.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
    }
    let mut bptt = match config.is_fused() && is_cpu(&network.device()) {
        true => Some(Bptt::new(config, BpttOptions::default())?),
        false => None,
    };
    for indices in indices.chunks(batch.max(1)) {
        let pass = Pass::default();
        let outcome = match &mut bptt {
            Some(bptt) => bptt.evaluate(network, dataset, indices, pass),
            None => Layerwise::new(config).evaluate(network, dataset, indices, pass),
        };
        if !outcome.loss.is_finite() {
            return Err(Error::divergence(format!(
                "the loss of sequences {indices:?} is {}",
                outcome.loss
            )));
        }
        let targets = dataset.batch_targets(indices);
        sums.add(&outcome, dataset, indices, config.decode.skip);
        for (t, classes) in outcome.classes.chunks_exact(indices.len()).enumerate() {
            for ((class, sample), target) in
                classes.iter().zip(indices).zip(&targets[t * indices.len()..])
            {
                prediction.classes[sample * steps + t] = *class;
                if let (true, Ok(target)) = (t >= skip, usize::try_from(*target)) {
                    confusion.add(target, usize::from(*class));
                }
            }
        }
    }
    Ok(Evaluation {
        samples: sums.samples,
        loss: sums.loss(),
        loss_per_step: sums.loss_per_step(dataset),
        accuracy: sums.accuracy(),
        spike_rate: sums.spike_rate(config),
        confusion,
        prediction,
    })
}

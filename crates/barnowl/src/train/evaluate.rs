//! Evaluation: a network on a whole data set, without gradients.

use crate::dataset::{Dataset, UNLABELLED};
use crate::device::guard;
use crate::error::{Error, Result};
use crate::learning::{BatchOutcome, BpttOptions, backpropagation};
use crate::loss::Decoder;
use crate::metric::{ConfusionMatrix, Prediction, Regression, RegressionSums, ScoreKind};
use crate::network::{Network, NetworkConfig};
use crate::objective::Answer;
use crate::pass::Pass;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

/// What a network is worth on a data set.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The number of sequences.
    pub samples: usize,
    /// The loss, averaged over sequences: of a class per step, that of a sequence is the sum over its steps.
    pub loss: f64,
    /// The loss of an answer per step, averaged over the steps that count; none of one answer a sequence.
    pub loss_per_step: Option<f64>,
    /// How good the answers are, of steps that count, or of sequences: the share of right classes or labels, or R².
    pub score: f64,
    /// Which of these it is.
    pub judged_by: ScoreKind,
    /// Spikes per hidden neuron and step, without padding; of cells that do not spike, the share of outputs that are not zero.
    pub spike_rate: SpikeRate,
    /// True classes against predicted ones; none where the answer is no class.
    pub confusion: Option<ConfusionMatrix>,
    /// How well each number is found; none where the answer is no number.
    pub regression: Option<Regression>,
    /// The predicted classes or numbers.
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
    /// Right answers, of those that were counted.
    pub(super) right: u64,
    pub(super) counted: u64,
    /// Steps or sequences that count.
    #[serde(default)]
    pub(super) entries: u64,
    /// Of numbers: how far they are from those to be found.
    #[serde(default)]
    pub(super) regression: RegressionSums,
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

    /// Of an answer per step, the mean over the steps that count; none before the first of them.
    pub(super) fn loss_per_step(&self, data: &Dataset) -> Option<f64> {
        let per_step = data.targets().is_per_step() && self.entries > 0;
        per_step.then(|| self.loss / self.entries as f64)
    }

    /// How good the answers are: see [`Evaluation::score`]. Not a number as long as none was to be given.
    pub(super) fn score(&self, answer: Answer) -> f64 {
        match answer {
            Answer::Class | Answer::Labels => self.right as f64 / self.counted as f64,
            Answer::Values => self.regression.r2(),
        }
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
        decoder: Decoder,
    ) {
        let (skip, size) = (decoder.skip, indices.len());
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
        let from = if data.targets().is_per_step() { skip * size } else { 0 };
        if decoder.answer.is_real() {
            self.add_values(&outcome.values, data, indices, from, decoder.answer);
            return;
        }
        let targets = data.batch_targets(indices);
        // Steps without a label have a target below 0.
        let pairs = outcome.classes.iter().zip(&targets).skip(from).filter(|pair| *pair.1 >= 0);
        for (class, target) in pairs {
            self.right += u64::from(i32::from(*class) == *target);
            self.counted += 1;
            self.entries += 1;
        }
    }

    /// Adds the numbers of a batch from entry `from` on.
    fn add_values(
        &mut self,
        found: &[f32],
        data: &Dataset,
        indices: &[usize],
        from: usize,
        answer: Answer,
    ) {
        let (targets, outputs) = (data.batch_values(indices), data.class_names().len());
        let entries = targets.chunks_exact(outputs).zip(found.chunks_exact(outputs)).skip(from);
        for (targets, found) in entries {
            let known = targets.iter().zip(found).filter(|pair| !pair.0.is_nan());
            let count = known.clone().count() as u64;
            self.entries += u64::from(count > 0);
            if answer == Answer::Values {
                self.regression.add(targets, found);
                continue;
            }
            self.counted += count;
            let right = known.filter(|(target, p)| (**p >= 0.5) == (**target >= 0.5));
            self.right += right.count() as u64;
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
    let (decoder, outputs) = (config.decode, config.readout.size);
    let is_real = decoder.answer.is_real();
    let mut confusion = ConfusionMatrix::new(outputs);
    let mut sums = Sums::default();
    let steps = if per_step { dataset.steps() } else { 1 };
    let skip = if per_step { config.decode.skip } else { 0 };
    let entries = dataset.samples() * steps;
    let mut prediction = Prediction {
        classes: vec![UNLABELLED; if is_real { 0 } else { entries }],
        values: vec![f32::NAN; if is_real { entries * outputs } else { 0 }],
        steps,
    };
    let mut indices: Vec<usize> = (0..dataset.samples()).collect();
    if dataset.is_scaled_by_batch() {
        // In the order of the files, a batch might be of one class, and be scaled by what that class has in it.
        indices.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
    }
    let mut learner = backpropagation(config, BpttOptions::default(), &network.device())?;
    for indices in indices.chunks(batch.max(1)) {
        let pass = Pass::default();
        let outcome = learner.evaluate(network, dataset, indices, pass);
        if !outcome.loss.is_finite() {
            return Err(Error::divergence(format!(
                "the loss of sequences {indices:?} is {}",
                outcome.loss
            )));
        }
        let targets = dataset.batch_targets(indices);
        sums.add(&outcome, dataset, indices, decoder);
        for (entry, values) in outcome.values.chunks_exact(outputs).enumerate() {
            let (t, sample) = (entry / indices.len(), indices[entry % indices.len()]);
            let at = (sample * steps + t) * outputs;
            prediction.values[at..at + outputs].copy_from_slice(values);
        }
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
        score: sums.score(decoder.answer),
        judged_by: decoder.answer.judged_by(),
        spike_rate: sums.spike_rate(config),
        confusion: (!is_real).then_some(confusion),
        regression: (decoder.answer == Answer::Values)
            .then(|| sums.regression.scores(dataset.class_names(), dataset.target_normalization())),
        prediction,
    })
}

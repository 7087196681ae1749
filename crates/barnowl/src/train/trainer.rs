//! The training loop: backpropagation through time over mini-batches, validation after every epoch.

use super::average::Average;
use super::epoch_report::EpochReport;
use super::evaluate::{SpikeRate, Sums, evaluate};
use crate::dataset::{Dataset, Targets, UNLABELLED};
use crate::device::{guard, is_cpu};
use crate::error::{Error, Result};
use crate::exchange::{self, Shapes};
use crate::learning::{BatchOutcome, BpttOptions, Criterion, Learner, Penalties, backpropagation};
use crate::metric::ScoreKind;
use crate::model::Model;
use crate::network::{Network, NetworkConfig};
use crate::optimizer::{GroupedOptimizer, Place};
use crate::parameters::TimeConstantForm;
use crate::pass::Pass;
use crate::recipe::{Keep, Sampling, TrainConfig, Truncation, Update};
use burn::module::ParamGroup;
use burn::tensor::Device;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

/// Trains a network; see [`fit`] for the shortest way.
#[derive(Debug)]
pub struct Trainer {
    pub(super) network_config: NetworkConfig,
    pub(super) config: TrainConfig,
    pub(super) network: Network,
    /// What computes gradients.
    pub(super) learner: Box<dyn Learner>,
    pub(super) optimizer: GroupedOptimizer,
    pub(super) average: Option<Average>,
    pub(super) progress: Progress,
    pub(super) sums: Sums,
    /// Where the network is, with autodiff.
    device: Device,
}

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Epochs that are complete.
    pub epoch: usize,
    /// Mini-batches of the epoch under way that are complete.
    pub batch: usize,
    /// The epoch kept so far, counted from 1: the best by validation score, or the last.
    pub best_epoch: usize,
    /// Its validation score: accuracy, or R²; none where R² is not defined, as of numbers that never change.
    #[serde(rename = "best_accuracy")]
    pub best_score: Option<f64>,
    /// Its validation loss.
    pub best_loss: f64,
}

/// What an observer hears after every mini-batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchReport {
    /// The epoch under way, from 1.
    pub epoch: usize,
    /// Mini-batches of it that are complete.
    pub batch: usize,
    /// Mini-batches of an epoch.
    pub batches: usize,
    /// Sequences in this mini-batch.
    pub samples: usize,
    /// Mean loss of the epoch so far, of a sequence.
    pub loss: f64,
    /// The mean over steps that count, of an answer per step.
    pub loss_per_step: Option<f64>,
    /// [Score](super::Evaluation::score) of the epoch so far; not a number as long as no step with a label was read.
    pub score: f64,
    /// What the score is.
    pub judged_by: ScoreKind,
    /// Spike rate of the epoch so far, over all hidden neurons.
    pub spike_rate: f64,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Stop after this mini-batch.
    Stop,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All epochs are done.
    Finished,
    /// The validation score has not improved for `patience` epochs.
    EarlyStopped,
    /// The observer stopped the run.
    Interrupted,
}

/// Hears of a run's progress: a progress bar, a log, a run folder.
pub trait Observer {
    /// After every mini-batch; may stop the run.
    fn batch(&mut self, _report: &BatchReport) -> Control {
        Control::Continue
    }

    /// After every epoch.
    ///
    /// # Errors
    ///
    /// Ends the run.
    fn epoch(&mut self, _report: &EpochReport, _trainer: &Trainer) -> Result<()> {
        Ok(())
    }
}

/// An observer that does nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Observer for Silent {}

/// Trains a network and returns that of the epoch that is [kept](TrainConfig::keep), by default the best on the validation data,
/// with a report for every epoch.
///
/// # Errors
///
/// An invalid configuration, or a divergence.
pub fn fit(
    network: &NetworkConfig,
    train: &TrainConfig,
    data: &Dataset,
    valid: &Dataset,
) -> Result<(Network, Vec<EpochReport>)> {
    struct Keep(Option<Network>, Vec<EpochReport>);
    impl Observer for Keep {
        fn epoch(&mut self, report: &EpochReport, trainer: &Trainer) -> Result<()> {
            if report.best {
                self.0 = Some(trainer.averaged().clone());
            }
            self.1.push(report.clone());
            Ok(())
        }
    }
    let mut keep = Keep(None, Vec::new());
    let mut trainer = Trainer::new(network, train, &Device::flex())?;
    trainer.run(data, valid, &mut keep)?;
    Ok((keep.0.unwrap_or_else(|| trainer.averaged().clone()), keep.1))
}

impl Trainer {
    /// A run from the start, on a [device](crate::device): weights from the recipe's seed, or from the model that it
    /// [names](TrainConfig::init).
    ///
    /// # Errors
    ///
    /// If a configuration is not valid, the device cannot run it, or the model cannot be read or has other hidden layers.
    pub fn new(
        network_config: &NetworkConfig,
        config: &TrainConfig,
        device: &Device,
    ) -> Result<Self> {
        let mut trainer = Self::drawn(network_config, config, device)?;
        if let Some(path) = &config.init {
            let model = Model::load(path, device)?;
            trainer.network = adapted(&model, &trainer.network, network_config, &trainer.device)
                .map_err(|error| error.in_file(path).during("train.init"))?;
        }
        Ok(trainer)
    }

    /// A run whose weights are drawn, or will be those of a checkpoint.
    pub(super) fn drawn(
        network_config: &NetworkConfig,
        config: &TrainConfig,
        device: &Device,
    ) -> Result<Self> {
        config.validate("train")?;
        let device = device.clone().autodiff();
        let network = network_config.init(&device, config.seed)?;
        let mut optimizer = (config.decay.optimizer(&config.optimizer))
            .with_group(ParamGroup::from_predicate("tau_m.log_tau"), config.time_constant_rate)
            .with_group(ParamGroup::from_predicate("tau_adp.log_tau"), config.time_constant_rate)
            .with_group(ParamGroup::from_predicate("encoder.threshold"), config.encoder_rate)
            .with_group(ParamGroup::from_predicate(".parameters."), config.neuron_rate);
        if let Some(clipping) = config.clipping {
            optimizer = optimizer.with_clipping(clipping);
        }
        Ok(Self {
            network_config: network_config.clone(),
            config: config.clone(),
            network,
            learner: learner(network_config, config, &device)?,
            optimizer,
            average: config.average.map(Average::new),
            progress: Progress::default(),
            sums: Sums::default(),
            device,
        })
    }

    /// The network as it is now.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The network that validates and becomes the model: its [average](TrainConfig::average), or, where the recipe has none, as
    /// it is now.
    #[must_use]
    pub fn averaged(&self) -> &Network {
        self.average.as_ref().and_then(Average::network).unwrap_or(&self.network)
    }

    /// The configuration of the network.
    #[must_use]
    pub fn network_config(&self) -> &NetworkConfig {
        &self.network_config
    }

    /// How far the run has come.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Whether the run can train and validate on these data.
    ///
    /// # Errors
    ///
    /// If they do not fit the network, no step with a label counts, or the recipe asks for what they do not allow.
    pub fn check(&self, data: &Dataset, valid: &Dataset) -> Result<()> {
        for (part, data) in [("training", data), ("validation", valid)] {
            let check = self.network_config.check_labelled(data);
            check.map_err(|error| error.during(format!("the {part} data")))?;
        }
        if self.config.sampling == Sampling::Balanced {
            let reason = match data.targets() {
                Targets::PerSequence(_) => None,
                Targets::PerStep(_) => Some("shuffled: the data have a class at every step"),
                _ => Some("shuffled: the data have no classes, but numbers to be found"),
            };
            if let Some(reason) = reason {
                let error = Error::setting("train.sampling", self.config.sampling);
                return Err(error.expected(reason));
            }
        }
        self.config.loss.of(data, "train.loss")?;
        self.config.augmentation.map_or(Ok(()), |change| change.check(data))
    }

    /// Trains until the end, a stop or an error. A run that was stopped goes on where it was.
    ///
    /// # Errors
    ///
    /// A divergence, an error of the observer, or the failure of a graphics processor. After the last, the trainer is of no
    /// further use: a run goes on from its checkpoint.
    pub fn run(
        &mut self,
        data: &Dataset,
        valid: &Dataset,
        observer: &mut dyn Observer,
    ) -> Result<Outcome> {
        let device = self.device.clone();
        let caught = guard(&device, || Ok(self.run_unguarded(data, valid, observer)));
        self.say_when(caught)
    }

    /// The failure of a device with the epoch in which it failed.
    fn say_when(&self, caught: Result<Result<Outcome>>) -> Result<Outcome> {
        caught.map_err(|error| error.during(format!("epoch {}", self.progress.epoch + 1)))?
    }

    fn run_unguarded(
        &mut self,
        data: &Dataset,
        valid: &Dataset,
        observer: &mut dyn Observer,
    ) -> Result<Outcome> {
        self.check(data, valid)?;
        let classes = self.config.loss.of(data, "train.loss")?;
        let penalties = Penalties {
            rate: self.config.rate_penalty,
            neuron_rate: self.config.neuron_rate_penalty,
        };
        self.learner.set_criterion(Criterion { classes, penalties });
        let batches = data.samples().div_ceil(self.config.batch);
        while self.progress.epoch < self.config.epochs {
            if self.is_out_of_patience() {
                return Ok(Outcome::EarlyStopped);
            }
            let order = self.order(data);
            let augmented = match self.config.augmentation {
                Some(change) => {
                    let epoch = self.progress.epoch as u64 + 1;
                    Some(change.apply(data, self.config.seed, epoch)?)
                }
                None => None,
            };
            let data = augmented.as_ref().unwrap_or(data);
            for indices in order.chunks(self.config.batch).skip(self.progress.batch) {
                self.step(data, indices)
                    .map_err(|error| error.during(format!("epoch {}", self.progress.epoch + 1)))?;
                self.progress.batch += 1;
                let report = BatchReport {
                    epoch: self.progress.epoch + 1,
                    batch: self.progress.batch,
                    batches,
                    samples: indices.len(),
                    loss: self.sums.loss(),
                    loss_per_step: self.sums.loss_per_step(data),
                    score: self.sums.score(self.network_config.decode.answer),
                    judged_by: self.network_config.decode.answer.judged_by(),
                    spike_rate: self.sums.spike_rate(&self.network_config).overall,
                };
                if observer.batch(&report) == Control::Stop {
                    return Ok(Outcome::Interrupted);
                }
            }
            let report = self.end_epoch(data, valid)?;
            observer.epoch(&report, self)?;
        }
        Ok(if self.is_out_of_patience() { Outcome::EarlyStopped } else { Outcome::Finished })
    }

    /// Whether the validation score has not become better for as many epochs as the recipe waits.
    fn is_out_of_patience(&self) -> bool {
        let since_best = self.progress.epoch - self.progress.best_epoch;
        self.config.patience.is_some_and(|patience| since_best >= patience)
    }

    /// The learning rate of a mini-batch, from 0, of the epoch under way.
    fn learning_rate(&self, data: &Dataset, batch: usize) -> f64 {
        let batches = data.samples().div_ceil(self.config.batch);
        let (epoch, epochs) = (self.progress.epoch, self.config.epochs);
        self.config.rate(Place { epoch, epochs, batch, batches })
    }

    /// A random stream of this epoch.
    fn rng(&self) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.config.seed);
        rng.set_stream(1 + self.progress.epoch as u64);
        rng
    }

    /// The sequences of this epoch, in their order.
    fn order(&self, data: &Dataset) -> Vec<usize> {
        let rng = &mut self.rng();
        let classes = match (self.config.sampling, data.targets()) {
            (Sampling::Balanced, Targets::PerSequence(classes)) => classes,
            // Of a class a step, nothing can be balanced: refused.
            _ => {
                let mut order: Vec<usize> = (0..data.samples()).collect();
                order.shuffle(rng);
                return order;
            }
        };
        let mut members = vec![Vec::new(); data.class_names().len()];
        for (sample, class) in classes.iter().enumerate().filter(|(_, c)| **c != UNLABELLED) {
            members[usize::from(*class)].push(sample);
        }
        members.retain(|members| !members.is_empty());
        let draw = |_| {
            let members = &members[rng.random_range(0..members.len())];
            members[rng.random_range(0..members.len())]
        };
        (0..data.samples()).map(draw).collect()
    }

    /// One mini-batch: forward, backward, update.
    fn step(&mut self, data: &Dataset, indices: &[usize]) -> Result<()> {
        // Different for every epoch, the same on every run; initial states are drawn for each sequence.
        let seed = self.config.seed.rotate_left(32) ^ (self.progress.epoch as u64 + 1);
        let pass = Pass { seed, ..Pass::default() };
        let rate = self.learning_rate(data, self.progress.batch);
        let by_window = match self.config.truncation {
            Some(Truncation { window, update: Update::Window }) => Some(window),
            _ => None,
        };
        let (batch, config, optimizer) =
            (self.progress.batch + 1, &self.network_config, &mut self.optimizer);
        let average = &mut self.average;
        let advice = remedy(&self.config);
        let weight_penalty = self.config.weight_penalty;
        let mut update = |network: &Network, outcome: &BatchOutcome, gradients| {
            if !outcome.loss.is_finite() {
                let problem = format!("the loss of batch {batch} is {}", outcome.loss);
                return Err(Error::divergence(problem).remedy(advice));
            }
            let gradients = weight_penalty.add_to(gradients, network);
            let (mut network, _) = optimizer.step(rate, network.clone(), gradients)?;
            network.project(config);
            if let Some(average) = average.as_mut() {
                average.add(&network, config);
            }
            Ok(network)
        };
        // On an error the network stays as it was.
        let (network, learner) = (&self.network, &mut self.learner);
        let (outcome, network) = match by_window {
            Some(window) => learner.windows(network, data, indices, pass, window, &mut update)?,
            None => {
                let (outcome, gradients) = learner.gradients(network, data, indices, pass);
                let network = update(network, &outcome, gradients)?;
                (outcome, network)
            }
        };
        self.network = network;
        self.sums.add(&outcome, data, indices, config.decode);
        Ok(())
    }

    /// Validates, and starts the next epoch.
    fn end_epoch(&mut self, data: &Dataset, valid: &Dataset) -> Result<EpochReport> {
        let epoch = self.progress.epoch + 1;
        let sums = std::mem::take(&mut self.sums);
        let train_loss = sums.loss();
        let chance = self.network_config.decode.chance_loss(data, self.network_config.readout.size);
        let weighed = self.config.loss.of(data, "train.loss")?;
        let chance = chance * weighed.map_or(1.0, |loss| loss.mean_weight(data).max(1.0));
        if train_loss > self.config.divergence * chance {
            let (name, value) = self.largest_parameter();
            return Err(Error::divergence(format!(
                "the training loss is {train_loss:.4}, and that of guessing {chance:.4}; the largest parameter \
                 is {value} in {name}"
            ))
            .during(format!("epoch {epoch}"))
            .remedy(remedy(&self.config)));
        }
        let evaluation = evaluate(self.averaged(), &self.network_config, valid, self.config.batch)
            .map_err(|error| error.during(format!("validation of epoch {epoch}")))?;
        let SpikeRate { overall, layers, .. } = evaluation.spike_rate;
        let progress = &mut self.progress;
        let score = Some(evaluation.score).filter(|score| !score.is_nan());
        let best = self.config.keep == Keep::Last
            || progress.best_epoch == 0
            || score > progress.best_score
            || (score == progress.best_score && evaluation.loss < progress.best_loss);
        if best {
            progress.best_epoch = epoch;
            progress.best_score = score;
            progress.best_loss = evaluation.loss;
        }
        let learning_rate = self.learning_rate(data, self.progress.batch.saturating_sub(1));
        self.progress.epoch = epoch;
        self.progress.batch = 0;
        Ok(EpochReport {
            epoch,
            train_loss,
            train_loss_per_step: sums.loss_per_step(data),
            judged_by: evaluation.judged_by,
            train_score: sums.score(self.network_config.decode.answer),
            valid_loss: evaluation.loss,
            valid_loss_per_step: evaluation.loss_per_step,
            valid_score: evaluation.score,
            spike_rate: overall,
            layer_spike_rates: layers,
            learning_rate,
            best,
        })
    }

    /// The parameter of the largest magnitude.
    fn largest_parameter(&self) -> (String, f32) {
        let tensors = self.network.tensors(&self.network_config, TimeConstantForm::Log);
        let largest = |values: &[f32]| {
            values.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0)
        };
        tensors
            .iter()
            .map(|(name, tensor)| (name.clone(), largest(&tensor.values)))
            .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))
            .unwrap_or_default()
    }
}

/// The network `drawn` with the parameters of `model`, but for those of its readout that have another shape.
fn adapted(
    model: &Model,
    drawn: &Network,
    config: &NetworkConfig,
    device: &Device,
) -> Result<Network> {
    // What is trained in the place of a neuron's parameter depends on its range, which may differ.
    let other = |network: &NetworkConfig| {
        let hidden = network.layers.iter().any(|layer| layer.neuron.is_some());
        hidden || network.readout.neuron.is_some()
    };
    let form = match other(config) || other(&model.task.network) {
        true => TimeConstantForm::Tau,
        false => TimeConstantForm::Log,
    };
    let mut tensors = drawn.tensors(config, form);
    let mut found = model.network.tensors(&model.task.network, form);
    found.retain(|name, tensor| {
        let fits = tensors.get(name).is_some_and(|drawn| drawn.shape == tensor.shape);
        fits || !name.starts_with(READOUT)
    });
    let hidden = tensors.iter().filter(|(name, _)| !name.starts_with(READOUT));
    let mut expected: Shapes = hidden.map(|(name, t)| (name.clone(), t.shape.clone())).collect();
    expected.extend(
        found
            .iter()
            .filter(|(name, _)| name.starts_with(READOUT))
            .map(|(name, tensor)| (name.clone(), tensor.shape.clone())),
    );
    exchange::check(&found, &expected)?;
    tensors.extend(found);
    Network::from_tensors(config, &tensors, form, device)
}

const READOUT: &str = "readout.";

/// What computes the gradients of a recipe.
pub(super) fn learner(
    network: &NetworkConfig,
    train: &TrainConfig,
    device: &Device,
) -> Result<Box<dyn Learner>> {
    let penalties = [
        ("train.rate_penalty", train.rate_penalty.is_some()),
        ("train.neuron_rate_penalty", train.neuron_rate_penalty.is_some()),
    ];
    if let (Some((key, _)), true) = (
        penalties.into_iter().find(|(_, set)| *set),
        network.layers.iter().any(|layer| !layer.cell.is_spiking()),
    ) {
        return Err(Error::setting(key, "{ … }")
            .expected("none, since the hidden layers have cells that do not spike"));
    }
    let of_recurrent = train.weight_penalty.recurrent;
    if of_recurrent != Default::default() && network.layers.iter().all(|layer| !layer.recurrent) {
        return Err(Error::config(
            "train.weight_penalty.recurrent has no effect: no layer is recurrent",
        )
        .with_key("train.weight_penalty.recurrent")
        .remedy("leave it out"));
    }
    if let Some(truncation) = train.truncation {
        let refuse =
            |expected: &str| Err(Error::setting("train.truncation", truncation).expected(expected));
        if !network.is_causal() {
            return refuse(
                "none: windows are for networks that read in one direction, with network.repeat = 1",
            );
        }
        if !is_cpu(device) && !network.is_resumable() {
            return refuse(
                "none on a graphics processor: there windows are for spiking networks with a readout of neurons",
            );
        }
    }
    let options = BpttOptions { checkpoint_steps: train.checkpoint_steps, cut: cut(train) };
    backpropagation(network, options, device)
}

/// The steps after which the gradient of the state ends, where the weights change once a sequence.
fn cut(train: &TrainConfig) -> Option<usize> {
    train.truncation.filter(|t| t.update == Update::Sequence).map(|t| t.window)
}

/// What to do about a divergence that has not been done yet.
fn remedy(config: &TrainConfig) -> &'static str {
    match config.clipping {
        None => {
            "lower train.learning_rate, or clip the gradients with train.clipping = { norm = 1.0 }"
        }
        Some(_) => "lower train.learning_rate, or the bound of train.clipping",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Inputs;
    use crate::device::guard_named;
    use crate::error::ErrorKind;
    use crate::layer::LayerConfig;
    use crate::loss::{Decoder, DecoderKind};
    use crate::readout::{ReadoutConfig, ReadoutKind};

    /// Panics in the third epoch, as Burn does on a device that is lost.
    struct Lost;

    impl Observer for Lost {
        fn batch(&mut self, report: &BatchReport) -> Control {
            assert!(report.epoch < 3, "the device is lost");
            Control::Continue
        }
    }

    #[test]
    fn a_device_that_dies_is_an_error_of_its_epoch() {
        let config = NetworkConfig {
            inputs: 1,
            layers: vec![LayerConfig::new(3)],
            readout: ReadoutConfig::new(ReadoutKind::LeakyIntegrator, 2),
            decode: Decoder::new(DecoderKind::MeanMembrane),
            surrogate: Default::default(),
            encoder: None,
            repeat: 1,
        };
        let names = ["a", "b"].map(str::to_owned).to_vec();
        let (inputs, targets) = (Inputs::Real(vec![1.0; 8]), Targets::PerSequence(vec![0, 1]));
        let data = Dataset::new([2, 4, 1], names, inputs, targets, "").unwrap();
        let train = TrainConfig { epochs: 5, batch: 2, ..TrainConfig::default() };
        let mut trainer = Trainer::new(&config, &train, &Device::flex()).unwrap();
        let caught = guard_named("cuda:0", || Ok(trainer.run_unguarded(&data, &data, &mut Lost)));
        let error = trainer.say_when(caught).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Device);
        let text = error.to_string();
        assert!(
            text.starts_with("epoch 3: the device cuda:0 failed: the device is lost"),
            "{text}"
        );
        // On the processor it is a bug.
        let mut trainer = Trainer::new(&config, &train, &Device::flex()).unwrap();
        let run = std::panic::AssertUnwindSafe(|| trainer.run(&data, &data, &mut Lost));
        assert!(std::panic::catch_unwind(run).is_err());
    }
}

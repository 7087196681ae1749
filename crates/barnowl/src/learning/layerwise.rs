//! Gradients by Burn's autodiff, one node a layer: on graphics processors, and as what [`Bptt`](super::Bptt) is tested against.

use crate::dataset::{Dataset, UNLABELLED};
use crate::device::total;
use crate::error::Result;
use crate::learning::{BatchOutcome, Criterion, Learner, Rows, Update};
use crate::lengths::Lengths;
use crate::loss::{Decoder, Score, Target};
use crate::network::{Network, NetworkConfig, NetworkOutput, NetworkState, NetworkWindow};
use crate::objective::{Answer, Objective};
use crate::pass::Pass;
use crate::readout::ReadoutOutput;
use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Int, Tensor, TensorData};
use std::ops::Range;

/// Backpropagation through time for networks of one configuration, a whole batch and a whole layer at a time.
#[derive(Debug, Clone)]
pub struct Layerwise {
    config: NetworkConfig,
    cut: Option<usize>,
    criterion: Criterion,
}

impl Layerwise {
    /// For networks of this configuration.
    #[must_use]
    pub fn new(config: &NetworkConfig) -> Self {
        Self { config: config.clone(), cut: None, criterion: Criterion::default() }
    }

    /// Ends the gradient of the state after every so many steps, at least 1; for networks that are
    /// [resumable](NetworkConfig::is_resumable).
    #[must_use]
    pub fn with_cut(self, cut: Option<usize>) -> Self {
        Self { cut, ..self }
    }

    /// The sequences run twice, so that the graph of one window is in memory at a time: first without a graph, for the state
    /// before every window and the gradient of the loss at the readout (and, of a penalty, at the spikes); then each window
    /// forward from its state, and back from that gradient.
    fn cut_gradients(
        &self,
        network: &Network,
        sequences: &Sequences<'_>,
        pass: Pass<'_>,
        cut: usize,
    ) -> (BatchOutcome, GradientsParams) {
        self.check_windows(cut);
        let (decoder, plain, whole) = (self.config.decode, network.valid(), sequences.whole());
        let steps = whole.end;
        let (mut state, mut states) = (None::<NetworkState>, Vec::new());
        let (mut observed, mut spikes) = (Vec::new(), vec![Vec::new(); network.layers.len()]);
        let mut outcome = BatchOutcome::default();
        for window in windows_of(steps, cut) {
            states.push(state.clone());
            let input = sequences.input(&window).inner();
            let output = plain.window(input, &self.config, pass, state.as_ref());
            let (spikes_of, readout) = (&output.spikes, &output.readout);
            let part = sequences.outcome(0.0, None, spikes_of, readout, window.clone());
            outcome.add(part, sequences.share(&window), false);
            if !self.criterion.penalties.is_empty() {
                spikes.iter_mut().zip(output.spikes).for_each(|(all, window)| all.push(window));
            }
            observed.push(decoder.observed(&output.readout));
            state = output.state;
        }
        let leaf =
            |windows: Vec<Tensor<3>>| Tensor::from_inner(Tensor::cat(windows, 0)).require_grad();
        let observed = leaf(observed);
        let score = decoder.decode(&decoder.readout(observed.clone()), sequences.lengths());
        let loss = decoder.loss_by(
            &score,
            &sequences.target(whole.clone()),
            self.criterion.classes.as_ref(),
        );
        outcome.loss = number(&loss);
        (outcome.classes, outcome.values) = sequences.answers(&score, &whole);
        let spikes: Vec<_> = match self.criterion.penalties.is_empty() {
            false => spikes.into_iter().map(leaf).collect(),
            true => Vec::new(),
        };
        let gradients = self.with_penalty_of(loss, &spikes, sequences, &whole).backward();
        drop(score);
        let given = observed.grad(&gradients);
        let given_spikes: Vec<_> = spikes.iter().map(|spikes| spikes.grad(&gradients)).collect();
        drop((observed, spikes, gradients));
        let mut sum = GradientsAccumulator::new();
        for (window, state) in windows_of(steps, cut).zip(states) {
            let input = sequences.input(&window);
            let output = network.window(input, &self.config, pass, state.as_ref());
            // A number whose gradient is the given one.
            let product = |found: Tensor<3>, given: &Option<Tensor<3>>| {
                let given = given.clone()?.narrow(0, window.start, window.len());
                Some(total(found * Tensor::from_inner(given)))
            };
            let readout = product(decoder.observed(&output.readout), &given);
            let pairs = output.spikes.into_iter().zip(&given_spikes);
            let parts = pairs.map(|(found, given)| product(found, given)).chain([readout]);
            if let Some(loss) = parts.flatten().reduce(|a, b| a + b) {
                sum.accumulate(network, GradientsParams::from_grads(loss.backward(), network));
            }
        }
        (outcome, sum.grads())
    }

    /// The loss of a window and, by its share of the steps, the penalty.
    fn with_penalty_of(
        &self,
        loss: Tensor<1>,
        spikes: &[Tensor<3>],
        sequences: &Sequences<'_>,
        window: &Range<usize>,
    ) -> Tensor<1> {
        let penalties = self.criterion.penalties;
        if penalties.is_empty() {
            return loss;
        }
        let repeat = self.config.repeat;
        let steps = sequences.lengths().within(window) * repeat;
        let penalty = match sequences.lengths().mask(window, repeat, &loss.device()) {
            None => penalties.of(spikes, steps),
            Some(mask) => {
                let masked: Vec<_> =
                    spikes.iter().map(|spikes| spikes.clone() * mask.clone()).collect();
                penalties.of(&masked, steps)
            }
        };
        match penalty {
            Some(penalty) => loss + penalty * sequences.share(window),
            None => loss,
        }
    }

    fn check_windows(&self, window: usize) {
        assert!(window > 0, "a window has steps");
        assert!(
            self.config.is_resumable(),
            "a network that is not resumable reads whole sequences"
        );
    }
}

impl Learner for Layerwise {
    fn set_criterion(&mut self, criterion: Criterion) {
        self.criterion = criterion;
    }

    fn evaluate(
        &mut self,
        network: &Network,
        data: &Dataset,
        indices: &[usize],
        pass: Pass<'_>,
    ) -> BatchOutcome {
        let network = network.valid();
        let sequences = Sequences::of(&network, &self.config, data, indices);
        let (whole, pass) = (sequences.whole(), sequences.pass(pass));
        let output = network.forward(sequences.input.clone(), &self.config, pass);
        let loss = self.config.decode.loss(&output.score, &sequences.target(whole.clone()));
        let NetworkOutput { score, spikes, readout, .. } = &output;
        sequences.outcome(number(&loss), Some(score), spikes, readout, whole)
    }

    /// On the network's device, which must have autodiff.
    fn gradients(
        &mut self,
        network: &Network,
        data: &Dataset,
        indices: &[usize],
        pass: Pass<'_>,
    ) -> (BatchOutcome, GradientsParams) {
        let sequences = Sequences::of(network, &self.config, data, indices);
        let (whole, pass) = (sequences.whole(), sequences.pass(pass));
        if let Some(cut) = self.cut.filter(|cut| *cut < whole.end) {
            return self.cut_gradients(network, &sequences, pass, cut);
        }
        let output = network.forward(sequences.input.clone(), &self.config, pass);
        let target = sequences.target(whole.clone());
        let classes = self.criterion.classes.as_ref();
        let loss = self.config.decode.loss_by(&output.score, &target, classes);
        let NetworkOutput { score, spikes, readout, .. } = &output;
        let outcome = sequences.outcome(number(&loss), Some(score), spikes, readout, whole.clone());
        let loss = self.with_penalty_of(loss, spikes, &sequences, &whole);
        drop(output);
        (outcome, GradientsParams::from_grads(loss.backward(), network))
    }

    fn windows(
        &mut self,
        network: &Network,
        data: &Dataset,
        indices: &[usize],
        pass: Pass<'_>,
        window: usize,
        update: &mut Update<'_>,
    ) -> Result<(BatchOutcome, Network)> {
        let decoder = self.config.decode;
        self.check_windows(window);
        let sequences = Sequences::of(network, &self.config, data, indices);
        let (steps, pass) = (sequences.whole().end, sequences.pass(pass));
        let (mut network, mut whole) = (network.clone(), BatchOutcome::default());
        let (mut state, mut score): (Option<NetworkState>, Option<Score>) = (None, None);
        for window in windows_of(steps, window) {
            let output =
                network.window(sequences.input(&window), &self.config, pass, state.as_ref());
            let NetworkWindow { spikes, readout, state: after, .. } = output;
            state = after;
            score = decoder.decode_window(&readout, window.start, sequences.lengths(), score);
            let train = decoder.counts(&window, sequences.lengths());
            let from = decoder.skip.saturating_sub(window.start);
            let loss = score.as_ref().filter(|_| train).map(|score| {
                let decoder = Decoder { skip: from, ..decoder };
                decoder.loss_by(
                    score,
                    &sequences.target(window.clone()),
                    self.criterion.classes.as_ref(),
                )
            });
            let number = loss.as_ref().map_or(0.0, number);
            let outcome =
                sequences.outcome(number, score.as_ref(), &spikes, &readout, window.clone());
            score = score.map(Score::detach);
            if let Some(loss) = loss {
                let loss = self.with_penalty_of(loss, &spikes, &sequences, &window);
                drop((spikes, readout));
                let gradients = GradientsParams::from_grads(loss.backward(), &network);
                network = update(&network, &outcome, gradients)?;
            }
            whole.add(outcome, sequences.share(&window), decoder.is_per_step());
        }
        sequences.fill(&mut whole.classes, 1, UNLABELLED, &(0..data.steps()));
        sequences.fill(&mut whole.values, sequences.outputs, f32::NAN, &(0..data.steps()));
        Ok((whole, network))
    }
}

/// All steps, `length` at a time.
fn windows_of(steps: usize, length: usize) -> impl Iterator<Item = Range<usize>> {
    (0..steps).step_by(length).map(move |start| start..steps.min(start + length))
}

/// A batch on a device, as long as its longest sequence.
struct Sequences<'a> {
    /// `[T, B, channels]`.
    input: Tensor<3>,
    targets: Targets,
    per_step: bool,
    answer: Answer,
    /// Neurons of the readout.
    outputs: usize,
    indices: &'a [usize],
    rows: Rows,
    /// Steps of the hidden layers at each of the data.
    repeat: usize,
    /// T of the data set.
    padded: usize,
}

/// What a batch is to find.
enum Targets {
    /// `[T, B]`, or `[1, B]` of a class per sequence.
    Classes(Tensor<2, Int>),
    /// `[T, B, K]`, or `[1, B, K]` of numbers per sequence.
    Values(Tensor<3>),
}

impl<'a> Sequences<'a> {
    fn of(network: &Network, config: &NetworkConfig, data: &Dataset, indices: &'a [usize]) -> Self {
        let mut rows = Rows::of(config, data, indices);
        let per_step = config.decode.is_per_step();
        let (steps, batch, channels) = (rows.steps, indices.len(), data.channels());
        let mut inputs = data.batch(indices).inputs;
        inputs.truncate(steps * batch * channels);
        let device = network.device();
        let input = TensorData::new(inputs, [steps, batch, channels]);
        let entries = if per_step { steps } else { 1 };
        let (answer, outputs) = (config.decode.answer, config.readout.size);
        let targets = if answer.is_real() {
            let values = std::mem::take(&mut rows.values);
            let values = TensorData::new(values, [entries, batch, outputs]);
            Targets::Values(Tensor::from_data(values, &device))
        } else {
            let classes = std::mem::take(&mut rows.targets);
            let classes = TensorData::new(classes, [entries, batch]);
            Targets::Classes(Tensor::from_data(classes, &device))
        };
        Self {
            input: Tensor::from_data(input, &device),
            targets,
            per_step,
            answer,
            outputs,
            indices,
            rows,
            repeat: config.repeat,
            padded: data.steps(),
        }
    }

    fn lengths(&self) -> Lengths<'_> {
        self.rows.lengths(self.indices.len())
    }

    fn whole(&self) -> Range<usize> {
        0..self.rows.steps
    }

    /// The pass of these sequences.
    fn pass<'b>(&'b self, pass: Pass<'b>) -> Pass<'b> {
        let lengths = self.rows.lengths.as_deref();
        Pass { lengths, sequences: Some(self.indices), ..pass }
    }

    /// The part of all steps that a window has.
    fn share(&self, window: &Range<usize>) -> f64 {
        let lengths = self.lengths();
        lengths.within(window) as f64 / lengths.within(&self.whole()) as f64
    }

    /// What the network does in a window.
    fn outcome(
        &self,
        loss: f64,
        score: Option<&Score>,
        spikes: &[Tensor<3>],
        readout: &ReadoutOutput,
        window: Range<usize>,
    ) -> BatchOutcome {
        let rate = |spikes: &Tensor<3>, repeat: usize| {
            let mask = self.lengths().mask(&window, repeat, &spikes.device());
            let entries = self.lengths().within(&window) * repeat * spikes.dims()[2];
            activity(spikes.clone(), mask, entries)
        };
        let (classes, values) = score.map(|score| self.answers(score, &window)).unwrap_or_default();
        BatchOutcome {
            loss,
            classes,
            values,
            rates: spikes.iter().map(|spikes| rate(spikes, self.repeat)).collect(),
            readout_rate: readout.spikes.as_ref().map(|spikes| rate(spikes, 1)),
        }
    }

    /// The class of the largest score, `[T, B]` or `[B]`, or the numbers, `[T, B, K]` or `[B, K]`; none of the other kind.
    fn answers(&self, score: &Score, window: &Range<usize>) -> (Vec<u16>, Vec<f32>) {
        let (mut classes, mut values) = match self.answer.objective() {
            None => (classes(score), Vec::new()),
            Some(objective) => (Vec::new(), values(score, objective)),
        };
        // The whole of the sequences is as long as the data set's.
        let end = if *window == self.whole() { self.padded } else { window.end };
        self.fill(&mut classes, 1, UNLABELLED, &(window.start..end));
        self.fill(&mut values, self.outputs, f32::NAN, &(window.start..end));
        (classes, values)
    }

    /// Fills answers per step, of so many numbers each, up to the end of a window, and marks those of padding as `none`.
    fn fill<T: Copy>(&self, answers: &mut Vec<T>, each: usize, none: T, window: &Range<usize>) {
        let (true, Some(lengths)) = (self.per_step, self.rows.lengths.as_deref()) else {
            return;
        };
        if answers.is_empty() {
            return;
        }
        let row = lengths.len() * each;
        answers.resize(window.len() * row, none);
        for (step, answers) in window.clone().zip(answers.chunks_exact_mut(row)) {
            for (answer, length) in answers.chunks_exact_mut(each).zip(lengths) {
                if step >= *length {
                    answer.fill(none);
                }
            }
        }
    }

    fn input(&self, window: &Range<usize>) -> Tensor<3> {
        let input = self.input.clone();
        if window.len() == input.dims()[0] {
            return input;
        }
        input.narrow(0, window.start, window.len())
    }

    fn target(&self, window: Range<usize>) -> Target {
        let (start, steps) = (window.start, window.len());
        match (&self.targets, self.per_step) {
            (Targets::Classes(all), true) => Target::PerStep(all.clone().narrow(0, start, steps)),
            (Targets::Classes(all), false) => Target::PerSequence(all.clone().squeeze_dim(0)),
            (Targets::Values(all), true) => {
                Target::ValuesPerStep(all.clone().narrow(0, start, steps))
            }
            (Targets::Values(all), false) => Target::ValuesPerSequence(all.clone().squeeze_dim(0)),
        }
    }
}

/// A loss as a number.
fn number(loss: &Tensor<1>) -> f64 {
    f64::from(loss.clone().into_scalar::<f32>())
}

/// The share of `entries` values that are not zero, where a mask is not zero either: of spikes, the spike rate; of tanh, LSTM
/// and GRU cells, about 1.
fn activity(outputs: Tensor<3>, mask: Option<Tensor<3>>, entries: usize) -> f64 {
    // Counted where they are: a batch of spikes is the largest array that there is. A sum of integers is exact in any order.
    let counted = match mask {
        Some(mask) => outputs.not_equal_elem(0.0).int() * mask.int(),
        None => outputs.not_equal_elem(0.0).int(),
    };
    counted.sum().into_scalar::<i64>() as f64 / entries as f64
}

/// The numbers that a score stands for, `[T, B, K]` or `[B, K]`.
fn values(score: &Score, objective: &dyn Objective) -> Vec<f32> {
    let score: Tensor<2> = match score {
        Score::PerStep(score) => score.clone().flatten(0, 1),
        Score::PerSequence(score) => score.clone(),
    };
    objective.answers(score).into_data().iter::<f32>().collect()
}

/// The class of the largest score, `[T, B]` or `[B]`; the first where several are largest.
fn classes(score: &Score) -> Vec<u16> {
    let (data, classes) = match score {
        Score::PerStep(score) => (score.to_data(), score.dims()[2]),
        Score::PerSequence(score) => (score.to_data(), score.dims()[1]),
    };
    let data = data.convert::<f32>();
    let scores = data.as_slice::<f32>().expect("scores were just made 32-bit floats");
    let best = |scores: &[f32]| {
        let mut best = 0;
        for (i, score) in scores.iter().enumerate() {
            if *score > scores[best] {
                best = i;
            }
        }
        best as u16
    };
    scores.chunks_exact(classes).map(best).collect()
}

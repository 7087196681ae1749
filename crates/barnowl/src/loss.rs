//! Decoders, from readout to scores, and the loss of each.
//!
//! | decoder | score | loss |
//! | --- | --- | --- |
//! | `per_step` | log softmax(m_t) at every step | −Σ_{t ≥ skip, labelled} score of the target, averaged over the batch |
//! | `softmax_sum` | Σ_{t ≥ skip} softmax(m_t) | cross-entropy of the score as logits, averaged over the batch |
//! | `mean_membrane` | mean of m_t over t ≥ skip | the same |
//! | `last_membrane` | m_T | the same |
//! | `max_membrane` | max of m_t over t ≥ skip | the same |
//! | `spike_count` | Σ_{t ≥ skip} s_t | the same |
//!
//! So of a [class](Answer::Class); of real numbers and of labels the score is m_t, without a softmax, and the loss that of
//! [`crate::objective`], summed over the steps or of the one score.
//!
//! t ends where the sequence does: T is its own last step, and what follows in an array that is filled up to the longest
//! sequence counts nowhere.

use crate::class_loss::ClassLoss;
use crate::dataset::Dataset;
use crate::device::total;
use crate::error::{Error, Result};
use crate::lengths::Lengths;
use crate::objective::{Answer, Objective};
use crate::readout::ReadoutOutput;
use crate::sequence::Observe;
use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How a readout is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecoderKind {
    /// A class at every step.
    PerStep,
    /// One class a sequence, by the sum of softmaxes.
    SoftmaxSum,
    /// One class a sequence, by the mean membrane potential.
    MeanMembrane,
    /// One class a sequence, by the last membrane potential.
    LastMembrane,
    /// One class a sequence, by the largest membrane potential.
    MaxMembrane,
    /// One class a sequence, by the number of spikes.
    SpikeCount,
}

/// A decoder: its kind, what its score is taken for, and how many steps at the start it leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decoder {
    /// How the readout is decoded.
    pub kind: DecoderKind,
    /// The first step that counts. Default 0.
    /// Range: 0 to 1000000000 steps, less than there are.
    #[serde(default)]
    pub skip: usize,
    /// What the score is taken for. Default a class.
    #[serde(default, skip_serializing_if = "Answer::is_default")]
    pub answer: Answer,
}

/// The score of a decoder.
#[derive(Debug, Clone)]
pub enum Score {
    /// Log-probabilities of classes at every step, or else scores, `[T, B, outputs]`.
    PerStep(Tensor<3>),
    /// Logits of classes, or scores, of the sequence, `[B, outputs]`.
    PerSequence(Tensor<2>),
}

impl Score {
    /// The same without a gradient.
    #[must_use]
    pub fn detach(self) -> Self {
        match self {
            Self::PerStep(score) => Self::PerStep(score.detach()),
            Self::PerSequence(score) => Self::PerSequence(score.detach()),
        }
    }
}

/// The target of a batch.
#[derive(Debug, Clone)]
pub enum Target {
    /// A class at every step, `[T, B]`; below 0 where there is no label.
    PerStep(Tensor<2, Int>),
    /// One class a sequence, `[B]`.
    PerSequence(Tensor<1, Int>),
    /// Numbers at every step, `[T, B, K]`; NaN where one is not known.
    ValuesPerStep(Tensor<3>),
    /// Numbers of a sequence, `[B, K]`; NaN where one is not known.
    ValuesPerSequence(Tensor<2>),
}

impl DecoderKind {
    /// What it is called in a task.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PerStep => "per_step",
            Self::SoftmaxSum => "softmax_sum",
            Self::MeanMembrane => "mean_membrane",
            Self::LastMembrane => "last_membrane",
            Self::MaxMembrane => "max_membrane",
            Self::SpikeCount => "spike_count",
        }
    }
}

impl Decoder {
    /// A decoder that counts from the first step.
    #[must_use]
    pub fn new(kind: DecoderKind) -> Self {
        Self { kind, skip: 0, answer: Answer::Class }
    }

    /// The same decoder, leaving out the first `skip` steps.
    #[must_use]
    pub fn with_skip(self, skip: usize) -> Self {
        Self { skip, ..self }
    }

    /// The same decoder, whose score is taken for something else.
    #[must_use]
    pub fn with_answer(self, answer: Answer) -> Self {
        Self { answer, ..self }
    }

    /// Checks that the readout has what the decoder reads: `silence` says why it does not spike, if so. `key` names the decoder in
    /// messages.
    ///
    /// # Errors
    ///
    /// If spikes of a readout are counted that has none.
    pub fn validate(&self, key: &str, silence: Option<&str>) -> Result<()> {
        if let (DecoderKind::SoftmaxSum, true) = (self.kind, self.answer.is_real()) {
            return Err(Error::setting(format!("{key}.kind"), "softmax_sum").expected(format!(
                "another decoder, since {key}.answer is {:?}: a softmax tells classes apart",
                self.answer.name()
            )));
        }
        if let (DecoderKind::SpikeCount, Some(reason)) = (self.kind, silence) {
            return Err(Error::setting(format!("{key}.kind"), "spike_count")
                .expected(format!("a decoder of membranes, since {reason}"))
                .remedy("set network.readout.kind = \"alif\" to count spikes"));
        }
        Ok(())
    }

    /// Whether there is a class at every step rather than one a sequence.
    #[must_use]
    pub fn is_per_step(&self) -> bool {
        self.kind == DecoderKind::PerStep
    }

    /// What of the readout the decoder reads.
    #[must_use]
    pub fn observes(&self) -> Observe {
        match self.kind {
            DecoderKind::SpikeCount => Observe::Spikes,
            _ => Observe::Membrane,
        }
    }

    /// The score of a readout over `[T, B, classes]`, whose rows are so long.
    ///
    /// # Panics
    ///
    /// If the readout does not return what the decoder [observes](Self::observes), or `skip` leaves a sequence no step.
    #[must_use]
    pub fn decode(&self, output: &ReadoutOutput, lengths: Lengths<'_>) -> Score {
        for length in lengths.all() {
            assert!(
                self.first(length) < length,
                "the decoder skips {} steps, but a sequence has {length}",
                self.skip
            );
        }
        self.decode_window(output, 0, lengths, None).expect("a step counts")
    }

    /// The score of the window of time from step `start` of sequences of these lengths: of a class per step that of the
    /// window's steps, else that of all steps so far, where `before` is the score of the steps before the window, or `None` as
    /// long as none of them counts. The score of a sequence that has ended stays what it was.
    ///
    /// # Panics
    ///
    /// If the readout does not return what the decoder [observes](Self::observes).
    #[must_use]
    pub fn decode_window(
        &self,
        output: &ReadoutOutput,
        start: usize,
        lengths: Lengths<'_>,
        before: Option<Score>,
    ) -> Option<Score> {
        let m = self.observed(output);
        let [length, batch, classes] = m.dims();
        if self.kind == DecoderKind::PerStep {
            return Some(Score::PerStep(match self.answer {
                Answer::Class => log_softmax(m, 2),
                Answer::Values | Answer::Labels => m,
            }));
        }
        if lengths.by_row().is_some() {
            return self.decode_ending(m, start, lengths, before);
        }
        let steps = lengths.steps();
        let from = self.first(steps).saturating_sub(start);
        if from >= length {
            return before;
        }
        let m = if from == 0 { m } else { m.narrow(0, from, length - from) };
        // Steps that count, in the window and before it.
        let (here, past) = (length - from, (start + from).saturating_sub(self.first(steps)));
        let m = if self.kind == DecoderKind::SoftmaxSum { softmax(m, 2) } else { m };
        // Sequences and classes in one dimension: the gradient of a sum over the first of three is a sum over one of length
        // one, and of `[1, B, C]` that was `[B, C]` cubek-reduce 0.3.1 takes padding for values where CUDA pads rows.
        let m: Tensor<2> = m.reshape([here, batch * classes]);
        let score = match self.kind {
            DecoderKind::SoftmaxSum | DecoderKind::SpikeCount => m.sum_dim(0),
            DecoderKind::MeanMembrane => m.mean_dim(0),
            DecoderKind::MaxMembrane => m.max_dim(0),
            DecoderKind::LastMembrane | DecoderKind::PerStep => m,
        };
        let score: Tensor<2> = score.reshape([batch, classes]);
        let Some(Score::PerSequence(before)) = before else {
            return Some(Score::PerSequence(score));
        };
        Some(Score::PerSequence(match self.kind {
            DecoderKind::MeanMembrane => {
                let share = here as f64 / (here + past) as f64;
                score * share + before * (1.0 - share)
            }
            // The first of equals, whichever window it is in.
            DecoderKind::MaxMembrane => before.max_pair(score),
            DecoderKind::LastMembrane => score,
            _ => score + before,
        }))
    }

    /// The score per sequence of rows that may end within the window, or before it.
    fn decode_ending(
        &self,
        m: Tensor<3>,
        start: usize,
        lengths: Lengths<'_>,
        before: Option<Score>,
    ) -> Option<Score> {
        let [steps, batch, classes] = m.dims();
        let window = start..start + steps;
        if !self.counts(&window, lengths) {
            return before;
        }
        let counted = |length: usize| self.first(length)..length;
        // Steps that count before the end of the window, and before its start.
        let count = |length, end: usize| end.min(length).saturating_sub(self.skip).max(1) as f32;
        let share = |length: usize| match self.kind {
            DecoderKind::MeanMembrane => 1.0 / count(length, window.end),
            _ => 1.0,
        };
        let kept = |length: usize| match self.kind {
            DecoderKind::MeanMembrane => count(length, start) / count(length, window.end),
            _ => 1.0,
        };
        let weight = |step| move |n: usize| if counted(n).contains(&step) { share(n) } else { 0.0 };
        let weights: Vec<f32> =
            window.clone().flat_map(|step| lengths.all().map(weight(step))).collect();
        let weights = TensorData::new(weights, [steps, batch, 1]);
        let weights = Tensor::<3>::from_data(weights, &m.device());
        let m = if self.kind == DecoderKind::SoftmaxSum { softmax(m, 2) } else { m };
        let m = match self.kind {
            DecoderKind::MaxMembrane => {
                let left_out = weights.equal_elem(0.0).expand([steps, batch, classes]);
                m.mask_fill(left_out, f32::NEG_INFINITY)
            }
            _ => m * weights,
        };
        // In one dimension, as in `decode_window`.
        let m: Tensor<2> = m.reshape([steps, batch * classes]);
        let score = match self.kind {
            DecoderKind::MaxMembrane => m.max_dim(0),
            _ => m.sum_dim(0),
        };
        let score: Tensor<2> = score.reshape([batch, classes]);
        let Some(Score::PerSequence(before)) = before else {
            return Some(Score::PerSequence(score));
        };
        Some(Score::PerSequence(match self.kind {
            DecoderKind::MaxMembrane => before.max_pair(score),
            DecoderKind::MeanMembrane => {
                let kept = TensorData::new(lengths.all().map(kept).collect(), [batch, 1]);
                score + before.clone() * Tensor::from_data(kept, &before.device())
            }
            _ => score + before,
        }))
    }

    /// Whether a step of some row counts within a window.
    pub(crate) fn counts(&self, window: &Range<usize>, lengths: Lengths<'_>) -> bool {
        lengths.all().any(|length| self.counts_row(window, length))
    }

    /// Whether a step of a sequence of so many counts within a window.
    pub(crate) fn counts_row(&self, window: &Range<usize>, length: usize) -> bool {
        window.start.max(self.first(length)) < window.end.min(length)
    }

    /// The first step of a sequence of `steps` that counts.
    #[must_use]
    pub fn first(&self, steps: usize) -> usize {
        match self.kind {
            DecoderKind::LastMembrane => steps.saturating_sub(1),
            _ => self.skip,
        }
    }

    /// Panics if a network with this decoder cannot learn from sequences of the data: targets of another kind, or too few
    /// steps.
    pub(crate) fn check(&self, data: &Dataset, indices: &[usize]) {
        assert_eq!(
            data.targets().is_per_step(),
            self.is_per_step(),
            "a decoder per step needs targets per step, and one per sequence per sequence"
        );
        assert_eq!(
            data.targets().is_real(),
            self.answer.is_real(),
            "targets are numbers where the answer is numbers"
        );
        for &sample in indices {
            let steps = data.length(sample);
            assert!(
                self.skip < steps,
                "the decoder skips {} of the {steps} steps of sequence {sample}",
                self.skip
            );
        }
    }

    /// A readout of what the decoder reads, `[T, B, classes]`, and nothing else.
    pub(crate) fn readout(&self, observed: Tensor<3>) -> ReadoutOutput {
        let (membrane, spikes) = match self.observes() {
            Observe::Spikes => (None, Some(observed)),
            _ => (Some(observed), None),
        };
        ReadoutOutput { membrane, spikes, state: None }
    }

    /// What the decoder reads, `[T, B, classes]`.
    pub(crate) fn observed(&self, output: &ReadoutOutput) -> Tensor<3> {
        let observed = match self.observes() {
            Observe::Spikes => &output.spikes,
            _ => &output.membrane,
        };
        observed.clone().expect("the readout observes what its decoder reads")
    }

    /// The loss of a score.
    ///
    /// # Panics
    ///
    /// If score and target are not both per step or both per sequence.
    #[must_use]
    pub fn loss(&self, score: &Score, target: &Target) -> Tensor<1> {
        self.loss_by(score, target, None)
    }

    /// The loss of a score, of classes weighed as `by` says.
    ///
    /// # Panics
    ///
    /// As [`Decoder::loss`].
    #[must_use]
    pub fn loss_by(&self, score: &Score, target: &Target, by: Option<&ClassLoss>) -> Tensor<1> {
        match (score, target, by) {
            (Score::PerStep(log_p), Target::PerStep(target), Some(by)) => {
                let [steps, batch, classes] = log_p.dims();
                let (from, counted) = (self.skip, steps - self.skip);
                let log_p = log_p.clone().narrow(0, from, counted);
                let log_p: Tensor<2> = log_p.reshape([counted * batch, classes]);
                let target = target.clone().narrow(0, from, counted).flatten(0, 1);
                total(by.losses(log_p, target)) / batch as f64
            }
            (Score::PerSequence(score), Target::PerSequence(target), Some(by)) => {
                let [batch, _] = score.dims();
                total(by.losses(log_softmax(score.clone(), 1), target.clone())) / batch as f64
            }
            _ => self.plain_loss(score, target),
        }
    }

    fn plain_loss(&self, score: &Score, target: &Target) -> Tensor<1> {
        match (score, target) {
            (Score::PerStep(score), Target::PerStep(target)) => {
                let [steps, batch, _] = score.dims();
                let (score, target) = if self.skip == 0 {
                    (score.clone(), target.clone())
                } else {
                    let counted = steps - self.skip;
                    let (score, target) = (score.clone(), target.clone());
                    (score.narrow(0, self.skip, counted), target.narrow(0, self.skip, counted))
                };
                // Steps without a label have a target below 0.
                let labelled = target.clone().greater_equal_elem(0).float();
                let score = score.gather(2, target.clamp_min(0).unsqueeze_dim(2));
                -total(score.squeeze_dim::<2>(2) * labelled) / batch as f64
            }
            (Score::PerSequence(score), Target::PerSequence(target)) => {
                let [batch, _] = score.dims();
                let log = log_softmax(score.clone(), 1);
                // Sequences without a label have a target below 0.
                let labelled: Tensor<2> =
                    target.clone().greater_equal_elem(0).float().unsqueeze_dim(1);
                let log = log.gather(1, target.clone().clamp_min(0).unsqueeze_dim(1));
                -total(log * labelled) / batch as f64
            }
            (Score::PerStep(score), Target::ValuesPerStep(target)) => {
                let [steps, batch, outputs] = score.dims();
                let counted = steps - self.skip;
                let part = |all: &Tensor<3>| -> Tensor<2> {
                    all.clone().narrow(0, self.skip, counted).reshape([counted * batch, outputs])
                };
                self.real_loss(part(score), part(target), batch)
            }
            (Score::PerSequence(score), Target::ValuesPerSequence(target)) => {
                let [batch, _] = score.dims();
                self.real_loss(score.clone(), target.clone(), batch)
            }
            _ => panic!(
                "a decoder per step needs targets per step, and one per sequence per sequence"
            ),
        }
    }

    /// The loss of scores `[entries, K]` of a batch.
    fn real_loss(&self, score: Tensor<2>, target: Tensor<2>, batch: usize) -> Tensor<1> {
        let [_, outputs] = score.dims();
        let objective = self.objective();
        // 0 times NaN would be NaN: what is not known is taken out before and after.
        let unknown = target.clone().is_nan();
        let losses = objective.losses(score, target.mask_fill(unknown.clone(), 0.0));
        total(losses.mask_fill(unknown, 0.0)) / (batch * outputs) as f64
    }

    /// # Panics
    ///
    /// If the answer is a class.
    fn objective(&self) -> &'static dyn Objective {
        self.answer.objective().expect("targets are numbers where the answer is numbers")
    }

    /// The mean loss of a readout that knows nothing: of classes, log(classes) for every step of a sequence that counts; of
    /// labels, log 2; of numbers, that of always answering 0, but at least 1 a step.
    #[must_use]
    pub fn chance_loss(&self, data: &Dataset, classes: usize) -> f64 {
        let chance = match self.answer {
            Answer::Class => (classes as f64).ln(),
            Answer::Labels => std::f64::consts::LN_2,
            Answer::Values => {
                let known = data.targets().values().unwrap_or_default().iter();
                let squares = known.filter(|y| !y.is_nan()).map(|y| f64::from(*y).powi(2));
                let (count, sum) = squares.fold((0, 0.0), |(n, sum), y| (n + 1, sum + y));
                (sum / f64::from(count.max(1))).max(1.0)
            }
        };
        let steps = |sample| data.length(sample).saturating_sub(self.skip);
        let counted = match self.is_per_step() {
            true => (0..data.samples()).map(steps).sum::<usize>() as f64 / data.samples() as f64,
            false => 1.0,
        };
        counted * chance
    }
}

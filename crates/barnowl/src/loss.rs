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

use crate::dataset::Dataset;
use crate::device::total;
use crate::error::{Error, Result};
use crate::readout::{ReadoutKind, ReadoutOutput};
use crate::sequence::Observe;
use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Int, Tensor};
use serde::{Deserialize, Serialize};

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

/// A decoder: its kind, and how many steps at the start it leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decoder {
    /// How the readout is decoded.
    pub kind: DecoderKind,
    /// The first step that counts. Default 0.
    /// Range: 0 to 1000000000 steps, less than there are.
    #[serde(default)]
    pub skip: usize,
}

/// The score of a decoder.
#[derive(Debug, Clone)]
pub enum Score {
    /// Log-probabilities at every step, `[T, B, classes]`.
    PerStep(Tensor<3>),
    /// Logits of the sequence, `[B, classes]`.
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
}

impl Decoder {
    /// A decoder that counts from the first step.
    #[must_use]
    pub fn new(kind: DecoderKind) -> Self {
        Self { kind, skip: 0 }
    }

    /// The same decoder, leaving out the first `skip` steps.
    #[must_use]
    pub fn with_skip(self, skip: usize) -> Self {
        Self { skip, ..self }
    }

    /// Checks that the readout has what the decoder reads; `key` names the decoder in messages.
    ///
    /// # Errors
    ///
    /// If spikes of a readout are counted that has none.
    pub fn validate(&self, key: &str, readout: ReadoutKind) -> Result<()> {
        let silent = match readout {
            ReadoutKind::Alif => None,
            ReadoutKind::LeakyIntegrator => Some("the readout's leaky integrators do not spike"),
            ReadoutKind::Dense => Some("a dense readout does not spike"),
        };
        if let (DecoderKind::SpikeCount, Some(reason)) = (self.kind, silent) {
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

    /// The score of a readout over `[T, B, classes]`.
    ///
    /// # Panics
    ///
    /// If the readout does not return what the decoder [observes](Self::observes), or `skip` leaves no step.
    #[must_use]
    pub fn decode(&self, output: &ReadoutOutput) -> Score {
        let [steps, ..] = self.observed(output).dims();
        assert!(
            self.first(steps) < steps,
            "the decoder skips {} steps, but a sequence has {steps}",
            self.skip
        );
        self.decode_window(output, 0, steps, None).expect("a step counts")
    }

    /// The score of the window of time from step `start` of sequences of `steps` steps: of a class per step that of the
    /// window's steps, else that of all steps so far, where `before` is the score of the steps before the window, or `None` as
    /// long as none of them counts.
    ///
    /// # Panics
    ///
    /// If the readout does not return what the decoder [observes](Self::observes).
    #[must_use]
    pub fn decode_window(
        &self,
        output: &ReadoutOutput,
        start: usize,
        steps: usize,
        before: Option<Score>,
    ) -> Option<Score> {
        let m = self.observed(output);
        let [length, batch, classes] = m.dims();
        if self.kind == DecoderKind::PerStep {
            return Some(Score::PerStep(log_softmax(m, 2)));
        }
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

    /// The first step of a sequence of `steps` that counts.
    #[must_use]
    pub fn first(&self, steps: usize) -> usize {
        match self.kind {
            DecoderKind::LastMembrane => steps.saturating_sub(1),
            _ => self.skip,
        }
    }

    /// Panics if a network with this decoder cannot learn from the data: targets of another kind, or too few steps.
    pub(crate) fn check(&self, data: &Dataset) {
        assert_eq!(
            data.targets().is_per_step(),
            self.is_per_step(),
            "a decoder per step needs targets per step, and one per sequence per sequence"
        );
        let steps = data.steps();
        assert!(self.skip < steps, "the decoder skips {} of {steps} steps", self.skip);
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
                -total(log.gather(1, target.clone().unsqueeze_dim(1))) / batch as f64
            }
            _ => panic!(
                "a decoder per step needs targets per step, and one per sequence per sequence"
            ),
        }
    }

    /// The loss of a readout that knows nothing: log(classes) for every step that counts.
    #[must_use]
    pub fn chance_loss(&self, steps: usize, classes: usize) -> f64 {
        let counted = if self.is_per_step() { steps.saturating_sub(self.skip) } else { 1 };
        counted as f64 * (classes as f64).ln()
    }
}

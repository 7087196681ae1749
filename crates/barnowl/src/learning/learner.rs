//! The seam between training and the rules by which a network learns.

use super::penalty::Penalties;
use crate::class_loss::ClassLoss;
use crate::dataset::Dataset;
use crate::error::Result;
use crate::network::Network;
use crate::pass::Pass;
use burn::optim::GradientsParams;

/// A learning rule: what it makes of a network and sequences of a data set.
///
/// A rule is of one network configuration, and of one way to treat it; it keeps its memory from batch to batch. Training asks
/// nothing else of it, so that another rule is one more file, with its own [`Learner`].
///
/// All of these panic if the network is not of the configuration, if the data set is not of its channels, classes or kind of
/// targets, or if an index is out of range. `pass` says where random initial states come from.
pub trait Learner: std::fmt::Debug + Send {
    /// Weighs and adds to the loss that is trained on. In [`evaluate`](Self::evaluate), and in what is reported of a penalty,
    /// it is the decoder's own.
    fn set_criterion(&mut self, criterion: Criterion);

    /// Runs a network over the sequences `indices` of a data set, without gradients.
    fn evaluate(
        &mut self,
        network: &Network,
        data: &Dataset,
        indices: &[usize],
        pass: Pass<'_>,
    ) -> BatchOutcome;

    /// Runs a network over the sequences `indices` of a data set, and returns the gradient of their mean loss for every
    /// parameter that is trained.
    fn gradients(
        &mut self,
        network: &Network,
        data: &Dataset,
        indices: &[usize],
        pass: Pass<'_>,
    ) -> (BatchOutcome, GradientsParams);

    /// Truncated backpropagation: runs a network over the sequences `indices` of a data set, `window` steps at a time, and
    /// hands the gradient of each window to `update`, which returns the network that goes on from there.
    ///
    /// The state goes from window to window, its gradient does not. The loss of a window is that of its steps, or, of one
    /// class a sequence, that of the score over all steps so far; sequences that have ended keep their loss, and give no
    /// gradient. Windows of which no step counts leave the network as it is. A penalty is added by the window's share of the
    /// steps.
    ///
    /// # Errors
    ///
    /// That of `update`: nothing is run after it.
    ///
    /// # Panics
    ///
    /// If a window has no steps, or the rule cannot take one after the other.
    fn windows(
        &mut self,
        network: &Network,
        data: &Dataset,
        indices: &[usize],
        pass: Pass<'_>,
        window: usize,
        update: &mut Update<'_>,
    ) -> Result<(BatchOutcome, Network)>;
}

/// What makes of a network, of what it did and of the gradients of a window the network that goes on.
pub type Update<'a> = dyn FnMut(&Network, &BatchOutcome, GradientsParams) -> Result<Network> + 'a;

/// What is trained on besides the decoder's own loss.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Criterion {
    /// How the loss of classes is weighed, if it is.
    pub classes: Option<ClassLoss>,
    /// What draws on spike rates, if anything does; for networks whose hidden layers spike.
    pub penalties: Penalties,
}

/// What a network does on a batch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BatchOutcome {
    /// The mean loss of the sequences.
    pub loss: f64,
    /// The predicted classes: `[T, B]`, time first, or `[B]`; [`UNLABELLED`](crate::dataset::UNLABELLED) after the end of a
    /// sequence.
    pub classes: Vec<u16>,
    /// The predicted numbers, where the answer is numbers: `[T, B, K]`, time first, or `[B, K]`; NaN after the end of a sequence.
    pub values: Vec<f32>,
    /// Spikes per neuron and step, of every hidden layer, without padding; of cells that do not spike, outputs that are not 0.
    pub rates: Vec<f64>,
    /// The same of the readout, if it spikes, and is observed: on graphics processors by decoders of spikes alone.
    pub readout_rate: Option<f64>,
}

impl BatchOutcome {
    /// Adds a window that is so large a share of the sequence.
    pub(super) fn add(&mut self, window: Self, share: f64, per_step: bool) {
        self.rates.resize(window.rates.len(), 0.0);
        self.rates.iter_mut().zip(&window.rates).for_each(|(sum, rate)| *sum += rate * share);
        if let Some(rate) = window.readout_rate {
            *self.readout_rate.get_or_insert(0.0) += rate * share;
        }
        if per_step {
            self.loss += window.loss;
            self.classes.extend(window.classes);
            self.values.extend(window.values);
        } else {
            (self.loss, self.classes) = (window.loss, window.classes);
            self.values = window.values;
        }
    }
}

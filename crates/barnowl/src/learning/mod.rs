//! How a network learns: gradients of its loss over a batch of sequences.
//!
//! | file | holds |
//! | --- | --- |
//! | `learner.rs` | [`Learner`]: what a learning rule does |
//! | `bptt/` | [`Bptt`]: exact backpropagation through time of a whole network, a few sequences at a time |
//! | `penalty.rs` | [`Penalties`]: what draws on spike rates |
//! | `layerwise.rs` | [`Layerwise`]: the same by Burn's autodiff, a whole batch and a whole layer at a time, on any device |
//!
//! A network can also be differentiated as any other Burn module, through
//! [`Network::forward`](crate::network::Network::forward) and a loss of your own; [`Bptt`] computes the same numbers for
//! the losses of this library, several times faster and in a fraction of the memory.

mod backpropagation;
mod bptt;
mod layerwise;
mod learner;
mod penalty;

pub use backpropagation::backpropagation;
pub use bptt::{Bptt, BpttOptions};
pub use layerwise::Layerwise;
pub use learner::{BatchOutcome, Criterion, Learner, Update};
pub use penalty::{NeuronRatePenalty, Penalties, RatePenalty};

use crate::dataset::Dataset;
use crate::lengths::Lengths;
use crate::network::NetworkConfig;

/// The sequences of a batch beside their values: how long they are, and their classes.
struct Rows {
    /// Steps of the longest.
    steps: usize,
    /// The steps of each, if some of the data set end before T.
    lengths: Option<Vec<usize>>,
    /// Classes: `[steps, B]`, time first, or `[B]`; −1 at steps without a label.
    targets: Vec<i32>,
    /// Numbers: `[steps, B, K]`, or `[B, K]`; NaN where one is not known.
    values: Vec<f32>,
}

impl Rows {
    /// # Panics
    ///
    /// If channels, classes, or kind of targets are not those of the network, or a sequence has no step that counts.
    fn of(config: &NetworkConfig, data: &Dataset, indices: &[usize]) -> Self {
        let channels = data.channels();
        assert_eq!(channels, config.inputs, "the data have other channels than the network");
        config.decode.check(data, indices);
        let of = |_: &[u32]| indices.iter().map(|sample| data.length(*sample)).collect();
        let lengths: Option<Vec<usize>> = data.lengths().map(of);
        let longest = lengths.iter().flatten().copied().max();
        let steps = longest.unwrap_or_else(|| data.steps());
        let classes = config.readout.size;
        let (mut targets, mut values) = (data.batch_targets(indices), data.batch_values(indices));
        if config.decode.is_per_step() {
            targets.truncate(steps * indices.len());
            values.truncate(steps * indices.len() * classes);
        }
        if config.decode.answer.is_real() {
            let count = data.class_names().len();
            assert_eq!(count, classes, "the data have other numbers to be found than the network");
        }
        if let Some(class) = targets.iter().find(|class| **class >= classes as i32) {
            panic!("a sequence is of class {class}, and the network has {classes} classes, from 0");
        }
        Self { steps, lengths, targets, values }
    }

    fn lengths(&self, batch: usize) -> Lengths<'_> {
        Lengths::new(self.steps, batch, self.lengths.as_deref())
    }
}

//! How much work a training step is: additions, multiplications and bytes, from the network's shape and the spikes that
//! were measured.
//!
//! For a mini-batch of B sequences of T steps, summed over the layers (the readout among them). A layer has H neurons
//! and I inputs, of which `a` spike in a step on the average; `s` of its own neurons do. R is H if the layer is
//! recurrent, else 0.
//!
//! | | operations |
//! | --- | --- |
//! | forward: a row of weights added per spike | `B T (a H + s R)` |
//! | gradients of the weights: as many additions | `B T (a H + s R)` |
//! | gradient to the step before: dense | `B T · 2 H R` |
//! | gradient to the layer below, where there is one: dense | `B T · 2 I H` |
//! | membranes, thresholds, surrogate gradients, sums | `B T · 60 H` |
//!
//! A dense implementation has three matrix products (forward, back, gradient of the weights) instead of the first four
//! rows: `B T · 6 H (I + R)`. That is the usual count of six operations a weight, with the first matrix's way back in it,
//! which nobody needs.
//!
//! Potentials are written on the way forward and read on the way back, `B T · 8 H` bytes; weights and gradients, 4 bytes
//! each, move once for every tile of [`TILE`] sequences. What stays in cache counts too: this is what a step has to move
//! through the memory of a machine without any.

use barnowl::network::NetworkConfig;

/// Operations of one neuron in one step that are no matrix product, forward and backward together: some 10 of the
/// neuron's equations, 20 of their gradients, 20 of the surrogate's exponentials and 10 of the sums over time for bias
/// and time constants. An estimate: exponentials have no fixed price.
const ELEMENTWISE: f64 = 60.0;

/// Sequences that [`Bptt`](barnowl::learning::Bptt) carries through the network together, in mini-batches of 29 or more.
const TILE: usize = 8;

/// The work of one training step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Work {
    /// Operations that are done.
    pub done: f64,
    /// Operations of a dense implementation.
    pub dense: f64,
    /// Bytes moved.
    pub bytes: f64,
}

/// What happens in a training step.
#[derive(Debug, Clone, Copy)]
pub struct Activity<'a> {
    pub batch: usize,
    pub steps: usize,
    /// Spikes of all input channels of a sequence, per step.
    pub input_spikes: f64,
    /// Spikes per neuron and step of every hidden layer.
    pub rates: &'a [f64],
    /// Whether the way forward is gone twice, as with `--checkpoint-steps`.
    pub recomputed: bool,
}

impl Work {
    /// Of a network without bidirectional layers.
    pub fn of(network: &NetworkConfig, activity: Activity<'_>) -> Self {
        let forward_passes = if activity.recomputed { 2.0 } else { 1.0 };
        let entries = (activity.batch * activity.steps) as f64;
        let tiles = activity.batch.div_ceil(TILE) as f64;
        let hidden = network
            .layers
            .iter()
            .zip(activity.rates)
            .map(|(layer, rate)| (layer.size, layer.recurrent, rate * layer.size as f64));
        let (mut inputs, mut arriving) = (network.inputs as f64, activity.input_spikes);
        let mut work = Self { done: 0.0, dense: 0.0, bytes: 0.0 };
        for (place, (size, recurrent, spikes)) in
            hidden.chain([(network.readout.size, false, 0.0)]).enumerate()
        {
            let neurons = size as f64;
            let recurrent = if recurrent { neurons } else { 0.0 };
            let sparse = arriving * neurons + spikes * recurrent;
            let below = if place == 0 { 0.0 } else { inputs };
            let back = 2.0 * neurons * (recurrent + below);
            work.done += entries * ((forward_passes + 1.0) * sparse + back + ELEMENTWISE * neurons);
            work.dense += entries * 6.0 * neurons * (inputs + recurrent);
            let weights = neurons * (inputs + recurrent);
            work.bytes += entries * 4.0 * neurons * (forward_passes + 1.0) + tiles * 8.0 * weights;
            (inputs, arriving) = (neurons, spikes);
        }
        work
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barnowl::layer::LayerConfig;
    use barnowl::loss::{Decoder, DecoderKind};
    use barnowl::readout::{ReadoutConfig, ReadoutKind};

    #[test]
    fn a_small_network_by_hand() {
        let network = NetworkConfig {
            inputs: 10,
            layers: vec![LayerConfig::new(4)],
            readout: ReadoutConfig::new(ReadoutKind::LeakyIntegrator, 3),
            decode: Decoder::new(DecoderKind::SoftmaxSum),
            surrogate: Default::default(),
            encoder: None,
            repeat: 1,
        };
        let activity =
            Activity { batch: 16, steps: 5, input_spikes: 2.0, rates: &[0.25], recomputed: false };
        let work = Work::of(&network, activity);
        // Two input spikes to 4 neurons, one hidden spike to 4 and to 3, there and back; 2·4·4 and 2·4·3 densely.
        let sparse = 2.0 * (2.0 * 4.0 + 4.0 + 3.0);
        assert_eq!(work.done, 80.0 * (sparse + 32.0 + 24.0 + 60.0 * 7.0));
        let weights = 4.0 * 10.0 + 4.0 * 4.0 + 3.0 * 4.0;
        assert_eq!(work.dense, 80.0 * 6.0 * weights);
        assert_eq!(work.bytes, 80.0 * 8.0 * 7.0 + 2.0 * 8.0 * weights);
        let again = Work::of(&network, Activity { recomputed: true, ..activity });
        assert_eq!(again.done - work.done, 80.0 * sparse / 2.0);
        assert_eq!(again.dense, work.dense);
    }
}

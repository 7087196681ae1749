//! How a network learns: gradients of its loss over a batch of sequences.
//!
//! | file | holds |
//! | --- | --- |
//! | `bptt/` | [`Bptt`]: exact backpropagation through time of a whole network, a few sequences at a time |
//! | `layerwise.rs` | [`Layerwise`]: the same by Burn's autodiff, a whole batch at a time, on any device |
//!
//! A network can also be differentiated as any other Burn module, through
//! [`Network::forward`](crate::network::Network::forward) and a loss of your own; [`Bptt`] computes the same numbers for
//! the losses of this library, several times faster and in a fraction of the memory.

mod bptt;
mod layerwise;

pub use bptt::{BatchOutcome, Bptt, BpttOptions};
pub use layerwise::{Layerwise, Penalty};

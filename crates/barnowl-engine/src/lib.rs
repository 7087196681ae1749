//! The CPU kernels: what the fused operation of one layer and the training of a whole network are made of.
//!
//! A *tile* of a few batch rows runs on one thread, a *chunk* of a few steps at a time, so that what a layer writes is
//! still in cache when the next one reads it. All arrays of a tile are `[steps, rows, width]`, where `width` is the
//! number of neurons rounded up to whole blocks of [`LANES`](simd::LANES); an *entry* is one row at one step.
//!
//! | file | holds |
//! | --- | --- |
//! | `simd.rs` | blocks of lanes, and kernels compiled for every instruction set |
//! | `level.rs` | the instruction set that runs: the best one here, or the one asked for |
//! | `floats.rs` | arrays that begin where a cache line does |
//! | `psi.rs` | surrogate gradients over blocks |
//! | `spikes.rs` | spikes as bits, as lists per entry (forward) and as lists per neuron (weight gradients) |
//! | `gather.rs` | sparse products: sums of the rows that a list names |
//! | `product.rs` | dense products: `g Wᵀ` from packed panels, `xᵀ g` |
//! | `weights.rs` | a weight matrix in the layouts that both want |
//! | `softmax.rs` | softmax over the classes of a readout |
//! | `neurons.rs` | the seam: what a layer's neurons do with a chunk, forward and back |
//! | `alif.rs` | adaptive neurons, by hand |
//! | `integrator.rs`, `logits.rs` | leaky integrators, by hand; plain logits |
//! | `equations.rs` | any other neuron, from its equations |
//! | `code.rs`, `compiled.rs` | its programs: interpreted, or compiled with the library |
//! | `events.rs` | input events, kept sparsely |
//! | `dense.rs` | cells that pass on real numbers: the paper's baselines |
//! | `gated.rs`, `rectified.rs` | those cells: tanh, LSTM, GRU; adaptive neurons with a rectified output |
//!
//! What is sparse and what is dense: forward, a neuron receives the sum of the weight rows of the few neurons that
//! spiked, so rows are gathered. The gradient of a weight matrix is the same sum the other way round: for each
//! presynaptic neuron, over the entries at which it spiked. Only the gradient that flows back through the weights is
//! dense, since every neuron has one at every step. Sums always run in the order of neurons or entries, so results
//! depend neither on tiles nor on threads.

pub mod alif;
pub mod code;
pub mod compiled;
pub mod dense;
pub mod equations;
pub mod events;
pub mod floats;
pub mod gated;
pub mod gather;
pub mod integrator;
pub mod level;
pub mod logits;
pub mod neurons;
pub mod product;
pub mod psi;
pub mod rectified;
pub mod simd;
pub mod softmax;
pub mod spikes;
pub mod weights;

/// Steps of a chunk: with 8 rows of 256 neurons, the gradients of a chunk are 128 KiB and stay in the second cache.
pub const CHUNK: usize = 16;

/// The most rows of a tile: enough that a weight in registers meets 8 rows, few enough that a small batch still has a
/// tile for every core.
pub const ROWS: usize = 8;

/// dτ = dα · α / τ², as dα · exp(−x) x² with x = 1/τ: 0 and not NaN for the fastest neurons.
pub fn tau_gradient(tau: f32, decay_gradient: f64) -> f64 {
    let x = (1.0 / f64::from(tau)).min(1e3);
    decay_gradient * (-x).exp() * x * x
}

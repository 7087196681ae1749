//! What a hidden layer is made of: adaptive spiking neurons, or one of the paper's baselines.
//!
//! | cell | what it is |
//! | --- | --- |
//! | `alif` | adaptive spiking neurons (plain LIF with β = 0), run by the fused kernels |
//! | `relu` | the same with the spike replaced by [s = max(0, u − θ)](crate::sequence::Emission::Rectified) |
//! | `rnn`, `lstm`, `gru` | tanh, LSTM and GRU cells, see [`gated`] |
//!
//! Or any other neuron, [from its equations](equations).
//!
//! Of each, a layer is one operation over the whole sequence.

pub mod alif;
pub mod equations;
pub mod gated;

use crate::sequence::GatedCell;
use alif::AlifLayer;
use burn::module::Module;
use burn::nn::Linear;
use equations::EquationsLayer;
use gated::GatedLayer;
use serde::{Deserialize, Serialize};

/// Which cell a hidden layer is made of.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CellKind {
    /// Adaptive spiking neurons.
    #[default]
    Alif,
    /// Adaptive neurons with a rectified linear output in place of spikes.
    Relu,
    /// Long short-term memory.
    Lstm,
    /// Gated recurrent units.
    Gru,
    /// tanh units without gates.
    Rnn,
}

impl CellKind {
    /// Whether this is the default, spiking cell.
    #[must_use]
    pub fn is_spiking(&self) -> bool {
        *self == Self::Alif
    }

    /// The operation of a gated cell; none of neurons with time constants.
    #[must_use]
    pub fn gated(self) -> Option<GatedCell> {
        match self {
            Self::Alif | Self::Relu => None,
            Self::Rnn => Some(GatedCell::Tanh),
            Self::Gru => Some(GatedCell::Gru),
            Self::Lstm => Some(GatedCell::Lstm),
        }
    }
}

/// The parameters of a layer in one direction of time.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a few a network")]
pub enum Cell {
    /// Of adaptive neurons, spiking or rectified linear.
    Alif(AlifLayer),
    /// Of tanh, LSTM and GRU cells.
    Gated(GatedLayer),
    /// Of neurons that run from their equations.
    Equations(EquationsLayer),
}

impl Cell {
    /// The input weights, `[inputs, neurons]` or `[inputs, gates · neurons]`, and bias.
    pub fn input_mut(&mut self) -> &mut Linear {
        match self {
            Self::Alif(layer) => &mut layer.input,
            Self::Gated(layer) => &mut layer.input,
            Self::Equations(layer) => &mut layer.input,
        }
    }
}

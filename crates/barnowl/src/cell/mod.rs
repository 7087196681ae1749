//! What a hidden layer is made of: adaptive spiking neurons, or one of the paper's baselines.
//!
//! | cell | what it is |
//! | --- | --- |
//! | `alif` | adaptive spiking neurons (plain LIF with β = 0), run by the fused kernels |
//! | `relu` | the same with the spike replaced by s = max(0, u − θ), see [`relu`] |
//! | `rnn`, `lstm`, `gru` | tanh, LSTM and GRU cells, see [`gated`] |
//!
//! All but `alif` are differentiated by Burn, step by step.

pub mod gated;
pub mod relu;

use crate::error::{Error, Result};
use crate::layer::AlifLayer;
use crate::loss::DecoderKind;
use crate::network::NetworkConfig;
use crate::readout::ReadoutKind;
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use gated::GatedLayer;
use serde::{Deserialize, Serialize};

/// Which cell a hidden layer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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

    /// The blocks of weights of a gated cell; none of neurons with time constants.
    #[must_use]
    pub fn gates(self) -> Option<usize> {
        match self {
            Self::Alif | Self::Relu => None,
            Self::Rnn => Some(1),
            Self::Gru => Some(3),
            Self::Lstm => Some(4),
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
}

impl Cell {
    /// The input weights, `[inputs, neurons]` or `[inputs, gates · neurons]`, and bias.
    pub fn input_mut(&mut self) -> &mut Linear {
        match self {
            Self::Alif(layer) => &mut layer.input,
            Self::Gated(layer) => &mut layer.input,
        }
    }
}

/// Makes all hidden layers of a network one kind of cell, by the word of `network.cell`.
///
/// `lif` is `alif` with β = 0 and `feedforward` is `alif` without recurrence. With `lstm`, `gru` and `rnn` the readout
/// becomes [dense](ReadoutKind::Dense), so that its membranes are plain logits.
///
/// # Errors
///
/// An unknown word; or a gated cell where spikes of the readout are counted, naming `network.decode.kind`.
pub(crate) fn set_cell(network: &mut NetworkConfig, word: &str) -> Result<()> {
    let kind = match word {
        "alif" | "lif" | "feedforward" => CellKind::Alif,
        "relu" => CellKind::Relu,
        "lstm" => CellKind::Lstm,
        "gru" => CellKind::Gru,
        "rnn" => CellKind::Rnn,
        _ => {
            return Err(Error::setting("network.cell", word)
                .expected("alif, lif, feedforward, relu, lstm, gru or rnn"));
        }
    };
    if kind.gates().is_some() {
        if network.decode.kind == DecoderKind::SpikeCount {
            return Err(Error::setting("network.decode.kind", "spike_count")
                .expected(format!("a decoder of membranes, since {word} cells do not spike"))
                .remedy("set network.decode.kind = \"mean_membrane\", or another"));
        }
        network.readout.kind = ReadoutKind::Dense;
    }
    for layer in &mut network.layers {
        layer.cell = kind;
        layer.recurrent = match word {
            "feedforward" => false,
            _ => layer.recurrent || kind.gates().is_some(),
        };
        if word == "lif" {
            layer.beta = 0.0;
        }
    }
    Ok(())
}

/// The steps of `[T, B, C]`, `[B, C]` each.
///
/// By halves: the gradient of a slice is as large as what it was cut from, so that cutting every step from the whole
/// would cost T² on the way back.
pub(crate) fn steps(sequence: Tensor<3>) -> Vec<Tensor<2>> {
    fn split(sequence: Tensor<3>, into: &mut Vec<Tensor<2>>) {
        let [steps, batch, channels] = sequence.dims();
        match steps {
            0 => {}
            1 => into.push(sequence.reshape([batch, channels])),
            _ => {
                let middle = steps / 2;
                split(sequence.clone().narrow(0, 0, middle), into);
                split(sequence.narrow(0, middle, steps - middle), into);
            }
        }
    }
    let mut found = Vec::with_capacity(sequence.dims()[0]);
    split(sequence, &mut found);
    found
}

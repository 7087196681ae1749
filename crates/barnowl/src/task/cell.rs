//! The word `network.cell`, which stands for settings of all layers.

use crate::cell::CellKind;
use crate::error::{Error, Result};
use crate::loss::DecoderKind;
use crate::network::NetworkConfig;
use crate::readout::ReadoutKind;

/// Makes all hidden layers of a network one kind of cell, by the word of `network.cell`.
///
/// `lif` is `alif` with β = 0 and `feedforward` is `alif` without recurrence. With `lstm`, `gru` and `rnn` the readout
/// becomes [dense](ReadoutKind::Dense), so that its membranes are plain logits.
///
/// # Errors
///
/// An unknown word; or a gated cell where spikes of the readout are counted, naming `network.decode.kind`.
pub(super) fn set_all(network: &mut NetworkConfig, word: &str) -> Result<()> {
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
    if kind.gated().is_some() {
        if network.decode.kind == DecoderKind::SpikeCount {
            return Err(Error::setting("network.decode.kind", "spike_count")
                .expected(format!("a decoder of membranes, since {word} cells do not spike"))
                .remedy("set network.decode.kind = \"mean_membrane\", or another"));
        }
        let readout = &mut network.readout;
        readout.kind = ReadoutKind::Dense;
        (readout.neuron, readout.parameters, readout.surrogate) = Default::default();
    }
    for layer in &mut network.layers {
        layer.cell = kind;
        (layer.neuron, layer.parameters) = (None, Default::default());
        layer.surrogate = layer.surrogate.filter(|_| kind.is_spiking());
        layer.recurrent = match word {
            "feedforward" => false,
            _ => layer.recurrent || kind.gated().is_some(),
        };
        if word == "lif" {
            layer.beta = 0.0;
        }
    }
    Ok(())
}

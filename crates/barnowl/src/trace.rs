//! What single neurons do: membrane potentials and thresholds of a hidden layer over one sequence.

use crate::cell::{Cell, CellKind};
use crate::layer::{AlifLayer, LayerConfig, Pass, Start, stream};
use crate::network::{Network, NetworkConfig};
use crate::sequence::{AlifOptions, Emission, Observe};
use barnowl_neuron::{Decay, Threshold};
use burn::tensor::Tensor;

/// The course of the neurons of a hidden layer over one sequence: `[T, H]` each, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerTrace {
    /// The place of the layer, from 0.
    pub layer: usize,
    /// H.
    pub neurons: usize,
    /// τ_m of every neuron, in steps.
    pub tau_m: Vec<f32>,
    /// u, the membrane potential after the step.
    pub membrane: Vec<f32>,
    /// θ, the threshold that it was compared with.
    pub threshold: Vec<f32>,
    /// s, zero or one.
    pub spikes: Vec<f32>,
}

/// Runs one sequence `[T, 1, inputs]` through the hidden layers and records what their neurons do. Of a bidirectional
/// layer, the neurons that read forward are recorded; layers without adaptive spiking neurons have no trace.
///
/// # Panics
///
/// If the input is not one sequence of the network's channels.
#[must_use]
pub fn trace(network: &Network, config: &NetworkConfig, input: Tensor<3>) -> Vec<LayerTrace> {
    assert_eq!(input.dims()[1], 1, "one sequence is traced at a time");
    let pass = Pass::default();
    let surrogate = config.surrogate.surrogate();
    let mut signal = network.encode(input, config);
    let mut traces = Vec::new();
    for (place, (layer, config)) in network.layers.iter().zip(&config.layers).enumerate() {
        let options = AlifOptions {
            threshold: Threshold {
                b0: config.b0,
                beta: config.beta,
                resistance: config.resistance,
            },
            surrogate,
            observe: Observe::Both,
            emission: Emission::Spike,
        };
        let start = || Start::Drawn(stream(place));
        if let (Cell::Alif(neurons), CellKind::Alif) = (&layer.forward, config.cell) {
            let output =
                neurons.forward(signal.clone(), config.initial_state, options, pass, start());
            let values = |tensor: Option<Tensor<3>>| -> Vec<f32> {
                tensor.map(|tensor| tensor.into_data().iter().collect()).unwrap_or_default()
            };
            let spikes = values(output.spikes);
            traces.push(LayerTrace {
                layer: place,
                neurons: config.size,
                tau_m: neurons.tau_m.steps().into_data().iter().collect(),
                membrane: values(output.membrane),
                threshold: thresholds(neurons, config, &spikes),
                spikes,
            });
        }
        (signal, _) = layer.forward(signal, config, surrogate, pass, start());
    }
    traces
}

/// θ_t = b0 + β b_t with b_t = ρ b_{t−1} + (1−ρ) s_{t−1}, from the spikes.
fn thresholds(neurons: &AlifLayer, config: &LayerConfig, spikes: &[f32]) -> Vec<f32> {
    let tau: Vec<f32> = neurons.tau_adp.steps().into_data().iter().collect();
    let decays: Vec<Decay> = tau.iter().map(|tau| Decay::from_time_constant(*tau, 1.0)).collect();
    let mut adaptation = vec![config.b0; tau.len()];
    let mut before = vec![0.0; tau.len()];
    let mut thresholds = Vec::with_capacity(spikes.len());
    for spikes in spikes.chunks_exact(tau.len().max(1)) {
        for ((b, decay), before) in adaptation.iter_mut().zip(&decays).zip(&before) {
            *b = decay.keep * *b + decay.leak * before;
            thresholds.push(config.b0 + config.beta * *b);
        }
        before.copy_from_slice(spikes);
    }
    thresholds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{Decoder, DecoderKind};
    use crate::readout::{ReadoutConfig, ReadoutKind};
    use burn::tensor::{Device, TensorData};

    #[test]
    fn a_neuron_spikes_where_its_membrane_is_above_its_threshold() {
        let config = NetworkConfig {
            inputs: 3,
            layers: vec![
                LayerConfig { bidirectional: true, ..LayerConfig::new(7) },
                LayerConfig { beta: 0.0, ..LayerConfig::new(5) },
            ],
            readout: ReadoutConfig::new(ReadoutKind::Alif, 2),
            decode: Decoder::new(DecoderKind::PerStep),
            surrogate: Default::default(),
            encoder: None,
            repeat: 1,
        };
        let device = Device::flex();
        let network = config.init(&device, 3).unwrap();
        let input: Vec<f32> = (0..180).map(|i| (i * 7 % 5) as f32 / 2.0).collect();
        let input = Tensor::from_data(TensorData::new(input, [60, 1, 3]), &device);
        let traces = trace(&network, &config, input.clone());
        let output = network.forward(input, &config, Pass::default());
        for (trace, size) in traces.iter().zip([7, 5]) {
            assert_eq!(trace.membrane.len(), 60 * size);
            let pairs = trace.membrane.iter().zip(&trace.threshold);
            let above: Vec<f32> = pairs.map(|(u, theta)| f32::from(u8::from(u > theta))).collect();
            assert_eq!(above, trace.spikes);
            assert!(trace.spikes.contains(&1.0) && trace.spikes.contains(&0.0));
        }
        let last: Vec<f32> = output.spikes[1].to_data().iter().collect();
        assert_eq!(traces[1].spikes, last);
    }
}

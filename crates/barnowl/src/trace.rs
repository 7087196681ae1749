//! What single neurons do: membrane potentials and thresholds of a hidden layer over one sequence.

use crate::cell::alif::AlifLayer;
use crate::cell::equations::{EquationsLayer, Neuron};
use crate::cell::{Cell, CellKind};
use crate::layer::LayerConfig;
use crate::network::{Network, NetworkConfig};
use crate::pass::{Pass, Start, stream};
use crate::sequence::{AlifOptions, Emission, Observe};
use crate::weights::project;
use barnowl_model::{Kernels, Program};
use barnowl_neuron::{Decay, Threshold};
use burn::module::Param;
use burn::tensor::Tensor;

/// The course of the neurons of a hidden layer over one sequence: `[T, H]` each, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerTrace {
    /// The place of the layer, from 0.
    pub layer: usize,
    /// H.
    pub neurons: usize,
    /// τ_m of every neuron, in steps; none of neurons that run from their equations.
    pub tau_m: Vec<f32>,
    /// u, the membrane potential after the step; of equations, the value that they call the membrane, else what the spike is
    /// taken of.
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
        if let (Cell::Equations(neurons), Some(neuron)) = (&layer.forward, config.neuron()) {
            let (input, dt) = (signal.clone(), config.dt as f32);
            let (spikes, _) = neurons.forward(input, &neuron.model, dt, surrogate, pass, start());
            let spikes: Vec<f32> = spikes.into_data().iter().collect();
            let (membrane, threshold) =
                by_equations(neurons, &neuron, config, signal.clone(), &spikes);
            let (layer, neurons, tau_m) = (place, config.size, Vec::new());
            traces.push(LayerTrace { layer, neurons, tau_m, membrane, threshold, spikes });
        }
        (signal, _) = layer.forward(signal, config, surrogate, pass, start());
    }
    traces
}

/// Membranes and thresholds of neurons that run from their equations, under the spikes that there were.
fn by_equations(
    layer: &EquationsLayer,
    neuron: &Neuron,
    config: &LayerConfig,
    input: Tensor<3>,
    spikes: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    let (model, width) = (&neuron.model, config.size);
    let bias = layer.recurrent.as_ref().and_then(|linear| linear.bias.as_ref());
    let currents = project(&layer.input, bias.map(Param::val), input).into_data();
    let currents: Vec<f32> = currents.iter().collect();
    let weights: Option<Vec<f32>> =
        layer.recurrent.as_ref().map(|linear| linear.weight.val().into_data().iter().collect());
    let mut parameters: Vec<f32> = Vec::new();
    for values in layer.parameters.untracked() {
        parameters.extend((0..width).map(|i| values[i.min(values.len() - 1)]));
    }
    parameters.extend(vec![config.dt as f32; width]);
    let run = |program: &Program, inputs: &[f32]| {
        let mut outputs = vec![0.0; program.outputs().len() * width];
        let mut scratch = vec![0.0; program.scratch()];
        program.run_planes(width, inputs, &mut outputs, &mut scratch, |_| 0.0);
        outputs
    };
    let constants = run(model.constants(), &parameters);
    let mut states = run(model.rest(), &parameters);
    let step = model.step_and_membrane();
    let replay = Kernels::new(model, &neuron.trained()).replay;
    let (mut membranes, mut thresholds) = (Vec::new(), Vec::new());
    let mut before = vec![0.0; width];
    for (current, now) in currents.chunks_exact(width).zip(spikes.chunks_exact(width)) {
        let mut inputs = current.to_vec();
        if let Some(weights) = &weights {
            let spiked = before.iter().zip(weights.chunks_exact(width)).filter(|(s, _)| **s > 0.0);
            for (_, row) in spiked {
                inputs.iter_mut().zip(row).for_each(|(sum, weight)| *sum += weight);
            }
        }
        inputs.extend(states.iter().chain(&constants));
        let found = run(&replay, &inputs);
        let count = states.len();
        let v = &found[count..count + width];
        match &step {
            Some(step) => {
                let with_membrane = run(step, &inputs);
                let membrane = &with_membrane[with_membrane.len() - width..];
                membranes.extend(membrane);
                thresholds.extend(membrane.iter().zip(v).map(|(u, v)| u - v));
            }
            None => {
                membranes.extend(v);
                thresholds.extend(vec![0.0; width]);
            }
        }
        states.copy_from_slice(&found[..count]);
        before.copy_from_slice(now);
    }
    (membranes, thresholds)
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
                LayerConfig { neuron: Some("alif".into()), ..LayerConfig::new(9) },
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
        for (trace, size) in traces.iter().zip([7, 5, 9]) {
            assert_eq!(trace.membrane.len(), 60 * size);
            let pairs = trace.membrane.iter().zip(&trace.threshold);
            let above: Vec<f32> = pairs.map(|(u, theta)| f32::from(u8::from(u > theta))).collect();
            assert_eq!(above, trace.spikes);
            assert!(trace.spikes.contains(&1.0) && trace.spikes.contains(&0.0));
        }
        assert_eq!(traces.len(), 3);
        let last: Vec<f32> = output.spikes[2].to_data().iter().collect();
        assert_eq!(traces[2].spikes, last);
    }
}

//! One stream, a step at a time: what a device that listens would wait for an answer.
//!
//! The trained network of a shape runs on `barnowl-neuron`, on one thread, in buffers that are made once: hidden layers
//! and readout, without decoding. Time is taken over a whole sequence, since a clock costs as much as a small network.

use super::shapes::Shape;
use super::trial::Times;
use super::{WARMUP, shapes};
use crate::args::{Bench, ShapeName};
use crate::{print_json, print_line};
use barnowl::error::{Error, Result};
use barnowl::exchange::{NamedTensor, TensorMap};
use barnowl::network::{Network, NetworkConfig};
use barnowl::parameters::TimeConstantForm;
use barnowl::readout::ReadoutKind;
use barnowl_neuron::alif::AlifState;
use barnowl_neuron::{AlifLayer, AlifParameters, Decay, IntegratorLayer, Threshold, Weights};
use burn::tensor::Device;
use serde::Serialize;
use std::hint::black_box;
use std::time::Instant;

/// What was measured.
#[derive(Debug, Serialize)]
struct Latency {
    shape: &'static str,
    steps: usize,
    nanoseconds_per_step: f64,
    fastest: f64,
    spike_rate: f64,
    input_rate: f64,
}

pub fn run(args: &Bench) -> Result<()> {
    let all = [ShapeName::Ecg, ShapeName::Shd, ShapeName::Gsc, ShapeName::Smnist];
    let mut results = Vec::new();
    for shape in shapes(args, &all) {
        let latency = measure(&shape, args.steps)?;
        if !args.output.json {
            print_line(&format!(
                "{:7} {:18} {:9.0} ns a step (fastest {:.0}), one stream on one thread, spikes per hidden neuron {:.3}",
                shape.name,
                shape.sizes(),
                latency.nanoseconds_per_step,
                latency.fastest,
                latency.spike_rate,
            ))?;
        }
        results.push(latency);
    }
    if args.output.json {
        print_json(&serde_json::json!({ "latency": results }))?;
    }
    Ok(())
}

fn measure(shape: &Shape, repeats: u32) -> Result<Latency> {
    let (network, data) = shape.make(&Device::flex())?;
    let parts = Parts::of(&network, &shape.network)?;
    let inputs = data.batch(&[0]).inputs;
    let layers = parts.layers()?;
    let readout = parts.readout()?;
    let mut nanoseconds = Vec::new();
    let mut spikes = 0;
    for repeat in 0..WARMUP + repeats {
        let mut stream = Stream::at_rest(&parts);
        let start = Instant::now();
        spikes = 0;
        for x in inputs.chunks_exact(shape.network.inputs) {
            spikes += stream.step(&layers, &readout, x);
            black_box(&stream);
        }
        if repeat >= WARMUP {
            nanoseconds.push(start.elapsed().as_nanos() as f64 / shape.steps as f64);
        }
    }
    let times = Times::of(nanoseconds);
    let neurons: usize = shape.network.layers.iter().map(|layer| layer.size).sum();
    let events = inputs.iter().filter(|x| **x != 0.0).count();
    Ok(Latency {
        shape: shape.name,
        steps: shape.steps,
        nanoseconds_per_step: times.median,
        fastest: times.fastest,
        spike_rate: spikes as f64 / (shape.steps * neurons) as f64,
        input_rate: events as f64 / inputs.len() as f64,
    })
}

/// The parameters of a network as `barnowl-neuron` borrows them.
struct Parts {
    layers: Vec<LayerParts>,
    readout: LayerParts,
    /// Whether the readout spikes.
    spiking: bool,
}

/// The parameters of a layer. Weights are `[inputs, neurons]`.
struct LayerParts {
    input: Vec<f32>,
    recurrent: Option<Vec<f32>>,
    /// The sum of both.
    bias: Vec<f32>,
    /// Without meaning, but for the membrane's decay, in a readout that does not spike.
    neurons: Vec<AlifParameters>,
}

impl Parts {
    fn of(network: &Network, config: &NetworkConfig) -> Result<Self> {
        let tensors = network.tensors(config, TimeConstantForm::Tau);
        let layers = config.layers.iter().enumerate().map(|(place, layer)| {
            let threshold =
                Threshold { b0: layer.b0, beta: layer.beta, resistance: layer.resistance };
            LayerParts::of(&tensors, &format!("layers.{place}"), layer.dt, threshold)
        });
        let readout = &config.readout;
        let threshold =
            Threshold { b0: readout.b0, beta: readout.beta, resistance: readout.resistance };
        Ok(Self {
            layers: layers.collect::<Result<_>>()?,
            readout: LayerParts::of(&tensors, "readout", readout.dt, threshold)?,
            spiking: readout.kind == ReadoutKind::Alif,
        })
    }

    fn layers(&self) -> Result<Vec<AlifLayer<'_>>> {
        self.layers.iter().map(LayerParts::alif).collect()
    }

    fn readout(&self) -> Result<Reader<'_>> {
        if self.spiking {
            return Ok(Reader::Alif(self.readout.alif()?));
        }
        let input = weights(&self.readout.input, self.readout.neurons.len())?;
        let decays = self.readout.neurons.iter().map(|neuron| neuron.membrane).collect();
        Ok(Reader::Integrator { input, bias: &self.readout.bias, decays })
    }
}

impl LayerParts {
    fn of(tensors: &TensorMap, prefix: &str, dt: f64, threshold: Threshold) -> Result<Self> {
        let optional = |name: &str| tensors.get(&format!("{prefix}.{name}"));
        let tensor = |name: &str| {
            optional(name).ok_or_else(|| Error::mismatch(format!("there is no {prefix}.{name}")))
        };
        let tau_m = &tensor("tau_m")?.values;
        // A leaky integrator has none.
        let tau_adp = optional("tau_adp").map_or(tau_m, |tensor| &tensor.values);
        let mut bias = tensor("input.bias")?.values.clone();
        if let Some(more) = optional("recurrent.bias") {
            bias.iter_mut().zip(&more.values).for_each(|(sum, bias)| *sum += bias);
        }
        let neuron = |(m, adp): (&f32, &f32)| AlifParameters::new(*m, *adp, dt as f32, threshold);
        Ok(Self {
            input: by_input(tensor("input.weight")?, bias.len()),
            recurrent: optional("recurrent.weight").map(|tensor| by_input(tensor, bias.len())),
            neurons: tau_m.iter().zip(tau_adp).map(neuron).collect(),
            bias,
        })
    }

    fn alif(&self) -> Result<AlifLayer<'_>> {
        let neurons = self.neurons.len();
        Ok(AlifLayer {
            input: weights(&self.input, neurons)?,
            bias: &self.bias,
            recurrent: self.recurrent.as_deref().map(|all| weights(all, neurons)).transpose()?,
            neurons: &self.neurons,
        })
    }
}

/// `[out, in]`, as tensors have names for it, to `[in, out]`.
fn by_input(tensor: &NamedTensor, outputs: usize) -> Vec<f32> {
    let inputs = tensor.values.len() / outputs.max(1);
    let column = |i: usize| (0..outputs).map(move |o| tensor.values[o * inputs + i]);
    (0..inputs).flat_map(column).collect()
}

fn weights(values: &[f32], outputs: usize) -> Result<Weights<'_>> {
    Weights::new(values, outputs).ok_or_else(|| {
        Error::mismatch(format!("{} weights are no matrix of {outputs} columns", values.len()))
    })
}

/// A readout on borrowed parameters.
enum Reader<'a> {
    Alif(AlifLayer<'a>),
    Integrator { input: Weights<'a>, bias: &'a [f32], decays: Vec<Decay> },
}

/// What a stream remembers from one step to the next, and scratch.
struct Stream {
    layers: Vec<Buffers>,
    readout: Buffers,
    /// Of a readout that does not spike.
    membrane: Vec<f32>,
}

struct Buffers {
    state: Vec<AlifState>,
    current: Vec<f32>,
    spikes: Vec<f32>,
}

impl Buffers {
    fn at_rest(layer: &LayerParts) -> Self {
        let neurons = layer.neurons.len();
        let rest = |neuron: &AlifParameters| AlifState::at_rest(neuron.threshold.b0);
        Self {
            state: layer.neurons.iter().map(rest).collect(),
            current: vec![0.0; neurons],
            spikes: vec![0.0; neurons],
        }
    }
}

impl Stream {
    fn at_rest(parts: &Parts) -> Self {
        Self {
            layers: parts.layers.iter().map(Buffers::at_rest).collect(),
            readout: Buffers::at_rest(&parts.readout),
            membrane: vec![0.0; parts.readout.neurons.len()],
        }
    }

    /// One sample on its way to the readout; returns the spikes of the hidden layers.
    fn step(&mut self, layers: &[AlifLayer<'_>], readout: &Reader<'_>, sample: &[f32]) -> usize {
        let (mut x, mut count) = (sample, 0);
        for (layer, Buffers { state, current, spikes }) in layers.iter().zip(&mut self.layers) {
            count += layer.step(x, state, current, spikes);
            x = spikes;
        }
        let Buffers { state, current, spikes } = &mut self.readout;
        match readout {
            Reader::Alif(layer) => {
                layer.step(x, state, current, spikes);
            }
            Reader::Integrator { input, bias, decays } => {
                let layer = IntegratorLayer { input: *input, bias, decays };
                layer.step(x, &mut self.membrane, current);
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barnowl::layer::Pass;
    use barnowl::learning::{Bptt, BpttOptions};

    #[test]
    fn a_stream_spikes_as_the_sequence_does() {
        for name in [ShapeName::Ecg, ShapeName::Gsc] {
            let shape = Shape { batch: 2, steps: 60, ..Shape::new(name) };
            let (network, data) = shape.make(&Device::flex()).unwrap();
            let mut bptt = Bptt::new(&shape.network, BpttOptions::default()).unwrap();
            let whole = bptt.evaluate(&network, &data, &[0], Pass::default());
            let sizes = shape.network.layers.iter().map(|layer| layer.size as f64);
            let spikes: f64 = whole.rates.iter().zip(sizes).map(|(rate, size)| rate * size).sum();
            let expected = 60.0 * spikes;
            let parts = Parts::of(&network, &shape.network).unwrap();
            let (layers, readout) = (parts.layers().unwrap(), parts.readout().unwrap());
            let mut stream = Stream::at_rest(&parts);
            let inputs = data.batch(&[0]).inputs;
            let samples = inputs.chunks_exact(shape.network.inputs);
            let count: usize = samples.map(|x| stream.step(&layers, &readout, x)).sum();
            // Sums in another order may move a spike by a step, and a few more after it.
            let difference = (count as f64 - expected).abs();
            assert!(difference <= 0.02 * expected, "{}: {count}, {expected}", shape.name);
        }
    }
}

//! One stream, a step at a time: what a device that listens would wait for an answer.
//!
//! The trained network of a shape runs on `barnowl-neuron`, on one thread, in buffers that are made once: hidden layers
//! and readout, without decoding. Time is taken over a whole sequence, since a clock costs as much as a small network.

use super::asked::shapes;
use super::shapes::Shape;
use super::trial::{Times, WARMUP};
use crate::args::{Bench, ShapeName};
use crate::print::{print_json, print_line};
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
    use barnowl::cell::Cell;
    use barnowl::learning::{Bptt, BpttOptions, Learner};
    use barnowl::pass::Pass;
    use barnowl::readout::Readout;
    use burn::tensor::{Tensor, TensorData};

    /// The time constants as the engine has them, from single precision: those of files are off by a digit of the last place.
    fn engine_neurons(network: &Network, config: &NetworkConfig) -> Vec<Vec<AlifParameters>> {
        let values = |tau: Tensor<1>| tau.into_data().try_to_vec::<f32>().unwrap();
        let hidden = network.layers.iter().zip(&config.layers).map(|(layer, config)| {
            let Cell::Alif(cell) = &layer.forward else { panic!("no spikes") };
            let (b0, beta, resistance) = (config.b0, config.beta, config.resistance);
            let threshold = Threshold { b0, beta, resistance };
            (values(cell.tau_m.steps()), values(cell.tau_adp.steps()), threshold)
        });
        let (b0, beta) = (config.readout.b0, config.readout.beta);
        let threshold = Threshold { b0, beta, resistance: config.readout.resistance };
        let (tau_m, tau_adp) = match &network.readout {
            Readout::Alif(layer) => (layer.tau_m.steps(), layer.tau_adp.steps()),
            Readout::LeakyIntegrator(layer) => (layer.tau_m.steps(), layer.tau_m.steps()),
            Readout::Dense(_) => panic!("no neurons"),
        };
        hidden
            .chain([(values(tau_m), values(tau_adp), threshold)])
            .map(|(tau_m, tau_adp, threshold)| {
                let pairs = tau_m.into_iter().zip(tau_adp);
                pairs.map(|(m, adp)| AlifParameters::new(m, adp, 1.0, threshold)).collect()
            })
            .collect()
    }

    /// The same spikes and the same bits of every membrane of the readout, at every step. Weights are multiples of 1/256, whose
    /// sums are exact: the engine takes them in another order.
    #[test]
    fn a_stream_is_the_sequence_step_by_step() {
        let device = Device::flex();
        for name in [ShapeName::Ecg, ShapeName::Shd, ShapeName::Gsc, ShapeName::Smnist] {
            let shape = Shape { batch: 2, steps: 60, ..Shape::new(name) };
            let config = &shape.network;
            let (network, data) = shape.make(&device).unwrap();
            let mut tensors = network.tensors(config, TimeConstantForm::Log);
            for (_, tensor) in tensors.iter_mut().filter(|(name, _)| !name.contains("tau")) {
                tensor.values.iter_mut().for_each(|w| *w = (*w * 256.0).round() / 256.0);
            }
            let network =
                Network::from_tensors(config, &tensors, TimeConstantForm::Log, &device).unwrap();
            let mut parts = Parts::of(&network, config).unwrap();
            let engine = engine_neurons(&network, config);
            for (part, neurons) in parts.layers.iter_mut().chain([&mut parts.readout]).zip(engine) {
                for (found, expected) in part.neurons.iter().zip(&neurons) {
                    assert!((found.membrane.keep - expected.membrane.keep).abs() < 1e-6);
                    assert!((found.adaptation.keep - expected.adaptation.keep).abs() < 1e-6);
                    assert_eq!(found.threshold, expected.threshold);
                }
                part.neurons = neurons;
            }
            let inputs = data.batch(&[0]).inputs;
            let sequence = TensorData::new(inputs.clone(), [shape.steps, 1, config.inputs]);
            let sequence = Tensor::from_data(sequence, &device);
            let pass = Pass { observe_all: true, ..Pass::default() };
            let output = network.forward(sequence, config, pass);
            let values = |tensor: &Tensor<3>| tensor.to_data().try_to_vec::<f32>().unwrap();
            let spikes: Vec<Vec<f32>> = output.spikes.iter().map(values).collect();
            let membrane = values(&output.readout.membrane.unwrap());
            let readout_spikes = output.readout.spikes.as_ref().map(values);

            let (layers, readout) = (parts.layers().unwrap(), parts.readout().unwrap());
            let mut stream = Stream::at_rest(&parts);
            let mut count = 0;
            for (t, x) in inputs.chunks_exact(config.inputs).enumerate() {
                let place = format!("{}, step {t}", shape.name);
                count += stream.step(&layers, &readout, x);
                for (found, all) in stream.layers.iter().zip(&spikes) {
                    let neurons = found.spikes.len();
                    assert_eq!(found.spikes, all[t * neurons..][..neurons], "{place}");
                }
                let outputs = config.readout.size;
                let expected = &membrane[t * outputs..][..outputs];
                match &readout_spikes {
                    None => assert_eq!(stream.membrane, expected, "{place}"),
                    Some(spikes) => {
                        let u: Vec<f32> = stream.readout.state.iter().map(|s| s.u).collect();
                        assert_eq!(u, expected, "{place}");
                        assert_eq!(stream.readout.spikes, spikes[t * outputs..][..outputs]);
                    }
                }
            }
            // Training's own path counts the same spikes.
            let mut bptt = Bptt::new(config, BpttOptions::default()).unwrap();
            let rates = bptt.evaluate(&network, &data, &[0], Pass::default()).rates;
            let pairs = rates.iter().zip(&config.layers);
            let all: f64 =
                pairs.map(|(rate, layer)| rate * (layer.size * shape.steps) as f64).sum();
            assert!(count > 100 && (count as f64 - all).abs() < 1e-6, "{}: {count}", shape.name);
        }
    }
}

//! The networks that are timed, and their data.
//!
//! Input spikes are random with the density of the task's data. Biases are set layer by layer so that hidden neurons
//! spike as often as in the authors' trained networks: the sparse paths are as fast as the spikes are few.

use crate::args::ShapeName;
use barnowl::dataset::{Dataset, Events, Inputs, Targets};
use barnowl::error::{Error, Result};
use barnowl::layer::LayerConfig;
use barnowl::learning::{Bptt, BpttOptions, Learner};
use barnowl::loss::{Decoder, DecoderKind};
use barnowl::network::{Network, NetworkConfig};
use barnowl::pass::Pass;
use barnowl::readout::{ReadoutConfig, ReadoutKind};
use burn::module::Param;
use burn::tensor::{Device, Tensor};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// A network, the size of its mini-batches, and how often its inputs and neurons spike.
#[derive(Debug, Clone)]
pub struct Shape {
    pub name: &'static str,
    pub network: NetworkConfig,
    /// Sequences in a mini-batch.
    pub batch: usize,
    /// Time steps of a sequence.
    pub steps: usize,
    /// Spikes per input channel and step.
    pub density: f64,
    /// Spikes per hidden neuron and step.
    pub rate: f64,
    /// The steps at the beginning of a sequence in which they shall do so: later on, thresholds may have adapted.
    pub calibrated_steps: usize,
}

/// As in `reference/shapes.py`, so that others are timed with as many spikes.
const CALIBRATED_STEPS: usize = 300;

/// A neuron that does not spike often enough at this bias has the rate that it comes to.
const HIGHEST_BIAS: f32 = 1e4;

impl Shape {
    pub fn new(name: ShapeName) -> Self {
        let hidden = |size: usize, recurrent: bool, b0: f32, beta: f32| LayerConfig {
            recurrent,
            b0,
            beta,
            ..LayerConfig::new(size)
        };
        let decoder = |kind, skip| Decoder::new(kind).with_skip(skip);
        let (integrator, alif) = (ReadoutKind::LeakyIntegrator, ReadoutKind::Alif);
        let (name, inputs, layers, readout, decode, batch, steps, density, rate) = match name {
            ShapeName::Ecg => (
                "ecg",
                4,
                vec![hidden(36, true, 0.1, 0.0)],
                ReadoutConfig { b0: 0.1, ..ReadoutConfig::new(alif, 6) },
                decoder(DecoderKind::PerStep, 10),
                64,
                1300,
                0.1,
                0.34,
            ),
            ShapeName::Shd => (
                "shd",
                700,
                vec![hidden(128, true, 0.01, 1.8), hidden(128, true, 0.01, 1.8)],
                ReadoutConfig::new(integrator, 20),
                decoder(DecoderKind::SoftmaxSum, 11),
                64,
                250,
                0.02,
                0.11,
            ),
            ShapeName::Gsc => (
                "gsc",
                120,
                vec![hidden(256, false, 1.6, 0.184), hidden(256, true, 1.6, 0.184)],
                ReadoutConfig::new(integrator, 12),
                decoder(DecoderKind::MeanMembrane, 0),
                32,
                101,
                0.3,
                0.15,
            ),
            ShapeName::Smnist => (
                "smnist",
                4,
                vec![
                    hidden(64, true, 0.01, 1.8),
                    hidden(256, true, 0.01, 1.8),
                    hidden(256, false, 0.01, 1.8),
                ],
                ReadoutConfig::new(alif, 10),
                decoder(DecoderKind::SpikeCount, 1),
                256,
                784,
                0.2,
                0.14,
            ),
        };
        let network = NetworkConfig {
            inputs,
            layers,
            readout,
            decode,
            surrogate: Default::default(),
            encoder: None,
            repeat: 1,
        };
        let calibrated_steps = CALIBRATED_STEPS;
        Self { name, network, batch, steps, density, rate, calibrated_steps }
    }

    /// The shape's network on `device` and one mini-batch of data; the same at every call.
    pub fn make(&self, device: &Device) -> Result<(Network, Dataset)> {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let network = self.calibrated(device, rng)?;
        let data = self.data(self.batch, self.steps, rng)?;
        Ok((network, data))
    }

    /// The sizes of the layers, from the inputs to the classes: `4–36–6`.
    pub fn sizes(&self) -> String {
        let network = &self.network;
        let mut sizes = vec![network.inputs.to_string()];
        sizes.extend(network.layers.iter().map(|layer| layer.size.to_string()));
        sizes.push(network.readout.size.to_string());
        sizes.join("–")
    }

    /// Random spikes of the shape's density, and random classes.
    fn data(&self, batch: usize, steps: usize, rng: &mut ChaCha8Rng) -> Result<Dataset> {
        let mut events = Events::new(self.network.inputs)?;
        let mut row = Vec::new();
        for _ in 0..batch * steps {
            row.clear();
            row.extend((0..self.network.inputs as u16).filter(|_| rng.random_bool(self.density)));
            events.push_row(&row)?;
        }
        let classes = self.network.readout.size as u16;
        let mut draw =
            |size: usize| -> Vec<u16> { (0..size).map(|_| rng.random_range(0..classes)).collect() };
        let targets = if self.network.decode.is_per_step() {
            Targets::PerStep(draw(steps * batch))
        } else {
            Targets::PerSequence(draw(batch))
        };
        let names = (0..classes).map(|class| class.to_string()).collect();
        let shape = [batch, steps, self.network.inputs];
        Dataset::new(shape, names, Inputs::Events(events), targets, "random events")
    }

    /// A network whose biases make each hidden layer spike at the wanted rate, found by bisection on a small batch.
    fn calibrated(&self, device: &Device, rng: &mut ChaCha8Rng) -> Result<Network> {
        let mut network = self.network.init(device, 1)?;
        let data = self.data(self.batch.min(8), self.steps.min(self.calibrated_steps), rng)?;
        let indices: Vec<usize> = (0..data.samples()).collect();
        let mut bptt = Bptt::new(&self.network, BpttOptions::default())?;
        for layer in 0..network.layers.len() {
            let mut rate_at = |bias: f32| {
                network.layers[layer].forward.input_mut().bias = Some(Param::from_tensor(
                    Tensor::full([self.network.layers[layer].size], bias, device),
                ));
                let rate = bptt.evaluate(&network, &data, &indices, Pass::default()).rates[layer];
                if rate.is_finite() {
                    Ok(rate)
                } else {
                    Err(Error::divergence("the network's spike rate is not a number"))
                }
            };
            let (mut low, mut high) = (-10.0_f32, 10.0_f32);
            // Resonators want more.
            while high < HIGHEST_BIAS && rate_at(high)? < self.rate {
                high *= 10.0;
            }
            for _ in 0..20 {
                let bias = 0.5 * (low + high);
                if rate_at(bias)? < self.rate { low = bias } else { high = bias }
            }
        }
        Ok(network)
    }
}

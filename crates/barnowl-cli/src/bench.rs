//! `barnowl bench`: seconds per training step on the shapes of the paper's tasks.
//!
//! Input spikes are random with the density of the task's data. Biases are set layer by layer so that hidden neurons
//! spike as often as in the authors' trained networks: the sparse paths are as fast as the spikes are few.

use crate::args::{Bench, ShapeName};
use crate::{print_json, print_line, set_threads};
use barnowl::dataset::{Dataset, Events, Inputs, Targets};
use barnowl::error::{Error, Result};
use barnowl::layer::{LayerConfig, Pass};
use barnowl::learning::{Bptt, BpttOptions};
use barnowl::loss::{Decoder, DecoderKind};
use barnowl::network::{Network, NetworkConfig};
use barnowl::optimizer::{GroupedOptimizer, OptimizerConfig};
use barnowl::readout::{ReadoutConfig, ReadoutKind};
use burn::module::Param;
use burn::tensor::{Device, Tensor};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::Serialize;
use std::process::ExitCode;
use std::time::Instant;

/// One of the shapes.
struct Shape {
    name: &'static str,
    network: NetworkConfig,
    batch: usize,
    steps: usize,
    /// Of the input spikes.
    density: f64,
    /// Of the hidden neurons.
    rate: f64,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Timing {
    shape: &'static str,
    seconds_per_step: f64,
    fastest_step: f64,
    samples_per_second: f64,
    batch: usize,
    steps: usize,
    threads: usize,
    spike_rate: Vec<f64>,
    /// The most memory that the process has held so far, in bytes; 0 where the system does not say.
    peak_memory: u64,
}

pub fn run(args: &Bench) -> Result<ExitCode> {
    set_threads(&args.threads)?;
    let all = [ShapeName::Ecg, ShapeName::Shd, ShapeName::Gsc, ShapeName::Smnist];
    let shapes = if args.shapes.is_empty() { &all[..] } else { &args.shapes };
    let mut timings = Vec::new();
    for &name in shapes {
        let mut shape = Shape::new(name);
        shape.batch = args.batch.map_or(shape.batch, usize::from);
        shape.steps = args.length.map_or(shape.steps, usize::from);
        eprintln!("{}: {} steps to time", shape.name, args.steps);
        let timing = shape.time(args.steps)?;
        if !args.output.json {
            let rates: Vec<String> =
                timing.spike_rate.iter().map(|rate| format!("{rate:.3}")).collect();
            print_line(&format!(
                "{:7} {:9.2} ms a step (fastest {:.2})   {:9.1} samples/s   spike rates {}   peak memory {:.2} GB",
                timing.shape,
                1e3 * timing.seconds_per_step,
                1e3 * timing.fastest_step,
                timing.samples_per_second,
                rates.join(", "),
                timing.peak_memory as f64 / 1e9,
            ))?;
        }
        timings.push(timing);
    }
    if args.output.json {
        print_json(&serde_json::json!({ "shapes": timings }))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Shape {
    fn new(name: ShapeName) -> Self {
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
        let network =
            NetworkConfig { inputs, layers, readout, decode, surrogate: Default::default() };
        Self { name, network, batch, steps, density, rate }
    }

    fn time(&self, repeats: u32) -> Result<Timing> {
        let device = Device::flex().autodiff();
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let mut network = self.calibrated(&device, rng)?;
        let data = self.data(self.batch, self.steps, rng)?;
        let indices: Vec<usize> = (0..self.batch).collect();
        let mut optimizer = GroupedOptimizer::new(&OptimizerConfig::default());
        let mut bptt = Bptt::new(&self.network, BpttOptions::default())?;
        let mut seconds = Vec::new();
        let mut spike_rate = Vec::new();
        for repeat in 0..repeats + 2 {
            let start = Instant::now();
            let (outcome, gradients) = bptt.gradients(&network, &data, &indices, Pass::default());
            spike_rate = outcome.rates;
            // So small a rate that the spikes stay as they are from step to step.
            (network, _) = optimizer.step(1e-9, network, gradients)?;
            if repeat >= 2 {
                seconds.push(start.elapsed().as_secs_f64());
            }
        }
        seconds.sort_by(f64::total_cmp);
        let median = seconds[seconds.len() / 2];
        Ok(Timing {
            shape: self.name,
            seconds_per_step: median,
            fastest_step: seconds[0],
            samples_per_second: self.batch as f64 / median,
            batch: self.batch,
            steps: self.steps,
            threads: rayon::current_num_threads(),
            spike_rate,
            peak_memory: peak_memory(),
        })
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
        let data = self.data(self.batch.min(8), self.steps.min(300), rng)?;
        let indices: Vec<usize> = (0..data.samples()).collect();
        let mut bptt = Bptt::new(&self.network, BpttOptions::default())?;
        for layer in 0..network.layers.len() {
            let (mut low, mut high) = (-10.0_f32, 10.0_f32);
            for _ in 0..20 {
                let bias = 0.5 * (low + high);
                network.layers[layer].forward.input.bias = Some(Param::from_tensor(Tensor::full(
                    [self.network.layers[layer].size],
                    bias,
                    device,
                )));
                let outcome = bptt.evaluate(&network, &data, &indices, Pass::default());
                let rate = outcome.rates[layer];
                if !rate.is_finite() {
                    return Err(Error::divergence("the network's spike rate is not a number"));
                }
                if rate < self.rate { low = bias } else { high = bias }
            }
        }
        Ok(network)
    }
}

/// The peak resident memory of the process in bytes, from the system's own count.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
    1024 * kilobytes.unwrap_or(0)
}

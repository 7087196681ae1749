//! A network in training on one mini-batch, and the clock beside it.

use super::shapes::Shape;
use barnowl::dataset::{Dataset, Inputs};
use barnowl::error::{Error, Result};
use barnowl::learning::{BpttOptions, Learner, backpropagation};
use barnowl::network::Network;
use barnowl::optimizer::{GroupedOptimizer, OptimizerConfig};
use barnowl::pass::Pass;
use burn::module::Module;
use burn::tensor::Device;
use std::time::Instant;

/// Steps before those that are timed: the first ones allocate.
pub const WARMUP: u32 = 2;

/// So small a learning rate that the spikes, and with them the time of a step, stay as they are from step to step.
const LEARNING_RATE: f64 = 1e-9;

/// A network, its optimizer and its mini-batch.
pub struct Trial {
    network: Network,
    data: Dataset,
    indices: Vec<usize>,
    optimizer: GroupedOptimizer,
    learner: Box<dyn Learner>,
    on_cpu: bool,
    /// Spikes per neuron and step of every hidden layer, in the last step of training.
    pub rates: Vec<f64>,
}

impl Trial {
    /// On the processor, or on another `device`.
    pub fn new(shape: &Shape, options: BpttOptions, device: &Device) -> Result<Self> {
        let (network, data) = shape.make(&Device::flex().autodiff())?;
        let on_cpu = *device == Device::flex();
        if let (Some(steps), false) = (options.checkpoint_steps, on_cpu) {
            return Err(Error::setting("--checkpoint-steps", steps)
                .expected("none: it is for --device cpu"));
        }
        let network = if on_cpu { network } else { network.fork(&device.clone().autodiff()) };
        Ok(Self {
            indices: (0..shape.batch).collect(),
            optimizer: GroupedOptimizer::new(&OptimizerConfig::default()),
            learner: backpropagation(&shape.network, options, device)?,
            on_cpu,
            rates: Vec::new(),
            network,
            data,
        })
    }

    /// Trains once: forward, backward, Adam. Returns the seconds that it took.
    pub fn step(mut self) -> Result<(Self, f64)> {
        let start = Instant::now();
        let pass = Pass::default();
        let (network, data, indices) = (&self.network, &self.data, &self.indices);
        let (outcome, gradients) = self.learner.gradients(network, data, indices, pass);
        // The network goes in by value, so that it is updated in place; hence `self` does.
        (self.network, _) = self.optimizer.step(LEARNING_RATE, self.network, gradients)?;
        if !self.on_cpu {
            // What is queued is not done.
            self.network.device().sync().map_err(|error| {
                Error::config(format!("the device failed: {error}")).remedy("try a smaller --batch")
            })?;
        }
        let seconds = start.elapsed().as_secs_f64();
        self.rates = outcome.rates;
        Ok((self, seconds))
    }

    /// Trains `warmup` times, then `count` times more against the clock.
    pub fn train(mut self, warmup: u32, count: u32) -> Result<(Self, Times)> {
        let mut seconds = Vec::new();
        for repeat in 0..warmup + count {
            let took;
            (self, took) = self.step()?;
            if repeat >= warmup {
                seconds.push(took);
            }
        }
        Ok((self, Times::of(seconds)))
    }

    /// Runs the mini-batch without gradients, as [`Trial::train`] with them.
    pub fn evaluate(&self, shape: &Shape, warmup: u32, count: u32) -> Result<Times> {
        // One of its own, as an evaluation in training has.
        let device = self.network.device();
        let mut learner = backpropagation(&shape.network, BpttOptions::default(), &device)?;
        let (network, data, indices) = (&self.network, &self.data, &self.indices);
        let pass = Pass::default();
        let mut seconds = Vec::new();
        for repeat in 0..warmup + count {
            let start = Instant::now();
            // Ends with numbers on the host, so that nothing is left in a queue.
            std::hint::black_box(learner.evaluate(network, data, indices, pass));
            if repeat >= warmup {
                seconds.push(start.elapsed().as_secs_f64());
            }
        }
        Ok(Times::of(seconds))
    }

    /// Input spikes of a sequence per step, all channels together.
    pub fn input_spikes(&self) -> f64 {
        let rows = (self.data.samples() * self.data.steps()) as f64;
        match self.data.inputs() {
            Inputs::Events(events) => events.len() as f64 / rows,
            Inputs::Real(_) | Inputs::Half(_) | Inputs::Pixels(_) => self.data.channels() as f64,
        }
    }
}

/// How long one and the same thing took, several times.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub median: f64,
    pub fastest: f64,
}

impl Times {
    /// Of measured seconds, at least one.
    pub fn of(mut seconds: Vec<f64>) -> Self {
        let median = median(&mut seconds);
        Self { median, fastest: seconds.first().copied().unwrap_or(f64::NAN) }
    }
}

/// Sorts the values and returns the one in the middle, or the mean of the two there; NaN if there are none.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[half],
        _ => 0.5 * (values[half - 1] + values[half]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&mut []).is_nan());
        let times = Times::of(vec![0.2, 0.1, 0.9]);
        assert_eq!((times.median, times.fastest), (0.2, 0.1));
    }
}

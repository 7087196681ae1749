//! When the neurons of a network spike: counts over a data set, from which sparsity and energy follow.

use crate::dataset::{Dataset, Inputs, Targets};
use crate::device::guard;
use crate::error::Result;
use crate::network::{Network, NetworkConfig};
use crate::pass::Pass;
use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use serde::Serialize;

/// Intervals of this many steps and more are counted together.
pub const LONGEST_INTERVAL: usize = 1000;

/// A neuron that spikes in more than this share of the steps is saturated.
const SATURATED: f64 = 0.9;

/// What the spikes of a network over a data set came to. All counts are exact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Activity {
    /// N, the number of sequences.
    pub samples: u64,
    /// T, the steps of the longest a sequence can be.
    pub steps: usize,
    /// The steps of all sequences together: where some end before T, less than N T.
    pub total_steps: u64,
    /// The sequences that have not ended, at every step.
    pub running: Vec<u64>,
    /// Inputs that are not zero, of every channel, where the inputs are spikes; `None` where they are real numbers.
    pub input_events: Option<Vec<u64>>,
    /// Steps of every class, over all sequences.
    pub class_steps: Vec<u64>,
    /// The hidden layers, from the input on.
    pub layers: Vec<LayerActivity>,
    /// The readout, if it spikes.
    pub readout: Option<LayerActivity>,
}

/// The spikes of one layer; of cells that do not spike, the outputs that are not zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerActivity {
    /// Of every neuron; of a bidirectional layer those that read forward come first.
    pub spikes: Vec<u64>,
    /// Of every neuron, at the last step that it computes: those spikes reach no later step of their own layer.
    pub last: Vec<u64>,
    /// At every step, over all neurons and sequences.
    pub over_time: Vec<u64>,
    /// In the steps of every class.
    pub by_class: Vec<u64>,
    /// The steps of all intervals, from one spike of a neuron to its next.
    pub interval_steps: u64,
    /// How many intervals of 0, 1, 2 … steps, and of [`LONGEST_INTERVAL`] and
    /// more.
    pub intervals: Vec<u64>,
}

impl LayerActivity {
    fn new(neurons: usize, steps: usize, classes: usize) -> Self {
        Self {
            spikes: vec![0; neurons],
            last: vec![0; neurons],
            over_time: vec![0; steps],
            by_class: vec![0; classes],
            interval_steps: 0,
            intervals: vec![0; LONGEST_INTERVAL + 1],
        }
    }

    /// All spikes.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.spikes.iter().sum()
    }

    /// Mean steps between the spikes of a neuron; `None` if none spiked twice.
    #[must_use]
    pub fn mean_interval(&self) -> Option<f64> {
        let count: u64 = self.intervals.iter().sum();
        (count > 0).then(|| self.interval_steps as f64 / count as f64)
    }

    /// Adds the spikes `[T, B, neurons]` of a batch whose rows have so many steps. `backward` is the first neuron that reads
    /// backward, `classes` the class of every step, `[T, B]`.
    fn add(&mut self, spikes: &[f32], lengths: &[usize], backward: usize, classes: &[usize]) {
        let (neurons, batch) = (self.spikes.len(), lengths.len());
        let mut before: Vec<Option<usize>> = vec![None; batch * neurons];
        for (t, step) in spikes.chunks_exact(batch * neurons).enumerate() {
            let rows = step.chunks_exact(neurons).enumerate();
            for (row, spikes) in rows.filter(|(row, _)| t < lengths[*row]) {
                for (neuron, _) in spikes.iter().enumerate().filter(|(_, spike)| **spike != 0.0) {
                    self.spikes[neuron] += 1;
                    self.over_time[t] += 1;
                    if let Some(of_class) = self.by_class.get_mut(classes[t * batch + row]) {
                        *of_class += 1;
                    }
                    let last = if neuron < backward { lengths[row] - 1 } else { 0 };
                    self.last[neuron] += u64::from(t == last);
                    if let Some(before) = before[row * neurons + neuron].replace(t) {
                        self.interval_steps += (t - before) as u64;
                        self.intervals[(t - before).min(LONGEST_INTERVAL)] += 1;
                    }
                }
            }
        }
    }
}

impl Activity {
    /// Runs the network over the data set, `batch` sequences at a time, and counts.
    ///
    /// # Errors
    ///
    /// If the data do not fit the network, or a graphics processor fails.
    pub fn measure(
        network: &Network,
        config: &NetworkConfig,
        dataset: &Dataset,
        batch: usize,
    ) -> Result<Self> {
        config.check(dataset)?;
        guard(&network.device(), || Ok(Self::measure_unguarded(network, config, dataset, batch)))
    }

    fn measure_unguarded(
        network: &Network,
        config: &NetworkConfig,
        dataset: &Dataset,
        batch: usize,
    ) -> Self {
        let network = network.valid();
        let device = network.device();
        let (steps, classes) = (dataset.steps() * config.repeat, dataset.class_names().len());
        let layer = |neurons| LayerActivity::new(neurons, steps, classes);
        let mut activity = Self {
            samples: dataset.samples() as u64,
            steps,
            total_steps: (dataset.total_steps() * config.repeat) as u64,
            running: vec![0; steps],
            input_events: (config.encoder.is_some()
                || matches!(dataset.inputs(), Inputs::Events(_)))
            .then(|| vec![0; config.inputs]),
            class_steps: vec![0; classes],
            layers: config.layers.iter().map(|config| layer(config.outputs())).collect(),
            readout: None,
        };
        let indices: Vec<usize> = (0..dataset.samples()).collect();
        for indices in indices.chunks(batch.max(1)) {
            let rows = indices.len();
            let ends: Vec<usize> = indices.iter().map(|sample| dataset.length(*sample)).collect();
            let lengths: Vec<usize> = ends.iter().map(|steps| steps * config.repeat).collect();
            let batch = dataset.batch(indices);
            let classes: Vec<usize> = match dataset.targets() {
                // Steps without a label belong to no class.
                Targets::PerStep(_) => {
                    let class = |c: &i32| usize::try_from(*c).unwrap_or(usize::MAX);
                    let by_step = batch.targets.chunks_exact(rows);
                    let steps = by_step.flat_map(|step| std::iter::repeat_n(step, config.repeat));
                    steps.flatten().map(class).collect()
                }
                Targets::PerSequence(_) => {
                    let classes = batch.targets.iter().map(|c| *c as usize);
                    classes.cycle().take(steps * rows).collect()
                }
                // Of numbers, there are no classes to count by.
                Targets::ValuesPerStep(_) | Targets::ValuesPerSequence(_) => {
                    vec![usize::MAX; steps * rows]
                }
            };
            for (t, classes) in classes.chunks_exact(rows).enumerate() {
                for (class, _) in classes.iter().zip(&lengths).filter(|(_, length)| t < **length) {
                    activity.running[t] += 1;
                    if let Some(steps) = activity.class_steps.get_mut(*class) {
                        *steps += 1;
                    }
                }
            }
            let shape = [dataset.steps(), rows, dataset.channels()];
            let input = Tensor::from_data(TensorData::new(batch.inputs, shape), &device);
            let pass = Pass {
                observe_all: true,
                lengths: dataset.lengths().map(|_| ends.as_slice()),
                sequences: Some(indices),
                ..Pass::default()
            };
            let output = network.forward(input, config, pass);
            if let Some(events) = &mut activity.input_events {
                for row in values(output.input).chunks_exact(events.len()) {
                    let pairs = events.iter_mut().zip(row);
                    pairs.for_each(|(events, x)| *events += u64::from(*x != 0.0));
                }
            }
            let pairs = activity.layers.iter_mut().zip(&config.layers).zip(output.spikes);
            for ((layer, config), spikes) in pairs {
                layer.add(&values(spikes), &lengths, config.size, &classes);
            }
            if let Some(spikes) = output.readout.spikes {
                let readout = activity.readout.get_or_insert_with(|| layer(config.readout.size));
                // The readout takes each step of the data once.
                readout.add(&values(spikes), &ends, config.readout.size, &classes);
            }
        }
        activity
    }

    /// Spikes per neuron and step of a layer of this network.
    #[must_use]
    pub fn rate(&self, layer: &LayerActivity) -> f64 {
        layer.total() as f64 / (layer.spikes.len() as f64 * self.neuron_steps())
    }

    /// The rate of every neuron of a layer.
    #[must_use]
    pub fn rates(&self, layer: &LayerActivity) -> Vec<f64> {
        layer.spikes.iter().map(|spikes| *spikes as f64 / self.neuron_steps()).collect()
    }

    /// The rate of a layer in the steps of every class; `None` of a class without steps.
    #[must_use]
    pub fn rates_by_class(&self, layer: &LayerActivity) -> Vec<Option<f64>> {
        let neurons = layer.spikes.len() as f64;
        let pairs = layer.by_class.iter().zip(&self.class_steps);
        pairs
            .map(|(spikes, steps)| (*steps > 0).then(|| *spikes as f64 / (neurons * *steps as f64)))
            .collect()
    }

    /// How many neurons of a layer never spike.
    #[must_use]
    pub fn silent(&self, layer: &LayerActivity) -> usize {
        layer.spikes.iter().filter(|spikes| **spikes == 0).count()
    }

    /// How many neurons of a layer spike in more than nine steps of ten.
    #[must_use]
    pub fn saturated(&self, layer: &LayerActivity) -> usize {
        self.rates(layer).iter().filter(|rate| **rate > SATURATED).count()
    }

    /// Spikes per neuron at every step, of the sequences that have not ended; 0 where all have.
    #[must_use]
    pub fn rates_over_time(&self, layer: &LayerActivity) -> Vec<f64> {
        let neurons = layer.spikes.len() as f64;
        let pairs = layer.over_time.iter().zip(&self.running);
        pairs
            .map(|(spikes, running)| *spikes as f64 / ((*running).max(1) as f64 * neurons))
            .collect()
    }

    /// The steps that a neuron computes.
    fn neuron_steps(&self) -> f64 {
        self.total_steps as f64
    }
}

fn values(tensor: Tensor<3>) -> Vec<f32> {
    tensor.into_data().iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spikes_and_intervals_by_hand() {
        // 4 steps, 2 sequences, 2 neurons, of which the second reads backward.
        #[rustfmt::skip]
        let spikes = [
            1.0, 1.0,  0.0, 0.0,
            0.0, 0.0,  1.0, 0.0,
            1.0, 0.0,  1.0, 0.0,
            1.0, 1.0,  0.0, 1.0,
        ];
        let classes = [0, 1, 0, 1, 1, 1, 1, 1];
        let mut layer = LayerActivity::new(2, 4, 2);
        layer.add(&spikes, &[4, 4], 1, &classes);
        assert_eq!(layer.spikes, [5, 3]);
        assert_eq!(layer.over_time, [2, 1, 2, 3]);
        assert_eq!(layer.by_class, [2, 6]);
        // The first neuron's spike at step 3, the second's at step 0.
        assert_eq!(layer.last, [1, 1]);
        assert_eq!(layer.intervals[1..4], [2, 1, 1]);
        assert_eq!(layer.mean_interval(), Some(7.0 / 4.0));
        // An interval longer than the histogram counts whole.
        let mut rare = LayerActivity::new(1, 1501, 1);
        let spikes: Vec<f32> = (0..1501).map(|t| f32::from(u8::from(t % 1500 == 0))).collect();
        rare.add(&spikes, &[1501], 1, &[0; 1501]);
        assert_eq!(rare.mean_interval(), Some(1500.0));
        let activity = Activity {
            samples: 2,
            steps: 4,
            total_steps: 8,
            running: vec![2; 4],
            input_events: None,
            class_steps: vec![2, 6],
            layers: vec![layer.clone()],
            readout: None,
        };
        assert_eq!(activity.rate(&layer), 0.5);
        assert_eq!(activity.rates_by_class(&layer), [Some(0.5), Some(0.5)]);
        assert_eq!((activity.silent(&layer), activity.saturated(&layer)), (0, 0));
    }
}

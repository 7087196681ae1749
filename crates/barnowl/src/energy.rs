//! The energy of an inference: operations counted from the spikes that there were, and what they cost.
//!
//! A synapse that a spike passes costs an **accumulate** (AC); one that a real number passes, a **multiply-accumulate**
//! (MAC). Constants are folded: (1−α) R into the weights and biases, β into the adaptation, as a device would. A weight of
//! exactly zero, as pruning leaves it, is no synapse. With H neurons, T steps, N synapses from the inputs, F_i of them from
//! input i and F'_j recurrent ones from neuron j (H each, where nothing is pruned), E_i events or spikes of input i, and S
//! spikes of the layer itself, S'_j of them by neuron j before the last step (those of the last step reach no other), S' in
//! all:
//!
//! | term | operations of a layer over a sequence |
//! | --- | --- |
//! | input synapses | Σ_i E_i F_i AC of spikes; T·N MAC of real numbers |
//! | recurrent synapses | Σ_j S'_j F'_j AC |
//! | bias | T·H AC |
//! | decay of u: α u | T·H MAC |
//! | reset: −θ after a spike | S' AC |
//! | comparison: u − θ | T·H AC |
//! | adaptation, where β > 0 | T·H MAC (ρ b), S' AC (1−ρ after a spike), T·H AC (b0 + b) |
//!
//! Neurons that run from their equations cost what is written there: their [cost](barnowl_model::Model::cost) at every step,
//! and after every spike.
//!
//! Where the hidden layers take several steps at each step of the data (`repeat`), T counts all of them, but for the
//! products of the inputs, for the readout and for the networks of real numbers below: these take each step of the data once.
//!
//! Readouts have input synapses by the same rule; leaky integrators, a bias and a decay besides. Networks of the same sizes
//! whose neurons send real numbers:
//!
//! | network | MAC of a layer and step | AC |
//! | --- | --- | --- |
//! | LSTM | 4 H (I + H), and 3 H element by element | 4 H biases |
//! | GRU | 3 H (I + H), and 3 H | 3 H biases |
//! | RNN (tanh) | H (I + H) | H biases |
//! | ReLU SRNN | H (I + H), and 4 H: α u, ρ b, (1−ρ) s, θ s | 3 H: bias, b0 + b, u − θ |
//!
//! with a dense readout of I·O MAC and O AC; a ReLU layer without recurrence has H I in place of H (I + H), the others are
//! always recurrent. A network of real numbers pays for all of its inputs and outputs, zero or not; of one that was trained,
//! weights of exactly zero cost nothing here either. Sigmoids, tangents and the decoder are left out everywhere, in favour of
//! the networks that have more of them.

use crate::activity::{Activity, LayerActivity};
use crate::cell::CellKind;
use crate::cell::equations::Neuron;
use crate::error::{Error, Result};
use crate::exchange::NamedTensor;
use crate::network::{Network, NetworkConfig};
use crate::parameters::TimeConstantForm;
use crate::readout::ReadoutKind;
use barnowl_model::Cost;
use serde::Serialize;
use std::ops::{Add, AddAssign};

/// Numbers of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Operations {
    /// Additions.
    pub ac: u64,
    /// Multiplications with an addition.
    pub mac: u64,
}

impl Add for Operations {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { ac: self.ac + other.ac, mac: self.mac + other.mac }
    }
}

impl AddAssign for Operations {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// The operations of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerOperations {
    /// Such as `layer 1`.
    pub name: String,
    /// Of its synapses: from the layer below, and recurrent.
    pub synapses: Operations,
    /// Of its neurons: bias, decay, reset, threshold, adaptation.
    pub neurons: Operations,
}

impl LayerOperations {
    /// Both.
    #[must_use]
    pub fn total(&self) -> Operations {
        self.synapses + self.neurons
    }
}

/// What an operation costs, in picojoules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EnergyCost {
    /// Where the costs come from.
    pub name: String,
    /// An accumulate.
    pub ac: f64,
    /// A multiply-accumulate.
    pub mac: f64,
}

impl EnergyCost {
    /// 32-bit floating point in 45 nm CMOS: AC 0.9 pJ, MAC 4.6 pJ (Horowitz, ISSCC 2014, doi 10.1109/ISSCC.2014.6757323).
    #[must_use]
    pub fn float32() -> Self {
        Self { name: "32-bit float, 45 nm CMOS".into(), ac: 0.9, mac: 4.6 }
    }

    /// 32-bit integers in 45 nm CMOS: AC 0.1 pJ, MAC 3.2 pJ (the same source).
    #[must_use]
    pub fn int32() -> Self {
        Self { name: "32-bit integer, 45 nm CMOS".into(), ac: 0.1, mac: 3.2 }
    }

    /// `float32`, `int32`, or the picojoules of MAC and AC as two numbers: `3.1,0.2`.
    ///
    /// # Errors
    ///
    /// If the text is none of these.
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "float32" => return Ok(Self::float32()),
            "int32" => return Ok(Self::int32()),
            _ => {}
        }
        let cost = |text: &str| {
            text.trim().parse().ok().filter(|cost: &f64| *cost >= 0.0 && cost.is_finite())
        };
        let costs: Option<Vec<f64>> = text.split(',').map(cost).collect();
        match costs.as_deref() {
            Some(&[mac, ac]) if mac + ac > 0.0 => {
                Ok(Self { name: format!("{mac} pJ a MAC, {ac} pJ an AC"), ac, mac })
            }
            _ => Err(Error::setting("cost", text)
                .expected("float32, int32, or picojoules of a MAC and of an AC, not both zero, such as 4.6,0.9")),
        }
    }

    /// The energy of operations, in picojoules.
    #[must_use]
    pub fn of(&self, operations: Operations) -> f64 {
        self.ac * operations.ac as f64 + self.mac * operations.mac as f64
    }
}

/// The operations of a network over all sequences of a data set, layer by layer, the readout last: of its spikes where it
/// has spikes, else of its weights that are not zero.
///
/// # Panics
///
/// If the network or the activity is of another configuration.
#[must_use]
pub fn operations(
    network: &Network,
    config: &NetworkConfig,
    activity: &Activity,
) -> Vec<LayerOperations> {
    let tensors = network.tensors(config, TimeConstantForm::Tau);
    let all_steps = activity.total_steps;
    let repeat = config.repeat as u64;
    // Where the hidden layers take several steps at each of the data, products with the inputs are computed once, and the
    // readout runs once, on the means.
    let data_steps = all_steps / repeat;
    let events = activity.input_events.as_ref();
    let mut below: Option<Vec<u64>> =
        events.map(|events| events.iter().map(|events| events / repeat).collect());
    let mut inputs = config.inputs;
    let mut layers = Vec::new();
    for (i, (layer, activity)) in config.layers.iter().zip(&activity.layers).enumerate() {
        let name = format!("layer {}", i + 1);
        let prefixes = match layer.bidirectional {
            true => vec![format!("layers.{i}.forward"), format!("layers.{i}.backward")],
            false => vec![format!("layers.{i}")],
        };
        let neuron_steps = all_steps * layer.outputs() as u64;
        let steps = if i == 0 { data_steps } else { all_steps };
        let cell = DenseCell::of(layer.cell);
        let mut synapses = Operations::default();
        // The neurons of both directions follow each other.
        for (prefix, first) in prefixes.iter().zip((0..).step_by(layer.size)) {
            let weights = |name: &str| tensors.get(&format!("{prefix}.{name}.weight"));
            let input = weights("input").map(|weights| fan_out(weights, inputs));
            let recurrent = weights("recurrent").map(|weights| fan_out(weights, layer.size));
            let (input, recurrent) = (input.unwrap_or_default(), recurrent.unwrap_or_default());
            if cell.is_some() {
                let weights = input.iter().chain(&recurrent).sum::<u64>();
                synapses.mac += all_steps * weights;
                continue;
            }
            synapses += from_below(below.as_deref(), &input, steps);
            let spikes = activity.spikes[first..].iter().zip(&activity.last[first..]);
            let pairs = spikes.zip(&recurrent);
            synapses.ac += pairs.map(|((all, last), fan_out)| (all - last) * fan_out).sum::<u64>();
        }
        let neurons = match cell {
            None => match layer.neuron() {
                Some(neuron) => by_equations(&neuron, neuron_steps, within(activity)),
                None => alif(neuron_steps, within(activity), layer.beta),
            },
            Some(cell) => {
                let [_, step] = cell.step(0, 1, false);
                Operations { ac: step.ac * neuron_steps, mac: step.mac * neuron_steps }
            }
        };
        layers.push(LayerOperations { name, synapses, neurons });
        below = cell.is_none().then(|| activity.spikes.clone());
        inputs = layer.outputs();
    }
    let readout = &config.readout;
    let steps = data_steps * readout.size as u64;
    let spikes = activity.readout.as_ref().map_or(0, within);
    let neurons = match readout.kind {
        _ if readout.neuron.is_some() => readout
            .neuron()
            .map_or_else(Default::default, |neuron| by_equations(&neuron, steps, spikes)),
        ReadoutKind::LeakyIntegrator => Operations { ac: steps, mac: steps },
        ReadoutKind::Dense => Operations { ac: steps, mac: 0 },
        ReadoutKind::Alif => alif(steps, spikes, readout.beta),
    };
    let weights = fan_out(&tensors["readout.input.weight"], inputs);
    layers.push(LayerOperations {
        name: "readout".into(),
        synapses: from_below(below.as_deref(), &weights, data_steps),
        neurons,
    });
    layers
}

/// The operations of neurons that run from their equations, in so many steps with so many spikes.
fn by_equations(neuron: &Neuron, steps: u64, spikes: u64) -> Operations {
    let Cost { mac, ac, after_spike } = neuron.model.cost();
    Operations { ac: ac as u64 * steps + after_spike as u64 * spikes, mac: mac as u64 * steps }
}

/// How many of the weights `[outputs, inputs]` from each input are not zero.
fn fan_out(weights: &NamedTensor, inputs: usize) -> Vec<u64> {
    let mut counts = vec![0; inputs];
    for row in weights.values.chunks_exact(inputs) {
        counts.iter_mut().zip(row).for_each(|(count, weight)| *count += u64::from(*weight != 0.0));
    }
    counts
}

/// Synapses from the layer below: those of an input for every spike of it, or all of them at every step.
fn from_below(spikes: Option<&[u64]>, fan_out: &[u64], steps: u64) -> Operations {
    match spikes {
        Some(spikes) => {
            let ac = spikes.iter().zip(fan_out).map(|(spikes, fan_out)| spikes * fan_out).sum();
            Operations { ac, mac: 0 }
        }
        None => Operations { ac: 0, mac: steps * fan_out.iter().sum::<u64>() },
    }
}

/// Spikes that their own layer feels: all but those of the last step.
fn within(activity: &LayerActivity) -> u64 {
    activity.total() - activity.last.iter().sum::<u64>()
}

/// Neurons over so many steps: bias, decay and comparison at every one, the reset after a spike; adaptation alike.
fn alif(neuron_steps: u64, spikes: u64, beta: f32) -> Operations {
    let lif = Operations { ac: 2 * neuron_steps + spikes, mac: neuron_steps };
    let adaptation = Operations { ac: neuron_steps + spikes, mac: neuron_steps };
    if beta > 0.0 { lif + adaptation } else { lif }
}

/// A recurrent network whose neurons send real numbers at every step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DenseCell {
    /// Long short-term memory.
    Lstm,
    /// Gated recurrent units.
    Gru,
    /// The plain recurrent network, of hyperbolic tangents.
    Rnn,
    /// The adaptive neurons, with a rectified linear unit in place of the spike.
    Relu,
}

impl DenseCell {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Lstm, Self::Gru, Self::Rnn, Self::Relu];

    /// The usual name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lstm => "LSTM",
            Self::Gru => "GRU",
            Self::Rnn => "RNN",
            Self::Relu => "ReLU SRNN",
        }
    }

    /// That of a cell in a configuration; none of spiking neurons.
    fn of(cell: CellKind) -> Option<Self> {
        match cell {
            CellKind::Alif => None,
            CellKind::Lstm => Some(Self::Lstm),
            CellKind::Gru => Some(Self::Gru),
            CellKind::Rnn => Some(Self::Rnn),
            CellKind::Relu => Some(Self::Relu),
        }
    }

    /// The operations of a layer in one step: of its synapses and of its neurons.
    fn step(self, inputs: u64, size: u64, recurrent: bool) -> [Operations; 2] {
        let recurrent = recurrent || self != Self::Relu;
        let synapses = size * (inputs + if recurrent { size } else { 0 });
        let (gates, ac, mac) = match self {
            Self::Lstm => (4, 4, 3),
            Self::Gru => (3, 3, 3),
            Self::Rnn => (1, 1, 0),
            Self::Relu => (1, 3, 4),
        };
        [Operations { ac: 0, mac: gates * synapses }, Operations { ac: ac * size, mac: mac * size }]
    }
}

/// The operations of one sequence of `steps` steps in a network of the layer sizes of `config`, its hidden neurons
/// replaced by `cell` and its readout by a dense one.
#[must_use]
pub fn dense(cell: DenseCell, config: &NetworkConfig, steps: usize) -> Operations {
    let mut inputs = config.inputs as u64;
    let mut step = Operations::default();
    for layer in &config.layers {
        for _ in 0..1 + u8::from(layer.bidirectional) {
            let [synapses, neurons] = cell.step(inputs, layer.size as u64, layer.recurrent);
            step += synapses + neurons;
        }
        inputs = layer.outputs() as u64;
    }
    let outputs = config.readout.size as u64;
    step += Operations { ac: outputs, mac: inputs * outputs };
    Operations { ac: step.ac * steps as u64, mac: step.mac * steps as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_named_or_given() {
        assert_eq!(EnergyCost::parse("float32").unwrap(), EnergyCost::float32());
        let cost = EnergyCost::parse("3, 0.5").unwrap();
        assert_eq!(cost.of(Operations { ac: 10, mac: 100 }), 305.0);
        for text in ["float", "1", "1,2,3", "-1,2", "nan,1", "a,1,2", "0,0", ""] {
            let error = EnergyCost::parse(text).unwrap_err().to_string();
            assert!(error.contains("float32"), "{text}: {error}");
        }
    }
}

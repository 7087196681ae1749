//! Layers of adaptive spiking neurons: recurrent or feed-forward, in one or both directions of time.

use crate::cell::equations::{EquationsLayer, Neuron, ParameterConfig};
use crate::cell::{Cell, CellKind, gated::GatedLayer};
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::lengths::reversed;
use crate::neuron::common::{
    b0, beta, check_size, check_threshold, one, tau_adp, tau_m, unit, xavier, yes,
};
use crate::neuron::{InitialState, TimeConstants, TrainedTimeConstants};
use crate::pass::{Pass, SequencePath, Start};
use crate::sequence::{self, AlifOptions, AlifOutput, AlifSequence, Emission, Observe};
use crate::weights::{dense, project};
use barnowl_neuron::{Surrogate, Threshold};
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The configuration of a hidden layer. Defaults are the paper's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LayerConfig {
    /// The number of neurons (in each direction, if bidirectional).
    /// Range: 1 to 65000.
    pub size: usize,
    /// What the neurons are: adaptive spiking neurons or a baseline. Default adaptive spiking.
    ///
    /// Gated cells (`lstm`, `gru`, `rnn`) have no thresholds, time constants or initial states: those settings are
    /// without effect.
    #[serde(default, skip_serializing_if = "CellKind::is_spiking")]
    pub cell: CellKind,
    /// Neurons that run from their equations, in place of `cell`: the name of a built-in model, a file of one's own that ends
    /// with `.toml`, or the text of such a file. Default: those of `cell`.
    ///
    /// Their parameters are those of the model: `b0`, `beta`, `resistance`, `tau_m`, `tau_adp`, `train_time_constants` and
    /// `initial_state` are not theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"adlif_se")]
    pub neuron: Option<String>,
    /// How the model's parameters start and are trained, by name, where that is not as the model says. Default: as it says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, ParameterConfig>,
    /// Whether the neurons are connected among themselves. Default true.
    #[serde(default = "yes")]
    pub recurrent: bool,
    /// Whether a second set of neurons reads the sequence backward; the outputs are concatenated. Default false.
    #[serde(default)]
    pub bidirectional: bool,
    /// b0, the threshold at rest. Default 0.01.
    /// Range: 0 or more.
    #[serde(default = "b0")]
    pub b0: f32,
    /// β, the strength of adaptation; 0 for plain LIF neurons. Default 1.8.
    /// Range: 0 or more.
    #[serde(default = "beta")]
    pub beta: f32,
    /// R, the membrane resistance. Default 1.
    /// Range: more than 0.
    #[serde(default = "unit")]
    pub resistance: f32,
    /// The length of a step, in the units of the time constants (ms). Default 1.
    /// Range: more than 0.
    #[serde(default = "one")]
    pub dt: f64,
    /// How the membrane time constants start. Default 20.
    #[serde(default = "tau_m")]
    pub tau_m: TimeConstants,
    /// How the adaptation time constants start. Default 150.
    #[serde(default = "tau_adp")]
    pub tau_adp: TimeConstants,
    /// Whether time constants are trained. Default true.
    #[serde(default = "yes")]
    pub train_time_constants: bool,
    /// The membrane potential before the first step. Default zero.
    #[serde(default)]
    pub initial_state: InitialState,
    /// How the input weights start. Default Xavier uniform.
    #[serde(default = "xavier")]
    pub input_weights: Initializer,
    /// How the recurrent weights start. Default orthogonal.
    #[serde(default = "orthogonal")]
    pub recurrent_weights: Initializer,
}

fn orthogonal() -> Initializer {
    Initializer::ORTHOGONAL
}

impl LayerConfig {
    /// A recurrent layer with the paper's defaults.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self {
            size,
            cell: CellKind::Alif,
            neuron: None,
            parameters: BTreeMap::new(),
            recurrent: true,
            bidirectional: false,
            b0: b0(),
            beta: beta(),
            resistance: unit(),
            dt: one(),
            tau_m: tau_m(),
            tau_adp: tau_adp(),
            train_time_constants: true,
            initial_state: InitialState::Zero,
            input_weights: xavier(),
            recurrent_weights: orthogonal(),
        }
    }

    /// The number of outputs: neurons of both directions.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.size * (1 + usize::from(self.bidirectional))
    }

    /// Checks ranges; `key` names the layer in messages.
    ///
    /// # Errors
    ///
    /// Names the key, its value and what is allowed.
    pub fn validate(&self, key: &str) -> Result<()> {
        check_size(&format!("{key}.size"), self.size)?;
        if self.cell.gated().is_some() && !self.recurrent {
            return Err(Error::setting(format!("{key}.recurrent"), false)
                .expected("true, since lstm, gru and rnn cells are recurrent")
                .remedy("layers without recurrence are of alif or relu cells"));
        }
        if let Some(neuron) = Neuron::of(self, key)? {
            if self.cell != CellKind::Alif {
                return Err(Error::setting(format!("{key}.cell"), self.cell)
                    .expected(format!("none beside {key}.neuron = {:?}", neuron.model.name()))
                    .remedy("leave one of the two out"));
            }
            self.check_without_effect(neuron.model.name(), key)?;
        }
        check_threshold(key, self.b0, self.beta, self.resistance, self.dt)?;
        self.tau_m.validate(&format!("{key}.tau_m"))?;
        self.tau_adp.validate(&format!("{key}.tau_adp"))?;
        self.initial_state.validate(&format!("{key}.initial_state"))?;
        self.input_weights.validate(&format!("{key}.input_weights"))?;
        self.recurrent_weights.validate(&format!("{key}.recurrent_weights"))
    }

    /// Refuses settings of adaptive neurons beside neurons that run from their equations.
    fn check_without_effect(&self, name: &str, key: &str) -> Result<()> {
        let other = Self::new(self.size);
        let differs = [
            ("b0", self.b0 != other.b0),
            ("beta", self.beta != other.beta),
            ("resistance", self.resistance != other.resistance),
            ("tau_m", self.tau_m != other.tau_m),
            ("tau_adp", self.tau_adp != other.tau_adp),
            ("train_time_constants", self.train_time_constants != other.train_time_constants),
            ("initial_state", self.initial_state != other.initial_state),
        ];
        match differs.iter().find(|(_, differs)| *differs) {
            None => Ok(()),
            Some((setting, _)) => Err(Error::config(format!(
                "{key}.{setting} has no effect: the neurons are {name}"
            ))
            .with_key(format!("{key}.{setting}"))
            .remedy(format!(
                "leave it out; {key}.parameters.NAME.start sets how a parameter of {name} starts, and `barnowl neurons {name}` lists them"
            ))),
        }
    }

    /// The neurons of a [valid](Self::validate) configuration, if they run from their equations.
    ///
    /// # Panics
    ///
    /// If it is not valid.
    pub(crate) fn neuron(&self) -> Option<Neuron> {
        Neuron::of(self, "layer").expect("the configuration is valid")
    }

    /// The name of the model that the neurons run from; empty if they run from none.
    #[must_use]
    pub fn neuron_name(&self) -> String {
        self.neuron().map(|neuron| neuron.model.name().to_owned()).unwrap_or_default()
    }

    /// A layer on `device`, its weights drawn from `rng`.
    ///
    /// The configuration must be [valid](Self::validate).
    #[must_use]
    pub fn init(&self, inputs: usize, device: &Device, rng: &mut ChaCha8Rng) -> Layer {
        let forward = self.cell(inputs, device, rng);
        let backward = self.bidirectional.then(|| self.cell(inputs, device, rng));
        Layer { forward, backward }
    }

    fn cell(&self, inputs: usize, device: &Device, rng: &mut ChaCha8Rng) -> Cell {
        if let Some(neuron) = self.neuron() {
            return Cell::Equations(EquationsLayer::init(self, &neuron, inputs, device, rng));
        }
        match self.cell.gated() {
            None => Cell::Alif(AlifLayer::init(self, inputs, device, rng)),
            Some(cell) => Cell::Gated(GatedLayer::init(self, cell, inputs, device, rng)),
        }
    }
}

/// A hidden layer: one set of neurons, or two that read the sequence in opposite directions.
#[derive(Module, Debug)]
pub struct Layer {
    /// The neurons that read the sequence forward.
    pub forward: Cell,
    /// The neurons that read it backward.
    pub backward: Option<Cell>,
}

impl Layer {
    /// Spikes (or what the cell has in their place) of the layer, `[T, B, outputs]`, for input `[T, B, inputs]`; and, of
    /// spiking neurons in one direction, the state after the last step, without a gradient: u, b and s,
    /// `[3, B, outputs]`, or the states of their equations and s, `[states + 1, B, outputs]`.
    ///
    /// In a bidirectional layer the forward neurons come first, and step `t` of the backward ones is what they emit on
    /// reading step `t` of the input. They begin at each row's own end: of what they say at padding, nothing is to be read.
    ///
    /// # Panics
    ///
    /// If the layer is to [start](Start::At) from a state, but has none.
    #[must_use]
    pub fn forward(
        &self,
        input: Tensor<3>,
        config: &LayerConfig,
        surrogate: Surrogate,
        pass: Pass<'_>,
        start: Start,
    ) -> (Tensor<3>, Option<Tensor<3>>) {
        let threshold =
            Threshold { b0: config.b0, beta: config.beta, resistance: config.resistance };
        let emission = match config.cell {
            CellKind::Relu => Emission::Rectified,
            _ => Emission::Spike,
        };
        let options = AlifOptions { threshold, surrogate, observe: Observe::Spikes, emission };
        let run = |cell: &Cell, input: Tensor<3>, start: Start| match cell {
            Cell::Alif(neurons) => {
                let output = neurons.forward(input, config.initial_state, options, pass, start);
                (output.spikes.expect("the spikes were observed"), Some(output.state))
            }
            Cell::Gated(cells) => {
                assert!(matches!(start, Start::Drawn(_)), "gated cells start from zero");
                let cell = config.cell.gated().expect("gated cells, as the layer was made");
                (cells.forward(input, cell, pass.path), None)
            }
            Cell::Equations(neurons) => {
                let (spikes, state) = neurons.forward(input, config, surrogate, pass, start);
                (spikes, Some(state))
            }
        };
        match (&self.backward, start) {
            (None, start) => run(&self.forward, input, start),
            (Some(backward), Start::Drawn(stream)) => {
                let (forward, _) = run(&self.forward, input.clone(), Start::Drawn(stream));
                let input = reversed(input, pass.lengths);
                let (backward, _) = run(backward, input, Start::Drawn(stream + 1));
                (Tensor::cat(vec![forward, reversed(backward, pass.lengths)], 2), None)
            }
            (Some(_), Start::At(_)) => panic!("a bidirectional layer reads whole sequences"),
        }
    }
}

/// One set of adaptive neurons: input weights, recurrent weights, time constants.
#[derive(Module, Debug)]
pub struct AlifLayer {
    /// Input weights `[inputs, neurons]` and bias.
    pub input: Linear,
    /// Recurrent weights `[neurons, neurons]`, row = presynaptic neuron, and bias.
    pub recurrent: Option<Linear>,
    /// Membrane time constants τ_m.
    pub tau_m: TrainedTimeConstants,
    /// Adaptation time constants τ_adp.
    pub tau_adp: TrainedTimeConstants,
}

impl AlifLayer {
    fn init(config: &LayerConfig, inputs: usize, device: &Device, rng: &mut ChaCha8Rng) -> Self {
        let size = config.size;
        let input = dense([inputs, size], config.input_weights, device, rng);
        let recurrent =
            config.recurrent.then(|| dense([size, size], config.recurrent_weights, device, rng));
        Self::from_parts(
            input,
            recurrent,
            TrainedTimeConstants::init(&config.tau_m, size, config.dt, device, rng),
            TrainedTimeConstants::init(&config.tau_adp, size, config.dt, device, rng),
            config.train_time_constants,
        )
    }

    pub(crate) fn from_parts(
        input: Linear,
        recurrent: Option<Linear>,
        tau_m: TrainedTimeConstants,
        tau_adp: TrainedTimeConstants,
        train_time_constants: bool,
    ) -> Self {
        Self {
            input,
            recurrent,
            tau_m: tau_m.set_require_grad(train_time_constants),
            tau_adp: tau_adp.set_require_grad(train_time_constants),
        }
    }

    /// Runs the neurons over a sequence `[T, B, inputs]`.
    pub(crate) fn forward(
        &self,
        input: Tensor<3>,
        initial_state: InitialState,
        options: AlifOptions,
        pass: Pass<'_>,
        start: Start,
    ) -> AlifOutput {
        let [_, batch, _] = input.dims();
        let device = input.device();
        let neurons = self.tau_m.log_tau.dims()[0];
        let recurrent_bias = self.recurrent.as_ref().and_then(|linear| linear.bias.as_ref());
        // I_t = W x_t + bias + W_rec s_{t−1} + bias_rec: both biases at once, the recurrent weights in the operation.
        let current = project(&self.input, recurrent_bias.map(Param::val), input);
        let b0 = options.threshold.b0;
        let initial = start.alif(initial_state, b0, [batch, neurons], &device, pass);
        let sequence = AlifSequence {
            current,
            recurrent: self.recurrent.as_ref().map(|linear| linear.weight.val()),
            tau_m: self.tau_m.steps(),
            tau_adp: self.tau_adp.steps(),
            initial,
        };
        match pass.path {
            SequencePath::Fused => sequence::alif_sequence(sequence, options),
            SequencePath::Reference => sequence::reference::alif_sequence(sequence, options),
        }
    }
}

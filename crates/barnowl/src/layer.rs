//! Hidden layers: of spiking neurons or of the baselines' cells, recurrent or feed-forward, in one or both directions of time.

use crate::cell::alif::AlifLayer;
use crate::cell::equations::{
    EquationsLayer, Neuron, NeuronParameters, ParameterConfig, no_effect,
};
use crate::cell::gated::GatedLayer;
use crate::cell::{Cell, CellKind};
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::lengths::reversed;
use crate::neuron::common::{
    b0, beta, check_size, check_threshold, one, tau_adp, tau_m, unit, xavier, yes,
};
use crate::neuron::{InitialState, SurrogateConfig, TimeConstants, TrainedTimeConstants};
use crate::pass::{Pass, Start};
use crate::sequence::{AlifOptions, Emission, Observe};
use crate::weights::dense;
use barnowl_neuron::{Surrogate, Threshold};
use burn::module::Module;
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
    /// The surrogate gradient of these neurons. Default: the network's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surrogate: Option<SurrogateConfig>,
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
            surrogate: None,
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
        // The spikes of both directions are named by 16 bits, each direction with its padding.
        let named = 1 << 16;
        if self.bidirectional && 2 * self.size.next_multiple_of(16) > named {
            return Err(Error::setting(format!("{key}.size"), self.size)
                .expected(format!("1 to {} in each direction", named / 2)));
        }
        if self.cell.gated().is_some() && !self.recurrent {
            return Err(Error::setting(format!("{key}.recurrent"), false)
                .expected("true, since lstm, gru and rnn cells are recurrent")
                .remedy("layers without recurrence are of alif or relu cells"));
        }
        if let Some(neuron) = Neuron::of(self.neuron.as_deref(), &self.parameters, key)? {
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
        if let Some(surrogate) = &self.surrogate {
            if !self.cell.is_spiking() {
                return Err(Error::config(format!(
                    "{key}.surrogate has no effect: the cells do not spike"
                ))
                .with_key(format!("{key}.surrogate"))
                .remedy("leave it out"));
            }
            surrogate.validate(&format!("{key}.surrogate"))?;
        }
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
        no_effect(&differs, name, key)
    }

    /// The neurons of a [valid](Self::validate) configuration, if they run from their equations.
    ///
    /// # Panics
    ///
    /// If it is not valid.
    pub(crate) fn neuron(&self) -> Option<Neuron> {
        Neuron::of(self.neuron.as_deref(), &self.parameters, "layer")
            .expect("the configuration is valid")
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
        let (size, neuron) = (self.size, self.neuron());
        if let (None, Some(cell)) = (&neuron, self.cell.gated()) {
            let weights = [self.input_weights, self.recurrent_weights];
            return Cell::Gated(GatedLayer::init(cell, [inputs, size], weights, device, rng));
        }
        let input = dense([inputs, size], self.input_weights, device, rng);
        let recurrent =
            self.recurrent.then(|| dense([size, size], self.recurrent_weights, device, rng));
        if let Some(neuron) = neuron {
            let parameters = NeuronParameters::init(&neuron.parameters, size, device, rng);
            return Cell::Equations(EquationsLayer { input, recurrent, parameters });
        }
        let mut tau = |how| TrainedTimeConstants::init(how, size, self.dt, device, rng);
        let (tau_m, tau_adp) = (tau(&self.tau_m), tau(&self.tau_adp));
        let trained = self.train_time_constants;
        Cell::Alif(AlifLayer::from_parts(input, recurrent, tau_m, tau_adp, trained))
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
    /// `surrogate` is the network's, for neurons that have none of their own.
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
        let surrogate = config.surrogate.map_or(surrogate, |own| own.surrogate());
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
                let neuron = config.neuron().expect("neurons that run from equations");
                let (model, dt) = (&neuron.model, config.dt as f32);
                let (spikes, state) = neurons.forward(input, model, dt, surrogate, pass, start);
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

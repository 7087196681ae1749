//! Readouts: the neurons that turn hidden spikes into one value per class and step.

use crate::cell::alif::AlifLayer;
use crate::cell::equations::{
    EquationsLayer, Neuron, NeuronParameters, ParameterConfig, no_effect,
};
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::neuron::common::{
    b0, beta, check_size, check_threshold, one, tau_adp, tau_m, unit, xavier, yes,
};
use crate::neuron::{InitialState, SurrogateConfig, TimeConstants, TrainedTimeConstants};
use crate::pass::{Pass, SequencePath, Start};
use crate::sequence::{self, AlifOptions, AlifOutput, Emission, Observe};
use crate::weights::{dense, project};
use barnowl_neuron::{Surrogate, Threshold};
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which neurons read out.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ReadoutKind {
    /// `m_t = α m_{t−1} + (1−α) (W s_t + bias)`: no spikes.
    #[default]
    LeakyIntegrator,
    /// Adaptive spiking neurons without recurrence.
    Alif,
    /// `m_t = W x_t + bias`: plain logits, without time constants, for the baselines.
    Dense,
}

/// The configuration of a readout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadoutConfig {
    /// Leaky integrators, adaptive neurons or a dense layer. Default leaky integrators.
    #[serde(default)]
    pub kind: ReadoutKind,
    /// Neurons that run from their equations, in place of `kind`: the name of a built-in model, a file of one's own that ends
    /// with `.toml`, or the text of such a file. They are not connected among themselves. Default: those of `kind`.
    ///
    /// Their parameters are those of the model: `b0`, `beta`, `resistance`, `tau_m`, `tau_adp`, `train_time_constants` and
    /// `initial_state` are not theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"adlif_se")]
    pub neuron: Option<String>,
    /// How the model's parameters start and are trained, by name, where that is not as the model says. Default: as it says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, ParameterConfig>,
    /// The number of classes.
    /// Range: 1 to 65000.
    pub size: usize,
    /// b0, the threshold at rest (adaptive neurons). Default 0.01.
    /// Range: 0 or more.
    #[serde(default = "b0")]
    pub b0: f32,
    /// β, the strength of adaptation (adaptive neurons). Default 1.8.
    /// Range: 0 or more.
    #[serde(default = "beta")]
    pub beta: f32,
    /// R, the membrane resistance (adaptive neurons). Default 1.
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
    /// How the adaptation time constants start (adaptive neurons). Default 150.
    #[serde(default = "tau_adp")]
    pub tau_adp: TimeConstants,
    /// Whether time constants are trained. Default true.
    #[serde(default = "yes")]
    pub train_time_constants: bool,
    /// The membrane potential before the first step. Default zero.
    #[serde(default)]
    pub initial_state: InitialState,
    /// The surrogate gradient of a readout that spikes. Default: the network's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surrogate: Option<SurrogateConfig>,
    /// How the weights start. Default Xavier uniform.
    #[serde(default = "xavier")]
    pub input_weights: Initializer,
}

impl ReadoutConfig {
    /// A readout of `kind` for `size` classes with the paper's defaults.
    #[must_use]
    pub fn new(kind: ReadoutKind, size: usize) -> Self {
        Self {
            kind,
            neuron: None,
            parameters: BTreeMap::new(),
            size,
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
        }
    }

    /// Checks ranges; `key` names the readout in messages.
    ///
    /// # Errors
    ///
    /// Names the key, its value and what is allowed.
    pub fn validate(&self, key: &str) -> Result<()> {
        check_size(&format!("{key}.size"), self.size)?;
        if let Some(neuron) = Neuron::of(self.neuron.as_deref(), &self.parameters, key)? {
            let model = &neuron.model;
            if self.kind != ReadoutKind::default() {
                return Err(Error::setting(format!("{key}.kind"), self.kind)
                    .expected(format!("none beside {key}.neuron = {:?}", model.name()))
                    .remedy("leave one of the two out"));
            }
            if model.membrane().is_none() {
                return Err(Error::config(format!("{} has no membrane to be decoded", model.name()))
                    .with_key(format!("{key}.neuron"))
                    .remedy("name the value of its equations that is the membrane potential: membrane = \"u\""));
            }
            self.check_without_effect(model.name(), key)?;
        }
        check_threshold(key, self.b0, self.beta, self.resistance, self.dt)?;
        self.tau_m.validate(&format!("{key}.tau_m"))?;
        self.tau_adp.validate(&format!("{key}.tau_adp"))?;
        self.initial_state.validate(&format!("{key}.initial_state"))?;
        if let Some(surrogate) = &self.surrogate {
            if !self.is_spiking() {
                return Err(Error::config(format!(
                    "{key}.surrogate has no effect: the readout does not spike"
                ))
                .with_key(format!("{key}.surrogate"))
                .remedy(format!("leave it out, or set {key}.kind = \"alif\"")));
            }
            surrogate.validate(&format!("{key}.surrogate"))?;
        }
        self.input_weights.validate(&format!("{key}.input_weights"))
    }

    /// Refuses settings of adaptive neurons and integrators beside neurons that run from their equations.
    fn check_without_effect(&self, name: &str, key: &str) -> Result<()> {
        let other = Self::new(self.kind, self.size);
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
        Neuron::of(self.neuron.as_deref(), &self.parameters, "readout")
            .expect("the configuration is valid")
    }

    /// The name of the model that the neurons run from, if they run from one.
    #[must_use]
    pub fn neuron_name(&self) -> Option<String> {
        self.neuron().map(|neuron| neuron.model.name().to_owned())
    }

    /// Whether the readout spikes.
    #[must_use]
    pub fn is_spiking(&self) -> bool {
        self.neuron.is_some() || self.kind == ReadoutKind::Alif
    }

    /// Why the readout does not spike, if it does not.
    pub(crate) fn silence(&self) -> Option<&'static str> {
        match self.kind {
            _ if self.is_spiking() => None,
            ReadoutKind::Dense => Some("a dense readout does not spike"),
            _ => Some("the readout's leaky integrators do not spike"),
        }
    }

    /// A readout on `device`, its weights drawn from `rng`.
    ///
    /// The configuration must be [valid](Self::validate).
    #[must_use]
    pub fn init(&self, inputs: usize, device: &Device, rng: &mut ChaCha8Rng) -> Readout {
        let input = dense([inputs, self.size], self.input_weights, device, rng);
        if let Some(neuron) = self.neuron() {
            let parameters = NeuronParameters::init(&neuron.parameters, self.size, device, rng);
            return Readout::Equations(EquationsLayer { input, recurrent: None, parameters });
        }
        let mut tau_m = || TrainedTimeConstants::init(&self.tau_m, self.size, self.dt, device, rng);
        match self.kind {
            ReadoutKind::LeakyIntegrator => Readout::LeakyIntegrator(IntegratorLayer {
                input,
                tau_m: tau_m().set_require_grad(self.train_time_constants),
            }),
            ReadoutKind::Dense => Readout::Dense(DenseLayer { input }),
            ReadoutKind::Alif => {
                let tau_m = tau_m();
                let tau_adp =
                    TrainedTimeConstants::init(&self.tau_adp, self.size, self.dt, device, rng);
                let trained = self.train_time_constants;
                Readout::Alif(AlifLayer::from_parts(input, None, tau_m, tau_adp, trained))
            }
        }
    }
}

/// A readout.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "one readout a network")]
pub enum Readout {
    /// Leaky integrators.
    LeakyIntegrator(IntegratorLayer),
    /// Adaptive neurons without recurrence.
    Alif(AlifLayer),
    /// Plain logits.
    Dense(DenseLayer),
    /// Neurons that run from their equations, without recurrence.
    Equations(EquationsLayer),
}

/// Weights of a dense readout.
#[derive(Module, Debug)]
pub struct DenseLayer {
    /// Weights `[inputs, classes]` and bias.
    pub input: Linear,
}

/// Weights and time constants of leaky integrators.
#[derive(Module, Debug)]
pub struct IntegratorLayer {
    /// Weights `[inputs, classes]` and bias.
    pub input: Linear,
    /// Membrane time constants τ_m.
    pub tau_m: TrainedTimeConstants,
}

/// What a readout returns.
#[derive(Debug, Clone)]
pub struct ReadoutOutput {
    /// Membrane potentials `[T, B, classes]`, if observed.
    pub membrane: Option<Tensor<3>>,
    /// Spikes `[T, B, classes]`, if the readout spikes and they are observed.
    pub spikes: Option<Tensor<3>>,
    /// Of neurons, the state after the last step, without a gradient: u, b and s, `[3, B, classes]`, of adaptive ones, m,
    /// `[1, B, classes]`, of leaky integrators, the states of their equations and s, `[states + 1, B, classes]`, of others.
    pub state: Option<Tensor<3>>,
}

impl Readout {
    /// Where the readout is.
    #[must_use]
    pub fn device(&self) -> Device {
        let input = match self {
            Self::LeakyIntegrator(layer) => &layer.input,
            Self::Alif(layer) => &layer.input,
            Self::Dense(layer) => &layer.input,
            Self::Equations(layer) => &layer.input,
        };
        input.weight.val().device()
    }

    /// Reads out spikes `[T, B, inputs]`; `observe` says what the decoder needs.
    #[must_use]
    pub fn forward(
        &self,
        input: Tensor<3>,
        config: &ReadoutConfig,
        surrogate: Surrogate,
        observe: Observe,
        pass: Pass<'_>,
        start: Start,
    ) -> ReadoutOutput {
        match self {
            Self::LeakyIntegrator(layer) => {
                let [steps, batch, _] = input.dims();
                let shape = [batch, config.size];
                let initial = match start {
                    Start::At(state) => Some(state.reshape(shape)),
                    Start::Drawn(stream) => {
                        pass.membrane_on(config.initial_state, stream, shape, &input.device())
                    }
                };
                let current = project(&layer.input, None, input);
                let run = match pass.path {
                    SequencePath::Fused => sequence::integrator_sequence,
                    SequencePath::Reference => sequence::reference::integrator_sequence,
                };
                let membrane = run(current, layer.tau_m.steps(), initial);
                let state = membrane.clone().narrow(0, steps - 1, 1).detach();
                ReadoutOutput { membrane: Some(membrane), spikes: None, state: Some(state) }
            }
            Self::Dense(layer) => {
                let logits = project(&layer.input, None, input);
                ReadoutOutput { membrane: Some(logits), spikes: None, state: None }
            }
            Self::Equations(layer) => {
                let neuron = config.neuron().expect("neurons that run from equations");
                let surrogate = config.surrogate.map_or(surrogate, |own| own.surrogate());
                let dt = config.dt as f32;
                let (spikes, membrane, state) =
                    layer.observed(input, &neuron.model, dt, surrogate, start);
                ReadoutOutput { membrane: Some(membrane), spikes: Some(spikes), state: Some(state) }
            }
            Self::Alif(layer) => {
                let threshold =
                    Threshold { b0: config.b0, beta: config.beta, resistance: config.resistance };
                let observe = if pass.observe_all { Observe::Both } else { observe };
                let emission = Emission::Spike;
                let surrogate = config.surrogate.map_or(surrogate, |own| own.surrogate());
                let options = AlifOptions { threshold, surrogate, observe, emission };
                let output = layer.forward(input, config.initial_state, options, pass, start);
                let AlifOutput { spikes, membrane, state } = output;
                ReadoutOutput { membrane, spikes, state: Some(state) }
            }
        }
    }
}

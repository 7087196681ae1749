//! Readouts: the neurons that turn hidden spikes into one value per class and step.

use crate::cell::alif::AlifLayer;
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
    /// The surrogate gradient of adaptive neurons. Default: the network's.
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
        check_threshold(key, self.b0, self.beta, self.resistance, self.dt)?;
        self.tau_m.validate(&format!("{key}.tau_m"))?;
        self.tau_adp.validate(&format!("{key}.tau_adp"))?;
        self.initial_state.validate(&format!("{key}.initial_state"))?;
        if let Some(surrogate) = &self.surrogate {
            if self.kind != ReadoutKind::Alif {
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

    /// A readout on `device`, its weights drawn from `rng`.
    ///
    /// The configuration must be [valid](Self::validate).
    #[must_use]
    pub fn init(&self, inputs: usize, device: &Device, rng: &mut ChaCha8Rng) -> Readout {
        let input = dense([inputs, self.size], self.input_weights, device, rng);
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
    /// `[1, B, classes]`, of leaky integrators.
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

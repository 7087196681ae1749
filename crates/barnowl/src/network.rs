//! A whole network: hidden layers, readout and decoder, from one configuration.

use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::{Layer, LayerConfig};
use crate::lengths::Lengths;
use crate::loss::{Decoder, Score};
use crate::neuron::{SurrogateConfig, common::check_size};
use crate::pass::{Pass, Start, stream};
use crate::readout::{Readout, ReadoutConfig, ReadoutKind, ReadoutOutput};
use crate::trained_threshold::{EncoderConfig, TrainedThreshold};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

/// The most steps of the hidden layers for a step of the data.
const MOST_REPEATS: usize = 1000;

/// The configuration of a network.
///
/// ```
/// use barnowl::layer::LayerConfig;
/// use barnowl::loss::{Decoder, DecoderKind};
/// use barnowl::network::NetworkConfig;
/// use barnowl::readout::{ReadoutConfig, ReadoutKind};
/// use burn::tensor::{Device, Tensor};
///
/// let config = NetworkConfig {
///     inputs: 4,
///     layers: vec![LayerConfig::new(36)],
///     readout: ReadoutConfig::new(ReadoutKind::Alif, 6),
///     decode: Decoder::new(DecoderKind::PerStep).with_skip(10),
///     surrogate: Default::default(),
///     encoder: None,
///     repeat: 1,
/// };
/// let device = Device::flex();
/// let network = config.init(&device, 1)?;
/// // 50 steps, a batch of 2, 4 channels.
/// let output = network.forward(Tensor::ones([50, 2, 4], &device), &config, Default::default());
/// assert_eq!(output.spikes[0].dims(), [50, 2, 36]);
/// # Ok::<(), barnowl::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// The number of input channels.
    /// Range: 1 to 65000.
    pub inputs: usize,
    /// The hidden layers, from the input on.
    pub layers: Vec<LayerConfig>,
    /// The readout.
    pub readout: ReadoutConfig,
    /// How the readout is decoded.
    pub decode: Decoder,
    /// The surrogate gradient of all spiking neurons that have none of their own, and of encoders. Default multi-Gaussian.
    #[serde(default)]
    pub surrogate: SurrogateConfig,
    /// Turns real-valued inputs into spikes, by a rule that is trained with the network. Default: the first layer reads
    /// the inputs as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<EncoderConfig>,
    /// How many steps the hidden layers take for each step of the data; the readout reads the mean of their outputs.
    /// Default 1.
    /// Range: 1 to 1000.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub repeat: usize,
}

fn once() -> usize {
    1
}

fn is_once(repeat: &usize) -> bool {
    *repeat == 1
}

impl NetworkConfig {
    /// Checks ranges; `key` names the network in messages.
    ///
    /// # Errors
    ///
    /// Names the key, its value and what is allowed.
    pub fn validate(&self, key: &str) -> Result<()> {
        check_size(&format!("{key}.inputs"), self.inputs)?;
        if self.layers.is_empty() {
            return Err(Error::setting(format!("{key}.layers"), &self.layers)
                .expected("at least one hidden layer"));
        }
        for (i, layer) in self.layers.iter().enumerate() {
            layer.validate(&format!("{key}.layers.{i}"))?;
        }
        if !(1..=MOST_REPEATS).contains(&self.repeat) {
            return Err(Error::setting(format!("{key}.repeat"), self.repeat)
                .expected(format!("1 to {MOST_REPEATS} steps of the hidden layers")));
        }
        if let Some(encoder) = &self.encoder {
            encoder.validate(&format!("{key}.encoder"), self.inputs)?;
        }
        self.readout.validate(&format!("{key}.readout"))?;
        self.decode.validate(&format!("{key}.decode"), self.readout.kind)?;
        self.surrogate.validate(&format!("{key}.surrogate"))
    }

    /// A network on `device`, its weights drawn from `seed`.
    ///
    /// # Errors
    ///
    /// If the configuration is not [valid](Self::validate).
    pub fn init(&self, device: &Device, seed: u64) -> Result<Network> {
        self.validate("network")?;
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut inputs = self.inputs;
        let layers = self.layers.iter().map(|config| {
            let layer = config.init(inputs, device, rng);
            inputs = config.outputs();
            layer
        });
        let layers = layers.collect();
        let readout = self.readout.init(inputs, device, rng);
        let encoder = self.encoder.map(|encoder| encoder.init(device));
        Ok(Network { encoder, layers, readout })
    }

    /// The weights of a valid network, at least: those of inputs and of spiking recurrence, without the other gates of cells
    /// that have more than one.
    pub(crate) fn weights(&self) -> usize {
        let mut inputs = self.inputs;
        let mut sum = 0_usize;
        for layer in &self.layers {
            let recurrent = if layer.recurrent { layer.size } else { 0 };
            sum = sum.saturating_add(layer.outputs().saturating_mul(inputs + recurrent));
            inputs = layer.outputs();
        }
        sum.saturating_add(self.readout.size.saturating_mul(inputs))
    }

    /// The same, whose weights start at zero: what is to be overwritten need not be drawn.
    pub(crate) fn blank(&self) -> Self {
        let mut blank = self.clone();
        for layer in &mut blank.layers {
            layer.input_weights = Initializer::Zeros;
            layer.recurrent_weights = Initializer::Zeros;
        }
        blank.readout.input_weights = Initializer::Zeros;
        blank
    }

    /// Whether the network reads step by step: in one direction, all of it at the steps of the data. Then windows of time can
    /// be run one after the other.
    #[must_use]
    pub fn is_causal(&self) -> bool {
        self.repeat == 1 && self.layers.iter().all(|layer| !layer.bidirectional)
    }

    /// Whether the operations on tensors can go on after a window of time, as [`Network::window`] does: a
    /// [causal](Self::is_causal) network of spiking neurons, and a readout of neurons.
    #[must_use]
    pub fn is_resumable(&self) -> bool {
        let spiking = self.layers.iter().all(|layer| layer.cell.is_spiking());
        self.is_causal() && spiking && self.readout.kind != ReadoutKind::Dense
    }

    /// The outputs of the last hidden layer.
    #[must_use]
    pub fn readout_inputs(&self) -> usize {
        self.layers.last().map_or(self.inputs, LayerConfig::outputs)
    }
}

/// A network: parameters only. What does not change in training stays in the [`NetworkConfig`].
#[derive(Module, Debug)]
pub struct Network {
    /// What turns the inputs into spikes, if they are not read as they are.
    pub encoder: Option<TrainedThreshold>,
    /// The hidden layers, from the input on.
    pub layers: Vec<Layer>,
    /// The readout.
    pub readout: Readout,
}

/// What a network returns for a batch of sequences.
#[derive(Debug, Clone)]
pub struct NetworkOutput {
    /// The inputs as the first layer reads them, `[repeat · T, B, inputs]`.
    pub input: Tensor<3>,
    /// The spikes of every hidden layer, or what its cells have in their place, `[repeat · T, B, outputs of the layer]`.
    pub spikes: Vec<Tensor<3>>,
    /// Membranes and spikes of the readout.
    pub readout: ReadoutOutput,
    /// The decoded score.
    pub score: Score,
}

/// What a network returns for a window of time.
#[derive(Debug, Clone)]
pub struct NetworkWindow {
    /// As in [`NetworkOutput`].
    pub input: Tensor<3>,
    /// As in [`NetworkOutput`].
    pub spikes: Vec<Tensor<3>>,
    /// As in [`NetworkOutput`].
    pub readout: ReadoutOutput,
    /// Where the network stands after the last step; `None` if it is not [resumable](NetworkConfig::is_resumable).
    pub state: Option<NetworkState>,
}

/// Where a network stands between two windows of time. It carries no gradient.
#[derive(Debug, Clone)]
pub struct NetworkState {
    /// Of every hidden layer u, b and s, `[3, B, neurons]`, or the states of its equations and s, `[states + 1, B, neurons]`.
    pub layers: Vec<Tensor<3>>,
    /// Of the readout; see [`ReadoutOutput::state`].
    pub readout: Tensor<3>,
}

impl Network {
    /// The number of parameters: weights, biases and time constants, whether these are trained or fixed.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.num_params()
    }

    /// Where the network is.
    #[must_use]
    pub fn device(&self) -> Device {
        self.readout.device()
    }

    /// Runs the network over a batch of sequences `[T, B, inputs]`. Where rows have an [end](Pass::lengths), the score is that
    /// of the steps before it; of spikes and membranes at padding, nothing is to be read.
    ///
    /// # Panics
    ///
    /// If the input does not have the channels of the network, or `config` is not the one that it was made from; if there is
    /// not a length for every row, or one is 0, more than T, or leaves the decoder no step.
    #[must_use]
    pub fn forward(
        &self,
        input: Tensor<3>,
        config: &NetworkConfig,
        pass: Pass<'_>,
    ) -> NetworkOutput {
        let [steps, batch, _] = input.dims();
        let lengths = Lengths::new(steps, batch, pass.lengths);
        let NetworkWindow { input, spikes, readout, .. } = self.window(input, config, pass, None);
        let score = config.decode.decode(&readout, lengths);
        NetworkOutput { input, spikes, readout, score }
    }

    /// Runs the network over a window of time of a batch of sequences, `[T, B, inputs]`: the first one, or that which
    /// follows where the network stood `before`.
    ///
    /// # Panics
    ///
    /// As [`Network::forward`], and if there is a window before it, but the network is not
    /// [resumable](NetworkConfig::is_resumable).
    #[must_use]
    pub fn window(
        &self,
        input: Tensor<3>,
        config: &NetworkConfig,
        pass: Pass<'_>,
        before: Option<&NetworkState>,
    ) -> NetworkWindow {
        assert!(
            before.is_none() || config.is_resumable(),
            "a network that is not resumable reads whole sequences"
        );
        let surrogate = config.surrogate.surrogate();
        let start = |place: usize| match before {
            None => Start::Drawn(stream(place)),
            Some(before) => Start::At(before.layers[place].clone()),
        };
        let (mut spikes, mut states) = (Vec::new(), Vec::new());
        // The hidden layers take several steps at each of the data.
        let repeated: Option<Vec<usize>> =
            pass.lengths.map(|lengths| lengths.iter().map(|n| n * config.repeat).collect());
        let hidden = Pass { lengths: repeated.as_deref(), ..pass };
        let input = self.encode(input, config);
        let mut signal = input.clone();
        for (place, (layer, config)) in self.layers.iter().zip(&config.layers).enumerate() {
            let state;
            (signal, state) = layer.forward(signal, config, surrogate, hidden, start(place));
            spikes.push(signal.clone());
            states.push(state);
        }
        if config.repeat > 1 {
            let [steps, batch, neurons] = signal.dims();
            let pieces = steps / config.repeat;
            // Sequences and neurons in one dimension, as in `Decoder::decode_window`.
            let groups: Tensor<3> = signal.reshape([pieces, config.repeat, batch * neurons]);
            signal = groups.mean_dim(1).reshape([pieces, batch, neurons]);
        }
        let start = match before {
            None => Start::Drawn(stream(self.layers.len())),
            Some(before) => Start::At(before.readout.clone()),
        };
        let observe = config.decode.observes();
        let readout =
            self.readout.forward(signal, &config.readout, surrogate, observe, pass, start);
        let layers: Option<Vec<_>> = states.into_iter().collect();
        let state = layers.zip(readout.state.clone()).filter(|_| config.is_resumable());
        let state = state.map(|(layers, readout)| NetworkState { layers, readout });
        NetworkWindow { input, spikes, readout, state }
    }

    /// The inputs as the first layer reads them: `[T, B, inputs]` as spikes, if there is an encoder, and every step
    /// `repeat` times.
    #[must_use]
    pub fn encode(&self, input: Tensor<3>, config: &NetworkConfig) -> Tensor<3> {
        let input = match &self.encoder {
            Some(encoder) => encoder.forward(input, config.surrogate.surrogate()),
            None => input,
        };
        if config.repeat == 1 {
            return input;
        }
        let [steps, batch, inputs] = input.dims();
        let repeated: Tensor<4> = input.unsqueeze_dim(1);
        repeated.expand([steps, config.repeat, batch, inputs]).reshape([
            steps * config.repeat,
            batch,
            inputs,
        ])
    }
}

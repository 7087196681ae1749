//! A network's parameters in the layouts of the kernels.

use crate::cell;
use crate::encoder::TrainedThreshold;
use crate::kernel::alif::Neurons;
use crate::kernel::floats::Floats;
use crate::kernel::integrator::Integrators;
use crate::kernel::weights::{Use, Weights};
use crate::layer::{AlifLayer, stream};
use crate::network::{Network, NetworkConfig};
use crate::neuron::{InitialState, TrainedTimeConstants};
use crate::readout::{IntegratorLayer, Readout, ReadoutKind};
use barnowl_neuron::Threshold;
use burn::nn::Linear;
use burn::tensor::Tensor;

/// The neurons of a layer.
#[derive(Debug)]
pub(super) enum Cell {
    Alif(Neurons),
    Integrator(Integrators),
}

/// A layer: the hidden ones in order, then the readout.
#[derive(Debug)]
pub(super) struct LayerPlan {
    pub(super) cell: Cell,
    pub(super) inputs: usize,
    pub(super) neurons: usize,
    /// `neurons` rounded up to whole blocks.
    pub(super) width: usize,
    pub(super) input: Weights,
    pub(super) recurrent: Option<Weights>,
    /// The sum of the biases of both, `[width]`.
    pub(super) bias: Floats,
    /// In steps.
    pub(super) tau_m: Vec<f32>,
    pub(super) tau_adp: Vec<f32>,
    pub(super) initial: InitialState,
    /// The random stream of the initial state.
    pub(super) stream: u64,
}

/// The module of a layer.
#[derive(Clone, Copy)]
pub(super) enum Parameters<'a> {
    Alif(&'a AlifLayer),
    Integrator(&'a IntegratorLayer),
}

impl<'a> Parameters<'a> {
    /// The modules of a [fused](NetworkConfig::is_fused) network, hidden layers first.
    pub(super) fn of(network: &'a Network) -> impl Iterator<Item = Self> {
        let readout = match &network.readout {
            Readout::LeakyIntegrator(layer) => Some(Self::Integrator(layer)),
            Readout::Alif(layer) => Some(Self::Alif(layer)),
            Readout::Dense(_) => None,
        };
        let hidden = network.layers.iter().filter_map(|layer| match &layer.forward {
            cell::Cell::Alif(layer) => Some(Self::Alif(layer)),
            cell::Cell::Gated(_) => None,
        });
        hidden.chain(readout)
    }

    pub(super) fn input(self) -> &'a Linear {
        match self {
            Self::Alif(layer) => &layer.input,
            Self::Integrator(layer) => &layer.input,
        }
    }

    pub(super) fn recurrent(self) -> Option<&'a Linear> {
        match self {
            Self::Alif(layer) => layer.recurrent.as_ref(),
            Self::Integrator(_) => None,
        }
    }

    /// τ_m and, of neurons that adapt, τ_adp.
    pub(super) fn time_constants(
        self,
    ) -> (&'a TrainedTimeConstants, Option<&'a TrainedTimeConstants>) {
        match self {
            Self::Alif(layer) => (&layer.tau_m, Some(&layer.tau_adp)),
            Self::Integrator(layer) => (&layer.tau_m, None),
        }
    }
}

impl LayerPlan {
    /// The layers of a network without bidirectional ones.
    pub(super) fn of(config: &NetworkConfig) -> Vec<Self> {
        let mut inputs = config.inputs;
        let mut layers = Vec::with_capacity(config.layers.len() + 1);
        for (place, layer) in config.layers.iter().enumerate() {
            let threshold =
                Threshold { b0: layer.b0, beta: layer.beta, resistance: layer.resistance };
            let neurons = Neurons::new(layer.size, threshold);
            let plan = Self::new(Cell::Alif(neurons), inputs, layer.initial_state, stream(place));
            let recurrent = layer.recurrent.then(Weights::default);
            layers.push(Self { recurrent, ..plan });
            inputs = layer.size;
        }
        let readout = &config.readout;
        let cell = match readout.kind {
            // Dense readouts are refused before.
            ReadoutKind::LeakyIntegrator | ReadoutKind::Dense => {
                Cell::Integrator(Integrators::new(readout.size))
            }
            ReadoutKind::Alif => {
                let threshold = Threshold {
                    b0: readout.b0,
                    beta: readout.beta,
                    resistance: readout.resistance,
                };
                Cell::Alif(Neurons::new(readout.size, threshold))
            }
        };
        let stream = stream(config.layers.len());
        layers.push(Self::new(cell, inputs, readout.initial_state, stream));
        layers
    }

    fn new(cell: Cell, inputs: usize, initial: InitialState, stream: u64) -> Self {
        let (neurons, width) = match &cell {
            Cell::Alif(cell) => (cell.neurons, cell.width),
            Cell::Integrator(cell) => (cell.neurons, cell.width),
        };
        Self {
            cell,
            inputs,
            neurons,
            width,
            input: Weights::default(),
            recurrent: None,
            bias: Floats::zeros(width),
            tau_m: Vec::new(),
            tau_adp: Vec::new(),
            initial,
            stream,
        }
    }

    /// Takes over the parameters of a module. `dense` if the inputs are real numbers, `first` if no gradient flows back to
    /// them; `backward` if gradients are wanted.
    pub(super) fn load(
        &mut self,
        parameters: Parameters<'_>,
        dense: bool,
        first: bool,
        backward: bool,
    ) {
        let uses = Use { recurrent: false, dense, backward: backward && !first };
        let (input, recurrent, neurons) = (&mut self.input, &mut self.recurrent, self.neurons);
        rayon::join(
            || {
                values(&parameters.input().weight.val(), |weights| {
                    input.set(weights, neurons, uses)
                })
            },
            || {
                if let (Some(to), Some(from)) = (recurrent, parameters.recurrent()) {
                    let uses = Use { recurrent: true, dense: false, backward };
                    values(&from.weight.val(), |weights| to.set(weights, neurons, uses));
                }
            },
        );
        self.bias.fill(0.0);
        for linear in [Some(parameters.input()), parameters.recurrent()].into_iter().flatten() {
            if let Some(bias) = &linear.bias {
                values(&bias.val(), |bias| {
                    self.bias.iter_mut().zip(bias).for_each(|(sum, bias)| *sum += bias);
                });
            }
        }
        let (tau_m, tau_adp) = parameters.time_constants();
        values(&tau_m.untracked_steps(), |tau| tau.clone_into(&mut self.tau_m));
        if let Some(tau_adp) = tau_adp {
            values(&tau_adp.untracked_steps(), |tau| tau.clone_into(&mut self.tau_adp));
        }
        match &mut self.cell {
            Cell::Alif(cell) => cell.set(&self.tau_m, &self.tau_adp),
            Cell::Integrator(cell) => cell.set(&self.tau_m),
        }
    }
}

/// θ of the inputs.
pub(super) fn threshold(encoder: &TrainedThreshold) -> f32 {
    let mut threshold = 0.0;
    values(&encoder.threshold.val(), |values| threshold = values[0]);
    threshold
}

/// Reads a tensor's values.
fn values<const D: usize>(tensor: &Tensor<D>, read: impl FnOnce(&[f32])) {
    let data = tensor.to_data();
    read(data.as_slice().expect("parameters are 32-bit floats"));
}

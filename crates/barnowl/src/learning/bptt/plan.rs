//! A network's parameters in the layouts of the kernels.

use super::columns::Columns;
use crate::cell::Cell;
use crate::cell::alif::AlifLayer;
use crate::cell::equations::EquationsLayer;
use crate::cell::gated::GatedLayer;
use crate::layer::LayerConfig;
use crate::network::Network;
use crate::neuron::{InitialState, TrainedTimeConstants};
use crate::readout::{DenseLayer, IntegratorLayer, Readout, ReadoutConfig, ReadoutKind};
use crate::sequence::GatedCell;
use crate::trained_threshold::TrainedThreshold;
use barnowl_engine::alif::Alif;
use barnowl_engine::dense::Dense;
use barnowl_engine::equations::Equations;
use barnowl_engine::floats::Floats;
use barnowl_engine::gated::{Gru, Lstm, Tanh};
use barnowl_engine::integrator::Integrators;
use barnowl_engine::logits::Logits;
use barnowl_engine::neurons::{Neurons, Output, Shape, Sums};
use barnowl_engine::rectified::Rectified;
use barnowl_engine::weights::{Use, Weights};
use barnowl_neuron::{Surrogate, Threshold};
use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::Tensor;
use std::borrow::Cow;

/// The neurons of a layer in one direction of time: hidden ones, or the readout's.
#[derive(Debug)]
pub(super) struct LayerPlan {
    neurons: Box<dyn Neurons>,
    pub(super) shape: Shape,
    /// The place of the layer in the network; the readout comes after the hidden ones.
    pub(super) place: usize,
    /// What the rows of the input weights stand for.
    pub(super) inputs: Columns,
    pub(super) input: Weights,
    pub(super) recurrent: Option<Weights>,
    /// What is added to the input currents, `[gates · width]`: the sum of both biases, unless that of the recurrent weights
    /// [is apart](Shape::recurrent_apart).
    pub(super) bias: Floats,
    /// Of each of the neurons' parameters, the value of every neuron, or one for all: τ_m and τ_adp in steps, or those of
    /// the equations.
    pub(super) parameters: Vec<Vec<f32>>,
    /// The length of a step, in the unit of the equations' parameters.
    pub(super) dt: f32,
    pub(super) initial: InitialState,
    /// The random stream of the initial state.
    pub(super) stream: u64,
    /// Of these neurons alone, if they have one.
    pub(super) surrogate: Option<Surrogate>,
}

impl LayerPlan {
    /// The neurons of a hidden layer in one direction.
    pub(super) fn hidden(config: &LayerConfig, place: usize, inputs: Columns, stream: u64) -> Self {
        let size = config.size;
        let threshold =
            Threshold { b0: config.b0, beta: config.beta, resistance: config.resistance };
        let neurons: Box<dyn Neurons> = match (config.neuron(), config.cell.gated()) {
            (Some(neuron), _) => {
                let trained = neuron.trained();
                Box::new(Equations::new(neuron.model, size, &trained))
            }
            (None, Some(GatedCell::Tanh)) => Box::new(Dense::new(Tanh, size)),
            (None, Some(GatedCell::Lstm)) => Box::new(Dense::new(Lstm, size)),
            (None, Some(GatedCell::Gru)) => Box::new(Dense::new(Gru, size)),
            (None, None) if config.cell.is_spiking() => Box::new(Alif::new(size, threshold)),
            (None, None) => Box::new(Dense::new(Rectified::new(threshold, size), size)),
        };
        let initial = match config.cell.gated() {
            None => config.initial_state,
            Some(_) => InitialState::Zero,
        };
        let plan = Self::new(neurons, place, inputs, initial, stream);
        let recurrent = config.recurrent.then(Weights::default);
        let surrogate = config.surrogate.map(|own| own.surrogate());
        Self { recurrent, dt: config.dt as f32, surrogate, ..plan }
    }

    /// Those of the readout.
    pub(super) fn readout(
        config: &ReadoutConfig,
        place: usize,
        inputs: Columns,
        stream: u64,
    ) -> Self {
        let size = config.size;
        let neurons: Box<dyn Neurons> = match config.kind {
            _ if config.neuron.is_some() => {
                let neuron = config.neuron().expect("the configuration is valid");
                let trained = neuron.trained();
                let observed = Equations::observed(neuron.model, size, &trained);
                Box::new(observed.expect("a readout's model has a membrane"))
            }
            ReadoutKind::LeakyIntegrator => Box::new(Integrators::new(size)),
            ReadoutKind::Dense => Box::new(Logits::new(size)),
            ReadoutKind::Alif => {
                let threshold =
                    Threshold { b0: config.b0, beta: config.beta, resistance: config.resistance };
                Box::new(Alif::new(size, threshold))
            }
        };
        let initial = match config.kind {
            ReadoutKind::Dense => InitialState::Zero,
            _ => config.initial_state,
        };
        let plan = Self::new(neurons, place, inputs, initial, stream);
        let surrogate = config.surrogate.map(|own| own.surrogate());
        Self { dt: config.dt as f32, surrogate, ..plan }
    }

    fn new(
        neurons: Box<dyn Neurons>,
        place: usize,
        inputs: Columns,
        initial: InitialState,
        stream: u64,
    ) -> Self {
        let shape = neurons.shape();
        Self {
            neurons,
            shape,
            place,
            inputs,
            input: Weights::default(),
            recurrent: None,
            bias: Floats::zeros(shape.gates * shape.width),
            parameters: Vec::new(),
            dt: 1.0,
            initial,
            stream,
            surrogate: None,
        }
    }

    /// What runs.
    pub(super) fn neurons(&self) -> &dyn Neurons {
        &*self.neurons
    }

    /// Numbers of a row of input currents.
    pub(super) fn currents(&self) -> usize {
        self.bias.len()
    }

    /// What the rows of the recurrent weights stand for.
    pub(super) fn own(&self) -> Columns {
        Columns::of(&self.shape)
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
        let (shape, inputs, own) = (self.shape, self.inputs.clone(), self.own());
        let (input, recurrent) = (&mut self.input, &mut self.recurrent);
        rayon::join(
            || {
                values(&parameters.input().weight.val(), |weights| {
                    let (weights, outputs) = laid_out(weights, &inputs, &shape);
                    input.set(&weights, outputs, uses);
                })
            },
            || {
                if let (Some(to), Some(from)) = (recurrent, parameters.recurrent()) {
                    let dense = shape.output == Output::Numbers;
                    let uses = Use { recurrent: true, dense, backward };
                    values(&from.weight.val(), |weights| {
                        let (weights, outputs) = laid_out(weights, &own, &shape);
                        to.set(&weights, outputs, uses);
                    });
                }
            },
        );
        self.bias.fill(0.0);
        let recurrent = parameters.recurrent().filter(|_| !shape.recurrent_apart);
        for linear in [Some(parameters.input()), recurrent].into_iter().flatten() {
            if let Some(bias) = &linear.bias {
                values(&bias.val(), |bias| {
                    let gates = self.bias.chunks_exact_mut(shape.width);
                    for (sums, bias) in gates.zip(bias.chunks_exact(shape.neurons)) {
                        sums.iter_mut().zip(bias).for_each(|(sum, bias)| *sum += bias);
                    }
                });
            }
        }
        self.parameters = parameters.values(&shape);
        self.neurons.set(&self.parameters, self.dt);
    }
}

/// Weights `[inputs, gates · neurons]` in the rows and columns of the kernels, and how many columns these are: a row of
/// zeros stands for what is no input, and every gate begins with a block of its own.
fn laid_out<'a>(weights: &'a [f32], inputs: &Columns, shape: &Shape) -> (Cow<'a, [f32]>, usize) {
    let Shape { neurons, width, gates, .. } = *shape;
    if inputs.is_packed() && (gates == 1 || neurons == width) {
        return (Cow::Borrowed(weights), gates * neurons);
    }
    let each = if gates == 1 { neurons } else { width };
    let columns = gates * each;
    let mut values = vec![0.0; inputs.width() * columns];
    for (row, weights) in inputs.places().zip(weights.chunks_exact(gates * neurons)) {
        let to = values[row * columns..(row + 1) * columns].chunks_exact_mut(each);
        for (to, from) in to.zip(weights.chunks_exact(neurons)) {
            to[..neurons].copy_from_slice(from);
        }
    }
    (Cow::Owned(values), columns)
}

/// The module of a layer in one direction.
#[derive(Clone, Copy)]
pub(super) enum Parameters<'a> {
    Alif(&'a AlifLayer),
    Integrator(&'a IntegratorLayer),
    Equations(&'a EquationsLayer),
    Gated(&'a GatedLayer),
    Logits(&'a DenseLayer),
}

impl<'a> Parameters<'a> {
    /// The modules of a network, in the order of its plan.
    pub(super) fn of(network: &'a Network) -> impl Iterator<Item = Self> {
        let readout = match &network.readout {
            Readout::LeakyIntegrator(layer) => Self::Integrator(layer),
            Readout::Alif(layer) => Self::Alif(layer),
            Readout::Dense(layer) => Self::Logits(layer),
            Readout::Equations(layer) => Self::Equations(layer),
        };
        let cells = network.layers.iter().flat_map(|layer| {
            let directions = [Some(&layer.forward), layer.backward.as_ref()];
            directions.into_iter().flatten()
        });
        let hidden = cells.map(|cell| match cell {
            Cell::Alif(layer) => Self::Alif(layer),
            Cell::Equations(layer) => Self::Equations(layer),
            Cell::Gated(layer) => Self::Gated(layer),
        });
        hidden.chain([readout])
    }

    pub(super) fn input(self) -> &'a Linear {
        match self {
            Self::Alif(layer) => &layer.input,
            Self::Integrator(layer) => &layer.input,
            Self::Equations(layer) => &layer.input,
            Self::Gated(layer) => &layer.input,
            Self::Logits(layer) => &layer.input,
        }
    }

    pub(super) fn recurrent(self) -> Option<&'a Linear> {
        match self {
            Self::Alif(layer) => layer.recurrent.as_ref(),
            Self::Equations(layer) => layer.recurrent.as_ref(),
            Self::Gated(layer) => Some(&layer.recurrent),
            Self::Integrator(_) | Self::Logits(_) => None,
        }
    }

    /// What is trained of the neurons' parameters, in the order of their [values](Self::values).
    pub(super) fn trained(self) -> Vec<&'a Param<Tensor<1>>> {
        match self {
            Self::Alif(layer) => vec![&layer.tau_m.log_tau, &layer.tau_adp.log_tau],
            Self::Integrator(layer) => vec![&layer.tau_m.log_tau],
            Self::Equations(layer) => layer.parameters.raw().iter().collect(),
            // The biases of gated cells are those of their weights.
            Self::Gated(_) | Self::Logits(_) => Vec::new(),
        }
    }

    /// The neurons' parameters: time constants in steps, or those of the equations, or the bias of recurrent weights that
    /// [is apart](Shape::recurrent_apart).
    fn values(self, shape: &Shape) -> Vec<Vec<f32>> {
        let steps = |tau: &TrainedTimeConstants| tau.untracked_steps().into_data().iter().collect();
        match self {
            Self::Alif(layer) => vec![steps(&layer.tau_m), steps(&layer.tau_adp)],
            Self::Integrator(layer) => vec![steps(&layer.tau_m)],
            Self::Equations(layer) => layer.parameters.untracked(),
            Self::Gated(layer) if shape.recurrent_apart => {
                let mut found = vec![0.0; shape.gates * shape.neurons];
                if let Some(bias) = &layer.recurrent.bias {
                    values(&bias.val(), |bias| found.copy_from_slice(bias));
                }
                vec![found]
            }
            Self::Gated(_) | Self::Logits(_) => Vec::new(),
        }
    }

    /// The gradient of what is trained of the neurons' parameters, from sums of a layer.
    pub(super) fn gradients(self, layer: &LayerPlan, sums: &Sums) -> Vec<Vec<f32>> {
        let values = &layer.parameters;
        let found = layer.neurons.parameter_gradients(sums, values, layer.dt);
        let of = |(number, g): (usize, Vec<f64>)| match self {
            Self::Equations(module) => module.parameters.raw_gradient(number, &values[number], &g),
            // dL/dlog τ = τ dL/dτ
            _ => values[number].iter().zip(g).map(|(tau, g)| tau * g as f32).collect(),
        };
        found.into_iter().enumerate().map(of).collect()
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

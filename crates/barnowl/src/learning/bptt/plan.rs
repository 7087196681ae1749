//! A network's parameters in the layouts of the kernels.

use crate::cell;
use crate::cell::alif::AlifLayer;
use crate::cell::equations::EquationsLayer;
use crate::network::{Network, NetworkConfig};
use crate::neuron::{InitialState, TrainedTimeConstants};
use crate::pass::stream;
use crate::readout::{IntegratorLayer, Readout, ReadoutKind};
use crate::trained_threshold::TrainedThreshold;
use barnowl_engine::alif::Alif;
use barnowl_engine::equations::Equations;
use barnowl_engine::floats::Floats;
use barnowl_engine::integrator::Integrators;
use barnowl_engine::neurons::{Neurons, Shape, Sums};
use barnowl_engine::weights::{Use, Weights};
use barnowl_neuron::Threshold;
use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::Tensor;

/// The neurons of a layer.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a few a network")]
pub(super) enum Cell {
    Alif(Alif),
    Integrator(Integrators),
    Equations(Equations),
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
    /// Of each of the neurons' parameters, the value of every neuron, or one for all: τ_m and τ_adp in steps, or those of
    /// the equations.
    pub(super) parameters: Vec<Vec<f32>>,
    /// The length of a step, in the unit of the equations' parameters.
    pub(super) dt: f32,
    pub(super) initial: InitialState,
    /// The random stream of the initial state.
    pub(super) stream: u64,
}

/// The module of a layer.
#[derive(Clone, Copy)]
pub(super) enum Parameters<'a> {
    Alif(&'a AlifLayer),
    Integrator(&'a IntegratorLayer),
    Equations(&'a EquationsLayer),
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
            cell::Cell::Equations(layer) => Some(Self::Equations(layer)),
            cell::Cell::Gated(_) => None,
        });
        hidden.chain(readout)
    }

    pub(super) fn input(self) -> &'a Linear {
        match self {
            Self::Alif(layer) => &layer.input,
            Self::Integrator(layer) => &layer.input,
            Self::Equations(layer) => &layer.input,
        }
    }

    pub(super) fn recurrent(self) -> Option<&'a Linear> {
        match self {
            Self::Alif(layer) => layer.recurrent.as_ref(),
            Self::Integrator(_) => None,
            Self::Equations(layer) => layer.recurrent.as_ref(),
        }
    }

    /// What is trained of the neurons' parameters, in the order of their [values](Self::values).
    pub(super) fn trained(self) -> Vec<&'a Param<Tensor<1>>> {
        match self {
            Self::Alif(layer) => vec![&layer.tau_m.log_tau, &layer.tau_adp.log_tau],
            Self::Integrator(layer) => vec![&layer.tau_m.log_tau],
            Self::Equations(layer) => layer.parameters.raw().iter().collect(),
        }
    }

    /// The neurons' parameters: time constants in steps, or those of the equations.
    fn values(self) -> Vec<Vec<f32>> {
        let steps = |tau: &TrainedTimeConstants| tau.untracked_steps().into_data().iter().collect();
        match self {
            Self::Alif(layer) => vec![steps(&layer.tau_m), steps(&layer.tau_adp)],
            Self::Integrator(layer) => vec![steps(&layer.tau_m)],
            Self::Equations(layer) => layer.parameters.untracked(),
        }
    }

    /// The gradient of what is trained of the neurons' parameters, from sums of a layer.
    pub(super) fn gradients(self, layer: &LayerPlan, sums: &Sums) -> Vec<Vec<f32>> {
        let values = &layer.parameters;
        // dL/dlog τ = τ dL/dτ
        let log = |tau: &[f32], g: Vec<f32>| tau.iter().zip(g).map(|(tau, g)| tau * g).collect();
        match (self, &layer.cell) {
            (Self::Equations(module), Cell::Equations(cell)) => {
                let found = cell.parameter_gradients(sums, values, layer.dt);
                let of = |(number, g): (usize, Vec<f64>)| {
                    module.parameters.raw_gradient(number, &values[number], &g)
                };
                found.into_iter().enumerate().map(of).collect()
            }
            (_, Cell::Integrator(cell)) => {
                vec![log(&values[0], cell.tau_gradient(&values[0], &sums.constants))]
            }
            (_, Cell::Alif(cell)) => {
                let [of_m, of_adp] = cell.tau_gradients(sums, [&values[0], &values[1]]);
                vec![log(&values[0], of_m), log(&values[1], of_adp)]
            }
            (_, Cell::Equations(_)) => unreachable!("a plan is of its network"),
        }
    }
}

impl Cell {
    fn neurons(&self) -> &dyn Neurons {
        match self {
            Self::Alif(cell) => cell,
            Self::Integrator(cell) => cell,
            Self::Equations(cell) => cell,
        }
    }
}

impl LayerPlan {
    /// What runs.
    pub(super) fn neurons(&self) -> &dyn Neurons {
        self.cell.neurons()
    }

    /// The sizes of its arrays.
    pub(super) fn shape(&self) -> Shape {
        self.neurons().shape()
    }

    /// The layers of a network without bidirectional ones.
    pub(super) fn of(config: &NetworkConfig) -> Vec<Self> {
        let mut inputs = config.inputs;
        let mut layers = Vec::with_capacity(config.layers.len() + 1);
        for (place, layer) in config.layers.iter().enumerate() {
            let cell = match layer.neuron() {
                Some(neuron) => {
                    let trained = neuron.trained();
                    Cell::Equations(Equations::new(neuron.model, layer.size, &trained))
                }
                None => {
                    let threshold =
                        Threshold { b0: layer.b0, beta: layer.beta, resistance: layer.resistance };
                    Cell::Alif(Alif::new(layer.size, threshold))
                }
            };
            let plan = Self::new(cell, inputs, layer.initial_state, stream(place));
            let plan = Self { dt: layer.dt as f32, ..plan };
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
                Cell::Alif(Alif::new(readout.size, threshold))
            }
        };
        let stream = stream(config.layers.len());
        layers.push(Self::new(cell, inputs, readout.initial_state, stream));
        layers
    }

    fn new(cell: Cell, inputs: usize, initial: InitialState, stream: u64) -> Self {
        let Shape { neurons, width, .. } = cell.neurons().shape();
        Self {
            cell,
            inputs,
            neurons,
            width,
            input: Weights::default(),
            recurrent: None,
            bias: Floats::zeros(width),
            parameters: Vec::new(),
            dt: 1.0,
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
        self.parameters = parameters.values();
        match &mut self.cell {
            Cell::Alif(cell) => cell.set(&self.parameters[0], &self.parameters[1]),
            Cell::Integrator(cell) => cell.set(&self.parameters[0]),
            Cell::Equations(cell) => cell.set(&self.parameters, self.dt),
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

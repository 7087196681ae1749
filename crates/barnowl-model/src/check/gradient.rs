//! The adjoint against central differences, over an unrolled neuron.

use super::draw::Draw;
use super::smooth::Smooth;
use crate::model::Model;
use crate::program::Program;
use crate::trial::value;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// How many steps a gradient goes through.
const STEPS: usize = 40;

/// A gradient by both ways.
pub(super) struct Compared {
    /// Of what: a parameter, or `I`.
    pub(super) of: String,
    pub(super) adjoint: f64,
    pub(super) difference: f64,
    /// How far they lie apart, relative to their size, or to a thousandth of the largest of the draw.
    pub(super) error: f64,
    /// How far the differences of two widths lie apart, likewise: much beside the fold of a `min`, `max` or `abs`.
    pub(super) unsettled: f64,
}

/// A model made smooth.
pub(super) struct Unrolled<'a> {
    model: &'a Model,
    constants: Smooth,
    rest: Smooth,
    pub(super) step: Smooth,
}

/// The values that `stop` holds, of constants, states at rest, and every step.
struct Stopped {
    constants: Vec<f64>,
    rest: Vec<f64>,
    steps: Vec<Vec<f64>>,
}

/// What went into every step, what came out of it, and what was stopped.
struct Run {
    inputs: Vec<Vec<f64>>,
    outputs: Vec<Vec<f64>>,
    stopped: Stopped,
}

impl<'a> Unrolled<'a> {
    pub(super) fn new(model: &'a Model) -> Self {
        Self {
            model,
            constants: Smooth::new(model.constants()),
            rest: Smooth::new(model.rest()),
            step: Smooth::new(model.step()),
        }
    }

    /// The gradients of a weighted sum of states and spikes at all steps: by every parameter, and along a change of the
    /// currents. `parameters` has `dt` last; currents are about as large as `scale`.
    pub(super) fn compare(&self, parameters: &[f64], scale: f64, draw: &mut Draw) -> Vec<Compared> {
        // Smooth, never still, and of both signs.
        let phase = 6.0 * draw.unit();
        let currents: Vec<f64> =
            (0..STEPS).map(|t| scale * (0.5 + libm::sin(0.37 * t as f64 + phase))).collect();
        let along: Vec<f64> = (0..STEPS).map(|_| scale * draw.signed()).collect();
        let run = self.run(parameters, &currents);
        let weights = weights(&run.outputs, draw);
        let gradient = self.gradient(parameters, &run, &weights);

        let count = self.model.parameters().len();
        let names = self.model.parameters().iter().map(|parameter| parameter.name.text.as_str());
        let of_currents: f64 = gradient.currents.iter().zip(&along).map(|(g, d)| g * d).sum();
        let adjoints = gradient.parameters[..count].iter().copied().chain([of_currents]);
        let mut found: Vec<(Compared, f64)> = Vec::new();
        for (i, (of, adjoint)) in names.chain(["I"]).zip(adjoints).enumerate() {
            // A parameter moves by a part of its size, the currents by a part of `along`.
            let size = if i < count { parameters[i].abs().max(0.01) } else { 1.0 };
            let at = |h: f64| {
                let (mut parameters, mut currents) = (parameters.to_vec(), currents.clone());
                if i < count {
                    parameters[i] += h * size;
                } else {
                    currents.iter_mut().zip(&along).for_each(|(x, d)| *x += h * d);
                }
                self.objective(&parameters, &currents, &run.stopped, &weights)
            };
            // Of fourth order.
            let central = |h: f64| {
                (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h * size)
            };
            let (wide, difference) = (central(4e-4), central(2e-4));
            let (error, unsettled) = ((adjoint - difference).abs(), (wide - difference).abs());
            found.push((Compared { of: of.into(), adjoint, difference, error, unsettled }, size));
        }
        let largest = found.iter().map(|(c, size)| c.adjoint.abs() * size).fold(1e-9, f64::max);
        for (compared, size) in &mut found {
            let own = compared.adjoint.abs().max(compared.difference.abs()) * *size;
            let relative = *size / own.max(1e-3 * largest);
            compared.error *= relative;
            compared.unsettled *= relative;
        }
        found.into_iter().map(|(compared, _)| compared).collect()
    }

    /// Forward, remembering everything.
    fn run(&self, parameters: &[f64], currents: &[f64]) -> Run {
        let open = |smooth: &Smooth, inputs: &[f64], outputs: usize| {
            let mut values = value(&smooth.open, inputs);
            let stopped = values.split_off(outputs);
            (values, stopped)
        };
        let model = self.model;
        let (constants, of_constants) =
            open(&self.constants, parameters, model.constants().outputs().len());
        let (mut states, of_rest) = open(&self.rest, parameters, model.states().len());
        let mut run = Run {
            inputs: Vec::new(),
            outputs: Vec::new(),
            stopped: Stopped { constants: of_constants, rest: of_rest, steps: Vec::new() },
        };
        for &current in currents {
            let inputs = [&[current][..], &states, &constants].concat();
            let (outputs, stopped) = open(&self.step, &inputs, model.states().len() + 1);
            states.copy_from_slice(&outputs[..model.states().len()]);
            run.inputs.push(inputs);
            run.outputs.push(outputs);
            run.stopped.steps.push(stopped);
        }
        run
    }

    /// The weighted sum, with the stopped values held still.
    fn objective(
        &self,
        parameters: &[f64],
        currents: &[f64],
        stopped: &Stopped,
        weights: &[Vec<f64>],
    ) -> f64 {
        let constants = value(&self.constants.held, &[parameters, &stopped.constants].concat());
        let mut states = value(&self.rest.held, &[parameters, &stopped.rest].concat());
        let mut sum = 0.0;
        for ((&current, stopped), weights) in currents.iter().zip(&stopped.steps).zip(weights) {
            let inputs = [&[current][..], &states, &constants, stopped].concat();
            let outputs = value(&self.step.held, &inputs);
            sum += outputs.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>();
            states.copy_from_slice(&outputs[..self.model.states().len()]);
        }
        sum
    }

    /// Back through all steps.
    fn gradient(&self, parameters: &[f64], run: &Run, weights: &[Vec<f64>]) -> Gradient {
        let states = self.model.states().len();
        let mut of_states = vec![0.0; states];
        let mut of_constants = vec![0.0; self.model.constants().outputs().len()];
        let mut currents = vec![0.0; run.inputs.len()];
        for (t, (inputs, weights)) in run.inputs.iter().zip(weights).enumerate().rev() {
            let mut of_outputs = weights.clone();
            of_outputs.iter_mut().zip(&of_states).for_each(|(g, later)| *g += later);
            let found = value(&self.step.adjoint, &[&inputs[..], &of_outputs].concat());
            currents[t] = found[0];
            of_states.copy_from_slice(&found[1..=states]);
            of_constants.iter_mut().zip(&found[1 + states..]).for_each(|(sum, g)| *sum += g);
        }
        let through = |program: &Program, g: &[f64]| value(program, &[parameters, g].concat());
        let mut of_parameters = through(&self.constants.adjoint, &of_constants);
        let at_rest = through(&self.rest.adjoint, &of_states);
        of_parameters.iter_mut().zip(at_rest).for_each(|(sum, g)| *sum += g);
        Gradient { parameters: of_parameters, currents }
    }
}

struct Gradient {
    parameters: Vec<f64>,
    currents: Vec<f64>,
}

/// Weights of every output at every step, so that large states count no more than small ones.
fn weights(outputs: &[Vec<f64>], draw: &mut Draw) -> Vec<Vec<f64>> {
    let count = outputs.first().map_or(0, Vec::len);
    let largest: Vec<f64> =
        (0..count).map(|i| outputs.iter().map(|row| row[i].abs()).fold(1e-3, f64::max)).collect();
    outputs.iter().map(|_| largest.iter().map(|most| draw.signed() / most).collect()).collect()
}

//! One neuron by itself, under a current: what plots and checks are made of.

use crate::model::Model;
use crate::program::Program;
use crate::real::Real;
use crate::source::{Parameter, Start};
use alloc::vec;
use alloc::vec::Vec;

impl Parameter {
    /// The middle of how it starts.
    #[must_use]
    pub fn middle(&self) -> f32 {
        match self.start {
            Start::Value(value) => value,
            Start::Uniform(from, to) => from + 0.5 * (to - from),
            Start::Normal(mean, _) => mean,
        }
    }
}

impl Model {
    /// Its parameters in the middle of how they start.
    #[must_use]
    pub fn middle(&self) -> Vec<f64> {
        self.parameters().iter().map(|parameter| f64::from(parameter.middle())).collect()
    }
}

/// A neuron of a model, in double precision.
///
/// ```
/// use barnowl_model::{Neuron, built_in};
///
/// let model = built_in("lif")?;
/// let mut neuron = Neuron::new(&model, &model.middle(), 1.0);
/// let spikes: f64 = (0..100).map(|_| neuron.step(1.5)).sum();
/// assert_eq!(spikes, 4.0);
/// # Ok::<(), barnowl_model::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Neuron<'a> {
    model: &'a Model,
    /// What goes into a step: the current, the states, the constants.
    inputs: Vec<f64>,
    /// What comes out of it: the states, what is emitted.
    outputs: Vec<f64>,
}

impl<'a> Neuron<'a> {
    /// A neuron at rest, of these parameters and steps of `dt` ms.
    ///
    /// # Panics
    /// If there are not as many parameters as the model has.
    #[must_use]
    pub fn new(model: &'a Model, parameters: &[f64], dt: f64) -> Self {
        assert_eq!(parameters.len(), model.parameters().len(), "parameters of {}", model.name());
        let given = [parameters, &[dt]].concat();
        let rest = value(model.rest(), &given);
        let inputs = [&[0.0][..], &rest, &value(model.constants(), &given)].concat();
        Self { model, inputs, outputs: [rest, vec![0.0]].concat() }
    }

    /// One step of time under a current; what the neuron emits.
    pub fn step(&mut self, current: f64) -> f64 {
        self.inputs[0] = current;
        self.model.step().run(&self.inputs, &mut self.outputs, |_| 0.0);
        let states = self.model.states().len();
        self.inputs[1..=states].copy_from_slice(&self.outputs[..states]);
        self.outputs[states]
    }

    /// Its states, in the order of [`Model::states`].
    #[must_use]
    pub fn states(&self) -> &[f64] {
        &self.outputs[..self.outputs.len() - 1]
    }
}

/// The outputs of a program that has no surrogate.
pub(crate) fn value<T: Real>(program: &Program, inputs: &[T]) -> Vec<T> {
    let mut outputs = vec![T::default(); program.outputs().len()];
    program.run(inputs, &mut outputs, |_| T::default());
    outputs
}

/// The smallest constant current that makes a neuron spike within 1000 steps of `dt` ms, to 1 %: zero if it spikes without,
/// a negative one if no positive one does, and none if neither does up to 10⁶.
///
/// ```
/// let model = barnowl_model::built_in("lif")?;
/// let current = barnowl_model::rheobase(&model, &model.middle(), 1.0).unwrap();
/// assert!((current - 1.0).abs() < 0.01);
/// # Ok::<(), barnowl_model::Error>(())
/// ```
#[must_use]
pub fn rheobase(model: &Model, parameters: &[f64], dt: f64) -> Option<f64> {
    let spikes = |current: f64| {
        let mut neuron = Neuron::new(model, parameters, dt);
        (0..1000).any(|_| neuron.step(current) != 0.0)
    };
    if spikes(0.0) {
        return Some(0.0);
    }
    [1.0, -1.0].into_iter().find_map(|sign| {
        let mut low = 1e-5;
        while !spikes(sign * 2.0 * low) {
            low *= 2.0;
            if low > 1e6 {
                return None;
            }
        }
        let mut high = 2.0 * low;
        while high > 1.01 * low {
            let middle = 0.5 * (low + high);
            if spikes(sign * middle) { high = middle } else { low = middle }
        }
        Some(sign * high)
    })
}

/// Spikes a step of `dt` ms under a constant current, after the first `skip` of so many steps.
#[must_use]
pub fn rate(
    model: &Model,
    parameters: &[f64],
    dt: f64,
    current: f64,
    skip: usize,
    steps: usize,
) -> f64 {
    let mut neuron = Neuron::new(model, parameters, dt);
    let emitted: Vec<f64> = (0..steps).map(|_| neuron.step(current)).collect();
    let counted = emitted.get(skip..).unwrap_or(&[]);
    counted.iter().filter(|emitted| **emitted != 0.0).count() as f64 / counted.len().max(1) as f64
}

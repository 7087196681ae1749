//! The trained parameters of neurons that run from equations.
//!
//! What is trained is a parameter, its logarithm, or its place between the ends of its range, as its model says, so that no
//! step of training leaves the range. Files and plots hold the parameter itself.

use crate::weights::replace;
use barnowl_model::{Each, Parameter, Start, Transform};
use burn::module::{
    Content, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor, Param,
};
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

/// The smallest and the largest number that a logarithm is trained of, where the range has no end.
const LOGARITHMS: (f32, f32) = (1e-30, 1e30);

/// The parameters of a layer's neurons, by name.
#[derive(Debug, Clone)]
pub struct NeuronParameters {
    /// What is trained, `[H]` or, of one for the layer, `[1]`.
    raw: Vec<Param<Tensor<1>>>,
    parameters: Vec<Parameter>,
}

impl NeuronParameters {
    /// Draws the parameters of `neurons` neurons.
    pub(crate) fn init(
        parameters: &[Parameter],
        neurons: usize,
        device: &Device,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let raw = parameters.iter().map(|parameter| {
            let count = if parameter.each == Each::Layer { 1 } else { neurons };
            let values: Vec<f32> =
                (0..count).map(|_| to_raw(parameter, draw(parameter, rng))).collect();
            let raw =
                Param::from_tensor(Tensor::from_data(TensorData::new(values, [count]), device));
            if parameter.trained { raw } else { raw.set_require_grad(false) }
        });
        Self { raw: raw.collect(), parameters: parameters.to_vec() }
    }

    /// What each parameter is.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// What is trained of each.
    pub(crate) fn raw(&self) -> &[Param<Tensor<1>>] {
        &self.raw
    }

    /// The same, to be replaced.
    pub(crate) fn raw_mut(&mut self) -> impl Iterator<Item = (&Parameter, &mut Param<Tensor<1>>)> {
        self.parameters.iter().zip(&mut self.raw)
    }

    /// The parameters, `[H]` or `[1]` each, differentiable.
    #[must_use]
    pub fn values(&self) -> Vec<Tensor<1>> {
        self.parameters.iter().zip(&self.raw).map(|(p, raw)| value(p, raw.val())).collect()
    }

    /// The same numbers, outside the autodiff graph.
    pub(crate) fn untracked(&self) -> Vec<Vec<f32>> {
        let of = |(p, raw): (&Parameter, &Param<Tensor<1>>)| {
            value(p, raw.val().detach()).into_data().iter().collect()
        };
        self.parameters.iter().zip(&self.raw).map(of).collect()
    }

    /// The gradient of what is trained, from that of the parameter at these values; one for the layer is the sum of all.
    pub(crate) fn raw_gradient(&self, number: usize, values: &[f32], g: &[f64]) -> Vec<f32> {
        let parameter = &self.parameters[number];
        let slope = |value: f32| match parameter.transform {
            Transform::Free => 1.0,
            Transform::Log => f64::from(value),
            Transform::Interval => f64::from(parameter.range.1) - f64::from(parameter.range.0),
        };
        match parameter.each {
            Each::Layer => vec![(g.iter().sum::<f64>() * slope(values[0])) as f32],
            Each::Neuron => {
                values.iter().zip(g).map(|(value, g)| (g * slope(*value)) as f32).collect()
            }
        }
    }

    /// Brings parameters that a step has carried out of range back to its edge.
    pub(crate) fn project(&mut self) {
        for (parameter, raw) in self.raw_mut() {
            let (low, high) = raw_range(parameter);
            let data = raw.val().into_data();
            let values: Vec<f32> = data.iter().collect();
            if values.iter().any(|x| !(low..=high).contains(x)) {
                let inside: Vec<f32> = values.iter().map(|x| x.clamp(low, high)).collect();
                let shape = [inside.len()];
                replace(raw, |device| Tensor::from_data(TensorData::new(inside, shape), device));
            }
        }
    }
}

/// What is trained of a value.
pub(crate) fn to_raw(parameter: &Parameter, value: f32) -> f32 {
    let (low, high) = parameter.range;
    match parameter.transform {
        Transform::Free => value,
        Transform::Log => f64::from(value).ln() as f32,
        Transform::Interval => ((value - low) / (high - low)).clamp(0.0, 1.0),
    }
}

/// The range of what is trained.
fn raw_range(parameter: &Parameter) -> (f32, f32) {
    let (low, high) = parameter.range;
    match parameter.transform {
        Transform::Free => (low, high),
        Transform::Log => {
            let (least, most) = LOGARITHMS;
            let low = if low > 0.0 { low } else { least.min(high) };
            let high = if high.is_finite() { high } else { most.max(low) };
            (to_raw(parameter, low), to_raw(parameter, high))
        }
        Transform::Interval => (0.0, 1.0),
    }
}

/// The parameter of what is trained, kept in range.
pub(crate) fn value(parameter: &Parameter, raw: Tensor<1>) -> Tensor<1> {
    let (low, high) = parameter.range;
    let value = match parameter.transform {
        Transform::Free => raw,
        Transform::Log => {
            let (low, high) = raw_range(parameter);
            raw.clamp(low, high).exp()
        }
        Transform::Interval => raw * (high - low) + low,
    };
    // At the ends, rounding may lead out by a last digit. The gradient is that of what stands above.
    let inside = value.clone().detach().clamp(low.max(f32::MIN), high.min(f32::MAX));
    value.clone() + (inside - value.detach())
}

/// A start of one neuron.
fn draw(parameter: &Parameter, rng: &mut ChaCha8Rng) -> f32 {
    match parameter.start {
        Start::Value(value) => value,
        Start::Uniform(low, high) => low + (high - low) * rng.random::<f32>(),
        Start::Normal(mean, deviation) => {
            let Ok(normal) = Normal::new(f64::from(mean), f64::from(deviation)) else {
                return mean;
            };
            let draws = (0..100).map(|_| normal.sample(rng) as f32);
            draws.into_iter().find(|value| parameter.allows(*value)).unwrap_or(mean)
        }
    }
}

/// Every parameter is a module under its own name, so that files and messages name it.
impl Module for NeuronParameters {
    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        for (parameter, raw) in self.parameters.iter().zip(&self.raw) {
            visitor.enter_module(&parameter.name.text, "NeuronParameters");
            raw.visit(visitor);
            visitor.exit_module(&parameter.name.text, "NeuronParameters");
        }
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        let Self { raw, parameters } = self;
        let mapped = parameters.iter().zip(raw).map(|(parameter, raw)| {
            mapper.enter_module(&parameter.name.text, "NeuronParameters");
            let raw = Module::map(raw, mapper);
            mapper.exit_module(&parameter.name.text, "NeuronParameters");
            raw
        });
        Self { raw: mapped.collect(), parameters }
    }

    fn collect_devices(&self, devices: Vec<Device>) -> Vec<Device> {
        self.raw.collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        Self { raw: self.raw.fork(device), parameters: self.parameters }
    }

    fn to_device(self, device: &Device) -> Self {
        Self { raw: self.raw.to_device(device), parameters: self.parameters }
    }

    fn train(self) -> Self {
        Self { raw: self.raw.train(), parameters: self.parameters }
    }

    fn valid(&self) -> Self {
        Self { raw: self.raw.valid(), parameters: self.parameters.clone() }
    }

    fn materialize(self) -> Self {
        Self { raw: self.raw.materialize(), parameters: self.parameters }
    }
}

impl ModuleDisplayDefault for NeuronParameters {
    fn content(&self, content: Content) -> Option<Content> {
        let all = self.parameters.iter().zip(&self.raw);
        all.fold(content, |content, (parameter, raw)| content.add(&parameter.name.text, raw))
            .optional()
    }
}

impl ModuleDisplay for NeuronParameters {}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    fn parameter(transform: Transform, range: (f32, f32), start: Start) -> Parameter {
        Parameter { transform, range, start, ..Parameter::new("x", 1.0) }
    }

    fn of(parameter: &Parameter) -> NeuronParameters {
        let rng = &mut ChaCha8Rng::seed_from_u64(3);
        NeuronParameters::init(std::slice::from_ref(parameter), 50, &Device::flex(), rng)
    }

    #[test]
    fn what_is_drawn_is_in_range_and_comes_back() {
        for (transform, range) in [
            (Transform::Free, (-1.0, 30.0)),
            (Transform::Log, (0.0, f32::INFINITY)),
            (Transform::Interval, (5.0, 25.0)),
        ] {
            for start in [Start::Value(7.0), Start::Uniform(6.0, 25.0), Start::Normal(8.0, 5.0)] {
                let parameter = parameter(transform, range, start);
                let values = &of(&parameter).untracked()[0];
                assert!(values.iter().all(|x| parameter.allows(*x)), "{values:?}");
                if start == Start::Value(7.0) {
                    assert!(values.iter().all(|x| (x - 7.0).abs() < 1e-5), "{values:?}");
                } else {
                    assert!(values.iter().any(|x| (x - values[0]).abs() > 1.0), "{values:?}");
                }
            }
        }
    }

    #[test]
    fn no_step_leaves_the_range() {
        for (transform, range) in [
            (Transform::Free, (-1.0, 3.0)),
            (Transform::Log, (0.0, f32::INFINITY)),
            (Transform::Log, (0.5, 2.0)),
            (Transform::Log, (1.0, 200.0)),
            (Transform::Log, (0.9, 2000.0)),
            (Transform::Log, (0.7, 25.0)),
            (Transform::Interval, (-5.0, 25.0)),
            (Transform::Interval, (-1.0, 1.2)),
            (Transform::Interval, (-0.1, 1.1)),
        ] {
            let parameter = parameter(transform, range, Start::Value(1.0));
            for step in [-1e6, 1e6] {
                let mut parameters = of(&parameter);
                for (_, raw) in parameters.raw_mut() {
                    replace(raw, |device| Tensor::full([50], step, device));
                }
                parameters.project();
                let values = &parameters.untracked()[0];
                assert!(values.iter().all(|x| parameter.allows(*x)), "{transform:?}: {values:?}");
            }
        }
    }

    #[test]
    fn gradients_of_what_is_trained_are_those_of_burn() {
        for (transform, range) in [
            (Transform::Free, (-1.0, 30.0)),
            (Transform::Log, (0.0, f32::INFINITY)),
            (Transform::Interval, (5.0, 25.0)),
        ] {
            for each in [Each::Neuron, Each::Layer] {
                let parameter =
                    Parameter { each, ..parameter(transform, range, Start::Uniform(6.0, 20.0)) };
                let rng = &mut ChaCha8Rng::seed_from_u64(3);
                let device = Device::flex().autodiff();
                let parameters = NeuronParameters::init(&[parameter], 4, &device, rng);
                let weights = Tensor::<1>::from_floats([1.0, -2.0, 0.5, 3.0], &device);
                let value = parameters.values()[0].clone();
                let gradients = (value.expand([4]) * weights).sum().backward();
                let expected = parameters.raw()[0].val().grad(&gradients).unwrap();
                let expected: Vec<f32> = expected.into_data().iter().collect();
                let values = &parameters.untracked()[0];
                let found = parameters.raw_gradient(0, values, &[1.0, -2.0, 0.5, 3.0]);
                assert_eq!(found.len(), expected.len());
                for (found, expected) in found.iter().zip(&expected) {
                    assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0));
                }
            }
        }
    }
}

//! A network's parameters as named tensors, and back.
//!
//! Names and shapes are those of PyTorch state dicts: `layers.N.input.weight` `[out, in]`, `.input.bias`,
//! `.recurrent.weight`, `.recurrent.bias`, `.tau_m`, `.tau_adp`, or the parameters of neurons that run from their equations
//! (with `.forward` and `.backward` before them in bidirectional layers), `readout.input.weight`, …, and
//! `encoder.threshold` of inputs that are encoded. Gated cells have no time constants, and their weights hold a block of rows
//! for every gate, as PyTorch's `weight_ih_l0` and `weight_hh_l0` do. Time constants are in the units of the layer's `dt`.

use crate::cell::equations::{self, EquationsLayer};
use crate::cell::{Cell, alif::AlifLayer};
use crate::error::{Error, Result};
use crate::exchange::{self, NamedTensor, Shapes, TensorMap};
use crate::network::{Network, NetworkConfig};
use crate::neuron::{TAU_MAX, TAU_MIN, TrainedTimeConstants};
use crate::readout::Readout;
use crate::trained_threshold::LEAST_THRESHOLD;
use crate::weights::replace;
use barnowl_model::{Parameter, Transform};
use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData};

/// The name of the threshold of the inputs.
const THRESHOLD: &str = "encoder.threshold";

/// In which form time constants are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeConstantForm {
    /// τ, in the units of `dt`, under `tau_m` and `tau_adp`: for models, import and export.
    Tau,
    /// log(τ/dt), the trained number itself, under `log_tau_m` and `log_tau_adp`: for checkpoints, bit for bit.
    Log,
}

/// One parameter on its way in or out.
enum Slot<'a> {
    /// `[in, out]` here, `[out, in]` in files.
    Weight(&'a mut Param<Tensor<2>>),
    Bias(&'a mut Param<Tensor<1>>),
    TimeConstants(&'a mut TrainedTimeConstants, f64),
    /// θ of the inputs, `[1]`.
    Threshold(&'a mut Param<Tensor<1>>),
    /// A parameter of neurons that run from their equations.
    Neuron(&'a Parameter, &'a mut Param<Tensor<1>>),
}

impl Network {
    /// All parameters by name.
    #[must_use]
    pub fn tensors(&self, config: &NetworkConfig, form: TimeConstantForm) -> TensorMap {
        let mut tensors = TensorMap::new();
        // Cloning shares the tensors; one walk serves both directions.
        self.clone().walk(config, form, |name, slot| {
            tensors.insert(name, slot.read(form));
        });
        tensors
    }

    /// A network of this configuration with the given parameters.
    ///
    /// # Errors
    ///
    /// If the configuration is not valid; or one error that lists every missing, unexpected or misshapen tensor.
    pub fn from_tensors(
        config: &NetworkConfig,
        tensors: &TensorMap,
        form: TimeConstantForm,
        device: &Device,
    ) -> Result<Self> {
        let expected = Self::shapes(config, tensors, form)?;
        exchange::check(tensors, &expected)?;
        let mut network = config.blank().init(device, 0)?;
        let mut checked = Ok(());
        network.walk(config, form, |name, slot| {
            let tensor = &tensors[&name];
            if checked.is_ok() {
                checked = match (&slot, form) {
                    (Slot::Neuron(parameter, _), TimeConstantForm::Tau) => {
                        check_range(&name, parameter, &tensor.values)
                    }
                    (Slot::TimeConstants(..), TimeConstantForm::Tau) => {
                        check_values(&name, &tensor.values, "a positive time constant")
                    }
                    (Slot::Threshold(_), _) => {
                        check_values(&name, &tensor.values, "a positive threshold")
                    }
                    _ => check_values(&name, &tensor.values, FINITE),
                };
            }
            slot.write(tensor, form);
        });
        checked.map(|()| network)
    }

    /// The parameters that a network of this configuration has.
    ///
    /// # Errors
    ///
    /// If the configuration is not valid, or has far more weights than `tensors` could fill.
    pub(crate) fn shapes(
        config: &NetworkConfig,
        tensors: &TensorMap,
        form: TimeConstantForm,
    ) -> Result<Shapes> {
        config.validate("network")?;
        // Not made before it is known that the file could fill it: its sizes may be nonsense.
        let (weights, found) = (config.weights(), numbers(tensors));
        if weights > found.saturating_add(SPARE_WEIGHTS) {
            return Err(Error::mismatch(format!(
                "the tensors hold {found} numbers, and this network has {weights} weights or more"
            ))
            .remedy("check that the file and the configuration describe the same network"));
        }
        let mut network = config.blank().init(&Device::flex(), 0)?;
        let mut shapes = Shapes::new();
        network.walk(config, form, |name, slot| {
            shapes.insert(name, slot.read(form).shape);
        });
        Ok(shapes)
    }

    /// Brings time constants and thresholds that a step has carried out of range back to its edge.
    pub(crate) fn project(&mut self, config: &NetworkConfig) {
        self.walk(config, TimeConstantForm::Log, |_, slot| match slot {
            Slot::TimeConstants(constants, _) => constants.project(),
            Slot::Threshold(threshold) => {
                let clamped = threshold.val().detach().clamp_min(LEAST_THRESHOLD);
                replace(threshold, |_| clamped);
            }
            Slot::Weight(_) | Slot::Bias(_) | Slot::Neuron(..) => {}
        });
        for layer in &mut self.layers {
            for cell in [Some(&mut layer.forward), layer.backward.as_mut()].into_iter().flatten() {
                if let Cell::Equations(layer) = cell {
                    layer.parameters.project();
                }
            }
        }
        if let Readout::Equations(layer) = &mut self.readout {
            layer.parameters.project();
        }
    }

    /// Visits every parameter under its name.
    fn walk(
        &mut self,
        config: &NetworkConfig,
        form: TimeConstantForm,
        mut visit: impl FnMut(String, Slot<'_>),
    ) {
        if let Some(encoder) = &mut self.encoder {
            visit(THRESHOLD.to_owned(), Slot::Threshold(&mut encoder.threshold));
        }
        for (i, (layer, config)) in self.layers.iter_mut().zip(&config.layers).enumerate() {
            let dt = config.dt;
            match &mut layer.backward {
                None => walk_cell(&mut layer.forward, &format!("layers.{i}"), dt, form, &mut visit),
                Some(backward) => {
                    let forward = &mut layer.forward;
                    walk_cell(forward, &format!("layers.{i}.forward"), dt, form, &mut visit);
                    walk_cell(backward, &format!("layers.{i}.backward"), dt, form, &mut visit);
                }
            }
        }
        let dt = config.readout.dt;
        match &mut self.readout {
            Readout::Alif(layer) => walk_alif(layer, "readout", dt, form, &mut visit),
            Readout::Dense(layer) => walk_dense(&mut layer.input, "readout.input", &mut visit),
            Readout::Equations(layer) => walk_equations(layer, "readout", form, &mut visit),
            Readout::LeakyIntegrator(layer) => {
                walk_dense(&mut layer.input, "readout.input", &mut visit);
                let name = format!("readout.{}", tau_name("tau_m", form));
                visit(name, Slot::TimeConstants(&mut layer.tau_m, dt));
            }
        }
    }
}

/// A network of so many weights more than a file holds is still made, for an error that lists every tensor.
const SPARE_WEIGHTS: usize = 1 << 24;

/// How many numbers there are in all.
fn numbers(tensors: &TensorMap) -> usize {
    tensors.values().map(|tensor| tensor.values.len()).sum()
}

const FINITE: &str = "a finite number";

/// Refuses what no network can run with: numbers that are not finite and, unless any [finite](FINITE) one is expected, those
/// that are not positive.
fn check_values(name: &str, values: &[f32], expected: &str) -> Result<()> {
    let positive = expected != FINITE;
    let is_bad = |x: &f32| !x.is_finite() || (positive && *x <= 0.0);
    let bad: Vec<usize> = (0..values.len()).filter(|&i| is_bad(&values[i])).collect();
    let Some(&first) = bad.first() else {
        return Ok(());
    };
    let error = Error::format(format!("{name}, element {first} is {}", values[first]));
    let error = error.expected(expected);
    let others: Vec<String> = bad[1..].iter().map(usize::to_string).collect();
    let error = match others.len() {
        0 => error,
        1..=20 => error.also(format!("so are elements {}", others.join(", "))),
        n => error.also(format!("so are {n} more, up to element {}", others[n - 1])),
    };
    Err(error)
}

/// Refuses parameters of neurons beyond the range that their model gives.
fn check_range(name: &str, parameter: &Parameter, values: &[f32]) -> Result<()> {
    match values.iter().position(|value| !parameter.allows(*value)) {
        None => Ok(()),
        Some(at) => {
            let (low, high) = parameter.range;
            Err(Error::format(format!("{name}, element {at} is {}", values[at]))
                .expected(format!("{low} to {high}, the range of {}", parameter.name.text)))
        }
    }
}

/// Whether a tensor of this name holds time constants.
pub(crate) fn is_time_constant(name: &str) -> bool {
    name.ends_with(".tau_m") || name.ends_with(".tau_adp")
}

fn walk_cell(
    cell: &mut Cell,
    prefix: &str,
    dt: f64,
    form: TimeConstantForm,
    visit: &mut impl FnMut(String, Slot<'_>),
) {
    match cell {
        Cell::Alif(layer) => walk_alif(layer, prefix, dt, form, visit),
        Cell::Gated(layer) => {
            walk_dense(&mut layer.input, &format!("{prefix}.input"), visit);
            walk_dense(&mut layer.recurrent, &format!("{prefix}.recurrent"), visit);
        }
        Cell::Equations(layer) => walk_equations(layer, prefix, form, visit),
    }
}

fn walk_equations(
    layer: &mut EquationsLayer,
    prefix: &str,
    form: TimeConstantForm,
    visit: &mut impl FnMut(String, Slot<'_>),
) {
    walk_dense(&mut layer.input, &format!("{prefix}.input"), visit);
    if let Some(recurrent) = &mut layer.recurrent {
        walk_dense(recurrent, &format!("{prefix}.recurrent"), visit);
    }
    for (parameter, raw) in layer.parameters.raw_mut() {
        let name = &parameter.name.text;
        let name = match (form, parameter.transform) {
            (TimeConstantForm::Tau, _) | (_, Transform::Free) => name.clone(),
            // With a sign that no name of one's own has.
            (TimeConstantForm::Log, Transform::Log) => format!("{name}.log"),
            (TimeConstantForm::Log, Transform::Interval) => format!("{name}.place"),
        };
        visit(format!("{prefix}.{name}"), Slot::Neuron(parameter, raw));
    }
}

fn walk_alif(
    layer: &mut AlifLayer,
    prefix: &str,
    dt: f64,
    form: TimeConstantForm,
    visit: &mut impl FnMut(String, Slot<'_>),
) {
    walk_dense(&mut layer.input, &format!("{prefix}.input"), visit);
    if let Some(recurrent) = &mut layer.recurrent {
        walk_dense(recurrent, &format!("{prefix}.recurrent"), visit);
    }
    for (name, constants) in [("tau_m", &mut layer.tau_m), ("tau_adp", &mut layer.tau_adp)] {
        let name = format!("{prefix}.{}", tau_name(name, form));
        visit(name, Slot::TimeConstants(constants, dt));
    }
}

fn walk_dense(dense: &mut Linear, prefix: &str, visit: &mut impl FnMut(String, Slot<'_>)) {
    visit(format!("{prefix}.weight"), Slot::Weight(&mut dense.weight));
    if let Some(bias) = &mut dense.bias {
        visit(format!("{prefix}.bias"), Slot::Bias(bias));
    }
}

fn tau_name(name: &str, form: TimeConstantForm) -> String {
    match form {
        TimeConstantForm::Tau => name.to_owned(),
        TimeConstantForm::Log => format!("log_{name}"),
    }
}

impl Slot<'_> {
    fn read(&self, form: TimeConstantForm) -> NamedTensor {
        match self {
            Slot::Weight(weight) => named(weight.val().detach().transpose()),
            Slot::Bias(values) | Slot::Threshold(values) => named(values.val()),
            Slot::Neuron(parameter, raw) => match form {
                TimeConstantForm::Log => named(raw.val()),
                TimeConstantForm::Tau => named(equations::value(parameter, raw.val().detach())),
            },
            Slot::TimeConstants(constants, dt) => match form {
                TimeConstantForm::Log => named(constants.log_tau.val()),
                TimeConstantForm::Tau => {
                    let mut tau = named(constants.log_tau.val());
                    for value in &mut tau.values {
                        // What the forward pass uses, which keeps τ in range.
                        let steps = f64::from(*value).exp().clamp(TAU_MIN, TAU_MAX);
                        *value = (steps * dt) as f32;
                    }
                    tau
                }
            },
        }
    }

    /// The shape has been checked.
    fn write(self, tensor: &NamedTensor, form: TimeConstantForm) {
        let data = TensorData::new(tensor.values.clone(), tensor.shape.clone());
        match self {
            Slot::Weight(weight) => {
                replace(weight, |device| Tensor::from_data(data, device).transpose())
            }
            Slot::Bias(values) | Slot::Threshold(values) => {
                replace(values, |device| Tensor::from_data(data, device));
            }
            Slot::Neuron(parameter, raw) => {
                let mut tensor = tensor.clone();
                if form == TimeConstantForm::Tau {
                    let to_raw = |value: &mut f32| *value = equations::to_raw(parameter, *value);
                    tensor.values.iter_mut().for_each(to_raw);
                }
                let data = TensorData::new(tensor.values, tensor.shape);
                replace(raw, |device| Tensor::from_data(data, device));
            }
            Slot::TimeConstants(constants, dt) => match form {
                TimeConstantForm::Log => {
                    replace(&mut constants.log_tau, |device| Tensor::from_data(data, device));
                }
                TimeConstantForm::Tau => {
                    let steps: Vec<f64> =
                        tensor.values.iter().map(|tau| f64::from(*tau) / dt).collect();
                    constants.set(&steps);
                }
            },
        }
    }
}

/// `tensor` is read outside the autodiff graph, which would keep it.
fn named<const D: usize>(tensor: Tensor<D>) -> NamedTensor {
    let shape = tensor.dims().to_vec();
    let values = tensor.into_data().try_to_vec().expect("parameters are 32-bit floats");
    NamedTensor { shape, values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerConfig;
    use crate::loss::{Decoder, DecoderKind};
    use crate::neuron::TimeConstants;
    use crate::readout::{ReadoutConfig, ReadoutKind};

    fn config() -> NetworkConfig {
        let tau = TimeConstants::LogUniform { low: 0.5, high: 5000.0 };
        let layer =
            LayerConfig { dt: 4.0, tau_m: tau, bidirectional: true, ..LayerConfig::new(50) };
        NetworkConfig {
            inputs: 3,
            layers: vec![layer, LayerConfig { recurrent: false, ..LayerConfig::new(5) }],
            readout: ReadoutConfig::new(ReadoutKind::LeakyIntegrator, 2),
            decode: Decoder::new(DecoderKind::LastMembrane),
            surrogate: Default::default(),
            encoder: None,
            repeat: 1,
        }
    }

    #[test]
    fn both_forms_come_back() {
        let (config, device) = (config(), Device::flex());
        let network = config.init(&device, 7).unwrap();
        for form in [TimeConstantForm::Log, TimeConstantForm::Tau] {
            let tensors = network.tensors(&config, form);
            let again = Network::from_tensors(&config, &tensors, form, &device).unwrap();
            let again = again.tensors(&config, form);
            for (name, tensor) in &tensors {
                for (a, b) in tensor.values.iter().zip(&again[name].values) {
                    // log τ to the bit, τ to 10⁻⁶.
                    let same = a == b || (name.contains(".tau_") && (a / b - 1.0).abs() < 1e-6);
                    assert!(same, "{name}: {a} came back as {b}");
                }
            }
        }
        let tau = &network.tensors(&config, TimeConstantForm::Tau)["layers.0.forward.tau_m"];
        assert!(tau.values.iter().all(|tau| (0.49..5001.0).contains(tau)));
    }

    #[test]
    fn a_network_is_not_made_before_its_file_could_fill_it() {
        let (mut config, device) = (config(), Device::flex());
        let form = TimeConstantForm::Tau;
        let tensors = config.init(&device, 7).unwrap().tensors(&config, form);
        let refused = |config: &NetworkConfig| {
            Network::from_tensors(config, &tensors, form, &device).unwrap_err().to_string()
        };
        // Orthogonal weights of this size would take hours.
        config.layers[0].size = 30_000;
        let error = refused(&config);
        assert!(error.contains("weights or more"), "{error}");
        config.layers[0].size = 51;
        let error = refused(&config);
        assert!(error.contains("misshapen: layers.0.forward.input.weight is [50, 3]"), "{error}");
    }

    #[test]
    fn impossible_values_are_named() {
        let (config, device) = (config(), Device::flex());
        let form = TimeConstantForm::Tau;
        let tensors = config.init(&device, 7).unwrap().tensors(&config, form);
        for (name, value) in [("layers.1.tau_m", 0.0), ("layers.1.input.bias", f32::NAN)] {
            let mut bad = tensors.clone();
            bad.get_mut(name).unwrap().values[4] = value;
            let error = Network::from_tensors(&config, &bad, form, &device).unwrap_err();
            assert!(error.to_string().contains(&format!("{name}, element 4")), "{error}");
        }
    }
}

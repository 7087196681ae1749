//! Gradient clipping.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, Transaction};
use serde::{Deserialize, Serialize};

use super::require;
use crate::device::is_cpu;
use crate::error::{Error, Result};
use barnowl_engine::simd::{Isa, dispatch};

/// How gradients are bounded before a step; in TOML `{ norm = 50.0 }` or `{ value = 1.0 }`.
///
/// Burn clips the norm of each parameter by itself, which changes the direction of the step. Here the norm is that of
/// all gradients together, as in `torch.nn.utils.clip_grad_norm_`:
///
/// ```text
/// ‖g‖ = √(Σ_parameters Σ_elements g²)        g ← g · min(1, c / (‖g‖ + 10⁻⁶))
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GradientClipping {
    /// Scale all gradients together so that their common norm is at most this.
    /// Range: more than 0.
    Norm(f64),
    /// Clamp each element to at most this magnitude.
    /// Range: more than 0.
    Value(f64),
}

impl GradientClipping {
    /// Checks the bound; `section` is the name of the key in messages, such as `"clipping"`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::error::ErrorKind::Config) if the bound is not a positive number.
    pub fn validate(&self, section: &str) -> Result<()> {
        let (name, bound) = match *self {
            Self::Norm(bound) => ("norm", bound),
            Self::Value(bound) => ("value", bound),
        };
        let allowed = bound > 0.0 && bound.is_finite();
        require(allowed, section, name, bound, "a positive number")
    }

    /// Bounds the gradient of one parameter; `norm` is the [norm](gradient_norm) over all of them.
    pub(super) fn clip<const D: usize>(self, gradient: Tensor<D>, norm: f64) -> Tensor<D> {
        match self {
            Self::Norm(bound) => {
                let scale = bound / (norm + 1e-6);
                if scale < 1.0 { gradient.mul_scalar(scale) } else { gradient }
            }
            Self::Value(bound) => gradient.clamp(-bound, bound),
        }
    }
}

/// The Euclidean norm over the gradients of all parameters of `module`.
///
/// Summed in a fixed order, so that the result does not depend on the number of threads; on the processor in double
/// precision.
///
/// # Errors
///
/// [`ErrorKind::Divergence`](crate::error::ErrorKind::Divergence), naming the first parameter whose gradient is not
/// finite.
///
/// The gradients are the same afterwards; they are taken out for a moment, since a shared tensor could only be read by
/// copying it.
pub fn gradient_norm<M: Module>(module: &M, gradients: &mut GradientsParams) -> Result<f64> {
    let mut visitor = NormVisitor { gradients, path: Vec::new(), squares: Squares::default() };
    module.visit(&mut visitor);
    let norm = visitor.squares.norm();
    norm.map_err(|path| diverged(&format!("the gradient of {}", name_in_files(module, &path))))
}

struct NormVisitor<'a> {
    gradients: &'a mut GradientsParams,
    path: Vec<String>,
    squares: Squares,
}

impl ModuleVisitor for NormVisitor<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return;
        };
        let gradient = self.squares.add(self.path.join("."), gradient);
        self.gradients.register(param.id, gradient);
    }
}

/// Σ x² over many tensors in double precision, where no square of a single-precision number overflows: finite if and only
/// if every element is.
#[derive(Default)]
pub(super) struct Squares {
    /// Of every tensor on the processor, by path.
    sums: Vec<(String, f64)>,
    /// Paths of tensors elsewhere, and the sums of their rows. They are read together: a read waits for the device.
    elsewhere: Vec<String>,
    rows: Transaction,
}

impl Squares {
    /// Counts the elements of a tensor in. Returns it, not copied if no one else has it.
    pub(super) fn add<const D: usize>(&mut self, path: String, tensor: Tensor<D>) -> Tensor<D> {
        let device = tensor.device();
        if !is_cpu(&device) {
            // Where it is, in single precision: a norm above 10¹⁹ counts as divergence. Row by row, since a sum of
            // everything depends on the order of the day there.
            let rows = tensor.clone().square().sum_dim(D - 1);
            self.rows = std::mem::take(&mut self.rows).register(rows);
            self.elsewhere.push(path);
            return tensor;
        }
        let data = tensor.into_data_as::<f32>();
        let sum = squares(data.as_slice().expect("converted to f32 one line above"));
        self.sums.push((path, sum));
        Tensor::from_data(data, &device)
    }

    /// √Σ x², or the path of the first tensor that is not finite.
    pub(super) fn norm(self) -> std::result::Result<f64, String> {
        let read = if self.elsewhere.is_empty() { Vec::new() } else { self.rows.execute() };
        let rows = read.into_iter().map(|rows| {
            let rows = rows.convert::<f32>();
            let rows = rows.as_slice::<f32>().expect("converted to f32 one line above");
            rows.iter().map(|row| f64::from(*row)).sum()
        });
        let mut total = 0.0;
        for (path, sum) in self.sums.into_iter().chain(self.elsewhere.into_iter().zip(rows)) {
            if !f64::is_finite(sum) {
                return Err(path);
            }
            total += sum;
        }
        Ok(total.sqrt())
    }
}

dispatch! {
    fn squares(values: &[f32]) -> f64 = squares_kernel
}

/// Eight partial sums, element i in sum i mod 8, let the compiler vectorise it.
#[inline(always)]
fn squares_kernel<I: Isa>(_: I, values: &[f32]) -> f64 {
    let mut sums = [0f64; 8];
    let (eights, rest) = values.as_chunks::<8>();
    for eight in eights {
        for i in 0..8 {
            sums[i] += f64::from(eight[i]) * f64::from(eight[i]);
        }
    }
    for (sum, &x) in sums.iter_mut().zip(rest) {
        *sum += f64::from(x) * f64::from(x);
    }
    sums.iter().sum()
}

/// The name that the parameter at `path` has in files: variants of enumerations are not named there, a direction of time only
/// where there are two, and time constants not as logarithms, and what is trained of a neuron's parameter by the
/// parameter's name.
pub(super) fn name_in_files<M: Module>(module: &M, path: &str) -> String {
    struct Paths {
        here: Vec<String>,
        all: Vec<String>,
    }
    impl ModuleVisitor for Paths {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.here.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.here.pop();
        }
        fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {
            self.all.push(self.here.join("."));
        }
    }
    let mut paths = Paths { here: Vec::new(), all: Vec::new() };
    module.visit(&mut paths);
    let mut name: Vec<&str> = Vec::new();
    let mut before = String::new();
    // The parameters of neurons have names of one's own.
    let (path, own) = match path.split_once(".parameters.") {
        Some((path, own)) => (path, Some(own)),
        None => (path, None),
    };
    for part in path.split('.') {
        let backward = format!("{before}backward.");
        let one_way =
            part == "forward" && !paths.all.iter().any(|path| path.starts_with(&backward));
        let variant = part.starts_with(char::is_uppercase);
        let logarithm =
            part == "log_tau" && name.last().is_some_and(|last| last.starts_with("tau"));
        if !(one_way || variant || logarithm) {
            name.push(part);
        }
        before = format!("{before}{part}.");
    }
    name.extend(own);
    name.join(".")
}

/// The error of a training run that left the real numbers.
pub(super) fn diverged(what: &str) -> Error {
    Error::divergence(format!("{what} is no longer a finite number"))
        .remedy("lower the learning rate, or clip the gradients")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::optimizer::toy::{Toy, bits};
    use proptest::prelude::*;

    #[test]
    fn the_norm_is_taken_over_all_parameters() {
        let toy = Toy::new([0.0; 6], [0.0; 2]);
        let mut gradients = toy.gradients([1.0, 2.0, 0.0, 4.0, 0.0, 0.0], [0.0, 2.0]);
        assert_eq!(gradient_norm(&toy, &mut gradients).unwrap(), 5.0);
    }

    #[test]
    fn a_gradient_that_is_not_finite_is_named() {
        let toy = Toy::new([0.0; 6], [0.0; 2]);
        for value in [f32::NAN, f32::INFINITY] {
            let mut gradients = toy.gradients([1.0; 6], [0.0, value]);
            let error = gradient_norm(&toy, &mut gradients).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Divergence);
            assert!(error.to_string().contains("the gradient of log_tau"), "{error}");
        }
        let mut gradients = toy.gradients([f32::MAX; 6], [0.0; 2]);
        assert!(gradient_norm(&toy, &mut gradients).unwrap() > 8e38, "the largest is finite");
    }

    #[test]
    fn a_bound_that_is_not_positive_is_refused() {
        for bound in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = GradientClipping::Norm(bound).validate("clipping").unwrap_err();
            assert!(error.to_string().starts_with("clipping.norm = "), "{error}");
            GradientClipping::Value(bound).validate("clipping").unwrap_err();
        }
        GradientClipping::Norm(50.0).validate("clipping").unwrap();
    }

    #[test]
    fn a_file_names_what_is_bounded() {
        #[derive(Debug, Deserialize)]
        struct File {
            clipping: GradientClipping,
        }
        let file: File = toml::from_str("clipping = { norm = 50 }").unwrap();
        assert_eq!(file.clipping, GradientClipping::Norm(50.0));
        let file: File = toml::from_str("[clipping]\nvalue = 0.5").unwrap();
        assert_eq!(file.clipping, GradientClipping::Value(0.5));
        toml::from_str::<File>("clipping = { norm = 1, value = 1 }").unwrap_err();
        toml::from_str::<File>("clipping = { length = 1 }").unwrap_err();
    }

    #[test]
    fn parameters_are_named_as_in_files() {
        use crate::parameters::TimeConstantForm;
        use crate::task::TaskConfig;
        let settings =
            ["network.layers=[{ size = 3, bidirectional = true }, { size = 2 }, { size = 2, neuron = \"alif\" }]"
                .to_owned()];
        let config = TaskConfig::load("ecg", &settings).unwrap().network;
        let network = config.init(&burn::tensor::Device::flex(), 1).unwrap();
        let written = network.tensors(&config, TimeConstantForm::Tau);
        for (path, name) in [
            ("layers.0.forward.Alif.input.weight", "layers.0.forward.input.weight"),
            ("layers.0.backward.Alif.tau_m.log_tau", "layers.0.backward.tau_m"),
            ("layers.1.forward.Alif.input.weight", "layers.1.input.weight"),
            ("layers.1.forward.Alif.tau_adp.log_tau", "layers.1.tau_adp"),
            ("layers.2.forward.Equations.parameters.R", "layers.2.R"),
            ("readout.Alif.input.bias", "readout.input.bias"),
        ] {
            assert_eq!(name_in_files(&network, path), name);
            assert!(written.contains_key(name), "{name} is not in {:?}", written.keys());
        }
    }

    fn clipped(clipping: GradientClipping, weight: [f32; 6], log_tau: [f32; 2]) -> Vec<f32> {
        let toy = Toy::new(weight, log_tau);
        let norm = gradient_norm(&toy, &mut toy.gradients(weight, log_tau)).unwrap();
        let weight = clipping.clip(toy.weight.val().inner(), norm);
        let log_tau = clipping.clip(toy.log_tau.val().inner(), norm);
        [bits(weight), bits(log_tau)].concat().into_iter().map(f32::from_bits).collect()
    }

    proptest! {
        #[test]
        fn clipping_by_norm_bounds_the_norm_and_keeps_the_direction(
            weight in prop::array::uniform6(-1e3f32..1e3),
            log_tau in prop::array::uniform2(-1e3f32..1e3),
            bound in 1e-3f64..1e3,
        ) {
            let before = [&weight[..], &log_tau[..]].concat();
            let after = clipped(GradientClipping::Norm(bound), weight, log_tau);
            let norm = |x: &[f32]| x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
            prop_assert!(norm(&after) <= bound * (1.0 + 1e-6));
            if norm(&before) <= bound * (1.0 - 1e-6) - 1e-6 {
                prop_assert_eq!(&after, &before);
            }
            let dot: f64 = before.iter().zip(&after).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
            prop_assert!(dot >= (1.0 - 1e-5) * norm(&before) * norm(&after));
        }

        #[test]
        fn clipping_by_value_bounds_each_element(
            weight in prop::array::uniform6(-10f32..10.0),
            log_tau in prop::array::uniform2(-10f32..10.0),
            bound in 0.1f32..10.0,
        ) {
            let after = clipped(GradientClipping::Value(bound.into()), weight, log_tau);
            for (&before, &after) in [&weight[..], &log_tau[..]].concat().iter().zip(&after) {
                prop_assert_eq!(after, before.clamp(-bound, bound));
            }
        }
    }
}

//! The built-in models against PyTorch: spikes, loss and every gradient of recurrent networks in double precision, and
//! the spikes in single.
//!
//! ALIF and a few others by the project's own golden vectors; the rest by those in the folder that
//! `BARNOWL_GOLDEN_NEURONS_DIR` names.

#[path = "golden/readout.rs"]
mod readout;

use barnowl_model::{Model, Program, Real, built_in};
use libtest_mimic::{Arguments, Completion, Trial};
use readout::readout;
use safetensors::SafeTensors;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

/// Says where the golden vectors are.
const VARIABLE: &str = "BARNOWL_GOLDEN_NEURONS_DIR";

/// A golden file: the network, its input and what PyTorch made of it.
struct Golden {
    case: serde_json::Value,
    tensors: BTreeMap<String, (Vec<usize>, Vec<f64>)>,
}

impl Golden {
    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).expect("the golden file can be read");
        let (_, header) = SafeTensors::read_metadata(&bytes).expect("a safetensors file");
        let case = &header.metadata().as_ref().expect("metadata")["case"];
        let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
        let tensors = file.tensors().into_iter().map(|(name, tensor)| {
            let words = tensor.data().chunks_exact(4).map(|b| [b[0], b[1], b[2], b[3]]);
            let values = match tensor.dtype() {
                safetensors::Dtype::I32 => {
                    words.map(|b| f64::from(i32::from_le_bytes(b))).collect()
                }
                _ => words.map(|b| f64::from(f32::from_le_bytes(b))).collect(),
            };
            (name, (tensor.shape().to_vec(), values))
        });
        Self { case: serde_json::from_str(case).expect("JSON"), tensors: tensors.collect() }
    }

    fn get(&self, name: &str) -> &[f64] {
        &self.tensors.get(name).unwrap_or_else(|| panic!("no tensor {name}")).1
    }

    fn shape(&self, name: &str) -> &[usize] {
        &self.tensors[name].0
    }

    /// The kind of the surrogate or the decoder, which may have settings.
    fn kind(&self, of: &str) -> &str {
        let entry = &self.case[of];
        entry.as_str().or(entry["kind"].as_str()).unwrap_or_else(|| panic!("no {of}"))
    }

    /// Parameter `name` of every neuron of a layer: a tensor, or one of the constants of the case.
    fn parameter(&self, layer: usize, name: &str, width: usize) -> Vec<f64> {
        if let Some((_, values)) = self.tensors.get(&format!("layers.{layer}.{name}")) {
            return values.clone();
        }
        let constants = &self.case["constants"];
        let known = match name {
            "R" => return vec![1.0; width],
            "b0" | "beta" => &self.case["layers"][layer][name],
            "theta" => &constants["threshold"],
            "delta" => &constants["dt"],
            _ => &constants[name],
        };
        vec![known.as_f64().unwrap_or_else(|| panic!("no parameter {name}")); width]
    }
}

/// N(v; μ, σ).
fn normal(v: f64, mean: f64, deviation: f64) -> f64 {
    let z = (v - mean) / deviation;
    (-0.5 * z * z).exp() / (deviation * (2.0 * std::f64::consts::PI).sqrt())
}

fn surrogate(name: &str, v: f64) -> f64 {
    let n = |mean, deviation| normal(v, mean, deviation);
    match name {
        "multi_gaussian" => 0.5 * (1.15 * n(0.0, 0.5) - 0.15 * n(0.5, 3.0) - 0.15 * n(-0.5, 3.0)),
        "double_gaussian" => 0.5 * (1.15 * n(0.0, 0.5) - 0.3 * n(0.0, 3.0)),
        "exponential" => (-5.0 * v.abs()).exp(),
        "gaussian" => 0.5 * n(0.0, 0.5),
        "linear" => 0.5 * (1.0 - v.abs()).max(0.0),
        "slayer" => 0.5 * (-5.0 * v.abs()).exp(),
        "fast_sigmoid" => 0.5 / (1.0 + 10.0 * v.abs()).powi(2),
        "arctan" => 0.5 / (1.0 + (std::f64::consts::PI * v).powi(2)),
        "boxcar" => f64::from(u8::from(-0.5 < v && v <= 0.5)),
        _ => panic!("no surrogate {name}"),
    }
}

fn run<T: Real>(program: &Program, inputs: &[T]) -> Vec<T> {
    let mut outputs = vec![T::default(); program.outputs().len()];
    program.run(inputs, &mut outputs, |_| panic!("a surrogate outside an adjoint"));
    outputs
}

/// A recurrent layer of a model, in the precision of T.
struct Layer<'a, T> {
    model: &'a Model,
    width: usize,
    /// `[width][parameters, dt]`
    parameters: Vec<Vec<T>>,
    /// `[width][constants]`
    constants: Vec<Vec<T>>,
    input: Vec<T>,
    bias: Vec<T>,
    /// Empty in a layer without recurrence.
    recurrent: Vec<T>,
}

impl<'a, T: Real> Layer<'a, T> {
    fn new(golden: &Golden, number: usize, model: &'a Model, of: impl Fn(f64) -> T) -> Self {
        let tensor = |name: &str| -> Option<Vec<T>> {
            let (_, values) = golden.tensors.get(&format!("layers.{number}.{name}"))?;
            Some(values.iter().map(|&x| of(x)).collect())
        };
        let mut bias = tensor("input.bias").expect("a bias");
        for (bias, more) in bias.iter_mut().zip(tensor("recurrent.bias").unwrap_or_default()) {
            *bias = *bias + more;
        }
        let width = bias.len();
        let columns: Vec<Vec<f64>> = model
            .parameters()
            .iter()
            .map(|parameter| golden.parameter(number, &parameter.name.text, width))
            .chain([vec![1.0; width]])
            .collect();
        let parameters: Vec<Vec<T>> =
            (0..width).map(|n| columns.iter().map(|column| of(column[n])).collect()).collect();
        Self {
            model,
            width,
            constants: parameters.iter().map(|p| run(model.constants(), p)).collect(),
            parameters,
            input: tensor("input.weight").expect("weights"),
            bias,
            recurrent: tensor("recurrent.weight").unwrap_or_default(),
        }
    }

    /// One sequence `[steps][inputs]`.
    fn forward(&self, x: Vec<Vec<T>>) -> Pass<T> {
        let states = self.model.states().len();
        let mut state: Vec<Vec<T>> =
            self.parameters.iter().map(|p| run(self.model.rest(), p)).collect();
        let mut spikes = vec![T::default(); self.width];
        let (mut all_spikes, mut all_inputs) = (Vec::new(), Vec::new());
        for x in &x {
            let currents: Vec<T> = (0..self.width)
                .map(|n| {
                    let outer = dot(&self.input[n * x.len()..], x);
                    let inner = match self.recurrent.is_empty() {
                        true => T::default(),
                        false => dot(&self.recurrent[n * self.width..], &spikes),
                    };
                    outer + self.bias[n] + inner
                })
                .collect();
            let mut inputs = Vec::new();
            for n in 0..self.width {
                let given = [&[currents[n]][..], &state[n], &self.constants[n]].concat();
                let outputs = run(self.model.step(), &given);
                state[n] = outputs[..states].to_vec();
                spikes[n] = outputs[states];
                inputs.push(given);
            }
            all_spikes.push(spikes.clone());
            all_inputs.push(inputs);
        }
        Pass { x, spikes: all_spikes, inputs: all_inputs }
    }
}

/// One sequence through a layer: what came in, the spikes `[steps][width]`, and what went into every step of every neuron.
struct Pass<T> {
    x: Vec<Vec<T>>,
    spikes: Vec<Vec<T>>,
    inputs: Vec<Vec<Vec<T>>>,
}

fn dot<T: Real>(weights: &[T], x: &[T]) -> T {
    weights.iter().zip(x).fold(T::default(), |sum, (&w, &x)| sum + w * x)
}

/// Gradients by name, summed over sequences.
type Gradients = BTreeMap<String, Vec<f64>>;

fn add(gradients: &mut Gradients, name: String, size: usize, at: usize, value: f64) {
    gradients.entry(name).or_insert_with(|| vec![0.0; size])[at] += value;
}

/// Back through a layer: from ∂L/∂s `[steps][width]` to ∂L/∂x `[steps][inputs]`.
fn backward(
    layer: &Layer<'_, f64>,
    number: usize,
    golden: &Golden,
    pass: &Pass<f64>,
    of_spikes: &[Vec<f64>],
    gradients: &mut Gradients,
) -> Vec<Vec<f64>> {
    let Pass { x, spikes, inputs } = pass;
    let (model, width, fan_in) = (layer.model, layer.width, x[0].len());
    let states = model.states().len();
    let name = golden.kind("surrogate");
    let psi = |v: f64| surrogate(name, v);
    let adjoint = model.step().adjoint();
    let mut of_state = vec![vec![0.0; states]; width];
    let mut of_constants = vec![vec![0.0; model.constants().outputs().len()]; width];
    // ∂L/∂I of the step after.
    let mut later = vec![0.0; width];
    let mut of_x = vec![vec![0.0; fan_in]; x.len()];
    for t in (0..x.len()).rev() {
        let mut of_currents = vec![0.0; width];
        for n in 0..width {
            let fed_back: f64 = match layer.recurrent.is_empty() {
                true => 0.0,
                false => (0..width).map(|m| layer.recurrent[m * width + n] * later[m]).sum(),
            };
            let given = [&inputs[t][n][..], &of_state[n], &[of_spikes[t][n] + fed_back]].concat();
            let mut found = vec![0.0; adjoint.outputs().len()];
            adjoint.run(&given, &mut found, psi);
            of_currents[n] = found[0];
            of_state[n] = found[1..=states].to_vec();
            for (sum, g) in of_constants[n].iter_mut().zip(&found[1 + states..]) {
                *sum += g;
            }
        }
        for n in 0..width {
            let g = of_currents[n];
            let prefix = format!("layers.{number}.");
            add(gradients, format!("{prefix}input.bias"), width, n, g);
            add(gradients, format!("{prefix}recurrent.bias"), width, n, g);
            for i in 0..fan_in {
                let at = n * fan_in + i;
                add(gradients, format!("{prefix}input.weight"), width * fan_in, at, g * x[t][i]);
                of_x[t][i] += layer.input[at] * g;
            }
            for m in 0..width {
                let before = if t > 0 { spikes[t - 1][m] } else { 0.0 };
                let name = format!("{prefix}recurrent.weight");
                add(gradients, name, width * width, n * width + m, g * before);
            }
        }
        later = of_currents;
    }
    // Parameters act through the constants and through the states before the first step.
    let once = [(model.constants(), of_constants), (model.rest(), of_state)];
    for (program, gradient) in once {
        let adjoint = program.adjoint();
        for n in 0..width {
            let found = run(&adjoint, &[&layer.parameters[n][..], &gradient[n]].concat());
            for (parameter, g) in model.parameters().iter().zip(found) {
                let name = format!("layers.{number}.{}", parameter.name.text);
                add(gradients, name, width, n, g);
            }
        }
    }
    of_x
}

fn check(directory: &Path, file: &str) {
    let golden = Golden::read(&directory.join(format!("{file}.safetensors")));
    // Files of ALIF networks alone do not name it.
    let neuron = golden.case["neuron"].as_str().unwrap_or("alif");
    // The reset is a variant.
    let word = neuron.replace("lif_reset_", "lif:");
    let model = built_in(&word).expect("a built-in model");
    let count = golden.case["layers"].as_array().expect("layers").len();
    let double: Vec<_> = (0..count).map(|l| Layer::new(&golden, l, &model, |x| x)).collect();
    let single: Vec<_> = (0..count).map(|l| Layer::new(&golden, l, &model, |x| x as f32)).collect();
    let [steps, sequences, fan_in] = *golden.shape("x") else { panic!("x is [T, B, I]") };
    let mut gradients = Gradients::new();
    let mut loss = 0.0;
    for sequence in 0..sequences {
        let row = |t: usize| (t * sequences + sequence) * fan_in;
        let x: Vec<Vec<f64>> =
            (0..steps).map(|t| golden.get("x")[row(t)..row(t) + fan_in].to_vec()).collect();
        let mut rows: Vec<Vec<f32>> =
            x.iter().map(|row| row.iter().map(|&x| x as f32).collect()).collect();
        let mut passes = vec![];
        let mut given = x;
        for l in 0..count {
            let pass = double[l].forward(given);
            let narrow = single[l].forward(rows).spikes;
            let width = double[l].width;
            let expected = golden.get(&format!("out.layers.{l}.spikes"));
            for t in 0..steps {
                for n in 0..width {
                    let expected = expected[(t * sequences + sequence) * width + n];
                    let place = format!("{file}: layer {l}, step {t}, neuron {n}");
                    assert_eq!(pass.spikes[t][n], expected, "{place}, double precision");
                    assert_eq!(f64::from(narrow[t][n]), expected, "{place}, single precision");
                }
            }
            (given, rows) = (pass.spikes.clone(), narrow);
            passes.push(pass);
        }
        let (part, mut of_spikes) = readout(&golden, sequence, &given, &mut gradients);
        loss += part;
        for l in (0..count).rev() {
            let found = &mut gradients;
            of_spikes = backward(&double[l], l, &golden, &passes[l], &of_spikes, found);
        }
    }
    let expected = golden.get("out.loss")[0];
    assert!((loss / expected - 1.0).abs() < 1e-6, "{file}: loss {loss}, expected {expected}");
    let mut compared = 0;
    for (name, (_, expected)) in &golden.tensors {
        let Some(name) = name.strip_prefix("grad.") else { continue };
        let found = &gradients[name];
        let largest = expected.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            let error = (found - expected).abs();
            assert!(
                error <= 1e-5 * expected.abs() + 1e-6 * largest,
                "{file}: gradient of {name}[{i}] is {found}, expected {expected}"
            );
        }
        compared += 1;
    }
    assert!(compared >= 6, "{file}: only {compared} gradients compared");
}

/// ALIF networks whose golden vectors are the project's own.
const ALIF: [&str; 12] = [
    "recurrent_multi_gaussian",
    "recurrent_gaussian",
    "recurrent_linear",
    "recurrent_slayer",
    "recurrent_fast_sigmoid",
    "recurrent_arctan",
    "two_layers_skip",
    "extreme_tau",
    "forty_neurons",
    "feed_forward",
    "integrator_mean_membrane",
    "lif",
];

/// Networks of other neurons, of which this package carries the golden vectors: whatever is in the folder.
fn carried(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).expect("the folder of golden vectors");
    let paths = files.map(|file| file.expect("a file of the folder").path());
    let mut names: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    assert!(names.len() >= 4, "{names:?}");
    names
}

/// Networks of other neurons.
const OTHERS: [&str; 9] = [
    "adlif_se",
    "adlif_se_two_layers",
    "adlif_ef",
    "brf",
    "cuba_lif",
    "lif_reset_subtract",
    "lif_reset_zero",
    "lif_reset_none",
    "tc_lif",
];

fn main() -> ExitCode {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let [alif, others] =
        ["barnowl", "barnowl-model"].map(|of| crates.join(of).join("tests/golden"));
    let carried = carried(&others).into_iter().map(|file| (file, others.clone()));
    let own = ALIF.iter().map(|file| ((*file).to_owned(), alif.clone())).chain(carried);
    let own = own.map(|(file, folder)| {
        Trial::test(file.clone(), move || {
            check(&folder, &file);
            Ok(())
        })
    });
    let others = OTHERS.map(|file| {
        let root = crates.join("..");
        Trial::ignorable_test(file, move || {
            let Some(folder) = std::env::var_os(VARIABLE) else {
                return Ok(Completion::ignored_with(format!("{VARIABLE} is not set")));
            };
            // Relative to the workspace.
            check(&root.join(folder), file);
            Ok(Completion::Completed)
        })
    });
    let trials = own.chain(others).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

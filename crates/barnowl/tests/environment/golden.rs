//! Golden vectors: whole networks against PyTorch in double precision, values and every gradient, on both paths.
//!
//! The project's own vectors are in `tests/golden/` (made by `reference/golden.py`). `BARNOWL_GOLDEN_DIR` names a folder
//! of more, in the same format, `BARNOWL_GOLDEN_NEURONS_DIR` one of other neurons than adaptive ones (either may hold
//! both). Adaptive neurons are also run from their equations. `BARNOWL_TEST_DEVICE` (such as `wgpu`, in a build that knows it) where the fused path runs.

use crate::needs;
use barnowl::cell::Cell;
use barnowl::dataset::{Dataset, Inputs, Targets};
use barnowl::exchange::{NamedTensor, TensorMap, safetensors};
use barnowl::layer::LayerConfig;
use barnowl::learning::{Bptt, BpttOptions, Learner};
use barnowl::loss::{Score, Target};
use barnowl::network::{Network, NetworkConfig};
use barnowl::parameters::TimeConstantForm;
use barnowl::pass::{Pass, SequencePath};
use barnowl_model::Each;
use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use libtest_mimic::Trial;
use std::path::{Path, PathBuf};

/// The project's golden vectors of neurons that run from their equations.
const NEURONS: &str = "barnowl-model/tests/golden";

/// Where the fused path runs.
fn device() -> Device {
    let name = std::env::var("BARNOWL_TEST_DEVICE").unwrap_or_else(|_| "cpu".into());
    barnowl::device::open(&name).unwrap()
}

/// Relative tolerance, in the Euclidean norm; graphics processors have exponentials of their own.
fn tolerance() -> f64 {
    if device() == Device::flex() { 1e-4 } else { 1e-3 }
}

/// Puts every gradient in the place of its parameter.
struct IntoGradients(GradientsParams);

impl ModuleMapper for IntoGradients {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let gradient = self.0.remove::<D>(param.id);
        param.map(|value| match gradient {
            Some(gradient) => gradient,
            None => value.inner().zeros_like(),
        })
    }
}

struct Golden {
    name: String,
    config: NetworkConfig,
    tensors: TensorMap,
}

impl Golden {
    fn read(path: &Path) -> Self {
        let mut contents = safetensors::read(path).unwrap();
        let mut case: serde_json::Value = serde_json::from_str(&contents.metadata["case"]).unwrap();
        case["inputs"] = contents.tensors["x"].shape[2].into();
        if case["neuron"].is_string() {
            case = of_neurons(&case, &mut contents.tensors);
        }
        let config = serde_json::from_value(case).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        Self { name, config, tensors: contents.tensors }
    }

    /// The same, its hidden adaptive neurons run from their equations.
    fn by_equations(&self) -> Self {
        let mut golden = Self {
            name: format!("{} by equations", self.name),
            config: self.config.clone(),
            tensors: self.tensors.clone(),
        };
        for (place, layer) in golden.config.layers.iter_mut().enumerate() {
            let prefixes = match layer.bidirectional {
                true => ["forward.", "backward."].as_slice(),
                false => &[""],
            };
            let fixed = [("b0", layer.b0), ("beta", layer.beta), ("R", layer.resistance)];
            for (prefix, (name, value)) in
                prefixes.iter().flat_map(|prefix| fixed.map(|fixed| (prefix, fixed)))
            {
                let tensor = NamedTensor { shape: vec![1], values: vec![value] };
                golden.tensors.insert(format!("layers.{place}.{prefix}{name}"), tensor);
            }
            *layer = LayerConfig {
                neuron: Some("alif".into()),
                recurrent: layer.recurrent,
                bidirectional: layer.bidirectional,
                dt: layer.dt,
                ..LayerConfig::new(layer.size)
            };
        }
        golden
    }

    fn parameters(&self) -> TensorMap {
        let other = |name: &str| {
            name == "x" || name == "target" || name.starts_with("out.") || name.starts_with("grad.")
        };
        self.tensors.clone().into_iter().filter(|(name, _)| !other(name)).collect()
    }

    fn compare(&self, name: &str, found: &[f32], path: &str) {
        let NamedTensor { values, .. } = &self.tensors[name];
        let place = format!("{}, {path}: {name}", self.name);
        assert_eq!(found.len(), values.len(), "{place}: lengths differ");
        if name.ends_with("spikes") {
            assert_eq!(found, values, "{place}");
            return;
        }
        let norm =
            |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
        let difference =
            norm(&mut found.iter().zip(values).map(|(a, b)| f64::from(*a) - f64::from(*b)));
        let size = norm(&mut values.iter().map(|b| f64::from(*b)));
        assert!(
            difference <= tolerance() * size + 1e-9,
            "{place}: off by {difference:e}, of {size:e}"
        );
    }

    fn check(&self, path: SequencePath) {
        let place = format!("{path:?}");
        let device = match path {
            SequencePath::Fused => device(),
            SequencePath::Reference => Device::flex(),
        };
        let device = device.autodiff();
        let form = TimeConstantForm::Tau;
        let network =
            Network::from_tensors(&self.config, &self.parameters(), form, &device).unwrap();
        let tensor = |name: &str| {
            let NamedTensor { shape, values } = self.tensors[name].clone();
            TensorData::new(values, shape)
        };
        let input = Tensor::from_data(tensor("x"), &device);
        let (per_step, is_real) =
            (self.config.decode.is_per_step(), self.config.decode.answer.is_real());
        let target = if is_real && per_step {
            Target::ValuesPerStep(Tensor::from_data(tensor("target"), &device))
        } else if is_real {
            Target::ValuesPerSequence(Tensor::from_data(tensor("target"), &device))
        } else if per_step {
            Target::PerStep(Tensor::<2>::from_data(tensor("target"), &device).int())
        } else {
            Target::PerSequence(Tensor::<1>::from_data(tensor("target"), &device).int())
        };
        let pass = Pass { path, observe_all: true, ..Pass::default() };
        let output = network.forward(input, &self.config, pass);
        for (i, spikes) in output.spikes.iter().enumerate() {
            self.compare(&format!("out.layers.{i}.spikes"), &values(spikes), &place);
        }
        let readout = [("membrane", &output.readout.membrane), ("spikes", &output.readout.spikes)];
        for (name, part) in readout {
            let name = format!("out.readout.{name}");
            if let Some(part) = part.as_ref().filter(|_| self.tensors.contains_key(&name)) {
                self.compare(&name, &values(part), &place);
            }
        }
        // Of some cases, the loss alone is known.
        match &output.score {
            _ if !self.tensors.contains_key("out.score") => {}
            Score::PerStep(score) => self.compare("out.score", &values(score), &place),
            Score::PerSequence(score) => self.compare("out.score", &values(score), &place),
        }
        let loss = self.config.decode.loss(&output.score, &target);
        self.compare("out.loss", &values(&loss), &place);

        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        self.compare_gradients(&network, gradients, &place);
    }

    /// The data set of the case: its inputs as real numbers, and as events where they are.
    fn datasets(&self) -> Vec<Dataset> {
        let NamedTensor { shape, values } = &self.tensors["x"];
        let [steps, batch, channels] = shape[..] else { panic!("x is [T, B, I]") };
        let at = |i: usize| {
            (i / channels % steps * batch + i / channels / steps) * channels + i % channels
        };
        let inputs: Vec<f32> = (0..values.len()).map(|i| values[at(i)]).collect();
        let target = &self.tensors["target"].values;
        let count = self.config.readout.size;
        let by_sequence = |step: usize, row: usize| {
            target[(step * batch + row) * count..][..count].iter().copied()
        };
        let sequences = || (0..batch).flat_map(|row| (0..steps).map(move |step| (step, row)));
        let targets = if self.config.decode.answer.is_real() {
            match self.config.decode.is_per_step() {
                true => Targets::ValuesPerStep(
                    sequences().flat_map(|(step, row)| by_sequence(step, row)).collect(),
                ),
                false => Targets::ValuesPerSequence(target.clone()),
            }
        } else if self.config.decode.is_per_step() {
            Targets::PerStep(
                (0..steps * batch).map(|i| target[i % steps * batch + i / steps] as u16).collect(),
            )
        } else {
            Targets::PerSequence(target.iter().map(|class| *class as u16).collect())
        };
        let names: Vec<String> = (0..self.config.readout.size).map(|i| i.to_string()).collect();
        let shape = [batch, steps, channels];
        let mut datasets = Vec::new();
        if inputs.iter().all(|x| [-1.0, 0.0, 1.0].contains(x)) {
            let spikes: Vec<i8> = inputs.iter().map(|x| *x as i8).collect();
            let events = Dataset::from_spikes(shape, names.clone(), &spikes, targets.clone(), "");
            datasets.push(events.unwrap());
        }
        datasets.push(Dataset::new(shape, names, Inputs::Real(inputs), targets, "").unwrap());
        datasets
    }

    /// Backpropagation through time of the whole network, with and without checkpoints.
    fn check_bptt(&self) {
        let form = TimeConstantForm::Tau;
        let device = Device::flex().autodiff();
        let network =
            Network::from_tensors(&self.config, &self.parameters(), form, &device).unwrap();
        for data in self.datasets() {
            let indices: Vec<usize> = (0..data.samples()).collect();
            let mut all = Vec::new();
            for checkpoint_steps in [None, Some(1), Some(20)] {
                let place = format!("BPTT, {checkpoint_steps:?}");
                let mut bptt =
                    Bptt::new(&self.config, BpttOptions { checkpoint_steps, cut: None }).unwrap();
                let (outcome, gradients) =
                    bptt.gradients(&network, &data, &indices, Pass::default());
                self.compare("out.loss", &[outcome.loss as f32], &place);
                for (i, rate) in outcome.rates.iter().enumerate() {
                    let spikes = &self.tensors[&format!("out.layers.{i}.spikes")].values;
                    let expected = spikes.iter().map(|s| f64::from(*s)).sum::<f64>();
                    assert!((rate * spikes.len() as f64 - expected).abs() < 1e-6, "{place}");
                }
                let score = self.tensors.get("out.score").map(|score| &score.values);
                let scores = score.map(|score| score.chunks_exact(self.config.readout.size));
                for (class, score) in outcome.classes.iter().zip(scores.into_iter().flatten()) {
                    let best = score.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    assert!(score[usize::from(*class)] > best - 1e-5, "{place}");
                }
                let without = bptt.evaluate(&network, &data, &indices, Pass::default());
                assert_eq!(without.classes, outcome.classes, "{place}");
                assert_eq!(without.values, outcome.values, "{place}");
                assert!((without.loss - outcome.loss).abs() < 1e-9 * outcome.loss, "{place}");
                let again = bptt.gradients(&network, &data, &indices, Pass::default());
                assert_eq!(again.0, outcome, "{place}: a second run differs");
                let as_tensors = |gradients| {
                    let gradients = network.clone().map(&mut IntoGradients(gradients));
                    gradients.tensors(&self.config, TimeConstantForm::Log)
                };
                all.push(as_tensors(again.1));
                self.compare_gradients(&network, gradients, &place);
            }
            assert!(all.iter().all(|other| *other == all[0]), "checkpoints change the gradients");
        }
    }

    /// Every gradient of a parameter.
    fn compare_gradients(&self, network: &Network, gradients: GradientsParams, place: &str) {
        // Of a parameter within an interval, its place there is trained.
        let (mut intervals, mut fixed) = (Vec::new(), Vec::new());
        for (place, layer) in network.layers.iter().enumerate() {
            if let Cell::Equations(layer) = &layer.forward {
                for parameter in layer.parameters.parameters() {
                    let (low, high) = parameter.range;
                    let name = &parameter.name.text;
                    intervals.push((format!("layers.{place}.{name}.place"), high - low));
                    if !parameter.trained {
                        fixed.push(format!("layers.{place}.{name}"));
                    }
                }
            }
        }
        let gradients = network.clone().map(&mut IntoGradients(gradients));
        let gradients = gradients.tensors(&self.config, TimeConstantForm::Log);
        for (name, gradient) in gradients {
            if fixed.contains(&name.replace(".log", "").replace(".place", "")) {
                assert!(gradient.values.iter().all(|g| *g == 0.0), "{name} is fixed");
                continue;
            }
            let plain = name.replace(".place", "");
            if plain != name && !self.tensors.contains_key(&format!("grad.{plain}")) {
                continue;
            }
            if let Some((_, length)) = intervals.iter().find(|(place, _)| *place == name) {
                let found: Vec<f32> = gradient.values.iter().map(|g| g / length).collect();
                self.compare(&format!("grad.{}", plain), &found, place);
                continue;
            }
            // Where there is one bias, both have its gradient; what is a constant of the case has none there.
            let plain = name.replace("log_", "").replace(".log", "");
            let known = self.tensors.contains_key(&format!("grad.{plain}"));
            if !known && !name.ends_with("recurrent.bias") {
                continue;
            }
            let name = match known {
                true => name,
                false => name.replace("recurrent.bias", "input.bias"),
            };
            // dL/dτ = dL/dlog τ / τ
            let (name, gradient) = match name.contains("log_tau") || name.ends_with(".log") {
                false => (name, gradient.values),
                true => {
                    let name = name.replace("log_tau", "tau").replace(".log", "");
                    let tau = &self.tensors[&name].values;
                    let pairs = gradient.values.iter().zip(tau);
                    (name, pairs.map(|(gradient, tau)| gradient / tau).collect())
                }
            };
            self.compare(&format!("grad.{name}"), &gradient, place);
        }
    }
}

/// The configuration of a case of other neurons; what of their parameters is fixed becomes tensors.
fn of_neurons(case: &serde_json::Value, tensors: &mut TensorMap) -> serde_json::Value {
    let kind = |value: &serde_json::Value| match value.as_str() {
        Some("boxcar") => serde_json::json!({ "kind": "box" }),
        Some(kind) => serde_json::json!({ "kind": kind }),
        None => value.clone(),
    };
    // What variants are called here.
    let neuron = case["neuron"].as_str().unwrap().replace("_reset_", ":");
    let mut layers = case["layers"].clone();
    for (place, layer) in layers.as_array_mut().unwrap().iter_mut().enumerate() {
        let mut known = vec![];
        let size = layer["size"].as_u64().unwrap() as usize;
        for (name, value) in layer.as_object().unwrap() {
            if ["b0", "beta"].contains(&name.as_str()) {
                known.push((name.clone(), value.as_f64().unwrap() as f32));
            }
        }
        // Whatever has a gradient in the case is trained.
        let mut parameters = serde_json::Map::new();
        for parameter in barnowl_model::built_in(&neuron).unwrap().parameters() {
            let name = &parameter.name.text;
            if tensors.contains_key(&format!("grad.layers.{place}.{name}")) {
                parameters.insert(name.clone(), serde_json::json!({ "trained": true }));
            }
        }
        *layer = serde_json::json!({
            "size": size, "recurrent": layer["recurrent"], "neuron": neuron.as_str(),
            "parameters": parameters,
        });
        for (name, value) in case["constants"].as_object().unwrap() {
            let name = match name.as_str() {
                "threshold" => "theta",
                "dt" => "delta",
                other => other,
            };
            known.push((name.to_owned(), value.as_f64().unwrap() as f32));
        }
        let model = barnowl_model::built_in(&neuron).unwrap();
        for (name, value) in known {
            let mut parameters = model.parameters().iter();
            let parameter = parameters.find(|parameter| parameter.name.text == name).unwrap();
            let count = if parameter.each == Each::Layer { 1 } else { size };
            let tensor = NamedTensor { shape: vec![count], values: vec![value; count] };
            tensors.insert(format!("layers.{place}.{name}"), tensor);
        }
        let zeros = NamedTensor { shape: vec![size], values: vec![0.0; size] };
        tensors.insert(format!("layers.{place}.recurrent.bias"), zeros);
    }
    let classes = tensors["readout.input.bias"].values.len();
    serde_json::json!({
        "inputs": case["inputs"],
        "layers": layers,
        "readout": { "kind": "leaky_integrator", "size": classes },
        "decode": kind(&case["decode"]),
        "surrogate": kind(&case["surrogate"]),
    })
}

/// Whether a case is by exact backpropagation: others are for rules that learn online.
fn is_exact(path: &Path) -> bool {
    let contents = safetensors::read(path).unwrap();
    let case: serde_json::Value = serde_json::from_str(&contents.metadata["case"]).unwrap();
    case["rule"].as_str().is_none_or(|rule| rule == "bptt")
}

fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().try_to_vec().unwrap()
}

fn check_folder(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "safetensors"));
    files.retain(|path| is_exact(path));
    files.sort();
    if device() != Device::flex() && folder.ends_with(NEURONS) {
        // Elsewhere neurons run step by step, by hundreds of small kernels: one tells.
        files.truncate(1);
    }
    for file in &files {
        let golden = Golden::read(file);
        // Elsewhere, neurons run from their equations step by step, which those of other neurons show.
        let by_equations = device() == Device::flex()
            && golden.config.layers.iter().all(|layer| layer.neuron.is_none());
        let others = by_equations.then(|| golden.by_equations());
        for golden in [golden].into_iter().chain(others) {
            golden.check(SequencePath::Fused);
            if device() == Device::flex() {
                // They run on the processor, wherever the other path does.
                golden.check(SequencePath::Reference);
                golden.check_bptt();
            }
        }
    }
    files.len()
}

/// The tests.
pub fn tests() -> Vec<Trial> {
    vec![
        needs::always("golden::own_vectors", || {
            // Where tests run is the folder of the package, also on a machine that they were carried to.
            let checked = check_folder(Path::new("tests/golden"));
            assert!(checked >= 15, "the project's golden vectors are missing");
            let checked = check_folder(&Path::new("..").join(NEURONS));
            assert!(checked >= 1, "the project's golden vectors of neurons are missing");
        }),
        needs::with(
            "golden::vectors_of_the_environment",
            || needs::folder("BARNOWL_GOLDEN_DIR", &[]),
            |folder| assert!(check_folder(&folder) > 0, "BARNOWL_GOLDEN_DIR holds no vectors"),
        ),
        needs::with(
            "golden::vectors_of_neurons_of_the_environment",
            || needs::folder("BARNOWL_GOLDEN_NEURONS_DIR", &[]),
            |folder| assert!(check_folder(&folder) > 0, "there are no vectors in the folder"),
        ),
    ]
}

//! Neurons that run from their equations: adaptive ones beside the hand-written kernels, interpreted beside compiled ones,
//! one path beside another, on random networks.

use barnowl::cell::equations::{ParameterConfig, ParameterStart, renamed};
use barnowl::dataset::{Dataset, Inputs, Targets};
use barnowl::layer::LayerConfig;
use barnowl::learning::{BatchOutcome, Bptt, BpttOptions, Layerwise, Learner};
use barnowl::loss::{Decoder, DecoderKind};
use barnowl::network::{Network, NetworkConfig};
use barnowl::parameters::TimeConstantForm;
use barnowl::pass::{Pass, SequencePath};
use barnowl::readout::{ReadoutConfig, ReadoutKind};
use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::BTreeMap;

/// A random network of one kind of neuron, and data for it.
#[derive(Debug, Clone)]
struct Case {
    inputs: usize,
    /// Sizes, and whether they are recurrent.
    layers: Vec<(usize, bool)>,
    classes: usize,
    steps: usize,
    batch: usize,
    seed: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    let layers = proptest::collection::vec((1..70_usize, any::<bool>()), 1..4);
    (1..30_usize, layers, 2..20_usize, 5..60_usize, 1..20_usize, any::<u32>()).prop_map(
        |(inputs, layers, classes, steps, batch, seed)| Case {
            inputs,
            layers,
            classes,
            steps,
            batch,
            seed: seed.into(),
        },
    )
}

impl Case {
    /// The network's configuration, its layers changed.
    fn config(&self, change: impl Fn(LayerConfig) -> LayerConfig) -> NetworkConfig {
        let layer = |&(size, recurrent): &(usize, bool)| {
            change(LayerConfig { recurrent, ..LayerConfig::new(size) })
        };
        NetworkConfig {
            inputs: self.inputs,
            layers: self.layers.iter().map(layer).collect(),
            readout: ReadoutConfig::new(ReadoutKind::LeakyIntegrator, self.classes),
            decode: Decoder::new(DecoderKind::MeanMembrane),
            surrogate: Default::default(),
            encoder: None,
            repeat: 1,
        }
    }

    /// Of some neuron.
    fn of(&self, neuron: &str) -> NetworkConfig {
        self.config(|layer| LayerConfig { neuron: Some(neuron.into()), ..layer })
    }

    /// Weights that are multiples of 1/64, so that currents are exact in whatever order they are summed.
    fn network(&self, config: &NetworkConfig) -> Network {
        let (device, form) = (Device::flex().autodiff(), TimeConstantForm::Log);
        let mut tensors = config.init(&device, self.seed).unwrap().tensors(config, form);
        for (name, tensor) in &mut tensors {
            if name.ends_with(".weight") {
                tensor.values.iter_mut().for_each(|w| *w = (*w * 64.0).round() / 64.0);
            }
            if name.ends_with("input.bias") && name.starts_with("layers") {
                tensor.values.fill(0.5);
            }
        }
        Network::from_tensors(config, &tensors, form, &device).unwrap()
    }

    fn data(&self) -> Dataset {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let shape = [self.batch, self.steps, self.inputs];
        let classes = (0..self.batch).map(|_| rng.random_range(0..self.classes) as u16).collect();
        let names = (0..self.classes).map(|i| i.to_string()).collect();
        let size = shape.iter().product();
        let real = (0..size).map(|_| f32::from(rng.random_range(-8..=16_i8)) / 8.0).collect();
        let targets = Targets::PerSequence(classes);
        Dataset::new(shape, names, Inputs::Real(real), targets, "").unwrap()
    }

    fn bptt(&self, config: &NetworkConfig, options: BpttOptions) -> (BatchOutcome, Gradients) {
        let network = self.network(config);
        let indices: Vec<usize> = (0..self.batch).collect();
        let mut bptt = Bptt::new(config, options).unwrap();
        let (outcome, gradients) =
            bptt.gradients(&network, &self.data(), &indices, Pass::default());
        (outcome, by_name(&network, config, gradients))
    }
}

/// Gradients of what is trained, by the names of checkpoints.
type Gradients = BTreeMap<String, Vec<f32>>;

/// Puts every gradient in the place of its parameter.
struct IntoGradients(GradientsParams);

impl ModuleMapper for IntoGradients {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let gradient = self.0.remove::<D>(param.id);
        param.map(|value| gradient.unwrap_or_else(|| value.inner().zeros_like()))
    }
}

fn by_name(network: &Network, config: &NetworkConfig, gradients: GradientsParams) -> Gradients {
    let gradients = network.clone().map(&mut IntoGradients(gradients));
    let tensors = gradients.tensors(config, TimeConstantForm::Log);
    // The hand-written neurons train `log_tau_m`, those of equations `tau_m.log`.
    let plain =
        |name: String| match name.strip_suffix(".log").and_then(|name| name.rsplit_once('.')) {
            Some((before, name)) => format!("{before}.log_{name}"),
            None => name,
        };
    tensors.into_iter().map(|(name, tensor)| (plain(name), tensor.values)).collect()
}

fn assert_near(found: &Gradients, expected: &Gradients, tolerance: f64) {
    let norm = |values: &[f32]| values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    // What is next to nothing beside all the others is known to their digits only, and a probability that is 1 to its rounding.
    let all = norm(&expected.values().flatten().copied().collect::<Vec<_>>());
    for (name, expected) in expected {
        let found = &found[name];
        let difference: Vec<f32> = found.iter().zip(expected).map(|(a, b)| a - b).collect();
        let (off, size) = (norm(&difference), norm(expected));
        let allowed = tolerance * size + 2e-6 * all + 1e-7;
        assert!(off <= allowed, "{name}: off by {off:e}, of {size:e}");
    }
}

/// The built-in neurons.
fn neurons() -> impl Strategy<Value = String> {
    proptest::sample::select(barnowl_model::built_in_names().collect::<Vec<_>>())
}

#[test]
fn a_file_of_the_name_of_a_built_in_neuron_trains_what_it_says() {
    let layers = vec![(20, true), (17, false)];
    let case = Case { inputs: 5, layers, classes: 3, steps: 40, batch: 6, seed: 7 };
    // b0, which also sets the state before the first step.
    let trained = |text: &str| text.replacen("trained = false", "trained = true", 1);
    let text = trained(barnowl_model::built_in_text("alif").unwrap());
    let own = case.bptt(&case.of(&text), BpttOptions::default());
    let other = case.bptt(&case.of(&trained(&renamed("alif").unwrap())), BpttOptions::default());
    assert_eq!(own, other);
    assert!(own.1["layers.0.b0"].iter().all(|g| *g != 0.0), "{:?}", own.1["layers.0.b0"]);
    assert_eq!(own.1["layers.0.beta"], [0.0]);

    let config = case.of(&text);
    let network = case.network(&config);
    let indices: Vec<usize> = (0..case.batch).collect();
    let (_, found) =
        Layerwise::new(&config).gradients(&network, &case.data(), &indices, Pass::default());
    assert_near(&by_name(&network, &config, found), &own.1, 1e-4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn adaptive_neurons_are_those_of_the_hand_written_kernels(
        case in cases(), beta in 0..3_u8, resistance in 1..3_u8,
    ) {
        let (beta, resistance) = (f32::from(beta) * 0.9, f32::from(resistance));
        let by_hand = case.config(|layer| LayerConfig { b0: 0.05, beta, resistance, ..layer });
        let by_equations = case.config(|layer| {
            let parameters = [
                ("b0", 0.05), ("beta", beta), ("R", resistance), ("tau_m", 20.0), ("tau_adp", 150.0),
            ];
            let start = |value| Some(ParameterStart::Constant { value });
            let parameters = parameters.map(|(name, value)| {
                (name.to_owned(), ParameterConfig { start: start(value), ..Default::default() })
            });
            LayerConfig { neuron: Some("alif".into()), parameters: parameters.into(), ..layer }
        });
        let options = BpttOptions::default();
        let (outcome, expected) = case.bptt(&by_hand, options);
        let (found, gradients) = case.bptt(&by_equations, options);
        prop_assert_eq!(&found.rates, &outcome.rates);
        prop_assert_eq!(&found.classes, &outcome.classes);
        prop_assert!((found.loss - outcome.loss).abs() <= 1e-6 * outcome.loss.abs());
        assert_near(&gradients, &expected, 1e-5);
    }

    #[test]
    fn compiled_and_interpreted_neurons_agree_to_the_bit(case in cases(), name in neurons()) {
        let options = BpttOptions::default();
        let compiled = case.bptt(&case.of(&name), options);
        let own = case.bptt(&case.of(&renamed(&name).unwrap()), options);
        prop_assert_eq!(&own.0, &compiled.0);
        // Of parameters that are not trained, only the interpreter leaves the gradient out; none is registered.
        prop_assert_eq!(&own.1, &compiled.1);
    }

    #[test]
    fn every_path_agrees(case in cases(), name in neurons()) {
        let config = case.of(&name);
        let (outcome, gradients) = case.bptt(&config, BpttOptions::default());
        for steps in [1, 20] {
            let options = BpttOptions { checkpoint_steps: Some(steps), cut: None };
            prop_assert_eq!(&case.bptt(&config, options), &(outcome.clone(), gradients.clone()));
        }
        let network = case.network(&config);
        let data = case.data();
        let indices: Vec<usize> = (0..case.batch).collect();
        let (layerwise, found) =
            Layerwise::new(&config).gradients(&network, &data, &indices, Pass::default());
        prop_assert_eq!(&layerwise.rates, &outcome.rates);
        assert_near(&by_name(&network, &config, found), &gradients, 1e-4);

        let batch = data.batch(&indices);
        let shape = [batch.steps, case.batch, batch.channels];
        let input = Tensor::<3>::from_data(TensorData::new(batch.inputs, shape), &Device::flex());
        let spikes = |path| -> Vec<Vec<f32>> {
            let pass = Pass { path, ..Pass::default() };
            let output = network.valid().forward(input.clone(), &config, pass);
            output.spikes.into_iter().map(|spikes| spikes.into_data().iter().collect()).collect()
        };
        prop_assert_eq!(spikes(SequencePath::Fused), spikes(SequencePath::Reference));
    }

    #[test]
    fn a_window_goes_on_where_the_one_before_ended(case in cases(), name in neurons()) {
        let config = case.of(&name);
        let network = case.network(&config);
        let (data, indices) = (case.data(), (0..case.batch).collect::<Vec<_>>());
        let mut bptt = Bptt::new(&config, BpttOptions::default()).unwrap();
        let whole = bptt.evaluate(&network, &data, &indices, Pass::default());
        let mut keep =
            |network: &Network, _: &BatchOutcome, _: GradientsParams| Ok(network.clone());
        let (parts, _) =
            bptt.windows(&network, &data, &indices, Pass::default(), 7, &mut keep).unwrap();
        prop_assert_eq!(&parts.classes, &whole.classes);
        for (part, whole) in parts.rates.iter().zip(&whole.rates) {
            prop_assert!((part - whole).abs() < 1e-9);
        }
    }
}

//! Backpropagation through time of a whole network against Burn's autodiff, layer by layer, on random networks.

use super::gradients::{collect, collect_all};
use barnowl::cell::CellKind;
use barnowl::class_loss::{ClassLossConfig, ClassWeights};
use barnowl::dataset::{Dataset, Inputs, Targets};
use barnowl::layer::LayerConfig;
use barnowl::learning::{
    BatchOutcome, Bptt, BpttOptions, Criterion, Learner, NeuronRatePenalty, Penalties, RatePenalty,
};
use barnowl::loss::{Decoder, DecoderKind, Score, Target};
use barnowl::network::{Network, NetworkConfig};
use barnowl::neuron::{InitialState, SurrogateConfig, TimeConstants};
use barnowl::objective::Answer;
use barnowl::parameters::TimeConstantForm;
use barnowl::pass::{Pass, SequencePath};
use barnowl::readout::{ReadoutConfig, ReadoutKind};
use barnowl::trained_threshold::EncoderConfig;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const DECODERS: [DecoderKind; 6] = [
    DecoderKind::PerStep,
    DecoderKind::SoftmaxSum,
    DecoderKind::MeanMembrane,
    DecoderKind::LastMembrane,
    DecoderKind::MaxMembrane,
    DecoderKind::SpikeCount,
];

#[derive(Debug, Clone)]
struct Case {
    config: NetworkConfig,
    steps: usize,
    batch: usize,
    events: bool,
    seed: u64,
    loss: ClassLossConfig,
    penalties: Penalties,
}

fn cases() -> impl Strategy<Value = Case> {
    let layer = (1..70_usize, any::<bool>(), 0..2_u8, any::<bool>()).prop_map(
        |(size, recurrent, beta, uniform)| LayerConfig {
            recurrent,
            b0: 0.05,
            beta: f32::from(beta) * 0.9,
            resistance: if uniform { 2.0 } else { 1.0 },
            tau_m: TimeConstants::Normal { mean: 15.0, sd: 5.0 },
            initial_state: match uniform {
                true => InitialState::Uniform { low: 0.0, high: 0.25 },
                false => InitialState::Zero,
            },
            surrogate: recurrent.then_some(SurrogateConfig::Linear { gamma: 0.4 }),
            ..LayerConfig::new(size)
        },
    );
    let layers = proptest::collection::vec(layer, 1..4);
    let network = (1..40_usize, layers, 1..36_usize, any::<bool>(), 0..6_usize, 0..4_usize);
    let shape = (5..60_usize, 1..20_usize, 0..3_u8, any::<u32>(), 0..4_usize, 0..4_usize);
    (network, shape).prop_map(|((inputs, layers, classes, alif, decoder, skip), shape)| {
        let (steps, batch, input, seed, answer, loss) = shape;
        let kind = DECODERS[decoder];
        let answer = match kind {
            DecoderKind::SoftmaxSum => Answer::Class,
            _ => [Answer::Class, Answer::Class, Answer::Values, Answer::Labels][answer],
        };
        let alif = alif || kind == DecoderKind::SpikeCount;
        let readout = if alif { ReadoutKind::Alif } else { ReadoutKind::LeakyIntegrator };
        let config = NetworkConfig {
            inputs,
            layers,
            readout: ReadoutConfig { b0: 0.05, ..ReadoutConfig::new(readout, classes) },
            decode: Decoder::new(kind).with_skip(skip).with_answer(answer),
            surrogate: SurrogateConfig::default(),
            encoder: (input == 2).then_some(EncoderConfig::TrainedThreshold { initial: 0.3 }),
            repeat: 1,
        };
        let plain = ClassLossConfig::default();
        let weights = || Some(ClassWeights::List((0..classes).map(|k| 0.5 + k as f64).collect()));
        let loss = match loss {
            _ if answer.is_real() => plain,
            0 => ClassLossConfig { class_weights: weights(), label_smoothing: 0.2, ..plain },
            1 => ClassLossConfig { class_weights: weights(), focal: 1.5, ..plain },
            _ => plain,
        };
        let (events, penalties) = (input == 1, Penalties::default());
        Case { config, steps, batch, events, seed: seed.into(), loss, penalties }
    })
}

/// Neurons of readouts that run from their equations: with a membrane that is a state, and that is none.
const READOUTS: [&str; 4] = ["alif", "adlif_se", "adlif_ef", "cuba_lif"];

/// The same with layers in both directions, repeated steps, cells that pass on real numbers, plain logits, and a penalty.
fn other_cases() -> impl Strategy<Value = Case> {
    let cells = [
        CellKind::Alif,
        CellKind::Alif,
        CellKind::Relu,
        CellKind::Lstm,
        CellKind::Gru,
        CellKind::Rnn,
    ];
    let drawn = (0..cells.len(), any::<[bool; 3]>(), 0..3_u32, any::<[bool; 2]>(), 0..8_usize);
    (cases(), drawn).prop_map(move |(case, (cell, both, repeat, [dense, penalty], neuron))| {
        let mut config = case.config;
        let cell = cells[cell];
        for (layer, both) in config.layers.iter_mut().zip(both) {
            (layer.cell, layer.bidirectional) = (cell, both);
            layer.surrogate = layer.surrogate.filter(|_| cell.is_spiking());
            layer.recurrent |= cell.gated().is_some();
        }
        // The mean of two or four spikes is exact.
        config.repeat = 1 << repeat;
        let counted = config.decode.kind == DecoderKind::SpikeCount;
        if !counted && (dense || cell != CellKind::Alif) {
            // Spikes after real numbers would depend on the last bit of these.
            config.readout.kind = match dense {
                true => ReadoutKind::Dense,
                false => ReadoutKind::LeakyIntegrator,
            };
        } else if counted {
            config.layers.iter_mut().for_each(|layer| layer.cell = CellKind::Alif);
        }
        if let (Some(name), CellKind::Alif) = (READOUTS.get(neuron), config.layers[0].cell) {
            config.readout = ReadoutConfig {
                neuron: Some((*name).to_owned()),
                surrogate: dense.then_some(SurrogateConfig::Linear { gamma: 0.4 }),
                ..ReadoutConfig::new(ReadoutKind::LeakyIntegrator, config.readout.size)
            };
        }
        let penalty = penalty && config.layers[0].cell == CellKind::Alif;
        let rate = (penalty && repeat < 2).then_some(RatePenalty { target: 0.1, weight: 3.0 });
        let neuron_rate = NeuronRatePenalty { low: 0.05, high: 0.2, weight: 2.0 };
        let penalties = Penalties { rate, neuron_rate: penalty.then_some(neuron_rate) };
        Case { config, penalties, steps: case.steps.min(30), ..case }
    })
}

impl Case {
    /// A network whose weights are multiples of 1/64: with inputs that are multiples of 1/8, currents are exact in
    /// whatever order they are summed, and every path spikes alike.
    fn network(&self, device: &Device) -> Network {
        let form = TimeConstantForm::Log;
        let network = self.config.init(device, self.seed).unwrap();
        let mut tensors = network.tensors(&self.config, form);
        for (name, tensor) in &mut tensors {
            if !name.contains("log_tau") && name != "encoder.threshold" {
                tensor.values.iter_mut().for_each(|w| *w = (*w * 64.0).round() / 64.0);
            }
            if name.ends_with("input.bias") && name.starts_with("layers") {
                tensor.values.fill(0.125);
            }
        }
        Network::from_tensors(&self.config, &tensors, form, device).unwrap()
    }

    /// The gradients of all parameters. Of equations, not every one is trained.
    fn collect(&self, network: &Network, gradients: GradientsParams) -> Vec<Vec<f32>> {
        match self.config.readout.neuron {
            None => collect_all(network, gradients),
            Some(_) => collect(network, gradients),
        }
    }

    fn data(&self) -> Dataset {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let shape = [self.batch, self.steps, self.config.inputs];
        let size = shape.iter().product();
        let classes = self.config.readout.size;
        let mut class = |n: usize| -> Vec<u16> {
            (0..n).map(|_| rng.random_range(0..classes) as u16).collect()
        };
        let per_step = self.config.decode.is_per_step();
        let entries = if per_step { self.steps * self.batch } else { self.batch };
        let answer = self.config.decode.answer;
        let targets = match (answer.is_real(), per_step) {
            (false, true) => Targets::PerStep(class(entries)),
            (false, false) => Targets::PerSequence(class(entries)),
            (true, _) => {
                let value = |_| match (rng.random_range(0..9_u8), answer) {
                    (0, _) => f32::NAN,
                    (n, Answer::Labels) => f32::from(n % 2),
                    (n, _) => f32::from(n) / 4.0 - 1.0,
                };
                let values = (0..entries * classes).map(value).collect();
                match per_step {
                    true => Targets::ValuesPerStep(values),
                    false => Targets::ValuesPerSequence(values),
                }
            }
        };
        let names = (0..classes).map(|i| i.to_string()).collect();
        if self.events {
            let spikes: Vec<i8> =
                (0..size).map(|_| [0, 0, 0, 0, 1, -1][rng.random_range(0..6)]).collect();
            return Dataset::from_spikes(shape, names, &spikes, targets, "").unwrap();
        }
        let real = (0..size).map(|_| f32::from(rng.random_range(-8..=8_i8)) / 8.0).collect();
        Dataset::new(shape, names, Inputs::Real(real), targets, "").unwrap()
    }
}

/// Loss and gradients by the plain-tensor reference and Burn's autodiff.
fn by_autodiff(
    case: &Case,
    network: &Network,
    data: &Dataset,
    pass: Pass<'_>,
) -> (f64, Vec<Vec<f32>>) {
    let device = Device::flex().autodiff();
    let indices: Vec<usize> = (0..case.batch).collect();
    let batch = data.batch(&indices);
    let shape = [case.steps, case.batch, case.config.inputs];
    let input = Tensor::from_data(TensorData::new(batch.inputs, shape), &device);
    let outputs = case.config.readout.size;
    let per_step = case.config.decode.is_per_step();
    let target = if case.config.decode.answer.is_real() {
        let values = data.batch_values(&indices);
        match per_step {
            true => Target::ValuesPerStep(Tensor::from_data(
                TensorData::new(values, [case.steps, case.batch, outputs]),
                &device,
            )),
            false => Target::ValuesPerSequence(Tensor::from_data(
                TensorData::new(values, [case.batch, outputs]),
                &device,
            )),
        }
    } else if per_step {
        let targets = TensorData::new(batch.targets, [case.steps, case.batch]);
        Target::PerStep(Tensor::from_data(targets, &device))
    } else {
        Target::PerSequence(Tensor::from_data(
            TensorData::new(batch.targets, [case.batch]),
            &device,
        ))
    };
    let output = network.forward(input, &case.config, pass);
    assert_eq!(matches!(output.score, Score::PerStep(_)), case.config.decode.is_per_step());
    let class_loss = case.loss.of(data, "loss").unwrap();
    let mut loss = case.config.decode.loss_by(&output.score, &target, class_loss.as_ref());
    let value = f64::from(loss.clone().into_scalar::<f32>());
    for spikes in output.spikes {
        if let Some(RatePenalty { target, weight }) = case.penalties.rate {
            let distance = spikes.clone().mean() - target;
            loss = loss + distance.clone() * distance * weight;
        }
        if let Some(NeuronRatePenalty { low, high, weight }) = case.penalties.neuron_rate {
            let rates = spikes.mean_dim(0).mean_dim(1);
            let outside = rates.clone() - rates.clamp(low, high);
            loss = loss + (outside.clone() * outside).mean() * weight;
        }
    }
    (value, case.collect(network, GradientsParams::from_grads(loss.backward(), network)))
}

fn by_bptt(
    case: &Case,
    network: &Network,
    data: &Dataset,
    pass: Pass<'_>,
    checkpoint_steps: Option<usize>,
) -> (BatchOutcome, Vec<Vec<f32>>) {
    let indices: Vec<usize> = (0..case.batch).collect();
    let mut bptt = Bptt::new(&case.config, BpttOptions { checkpoint_steps, cut: None }).unwrap();
    let classes = case.loss.of(data, "loss").unwrap();
    bptt.set_criterion(Criterion { classes, penalties: case.penalties });
    let (outcome, gradients) = bptt.gradients(network, data, &indices, pass);
    let without = bptt.evaluate(network, data, &indices, pass);
    assert_eq!(without.classes, outcome.classes);
    assert_eq!(without.values, outcome.values);
    assert_eq!(without.rates, outcome.rates);
    (outcome, case.collect(network, gradients))
}

/// Compares the two.
fn check(case: &Case) -> Result<(), TestCaseError> {
    let network = case.network(&Device::flex().autodiff());
    let data = case.data();
    let pass = Pass { path: SequencePath::Reference, seed: 7, ..Pass::default() };
    let (loss, expected) = by_autodiff(case, &network, &data, pass);
    let (outcome, found) = by_bptt(case, &network, &data, pass, None);
    prop_assert!((outcome.loss - loss).abs() <= 2e-5 * loss.abs().max(1e-3));
    let size: f64 = expected.iter().flatten().map(|x| f64::from(*x).powi(2)).sum();
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let pairs = found.iter().zip(expected);
        let difference: f64 = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let own: f64 = expected.iter().map(|x| f64::from(*x).powi(2)).sum();
        // Relative to the parameter's own gradient, or to all of them where it is next to nothing.
        prop_assert!(
            difference.sqrt() <= 2e-4 * own.sqrt() + 2e-6 * size.sqrt(),
            "parameter {}: off by {:e} of {:e}",
            i,
            difference.sqrt(),
            own.sqrt()
        );
    }
    for checkpoint_steps in [1, 17, 40] {
        let again = by_bptt(case, &network, &data, pass, Some(checkpoint_steps));
        prop_assert!(again.1 == found && again.0.classes == outcome.classes);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn bptt_equals_autodiff(case in cases()) {
        check(&case)?;
    }

    #[test]
    fn so_it_does_of_every_cell_and_in_both_directions(case in other_cases()) {
        check(&case)?;
    }

    #[test]
    fn windows_go_on_with_cells_that_pass_on_numbers(case in other_cases(), window in 1..20_usize) {
        let mut case = case;
        case.config.repeat = 1;
        case.config.layers.iter_mut().for_each(|layer| layer.bidirectional = false);
        let (network, data) = (case.network(&Device::flex().autodiff()), case.data());
        let indices: Vec<usize> = (0..case.batch).collect();
        let mut bptt = Bptt::new(&case.config, BpttOptions::default()).unwrap();
        let pass = Pass { seed: 7, ..Pass::default() };
        let whole = bptt.evaluate(&network, &data, &indices, pass);
        let mut keep = |network: &Network, _: &BatchOutcome, _| Ok(network.clone());
        let (parts, _) = bptt.windows(&network, &data, &indices, pass, window, &mut keep).unwrap();
        prop_assert!((parts.loss - whole.loss).abs() <= 1e-5 * whole.loss.abs().max(1e-3));
        if case.config.decode.is_per_step() {
            prop_assert_eq!(&parts.classes, &whole.classes);
        }
        for (part, whole) in parts.rates.iter().zip(&whole.rates) {
            prop_assert!((part - whole).abs() < 1e-9);
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let layer = |size| LayerConfig { b0: 0.02, ..LayerConfig::new(size) };
    let config = NetworkConfig {
        inputs: 50,
        layers: vec![layer(130), layer(70)],
        readout: ReadoutConfig::new(ReadoutKind::LeakyIntegrator, 12),
        decode: Decoder::new(DecoderKind::SoftmaxSum),
        surrogate: SurrogateConfig::default(),
        encoder: None,
        repeat: 1,
    };
    let case = Case {
        config,
        steps: 70,
        batch: 37,
        events: true,
        seed: 3,
        loss: ClassLossConfig::default(),
        penalties: Penalties::default(),
    };
    let data = case.data();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let network = case.network(&Device::flex().autodiff());
            by_bptt(&case, &network, &data, Pass::default(), None)
        })
    };
    let one = on(1);
    assert!(one.0.rates.iter().all(|rate| *rate > 0.01), "a silent network proves nothing");
    for threads in [2, 3, 7] {
        assert!(on(threads) == one, "{threads} threads");
    }
}

#[test]
fn what_it_cannot_do_is_refused_by_key() {
    let layer = LayerConfig { bidirectional: true, ..LayerConfig::new(4) };
    let config = NetworkConfig {
        inputs: 2,
        layers: vec![LayerConfig::new(4), layer],
        readout: ReadoutConfig::new(ReadoutKind::LeakyIntegrator, 2),
        decode: Decoder::new(DecoderKind::PerStep),
        surrogate: SurrogateConfig::default(),
        encoder: None,
        repeat: 1,
    };
    let options = BpttOptions { checkpoint_steps: None, cut: Some(5) };
    assert!(Bptt::new(&config, BpttOptions::default()).is_ok());
    assert_eq!(Bptt::new(&config, options).unwrap_err().key(), Some("cut"));
    let config = NetworkConfig { layers: vec![LayerConfig::new(4)], ..config };
    let error =
        Bptt::new(&config, BpttOptions { checkpoint_steps: Some(0), cut: None }).unwrap_err();
    assert_eq!(error.key(), Some("checkpoint_steps"));
}

//! Sequences of unequal length: what comes after a sequence's end counts nowhere, whatever stands there and however much of
//! it, on every path.

use super::gradients::collect;
use barnowl::activity::Activity;
use barnowl::cell::CellKind;
use barnowl::dataset::{Dataset, Inputs, Targets, UNLABELLED};
use barnowl::initializer::Initializer;
use barnowl::layer::LayerConfig;
use barnowl::learning::{BatchOutcome, Bptt, BpttOptions, Layerwise, Learner};
use barnowl::loss::{Decoder, DecoderKind};
use barnowl::network::{Network, NetworkConfig};
use barnowl::neuron::{InitialState, SurrogateConfig, TimeConstants};
use barnowl::objective::Answer;
use barnowl::parameters::TimeConstantForm;
use barnowl::pass::Pass;
use barnowl::readout::{ReadoutConfig, ReadoutKind};
use barnowl::recipe::{RatePenalty, TrainConfig, Truncation, Update};
use barnowl::train::{evaluate, fit};
use barnowl::trained_threshold::EncoderConfig;
use burn::tensor::{Device, Tensor};
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
    lengths: Vec<usize>,
    events: bool,
    seed: u64,
}

fn cases(fused: bool) -> impl Strategy<Value = Case> {
    let layer = (1..40_usize, any::<bool>(), 0..2_u8, any::<bool>(), 0..4_u8).prop_map(
        move |(size, recurrent, beta, uniform, kind)| LayerConfig {
            recurrent: recurrent || (!fused && kind == 2),
            bidirectional: !fused && kind == 1,
            cell: match kind {
                2 if !fused => CellKind::Lstm,
                3 if !fused => CellKind::Relu,
                _ => CellKind::Alif,
            },
            b0: 0.05,
            beta: f32::from(beta) * 0.9,
            tau_m: TimeConstants::Normal { mean: 15.0, sd: 5.0 },
            initial_state: match uniform {
                true => InitialState::Uniform { low: 0.0, high: 0.25 },
                false => InitialState::Zero,
            },
            ..LayerConfig::new(size)
        },
    );
    let layers = proptest::collection::vec(layer, 1..3);
    let network = (1..12_usize, layers, 2..20_usize, 0..3_u8, 0..6_usize, 0..4_usize, 1..3_usize);
    let lengths = proptest::collection::vec(5..45_usize, 1..14);
    (network, lengths, 0..3_u8, any::<u32>(), 0..4_usize).prop_map(
        move |(network, lengths, input, seed, answer)| {
            let (inputs, layers, classes, readout, decoder, skip, repeat) = network;
            let kind = DECODERS[decoder];
            let answer = match kind {
                DecoderKind::SoftmaxSum => Answer::Class,
                _ => [Answer::Class, Answer::Class, Answer::Values, Answer::Labels][answer],
            };
            let readout = match readout {
                _ if kind == DecoderKind::SpikeCount => ReadoutKind::Alif,
                0 => ReadoutKind::Alif,
                1 if !fused => ReadoutKind::Dense,
                _ => ReadoutKind::LeakyIntegrator,
            };
            let config = NetworkConfig {
                inputs,
                layers,
                readout: ReadoutConfig { b0: 0.05, ..ReadoutConfig::new(readout, classes) },
                decode: Decoder::new(kind).with_skip(skip).with_answer(answer),
                surrogate: SurrogateConfig::default(),
                encoder: (input == 2).then_some(EncoderConfig::TrainedThreshold { initial: 0.3 }),
                repeat: if fused { 1 } else { repeat },
            };
            let mut lengths = lengths;
            if lengths.iter().all(|length| *length == lengths[0]) {
                lengths.push(lengths[0] + 1);
            }
            Case { config, lengths, events: input == 1, seed: seed.into() }
        },
    )
}

impl Case {
    /// As in `bptt.rs`: currents are exact in whatever order they are summed.
    fn network(&self) -> Network {
        let (device, form) = (Device::flex().autodiff(), TimeConstantForm::Log);
        let network = self.config.init(&device, self.seed).unwrap();
        let mut tensors = network.tensors(&self.config, form);
        for (name, tensor) in &mut tensors {
            if !name.contains("log_tau") && name != "encoder.threshold" {
                tensor.values.iter_mut().for_each(|w| *w = (*w * 64.0).round() / 64.0);
            }
            if name.ends_with("input.bias") && name.starts_with("layers") {
                tensor.values.fill(0.125);
            }
        }
        Network::from_tensors(&self.config, &tensors, form, &device).unwrap()
    }

    /// The sequences, filled up with `garbage` to `more` steps beyond the longest.
    fn data(&self, more: usize, garbage: f32) -> Dataset {
        let steps = self.lengths.iter().max().unwrap() + more;
        let (samples, inputs) = (self.lengths.len(), self.config.inputs);
        let classes = self.config.readout.size;
        let mut real = Vec::new();
        let mut per_step = Vec::new();
        let mut per_sequence = Vec::new();
        for (sample, length) in self.lengths.iter().enumerate() {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            rng.set_stream(sample as u64);
            per_sequence.push(rng.random_range(0..classes) as u16);
            for step in 0..steps {
                let class = rng.random_range(0..classes) as u16;
                // A few steps have no label.
                per_step.push(if step % 7 == 3 { UNLABELLED } else { class });
                for _ in 0..inputs {
                    let value = match self.events {
                        true => [0.0, 0.0, 0.0, 1.0, -1.0][rng.random_range(0..5)],
                        false => f32::from(rng.random_range(-8..=8_i8)) / 8.0,
                    };
                    real.push(if step < *length { value } else { garbage });
                }
            }
        }
        let answer = self.config.decode.answer;
        // Numbers that follow from the class; some are not known.
        let numbers = |of: Vec<u16>| -> Vec<f32> {
            let number = |class: u16, place: usize| match (class, answer) {
                (UNLABELLED, _) => f32::NAN,
                (class, Answer::Labels) => {
                    f32::from((usize::from(class) + place).is_multiple_of(2))
                }
                (class, _) => (f32::from(class) - place as f32) / 4.0,
            };
            of.iter()
                .flat_map(|class| (0..classes).map(move |place| number(*class, place)))
                .collect()
        };
        let targets = match (answer.is_real(), self.config.decode.is_per_step()) {
            (false, true) => Targets::PerStep(per_step),
            (false, false) => Targets::PerSequence(per_sequence),
            (true, true) => Targets::ValuesPerStep(numbers(per_step)),
            (true, false) => Targets::ValuesPerSequence(numbers(per_sequence)),
        };
        let names = (0..classes).map(|i| i.to_string()).collect();
        let shape = [samples, steps, inputs];
        let data = if self.events {
            let spikes: Vec<i8> = real.iter().map(|x| x.clamp(-1.0, 1.0) as i8).collect();
            Dataset::from_spikes(shape, names, &spikes, targets, "")
        } else {
            Dataset::new(shape, names, Inputs::Real(real), targets, "")
        };
        data.unwrap().with_lengths(&self.lengths).unwrap()
    }

    /// Sequence `sample` by itself, without padding, at its place in the data set: those before it are there, but not run.
    fn alone(&self, sample: usize) -> Dataset {
        let length = self.lengths[sample];
        let whole = self.data(0, 0.0);
        let (steps, inputs, samples) = (whole.steps(), self.config.inputs, whole.samples());
        let mut values = Vec::new();
        for n in 0..samples {
            let batch = whole.batch(&[n]).inputs;
            values.extend_from_slice(&batch[..length * inputs]);
        }
        let targets = match whole.targets() {
            Targets::PerStep(all) => Targets::PerStep(
                all.chunks_exact(steps).flat_map(|all| all[..length].to_vec()).collect(),
            ),
            Targets::ValuesPerStep(all) => {
                let count = self.config.readout.size;
                let sequences = all.chunks_exact(steps * count);
                Targets::ValuesPerStep(
                    sequences.flat_map(|all| all[..length * count].to_vec()).collect(),
                )
            }
            per_sequence => per_sequence.clone(),
        };
        let names = whole.class_names().to_vec();
        Dataset::new([samples, length, inputs], names, Inputs::Real(values), targets, "").unwrap()
    }
}

type Found = (BatchOutcome, Vec<Vec<f32>>);

/// What learns: a network, a data set, and some of its sequences to loss and gradients.
type Learn<'a> = &'a dyn Fn(&Network, &Dataset, &[usize]) -> Found;

fn near(found: &[Vec<f32>], expected: &[Vec<f32>], what: &str) {
    let size: f64 = expected.iter().flatten().map(|x| f64::from(*x).powi(2)).sum();
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let pairs = found.iter().zip(expected);
        let difference: f64 = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let own: f64 = expected.iter().map(|x| f64::from(*x).powi(2)).sum();
        assert!(
            difference.sqrt() <= 3e-4 * own.sqrt() + 3e-6 * size.sqrt() + 1e-9,
            "{what}: parameter {i} is off by {:e} of {:e}",
            difference.sqrt(),
            own.sqrt()
        );
    }
}

/// Of numbers that may be NaN.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The batch equals itself with other padding, to the bit, and the mean of its sequences alone.
fn check(case: &Case, learn: Learn<'_>, what: &str) -> Found {
    let network = case.network();
    let samples = case.lengths.len();
    // In another order than that of the data set.
    let indices: Vec<usize> = (0..samples).rev().collect();
    let data = case.data(0, 0.0);
    let (outcome, gradients) = learn(&network, &data, &indices);
    let (steps, per_step) = (data.steps(), case.config.decode.is_per_step());
    for (more, garbage) in [(0, 1.0e30), (1, -7.5), (23, 1.0e30)] {
        let (other, again) = learn(&network, &case.data(more, garbage), &indices);
        assert_eq!(other.loss, outcome.loss, "{what}: loss with {more} more steps of {garbage}");
        assert_eq!(other.rates, outcome.rates, "{what}");
        assert_eq!(other.readout_rate, outcome.readout_rate, "{what}");
        assert!(again == gradients, "{what}: gradients with {more} more steps of {garbage}");
        let (classes, rest) = other.classes.split_at(outcome.classes.len());
        assert_eq!(classes, outcome.classes, "{what}");
        assert!(rest.iter().all(|class| *class == UNLABELLED), "{what}: answers at padding");
        let (values, more_values) = other.values.split_at(outcome.values.len());
        assert_eq!(bits(values), bits(&outcome.values), "{what}");
        assert!(more_values.iter().all(|value| value.is_nan()), "{what}: numbers at padding");
        let count = rest.len() + more_values.len() / case.config.readout.size;
        assert_eq!(count, if per_step { more * samples } else { 0 });
    }
    let mut mean = Vec::<Vec<f64>>::new();
    let mut loss = 0.0;
    let mut spikes = vec![0.0; outcome.rates.len()];
    for (row, sample) in indices.iter().enumerate() {
        let (alone, own) = learn(&network, &case.alone(*sample), &[*sample]);
        loss += alone.loss / samples as f64;
        let length = case.lengths[*sample];
        spikes.iter_mut().zip(&alone.rates).for_each(|(sum, rate)| *sum += rate * length as f64);
        mean.resize(own.len(), Vec::new());
        for (mean, own) in mean.iter_mut().zip(own) {
            mean.resize(own.len(), 0.0);
            mean.iter_mut().zip(own).for_each(|(sum, g)| *sum += f64::from(g) / samples as f64);
        }
        if case.config.decode.answer.is_real() {
            let rows = outcome.values.chunks_exact(case.config.readout.size);
            let found: Vec<f32> = rows.skip(row).step_by(samples).flatten().copied().collect();
            let (found, padding) = found.split_at(alone.values.len());
            let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-4 * b.abs().max(1.0);
            assert!(found.iter().zip(&alone.values).all(close), "{what}: sequence {sample}");
            assert!(padding.iter().all(|value| value.is_nan()), "{what}");
            continue;
        }
        let found: Vec<u16> = outcome.classes.iter().skip(row).step_by(samples).copied().collect();
        if per_step {
            assert_eq!(found[..length], alone.classes, "{what}: sequence {sample}");
            assert!(found[length..].iter().all(|class| *class == UNLABELLED), "{what}");
            assert_eq!(found.len(), steps);
        } else {
            assert_eq!(found, alone.classes, "{what}: sequence {sample}");
        }
    }
    assert!((outcome.loss - loss).abs() <= 3e-5 * loss.max(1e-3), "{what}: {loss}");
    let total: usize = case.lengths.iter().sum();
    for (rate, spikes) in outcome.rates.iter().zip(spikes) {
        assert!((rate - spikes / total as f64).abs() < 1e-9, "{what}: rate {rate}");
    }
    let mean: Vec<Vec<f32>> =
        mean.into_iter().map(|mean| mean.into_iter().map(|x| x as f32).collect()).collect();
    near(&gradients, &mean, what);
    (outcome, gradients)
}

fn bptt(case: &Case, options: BpttOptions) -> impl Fn(&Network, &Dataset, &[usize]) -> Found {
    let config = case.config.clone();
    move |network, data, indices| {
        let mut bptt = Bptt::new(&config, options).unwrap();
        let pass = Pass { seed: 7, ..Pass::default() };
        let (outcome, gradients) = bptt.gradients(network, data, indices, pass);
        let without = bptt.evaluate(network, data, indices, pass);
        assert_eq!(without.classes, outcome.classes);
        // With cuts, the rates are added up in another order.
        let pairs = without.rates.iter().zip(&outcome.rates);
        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-12));
        assert!((without.loss - outcome.loss).abs() <= 1e-6 * outcome.loss.max(1e-3));
        (outcome, collect(network, gradients))
    }
}

fn layerwise(case: &Case, cut: Option<usize>) -> impl Fn(&Network, &Dataset, &[usize]) -> Found {
    let config = case.config.clone();
    move |network, data, indices| {
        let pass = Pass { seed: 7, ..Pass::default() };
        let mut layerwise = Layerwise::new(&config).with_cut(cut);
        let (outcome, gradients) = layerwise.gradients(network, data, indices, pass);
        let without = layerwise.evaluate(network, data, indices, pass);
        assert_eq!(without.classes, outcome.classes);
        // Window by window, the rates are added up in another order.
        let pairs = without.rates.iter().zip(&outcome.rates);
        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-12));
        (outcome, collect(network, gradients))
    }
}

/// The gradients of all windows together, of a network that they leave alone.
fn windows(
    case: &Case,
    fused: bool,
    window: usize,
) -> impl Fn(&Network, &Dataset, &[usize]) -> Found {
    let config = case.config.clone();
    move |network, data, indices| {
        let pass = Pass { seed: 7, ..Pass::default() };
        let mut sum = Vec::<Vec<f32>>::new();
        let mut add = |network: &Network, _: &BatchOutcome, gradients| {
            let found = collect(network, gradients);
            sum.resize(found.len(), Vec::new());
            for (sum, found) in sum.iter_mut().zip(found) {
                sum.resize(found.len(), 0.0);
                sum.iter_mut().zip(found).for_each(|(sum, g)| *sum += g);
            }
            Ok(network.clone())
        };
        let (outcome, _) = match fused {
            true => Bptt::new(&config, BpttOptions::default())
                .unwrap()
                .windows(network, data, indices, pass, window, &mut add),
            false => {
                Layerwise::new(&config).windows(network, data, indices, pass, window, &mut add)
            }
        }
        .unwrap();
        (outcome, sum)
    }
}

fn same((a, a_gradients): &Found, (b, b_gradients): &Found, what: &str) {
    assert!((a.loss - b.loss).abs() <= 3e-5 * b.loss.max(1e-3), "{what}: {} {}", a.loss, b.loss);
    assert_eq!(a.classes, b.classes, "{what}");
    assert_eq!(a.values.len(), b.values.len(), "{what}");
    for (a, b) in a.values.iter().zip(&b.values) {
        let close = (a - b).abs() <= 1e-4 * b.abs().max(1.0);
        assert!(close || (a.is_nan() && b.is_nan()), "{what}: {a} and {b}");
    }
    for (a, b) in a.rates.iter().zip(&b.rates) {
        assert!((a - b).abs() < 1e-9, "{what}: rates");
    }
    near(a_gradients, b_gradients, what);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn padding_counts_nowhere_in_fused_networks(case in cases(true), window in 3..30_usize) {
        let plain = check(&case, &bptt(&case, BpttOptions::default()), "bptt");
        let segments = BpttOptions { checkpoint_steps: Some(16), cut: None };
        let again = check(&case, &bptt(&case, segments), "bptt in segments");
        prop_assert!(again.1 == plain.1 && again.0.loss == plain.0.loss);
        prop_assert_eq!(bits(&again.0.values), bits(&plain.0.values));
        prop_assert_eq!((&again.0.classes, &again.0.rates), (&plain.0.classes, &plain.0.rates));
        same(&check(&case, &layerwise(&case, None), "layerwise"), &plain, "layerwise");
        let cut = BpttOptions { checkpoint_steps: None, cut: Some(window) };
        let cut = check(&case, &bptt(&case, cut), "bptt cut");
        same(&check(&case, &layerwise(&case, Some(window)), "layerwise cut"), &cut, "cut");
        let by_window = check(&case, &windows(&case, true, window), "bptt by window");
        let other = check(&case, &windows(&case, false, window), "layerwise by window");
        same(&other, &by_window, "by window");
        prop_assert_eq!(&by_window.0.classes, &plain.0.classes);
    }

    #[test]
    fn padding_counts_nowhere_in_other_networks(case in cases(false)) {
        check(&case, &layerwise(&case, None), "layerwise");
        check(&case, &bptt(&case, BpttOptions::default()), "bptt");
    }
}

fn case(config: NetworkConfig) -> Case {
    Case { config, lengths: vec![9, 30, 17, 5, 30, 22, 11], events: false, seed: 5 }
}

fn config(kind: DecoderKind) -> NetworkConfig {
    let layer = |bidirectional| LayerConfig {
        bidirectional,
        b0: 0.05,
        initial_state: InitialState::Uniform { low: 0.0, high: 0.25 },
        ..LayerConfig::new(12)
    };
    NetworkConfig {
        inputs: 4,
        layers: vec![layer(false), layer(false)],
        readout: ReadoutConfig { b0: 0.05, ..ReadoutConfig::new(ReadoutKind::Alif, 3) },
        decode: Decoder::new(kind).with_skip(2),
        surrogate: SurrogateConfig::default(),
        encoder: None,
        repeat: 1,
    }
}

#[test]
fn evaluation_depends_neither_on_the_batch_nor_on_padding() {
    for bidirectional in [false, true] {
        for kind in [DecoderKind::PerStep, DecoderKind::MeanMembrane] {
            let mut config = config(kind);
            config.layers[1].bidirectional = bidirectional;
            let case = case(config);
            let network = case.network();
            let of = |data: &Dataset, batch| evaluate(&network, &case.config, data, batch).unwrap();
            let data = case.data(0, 0.0);
            let whole = of(&data, 64);
            for (data, batch) in [(data, 1), (case.data(0, 9.0), 3), (case.data(13, 9.0), 7)] {
                let other = of(&data, batch);
                assert!((other.loss - whole.loss).abs() < 1e-5 * whole.loss);
                assert_eq!(other.score, whole.score);
                assert_eq!(other.confusion, whole.confusion);
                for (a, b) in other.spike_rate.layers.iter().zip(&whole.spike_rate.layers) {
                    assert!(*a > 0.0 && (a - b).abs() < 1e-9);
                }
                assert_eq!(other.loss_per_step.is_some(), kind == DecoderKind::PerStep);
                let prediction = other.prediction;
                let rows = prediction.classes.chunks_exact(prediction.steps);
                let expected = whole.prediction.classes.chunks_exact(whole.prediction.steps);
                for ((row, expected), length) in rows.zip(expected).zip(&case.lengths) {
                    let length = if prediction.steps == 1 { 1 } else { *length };
                    assert_eq!(row[..length], expected[..length]);
                    assert!(row[..length].iter().all(|class| *class != UNLABELLED));
                    assert!(row[length..].iter().all(|class| *class == UNLABELLED));
                }
            }
        }
    }
}

#[test]
fn the_loss_per_step_is_that_of_the_steps_that_count() {
    let case = case(config(DecoderKind::PerStep));
    let network = case.network();
    let data = case.data(0, 0.0);
    let found = evaluate(&network, &case.config, &data, 4).unwrap();
    let per_step = found.loss_per_step.unwrap();
    let sum = found.loss * data.samples() as f64;
    assert!((per_step * found.confusion.unwrap().total() as f64 - sum).abs() < 1e-9 * sum);
}

#[test]
fn activity_counts_the_steps_before_the_end() {
    for bidirectional in [false, true] {
        let mut config = config(DecoderKind::PerStep);
        config.layers[0].bidirectional = bidirectional;
        let case = case(config);
        let network = case.network();
        let of =
            |data: &Dataset, batch| Activity::measure(&network, &case.config, data, batch).unwrap();
        let data = case.data(0, 0.0);
        let activity = of(&data, 3);
        assert_eq!(activity.total_steps, case.lengths.iter().sum::<usize>() as u64);
        assert_eq!([activity.running[0], activity.running[4], activity.running[5]], [7, 7, 6]);
        let padded = of(&case.data(8, 3.0), 2);
        assert_eq!(
            (padded.layers[0].total(), &padded.class_steps),
            (activity.layers[0].total(), &activity.class_steps)
        );
        assert_eq!(padded.layers[1].spikes, activity.layers[1].spikes);
        assert_eq!(padded.layers[1].last, activity.layers[1].last);
        // The same rates as an evaluation's.
        let rates = evaluate(&network, &case.config, &data, 7).unwrap().spike_rate;
        for (layer, rate) in activity.layers.iter().zip(&rates.layers) {
            assert!((activity.rate(layer) - rate).abs() < 1e-9 && *rate > 0.0);
        }
    }
}

#[test]
fn initial_states_have_streams_of_their_own() {
    // Without weights, membranes are what the initial states leave of themselves.
    let mut config = config(DecoderKind::PerStep);
    config.decode.skip = 0;
    config.layers[0].bidirectional = true;
    for layer in &mut config.layers {
        layer.initial_state = InitialState::Uniform { low: 1.0, high: 2.0 };
        (layer.b0, layer.beta) = (1.5, 0.0);
        (layer.input_weights, layer.recurrent_weights) = (Initializer::Zeros, Initializer::Zeros);
    }
    let network = config.init(&Device::flex(), 1).unwrap();
    let input = Tensor::zeros([1, 4, 4], &Device::flex());
    let spikes = |sequences: &[usize]| -> Vec<Vec<f32>> {
        let pass = Pass { sequences: Some(sequences), ..Pass::default() };
        let output = network.forward(input.clone(), &config, pass);
        output.spikes.into_iter().map(|s| s.into_data().try_to_vec().unwrap()).collect()
    };
    let found = spikes(&[0, 1, 2, 3]);
    let of = |layer: usize, from: usize, row: usize| {
        let width = found[layer].len() / 4;
        found[layer][row * width + from..row * width + from + 12].to_vec()
    };
    let parts: Vec<Vec<f32>> =
        (0..4).flat_map(|row| [of(0, 0, row), of(0, 12, row), of(1, 0, row)]).collect();
    for (i, part) in parts.iter().enumerate() {
        assert!(part.contains(&1.0) && part.contains(&0.0), "{part:?} proves nothing");
        assert!(parts[..i].iter().all(|other| other != part), "part {i} is another's");
    }
    // By the sequence, wherever its row is.
    let moved = spikes(&[3, 2, 1, 0]);
    assert_eq!(moved[1][..12], found[1][36..]);
}

#[test]
fn training_ends_with_the_same_network_whatever_the_padding() {
    let case = case(config(DecoderKind::MeanMembrane));
    for (penalty, cut) in [(None, false), (Some(RatePenalty { target: 0.1, weight: 5.0 }), true)] {
        let recipe = TrainConfig {
            epochs: 2,
            batch: 3,
            rate_penalty: penalty,
            truncation: cut.then_some(Truncation { window: 8, update: Update::Window }),
            ..TrainConfig::default()
        };
        let train = |data: &Dataset| {
            let (network, reports) = fit(&case.config, &recipe, data, data).unwrap();
            (network.tensors(&case.config, TimeConstantForm::Log), reports)
        };
        let (tensors, reports) = train(&case.data(0, 0.0));
        let (other, others) = train(&case.data(11, 50.0));
        assert!(tensors == other);
        for (a, b) in reports.iter().zip(&others) {
            assert_eq!((a.train_loss, a.valid_score), (b.train_loss, b.valid_score));
        }
    }
}

#[test]
fn what_has_no_counted_step_is_refused() {
    let data = case(config(DecoderKind::PerStep)).data(0, 0.0);
    let names = (0..7).map(|i| format!("recording {i}")).collect();
    let data = data.with_sequence_names(names).unwrap();
    let recipe = TrainConfig { epochs: 1, ..TrainConfig::default() };
    let mut late = config(DecoderKind::PerStep);
    late.decode.skip = 5;
    let error = fit(&late, &recipe, &data, &data).unwrap_err();
    assert_eq!(error.key(), Some("network.decode.skip"));
    assert!(error.to_string().contains("5 steps of the shortest sequence, recording 3"), "{error}");

    let config = config(DecoderKind::PerStep);
    let network = config.init(&Device::flex(), 1).unwrap();
    let none = Dataset::new(
        [2, 9, 4],
        data.class_names().to_vec(),
        Inputs::Real(vec![0.0; 72]),
        // Steps 0 and 1 have labels, and are skipped.
        Targets::PerStep((0..18).map(|i| if i % 9 < 2 { 0 } else { UNLABELLED }).collect()),
        "",
    )
    .unwrap();
    for error in [
        fit(&config, &recipe, &none, &data).unwrap_err(),
        fit(&config, &recipe, &data, &none).unwrap_err(),
        evaluate(&network, &config, &none, 2).unwrap_err(),
    ] {
        assert!(error.to_string().contains("no step with a label counts: from step 2"), "{error}");
    }
}

/// Classes that a network does not have, of data that have more names than it has neurons.
fn beyond(kind: DecoderKind) -> (NetworkConfig, Network, Dataset) {
    let config = config(kind);
    let mut more = config.clone();
    more.readout.size = 6;
    let data = Case { config: more, lengths: vec![9; 8], events: false, seed: 1 }.data(0, 0.0);
    let network = config.init(&Device::flex().autodiff(), 1).unwrap();
    (config, network, data)
}

#[test]
#[should_panic(expected = "the network has 3 classes")]
fn bptt_panics_on_classes_that_the_network_does_not_have() {
    let (config, network, data) = beyond(DecoderKind::MeanMembrane);
    let mut bptt = Bptt::new(&config, BpttOptions::default()).unwrap();
    let _ = bptt.gradients(&network, &data, &[0, 1, 2, 3, 4, 5, 6, 7], Pass::default());
}

#[test]
#[should_panic(expected = "the network has 3 classes")]
fn layerwise_panics_on_classes_that_the_network_does_not_have() {
    let (config, network, data) = beyond(DecoderKind::PerStep);
    let _ = Layerwise::new(&config).evaluate(&network, &data, &[0, 1], Pass::default());
}

#[test]
fn classes_that_the_network_does_not_have_are_refused_before_training() {
    let recipe = TrainConfig { epochs: 1, ..TrainConfig::default() };
    for kind in [DecoderKind::PerStep, DecoderKind::MeanMembrane] {
        let (config, network, data) = beyond(kind);
        let error = fit(&config, &recipe, &data, &data).unwrap_err().to_string();
        assert!(error.contains("the data have 6 classes, the readout has 3 neurons"), "{error}");
        assert!(evaluate(&network, &config, &data, 2).is_err());
    }
}

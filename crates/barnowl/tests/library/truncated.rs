//! Truncated backpropagation against plain tensors: a loop over steps in Burn's autodiff whose state is detached between
//! windows.

use super::gradients::collect;
use barnowl::dataset::{Dataset, Inputs, Targets, UNLABELLED};
use barnowl::error::Result;
use barnowl::layer::LayerConfig;
use barnowl::learning::{
    BatchOutcome, Bptt, BpttOptions, Criterion, Layerwise, Learner, Penalties, RatePenalty,
};
use barnowl::loss::{Decoder, DecoderKind};
use barnowl::network::{Network, NetworkConfig};
use barnowl::neuron::{InitialState, SurrogateConfig, TimeConstants};
use barnowl::parameters::TimeConstantForm;
use barnowl::pass::Pass;
use barnowl::readout::{Readout, ReadoutConfig, ReadoutKind};
use burn::module::Module;
use burn::nn::Linear;
use burn::optim::GradientsParams;
use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const STEPS: usize = 41;
const BATCH: usize = 5;
const INPUTS: usize = 6;
const CLASSES: usize = 4;
const SKIP: usize = 3;
const B0: f32 = 0.05;
const BETA: f32 = 0.9;
const PENALTY: f64 = 20.0;

fn config(kind: DecoderKind) -> NetworkConfig {
    let layer = |size, recurrent| LayerConfig {
        recurrent,
        b0: B0,
        beta: BETA,
        tau_m: TimeConstants::Normal { mean: 15.0, sd: 5.0 },
        ..LayerConfig::new(size)
    };
    let readout = match kind {
        DecoderKind::SpikeCount | DecoderKind::MaxMembrane => ReadoutKind::Alif,
        _ => ReadoutKind::LeakyIntegrator,
    };
    NetworkConfig {
        inputs: INPUTS,
        layers: vec![layer(19, true), layer(21, false)],
        readout: ReadoutConfig { b0: B0, beta: BETA, ..ReadoutConfig::new(readout, CLASSES) },
        decode: Decoder::new(kind).with_skip(SKIP),
        surrogate: SurrogateConfig::Linear { gamma: 0.5 },
        encoder: None,
        repeat: 1,
    }
}

/// Weights are multiples of 1/64 and inputs of 1/8, so that currents are exact in whatever order they are summed.
fn network(config: &NetworkConfig, seed: u64) -> Network {
    let device = Device::flex().autodiff();
    let mut tensors = config.init(&device, seed).unwrap().tensors(config, TimeConstantForm::Log);
    for (name, tensor) in &mut tensors {
        if !name.contains("log_tau") {
            tensor.values.iter_mut().for_each(|w| *w = (*w * 64.0).round() / 64.0);
        }
        if name.ends_with("input.bias") {
            tensor.values.fill(0.125);
        }
    }
    Network::from_tensors(config, &tensors, TimeConstantForm::Log, &device).unwrap()
}

fn data(per_step: bool) -> Dataset {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let size = BATCH * STEPS * INPUTS;
    let real = (0..size).map(|_| f32::from(rng.random_range(-8..=8_i8)) / 8.0).collect();
    let mut class =
        |n: usize| -> Vec<u16> { (0..n).map(|_| rng.random_range(0..CLASSES) as u16).collect() };
    let targets = match per_step {
        true => {
            let mut classes = class(BATCH * STEPS);
            // Steps without a label, a whole window of 2 among them.
            classes[3 * STEPS + 7] = UNLABELLED;
            (0..BATCH).for_each(|row| classes[row * STEPS + 20..row * STEPS + 22].fill(UNLABELLED));
            Targets::PerStep(classes)
        }
        false => Targets::PerSequence(class(BATCH)),
    };
    let names = (0..CLASSES).map(|i| i.to_string()).collect();
    Dataset::new([BATCH, STEPS, INPUTS], names, Inputs::Real(real), targets, "").unwrap()
}

/// Membrane, adaptation and spikes of a layer, `[B, N]`.
#[derive(Clone)]
struct State(Tensor<2>, Tensor<2>, Tensor<2>);

impl State {
    fn new(neurons: usize) -> Self {
        let zeros = || Tensor::zeros([BATCH, neurons], &Device::flex().autodiff());
        Self(zeros(), zeros() + B0, zeros())
    }

    fn detach(self) -> Self {
        Self(self.0.detach(), self.1.detach(), self.2.detach())
    }

    fn step(
        self,
        input: &Linear,
        recurrent: Option<&Linear>,
        taus: [&Tensor<1>; 2],
        x: Tensor<2>,
    ) -> Self {
        let Self(u, b, s) = self;
        let [alpha, rho] = taus.map(|tau| (-(tau.clone().recip())).exp().unsqueeze::<2>());
        let mut current = input.forward(x);
        if let Some(recurrent) = recurrent {
            current = current + recurrent.forward(s.clone());
        }
        let b = rho.clone() * b + (-rho + 1.0) * s.clone();
        let theta = b.clone() * BETA + B0;
        let u = alpha.clone() * u + (-alpha + 1.0) * current - theta.clone() * s;
        let v = u.clone() - theta;
        // A spike whose derivative is that of ψ(v) · v, with ψ(v) = γ max(0, 1 − |v|) held fixed.
        let psi = (-(v.clone().detach().abs()) + 1.0).clamp_min(0.0) * 0.5;
        let slope = psi * v.clone();
        let s = v.greater_elem(0.0).float() + slope.clone() - slope.detach();
        Self(u, b, s)
    }
}

/// What the loop over windows finds: the loss and gradients of each.
type Found = Vec<(f64, Vec<Vec<f32>>)>;

/// The plain loop. `networks[k]` runs the k-th window in which a step counts, and those before it; with `whole`, the loss is
/// that of the whole sequence, at its end, and `PENALTY` times the squares of the mean spike rates if there is a `penalty`.
fn by_loop(
    config: &NetworkConfig,
    networks: &[Network],
    window: usize,
    whole: bool,
    penalty: bool,
) -> Found {
    let device = Device::flex().autodiff();
    let kind = config.decode.kind;
    let batch = data(config.decode.is_per_step()).batch(&(0..BATCH).collect::<Vec<_>>());
    let x = TensorData::new(batch.inputs, [STEPS, BATCH, INPUTS]);
    let x: Tensor<3> = Tensor::from_data(x, &device);
    let targets = |t: usize| -> Tensor<2, Int> {
        let at = if config.decode.is_per_step() { t * BATCH } else { 0 };
        let targets = batch.targets[at..at + BATCH].to_vec();
        Tensor::from_data(TensorData::new(targets, [BATCH, 1]), &device)
    };
    let cross_entropy = |logits: Tensor<2>, t: usize| {
        let labelled = targets(t).greater_equal_elem(0).float();
        -(log_softmax(logits, 1).gather(1, targets(t).clamp_min(0)) * labelled).sum() / BATCH as f64
    };
    let mut states: Vec<State> = [19, 21, CLASSES].map(State::new).to_vec();
    // The sum of what is scored, or its maximum.
    let mut score: Tensor<2> = Tensor::zeros([BATCH, CLASSES], &device);
    let mut loss: Tensor<1> = Tensor::zeros([1], &device);
    let mut found = Vec::new();
    let mut rates: [Tensor<1>; 2] = [0, 1].map(|_| Tensor::zeros([1], &device));
    let mut place = 0;
    for start in (0..STEPS).step_by(window) {
        let end = STEPS.min(start + window);
        let network = &networks[place];
        for t in start..end {
            let mut signal = x.clone().narrow(0, t, 1).squeeze_dim::<2>(0);
            for (layer, state) in network.layers.iter().zip(&mut states) {
                let barnowl::cell::Cell::Alif(layer) = &layer.forward else { panic!("no ALIF") };
                let taus = [&layer.tau_m.steps(), &layer.tau_adp.steps()];
                *state = state.clone().step(&layer.input, layer.recurrent.as_ref(), taus, signal);
                signal = state.2.clone();
            }
            for (rate, state) in rates.iter_mut().zip(&states) {
                *rate = rate.clone() + state.2.clone().mean() / STEPS as f64;
            }
            let state = &mut states[2];
            *state = match &network.readout {
                Readout::Alif(layer) => {
                    let taus = [&layer.tau_m.steps(), &layer.tau_adp.steps()];
                    state.clone().step(&layer.input, None, taus, signal)
                }
                Readout::LeakyIntegrator(layer) => {
                    let alpha = (-(layer.tau_m.steps().recip())).exp().unsqueeze::<2>();
                    let current = layer.input.forward(signal);
                    let u = alpha.clone() * state.0.clone() + (-alpha + 1.0) * current;
                    State(u, state.1.clone(), state.2.clone())
                }
                Readout::Dense(_) => panic!("no neurons"),
            };
            let m = state.0.clone();
            if t < SKIP {
                continue;
            }
            match kind {
                DecoderKind::PerStep => loss = loss + cross_entropy(m, t),
                DecoderKind::SoftmaxSum => score = score + softmax(m, 1),
                DecoderKind::MeanMembrane => score = score + m,
                DecoderKind::SpikeCount => score = score + state.2.clone(),
                DecoderKind::MaxMembrane if t == SKIP => score = m,
                DecoderKind::MaxMembrane => score = score.max_pair(m),
                DecoderKind::LastMembrane => score = m,
            }
        }
        if end == STEPS || (!whole && end > SKIP) {
            place += 1;
            let mut loss = match kind {
                DecoderKind::PerStep => loss.clone(),
                DecoderKind::MeanMembrane => cross_entropy(score.clone() / (end - SKIP) as f64, 0),
                _ => cross_entropy(score.clone(), 0),
            };
            for rate in rates.iter().filter(|_| penalty) {
                loss = loss + rate.clone() * rate.clone() * PENALTY;
            }
            let gradients = GradientsParams::from_grads(loss.backward(), network);
            found.push((f64::from(loss.into_scalar::<f32>()), collect(network, gradients)));
        }
        states = states.into_iter().map(State::detach).collect();
        if !whole {
            score = score.detach();
            loss = Tensor::zeros([1], &device);
        }
    }
    found
}

/// `tolerance` 1 for what sums in the order of the processor's kernels, or nearly so.
fn assert_close(found: &[Vec<f32>], expected: &[Vec<f32>], tolerance: f64, what: &str) {
    let norm = |values: &[f32]| values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    let size: f64 = expected.iter().map(|values| norm(values)).sum();
    assert!(size > 1e-4, "{what}: no gradient, no proof");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference: Vec<f32> = found.iter().zip(expected).map(|(a, b)| a - b).collect();
        assert!(
            norm(&difference) <= tolerance * (2e-4 * norm(expected) + 2e-6 * size),
            "{what}, parameter {i}: off by {:e} of {:e}",
            norm(&difference),
            norm(expected)
        );
    }
}

const KINDS: [DecoderKind; 6] = [
    DecoderKind::PerStep,
    DecoderKind::SoftmaxSum,
    DecoderKind::MeanMembrane,
    DecoderKind::LastMembrane,
    DecoderKind::MaxMembrane,
    DecoderKind::SpikeCount,
];

/// Where layers are differentiated by themselves, and the tolerance there: on the processor, and, in a build that knows it,
/// on the device that BARNOWL_TEST_DEVICE names.
fn devices() -> Vec<(Device, f64)> {
    let other = std::env::var("BARNOWL_TEST_DEVICE").ok();
    let other = other.map(|name| (barnowl::device::open(&name).unwrap().autodiff(), 5.0));
    std::iter::once((Device::flex().autodiff(), 1.0)).chain(other).collect()
}

/// What hands windows to an update.
type Windows<'a> = &'a mut dyn FnMut(
    &Network,
    &mut dyn FnMut(&Network, &BatchOutcome, GradientsParams) -> Result<Network>,
) -> Result<(BatchOutcome, Network)>;

/// Compares windows with the plain loop. `networks[k]` runs window k.
fn check_windows(
    config: &NetworkConfig,
    networks: &[Network],
    window: usize,
    (device, tolerance): (&Device, f64),
    windows: Windows<'_>,
) {
    let kind = config.decode.kind;
    let there: Vec<Network> = networks.iter().map(|n| n.clone().fork(device)).collect();
    let mut found = Vec::new();
    let mut place = 0;
    let mut update = |network: &Network, out: &BatchOutcome, gradients| {
        found.push((out.loss, collect(network, gradients)));
        place += 1;
        Ok(there[place % there.len()].clone())
    };
    let (whole, _) = windows(&there[0], &mut update).unwrap();
    let what = format!("{kind:?}, windows of {window}, {device:?}");
    let near = |a: f64, b: f64| (a - b).abs() <= tolerance * 2e-5 * b.abs();
    if kind == DecoderKind::LastMembrane {
        // Of the last membrane potential, only the last window has a loss; the others leave the network as it is.
        let same: Vec<Network> = networks.iter().map(|_| networks[0].clone()).collect();
        let expected = by_loop(config, &same, window, false, false);
        assert_eq!(found.len(), 1);
        let expected = expected.last().unwrap();
        assert!(near(found[0].0, expected.0), "{what}");
        assert_close(&found[0].1, &expected.1, tolerance, &what);
        return;
    }
    let expected = by_loop(config, networks, window, false, false);
    assert_eq!(found.len(), expected.len());
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!(near(found.0, expected.0), "{what}, {i}: {} and not {}", found.0, expected.0);
        // A window without a label, or without a new maximum.
        if expected.1.iter().flatten().all(|g| *g == 0.0) {
            assert!(found.1.iter().flatten().all(|g| *g == 0.0), "{what}, {i}");
            continue;
        }
        assert_close(&found.1, &expected.1, tolerance, &format!("{what}, {i}"));
    }
    let total: f64 = match kind {
        DecoderKind::PerStep => expected.iter().map(|(loss, _)| loss).sum(),
        _ => expected.last().unwrap().0,
    };
    assert!(near(whole.loss, total), "{what}");
    let answers = if kind == DecoderKind::PerStep { STEPS * BATCH } else { BATCH };
    assert_eq!(whole.classes.len(), answers);
    assert!(whole.rates.iter().all(|rate| (0.01..0.9).contains(rate)), "{:?}", whole.rates);
}

#[test]
fn windows_carry_the_state_and_not_its_gradient() {
    let indices: Vec<usize> = (0..BATCH).collect();
    // Before the first step that counts, up to it; shorter than a chunk, no multiple of one, a whole one; one window is all of
    // the sequence.
    let sizes = [2, 3, 7, 16, 20, 41];
    for (kind, window) in KINDS.into_iter().flat_map(|kind| sizes.map(|w| (kind, w))) {
        let config = config(kind);
        let networks: Vec<Network> =
            (0..STEPS.div_ceil(window)).map(|k| network(&config, 1 + k as u64 % 2)).collect();
        let data = data(config.decode.is_per_step());
        let pass = Pass::default();
        let mut bptt = Bptt::new(&config, BpttOptions::default()).unwrap();
        let cpu = Device::flex().autodiff();
        check_windows(&config, &networks, window, (&cpu, 1.0), &mut |network, update| {
            bptt.windows(network, &data, &indices, pass, window, update)
        });
        for (device, tolerance) in devices() {
            let mut layerwise = Layerwise::new(&config);
            let place = (&device, tolerance);
            check_windows(&config, &networks, window, place, &mut |network, update| {
                layerwise.windows(network, &data, &indices, pass, window, update)
            });
        }
    }
}

#[test]
fn cut_gradients_are_those_of_detached_states() {
    for (kind, window) in KINDS.into_iter().flat_map(|kind| [7, 16, 20].map(|w| (kind, w))) {
        let config = config(kind);
        let network = network(&config, 1);
        let networks: Vec<Network> = (0..STEPS).map(|_| network.clone()).collect();
        let expected = by_loop(&config, &networks, window, true, false);
        let (loss, expected) = expected.last().unwrap();
        let data = data(config.decode.is_per_step());
        let indices: Vec<usize> = (0..BATCH).collect();
        let what = format!("{kind:?}, {window}");
        // A penalty asks for the gradient of every window's spikes.
        let rate = Some(RatePenalty { target: 0.0, weight: PENALTY });
        let penalties = Penalties { rate, ..Penalties::default() };
        let punished = Criterion { penalties, ..Criterion::default() };
        let with = by_loop(&config, &networks, window, true, true);
        let run = |checkpoint_steps, criterion: &Criterion| {
            let options = BpttOptions { checkpoint_steps, cut: Some(window) };
            let mut bptt = Bptt::new(&config, options).unwrap();
            bptt.set_criterion(criterion.clone());
            bptt.gradients(&network, &data, &indices, Pass::default())
        };
        let (outcome, gradients) = run(None, &punished);
        assert!((outcome.loss - loss).abs() <= 2e-5 * loss);
        assert_close(&collect(&network, gradients), &with[0].1, 1.0, &format!("{what}, penalty"));
        let plain = Criterion::default();
        let (outcome, gradients) = run(None, &plain);
        assert!((outcome.loss - loss).abs() <= 2e-5 * loss);
        let found = collect(&network, gradients);
        assert_close(&found, expected, 1.0, &what);
        let (again, gradients) = run(Some(16), &plain);
        assert_eq!(again, outcome);
        assert_eq!(collect(&network, gradients), found);
        for (device, tolerance) in devices() {
            let network = network.clone().fork(&device);
            let mut layerwise = Layerwise::new(&config).with_cut(Some(window));
            let (other, gradients) =
                layerwise.gradients(&network, &data, &indices, Pass::default());
            assert!((other.loss - loss).abs() <= tolerance * 2e-5 * loss);
            assert_eq!(other.classes, outcome.classes);
            let found = collect(&network, gradients);
            assert_close(&found, expected, tolerance, &format!("{what}, {device:?}"));

            layerwise.set_criterion(punished.clone());
            let (again, gradients) =
                layerwise.gradients(&network, &data, &indices, Pass::default());
            assert_eq!(again.loss, other.loss);
            let found = collect(&network, gradients);
            assert_close(&found, &with[0].1, tolerance, &format!("{what}, penalty, {device:?}"));
        }
    }
}

#[test]
fn a_window_of_everything_is_no_truncation() {
    let config = config(DecoderKind::SpikeCount);
    let (network, data) = (network(&config, 1), data(false));
    let indices: Vec<usize> = (0..BATCH).collect();
    let mut bptt = Bptt::new(&config, BpttOptions::default()).unwrap();
    let (outcome, gradients) = bptt.gradients(&network, &data, &indices, Pass::default());
    let expected = collect(&network, gradients);
    let mut same = |network: &Network, out: &BatchOutcome, gradients| {
        assert_eq!(*out, outcome);
        assert_eq!(collect(network, gradients), expected);
        Ok(network.clone())
    };
    bptt.windows(&network, &data, &indices, Pass::default(), STEPS, &mut same).unwrap();
    let mut cut = Bptt::new(&config, BpttOptions { cut: Some(STEPS), ..BpttOptions::default() });
    let (_, gradients) =
        cut.as_mut().unwrap().gradients(&network, &data, &indices, Pass::default());
    assert_eq!(collect(&network, gradients), expected);
}

#[test]
fn random_initial_states_are_drawn_once() {
    let mut config = config(DecoderKind::SpikeCount);
    config.layers[0].initial_state = InitialState::Uniform { low: 0.0, high: 0.25 };
    let (network, data) = (network(&config, 1), data(false));
    let indices: Vec<usize> = (0..BATCH).collect();
    let mut bptt = Bptt::new(&config, BpttOptions::default()).unwrap();
    let pass = Pass { seed: 3, ..Pass::default() };
    let whole = bptt.evaluate(&network, &data, &indices, pass);
    let mut keep = |network: &Network, _: &BatchOutcome, _| Ok(network.clone());
    let (windows, _) = bptt.windows(&network, &data, &indices, pass, 10, &mut keep).unwrap();
    assert_eq!(windows.classes, whole.classes);
    assert_eq!(windows.loss, whole.loss);
    let mut layerwise = Layerwise::new(&config);
    let (windows, _) = layerwise.windows(&network, &data, &indices, pass, 10, &mut keep).unwrap();
    assert_eq!(windows.classes, whole.classes);
    assert!((windows.loss - whole.loss).abs() < 1e-5);
}

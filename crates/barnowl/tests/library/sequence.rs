//! The fused sequence operation against its plain-tensor reference: values and every gradient, on random shapes.
//!
//! `BARNOWL_TEST_DEVICE` (such as `wgpu`, in a build that knows it) runs the fused operation there; the reference stays on
//! the processor.

use barnowl::sequence::{
    AlifOptions, AlifOutput, AlifSequence, Emission, GatedCell, Observe, alif_sequence,
    gated_sequence, integrator_sequence, product, reference,
};
use barnowl_neuron::{
    AlifLayer, AlifParameters, AlifState, Decay, IntegratorLayer, Surrogate, Threshold, Weights,
};
use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, Normal, Uniform};

/// A neuron this near its threshold may spike on one path and not on the other: such cases are drawn again.
const MARGIN: f32 = 2e-5;

/// Where the fused operation runs.
fn device() -> Device {
    let name = std::env::var("BARNOWL_TEST_DEVICE").unwrap_or_else(|_| "cpu".into());
    barnowl::device::open(&name).unwrap().autodiff()
}

fn on_cpu() -> bool {
    device() == Device::flex().autodiff()
}

/// Of values and gradients; graphics processors have exponentials of their own.
fn tolerance() -> f64 {
    if on_cpu() { 1e-4 } else { 1e-3 }
}

/// How many random cases: a software driver compiles kernels anew for each.
fn number_of_cases() -> u32 {
    if on_cpu() { 96 } else { 12 }
}

/// Random numbers that no other test thread disturbs, unlike those of the device.
struct Random(ChaCha8Rng, Device);

impl Random {
    fn new(seed: u64, device: &Device) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed), device.clone())
    }

    fn draw<const D: usize>(&mut self, shape: [usize; D], of: impl Distribution<f32>) -> Tensor<D> {
        let values: Vec<f32> = of.sample_iter(&mut self.0).take(shape.iter().product()).collect();
        Tensor::from_data(TensorData::new(values, shape), &self.1)
    }

    fn normal<const D: usize>(&mut self, shape: [usize; D], mean: f32, sd: f32) -> Tensor<D> {
        self.draw(shape, Normal::new(mean, sd).unwrap())
    }

    fn uniform<const D: usize>(&mut self, shape: [usize; D], low: f32, high: f32) -> Tensor<D> {
        self.draw(shape, Uniform::new(low, high).unwrap())
    }
}

fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().try_to_vec().unwrap()
}

/// ‖a − b‖ ≤ tolerance · ‖b‖, for vectors that may both be zero.
fn assert_near(name: &str, a: &[f32], b: &[f32], tolerance: f64) {
    assert_within(name, a, b, tolerance * norm(b));
}

/// ‖a − b‖ ≤ bound.
fn assert_within(name: &str, a: &[f32], b: &[f32], bound: f64) {
    assert_eq!(a.len(), b.len(), "{name}: lengths");
    assert!(a.iter().chain(b).all(|x| x.is_finite()), "{name}: not finite");
    let difference: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let difference = norm(&difference);
    assert!(
        difference <= bound + 1e-7,
        "{name}: ‖difference‖ = {difference:e}, ‖expected‖ = {:e}",
        norm(b)
    );
}

fn norm(values: &[f32]) -> f64 {
    values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt()
}

#[derive(Debug, Clone)]
struct Case {
    steps: usize,
    batch: usize,
    neurons: usize,
    recurrent: bool,
    initial: bool,
    seed: u64,
    options: AlifOptions,
}

fn cases() -> impl Strategy<Value = Case> {
    let shape = (1_usize..50, 1_usize..20, 1_usize..70);
    let flags = (any::<bool>(), any::<bool>(), any::<u64>());
    let options = (
        0_usize..6,
        0_usize..3,
        prop_oneof![Just(0.0_f32), Just(0.184), Just(1.8)],
        prop_oneof![Just(0.01_f32), Just(0.5)],
        prop_oneof![Just(1.0_f32), Just(0.7)],
    );
    (shape, flags, options).prop_map(
        |((steps, batch, neurons), (recurrent, initial, seed), (psi, observe, beta, b0, r))| Case {
            steps,
            batch,
            neurons,
            recurrent,
            initial,
            seed,
            options: AlifOptions {
                threshold: Threshold { b0, beta, resistance: r },
                surrogate: Surrogate::ALL[psi],
                observe: [Observe::Spikes, Observe::Membrane, Observe::Both][observe],
                emission: Emission::Spike,
            },
        },
    )
}

impl Case {
    /// The same random numbers on every call.
    fn sequence(&self, device: &Device) -> AlifSequence {
        let (steps, batch, neurons) = (self.steps, self.batch, self.neurons);
        let mut random = Random::new(self.seed, device);
        let width = (neurons as f32).sqrt();
        let current = random.normal([steps, batch, neurons], 0.3, 1.0).require_grad();
        let weight: Tensor<2> = random.normal([neurons, neurons], 0.0, 0.5 / width);
        let tau_m: Tensor<1> = random.uniform([neurons], 0.3, 40.0);
        let tau_adp: Tensor<1> = random.uniform([neurons], 0.3, 200.0);
        let state: Tensor<3> = random.uniform([3, batch, neurons], 0.0, 0.3);
        // The third part, the spikes before the first step, is zero or one.
        let spikes = state.clone().narrow(0, 2, 1).greater_elem(0.15).float();
        let state = Tensor::cat(vec![state.narrow(0, 0, 2), spikes], 0);
        AlifSequence {
            current,
            recurrent: self.recurrent.then(|| weight.require_grad()),
            tau_m: tau_m.require_grad(),
            tau_adp: tau_adp.require_grad(),
            initial: self.initial.then(|| state.require_grad()),
        }
    }

    /// Outputs and gradients of a weighted sum of what is observed.
    fn run(
        &self,
        path: fn(AlifSequence, AlifOptions) -> AlifOutput,
        options: AlifOptions,
        device: &Device,
    ) -> Vec<(&'static str, Vec<f32>)> {
        let sequence = self.sequence(device);
        let mut random = Random::new(self.seed ^ 1, device);
        let shape = [self.steps, self.batch, self.neurons];
        let weights: [Tensor<3>; 2] =
            [random.normal(shape, 0.0, 1.0), random.normal(shape, 0.0, 1.0)];
        let output = path(sequence.clone(), options);
        let mut found = vec![("state", values(&output.state))];
        let mut loss = Tensor::<1>::zeros([1], device);
        for (name, part, weights) in
            [("spikes", output.spikes, &weights[0]), ("membrane", output.membrane, &weights[1])]
        {
            if let Some(part) = part {
                found.push((name, values(&part)));
                loss = loss + (part * weights.clone()).sum();
            }
        }
        let gradients = loss.backward();
        let mut push = |name, gradient: Option<Vec<f32>>| {
            // A path may leave out a gradient that is zero.
            found.push((name, gradient.unwrap_or_default()));
        };
        push("grad current", sequence.current.grad(&gradients).map(|g| values(&g)));
        push("grad tau_m", sequence.tau_m.grad(&gradients).map(|g| values(&g)));
        push("grad tau_adp", sequence.tau_adp.grad(&gradients).map(|g| values(&g)));
        let recurrent = sequence.recurrent.and_then(|w| w.grad(&gradients));
        push("grad recurrent", recurrent.map(|g| values(&g)));
        let initial = sequence.initial.and_then(|w| w.grad(&gradients));
        push("grad initial", initial.map(|g| values(&g)));
        found
    }

    /// The smallest |u − θ| of the reference.
    fn margin(&self) -> f32 {
        let device = Device::flex().autodiff();
        let sequence = self.sequence(&device);
        let options = AlifOptions { observe: Observe::Both, ..self.options };
        let initial = sequence.initial.clone().map(|state| values(&state));
        let tau = values(&sequence.tau_adp);
        let output = reference::alif_sequence(sequence, options);
        let (u, s) = (values(&output.membrane.unwrap()), values(&output.spikes.unwrap()));
        let span = self.batch * self.neurons;
        let mut smallest = f32::MAX;
        for i in 0..span {
            let rho = (-1.0 / tau[i % self.neurons]).exp();
            let at = |part: usize| initial.as_ref().map(|state| state[part * span + i]);
            let (mut b, mut before) =
                (at(1).unwrap_or(self.options.threshold.b0), at(2).unwrap_or(0.0));
            for t in 0..self.steps {
                b = rho * b + (1.0 - rho) * before;
                before = s[t * span + i];
                let theta = self.options.threshold.b0 + self.options.threshold.beta * b;
                smallest = smallest.min((u[t * span + i] - theta).abs());
            }
        }
        smallest
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: number_of_cases(), max_global_rejects: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn fused_equals_reference(case in cases()) {
        prop_assume!(case.margin() > MARGIN);
        let fused = case.run(alif_sequence, case.options, &device());
        let plain = case.run(reference::alif_sequence, case.options, &Device::flex().autodiff());
        for ((name, fused), (_, plain)) in fused.iter().zip(&plain) {
            match *name {
                "spikes" => prop_assert_eq!(fused, plain),
                _ if plain.is_empty() => assert_near(name, fused, &vec![0.0; fused.len()], tolerance()),
                _ => assert_near(name, fused, plain, tolerance()),
            }
        }
    }

    /// Rectified neurons have a kink at the threshold: their outputs do not jump there, their gradients do.
    #[test]
    fn rectified_equals_reference(case in cases()) {
        let case = Case {
            options: AlifOptions { emission: Emission::Rectified, ..case.options },
            ..case
        };
        prop_assume!(case.margin() > MARGIN);
        let options = AlifOptions {
            observe: Observe::Spikes,
            emission: Emission::Rectified,
            ..case.options
        };
        let fused = case.run(alif_sequence, options, &device());
        let plain = case.run(reference::alif_sequence, options, &Device::flex().autodiff());
        for ((name, fused), (_, plain)) in fused.iter().zip(&plain) {
            match plain.is_empty() {
                true => assert_near(name, fused, &vec![0.0; fused.len()], tolerance()),
                false => assert_near(name, fused, plain, tolerance()),
            }
        }
    }

    #[test]
    fn gated_equals_reference(
        (steps, batch, neurons) in (1_usize..50, 1_usize..20, 1_usize..50),
        cell in prop_oneof![Just(GatedCell::Tanh), Just(GatedCell::Lstm), Just(GatedCell::Gru)],
        seed in any::<u64>(),
    ) {
        check_gated([steps, batch, neurons], cell, seed);
    }

    #[test]
    fn integrator_equals_reference(
        (steps, batch, neurons) in (1_usize..60, 1_usize..9, 1_usize..40),
        seed in any::<u64>(),
        start in any::<bool>(),
    ) {
        let run = |path: fn(Tensor<3>, Tensor<1>, Option<Tensor<2>>) -> Tensor<3>, device: Device| {
            let mut random = Random::new(seed, &device);
            let current = random.normal([steps, batch, neurons], 0.0, 1.0).require_grad();
            let tau = random.uniform([neurons], 0.3, 500.0).require_grad();
            let initial = random.normal([batch, neurons], 0.0, 1.0).require_grad();
            let weights: Tensor<3> = random.normal([steps, batch, neurons], 0.0, 1.0);
            let m = path(current.clone(), tau.clone(), start.then(|| initial.clone()));
            let gradients = (m.clone() * weights).sum().backward();
            let mut found = vec![
                values(&m),
                values(&current.grad(&gradients).unwrap()),
                values(&tau.grad(&gradients).unwrap()),
            ];
            if start {
                found.push(values(&initial.grad(&gradients).unwrap()));
            }
            found
        };
        let plain = run(reference::integrator_sequence, Device::flex().autodiff());
        for (fused, plain) in run(integrator_sequence, device()).iter().zip(&plain) {
            assert_near("integrator", fused, plain, tolerance());
        }
    }

    /// A layer of `barnowl-neuron` and the fused layer compute the same bits, recurrent or not: sums of rows in the same order,
    /// and no fused multiplications. Of the inputs' product the order differs, so those sums are exact here.
    #[test]
    fn streaming_equals_the_fused_layer(case in cases(), inputs in 1_usize..40) {
        let Case { steps, batch, neurons, seed, .. } = case;
        let device = Device::flex().autodiff();
        let mut random = Random::new(seed ^ 2, &device);
        let (x, input, bias, current) = exact_currents(&mut random, [steps, batch, inputs, neurons]);
        let sequence = AlifSequence { current, ..case.sequence(&device) };
        let recurrent = sequence.recurrent.as_ref().map(values);
        let (tau_m, tau_adp) = (values(&sequence.tau_m), values(&sequence.tau_adp));
        let start = sequence.initial.as_ref().map(values);
        let options = AlifOptions { observe: Observe::Both, ..case.options };
        let fused = alif_sequence(sequence, options);
        let (u, s) = (values(&fused.membrane.unwrap()), values(&fused.spikes.unwrap()));

        let parameters = |n: usize| AlifParameters::new(tau_m[n], tau_adp[n], 1.0, options.threshold);
        let parameters: Vec<_> = (0..neurons).map(parameters).collect();
        let layer = AlifLayer {
            input: Weights::new(&input, neurons).unwrap(),
            bias: &bias,
            recurrent: recurrent.as_ref().map(|weights| Weights::new(weights, neurons).unwrap()),
            neurons: &parameters,
        };
        let (mut scratch, mut spikes) = (vec![0.0; neurons], vec![0.0; neurons]);
        for row in 0..batch {
            let mut state: Vec<_> = (0..neurons).map(|n| match &start {
                None => AlifState::at_rest(options.threshold.b0),
                Some(start) => {
                    let part = |part: usize| start[(part * batch + row) * neurons + n];
                    AlifState { u: part(0), b: part(1), spike: part(2) == 1.0 }
                }
            }).collect();
            for t in 0..steps {
                let at = t * batch + row;
                let count = layer.step(&x[at * inputs..][..inputs], &mut state, &mut scratch, &mut spikes);
                prop_assert_eq!(&spikes[..], &s[at * neurons..][..neurons], "row {}, step {}", row, t);
                prop_assert_eq!(count, spikes.iter().filter(|s| **s == 1.0).count());
                let found: Vec<u32> = state.iter().map(|state| state.u.to_bits()).collect();
                let expected: Vec<u32> = u[at * neurons..][..neurons].iter().map(|u| u.to_bits()).collect();
                prop_assert_eq!(found, expected, "row {}, step {}", row, t);
            }
        }
    }

    /// The same of a readout of leaky integrators.
    #[test]
    fn streaming_equals_the_fused_readout(
        (steps, batch, inputs, neurons) in (1_usize..60, 1_usize..9, 1_usize..40, 1_usize..40),
        seed in any::<u64>(),
    ) {
        let device = Device::flex().autodiff();
        let mut random = Random::new(seed, &device);
        let (x, input, bias, current) = exact_currents(&mut random, [steps, batch, inputs, neurons]);
        let tau = random.uniform([neurons], 0.3, 500.0);
        let initial: Tensor<2> = random.normal([batch, neurons], 0.0, 1.0);
        let m = values(&integrator_sequence(current, tau.clone(), Some(initial.clone())));
        let decay = |tau: &f32| Decay::from_time_constant(*tau, 1.0);
        let decays: Vec<_> = values(&tau).iter().map(decay).collect();
        let readout = IntegratorLayer {
            input: Weights::new(&input, neurons).unwrap(),
            bias: &bias,
            decays: &decays,
        };
        let mut scratch = vec![0.0; neurons];
        for (row, mut membrane) in values(&initial).chunks_exact(neurons).map(<[f32]>::to_vec).enumerate() {
            for t in 0..steps {
                let at = t * batch + row;
                readout.step(&x[at * inputs..][..inputs], &mut membrane, &mut scratch);
                prop_assert_eq!(&membrane[..], &m[at * neurons..][..neurons], "row {}, step {}", row, t);
            }
        }
    }
}

/// Inputs `[T, B, I]`, a third of them zero, weights `[I, H]`, a bias, and the currents `[T, B, H]` that they make: all multiples
/// of powers of two, so that no sum is rounded, in whichever order it is taken.
fn exact_currents(
    random: &mut Random,
    [steps, batch, inputs, neurons]: [usize; 4],
) -> (Vec<f32>, Vec<f32>, Vec<f32>, Tensor<3>) {
    fn on_grid<const D: usize>(tensor: Tensor<D>, parts: f32) -> Tensor<D> {
        (tensor * parts).round() / parts
    }
    let x: Tensor<2> = on_grid(random.normal([steps * batch, inputs], 0.0, 1.0), 16.0);
    let x = x.clone().mask_fill(x.abs().lower_elem(0.4), 0.0);
    let weight: Tensor<2> = on_grid(random.normal([inputs, neurons], 0.0, 0.5), 256.0);
    let bias: Tensor<1> = on_grid(random.normal([neurons], 0.3, 0.5), 256.0);
    let current = product(x.clone(), weight.clone()) + bias.clone().unsqueeze_dim(0);
    let parts = (values(&x), values(&weight), values(&bias));
    (parts.0, parts.1, parts.2, current.reshape([steps, batch, neurons]))
}

/// Values and gradients of the fused gated cells against the reference.
fn check_gated([steps, batch, neurons]: [usize; 3], cell: GatedCell, seed: u64) {
    type Path = fn(Tensor<3>, Tensor<2>, Tensor<1>, GatedCell) -> Tensor<3>;
    let wide = cell.gates() * neurons;
    let run = |path: Path, device: Device| {
        let mut random = Random::new(seed, &device);
        let current = random.normal([steps, batch, wide], 0.0, 2.0).require_grad();
        let sd = 0.8 / (neurons as f32).sqrt();
        let recurrent = random.normal([neurons, wide], 0.0, sd).require_grad();
        let bias = random.normal([wide], 0.0, 1.0).require_grad();
        let weights: Tensor<3> = random.normal([steps, batch, neurons], 0.0, 1.0);
        let h = path(current.clone(), recurrent.clone(), bias.clone(), cell);
        let gradients = (h.clone() * weights).sum().backward();
        // Without a gradient asked for, nothing is kept: the same values.
        let inner =
            path(current.clone().inner(), recurrent.clone().inner(), bias.clone().inner(), cell);
        assert_eq!(values(&inner), values(&h));
        [
            values(&h),
            values(&current.grad(&gradients).unwrap()),
            values(&recurrent.grad(&gradients).unwrap()),
            values(&bias.grad(&gradients).unwrap()),
        ]
    };
    let plain = run(reference::gated_sequence, Device::flex().autodiff());
    let fused = run(gated_sequence, device());
    // Gradients of weights and biases are sums over time and batch that may cancel out: they are as exact as what is summed,
    // which is at most the gradient of the current, since |h| ≤ 1. Four roundings each.
    let sums = (0..wide).map(|i| plain[1].iter().skip(i).step_by(wide).map(|g| g.abs()).sum());
    let rounding = tolerance() / 1e-4 * 2.0_f64.powi(-22) * norm(&sums.collect::<Vec<f32>>());
    let rows = (neurons as f64).sqrt();
    let names = ["h", "grad current", "grad recurrent", "grad bias"];
    for (i, more) in [0.0, 0.0, rows * rounding, rounding].into_iter().enumerate() {
        let bound = tolerance() * norm(&plain[i]) + more;
        assert_within(names[i], &fused[i], &plain[i], bound);
    }
}

/// 136 gradients of up to 2 that come to 0.013, the gradient of the one bias.
#[test]
fn a_sum_that_cancels_out() {
    check_gated([17, 8, 1], GatedCell::Tanh, 10_058_422_063_040_449_895);
}

/// Long sequences, whose gradients of weights are summed by pieces of time, the last of which is shorter.
#[test]
fn gates_over_a_thousand_steps() {
    let (steps, batch, neurons) = (1031, 3, 36);
    for cell in [GatedCell::Lstm, GatedCell::Gru, GatedCell::Tanh] {
        let run = |device: Device| {
            let mut random = Random::new(5, &device);
            let wide = cell.gates() * neurons;
            let current = random.normal([steps, batch, wide], 0.0, 1.0).require_grad();
            let sd = 0.5 / (neurons as f32).sqrt();
            let recurrent = random.normal([neurons, wide], 0.0, sd).require_grad();
            let bias = random.normal([wide], 0.0, 0.3).require_grad();
            let weights: Tensor<3> = random.normal([steps, batch, neurons], 0.0, 1.0);
            let h = gated_sequence(current.clone(), recurrent.clone(), bias.clone(), cell);
            let gradients = (h.clone() * weights).sum().backward();
            [
                ("h", values(&h)),
                ("grad current", values(&current.grad(&gradients).unwrap())),
                ("grad recurrent", values(&recurrent.grad(&gradients).unwrap())),
                ("grad bias", values(&bias.grad(&gradients).unwrap())),
            ]
        };
        let expected = run(Device::flex().autodiff());
        for ((name, found), (_, expected)) in run(device()).iter().zip(&expected) {
            assert_near(name, found, expected, tolerance());
        }
    }
}

/// More neurons than a graphics processor's cube has threads, more weights than its memory, and several sequences to a cube.
/// Rectified, so that no spike hangs on the last digit of a membrane.
#[test]
fn wide_layers_and_large_batches() {
    for recurrent in [true, false] {
        let options = AlifOptions { emission: Emission::Rectified, ..AlifOptions::default() };
        let (steps, batch, neurons) = (6, 131, 300);
        let case = Case { steps, batch, neurons, recurrent, initial: true, seed: 11, options };
        let fused = case.run(alif_sequence, options, &device());
        let plain = case.run(reference::alif_sequence, options, &Device::flex().autodiff());
        for ((name, fused), (_, plain)) in fused.iter().zip(&plain) {
            assert_near(name, fused, plain, tolerance());
        }
    }
}

/// A sequence cut in two, its state carried over, is the same as the whole.
#[test]
fn state_carries_over() {
    let device = Device::flex().autodiff();
    let case = Case {
        steps: 37,
        batch: 5,
        neurons: 21,
        recurrent: true,
        initial: false,
        seed: 7,
        options: AlifOptions { observe: Observe::Both, ..AlifOptions::default() },
    };
    let whole = case.sequence(&device);
    let part = |range: std::ops::Range<usize>, initial| AlifSequence {
        current: whole.current.clone().narrow(0, range.start, range.len()),
        initial,
        ..whole.clone()
    };
    let all = alif_sequence(whole.clone(), case.options);
    let first = alif_sequence(part(0..20, None), case.options);
    let second = alif_sequence(part(20..37, Some(first.state)), case.options);
    let joined = Tensor::cat(vec![first.membrane.unwrap(), second.membrane.unwrap()], 0);
    assert_eq!(values(&joined), values(&all.membrane.unwrap()));
    assert_eq!(values(&second.state), values(&all.state));
}

/// The same bits whatever the number of threads.
#[test]
fn threads_do_not_change_a_bit() {
    let case = Case {
        steps: 50,
        batch: 19,
        neurons: 33,
        recurrent: true,
        initial: true,
        seed: 3,
        options: AlifOptions::default(),
    };
    let rectified = AlifOptions { emission: Emission::Rectified, ..case.options };
    for options in [case.options, rectified] {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| case.run(alif_sequence, options, &Device::flex().autodiff()))
        };
        assert_eq!(run(1), run(2));
        assert_eq!(run(1), run(5));
    }
}

/// The same bits too where the matrix products around the layers are large enough to be split among threads.
#[test]
fn threads_do_not_change_a_bit_of_a_whole_network() {
    use barnowl::layer::LayerConfig;
    use barnowl::loss::{Decoder, DecoderKind, Target};
    use barnowl::network::NetworkConfig;
    use barnowl::pass::Pass;
    use barnowl::readout::{ReadoutConfig, ReadoutKind};
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::optim::GradientsParams;

    struct Collect(GradientsParams, Vec<u32>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.0.get::<D>(param.id) {
                self.1.extend(values(&gradient).iter().map(|x| x.to_bits()));
            }
        }
    }
    let [steps, batch, inputs] = [101, 32, 120];
    let config = NetworkConfig {
        inputs,
        layers: vec![
            LayerConfig { recurrent: false, ..LayerConfig::new(256) },
            LayerConfig::new(256),
        ],
        readout: ReadoutConfig::new(ReadoutKind::LeakyIntegrator, 12),
        decode: Decoder::new(DecoderKind::PerStep),
        surrogate: Default::default(),
        encoder: None,
        repeat: 1,
    };
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let device = Device::flex().autodiff();
            let network = config.init(&device, 3).unwrap();
            let mut random = Random::new(4, &device);
            let input: Tensor<3> = random.uniform([steps, batch, inputs], 0.0, 1.0);
            let target: Tensor<2> = random.uniform([steps, batch], 0.0, 12.0);
            let output = network.forward(input, &config, Pass::default());
            let loss = config.decode.loss(&output.score, &Target::PerStep(target.int()));
            let bits = vec![values(&loss)[0].to_bits()];
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            let mut collect = Collect(gradients, bits);
            network.visit(&mut collect);
            collect.1
        })
    };
    let one = run(1);
    assert!(one.len() > 100_000);
    assert!(one == run(2), "two threads");
    assert!(one == run(5), "five threads");
}

/// The smooth parts against finite differences: without a threshold in reach, u is smooth in current and τ.
#[test]
fn membrane_gradient_equals_finite_differences() {
    let device = Device::flex().autodiff();
    let mut random = Random::new(11, &device);
    let options = AlifOptions {
        // Nothing ever reaches this threshold.
        threshold: Threshold { b0: 1e3, beta: 0.0, resistance: 0.8 },
        observe: Observe::Membrane,
        ..AlifOptions::default()
    };
    let [steps, batch, neurons] = [20, 2, 3];
    let current = random.normal([steps, batch, neurons], 0.0, 1.0).require_grad();
    let weights: Tensor<3> = random.normal([steps, batch, neurons], 0.0, 1.0);
    let taus = [4.0_f32, 11.0, 30.0];
    let loss = |current: Tensor<3>, tau_m: Tensor<1>| {
        let tau_adp = Tensor::full([neurons], 10.0, &device);
        let sequence = AlifSequence { current, recurrent: None, tau_m, tau_adp, initial: None };
        (alif_sequence(sequence, options).membrane.unwrap() * weights.clone()).sum()
    };
    let tau = Tensor::<1>::from_floats(taus, &device).require_grad();
    let gradients = loss(current.clone(), tau.clone()).backward();
    let found = values(&tau.grad(&gradients).unwrap());
    for i in 0..3 {
        let shifted = |by: f32| {
            let mut taus = taus;
            taus[i] += by;
            values(&loss(current.clone(), Tensor::from_floats(taus, &device)))[0]
        };
        let expected = (shifted(0.05) - shifted(-0.05)) / 0.1;
        assert!(
            (found[i] - expected).abs() < 2e-3 * expected.abs() + 1e-4,
            "{} {expected}",
            found[i]
        );
    }
    let found = values(&current.grad(&gradients).unwrap());
    let plain = values(&current);
    for i in [0, 17, 119] {
        let shifted = |by: f32| {
            let mut plain = plain.clone();
            plain[i] += by;
            let current = Tensor::<1>::from_floats(plain.as_slice(), &device);
            values(&loss(current.reshape([steps, batch, neurons]), tau.clone()))[0]
        };
        let expected = (shifted(0.1) - shifted(-0.1)) / 0.2;
        assert!(
            (found[i] - expected).abs() < 2e-3 * expected.abs() + 1e-4,
            "{} {expected}",
            found[i]
        );
    }
}

/// On every device in full single precision.
#[test]
fn products_and_their_gradients() {
    let device = device();
    for (rows, inputs, outputs) in [(7, 3, 5), (1009, 4, 36), (640, 70, 130)] {
        let mut random = Random::new(rows as u64, &Device::flex());
        let x: Tensor<2> = random.normal([rows, inputs], 0.0, 1.0);
        let w: Tensor<2> = random.normal([inputs, outputs], 0.0, 1.0);
        let g: Tensor<2> = random.normal([rows, outputs], 0.0, 1.0);
        let there = |tensor: &Tensor<2>| Tensor::<2>::from_data(tensor.to_data(), &device);
        let (x_there, w_there) = (there(&x).require_grad(), there(&w).require_grad());
        let product = product(x_there.clone(), w_there.clone());
        let gradients = (product.clone() * there(&g)).sum().backward();
        // 10 bits would be off by 10⁻³.
        let near = |what: &str, found: &Tensor<2>, expected: &Tensor<2>| {
            let name = format!("{what}, {rows} × {inputs} × {outputs}");
            assert_near(&name, &values(found), &values(expected), 1e-5);
        };
        near("product", &product, &x.clone().matmul(w.clone()));
        near("inputs", &x_there.grad(&gradients).unwrap(), &g.clone().matmul(w.transpose()));
        near("weights", &w_there.grad(&gradients).unwrap(), &x.transpose().matmul(g));
    }
}

/// The operation composes with any module: `Linear` before and after it, every gradient checked.
#[test]
fn between_two_linear_layers() {
    use burn::nn::LinearConfig;
    let device = Device::flex().autodiff();
    device.seed(2);
    let mut random = Random::new(2, &device);
    let [steps, batch, inputs, neurons, outputs] = [30, 4, 5, 12, 3];
    let before = LinearConfig::new(inputs, neurons).init(&device);
    let after = LinearConfig::new(neurons, outputs).init(&device);
    let x: Tensor<3> = random.normal([steps, batch, inputs], 0.0, 2.0).require_grad();
    let recurrent: Tensor<2> = random.normal([neurons; 2], 0.0, 0.2);
    let taus = Tensor::<1>::full([neurons], 15.0, &device);
    let weights: Tensor<3> = random.normal([steps, batch, outputs], 0.0, 1.0);
    let run = |path: fn(AlifSequence, AlifOptions) -> AlifOutput| {
        let recurrent = recurrent.clone().require_grad();
        let tau_m = taus.clone().require_grad();
        let tau_adp = taus.clone().require_grad();
        let sequence = AlifSequence {
            current: before.forward(x.clone()),
            recurrent: Some(recurrent.clone()),
            tau_m: tau_m.clone(),
            tau_adp: tau_adp.clone(),
            initial: None,
        };
        let output = after.forward(path(sequence, AlifOptions::default()).spikes.unwrap());
        let g = (output.clone() * weights.clone()).sum().backward();
        vec![
            values(&output),
            values(&x.grad(&g).unwrap()),
            values(&before.weight.val().grad(&g).unwrap()),
            values(&before.bias.as_ref().unwrap().val().grad(&g).unwrap()),
            values(&after.weight.val().grad(&g).unwrap()),
            values(&after.bias.as_ref().unwrap().val().grad(&g).unwrap()),
            values(&recurrent.grad(&g).unwrap()),
            values(&tau_m.grad(&g).unwrap()),
            values(&tau_adp.grad(&g).unwrap()),
        ]
    };
    for (i, (fused, plain)) in
        run(alif_sequence).iter().zip(&run(reference::alif_sequence)).enumerate()
    {
        assert!(plain.iter().any(|x| *x != 0.0), "gradient {i} is zero");
        assert_near(&format!("gradient {i}"), fused, plain, 1e-4);
    }
}

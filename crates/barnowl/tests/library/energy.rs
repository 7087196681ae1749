//! Counted operations against a naive run that counts every one that it does.

use barnowl::activity::Activity;
use barnowl::cell::CellKind;
use barnowl::dataset::{Dataset, Inputs, Targets};
use barnowl::energy::{DenseCell, Operations, dense, operations};
use barnowl::exchange::TensorMap;
use barnowl::layer::LayerConfig;
use barnowl::loss::{Decoder, DecoderKind};
use barnowl::network::{Network, NetworkConfig};
use barnowl::neuron::TimeConstants;
use barnowl::parameters::TimeConstantForm;
use barnowl::readout::{ReadoutConfig, ReadoutKind};
use burn::tensor::Device;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Arithmetic that counts itself.
#[derive(Default, Clone, Copy)]
struct Counter(Operations);

impl Counter {
    fn ac(&mut self, sum: &mut f64, x: f64) {
        self.0.ac += 1;
        *sum += x;
    }

    fn mac(&mut self, sum: &mut f64, a: f64, b: f64) {
        self.0.mac += 1;
        *sum += a * b;
    }
}

/// A layer of neurons on the way through a sequence, its constants folded.
struct Naive {
    /// `[H, I]` and `[H, H]`.
    input: Vec<f64>,
    recurrent: Option<Vec<f64>>,
    bias: Vec<f64>,
    keep: Vec<f64>,
    rho: Vec<f64>,
    b0: f64,
    beta: f64,
    spiking: bool,
    u: Vec<f64>,
    /// β b.
    b: Vec<f64>,
    s: Vec<bool>,
    spikes: u64,
}

impl Naive {
    fn new(tensors: &TensorMap, name: &str, threshold: [f32; 2], spiking: bool) -> Self {
        let get = |part: &str| -> Option<Vec<f64>> {
            let tensor = tensors.get(&format!("{name}.{part}"))?;
            Some(tensor.values.iter().map(|x| f64::from(*x)).collect())
        };
        let decay = |tau: &Vec<f64>| tau.iter().map(|tau| (-1.0 / tau).exp()).collect::<Vec<_>>();
        let keep = decay(&get("tau_m").unwrap());
        let h = keep.len();
        let rho = get("tau_adp").map_or(vec![0.0; h], |tau| decay(&tau));
        let fold = |weights: Vec<f64>| -> Vec<f64> {
            let inputs = weights.len() / h;
            weights.iter().enumerate().map(|(i, w)| w * (1.0 - keep[i / inputs])).collect()
        };
        let mut bias = get("input.bias").unwrap();
        if let Some(more) = get("recurrent.bias") {
            bias.iter_mut().zip(more).for_each(|(bias, more)| *bias += more);
        }
        let [b0, beta] = threshold.map(f64::from);
        Self {
            input: fold(get("input.weight").unwrap()),
            recurrent: get("recurrent.weight").map(fold),
            bias: fold(bias),
            rho,
            b0,
            beta,
            spiking,
            u: vec![0.0; h],
            b: vec![beta * b0; h],
            s: vec![false; h],
            spikes: 0,
            keep,
        }
    }

    /// A step on spikes or on real numbers; returns the layer's spikes. Synapses and neurons count apart.
    fn step(&mut self, x: &[f64], events: bool, [synapses, count]: &mut [Counter; 2]) -> Vec<f64> {
        let (h, before) = (self.u.len(), self.s.clone());
        for n in 0..h {
            let mut u = 0.0;
            count.mac(&mut u, self.keep[n], self.u[n]);
            for (i, x) in x.iter().enumerate() {
                let weight = self.input[n * x_len(&self.input, h) + i];
                match events {
                    _ if weight == 0.0 => {}
                    true if *x == 0.0 => {}
                    true => synapses.ac(&mut u, weight * x),
                    false => synapses.mac(&mut u, weight, *x),
                }
            }
            if let Some(recurrent) = &self.recurrent {
                for j in (0..h).filter(|j| before[*j] && recurrent[n * h + j] != 0.0) {
                    synapses.ac(&mut u, recurrent[n * h + j]);
                }
            }
            count.ac(&mut u, self.bias[n]);
            if self.spiking {
                let mut theta = self.b0;
                if self.beta > 0.0 {
                    let mut b = 0.0;
                    count.mac(&mut b, self.rho[n], self.b[n]);
                    if before[n] {
                        count.ac(&mut b, self.beta * (1.0 - self.rho[n]));
                    }
                    self.b[n] = b;
                    count.ac(&mut theta, b);
                }
                if before[n] {
                    count.ac(&mut u, -theta);
                }
                let mut v = u;
                count.ac(&mut v, -theta);
                self.s[n] = v > 0.0;
                self.spikes += u64::from(self.s[n]);
            }
            self.u[n] = u;
        }
        self.s.iter().map(|s| f64::from(u8::from(*s))).collect()
    }
}

/// A network without some of its weights, by the name of the matrix and the place in it.
fn without(network: &Network, config: &NetworkConfig, pruned: fn(&str, usize) -> bool) -> Network {
    let mut tensors = network.tensors(config, TimeConstantForm::Log);
    for (name, tensor) in tensors.iter_mut().filter(|(name, _)| name.ends_with("weight")) {
        let places = tensor.values.iter_mut().enumerate();
        places.filter(|(i, _)| pruned(name, *i)).for_each(|(_, weight)| *weight = 0.0);
    }
    Network::from_tensors(config, &tensors, TimeConstantForm::Log, &Device::flex()).unwrap()
}

fn x_len(weights: &[f64], outputs: usize) -> usize {
    weights.len() / outputs
}

#[test]
fn operations_are_those_of_a_run_that_counts_itself() {
    const STEPS: usize = 40;
    const SAMPLES: usize = 5;
    for (events, readout, seed, pruned, bidirectional) in [
        (true, ReadoutKind::Alif, 1, false, false),
        (true, ReadoutKind::LeakyIntegrator, 2, false, false),
        (false, ReadoutKind::Alif, 11, false, false),
        (false, ReadoutKind::LeakyIntegrator, 4, false, false),
        (true, ReadoutKind::Alif, 1, true, false),
        (false, ReadoutKind::LeakyIntegrator, 4, true, false),
        (true, ReadoutKind::LeakyIntegrator, 2, false, true),
        (true, ReadoutKind::Alif, 1, true, true),
        (false, ReadoutKind::LeakyIntegrator, 4, true, true),
    ] {
        let layer = |size, recurrent, beta| LayerConfig {
            recurrent,
            beta,
            b0: 0.01,
            tau_m: TimeConstants::constant(3.0),
            ..LayerConfig::new(size)
        };
        let config = NetworkConfig {
            inputs: 6,
            layers: vec![
                LayerConfig { bidirectional, ..layer(9, true, 1.8) },
                LayerConfig { bidirectional, ..layer(7, false, 0.0) },
                layer(5, true, 0.0),
            ],
            readout: ReadoutConfig {
                b0: 0.01,
                tau_m: TimeConstants::constant(3.0),
                ..ReadoutConfig::new(readout, 3)
            },
            decode: Decoder::new(DecoderKind::MeanMembrane),
            surrogate: Default::default(),
            encoder: None,
            repeat: 1,
        };
        let mut network = config.init(&Device::flex(), seed).unwrap();
        if pruned {
            network = without(&network, &config, |_, i| i % 3 == 1);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let size = SAMPLES * STEPS * config.inputs;
        let spikes: Vec<i8> = (0..size).map(|_| [0, 0, 1, -1][rng.random_range(0..4)]).collect();
        let real: Vec<f32> = (0..size).map(|_| rng.random_range(-1.0..2.0)).collect();
        let shape = [SAMPLES, STEPS, config.inputs];
        let names: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        let targets = Targets::PerSequence(vec![0, 1, 2, 0, 1]);
        let dataset = match events {
            true => Dataset::from_spikes(shape, names, &spikes, targets, "").unwrap(),
            false => Dataset::new(shape, names, Inputs::Real(real.clone()), targets, "").unwrap(),
        };
        let activity = Activity::measure(&network, &config, &dataset, 2).unwrap();
        let found = operations(&network, &config, &activity);

        let tensors = network.tensors(&config, TimeConstantForm::Tau);
        let mut expected = vec![[Counter::default(); 2]; 4];
        let mut emitted = [0; 4];
        for sample in 0..SAMPLES {
            let row = |t: usize| -> Vec<f64> {
                let at = (sample * STEPS + t) * config.inputs;
                match events {
                    true => spikes[at..at + config.inputs].iter().map(|x| f64::from(*x)).collect(),
                    false => real[at..at + config.inputs].iter().map(|x| f64::from(*x)).collect(),
                }
            };
            let mut x: Vec<Vec<f64>> = (0..STEPS).map(row).collect();
            for (i, layer) in config.layers.iter().enumerate() {
                let directions: &[&str] =
                    if layer.bidirectional { &[".forward", ".backward"] } else { &[""] };
                let mut outputs = vec![Vec::new(); STEPS];
                for direction in directions {
                    let name = format!("layers.{i}{direction}");
                    let mut naive = Naive::new(&tensors, &name, [layer.b0, layer.beta], true);
                    for t in 0..STEPS {
                        // Backward from the last step to the first.
                        let t = if *direction == ".backward" { STEPS - 1 - t } else { t };
                        outputs[t].extend(naive.step(&x[t], events || i > 0, &mut expected[i]));
                    }
                    emitted[i] += naive.spikes;
                }
                x = outputs;
            }
            let (threshold, spiking) =
                ([config.readout.b0, config.readout.beta], readout == ReadoutKind::Alif);
            let mut naive = Naive::new(&tensors, "readout", threshold, spiking);
            for x in &x {
                naive.step(x, true, &mut expected[3]);
            }
            emitted[3] += naive.spikes;
        }
        let totals = activity.layers.iter().chain(&activity.readout).map(|layer| layer.total());
        for (total, emitted) in totals.zip(emitted) {
            assert_eq!(total, emitted, "spikes");
            assert!(emitted > 20, "a silent layer proves nothing");
        }
        for (found, [synapses, neurons]) in found.iter().zip(&expected) {
            let what = format!(
                "{}, events: {events}, {readout:?}, pruned: {pruned}, bidirectional: {bidirectional}",
                found.name
            );
            assert_eq!(found.synapses, synapses.0, "{what}");
            assert_eq!(found.neurons, neurons.0, "{what}");
            assert_eq!(found.total(), synapses.0 + neurons.0, "{what}");
        }
        assert_eq!(found.len(), expected.len());
    }
}

#[test]
fn repeated_steps_multiply_their_inputs_once() {
    let config = |repeat| NetworkConfig {
        inputs: 6,
        layers: vec![
            LayerConfig { b0: 0.01, tau_m: TimeConstants::constant(3.0), ..LayerConfig::new(9) },
            LayerConfig { b0: 0.01, tau_m: TimeConstants::constant(3.0), ..LayerConfig::new(7) },
        ],
        readout: ReadoutConfig::new(ReadoutKind::LeakyIntegrator, 3),
        decode: Decoder::new(DecoderKind::MeanMembrane),
        surrogate: Default::default(),
        encoder: None,
        repeat,
    };
    let network = config(1).init(&Device::flex(), 1).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let real: Vec<f32> = (0..10 * 6).map(|_| rng.random_range(-1.0..2.0)).collect();
    let names = || ["a", "b", "c"].map(str::to_owned).to_vec();
    // The same steps, three of each from the network or from the data.
    let measure = |repeat: usize, events: bool| {
        let times = 3 / repeat;
        let rows = real.chunks_exact(6).flat_map(|row| std::iter::repeat_n(row, times)).flatten();
        let targets = Targets::PerSequence(vec![0]);
        let shape = [1, 10 * times, 6];
        let dataset = if events {
            let spikes: Vec<i8> = rows.map(|x| i8::from(*x > 1.0)).collect();
            Dataset::from_spikes(shape, names(), &spikes, targets, "").unwrap()
        } else {
            Dataset::new(shape, names(), Inputs::Real(rows.copied().collect()), targets, "")
                .unwrap()
        };
        let activity = Activity::measure(&network, &config(repeat), &dataset, 1).unwrap();
        assert!(activity.layers[1].total() > 5, "a silent layer proves nothing");
        (operations(&network, &config(repeat), &activity), activity.input_events)
    };
    for events in [false, true] {
        let ((once, _), (all, input_events)) = (measure(3, events), measure(1, events));
        let [once, all] = [once, all].map(|layers| {
            layers.into_iter().map(|layer| [layer.synapses, layer.neurons]).collect::<Vec<_>>()
        });
        let product = |ops: [Operations; 2]| if events { ops[0].ac } else { ops[0].mac };
        let of_inputs = input_events.map_or(30 * 6 * 9, |events| events.iter().sum::<u64>() * 9);
        assert_eq!(product(all[0]) - product(once[0]), of_inputs / 3 * 2);
        assert_eq!(all[0][1], once[0][1]);
        assert_eq!(all[1], once[1]);
        // The readout: the same spikes, a third of the steps.
        assert_eq!(all[2][0], once[2][0]);
        assert_eq!([all[2][1].ac, all[2][1].mac], [once[2][1].ac * 3, once[2][1].mac * 3]);
    }
}

/// Three channels, two neurons, two outputs, four steps: every synapse and neuron counted on paper.
#[test]
fn a_network_by_hand() {
    // Neurons without memory and without a threshold in the way: each spikes where its current is above 0.5.
    let layer = LayerConfig {
        b0: 0.5,
        beta: 0.0,
        tau_m: TimeConstants::constant(1e-3),
        ..LayerConfig::new(2)
    };
    let config = NetworkConfig {
        inputs: 3,
        layers: vec![layer],
        readout: ReadoutConfig::new(ReadoutKind::LeakyIntegrator, 2),
        decode: Decoder::new(DecoderKind::MeanMembrane),
        surrogate: Default::default(),
        encoder: None,
        repeat: 1,
    };
    let network = |pruned: bool| {
        let network = config.init(&Device::flex(), 1).unwrap();
        let mut tensors = network.tensors(&config, TimeConstantForm::Log);
        let mut set = |name: &str, values: &[f32]| {
            tensors.get_mut(name).unwrap().values = values.to_vec();
        };
        // Rows are neurons. What is pruned is so small beside 0.5 that the spikes are the same without it.
        let small = if pruned { 0.0 } else { 1e-3 };
        set("layers.0.input.weight", &[2.0, small, 2.0, small, 2.0, 2.0]);
        set("layers.0.recurrent.weight", &[small, small, small, -1e-3]);
        set("readout.input.weight", &[1.0, small, 1.0, 1.0]);
        Network::from_tensors(&config, &tensors, TimeConstantForm::Log, &Device::flex()).unwrap()
    };
    // Channel 0 at steps 0, 1 and 3; channel 1 at 1; channel 2 at 3.
    let spikes = [1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 1];
    let names = || ["a", "b"].map(str::to_owned).to_vec();
    let targets = || Targets::PerSequence(vec![0]);
    let events = Dataset::from_spikes([1, 4, 3], names(), &spikes, targets(), "").unwrap();
    let real = Inputs::Real(spikes.map(f32::from).to_vec());
    let real = Dataset::new([1, 4, 3], names(), real, targets(), "").unwrap();
    let of = |pruned: bool, data: &Dataset| {
        let network = network(pruned);
        let activity = Activity::measure(&network, &config, data, 1).unwrap();
        // Neuron 0 spikes at 0, 1 and 3, neuron 1 at 1 and 3; at the reset after a spike, u falls by 0.5.
        assert_eq!(activity.layers[0].spikes, [3, 2]);
        assert_eq!(activity.layers[0].last, [1, 1]);
        let found = operations(&network, &config, &activity);
        found.into_iter().map(|layer| [layer.synapses, layer.neurons]).collect::<Vec<_>>()
    };
    let ops = |ac, mac| Operations { ac, mac };
    // Neurons: 4 × 2 biases, comparisons and decays, resets after 3 spikes; integrators: 4 × 2 biases and decays.
    let (neurons, integrators) = (ops(8 + 8 + 3, 8), ops(8, 8));
    // Five events and three spikes before the last step, to two neurons each; five spikes to two outputs.
    let dense = [[ops(10 + 6, 0), neurons], [ops(10, 0), integrators]];
    assert_eq!(of(false, &events), dense);
    // Channels 0 and 1 reach one neuron, channel 2 two: 3 + 1 + 2. Of the recurrent weights, only that from neuron 1 to itself is
    // left: one spike. Neuron 0 reaches both outputs, neuron 1 one: 3 × 2 + 2.
    let pruned = [[ops(6 + 1, 0), neurons], [ops(8, 0), integrators]];
    assert_eq!(of(true, &events), pruned);
    // Real numbers: all six weights at four steps, or the four that are left.
    let of_real = |ac, mac, readout| [[ops(ac, mac), neurons], [ops(readout, 0), integrators]];
    assert_eq!(of(false, &real), of_real(6, 24, 10));
    assert_eq!(of(true, &real), of_real(1, 16, 8));
}

/// The weights of a trained cell of real numbers that are not zero, at every step.
#[test]
fn cells_by_hand() {
    for (cell, bidirectional, dense, pruned) in [
        // 4 gates of 2 units, 3 channels and 2 units each, at 4 steps; without every second weight.
        (CellKind::Lstm, false, 4 * 4 * 2 * (3 + 2), 4 * (4 * 3 + 4 * 2)),
        (CellKind::Relu, true, 2 * 4 * 2 * (3 + 2), 2 * 4 * (3 + 2)),
    ] {
        let config = NetworkConfig {
            inputs: 3,
            layers: vec![LayerConfig { cell, bidirectional, ..LayerConfig::new(2) }],
            readout: ReadoutConfig::new(ReadoutKind::Dense, 2),
            decode: Decoder::new(DecoderKind::MeanMembrane),
            surrogate: Default::default(),
            encoder: None,
            repeat: 1,
        };
        let names = ["a", "b"].map(str::to_owned).to_vec();
        let (inputs, targets) = (Inputs::Real(vec![0.0; 12]), Targets::PerSequence(vec![0]));
        let data = Dataset::new([1, 4, 3], names, inputs, targets, "").unwrap();
        let whole = config.init(&Device::flex(), 1).unwrap();
        let half = without(&whole, &config, |_, i| i % 2 == 1);
        let of = |network: &Network| {
            let activity = Activity::measure(network, &config, &data, 1).unwrap();
            operations(network, &config, &activity)
        };
        let (whole, half) = (of(&whole), of(&half));
        let outputs = config.layers[0].outputs() as u64;
        assert_eq!(whole[0].synapses, Operations { ac: 0, mac: dense });
        assert_eq!(half[0].synapses, Operations { ac: 0, mac: pruned });
        assert_eq!(whole[0].neurons, half[0].neurons);
        assert_eq!(whole[1].synapses, Operations { ac: 0, mac: 4 * 2 * outputs });
        assert_eq!(half[1].synapses, Operations { ac: 0, mac: 4 * outputs });
        assert_eq!(whole[1].neurons, Operations { ac: 8, mac: 0 });
    }
}

#[test]
fn dense_networks_by_hand() {
    let config = NetworkConfig {
        inputs: 4,
        layers: vec![LayerConfig::new(36)],
        readout: ReadoutConfig::new(ReadoutKind::LeakyIntegrator, 6),
        decode: Decoder::new(DecoderKind::PerStep),
        surrogate: Default::default(),
        encoder: None,
        repeat: 1,
    };
    let of = |cell| dense(cell, &config, 10);
    assert_eq!(of(DenseCell::Lstm), Operations { mac: 60_840, ac: 1500 });
    assert_eq!(of(DenseCell::Gru), Operations { mac: 46_440, ac: 1140 });
    assert_eq!(of(DenseCell::Rnn), Operations { mac: 16_560, ac: 420 });
    assert_eq!(of(DenseCell::Relu), Operations { mac: 18_000, ac: 1140 });
    // Of these cells, only ReLU can do without recurrence.
    let layers = vec![LayerConfig { recurrent: false, ..LayerConfig::new(36) }];
    let feedforward = NetworkConfig { layers, ..config.clone() };
    assert_eq!(dense(DenseCell::Lstm, &feedforward, 10), of(DenseCell::Lstm));
    assert_eq!(dense(DenseCell::Relu, &feedforward, 10).mac, 18_000 - 10 * 36 * 36);
}

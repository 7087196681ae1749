//! The baseline cells: gradients against finite differences, GRU and LSTM against a plain loop, files and refusals.

use barnowl::cell::CellKind;
use barnowl::dataset::{Dataset, Inputs, Targets};
use barnowl::exchange::TensorMap;
use barnowl::layer::LayerConfig;
use barnowl::loss::{Decoder, DecoderKind};
use barnowl::network::{Network, NetworkConfig};
use barnowl::parameters::TimeConstantForm;
use barnowl::pass::Pass;
use barnowl::readout::{ReadoutConfig, ReadoutKind};
use barnowl::recipe::{RatePenalty, TrainConfig};
use barnowl::task::TaskConfig;
use barnowl::train::fit;
use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

const CELLS: [CellKind; 4] = [CellKind::Relu, CellKind::Rnn, CellKind::Gru, CellKind::Lstm];
/// Of finite differences.
const STEP: f32 = 1.6e-2;
const FORM: TimeConstantForm = TimeConstantForm::Log;

fn config(cell: CellKind, bidirectional: bool) -> NetworkConfig {
    NetworkConfig {
        inputs: 3,
        layers: vec![LayerConfig { cell, bidirectional, ..LayerConfig::new(5) }],
        readout: ReadoutConfig::new(ReadoutKind::Dense, 2),
        decode: Decoder::new(DecoderKind::MeanMembrane),
        surrogate: Default::default(),
        encoder: None,
        repeat: 1,
    }
}

/// Seven steps, two sequences, three channels.
fn input(device: &Device) -> Tensor<3> {
    let values: Vec<f32> = (0..42).map(|i| 2.0 * (i as f32 * 1.7).sin()).collect();
    Tensor::from_data(TensorData::new(values, [7, 2, 3]), device)
}

/// What the loss weighs the readout's membranes by: cos(index).
fn weights() -> Vec<f32> {
    (0..28).map(|i| (i as f32).cos()).collect()
}

/// Σ_t,b,c m cos(index): a smooth number of everything that the network returns.
fn loss(network: &Network, config: &NetworkConfig, device: &Device) -> Tensor<1> {
    let output = network.forward(input(device), config, Pass::default());
    let weights = Tensor::<3>::from_data(TensorData::new(weights(), [7, 2, 2]), device);
    (output.readout.membrane.unwrap() * weights).sum()
}

struct IntoGradients(GradientsParams);

impl ModuleMapper for IntoGradients {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let gradient = self.0.remove::<D>(param.id);
        param.map(|value| gradient.unwrap_or_else(|| value.inner().zeros_like()))
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let device = Device::flex();
    for (cell, both) in CELLS.into_iter().flat_map(|cell| [(cell, false), (cell, true)]) {
        let config = config(cell, both);
        let network = config.init(&device.clone().autodiff(), 3).unwrap();
        let tensors = network.tensors(&config, FORM);
        let total = loss(&network, &config, &device.clone().autodiff());
        let found = GradientsParams::from_grads(total.backward(), &network);
        let gradients = network.map(&mut IntoGradients(found)).tensors(&config, FORM);
        // The same sum in double precision, since its rounding would be as large as small differences; and which neurons a
        // rectified layer lets through.
        let at = |tensors: &TensorMap| {
            let network = Network::from_tensors(&config, tensors, FORM, &device).unwrap();
            let output = network.forward(input(&device), &config, Pass::default());
            let terms = values(output.readout.membrane.unwrap()).into_iter().zip(weights());
            let loss: f64 = terms.map(|(m, weight)| f64::from(m) * f64::from(weight)).sum();
            let through: Vec<bool> =
                values(output.spikes[0].clone()).iter().map(|h| *h != 0.0).collect();
            (loss, through)
        };
        let through = at(&tensors).1;
        let (mut checked, mut kinks) = (0, 0);
        for (name, tensor) in &tensors {
            for i in 0..tensor.values.len() {
                let shifted = [2.0, 1.0, -1.0, -2.0].map(|steps| {
                    let mut moved = tensors.clone();
                    moved.get_mut(name).unwrap().values[i] += steps * STEP;
                    at(&moved)
                });
                if shifted.iter().any(|(_, other)| *other != through) {
                    kinks += 1;
                    continue;
                }
                checked += 1;
                // Of fourth order, so that steps may be large beside the rounding of membranes.
                let [twice, once, back, twice_back] = shifted.map(|(loss, _)| loss);
                let difference = 8.0 * (once - back) - (twice - twice_back);
                let expected = difference / (12.0 * f64::from(STEP));
                let gradient = f64::from(gradients[name].values[i]);
                let off = (gradient - expected).abs();
                assert!(
                    off < 5e-5 + 2e-4 * expected.abs(),
                    "{cell:?} {name}, element {i}: {gradient} {expected}"
                );
            }
        }
        assert!(
            kinks == 0 || (cell == CellKind::Relu && kinks < checked / 3),
            "{kinks}, {checked}"
        );
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// The cells' equations as PyTorch documents them, in double precision: h of the last step of the first sequence.
fn plain(cell: CellKind, tensors: &TensorMap) -> Vec<f64> {
    let x = values(input(&Device::flex()));
    let (mut h, mut c) = (vec![0.0_f64; 5], vec![0.0_f64; 5]);
    for t in 0..7 {
        let product = |name: &str, row: usize, vector: &[f64]| {
            let weight = &tensors[&format!("layers.0.{name}.weight")].values;
            let bias = f64::from(tensors[&format!("layers.0.{name}.bias")].values[row]);
            let row = &weight[row * vector.len()..(row + 1) * vector.len()];
            bias + row.iter().zip(vector).map(|(w, x)| f64::from(*w) * x).sum::<f64>()
        };
        let x: Vec<f64> = x[t * 6..t * 6 + 3].iter().map(|x| f64::from(*x)).collect();
        let outer = |gate: usize, i: usize| product("input", gate * 5 + i, &x);
        let old = h.clone();
        let inner = |gate: usize, i: usize| product("recurrent", gate * 5 + i, &old);
        let sigma = |gate, i| 1.0 / (1.0 + (-(outer(gate, i) + inner(gate, i))).exp());
        for i in 0..5 {
            h[i] = match cell {
                CellKind::Lstm => {
                    c[i] = sigma(1, i) * c[i] + sigma(0, i) * (outer(2, i) + inner(2, i)).tanh();
                    sigma(3, i) * c[i].tanh()
                }
                CellKind::Gru => {
                    let (r, z) = (sigma(0, i), sigma(1, i));
                    (1.0 - z) * (outer(2, i) + r * inner(2, i)).tanh() + z * old[i]
                }
                _ => (outer(0, i) + inner(0, i)).tanh(),
            };
        }
    }
    h
}

#[test]
fn gated_cells_follow_their_equations() {
    let device = Device::flex();
    for cell in [CellKind::Rnn, CellKind::Gru, CellKind::Lstm] {
        let config = config(cell, false);
        let mut tensors = config.init(&device, 5).unwrap().tensors(&config, FORM);
        for bias in ["layers.0.input.bias", "layers.0.recurrent.bias"] {
            let values = &mut tensors.get_mut(bias).unwrap().values;
            values.iter_mut().enumerate().for_each(|(i, x)| *x += (i as f32).sin());
        }
        let network = Network::from_tensors(&config, &tensors, FORM, &device).unwrap();
        let output = network.forward(input(&device), &config, Pass::default());
        let h = values(output.spikes[0].clone());
        for (found, expected) in h[6 * 10..].iter().zip(plain(cell, &tensors)) {
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{cell:?}: {found} {expected}");
        }
    }
}

#[test]
fn every_cell_is_reproducible_and_comes_back_from_its_tensors() {
    let device = Device::flex();
    for cell in CELLS {
        let config = config(cell, true);
        let network = config.init(&device, 7).unwrap();
        let tensors = network.tensors(&config, FORM);
        assert_eq!(config.init(&device, 7).unwrap().tensors(&config, FORM), tensors);
        let again = Network::from_tensors(&config, &tensors, FORM, &device).unwrap();
        assert_eq!(again.tensors(&config, FORM), tensors);
        let output = network.forward(input(&device), &config, Pass::default());
        assert_eq!(output.spikes[0].dims(), [7, 2, 10]);
        let values: usize = tensors.values().map(|tensor| tensor.values.len()).sum();
        assert_eq!(network.parameters(), values);
    }
}

#[test]
fn every_cell_learns() {
    // The class is the channel that is on.
    let (samples, steps) = (16, 12);
    let on = |i: usize| f32::from((i / 3 / steps) % 2 == i % 3);
    let inputs = Inputs::Real((0..samples * steps * 3).map(on).collect());
    let targets = Targets::PerSequence((0..samples).map(|i| (i % 2) as u16).collect());
    let names = vec!["left".into(), "right".into()];
    let data = Dataset::new([samples, steps, 3], names, inputs, targets, "test").unwrap();
    let recipe = TrainConfig { epochs: 8, batch: 8, learning_rate: 0.02, ..TrainConfig::default() };
    for cell in CELLS {
        let (_, reports) = fit(&config(cell, false), &recipe, &data, &data).unwrap();
        let (first, last) = (reports[0].train_loss, reports[7].train_loss);
        assert!(last < 0.9 * first, "{cell:?}: from {first} to {last}");
    }
    let penalty = Some(RatePenalty { target: 0.1, weight: 1.0 });
    let mut weighed = recipe.clone();
    weighed.weight_penalty.recurrent.l1 = 1e-3;
    let mut feedforward = config(CellKind::Alif, false);
    feedforward.layers.iter_mut().for_each(|layer| layer.recurrent = false);
    let error = fit(&feedforward, &weighed, &data, &data).unwrap_err();
    assert_eq!(error.key(), Some("train.weight_penalty.recurrent"));
    let recipe = TrainConfig { rate_penalty: penalty, ..recipe };
    let error = fit(&config(CellKind::Gru, false), &recipe, &data, &data).unwrap_err();
    assert_eq!(error.key(), Some("train.rate_penalty"));
}

#[test]
fn the_word_reaches_every_layer() {
    let load = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|&word| word.into()).collect();
        TaskConfig::load("ecg", &words)
    };
    let lstm = load(&["network.cell=lstm"]).unwrap().network;
    assert_eq!((lstm.layers[0].cell, lstm.readout.kind), (CellKind::Lstm, ReadoutKind::Dense));
    assert!(lstm.is_causal() && !lstm.is_resumable());
    // What only spiking neurons have goes with them.
    let spiking = ["network.readout.neuron=adlif_se", "network.layers.0.surrogate=linear"];
    let other = load(&[&spiking[..], &["network.cell=lstm"]].concat()).unwrap().network;
    assert_eq!((other.readout.kind, other.readout.neuron), (ReadoutKind::Dense, None));
    assert!(other.layers[0].surrogate.is_none());
    let relu = load(&["network.cell=relu"]).unwrap().network;
    assert_eq!((relu.layers[0].cell, relu.readout.kind), (CellKind::Relu, ReadoutKind::Alif));
    assert!(!load(&["network.cell=feedforward"]).unwrap().network.layers[0].recurrent);
    assert_eq!(load(&["network.cell=lif"]).unwrap().network.layers[0].beta, 0.0);
    let plain = load(&[]).unwrap();
    assert_eq!(load(&["network.cell=alif"]).unwrap(), plain);
    assert!(!plain.to_toml().unwrap().contains("cell"));
    for (words, key) in [
        (&["network.cell=transformer"][..], "network.cell"),
        (&["network.cell=gru", "network.decode.kind=spike_count"], "network.decode.kind"),
        (
            &["network.layers.0.cell=gru", "network.layers.0.recurrent=false"],
            "network.layers.0.recurrent",
        ),
        (&["network.readout.kind=dense", "network.decode.kind=spike_count"], "network.decode.kind"),
        (
            &["network.layers.0.bidirectional=true", "network.layers.0.size=32769"],
            "network.layers.0.size",
        ),
        (&["network.readout.neuron=lif", "network.readout.b0=0.3"], "network.readout.b0"),
        (
            &["network.layers.0.cell=relu", "network.layers.0.surrogate=linear"],
            "network.layers.0.surrogate",
        ),
    ] {
        match load(words) {
            Ok(_) => assert_eq!(key, "", "{words:?}"),
            Err(error) => assert_eq!(error.key(), Some(key), "{words:?}: {error}"),
        }
    }
    let undone = load(&["network.cell=gru", "network.layers.0.recurrent=false"]).unwrap_err();
    assert!(undone.to_string().contains("undoes it"), "{undone}");
}

/// `torch.nn.LSTM`, `GRU` and `RNN`, and a rectified layer, in double precision: `reference/cell_golden.py`.
mod pytorch {
    use barnowl::exchange::{TensorMap, safetensors};
    use barnowl::sequence::{
        AlifOptions, AlifSequence, Emission, GatedCell, alif_sequence, gated_sequence,
    };
    use barnowl_neuron::Threshold;
    use burn::tensor::{Device, Tensor, TensorData};

    fn golden() -> TensorMap {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/cells.safetensors");
        safetensors::read(file).unwrap().tensors
    }

    fn tensor<const D: usize>(tensors: &TensorMap, name: &str) -> Tensor<D> {
        let tensor = &tensors[name];
        let data = TensorData::new(tensor.values.clone(), tensor.shape.clone());
        Tensor::from_data(data, &Device::flex().autodiff())
    }

    /// ‖a − b‖ ≤ 10⁻⁵ ‖b‖.
    fn assert_near<const D: usize>(tensors: &TensorMap, name: &str, found: Tensor<D>) {
        let found: Vec<f32> = found.into_data().try_to_vec().unwrap();
        let expected = &tensors[name].values;
        assert_eq!(found.len(), expected.len(), "{name}");
        let norm = |values: &mut dyn Iterator<Item = f32>| -> f64 {
            values.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt()
        };
        let difference = norm(&mut found.iter().zip(expected).map(|(a, b)| a - b));
        let size = norm(&mut expected.iter().copied());
        assert!(size > 0.0 && difference <= 1e-5 * size, "{name}: {difference} of {size}");
    }

    #[test]
    fn gated_cells_are_those_of_pytorch() {
        let golden = golden();
        for (case, cell) in
            [("lstm", GatedCell::Lstm), ("gru", GatedCell::Gru), ("rnn", GatedCell::Tanh)]
        {
            let name = |part: &str| format!("{case}.{part}");
            let x: Tensor<3> = tensor(&golden, &name("x")).require_grad();
            let [w_ih, w_hh]: [Tensor<2>; 2] =
                ["weight_ih", "weight_hh"].map(|part| tensor(&golden, &name(part)).require_grad());
            let [b_ih, b_hh]: [Tensor<1>; 2] =
                ["bias_ih", "bias_hh"].map(|part| tensor(&golden, &name(part)).require_grad());
            let current = x.clone().matmul(w_ih.clone().transpose().unsqueeze())
                + b_ih.clone().unsqueeze::<3>();
            let h = gated_sequence(current, w_hh.clone().transpose(), b_hh.clone(), cell);
            let gradients = (h.clone() * tensor(&golden, &name("g"))).sum().backward();
            assert_near(&golden, &name("h"), h);
            assert_near(&golden, &name("d_x"), x.grad(&gradients).unwrap());
            assert_near(&golden, &name("d_weight_ih"), w_ih.grad(&gradients).unwrap());
            assert_near(&golden, &name("d_weight_hh"), w_hh.grad(&gradients).unwrap());
            assert_near(&golden, &name("d_bias_ih"), b_ih.grad(&gradients).unwrap());
            assert_near(&golden, &name("d_bias_hh"), b_hh.grad(&gradients).unwrap());
        }
    }

    #[test]
    fn rectified_neurons_are_those_of_pytorch() {
        let golden = golden();
        let current: Tensor<3> = tensor(&golden, "relu.current").require_grad();
        let recurrent: Tensor<2> = tensor(&golden, "relu.recurrent").require_grad();
        let [tau_m, tau_adp]: [Tensor<1>; 2] =
            ["relu.tau_m", "relu.tau_adp"].map(|name| tensor(&golden, name).require_grad());
        let sequence = AlifSequence {
            current: current.clone(),
            recurrent: Some(recurrent.clone()),
            tau_m: tau_m.clone(),
            tau_adp: tau_adp.clone(),
            initial: None,
        };
        let options = AlifOptions {
            threshold: Threshold { b0: 0.1, beta: 1.8, resistance: 0.7 },
            emission: Emission::Rectified,
            ..AlifOptions::default()
        };
        let h = alif_sequence(sequence, options).spikes.unwrap();
        let gradients = (h.clone() * tensor(&golden, "relu.g")).sum().backward();
        assert_near(&golden, "relu.h", h);
        assert_near(&golden, "relu.d_current", current.grad(&gradients).unwrap());
        assert_near(&golden, "relu.d_recurrent", recurrent.grad(&gradients).unwrap());
        assert_near(&golden, "relu.d_tau_m", tau_m.grad(&gradients).unwrap());
        assert_near(&golden, "relu.d_tau_adp", tau_adp.grad(&gradients).unwrap());
    }
}

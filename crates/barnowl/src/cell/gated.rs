//! tanh, LSTM and GRU cells, the gates of a step in one matrix product.
//!
//! Burn has these cells too, with two products for every gate and step; here a step has two in all, and the weights have
//! PyTorch's layout: blocks of rows i, f, g, o of an LSTM and r, z, n of a GRU.

use super::{CellKind, steps};
use crate::initializer::Initializer;
use crate::layer::LayerConfig;
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::{Device, Tensor, TensorData, module::linear};
use rand_chacha::ChaCha8Rng;

/// Weights of a layer of tanh, LSTM or GRU cells.
#[derive(Module, Debug)]
pub struct GatedLayer {
    /// Input weights `[inputs, gates · neurons]` and bias.
    pub input: Linear,
    /// Recurrent weights `[neurons, gates · neurons]`, row = presynaptic unit, and bias.
    pub recurrent: Linear,
}

impl GatedLayer {
    /// Every gate has a matrix of its own from the layer's initialisers; biases are zero, but that of an LSTM's forget
    /// gate is 1, so that it remembers at first (Gers et al. 2000, doi 10.1162/089976600300015015).
    pub(crate) fn init(
        config: &LayerConfig,
        gates: usize,
        inputs: usize,
        device: &Device,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let size = config.size;
        let mut bias = vec![0.0_f32; gates * size];
        let zeros = bias.clone();
        if config.cell == CellKind::Lstm {
            bias[size..2 * size].fill(1.0);
        }
        let input = blocks([inputs, size], gates, config.input_weights, bias, device, rng);
        let recurrent = blocks([size, size], gates, config.recurrent_weights, zeros, device, rng);
        Self { input, recurrent }
    }

    /// Runs the cells over a sequence `[T, B, inputs]` from a state of zero, and returns h, `[T, B, neurons]`.
    pub(crate) fn forward(&self, input: Tensor<3>, kind: CellKind) -> Tensor<3> {
        let [_, batch, _] = input.dims();
        let device = input.device();
        let neurons = self.recurrent.weight.dims()[0];
        let zero = || Tensor::<2>::zeros([batch, neurons], &device);
        let (mut h, mut c) = (zero(), zero());
        let value = |bias: &Option<Param<Tensor<1>>>| bias.as_ref().map(Param::val);
        let (weight, recurrent) = (self.input.weight.val(), self.recurrent.weight.val());
        let (mut bias, mut recurrent_bias) = (value(&self.input.bias), value(&self.recurrent.bias));
        if kind != CellKind::Gru {
            // The biases of the two products only ever meet in their sum, except in a GRU's candidate.
            bias = match (bias, recurrent_bias.take()) {
                (Some(a), Some(b)) => Some(a + b),
                (a, b) => a.or(b),
            };
        }
        let block = |gates: &Tensor<2>, first: usize, count: usize| {
            gates.clone().narrow(1, first * neurons, count * neurons)
        };
        let mut outputs = Vec::new();
        for x in steps(input) {
            let outer = linear(x, weight.clone(), bias.clone());
            let inner = linear(h.clone(), recurrent.clone(), recurrent_bias.clone());
            h = match kind {
                CellKind::Gru => {
                    // r, z = σ(W x + U h)      n = tanh(W x + r ⊙ (U h))      h_t = n + z ⊙ (h_{t−1} − n)
                    let gates = sigmoid(block(&outer, 0, 2) + block(&inner, 0, 2));
                    let (r, z) = (block(&gates, 0, 1), block(&gates, 1, 1));
                    let n = tanh(block(&outer, 2, 1) + r * block(&inner, 2, 1));
                    n.clone() + z * (h - n)
                }
                CellKind::Lstm => {
                    // i, f, o = σ(W x + U h)      g = tanh(…)      c_t = f ⊙ c_{t−1} + i ⊙ g      h_t = o ⊙ tanh(c_t)
                    let sum = outer + inner;
                    let gates = sigmoid(block(&sum, 0, 2));
                    let (i, f) = (block(&gates, 0, 1), block(&gates, 1, 1));
                    let (g, o) = (tanh(block(&sum, 2, 1)), sigmoid(block(&sum, 3, 1)));
                    c = f * c + i * g;
                    o * tanh(c.clone())
                }
                // h_t = tanh(W x + U h)
                CellKind::Rnn | CellKind::Alif | CellKind::Relu => tanh(outer + inner),
            };
            outputs.push(h.clone());
        }
        Tensor::stack(outputs, 0)
    }
}

/// `gates` matrices side by side.
fn blocks(
    [rows, columns]: [usize; 2],
    gates: usize,
    initializer: Initializer,
    bias: Vec<f32>,
    device: &Device,
    rng: &mut ChaCha8Rng,
) -> Linear {
    let matrices: Vec<Vec<f32>> =
        (0..gates).map(|_| initializer.draw([rows, columns], rng)).collect();
    let row = |row: usize| {
        matrices.iter().flat_map(move |matrix| &matrix[row * columns..(row + 1) * columns])
    };
    let weight: Vec<f32> = (0..rows).flat_map(row).copied().collect();
    let width = gates * columns;
    let weight = Tensor::from_data(TensorData::new(weight, [rows, width]), device);
    let bias = Tensor::from_data(TensorData::new(bias, [width]), device);
    Linear { weight: Param::from_tensor(weight), bias: Some(Param::from_tensor(bias)) }
}

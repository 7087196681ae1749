//! Layers of tanh, LSTM and GRU cells.
//!
//! Burn has these cells too, with two products for every gate and step, and a dozen nodes of its graph; here a layer is
//! [one operation](sequence::gated_sequence). Files have PyTorch's layout: blocks of rows i, f, g, o of an LSTM and r, z, n
//! of a GRU.

use crate::initializer::Initializer;
use crate::pass::SequencePath;
use crate::sequence::{self, GatedCell};
use crate::weights::project;
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData};
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
    /// Every gate has matrices of its own from the initialisers of input and recurrent weights; biases are zero, but that of an LSTM's forget
    /// gate is 1, so that it remembers at first (Gers et al. 2000, doi 10.1162/089976600300015015).
    pub(crate) fn init(
        cell: GatedCell,
        [inputs, size]: [usize; 2],
        [input, recurrent]: [Initializer; 2],
        device: &Device,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let gates = cell.gates();
        let mut bias = vec![0.0_f32; gates * size];
        let zeros = bias.clone();
        if cell == GatedCell::Lstm {
            bias[size..2 * size].fill(1.0);
        }
        let input = blocks([inputs, size], gates, input, bias, device, rng);
        let recurrent = blocks([size, size], gates, recurrent, zeros, device, rng);
        Self { input, recurrent }
    }

    /// Runs the cells over a sequence `[T, B, inputs]` from a state of zero, and returns h, `[T, B, neurons]`.
    pub(crate) fn forward(
        &self,
        input: Tensor<3>,
        cell: GatedCell,
        path: SequencePath,
    ) -> Tensor<3> {
        let current = project(&self.input, None, input);
        let recurrent = self.recurrent.weight.val();
        let bias = match &self.recurrent.bias {
            Some(bias) => bias.val(),
            None => Tensor::zeros([recurrent.dims()[1]], &recurrent.device()),
        };
        match path {
            SequencePath::Fused => sequence::gated_sequence(current, recurrent, bias, cell),
            SequencePath::Reference => {
                sequence::reference::gated_sequence(current, recurrent, bias, cell)
            }
        }
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

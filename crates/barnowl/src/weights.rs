//! Weights and other trained tensors: how they start, what they make of an input, how they are replaced.

use crate::device::is_cpu;
use crate::initializer::Initializer;
use crate::sequence;
use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData, module::linear};
use rand_chacha::ChaCha8Rng;

/// Weights by an initialiser and a bias of zero.
pub(crate) fn dense(
    shape: [usize; 2],
    initializer: Initializer,
    device: &Device,
    rng: &mut ChaCha8Rng,
) -> Linear {
    let weight = TensorData::new(initializer.draw(shape, rng), shape);
    Linear {
        weight: Param::from_tensor(Tensor::from_data(weight, device)),
        bias: Some(Param::from_tensor(Tensor::zeros([shape[1]], device))),
    }
}

/// The input current of all steps as one matrix product: `[T, B, inputs]` → `[T, B, neurons]`.
pub(crate) fn project(dense: &Linear, bias: Option<Tensor<1>>, input: Tensor<3>) -> Tensor<3> {
    let [steps, batch, inputs] = input.dims();
    let weight = dense.weight.val();
    let [expected, neurons] = weight.dims();
    assert_eq!(inputs, expected, "the input has {inputs} channels, the layer expects {expected}");
    let bias = match (dense.bias.as_ref().map(Param::val), bias) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    };
    let rows = input.reshape([steps * batch, inputs]);
    let current = if is_cpu(&rows.device()) {
        linear(rows, weight, bias)
    } else {
        let product = sequence::product(rows, weight);
        match bias {
            Some(bias) => product + bias.unsqueeze_dim(0),
            None => product,
        }
    };
    current.reshape([steps, batch, neurons])
}

/// Replaces the value of a parameter; whether it is trained stays as it was.
pub(crate) fn replace<const D: usize>(
    param: &mut Param<Tensor<D>>,
    value: impl FnOnce(&Device) -> Tensor<D>,
) {
    *param = param.clone().map(|old| {
        let new = value(&old.device()).detach();
        if old.is_require_grad() { new.require_grad() } else { new }
    });
}

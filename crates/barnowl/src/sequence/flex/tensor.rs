//! Tensors of the CPU.

use burn::tensor::{Shape, TensorData};
use burn_flex::FlexTensor;

/// A contiguous tensor from its values.
pub(super) fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, Shape::from(shape)))
}

/// T, B and H of a current.
pub(super) fn dims(current: &FlexTensor) -> [usize; 3] {
    let shape = current.layout().shape();
    [shape[0], shape[1], shape[2]]
}

//! Tensors as they stand in files.

use std::collections::BTreeMap;

/// A tensor as it stands in a file, as 32-bit floats.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// The extents, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// The elements in row-major order, as many as the product of `shape`.
    pub values: Vec<f32>,
}

impl NamedTensor {
    /// A tensor of the given shape.
    ///
    /// # Panics
    ///
    /// If `values` does not hold as many elements as `shape` says.
    #[must_use]
    pub fn new(shape: impl Into<Vec<usize>>, values: Vec<f32>) -> Self {
        let tensor = Self { shape: shape.into(), values };
        assert!(
            tensor.is_whole(),
            "{} values do not fill the shape {:?}",
            tensor.values.len(),
            tensor.shape
        );
        tensor
    }

    /// Whether there are as many values as the shape says.
    pub(super) fn is_whole(&self) -> bool {
        element_count(&self.shape) == Some(self.values.len())
    }
}

/// Tensors by name, in the order of the names.
pub type TensorMap = BTreeMap<String, NamedTensor>;

/// How many elements a shape has, unless that overflows.
fn element_count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |count, &extent| count.checked_mul(extent))
}

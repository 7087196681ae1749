//! Rows of arrays.

/// The rows of these places, of so many values each.
pub(super) fn pick<T: Copy>(values: &[T], size: usize, indices: &[usize]) -> Vec<T> {
    indices.iter().flat_map(|i| &values[i * size..(i + 1) * size]).copied().collect()
}

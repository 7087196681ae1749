//! Whether tensors are the parameters that a network has.

use std::collections::BTreeMap;
use std::fmt;

use super::{NamedTensor, TensorMap};
use crate::error::{Error, Result};

/// The parameters that a network has: their shapes, outermost extent first, by name.
pub type Shapes = BTreeMap<String, Vec<usize>>;

/// Checks that `found` holds each tensor of `expected` in its shape, and no other.
///
/// # Errors
///
/// One error that lists every tensor that is missing, misshapen or not expected.
pub fn check(found: &TensorMap, expected: &Shapes) -> Result<()> {
    Discrepancies::between(found, expected).into_result()
}

/// Takes the tensor `name` of the given shape out of `tensors`.
///
/// # Errors
///
/// If it is missing or has another shape.
pub fn take(tensors: &mut TensorMap, name: &str, shape: &[usize]) -> Result<NamedTensor> {
    let mut differ = Discrepancies::default();
    match tensors.remove(name) {
        Some(tensor) if tensor.shape == shape && tensor.is_whole() => return Ok(tensor),
        Some(tensor) => differ.misshapen.push(Misshapen::new(name, &tensor, shape)),
        None => differ.missing.push((name.to_string(), shape.to_vec())),
    }
    Err(differ.into_error())
}

/// How tensors that were found differ from those expected; names in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discrepancies {
    /// Expected and not found: name and expected shape.
    pub missing: Vec<(String, Vec<usize>)>,
    /// Found in another shape.
    pub misshapen: Vec<Misshapen>,
    /// Found and not expected: name and shape found.
    pub extra: Vec<(String, Vec<usize>)>,
}

/// A tensor of another shape than expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misshapen {
    /// Its name.
    pub name: String,
    /// The shape that it has.
    pub found: Vec<usize>,
    /// The shape that it should have.
    pub expected: Vec<usize>,
}

impl Misshapen {
    fn new(name: &str, tensor: &NamedTensor, expected: &[usize]) -> Self {
        let found = if tensor.is_whole() {
            tensor.shape.clone()
        } else {
            // Made by hand, with values that do not fill its shape.
            vec![tensor.values.len()]
        };
        Self { name: name.to_string(), found, expected: expected.to_vec() }
    }
}

impl Discrepancies {
    /// Compares what was found with what was expected.
    #[must_use]
    pub fn between(found: &TensorMap, expected: &Shapes) -> Self {
        let mut differ = Self::default();
        for (name, shape) in expected {
            match found.get(name) {
                None => differ.missing.push((name.clone(), shape.clone())),
                Some(tensor) if tensor.shape == *shape && tensor.is_whole() => {}
                Some(tensor) => differ.misshapen.push(Misshapen::new(name, tensor, shape)),
            }
        }
        let extra = found.iter().filter(|(name, _)| !expected.contains_key(*name));
        differ.extra = extra.map(|(name, tensor)| (name.clone(), tensor.shape.clone())).collect();
        differ
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.misshapen.is_empty() && self.extra.is_empty()
    }

    /// Nothing, or one error that lists all of them.
    ///
    /// # Errors
    ///
    /// If there are any.
    pub fn into_result(self) -> Result<()> {
        if self.is_empty() { Ok(()) } else { Err(self.into_error()) }
    }

    fn into_error(self) -> Error {
        Error::mismatch(format!("the tensors are not those of this network:{self}"))
            .remedy("check that the file and the configuration describe the same network")
    }
}

/// One line a tensor, each on a new line.
impl fmt::Display for Discrepancies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, shape) in &self.missing {
            write!(f, "\n  missing: {name} {shape:?}")?;
        }
        for Misshapen { name, found, expected } in &self.misshapen {
            write!(f, "\n  misshapen: {name} is {found:?}, expected {expected:?}")?;
        }
        for (name, shape) in &self.extra {
            write!(f, "\n  not expected: {name} {shape:?}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn tensors(shapes: &[(&str, &[usize])]) -> TensorMap {
        let tensor = |shape: &[usize]| NamedTensor::new(shape, vec![0.5; shape.iter().product()]);
        shapes.iter().map(|(name, shape)| (name.to_string(), tensor(shape))).collect()
    }

    fn shapes(shapes: &[(&str, &[usize])]) -> Shapes {
        shapes.iter().map(|(name, shape)| (name.to_string(), shape.to_vec())).collect()
    }

    #[test]
    fn what_fits_passes() {
        let found = tensors(&[("a", &[2, 3]), ("b", &[])]);
        check(&found, &shapes(&[("a", &[2, 3]), ("b", &[])])).unwrap();
        check(&TensorMap::new(), &Shapes::new()).unwrap();
    }

    #[test]
    fn one_error_lists_everything() {
        let found = tensors(&[("a", &[2]), ("b", &[3, 2]), ("c", &[1]), ("d", &[])]);
        let expected = shapes(&[("a", &[2]), ("b", &[2, 3]), ("e", &[4]), ("f", &[1, 1])]);
        let error = check(&found, &expected).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Mismatch);
        assert_eq!(
            error.to_string(),
            "the tensors are not those of this network:\n  \
             missing: e [4]\n  \
             missing: f [1, 1]\n  \
             misshapen: b is [3, 2], expected [2, 3]\n  \
             not expected: c [1]\n  \
             not expected: d []\n  \
             check that the file and the configuration describe the same network"
        );
    }

    #[test]
    fn a_tensor_is_taken_in_its_shape_only() {
        let mut found = tensors(&[("a", &[2]), ("b", &[2])]);
        assert_eq!(take(&mut found, "a", &[2]).unwrap().values, [0.5, 0.5]);
        assert!(!found.contains_key("a"));
        let error = take(&mut found, "a", &[2]).unwrap_err().to_string();
        assert!(error.contains("missing: a [2]"), "{error}");
        let error = take(&mut found, "b", &[1, 2]).unwrap_err().to_string();
        assert!(error.contains("misshapen: b is [2], expected [1, 2]"), "{error}");
    }

    #[test]
    fn values_must_fill_the_shape() {
        let found =
            TensorMap::from([("a".to_string(), NamedTensor { shape: vec![2], values: vec![1.0] })]);
        let differ = Discrepancies::between(&found, &shapes(&[("a", &[2])]));
        assert_eq!(differ.misshapen[0].found, [1]);
        assert!(take(&mut found.clone(), "a", &[2]).is_err());
    }
}

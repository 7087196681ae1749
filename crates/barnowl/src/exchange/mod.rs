//! Parameters from and for other programs: PyTorch state dicts, safetensors.
//!
//! A file is read into a [`TensorMap`], whatever its format; [`rename`] finds the state dict in it and turns the names of the
//! model's authors into ours, and [`check`] compares the result with the parameters that a network has. [`import::fit`](crate::import::fit)
//! does all of that for a task, and reports all problems at once.
//!
//! ```no_run
//! use barnowl::exchange::{self, Shapes};
//! # fn main() -> barnowl::error::Result<()> {
//! let tensors = exchange::read("ecg.pth", None)?;
//! let renamed = exchange::rename("ecg-paper", tensors, &[])?;
//! let expected = Shapes::from([("layers.0.input.weight".to_string(), vec![36, 4])]);
//! exchange::check(&renamed.tensors, &expected)?;
//! # Ok(())
//! # }
//! ```

mod check;
mod element;
mod find;
mod names;
pub mod npy;
pub mod pytorch;
mod recognise;
pub mod safetensors;
pub mod sealed;
mod table;

use std::collections::BTreeMap;
use std::path::Path;

pub use check::{Discrepancies, Misshapen, Shapes, check, take};
pub use names::{Renamed, rename, renamed_tasks};
pub use recognise::Format;

use crate::error::Result;

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
    fn is_whole(&self) -> bool {
        element_count(&self.shape) == Some(self.values.len())
    }
}

/// Tensors by name, in the order of the names.
pub type TensorMap = BTreeMap<String, NamedTensor>;

/// How many elements a shape has, unless that overflows.
fn element_count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |count, &extent| count.checked_mul(extent))
}

/// Reads the tensors of a safetensors file or of a PyTorch file, told apart by [what the file holds](Format::of).
///
/// `key` names the entry of a checkpoint that holds the state dict, where it is not the whole file: `"model"` for
/// `torch.save({"model": net.state_dict(), "epoch": 3}, file)`, `"a.model"` for one in an entry of an entry.
///
/// # Errors
///
/// If the file cannot be read or is damaged, holds no tensors or some that 32-bit floats cannot represent, or has no
/// such key.
pub fn read(path: impl AsRef<Path>, key: Option<&str>) -> Result<TensorMap> {
    let path = path.as_ref();
    let tensors = match Format::of(path)? {
        Format::Safetensors => safetensors::read(path)?.tensors,
        Format::Pytorch => pytorch::read(path)?,
    };
    match key {
        Some(key) => find::under(key, tensors).map_err(|error| error.in_file(path)),
        None => Ok(tensors),
    }
}

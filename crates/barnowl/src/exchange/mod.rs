//! Parameters from and for other programs: PyTorch state dicts, safetensors.
//!
//! A file is read into a [`TensorMap`], whatever its format; [`rename`] turns the names of the model's authors into
//! ours, and [`check`] compares the result with the parameters that a network has:
//!
//! ```no_run
//! use barnowl::exchange::{self, Shapes};
//! # fn main() -> barnowl::error::Result<()> {
//! let tensors = exchange::read("ecg.pth", None)?;
//! let renamed = exchange::rename("ecg-paper", tensors)?;
//! let expected = Shapes::from([("layers.0.input.weight".to_string(), vec![36, 4])]);
//! exchange::check(&renamed.tensors, &expected)?;
//! # Ok(())
//! # }
//! ```

mod check;
mod element;
pub(crate) mod names;
pub mod npy;
pub mod pytorch;
mod repair;
pub mod safetensors;
pub mod sealed;
mod table;

use std::collections::BTreeMap;
use std::path::Path;

pub use check::{Discrepancies, Misshapen, Shapes, check, take};
pub use names::{Renamed, rename, renamed_tasks};
pub use repair::{
    Elements, Repair, impossible_time_constants, repair_time_constants, short_time_constants,
};

use crate::error::{Error, Result};
use crate::file;

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

/// Reads the tensors of a safetensors file or of a PyTorch state dict, told apart by what the file holds.
///
/// `top_level_key` names the entry of a PyTorch checkpoint that holds the state dict, where it is not the whole file:
/// `"model"` for `torch.save({"model": net.state_dict(), "epoch": 3}, file)`.
///
/// # Errors
///
/// If the file cannot be read or is damaged, holds no tensors or some that 32-bit floats cannot represent, or has no
/// such key.
pub fn read(path: impl AsRef<Path>, top_level_key: Option<&str>) -> Result<TensorMap> {
    let path = path.as_ref();
    let named_so = path.extension().is_some_and(|extension| extension == "safetensors");
    if !named_so && !safetensors::starts_like(&file::read_start(path, 9)?) {
        return pytorch::read(path, top_level_key);
    }
    if let Some(key) = top_level_key {
        return Err(Error::config(format!("a safetensors file has no key `{key}`"))
            .in_file(path)
            .remedy(
                "leave the key out: all tensors of a safetensors file stand at its top level",
            ));
    }
    Ok(safetensors::read(path)?.tensors)
}

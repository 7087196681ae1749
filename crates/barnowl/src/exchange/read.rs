//! Tensors of a file, whatever its format.

use super::recognise::Format;
use super::tensor::TensorMap;
use super::{find, pytorch, safetensors};
use crate::error::Result;
use std::path::Path;

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

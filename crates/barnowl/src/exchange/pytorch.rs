//! State dicts that PyTorch saved.
//!
//! The file is parsed by [`pytorch_reader`], which runs no code that a pickle names. It reads the format of
//! `torch.save` since PyTorch 1.6 (a ZIP archive) and the one before it.

use std::fmt::Display;
use std::io;
use std::path::Path;

use pytorch_reader::{DType, PickleError, PytorchError, PytorchReader, Tensor};

use super::element::{self, Element};
use super::{NamedTensor, TensorMap, safetensors};
use crate::error::{Error, Result};
use crate::file;

/// What tensors may take in memory, as a multiple of the file's length.
///
/// Tensors may share a storage and repeat it with stride 0, so that a few bytes can claim gigabytes. State dicts do
/// the former at most a few times over (tied weights).
const MAX_GROWTH: u64 = 16;

/// What to do about a file that holds something else than a state dict.
const SAVE_STATE_DICT: &str =
    "Barnowl reads state dicts: save one in Python with torch.save(model.state_dict(), path)";

/// Reads the tensors of a PyTorch file, under the names of its state dict.
///
/// `top_level_key` names the entry that holds the state dict, where it is not the whole file. Without it, the tensors
/// of nested dictionaries get dotted names: `model.i2h.weight`. A module that was saved whole (`torch.save(model)`) is
/// read as its state dict where the file holds it in full, which the format before PyTorch 1.6 does not.
///
/// # Errors
///
/// If the file cannot be read, is damaged or cut short, holds no tensors, or some that a 32-bit float cannot represent.
pub fn read(path: impl AsRef<Path>, top_level_key: Option<&str>) -> Result<TensorMap> {
    let path = path.as_ref();
    refuse_other_formats(path)?;
    let opened = match top_level_key {
        None => PytorchReader::new(path),
        Some(key) => PytorchReader::with_top_level_key(path, key),
    };
    let tensors = opened.map_err(|error| explain(error, path))?.into_tensors();
    if tensors.is_empty() {
        let place = top_level_key.map_or_else(String::new, |key| format!(" under the key `{key}`"));
        return Err(Error::format(format!("there are no tensors{place}"))
            .in_file(path)
            .remedy(SAVE_STATE_DICT));
    }
    check_sizes(path, tensors.values())?;
    tensors.into_iter().map(|(name, tensor)| Ok((name, load(path, &tensor)?))).collect()
}

/// Refuses what the reader does not know, or would take for something else.
fn refuse_other_formats(path: &Path) -> Result<()> {
    const TAR_MAGIC: std::ops::Range<usize> = 257..262;
    let start = file::read_start(path, TAR_MAGIC.end as u64)?;
    if start.is_empty() {
        return Err(Error::format("the file is empty")
            .in_file(path)
            .expected("a PyTorch state dict"));
    }
    if safetensors::starts_like(&start) {
        return Err(Error::format("this is a safetensors file")
            .in_file(path)
            .expected("a PyTorch state dict")
            .remedy("give it the ending .safetensors"));
    }
    // The TAR format has sparse entries, which can claim any length, and is older than every published model of ours.
    if start.get(TAR_MAGIC) == Some(b"ustar") && !start.starts_with(b"PK") {
        return Err(Error::format("this is a TAR archive, as PyTorch wrote before version 0.1.10")
            .in_file(path)
            .expected("a PyTorch state dict")
            .remedy("load it in Python and save it again with torch.save"));
    }
    Ok(())
}

/// Refuses tensors that claim far more elements than the file holds.
fn check_sizes<'a>(path: &Path, tensors: impl Iterator<Item = &'a Tensor>) -> Result<()> {
    let length = file::open(path)?.metadata().map_err(|e| file::read_error(path, e))?.len();
    let claimed = tensors.fold(0_u64, |sum, tensor| sum.saturating_add(tensor.byte_len() as u64));
    if claimed / MAX_GROWTH > length {
        return Err(Error::format(format!("the tensors claim {claimed} bytes"))
            .in_file(path)
            .expected(format!("at most {MAX_GROWTH} times the {length} bytes of the file"))
            .remedy(
                "save contiguous tensors: {k: v.contiguous() for k, v in state_dict.items()}",
            ));
    }
    Ok(())
}

fn load(path: &Path, tensor: &Tensor) -> Result<NamedTensor> {
    let (element, size) = (element_of(tensor.dtype()), tensor.dtype().size());
    let mut bytes = tensor.read().map_err(|error| explain(PytorchError::Io(error), path))?;
    if cfg!(target_endian = "big") {
        // The reader gives the elements in the order of this machine.
        bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
    let values = element::to_f32(element, &bytes)
        .map_err(|refused| refused.in_tensor(&tensor.name).in_file(path))?;
    let loaded = NamedTensor { shape: tensor.shape().to_vec(), values };
    if !loaded.is_whole() {
        let (name, count) = (&tensor.name, loaded.values.len());
        return Err(Error::format(format!("tensor `{name}` has {count} elements"))
            .in_file(path)
            .expected(format!("as many as its shape {:?} says", loaded.shape)));
    }
    Ok(loaded)
}

fn element_of(dtype: DType) -> Element {
    match dtype {
        DType::F64 => Element::F64,
        DType::F32 => Element::F32,
        DType::F16 => Element::F16,
        DType::BF16 => Element::Bf16,
        DType::I64 => Element::I64,
        DType::I32 => Element::I32,
        DType::I16 => Element::I16,
        DType::I8 => Element::I8,
        DType::U64 => Element::U64,
        DType::U32 => Element::U32,
        DType::U16 => Element::U16,
        DType::U8 => Element::U8,
        DType::Bool => Element::Bool,
    }
}

/// The reader's error, in our words and with a remedy.
fn explain(error: PytorchError, path: &Path) -> Error {
    const DAMAGED: &str = "the file is cut short or damaged: copy it again";
    const TOLD_APART: &str = "if the file is not cut short or damaged, it holds something else";
    let damaged = |problem: &dyn Display| {
        Error::format(format!("not a whole PyTorch file: {problem}")).remedy(DAMAGED)
    };
    match error {
        PytorchError::Io(source) | PytorchError::Pickle(PickleError::Io(source)) => {
            match source.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => damaged(&source),
                _ => file::read_error(path, source),
            }
        }
        PytorchError::Zip(problem) => damaged(&problem),
        PytorchError::KeyNotFound(problem) => Error::config(problem),
        PytorchError::Pickle(PickleError::UnsupportedType(name)) => {
            Error::format(format!("a tensor or object is of type {name}"))
                .expected("dense tensors of floats, integers or truth values")
                .remedy("leave it out of the state dict or convert it in Python")
        }
        PytorchError::Pickle(problem) if holds_module(&problem) => {
            Error::format("this is a whole module, with its source code")
                .expected("a state dict")
                .remedy(SAVE_STATE_DICT)
        }
        PytorchError::InvalidFormat(problem) => {
            Error::format(problem).remedy(format!("{TOLD_APART}; {SAVE_STATE_DICT}"))
        }
        other => Error::format(format!("not a PyTorch state dict: {other}"))
            .remedy(format!("{TOLD_APART}; {SAVE_STATE_DICT}")),
    }
    .in_file(path)
}

/// Before PyTorch 1.6, and in its old format since, a module's class was pickled as a persistent id of four fields,
/// `('module', class, file, source)`, where a state dict has only storages, of five. The reader has no error kind of
/// its own for it.
fn holds_module(problem: &PickleError) -> bool {
    problem.to_string().contains("storage persistent id has 4 fields")
}

//! State dicts that PyTorch saved.
//!
//! The file is parsed by [`pytorch_reader`], which runs no code that a pickle names. It reads the format of
//! `torch.save` since PyTorch 1.6 (a ZIP archive) and the one before it.

use std::fmt::Display;
use std::io;
use std::path::Path;

use pytorch_reader::{DType, PickleError, PytorchError, PytorchReader, Tensor};

use super::element::{self, Element};
use super::recognise::{Format, SAVE_STATE_DICT};
use super::{NamedTensor, TensorMap};
use crate::error::{Error, Result};
use crate::file;

/// What tensors may take in memory, as a multiple of the file's length.
///
/// Tensors may share a storage and repeat it with stride 0, so that a few bytes can claim gigabytes. State dicts do
/// the former at most a few times over (tied weights).
const MAX_GROWTH: u64 = 16;

/// Reads the tensors of a PyTorch file, under the names of its state dict.
///
/// The tensors of nested dictionaries get dotted names: `model.i2h.weight`. A module that was saved whole
/// (`torch.save(model)`) is read as its state dict where the file holds it in full, which the format before PyTorch 1.6
/// does not.
///
/// # Errors
///
/// If the file cannot be read, is damaged or cut short, holds no tensors, or some that a 32-bit float cannot represent.
pub fn read(path: impl AsRef<Path>) -> Result<TensorMap> {
    let path = path.as_ref();
    if Format::of(path)? == Format::Safetensors {
        return Err(Error::format("this is a safetensors file")
            .in_file(path)
            .expected("a PyTorch state dict"));
    }
    let tensors = PytorchReader::new(path).map_err(|error| explain(error, path))?.into_tensors();
    if tensors.is_empty() {
        return Err(Error::format("there are no tensors").in_file(path).remedy(SAVE_STATE_DICT));
    }
    check_sizes(path, tensors.values())?;
    tensors.into_iter().map(|(name, tensor)| Ok((name, load(path, &tensor)?))).collect()
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
        PytorchError::Pickle(PickleError::UnsupportedType(name)) => {
            let (what, remedy) = unsupported(&name);
            Error::format(format!("{what} ({name})"))
                .expected("dense tensors of floats, integers or truth values")
                .remedy(remedy)
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

/// What of this Python type cannot be read, and what to do about it. In the remedies, `s` is the state dict.
fn unsupported(python_type: &str) -> (&'static str, &'static str) {
    let holds = |part: &str| python_type.contains(part);
    if python_type.starts_with("__torch__") {
        (
            "this is a TorchScript archive",
            "save its parameters in Python with torch.save(torch.jit.load(f).state_dict(), \"m.pth\") and import m.pth",
        )
    } else if holds("Complex") || holds("complex") {
        (
            "a tensor has complex numbers",
            "no parameter of these networks is complex: leave the tensor out of the state dict",
        )
    } else if holds("qtensor") || holds("QInt") || holds("QUInt") || holds("qint") || holds("quint")
    {
        (
            "a tensor is quantized",
            "turn it into floats in Python: s = {k: v.dequantize() if v.is_quantized else v for k, v in s.items()}; torch.save(s, \"m.pth\")",
        )
    } else if holds("sparse") {
        (
            "a tensor is sparse",
            "make it dense in Python: s = {k: v.to_dense() for k, v in s.items()}; torch.save(s, \"m.pth\")",
        )
    } else if holds("nested") {
        (
            "a tensor is nested: its rows differ in length",
            "leave it out of the state dict: no parameter of these networks is nested",
        )
    } else if holds("float8") || holds("float4") {
        (
            "a tensor has floats of eight bits or fewer",
            "turn it into floats of 32 bits in Python: s = {k: v.float() for k, v in s.items()}; torch.save(s, \"m.pth\")",
        )
    } else if holds("meta_tensor") {
        (
            "a tensor is on the device `meta`, where it has no values",
            "load the network's values in Python before saving it",
        )
    } else {
        ("an object that holds tensors is of a type that is not known", SAVE_STATE_DICT)
    }
}

/// Before PyTorch 1.6, and in its old format since, a module's class was pickled as a persistent id of four fields,
/// `('module', class, file, source)`, where a state dict has only storages, of five. The reader has no error kind of
/// its own for it.
fn holds_module(problem: &PickleError) -> bool {
    problem.to_string().contains("storage persistent id has 4 fields")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_named_in_plain_words() {
        for (python_type, what, remedy) in [
            (
                "__torch__.torch.nn.modules.linear.Linear",
                "TorchScript",
                "torch.jit.load(f).state_dict()",
            ),
            ("torch.ComplexFloatStorage", "complex numbers", "leave the tensor out"),
            ("torch.complex32", "complex numbers", "leave the tensor out"),
            ("torch._utils._rebuild_qtensor", "quantized", "dequantize()"),
            ("torch.QUInt8Storage", "quantized", "dequantize()"),
            ("torch._utils._rebuild_sparse_tensor", "sparse", "to_dense()"),
            ("torch._utils._rebuild_sparse_csr_tensor", "sparse", "to_dense()"),
            ("torch._utils._rebuild_nested_tensor", "nested", "leave it out"),
            ("torch.float8_e4m3fn", "floats of eight bits", "v.float()"),
            ("torch._utils._rebuild_meta_tensor_no_storage", "no values", "before saving"),
            ("mine.Quantiser", "not known", "model.state_dict()"),
        ] {
            let error = PytorchError::Pickle(PickleError::UnsupportedType(python_type.to_owned()));
            let error = explain(error, Path::new("m.pth")).to_string();
            for part in ["m.pth", python_type, what, remedy] {
                assert!(error.contains(part), "{error} lacks: {part}");
            }
        }
    }
}

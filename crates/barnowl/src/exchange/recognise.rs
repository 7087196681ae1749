//! What a file is, from what it holds: names and endings are often wrong.

use std::io::{Read, Seek};
use std::path::Path;

use super::safetensors;
use crate::error::{Error, Result};
use crate::file;

/// A format that tensors are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// What `safetensors` writes.
    Safetensors,
    /// What `torch.save` writes.
    Pytorch,
}

/// The bytes that a file is told by: up to the magic of a TAR archive.
const START: u64 = 262;
/// The magic of HDF5.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
/// What to do about a module, a program or a checkpoint that holds more than tensors.
pub(super) const SAVE_STATE_DICT: &str =
    "Barnowl reads state dicts: save one in Python with torch.save(model.state_dict(), path)";
/// What to do about tensors of another framework.
const SAVE_ARRAYS: &str = "save its arrays in Python with safetensors.numpy.save_file({name: array, …}, \"m.safetensors\"), under names \
                           such as layers.0.input.weight";

impl Format {
    /// The format of a file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is known to be something else: it is named for what it is. What is not known passes for
    /// what its ending says.
    pub fn of(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let start = file::read_start(path, START)?;
        let refuse = |(what, remedy): (&str, &str)| {
            Error::format(format!("this is {what}"))
                .in_file(path)
                .expected("a PyTorch state dict or a safetensors file")
                .remedy(remedy)
        };
        if start.is_empty() {
            return Err(Error::format("the file is empty")
                .in_file(path)
                .expected("a PyTorch state dict or a safetensors file")
                .remedy("copy it again"));
        }
        if safetensors::starts_like(&start) {
            return Ok(Self::Safetensors);
        }
        if start.starts_with(b"PK") {
            // A damaged archive is left to the reader, which says so.
            let names = zip::ZipArchive::new(file::open(path)?).map(|archive| entries(&archive));
            return match names.ok().and_then(|names| other_archive(&names)) {
                Some(other) => Err(refuse(other)),
                None => Ok(Self::Pytorch),
            };
        }
        if let Some(other) = other_file(&start) {
            return Err(refuse(other));
        }
        let ending = Self::by_ending(path);
        Ok(ending.unwrap_or(Self::Pytorch))
    }

    /// The format that the ending of a name stands for.
    #[must_use]
    pub fn by_ending(path: impl AsRef<Path>) -> Option<Self> {
        let ending = path.as_ref().extension()?.to_ascii_lowercase();
        match ending.to_str()? {
            "safetensors" => Some(Self::Safetensors),
            "pth" | "pt" | "ckpt" => Some(Self::Pytorch),
            _ => None,
        }
    }
}

/// `a PyTorch file`.
impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Safetensors => "a safetensors file",
            Self::Pytorch => "a PyTorch file",
        })
    }
}

fn entries<R: Read + Seek>(archive: &zip::ZipArchive<R>) -> Vec<String> {
    archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect()
}

/// What a file that starts so is, if it is none of ours, and what to do.
fn other_file(start: &[u8]) -> Option<(&'static str, &'static str)> {
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    if start.starts_with(b"version https://git-lfs") {
        return Some((
            "a pointer of Git LFS: the file itself was not downloaded",
            "fetch it with `git lfs pull`, or download it from the page of the repository",
        ));
    }
    if ["<!doctype", "<html", "<?xml", "<head"].iter().any(|tag| text.starts_with(tag)) {
        return Some((
            "a page of the web: the download gave a page in place of the file",
            "download the file itself, by the link to its raw content",
        ));
    }
    if start.starts_with(b"\x93NUMPY") {
        return Some(("a NumPy array, which has no name", SAVE_ARRAYS));
    }
    if start.starts_with(HDF5) {
        return Some(("an HDF5 file, as Keras writes", SAVE_ARRAYS));
    }
    if start.starts_with(b"GGUF") {
        return Some(("a GGUF file, of a language model", SAVE_ARRAYS));
    }
    if start.starts_with(&[0x1f, 0x8b]) {
        return Some(("packed with gzip", "unpack it: gunzip FILE"));
    }
    // The TAR format has sparse entries, which can claim any length, and is older than every published model of ours.
    if start.get(257..262) == Some(b"ustar") {
        return Some((
            "a TAR archive, as PyTorch wrote before version 0.1.10",
            "load it in Python and save it again with torch.save",
        ));
    }
    if is_onnx(start) {
        return Some((
            "an ONNX file, which holds a graph of operations",
            "import the state dict of the network that it was exported from: torch.save(model.state_dict(), path)",
        ));
    }
    if text.starts_with(['{', '['])
        && text.as_bytes().get(1).is_some_and(|b| b" \"\n\r\t{[".contains(b))
    {
        return Some(("JSON text", SAVE_ARRAYS));
    }
    None
}

/// The first fields of an ONNX file: its version, a small number, and the name of its producer.
fn is_onnx(start: &[u8]) -> bool {
    let [0x08, 1..=32, 0x12, length, rest @ ..] = start else { return false };
    let name = rest.get(..usize::from(*length));
    name.is_some_and(|name| name.iter().all(|b| b.is_ascii_graphic() || *b == b' '))
}

/// What a ZIP archive with these entries is, if it is no state dict, and what to do.
fn other_archive(names: &[String]) -> Option<(&'static str, &'static str)> {
    let any = |holds: &dyn Fn(&str) -> bool| names.iter().any(|name| holds(name));
    if any(&|name| name.contains("/code/")) && any(&|name| name.ends_with("constants.pkl")) {
        return Some((
            "a TorchScript archive (torch.jit.save), which holds a program",
            "save its parameters in Python with torch.save(torch.jit.load(f).state_dict(), \"m.pth\") and import m.pth",
        ));
    }
    if any(&|name| {
        name.ends_with("archive_format") || name.ends_with("serialized_exported_program.json")
    }) {
        return Some((
            "an exported program (torch.export.save)",
            "save its parameters in Python with torch.save(torch.export.load(f).state_dict, \"m.pth\") and import m.pth",
        ));
    }
    if any(&|name| name.ends_with("model.weights.h5")) {
        return Some(("a model of Keras", SAVE_ARRAYS));
    }
    if any(&|name| name.ends_with("data.pkl")) {
        return None;
    }
    if any(&|name| name.ends_with(".npy")) {
        return Some((
            "NumPy's arrays (.npz)",
            "turn it into safetensors in Python: safetensors.numpy.save_file(dict(numpy.load(f)), \"m.safetensors\")",
        ));
    }
    if any(&|name| [".pth", ".pt", ".ckpt", ".safetensors"].iter().any(|end| name.ends_with(end))) {
        return Some((
            "a ZIP archive with a file of parameters in it",
            "unpack it, and import that file",
        ));
    }
    Some(("a ZIP archive without the entry data.pkl that PyTorch writes", SAVE_STATE_DICT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    fn archive(names: &[&str]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(b"x").unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn other_files_are_named_for_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let mut tar = vec![0; 1024];
        tar[257..262].copy_from_slice(b"ustar");
        for (bytes, what, remedy) in [
            (vec![], "the file is empty", "copy it again"),
            (b"version https://git-lfs.github.com/spec/v1\n".to_vec(), "Git LFS", "git lfs pull"),
            (b"\n<!DOCTYPE html><html>".to_vec(), "a page of the web", "raw content"),
            (b"<HTML>".to_vec(), "a page of the web", "raw content"),
            (b"\x93NUMPY\x01\x00".to_vec(), "a NumPy array", "save_file"),
            (b"\x89HDF\r\n\x1a\n\0\0".to_vec(), "HDF5 file, as Keras", "save_file"),
            (
                b"\x08\x08\x12\x07pytorch\x1a".to_vec(),
                "an ONNX file",
                "torch.save(model.state_dict()",
            ),
            (b"{\n  \"a\": 1}".to_vec(), "JSON text", "save_file"),
            (b"\x1f\x8b\x08".to_vec(), "packed with gzip", "gunzip"),
            (tar, "a TAR archive", "torch.save"),
            (
                archive(&["m/code/a.py", "m/constants.pkl", "m/data.pkl"]),
                "a TorchScript archive",
                "torch.jit.load(f).state_dict()",
            ),
            (
                archive(&["m/archive_format", "m/models/model.json"]),
                "an exported program",
                "torch.export.load(f).state_dict",
            ),
            (archive(&["config.json", "model.weights.h5"]), "a model of Keras", "save_file"),
            (archive(&["a.npy", "b.npy"]), "NumPy's arrays", "dict(numpy.load(f))"),
            (archive(&["best.pth"]), "a file of parameters in it", "unpack it"),
            (
                archive(&["readme.txt"]),
                "without the entry data.pkl",
                "torch.save(model.state_dict()",
            ),
        ] {
            for name in ["m.pth", "m.safetensors", "m"] {
                let path = folder.path().join(name);
                std::fs::write(&path, &bytes).unwrap();
                let error = Format::of(&path).unwrap_err().to_string();
                for part in [name, what, remedy] {
                    assert!(error.contains(part), "{error} lacks: {part}");
                }
            }
        }
    }

    #[test]
    fn what_it_holds_counts_and_not_its_ending() {
        let folder = tempfile::tempdir().unwrap();
        let is = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            Format::of(&path).unwrap()
        };
        let safetensors = [&2_u64.to_le_bytes()[..], b"{}"].concat();
        assert_eq!(is("m.pth", &safetensors), Format::Safetensors);
        assert_eq!(is("m.safetensors", &archive(&["m/data.pkl"])), Format::Pytorch);
        // Known neither by its first bytes nor as something else.
        assert_eq!(is("m.safetensors", b"\x01\x02"), Format::Safetensors);
        assert_eq!(is("m.SAFETENSORS", b"\x01\x02"), Format::Safetensors);
        assert_eq!(is("m.bin", b"\x80\x02}."), Format::Pytorch);
    }
}

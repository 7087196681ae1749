//! The [safetensors](https://github.com/huggingface/safetensors) format: an 8-byte little-endian length, that many
//! bytes of JSON, and the elements.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::{Dtype, Metadata as Header, TensorInfo};
use serde::Serialize;

use super::element::{self, Element};
use super::{NamedTensor, TensorMap};
use crate::error::{Error, Result};
use crate::file;

/// Texts that a file carries beside its tensors, by name.
pub type Metadata = BTreeMap<String, String>;

/// What a safetensors file holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contents {
    /// The tensors, as 32-bit floats.
    pub tensors: TensorMap,
    /// The texts beside them.
    pub metadata: Metadata,
}

/// The bytes of the length before the JSON header.
const LENGTH_BYTES: usize = 8;
/// The longest header that the format allows.
const MAX_HEADER_BYTES: u64 = 100_000_000;
/// The name in the header under which the texts stand.
const METADATA: &str = "__metadata__";

/// Whether a file that starts so can be a safetensors file.
pub(super) fn starts_like(start: &[u8]) -> bool {
    let length = start.first_chunk().map(|&bytes| u64::from_le_bytes(bytes));
    length.is_some_and(|n| n <= MAX_HEADER_BYTES) && start.get(LENGTH_BYTES) == Some(&b'{')
}

/// Reads a safetensors file.
///
/// Floats of 64 and 16 bits, bfloat16, integers and truth values become 32-bit floats.
///
/// # Errors
///
/// If the file cannot be read, is damaged or cut short, or holds elements that a 32-bit float cannot represent.
pub fn read(path: impl AsRef<Path>) -> Result<Contents> {
    let path = path.as_ref();
    decode(&file::read(path)?).map_err(|error| error.in_file(path))
}

/// Writes a safetensors file, whole or not at all; equal contents give equal bytes.
///
/// # Errors
///
/// If the file cannot be written, or as [`encode`].
pub fn write(path: impl AsRef<Path>, tensors: &TensorMap, metadata: &Metadata) -> Result<()> {
    let path = path.as_ref();
    let bytes = encode(tensors, metadata).map_err(|error| error.in_file(path))?;
    file::write_atomic_bytes(path, &bytes)
}

/// The contents of a safetensors file from its bytes.
///
/// # Errors
///
/// As [`read`], without the name of the file.
pub fn decode(bytes: &[u8]) -> Result<Contents> {
    let (header, elements) = split(bytes)?;
    let mut contents = Contents::default();
    if let Some(metadata) = header.metadata() {
        contents.metadata.extend(metadata.iter().map(|(name, text)| (name.clone(), text.clone())));
    }
    let offset_of_elements = bytes.len() - elements.len();
    for name in header.offset_keys() {
        let Some(info) = header.info(&name) else {
            continue;
        };
        let (start, end) = info.data_offsets;
        let offset = (offset_of_elements + start) as u64;
        let element = element_of(info.dtype).ok_or_else(|| {
            let (what, remedy) = match info.dtype {
                Dtype::C64 => (
                    "has complex numbers",
                    "no parameter of these networks is complex: leave the tensor out",
                ),
                _ => (
                    "has floats of eight bits or fewer",
                    "turn it into floats of 32 bits in the program that wrote it: tensor.float() in PyTorch",
                ),
            };
            Error::format(format!("tensor `{name}` {what} ({})", info.dtype))
                .at_byte(offset)
                .expected("floats of 16, 32 or 64 bits, integers or truth values")
                .remedy(remedy)
        })?;
        // The header was checked against its tensors' shapes and the length of the file.
        let stored = elements.get(start..end).ok_or_else(|| {
            Error::format(format!("tensor `{name}` lies outside the file")).at_byte(offset)
        })?;
        let values = element::to_f32(element, stored)
            .map_err(|refused| refused.in_tensor(&name).at_byte(offset))?;
        contents.tensors.insert(name, NamedTensor::new(info.shape.clone(), values));
    }
    Ok(contents)
}

/// The header, checked, and the elements after it.
fn split(bytes: &[u8]) -> Result<(Header, &[u8])> {
    const CUT_SHORT: &str = "the file is cut short or damaged: copy it again";
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
        return Err(Error::format(format!("the file has {} bytes", bytes.len()))
            .expected("a safetensors file, of at least 10 bytes")
            .remedy(CUT_SHORT));
    };
    if rest.first().is_some_and(|_| !starts_like(bytes)) {
        return Err(Error::format("this is not a safetensors file")
            .at_byte(0)
            .expected("the length of a JSON header and a `{`"));
    }
    let length = u64::from_le_bytes(*length);
    let parts = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    let Some((header, elements)) = parts else {
        return Err(Error::format(format!("{} bytes follow", rest.len()))
            .at_byte(LENGTH_BYTES as u64)
            .expected(format!("a header of {length} bytes"))
            .remedy(CUT_SHORT));
    };
    let header: Header = serde_json::from_slice(header).map_err(|error| {
        Error::format(format!("the header is not valid: {error}")).at_byte(LENGTH_BYTES as u64)
    })?;
    // The crate's own reader adds these lengths unchecked, and offsets near 2⁶⁴ would overflow there.
    if header.data_len() != elements.len() {
        return Err(Error::format(format!("{} bytes of elements follow", elements.len()))
            .at_byte((bytes.len() - elements.len()) as u64)
            .expected(format!("{}, as the header says", header.data_len()))
            .remedy(CUT_SHORT));
    }
    Ok((header, elements))
}

fn element_of(dtype: Dtype) -> Option<Element> {
    Some(match dtype {
        Dtype::F64 => Element::F64,
        Dtype::F32 => Element::F32,
        Dtype::F16 => Element::F16,
        Dtype::BF16 => Element::Bf16,
        Dtype::I64 => Element::I64,
        Dtype::I32 => Element::I32,
        Dtype::I16 => Element::I16,
        Dtype::I8 => Element::I8,
        Dtype::U64 => Element::U64,
        Dtype::U32 => Element::U32,
        Dtype::U16 => Element::U16,
        Dtype::U8 => Element::U8,
        Dtype::BOOL => Element::Bool,
        _ => return None,
    })
}

/// The bytes of a safetensors file with these contents; equal contents give equal bytes.
///
/// The header is written here and not by the `safetensors` crate, which takes the metadata as a hash map: their order,
/// and so the bytes, would differ from run to run.
///
/// # Errors
///
/// If a tensor's values do not fill its shape or it is called `__metadata__`, or the header passes 100 MB.
pub fn encode(tensors: &TensorMap, metadata: &Metadata) -> Result<Vec<u8>> {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Entry<'a> {
        Metadata(&'a Metadata),
        Tensor(TensorInfo),
    }
    let mut entries = BTreeMap::new();
    let mut end = 0;
    for (name, tensor) in tensors {
        if !tensor.is_whole() {
            let (count, shape) = (tensor.values.len(), &tensor.shape);
            return Err(Error::mismatch(format!("tensor `{name}` has {count} values"))
                .expected(format!("as many as its shape {shape:?} says")));
        }
        let start = end;
        end += size_of_val(tensor.values.as_slice());
        let info = TensorInfo {
            dtype: Dtype::F32,
            shape: tensor.shape.clone(),
            data_offsets: (start, end),
        };
        entries.insert(name.as_str(), Entry::Tensor(info));
    }
    if !metadata.is_empty() && entries.insert(METADATA, Entry::Metadata(metadata)).is_some()
        || tensors.contains_key(METADATA)
    {
        return Err(Error::mismatch(format!("a tensor is called `{METADATA}`"))
            .remedy("give it another name: the format keeps this one for itself"));
    }
    let mut header = serde_json::to_vec(&entries)
        .map_err(|error| Error::format(format!("the header cannot be written: {error}")))?;
    // Spaces, so that the elements start at a multiple of eight bytes.
    header.resize(header.len().next_multiple_of(LENGTH_BYTES), b' ');
    let length = header.len() as u64;
    if length > MAX_HEADER_BYTES {
        return Err(Error::mismatch(format!("names and metadata take {length} bytes"))
            .expected(format!("at most {MAX_HEADER_BYTES}")));
    }
    let mut bytes = Vec::with_capacity(LENGTH_BYTES + header.len() + end);
    bytes.extend(length.to_le_bytes());
    bytes.extend(header);
    bytes.extend(tensors.values().flat_map(|t| &t.values).flat_map(|value| value.to_le_bytes()));
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A file with this JSON for a header and this many bytes of elements.
    fn with_header(json: &str, elements: usize) -> Vec<u8> {
        let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
        bytes.extend(json.as_bytes());
        bytes.resize(bytes.len() + elements, 0);
        bytes
    }

    fn problem(bytes: &[u8]) -> String {
        decode(bytes).unwrap_err().in_file("f").to_string()
    }

    #[test]
    fn damage_is_reported_with_its_place() {
        let one = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        let start = 8 + one.len();
        for (bytes, expected) in [
            (vec![], "f: the file has 0 bytes".to_string()),
            (vec![1; 7], "f: the file has 7 bytes".to_string()),
            (b"<!DOCTYPE html>".to_vec(), "f, byte 0: this is not a safetensors file".to_string()),
            (with_header(one, 8)[..20].to_vec(), "f, byte 8: 12 bytes follow".to_string()),
            (
                with_header(one, 7),
                format!("f, byte {start}: 7 bytes of elements follow; expected 8"),
            ),
            (
                with_header(one, 9),
                format!("f, byte {start}: 9 bytes of elements follow; expected 8"),
            ),
            (with_header("{\"a\"", 0), "f, byte 8: the header is not valid".to_string()),
            (with_header(&one.replace("[2]", "[3]"), 8), "invalid shape".to_string()),
            (with_header(&one.replace("[0,8]", "[4,12]"), 12), "invalid offset".to_string()),
            (
                with_header(&one.replace("F32", "F8_E4M3").replace('8', "2"), 2),
                "F8_E4M3".to_string(),
            ),
        ] {
            let problem = problem(&bytes);
            assert!(problem.contains(&expected), "{problem} lacks: {expected}");
        }
    }

    #[test]
    fn lengths_near_the_largest_do_not_overflow() {
        // Eight tensors of 2^61 bytes: their ends add up to 2^64.
        let tensor = |i: u128| {
            let (start, end) = (i << 61, ((i + 1) << 61).min(u128::from(u64::MAX)));
            format!(
                r#""{i}":{{"dtype":"U8","shape":[{}],"data_offsets":[{start},{end}]}}"#,
                end - start
            )
        };
        let tensors: Vec<_> = (0..8).map(tensor).collect();
        let header = format!("{{{}}}", tensors.join(","));
        for elements in [0, 7, 64] {
            assert!(problem(&with_header(&header, elements)).contains("the header"));
        }
        let huge = format!(
            r#"{{"a":{{"dtype":"F32","shape":[{0},{0}],"data_offsets":[0,8]}}}}"#,
            u64::MAX
        );
        assert!(problem(&with_header(&huge, 8)).contains("overflow"));
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let whole = NamedTensor::new([1], vec![1.0]);
        let torn = NamedTensor { shape: vec![2], ..whole.clone() };
        for (name, tensor) in [("a", torn), (METADATA, whole)] {
            let tensors = TensorMap::from([(name.to_string(), tensor)]);
            for metadata in [Metadata::new(), Metadata::from([("k".into(), "v".into())])] {
                let error = encode(&tensors, &metadata).unwrap_err().to_string();
                assert!(error.contains(name), "{error}");
            }
        }
    }

    prop_compose! {
        fn tensor()(shape in prop::collection::vec(0_usize..4, 0..4))(
            values in prop::collection::vec(any::<f32>(), shape.iter().product::<usize>()),
            shape in Just(shape),
        ) -> NamedTensor {
            NamedTensor::new(shape, values)
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            tensors in prop::collection::btree_map(".*", tensor(), 0..6),
            metadata in prop::collection::btree_map(".*", ".*", 0..6),
        ) {
            let bytes = encode(&tensors, &metadata).unwrap();
            prop_assert_eq!(&bytes, &encode(&tensors.clone(), &metadata.clone()).unwrap());
            let read = decode(&bytes).unwrap();
            prop_assert_eq!(read.metadata, metadata);
            prop_assert_eq!(read.tensors, tensors.clone());
            // Other programs can read it too.
            let other = ::safetensors::SafeTensors::deserialize(&bytes).unwrap();
            prop_assert_eq!(other.len(), tensors.len());
        }

        #[test]
        fn no_bytes_make_it_panic(mut bytes: Vec<u8>, length in 0_u64..64, framed: bool) {
            if framed {
                bytes.splice(0..0, length.to_le_bytes().into_iter().chain([b'{']));
            }
            let _ = decode(&bytes);
        }
    }
}

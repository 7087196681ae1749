//! Safetensors files with a seal: a checksum over header and elements, so that damage of a single bit is noticed.
//!
//! The seal is the SHA-256 of the whole file, in hexadecimal, under the metadata key `barnowl.checksum`; its own place is filled
//! with zeros while it is computed. Any reader of safetensors reads the file.

use super::TensorMap;
use super::safetensors::{self, Contents, Metadata};
use crate::error::{Error, Result};
use crate::file::{self, hex};
use sha2::{Digest, Sha256};
use std::path::Path;

/// The metadata key of the checksum.
pub const CHECKSUM: &str = "barnowl.checksum";
/// What stands in the place of the checksum while it is computed.
const BLANK: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Writes a sealed file, whole or not at all; equal contents give equal bytes.
///
/// # Errors
///
/// As [`safetensors::write`].
pub fn write(path: impl AsRef<Path>, tensors: &TensorMap, metadata: &Metadata) -> Result<()> {
    let path = path.as_ref();
    let bytes = encode(tensors, metadata).map_err(|error| error.in_file(path))?;
    file::write_atomic_bytes(path, &bytes)
}

/// Reads a file, and compares it with its seal. `needs_seal` says from the contents whether there must be one: files that older
/// versions wrote have none.
///
/// # Errors
///
/// As [`safetensors::read`], and if the seal is not that of the file, or there is none where there must be.
pub fn read(path: impl AsRef<Path>, needs_seal: impl Fn(&Contents) -> bool) -> Result<Contents> {
    let path = path.as_ref();
    decode(&file::read(path)?, needs_seal).map_err(|error| error.in_file(path))
}

/// The bytes of a sealed file.
///
/// # Errors
///
/// As [`safetensors::encode`].
pub fn encode(tensors: &TensorMap, metadata: &Metadata) -> Result<Vec<u8>> {
    let mut metadata = metadata.clone();
    metadata.insert(CHECKSUM.to_owned(), BLANK.to_owned());
    let mut bytes = safetensors::encode(tensors, &metadata)?;
    let place = find(&bytes, BLANK)
        .ok_or_else(|| Error::format("the checksum has no place in the header"))?;
    let seal = hex(&Sha256::digest(&bytes));
    bytes[place..place + seal.len()].copy_from_slice(seal.as_bytes());
    Ok(bytes)
}

/// The contents of a file from its bytes, compared with their seal.
///
/// # Errors
///
/// As [`read`], without the name of the file.
pub fn decode(bytes: &[u8], needs_seal: impl Fn(&Contents) -> bool) -> Result<Contents> {
    let mut contents = safetensors::decode(bytes)?;
    let Some(seal) = contents.metadata.remove(CHECKSUM) else {
        if needs_seal(&contents) {
            return Err(damaged("there is no checksum, and a file of this version has one"));
        }
        return Ok(contents);
    };
    let mut blank = bytes.to_vec();
    match find(bytes, &seal).filter(|_| seal.len() == BLANK.len()) {
        Some(place) => blank[place..place + seal.len()].copy_from_slice(BLANK.as_bytes()),
        None => return Err(damaged("the checksum is damaged")),
    }
    let found = hex(&Sha256::digest(&blank));
    if found != seal {
        return Err(damaged("the file is not what was written: its checksum is another"));
    }
    Ok(contents)
}

fn damaged(problem: &str) -> Error {
    Error::format(problem).remedy(
        "the file was damaged or changed after it was written: copy it again, or take another copy; after changes on purpose, \
         `barnowl import` makes a model of the parameters",
    )
}

/// Where a checksum stands in the header.
fn find(bytes: &[u8], checksum: &str) -> Option<usize> {
    let entry = format!("\"{CHECKSUM}\":\"{checksum}\"");
    let start = bytes.windows(entry.len()).position(|found| found == entry.as_bytes())?;
    Some(start + entry.len() - checksum.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::NamedTensor;
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    fn file() -> Vec<u8> {
        let values = (0..400).map(|i| (i as f32).sin()).collect();
        let tensors = TensorMap::from([("a".to_owned(), NamedTensor::new([20, 20], values))]);
        let metadata = Metadata::from([("barnowl.format".to_owned(), "model 2".to_owned())]);
        encode(&tensors, &metadata).unwrap()
    }

    fn needs_seal(contents: &Contents) -> bool {
        contents.metadata.get("barnowl.format").is_some_and(|format| format == "model 2")
    }

    #[test]
    fn what_is_sealed_is_read_again_by_us_and_by_others() {
        let bytes = file();
        assert_eq!(bytes, file(), "equal contents, equal bytes");
        let contents = decode(&bytes, needs_seal).unwrap();
        assert!(!contents.metadata.contains_key(CHECKSUM));
        assert_eq!(contents.tensors["a"].values[1], 1.0_f32.sin());
        assert_eq!(::safetensors::SafeTensors::deserialize(&bytes).unwrap().len(), 1);
    }

    #[test]
    fn no_flipped_bit_goes_unnoticed() {
        let bytes = file();
        let header = 8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut places: Vec<usize> = (0..8 * header).collect();
        places.extend((0..2000).map(|_| rng.random_range(0..8 * bytes.len())));
        for place in places {
            let mut flipped = bytes.clone();
            flipped[place / 8] ^= 1 << (place % 8);
            // A file whose format is damaged is refused by its readers, which know the formats.
            let unnoticed = decode(&flipped, needs_seal).is_ok_and(|found| needs_seal(&found));
            assert!(!unnoticed, "bit {place}");
        }
    }

    #[test]
    fn files_of_older_versions_have_no_seal() {
        let metadata = Metadata::from([("barnowl.format".to_owned(), "model 1".to_owned())]);
        let old = safetensors::encode(&TensorMap::new(), &metadata).unwrap();
        assert!(decode(&old, needs_seal).is_ok());
        let metadata = Metadata::from([("barnowl.format".to_owned(), "model 2".to_owned())]);
        let torn = safetensors::encode(&TensorMap::new(), &metadata).unwrap();
        let error = decode(&torn, needs_seal).unwrap_err().to_string();
        assert!(error.contains("there is no checksum"), "{error}");
    }
}

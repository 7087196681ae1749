//! Files that were compressed as a whole with gzip.

use crate::error::{Error, Result};
use flate2::read::MultiGzDecoder;
use std::io::Read;

/// More than any data set's file that is published so; for a damaged file to meet a limit early.
const MAX_LENGTH: u64 = 1 << 31;

/// Whether a file begins as compressed ones do.
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Decompresses a whole file.
pub(crate) fn gunzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    let mut decoder = MultiGzDecoder::new(bytes).take(MAX_LENGTH + 1);
    if let Err(source) = decoder.read_to_end(&mut unpacked) {
        let found = format!(
            "the gzip data are damaged or cut short after {} decompressed bytes ({source})",
            unpacked.len()
        );
        return Err(Error::format(found).at_byte(0).remedy("copy the file again"));
    }
    if unpacked.len() as u64 > MAX_LENGTH {
        return Err(Error::format(format!(
            "the gzip data decompress to more than {MAX_LENGTH} bytes"
        ))
        .at_byte(0)
        .remedy("decompress the file with gunzip first"));
    }
    Ok(unpacked)
}

//! Files that were compressed as a whole with gzip.

use crate::error::{Error, Result};
use flate2::bufread::MultiGzDecoder;
use std::io::{ErrorKind, Read};

/// More than any data set's file that is published so; for a damaged file to meet a limit early.
const MAX_LENGTH: u64 = 1 << 31;

/// Whether a file begins as compressed ones do.
pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Decompresses a whole file.
pub fn gunzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    let mut decoder = MultiGzDecoder::new(bytes).take(MAX_LENGTH + 1);
    if let Err(source) = decoder.read_to_end(&mut unpacked) {
        // Where the decoder stands in the compressed file: at its end, if it is cut short.
        let at = bytes.len() - decoder.get_ref().get_ref().len();
        let what = match source.kind() {
            ErrorKind::UnexpectedEof => "cut short",
            _ => "damaged",
        };
        let found = format!(
            "the gzip data are {what} after {} decompressed bytes ({source})",
            unpacked.len()
        );
        return Err(Error::format(found).at_byte(at as u64).remedy("copy the file again"));
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

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    #[test]
    fn the_place_in_the_compressed_file_is_named() {
        let data: Vec<u8> = (0..20_000_u32).map(|i| (i * i % 251) as u8).collect();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&data).unwrap();
        let mut whole = gzip.finish().unwrap();
        assert_eq!(gunzip(&whole).unwrap(), data);
        assert_eq!(gunzip(&[&whole[..], &whole].concat()).unwrap(), [&data[..], &data].concat());
        let message = |bytes: &[u8]| gunzip(bytes).unwrap_err().in_file("a.gz").to_string();
        for length in [5, whole.len() / 2, whole.len() - 5] {
            let found = message(&whole[..length]);
            let expected = format!("a.gz, byte {length}: the gzip data are cut short");
            assert!(found.starts_with(&expected), "{found}");
        }
        // The checksum of the contents is in the last eight bytes.
        let length = whole.len();
        whole[length - 6] ^= 1;
        let found = message(&whole);
        assert!(
            found.starts_with(&format!("a.gz, byte {length}: the gzip data are dam")),
            "{found}"
        );
    }
}

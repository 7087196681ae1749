//! What surrounds the variables of a MAT-file: its header, and perhaps gzip.

use super::element::{DAMAGED, Endian};
use barnowl_base::error::{Error, Result};

pub(super) const HEADER_LENGTH: usize = 128;

/// Checks the header of a file, which says in which byte order it was written.
pub(super) fn header(bytes: &[u8]) -> Result<Endian> {
    const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
    const AGAIN: &str = "load it in MATLAB and save it again with -v7";

    let newer = |at: usize| bytes.get(at..).is_some_and(|rest| rest.starts_with(HDF5));
    if newer(0) || newer(512) {
        return Err(Error::format("this is an HDF5 file, as MATLAB saves with -v7.3")
            .at_byte(0)
            .expected("a MATLAB file of Level 5")
            .remedy(AGAIN));
    }
    let Some(header) = bytes.first_chunk::<HEADER_LENGTH>() else {
        return Err(Error::format(format!("the file is {} bytes long", bytes.len()))
            .at_byte(0)
            .expected(format!("a header of {HEADER_LENGTH} bytes"))
            .remedy(DAMAGED));
    };
    let [.., low, high, e, m] = *header;
    let (endian, version) = match &[e, m] {
        b"IM" => (Endian::Little, u16::from_le_bytes([low, high])),
        b"MI" => (Endian::Big, u16::from_be_bytes([low, high])),
        // Only Level 4 begins with a zero: its first number is a type below 5000, in four bytes.
        _ => {
            let error = Error::format("this is not a MATLAB file of Level 5");
            let old = header[..4].contains(&0);
            return Err(error
                .at_byte(126)
                .expected("`IM` or `MI` at the end of the header")
                .remedy(if old { AGAIN } else { "check that this is the file you mean" }));
        }
    };
    if version != 0x0100 {
        return Err(Error::format(format!("the version of the file is {version:#06x}"))
            .at_byte(124)
            .expected("0x0100")
            .remedy(AGAIN));
    }
    Ok(endian)
}

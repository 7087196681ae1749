//! Published checksums.

use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use barnowl_base::file::gzip::is_gzip;
use flate2::read::MultiGzDecoder;
use md5::Md5;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// A published checksum, in hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Checksum<'a> {
    /// MD5: tells damage, not malice.
    Md5(&'a str),
    /// SHA-256.
    Sha256(&'a str),
}

/// What to do about a file that is not the published one.
const DAMAGED: &str = "the file is damaged or another one: get it again";

impl Checksum<'_> {
    /// Compares with the checksum of a file.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_file(&self, path: &Path) -> Result<()> {
        self.verify(BufReader::new(file::open(path)?), path)
    }

    /// Compares with the checksum of what a file holds, compressed by gzip or not.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_contents(&self, path: &Path) -> Result<()> {
        let mut file = BufReader::new(file::open(path)?);
        let start = file.fill_buf().map_err(|error| Error::io("read", path, error))?;
        if is_gzip(start) {
            self.verify(MultiGzDecoder::new(file), path)
        } else {
            self.verify(file, path)
        }
    }

    /// Compares with the checksum of what `reader` gives.
    ///
    /// # Errors
    ///
    /// If they differ, or reading fails.
    pub fn verify(&self, mut reader: impl Read, path: &Path) -> Result<()> {
        let (name, expected, found) = match self {
            Self::Md5(expected) => ("MD5", expected, digest::<Md5>(&mut reader)),
            Self::Sha256(expected) => ("SHA-256", expected, digest::<Sha256>(&mut reader)),
        };
        let found = found.map_err(|error| Error::io("read", path, error).remedy(DAMAGED))?;
        if found == *expected {
            return Ok(());
        }
        Err(Error::format(format!("the {name} checksum is {found}"))
            .in_file(path)
            .expected(format!("{expected}, as published"))
            .remedy(DAMAGED))
    }
}

fn digest<D: Digest>(reader: &mut impl Read) -> std::io::Result<String> {
    let (mut digest, mut buffer) = (D::new(), vec![0; 1 << 16]);
    loop {
        match reader.read(&mut buffer)? {
            0 => break,
            n => digest.update(&buffer[..n]),
        }
    }
    Ok(barnowl_base::file::hex(&digest.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha_256_is_that_of_the_standard() {
        let sum =
            Checksum::Sha256("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        sum.verify(&b"abc"[..], Path::new("abc")).unwrap();
        assert!(sum.verify(&b"abd"[..], Path::new("abd")).is_err());
    }
}

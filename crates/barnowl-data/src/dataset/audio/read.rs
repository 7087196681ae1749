//! Sound files, told apart by what they hold.

use super::sound::Sound;
use super::{sphere, wav};
use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

impl Sound {
    /// Reads a WAV or SPHERE file, told apart by what it holds: TIMIT's `.WAV` files are SPHERE.
    ///
    /// WAV: integers of 8 to 32 bits, floats of 32 or 64, µ-law. SPHERE: integers of 8 to 32 bits in either byte order,
    /// µ-law. An integer of n bits counts 2¹⁻ⁿ each; of several channels the mean is taken.
    ///
    /// # Errors
    ///
    /// If the file is missing, packed, cut short, empty or something else: with the byte offset.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::from_bytes(&file::read(path)?).map_err(|error| error.in_file(path))
    }

    /// As [`Sound::read`], from the bytes of a file.
    ///
    /// # Errors
    ///
    /// As [`Sound::read`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.starts_with(wav::MAGIC) {
            return wav::parse(bytes);
        }
        if bytes.starts_with(sphere::MAGIC) {
            return sphere::parse(bytes);
        }
        if bytes.is_empty() {
            return Err(Error::format("the file is empty").at_byte(0).remedy("copy it again"));
        }
        if bytes.starts_with(b"RF64") || bytes.starts_with(b"BW64") {
            return Err(Error::format("a WAV file in the form for more than 4 GB, RF64 or BW64")
                .at_byte(0)
                .expected("a WAV file (RIFF)")
                .remedy("convert it: sox INPUT OUTPUT.wav"));
        }
        Err(Error::format("the file is no sound")
            .at_byte(0)
            .expected("a WAV file (RIFF) or a NIST SPHERE file (NIST_1A)")
            .remedy("convert it: sox INPUT OUTPUT.wav"))
    }
}

/// Reads many files in parallel, passing each to `of` with its place in the list; they must all have the same rate.
///
/// # Errors
///
/// Of the first file in the list that has one.
pub fn read_all<T: Send>(
    paths: &[PathBuf],
    rate: u32,
    of: impl Fn(usize, Sound) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let read = |(place, path): (usize, &PathBuf)| {
        let sound = Sound::read(path)?;
        if sound.rate != rate {
            return Err(Error::format(format!("{} samples a second", sound.rate))
                .in_file(path)
                .expected(format!("{rate}, as of the other files"))
                .remedy(format!(
                    "convert it: sox INPUT -r {rate} OUTPUT.wav, or ffmpeg -i INPUT -ar {rate} OUTPUT.wav"
                )));
        }
        of(place, sound).map_err(|error| error.in_file(path))
    };
    let results: Vec<Result<T>> = paths.par_iter().enumerate().map(read).collect();
    results.into_iter().collect()
}

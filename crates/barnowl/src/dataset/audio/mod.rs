//! Sound files: WAV and NIST SPHERE, as one channel of numbers.

mod sphere;
mod wav;

use crate::error::{Error, Result};
use crate::file;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// A recording of one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound {
    /// Samples a second.
    pub rate: u32,
    /// From −1 to 1.
    pub samples: Vec<f32>,
}

impl Sound {
    /// Reads a WAV or SPHERE file, told apart by what it holds: integers of 8 to 32 bits and 32-bit floats, in SPHERE files
    /// also µ-law. Several channels are averaged.
    ///
    /// # Errors
    ///
    /// If the file is missing, cut short, empty or something else.
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
        let sound = match bytes {
            [b'R', b'I', b'F', b'F', ..] => wav::read(bytes)?,
            [b'N', b'I', b'S', b'T', ..] => sphere::read(bytes)?,
            _ => {
                return Err(Error::format("the file is no sound")
                    .at_byte(0)
                    .expected("a WAV file (RIFF) or a NIST SPHERE file (NIST_1A)")
                    .remedy("convert it: sox INPUT OUTPUT.wav"));
            }
        };
        if sound.samples.is_empty() {
            return Err(Error::format("the sound has no samples").expected("at least one"));
        }
        Ok(sound)
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
                .remedy(format!("convert it: sox INPUT -r {rate} OUTPUT.wav")));
        }
        of(place, sound).map_err(|error| error.in_file(path))
    };
    let results: Vec<Result<T>> = paths.par_iter().enumerate().map(read).collect();
    results.into_iter().collect()
}

/// The files of an extension (in either case) in a folder, sorted by name.
///
/// # Errors
///
/// If the folder cannot be read.
pub fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = file::entries(folder)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension)))
        .collect();
    files.sort();
    Ok(files)
}

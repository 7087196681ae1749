//! Annotations in the MIT format: pairs of bytes, six bits of code and ten of time since the one before.

use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use std::path::Path;

/// What is at a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Annotation {
    /// The sample.
    pub sample: u64,
    /// The customary sign: `N` of a normal beat, `p` and `t` of the peaks of waves, `(` and `)` where a wave begins and ends;
    /// `?` for codes that are none of these.
    pub sign: char,
}

/// Reads the annotations of a file, in the order of their samples.
///
/// # Errors
///
/// If it is missing or cut short.
pub fn annotations(path: impl AsRef<Path>) -> Result<Vec<Annotation>> {
    let path = path.as_ref();
    parse_annotations(&file::read(path)?).map_err(|error| error.in_file(path))
}

/// As [`annotations`], from the bytes of a file.
///
/// # Errors
///
/// If it is cut short, or times run backward beyond the start.
pub fn parse_annotations(bytes: &[u8]) -> Result<Vec<Annotation>> {
    const SKIP: u16 = 59;
    const NUM: u16 = 60;
    const CHN: u16 = 62;
    const AUX: u16 = 63;
    let word = |at: usize| -> Result<u16> {
        let pair = bytes.get(at..at + 2).ok_or_else(|| {
            Error::format("the annotations end")
                .at_byte(bytes.len() as u64)
                .expected("two bytes of zero at the end")
                .remedy("the file is cut short: get it again")
        })?;
        Ok(u16::from_le_bytes([pair[0], pair[1]]))
    };
    let (mut at, mut time) = (0_usize, 0_i64);
    let mut found = Vec::new();
    loop {
        let start = at;
        let pair = word(at)?;
        at += 2;
        let (code, value) = (pair >> 10, pair & 0x3FF);
        match code {
            0 if value == 0 => {
                // A skip may lead back.
                found.sort_by_key(|annotation: &Annotation| annotation.sample);
                return Ok(found);
            }
            SKIP => {
                // Four bytes of time: the upper pair first.
                let long = i64::from(word(at)? as i16) << 16 | i64::from(word(at + 2)?);
                at += 4;
                time += long;
            }
            NUM..=CHN => {}
            AUX => at += usize::from(value).next_multiple_of(2),
            _ => {
                time += i64::from(value);
                let sample = u64::try_from(time).map_err(|_| {
                    Error::format(format!("an annotation is at sample {time}"))
                        .at_byte(start as u64)
                        .expected("samples from 0")
                })?;
                found.push(Annotation { sample, sign: sign(code) });
            }
        }
    }
}

fn sign(code: u16) -> char {
    match code {
        1 => 'N',
        2 => 'L',
        3 => 'R',
        5 => 'V',
        8 => 'A',
        13 => 'Q',
        24 => 'p',
        27 => 't',
        39 => '(',
        40 => ')',
        _ => '?',
    }
}

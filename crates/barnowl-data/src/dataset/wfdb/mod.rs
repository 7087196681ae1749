//! Recordings of PhysioNet: WFDB headers, signals and annotations (<https://physionet.org/physiotools/wag/>).

mod annotation;
mod header;

pub use annotation::{Annotation, annotations, parse_annotations};

use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use barnowl_base::words::counted;
use header::{Format, Header};
use std::path::Path;

/// A recording of several signals.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Samples a second.
    pub rate: f64,
    /// What each signal is, such as `MLII`.
    pub names: Vec<String>,
    /// Signal by signal, in physical units (mV); NaN where a sample is missing.
    pub signals: Vec<Vec<f32>>,
}

impl Record {
    /// Reads `path`, a header (`.hea`), and the signals that it names, in format 212 or 16.
    ///
    /// The least value of a format, −2048 or −32768, marks a sample that is missing. The header may be in any encoding: what
    /// matters in it is ASCII.
    ///
    /// # Errors
    ///
    /// If a file is missing or shorter than the header says, or has another format: with the file and what is expected.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let header =
            Header::parse(&text(&file::read(path)?)).map_err(|error| error.in_file(path))?;
        let data = path.with_file_name(&header.signals[0].file);
        let bytes = file::read(&data)?;
        let samples = samples(&header, &bytes).map_err(|error| error.in_file(&data))?;
        let scaled = |(place, signal): (usize, &header::Signal)| {
            let of = samples.iter().skip(place).step_by(header.signals.len());
            let value = |x: &i16| match *x == signal.format.missing() {
                true => f32::NAN,
                false => ((f64::from(*x) - signal.baseline) / signal.gain) as f32,
            };
            of.map(value).collect()
        };
        Ok(Self {
            rate: header.rate,
            names: header.signals.iter().map(|signal| signal.name.clone()).collect(),
            signals: header.signals.iter().enumerate().map(scaled).collect(),
        })
    }
}

/// The text of a header: UTF-8, or a character a byte (Latin-1).
fn text(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// All samples, one of each signal after the other.
fn samples(header: &Header, bytes: &[u8]) -> Result<Vec<i16>> {
    let frame = header.signals.len();
    let format = header.signals[0].format;
    let found = match format {
        Format::Packed12 => bytes.len() / 3 * 2 + usize::from(bytes.len() % 3 == 2),
        Format::Plain16 => bytes.len() / 2,
    };
    let expected = header.length.and_then(|length| length.checked_mul(frame)).unwrap_or(found);
    if found < expected || found < frame {
        return Err(Error::format(format!("{} of each signal", counted(found / frame, "sample")))
            .at_byte(bytes.len() as u64)
            .expected(format!("{}, as the header says", expected.max(frame) / frame))
            .remedy("the file is cut short or of another record: get it again"));
    }
    let mut samples: Vec<i16> = match format {
        Format::Packed12 => bytes.chunks(3).flat_map(pair).collect(),
        Format::Plain16 => {
            bytes.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect()
        }
    };
    samples.truncate(expected / frame * frame);
    Ok(samples)
}

/// Format 212: two samples of 12 bits in three bytes; the second byte has the upper four bits of both.
fn pair(bytes: &[u8]) -> impl Iterator<Item = i16> + use<> {
    let byte = |place: usize| bytes.get(place).map_or(0, |byte| i16::from(*byte));
    let signed = |x: i16| (x << 4) >> 4;
    let middle = byte(1);
    let pair = [signed(byte(0) | (middle & 0x0F) << 8), signed(byte(2) | (middle & 0xF0) << 4)];
    // A sample may stand alone at the end, in two bytes.
    pair.into_iter().take(if bytes.len() == 3 { 2 } else { bytes.len() / 2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_bits_are_signed() {
        assert_eq!(pair(&[0xFF, 0x0F, 0x01]).collect::<Vec<_>>(), [-1, 1]);
        assert_eq!(pair(&[0x00, 0x78, 0xFF]).collect::<Vec<_>>(), [-2048, 2047]);
        assert_eq!(pair(&[0x05, 0x00]).collect::<Vec<_>>(), [5]);
        assert_eq!(pair(&[0x05]).count(), 0);
    }
}

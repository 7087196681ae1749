//! How single samples are stored.

use barnowl_base::error::{Error, Result};

/// A way to store a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// A byte, of which 128 is silence.
    Unsigned8,
    /// One to four bytes with a sign.
    Integer {
        /// Bytes a sample.
        bytes: usize,
        /// Whether the most significant byte comes first.
        big_endian: bool,
    },
    /// IEEE single precision, little-endian.
    Float32,
    /// IEEE double precision, little-endian.
    Float64,
    /// A byte on a logarithmic scale, ITU-T G.711.
    MuLaw,
}

impl Encoding {
    /// Bytes a sample.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Unsigned8 | Self::MuLaw => 1,
            Self::Integer { bytes, .. } => bytes,
            Self::Float32 => 4,
            Self::Float64 => 8,
        }
    }

    /// The mean over `channels` of every moment in `data`, which begins at byte `offset` of the file.
    ///
    /// # Errors
    ///
    /// If there is no moment, half a moment, or a value that is not finite.
    pub(super) fn decode(self, data: &[u8], channels: usize, offset: usize) -> Result<Vec<f32>> {
        let frame = self.bytes() * channels;
        if data.is_empty() {
            return Err(Error::format("the sound has no samples")
                .at_byte(offset as u64)
                .remedy("leave the file out or copy it again"));
        }
        if !data.len().is_multiple_of(frame) {
            return Err(Error::format(format!("{} bytes of samples", data.len()))
                .at_byte(offset as u64)
                .expected(format!("a multiple of {frame}, {channels} × {}", self.bytes()))
                .remedy("copy the file again"));
        }
        let mean = |frame: &[u8]| {
            let sum: f64 = frame.chunks_exact(self.bytes()).map(|bytes| self.value(bytes)).sum();
            (sum / channels as f64) as f32
        };
        let samples: Vec<f32> = data.chunks_exact(frame).map(mean).collect();
        if let Some(i) = samples.iter().position(|sample| !sample.is_finite()) {
            return Err(Error::format(format!("sample {i} is {}", samples[i]))
                .at_byte((offset + i * frame) as u64)
                .expected("a finite number"));
        }
        Ok(samples)
    }

    /// The value of a sample of as many bytes as the encoding has.
    fn value(self, bytes: &[u8]) -> f64 {
        match (self, bytes) {
            (Self::Unsigned8, &[byte]) => (f64::from(byte) - 128.0) / 128.0,
            (Self::MuLaw, &[byte]) => f64::from(mu_law(byte)) / 32768.0,
            (Self::Integer { big_endian, .. }, _) => {
                // In the upper bytes of 32 bits, so that the sign is in its place and the scale is one.
                let join = |word: u32, byte: &u8| word << 8 | u32::from(*byte);
                let word = match big_endian {
                    true => bytes.iter().fold(0, join),
                    false => bytes.iter().rev().fold(0, join),
                };
                let shift = 32_u32.saturating_sub(8 * bytes.len() as u32);
                f64::from(word.checked_shl(shift).unwrap_or(0).cast_signed()) / 2_f64.powi(31)
            }
            (Self::Float32, &[a, b, c, d]) => f64::from(f32::from_le_bytes([a, b, c, d])),
            (Self::Float64, _) => f64::from_bits(
                bytes.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte)),
            ),
            _ => f64::NAN,
        }
    }
}

/// The 16-bit value of a byte in µ-law: sign, exponent and mantissa, all inverted.
fn mu_law(byte: u8) -> i32 {
    const BIAS: i32 = 0x84;
    let bits = i32::from(!byte);
    let magnitude = ((((bits & 0x0f) << 3) + BIAS) << (bits >> 4 & 7)) - BIAS;
    if bits & 0x80 == 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_sign_and_scale() {
        let integer = |bytes, big_endian| Encoding::Integer { bytes, big_endian };
        for (encoding, data, expected) in [
            (Encoding::Unsigned8, &[0, 128, 255][..], &[-1.0, 0.0, 127.0 / 128.0][..]),
            (integer(1, false), &[0x80, 0x40], &[-1.0, 0.5]),
            (integer(2, false), &[0, 0x80, 1, 0], &[-1.0, 1.0 / 32768.0]),
            (integer(2, true), &[0x80, 0, 0, 1], &[-1.0, 1.0 / 32768.0]),
            (integer(3, false), &[0, 0, 0xc0, 1, 0, 0], &[-0.5, 1.0 / 8_388_608.0]),
            (integer(3, true), &[0xc0, 0, 0, 0, 0, 1], &[-0.5, 1.0 / 8_388_608.0]),
            (integer(4, false), &[0, 0, 0, 0x20], &[0.25]),
            (Encoding::Float32, &0.3_f32.to_le_bytes(), &[0.3]),
            (Encoding::Float64, &(-2.5_f64).to_le_bytes(), &[-2.5]),
            // The table of G.711: the loudest of either sign, and silence.
            (
                Encoding::MuLaw,
                &[0x00, 0x80, 0xff, 0x7f],
                &[-32124.0 / 32768.0, 32124.0 / 32768.0, 0.0, 0.0],
            ),
        ] {
            assert_eq!(encoding.decode(data, 1, 0).unwrap(), expected, "{encoding:?}");
        }
        let stereo = integer(2, false).decode(&[0, 0x40, 0, 0, 0, 0xc0, 0, 0x40], 2, 0);
        assert_eq!(stereo.unwrap(), [0.25, 0.0]);
    }

    #[test]
    fn bad_data_are_refused_with_their_place() {
        let refused = |encoding: Encoding, data: &[u8], channels, expected: &str| {
            let error = encoding.decode(data, channels, 44).unwrap_err().in_file("f").to_string();
            assert!(error.contains(expected), "{error} lacks {expected}");
        };
        refused(Encoding::Unsigned8, &[], 1, "f, byte 44: the sound has no samples");
        refused(Encoding::Unsigned8, &[0; 3], 2, "3 bytes of samples; expected a multiple of 2");
        let nan = [0.0_f32, f32::NAN].map(f32::to_le_bytes).concat();
        refused(Encoding::Float32, &nan, 1, "f, byte 48: sample 1 is NaN");
        refused(Encoding::Float64, &1e300_f64.to_le_bytes(), 1, "sample 0 is inf");
    }
}

//! NIST SPHERE files: a header of text, then samples.
//!
//! The header begins with `NIST_1A`, a line with its length in bytes, and lines of `name -type value` up to `end_head`.

use super::Sound;
use crate::error::{Error, Result};

/// What the header says.
struct Header {
    length: usize,
    rate: u32,
    count: Option<usize>,
    channels: usize,
    bytes: usize,
    big_endian: bool,
    coding: String,
}

pub(super) fn read(bytes: &[u8]) -> Result<Sound> {
    let header = header(bytes)?;
    let frame = header.bytes * header.channels;
    let data = &bytes[header.length.min(bytes.len())..];
    let found = data.len() / frame;
    let count = header.count.unwrap_or(found);
    if found < count {
        return Err(Error::format(format!("{found} samples"))
            .at_byte(bytes.len() as u64)
            .expected(format!("{count}, as the header says"))
            .remedy("the file is cut short: get it again"));
    }
    let sample = |bytes: &[u8]| match (header.coding.as_str(), bytes) {
        ("ulaw", [byte, ..]) => mu_law(*byte),
        (_, [byte]) => f32::from(*byte as i8) / 128.0,
        (_, [a, b, ..]) => {
            let pair = [*a, *b];
            let value =
                if header.big_endian { i16::from_be_bytes(pair) } else { i16::from_le_bytes(pair) };
            f32::from(value) / 32768.0
        }
        (_, []) => 0.0,
    };
    let frames = data.chunks_exact(frame).take(count);
    let mean = |frame: &[u8]| {
        let samples = frame.chunks_exact(header.bytes).map(sample);
        samples.sum::<f32>() / header.channels as f32
    };
    Ok(Sound { rate: header.rate, samples: frames.map(mean).collect() })
}

fn header(bytes: &[u8]) -> Result<Header> {
    /// Longer headers are not written.
    const LONGEST: usize = 1 << 16;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]);
    let mut lines = text.lines();
    let bad = |problem: String, line: usize| {
        Error::format(problem).at_line(line).expected("a NIST SPHERE header")
    };
    if lines.next().map(str::trim) != Some("NIST_1A") {
        return Err(bad("there is no NIST_1A".into(), 1));
    }
    let length = lines.next().map(str::trim).unwrap_or_default();
    let length: usize = length.parse().map_err(|_| bad(format!("a length of {length:?}"), 2))?;
    let mut header = Header {
        length,
        rate: 0,
        count: None,
        channels: 1,
        bytes: 2,
        big_endian: false,
        coding: "pcm".into(),
    };
    let mut ended = false;
    for (number, line) in (3..).zip(lines) {
        let line = line.trim();
        if line == "end_head" {
            ended = true;
            break;
        }
        let mut words = line.splitn(3, ' ');
        let (Some(name), Some(_), Some(value)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let whole = || -> Result<usize> {
            let value = value.trim();
            value.parse().map_err(|_| bad(format!("{name} is {value:?}"), number))
        };
        match name {
            "sample_rate" => header.rate = u32::try_from(whole()?).unwrap_or(0),
            "sample_count" => header.count = Some(whole()?),
            "channel_count" => header.channels = whole()?,
            "sample_n_bytes" => header.bytes = whole()?,
            "sample_byte_format" => header.big_endian = value.trim() == "10",
            "sample_coding" => header.coding = value.trim().to_owned(),
            _ => {}
        }
    }
    if !ended {
        return Err(bad("there is no end_head".into(), 3));
    }
    if header.rate == 0 || !(1..=64).contains(&header.channels) {
        return Err(bad(format!("{} channels at {} Hz", header.channels, header.rate), 3));
    }
    match (header.coding.as_str(), header.bytes) {
        ("pcm", 1 | 2) | ("ulaw", 1) => Ok(header),
        (coding, _) if coding.contains("shorten") => {
            Err(Error::format(format!("the samples are packed: {coding}"))
                .expected("samples as they are (pcm or ulaw)")
                .remedy("unpack it with NIST's sph2pipe: sph2pipe -f rif INPUT OUTPUT.wav"))
        }
        (coding, bytes) => Err(Error::format(format!("{bytes} bytes a sample, {coding}"))
            .expected("pcm of 1 or 2 bytes, or ulaw")
            .remedy("convert it: sox INPUT OUTPUT.wav")),
    }
}

/// ITU-T G.711 µ-law.
fn mu_law(byte: u8) -> f32 {
    let bits = !byte;
    let (exponent, mantissa) = (u32::from(bits >> 4 & 7), i32::from(bits & 15));
    let magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84;
    (if bits & 0x80 == 0 { magnitude } else { -magnitude }) as f32 / 32768.0
}

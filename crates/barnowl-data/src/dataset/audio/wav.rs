//! WAV files: a RIFF container of chunks, of which `fmt ` says how the samples in `data` are stored.
//!
//! Read here and not with a crate, so that chunks of odd length (padded by a byte, or not) are stepped over, files that
//! were written to a pipe are read, a damaged file is named with its offset, and nothing in it can make the reader panic.

use super::Sound;
use super::encoding::Encoding;
use barnowl_base::error::{Error, Result};
use barnowl_base::words::counted;

pub(super) const MAGIC: &[u8] = b"RIFF";

/// What the chunk `fmt ` says.
struct Format {
    encoding: Encoding,
    channels: usize,
    rate: u32,
}

/// The sound in a file.
pub(super) fn parse(bytes: &[u8]) -> Result<Sound> {
    let kind = bytes.get(8..12).ok_or_else(|| cut_short(bytes, "a header of 12 bytes"))?;
    if kind != b"WAVE" {
        return Err(Error::format(format!("a RIFF file of type \"{}\"", kind.escape_ascii()))
            .at_byte(8)
            .expected("\"WAVE\""));
    }
    let mut format = None;
    let mut at = 12_usize;
    loop {
        let header = bytes.get(at..at.saturating_add(8));
        let Some((id, size)) = header.and_then(|header| header.split_first_chunk::<4>()) else {
            return Err(cut_short(bytes, "a chunk \"data\" with the samples"));
        };
        let (start, size) = (at + 8, number(size) as usize);
        let end = start.saturating_add(size);
        match (id, &format) {
            (b"fmt ", _) => {
                let body = bytes.get(start..end).unwrap_or(&bytes[start..]);
                format = Some(parse_format(body, start)?);
            }
            (b"data", None) => {
                return Err(Error::format("the samples come before their format")
                    .at_byte(at as u64)
                    .expected("a chunk \"fmt \" first"));
            }
            (b"data", Some(Format { encoding, channels, rate })) => {
                let rest = &bytes[start..];
                let data = if is_streamed(size, rest) {
                    &rest[..rest.len() - rest.len() % (channels * encoding.bytes())]
                } else {
                    rest.get(..size).ok_or_else(|| overstated(bytes, rest.len(), size))?
                };
                let samples = encoding.decode(data, *channels, start)?;
                return Ok(Sound { rate: *rate, samples });
            }
            _ => {}
        }
        at = if size % 2 == 1 { after_odd(bytes, end) } else { end };
    }
}

/// Where the chunk after one of odd length begins: behind a byte of padding, which some programs leave out.
fn after_odd(bytes: &[u8], end: usize) -> usize {
    let (bare, padded) = (bytes.get(end..).unwrap_or_default(), end.saturating_add(1));
    // The bytes after a name may be characters too: those that matter are known.
    let known = bare.starts_with(b"data") || bare.starts_with(b"fmt ");
    let unpadded = is_id(bare) && !bytes.get(padded..).is_some_and(is_id);
    if known || unpadded { end } else { padded }
}

/// Whether bytes begin with the name of a chunk, four characters.
fn is_id(bytes: &[u8]) -> bool {
    bytes.get(..4).is_some_and(|id| id.iter().all(|byte| (b' '..=b'~').contains(byte)))
}

/// Whether the samples last to the end of the file, `rest`, as their number was not known: the file was written to a pipe.
fn is_streamed(size: usize, rest: &[u8]) -> bool {
    match size {
        // ffmpeg, and others less the length of a header; sox and arecord, which round down to whole frames.
        0xffff_f000..=0xffff_ffff | 0x7fff_e000..=0x8000_0000 => size > rest.len(),
        // Others leave a zero. An empty chunk may also be followed by another that the file holds.
        0 => {
            let size = rest.get(4..8).map_or(usize::MAX, |size| number(size) as usize);
            !(rest.is_empty() || is_id(rest) && size <= rest.len().saturating_sub(8))
        }
        _ => false,
    }
}

/// The samples are fewer than their chunk says: the file may have been cut short, or its recorder was switched off before
/// it corrected the header. Nothing in the file tells the two apart for sure, so that none is read as if it were whole.
fn overstated(bytes: &[u8], found: usize, said: usize) -> Error {
    const REPAIR: &str = "ffmpeg -i IN.wav -c copy OUT.wav writes a right header";
    let whole = bytes.get(4..8).is_some_and(|size| number(size) as usize == bytes.len() - 8);
    let remedy = if whole {
        format!(
            "the header of the file gives its length right, so the sound is likely whole and only this size wrong (a recorder \
             that was switched off): {REPAIR}; if it is a copy, compare its length with the original's first"
        )
    } else {
        format!(
            "either the file is a copy that was cut short: copy it again; or the sound is whole and the size in its header \
             wrong (a recorder that was switched off): {REPAIR}"
        )
    };
    Error::format(format!("{found} bytes of samples"))
        .at_byte(bytes.len() as u64)
        .expected(format!("{said} as the chunk says"))
        .remedy(remedy)
}

/// Reads the chunk `fmt `, which begins at byte `at`.
fn parse_format(body: &[u8], at: usize) -> Result<Format> {
    const PCM: u32 = 1;
    const FLOAT: u32 = 3;
    const MU_LAW: u32 = 7;
    const EXTENSIBLE: u32 = 0xfffe;

    let field = |from: usize, to: usize| {
        body.get(from..to).map(number).ok_or_else(|| {
            Error::format(format!("the format takes {} bytes", body.len()))
                .at_byte(at as u64)
                .expected(format!("at least {to}"))
                .remedy("copy the file again")
        })
    };
    let (mut codec, channels, rate) = (field(0, 2)?, field(2, 4)? as usize, field(4, 8)?);
    let (frame, bits) = (field(12, 14)? as usize, field(14, 16)?);
    let mut codec_at = at;
    if codec == EXTENSIBLE {
        // The codec is the first part of an identifier of 16 bytes.
        (codec, codec_at) = (field(24, 26)?, at + 24);
    }
    if channels == 0 || rate == 0 {
        return Err(Error::format(format!("{} at {rate} Hz", counted(channels, "channel")))
            .at_byte(at as u64 + 2)
            .expected("at least one of each"));
    }
    let encoding = match (codec, bits) {
        // Integers of other sizes stand in the upper bits of the next whole byte.
        (PCM, 1..=8) => Encoding::Unsigned8,
        (PCM, 9..=32) => Encoding::Integer { bytes: bits.div_ceil(8) as usize, big_endian: false },
        (FLOAT, 32) => Encoding::Float32,
        (FLOAT, 64) => Encoding::Float64,
        (MU_LAW, 8) => Encoding::MuLaw,
        (PCM | FLOAT | MU_LAW, _) => {
            return Err(Error::format(format!("samples of {bits} bits"))
                .at_byte(at as u64 + 14)
                .expected("integers of 8 to 32, or numbers of 32 or 64, bits"));
        }
        _ => {
            let name = match codec {
                2 | 0x11 => ", ADPCM",
                6 => ", A-law",
                0x55 => ", MP3",
                _ => "",
            };
            return Err(Error::format(format!("the sound is encoded as {codec:#06x}{name}"))
                .at_byte(codec_at as u64)
                .expected("0x0001 (PCM), 0x0003 (floating point) or 0x0007 (µ-law)")
                .remedy("convert it: ffmpeg -i IN.wav -c:a pcm_s16le OUT.wav"));
        }
    };
    if frame != channels * encoding.bytes() {
        return Err(Error::format(format!("{frame} bytes for a sample of all channels"))
            .at_byte(at as u64 + 12)
            .expected(format!("{channels} × {}", encoding.bytes())));
    }
    Ok(Format { encoding, channels, rate })
}

/// A little-endian number of at most four bytes.
fn number(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn cut_short(bytes: &[u8], expected: &str) -> Error {
    Error::format("the file ends")
        .at_byte(bytes.len() as u64)
        .expected(expected)
        .remedy("the file is cut short, or holds no sound: copy it again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let mut bytes = [&id[..], &(body.len() as u32).to_le_bytes(), body].concat();
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes
    }

    fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
        let body = [b"WAVE", &chunks.concat()[..]].concat();
        [MAGIC, &(body.len() as u32).to_le_bytes(), &body].concat()
    }

    fn format(codec: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
        let frame = channels.wrapping_mul(bits.div_ceil(8));
        let bytes = rate.wrapping_mul(u32::from(frame)).to_le_bytes();
        let halves = [frame.to_le_bytes(), bits.to_le_bytes()].concat();
        let start = [codec.to_le_bytes(), channels.to_le_bytes()].concat();
        chunk(b"fmt ", &[&start[..], &rate.to_le_bytes(), &bytes, &halves].concat())
    }

    #[test]
    fn chunks_of_odd_length_are_stepped_over() {
        let data = chunk(b"data", &[0, 64, 128]);
        let other = chunk(b"LIST", b"odd");
        let bytes = file(&[other.clone(), format(1, 1, 8000, 8), other.clone(), data, other]);
        let sound = parse(&bytes).unwrap();
        assert_eq!(sound, Sound { rate: 8000, samples: vec![-1.0, -0.5, 0.0] });
    }

    #[test]
    fn missing_padding_is_noticed() {
        let (format, data) = (format(1, 1, 8000, 16), chunk(b"data", &[0, 64]));
        // 32 samples: the number of bytes is a character, `@`.
        let long = chunk(b"data", &[0, 64].repeat(32));
        let bare = [&b"LIST\x03\0\0\0odd"[..], &chunk(b"fact", &[1, 0, 0, 0])].concat();
        let last = b"LIST\x03\0\0\0odd".to_vec();
        for (chunks, samples) in [
            (vec![bare.clone(), format.clone(), data.clone()], 1),
            (vec![format.clone(), bare, data], 1),
            (vec![last.clone(), format.clone(), last, long.clone()], 32),
            (vec![format, chunk(b"LIST", b"odd"), long], 32),
        ] {
            assert_eq!(parse(&file(&chunks)).unwrap().samples, vec![0.5; samples]);
        }
    }

    #[test]
    fn streams_last_to_the_end_of_the_file() {
        let stream = |size: u32, rest: &[u8]| {
            let data = [&b"data"[..], &size.to_le_bytes(), rest].concat();
            parse(&file(&[format(1, 1, 8000, 16), data]))
        };
        // The last byte is half a sample.
        for size in [u32::MAX, u32::MAX - 36, 0x7fff_f000, 0x7fff_ff00, 0x8000_0000, 0] {
            assert_eq!(stream(size, &[0, 64, 0, 192, 7]).unwrap().samples, [0.5, -0.5]);
        }
        let message = |size, rest: &[u8]| stream(size, rest).unwrap_err().to_string();
        let found = message(0, &chunk(b"LIST", b"none"));
        assert!(found.contains("no samples"), "{found}");
    }

    #[test]
    fn a_size_beyond_the_end_of_the_file_has_two_explanations() {
        // The recorder was switched off: the file is whole, the size of its samples is not. Then the same, cut short.
        let data = [&b"data"[..], &6_u32.to_le_bytes(), &[0; 4]].concat();
        let whole = file(&[format(1, 1, 8000, 16), data]);
        for (bytes, found, first) in [
            (&whole[..], 4, "the header of the file gives its length right"),
            (&whole[..whole.len() - 2], 2, "either the file is a copy that was cut short"),
        ] {
            let message = parse(bytes).unwrap_err().to_string();
            let problem = format!("{found} bytes of samples; expected 6 as the chunk says");
            for part in [&problem, first, "switched off", "ffmpeg -i IN.wav -c copy OUT.wav"] {
                assert!(message.contains(part), "{message} lacks {part}");
            }
        }
    }

    #[test]
    fn bad_files_are_refused_with_their_place() {
        let data = chunk(b"data", &[1, 2, 3, 4]);
        let refused = |bytes: &[u8], part: &str| {
            let error = parse(bytes).unwrap_err().in_file("a.wav").to_string();
            assert!(error.contains(part), "{error} lacks {part}");
        };
        let whole = file(&[format(1, 1, 8000, 16), data.clone()]);
        assert_eq!(parse(&whole).unwrap().samples.len(), 2);
        refused(&whole[..10], "a.wav, byte 10: the file ends; expected a header");
        refused(&whole[..30], "byte 20: the format takes 10 bytes; expected at least 14");
        refused(&whole[..46], "byte 46: 2 bytes of samples; expected 4 as the chunk says");
        refused(&whole[..36], "byte 36: the file ends; expected a chunk \"data\"");
        refused(&[b"RIFF\0\0\0\0AVI ", &data[..]].concat(), "byte 8: a RIFF file of type \"AVI \"");
        refused(&file(std::slice::from_ref(&data)), "byte 12: the samples come before");
        for (codec, channels, rate, bits, part) in [
            (1, 0, 8000, 16, "byte 22: 0 channels at 8000 Hz"),
            (1, 1, 0, 16, "1 channel at 0 Hz"),
            (1, 1, 8000, 40, "byte 34: samples of 40 bits"),
            (3, 1, 8000, 16, "samples of 16 bits"),
            (6, 1, 8000, 8, "byte 20: the sound is encoded as 0x0006, A-law"),
            (1, 3, 8000, 16, "byte 44: 4 bytes of samples; expected a multiple of 6"),
            (0xfffe, 1, 8000, 16, "the format takes 16 bytes; expected at least 26"),
        ] {
            refused(&file(&[format(codec, channels, rate, bits), data.clone()]), part);
        }
        let mut narrow = whole.clone();
        narrow[32] = 4;
        refused(&narrow, "byte 32: 4 bytes for a sample of all channels; expected 1 × 2");
        refused(&file(&[format(1, 1, 8000, 16), chunk(b"data", b"")]), "no samples");
    }
}

//! NIST SPHERE files: a header of text, padded to a size that its second line says, then the samples.
//!
//! A line of the header is a name, a type (`-i`, `-r`, or `-s` and a length) and a value; `end_head` ends it.

use super::Sound;
use super::encoding::Encoding;
use barnowl_base::error::{Error, Result};
use barnowl_base::words::counted;

pub(super) const MAGIC: &[u8] = b"NIST_1A\n";

/// More than any header holds; a damaged size shall not hide the sound in it.
const MAX_HEADER: usize = 1 << 20;

/// The sound in a file.
pub(super) fn parse(bytes: &[u8]) -> Result<Sound> {
    let mut lines = bytes[MAGIC.len()..].splitn(2, |byte| *byte == b'\n');
    let line = lines.next().and_then(|line| str::from_utf8(line).ok());
    let size = line.and_then(|line| line.trim().parse::<usize>().ok());
    let Some(size) = size.filter(|size| (16..=MAX_HEADER).contains(size)) else {
        return Err(Error::format("the header does not say its size")
            .at_byte(MAGIC.len() as u64)
            .expected("a number, such as 1024, on the second line"));
    };
    let Some((header, data)) = bytes.split_at_checked(size) else {
        return Err(Error::format("the file ends")
            .at_byte(bytes.len() as u64)
            .expected(format!("a header of {size} bytes"))
            .remedy("the file is cut short: copy it again"));
    };
    if !header.split(|byte| *byte == b'\n').any(|line| line.trim_ascii() == b"end_head") {
        return Err(Error::format("the header has no line end_head")
            .at_byte(0)
            .expected(format!("one within its {size} bytes"))
            .remedy("copy the file again"));
    }
    let header = Header(header);
    let number = |name: &str| header.number(name);
    let channels = number("channel_count")?.unwrap_or(1);
    let rate = number("sample_rate")?.ok_or_else(|| header.lacks("sample_rate"))?;
    let Some(rate) = u32::try_from(rate).ok().filter(|rate| *rate > 0 && channels > 0) else {
        return Err(Error::format(format!("{} at {rate} Hz", counted(channels, "channel")))
            .at_byte(0)
            .expected("at least one of each"));
    };
    let encoding = header.encoding()?;
    let frame = channels.checked_mul(encoding.bytes());
    let length = match (number("sample_count")?, frame) {
        (None, Some(frame)) => Some(data.len() - data.len() % frame),
        (Some(count), Some(frame)) => count.checked_mul(frame),
        (_, None) => None,
    };
    // What follows the last sample is no sound.
    let Some(data) = length.and_then(|length| data.get(..length)) else {
        return Err(Error::format(format!("{} bytes of samples", data.len()))
            .at_byte(bytes.len() as u64)
            .expected(match length {
                Some(length) => format!("{length} as the header says"),
                None => "as many as memory can hold".to_owned(),
            })
            .remedy("the file is cut short: copy it again"));
    };
    Ok(Sound { rate, samples: encoding.decode(data, channels, size)? })
}

/// The text before the samples.
struct Header<'a>(&'a [u8]);

impl<'a> Header<'a> {
    /// The value of a field and the offset of its line; what is not text is never a field.
    fn field(&self, name: &str) -> Option<(&'a str, u64)> {
        let mut at = 0;
        for line in self.0.split(|byte| *byte == b'\n') {
            let offset = at as u64;
            at += line.len() + 1;
            let Some(line) = str::from_utf8(line).ok().map(str::trim) else { continue };
            if line == "end_head" {
                break;
            }
            let mut words = line.splitn(3, char::is_whitespace);
            if words.next() == Some(name) {
                return Some((words.nth(1).unwrap_or("").trim(), offset));
            }
        }
        None
    }

    /// The value of a whole number, if there is such a field.
    fn number(&self, name: &str) -> Result<Option<usize>> {
        let Some((value, at)) = self.field(name) else { return Ok(None) };
        let number = value.parse().map_err(|_| {
            Error::format(format!("{name} is {value:?}")).at_byte(at).expected("a whole number")
        })?;
        Ok(Some(number))
    }

    /// How the samples are stored.
    fn encoding(&self) -> Result<Encoding> {
        let (coding, at) = self.field("sample_coding").unwrap_or(("pcm", 0));
        match coding {
            "pcm" => {}
            "ulaw" | "mu-law" => return Ok(Encoding::MuLaw),
            _ => {
                let compressed = coding.contains("short") || coding.contains("wav");
                return Err(Error::format(format!("the samples are coded as {coding:?}"))
                    .at_byte(at)
                    .expected("\"pcm\" or \"ulaw\"")
                    .remedy(if compressed {
                        "the file is compressed: convert it with LDC's sph2pipe, \
                         sph2pipe -f wav IN.sph OUT.wav"
                    } else {
                        "convert it: sox IN.sph -e signed-integer OUT.wav"
                    }));
            }
        }
        let bytes = self.number("sample_n_bytes")?.unwrap_or(2);
        if !(1..=4).contains(&bytes) {
            return Err(Error::format(format!("sample_n_bytes is {bytes}"))
                .at_byte(self.field("sample_n_bytes").map_or(0, |(_, at)| at))
                .expected("1 to 4"));
        }
        let big_endian = match self.field("sample_byte_format") {
            // The places of the bytes, the least significant being 0.
            Some(("01" | "012" | "0123", _)) => false,
            Some(("10" | "210" | "3210", _)) => true,
            _ if bytes == 1 => false,
            Some((value, at)) => {
                return Err(Error::format(format!("sample_byte_format is {value:?}"))
                    .at_byte(at)
                    .expected("01, the least significant byte first, or 10"));
            }
            None => return Err(self.lacks("sample_byte_format")),
        };
        Ok(Encoding::Integer { bytes, big_endian })
    }

    fn lacks(&self, name: &str) -> Error {
        Error::format(format!("the header has no field {name}"))
            .at_byte(0)
            .remedy("copy the file again; without it the samples cannot be read")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(fields: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = [MAGIC, b"    256\n", fields.as_bytes(), b"end_head\n"].concat();
        bytes.resize(256, b' ');
        [&bytes, data].concat()
    }

    #[test]
    fn fields_decide() {
        let fields = "sample_rate -i 16000\nspeaker -s5 sample\n";
        let read = |more: &str| parse(&file(&format!("{fields}{more}"), &[0, 64, 64, 0])).unwrap();
        assert_eq!(read("sample_byte_format -s2 01\n").samples, [0.5, 64.0 / 32768.0]);
        assert_eq!(read("sample_byte_format -s2 10\n").samples, [64.0 / 32768.0, 0.5]);
        assert_eq!(read("sample_n_bytes -i 1\n").samples, [0.0, 0.5, 0.5, 0.0]);
        let stereo = read("channel_count -i 2\nsample_byte_format -s2 01\nsample_count -i 1\n");
        assert_eq!(stereo, Sound { rate: 16000, samples: vec![0.250_976_56] });
        assert_eq!(read("sample_byte_format -s2 01\nsample_count -i 1\n").samples, [0.5]);
    }

    #[test]
    fn bad_files_are_refused_with_their_place() {
        let refused = |bytes: &[u8], part: &str| {
            let error = parse(bytes).unwrap_err().in_file("a.wav").to_string();
            assert!(error.contains(part), "{error} lacks {part}");
        };
        let order = "sample_byte_format -s2 01\n";
        let rate = "sample_rate -i 16000\n";
        let with = |fields: &str| file(&format!("{rate}{order}{fields}"), &[0; 4]);
        refused(&with("sample_coding -s26 pcm,embedded-shorten-v1.09\n"), "sph2pipe -f wav");
        refused(&with("sample_coding -s4 alaw\n"), "byte 63: the samples are coded as \"alaw\"");
        refused(&with("sample_count -i 3\n"), "byte 260: 4 bytes of samples; expected 6 as");
        refused(&with("sample_count -i 18446744073709551615\n"), "4 bytes of samples");
        refused(&with("sample_count -i -1\n"), "byte 63: sample_count is \"-1\"");
        refused(&with("sample_count -i 0\n"), "byte 256: the sound has no samples");
        refused(&with("sample_n_bytes -i 5\n"), "sample_n_bytes is 5; expected 1 to 4");
        refused(&with("channel_count -i 0\n"), "0 channels at 16000 Hz");
        refused(&with("channel_count -i 9223372036854775807\n"), "no samples");
        refused(&with("channel_count -i 18446744073709551615\n"), "4 bytes of samples");
        refused(&file(order, &[0; 4]), "no field sample_rate");
        refused(&file(rate, &[0; 4]), "no field sample_byte_format");
        refused(&file(&rate.replace("16000", "0"), &[0; 4]), "1 channel at 0 Hz");
        refused(&with("")[..200], "byte 200: the file ends; expected a header of 256 bytes");
        refused(b"NIST_1A\n   what\n", "byte 8: the header does not say its size");
        refused(b"NIST_1A\n", "byte 8: the header does not say its size");
    }
}

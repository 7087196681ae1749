//! Data elements, what a MAT-file is made of: a tag of type and length, then the data, padded to eight bytes.

use std::io::Read;

use flate2::read::ZlibDecoder;

use barnowl_base::error::{Error, Result};

/// `miINT8`, the type of names.
pub(super) const INT8: u32 = 1;
/// `miINT32`, the type of dimensions.
pub(super) const INT32: u32 = 5;
/// `miUINT32`, the type of array flags.
pub(super) const UINT32: u32 = 6;
/// `miMATRIX`, an array.
pub(super) const MATRIX: u32 = 14;
/// `miCOMPRESSED`, another element compressed with zlib.
pub(super) const COMPRESSED: u32 = 15;
/// `miUTF8`, the type of names in some programs' files.
pub(super) const UTF8: u32 = 16;

/// MATLAB itself stores no larger variable below version 7.3.
pub(super) const MAX_LENGTH: u64 = 1 << 31;

/// The order of the bytes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

impl Endian {
    pub(super) fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }
}

/// An element: its type, where its tag stands, and its data without the padding.
pub(super) struct Element {
    pub(super) kind: u32,
    pub(super) position: u64,
    pub(super) data: Vec<u8>,
}

/// Reads elements in order from the data of another one, stored as they are or compressed.
pub(super) struct Elements<'a> {
    source: Box<dyn Read + 'a>,
    endian: Endian,
    /// The next byte, and the one after the last, both counted in the file, or in the decompressed data.
    position: u64,
    end: u64,
    /// Where the compressed element stands in the file.
    compressed_at: Option<u64>,
}

impl<'a> Elements<'a> {
    /// The elements in `data`, which stand in the file from byte `offset` on.
    pub(super) fn stored(data: &'a [u8], offset: u64, endian: Endian) -> Self {
        let end = offset + data.len() as u64;
        Self { source: Box::new(data), endian, position: offset, end, compressed_at: None }
    }

    /// The elements of the array that is compressed in `data`; the tag of the whole is at byte `offset` of the file.
    pub(super) fn compressed(data: &'a [u8], offset: u64, endian: Endian) -> Result<Self> {
        let mut elements = Self {
            source: Box::new(ZlibDecoder::new(data)),
            endian,
            position: 0,
            end: 8,
            compressed_at: Some(offset),
        };
        let [kind, length] = elements.words()?;
        if kind != MATRIX {
            return Err(elements
                .error_at(0, format!("the compressed element has type {kind}"))
                .expected("an array, type 14"));
        }
        if u64::from(length) > MAX_LENGTH {
            return Err(elements
                .error_at(4, format!("the compressed array claims {length} bytes"))
                .expected(format!("at most {MAX_LENGTH}")));
        }
        elements.end += u64::from(length);
        Ok(elements)
    }

    pub(super) fn endian(&self) -> Endian {
        self.endian
    }

    /// The next element, of at most `limit` bytes.
    pub(super) fn next(&mut self, what: &str, limit: u64) -> Result<Element> {
        let position = self.position;
        let (kind, length, padding) = self.tag(what)?;
        if length > limit {
            return Err(self
                .error_at(position, format!("{what} takes {length} bytes"))
                .expected(format!("at most {limit}")));
        }
        let data = self.take(length)?;
        // Some programs leave out the padding at the very end.
        self.take(padding.min(self.end - self.position))?;
        Ok(Element { kind, position, data })
    }

    /// Checks that nothing follows; of compressed data this also compares the checksum.
    pub(super) fn finish(mut self) -> Result<()> {
        if self.position < self.end {
            return Err(self.error_at(
                self.position,
                format!("{} more bytes follow the data of the array", self.end - self.position),
            ));
        }
        let mut more = Vec::new();
        match self.source.by_ref().take(1).read_to_end(&mut more) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self
                .error_at(self.position, "more bytes follow the array in its compressed element")),
            Err(source) => Err(self.damaged(&source)),
        }
    }

    /// An error about the byte `position`, counted as [`Element::position`] is.
    pub(super) fn error_at(&self, position: u64, problem: impl Into<String>) -> Error {
        match self.compressed_at {
            None => Error::format(problem).at_byte(position),
            Some(offset) => Error::format(problem)
                .during(format_args!("byte {position} of the element compressed here"))
                .at_byte(offset),
        }
    }

    /// Type and length of the next element, and the bytes of padding after it.
    fn tag(&mut self, what: &str) -> Result<(u32, u64, u64)> {
        let position = self.position;
        if self.end - position < 8 {
            return Err(self
                .error_at(position, format!("the array ends before {what}"))
                .remedy(DAMAGED));
        }
        let first = self.word()?;
        // The small format packs both into four bytes, with up to four bytes of data behind them.
        let (kind, small) = (first & 0xffff, first >> 16);
        if small > 4 {
            return Err(self
                .error_at(
                    position,
                    format!("the tag of {what} has a length of {small} in the small format"),
                )
                .expected("at most 4")
                .remedy(DAMAGED));
        }
        if small > 0 {
            return Ok((kind, small.into(), u64::from(4 - small)));
        }
        let length = u64::from(self.word()?);
        Ok((kind, length, length.wrapping_neg() % 8))
    }

    fn words(&mut self) -> Result<[u32; 2]> {
        Ok([self.word()?, self.word()?])
    }

    fn word(&mut self) -> Result<u32> {
        let position = self.position;
        let bytes = self.take(4)?;
        match <[u8; 4]>::try_from(bytes) {
            Ok(bytes) => Ok(self.endian.u32(bytes)),
            Err(_) => Err(self.error_at(position, "a number is cut short")),
        }
    }

    /// The next `length` bytes. Memory grows as they come, whatever length the file claims.
    fn take(&mut self, length: u64) -> Result<Vec<u8>> {
        let left = self.end - self.position;
        if length > left {
            return Err(self
                .error_at(
                    self.position,
                    format!("an element of {length} bytes has {left} bytes left"),
                )
                .remedy(DAMAGED));
        }
        let mut data = Vec::new();
        let mut part = self.source.by_ref().take(length);
        if let Err(source) = part.read_to_end(&mut data) {
            return Err(self.damaged(&source));
        }
        if (data.len() as u64) < length {
            return Err(self
                .error_at(
                    self.position + data.len() as u64,
                    format!("the data end after {} bytes of an element", data.len()),
                )
                .expected(format!("{length}"))
                .remedy(DAMAGED));
        }
        self.position += length;
        Ok(data)
    }

    fn damaged(&self, source: &std::io::Error) -> Error {
        self.error_at(self.position, format!("the compressed data are damaged ({source})"))
            .remedy(DAMAGED)
    }
}

/// What to do about a file that contradicts itself.
pub(super) const DAMAGED: &str = "the file is damaged or cut short: copy it again";

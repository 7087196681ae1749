//! The values of an array in any of ten types.

use super::element::Endian;

/// Values in the type that they are stored in, which may be narrower than the type that MATLAB shows.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "each is the type that it holds")]
pub enum Values {
    I8(Vec<i8>),
    U8(Vec<u8>),
    I16(Vec<i16>),
    U16(Vec<u16>),
    I32(Vec<i32>),
    U32(Vec<u32>),
    I64(Vec<i64>),
    U64(Vec<u64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// Evaluates `$body` with `$values` bound to the vector of whichever type.
macro_rules! each_type {
    ($of:expr, $values:ident => $body:expr) => {
        match $of {
            Values::I8($values) => $body,
            Values::U8($values) => $body,
            Values::I16($values) => $body,
            Values::U16($values) => $body,
            Values::I32($values) => $body,
            Values::U32($values) => $body,
            Values::I64($values) => $body,
            Values::U64($values) => $body,
            Values::F32($values) => $body,
            Values::F64($values) => $body,
        }
    };
}

impl Values {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        each_type!(self, values => values.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `index`; integers of 64 bits are rounded to the nearest double.
    #[must_use]
    #[allow(clippy::cast_precision_loss, clippy::cast_lossless, clippy::unnecessary_cast)]
    pub fn get(&self, index: usize) -> Option<f64> {
        each_type!(self, values => values.get(index).map(|&value| value as f64))
    }

    /// Values of the storage type `kind`; `None` if it is not one of numbers, or the last of them is cut short.
    pub(super) fn decode(kind: u32, bytes: &[u8], endian: Endian) -> Option<Self> {
        macro_rules! decode {
            ($variant:ident, $number:ty) => {{
                let (chunks, rest) = bytes.as_chunks();
                let chunks = chunks.iter().copied();
                rest.is_empty().then(|| {
                    Self::$variant(match endian {
                        Endian::Little => chunks.map(<$number>::from_le_bytes).collect(),
                        Endian::Big => chunks.map(<$number>::from_be_bytes).collect(),
                    })
                })
            }};
        }
        match kind {
            1 => decode!(I8, i8),
            2 => decode!(U8, u8),
            3 => decode!(I16, i16),
            4 => decode!(U16, u16),
            5 => decode!(I32, i32),
            6 => decode!(U32, u32),
            7 => decode!(F32, f32),
            9 => decode!(F64, f64),
            12 => decode!(I64, i64),
            13 => decode!(U64, u64),
            _ => None,
        }
    }
}

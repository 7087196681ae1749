//! The elements of a tensor in a file, as 32-bit floats.

use half::{bf16, f16};

use crate::error::Error;

/// How one element is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    U8,
    Bool,
}

/// An element that is not a 32-bit float: a float beyond its range, an integer that it would round, a truth value that
/// is neither 0 nor 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unrepresentable {
    /// The index of the element, in row-major order.
    pub index: usize,
    /// The element as it stands in the file.
    pub value: String,
}

impl Unrepresentable {
    /// The error of reading the tensor `name`.
    pub(super) fn in_tensor(self, name: &str) -> Error {
        let Self { index, value } = self;
        Error::format(format!("element {index} of tensor `{name}` is {value}"))
            .expected("a number that a 32-bit float can represent")
    }
}

/// The little-endian elements in `bytes`; a rest that is shorter than an element is left out.
pub(super) fn to_f32(element: Element, bytes: &[u8]) -> Result<Vec<f32>, Unrepresentable> {
    match element {
        Element::F64 => convert(bytes, f64::from_le_bytes, narrowed),
        Element::F32 => convert(bytes, f32::from_le_bytes, Some),
        Element::F16 => convert(bytes, f16::from_le_bytes, |v| Some(v.to_f32())),
        Element::Bf16 => convert(bytes, bf16::from_le_bytes, |v| Some(v.to_f32())),
        Element::I64 => convert(bytes, i64::from_le_bytes, exact),
        Element::I32 => convert(bytes, i32::from_le_bytes, exact),
        Element::I16 => convert(bytes, i16::from_le_bytes, exact),
        Element::I8 => convert(bytes, i8::from_le_bytes, exact),
        Element::U64 => convert(bytes, u64::from_le_bytes, exact),
        Element::U32 => convert(bytes, u32::from_le_bytes, exact),
        Element::U16 => convert(bytes, u16::from_le_bytes, exact),
        Element::U8 => convert(bytes, u8::from_le_bytes, exact),
        Element::Bool => convert(bytes, u8::from_le_bytes, |v| exact(v).filter(|&v| v <= 1.0)),
    }
}

fn convert<const SIZE: usize, T: Copy + ToString>(
    bytes: &[u8],
    from_bytes: impl Fn([u8; SIZE]) -> T,
    to_f32: impl Fn(T) -> Option<f32>,
) -> Result<Vec<f32>, Unrepresentable> {
    let (elements, _) = bytes.as_chunks::<SIZE>();
    let convert_one = |(index, &element): (usize, &[u8; SIZE])| {
        let value = from_bytes(element);
        to_f32(value).ok_or_else(|| Unrepresentable { index, value: value.to_string() })
    };
    elements.iter().enumerate().map(convert_one).collect()
}

/// The nearest 32-bit float, unless a finite number would become infinite.
#[allow(clippy::cast_possible_truncation, reason = "rounding is what is wanted")]
fn narrowed(value: f64) -> Option<f32> {
    let narrow = value as f32;
    (narrow.is_finite() || !value.is_finite()).then_some(narrow)
}

/// The integer as a 32-bit float, unless that would round it.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "checked by going back"
)]
fn exact(value: impl Into<i128>) -> Option<f32> {
    let value = value.into();
    let float = value as f32;
    (float as i128 == value).then_some(float)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_type_is_read() {
        let one = |element, bytes: &[u8]| to_f32(element, bytes).unwrap();
        assert_eq!(one(Element::F64, &1.5_f64.to_le_bytes()), [1.5]);
        assert_eq!(one(Element::F16, &[0x00, 0x3e, 0x01, 0x00]), [1.5, 2.0_f32.powi(-24)]);
        assert_eq!(one(Element::Bf16, &[0xc0, 0xbf]), [-1.5]);
        assert_eq!(one(Element::I64, &(-3_i64).to_le_bytes()), [-3.0]);
        assert_eq!(one(Element::I32, &(-(1_i32 << 24)).to_le_bytes()), [-16_777_216.0]);
        assert_eq!(one(Element::I16, &(-300_i16).to_le_bytes()), [-300.0]);
        assert_eq!(one(Element::I8, &[0xff, 0x7f]), [-1.0, 127.0]);
        assert_eq!(one(Element::U64, &(1_u64 << 63).to_le_bytes()), [2.0_f32.powi(63)]);
        assert_eq!(one(Element::U32, &u32::to_le_bytes(1 << 31)), [2.0_f32.powi(31)]);
        assert_eq!(one(Element::U16, &[0xff, 0xff]), [65_535.0]);
        assert_eq!(one(Element::U8, &[0xff]), [255.0]);
        assert_eq!(one(Element::Bool, &[0, 1]), [0.0, 1.0]);
        assert_eq!(one(Element::F32, &[]), [] as [f32; 0]);
    }

    #[test]
    fn what_a_float_cannot_hold_is_refused() {
        let refused = |element, bytes: &[u8]| to_f32(element, bytes).unwrap_err();
        let two = [1.0_f64.to_le_bytes(), 1e39_f64.to_le_bytes()].concat();
        let wanted = format!("1{}", "0".repeat(39));
        assert_eq!(refused(Element::F64, &two), Unrepresentable { index: 1, value: wanted });
        let odd = (1_i32 << 24) + 1;
        let wanted = Unrepresentable { index: 0, value: odd.to_string() };
        assert_eq!(refused(Element::I32, &odd.to_le_bytes()), wanted);
        assert_eq!(refused(Element::U64, &u64::MAX.to_le_bytes()).index, 0);
        assert_eq!(refused(Element::Bool, &[0, 1, 2]).value, "2");
    }

    #[test]
    fn infinity_and_nan_pass() {
        let bytes: Vec<u8> = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        let values = to_f32(Element::F64, &bytes).unwrap();
        assert_eq!(values[..2], [f32::INFINITY, f32::NEG_INFINITY]);
        assert!(values[2].is_nan());
    }

    proptest! {
        #[test]
        fn every_bit_of_a_32_bit_float_is_kept(bits: Vec<u32>) {
            let bytes: Vec<u8> = bits.iter().flat_map(|b| b.to_le_bytes()).collect();
            let values = to_f32(Element::F32, &bytes).unwrap();
            let read: Vec<u32> = values.iter().map(|v| v.to_bits()).collect();
            prop_assert_eq!(read, bits);
        }

        #[test]
        fn an_integer_is_kept_exactly_or_refused(integer: i64) {
            let read = to_f32(Element::I64, &integer.to_le_bytes());
            match read {
                Ok(values) => prop_assert_eq!(values[0] as i128, i128::from(integer)),
                Err(refused) => prop_assert_eq!(refused.value, integer.to_string()),
            }
        }
    }
}

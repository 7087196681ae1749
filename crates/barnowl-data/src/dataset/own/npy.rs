//! Arrays that NumPy writes: `.npy` files and the members of `.npz` archives.

use barnowl_base::error::{Error, Result};
use npyz::{DType, NpyFile, Order, TypeChar};
use std::fmt::Display;
use std::path::Path;

/// An array in row-major order.
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) values: Values,
}

/// The elements of an array.
pub(super) enum Values {
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

/// How an array of Python objects, which only Python can read, becomes one of numbers; `name` is that of the array.
fn of_objects(name: &str) -> &'static str {
    match name {
        "x" => {
            "sequences of different lengths? Fill them up, and keep their lengths:\n  \
             lengths = np.array([len(s) for s in x])\n  \
             x = np.stack([np.pad(s, [(0, lengths.max() - len(s)), (0, 0)]) for s in x])\n  \
             np.savez(path, x=x, y=y, lengths=lengths)"
        }
        _ => {
            "words? np.array(list(values)).astype(str) makes an array of them; for numbers, .astype(\"int64\")"
        }
    }
}

/// An array from the bytes of a `.npy` file; `name` is what it is called in messages.
pub(super) fn array(bytes: &[u8], path: &Path, name: &str) -> Result<Array> {
    let damaged = |error: &dyn Display| {
        Error::format(format!("the array {name} cannot be read: {error}"))
            .in_file(path)
            .expected("what numpy.save writes")
    };
    let start = check_header(bytes).map_err(|problem| damaged(&problem))?;
    let npy = NpyFile::new(bytes).map_err(|error| damaged(&error))?;
    let shape: Vec<usize> =
        npy.shape().iter().map(|n| usize::try_from(*n).unwrap_or(usize::MAX)).collect();
    let count = shape.iter().try_fold(1_usize, |product, n| product.checked_mul(*n));
    let column_major = npy.order() == Order::Fortran && shape.len() > 1;
    let DType::Plain(kind) = npy.dtype() else {
        return Err(damaged(&"it is a table of records"));
    };
    let (sort, size) = (kind.type_char(), kind.size_field());
    if sort == TypeChar::Object {
        return Err(Error::format(format!("{name} {shape:?} is an array of Python objects"))
            .in_file(path)
            .expected("an array of numbers")
            .remedy(of_objects(name)));
    }
    let Some(count) = count.filter(|count| *count <= bytes.len()) else {
        return Err(damaged(&format!("its shape is {shape:?} in {} bytes", bytes.len())));
    };
    if matches!(sort, TypeChar::UnicodeStr | TypeChar::ByteStr) {
        let big = kind.to_string().starts_with('>');
        let texts = texts(&bytes[start..], count, size as usize, sort == TypeChar::UnicodeStr, big);
        let texts = texts.ok_or_else(|| damaged(&"it is cut short, or holds no text"))?;
        return Ok(Array { shape, values: Values::Texts(texts) });
    }
    macro_rules! values {
        ($type:ty) => {
            npy.into_vec::<$type>()
                .map_err(|error| damaged(&error))?
                .into_iter()
                .map(|x| x as f64)
                .collect()
        };
    }
    let values: Vec<f64> = match (sort, size) {
        (TypeChar::Float, 2) => {
            let big = kind.to_string().starts_with('>');
            let number = |b: &[u8; 2]| match big {
                true => half::f16::from_be_bytes(*b),
                false => half::f16::from_le_bytes(*b),
            };
            let bytes = bytes[start..].as_chunks().0.get(..count);
            let bytes = bytes.ok_or_else(|| damaged(&"it is cut short"))?;
            bytes.iter().map(|b| number(b).to_f64()).collect()
        }
        (TypeChar::Float, 4) => values!(f32),
        (TypeChar::Float, 8) => values!(f64),
        (TypeChar::Int, 1) => values!(i8),
        (TypeChar::Int, 2) => values!(i16),
        (TypeChar::Int, 4) => values!(i32),
        (TypeChar::Int, 8) => values!(i64),
        (TypeChar::Uint, 1) => values!(u8),
        (TypeChar::Uint, 2) => values!(u16),
        (TypeChar::Uint, 4) => values!(u32),
        (TypeChar::Uint, 8) => values!(u64),
        (TypeChar::Bool, _) => npy
            .into_vec::<bool>()
            .map_err(|error| damaged(&error))?
            .into_iter()
            .map(f64::from)
            .collect(),
        _ => {
            return Err(Error::format(format!("the elements of {name} are {kind}"))
                .in_file(path)
                .expected("integers, or floats of 16, 32 or 64 bits")
                .remedy(format!("{name}.astype(\"float32\"); of complex numbers, {name}.real")));
        }
    };
    let values = if column_major { row_major(&values, &shape) } else { values };
    Ok(Array { shape, values: Values::Numbers(values) })
}

/// Texts of a fixed size, filled up with zeros: of four bytes a letter, or of one.
fn texts(bytes: &[u8], count: usize, size: usize, wide: bool, big: bool) -> Option<Vec<String>> {
    let one = size.checked_mul(if wide { 4 } else { 1 })?;
    let bytes = bytes.get(..count.checked_mul(one)?)?;
    let text = |bytes: &[u8]| -> Option<String> {
        let text: String = match wide {
            true => {
                let code = |b: &[u8; 4]| match big {
                    true => u32::from_be_bytes(*b),
                    false => u32::from_le_bytes(*b),
                };
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|b| char::from_u32(code(b)))
                    .collect::<Option<_>>()?
            }
            false => String::from_utf8(bytes.to_vec()).ok()?,
        };
        Some(text.trim_end_matches('\0').to_owned())
    };
    match one {
        0 => Some(vec![String::new(); count]),
        _ => bytes.chunks_exact(one).map(text).collect(),
    }
}

/// Brackets within brackets in the header of an array; those of tables of records have up to five.
const MOST_NESTED: usize = 8;

/// Refuses headers that the parser would spend minutes or gigabytes on: cut short, or nested without an end. Returns where the
/// elements begin.
fn check_header(bytes: &[u8]) -> std::result::Result<usize, &'static str> {
    const CUT: &str = "it ends before its header does";
    // After the magic number: version 1 has two bytes for the length, those after it four.
    let (before, length) = match bytes.get(6..).ok_or(CUT)? {
        [1, _, a, b, ..] => (10, usize::from(u16::from_le_bytes([*a, *b]))),
        [_, _, a, b, c, d, ..] => (12, u32::from_le_bytes([*a, *b, *c, *d]) as usize),
        _ => return Err(CUT),
    };
    let end = before + length;
    let mut nested = 0_usize;
    for byte in bytes.get(before..end).ok_or(CUT)? {
        match byte {
            b'(' | b'[' | b'{' => nested += 1,
            b')' | b']' | b'}' => nested = nested.saturating_sub(1),
            _ => {}
        }
        if nested > MOST_NESTED {
            return Err("its header has brackets in brackets");
        }
    }
    Ok(end)
}

/// From column-major order.
fn row_major(values: &[f64], shape: &[usize]) -> Vec<f64> {
    (0..values.len())
        .map(|mut index| {
            let (mut place, mut stride) = (0, values.len());
            for extent in shape.iter().rev() {
                stride /= extent;
                place += index % extent * stride;
                index /= extent;
            }
            values[place]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_without_an_end_are_refused() {
        let header = |text: &str| {
            let length = u16::try_from(text.len()).unwrap().to_le_bytes();
            [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes()].concat()
        };
        check_header(&header("{'descr': [('a', '<f4', (2, 3))], 'shape': (3,), }")).unwrap();
        assert!(check_header(&header(&"[".repeat(40))).is_err());
        assert!(check_header(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}").is_err());
        assert!(check_header(b"\x93NUM").is_err());
    }

    #[test]
    fn columns_become_rows() {
        // [[0, 1, 2], [3, 4, 5]] column by column.
        let values = [0.0, 3.0, 1.0, 4.0, 2.0, 5.0];
        assert_eq!(row_major(&values, &[2, 3]), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    }
}

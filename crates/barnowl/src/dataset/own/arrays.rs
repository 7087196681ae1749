//! Arrays of NumPy: `.npz` archives and pairs of `.npy` files.

use super::Sequences;
use crate::error::{Error, Result};
use crate::file;
use npyz::{DType, NpyFile, Order, TypeChar};
use std::fmt::Display;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

/// An array of numbers in row-major order.
struct Array {
    shape: Vec<usize>,
    values: Vec<f64>,
}

pub(super) fn read(folder: &Path, part: &str) -> Result<Sequences> {
    let archive = folder.join(format!("{part}.npz"));
    let ([x, y], place) = if archive.is_file() {
        (from_archive(&archive)?, archive)
    } else {
        let paths = ["x", "y"].map(|name| folder.join(part).join(format!("{name}.npy")));
        let [x, y] = paths.each_ref().map(|path| array(&file::read(path)?, path));
        ([x?, y?], folder.join(part))
    };
    sequences(&x, &y, &place)
}

/// Bytes of an `.npz` archive as its arrays `x` and `y`; `path` is its name in messages.
fn from_archive(path: &Path) -> Result<[Array; 2]> {
    let bytes = file::read(path)?;
    let damaged = |error: &dyn Display| {
        Error::format(format!("the archive cannot be read: {error}"))
            .in_file(path)
            .expected("what numpy.savez or numpy.savez_compressed writes")
    };
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    let mut member = |name: &str| {
        let mut entry = zip.by_name(&format!("{name}.npy")).map_err(|_| {
            Error::format(format!("there is no array {name}"))
                .in_file(path)
                .expected("x [N, T, C] and y [N] or [N, T]: numpy.savez(path, x=x, y=y)")
        })?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
        array(&bytes, path).map_err(|error| error.during(name))
    };
    Ok([member("x")?, member("y")?])
}

fn array(bytes: &[u8], path: &Path) -> Result<Array> {
    let damaged = |error: &dyn Display| {
        Error::format(format!("the array cannot be read: {error}"))
            .in_file(path)
            .expected("what numpy.save writes")
    };
    check_header(bytes).map_err(|problem| damaged(&problem))?;
    let npy = NpyFile::new(bytes).map_err(|error| damaged(&error))?;
    let shape: Vec<usize> =
        npy.shape().iter().map(|n| usize::try_from(*n).unwrap_or(usize::MAX)).collect();
    let count = shape.iter().try_fold(1_usize, |product, n| product.checked_mul(*n));
    if count.is_none_or(|count| count > bytes.len()) {
        return Err(damaged(&format!("its shape is {shape:?} in {} bytes", bytes.len())));
    }
    let column_major = npy.order() == Order::Fortran && shape.len() > 1;
    let DType::Plain(kind) = npy.dtype() else {
        return Err(damaged(&"it is a table of records"));
    };
    macro_rules! values {
        ($type:ty) => {
            npy.into_vec::<$type>()
                .map_err(|error| damaged(&error))?
                .into_iter()
                .map(|x| x as f64)
                .collect()
        };
    }
    let values: Vec<f64> = match (kind.type_char(), kind.size_field()) {
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
            return Err(Error::format(format!("the elements are {kind}"))
                .in_file(path)
                .expected("integers, or floats of 32 or 64 bits: array.astype(\"float32\")"));
        }
    };
    let values = if column_major { row_major(&values, &shape) } else { values };
    Ok(Array { shape, values })
}

/// Brackets within brackets in the header of an array; those of tables of records have up to five.
const MOST_NESTED: usize = 8;

/// Refuses headers that the parser would spend minutes or gigabytes on: cut short, or nested without an end.
fn check_header(bytes: &[u8]) -> std::result::Result<(), &'static str> {
    const CUT: &str = "it ends before its header does";
    // After the magic number: version 1 has two bytes for the length, those after it four.
    let header = match bytes.get(6..).ok_or(CUT)? {
        [1, _, a, b, rest @ ..] => rest.get(..usize::from(u16::from_le_bytes([*a, *b]))),
        [_, _, a, b, c, d, rest @ ..] => rest.get(..u32::from_le_bytes([*a, *b, *c, *d]) as usize),
        _ => None,
    };
    let mut nested = 0_usize;
    for byte in header.ok_or(CUT)? {
        match byte {
            b'(' | b'[' | b'{' => nested += 1,
            b')' | b']' | b'}' => nested = nested.saturating_sub(1),
            _ => {}
        }
        if nested > MOST_NESTED {
            return Err("its header has brackets in brackets");
        }
    }
    Ok(())
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

fn sequences(x: &Array, y: &Array, place: &Path) -> Result<Sequences> {
    let wrong =
        |problem: String, expected: &str| Error::format(problem).in_file(place).expected(expected);
    let &[samples, steps, channels] = x.shape.as_slice() else {
        return Err(wrong(format!("x is {:?}", x.shape), "x [N, T, C]"));
    };
    let per_step = match y.shape.as_slice() {
        [n] if *n == samples => false,
        [n, t] if [*n, *t] == [samples, steps] => true,
        _ => {
            let expected = format!("y [{samples}] or [{samples}, {steps}]");
            return Err(wrong(format!("x is {:?} and y {:?}", x.shape, y.shape), &expected));
        }
    };
    if samples == 0 || steps == 0 || channels == 0 {
        return Err(wrong(format!("x is {:?}", x.shape), "at least one of each"));
    }
    let label = |(place, label): (usize, &f64)| {
        if (0.0..super::MOST_CLASSES as f64).contains(label) && label.fract() == 0.0 {
            return Ok(*label as u16);
        }
        Err(wrong(format!("label {place} of y is {label}"), "whole numbers from 0"))
    };
    let labels = y.values.iter().enumerate().map(label).collect::<Result<Vec<u16>>>()?;
    let count = labels.iter().map(|label| usize::from(*label) + 1).max().unwrap_or(0);
    let values = x.values.chunks_exact(steps * channels);
    let of = labels.len() / samples;
    Ok(Sequences {
        channels,
        values: values.map(|x| x.iter().map(|x| *x as f32).collect()).collect(),
        classes: labels.chunks_exact(of).map(<[u16]>::to_vec).collect(),
        per_step,
        count,
        places: vec![PathBuf::from(place); samples],
        names: (0..samples).map(|sample| sample.to_string()).collect(),
        ..Sequences::default()
    })
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

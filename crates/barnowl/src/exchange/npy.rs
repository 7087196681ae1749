//! NumPy's array format, version 1.0: magic, a Python literal with type and shape, the elements.

use crate::error::Result;
use crate::file;
use std::path::Path;

/// Writes a `uint16` array, row-major.
///
/// # Errors
///
/// If the file cannot be written.
///
/// # Panics
///
/// If the values do not fill the shape.
pub fn write_u16(path: impl AsRef<Path>, shape: &[usize], values: &[u16]) -> Result<()> {
    write(path, "<u2", shape, values, |value| value.to_le_bytes())
}

/// Writes a `float32` array, row-major.
///
/// # Errors
///
/// If the file cannot be written.
///
/// # Panics
///
/// If the values do not fill the shape.
pub fn write_f32(path: impl AsRef<Path>, shape: &[usize], values: &[f32]) -> Result<()> {
    write(path, "<f4", shape, values, |value| value.to_le_bytes())
}

fn write<T: Copy, const N: usize>(
    path: impl AsRef<Path>,
    kind: &str,
    shape: &[usize],
    values: &[T],
    bytes_of: impl Fn(T) -> [u8; N],
) -> Result<()> {
    assert_eq!(shape.iter().product::<usize>(), values.len(), "values fill the shape");
    let extents: String = shape.iter().map(|extent| format!("{extent},")).collect();
    let mut header =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({extents}), }}");
    // Magic, version and length are 10 bytes; the elements start at a multiple of 64, after a newline.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    header.extend(std::iter::repeat_n(' ', length - 1 - header.len()));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| bytes_of(*value)));
    file::write_atomic_bytes(path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_that_numpy_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        write_u16(&path, &[2, 3], &[0, 1, 2, 3, 4, 500]).unwrap();
        let bytes = std::fs::read(path).unwrap();
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
        let header = "{'descr': '<u2', 'fortran_order': False, 'shape': (2,3,), }";
        assert!(bytes[10..].starts_with(header.as_bytes()));
        assert_eq!(bytes.len(), 128 + 12);
        assert_eq!((bytes[127], &bytes[138..]), (b'\n', &[0xf4, 0x01][..]));
        let path = folder.path().join("b.npy");
        write_f32(&path, &[1], &[1.5]).unwrap();
        let bytes = std::fs::read(path).unwrap();
        assert!(bytes[10..].starts_with(b"{'descr': '<f4'"));
        assert_eq!(bytes[128..], 1.5_f32.to_le_bytes());
    }
}

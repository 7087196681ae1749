//! MATLAB files of Level 5, written by MATLAB's `save -v6` and `-v7` and by `scipy.io.savemat`.
//!
//! Numeric arrays are read, stored in either byte order, compressed or not, and in whatever type the writer packed
//! them: MATLAB stores a `double` array of small integers as `int8`. The whole file may be compressed with gzip.
//! Arrays are decoded when asked for, so that the others cost neither time nor memory.
//!
//! Format: MathWorks, *MAT-File Format*, chapter "Level 5 MAT-Files".

mod container;
mod element;
mod values;

use barnowl_base::words::counted;
use std::fmt;
use std::path::{Path, PathBuf};

use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use barnowl_base::file::gzip::{gunzip, is_gzip};
use container::{HEADER_LENGTH, header};
use element::{
    COMPRESSED, DAMAGED, Element, Elements, Endian, INT8, INT32, MATRIX, MAX_LENGTH, UINT32, UTF8,
};

pub use values::Values;

/// More than MATLAB makes of either; for a damaged file to meet a limit early.
const MAX_DIMENSIONS: u64 = 64;
const MAX_NAME: u64 = 4096;

/// A file whose arrays are listed, but not yet decoded.
#[derive(Debug, Clone)]
pub struct MatFile {
    path: PathBuf,
    /// Whether the file was compressed as a whole; `bytes` are not.
    gzip: bool,
    bytes: Vec<u8>,
    endian: Endian,
    variables: Vec<Variable>,
}

/// What a file says of a variable before its values.
#[derive(Debug, Clone)]
struct Variable {
    name: String,
    shape: Vec<usize>,
    class: Class,
    complex: bool,
    /// Where the tag of its element stands in the file.
    offset: usize,
}

/// A numeric array.
#[derive(Debug, Clone, PartialEq)]
pub struct MatArray {
    /// The name of the variable.
    pub name: String,
    /// The sizes, at least two of them: MATLAB writes a vector as a matrix and leaves out sizes of 1 at the end.
    pub shape: Vec<usize>,
    /// The values in column-major order: the first index changes fastest.
    pub values: Values,
}

/// Lists the arrays of a file.
///
/// # Errors
///
/// If the file cannot be read, is not a MATLAB file of Level 5 (one of version 7.3 is named as such), or contradicts
/// itself: with the byte offset.
pub fn read(path: impl AsRef<Path>) -> Result<MatFile> {
    let path = path.as_ref();
    let bytes = file::read(path)?;
    let gzip = is_gzip(&bytes);
    let list = |bytes: Vec<u8>| {
        let endian = header(&bytes)?;
        let variables = list(&bytes, endian)?;
        let path = path.to_path_buf();
        Ok(MatFile { path, gzip, bytes, endian, variables })
    };
    let bytes = if gzip { gunzip(&bytes).map_err(|e| e.in_file(path))? } else { bytes };
    list(bytes).map_err(|e| place(e, path, gzip))
}

/// Names the file, and what the offsets in it count.
fn place(error: Error, path: &Path, gzip: bool) -> Error {
    let error = if gzip { error.during("after gunzip") } else { error };
    error.in_file(path)
}

impl MatFile {
    /// The file that was read.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all variables, in the order of the file.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.variables.iter().map(|v| v.name.as_str())
    }

    /// Decodes the numeric array `name`.
    ///
    /// # Errors
    ///
    /// If there is none of this name, it is not a real numeric array, or its values are cut short or damaged.
    pub fn array(&self, name: &str) -> Result<MatArray> {
        let Some(variable) = self.variables.iter().find(|v| v.name == name) else {
            let names: Vec<_> = self.names().collect();
            return Err(Error::format(format!("there is no array `{name}`"))
                .in_file(&self.path)
                .expected(format!("`{name}` among: {}", names.join(", "))));
        };
        self.decode(variable).map_err(|e| {
            let e = e.during(format_args!("array `{name}`"));
            place(e, &self.path, self.gzip)
        })
    }

    fn decode(&self, variable: &Variable) -> Result<MatArray> {
        let kind = match (variable.class, variable.complex) {
            (Class::Numeric, false) => None,
            (Class::Numeric, true) => Some("complex numbers"),
            (Class::Other(kind), _) => Some(kind),
        };
        if let Some(kind) = kind {
            return Err(Error::format(format!("found {kind}"))
                .at_byte(variable.offset as u64)
                .expected("an array of real numbers, stored in full")
                .remedy(
                    "convert it in MATLAB, for example with double(full(…)), and save it again",
                ));
        }
        let (mut elements, _) = content(&self.bytes, variable.offset, self.endian)?;
        // Leads to the values.
        Variable::read(&mut elements, variable.offset)?;
        let values = values(&mut elements, &variable.shape)?;
        elements.finish()?;
        Ok(MatArray { name: variable.name.clone(), shape: variable.shape.clone(), values })
    }
}

impl MatArray {
    /// The values in row-major order, the last index changing fastest, as [`Values::get`] gives them.
    pub fn row_major(&self) -> impl Iterator<Item = f64> + '_ {
        let mut strides = Vec::with_capacity(self.shape.len());
        let mut stride = 1;
        for size in &self.shape {
            strides.push(stride);
            stride *= size;
        }
        let mut index = vec![0; self.shape.len()];
        let mut position = 0;
        (0..self.values.len()).map_while(move |_| {
            let value = self.values.get(position);
            // Counts up like an odometer.
            for ((digit, size), stride) in index.iter_mut().zip(&self.shape).zip(&strides).rev() {
                *digit += 1;
                position += stride;
                if *digit < *size {
                    break;
                }
                position -= size * stride;
                *digit = 0;
            }
            value
        })
    }
}

impl fmt::Display for MatArray {
    /// Name and shape, such as `x [618, 1301, 4]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.name, self.shape)
    }
}

/// The class of an array, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Numeric,
    Other(&'static str),
}

impl Class {
    fn new(number: u8) -> Self {
        match number {
            6..=15 => Self::Numeric,
            1 => Self::Other("a cell array"),
            2 => Self::Other("a struct"),
            3 | 17 => Self::Other("an object"),
            4 => Self::Other("text"),
            5 => Self::Other("a sparse matrix"),
            16 => Self::Other("a function handle"),
            _ => Self::Other("an unknown class"),
        }
    }
}

impl Variable {
    /// Reads what precedes the values.
    fn read(elements: &mut Elements<'_>, offset: usize) -> Result<Self> {
        const COMPLEX: u8 = 0x08;
        /// The number of an object of MATLAB's newer classes, which has no dimensions.
        const OPAQUE: u8 = 17;

        let flags = elements.next("the array flags", 8)?;
        let words = integers(elements, &flags, UINT32)?;
        let &[word, _] = words.as_slice() else {
            let found = format!("the array flags are {} numbers", words.len());
            return Err(elements.error_at(flags.position, found).expected("2"));
        };
        let [.., marks, number] = word.to_be_bytes();
        let shape = if number == OPAQUE { Vec::new() } else { shape(elements)? };
        let name = elements.next("the name", MAX_NAME)?;
        if ![INT8, UTF8].contains(&name.kind) {
            let found = format!("the name has type {}", name.kind);
            return Err(elements.error_at(name.position, found).expected("type 1, 8-bit integers"));
        }
        Ok(Self {
            name: String::from_utf8_lossy(&name.data).into_owned(),
            shape,
            class: Class::new(number),
            complex: marks & COMPLEX != 0,
            offset,
        })
    }
}

/// The sizes of an array; their product is a number of elements that can be counted.
fn shape(elements: &mut Elements<'_>) -> Result<Vec<usize>> {
    let element = elements.next("the dimensions", 4 * MAX_DIMENSIONS)?;
    let sizes = integers(elements, &element, INT32)?;
    let error = |found| elements.error_at(element.position, found).remedy(DAMAGED);
    if sizes.len() < 2 {
        return Err(error(format!("the array has {}", counted(sizes.len(), "dimension")))
            .expected("at least 2"));
    }
    let mut shape = Vec::with_capacity(sizes.len());
    for size in sizes {
        // The numbers are signed.
        match i32::try_from(size).ok().and_then(|s| usize::try_from(s).ok()) {
            Some(size) => shape.push(size),
            None => return Err(error("a dimension is negative".to_string())),
        }
    }
    match shape.iter().try_fold(1_usize, |n, &size| n.checked_mul(size)) {
        Some(_) => Ok(shape),
        None => Err(error(format!("the dimensions {shape:?} are larger than any file"))),
    }
}

/// The 32-bit integers in an element of type `kind`.
fn integers(elements: &Elements<'_>, element: &Element, kind: u32) -> Result<Vec<u32>> {
    let (words, rest) = element.data.as_chunks();
    if element.kind != kind || !rest.is_empty() {
        let found = format!("found {} bytes of type {}", element.data.len(), element.kind);
        return Err(elements
            .error_at(element.position, found)
            .expected(format!("32-bit integers, type {kind}"))
            .remedy(DAMAGED));
    }
    Ok(words.iter().map(|&word| elements.endian().u32(word)).collect())
}

/// The values of an array, whose number is known from its shape.
fn values(elements: &mut Elements<'_>, shape: &[usize]) -> Result<Values> {
    let count: usize = shape.iter().product();
    let limit = u64::try_from(count).map_or(u64::MAX, |n| n.saturating_mul(8));
    let element = elements.next("the values", limit.min(MAX_LENGTH))?;
    let error = |found| elements.error_at(element.position, found).remedy(DAMAGED);
    let Some(values) = Values::decode(element.kind, &element.data, elements.endian()) else {
        let found = format!("the values are {} bytes of type {}", element.data.len(), element.kind);
        return Err(error(found).expected("numbers in full, of type 1 to 7, 9, 12 or 13"));
    };
    if values.len() != count {
        let found = format!("there are {} values", values.len());
        return Err(error(found).expected(format!("{count}, as the dimensions {shape:?} say")));
    }
    Ok(values)
}

/// Lists the variables of a file.
fn list(bytes: &[u8], endian: Endian) -> Result<Vec<Variable>> {
    let mut variables = Vec::new();
    let mut offset = HEADER_LENGTH;
    while offset < bytes.len() {
        let (mut elements, next) = content(bytes, offset, endian)?;
        variables.push(Variable::read(&mut elements, offset)?);
        offset = next;
    }
    Ok(variables)
}

/// What is in the variable whose tag is at `offset`, and where the next variable begins.
fn content(bytes: &[u8], offset: usize, endian: Endian) -> Result<(Elements<'_>, usize)> {
    let place = offset as u64;
    let rest = bytes.get(offset..).unwrap_or_default();
    let tag = rest.split_first_chunk().and_then(|(kind, rest)| {
        let (length, data) = rest.split_first_chunk()?;
        Some((endian.u32(*kind), endian.u32(*length), data))
    });
    let Some((kind, length, rest)) = tag else {
        let found = format!("the file ends after {} bytes of a tag", rest.len());
        return Err(Error::format(found).at_byte(place).expected("8").remedy(DAMAGED));
    };
    if kind != MATRIX && kind != COMPRESSED {
        return Err(Error::format(format!("a variable has the type {kind}"))
            .at_byte(place)
            .expected("an array, stored (14) or compressed (15)")
            .remedy(DAMAGED));
    }
    let data = usize::try_from(length).ok().and_then(|length| rest.get(..length));
    let Some(data) = data else {
        return Err(Error::format(format!(
            "the file ends after {} bytes of a variable",
            rest.len()
        ))
        .at_byte(place)
        .expected(length.to_string())
        .remedy(DAMAGED));
    };
    let elements = if kind == COMPRESSED {
        Elements::compressed(data, place, endian)?
    } else {
        Elements::stored(data, place + 8, endian)
    };
    Ok((elements, offset + 8 + data.len()))
}

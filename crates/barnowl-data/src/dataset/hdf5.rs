//! HDF5 files: numbers, rows of different lengths and texts, in pure Rust by the crate `hdf5-reader`.

use barnowl_base::error::{Error, Result};
use half::f16;
use hdf5_reader::{ByteOrder, Datatype, Hdf5File, OpenOptions, VarLenKind};
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// The most bytes that one array may take.
const MOST_BYTES: usize = 8 << 30;

/// Deflate makes of a byte at most so many. An array that asks for more than the whole file could hold is not stored at all.
const MOST_PACKED: usize = 1032;

/// An HDF5 file.
pub struct File {
    inner: Hdf5File,
    path: PathBuf,
}

/// An array of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// The extents, outermost first.
    pub shape: Vec<usize>,
    /// The elements in row-major order.
    pub values: Vec<f64>,
}

/// Rows of numbers, each of its own length; read one by one.
pub struct Rows<'a> {
    file: &'a File,
    name: String,
    root: hdf5_reader::group::Group,
    element: Element,
    /// For each row, where it stands: its length, and the place in a heap.
    references: Vec<u8>,
    size: usize,
}

impl File {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is no HDF5 file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        // The system's own words, if the file cannot be opened at all.
        let file = barnowl_base::file::open(path)?;
        let length =
            file.metadata().map_err(|error| barnowl_base::file::read_error(path, error))?.len();
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let inner = Hdf5File::open_with_options(path, options(length));
        Self::wrap(inner, path)
    }

    /// A file in memory; `path` is its name in messages.
    ///
    /// # Errors
    ///
    /// If it is no HDF5 file.
    pub fn from_bytes(bytes: Vec<u8>, path: impl AsRef<Path>) -> Result<Self> {
        let options = options(bytes.len());
        Self::wrap(Hdf5File::from_vec_with_options(bytes, options), path.as_ref())
    }

    fn wrap(inner: hdf5_reader::error::Result<Hdf5File>, path: &Path) -> Result<Self> {
        match inner {
            Ok(inner) => {
                let (expected, found) = (inner.superblock().eof_address, inner.storage().len());
                if expected > found {
                    return Err(Error::format(format!("the file is {found} bytes long"))
                        .in_file(path)
                        .expected(format!("{expected} bytes, as it says itself"))
                        .remedy("it is cut short: get it again"));
                }
                Ok(Self { inner, path: path.to_path_buf() })
            }
            Err(error) => Err(Error::format(format!("the file cannot be read: {error}"))
                .in_file(path)
                .expected("an HDF5 file")
                .remedy("if it was downloaded, it may be cut short or still packed: get it again")),
        }
    }

    /// The file's name, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a data set of this name, such as `spikes/times`.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.inner.dataset(name).is_ok()
    }

    /// The numbers of a data set.
    ///
    /// # Errors
    ///
    /// If there is no such data set, or it holds something else.
    pub fn numbers(&self, name: &str) -> Result<Array> {
        let dataset = self.dataset(name)?;
        let element =
            Element::of(dataset.dtype()).ok_or_else(|| self.other(name, &dataset, "numbers"))?;
        let shape = extents(dataset.shape());
        let bytes = dataset.read_raw_bytes().map_err(|error| self.damaged(name, &error))?;
        Ok(Array { shape, values: element.decode(&bytes) })
    }

    /// The rows of a data set of variable length.
    ///
    /// # Errors
    ///
    /// If there is no such data set, or it holds something else.
    pub fn rows(&self, name: &str) -> Result<Rows<'_>> {
        let dataset = self.dataset(name)?;
        let other = || {
            self.other(name, &dataset, "rows of numbers, each of its own length").remedy(format!(
                "with h5py: rows = file.create_dataset(\"{name}\", (N,), dtype=h5py.vlen_dtype(\"f4\")), \
                 then rows[i] = row for each of the N, without what only fills it up to the length of the others"
            ))
        };
        let Datatype::VarLen { base, .. } = dataset.dtype() else { return Err(other()) };
        let element = Element::of(base).ok_or_else(other)?;
        let references = dataset.read_raw_bytes().map_err(|error| self.damaged(name, &error))?;
        let root = self.inner.root_group().map_err(|error| self.damaged(name, &error))?;
        // Length, address of the heap, index in it.
        let size = 4 + usize::from(root.offset_size()) + 4;
        Ok(Rows { file: self, name: name.to_owned(), root, element, references, size })
    }

    /// The texts of a data set.
    ///
    /// # Errors
    ///
    /// If there is no such data set, or it holds something else.
    pub fn texts(&self, name: &str) -> Result<Vec<String>> {
        self.dataset(name)?.read_strings().map_err(|error| self.damaged(name, &error))
    }

    fn dataset(&self, name: &str) -> Result<hdf5_reader::Dataset> {
        self.inner.dataset(name).map_err(|error| {
            let groups = self.inner.root_group().and_then(|root| root.member_names());
            let found = groups.map(|(groups, sets)| [groups, sets].concat().join(", "));
            Error::format(format!("there is no {name} ({error})"))
                .in_file(&self.path)
                .expected(format!("a data set {name}"))
                .remedy(format!("at the top, the file has: {}", found.unwrap_or_default()))
        })
    }

    fn other(&self, name: &str, found: &hdf5_reader::Dataset, expected: &str) -> Error {
        let kind = in_words(found.dtype());
        let found = match extents(found.shape()).as_slice() {
            [] => format!("a single value of {kind}"),
            shape => format!("an array {shape:?} of {kind}"),
        };
        Error::format(format!("{name} holds {found}")).in_file(&self.path).expected(expected)
    }

    fn damaged(&self, name: &str, error: &dyn Display) -> Error {
        Error::format(format!("{name} cannot be read: {error}"))
            .in_file(&self.path)
            .remedy("the file may be damaged or cut short: get it again")
    }
}

impl Rows<'_> {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.references.len() / self.size
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of a row.
    ///
    /// # Errors
    ///
    /// If the file is damaged.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn row(&self, row: usize) -> Result<Vec<f64>> {
        let reference = &self.references[row * self.size..(row + 1) * self.size];
        let bytes = self.root.resolve_vlen_reference_bytes(reference, self.element.size());
        let damaged = |error: &dyn Display| {
            let error = self.file.damaged(&self.name, error);
            error.during(format_args!("row {row}"))
        };
        let bytes = bytes.map_err(|error| damaged(&error))?;
        Ok(self.element.decode(&bytes))
    }
}

/// For a file of so many bytes.
fn options(length: usize) -> OpenOptions {
    let most = length.saturating_mul(MOST_PACKED).min(MOST_BYTES);
    OpenOptions::default().with_max_read_bytes(most)
}

fn extents(shape: &[u64]) -> Vec<usize> {
    shape.iter().map(|n| usize::try_from(*n).unwrap_or(usize::MAX)).collect()
}

/// What elements of a type are, for messages.
fn in_words(datatype: &Datatype) -> String {
    let bits = |size: &u8| 8 * u32::from(*size);
    match datatype {
        Datatype::FixedPoint { size, signed: true, .. } => format!("{}-bit integers", bits(size)),
        Datatype::FixedPoint { size, .. } => format!("{}-bit integers without a sign", bits(size)),
        Datatype::FloatingPoint { size, .. } => format!("{}-bit floats", bits(size)),
        Datatype::VarLen { base, kind: VarLenKind::Sequence, .. } => {
            format!("rows of {}, each of its own length", in_words(base))
        }
        Datatype::String { .. } | Datatype::VarLen { .. } => "texts".to_owned(),
        Datatype::Array { base, dims } => format!("arrays {dims:?} of {}", in_words(base)),
        Datatype::Compound { .. } => "records of several fields".to_owned(),
        Datatype::Enum { base, .. } => format!("names that stand for {}", in_words(base)),
        Datatype::Opaque { .. } => "bytes without a type".to_owned(),
        Datatype::Reference { .. } => "references to other data sets".to_owned(),
        Datatype::Bitfield { .. } => "bits".to_owned(),
    }
}

/// How a number is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Element {
    kind: Kind,
    big_endian: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Float(u8),
    Signed(u8),
    Unsigned(u8),
}

impl Element {
    fn of(datatype: &Datatype) -> Option<Self> {
        let (kind, order) = match datatype {
            Datatype::FixedPoint { size: size @ (1 | 2 | 4 | 8), signed, byte_order } => {
                (if *signed { Kind::Signed(*size) } else { Kind::Unsigned(*size) }, byte_order)
            }
            Datatype::FloatingPoint { size: size @ (2 | 4 | 8), byte_order } => {
                (Kind::Float(*size), byte_order)
            }
            Datatype::Enum { base, .. } => return Self::of(base),
            _ => return None,
        };
        Some(Self { kind, big_endian: *order == ByteOrder::BigEndian })
    }

    fn size(self) -> usize {
        let (Kind::Float(size) | Kind::Signed(size) | Kind::Unsigned(size)) = self.kind;
        usize::from(size)
    }

    fn decode(self, bytes: &[u8]) -> Vec<f64> {
        bytes.chunks_exact(self.size()).map(|bytes| self.number(bytes)).collect()
    }

    /// A number of 1 to 8 bytes.
    fn number(self, bytes: &[u8]) -> f64 {
        let mut little = [0; 8];
        for (place, byte) in bytes.iter().enumerate() {
            little[if self.big_endian { bytes.len() - 1 - place } else { place }] = *byte;
        }
        let bits = u64::from_le_bytes(little);
        match self.kind {
            Kind::Float(2) => f16::from_bits(bits as u16).to_f64(),
            Kind::Float(4) => f64::from(f32::from_bits(bits as u32)),
            Kind::Float(_) => f64::from_bits(bits),
            Kind::Unsigned(_) => bits as f64,
            Kind::Signed(size) => {
                let unused = 64 - 8 * u32::from(size);
                ((bits << unused) as i64 >> unused) as f64
            }
        }
    }
}

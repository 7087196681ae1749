//! One error type for the whole library.
//!
//! An error names *what was being done*, *where* (file and byte offset, or line, or the shapes involved), *what was
//! found and expected*, and *what to do next*. Shape mistakes in code that calls the library panic, as they do in
//! Burn; whatever a user, a file or a configuration decides comes back as an [`Error`].

use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// The result of every fallible operation in Barnowl.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong; decides the exit code of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system refused to read or write a file.
    Io,
    /// A file is not what its format promises: truncated, corrupt, of another type or shape.
    Format,
    /// A configuration value is unknown, of the wrong type or out of range.
    Config,
    /// Data and model, or checkpoint and run, do not belong together.
    Mismatch,
    /// Training diverged: a loss, gradient or parameter is no longer a number.
    Divergence,
    /// A graphics processor failed while it computed.
    Device,
}

/// An error: kind, problem, place and remedy.
///
/// Built up where the facts are known:
///
/// ```
/// use barnowl_base::error::Error;
///
/// let error = Error::format("the header is 12 bytes long")
///     .in_file("QTDB_train.mat")
///     .at_byte(0)
///     .expected("128 bytes")
///     .remedy("copy the file again; it seems to be cut short");
/// assert_eq!(
///     error.to_string(),
///     "QTDB_train.mat, byte 0: the header is 12 bytes long; expected 128 bytes\n  \
///      copy the file again; it seems to be cut short",
/// );
/// ```
#[derive(Debug)]
pub struct Error(Box<Parts>);

/// The parts, boxed: a result is then no larger than what it holds when all is well.
#[derive(Debug)]
struct Parts {
    kind: ErrorKind,
    problem: String,
    file: Option<PathBuf>,
    place: Option<Place>,
    expected: Option<String>,
    remedy: Option<String>,
    key: Option<String>,
    source: Option<std::io::Error>,
}

/// Where in a file.
#[derive(Debug, Clone, Copy)]
enum Place {
    Byte(u64),
    Line(usize),
}

impl Error {
    /// An error of the given kind; `problem` says what was found, without a final stop.
    pub fn new(kind: ErrorKind, problem: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            problem: problem.into(),
            file: None,
            place: None,
            expected: None,
            remedy: None,
            key: None,
            source: None,
        }))
    }

    /// The operating system refused `action` ("read", "create", "rename" …) on `file`.
    pub fn io(action: &str, file: impl AsRef<Path>, source: std::io::Error) -> Self {
        let mut error =
            Self::new(ErrorKind::Io, format!("cannot {action}: {source}")).in_file(file);
        error.0.source = Some(source);
        error
    }

    /// A file is not what its format promises.
    pub fn format(problem: impl Into<String>) -> Self {
        Self::new(ErrorKind::Format, problem)
    }

    /// A configuration value is unknown, of the wrong type or out of range.
    pub fn config(problem: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, problem)
    }

    /// The configuration key `key` (dotted, such as `train.batch`) has the value `value`, which is not allowed.
    pub fn setting(key: impl Into<String>, value: impl Serialize) -> Self {
        Self::found(key, written(&value))
    }

    /// The configuration key `key` has what is `shown`, which is not allowed.
    pub fn found(key: impl Into<String>, shown: impl fmt::Display) -> Self {
        let key = key.into();
        Self::config(format!("{key} = {shown}")).with_key(key)
    }

    /// The configuration key that the error is about, dotted.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<String>) -> Self {
        self.0.key = Some(key.into());
        self
    }

    /// Two things that should belong together do not.
    pub fn mismatch(problem: impl Into<String>) -> Self {
        Self::new(ErrorKind::Mismatch, problem)
    }

    /// Training diverged.
    pub fn divergence(problem: impl Into<String>) -> Self {
        Self::new(ErrorKind::Divergence, problem)
    }

    /// The file that the error is about; the first file named stays.
    #[must_use]
    pub fn in_file(mut self, file: impl AsRef<Path>) -> Self {
        self.0.file.get_or_insert_with(|| file.as_ref().to_path_buf());
        self
    }

    /// What was being done, such as `epoch 3`; stands before the problem.
    #[must_use]
    pub fn during(mut self, operation: impl fmt::Display) -> Self {
        self.0.problem = format!("{operation}: {}", self.0.problem);
        self
    }

    /// The byte offset in the file.
    #[must_use]
    pub fn at_byte(mut self, offset: u64) -> Self {
        self.0.place = Some(Place::Byte(offset));
        self
    }

    /// The line in the file, from 1.
    #[must_use]
    pub fn at_line(mut self, line: usize) -> Self {
        self.0.place = Some(Place::Line(line));
        self
    }

    /// What should have been there.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.0.expected = Some(expected.into());
        self
    }

    /// What to do next.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedy = Some(remedy.into());
        self
    }

    /// What to do next, where nothing is said of it yet.
    #[must_use]
    pub fn or_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedy.get_or_insert_with(|| remedy.into());
        self
    }

    /// What to do next, if the error is that a file or folder is not there.
    #[must_use]
    pub fn if_missing(self, remedy: impl Into<String>) -> Self {
        let kind = self.0.source.as_ref().map(std::io::Error::kind);
        if kind == Some(std::io::ErrorKind::NotFound) { self.remedy(remedy) } else { self }
    }

    /// More of the same problem, such as the other elements that have it.
    #[must_use]
    pub fn also(mut self, more: impl fmt::Display) -> Self {
        self.0.problem = format!("{}; {more}", self.0.problem);
        self
    }

    /// The configuration key that the error is about, dotted: where it stands in the file is for the reader to find.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

/// A value as it is written in a configuration; what has no form there, such as a number beyond 63 bits, as in JSON.
fn written(value: &impl Serialize) -> String {
    let mut text = String::new();
    match value.serialize(toml::ser::ValueSerializer::new(&mut text)) {
        // Shorter than TOML's own, which has no powers of ten.
        Ok(_) => match text.parse::<f64>() {
            Ok(number) if text.contains(['.', 'e', 'n']) => format!("{number:?}"),
            _ => text,
        },
        Err(_) => serde_json::to_string(value).unwrap_or_else(|_| "what cannot be written".into()),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.0.file {
            write!(f, "{}", file.display())?;
            match self.0.place {
                Some(Place::Byte(offset)) => write!(f, ", byte {offset}: ")?,
                Some(Place::Line(line)) => write!(f, ", line {line}: ")?,
                None => write!(f, ": ")?,
            }
        } else if let Some(Place::Line(line)) = self.0.place {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}", self.0.problem)?;
        if let Some(expected) = &self.0.expected {
            write!(f, "; expected {expected}")?;
        }
        if let Some(remedy) = &self.0.remedy {
            write!(f, "\n  {remedy}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|e| e as _)
    }
}

//! What is wrong with a model, and where.

use alloc::string::String;
use core::fmt;

/// A place in a text, from line 1 and column 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// What is wrong with a model: the place, the problem, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Where it was found.
    pub place: Place,
    /// What was found.
    pub problem: String,
    /// What to do next; empty where the problem says it.
    pub remedy: String,
}

impl Error {
    pub(crate) fn new(place: Place, problem: impl Into<String>) -> Self {
        Self { place, problem: problem.into(), remedy: String::new() }
    }

    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column } = self.place;
        write!(f, "line {line}, column {column}: {}", self.problem)?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

impl core::error::Error for Error {}

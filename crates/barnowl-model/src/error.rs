//! What is wrong with a model, and where.

use crate::nearest::nearest;
use alloc::format;
use alloc::string::String;
use core::fmt;

/// A place in a text, from line 1 and column 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// What is wrong with a model: the place, the problem, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Where it was found; none of what stands in no text, such as the name of a model.
    pub place: Option<Place>,
    /// What was found.
    pub problem: String,
    /// What to do next; empty where the problem says it.
    pub remedy: String,
}

impl Error {
    pub(crate) fn new(place: Place, problem: impl Into<String>) -> Self {
        Self { place: Some(place), problem: problem.into(), remedy: String::new() }
    }

    /// A problem of what stands in no text.
    pub(crate) fn nowhere(problem: impl Into<String>) -> Self {
        Self { place: None, problem: problem.into(), remedy: String::new() }
    }

    /// Names the known word that `word` was probably meant to be, if any is near.
    pub(crate) fn meant<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(word, known) {
            Some(meant) => self.remedy(format!("did you mean `{meant}`?")),
            None => self,
        }
    }

    /// What to do, where nothing better is known.
    pub(crate) fn or_remedy(self, remedy: impl FnOnce() -> String) -> Self {
        if self.remedy.is_empty() { self.remedy(remedy()) } else { self }
    }

    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { line, column }) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.problem)?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

impl core::error::Error for Error {}

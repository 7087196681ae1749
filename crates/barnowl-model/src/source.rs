//! A model as it is written, before anything of it is understood.

use crate::error::{Error, Place};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// A text and the place of its first character.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// The text.
    pub text: String,
    /// Where it begins.
    pub place: Place,
}

impl Text {
    /// A text that stands by itself, from line 1 and column 1.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), place: Place { line: 1, column: 1 } }
    }
}

/// A constant: `name = expression`.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Its name.
    pub name: Text,
    /// What it is, from parameters, `dt` and the constants before it.
    pub expression: Text,
}

/// What is said of a value that the equations compute.
#[derive(Debug, Clone, PartialEq)]
pub struct Documented {
    /// Its name.
    pub name: Text,
    /// What it stands for.
    pub description: String,
    /// Its unit; empty where it has none.
    pub unit: String,
    /// Its value before the first step, from parameters; zero if not given.
    pub rest: Option<Text>,
}

/// Whose a parameter is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Each {
    /// Every neuron has its own.
    #[default]
    Neuron,
    /// One for the layer.
    Layer,
}

/// The variable that is trained in a parameter's place, so that no step leaves the range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transform {
    /// The parameter itself.
    #[default]
    Free,
    /// Its logarithm: it stays positive.
    Log,
    /// Its place between the ends of its range, held in 0 to 1.
    Interval,
}

/// How a parameter starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start {
    /// At a value.
    Value(f32),
    /// Drawn evenly between two.
    Uniform(f32, f32),
    /// Drawn around a mean with a standard deviation, again where a draw leaves the range.
    Normal(f32, f32),
}

/// A parameter of a neuron.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: Text,
    /// What it stands for.
    pub description: String,
    /// Its unit; empty where it has none.
    pub unit: String,
    /// Whether each neuron has its own.
    pub each: Each,
    /// Whether it is trained.
    pub trained: bool,
    /// What is trained in its place.
    pub transform: Transform,
    /// The smallest and the largest value allowed, both included; infinite where there is none.
    pub range: (f32, f32),
    /// How it starts.
    pub start: Start,
}

/// A model as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Its name, such as `adlif_se`.
    pub name: Text,
    /// What it is, in a line.
    pub title: String,
    /// Where it was published.
    pub source: String,
    /// One step, `name = expression` a line.
    pub equations: Text,
    /// What is computed once an update, in order.
    pub constants: Vec<Definition>,
    /// The parameters, in order.
    pub parameters: Vec<Parameter>,
    /// What is said of the values, in any order.
    pub values: Vec<Documented>,
}

impl Parameter {
    /// A trained parameter of every neuron that starts at a value, without range.
    pub fn new(name: impl Into<String>, start: f32) -> Self {
        Self {
            name: Text::new(name),
            description: String::new(),
            unit: String::new(),
            each: Each::Neuron,
            trained: true,
            transform: Transform::Free,
            range: (f32::NEG_INFINITY, f32::INFINITY),
            start: Start::Value(start),
        }
    }

    /// Whether a value is allowed: in the range, and positive where the logarithm is trained.
    #[must_use]
    pub fn allows(&self, value: f32) -> bool {
        let (low, high) = self.range;
        value.is_finite()
            && low <= value
            && value <= high
            && (self.transform != Transform::Log || value > 0.0)
    }

    /// The same, with another start.
    ///
    /// # Errors
    /// If the start leaves the range.
    pub fn with_start(self, start: Start) -> Result<Self, Error> {
        let changed = Self { start, ..self };
        changed.check()?;
        Ok(changed)
    }

    /// Range, transform and start fit one another.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let name = &self.name.text;
        let fault = |problem: String| Err(Error::new(self.name.place, problem));
        let (low, high) = self.range;
        // Also where one of them is no number.
        if low.is_nan() || high.is_nan() || low >= high {
            return fault(format!("the range of `{name}`, {low} to {high}, is empty"));
        }
        if self.transform == Transform::Log && high <= 0.0 {
            return fault(format!(
                "`{name}` has a logarithm only where it is positive, and its range ends at {high}"
            ));
        }
        if self.transform == Transform::Interval && !(low.is_finite() && high.is_finite()) {
            return fault(format!(
                "`{name}` is trained within an interval, and its range, {low} to {high}, has an open end"
            ));
        }
        let leaves = |shown: String| {
            let positive = if self.transform == Transform::Log && low <= 0.0 {
                ", of which only what is positive has a logarithm"
            } else {
                ""
            };
            fault(format!(
                "`{name}` starts at {shown}, which leaves its range, {low} to {high}{positive}"
            ))
        };
        match self.start {
            Start::Value(value) if !self.allows(value) => leaves(value.to_string()),
            Start::Uniform(from, to) if from > to => {
                fault(format!("`{name}` starts between {from} and {to}: the smaller comes first"))
            }
            Start::Uniform(from, to) if !(self.allows(from) && self.allows(to)) => {
                leaves(format!("{from} to {to}"))
            }
            Start::Normal(mean, _) if !self.allows(mean) => leaves(format!("{mean} on average")),
            Start::Normal(_, deviation) if !(deviation >= 0.0 && deviation.is_finite()) => fault(
                format!("`{name}` starts with a standard deviation of {deviation}, which is none"),
            ),
            _ => Ok(()),
        }
    }
}

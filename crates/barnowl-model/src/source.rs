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

/// One form of a model's equations.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Its name, such as `zero`; none where the model has one form alone.
    pub name: Option<Text>,
    /// What is particular to it, in a sentence.
    pub description: String,
    /// One step, `name = expression` a line.
    pub equations: Text,
}

impl Variant {
    /// The one form of a model that has no others.
    pub fn only(equations: impl Into<String>) -> Self {
        Self { name: None, description: String::new(), equations: Text::new(equations) }
    }
}

/// A model as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Its name, such as `adlif_se`.
    pub name: Text,
    /// What it is, in a sentence.
    pub title: String,
    /// Where it was published.
    pub source: String,
    /// The forms of its equations, the default one first.
    pub variants: Vec<Variant>,
    /// The value that a readout of these neurons is decoded from: one of the equations computes it.
    pub membrane: Option<Text>,
    /// What is computed once an update, in order.
    pub constants: Vec<Definition>,
    /// The parameters, in order.
    pub parameters: Vec<Parameter>,
    /// What is said of the values, in any order.
    pub values: Vec<Documented>,
}

impl Source {
    /// The number of the variant of this name.
    pub(crate) fn variant(&self, name: &str) -> Result<usize, Error> {
        let names: Vec<&str> = self.variant_names().collect();
        if let Some(at) = names.iter().position(|known| *known == name) {
            return Ok(at);
        }
        let model = &self.name.text;
        if names.is_empty() {
            return Err(Error::nowhere(format!("`{model}` has no variants, and so no `{name}`")));
        }
        let error = Error::nowhere(format!("`{model}` has no variant `{name}`"));
        Err(error.meant(name, names.iter().copied()).or_remedy(|| list("it has ", &names)))
    }

    /// The word that finds a variant: the name, and of all but the first `:` and the variant's.
    pub(crate) fn word(&self, variant: usize) -> String {
        let (name, variant) =
            (&self.name.text, variant.checked_sub(1).map(|_| &self.variants[variant]));
        match variant.and_then(|variant| variant.name.as_ref()) {
            Some(variant) => format!("{name}:{}", variant.text),
            None => name.clone(),
        }
    }

    /// The words that find this model and its variants, the default one first.
    pub fn words(&self) -> impl Iterator<Item = String> {
        (0..self.variants.len()).map(|variant| self.word(variant))
    }

    /// The names of the variants, the default one first; none where there is one form alone.
    pub fn variant_names(&self) -> impl Iterator<Item = &str> {
        self.variants.iter().filter_map(|variant| Some(variant.name.as_ref()?.text.as_str()))
    }

    /// Variants are told apart by their names, and there is one at least.
    pub(crate) fn check_variants(&self) -> Result<(), Error> {
        if self.variants.is_empty() {
            return Err(Error::new(self.name.place, "a model without equations"));
        }
        for (number, variant) in self.variants.iter().enumerate() {
            let Some(name) = &variant.name else {
                if self.variants.len() == 1 {
                    continue;
                }
                return Err(Error::new(variant.equations.place, "a variant without a name"));
            };
            identifier(name, "variant")?;
            if self.variant_names().take(number).any(|before| before == name.text) {
                let problem = format!("the variant `{}` is given twice", name.text);
                return Err(Error::new(name.place, problem));
            }
        }
        Ok(())
    }
}

/// `before` and the names, in words.
pub(crate) fn list(before: &str, names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => {
            format!("{before}{} and {last}", rest.join(", "))
        }
        _ => format!("{before}{}", names.concat()),
    }
}

/// A name is of letters, digits and `_`, and no digit first.
pub(crate) fn identifier(name: &Text, what: &str) -> Result<(), Error> {
    let text = name.text.as_str();
    let letters = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if letters && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return Ok(());
    }
    Err(Error::new(name.place, format!("`{}` cannot name a {what}", text.escape_debug()))
        .remedy("names are of the letters a to z, digits and _, a letter first"))
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

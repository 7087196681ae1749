//! The model file: TOML, as [`Model::from_toml`] describes it.

use crate::error::{Error, Place};
use crate::model::Model;
use crate::nearest::nearest;
use crate::source::{
    Definition, Documented, Each, Parameter, Source, Start, Text, Transform, Variant,
};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Spanned<String>,
    #[serde(default)]
    title: String,
    #[serde(default)]
    source: String,
    membrane: Option<Spanned<String>>,
    equations: Option<Spanned<String>>,
    #[serde(default)]
    variants: BTreeMap<Spanned<String>, VariantEntry>,
    #[serde(default)]
    constants: BTreeMap<Spanned<String>, Spanned<Expression>>,
    #[serde(default)]
    parameters: BTreeMap<Spanned<String>, ParameterEntry>,
    #[serde(default)]
    values: BTreeMap<Spanned<String>, ValueEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VariantEntry {
    #[serde(default)]
    description: String,
    equations: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number or a text of an expression")]
enum Expression {
    Number(f64),
    Text(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ParameterEntry {
    #[serde(default)]
    description: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    each: EachEntry,
    #[serde(default)]
    transform: TransformEntry,
    #[serde(default = "yes")]
    trained: bool,
    range: Option<[f64; 2]>,
    start: StartEntry,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum EachEntry {
    #[default]
    Neuron,
    Layer,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum TransformEntry {
    #[default]
    Free,
    Log,
    Interval,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number, { uniform = [from, to] } or { normal = [mean, deviation] }"
)]
enum StartEntry {
    Value(f64),
    Drawn(Drawn),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Drawn {
    Uniform([f64; 2]),
    Normal([f64; 2]),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValueEntry {
    #[serde(default)]
    description: String,
    #[serde(default)]
    unit: String,
    rest: Option<Spanned<Expression>>,
}

impl Model {
    /// The model that a file of this text describes.
    ///
    /// ```
    /// let lif = barnowl_model::Model::from_toml(r#"
    /// name = "lif"
    /// title = "Leaky integrate-and-fire"
    /// source = "where it was published"
    /// membrane = "u"                     # what a readout is decoded from; may be left out
    /// equations = """
    /// u = alpha*u' + leak*I - theta*s'   # u' is the value of the step before
    /// s = spike(u - theta)               # what the neuron emits
    /// """
    ///
    /// [constants]                       # computed once an update, in order
    /// alpha = "exp(-dt/tau_m)"
    /// leak = "-expm1(-dt/tau_m)"
    ///
    /// [parameters.tau_m]
    /// description = "time constant of the membrane"
    /// unit = "ms"
    /// range = [0, inf]                  # any number if not given
    /// transform = "log"                 # what is trained: free (the value, if not given), log or interval
    /// start = { normal = [20, 5] }      # or { uniform = [5, 25] }, or a number
    ///
    /// [parameters.theta]
    /// description = "threshold"
    /// trained = false                   # true if not given
    /// each = "layer"                    # one for the layer; neuron if not given
    /// start = 1
    ///
    /// [values.u]                        # what is said of a value; all of it may be left out
    /// description = "membrane potential"
    /// rest = 0                          # before the first step: a number or an expression of parameters
    /// "#)?;
    /// assert_eq!(lif.constant_names(), ["alpha", "leak", "theta"]);
    /// # Ok::<(), barnowl_model::Error>(())
    /// ```
    ///
    /// A file may hold several forms of a model in place of its `equations`; the first is the default one, and
    /// [`Model::build_variant`] takes another. What one of them does not use is no part of it.
    ///
    /// ```
    /// use barnowl_model::{Model, Source};
    ///
    /// let source = Source::from_toml(r#"
    /// name = "lif"
    /// [variants.subtract]
    /// description = "A spike takes 1 off the membrane potential."
    /// equations = """
    /// u = alpha*u' + I - s'
    /// s = spike(u - 1)
    /// """
    /// [variants.zero]
    /// description = "A spike sets the membrane potential to zero."
    /// equations = """
    /// u = alpha*u'*(1 - s') + I
    /// s = spike(u - 1)
    /// """
    /// [parameters.alpha]
    /// start = 0.9
    /// "#)?;
    /// assert_eq!(Model::build_variant(source, "zero")?.name(), "lif:zero");
    /// # Ok::<(), barnowl_model::Error>(())
    /// ```
    ///
    /// # Errors
    /// The first fault, with its place in the file.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        Self::build(Source::from_toml(text)?)
    }
}

impl Source {
    /// What a file of this text says, its equations not yet understood.
    ///
    /// # Errors
    /// If it is not TOML, or has an entry that is unknown, missing or of the wrong type.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let file: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            fault(error.message(), place(text, at))
        })?;
        let named = |name: &Spanned<String>| Text {
            text: name.get_ref().clone(),
            place: place(text, name.span().start),
        };
        let variants = variants(text, file.equations, file.variants)?;
        let constants = in_order(file.constants)
            .into_iter()
            .map(|(name, value)| Definition {
                name: named(&name),
                expression: expression(text, value),
            })
            .collect();
        let parameters = in_order(file.parameters)
            .into_iter()
            .map(|(name, entry)| parameter(named(&name), &entry))
            .collect();
        let values = in_order(file.values)
            .into_iter()
            .map(|(name, entry)| Documented {
                name: named(&name),
                description: entry.description,
                unit: entry.unit,
                rest: entry.rest.map(|rest| expression(text, rest)),
            })
            .collect();
        Ok(Self {
            name: Text { place: place(text, file.name.span().start), text: file.name.into_inner() },
            title: file.title,
            source: file.source,
            variants,
            membrane: file.membrane.map(|name| within(text, name.span().start, name.into_inner())),
            constants,
            parameters,
            values,
        })
    }
}

/// What is wrong with a file, in one line; an entry that is not known names the nearest that is.
fn fault(message: &str, place: Place) -> Error {
    let message = message.trim().replace('\n', "; ");
    // unknown field `x`, expected one of `a`, `b`
    let mut quoted = message.split('`').skip(1).step_by(2);
    let slip = quoted.next().filter(|_| message.starts_with("unknown "));
    let meant = slip.and_then(|slip| nearest(slip, quoted));
    match (meant, message.split_once(", expected")) {
        (Some(meant), Some((problem, _))) => {
            Error::new(place, problem).remedy(format!("did you mean `{meant}`?"))
        }
        _ => Error::new(place, message),
    }
}

/// The equations of a file, or its variants, in order.
fn variants(
    text: &str,
    equations: Option<Spanned<String>>,
    variants: BTreeMap<Spanned<String>, VariantEntry>,
) -> Result<Vec<Variant>, Error> {
    let written = |value: Spanned<String>| within(text, value.span().start, value.into_inner());
    if let Some(equations) = equations {
        return match in_order(variants).first() {
            None => Ok(vec![Variant {
                name: None,
                description: String::new(),
                equations: written(equations),
            }]),
            Some((name, _)) => Err(Error::new(
                place(text, name.span().start),
                format!("the variant `{}` beside equations of no variant", name.get_ref()),
            )
            .remedy("give these a name too: [variants.NAME]")),
        };
    }
    if variants.is_empty() {
        return Err(Error::new(place(text, 0), "missing field `equations`"));
    }
    let variant = |(name, entry): (Spanned<String>, VariantEntry)| Variant {
        name: Some(Text { place: place(text, name.span().start), text: name.into_inner() }),
        description: entry.description,
        equations: written(entry.equations),
    };
    Ok(in_order(variants).into_iter().map(variant).collect())
}

/// The entries of a table as they stand in the file.
fn in_order<T>(table: BTreeMap<Spanned<String>, T>) -> Vec<(Spanned<String>, T)> {
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

fn parameter(name: Text, entry: &ParameterEntry) -> Parameter {
    let [low, high] = entry.range.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
    Parameter {
        name,
        description: entry.description.clone(),
        unit: entry.unit.clone(),
        each: match entry.each {
            EachEntry::Neuron => Each::Neuron,
            EachEntry::Layer => Each::Layer,
        },
        trained: entry.trained,
        transform: match entry.transform {
            TransformEntry::Free => Transform::Free,
            TransformEntry::Log => Transform::Log,
            TransformEntry::Interval => Transform::Interval,
        },
        range: (low as f32, high as f32),
        start: match entry.start {
            StartEntry::Value(value) => Start::Value(value as f32),
            StartEntry::Drawn(Drawn::Uniform([from, to])) => Start::Uniform(from as f32, to as f32),
            StartEntry::Drawn(Drawn::Normal([mean, deviation])) => {
                Start::Normal(mean as f32, deviation as f32)
            }
        },
    }
}

fn expression(text: &str, value: Spanned<Expression>) -> Text {
    let at = value.span().start;
    match value.into_inner() {
        Expression::Number(x) => Text { text: x.to_string(), place: place(text, at) },
        Expression::Text(value) => within(text, at, value),
    }
}

/// The content of a quoted value that begins at byte `at` of the file.
fn within(text: &str, at: usize, value: String) -> Text {
    let quoted = text.get(at..).unwrap_or("");
    let long = ["\"\"\"", "'''"].into_iter().find(|quotes| quoted.starts_with(quotes));
    let mut start = at + long.map_or(1, str::len);
    if long.is_some() {
        // A line end right after the quotes is not part of the value.
        let content = text.get(start..).unwrap_or("");
        start +=
            ["\r\n", "\n"].into_iter().find(|end| content.starts_with(end)).map_or(0, str::len);
    }
    Text { text: value, place: place(text, start) }
}

/// The line and column of a byte.
fn place(text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    Place { line, column }
}

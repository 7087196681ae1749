//! Which model a layer's neurons are of, and how their parameters start.

use crate::error::{Error, Result};
use crate::nearest::nearest;
use barnowl_model::{Each, Model, Parameter, Start};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// How a parameter of a layer's neurons starts and is trained, where that is not as their model says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterConfig {
    /// How it starts. Default: as the model says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<ParameterStart>,
    /// Whether it is trained. Default: as the model says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained: Option<bool>,
    /// Whether every neuron has its own, or the layer one for all. Default: as the model says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<ParameterOwner>,
}

/// How a parameter starts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ParameterStart {
    /// At one value.
    Constant {
        /// The value, in the parameter's unit.
        value: f32,
    },
    /// Drawn evenly between two values.
    Uniform {
        /// The smaller one.
        low: f32,
        /// The larger one.
        high: f32,
    },
    /// Normally distributed; what leaves the parameter's range is drawn again.
    Normal {
        /// Its mean.
        mean: f32,
        /// Its standard deviation.
        /// Range: 0 or more.
        sd: f32,
    },
}

/// Whose a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParameterOwner {
    /// Every neuron has its own.
    Neuron,
    /// One for the layer.
    Layer,
}

/// A model, with its parameters as a layer has them.
#[derive(Debug, Clone)]
pub(crate) struct Neuron {
    pub(crate) model: Arc<Model>,
    /// Those of the model, in order, with what the layer says of them.
    pub(crate) parameters: Vec<Parameter>,
}

impl Neuron {
    /// The neurons of a layer, if they run from equations: of the model of this `name`, or that is written in it, and with what
    /// is `said` of its parameters. `key` names the layer in messages.
    ///
    /// # Errors
    ///
    /// An unknown name, equations that cannot be read, a parameter that the model has not, or one that starts out of range.
    pub(crate) fn of(
        name: Option<&str>,
        said: &BTreeMap<String, ParameterConfig>,
        key: &str,
    ) -> Result<Option<Self>> {
        let Some(name) = name else {
            if let Some(parameter) = said.keys().next() {
                return Err(Error::config(format!("{key}.parameters.{parameter} has no effect"))
                    .with_key(format!("{key}.parameters"))
                    .remedy(format!("these are of a model: set {key}.neuron, or leave it out")));
            }
            return Ok(None);
        };
        let model = if is_text(name) {
            parse(name, &format!("{key}.neuron"))?
        } else {
            barnowl_model::built_in(name)
                .map_err(|error| unknown(name, &format!("{key}.neuron"), error))?
        };
        if !model.emits_spikes() {
            return Err(Error::config(format!("{}: s is not 0 or 1 at every step", model.name()))
                .with_key(format!("{key}.neuron"))
                .expected("s = spike(v), or a product of spikes and of 1 - spike(v)")
                .remedy("put a factor of s into the equations that use it"));
        }
        let mut parameters = model.parameters().to_vec();
        for (name, config) in said {
            let mut names = parameters.iter().map(|parameter| parameter.name.text.as_str());
            let Some(place) = names.position(|known| known == name) else {
                let known: Vec<&str> =
                    model.parameters().iter().map(|known| known.name.text.as_str()).collect();
                let error = Error::config(format!("{} has no parameter {name}", model.name()));
                let error = error.with_key(format!("{key}.parameters.{name}"));
                return Err(match nearest(name, known.iter().copied()) {
                    Some(near) => error.expected(format!("perhaps {near}")),
                    None => error.expected(format!("one of {}", known.join(", "))),
                });
            };
            config.apply(&mut parameters[place], &format!("{key}.parameters.{name}"))?;
        }
        Ok(Some(Self { model: Arc::new(model), parameters }))
    }

    /// Which parameters are trained.
    pub(crate) fn trained(&self) -> Vec<bool> {
        self.parameters.iter().map(|parameter| parameter.trained).collect()
    }
}

impl ParameterConfig {
    /// Changes a parameter of a model to what is said here.
    fn apply(&self, parameter: &mut Parameter, key: &str) -> Result<()> {
        if let Some(trained) = self.trained {
            parameter.trained = trained;
        }
        match self.each {
            Some(ParameterOwner::Neuron) => parameter.each = Each::Neuron,
            Some(ParameterOwner::Layer) => parameter.each = Each::Layer,
            None => {}
        }
        if let Some(start) = self.start {
            let start = match start {
                ParameterStart::Constant { value } => Start::Value(value),
                ParameterStart::Uniform { low, high } => Start::Uniform(low, high),
                ParameterStart::Normal { mean, sd } => Start::Normal(mean, sd),
            };
            *parameter = parameter.clone().with_start(start).map_err(|error| {
                let key = format!("{key}.start");
                Error::config(format!("{key}: {}", error.problem)).with_key(key)
            })?;
        }
        Ok(())
    }
}

/// Refuses settings that differ from their default beside neurons of this name, which do not have them.
pub(crate) fn no_effect(differs: &[(&str, bool)], name: &str, key: &str) -> Result<()> {
    match differs.iter().find(|(_, differs)| *differs) {
        None => Ok(()),
        Some((setting, _)) => Err(Error::config(format!(
            "{key}.{setting} has no effect: the neurons are {name}"
        ))
        .with_key(format!("{key}.{setting}"))
        .remedy(format!(
            "leave it out; {key}.parameters.NAME.start sets how a parameter of {name} starts, and `barnowl neurons {name}` lists them"
        ))),
    }
}

/// Whether a `neuron` is the text of a model, not its name.
fn is_text(neuron: &str) -> bool {
    neuron.contains('\n')
}

/// The text of the model in a file; of one with variants, the one that is asked for comes first.
///
/// # Errors
///
/// If the file cannot be read, is no model, or has no such variant.
pub fn read(path: &Path, variant: Option<&str>) -> Result<String> {
    let origin = path.display().to_string();
    let text = String::from_utf8(crate::file::read(path)?).map_err(|error| {
        Error::config("the file is not UTF-8 text")
            .in_file(&origin)
            .at_byte(error.utf8_error().valid_up_to() as u64)
    })?;
    parse(&text, &origin)?;
    let text = match variant {
        None => text,
        Some(variant) => {
            let text = chosen_first(&text, variant);
            let model = parse(&text, &origin)?;
            let found = model.variant().name.as_ref().map(|name| name.text.as_str());
            if found != Some(variant) {
                return Err(Error::config(format!("there is no variant {variant}"))
                    .in_file(&origin)
                    .remedy(format!("`barnowl neurons {origin}` lists what there is")));
            }
            text
        }
    };
    // A text of one line would pass for a name.
    Ok(if is_text(&text) { text } else { text + "\n" })
}

/// The text of a built-in model under another name, `NAME_interpreted`: it runs as one's own does. Of a variant, its
/// equations come first.
///
/// # Errors
///
/// If there is no model of this name.
pub fn renamed(word: &str) -> Result<String> {
    let key = "--neuron";
    barnowl_model::built_in(word).map_err(|error| unknown(word, key, error))?;
    let text = barnowl_model::built_in_text(word).map_err(|error| unknown(word, key, error))?;
    let (name, variant) = word.split_once(':').unwrap_or((word, ""));
    let other = format!("name = \"{name}_interpreted\"");
    Ok(chosen_first(&text.replacen(&format!("name = \"{name}\""), &other, 1), variant))
}

/// The text of a model with one of its variants first, which makes it the default one.
fn chosen_first(text: &str, variant: &str) -> String {
    let text = &format!("{text}\n");
    let start_of = |head: &str| text.find(&format!("\n{head}")).map(|at| at + 1);
    let chosen = start_of(&format!("[variants.{variant}]"));
    let (Some(first), Some(chosen)) = (start_of("[variants."), chosen) else {
        return text.clone();
    };
    let end = text[chosen..].find("\n[").map_or(text.len(), |end| chosen + end + 1);
    [&text[..first], &text[chosen..end], &text[first..chosen], &text[end..]].concat()
}

fn parse(text: &str, origin: &str) -> Result<Model> {
    Model::from_toml(text).map_err(|error| {
        let remedy = match error.remedy.as_str() {
            "" => "docs/neurons.md says how a neuron is written",
            remedy => remedy,
        };
        let found = match error.place {
            Some(place) => Error::config(format!("column {}: {}", place.column, error.problem))
                .in_file(origin)
                .at_line(place.line),
            None => Error::config(error.problem).in_file(origin),
        };
        found.remedy(remedy)
    })
}

fn unknown(name: &str, key: &str, error: barnowl_model::Error) -> Error {
    Error::setting(key, name)
        .expected("a built-in neuron, a file that ends with .toml, or the text of one")
        .also(error)
        .remedy("`barnowl neurons` lists those built in")
}

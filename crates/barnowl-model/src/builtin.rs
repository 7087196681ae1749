//! The models that come with the crate: the files of `models/`.

use crate::error::Error;
use crate::model::Model;
use crate::source::{Source, list};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

/// Names and texts, listed by the build script.
const MODELS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/models.rs"));

/// The words that find the built-in models and their variants: `alif`, `lif`, `lif:zero`, … in order.
pub fn built_in_names() -> impl Iterator<Item = String> {
    MODELS.iter().flat_map(|(name, text)| match Source::from_toml(text) {
        Ok(source) => source.words().collect(),
        // The test below has none such.
        Err(_) => vec![(*name).to_string()],
    })
}

/// The file of the built-in model that a word finds, with all its variants.
///
/// # Errors
/// If no model has this name.
pub fn built_in_text(word: &str) -> Result<&'static str, Error> {
    let name = word.split_once(':').map_or(word, |(name, _)| name);
    if let Some((_, text)) = MODELS.iter().find(|(known, _)| *known == name) {
        return Ok(text);
    }
    let names: Vec<&str> = MODELS.iter().map(|(name, _)| *name).collect();
    let error = Error::nowhere(format!("no built-in neuron is called `{name}`"));
    Err(error.meant(name, names.iter().copied()).or_remedy(|| list("there are ", &names)))
}

/// The built-in model that a word finds: `NAME`, or `NAME:VARIANT`.
///
/// ```
/// let model = barnowl_model::built_in("lif:zero")?;
/// assert_eq!(model.name(), "lif:zero");
/// // The first variant is the default one, and has a name of its own too.
/// assert_eq!(barnowl_model::built_in("lif:subtract")?.name(), "lif");
///
/// let error = barnowl_model::built_in("lif:zeor").unwrap_err();
/// assert_eq!(error.to_string(), "`lif` has no variant `zeor`; did you mean `zero`?");
/// # Ok::<(), barnowl_model::Error>(())
/// ```
///
/// # Errors
/// If there is no such model or variant; the error names the nearest one.
pub fn built_in(word: &str) -> Result<Model, Error> {
    let source = Source::from_toml(built_in_text(word)?)?;
    match word.split_once(':') {
        Some((_, variant)) => Model::build_variant(source, variant),
        None => Model::build(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_right_and_named_after_their_files() {
        for (name, text) in MODELS {
            Model::from_toml(text).unwrap_or_else(|error| panic!("models/{name}.toml: {error}"));
        }
        for name in built_in_names() {
            let model = built_in(&name).expect("it is right, with all its variants");
            assert_eq!(model.name(), name);
            assert!(!model.title().is_empty() && !model.source().source.is_empty(), "{name}");
            assert!(model.membrane().is_some(), "{name}: what a readout is decoded from");
            for parameter in model.parameters() {
                assert!(!parameter.description.is_empty(), "{name}: {}", parameter.name.text);
            }
            for state in model.states() {
                let described = state.emitted || !state.description.is_empty();
                assert!(described, "{name}: {}", state.name);
            }
        }
    }

    #[test]
    fn words_that_find_nothing_name_the_nearest() {
        let message = |word: &str| built_in(word).unwrap_err().to_string();
        assert_eq!(message("alfi"), "no built-in neuron is called `alfi`; did you mean `alif`?");
        let all = message("izhikevich");
        assert!(all.contains("there are `adlif_ef`, ") && all.ends_with("and `tc_lif`"), "{all}");
        assert_eq!(
            message("lif:hard"),
            "`lif` has no variant `hard`; it has `subtract`, `zero` and `none`"
        );
        assert_eq!(message("alif:zero"), "`alif` has no variants, and so no `zero`");
    }
}

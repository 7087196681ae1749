//! The models that come with the crate: the files of `models/`.

use crate::error::Error;
use crate::model::Model;

/// Names and texts, listed by the build script.
const MODELS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/models.rs"));

/// The names of the built-in models, in order.
pub fn built_in_names() -> impl Iterator<Item = &'static str> {
    MODELS.iter().map(|(name, _)| *name)
}

/// The file of a built-in model.
#[must_use]
pub fn built_in_text(name: &str) -> Option<&'static str> {
    MODELS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The built-in model of this name; none if there is none.
///
/// ```
/// let model = barnowl_model::built_in("alif").expect("there is one").expect("and it is right");
/// assert_eq!(model.states().len(), 3);
/// ```
#[must_use]
pub fn built_in(name: &str) -> Option<Result<Model, Error>> {
    built_in_text(name).map(Model::from_toml)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_right_and_named_after_their_files() {
        for name in built_in_names() {
            let model = built_in(name).expect("it is listed");
            let model = model.unwrap_or_else(|error| panic!("models/{name}.toml: {error}"));
            assert_eq!(model.name(), name);
            let source = model.source();
            assert!(!source.title.is_empty() && !source.source.is_empty(), "{name}: documented");
            for parameter in model.parameters() {
                assert!(!parameter.description.is_empty(), "{name}: {}", parameter.name.text);
            }
            for state in model.states() {
                let described = state.emitted || !state.description.is_empty();
                assert!(described, "{name}: {}", state.name);
            }
        }
        assert!(built_in("no_such_neuron").is_none());
    }
}

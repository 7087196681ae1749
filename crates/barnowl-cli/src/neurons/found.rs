//! A neuron model that the command line names.

use barnowl::error::{Error, Result};
use barnowl::file;
use barnowl_model::{Model, Source, built_in_text};
use std::path::Path;

/// The file that a word of the command line names, and the variant, if it names one.
pub struct Found {
    /// The path; none of a built-in model.
    path: Option<String>,
    pub text: String,
    variant: Option<String>,
}

impl Found {
    pub fn of(word: &str) -> Result<Self> {
        let is_path = |word: &str| word.ends_with(".toml") || Path::new(word).is_file();
        let (name, variant) = match word.rsplit_once(':') {
            Some((name, variant)) if !is_path(word) => (name, Some(variant.to_owned())),
            _ => (word, None),
        };
        if !is_path(name) {
            let text = built_in_text(name).map_err(|error| {
                Error::config(error.to_string()).remedy(
                    "`barnowl neurons` lists the built-in models; a file of your own ends in .toml",
                )
            })?;
            return Ok(Self { path: None, text: text.to_owned(), variant });
        }
        let text = String::from_utf8(file::read(Path::new(name))?).map_err(|error| {
            Error::config("the file is not UTF-8 text")
                .in_file(name)
                .at_byte(error.utf8_error().valid_up_to() as u64)
        })?;
        Ok(Self { path: Some(name.to_owned()), text, variant })
    }

    /// The model: the variant that is named, else the first.
    pub fn model(&self) -> Result<Model> {
        self.build(self.variant.as_deref())
    }

    /// The variant that is named, else all.
    pub fn models(&self) -> Result<Vec<Model>> {
        if self.variant.is_some() {
            return Ok(vec![self.model()?]);
        }
        let first = self.build(None)?;
        let names: Vec<String> = first.source().variant_names().map(str::to_owned).collect();
        let others = names.iter().skip(1).map(|name| self.build(Some(name)));
        [Ok(first)].into_iter().chain(others).collect()
    }

    fn build(&self, variant: Option<&str>) -> Result<Model> {
        let source = Source::from_toml(&self.text);
        let built = source.and_then(|source| match variant {
            Some(variant) => Model::build_variant(source, variant),
            None => Model::build(source),
        });
        built.map_err(|error| self.name(Error::config(error.to_string())))
    }

    /// An error of a file names it.
    pub fn name(&self, error: Error) -> Error {
        match &self.path {
            Some(path) => error.in_file(path),
            None => error,
        }
    }
}

//! What settings there are: made from the configuration's types and their documentation, so that none can be forgotten.
//!
//! The types are described by `schemars`: names, defaults and documentation. In the documentation of a setting, a sentence
//! `Range: …` says what numbers are allowed, and one that begins with `Default` what holds if the setting is left out.

use super::TaskConfig;
use super::range::Range;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// One setting.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub shape: Shape,
    /// What it means, in whole sentences, without range and default.
    pub meaning: String,
    pub range: Option<Range>,
    /// What holds if it is left out, as a value.
    pub default: Option<Value>,
    /// A value that it may have, where it has no default.
    pub example: Option<Value>,
    /// What holds if it is left out, in words.
    pub default_words: Option<String>,
    /// Whether it must be given.
    pub needed: bool,
    /// The type's name, by which what several settings have in common is described once.
    pub group: Option<String>,
}

/// What a setting's value looks like.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    Flag,
    /// Of 32 bits, if single.
    Number {
        single: bool,
    },
    Whole,
    Text,
    Words(Vec<Kind>),
    List {
        of: Box<Setting>,
        length: Option<usize>,
    },
    Table(Fields),
    /// A table of names of one's own.
    Map(Box<Setting>),
    /// A table whose entry `tag` names the kind, which decides about the other entries.
    Kinds {
        tag: String,
        kinds: Vec<Kind>,
    },
    /// A word alone, or a table of one entry, which names the form.
    Forms(Vec<Form>),
    /// Values of several shapes, which tell themselves apart.
    Either(Vec<Setting>),
}

/// Names and settings: those that must be given come first.
pub(super) type Fields = Vec<(String, Setting)>;

/// One of several alternatives.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    pub name: String,
    pub meaning: String,
    pub fields: Fields,
}

/// One of several forms; without a setting, its name alone is the value.
#[derive(Debug, Clone)]
pub(super) struct Form {
    pub name: String,
    pub meaning: String,
    pub inside: Option<Setting>,
}

/// The settings of a task.
pub(super) fn task() -> &'static Setting {
    static TASK: LazyLock<Setting> = LazyLock::new(|| {
        let schema = schemars::schema_for!(TaskConfig).to_value();
        Reader { definitions: &schema["$defs"] }.setting(&schema, true)
    });
    &TASK
}

/// Reads the schema of JSON that `schemars` makes.
struct Reader<'a> {
    definitions: &'a Value,
}

impl Reader<'_> {
    fn setting(&self, schema: &Value, needed: bool) -> Setting {
        // `anyOf` of something and nothing: what may be left out.
        let optional = schema["anyOf"].as_array().and_then(|any| any.first());
        let reference = optional.unwrap_or(schema)["$ref"].as_str();
        let group = reference.and_then(|path| path.rsplit('/').next());
        let inner = match (group, optional) {
            (Some(name), _) => &self.definitions[name],
            (None, Some(inner)) => inner,
            (None, None) => schema,
        };
        let own = documentation(schema);
        let text = if own.is_empty() { documentation(inner) } else { own };
        let Documentation { meaning, range, default } = Documentation::read(&text);
        let mut shape = self.shape(inner);
        // The range of a list is that of its elements.
        if let Shape::List { of, .. } = &mut shape {
            of.range = of.range.take().or_else(|| range.clone());
        }
        Setting {
            shape,
            meaning,
            range,
            default: schema.get("default").cloned(),
            example: schema["examples"].get(0).cloned(),
            default_words: default,
            needed,
            group: group.map(str::to_owned),
        }
    }

    fn shape(&self, schema: &Value) -> Shape {
        if let Some(all) = schema["anyOf"].as_array() {
            return Shape::Either(all.iter().map(|schema| self.setting(schema, true)).collect());
        }
        if let Some(alternatives) = schema["oneOf"].as_array() {
            return self.alternatives(schema, alternatives);
        }
        let kind = match &schema["type"] {
            // Or nothing.
            Value::Array(kinds) => kinds.first().and_then(Value::as_str),
            kind => kind.as_str(),
        };
        match kind {
            Some("boolean") => Shape::Flag,
            Some("integer") => Shape::Whole,
            Some("number") => Shape::Number { single: schema["format"] == "float" },
            Some("array") => Shape::List {
                of: Box::new(self.setting(&schema["items"], true)),
                length: schema["maxItems"].as_u64().map(|length| length as usize),
            },
            Some("object") => match &schema["additionalProperties"] {
                entry @ Value::Object(_) => Shape::Map(Box::new(self.setting(entry, false))),
                _ => Shape::Table(self.fields(schema, None)),
            },
            _ => match schema["enum"].as_array() {
                Some(words) => Shape::Words(words.iter().map(word).collect()),
                None => Shape::Text,
            },
        }
    }

    fn alternatives(&self, schema: &Value, alternatives: &[Value]) -> Shape {
        let tag = alternatives.iter().find_map(tag_of);
        if let Some(tag) = tag {
            let kinds = alternatives.iter().map(|alternative| {
                let mut fields = self.fields(alternative, Some(&tag));
                // Beside those of the alternatives may stand some that all have.
                fields.extend(self.fields(schema, None));
                let name = alternative["properties"][&tag]["const"].as_str();
                Kind {
                    name: name.unwrap_or_default().to_owned(),
                    meaning: Documentation::read(&documentation(alternative)).meaning,
                    fields,
                }
            });
            return Shape::Kinds { kinds: kinds.collect(), tag };
        }
        let forms = alternatives.iter().flat_map(|alternative| self.forms(alternative));
        let forms: Vec<Form> = forms.collect();
        if forms.iter().all(|form| form.inside.is_none()) {
            let kind =
                |form: Form| Kind { name: form.name, meaning: form.meaning, fields: Fields::new() };
            return Shape::Words(forms.into_iter().map(kind).collect());
        }
        Shape::Forms(forms)
    }

    /// A word, several, or a table of one entry.
    fn forms(&self, alternative: &Value) -> Vec<Form> {
        let Documentation { meaning, range, .. } = Documentation::read(&documentation(alternative));
        let alone = |name: &Value| Form {
            name: name.as_str().unwrap_or_default().to_owned(),
            meaning: meaning.clone(),
            inside: None,
        };
        if let Some(words) = alternative["enum"].as_array() {
            return words.iter().map(alone).collect();
        }
        if let Some(word) = alternative.get("const") {
            return vec![alone(word)];
        }
        let fields = self.fields(alternative, None);
        let inside = fields.into_iter().map(|(name, mut setting)| {
            setting.range = setting.range.or_else(|| range.clone());
            if setting.meaning.is_empty() {
                setting.meaning.clone_from(&meaning);
            }
            Form { name, meaning: meaning.clone(), inside: Some(setting) }
        });
        inside.collect()
    }

    fn fields(&self, schema: &Value, tag: Option<&str>) -> Fields {
        let none = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&none);
        let needed: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let place = |name: &str| needed.iter().position(|other| *other == name);
        let mut names: Vec<&String> =
            properties.keys().filter(|name| Some(name.as_str()) != tag).collect();
        names.sort_by_key(|name| place(name).unwrap_or(usize::MAX));
        let setting =
            |name: &String| (name.clone(), self.setting(&properties[name], place(name).is_some()));
        names.into_iter().map(setting).collect()
    }
}

fn word(name: &Value) -> Kind {
    let name = name.as_str().unwrap_or_default().to_owned();
    Kind { name, meaning: String::new(), fields: Fields::new() }
}

/// The entry that names the kind, if there is one.
fn tag_of(alternative: &Value) -> Option<String> {
    let properties = alternative["properties"].as_object()?;
    properties.iter().find(|(_, value)| value.get("const").is_some()).map(|(name, _)| name.clone())
}

fn documentation(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().to_owned()
}

/// What the documentation of a setting says.
struct Documentation {
    meaning: String,
    range: Option<Range>,
    default: Option<String>,
}

impl Documentation {
    fn read(text: &str) -> Self {
        let text = without_links(text).split_whitespace().collect::<Vec<_>>().join(" ");
        let mut found = Self { meaning: String::new(), range: None, default: None };
        for sentence in sentences(&text) {
            let plain = sentence.trim_end_matches('.');
            if let Some(range) = plain.strip_prefix("Range: ") {
                found.range = Some(Range::parse(range));
            } else if let Some(default) =
                plain.strip_prefix("Default: ").or(plain.strip_prefix("Default "))
            {
                found.default = Some(default.to_owned());
            } else {
                if !found.meaning.is_empty() {
                    found.meaning.push(' ');
                }
                found.meaning.push_str(sentence);
            }
        }
        found
    }
}

/// A sentence ends with a stop before a blank and a capital letter.
fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    for (stop, _) in text.match_indices(". ") {
        if text[stop + 2..].starts_with(|c: char| c.is_uppercase()) {
            found.push(&text[start..=stop]);
            start = stop + 2;
        }
    }
    found.push(&text[start..]);
    found.retain(|sentence| !sentence.is_empty());
    found
}

/// `[text](target)` and ``[`Name`]`` lead to other documentation of the library: what is left is their text.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before);
        let link = after.split_once(']').and_then(|(inside, behind)| {
            if let Some(target) = behind.strip_prefix('(') {
                target.split_once(')').map(|(_, behind)| (inside, behind))
            } else {
                inside.starts_with('`').then_some((inside, behind))
            }
        });
        match link {
            Some((inside, behind)) => {
                plain.push_str(inside.trim_matches('`'));
                rest = behind;
            }
            None => {
                plain.push('[');
                rest = after;
            }
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documentation_is_taken_apart() {
        let text = "See [the cochlea](crate::x) in [0, 1).\nRange: 0 to 1.5 ms. Default 0.5.";
        let Documentation { meaning, range, default } = Documentation::read(text);
        assert_eq!(meaning, "See the cochlea in [0, 1).");
        assert_eq!(range.unwrap().to_string(), "0 to 1.5 ms");
        assert_eq!(default.as_deref(), Some("0.5"));
    }
}

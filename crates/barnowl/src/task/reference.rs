//! Every setting in words: the page of all of them, and a task with all of them.

use super::check::{expected, names};
use super::paths::below;
use super::shape::{self, Fields, Form, Kind, Setting, Shape};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use toml::{Table, Value};

const HEAD: &str = "# Settings of a task

Every key of a task, with its default, its range and its meaning: in a task's file, or with `--set KEY=VALUE`.
`barnowl tasks NAME --all` prints a task with all of them. This page is made from the program
(`barnowl tasks --reference`).

`N` is the place in a list, from 0; with `--set`, `*` is every place: `--set network.layers.*.size=64`. A key without a
default must be given.

Short forms, in a file and with `--set`:

| short | means |
| --- | --- |
| `train.optimizer=adamw` | a kind alone, whatever else it has as by default: `{ kind = \"adamw\" }` |
| `train.optimizer={ weight_decay = 0.1 }` | the kind of the default, with this |
| `network.layers.0.tau_m=20` | a number alone: `{ kind = \"constant\", value = 20 }` |
| `network.layers.0.cell=lif` | `cell = \"alif\"`, `beta = 0` |
| `network.layers.0.cell=feedforward` | `cell = \"alif\"`, `recurrent = false` |
| `network.cell=WORD` | the same cell in all layers: lif, feedforward, alif, relu, lstm, gru or rnn; with the last three the readout becomes dense |
";

/// The page of all settings, in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = Page { text: HEAD.to_owned(), shared: BTreeMap::new(), order: Vec::new() };
    let Shape::Table(sections) = &shape::task().shape else { return page.text };
    let (tables, plain): (Vec<_>, Vec<_>) = sections
        .iter()
        .partition(|(_, setting)| matches!(setting.shape, Shape::Table(_) | Shape::Kinds { .. }));
    page.heading(2, "The task");
    let rows = plain.iter().map(|(name, setting)| (name.clone(), setting));
    page.table(rows.collect());
    for (name, setting) in tables {
        page.heading(2, &format!("`{name}`"));
        page.paragraph(&setting.meaning);
        page.inside(name, setting);
    }
    // What is described once for several keys may itself have such parts.
    while let Some(group) = page.next() {
        let (paths, setting) = page.shared[&group].clone();
        let keys: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
        page.heading(2, &keys.join(", "));
        page.inside(&paths[0], &setting);
    }
    page.text
}

/// The page as far as it is written.
struct Page {
    text: String,
    /// What several keys have in common, by its name: the keys and what it is.
    shared: BTreeMap<String, (Vec<String>, Setting)>,
    /// The names, in the order in which they came up; those that are written are empty.
    order: Vec<String>,
}

impl Page {
    fn next(&mut self) -> Option<String> {
        self.order.iter_mut().find(|name| !name.is_empty()).map(std::mem::take)
    }

    fn heading(&mut self, level: usize, text: &str) {
        let _ = writeln!(self.text, "\n{} {text}", "#".repeat(level));
    }

    fn paragraph(&mut self, text: &str) {
        if !text.is_empty() {
            let _ = writeln!(self.text, "\n{text}");
        }
    }

    fn inside(&mut self, path: &str, setting: &Setting) {
        match &setting.shape {
            Shape::Table(fields) => self.fields(path, fields),
            Shape::Kinds { tag, kinds } => {
                for Kind { name, meaning, fields } in kinds {
                    self.heading(3, &format!("`{path}.{tag} = \"{name}\"`"));
                    self.paragraph(meaning);
                    self.fields(path, fields);
                }
            }
            Shape::Forms(forms) => {
                for Form { name, meaning, inside } in forms {
                    match inside {
                        None => self.heading(3, &format!("`{path} = \"{name}\"`")),
                        Some(_) => self.heading(3, &format!("`{path}.{name}`")),
                    }
                    self.paragraph(meaning);
                    if let Some(inside) = inside {
                        let key = below(path, name);
                        match &inside.shape {
                            Shape::Table(fields) => self.fields(&key, fields),
                            Shape::Kinds { .. } => self.inside(&key, inside),
                            _ => self.table(vec![(key, inside)]),
                        }
                    }
                }
            }
            Shape::List { of, .. } => self.inside(&below(path, "N"), of),
            Shape::Map(entry) => self.inside(&below(path, "NAME"), entry),
            _ => {}
        }
    }

    /// A table of keys; those of tables within stand among them.
    fn fields(&mut self, path: &str, fields: &Fields) {
        let mut rows = Vec::new();
        flat(path, fields, &mut rows);
        self.table(rows);
    }

    fn table(&mut self, rows: Vec<(String, &Setting)>) {
        if rows.is_empty() {
            return;
        }
        self.text.push_str("\n| key | default | range | meaning |\n| --- | --- | --- | --- |\n");
        for (path, setting) in rows {
            let default = match (&setting.default, &setting.default_words) {
                (Some(value), _) if is_short(setting) => format!("`{}`", plain(setting, value)),
                (_, Some(words)) => words.clone(),
                _ if setting.needed => "–".into(),
                _ => "not set".into(),
            };
            let mut meaning = setting.meaning.clone();
            if let Shape::Words(words) = &setting.shape {
                for Kind { name, meaning: word, .. } in
                    words.iter().filter(|word| !word.meaning.is_empty())
                {
                    let _ = write!(meaning, " `{name}`: {word}");
                }
            }
            if matches!(setting.shape, Shape::Kinds { .. } | Shape::Forms(_))
                && let Some(group) = &setting.group
            {
                let known = self
                    .shared
                    .entry(group.clone())
                    .or_insert_with(|| (Vec::new(), setting.clone()));
                if known.0.is_empty() {
                    self.order.push(group.clone());
                }
                if !known.0.contains(&path) {
                    known.0.push(path.clone());
                }
                meaning.push_str(" See below.");
            }
            let cells = [format!("`{path}`"), default, expected(setting), meaning];
            let cells = cells.map(|cell| cell.replace('|', "\\|"));
            let _ = writeln!(self.text, "| {} |", cells.join(" | "));
        }
    }
}

/// Whether the default of a setting is said in a few signs.
fn is_short(setting: &Setting) -> bool {
    match setting.shape {
        Shape::Table(_) => false,
        Shape::Kinds { .. } => setting.default_words.is_none(),
        _ => true,
    }
}

fn flat<'a>(path: &str, fields: &'a Fields, rows: &mut Vec<(String, &'a Setting)>) {
    for (name, setting) in fields {
        let key = below(path, name);
        match &setting.shape {
            Shape::Table(inside) => {
                // Of a table that is not there by default, the row says so.
                if setting.default.is_none() && !setting.needed {
                    rows.push((key.clone(), setting));
                }
                flat(&key, inside, rows);
            }
            Shape::List { of, .. } if matches!(of.shape, Shape::Table(_)) => {
                rows.push((key.clone(), setting));
                if let Shape::Table(inside) = &of.shape {
                    flat(&below(&key, "N"), inside, rows);
                }
            }
            Shape::Map(entry) => {
                rows.push((key.clone(), setting));
                if let Shape::Table(inside) = &entry.shape {
                    flat(&below(&key, "NAME"), inside, rows);
                }
            }
            Shape::Either(all) => {
                rows.push((key.clone(), setting));
                for other in all {
                    if let Shape::Table(inside) = &other.shape {
                        flat(&key, inside, rows);
                    }
                }
            }
            _ => rows.push((key, setting)),
        }
    }
}

/// A value of JSON as TOML writes it.
fn plain(setting: &Setting, value: &Json) -> String {
    match (&setting.shape, value) {
        (Shape::Number { single: true }, Json::Number(number)) => {
            format!("{:?}", number.as_f64().unwrap_or_default() as f32)
        }
        (Shape::Kinds { tag, kinds }, Json::Object(entries)) => {
            let name = entries.get(tag).and_then(Json::as_str).unwrap_or_default();
            let kind = kinds.iter().find(|kind| kind.name == name);
            let fields = kind.into_iter().flat_map(|kind| &kind.fields);
            let others = fields.filter_map(|(key, field)| {
                Some(format!(", {key} = {}", plain(field, entries.get(key)?)))
            });
            format!("{{ {tag} = \"{name}\"{} }}", others.collect::<String>())
        }
        (_, Json::Array(values)) => format!(
            "[{}]",
            values.iter().map(|value| plain(setting, value)).collect::<Vec<_>>().join(", ")
        ),
        (_, Json::Object(_)) => "a table".into(),
        (_, value) => value.to_string(),
    }
}

/// A task with all settings and what they mean.
pub(super) fn commented(task: &Table) -> String {
    let mut text = String::new();
    let Shape::Table(fields) = &shape::task().shape else { return text };
    comment(
        &mut text,
        "",
        "Every setting of the task. docs/settings.md lists the settings of all kinds.",
    );
    entries(&mut text, "", "", fields, Some(task));
    text
}

/// The entries of a table: plain ones, then tables within. Without a table, all are in comments.
fn entries(text: &mut String, off: &str, path: &str, fields: &Fields, table: Option<&Table>) {
    let mut later: Vec<(String, &Setting, Option<&Value>)> = Vec::new();
    for (name, setting) in fields {
        let value = table.and_then(|table| table.get(name));
        if has_entries(setting, value) {
            later.push((below(path, name), setting, value));
            continue;
        }
        explain(text, off, setting);
        match value {
            Some(value) => {
                let _ = writeln!(text, "{off}{name} = {value}");
            }
            None => {
                let mark = if off.is_empty() { "# " } else { off };
                let _ = writeln!(text, "{mark}{name} = {}", example(setting));
            }
        }
    }
    for (path, setting, value) in later {
        text.push('\n');
        match (&setting.shape, value) {
            (Shape::List { of, .. }, Some(Value::Array(values))) => {
                for value in values {
                    section(text, "", &format!("[[{path}]]"), &path, of, Some(value));
                }
            }
            (_, value) => section(text, off, &format!("[{path}]"), &path, setting, value),
        }
    }
}

/// Whether a setting is written as a table with a head of its own.
fn has_entries(setting: &Setting, value: Option<&Value>) -> bool {
    match (&setting.shape, value) {
        (Shape::Table(_) | Shape::Kinds { .. }, _) => true,
        (Shape::Forms(_), Some(Value::Table(_))) => true,
        (Shape::List { of, .. }, Some(Value::Array(_))) => matches!(of.shape, Shape::Table(_)),
        _ => false,
    }
}

fn section(
    text: &mut String,
    off: &str,
    head: &str,
    path: &str,
    setting: &Setting,
    value: Option<&Value>,
) {
    explain(text, off, setting);
    let table = value.and_then(Value::as_table);
    let off = if table.is_none() { "# " } else { off };
    match &setting.shape {
        Shape::Table(fields) => {
            let _ = writeln!(text, "{off}{head}");
            entries(text, off, path, fields, table);
        }
        Shape::Kinds { tag, kinds } => {
            let default =
                || setting.default.as_ref().and_then(|default| default[tag.as_str()].as_str());
            let name =
                table.and_then(|table| table.get(tag)).and_then(Value::as_str).or_else(default);
            let kind = kinds.iter().find(|kind| Some(kind.name.as_str()) == name);
            let Some(kind) = kind.or(kinds.first()) else { return };
            let _ = writeln!(text, "{off}{head}");
            comment(text, off, &format!("{}: {}", kind.name, kind.meaning));
            comment(text, off, &format!("Kinds: {}.", names(kinds)));
            let _ = writeln!(text, "{off}{tag} = {:?}", kind.name);
            entries(text, off, path, &kind.fields, table);
        }
        Shape::Forms(forms) => {
            let form =
                table.and_then(|table| forms.iter().find(|form| table.contains_key(&form.name)));
            let Some(Form { name, inside: Some(inside), .. }) = form else { return };
            let value = table.and_then(|table| table.get(name));
            match &inside.shape {
                Shape::Table(_) | Shape::Kinds { .. } => {
                    let path = below(path, name);
                    section(text, off, &format!("[{path}]"), &path, inside, value);
                }
                _ => {
                    let _ = writeln!(text, "{off}{head}");
                    entries(text, off, path, &vec![(name.clone(), inside.clone())], table);
                }
            }
        }
        _ => {}
    }
}

/// What a setting means, in comments.
fn explain(text: &mut String, off: &str, setting: &Setting) {
    let mut words = setting.meaning.clone();
    match &setting.shape {
        Shape::Number { .. } | Shape::Whole => {
            if let Some(range) = &setting.range {
                let _ = write!(words, " Range: {range}.");
            }
        }
        Shape::Forms(_) | Shape::Words(_) => {
            let _ = write!(words, " One of {}.", expected(setting));
        }
        _ => {}
    }
    match (&setting.default, &setting.default_words) {
        (Some(value), _) if is_short(setting) => {
            let _ = write!(words, " Default: {}.", plain(setting, value));
        }
        (_, Some(default)) => {
            let _ = write!(words, " Default: {default}.");
        }
        _ => {}
    }
    comment(text, off, words.trim());
}

/// Words in lines of comments.
fn comment(text: &mut String, off: &str, words: &str) {
    const WIDTH: usize = 100;
    let start = format!("{off}# ");
    let mut line = start.clone();
    for word in words.split_whitespace() {
        if line.chars().count() + word.chars().count() > WIDTH && line != start {
            let _ = writeln!(text, "{}", line.trim_end());
            line.clone_from(&start);
        }
        line.push_str(word);
        line.push(' ');
    }
    if line != start {
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// A value that a setting may have.
pub(super) fn example(setting: &Setting) -> String {
    if let Some(default) = setting.default.as_ref().filter(|default| !default.is_null()) {
        return plain(setting, default);
    }
    if let Some(example) = &setting.example {
        return plain(setting, example);
    }
    let number = || setting.range.as_ref().map_or(1.0, super::range::Range::example);
    match &setting.shape {
        Shape::Flag => "true".into(),
        Shape::Number { .. } => format!("{:?}", number()),
        Shape::Whole => number().to_string(),
        Shape::Text => "\"…\"".into(),
        Shape::Words(words) => format!("{:?}", words.first().map_or("", |word| &word.name)),
        Shape::List { of, length } => {
            format!("[{}]", vec![example(of); length.unwrap_or(1)].join(", "))
        }
        Shape::Table(fields) => format!("{{ {} }}", examples(fields).join(", ")),
        Shape::Map(_) => "{}".into(),
        Shape::Kinds { tag, kinds } => kinds.first().map_or(String::new(), |kind| {
            let mut entries = vec![format!("{tag} = {:?}", kind.name)];
            entries.extend(examples(&kind.fields));
            format!("{{ {} }}", entries.join(", "))
        }),
        Shape::Forms(forms) => forms.first().map_or(String::new(), |form| match &form.inside {
            None => format!("{:?}", form.name),
            Some(inside) => format!("{{ {} = {} }}", form.name, example(inside)),
        }),
        Shape::Either(all) => all.first().map_or(String::new(), example),
    }
}

fn examples(fields: &Fields) -> Vec<String> {
    let needed = fields.iter().filter(|(_, field)| field.needed);
    needed.map(|(name, field)| format!("{name} = {}", example(field))).collect()
}

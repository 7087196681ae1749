//! Short forms, brought to the long ones that the types read.
//!
//! | short | long |
//! | --- | --- |
//! | `optimizer = "adamw"` | `optimizer = { kind = "adamw" }` |
//! | `optimizer = { weight_decay = 0.1 }` | the kind that holds by default, with this |
//! | `tau_m = 20` | `tau_m = { kind = "constant", value = 20 }` |
//! | `cell = "lif"` in a layer | `cell = "alif"`, `beta = 0` |
//! | `cell = "feedforward"` in a layer | `cell = "alif"`, `recurrent = false` |

use super::shape::{Form, Kind, Setting, Shape};
use crate::error::{Error, Result};
use toml::{Table, Value};

/// The words for a layer's cell that stand for `alif` and another setting: the word, the setting and its value.
pub(super) const CELLS: [(&str, &str, Value); 2] =
    [("lif", "beta", Value::Float(0.0)), ("feedforward", "recurrent", Value::Boolean(false))];

/// Brings all short forms in a value to the long ones; what is wrong in another way is left as it is.
pub(super) fn expand(setting: &Setting, value: &mut Value) {
    match (&setting.shape, &mut *value) {
        (Shape::Table(fields), Value::Table(table)) => inside(fields, table),
        (Shape::Map(entry), Value::Table(table)) => {
            table.iter_mut().for_each(|(_, value)| expand(entry, value));
        }
        (Shape::List { of, .. }, Value::Array(array)) => {
            array.iter_mut().for_each(|value| expand(of, value));
        }
        (Shape::Kinds { tag, kinds }, _) => {
            match value {
                Value::String(word) if kinds.iter().any(|kind| kind.name == *word) => {
                    *value = entry(tag, value.clone());
                }
                Value::Integer(_) | Value::Float(_) => {
                    if let Some(kind) = kinds.iter().find(|kind| is_of_one_value(kind)) {
                        let mut table =
                            Table::from_iter([(tag.clone(), kind.name.as_str().into())]);
                        table.insert("value".into(), value.clone());
                        *value = Value::Table(table);
                    }
                }
                Value::Table(table) if !table.contains_key(tag) => {
                    let default =
                        setting.default.as_ref().and_then(|default| default[tag].as_str());
                    let only =
                        kinds.first().filter(|_| kinds.len() == 1).map(|kind| kind.name.as_str());
                    if let Some(kind) = default.or(only) {
                        table.insert(tag.clone(), kind.into());
                    }
                }
                _ => {}
            }
            let Value::Table(table) = value else { return };
            let kind = table.get(tag).and_then(Value::as_str);
            if let Some(kind) = kinds.iter().find(|other| Some(other.name.as_str()) == kind) {
                inside(&kind.fields, table);
            }
        }
        (Shape::Forms(forms), Value::String(word)) => {
            let form = forms.iter().find(|form| form.name == *word);
            if form
                .is_some_and(|form| form.inside.as_ref().is_some_and(is_complete_without_entries))
            {
                *value = entry(word, Value::Table(Table::new()));
            }
        }
        (Shape::Either(all), _) => all.iter().for_each(|setting| expand(setting, value)),
        (Shape::Forms(forms), Value::Table(table)) => {
            for Form { name, inside, .. } in forms {
                if let (Some(setting), Some(value)) = (inside, table.get_mut(name)) {
                    expand(setting, value);
                }
            }
        }
        _ => {}
    }
}

fn inside(fields: &[(String, Setting)], table: &mut Table) {
    for (name, setting) in fields {
        if let Some(value) = table.get_mut(name) {
            expand(setting, value);
        }
    }
}

fn entry(key: &str, value: Value) -> Value {
    Value::Table(Table::from_iter([(key.to_owned(), value)]))
}

/// Whether a number alone can stand for this kind: nothing but a number `value` is to be given.
pub(super) fn is_of_one_value(kind: &Kind) -> bool {
    matches!(kind.fields.as_slice(), [(name, Setting { shape: Shape::Number { .. }, .. })] if name == "value")
}

fn is_complete_without_entries(setting: &Setting) -> bool {
    matches!(&setting.shape, Shape::Table(fields) if fields.iter().all(|(_, field)| !field.needed))
}

/// Brings the cells of layers to those that the types know.
///
/// # Errors
///
/// If a layer has a setting that its cell contradicts.
pub(super) fn cells(task: &mut Table) -> Result<()> {
    let network = task.get_mut("network").and_then(Value::as_table_mut);
    let layers =
        network.and_then(|network| network.get_mut("layers")).and_then(Value::as_array_mut);
    for (place, layer) in layers.into_iter().flatten().enumerate() {
        let Some(layer) = layer.as_table_mut() else { continue };
        let word = layer.get("cell").and_then(Value::as_str);
        let Some((word, key, value)) = CELLS.iter().find(|(cell, ..)| Some(*cell) == word) else {
            continue;
        };
        if layer.contains_key("neuron") {
            return Err(Error::setting(format!("network.layers.{place}.cell"), word)
                .expected(format!("none beside network.layers.{place}.neuron"))
                .remedy("leave one of the two out"));
        }
        if let Some(other) = layer.get(*key).filter(|other| !same(other, value)) {
            return Err(Error::setting(format!("network.layers.{place}.{key}"), other)
                .expected(format!("{value}, since the layer's cell is {word}"))
                .remedy("cell = \"alif\" leaves it to the other settings"));
        }
        layer.insert((*key).into(), value.clone());
        layer.insert("cell".into(), "alif".into());
    }
    Ok(())
}

/// Whether two values are the same, where 0 is 0.0.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Integer(a), Value::Float(b)) | (Value::Float(b), Value::Integer(a)) => {
            *a as f64 == *b
        }
        (Value::Table(a), Value::Table(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        _ => a == b,
    }
}

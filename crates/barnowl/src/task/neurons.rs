//! Neurons that run from their equations, in a task: files are read, and settings of the neurons before them are dropped.

use crate::cell::equations;
use crate::error::Result;
use std::path::Path;
use toml::{Table, Value};

/// The settings that only adaptive neurons and the other cells have.
const OTHERS: [&str; 9] = [
    "cell",
    "b0",
    "beta",
    "resistance",
    "tau_m",
    "tau_adp",
    "train_time_constants",
    "initial_state",
    "parameters",
];

/// Those of a readout.
const OTHERS_OF_READOUT: [&str; 9] = [
    "kind",
    "b0",
    "beta",
    "resistance",
    "tau_m",
    "tau_adp",
    "train_time_constants",
    "initial_state",
    "parameters",
];

/// Reads the files that layers and the readout name as their neuron, from the folder of the task or from where the command runs.
///
/// # Errors
///
/// If a file cannot be read, or is no model.
pub(super) fn read_files(task: &mut Table, folder: &Path) -> Result<()> {
    for layer in parts(task) {
        let Some(Value::String(name)) = layer.get("neuron") else { continue };
        // FILE.toml, or FILE.toml:VARIANT.
        let (file, variant) = match name.rsplit_once(".toml:") {
            Some((stem, variant)) => (format!("{stem}.toml"), Some(variant)),
            None => (name.clone(), None),
        };
        if !file.ends_with(".toml") || name.contains('\n') {
            continue;
        }
        let beside = folder.join(&file);
        let path = if beside.is_file() { beside } else { Path::new(&file).to_path_buf() };
        let text = equations::read(&path, variant)?;
        layer.insert("neuron".into(), text.into());
    }
    Ok(())
}

/// Drops what was set of the neurons that a setting at `place`, such as `network.layers.0.neuron` or `.cell`, takes the
/// place of.
pub(super) fn replace(task: &mut Table, place: &str) {
    let others: Option<&[&str]> = match place {
        "network.readout.neuron" => Some(&OTHERS_OF_READOUT),
        "network.readout.kind" => Some(&["neuron", "parameters"]),
        _ => None,
    };
    if let (Some(others), Some(readout)) = (others, readout(task)) {
        others.iter().for_each(|key| {
            readout.remove(*key);
        });
        return;
    }
    let Some((number, key)) =
        place.strip_prefix("network.layers.").and_then(|rest| rest.split_once('.'))
    else {
        return;
    };
    let others: &[&str] = match key {
        "neuron" => &OTHERS,
        "cell" => &["neuron", "parameters"],
        _ => return,
    };
    let layer = number.parse::<usize>().ok().and_then(|number| layers(task).nth(number));
    if let Some(layer) = layer {
        others.iter().for_each(|key| {
            layer.remove(*key);
        });
    }
}

fn layers(task: &mut Table) -> impl Iterator<Item = &mut Table> {
    let network = task.get_mut("network").and_then(Value::as_table_mut);
    let layers =
        network.and_then(|network| network.get_mut("layers")).and_then(Value::as_array_mut);
    layers.into_iter().flatten().filter_map(Value::as_table_mut)
}

fn readout(task: &mut Table) -> Option<&mut Table> {
    let network = task.get_mut("network").and_then(Value::as_table_mut)?;
    network.get_mut("readout").and_then(Value::as_table_mut)
}

/// Layers and readout.
fn parts(task: &mut Table) -> Vec<&mut Table> {
    let Some(network) = task.get_mut("network").and_then(Value::as_table_mut) else {
        return Vec::new();
    };
    let mut parts = Vec::new();
    for (key, value) in network.iter_mut() {
        match (key.as_str(), value) {
            ("layers", Value::Array(layers)) => {
                parts.extend(layers.iter_mut().filter_map(Value::as_table_mut));
            }
            ("readout", Value::Table(readout)) => parts.push(readout),
            _ => {}
        }
    }
    parts
}

//! `barnowl tasks`: the built-in tasks.

use crate::args::Tasks;
use crate::data::describe;
use crate::print::{print_json, print_line};
use barnowl::dataset::catalog::{self, Status};
use barnowl::error::Result;
use barnowl::layer::LayerConfig;
use barnowl::network::NetworkConfig;
use barnowl::task::{BUILT_IN, DatasetConfig, TaskConfig};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

pub fn run(args: &Tasks) -> Result<ExitCode> {
    if args.reference {
        print_line(barnowl::task::reference().trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let data = args.data.directory();
    let data = data.as_deref();
    if let Some(name) = &args.name {
        let task = TaskConfig::load(name, &[])?;
        if args.output.json {
            print_json(&task)?;
        } else if args.all {
            print_line(task.to_commented_toml()?.trim_end())?;
        } else if let Some((_, text)) = BUILT_IN.iter().find(|(built_in, _)| built_in == name) {
            // The text itself, with its comments.
            print_line(text.trim_end())?;
        } else {
            print_line(task.to_toml()?.trim_end())?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let tasks: Result<Vec<TaskConfig>> =
        BUILT_IN.iter().map(|(name, _)| TaskConfig::load(name, &[])).collect();
    let tasks = tasks?;
    if args.output.json {
        let tasks: Vec<Value> = tasks.iter().map(|task| detail(task, data)).collect();
        print_json(&json!({ "tasks": tasks }))?;
    } else {
        print_line(&table(&tasks, data))?;
        if data.is_none() {
            print_line(
                "No data folder is given (--data DIR, or BARNOWL_DATA): for qtdb the built-in generator stands in.",
            )?;
        }
        print_line(
            "`barnowl tasks NAME` prints a task, with --all every setting; `barnowl data` says where data come from.",
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the data of a task are there, and what is missing.
fn status(task: &TaskConfig, data: Option<&Path>) -> String {
    let found = match catalog::source(task.dataset.source()) {
        Some(source) => describe(source, data),
        None => "not in the catalogue".into(),
    };
    match (&task.dataset, data) {
        (DatasetConfig::Ecg { .. }, None) => "none given: the built-in generator stands in".into(),
        _ => found,
    }
}

fn detail(task: &TaskConfig, data: Option<&Path>) -> Value {
    let layer = |layer: &LayerConfig| {
        json!({
            "size": layer.size,
            "recurrent": layer.recurrent,
            "bidirectional": layer.bidirectional,
        })
    };
    let TaskConfig { name, summary, dataset, network, .. } = task;
    json!({
        "name": name,
        "summary": summary,
        "data": dataset.source(),
        "data_status": status(task, data),
        "inputs": network.inputs,
        "layers": network.layers.iter().map(layer).collect::<Vec<_>>(),
        "classes": network.readout.size,
        "decoder": network.decode.kind,
    })
}

/// A row a task.
fn table(tasks: &[TaskConfig], data: Option<&Path>) -> String {
    let head = ["task", "data", "network", "decoder", "summary"].map(str::to_owned);
    let row = |task: &TaskConfig| {
        let TaskConfig { name, summary, dataset, network, .. } = task;
        let source = dataset.source();
        let status = data.and_then(|data| Some(catalog::source(source)?.status(data)));
        let found = match status {
            Some(Status::Complete) => ": there",
            Some(Status::Incomplete(_)) => ": incomplete",
            Some(Status::Absent) => ": not there",
            None => "",
        };
        let decoder = json!(network.decode.kind);
        [
            name.clone(),
            format!("{source}{found}"),
            sizes(network),
            decoder.as_str().unwrap_or_default().to_owned(),
            first_clauses(summary).to_owned(),
        ]
    };
    let rows: Vec<[String; 5]> = [head].into_iter().chain(tasks.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; 5] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Inputs, layers (ff: feed-forward; 2×: one set of neurons in each direction) and classes.
fn sizes(network: &NetworkConfig) -> String {
    let layer = |layer: &LayerConfig| {
        let twice = if layer.bidirectional { "2×" } else { "" };
        let forward = if layer.recurrent { "" } else { " ff" };
        format!("{twice}{}{forward}", layer.size)
    };
    let layers: Vec<String> = network.layers.iter().map(layer).collect();
    format!("{}–{}–{}", network.inputs, layers.join("–"), network.readout.size)
}

/// As many clauses of a summary as fit a line of the table.
fn first_clauses(summary: &str) -> &str {
    const MOST: usize = 64;
    if summary.len() <= MOST {
        return summary;
    }
    let ends = summary.match_indices([',', ':']).map(|(end, _)| end);
    let end = ends.take_while(|end| *end <= MOST).last();
    &summary[..end.unwrap_or(summary.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_ends_with_a_clause() {
        assert_eq!(first_clauses("Two gestures: short, or long"), "Two gestures: short, or long");
        let long =
            "Handwritten digits, pixel by pixel: ten classes after 784 steps of eight grey pixels";
        assert_eq!(first_clauses(long), "Handwritten digits, pixel by pixel");
        let one = "x".repeat(80);
        assert_eq!(first_clauses(&one), one);
    }
}

//! `barnowl tasks`: the built-in tasks.

use crate::args::Tasks;
use crate::data::describe;
use crate::{print_json, print_line};
use barnowl::dataset::catalog;
use barnowl::error::Result;
use barnowl::task::{BUILT_IN, DatasetConfig, TaskConfig};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// Whether the data of a task are there.
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

pub fn run(args: &Tasks) -> Result<ExitCode> {
    let data = args.data.directory.as_deref();
    if let Some(name) = &args.name {
        let task = TaskConfig::load(name, &[])?;
        if args.output.json {
            print_json(&task)?;
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
        let tasks: Vec<_> = tasks
            .iter()
            .map(|task| {
                json!({
                    "name": task.name,
                    "summary": task.summary,
                    "data": task.dataset.source(),
                    "data_status": status(task, data),
                })
            })
            .collect();
        print_json(&json!({ "tasks": tasks }))?;
    } else {
        let width = |text: fn(&TaskConfig) -> &str| {
            tasks.iter().map(|task| text(task).len()).max().unwrap_or(0)
        };
        let (name, source) = (width(|task| &task.name), width(|task| task.dataset.source()));
        for task in &tasks {
            let TaskConfig { name: task_name, summary, dataset, .. } = task;
            let found = dataset.source();
            print_line(&format!("{task_name:name$}  {summary}"))?;
            print_line(&format!("{:name$}  data: {found:source$}  {}", "", status(task, data)))?;
        }
        print_line(
            "\n`barnowl tasks NAME` prints a task; `barnowl data` says where data come from.",
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

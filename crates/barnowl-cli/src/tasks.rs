//! `barnowl tasks`: the built-in tasks.

use crate::args::Tasks;
use crate::{print_json, print_line};
use barnowl::error::Result;
use barnowl::task::{BUILT_IN, TaskConfig};
use serde_json::json;
use std::process::ExitCode;

pub fn run(args: &Tasks) -> Result<ExitCode> {
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
            .map(|task| json!({ "name": task.name, "summary": task.summary }))
            .collect();
        print_json(&json!({ "tasks": tasks }))?;
    } else {
        for task in tasks {
            print_line(&format!("{:10} {}", task.name, task.summary))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

//! `barnowl report`: runs as one page of HTML that needs no network, for a screen and for an appendix.

mod page;
mod section;

use crate::args::Report;
use crate::{print_json, print_line, set_threads};
use barnowl::error::{Error, Result};
use barnowl::file;
use barnowl::metric::Spread;
use page::Page;
use section::Run;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

pub fn run(args: &Report) -> Result<ExitCode> {
    set_threads(&args.threads)?;
    let data = args.data.directory.as_deref();
    let device = barnowl::device::open(&args.place.device)?;
    let runs: Result<Vec<Run>> =
        args.runs.iter().map(|path| Run::load(path, data, &device)).collect();
    let runs = runs?;
    let (Some(first), Some(folder)) = (runs.first(), args.runs.first()) else {
        return Err(Error::config("there is no run to report"));
    };
    let mut page = Page::new();
    let title = match runs.len() {
        1 => format!("{}: {}", first.task.name, first.task.summary),
        n => format!("{n} runs of {}", first.task.name),
    };
    if runs.len() > 1 {
        page.title(&title);
        overview(&mut page, &runs);
    }
    for run in &runs {
        run.write(&mut page, data)?;
    }
    let out = args.out.clone().unwrap_or_else(|| folder.join("report.html"));
    let text = page.finish(&title);
    file::write_atomic_bytes(&out, text.as_bytes())?;
    // The figures beside the page, for papers and slides.
    let beside = out.parent().unwrap_or(Path::new(""));
    for run in &runs {
        for (name, svg) in run.figures() {
            let name = match runs.len() {
                1 => format!("{name}.svg"),
                _ => format!("{}-{name}.svg", run.name),
            };
            file::write_atomic_bytes(beside.join(name), svg.as_bytes())?;
        }
    }
    if args.output.json {
        print_json(&json!({ "report": out, "bytes": text.len() }))?;
    } else {
        print_line(&format!("{} ({} kB)", out.display(), text.len().div_ceil(1000)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// All runs in one table, with mean and spread.
fn overview(page: &mut Page, runs: &[Run]) {
    let rows: Vec<Vec<String>> = runs.iter().map(Run::row).collect();
    let head = [
        "run",
        "seed",
        "best epoch",
        "validation accuracy",
        "test accuracy",
        "95 % interval",
        "spike rate",
    ];
    page.table(&head, &rows);
    if let Some(spread) = Spread::of(runs.iter().map(|run| run.evaluation.accuracy)) {
        let n = spread.runs;
        page.paragraph(&format!("Test accuracy over {n} runs: {spread:.4} (mean ± s.d.)."));
    }
}

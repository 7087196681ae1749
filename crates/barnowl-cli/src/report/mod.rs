//! `barnowl report`: runs as one page of HTML that needs no network, for a screen and for an appendix.

mod page;
mod section;

use crate::args::Report;
use crate::place::{on_device, set_threads};
use crate::print::{print_json, print_line};
use barnowl::error::{Error, Result};
use barnowl::file;
use barnowl::metric::{ScoreKind, Spread};
use barnowl::task::Split;
use barnowl::words::counted;
use burn::tensor::Device;
use page::Page;
use section::Run;
use serde_json::json;
use std::process::ExitCode;

pub fn run(args: &Report) -> Result<ExitCode> {
    set_threads(&args.threads)?;
    on_device(&args.place, |device| run_on(args, device))
}

fn run_on(args: &Report, device: &Device) -> Result<ExitCode> {
    let split = args.split.map(Split::from);
    let runs: Result<Vec<Run>> =
        args.runs.iter().map(|path| Run::load(path, &args.data, split, device)).collect();
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
        run.write(&mut page)?;
    }
    let out = args.out.clone().unwrap_or_else(|| folder.join("report.html"));
    let text = page.finish(&title);
    file::write_atomic_bytes(&out, text.as_bytes())?;
    if let Some(folder) = &args.figures {
        file::create_folder(folder)?;
        for run in &runs {
            for (name, svg) in run.figures() {
                let path = folder.join(format!("{}-{name}.svg", run.name));
                file::write_atomic_bytes(path, svg.as_bytes())?;
            }
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
        "epoch kept",
        "its validation score",
        "judged on",
        "score",
        "95 % interval",
        "spike rate",
    ];
    page.table(&head, &rows);
    // Numbers of different parts have no mean.
    for split in Split::ALL {
        for (kind, name) in [(ScoreKind::Accuracy, "Accuracy"), (ScoreKind::R2, "R²")] {
            let of_split =
                runs.iter().filter(|run| run.split() == split && run.evaluation.judged_by == kind);
            let Some(spread) = Spread::of(of_split.map(|run| run.evaluation.score)) else {
                continue;
            };
            let (n, purpose) = (spread.runs, split.purpose());
            page.paragraph(&format!(
                "{name} on {purpose} data over {}: {spread:.4} (mean ± s.d.).",
                counted(n, "run")
            ));
        }
    }
}

//! `barnowl study` and `barnowl sweep`: many runs of one task, compared.
//!
//! | file | holds |
//! | --- | --- |
//! | `plan.json` | the variants with their settings, and the seeds |
//! | `runs/VARIANT/seed-S/` | a run folder each, as of `barnowl train` |
//! | `runs.csv`, `summary.json` | every run; and mean ± s.d. of every variant |
//! | `summary.md`, `summary.svg` | the same as a table and a plot |

mod builtin;
mod plan;
mod record;
mod runner;
mod summary;

use crate::args::{Jobs, Study, Sweep, Train};
use crate::exit::{DIVERGED, INTERRUPTED};
use crate::place::on_device;
use crate::print::{print_json, print_line};
use crate::settings;
use barnowl::error::{Error, Result};
use barnowl::file;
use barnowl::words::counted;
use burn::tensor::Device;
use plan::{Plan, Variant};
use record::End;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use summary::Summary;

/// `barnowl study`.
pub fn study(args: &Study) -> Result<ExitCode> {
    let epochs = args.epochs.map(|epochs| epochs.to_string());
    let settings = settings::join([("--epochs", "train.epochs", epochs)], &args.set)?;
    let data = args.data.directory();
    let plan = builtin::plan(args, data.as_deref(), &settings)?;
    let name = format!("{}-{}", args.study.name(), stem(Path::new(&args.task)));
    let folder = args.out.clone().unwrap_or_else(|| default_folder(&name));
    run(&plan, &folder, data.as_deref(), &args.jobs, args.output.json)
}

/// `barnowl sweep`.
pub fn sweep(args: &Sweep) -> Result<ExitCode> {
    let plan = Plan::read(&args.file)?;
    let name = stem(&args.file);
    let folder = args.out.clone().unwrap_or_else(|| default_folder(&name));
    run(&plan, &folder, args.data.directory().as_deref(), &args.jobs, args.output.json)
}

/// `barnowl train --seeds N`: a study of one variant.
pub fn seeds(args: &Train, count: u16, settings: Vec<String>) -> Result<ExitCode> {
    let task = args.task.clone().unwrap_or_default();
    let name = stem(Path::new(&task));
    let plan = Plan {
        title: format!("{name}, {}", counted(count, "seed")),
        task,
        seeds: (1..=u64::from(count)).collect(),
        variants: vec![Variant::new(name.clone(), settings)],
        median_stopping: None,
        search: false,
        cross_validation: false,
    };
    plan.check()?;
    let folder =
        args.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("{name}-seeds")));
    let jobs = Jobs {
        jobs: None,
        threads: args.threads.clone(),
        place: args.place.clone(),
        tensorboard: args.tensorboard,
    };
    run(&plan, &folder, args.data.directory().as_deref(), &jobs, args.output.json)
}

fn default_folder(name: &str) -> PathBuf {
    Path::new("studies").join(name)
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or("study".into(), |name| name.to_string_lossy().into_owned())
}

fn run(
    plan: &Plan,
    folder: &Path,
    data: Option<&Path>,
    jobs: &Jobs,
    json: bool,
) -> Result<ExitCode> {
    on_device(&jobs.place, |device| run_on(device, plan, folder, data, jobs, json))
}

fn run_on(
    device: &Device,
    plan: &Plan,
    folder: &Path,
    data: Option<&Path>,
    jobs: &Jobs,
    json: bool,
) -> Result<ExitCode> {
    let mut said = BTreeSet::new();
    for variant in &plan.variants {
        let seed = plan.seeds.first().copied().unwrap_or_default();
        for warning in plan.task_of(variant, seed)?.warnings()? {
            if said.insert(warning.clone()) {
                eprintln!("warning: {}: {warning}", variant.name);
            }
        }
    }
    file::create_folder(folder)?;
    let _lock = file::FolderLock::acquire(folder)?;
    runner::check(plan, folder)?;
    let text = serde_json::to_string_pretty(plan)
        .map_err(|error| Error::format(format!("the plan cannot be written: {error}")))?;
    file::write_atomic_bytes(folder.join("plan.json"), text.as_bytes())?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let cores = jobs.threads.threads.map_or(cores, usize::from);
    let runs = plan.variants.len() * plan.seeds.len();
    let tensorboard = jobs.tensorboard.on;
    let at_once = if *device == Device::flex() { cores } else { 1 };
    let jobs = jobs.jobs.map_or(at_once, usize::from).min(runs).max(1);
    eprintln!(
        "{}: {} × {}, {jobs} at a time · {}",
        plan.title,
        counted(plan.variants.len(), "variant"),
        counted(plan.seeds.len(), "seed"),
        folder.display()
    );
    let threads = (cores / jobs).max(1);
    let Some(records) = runner::run(plan, folder, data, device, [jobs, threads], tensorboard)?
    else {
        eprintln!("stopped; the same command goes on where it was");
        return Ok(ExitCode::from(INTERRUPTED));
    };
    let summary = Summary::of(plan, &records);
    summary.write(folder)?;
    if json {
        print_json(&summary.json()?)?;
    } else {
        print_line(summary.table().trim_end())?;
        eprintln!("all runs, table and plot: {}", folder.display());
    }
    // One run that diverged is a result of a comparison; where all did, there is none.
    let diverged = records.iter().all(|run| run.end == End::Diverged);
    Ok(if diverged { ExitCode::from(DIVERGED) } else { ExitCode::SUCCESS })
}

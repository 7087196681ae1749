//! `barnowl train`: a run from start, or from its checkpoint, to the plots.

use crate::args::Train;
use crate::eval::{boundaries, model_file, summary};
use crate::interrupt::Interrupt;
use crate::progress::{Progress, human};
use crate::tensorboard::Recorder;
use crate::{INTERRUPTED, plots, print_json, print_line, set_threads, table};
use barnowl::dataset::Dataset;
use barnowl::error::{Error, Result};
use barnowl::metric::boundary::ClassBoundaries;
use barnowl::model::Model;
use barnowl::task::{Split, TaskConfig};
use barnowl::train::run::RunFolder;
use barnowl::train::{
    BatchReport, Control, EpochReport, Evaluation, Observer, Outcome, Trainer, Warnings, evaluate,
};
use burn::tensor::Device;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

pub fn run(args: &Train) -> Result<ExitCode> {
    if let Some(count) = args.seeds {
        return crate::study::seeds(args, count, overrides(args)?);
    }
    set_threads(&args.threads)?;
    let device = barnowl::device::open(&args.place.device)?;
    let task = TaskConfig::load(&args.task, &overrides(args)?)?;
    let data_folder = args.data.directory.as_deref();
    let (data, valid) = task.training_data(data_folder)?;
    // Read now: a test file that is missing or damaged should not come to light after an hour.
    let test = match args.no_test {
        true => None,
        false => Some(task.data(data_folder, Split::Test)?),
    };
    let origin = data.origin();

    let path = args.out.clone().unwrap_or_else(|| default_folder(&task.name, args.resume));
    let (folder, mut trainer) = if args.resume {
        let folder = RunFolder::open(path)?;
        let trainer = folder.resume(&task, origin, &device)?;
        (folder, trainer)
    } else {
        (RunFolder::create(path, &task)?, Trainer::new(&task.network, &task.train, &device)?)
    };
    eprintln!("data: {origin}");
    eprintln!(
        "{} sequences to train on, {} to validate, {} · run folder {}",
        data.samples(),
        valid.samples(),
        match &test {
            Some(test) => format!("{} to test", test.samples()),
            None => "no test".to_owned(),
        },
        folder.path().display()
    );

    let mut warnings = Warnings::default();
    let mut parts = vec![("training", &data), ("validation", &valid)];
    parts.extend(test.as_ref().map(|test| ("test", test)));
    warnings.of_data(&parts).iter().for_each(|text| eprintln!("warning: {text}"));

    let tensorboard = match args.tensorboard.on {
        true => Some(Recorder::create(&folder, &trainer)?),
        false => None,
    };
    let interrupt = Interrupt::listen()?;
    let started = Instant::now();
    let batches = data.samples().div_ceil(task.train.batch);
    let progress = Progress::new(task.train.epochs, batches, trainer.progress().epoch);
    let mut record = Record {
        folder: &folder,
        task: &task,
        data: origin,
        valid: &valid,
        progress,
        interrupt: &interrupt,
        tensorboard,
        warnings,
    };
    let outcome = trainer.run(&data, &valid, &mut record);
    record.progress.finish();
    let mut warnings = record.warnings;
    match outcome? {
        Outcome::Interrupted => {
            folder.save_checkpoint(&trainer, &task, origin)?;
            eprintln!(
                "stopped in epoch {}; go on with: barnowl train {} --out {} --resume (and the same settings)",
                trainer.progress().epoch + 1,
                args.task,
                folder.path().display()
            );
            return Ok(ExitCode::from(INTERRUPTED));
        }
        Outcome::EarlyStopped => eprintln!(
            "no better validation accuracy for {} epochs: stopped early",
            task.train.patience.unwrap_or_default()
        ),
        Outcome::Finished => {}
    }
    let (split, judge) = match &test {
        Some(test) => (Split::Test, test),
        None => (Split::Valid, &valid),
    };
    let Conclusion { result, evaluation, boundaries, reports } =
        conclude(&task, &folder, (split, judge), &device, started, &mut warnings)?;
    if args.output.json {
        print_json(&result)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(best) = reports.iter().rfind(|report| report.best) {
        print_line(&format!(
            "best of {} epochs: epoch {}, validation accuracy {:.4} · {}",
            reports.len(),
            best.epoch,
            best.valid_accuracy,
            human(started.elapsed())
        ))?;
    }
    print_line(&format!("{} data: {}", split.purpose(), judge.origin()))?;
    print_line(
        table::evaluation(&evaluation, judge.class_names(), boundaries.as_deref()).trim_end(),
    )?;
    eprintln!("model, metrics and plots: {}", folder.path().display());
    Ok(ExitCode::SUCCESS)
}

/// What a run came to.
pub struct Conclusion {
    /// As it stands in `result.json`.
    pub result: Value,
    pub evaluation: Evaluation,
    pub boundaries: Option<Vec<ClassBoundaries>>,
    pub reports: Vec<EpochReport>,
}

/// Evaluates the best model on the test data, once (or, in a trial, on the validation data), and writes result and plots.
/// `data` are those of `split`.
pub fn conclude(
    task: &TaskConfig,
    folder: &RunFolder,
    (split, data): (Split, &Dataset),
    device: &Device,
    started: Instant,
    warnings: &mut Warnings,
) -> Result<Conclusion> {
    let model = Model::load(folder.best_file(), device)?;
    let evaluation = evaluate(&model.network, &task.network, data, task.train.batch)?;
    let said = warnings.of_result(split.purpose(), data, &evaluation);
    said.iter().for_each(|text| eprintln!("warning: {text}"));
    let boundaries = boundaries(task, data, &evaluation);
    let reports = folder.reports()?;
    plots::write(folder, task, &model, data, &evaluation, &reports)?;
    let best = reports.iter().rfind(|report| report.best);
    let result = json!({
        "task": task.name,
        "run": folder.path(),
        "seed": task.train.seed,
        "parameters": model.network.parameters(),
        "epochs": reports.len(),
        "seconds": started.elapsed().as_secs_f64(),
        "best_epoch": best.map(|report| report.epoch),
        "valid_accuracy": best.map(|report| report.valid_accuracy),
        "warnings": warnings.all(),
        split.name(): summary(task, split, data, &evaluation, boundaries.as_deref()),
    });
    folder.write("result.json", &format!("{result}\n"))?;
    Ok(Conclusion { result, evaluation, boundaries, reports })
}

/// The flags as settings, before those of --set.
fn overrides(args: &Train) -> Result<Vec<String>> {
    let init = args.init.as_deref().map(model_file).transpose()?;
    let flags = [
        args.epochs.map(|epochs| format!("train.epochs={epochs}")),
        args.batch.map(|batch| format!("train.batch={batch}")),
        args.seed.map(|seed| format!("train.seed={seed}")),
        // A string of JSON is one of TOML.
        init.map(|model| format!("train.init={}", json!(model))),
    ];
    Ok(flags.into_iter().flatten().chain(args.set.iter().cloned()).collect())
}

/// `runs/TASK-N`: the first number that is free, or to resume, the last that is there.
fn default_folder(task: &str, resume: bool) -> PathBuf {
    let folder = |n: usize| Path::new("runs").join(format!("{task}-{n}"));
    let free = (1..).find(|&n| !folder(n).exists()).unwrap_or(1);
    folder(if resume { free.saturating_sub(1).max(1) } else { free })
}

/// Writes every epoch to the run folder and moves the bar.
struct Record<'a> {
    folder: &'a RunFolder,
    task: &'a TaskConfig,
    data: &'a str,
    valid: &'a Dataset,
    progress: Progress,
    interrupt: &'a Interrupt,
    tensorboard: Option<Recorder>,
    warnings: Warnings,
}

impl Observer for Record<'_> {
    fn batch(&mut self, report: &BatchReport) -> Control {
        self.progress.batch(report);
        if self.interrupt.is_set() { Control::Stop } else { Control::Continue }
    }

    fn epoch(&mut self, report: &EpochReport, trainer: &Trainer) -> Result<()> {
        self.progress.epoch(report);
        for text in self.warnings.of_epoch(&self.task.network, report) {
            self.progress.say(&format!("warning: {text}"));
        }
        let remedy = |error: Error| {
            error.remedy("free some space or permissions; the run can go on with --resume")
        };
        self.folder.record(report, trainer, self.task, self.data).map_err(remedy)?;
        match &mut self.tensorboard {
            Some(events) => events.epoch(self.task, self.valid, report, trainer).map_err(remedy),
            None => Ok(()),
        }
    }
}

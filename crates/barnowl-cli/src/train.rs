//! `barnowl train`: a run from start, or from its checkpoint, to the plots.

use crate::args::Train;
use crate::conclusion::{Conclusion, conclude};
use crate::eval::model_file;
use crate::exit::INTERRUPTED;
use crate::interrupt::Interrupt;
use crate::place::{on_device, set_threads};
use crate::print::{print_json, print_line};
use crate::progress::{Progress, human};
use crate::tensorboard::Recorder;
use crate::{settings, table};
use barnowl::dataset::{DataCard, Dataset};
use barnowl::error::{Error, ErrorKind, Result};
use barnowl::task::{DatasetConfig, Prepared, Split, TaskConfig};
use barnowl::train::run::{RunData, RunFolder};
use barnowl::train::{BatchReport, Control, EpochReport, Observer, Outcome, Trainer, Warnings};
use barnowl::words::counted;
use burn::tensor::Device;
use serde_json::json;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

pub fn run(args: &Train) -> Result<ExitCode> {
    if let Some(count) = args.seeds {
        return crate::study::seeds(args, count, overrides(args)?);
    }
    set_threads(&args.threads)?;
    on_device(&args.place, |device| run_on(args, device))
}

fn run_on(args: &Train, device: &Device) -> Result<ExitCode> {
    let start = if args.resume { Start::again(args)? } else { Start::anew(args)? };
    let Start { task, directory, folder } = start;
    for warning in task.warnings()? {
        eprintln!("warning: {warning}");
    }
    // The test file is read now: one that is missing or damaged should not come to light after an hour.
    let Prepared { train: data, valid, test, card } =
        task.prepare(directory.as_deref(), !args.no_test)?;
    let data_of_run = RunData { directory, card };
    let card = &data_of_run.card;
    let (folder, mut trainer) = match folder {
        Some(folder) => {
            let trainer = folder.resume(&task, &data_of_run, device)?;
            (folder, trainer)
        }
        None => {
            let trainer = Trainer::new(&task.network, &task.train, device)?;
            trainer.check(&data, &valid)?;
            let folder = match &args.out {
                Some(path) => RunFolder::create(path, &task, &data_of_run)?,
                None => RunFolder::create_next(RUNS, &task.name, &task, &data_of_run)?,
            };
            (folder, trainer)
        }
    };
    match &task.dataset {
        // What the network gets, of data that nobody has looked at before.
        DatasetConfig::Own(_) => eprintln!("{}", data.summary().to_string().trim_end()),
        _ => eprintln!("data: {}", data.origin()),
    }
    let mut said = HashSet::new();
    for note in [&data, &valid].into_iter().chain(&test).flat_map(Dataset::notes) {
        if said.insert(note) {
            eprintln!("note: {note}");
        }
    }
    eprintln!(
        "{} to train on, {} to validate, {} · run folder {}",
        counted(data.samples(), "sequence"),
        valid.samples(),
        match &test {
            Some(test) if task.train.holds_out() => format!("{} held out", test.samples()),
            Some(test) => format!("{} to test", test.samples()),
            None => "no test".to_owned(),
        },
        folder.path().display()
    );

    let mut warnings = Warnings::default();
    let mut parts = vec![("training", &data), ("validation", &valid)];
    parts.extend(test.as_ref().map(|test| ("test", test)));
    let said = [warnings.of_data(&parts), warnings.of_repeats(card)].concat();
    said.iter().for_each(|text| eprintln!("warning: {text}"));

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
        card,
        valid: &valid,
        progress,
        interrupt: &interrupt,
        tensorboard,
        warnings,
    };
    let outcome = trainer.run(&data, &valid, &mut record);
    record.progress.finish();
    let resume = resume(folder.path(), args);
    let mut warnings = record.warnings;
    match outcome.map_err(|error| with_the_way_back(error, &folder.checkpoint_file(), &resume))? {
        Outcome::Interrupted => {
            folder.save_checkpoint(&trainer, &task, card)?;
            eprintln!("stopped in epoch {}; go on with: {}", trainer.progress().epoch + 1, resume);
            return Ok(ExitCode::from(INTERRUPTED));
        }
        Outcome::EarlyStopped => eprintln!(
            "no better validation {} for {}: stopped early",
            task.network.decode.answer.judged_by().name(),
            counted(task.train.patience.unwrap_or_default(), "epoch")
        ),
        Outcome::Finished => {}
    }
    let (split, judge) = match &test {
        Some(test) => (Split::Test, test),
        None => (Split::Valid, &valid),
    };
    let Conclusion { result, evaluation, boundaries, reports } =
        conclude(&task, &folder, (split, judge), device, started, &mut warnings)?;
    if args.output.json {
        print_json(&result)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(best) = reports.iter().rfind(|report| report.best) {
        print_line(&format!(
            "{} of {}: epoch {}, validation {} {:.4} · {}",
            task.train.keep.word(),
            counted(reports.len(), "epoch"),
            best.epoch,
            best.judged_by.name(),
            best.valid_score,
            human(started.elapsed())
        ))?;
    }
    print_line(&match task.train.holds_out() && test.is_some() {
        true => format!("held-out {} of {}", counted(judge.samples(), "sequence"), judge.origin()),
        false => format!("{} data: {}", split.purpose(), judge.origin()),
    })?;
    print_line(
        table::evaluation(&evaluation, judge.class_names(), boundaries.as_deref()).trim_end(),
    )?;
    eprintln!("model, metrics and plots: {}", folder.path().display());
    Ok(ExitCode::SUCCESS)
}

/// The command with which a run goes on.
fn resume(folder: &Path, args: &Train) -> String {
    let no_test = if args.no_test { " --no-test" } else { "" };
    let device = match args.place.device.as_str() {
        "cpu" => String::new(),
        device => format!(" --device {device}"),
    };
    let tensorboard = if args.tensorboard.on { " --tensorboard" } else { "" };
    format!("barnowl train --resume --out {}{no_test}{device}{tensorboard}", shell_word(folder))
}

/// The failure of a device with what there is of the run, and how it goes on.
fn with_the_way_back(error: Error, checkpoint: &Path, resume: &str) -> Error {
    match error.kind() {
        ErrorKind::Device if checkpoint.exists() => error.remedy(format!(
            "the last checkpoint is {}; go on with: {resume}",
            checkpoint.display()
        )),
        _ => error,
    }
}

/// The flags as settings, before those of --set.
fn overrides(args: &Train) -> Result<Vec<String>> {
    let init = args.init.as_deref().map(model_file).transpose()?;
    let number = |number: Option<usize>| number.map(|number| number.to_string());
    let flags = [
        ("--epochs", "train.epochs", number(args.epochs)),
        ("--batch", "train.batch", number(args.batch)),
        ("--seed", "train.seed", args.seed.map(|seed| seed.to_string())),
        // A string of JSON is one of TOML.
        ("--init", "train.init", init.map(|model| json!(model).to_string())),
    ];
    settings::join(flags, &args.set)
}

/// The folder of runs that are not told where to go.
const RUNS: &str = "runs";

/// What a run starts from.
struct Start {
    task: TaskConfig,
    /// The data folder, from the root of the file system on.
    directory: Option<PathBuf>,
    /// The folder of the run that goes on, if one does.
    folder: Option<RunFolder>,
}

impl Start {
    /// A new run.
    fn anew(args: &Train) -> Result<Self> {
        let name = args.task.as_deref().unwrap_or_default();
        let task = TaskConfig::load(name, &overrides(args)?)?;
        Ok(Self { task, directory: absolute(args.data.directory())?, folder: None })
    }

    /// A run that goes on: with its own settings and data, but for those that are given.
    fn again(args: &Train) -> Result<Self> {
        let given = match &args.task {
            Some(name) => Some(TaskConfig::load(name, &overrides(args)?)?),
            None => None,
        };
        let path = match (&args.out, &given) {
            (Some(path), _) => path.clone(),
            (None, Some(task)) => RunFolder::last(RUNS, &task.name),
            // The command line asks for one of them.
            (None, None) => PathBuf::from(RUNS),
        };
        let folder = RunFolder::reopen(path)?;
        let task = folder.task(&overrides(args)?)?;
        if let Some(given) = given.filter(|given| given.name != task.name) {
            return Err(Error::mismatch(format!("the run is one of {}", task.name))
                .in_file(folder.path())
                .expected(given.name)
                .remedy("name the folder of the run with --out"));
        }
        let directory = match (args.data.given(), folder.data()?) {
            (Some(given), _) => Some(given),
            (None, Some(of_run)) => of_run.directory,
            (None, None) => args.data.directory(),
        };
        Ok(Self { task, directory: absolute(directory)?, folder: Some(folder) })
    }
}

/// A path that means the same wherever a later command runs.
pub fn absolute(path: Option<PathBuf>) -> Result<Option<PathBuf>> {
    let absolute =
        |path: PathBuf| std::path::absolute(&path).map_err(|error| Error::io("find", &path, error));
    path.map(absolute).transpose()
}

/// A path as one word of a shell.
pub fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// Writes every epoch to the run folder and moves the bar.
struct Record<'a> {
    folder: &'a RunFolder,
    task: &'a TaskConfig,
    card: &'a DataCard,
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
        self.folder.record(report, trainer, self.task, self.card).map_err(remedy)?;
        match &mut self.tensorboard {
            Some(events) => events.epoch(self.task, self.valid, report, trainer).map_err(remedy),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use crate::exit::status;
    use clap::Parser;

    #[test]
    fn a_device_that_fails_leaves_a_checkpoint_to_go_on_from() {
        let line = ["barnowl", "train", "ecg", "--no-test", "--device", "wgpu:0"];
        let Command::Train(args) = Cli::parse_from(line).command else { panic!("not train") };
        let resume = resume(Path::new("runs/ecg 1"), &args);
        assert_eq!(resume, "barnowl train --resume --out 'runs/ecg 1' --no-test --device wgpu:0");
        let failure = || Error::new(ErrorKind::Device, "epoch 3: the device wgpu:0 failed: lost");
        // Any file that is there.
        let file = std::env::current_exe().unwrap();
        let error = with_the_way_back(failure(), &file, &resume);
        let expected = format!(
            "epoch 3: the device wgpu:0 failed: lost\n  the last checkpoint is {}; go on with: {resume}",
            file.display()
        );
        assert_eq!((error.to_string(), status(&error)), (expected, 4));
        let error = with_the_way_back(failure(), Path::new("none"), &resume);
        assert!(!error.to_string().contains("go on"));
        let error = with_the_way_back(Error::divergence("no number"), &file, &resume);
        assert_eq!((error.to_string().as_str(), status(&error)), ("no number", 3));
    }
}

//! Runs a study's trainings, several at a time, each on its share of the threads.
//!
//! A run does not know of the others: its bits are those of `barnowl train` with the same settings. What is finished on
//! disk is not run again, what was interrupted goes on from its checkpoint.

use super::plan::{Plan, Variant};
use super::record::{End, RunRecord, named};
use crate::conclusion::conclude;
use crate::interrupt::Interrupt;
use crate::progress::bar;
use crate::tensorboard::Recorder;
use barnowl::dataset::{DataCard, Dataset};
use barnowl::device::guard;
use barnowl::error::{Error, ErrorKind, Result};
use barnowl::file;
use barnowl::task::{Prepared, Split, TaskConfig};
use barnowl::train::run::{RunData, RunFolder};
use barnowl::train::{BatchReport, Control, EpochReport, Observer, Outcome, Trainer, Warnings};
use burn::tensor::Device;
use indicatif::ProgressBar;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The file in a run's folder that says that it is not to be run again.
const ENDED: &str = "ended.json";

/// Training, validation and test data, where they are and what they are.
struct Parts {
    train: Dataset,
    valid: Dataset,
    test: Dataset,
    known: RunData,
}

/// What looks wrong with the data.
fn warnings_of(Parts { train: data, valid, test, known }: &Parts) -> Warnings {
    let mut warnings = Warnings::default();
    warnings.of_data(&[("training", data), ("validation", valid), ("test", test)]);
    warnings.of_repeats(&known.card);
    warnings
}

/// A study under way.
struct Study<'a> {
    plan: &'a Plan,
    folder: &'a Path,
    data: Option<&'a Path>,
    interrupt: Interrupt,
    /// Set by the first run that fails.
    failed: AtomicBool,
    /// Data sets by what makes them, since most variants share them.
    parts: Mutex<HashMap<String, Arc<Parts>>>,
    /// The best validation accuracy after every epoch, of every variant's first seed.
    scores: Mutex<HashMap<usize, Vec<f64>>>,
    /// Variants whose first seed was stopped.
    hopeless: Mutex<HashSet<String>>,
    bar: ProgressBar,
    tensorboard: bool,
    device: &'a Device,
}

/// Runs what is left of a plan on `device`, `jobs` runs at a time with `threads` threads each; with `tensorboard`, each
/// writes its events. `None`: interrupted.
///
/// # Errors
///
/// The first error of a run that is no divergence; the others stop with their checkpoints saved.
pub fn run(
    plan: &Plan,
    folder: &Path,
    data: Option<&Path>,
    device: &Device,
    [jobs, threads]: [usize; 2],
    tensorboard: bool,
) -> Result<Option<Vec<RunRecord>>> {
    let runs: Vec<(&Variant, u64)> = plan.runs().collect();
    let study = Study {
        plan,
        folder,
        data,
        interrupt: Interrupt::listen()?,
        failed: AtomicBool::new(false),
        parts: Mutex::default(),
        scores: Mutex::default(),
        hopeless: Mutex::default(),
        bar: bar(1000 * runs.len() as u64),
        tensorboard,
        device,
    };
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<(usize, RunRecord)>> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|error| Error::config(format!("cannot start threads: {error}")))?;
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::SeqCst);
            let Some((variant, seed)) = runs.get(i).filter(|_| !study.is_over()) else {
                break;
            };
            // In its own thread: a panic is the thread's in which it is.
            let run = || guard(device, || study.run(i, variant, *seed));
            match pool.install(run) {
                Ok(Some(record)) => done.push((i, record)),
                Ok(None) => break,
                Err(error) => {
                    study.failed.store(true, Ordering::SeqCst);
                    return Err(error.during(format!("{}, seed {seed}", variant.name)));
                }
            }
        }
        Ok(done)
    };
    let results: Vec<Result<Vec<_>>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().map(join).collect()
    });
    study.bar.finish_and_clear();
    let mut records = Vec::new();
    for result in results {
        records.extend(result?);
    }
    if records.len() < runs.len() {
        return Ok(None);
    }
    records.sort_by_key(|(i, _)| *i);
    Ok(Some(records.into_iter().map(|(_, record)| record).collect()))
}

/// A lock whose holder has panicked still guards good values: each is written in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Refuses a folder that holds runs of other settings: before anything runs.
///
/// # Errors
///
/// Names the first run of the plan whose configuration is another.
pub fn check(plan: &Plan, folder: &Path) -> Result<()> {
    for (variant, seed) in plan.runs() {
        ended(&folder.join(variant.run_folder(seed)), &plan.task_of(variant, seed)?)
            .map_err(|error| error.during(format!("{}, seed {seed}", variant.name)))?;
    }
    Ok(())
}

/// The record of a run that has ended before, of the same task.
fn ended(path: &Path, task: &TaskConfig) -> Result<Option<RunRecord>> {
    let config = path.join("config.toml");
    if !config.is_file() {
        return Ok(None);
    }
    if file::read_text(&config)? != task.to_toml()? {
        return Err(Error::mismatch("the run was started with another configuration")
            .in_file(&config)
            .remedy(
                "give another folder with --out, or the settings of the study that is in this one",
            ));
    }
    let ended = path.join(ENDED);
    if ended.is_file() {
        let record = serde_json::from_str(&file::read_text(&ended)?).map_err(|error| {
            Error::format(format!("not the end of a run: {error}"))
                .in_file(&ended)
                .remedy("remove the file: the run will go on from its checkpoint")
        })?;
        return Ok(Some(record));
    }
    Ok(None)
}

impl Study<'_> {
    fn is_over(&self) -> bool {
        self.interrupt.is_set() || self.failed.load(Ordering::SeqCst)
    }

    /// One run, from where it is to its end. `None`: interrupted.
    fn run(&self, index: usize, variant: &Variant, seed: u64) -> Result<Option<RunRecord>> {
        let task = self.plan.task_of(variant, seed)?;
        let relative = variant.run_folder(seed);
        let path = self.folder.join(&relative);
        let name = format!("{}, seed {seed}", variant.name);
        if lock(&self.hopeless).contains(&variant.name) {
            self.bar.inc(1000);
            let mut record = RunRecord::new(End::Stopped, seed);
            record.note = Some("not run: the first seed was below the median".into());
            (record.folder, record.variant) = (relative, variant.name.clone());
            self.say(index, &name, &record);
            return Ok(Some(record));
        }
        let mut record = match ended(&path, &task)? {
            Some(record) => {
                self.compare_data(&path, &task, &name)?;
                self.bar.inc(1000);
                if self.is_first(seed) {
                    self.learn_of(&path)?;
                }
                record
            }
            None => match self.train(&path, &task, &name)? {
                Some(record) => record,
                None => return Ok(None),
            },
        };
        if self.is_first(seed) && record.end == End::Stopped {
            lock(&self.hopeless).insert(variant.name.clone());
        }
        record.folder = relative;
        record.variant.clone_from(&variant.name);
        record.seed = seed;
        record.parameters = Some(task.network.init(&Device::flex(), seed)?.parameters());
        self.say(index, &name, &record);
        Ok(Some(record))
    }

    fn say(&self, index: usize, name: &str, record: &RunRecord) {
        let runs = self.plan.variants.len() * self.plan.seeds.len();
        let percent = |accuracy: Option<f64>| {
            accuracy.map_or("–".to_owned(), |accuracy| format!("{accuracy:.4}"))
        };
        let end = match record.end {
            End::Finished => String::new(),
            _ => format!(" · {}", record.note.as_deref().unwrap_or("ended early")),
        };
        self.bar.suspend(|| {
            eprintln!(
                "run {} of {runs}: {name}: validation {} {} at epoch {}{end}",
                index + 1,
                record.judged_by.name(),
                percent(record.valid_score),
                record.best_epoch.unwrap_or_default(),
            );
        });
    }

    fn warn(&self, name: &str, text: &str) {
        self.bar.suspend(|| eprintln!("warning: {name}: {text}"));
    }

    /// Only first seeds are judged: the mean of a variant that passes is over all its seeds, and one that does not is not
    /// run again.
    fn is_first(&self, seed: u64) -> bool {
        self.plan.seeds.first() == Some(&seed)
    }

    /// Scores of a run of an earlier call.
    fn learn_of(&self, path: &Path) -> Result<()> {
        let mut best = f64::NEG_INFINITY;
        for report in RunFolder::open(path)?.reports()? {
            best = best.max(report.valid_score);
            lock(&self.scores).entry(report.epoch).or_default().push(best);
        }
        Ok(())
    }

    /// Refuses a run of an earlier call that was on other data: it would stand in one table with those on these.
    fn compare_data(&self, path: &Path, task: &TaskConfig, name: &str) -> Result<()> {
        let Some(before) = RunFolder::open(path)?.data()? else {
            return Ok(());
        };
        let parts = self.parts(task, name)?;
        let changed = before.card.changed_parts(&parts.known.card);
        if changed.is_empty() {
            return Ok(());
        }
        Err(Error::mismatch(format!(
            "the run was on other {} data: {}",
            changed.join(" and "),
            before.card.origin
        ))
        .in_file(path)
        .expected(parts.known.card.origin.clone())
        .remedy("give the data of the study that is in this folder with --data, or another folder with --out"))
    }

    fn parts(&self, task: &TaskConfig, name: &str) -> Result<Arc<Parts>> {
        let train = &task.train;
        let held_out = (train.fold, &train.leave_out);
        // All that the parts depend on.
        let to_be_found = (task.forecast, task.network.decode.answer);
        let key = format!(
            "{:?} {to_be_found:?} {} {} {held_out:?}",
            task.dataset, train.validation, train.split_seed
        );
        // Held while loading: others wait rather than load the same again.
        let mut parts = lock(&self.parts);
        if let Some(found) = parts.get(&key) {
            // What fits one network may not fit another.
            task.check(&found.train)?;
            return Ok(found.clone());
        }
        let Prepared { train, valid, test, card } = task.prepare(self.data, true)?;
        let test = test.ok_or_else(|| Error::mismatch("the data have no test part"))?;
        let directory = self.data.map(std::path::absolute).transpose();
        let directory = directory.map_err(|error| Error::config(format!("--data: {error}")))?;
        let known = RunData { directory, card };
        let loaded = Arc::new(Parts { train, valid, test, known });
        for text in warnings_of(&loaded).all() {
            self.warn(name, text);
        }
        parts.insert(key, loaded.clone());
        Ok(loaded)
    }

    /// Trains to the end and writes down how it came.
    fn train(&self, path: &Path, task: &TaskConfig, name: &str) -> Result<Option<RunRecord>> {
        let parts = self.parts(task, name)?;
        let Parts { train: data, valid, test, known } = &*parts;
        let (folder, mut trainer) = if path.join("config.toml").is_file() {
            let folder = RunFolder::reopen(path)?;
            let trainer = folder.resume(task, known, self.device)?;
            if self.is_first(task.train.seed) {
                self.learn_of(path)?;
            }
            (folder, trainer)
        } else {
            let trainer = Trainer::new(&task.network, &task.train, self.device)?;
            trainer.check(data, valid)?;
            (RunFolder::create(path, task, known)?, trainer)
        };
        // Said when the data were read, once for all runs on them.
        let warnings = warnings_of(&parts);
        let mut watch = Watch {
            study: self,
            folder: &folder,
            task,
            card: &known.card,
            valid,
            name,
            best: folder
                .reports()?
                .iter()
                .map(|report| report.valid_score)
                .fold(f64::NEG_INFINITY, f64::max),
            shown: 0,
            verdict: None,
            tensorboard: match self.tensorboard {
                true => Some(Recorder::create(&folder, &trainer)?),
                false => None,
            },
            warnings,
        };
        watch.show(trainer.progress().epoch);
        let started = Instant::now();
        let outcome = trainer.run(data, valid, &mut watch);
        let (verdict, mut warnings) = (watch.verdict.take(), std::mem::take(&mut watch.warnings));
        watch.show(task.train.epochs);
        let (end, note) = match (outcome, verdict) {
            (Ok(_), Some(note)) => (End::Stopped, Some(note)),
            (Ok(Outcome::Interrupted), None) => {
                folder.save_checkpoint(&trainer, task, &known.card)?;
                return Ok(None);
            }
            (Ok(_), None) => (End::Finished, None),
            (Err(error), _) if error.kind() == ErrorKind::Divergence => {
                (End::Diverged, Some(error.to_string()))
            }
            (Err(error), _) => return Err(error),
        };
        let result = match end {
            End::Finished => {
                let test = (Split::Test, test);
                conclude(task, &folder, test, self.device, started, &mut warnings)?.result
            }
            _ => Value::Null,
        };
        let reports = folder.reports()?;
        let best = reports.iter().rfind(|report| report.best);
        let judged_by = task.network.decode.answer.judged_by();
        let record = RunRecord {
            epochs: reports.len(),
            best_epoch: best.map(|report| report.epoch as u64),
            // R² of numbers that never change is not defined.
            valid_score: best.map(|report| report.valid_score).filter(|score| !score.is_nan()),
            test_score: result["test"][judged_by.key()].as_f64(),
            judged_by,
            spike_rate: result["test"]["spike_rate"]["overall"].as_f64(),
            seconds: Some(started.elapsed().as_secs_f64()),
            note,
            ..RunRecord::new(end, task.train.seed)
        };
        let text = serde_json::to_value(&record)
            .map(|record| named(record, judged_by).to_string())
            .map_err(|error| Error::format(format!("the run cannot be written down: {error}")))?;
        folder.write(ENDED, &text)?;
        Ok(Some(record))
    }

    /// Why a run should stop after an epoch, if it should; its best accuracy so far joins the others'.
    fn judge(&self, epoch: usize, best: f64) -> Option<String> {
        let mut scores = lock(&self.scores);
        let others = scores.entry(epoch).or_default();
        let verdict = self.plan.median_stopping.and_then(|rule| rule.verdict(epoch, best, others));
        others.push(best);
        verdict
    }
}

/// Writes every epoch to the run folder, moves the bar and hears the verdict.
struct Watch<'a> {
    study: &'a Study<'a>,
    folder: &'a RunFolder,
    task: &'a TaskConfig,
    card: &'a DataCard,
    valid: &'a Dataset,
    name: &'a str,
    best: f64,
    /// Thousandths of the run that the bar shows.
    shown: u64,
    verdict: Option<String>,
    tensorboard: Option<Recorder>,
    warnings: Warnings,
}

impl Watch<'_> {
    fn show(&mut self, epoch: usize) {
        let share = 1000 * epoch as u64 / self.task.train.epochs as u64;
        self.study.bar.inc(share.saturating_sub(self.shown));
        self.shown = self.shown.max(share);
    }
}

impl Observer for Watch<'_> {
    fn batch(&mut self, _report: &BatchReport) -> Control {
        let over = self.study.is_over() || self.verdict.is_some();
        if over { Control::Stop } else { Control::Continue }
    }

    fn epoch(&mut self, report: &EpochReport, trainer: &Trainer) -> Result<()> {
        self.folder.record(report, trainer, self.task, self.card)?;
        if let Some(events) = &mut self.tensorboard {
            events.epoch(self.task, self.valid, report, trainer)?;
        }
        for text in self.warnings.of_epoch(&self.task.network, report) {
            self.study.warn(self.name, &text);
        }
        self.best = self.best.max(report.valid_score);
        self.show(report.epoch);
        self.study.bar.set_message(format!(
            "{} · epoch {}/{} · best valid {:.4}",
            self.name, report.epoch, self.task.train.epochs, self.best
        ));
        let judged = self.study.is_first(self.task.train.seed);
        let verdict = judged.then(|| self.study.judge(report.epoch, self.best)).flatten();
        // A run that is through is through.
        self.verdict = verdict.filter(|_| report.epoch < self.task.train.epochs);
        Ok(())
    }
}

//! One run's part of the page.

use super::page::Page;
use crate::args::ModelData;
use crate::energy::Spent;
use crate::opened::{Opened, Part};
use crate::train::shell_word;
use crate::{eval, plots, sparsity};
use barnowl::activity::Activity;
use barnowl::dataset::{Dataset, UNLABELLED};
use barnowl::energy::EnergyCost;
use barnowl::error::Result;
use barnowl::file;
use barnowl::metric::boundary::{BoundaryScore, ClassBoundaries};
use barnowl::metric::{ConfusionMatrix, ValueScore, accuracy_interval};
use barnowl::model::Model;
use barnowl::report;
use barnowl::task::{Split, TaskConfig};
use barnowl::train::run::RunFolder;
use barnowl::train::{EpochReport, Evaluation, evaluate};
use barnowl::words::counted;
use burn::tensor::Device;
use std::path::Path;

/// A run, evaluated on one part of the data.
pub struct Run {
    /// The name of its folder.
    pub name: String,
    pub task: TaskConfig,
    pub evaluation: Evaluation,
    folder: RunFolder,
    model: Model,
    reports: Vec<EpochReport>,
    part: Part,
    classes: Vec<String>,
    boundaries: Option<Vec<ClassBoundaries>>,
    interval: Option<(f64, f64)>,
    activity: Activity,
    figures: Vec<Figure>,
}

struct Figure {
    name: &'static str,
    heading: &'static str,
    caption: String,
    svg: String,
}

impl Run {
    /// Loads a run and evaluates its model on `device`: on the part that it was judged on, or another that is asked for.
    ///
    /// # Errors
    ///
    /// If the folder holds no finished epoch, or the data cannot be read or are not those of the run.
    pub fn load(
        path: &Path,
        data: &ModelData,
        split: Option<Split>,
        device: &Device,
    ) -> Result<Self> {
        let folder = RunFolder::open(path)?;
        let opened = Opened::load(path, device)?;
        let task = opened.model.task.clone();
        let split = match split {
            Some(split) => split,
            // A run that left the test data alone, or is not through, is not tested by its report.
            None if folder.was_tested()? == Some(true) => Split::Test,
            None => Split::Valid,
        };
        let part = opened.part(&task, data, split)?;
        let model = opened.model;
        let test = &part.data;
        let evaluation = evaluate(&model.network, &task.network, test, task.train.batch)?;
        let reports = folder.reports()?;
        let activity = Activity::measure(&model.network, &task.network, test, task.train.batch)?;
        let name = path.canonicalize().ok();
        let name = name.as_deref().unwrap_or(path).file_name().unwrap_or(path.as_os_str());
        let mut run = Self {
            name: name.to_string_lossy().into_owned(),
            boundaries: eval::boundaries(&task, test, &evaluation),
            interval: accuracy_interval(&by_sequence(&task, test, &evaluation)),
            classes: test.class_names().to_vec(),
            figures: Vec::new(),
            activity,
            task,
            evaluation,
            folder,
            model,
            reports,
            part,
        };
        run.figures = run.draw(&run.part.data)?;
        Ok(run)
    }

    fn draw(&self, test: &Dataset) -> Result<Vec<Figure>> {
        let Self { task, model, .. } = self;
        let figure = |name, heading, caption: &str, svg| Figure {
            name,
            heading,
            caption: caption.to_owned(),
            svg,
        };
        let answers = plots::answers(task, test, &self.evaluation);
        Ok(vec![
            figure(
                "curves",
                "Learning curves",
                "The dashed line is the epoch that was chosen, on validation data.",
                plots::curves(&self.reports),
            ),
            figure(
                "raster",
                "One sequence, from input to answer",
                "Input, spikes of the hidden layers, readout, and the labels beside the answers.",
                report::raster(&plots::raster(task, &model.network, test)?),
            ),
            figure(
                "traces",
                "Neurons at work",
                "The same sequence: of every hidden layer the neuron that spikes most, the one in the middle, and \
                 the one that spikes least, but does. A spike is where the membrane potential passes the threshold; it \
                 takes the threshold off the potential.",
                plots::traces(task, model, test),
            ),
            figure(answers.0, answers.1, answers.2, answers.3),
            figure(
                "time_constants",
                "Time constants before and after training",
                "In steps, on logarithmic axes.",
                plots::time_constants(task, &model.network)?,
            ),
            figure("sparsity", "Sparsity", "Over all sequences.", sparsity::plot(&self.activity)),
        ])
    }

    /// The figures by name.
    pub fn figures(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.figures.iter().map(|figure| (figure.name, &*figure.svg))
    }

    /// The part that the run is judged on here.
    pub fn split(&self) -> Split {
        self.part.split
    }

    fn best(&self) -> Option<&EpochReport> {
        self.reports.iter().rfind(|report| report.best)
    }

    fn interval(&self) -> String {
        self.interval.map_or("–".into(), |(low, high)| format!("{low:.3}–{high:.3}"))
    }

    /// The run in the table of several.
    pub fn row(&self) -> Vec<String> {
        let best = self.best();
        vec![
            self.name.clone(),
            self.task.train.seed.to_string(),
            best.map_or("–".into(), |best| format!("{} of {}", best.epoch, self.reports.len())),
            best.map_or("–".into(), |best| format!("{:.4}", best.valid_score)),
            self.part.split.purpose().to_owned(),
            format!("{:.4}", self.evaluation.score),
            self.interval(),
            format!("{:.3}", self.evaluation.spike_rate.overall),
        ]
    }

    /// Adds the run to the page.
    ///
    /// # Errors
    ///
    /// If the configuration of the run cannot be read.
    pub fn write(&self, page: &mut Page) -> Result<()> {
        let Self { task, evaluation, .. } = self;
        page.title(&format!("{}: {}", self.name, task.name));
        page.paragraph(&task.summary);
        let purpose = self.part.split.purpose();
        let judged = match self.part.split {
            Split::Test => "is tested here",
            _ => "is judged here by the data that it was chosen on, or trained on: no test",
        };
        let kept = task.train.keep.word();
        page.note(&format!(
            "Data ({purpose}): {}, {}. Every epoch was validated on data apart from those it was trained on; \
             the {kept} of them {judged}.",
            self.part.data.origin(),
            counted(evaluation.samples, "sequence"),
        ));
        for difference in &self.part.differences {
            page.paragraph(&format!("These are other data than the run's: {difference}."));
        }
        let mut numbers = vec![
            (
                format!("{:.4}", evaluation.score),
                format!("{purpose} {}", evaluation.judged_by.name()),
            ),
            (
                format!("{:.3}", evaluation.spike_rate.overall),
                "spikes per hidden neuron and step".into(),
            ),
        ];
        if self.interval.is_some() {
            numbers.insert(1, (self.interval(), "95 % interval (bootstrap over sequences)".into()));
        }
        if let Some(regression) = &evaluation.regression {
            let rmse = format!("{:.4}", regression.rmse);
            numbers.push((rmse, "root mean squared error".into()));
        }
        let confusion = evaluation.confusion.as_ref();
        if let Some(rate) = confusion.and_then(ConfusionMatrix::majority_rate) {
            numbers.push((format!("{rate:.4}"), "accuracy of the most frequent class".into()));
        }
        if let Some(best) = self.best() {
            numbers.push((
                best.epoch.to_string(),
                format!("{} of {}", task.train.keep.word(), counted(self.reports.len(), "epoch")),
            ));
        }
        page.numbers(&numbers);
        for figure in &self.figures {
            page.heading(figure.heading);
            page.figure(&figure.svg, &figure.caption);
            match figure.name {
                "confusion" => self.classes(page),
                "values" => self.values(page),
                _ => {}
            }
        }
        page.code(&sparsity::table(&self.activity, &self.classes));
        self.energy(page);
        self.repeat(page)
    }

    fn classes(&self, page: &mut Page) {
        let share = |value: Option<f64>| value.map_or("–".into(), |value| format!("{value:.3}"));
        let Some(confusion) = &self.evaluation.confusion else { return };
        let scores = confusion.class_scores();
        let row = |(name, score): (&String, _)| {
            let barnowl::metric::ClassScore { precision, recall, f1, support } = score;
            vec![name.clone(), share(precision), share(recall), share(f1), support.to_string()]
        };
        let rows: Vec<Vec<String>> = self.classes.iter().zip(scores).map(row).collect();
        page.table(&["class", "precision", "recall", "F1", "answers due"], &rows);
        let Some(boundaries) = &self.boundaries else {
            return;
        };
        page.paragraph(&format!(
            "Where segments begin, within {} ms of where they do:",
            eval::TOLERANCE_MS
        ));
        let row = |(name, class): (&String, &ClassBoundaries)| {
            let BoundaryScore { sensitivity, positive_predictive_value, .. } = class.onset;
            let error = match (class.onset.mean_error_ms, class.onset.sd_error_ms) {
                (Some(mean), Some(sd)) => format!("{mean:+.1} ± {sd:.1}"),
                _ => "–".into(),
            };
            vec![name.clone(), share(sensitivity), share(positive_predictive_value), error]
        };
        let rows: Vec<Vec<String>> = self.classes.iter().zip(boundaries).map(row).collect();
        page.table(
            &["onset of", "share found", "share right of those called", "timing error (ms)"],
            &rows,
        );
    }

    fn values(&self, page: &mut Page) {
        let Some(regression) = &self.evaluation.regression else { return };
        let row = |value: &ValueScore| {
            vec![
                value.name.clone(),
                value.r2.map_or("–".into(), |r2| format!("{r2:.4}")),
                format!("{:.4}", value.rmse),
                format!("{:.4}", value.mean),
                format!("{:.4}", value.sd),
                value.count.to_string(),
            ]
        };
        let rows: Vec<Vec<String>> = regression.values.iter().map(row).collect();
        page.table(&["number", "R²", "RMSE", "mean", "s.d.", "answers due"], &rows);
    }

    fn energy(&self, page: &mut Page) {
        page.heading("Energy");
        let spent = Spent::of(&self.model, &self.activity, &self.evaluation);
        let cost = EnergyCost::float32();
        page.paragraph(&format!(
            "Operations of one inference of {} steps, counted from the spikes of the test data; {}: {} pJ an \
             accumulate (AC), {} pJ a multiply-accumulate (MAC).",
            spent.steps, cost.name, cost.ac, cost.mac
        ));
        let rows: Vec<Vec<String>> = spent.rows(&cost).into_iter().map(Vec::from).collect();
        page.table(&["", "AC", "MAC", "energy", "ratio"], &rows);
    }

    /// What it takes to have the same bits again.
    fn repeat(&self, page: &mut Page) -> Result<()> {
        page.heading("To repeat this");
        let mut command = "barnowl train config.toml --out again".to_owned();
        if let Some(directory) = &self.part.directory {
            command = format!("{command} --data {}", shell_word(directory));
        }
        if self.folder.was_tested()? == Some(false) {
            command.push_str(" --no-test");
        }
        page.code(&command);
        page.note(&format!(
            "config.toml is below, seed {} in it; barnowl {} with the instruction set {}. The same seed gives the same \
             bits on any number of threads.",
            self.task.train.seed,
            env!("CARGO_PKG_VERSION"),
            barnowl::instruction_set()?
        ));
        let config = file::read_text(self.folder.path().join("config.toml"))?;
        page.details("config.toml", &config);
        Ok(())
    }
}

/// Right answers and answers due, sequence by sequence.
fn by_sequence(task: &TaskConfig, test: &Dataset, evaluation: &Evaluation) -> Vec<(u64, u64)> {
    let prediction = &evaluation.prediction;
    let Some(targets) = test.targets().classes() else { return Vec::new() };
    let skip = if test.targets().is_per_step() { task.network.decode.skip } else { 0 };
    let steps = prediction.steps.max(1);
    let pairs = targets.chunks_exact(steps).zip(prediction.classes.chunks_exact(steps));
    let count = |(targets, classes): (&[u16], &[u16])| {
        let labelled = |pair: &(&u16, &u16)| *pair.0 != UNLABELLED;
        let pairs = targets.iter().zip(classes).skip(skip).filter(labelled);
        let right = pairs.clone().filter(|(target, class)| target == class).count();
        (right as u64, pairs.count() as u64)
    };
    pairs.map(count).collect()
}

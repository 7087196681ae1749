//! `barnowl eval`: a model on a part of the data.

use crate::answers::Table;
use crate::args::Eval;
use crate::opened::Opened;
use crate::place::{on_device, set_threads};
use crate::print::{print_json, print_line};
use crate::{settings, table};
use barnowl::dataset::{Dataset, Targets, timit};
use barnowl::error::Result;
use barnowl::metric::Votes;
use barnowl::metric::boundary::{BoundaryDetection, ClassBoundaries};
use barnowl::task::TaskConfig;
use barnowl::train::{Evaluation, evaluate, predict, run::RunFolder};
use burn::tensor::Device;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Boundaries count as found within this time.
pub const TOLERANCE_MS: f64 = 150.0;

pub fn run(args: &Eval) -> Result<ExitCode> {
    set_threads(&args.threads)?;
    on_device(&args.place, |device| run_on(args, device))
}

fn run_on(args: &Eval, device: &Device) -> Result<ExitCode> {
    let opened = Opened::load(&args.model, device)?;
    let model = &opened.model;
    let mut task = model.task.clone();
    if let Some(name) = &args.task {
        // The data of one task, the network of another.
        let other = TaskConfig::load(name, &[])?;
        (task.name, task.dataset) = (other.name, other.dataset);
    }
    if let Some(note) = model.provenance.get("note") {
        eprintln!("note: {note}");
    }
    let task = settings::of_data(&task, &args.set)?;
    let part = opened.part(&task, &args.data, args.split.into())?;
    let dataset = &part.data;
    let evaluation = evaluate(&model.network, &task.network, dataset, task.train.batch)?;
    if let Some(path) = &args.predictions {
        let answers = predict(&model.network, &task.network, dataset, task.train.batch)?;
        let sampling_rate = task.sampling_rate();
        Table { data: dataset, answers: &answers, sampling_rate, labelled: true }.write(path)?;
    }
    let boundaries = boundaries(&task, dataset, &evaluation);
    if args.output.json {
        let mut result = summary(&task, part.split, dataset, &evaluation, boundaries.as_deref());
        result["data_of"] = part.describe();
        if let Some(note) = model.provenance.get("note") {
            result["note"] = json!(note);
        }
        print_json(&result)?;
    } else {
        print_line(&format!("{} · {} · {}", task.name, part.split.name(), dataset.origin()))?;
        for difference in &part.differences {
            print_line(&format!("other data than the model's: {difference}"))?;
        }
        let names = dataset.class_names();
        print_line(table::evaluation(&evaluation, names, boundaries.as_deref()).trim_end())?;
        if let Some(votes) = votes(&task, dataset, &evaluation) {
            print_line(&format!(
                "\nby the votes of steps: accuracy {:.4} per sequence, {:.4} per recording",
                votes.per_sequence, votes.per_recording
            ))?;
        }
        if let Some(accuracy) = folded_accuracy(dataset, &evaluation) {
            print_line(&format!("\naccuracy over 39 classes of phones: {accuracy:.4}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A model file, or that of a run folder.
pub fn model_file(path: &Path) -> Result<PathBuf> {
    if path.is_dir() { Ok(RunFolder::open(path)?.best_file()) } else { Ok(path.to_path_buf()) }
}

/// How well segment boundaries are found, where classes are labelled per step and time has a scale.
pub fn boundaries(
    task: &TaskConfig,
    dataset: &Dataset,
    evaluation: &Evaluation,
) -> Option<Vec<ClassBoundaries>> {
    let (Targets::PerStep(targets), Some(rate)) = (dataset.targets(), task.sampling_rate()) else {
        return None;
    };
    let (classes, skip) = (dataset.class_names().len(), task.network.decode.skip);
    let mut detection = BoundaryDetection::new(classes, rate, TOLERANCE_MS, skip);
    let steps = dataset.steps();
    let predictions = evaluation.prediction.classes.chunks_exact(steps);
    for (sample, (target, prediction)) in targets.chunks_exact(steps).zip(predictions).enumerate() {
        // The end of a sequence is no boundary.
        let length = dataset.length(sample);
        detection.add(&target[..length], &prediction[..length]);
    }
    Some(detection.scores())
}

/// Votes of steps, where sequences were cut from recordings.
fn votes(task: &TaskConfig, dataset: &Dataset, evaluation: &Evaluation) -> Option<Votes> {
    Votes::count(dataset, &evaluation.prediction, task.network.decode.skip)
}

/// The accuracy over the customary 39 classes, where the classes are the phones of TIMIT.
fn folded_accuracy(dataset: &Dataset, evaluation: &Evaluation) -> Option<f64> {
    let is_timit = dataset.class_names() == timit::PHONES;
    let confusion = evaluation.confusion.as_ref().filter(|_| is_timit)?;
    Some(timit::folded_accuracy(|a, b| confusion.count(a, b)))
}

/// An evaluation as JSON.
pub fn summary(
    task: &TaskConfig,
    split: barnowl::task::Split,
    dataset: &Dataset,
    evaluation: &Evaluation,
    boundaries: Option<&[ClassBoundaries]>,
) -> Value {
    let mut result = json!({
        "task": task.name,
        "split": split,
        "data": dataset.origin(),
        "samples": evaluation.samples,
        (evaluation.judged_by.key()): evaluation.score,
        "loss": evaluation.loss,
        "loss_per_step": evaluation.loss_per_step,
        "spike_rate": evaluation.spike_rate,
    });
    if let Some(regression) = &evaluation.regression {
        result["rmse"] = json!(regression.rmse);
        result["values"] = json!(regression.values);
    }
    let Some(confusion) = &evaluation.confusion else { return result };
    let classes: Vec<Value> = dataset
        .class_names()
        .iter()
        .zip(confusion.class_scores())
        .enumerate()
        .map(|(i, (name, score))| {
            json!({
                "name": name,
                "score": score,
                "boundaries": boundaries.and_then(|all| all.get(i)),
            })
        })
        .collect();
    result["majority_rate"] = json!(confusion.majority_rate());
    result["macro_f1"] = json!(confusion.macro_f1());
    result["votes"] = json!(votes(task, dataset, evaluation));
    result["accuracy_39"] = json!(folded_accuracy(dataset, evaluation));
    result["confusion"] = json!(confusion);
    result["classes"] = json!(classes);
    result
}

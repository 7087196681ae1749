//! The end of a run: the model that was kept, judged and drawn.

use crate::eval::{boundaries, summary};
use crate::plots;
use barnowl::dataset::Dataset;
use barnowl::error::Result;
use barnowl::metric::boundary::ClassBoundaries;
use barnowl::model::Model;
use barnowl::task::{Split, TaskConfig};
use barnowl::train::run::RunFolder;
use barnowl::train::{EpochReport, Evaluation, Warnings, evaluate};
use burn::tensor::Device;
use serde_json::{Value, json};
use std::time::Instant;

/// What a run came to.
pub struct Conclusion {
    /// As it stands in `result.json`.
    pub result: Value,
    pub evaluation: Evaluation,
    pub boundaries: Option<Vec<ClassBoundaries>>,
    pub reports: Vec<EpochReport>,
}

/// Evaluates the model that was kept on the test data, once (or, in a trial, on the validation data), and writes the result, and
/// then the plots: one that cannot be written costs nothing but itself. `data` are those of `split`.
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
    let best = reports.iter().rfind(|report| report.best);
    let result = json!({
        "task": task.name,
        "run": folder.path(),
        "seed": task.train.seed,
        "parameters": model.network.parameters(),
        "epochs": reports.len(),
        "seconds": started.elapsed().as_secs_f64(),
        "best_epoch": best.map(|report| report.epoch),
        (format!("valid_{}", evaluation.judged_by.key())): best.map(|report| report.valid_score),
        "warnings": warnings.all(),
        split.name(): summary(task, split, data, &evaluation, boundaries.as_deref()),
    });
    if let Err(error) = folder.write("result.json", &format!("{result}\n")) {
        eprintln!(
            "warning: {error}\nwarning: the result stands on the screen only; `barnowl eval` gives it again"
        );
    }
    if let Err(error) = plots::write(folder, task, &model, data, &evaluation, &reports) {
        eprintln!(
            "warning: the plots are not whole: {error}\nwarning: `barnowl report` draws them again"
        );
    }
    Ok(Conclusion { result, evaluation, boundaries, reports })
}

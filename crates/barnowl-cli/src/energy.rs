//! `barnowl energy`: operations and joules of an inference, beside those of networks that do not spike.

use crate::args::Energy;
use crate::opened::Opened;
use crate::place::{on_device, set_threads};
use crate::print::{print_json, print_line};
use crate::sparsity;
use barnowl::activity::Activity;
use barnowl::energy::{DenseCell, EnergyCost, LayerOperations, Operations, dense, operations};
use barnowl::error::Result;
use barnowl::metric::ScoreKind;
use barnowl::model::Model;
use barnowl::train::{Evaluation, evaluate};
use barnowl::words::counted;
use burn::tensor::Device;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

/// What a model spends on a data set.
pub struct Spent {
    /// How good the answers are, and what that is.
    pub score: (ScoreKind, f64),
    pub samples: u64,
    /// The steps of a sequence, in words.
    pub steps: String,
    /// The mean over the sequences.
    mean_steps: f64,
    pub layers: Vec<LayerOperations>,
    /// The same sizes without spikes, per sequence.
    pub dense: Vec<(DenseCell, Operations)>,
}

pub fn run(args: &Energy) -> Result<ExitCode> {
    set_threads(&args.threads)?;
    on_device(&args.place, |device| run_on(args, device))
}

fn run_on(args: &Energy, device: &Device) -> Result<ExitCode> {
    let cost = EnergyCost::parse(&args.cost)?;
    let measure = |path: &Path| -> Result<Spent> {
        let opened = Opened::load(path, device)?;
        let model = &opened.model;
        let data = opened.part(&model.task, &args.data, args.split.into())?.data;
        let batch = model.task.train.batch;
        let evaluation = evaluate(&model.network, &model.task.network, &data, batch)?;
        let activity = Activity::measure(&model.network, &model.task.network, &data, batch)?;
        Ok(Spent::of(model, &activity, &evaluation))
    };
    let spent = measure(&args.model)?;
    let versus = args.versus.as_deref().map(measure).transpose()?;
    if args.output.json {
        let mut result = spent.json(&cost);
        result["cost"] = json!(cost);
        if let Some(versus) = &versus {
            result["versus"] = versus.json(&cost);
            result["ratio"] = json!(versus.picojoules(&cost) / spent.picojoules(&cost));
        }
        print_json(&result)?;
        return Ok(ExitCode::SUCCESS);
    }
    print_line(spent.table(&cost).trim_end())?;
    if let Some(versus) = &versus {
        let (this, other) = (spent.picojoules(&cost), versus.picojoules(&cost));
        print_line(&format!(
            "\n{} at {} {:.4}: {}, {:.2} times as much",
            args.versus.as_deref().unwrap_or(Path::new("")).display(),
            versus.score.0.name(),
            versus.score.1,
            joules(other),
            other / this
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Spent {
    pub fn of(model: &Model, activity: &Activity, evaluation: &Evaluation) -> Self {
        let config = &model.task.network;
        let samples = activity.samples.max(1);
        let data_steps = activity.total_steps as usize / config.repeat;
        let mean = |count: u64| (count + samples / 2) / samples;
        let per_sequence = |all: Operations| Operations { ac: mean(all.ac), mac: mean(all.mac) };
        let cells =
            DenseCell::ALL.map(|cell| (cell, per_sequence(dense(cell, config, data_steps))));
        Self {
            score: (evaluation.judged_by, evaluation.score),
            samples,
            steps: sparsity::steps(activity),
            mean_steps: activity.total_steps as f64 / samples as f64,
            layers: operations(&model.network, config, activity),
            dense: cells.into(),
        }
    }

    fn total(&self) -> Operations {
        self.layers.iter().map(LayerOperations::total).fold(Operations::default(), |a, b| a + b)
    }

    /// Of an inference: one sequence.
    pub fn picojoules(&self, cost: &EnergyCost) -> f64 {
        cost.of(self.total()) / self.samples as f64
    }

    fn json(&self, cost: &EnergyCost) -> Value {
        let per_sequence = |count: u64| count as f64 / self.samples as f64;
        let operations = |operations: Operations| {
            json!({
                "ac": per_sequence(operations.ac),
                "mac": per_sequence(operations.mac),
                "picojoules": cost.of(operations) / self.samples as f64,
            })
        };
        let layer = |layer: &LayerOperations| {
            json!({
                "name": layer.name,
                "synapses": operations(layer.synapses),
                "neurons": operations(layer.neurons),
            })
        };
        let this = self.picojoules(cost);
        let dense = |(cell, operations): &(DenseCell, Operations)| {
            let picojoules = cost.of(*operations);
            json!({
                "cell": cell,
                "ac": operations.ac,
                "mac": operations.mac,
                "picojoules": picojoules,
                "ratio": picojoules / this,
            })
        };
        json!({
            (self.score.0.key()): self.score.1,
            "samples": self.samples,
            "steps": self.mean_steps,
            "inference": operations(self.total()),
            "layers": self.layers.iter().map(layer).collect::<Vec<_>>(),
            "dense": self.dense.iter().map(dense).collect::<Vec<_>>(),
        })
    }

    /// Rows of name, AC, MAC, energy, ratio: the layers, the whole, and the same sizes without spikes.
    pub fn rows(&self, cost: &EnergyCost) -> Vec<[String; 5]> {
        let samples = self.samples as f64;
        let row = |name: String, operations: Operations, per: f64, ratio: Option<f64>| {
            [
                name,
                count(operations.ac as f64 / per),
                count(operations.mac as f64 / per),
                joules(cost.of(operations) / per),
                ratio.map_or(String::new(), |ratio| format!("{ratio:.2}")),
            ]
        };
        let this = self.picojoules(cost);
        let mut rows = Vec::new();
        for layer in &self.layers {
            rows.push(row(format!("{}, synapses", layer.name), layer.synapses, samples, None));
            rows.push(row(format!("{}, neurons", layer.name), layer.neurons, samples, None));
        }
        rows.push(row("the whole network".into(), self.total(), samples, Some(1.0)));
        for (cell, operations) in &self.dense {
            let ratio = cost.of(*operations) / this;
            rows.push(row(
                format!("{} of the same sizes", cell.name()),
                *operations,
                1.0,
                Some(ratio),
            ));
        }
        rows
    }

    fn table(&self, cost: &EnergyCost) -> String {
        let mut text = format!(
            "an inference of {} steps, mean of {} · {} {:.4} · {}\n\n",
            self.steps,
            counted(self.samples, "sequence"),
            self.score.0.name(),
            self.score.1,
            cost.name
        );
        // Writing to a string makes no error.
        let _ = writeln!(text, "{:28}{:>12}{:>12}{:>12}{:>8}", "", "AC", "MAC", "energy", "ratio");
        for [name, ac, mac, energy, ratio] in self.rows(cost) {
            let _ = writeln!(text, "{name:28}{ac:>12}{mac:>12}{energy:>12}{ratio:>8}");
        }
        text
    }
}

/// A count in thousands or millions.
fn count(value: f64) -> String {
    match value {
        0.0..1e4 => format!("{value:.0}"),
        1e4..1e7 => format!("{:.1} k", value / 1e3),
        _ => format!("{:.1} M", value / 1e6),
    }
}

/// An energy of so many picojoules.
pub fn joules(picojoules: f64) -> String {
    match picojoules {
        0.0..1e3 => format!("{picojoules:.0} pJ"),
        1e3..1e6 => format!("{:.2} nJ", picojoules / 1e3),
        1e6..1e9 => format!("{:.2} µJ", picojoules / 1e6),
        _ => format!("{:.2} mJ", picojoules / 1e9),
    }
}

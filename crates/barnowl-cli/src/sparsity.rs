//! `barnowl sparsity`: how often and when the neurons of a model spike.

use crate::args::Sparsity;
use crate::opened::Opened;
use crate::place::{on_device, set_threads};
use crate::print::{print_json, print_line};
use barnowl::activity::{Activity, LayerActivity};
use barnowl::error::Result;
use barnowl::file;
use barnowl::report::{Histogram, histograms};
use barnowl::words::counted;
use burn::tensor::Device;
use serde_json::{Value, json};
use std::fmt::Write;
use std::process::ExitCode;

pub fn run(args: &Sparsity) -> Result<ExitCode> {
    set_threads(&args.threads)?;
    on_device(&args.place, |device| run_on(args, device))
}

fn run_on(args: &Sparsity, device: &Device) -> Result<ExitCode> {
    let opened = Opened::load(&args.model, device)?;
    let model = &opened.model;
    let part = opened.part(&model.task, &args.data, args.split.into())?;
    let data = &part.data;
    let batch = model.task.train.batch;
    let activity = Activity::measure(&model.network, &model.task.network, data, batch)?;
    if let Some(path) = &args.plot {
        file::write_atomic_bytes(path, plot(&activity).as_bytes())?;
    }
    let classes = data.class_names();
    if args.output.json {
        let all: Vec<Value> = layers(&activity)
            .map(|(name, layer)| detail(&activity, &name, layer, classes))
            .collect();
        print_json(&json!({
            "data": part.describe(),
            "samples": activity.samples,
            "steps": activity.steps,
            "total_steps": activity.total_steps,
            "layers": all,
        }))?;
    } else {
        print_line(table(&activity, classes).trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Hidden layers and a spiking readout, by name.
fn layers(activity: &Activity) -> impl Iterator<Item = (String, &LayerActivity)> {
    let hidden = activity.layers.iter().enumerate();
    let hidden = hidden.map(|(i, layer)| (format!("layer {}", i + 1), layer));
    hidden.chain(activity.readout.iter().map(|layer| ("readout".to_owned(), layer)))
}

fn detail(activity: &Activity, name: &str, layer: &LayerActivity, classes: &[String]) -> Value {
    let by_class: serde_json::Map<String, Value> = classes
        .iter()
        .zip(activity.rates_by_class(layer))
        .map(|(class, rate)| (class.clone(), json!(rate)))
        .collect();
    json!({
        "name": name,
        "neurons": layer.spikes.len(),
        "spikes": layer.total(),
        "rate": activity.rate(layer),
        "silent": activity.silent(layer),
        "saturated": activity.saturated(layer),
        "mean_interval": layer.mean_interval(),
        "intervals": layer.intervals,
        "rates": activity.rates(layer),
        "rate_by_class": by_class,
        "rate_over_time": activity.rates_over_time(layer),
    })
}

/// The steps of a sequence, in words.
pub fn steps(activity: &Activity) -> String {
    match activity.total_steps == activity.samples * activity.steps as u64 {
        true => activity.steps.to_string(),
        false => format!(
            "up to {} (mean {:.1})",
            activity.steps,
            activity.total_steps as f64 / activity.samples as f64
        ),
    }
}

/// A row a layer, and the rates by class.
pub fn table(activity: &Activity, classes: &[String]) -> String {
    let mut text =
        format!("{} of {} steps\n\n", counted(activity.samples, "sequence"), steps(activity));
    // Writing to a string makes no error.
    let _ = writeln!(
        text,
        "{:10}{:>9}{:>20}{:>22}{:>8}{:>11}",
        "", "neurons", "spikes/neuron/step", "steps between spikes", "silent", "saturated"
    );
    for (name, layer) in layers(activity) {
        let interval = layer.mean_interval().map_or("–".into(), |steps| format!("{steps:.1}"));
        let _ = writeln!(
            text,
            "{name:10}{:>9}{:>20.4}{interval:>22}{:>8}{:>11}",
            layer.spikes.len(),
            activity.rate(layer),
            activity.silent(layer),
            activity.saturated(layer),
        );
    }
    let width = classes.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(7) + 2;
    let _ = write!(text, "\n{:10}", "by class");
    for class in classes {
        let _ = write!(text, "{class:>width$}");
    }
    for (name, layer) in layers(activity) {
        let _ = write!(text, "\n{name:10}");
        for rate in activity.rates_by_class(layer) {
            let rate = rate.map_or("–".into(), |rate| format!("{rate:.4}"));
            let _ = write!(text, "{rate:>width$}");
        }
    }
    text
}

/// Rates of the neurons, intervals between spikes, and rates over time, a row a layer.
pub fn plot(activity: &Activity) -> String {
    let mut panels = Vec::new();
    for (name, layer) in layers(activity) {
        let rates = activity.rates(layer);
        panels.push(Histogram::of(
            rates,
            (0.0, 1.0),
            25,
            [&format!("{name}: rates"), "spikes per step", "neurons"],
        ));
        // As far as 99 of 100 intervals reach.
        let total: u64 = layer.intervals.iter().sum();
        let mut sum = 0;
        let reach = layer.intervals.iter().position(|count| {
            sum += count;
            100 * sum >= 99 * total
        });
        let reach = reach.unwrap_or(0).clamp(10, layer.intervals.len() - 1);
        let width = reach.div_ceil(40);
        let share = |from: usize| {
            let to = (from + width).min(layer.intervals.len());
            let count: u64 = layer.intervals[from..to].iter().sum();
            100.0 * count as f64 / total.max(1) as f64
        };
        let bars = (1..=reach).step_by(width).map(|from| {
            let edge = from as f64 - 0.5;
            (edge, edge + width as f64, share(from))
        });
        panels.push(Histogram {
            title: format!("{name}: from a spike to the next"),
            axis: "steps (1 of 100 intervals is longer)".into(),
            counted: "% of intervals".into(),
            bars: bars.collect(),
        });
    }
    histograms("Sparsity", &panels)
}

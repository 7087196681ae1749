//! A training step and an evaluation of each shape.

use super::asked::{options, shapes};
use super::count::{Activity, Work};
use super::memory::{Memory, Watch, gigabytes};
use super::peaks::Peaks;
use super::shapes::Shape;
use super::trial::{Trial, WARMUP};
use crate::args::{Bench, ShapeName};
use crate::print::{print_json, print_line};
use barnowl::error::Result;
use barnowl::words::counted;
use burn::tensor::Device;
use serde::Serialize;

/// All shapes, which are timed where none is named.
const SHAPES: [ShapeName; 4] = [ShapeName::Ecg, ShapeName::Shd, ShapeName::Gsc, ShapeName::Smnist];

/// What was measured.
#[derive(Debug, Serialize)]
struct Measured {
    shape: &'static str,
    batch: usize,
    steps: usize,
    threads: usize,
    checkpoint_steps: Option<usize>,
    /// Of a training step.
    seconds_per_step: f64,
    fastest_step: f64,
    samples_per_second: f64,
    /// Of an evaluation of the same mini-batch, without gradients.
    inference_seconds: f64,
    inference_fastest: f64,
    inference_samples_per_second: f64,
    spike_rate: Vec<f64>,
    input_rate: f64,
    /// The work of a training step, as `count.rs` counts it, and how fast it was done in the median step.
    operations: f64,
    dense_operations: f64,
    bytes: f64,
    gflops: f64,
    dense_gflops: f64,
    sgemm_fraction: f64,
    gigabytes_per_second: f64,
    memory_fraction: f64,
    #[serde(flatten)]
    memory: Memory,
}

/// Training steps and nothing else: what `benches/instructions` counts.
fn run_steps_only(args: &Bench, device: &Device) -> Result<()> {
    let mut results = Vec::new();
    for shape in shapes(args, &SHAPES) {
        let (_, times) = Trial::new(&shape, options(args), device)?.train(WARMUP, args.steps)?;
        let milliseconds = 1e3 * times.median;
        if args.output.json {
            let result =
                serde_json::json!({ "shape": shape.name, "seconds_per_step": times.median });
            results.push(result);
        } else {
            print_line(&format!("{:7} {milliseconds:9.2} ms a step", shape.name))?;
        }
    }
    if args.output.json {
        print_json(&serde_json::json!({ "shapes": results }))?;
    }
    Ok(())
}

pub fn run(args: &Bench, device: &Device) -> Result<()> {
    if args.steps_only {
        return run_steps_only(args, device);
    }
    let count = rayon::current_num_threads();
    let peaks = Peaks::measure();
    if !args.output.json {
        print_line(&format!(
            "{}; peaks: sgemm {:.1} GFLOP/s, memory {:.1} GB/s",
            counted(count, "thread"),
            peaks.sgemm_gflops,
            peaks.memory_gigabytes_per_second,
        ))?;
    }
    let mut results = Vec::new();
    for shape in shapes(args, &SHAPES) {
        eprintln!("{}: {} to time", shape.name, counted(args.steps, "step"));
        let measured = measure(&shape, args, peaks, device)?;
        if !args.output.json {
            print_line(&describe(&shape, &measured))?;
        }
        results.push(measured);
    }
    if args.output.json {
        let result = serde_json::json!({ "threads": count, "peaks": peaks, "shapes": results });
        print_json(&result)?;
    }
    Ok(())
}

fn measure(shape: &Shape, args: &Bench, peaks: Peaks, device: &Device) -> Result<Measured> {
    let options = options(args);
    let trial = Trial::new(shape, options, device)?;
    let watch = Watch::begin();
    let (trial, times) = trial.train(WARMUP, args.steps)?;
    // Evaluation has arrays of its own, which training must not answer for.
    let memory = watch.end();
    let inference = trial.evaluate(shape, WARMUP, args.steps)?;
    let activity = Activity {
        batch: shape.batch,
        steps: shape.steps,
        input_spikes: trial.input_spikes(),
        rates: &trial.rates,
        recomputed: options.checkpoint_steps.is_some(),
    };
    let work = Work::of(&shape.network, activity);
    let (gflops, gigabytes) = (work.done / times.median / 1e9, work.bytes / times.median / 1e9);
    Ok(Measured {
        shape: shape.name,
        batch: shape.batch,
        steps: shape.steps,
        threads: rayon::current_num_threads(),
        checkpoint_steps: options.checkpoint_steps,
        seconds_per_step: times.median,
        fastest_step: times.fastest,
        samples_per_second: shape.batch as f64 / times.median,
        inference_seconds: inference.median,
        inference_fastest: inference.fastest,
        inference_samples_per_second: shape.batch as f64 / inference.median,
        input_rate: activity.input_spikes / shape.network.inputs as f64,
        operations: work.done,
        dense_operations: work.dense,
        bytes: work.bytes,
        gflops,
        dense_gflops: work.dense / times.median / 1e9,
        sgemm_fraction: gflops / peaks.sgemm_gflops,
        gigabytes_per_second: gigabytes,
        memory_fraction: gigabytes / peaks.memory_gigabytes_per_second,
        spike_rate: trial.rates,
        memory,
    })
}

/// A paragraph on a shape.
fn describe(shape: &Shape, measured: &Measured) -> String {
    let rates: Vec<String> = measured.spike_rate.iter().map(|rate| format!("{rate:.3}")).collect();
    let memory = match (measured.memory.peak_since_start, measured.memory.peak_memory) {
        (_, None) => "not known on this system".into(),
        (true, peak) => format!("at most {} GB, of the process so far", gigabytes(peak)),
        (false, peak) => {
            let before = gigabytes(measured.memory.memory_before);
            format!("at most {} GB, {before} of it before the first step", gigabytes(peak))
        }
    };
    format!(
        "\n{} {}, batch {}, {}, spikes per input {:.3}, per hidden neuron {}\n  \
         training   {:9.2} ms a step (fastest {:.2}), {:.0} samples/s\n  \
         inference  {:9.2} ms a batch (fastest {:.2}), {:.0} samples/s\n  \
         work       {:9.1} GFLOP/s done ({:.0} % of sgemm), {:.1} if it were dense; {:.1} GB/s ({:.0} % of memory)\n  \
         memory     {memory}",
        shape.name,
        shape.sizes(),
        measured.batch,
        counted(measured.steps, "step"),
        measured.input_rate,
        rates.join(", "),
        1e3 * measured.seconds_per_step,
        1e3 * measured.fastest_step,
        measured.samples_per_second,
        1e3 * measured.inference_seconds,
        1e3 * measured.inference_fastest,
        measured.inference_samples_per_second,
        measured.gflops,
        100.0 * measured.sgemm_fraction,
        measured.dense_gflops,
        measured.gigabytes_per_second,
        100.0 * measured.memory_fraction,
    )
}

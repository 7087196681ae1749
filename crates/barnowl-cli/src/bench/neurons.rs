//! A training step with the hidden neurons run from their equations, beside the hand-written adaptive ones, in turn.

use super::asked::{options, shapes};
use super::shapes::Shape;
use super::trial::{Trial, WARMUP, median};
use crate::args::{Bench, ShapeName};
use crate::print::{print_json, print_line};
use barnowl::cell::equations::{ParameterConfig, ParameterStart};
use barnowl::error::Result;
use barnowl::layer::LayerConfig;
use burn::tensor::Device;
use serde::Serialize;
use std::path::Path;

/// All shapes, which are timed where none is named.
const SHAPES: [ShapeName; 4] = [ShapeName::Ecg, ShapeName::Shd, ShapeName::Gsc, ShapeName::Smnist];

/// One network in turns with the others.
#[derive(Debug, Serialize)]
struct Measured {
    neuron: String,
    /// By hand, compiled with Barnowl, or interpreted.
    how: &'static str,
    seconds_per_step: f64,
    /// Over the hand-written adaptive neurons, the median of the rounds.
    ratio: f64,
    spike_rate: Vec<f64>,
}

pub fn run(args: &Bench, device: &Device) -> Result<()> {
    let mut results = Vec::new();
    for shape in shapes(args, &SHAPES) {
        eprintln!("{}: {} rounds to time", shape.name, args.steps);
        let measured = measure(&shape, args, device)?;
        if !args.output.json {
            let (batch, steps) = (shape.batch, shape.steps);
            print_line(&format!("{} {}, batch {batch}, {steps} steps", shape.name, shape.sizes()))?;
            for Measured { neuron, how, seconds_per_step, ratio, .. } in &measured {
                let milliseconds = 1e3 * seconds_per_step;
                print_line(&format!(
                    "  {neuron:16} {how:12} {milliseconds:9.2} ms a step   {ratio:5.2} × by hand"
                ))?;
            }
        }
        results.push(serde_json::json!({ "shape": shape.name, "neurons": measured }));
    }
    if args.output.json {
        print_json(&serde_json::json!({ "shapes": results }))?;
    }
    Ok(())
}

fn measure(shape: &Shape, args: &Bench, device: &Device) -> Result<Vec<Measured>> {
    let trial = |shape: &Shape| Trial::new(shape, options(args), device);
    let mut names = vec![("alif".to_owned(), "by hand")];
    let mut trials = vec![trial(shape)?];
    for name in &args.neuron {
        for (neuron, how) in ways(name)? {
            let mut shape = shape.clone();
            shape.network.layers.iter_mut().for_each(|layer| *layer = with(layer, name, &neuron));
            names.push((name.clone(), how));
            trials.push(trial(&shape)?);
        }
    }
    let mut seconds = vec![Vec::new(); trials.len()];
    for round in 0..WARMUP + args.steps {
        let mut after = Vec::with_capacity(trials.len());
        for (trial, seconds) in trials.into_iter().zip(&mut seconds) {
            let (trial, took) = trial.step()?;
            if round >= WARMUP {
                seconds.push(took);
            }
            after.push(trial);
        }
        trials = after;
    }
    let by_hand = seconds[0].clone();
    let measured = names.into_iter().zip(&mut seconds).zip(&trials).map(
        |(((neuron, how), seconds), trial)| {
            let mut ratios: Vec<f64> = seconds.iter().zip(&by_hand).map(|(a, b)| a / b).collect();
            let spike_rate = trial.rates.clone();
            let (seconds_per_step, ratio) = (median(seconds), median(&mut ratios));
            Measured { neuron, how, seconds_per_step, ratio, spike_rate }
        },
    );
    Ok(measured.collect())
}

/// How a neuron can run: a built-in one as it was compiled, and interpreted under another name; one's own, interpreted.
fn ways(name: &str) -> Result<Vec<(String, &'static str)>> {
    let (file, variant) = match name.rsplit_once(".toml:") {
        Some((stem, variant)) => (format!("{stem}.toml"), Some(variant)),
        None => (name.to_owned(), None),
    };
    if file.ends_with(".toml") {
        let text = barnowl::cell::equations::read(Path::new(&file), variant)?;
        return Ok(vec![(text, "interpreted")]);
    }
    Ok(vec![
        (name.to_owned(), "compiled"),
        (barnowl::cell::equations::renamed(name)?, "interpreted"),
    ])
}

/// A layer of these neurons, which were asked for by `name`; adaptive ones have the parameters of the hand-written ones.
pub fn with(layer: &LayerConfig, name: &str, neuron: &str) -> LayerConfig {
    let mut with = LayerConfig {
        neuron: Some(neuron.to_owned()),
        recurrent: layer.recurrent,
        dt: layer.dt,
        ..LayerConfig::new(layer.size)
    };
    if name == "alif" {
        for (name, value) in
            [("tau_m", 20.0), ("tau_adp", 150.0), ("b0", layer.b0), ("beta", layer.beta)]
        {
            let start = Some(ParameterStart::Constant { value });
            with.parameters.insert(name.into(), ParameterConfig { start, ..Default::default() });
        }
    }
    with
}

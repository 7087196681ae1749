//! `barnowl neurons plot`: how a neuron answers currents.

use super::found::Found;
use crate::args::NeuronsPlot;
use crate::print::{print_json, print_line};
use barnowl::error::Result;
use barnowl::file;
use barnowl::report::{NeuronPlot, NeuronRun, neuron};
use barnowl_model::{Model, Neuron, Parameter, State, rate, rheobase};
use serde_json::json;

/// The length of a step, in ms.
const DT: f64 = 1.0;
/// The steps of a run.
const STEPS: usize = 400;
/// When the step of current begins and ends.
const STEP: std::ops::Range<usize> = 50..300;
/// When pulses begin, and how long they are.
const PULSES: [usize; 6] = [50, 120, 140, 240, 250, 260];
const PULSE: usize = 3;
/// Currents at which the rate is counted, and the steps that it is counted over.
const CURRENTS: usize = 120;
const COUNTED: usize = 1000;

pub fn run(args: &NeuronsPlot) -> Result<()> {
    let model = Found::of(&args.model)?.model()?;
    let parameters = model.middle();
    let threshold = rheobase(&model, &parameters, DT);
    // Currents about as large as the neuron is sensitive to.
    let scale = threshold.filter(|current| *current != 0.0).unwrap_or(1.0);
    let drive = 2.0 * scale;
    let step = course(|t| if STEP.contains(&t) { drive } else { 0.0 });
    let pulse = pulse(&model, &parameters, drive);
    let state = |state: &State| {
        let unit = if state.unit.is_empty() { String::new() } else { format!(" ({})", state.unit) };
        match state.description.as_str() {
            "" => format!("{}{unit}", state.name),
            known => format!("{}: {known}{unit}", state.name),
        }
    };
    // What the neuron emits is drawn as spikes.
    let drawn = || model.states().iter().filter(|state| !state.emitted);
    let picture = neuron(&NeuronPlot {
        title: model.name().to_owned(),
        about: model.title(),
        states: drawn().map(state).collect(),
        runs: vec![
            answer(&model, &parameters, "A step of current".into(), step),
            answer(&model, &parameters, format!("Pulses of {PULSE} ms"), pulses(pulse)),
        ],
        rates: threshold.map_or_else(Vec::new, |_| {
            let current = |i: usize| 5.0 * scale * i as f64 / CURRENTS as f64;
            let rate = |current| rate(&model, &parameters, DT, current, 0, COUNTED);
            (0..=CURRENTS).map(|i| (current(i), rate(current(i)))).collect()
        }),
        notes: notes(&model, &parameters),
        step: DT,
    });
    file::write_atomic_bytes(&args.out, picture.as_bytes())?;
    if args.output.json {
        return print_json(&json!({
            "name": model.name(),
            "picture": args.out,
            "rheobase": threshold,
            "step": drive,
            "pulse": pulse,
        }));
    }
    print_line(&format!("{} is drawn in {}", model.name(), args.out.display()))
}

fn course(current: impl Fn(usize) -> f64) -> Vec<f64> {
    (0..STEPS).map(current).collect()
}

fn pulses(size: f64) -> Vec<f64> {
    let within = |t: usize| PULSES.iter().any(|start| (*start..start + PULSE).contains(&t));
    course(|t| if within(t) { size } else { 0.0 })
}

/// The smallest pulse, in doublings of the step, of which the first makes the neuron spike; the step's size if none does.
fn pulse(model: &Model, parameters: &[f64], drive: f64) -> f64 {
    let mut sizes = (0..10).map(|doublings| drive * f64::from(1 << doublings));
    let spikes = |size: &f64| {
        let mut neuron = Neuron::new(model, parameters, DT);
        pulses(*size)[..PULSES[1]].iter().any(|current| neuron.step(*current) != 0.0)
    };
    sizes.find(spikes).unwrap_or(drive)
}

/// The length of a step, and the parameters: the middle of how they start.
fn notes(model: &Model, parameters: &[f64]) -> Vec<String> {
    let parameter = |(parameter, x): (&Parameter, &f64)| {
        // As it is written in the file, in single precision.
        let (name, x, unit) = (&parameter.name.text, *x as f32, &parameter.unit);
        format!("{name} = {x} {unit}").trim_end().to_owned()
    };
    let all = model.parameters().iter().zip(parameters).map(parameter);
    [format!("dt = {DT} ms")].into_iter().chain(all).collect()
}

fn answer(model: &Model, parameters: &[f64], name: String, current: Vec<f64>) -> NeuronRun {
    let shown: Vec<usize> =
        (0..model.states().len()).filter(|i| !model.states()[*i].emitted).collect();
    let mut states = vec![Vec::new(); shown.len()];
    let mut neuron = Neuron::new(model, parameters, DT);
    let spikes = current
        .iter()
        .map(|current| {
            let emitted = neuron.step(*current) != 0.0;
            for (values, i) in states.iter_mut().zip(&shown) {
                values.push(neuron.states()[*i]);
            }
            emitted
        })
        .collect();
    NeuronRun { name, current, states, spikes }
}

//! `barnowl info`: what a model is.

use crate::args::Info;
use crate::eval::model_file;
use crate::print::{print_json, print_line};
use barnowl::cell::CellKind;
use barnowl::error::Result;
use barnowl::exchange::TensorMap;
use barnowl::model::Model;
use barnowl::network::NetworkConfig;
use barnowl::parameters::TimeConstantForm;
use burn::tensor::Device;
use serde::Serialize;
use serde_json::json;
use std::process::ExitCode;

pub fn run(args: &Info) -> Result<ExitCode> {
    let model = Model::load(model_file(&args.model)?, &Device::flex())?;
    let network = &model.task.network;
    let tensors = model.network.tensors(network, TimeConstantForm::Tau);
    let parameters = model.network.parameters();
    if args.output.json {
        let shapes: Vec<_> = tensors
            .iter()
            .map(|(name, tensor)| json!({ "name": name, "shape": tensor.shape }))
            .collect();
        print_json(&json!({
            "task": model.task,
            "parameters": parameters,
            "tensors": shapes,
            "provenance": model.provenance,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    print_line(&format!("{}: {}", model.task.name, model.task.summary))?;
    for (name, text) in &model.provenance {
        print_line(&format!("  {name}: {text}"))?;
    }
    let mut sizes = vec![network.inputs.to_string()];
    for layer in &network.layers {
        let direction = if layer.bidirectional { "2×" } else { "" };
        let kind = if layer.recurrent { "recurrent" } else { "feed-forward" };
        let cell = match layer.cell {
            _ if layer.neuron.is_some() => &layer.neuron_name(),
            CellKind::Alif if layer.beta == 0.0 => "LIF",
            CellKind::Alif => "ALIF",
            CellKind::Relu => "ReLU",
            CellKind::Lstm => "LSTM",
            CellKind::Gru => "GRU",
            CellKind::Rnn => "tanh",
        };
        sizes.push(format!("{direction}{} ({kind} {cell})", layer.size));
    }
    let (kind, decoder) = (word(&network.readout.kind), word(&network.decode.kind));
    let readout = network.readout.neuron_name().unwrap_or(kind);
    sizes.push(format!("{} ({readout})", network.readout.size));
    print_line(&format!("network: {} · {parameters} parameters", sizes.join(" – ")))?;
    print_line(&format!("decoder: {decoder}, from step {}", network.decode.skip))?;
    for (name, tensor) in &tensors {
        let shape: Vec<String> = tensor.shape.iter().map(usize::to_string).collect();
        let range = range(name, &tensors, network);
        print_line(&format!("  {name:34} {:>12}{range}", shape.join(" × ")))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The range of a tensor's values; the median too of time constants.
fn range(name: &str, tensors: &TensorMap, network: &NetworkConfig) -> String {
    let mut values = tensors[name].values.clone();
    values.sort_by(f32::total_cmp);
    let (Some(first), Some(last)) = (values.first(), values.last()) else {
        return String::new();
    };
    if name.contains("tau") {
        let middle = values[values.len() / 2];
        // A step of 1 stands for whatever time a step of the data takes; another one is said in the configuration, in ms.
        let unit = match dt(name, network) {
            1.0 => "steps".to_owned(),
            dt => format!("ms (a step: {dt} ms)"),
        };
        let [first, last, middle] = [*first, *last, middle].map(three_digits);
        format!("   {first} to {last} {unit}, median {middle}")
    } else {
        format!("   {first:+.3} to {last:+.3}")
    }
}

/// The length of a step of the layer, or the readout, that a tensor is of.
fn dt(name: &str, network: &NetworkConfig) -> f64 {
    let number =
        name.strip_prefix("layers.").and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
    let layer = number.and_then(|number| network.layers.get(number));
    layer.map_or(network.readout.dt, |layer| layer.dt)
}

/// A positive number with three significant digits.
fn three_digits(value: f32) -> String {
    if !(1e-3..1e5).contains(&value) {
        return format!("{value:.2e}");
    }
    let decimals = usize::try_from(2 - value.log10().floor() as i32).unwrap_or(0);
    format!("{value:.decimals$}")
}

/// A word of a configuration, as a file has it.
fn word(word: &impl Serialize) -> String {
    json!(word).as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_constants_have_three_digits() {
        for (value, text) in [
            (0.0021, "0.00210"),
            (0.0338065, "0.0338"),
            (0.6750624, "0.675"),
            (20.0, "20.0"),
            (347.6, "348"),
            (1e7, "1.00e7"),
        ] {
            assert_eq!(three_digits(value), text);
        }
    }
}

//! `barnowl info`: what a model is.

use crate::args::Info;
use crate::eval::model_file;
use crate::{print_json, print_line};
use barnowl::cell::CellKind;
use barnowl::error::Result;
use barnowl::exchange::TensorMap;
use barnowl::model::Model;
use barnowl::parameters::TimeConstantForm;
use burn::tensor::Device;
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
            CellKind::Alif if layer.beta == 0.0 => "LIF",
            CellKind::Alif => "ALIF",
            CellKind::Relu => "ReLU",
            CellKind::Lstm => "LSTM",
            CellKind::Gru => "GRU",
            CellKind::Rnn => "tanh",
        };
        sizes.push(format!("{direction}{} ({kind} {cell})", layer.size));
    }
    sizes.push(format!("{} ({:?})", network.readout.size, network.readout.kind));
    print_line(&format!("network: {} · {parameters} parameters", sizes.join(" – ")))?;
    print_line(&format!("decoder: {:?}, from step {}", network.decode.kind, network.decode.skip))?;
    for (name, tensor) in &tensors {
        let shape: Vec<String> = tensor.shape.iter().map(usize::to_string).collect();
        print_line(&format!("  {name:34} {:>12}{}", shape.join(" × "), range(name, &tensors)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The range of a tensor's values; the median too of time constants.
fn range(name: &str, tensors: &TensorMap) -> String {
    let mut values = tensors[name].values.clone();
    values.sort_by(f32::total_cmp);
    let (Some(first), Some(last)) = (values.first(), values.last()) else {
        return String::new();
    };
    if name.contains("tau") {
        let middle = values[values.len() / 2];
        format!("   {first:.1} to {last:.1} ms, median {middle:.1}")
    } else {
        format!("   {first:+.3} to {last:+.3}")
    }
}

//! `barnowl import`: a model from another program's parameters.

use crate::args::Import;
use crate::{print_json, print_line, settings};
use barnowl::error::{Error, Result};
use barnowl::exchange::{self, safetensors::Metadata};
use barnowl::model::Model;
use barnowl::network::Network;
use barnowl::parameters::TimeConstantForm;
use barnowl::task::TaskConfig;
use burn::tensor::Device;
use serde_json::json;
use std::process::ExitCode;

pub fn run(args: &Import) -> Result<ExitCode> {
    let task = TaskConfig::load(&args.task, &settings::join([], &args.set)?)?;
    let tensors = exchange::read(&args.file, args.key.as_deref())?;
    let in_file = |error: barnowl::error::Error| error.in_file(&args.file);
    let mut renamed = exchange::rename(&task.name, tensors).map_err(in_file)?;
    let impossible = exchange::impossible_time_constants(&renamed.tensors);
    if !impossible.is_empty() && !args.repair {
        let lines: Vec<String> = impossible.iter().map(|e| format!("\n  {e}")).collect();
        return Err(in_file(
            Error::format(format!("time constants that no neuron can have:{}", lines.concat()))
                .expected("positive numbers")
                .remedy("--repair sets them to the nearest possible ones, and says which"),
        ));
    }
    // Before the repair, which leaves some at the shortest there is.
    let short = exchange::short_time_constants(&task.network, &renamed.tensors);
    let repaired = match args.repair {
        true => exchange::repair_time_constants(&task.network, &mut renamed.tensors),
        false => Vec::new(),
    };
    let form = TimeConstantForm::Tau;
    let network = Network::from_tensors(&task.network, &renamed.tensors, form, &Device::flex())
        .map_err(in_file)?;
    let source = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut provenance = Metadata::from([("imported from".to_owned(), source)]);
    if !repaired.is_empty() {
        let repaired: Vec<String> = repaired.iter().map(ToString::to_string).collect();
        provenance.insert("repaired".to_owned(), repaired.join("; "));
    }
    if let Some(name) = renamed.reversed {
        provenance.insert("channels turned round".to_owned(), name.to_owned());
    }
    Model::new(task, network, None).with_provenance(provenance).save(&args.out)?;
    for name in &renamed.ignored {
        eprintln!("note: {name} is left out: the network never uses it");
    }
    if let Some(name) = renamed.reversed {
        eprintln!(
            "note: channel c of {name} is their channel 700 - c: their scripts number the cochlea's channels downward"
        );
    }
    for repair in &repaired {
        eprintln!("note: repaired {repair}");
    }
    for elements in &short {
        eprintln!(
            "note: {elements} are shorter than a step: they run as they are, and hardly remember"
        );
    }
    let count = renamed.tensors.len();
    if args.output.json {
        print_json(&json!({
            "model": args.out, "tensors": count, "ignored": renamed.ignored,
            "repaired": repaired, "shorter_than_a_step": short, "channels_turned_round": renamed.reversed,
        }))?;
    } else {
        print_line(&format!("{count} tensors imported to {}", args.out.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

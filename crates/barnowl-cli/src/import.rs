//! `barnowl import`: a model from another program's parameters.

use crate::args::Import;
use crate::{print_json, print_line};
use barnowl::error::Result;
use barnowl::exchange::{self, safetensors::Metadata};
use barnowl::model::Model;
use barnowl::network::Network;
use barnowl::parameters::TimeConstantForm;
use barnowl::task::TaskConfig;
use burn::tensor::Device;
use serde_json::json;
use std::process::ExitCode;

pub fn run(args: &Import) -> Result<ExitCode> {
    let task = TaskConfig::load(&args.task, &args.set)?;
    let tensors = exchange::read(&args.file, args.key.as_deref())?;
    let in_file = |error: barnowl::error::Error| error.in_file(&args.file);
    let renamed = exchange::rename(&task.name, tensors).map_err(in_file)?;
    let form = TimeConstantForm::Tau;
    let network = Network::from_tensors(&task.network, &renamed.tensors, form, &Device::flex())
        .map_err(in_file)?;
    let source = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let provenance = Metadata::from([("imported from".to_owned(), source)]);
    Model { task, network, provenance }.save(&args.out)?;
    for name in &renamed.ignored {
        eprintln!("note: {name} is left out: the network never uses it");
    }
    let count = renamed.tensors.len();
    if args.output.json {
        print_json(&json!({
            "model": args.out, "tensors": count, "ignored": renamed.ignored,
        }))?;
    } else {
        print_line(&format!("{count} tensors imported to {}", args.out.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

//! `barnowl devices`: what networks can run on.

use crate::args::Devices;
use crate::print::{print_json, print_line};
use barnowl::device::{self, Listed};
use barnowl::error::Result;
use serde_json::json;
use std::process::ExitCode;

pub fn run(args: &Devices) -> Result<ExitCode> {
    let listed = device::list();
    if args.output.json {
        let device = |device: &Listed| json!({ "name": device.name, "is": device.description });
        let devices: Vec<_> = listed.iter().map(device).collect();
        print_json(&json!({ "devices": devices, "kinds": device::kinds() }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for Listed { name, description, .. } in &listed {
        print_line(&format!("{name:10} {description}"))?;
    }
    let kinds = device::kinds();
    let missing: Vec<_> = device::NAMES.into_iter().filter(|name| !kinds.contains(name)).collect();
    if !missing.is_empty() {
        eprintln!(
            "this build does not know {}: cargo build --release --features {}",
            missing.join(", "),
            missing[0]
        );
    }
    Ok(ExitCode::SUCCESS)
}

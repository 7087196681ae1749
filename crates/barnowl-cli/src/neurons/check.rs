//! `barnowl neurons check`: whether a model is right, and can be trained.

use super::found::Found;
use super::page::beside_alif;
use crate::args::NeuronsCheck;
use crate::print::{print_json, print_line};
use barnowl::error::{Error, Result};
use barnowl_model::{Model, Report};
use serde_json::{Value, json};
use std::process::ExitCode;

pub fn run(args: &NeuronsCheck) -> Result<ExitCode> {
    let found = Found::of(&args.model)?;
    let reports: Vec<(Model, Report)> = found
        .models()?
        .into_iter()
        .map(|model| {
            let report = model.check();
            (model, report)
        })
        .collect();
    if args.output.json {
        let reports: Vec<Value> =
            reports.iter().map(|(model, report)| detail(model, report)).collect();
        print_json(&json!({ "neurons": reports }))?;
    } else {
        for (model, report) in &reports {
            print_line(text(model, report)?.trim_end())?;
        }
    }
    // One error, of the first that fails; the others stand above.
    let faults = reports.iter().filter_map(|(model, report)| Some((model, report.faults.first()?)));
    match faults.into_iter().next() {
        None => Ok(ExitCode::SUCCESS),
        Some((model, fault)) => {
            let problem = match reports.len() {
                1 => fault.problem.clone(),
                _ => format!("{}: {}", model.name(), fault.problem),
            };
            Err(found.name(Error::config(problem).remedy(fault.remedy)))
        }
    }
}

fn text(model: &Model, report: &Report) -> Result<String> {
    let verdict = if report.faults.is_empty() { "all is well" } else { "not fit for training" };
    let mut text = format!("{}: {verdict}\n", model.name());
    if report.gradients > 0 {
        text += &format!(
            "  gradient  {} compared with central differences; the largest relative difference is {:.1e}\n",
            report.gradients, report.gradient_error
        );
    }
    if let Some(current) = report.rheobase {
        text += &format!(
            "  spikes    from a current of {current:.4} on; {:.3} a step at {:.4}\n",
            report.rate, report.drive
        );
        text += &format!(
            "  states    stay within ±{:.3} under currents of up to ±{:.4}\n",
            report.largest_state,
            report.drive.abs()
        );
    }
    text += &format!("  cost      {} {}\n", model.operations_in_words(), beside_alif(model)?);
    for fault in &report.faults {
        text += &format!("  fault     {}\n", fault.problem);
    }
    for remark in &report.remarks {
        text += &format!("  remark    {remark}\n");
    }
    Ok(text)
}

fn detail(model: &Model, report: &Report) -> Value {
    let faults = report
        .faults
        .iter()
        .map(|fault| json!({ "problem": fault.problem, "remedy": fault.remedy }));
    json!({
        "name": model.name(),
        "gradients": report.gradients,
        "gradient_error": report.gradient_error,
        "rheobase": report.rheobase,
        "drive": report.drive,
        "rate": report.rate,
        "largest_state": report.largest_state,
        "operations": model.step().count().total(),
        "operations_back": model.step().adjoint().count().total(),
        "faults": faults.collect::<Vec<_>>(),
        "remarks": report.remarks,
    })
}

//! `barnowl neurons`: the neuron models, and one's own.

mod check;
mod found;
mod page;
mod plot;

use crate::args::{Neurons, NeuronsAction};
use crate::print::print_line;
use barnowl::error::Result;
use found::Found;
use std::process::ExitCode;

pub fn run(args: &Neurons) -> Result<ExitCode> {
    match (&args.action, &args.model) {
        (Some(NeuronsAction::Check(args)), _) => return check::run(args),
        (Some(NeuronsAction::Plot(args)), _) => plot::run(args)?,
        (None, None) => page::list(args.output.json)?,
        (None, Some(word)) => {
            let found = Found::of(word)?;
            if args.toml {
                print_line(found.text.trim_end())?;
            } else if args.latex {
                print_line(&found.model()?.latex())?;
            } else if args.markdown {
                print_line(found.model()?.markdown().trim_end())?;
            } else {
                page::show(&found.model()?, args.output.json)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

//! `barnowl bench`: how long a training step takes, and what that is of what the machine can do.
//!
//! | file | holds |
//! | --- | --- |
//! | `shapes.rs`, `trial.rs` | the networks and their data; a network in training beside a clock |
//! | `asked.rs` | what the command line says of both |
//! | `steps.rs` | a training step and an evaluation of each shape: the command without further flags |
//! | `count.rs`, `peaks.rs`, `memory.rs` | the work of a step, the best of this machine, memory |
//! | `peers.rs`, `process.rs` | turns with other frameworks, each a process of its own |
//! | `neurons.rs` | turns with other neurons, and with the same from their equations |
//! | `latency.rs` | one stream, step by step, on `barnowl-neuron` |
//! | `scaling.rs` | a step while one thing varies |

mod asked;
mod count;
mod latency;
mod memory;
mod neurons;
mod peaks;
mod peers;
mod process;
mod scaling;
mod shapes;
mod steps;
mod trial;

use crate::args::Bench;
use crate::place::{on_device, set_threads};
use barnowl::error::{Error, Result};
use burn::tensor::Device;
use std::process::ExitCode;

pub fn run(args: &Bench) -> Result<ExitCode> {
    if let (true, Some(threads @ 2..)) = (args.latency, args.threads.threads) {
        return Err(Error::config(format!("--latency with --threads {threads}"))
            .expected("one thread: a stream is computed step by step, as on a small device")
            .remedy("leave --threads out"));
    }
    set_threads(&args.threads)?;
    on_device(&args.place, |device| run_on(args, device))
}

fn run_on(args: &Bench, device: &Device) -> Result<ExitCode> {
    if let Some(file) = &args.scaling {
        scaling::run(args, file, device)?;
    } else if let Some(python) = &args.peers {
        peers::run(args, python, device)?;
    } else if !args.neuron.is_empty() {
        neurons::run(args, device)?;
    } else if args.latency {
        latency::run(args)?;
    } else {
        steps::run(args, device)?;
    }
    Ok(ExitCode::SUCCESS)
}

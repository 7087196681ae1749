//! The `barnowl` command.

mod answers;
mod args;
mod bench;
mod data;
mod devices;
mod energy;
mod eval;
mod import;
mod info;
mod interrupt;
mod neurons;
mod opened;
mod plots;
mod predict;
mod progress;
mod report;
mod settings;
mod sparsity;
mod study;
mod table;
mod tasks;
mod tensorboard;
mod train;

use args::{Cli, Command, Place, Threads};
use barnowl::device;
use barnowl::error::{Error, ErrorKind, Result};
use burn::tensor::Device;
use clap::Parser;
use std::process::ExitCode;

/// Training frees and allocates the same large buffers at every step. The system's allocator gives them back to the
/// kernel each time, and a third of a step goes into faulting their pages in again; this one keeps them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit status of bad input: a file, a flag, a configuration, a disk that refuses.
const REFUSED: u8 = 2;
/// The exit status of a training run that diverged.
const DIVERGED: u8 = 3;
/// The exit status of a device that failed while it computed.
const FAILED: u8 = 4;
/// The exit status of a run that Ctrl-C stopped: 128 + SIGINT, as shells have it.
const INTERRUPTED: u8 = 130;

/// Lets the allocator keep unused memory for a second before it goes back to the kernel, rather than for 10 ms: a step
/// of training takes longer than that, and would fault the same pages in again every time.
fn keep_memory() {
    /// The place of `mi_option_purge_delay` in mimalloc's list of options, in milliseconds.
    const PURGE_DELAY: i32 = 15;
    // SAFETY: sets a number in the allocator, which may be done at any time.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, 1000) };
}

fn main() -> ExitCode {
    keep_memory();
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(status(&error))
        }
    }
}

/// The exit status of an error.
fn status(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Divergence => DIVERGED,
        ErrorKind::Device => FAILED,
        _ => REFUSED,
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    barnowl::instruction_set()?;
    match cli.command {
        Command::Train(args) => train::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Info(args) => info::run(&args),
        Command::Neurons(args) => neurons::run(&args),
        Command::Tasks(args) => tasks::run(&args),
        Command::Data(args) => data::run(&args),
        Command::Sparsity(args) => sparsity::run(&args),
        Command::Energy(args) => energy::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Study(args) => study::study(&args),
        Command::Sweep(args) => study::sweep(&args),
        Command::Devices(args) => devices::run(&args),
        Command::Bench(args) => bench::run(&args),
    }
}

/// What a command does on its device, from the first tensor to the last plot: should the device fail, that is one error.
fn on_device(place: &Place, work: impl FnOnce(&Device) -> Result<ExitCode>) -> Result<ExitCode> {
    let device = device::open(&place.device)?;
    device::guard(&device, || work(&device))
}

/// Sets the number of threads of the process.
fn set_threads(args: &Threads) -> Result<()> {
    let Some(threads) = args.threads else {
        return Ok(());
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.into())
        .build_global()
        .map_err(|error| Error::config(format!("--threads {threads}: {error}")))
}

/// Prints a result as one JSON object.
fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string(value)
        .map_err(|error| Error::format(format!("the result cannot be written as JSON: {error}")))?;
    print_line(&text)
}

/// Prints to standard output; a reader that has gone away is no error.
fn print_line(text: &str) -> Result<()> {
    use std::io::Write;
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::io("write", "standard output", error))
        }
        _ => Ok(()),
    }
}

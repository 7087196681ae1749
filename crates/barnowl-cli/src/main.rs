//! The `barnowl` command.

mod answers;
mod args;
mod bench;
mod conclusion;
mod data;
mod devices;
mod energy;
mod eval;
mod exit;
mod import;
mod info;
mod interrupt;
mod neurons;
mod opened;
mod place;
mod plots;
mod predict;
mod print;
mod progress;
mod report;
mod settings;
mod sparsity;
mod study;
mod table;
mod tasks;
mod tensorboard;
mod train;

use args::{Cli, Command};
use barnowl::error::Result;
use clap::Parser;
use std::process::ExitCode;

/// Training frees and allocates the same large buffers at every step. The system's allocator gives them back to the
/// kernel each time, and a third of a step goes into faulting their pages in again; this one keeps them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
            ExitCode::from(exit::status(&error))
        }
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

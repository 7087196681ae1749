//! Where a command computes: on which device, by how many threads.

use crate::args::{Place, Threads};
use barnowl::device;
use barnowl::error::{Error, Result};
use burn::tensor::Device;
use std::process::ExitCode;

/// What a command does on its device, from the first tensor to the last plot: should the device fail, that is one error.
pub fn on_device(
    place: &Place,
    work: impl FnOnce(&Device) -> Result<ExitCode>,
) -> Result<ExitCode> {
    let device = device::open(&place.device)?;
    device::guard(&device, || work(&device))
}

/// Sets the number of threads of the process.
pub fn set_threads(args: &Threads) -> Result<()> {
    let Some(threads) = args.threads else {
        return Ok(());
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.into())
        .build_global()
        .map_err(|error| Error::config(format!("--threads {threads}: {error}")))
}

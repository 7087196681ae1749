//! Flags that several commands have.

use barnowl::task::Split;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Data {
    /// The data folder [default: BARNOWL_DATA in the environment]; without it, tasks that have a generator use it.
    #[arg(long = "data", value_name = "DIR")]
    given: Option<PathBuf>,
}

impl Data {
    /// The data folder: the one that is given, else that of the environment.
    pub fn directory(&self) -> Option<PathBuf> {
        self.given.clone().or_else(data_of_environment)
    }

    /// The data folder that is given.
    pub fn given(&self) -> Option<PathBuf> {
        self.given.clone()
    }
}

/// The data folder that the environment names.
pub fn data_of_environment() -> Option<PathBuf> {
    std::env::var_os("BARNOWL_DATA").filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

/// Which data a model is judged on.
#[derive(Debug, Args)]
pub struct ModelData {
    /// The data folder [default: that of the run; of a model without one, BARNOWL_DATA in the environment].
    #[arg(long = "data", value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Use data that are not those of the model: another set, other classes or channels, changed files. The result names them.
    #[arg(long)]
    pub other_data: bool,
}

#[derive(Debug, Clone, Args)]
pub struct Threads {
    /// Threads to compute with, which runs at a time share [default: all cores]. The result is the same for any number.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Where to compute: cpu, or a graphics processor (cuda, cuda:1, rocm, metal, vulkan, wgpu) that this build knows and
    /// this machine has: see `barnowl devices`.
    #[arg(long, value_name = "NAME", default_value = "cpu")]
    pub device: String,
}

#[derive(Debug, Clone, Copy, Args)]
pub struct TensorBoard {
    /// Write events for TensorBoard into the run folder: `tensorboard --logdir runs` shows them.
    #[arg(long = "tensorboard")]
    pub on: bool,
}

#[derive(Debug, Args)]
pub struct Output {
    /// Print one JSON object to standard output.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SplitName {
    /// What the weights were trained on.
    Train,
    /// What epochs and settings are chosen by.
    Valid,
    /// What is reported.
    Test,
}

impl From<SplitName> for Split {
    fn from(name: SplitName) -> Self {
        match name {
            SplitName::Train => Self::Train,
            SplitName::Valid => Self::Valid,
            SplitName::Test => Self::Test,
        }
    }
}

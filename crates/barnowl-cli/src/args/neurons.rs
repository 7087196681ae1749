//! The flags of `barnowl neurons`.

use super::common::Output;
use clap::{Args, Subcommand};
use std::path::PathBuf;

const NEURONS_EXAMPLES: &str = "Examples:
  barnowl neurons                                    the built-in models
  barnowl neurons lif:zero                           equations, parameters, states, cost
  barnowl neurons adlif_se --latex                   for a paper
  barnowl neurons alif --toml > mine.toml            a file to start your own from
  barnowl neurons check mine.toml                    is it right, and can it be trained?
  barnowl neurons plot mine.toml --out mine.svg      states, spikes and rate under currents

A model file is described in docs/neurons.md.";

#[derive(Debug, Args)]
#[command(after_help = NEURONS_EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Neurons {
    #[command(subcommand)]
    pub action: Option<NeuronsAction>,
    /// Show this model: a built-in one, NAME or NAME:VARIANT, or the path of a TOML file, FILE or FILE:VARIANT.
    pub model: Option<String>,
    /// Print its equations in LaTeX, for an `aligned` environment.
    #[arg(long, requires = "model", conflicts_with_all = ["markdown", "toml", "json"])]
    pub latex: bool,
    /// Print a page of Markdown about it.
    #[arg(long, requires = "model", conflicts_with_all = ["toml", "json"])]
    pub markdown: bool,
    /// Print its file, with all its variants.
    #[arg(long, requires = "model", conflicts_with = "json")]
    pub toml: bool,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum NeuronsAction {
    /// Try a model: its gradient against finite differences, its ranges, whether its states stay bounded and it spikes.
    Check(NeuronsCheck),
    /// Draw its states and spikes under a step of current and under pulses, and its rate over current.
    Plot(NeuronsPlot),
}

const CHECK_EXAMPLES: &str = "Example:
  barnowl neurons check mine.toml

What is tried: the gradient of every parameter and of the input current against central differences in double precision, \
through 40 steps and at 8 draws of the parameters, with smooth spikes, of which the surrogate gradient is the exact one; \
the ends of all ranges; constant and swinging currents for 4000 steps. Exit status 0 if all is well, 2 if not; remarks \
are no faults.";

#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub struct NeuronsCheck {
    /// The path of a TOML file, of which all variants are tried; or FILE:VARIANT, or a built-in model.
    #[arg(value_name = "FILE")]
    pub model: String,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  barnowl neurons plot alif --out alif.svg")]
pub struct NeuronsPlot {
    /// A built-in model, NAME or NAME:VARIANT, or the path of a TOML file, FILE or FILE:VARIANT.
    pub model: String,
    /// The picture to write.
    #[arg(long, value_name = "FILE.svg")]
    pub out: PathBuf,
    #[command(flatten)]
    pub output: Output,
}

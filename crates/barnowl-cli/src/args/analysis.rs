//! The flags of what looks at trained networks: `barnowl sparsity`, `energy` and `report`.

use super::common::{ModelData, Output, Place, SplitName, Threads};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barnowl sparsity runs/ecg-1\n  barnowl sparsity runs/ecg-1 --data data --plot rates.svg"
)]
pub struct Sparsity {
    /// A model file, or the folder of a run.
    pub model: PathBuf,
    #[command(flatten)]
    pub data: ModelData,
    /// Which part of the data.
    #[arg(long, value_enum, default_value = "test")]
    pub split: SplitName,
    /// Draw histograms of rates and of intervals between spikes.
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub threads: Threads,
    #[command(flatten)]
    pub output: Output,
}

const ENERGY_EXAMPLES: &str = "Examples:
  barnowl energy runs/ecg-1                          beside networks of the same sizes without spikes
  barnowl energy runs/ecg-1 --versus runs/ecg-2      and beside another model
  barnowl energy model.safetensors --cost 3.1,0.2    picojoules of a MAC and of an AC

Spikes cost an accumulate (AC) for every synapse that they pass, real numbers a multiply-accumulate (MAC); the formulae \
are in docs/energy.md.";

#[derive(Debug, Args)]
#[command(after_help = ENERGY_EXAMPLES)]
pub struct Energy {
    /// A model file, or the folder of a run.
    pub model: PathBuf,
    #[command(flatten)]
    pub data: ModelData,
    /// Which part of the data.
    #[arg(long, value_enum, default_value = "test")]
    pub split: SplitName,
    /// Another model on the same data.
    #[arg(long, value_name = "MODEL")]
    pub versus: Option<PathBuf>,
    /// What operations cost: float32 or int32 (45 nm CMOS), or picojoules of a MAC and of an AC.
    #[arg(long, value_name = "COST", default_value = "float32")]
    pub cost: String,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub threads: Threads,
    #[command(flatten)]
    pub output: Output,
}

const REPORT_EXAMPLES: &str = "Examples:
  barnowl report runs/ecg-1                          runs/ecg-1/report.html
  barnowl report runs/ecg-* --out report.html        several runs, their mean and spread
  barnowl report runs/ecg-1 --figures figures        the figures as SVG files too

The page holds all it needs and is read offline, on a screen or on paper.";

#[derive(Debug, Args)]
#[command(after_help = REPORT_EXAMPLES)]
pub struct Report {
    /// The folders of the runs.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    #[command(flatten)]
    pub data: ModelData,
    /// The page to write [default: report.html in the first run's folder].
    #[arg(long, value_name = "FILE.html")]
    pub out: Option<PathBuf>,
    /// Write the figures of the page as SVG files into this folder too, as RUN-FIGURE.svg.
    #[arg(long, value_name = "DIR")]
    pub figures: Option<PathBuf>,
    /// Which part of the data [default: what each run was judged on: the test data, or the validation data after --no-test].
    #[arg(long, value_enum)]
    pub split: Option<SplitName>,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub threads: Threads,
    #[command(flatten)]
    pub output: Output,
}

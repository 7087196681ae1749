//! The flags of `barnowl study` and `barnowl sweep`.

use super::common::{Data, Output, Place, TensorBoard, Threads};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

const STUDY_EXAMPLES: &str = "Examples:
  barnowl study surrogates ecg --data data
  barnowl study time-constants ecg --seeds 5 --epochs 100 --out studies/mine
  barnowl study size ecg --set train.learning_rate=0.01 --json
  barnowl study folds mine.toml --folds 10 --seeds 1
  barnowl study groups mine.toml --seeds 1              leaves each subject out in turn

Runs are folders like those of `barnowl train`, with the same bits. A study that was stopped or killed goes on with the \
same command; what has finished is not run again. The epoch of every run is chosen on validation data, the test data \
are used once a run. Folds and groups are of the training data; the test data stay unseen.";

#[derive(Debug, Args)]
#[command(after_help = STUDY_EXAMPLES)]
pub struct Study {
    /// What to compare.
    #[arg(value_enum)]
    pub study: StudyName,
    /// A built-in task (see `barnowl tasks`) or the path of a TOML file.
    pub task: String,
    #[command(flatten)]
    pub data: Data,
    /// The folder of the study [default: studies/STUDY-TASK].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Runs of every variant, with the seeds 1 to N.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub seeds: u16,
    /// Of the study folds: into how many parts the training data are shared out [default: 5].
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(2..))]
    pub folds: Option<u16>,
    /// Epochs to train [default: the task's].
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Set a key of the task for all variants; may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub jobs: Jobs,
    #[command(flatten)]
    pub output: Output,
}

const SWEEP_EXAMPLES: &str = "Example of a file:
  task = \"ecg\"
  seeds = [1, 2]
  set = [\"train.epochs=100\"]              # for all runs
  [grid]                                    # every combination
  \"network.layers.*.beta\" = [0.0, 1.8]
  \"train.batch\" = [32, 64]
  [random]                                  # and, or instead, drawn at random
  samples = 20
  seed = 1
  [random.keys]
  \"train.learning_rate\" = { low = 0.003, high = 0.1, log = true }
  \"network.layers.0.size\" = { low = 16, high = 64, integer = true }
  \"train.schedule\" = { choices = [{ kind = \"constant\" }, { kind = \"cosine\" }] }
  [median_stopping]                         # drops variants whose first seed is below the median
  after = 30

Instead of a grid, [[variants]] with a `name` and a list `set` each. Variants are ranked by their mean validation \
accuracy; the test accuracy is shown for the best one alone. A sweep that was stopped goes on with the same command. \
Median stopping depends on which run is ahead; each run by itself does not depend on the others.";

#[derive(Debug, Args)]
#[command(after_help = SWEEP_EXAMPLES)]
pub struct Sweep {
    /// The TOML file.
    #[arg(value_name = "FILE.toml")]
    pub file: PathBuf,
    #[command(flatten)]
    pub data: Data,
    /// The folder of the sweep [default: studies/FILE].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub jobs: Jobs,
    #[command(flatten)]
    pub output: Output,
}

/// A comparison of the paper, or a cross-validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StudyName {
    /// The six surrogate gradients.
    Surrogates,
    /// Time constants trained or fixed, from several starts.
    TimeConstants,
    /// Adaptation in all layers, in none, in each alone.
    Adaptation,
    /// The adaptive network beside LIF, feed-forward, ReLU, LSTM, GRU and tanh networks of the same sizes.
    Baselines,
    /// Hidden layers of a quarter, half, once and twice the size.
    Size,
    /// Cross-validation: the training data are shared out into folds, each of which is held out once. Groups and recordings
    /// stay whole.
    Folds,
    /// Cross-validation: each group of the training data, such as a subject, is left out once.
    Groups,
}

impl StudyName {
    /// The name as it is given on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Surrogates => "surrogates",
            Self::TimeConstants => "time-constants",
            Self::Adaptation => "adaptation",
            Self::Baselines => "baselines",
            Self::Size => "size",
            Self::Folds => "folds",
            Self::Groups => "groups",
        }
    }
}

#[derive(Debug, Args)]
pub struct Jobs {
    /// Runs at a time; they share the cores, or the graphics processor [default: as many as there are cores; on a graphics
    /// processor, 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    #[command(flatten)]
    pub threads: Threads,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub tensorboard: TensorBoard,
}

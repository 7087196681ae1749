//! The command line: what `--help` says and what every flag means.

mod analysis;
mod common;
mod neurons;
mod study;

pub use analysis::{Energy, Report, Sparsity};
pub use common::{
    Data, ModelData, Output, Place, SplitName, TensorBoard, Threads, data_of_environment,
};
pub use neurons::{Neurons, NeuronsAction, NeuronsCheck, NeuronsPlot};
pub use study::{Jobs, Study, StudyName, Sweep};

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Adaptive spiking recurrent neural networks for time-domain data.
///
/// Train one in two minutes, without any data: `barnowl train ecg`. Results go to standard output, progress and
/// messages to standard error; with --json, standard output is one JSON object.
#[derive(Debug, Parser)]
#[command(name = "barnowl", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit status: 0 all is well; 2 bad input (a flag, a file, a folder that cannot be written); \
3 training diverged (of a study, in every run); 4 a graphics processor failed; 130 stopped by Ctrl-C, checkpoint saved.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a network on a task.
    Train(Train),
    /// Evaluate a model, or that of a run.
    Eval(Eval),
    /// Answer data without labels: classes and probabilities, a line a sequence or step.
    Predict(Predict),
    /// Make a model from the parameters of a PyTorch state dict or a safetensors file.
    Import(Import),
    /// Show what a model is: task, layers, time constants, where it comes from.
    Info(Info),
    /// List the neuron models, show what one is, check one of your own, draw how one answers currents.
    Neurons(Neurons),
    /// List the built-in tasks, or print one as TOML to start your own from.
    Tasks(Tasks),
    /// List the data sets: where each comes from, its licence, what is expected where, whether it is there; and get them.
    Data(DataSets),
    /// How often and when neurons spike: rates by layer and class, silent neurons, intervals.
    Sparsity(Sparsity),
    /// Count the operations of an inference from its spikes, and what they cost beside LSTM, GRU and RNN.
    Energy(Energy),
    /// Write one or several runs up as a page of HTML: figures, tables, and how to repeat them.
    Report(Report),
    /// Run one of the paper's comparisons on a task: several variants, several seeds, one table and plot.
    Study(Study),
    /// Run a grid or a random search over settings of a task, from a TOML file.
    Sweep(Sweep),
    /// List what networks can run on: the processor, and graphics processors.
    Devices(Devices),
    /// Time training steps on the shapes of the paper's tasks, alone or in turns with other frameworks.
    Bench(Bench),
}

const TRAIN_EXAMPLES: &str = "Examples:
  barnowl train ecg                                  the built-in ECG generator, no data needed
  barnowl train ecg --data data --seed 2             data/qtdb/QTDB_train.mat and QTDB_test.mat
  barnowl train ecg --set network.layers.0.size=64 --set train.learning_rate=0.01
  barnowl train --resume --out runs/mine             go on with a run that was stopped, by its own settings
  barnowl train --resume --out runs/mine --epochs 500     make it longer
  barnowl tasks ecg > mine.toml; barnowl train mine.toml

The epoch is chosen on validation data split off the training data, or is the last with train.keep=last; the test data
are used once, at the end, or not at all with --no-test.";

#[derive(Debug, Args)]
#[command(after_help = TRAIN_EXAMPLES)]
pub struct Train {
    /// A built-in task (see `barnowl tasks`) or the path of a TOML file; with --resume and --out it may be left out.
    #[arg(required_unless_present_all = ["resume", "out"])]
    pub task: Option<String>,
    #[command(flatten)]
    pub data: Data,
    /// The folder of the run [default: runs/TASK-1, or the next number that is free].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Epochs to train [default: the task's].
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Sequences per mini-batch [default: the task's].
    #[arg(long, value_name = "N")]
    pub batch: Option<usize>,
    /// Seed of weights, mini-batches and initial states [default: the task's].
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Start from a trained model, or that of a run, instead of random weights; the readout may have other classes.
    #[arg(long, value_name = "MODEL")]
    pub init: Option<PathBuf>,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub threads: Threads,
    /// Set a key of the task, such as train.learning_rate=0.01; may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Go on with the run in --out (or the last of the task) where its checkpoint is, with the settings and data of the run.
    #[arg(long)]
    pub resume: bool,
    /// Leave the test data alone and judge the model on the validation data: for trials, while settings are chosen.
    /// `barnowl eval RUN` tests the run that is chosen.
    #[arg(long)]
    pub no_test: bool,
    /// Train N times, with the seeds 1 to N, into folders side by side (--out) [default: runs/TASK-seeds], and give mean ± s.d. The
    /// same command goes on after a stop.
    #[arg(long, value_name = "N", conflicts_with_all = ["seed", "resume", "no_test"],
        value_parser = clap::value_parser!(u16).range(1..))]
    pub seeds: Option<u16>,
    #[command(flatten)]
    pub tensorboard: TensorBoard,
    #[command(flatten)]
    pub output: Output,
}

const EVAL_EXAMPLES: &str = "Examples:
  barnowl eval runs/ecg-1                            the model of a run on the test data
  barnowl eval model.safetensors --data data --json
  barnowl eval runs/mine-1 --data elsewhere --other-data   data that the model was not trained on
  barnowl eval runs/ecg-1 --split valid --predictions valid.csv";

#[derive(Debug, Args)]
#[command(after_help = EVAL_EXAMPLES)]
pub struct Eval {
    /// A model file, or the folder of a run.
    pub model: PathBuf,
    /// Evaluate on the data of another task [default: the task in the model].
    #[arg(long, value_name = "TASK")]
    pub task: Option<String>,
    #[command(flatten)]
    pub data: ModelData,
    /// Set a key of the data, such as dataset.folder=gestures; may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Which part of the data.
    #[arg(long, value_enum, default_value = "test")]
    pub split: SplitName,
    /// Write the answers: .csv or .json with names, labels and probabilities; .npy the classes or numbers alone, [sequences, steps] or
    /// [sequences], 65535 after the end of a sequence.
    #[arg(long, value_name = "FILE")]
    pub predictions: Option<PathBuf>,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub threads: Threads,
    #[command(flatten)]
    pub output: Output,
}

const PREDICT_EXAMPLES: &str = "Examples:
  barnowl predict runs/gestures-1 new/*.csv                     a table on the screen
  barnowl predict model.safetensors x.npz --out answers.csv     or .json, or .npy (classes or numbers alone)
  barnowl predict runs/gestures-1 - < recording.csv             from standard input
  barnowl predict runs/gestures-1 long.npz --votes              one answer a file, by the votes of its windows

The files are of the form that the model was trained on; tables may have a column label, which is not looked at. Classes and \
channels are in the model's own order, and values are normalized as its training data were.";

#[derive(Debug, Args)]
#[command(after_help = PREDICT_EXAMPLES)]
pub struct Predict {
    /// A model file, or the folder of a run.
    pub model: PathBuf,
    /// Files to answer; - reads standard input, of any form.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// What to print.
    #[arg(long, value_enum, default_value = "csv")]
    pub format: AnswerFormat,
    /// Write the answers into this file instead: .csv, .json, or .npy (classes or numbers alone; not with --votes).
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// One answer a file: the class that most of its sequences or steps have.
    #[arg(long)]
    pub votes: bool,
    /// Set a key of the data, such as dataset.form.events.unit=ms, where the files are written otherwise than the training data;
    /// may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub threads: Threads,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AnswerFormat {
    /// A table.
    Csv,
    /// A list of objects.
    Json,
}

const IMPORT_EXAMPLES: &str = "Examples:
  barnowl import ecg.pth --task ecg-paper --out ecg.safetensors
  barnowl import checkpoint.pt --key ema.model --task mine.toml --out mine.safetensors
  barnowl import timit.safetensors --task timit --set network.layers.0.size=512 --repair --out timit-512.safetensors

Names of the paper's published scripts are translated; names of ours (`barnowl info`) are taken as they are. The state dict is
found in a checkpoint by its names; what wrappers put before them (module., _orig_mod.) is dropped, and what belongs to the
training (optimizer, criterion) is left out with a note. Any other tensor that the network does not have is refused.";

#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub struct Import {
    /// A PyTorch state dict or checkpoint (.pth, .pt), or a safetensors file; told apart by what it holds.
    pub file: PathBuf,
    /// The task whose network the parameters are for.
    #[arg(long, value_name = "TASK")]
    pub task: String,
    /// The model file to write.
    #[arg(long, value_name = "MODEL")]
    pub out: PathBuf,
    /// Write over a file that is there already.
    #[arg(long)]
    pub force: bool,
    /// The entry of a checkpoint that holds the state dict, such as ema.model [default: the one whose names are known].
    #[arg(long, value_name = "NAME")]
    pub key: Option<String>,
    /// Leave out a tensor, or all that begin with NAME and a dot, which the network does without; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub leave_out: Vec<String>,
    /// Set time constants that no neuron can have, such as those below zero, to the nearest that one can, and say which.
    #[arg(long)]
    pub repair: bool,
    /// Set a key of the task, such as network.layers.0.size=64; may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  barnowl info runs/ecg-1")]
pub struct Info {
    /// A model file, or the folder of a run.
    pub model: PathBuf,
    #[command(flatten)]
    pub output: Output,
}

const DATA_EXAMPLES: &str = "Examples:
  barnowl data --data data                   what is in the folder data, and what is not
  barnowl data fetch shd --data data         into data/shd
  barnowl data verify mnist --data data      compare with the published checksums
  barnowl data look mine.toml                what the network of a task gets, in numbers and drawn

A fetch that was stopped goes on where it ended.";

#[derive(Debug, Args)]
#[command(after_help = DATA_EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct DataSets {
    #[command(subcommand)]
    pub action: Option<DataAction>,
    #[command(flatten)]
    pub data: Data,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum DataAction {
    /// Download a data set that is openly served, check it, and unpack it into the data folder.
    Fetch {
        /// The data set: see `barnowl data`.
        name: String,
        /// Get the files of the same names from here instead.
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
        #[command(flatten)]
        data: Data,
    },
    /// Compare the files of a data set with their published checksums.
    Verify {
        /// The data set: see `barnowl data`.
        name: String,
        #[command(flatten)]
        data: Data,
    },
    /// Show what the network of a task gets: shapes, classes, ranges, events, and a few sequences of each class.
    Look(Look),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  barnowl data look mine.toml --split test --out test.svg")]
pub struct Look {
    /// A built-in task (see `barnowl tasks`) or the path of a TOML file.
    pub task: String,
    #[command(flatten)]
    pub data: Data,
    /// Which part of the data.
    #[arg(long, value_enum, default_value = "train")]
    pub split: SplitName,
    /// Where a few sequences of each class are drawn [default: TASK-data.svg in the current folder].
    #[arg(long, value_name = "FILE.svg")]
    pub out: Option<PathBuf>,
    /// Set a key of the task, such as dataset.steps=500; may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub output: Output,
}

const TASKS_EXAMPLES: &str = "Examples:
  barnowl tasks ecg > mine.toml
  barnowl tasks ecg --all > mine.toml                every setting that there is, and what it means";

#[derive(Debug, Args)]
#[command(after_help = TASKS_EXAMPLES)]
pub struct Tasks {
    /// Print this task as TOML: a built-in one, or that of a TOML file.
    pub name: Option<String>,
    /// Print every setting that there is, each with its meaning, range and default in a comment; what the task does not set
    /// stands in comments, with an example.
    #[arg(long, requires = "name", conflicts_with = "json")]
    pub all: bool,
    /// Print the reference of all settings, of all kinds, in Markdown: docs/settings.md.
    #[arg(long, conflicts_with_all = ["name", "json"])]
    pub reference: bool,
    #[command(flatten)]
    pub data: Data,
    #[command(flatten)]
    pub output: Output,
}

const BENCH_EXAMPLES: &str = "Examples:
  barnowl bench                                      all four shapes
  barnowl bench ecg gsc --threads 1 --json
  barnowl bench shd --checkpoint-steps 16            less memory, more time; the same gradients
  barnowl bench ecg --peers .venv/bin/python         turns with PyTorch and JAX
  barnowl bench gsc --peers python3 --peer norse --peer snntorch
  barnowl bench ecg --peers python3 --neuron adlif_se      another neuron in the hidden layers of both
  barnowl bench gsc --peers python3 --peer pytorch-step --peer pytorch-loop --peer-limit 900
  barnowl bench --latency                            one stream, step by step, in nanoseconds
  barnowl bench --scaling scaling.svg                a picture of how a step grows

A step is forward, backward and Adam on random input spikes; biases are set so that hidden neurons spike as often as \
in the authors' trained networks. Its time is the median of repeated steps, and the fastest one beside it. GFLOP/s \
done are counted from the spikes that there were, an addition each time that one reaches a neuron; the dense \
equivalent is what a library of matrix products would have had to do in the same time. Fractions are of the best that \
this machine does on as many threads: a product of two matrices of 1024 × 1024, and a sum of two arrays in memory.

Whatever else runs on the machine is in the numbers. To compare with other frameworks, use --peers, which takes turns.";

#[derive(Debug, Args)]
#[command(after_help = BENCH_EXAMPLES)]
pub struct Bench {
    /// Shapes to time [default: all; with --peers, all but smnist].
    #[arg(value_enum)]
    pub shapes: Vec<ShapeName>,
    /// Steps to time, after two that warm up; with --peers and --scaling, rounds.
    #[arg(long, value_name = "K", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: u32,
    /// Sequences of a batch, instead of the shape's.
    #[arg(long, value_name = "B", value_parser = clap::value_parser!(u16).range(1..))]
    pub batch: Option<u16>,
    /// Steps of a sequence, instead of the shape's; more than the 11 that a decoder may skip.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(16..))]
    pub length: Option<u16>,
    /// Neurons of every hidden layer, instead of the shape's.
    #[arg(long, value_name = "H", value_parser = clap::value_parser!(u16).range(1..=16384))]
    pub hidden: Option<u16>,
    /// Time the training steps alone: no peaks of the machine, no inference.
    #[arg(long, conflicts_with_all = ["peers", "latency", "scaling"])]
    pub steps_only: bool,
    /// Keep potentials of N steps at a time and compute them again on the way back; with --device cpu
    /// [default: keep all].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub checkpoint_steps: Option<u32>,
    /// Take turns with other frameworks, run by this Python; the ratio is theirs over Barnowl's, round by round.
    #[arg(long, value_name = "PYTHON", conflicts_with_all = ["latency", "scaling"])]
    pub peers: Option<PathBuf>,
    /// With --peers, a framework; may be given several times [default: pytorch and jax, as far as they have the --neuron].
    #[arg(long, value_enum, value_name = "NAME", requires = "peers")]
    pub peer: Vec<PeerName>,
    /// With --peers, the folder of the frameworks' scripts, time_NAME.py.
    #[arg(long, value_name = "DIR", default_value = "reference", requires = "peers")]
    pub reference: PathBuf,
    /// With --peers, how long a framework may take to start, compiling included, before it is left out.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, requires = "peers", value_parser = clap::value_parser!(u32).range(1..))]
    pub peer_limit: u32,
    /// Take turns with hidden neurons that run from their equations: built-in ones, compiled and interpreted, or a file; may
    /// be given several times. The ratio is theirs over the hand-written adaptive neurons', round by round. With --peers, the
    /// one neuron in the hidden layers of all: alif, adlif_se or brf.
    #[arg(long, value_name = "NAME|FILE.toml", conflicts_with_all = ["latency", "scaling", "steps_only"])]
    pub neuron: Vec<String>,
    /// Time one stream through the network, a step at a time, as a device would run it (barnowl-neuron, one thread).
    #[arg(long, conflicts_with_all = ["scaling", "checkpoint_steps"])]
    pub latency: bool,
    /// Time a small network while one thing varies; writes FILE.svg and, beside it, FILE.json. Takes some seconds.
    #[arg(long, value_name = "FILE.svg", conflicts_with = "shapes")]
    pub scaling: Option<PathBuf>,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub threads: Threads,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  barnowl devices; barnowl train ecg --device cuda:0")]
pub struct Devices {
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShapeName {
    /// 4–36–6, batch 64, 1300 steps.
    Ecg,
    /// 700–128–128–20, batch 64, 250 steps.
    Shd,
    /// 120–256 (feed-forward)–256–12, batch 32, 101 steps.
    Gsc,
    /// 4–64–256–256 (feed-forward)–10, batch 256, 784 steps.
    Smnist,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PeerName {
    /// PyTorch, eager, one loop over time.
    Pytorch,
    /// PyTorch, a time step compiled by torch.compile, the loop in Python.
    PytorchStep,
    /// PyTorch, the whole loop compiled by torch.compile: many minutes for long sequences, see --peer-limit.
    PytorchLoop,
    /// JAX, jitted, one scan over time for all layers.
    Jax,
    /// JAX, jitted, a scan over time for each layer.
    JaxLayers,
    /// snnTorch; its neurons do not adapt.
    Snntorch,
    /// Norse.
    Norse,
    /// SpikingJelly, multi-step; its neurons do not adapt.
    Spikingjelly,
    /// Spyx, with an adaptive neuron of one's own.
    Spyx,
    /// sparXML.
    Sparxml,
    /// traceTorch, with an adaptive neuron of one's own.
    Tracetorch,
    /// Sinabs.
    Sinabs,
}

/// How a framework is timed.
#[derive(Debug, Clone, Copy)]
pub struct PeerScript {
    /// As it is named in tables.
    pub name: &'static str,
    /// The name in that of its script, `time_NAME.py`.
    pub script: &'static str,
    /// What the script is told besides.
    pub options: &'static [&'static str],
    /// What `pip install` takes.
    pub packages: &'static str,
    /// The hidden neurons that it has.
    pub neurons: &'static [&'static str],
}

impl PeerName {
    /// How it is timed.
    pub fn script(self) -> PeerScript {
        let alif = PeerScript {
            name: "",
            script: "pytorch",
            options: &[],
            packages: "numpy torch",
            neurons: &["alif"],
        };
        let jax = PeerScript {
            script: "jax",
            packages: "numpy jax optax",
            neurons: &["alif", "adlif_se", "brf"],
            ..alif
        };
        let library = |name, packages| PeerScript { name, script: name, packages, ..alif };
        match self {
            Self::Pytorch => PeerScript { name: "pytorch", ..alif },
            Self::PytorchStep => {
                PeerScript { name: "pytorch-step", options: &["--compile", "step"], ..alif }
            }
            Self::PytorchLoop => {
                PeerScript { name: "pytorch-loop", options: &["--compile", "loop"], ..alif }
            }
            Self::Jax => PeerScript { name: "jax", ..jax },
            Self::JaxLayers => {
                PeerScript { name: "jax-layers", options: &["--scan", "layers"], ..jax }
            }
            Self::Snntorch => library("snntorch", "numpy torch snntorch"),
            Self::Norse => library("norse", "numpy torch norse"),
            Self::Spikingjelly => library("spikingjelly", "numpy torch spikingjelly"),
            Self::Spyx => library("spyx", "numpy jax optax spyx"),
            Self::Sparxml => library("sparxml", "numpy jax optax sparxml"),
            Self::Tracetorch => library("tracetorch", "numpy torch tracetorch"),
            Self::Sinabs => library("sinabs", "numpy torch sinabs"),
        }
    }
}

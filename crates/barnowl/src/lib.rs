//! Adaptive spiking recurrent neural networks for time-domain data: fused, sparse and exactly reproducible.
//!
//! Barnowl implements Yin, Corradi & Bohté, *Accurate and efficient time-domain classification with adaptive spiking
//! recurrent neural networks* (Nature Machine Intelligence 3, 905–913, 2021; doi 10.1038/s42256-021-00397-w) on
//! [Burn](https://burn.dev). The equations stand in [`barnowl_neuron::alif`], step by step, and the surrogate
//! gradients in [`barnowl_neuron::surrogate`].
//!
//! # A tour, from the inside out
//!
//! | module | what it is |
//! | --- | --- |
//! | [`sequence`] | the fused operation: a layer of neurons over a whole sequence, with its gradient written by hand |
//! | [`neuron`] | from configuration to trained time constants and surrogates; [`initializer`] for weights |
//! | [`pass`], [`lengths`] | how a forward pass runs, and where neurons start; where the sequences of a batch end |
//! | [`cell`] | what layers are made of: adaptive neurons, others from their equations, or the baselines ReLU, LSTM, GRU and tanh |
//! | [`layer`], [`readout`] | recurrent, feed-forward and bidirectional layers; leaky-integrator and adaptive readouts |
//! | [`loss`], [`objective`], [`class_loss`] | six decoders and their losses; classes, numbers or labels as their answers; weighed classes |
//! | [`trained_threshold`] | inputs that become spikes by a threshold that is trained with the network |
//! | [`network`] | all of these from one serialisable configuration |
//! | [`exchange`], [`parameters`] | PyTorch and safetensors files; a network's parameters by name, in and out |
//! | [`learning`] | gradients: backpropagation through time of a whole network, a few sequences at a time |
//! | [`dataset`], [`encoder`] | sequences and labels; the QT Database, an ECG generator; spike encoders |
//! | [`optimizer`], [`recipe`] | update rules and schedules; everything that a training run goes by |
//! | [`task`] | data set, network and recipe in one TOML file |
//! | [`import`], [`model`] | networks of other programs; Barnowl's own model file |
//! | [`train`] | the loop, checkpoints, evaluation, run folders |
//! | [`metric`], [`trace`], [`report`] | confusion, segment boundaries; what single neurons do; plots |
//! | [`activity`], [`energy`] | how often and when neurons spike; what an inference costs |
//! | [`device`] | where networks run: the processor, or a graphics processor by one of Cargo's features |
//! | [`error`](mod@error), [`file`](mod@file) | one error type; files that are written whole or not at all |
//! | [`nearest`](mod@nearest), [`words`] | the known name that an unknown one was probably meant for; counts with their nouns |
//!
//! # In short
//!
//! ```no_run
//! use barnowl::task::{Split, TaskConfig};
//! use barnowl::train::{evaluate, fit};
//!
//! # fn main() -> barnowl::error::Result<()> {
//! let task = TaskConfig::load("ecg", &["train.epochs=50".into()])?;
//! let (train, valid) = task.training_data(None)?;
//! let (network, _) = fit(&task.network, &task.train, &train, &valid)?;
//! let test = evaluate(&network, &task.network, &task.data(None, Split::Test)?, 64)?;
//! println!("accuracy {:.3}", test.score);
//! # Ok(())
//! # }
//! ```

pub mod activity;
pub mod cell;
pub mod class_loss;
pub mod device;
pub mod energy;
pub mod exchange;
pub mod import;
pub mod initializer;
pub mod layer;
pub mod learning;
pub mod lengths;
pub mod loss;
pub mod model;
pub mod network;
pub mod neuron;
pub mod objective;
pub mod optimizer;
pub mod parameters;
pub mod pass;
pub mod readout;
pub mod recipe;
pub mod sequence;
pub mod task;
pub mod trace;
pub mod train;
pub mod trained_threshold;

mod suited;
mod weights;

pub use barnowl_base::{Error, Result, error, file, nearest, words};
pub use barnowl_data::{dataset, encoder, metric};
pub use barnowl_engine::level::instruction_set;
pub use barnowl_report as report;

//! Training: the loop, its checkpoints, and evaluation.
//!
//! - [`Trainer`]: carries out a [recipe](crate::recipe): backpropagation through time over mini-batches, validation after every
//!   epoch;
//! - [`evaluate`]: loss, accuracy, confusion and spike rates of a network on a data set;
//! - [`Checkpoint`]: everything that a run needs to go on, bit for bit;
//! - [`Warnings`]: what looks wrong, and what to try;
//! - [`run`]: the folder of a run on disk.
//!
//! Everything random is drawn from a stream that depends on seed, epoch and batch only, so a run that is stopped and
//! resumed, or runs on another number of threads, ends with the same bits.

mod average;
mod checkpoint;
mod epoch_report;
mod evaluate;
mod predict;
pub mod run;
mod trainer;
mod warnings;

pub use checkpoint::{Checkpoint, differences};
pub use epoch_report::EpochReport;
pub use evaluate::{Evaluation, evaluate};
pub use predict::{Answers, predict};
pub use trainer::{BatchReport, Control, Observer, Outcome, Progress, Silent, Trainer, fit};
pub use warnings::{Warnings, far_values, repeated};

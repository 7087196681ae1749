//! Data sets: sequences, filled up to one length, with a class (or numbers) at every step or one a sequence.
//!
//! One file per source: [`qtdb`] reads the QT Database, [`mnist`] MNIST, [`ecg_model`] generates ECGs. [`Dataset::new`]
//! takes arrays of your own.
//!
//! | file | holds |
//! | --- | --- |
//! | `inputs.rs`, `targets.rs`, `details.rs`, `normalization.rs` | what a data set consists of |
//! | `data.rs` | [`Dataset`], and what it has from the start |
//! | `facts.rs`, `values.rs` | what it is given later: lengths, names, groups; numbers that are to be found |
//! | `batch.rs`, `scaling.rs`, `folds.rs` | mini-batches; parts that validate or are held out |
//! | `normalize.rs`, `augment.rs` | what changes the values |
//! | `summary.rs`, `fingerprint.rs`, `repeats.rs`, `card.rs`, `known.rs` | what is said of it, and what a model keeps |

pub mod audio;
mod augment;
mod batch;
mod card;
pub mod catalog;
mod data;
mod details;
pub mod ecg_model;
mod facts;
mod fingerprint;
mod folds;
pub mod fsdd;
pub mod gsc;
pub mod hdf5;
pub mod heidelberg;
mod inputs;
mod known;
pub mod mat;
pub mod mnist;
mod normalization;
mod normalize;
pub mod own;
mod pixels;
pub mod qtdb;
pub mod qtdb_raw;
mod repeats;
mod rows;
mod scaling;
pub mod soli;
pub mod speech;
mod split;
mod summary;
mod targets;
pub mod timit;
mod values;
pub mod wfdb;

pub use augment::Augmentation;
pub use barnowl_engine::events::Events;
pub use batch::Batch;
pub use card::DataCard;
pub use data::Dataset;
pub use details::Ends;
pub use folds::Fold;
pub use inputs::Inputs;
pub use known::Known;
pub use normalization::{Normalization, Normalize};
pub use pixels::Pixels;
pub use split::Split;
pub use summary::{ChannelSummary, ClassSummary, Summary};
pub use targets::{Targets, UNLABELLED};

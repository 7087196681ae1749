//! A task: data set, network and training recipe in one TOML file.
//!
//! The built-in tasks stand in the folder `tasks/` and are embedded in the binary; [`TaskConfig::load`] takes a name or
//! a path, and overrides of single keys.

mod cell;
mod check;
mod config;
mod data;
mod effort;
mod load;
mod neurons;
mod parse;
mod parts;
mod paths;
mod range;
mod reference;
mod shape;
mod short;
#[cfg(test)]
mod wrong_values;

pub use crate::dataset::Split;
pub use config::TaskConfig;
pub use data::DatasetConfig;
pub use load::BUILT_IN;
pub use parts::Prepared;
pub use reference::reference;

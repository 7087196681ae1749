//! A training recipe: epochs, batches, optimizer, schedule, and everything else that [`Trainer`](crate::train::Trainer) goes by.
//!
//! | file | holds |
//! | --- | --- |
//! | `config.rs` | the settings |
//! | `decay.rs` | on which parameters weight decay acts |
//! | `weight_penalty.rs` | what weights cost |
//! | `rate.rs` | the learning rate of a mini-batch |
//! | `check.rs` | what can be carried out |

mod check;
mod config;
mod decay;
mod rate;
mod weight_penalty;

pub use crate::learning::{NeuronRatePenalty, RatePenalty};
pub use config::{Keep, Sampling, TrainConfig, Truncation, Update};
pub use decay::DecayGroups;
pub use weight_penalty::{WeightPenalties, WeightPenalty};

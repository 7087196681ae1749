//! Optimizers, gradient clipping and learning-rate schedules.
//!
//! | file | holds |
//! | --- | --- |
//! | `config.rs` | [`OptimizerConfig`]: which update rule, with which constants |
//! | `adam.rs` | Adam and AdamW, as Burn has them, in one pass over memory |
//! | `adamax.rs`, `radam.rs` | two update rules that Burn lacks, in the shape of Burn's own |
//! | `clipping.rs` | [`GradientClipping`] by value or by the norm over *all* parameters |
//! | `grouped.rs` | [`GroupedOptimizer`]: one step over a module, a learning rate for each parameter group |
//! | `state.rs` | [`OptimizerState`]: the optimizer's memory as named tensors, for checkpoints |
//! | `schedule.rs`, `one_cycle.rs` | [`ScheduleConfig`]: the learning rate at a [`Place`] of a run, a pure function |
//!
//! Defaults and meanings of all constants are those of `torch.optim`, so that a recipe published for PyTorch can be
//! copied number by number; Burn's own defaults differ (Adam's ε is 10⁻⁵ there, SGD's dampening 0.1).
//!
//! ```
//! # fn main() -> barnowl::error::Result<()> {
//! use barnowl::optimizer::{GradientClipping, GroupedOptimizer, OptimizerConfig, Place, ScheduleConfig};
//! use burn::module::{Module, Param, ParamGroup};
//! use burn::optim::GradientsParams;
//! use burn::tensor::{Device, Tensor};
//!
//! #[derive(Module, Debug)]
//! struct Decay {
//!     gain: Param<Tensor<1>>,
//!     log_tau: Param<Tensor<1>>,
//! }
//!
//! let device = Device::flex().autodiff();
//! let mut module = Decay {
//!     gain: Param::from_data([1.0], &device),
//!     log_tau: Param::from_data([3.0], &device),
//! };
//! let mut optimizer = GroupedOptimizer::new(&OptimizerConfig::default())
//!     .with_clipping(GradientClipping::Norm(50.0))
//!     .with_group(ParamGroup::from_predicate("log_tau"), 2.0);
//! let schedule = ScheduleConfig::default();
//! for epoch in 0..10 {
//!     let loss = (module.gain.val() * module.log_tau.val().exp().recip()).sum();
//!     let gradients = GradientsParams::from_grads(loss.backward(), &module);
//!     let rate = schedule.learning_rate(0.03, Place::of_epoch(epoch, 10));
//!     (module, _) = optimizer.step(rate, module, gradients)?;
//! }
//! # Ok(())
//! # }
//! ```

mod adam;
mod adamax;
mod clipping;
mod config;
mod grouped;
mod one_cycle;
mod penalty;
#[cfg(test)]
mod pytorch;
mod radam;
mod schedule;
mod state;
#[cfg(test)]
mod toy;

pub use adam::{Adam, AdamConfig, AdamState, AdamWConfig};
pub use adamax::{Adamax, AdamaxConfig, AdamaxState};
pub use clipping::{GradientClipping, gradient_norm};
pub use config::{AdagradConfig, OptimizerConfig, RmsPropConfig, SgdConfig};
pub use grouped::GroupedOptimizer;
pub use one_cycle::OneCycle;
pub use radam::{RAdam, RAdamConfig, RAdamState};
pub use schedule::{Decay, Place, ScheduleConfig};
pub use state::OptimizerState;

use crate::error::{Error, Result};

/// Refuses the configuration value `section.name` unless it is `allowed`.
fn require(
    allowed: bool,
    section: &str,
    name: &str,
    value: impl serde::Serialize,
    expected: &str,
) -> Result<()> {
    if allowed {
        Ok(())
    } else {
        Err(Error::setting(format!("{section}.{name}"), value).expected(expected))
    }
}

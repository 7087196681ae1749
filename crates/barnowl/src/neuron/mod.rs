//! From configuration to the trainable parameters of neurons: time constants, thresholds, surrogate.
//!
//! | file | holds |
//! | --- | --- |
//! | `time_constants.rs` | how time constants start, and as what they are trained |
//! | `surrogate.rs` | surrogate gradients of spikes |
//! | `initial_state.rs` | where membrane potentials start |
//! | `common.rs` | defaults and ranges that hidden layers and readouts share |

pub(crate) mod common;
mod initial_state;
mod surrogate;
mod time_constants;

pub use initial_state::InitialState;
pub use surrogate::SurrogateConfig;
pub use time_constants::{
    TAU_MAX, TAU_MIN, TimeConstantGroup, TimeConstants, TrainedTimeConstants,
};

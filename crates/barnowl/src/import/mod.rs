//! A network from another program's tensors.
//!
//! [`fit`] takes what [`exchange::read`](crate::exchange::read) has read, under whatever names, and makes the network of a task of
//! it, or says at once everything that stands in the way.

mod fit;
mod repair;

pub use fit::{FitOptions, Fitted, fit};
pub use repair::{
    Elements, Repair, impossible_time_constants, repair_time_constants, short_time_constants,
};

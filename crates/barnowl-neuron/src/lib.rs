//! Adaptive spiking neurons, one step of time at a time: no standard library, no allocation, no dependencies.
//!
//! This crate holds the equations of Barnowl in their plainest form. It is what runs on a microcontroller, what the
//! training kernels are checked against, and the shortest way to read the model:
//!
//! - [`alif`]: the adaptive leaky integrate-and-fire neuron (parameters, state, step) and the leaky integrator;
//! - [`surrogate`]: the spike and the six pseudo-derivatives that stand for its gradient;
//! - [`layer`]: whole layers and readouts in buffers that the caller owns;
//! - [`math`]: the exponentials, the same bits on every target.
//!
//! Times are in the units of `dt`; potentials and currents are dimensionless.

#![no_std]

#[cfg(test)]
extern crate std;

pub mod alif;
pub mod layer;
pub mod math;
pub mod surrogate;

pub use alif::{AlifParameters, AlifState, Decay, Threshold};
pub use layer::{AlifLayer, IntegratorLayer, Weights};
pub use surrogate::{Shape, Surrogate};

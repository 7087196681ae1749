//! The steps of the built-in neurons as Rust, which the build script writes from their equations (`build.rs`).
//!
//! Each function does what the [interpreter](super::code) does, to the bit, with its values in registers.

use super::code::Compiled;
use super::simd::{Isa, Lanes, dispatch};
// What some neuron's equations have.
#[allow(unused_imports, reason = "generated code uses what there is to use")]
use super::code::{each_lane, larger, smaller};
#[allow(unused_imports, reason = "as above")]
use barnowl_model::Real;

/// The [programs](barnowl_model::Kernels) of a model.
#[derive(Debug, Clone, Copy)]
pub struct CompiledKernels {
    /// A step.
    pub forward: Compiled,
    /// The states that the way back wants, again.
    pub replay: Compiled,
    /// With the gradients of all constants.
    pub backward: Compiled,
    /// With those of which the model says that they are trained.
    pub backward_usual: Compiled,
}

include!(concat!(env!("OUT_DIR"), "/compiled.rs"));

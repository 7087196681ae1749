//! A neuron as its equations.
//!
//! ```text
//! v = alpha*u' + leak*(I - w')            ' is the value of the step before, I the input current
//! s = spike(v - theta)                    s is what the neuron emits
//! u = v*(1 - stop(s))
//! w = rho*w' + slow*q*(a*u + b*s)
//! ```
//!
//! A [`Model`] is read from such text ([`Model::build`], or from a TOML file with the feature `file`) and becomes three
//! [`Program`]s of straight-line operations: its constants, computed from the parameters once an update; its states at
//! rest; and one step of time. From a program come its value ([`Program::run`], [`Program::run_planes`]), its gradient
//! as another program ([`Program::adjoint`]), what it costs ([`Program::count`]) and how it is written ([`document`]).
//!
//! A model is tried by [`Model::check`], and a single neuron run by [`Neuron`].
//!
//! What of the equations does not change from step to step, such as `1 - rho`, is a constant by itself.
//!
//! Forward evaluation neither reassociates nor fuses multiply-adds: spikes are the same on every processor.

#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "file"))]
extern crate std;

mod adjoint;
#[cfg(feature = "file")]
mod builtin;
mod check;
mod compile;
mod cost;
mod count;
pub mod document;
mod error;
#[cfg(feature = "file")]
mod file;
mod instructions;
mod kernels;
mod model;
mod nearest;
mod op;
mod parse;
mod program;
mod real;
mod run;
mod source;
mod trial;
mod unused;
mod words;

#[cfg(feature = "file")]
pub use builtin::{built_in, built_in_names, built_in_text};
pub use check::{Fault, Report};
pub use cost::Cost;
pub use count::Operations;
pub use error::{Error, Place};
pub use instructions::{Instruction, Operation, Value};
pub use kernels::Kernels;
pub use model::{Model, State};
pub use op::{Binary, Id, Op, Unary};
pub use program::{Builder, Program};
pub use real::Real;
pub use run::STRIP;
pub use source::{
    Definition, Documented, Each, Parameter, Source, Start, Text, Transform, Variant,
};
pub use trial::{Neuron, rate, rheobase};

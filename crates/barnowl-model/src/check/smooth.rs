//! A program without steps: what its gradient is exact for, so that finite differences can judge it.
//!
//! A spike of v becomes σ(k v), and its surrogate the derivative of that. What `stop` holds back from the gradient is
//! held still: an input of its own, whose value is that of the run that the others are compared with.

use crate::op::{Binary, Id, Op, Unary};
use crate::program::{Builder, Program};
use alloc::vec::Vec;

/// k: how steep the smooth spike is.
const STEEPNESS: f32 = 4.0;

/// The programs that stand for one, made smooth.
pub(super) struct Smooth {
    /// With the stopped values as further outputs.
    pub(super) open: Program,
    /// With the stopped values as further inputs.
    pub(super) held: Program,
    /// The gradients of `open`'s first outputs.
    pub(super) adjoint: Program,
}

impl Smooth {
    pub(super) fn new(program: &Program) -> Self {
        let (open, stopped) = replay(program, None);
        let (held, _) = replay(program, Some(program.inputs()));
        let adjoint = program.adjoint();
        let (smooth, _) = replay(&adjoint, None);
        let outputs = [&open.outputs[..], &stopped].concat();
        Self {
            open: open.builder.finish(program.inputs(), &outputs),
            held: held.builder.finish(program.inputs() + stopped.len(), &held.outputs),
            adjoint: smooth.builder.finish(adjoint.inputs(), &smooth.outputs),
        }
    }
}

struct Replayed {
    builder: Builder,
    outputs: Vec<Id>,
}

/// The same operations, made smooth, and the values that are stopped; these are the inputs from a number on, if one is given.
fn replay(program: &Program, held: Option<usize>) -> (Replayed, Vec<Id>) {
    let mut builder = Builder::default();
    let mut values: Vec<Id> = Vec::with_capacity(program.ops().len());
    let mut stopped = Vec::new();
    for op in program.ops() {
        let value = match *op {
            Op::Input(number) => builder.input(number),
            Op::Const(x) => builder.number(x),
            Op::Unary(Unary::Spike, v) => spike(&mut builder, values[v.index()]),
            Op::Unary(Unary::Surrogate, v) => slope(&mut builder, values[v.index()]),
            Op::Unary(Unary::Stop, a) => {
                let value = match held {
                    Some(first) => builder.input((first + stopped.len()) as u32),
                    None => values[a.index()],
                };
                stopped.push(value);
                value
            }
            Op::Unary(op, a) => builder.unary(op, values[a.index()]),
            Op::Binary(op, a, b) => builder.binary(op, values[a.index()], values[b.index()]),
        };
        values.push(value);
    }
    let outputs = program.outputs().iter().map(|id| values[id.index()]).collect();
    (Replayed { builder, outputs }, stopped)
}

/// σ(k v)
fn spike(builder: &mut Builder, v: Id) -> Id {
    let k = builder.number(STEEPNESS);
    let steep = builder.binary(Binary::Mul, k, v);
    builder.unary(Unary::Sigmoid, steep)
}

/// Its derivative, k (σ − σ²).
fn slope(builder: &mut Builder, v: Id) -> Id {
    let y = spike(builder, v);
    let square = builder.binary(Binary::Mul, y, y);
    let rest = builder.binary(Binary::Sub, y, square);
    let k = builder.number(STEEPNESS);
    builder.binary(Binary::Mul, k, rest)
}

//! The interpreter: one neuron, or planes of them.

use crate::op::{Binary, Op, Unary};
use crate::program::{Program, binary, unary};
use crate::real::Real;
use alloc::vec;

/// How many neurons [`Program::run_planes`] carries through an operation at a time: enough that the choice of the
/// operation costs little, few enough that all values stay in the first cache.
pub const STRIP: usize = 64;

impl Program {
    /// Runs once: `inputs` and `outputs` by number; `surrogate` is ψ, for adjoints.
    ///
    /// # Panics
    /// If `inputs` or `outputs` are not as many as the program has.
    pub fn run<T: Real>(&self, inputs: &[T], outputs: &mut [T], surrogate: impl Fn(T) -> T) {
        assert_eq!(inputs.len(), self.inputs(), "inputs of the program");
        assert_eq!(outputs.len(), self.outputs().len(), "outputs of the program");
        let mut values = vec![T::default(); self.ops().len()];
        for (i, op) in self.ops().iter().enumerate() {
            values[i] = match *op {
                Op::Input(number) => inputs[number as usize],
                Op::Const(x) => T::from_f32(x),
                Op::Unary(op, a) => unary(op, values[a.index()], &surrogate),
                Op::Binary(op, a, b) => binary(op, values[a.index()], values[b.index()]),
            };
        }
        for (output, id) in outputs.iter_mut().zip(self.outputs()) {
            *output = values[id.index()];
        }
    }

    /// How many numbers [`Program::run_planes`] needs to work in.
    #[must_use]
    pub fn scratch(&self) -> usize {
        self.ops().len() * STRIP
    }

    /// Runs for every neuron of a layer: `inputs` `[inputs][width]`, `outputs` `[outputs][width]`; the same bits as
    /// [`Program::run`] for each.
    ///
    /// # Panics
    /// If a slice has another length, or `scratch` is shorter than [`Program::scratch`].
    pub fn run_planes(
        &self,
        width: usize,
        inputs: &[f32],
        outputs: &mut [f32],
        scratch: &mut [f32],
        surrogate: impl Fn(f32) -> f32,
    ) {
        assert_eq!(inputs.len(), self.inputs() * width, "inputs of the program, planes of {width}");
        assert_eq!(
            outputs.len(),
            self.outputs().len() * width,
            "outputs of the program, planes of {width}"
        );
        assert!(scratch.len() >= self.scratch(), "scratch space of the program");
        for start in (0..width).step_by(STRIP) {
            let count = STRIP.min(width - start);
            for (i, op) in self.ops().iter().enumerate() {
                let (before, rest) = scratch.split_at_mut(i * STRIP);
                let value = &mut rest[..count];
                let operand = |i: usize| &before[i * STRIP..i * STRIP + count];
                match *op {
                    Op::Input(number) => {
                        let at = number as usize * width + start;
                        value.copy_from_slice(&inputs[at..at + count]);
                    }
                    Op::Const(x) => value.fill(x),
                    Op::Unary(op, a) => unary_strip(op, operand(a.index()), value, &surrogate),
                    Op::Binary(op, a, b) => {
                        let (a, b) = (operand(a.index()), operand(b.index()));
                        binary_strip(op, a, b, value);
                    }
                }
            }
            for (number, id) in self.outputs().iter().enumerate() {
                let (to, from) = (number * width + start, id.index() * STRIP);
                outputs[to..to + count].copy_from_slice(&scratch[from..from + count]);
            }
        }
    }
}

/// One loop for each operation, so that the choice stands outside it.
fn unary_strip(op: Unary, a: &[f32], value: &mut [f32], surrogate: &impl Fn(f32) -> f32) {
    #[inline(always)]
    fn all(op: Unary, a: &[f32], value: &mut [f32], surrogate: &impl Fn(f32) -> f32) {
        for (value, &a) in value.iter_mut().zip(a) {
            *value = unary(op, a, surrogate);
        }
    }
    match op {
        Unary::Neg => all(Unary::Neg, a, value, surrogate),
        Unary::Abs => all(Unary::Abs, a, value, surrogate),
        Unary::Exp => all(Unary::Exp, a, value, surrogate),
        Unary::Expm1 => all(Unary::Expm1, a, value, surrogate),
        Unary::Log => all(Unary::Log, a, value, surrogate),
        Unary::Sqrt => all(Unary::Sqrt, a, value, surrogate),
        Unary::Tanh => all(Unary::Tanh, a, value, surrogate),
        Unary::Sigmoid => all(Unary::Sigmoid, a, value, surrogate),
        Unary::Stop => all(Unary::Stop, a, value, surrogate),
        Unary::Spike => all(Unary::Spike, a, value, surrogate),
        Unary::Surrogate => all(Unary::Surrogate, a, value, surrogate),
    }
}

/// The same of two values.
fn binary_strip(op: Binary, a: &[f32], b: &[f32], value: &mut [f32]) {
    #[inline(always)]
    fn all(op: Binary, a: &[f32], b: &[f32], value: &mut [f32]) {
        for ((value, &a), &b) in value.iter_mut().zip(a).zip(b) {
            *value = binary(op, a, b);
        }
    }
    match op {
        Binary::Add => all(Binary::Add, a, b, value),
        Binary::Sub => all(Binary::Sub, a, b, value),
        Binary::Mul => all(Binary::Mul, a, b, value),
        Binary::Div => all(Binary::Div, a, b, value),
        Binary::Min => all(Binary::Min, a, b, value),
        Binary::Max => all(Binary::Max, a, b, value),
        Binary::Greater => all(Binary::Greater, a, b, value),
    }
}

//! A straight-line program and what builds it.

use crate::op::{Binary, Id, Op, Unary};
use crate::real::Real;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

/// Numbered operations, from inputs to outputs: no loops, no branches.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    inputs: usize,
    ops: Vec<Op>,
    outputs: Vec<Id>,
}

impl Program {
    /// How many inputs it takes.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The operations, each after those it uses.
    #[must_use]
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// The number of the operation at this place.
    ///
    /// # Panics
    /// If there are not so many operations.
    #[must_use]
    pub fn id(&self, place: usize) -> Id {
        assert!(place < self.ops.len(), "operation {place} of {}", self.ops.len());
        Id(place as u32)
    }

    /// The values that it gives.
    #[must_use]
    pub fn outputs(&self) -> &[Id] {
        &self.outputs
    }

    /// What the spikes are taken of, in order: the v of every `spike(v)`.
    pub fn spikes(&self) -> impl Iterator<Item = Id> {
        self.ops.iter().filter_map(|op| match *op {
            Op::Unary(Unary::Spike, v) => Some(v),
            _ => None,
        })
    }

    /// The same operations, as far as these `outputs` need them.
    pub(crate) fn with_outputs(&self, outputs: &[Id]) -> Self {
        Self { outputs: outputs.to_vec(), ..self.clone() }.pruned()
    }

    /// Without the operations that no output needs.
    fn pruned(self) -> Self {
        let mut needed = vec![false; self.ops.len()];
        for id in &self.outputs {
            needed[id.index()] = true;
        }
        for (i, op) in self.ops.iter().enumerate().rev() {
            if needed[i] {
                op.operands().for_each(|id| needed[id.index()] = true);
            }
        }
        let mut ops = Vec::new();
        let mut moved = vec![Id(0); self.ops.len()];
        for (i, op) in self.ops.into_iter().enumerate() {
            if needed[i] {
                moved[i] = Id(ops.len() as u32);
                ops.push(op.with_operands(|id| moved[id.index()]));
            }
        }
        let outputs = self.outputs.iter().map(|id| moved[id.index()]).collect();
        Self { inputs: self.inputs, ops, outputs }
    }
}

/// Builds a [`Program`], one operation after another.
///
/// The same operation of the same values is computed once, and operations of numbers at once: both give the same bits
/// as if they were not.
///
/// ```
/// use barnowl_model::{Binary, Builder};
///
/// let mut builder = Builder::default();
/// let (x, y) = (builder.input(0), builder.input(1));
/// let product = builder.binary(Binary::Mul, x, y);
/// let program = builder.finish(2, &[product]);
/// let mut out = [0.0];
/// program.run(&[3.0_f32, 5.0], &mut out, |_| 0.0);
/// assert_eq!(out, [15.0]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Builder {
    ops: Vec<Op>,
    known: BTreeMap<(u8, u8, u32, u32), Id>,
}

impl Builder {
    /// The input of this number.
    pub fn input(&mut self, number: u32) -> Id {
        self.push(Op::Input(number))
    }

    /// A number.
    pub fn number(&mut self, x: f32) -> Id {
        self.push(Op::Const(x))
    }

    /// An operation of one value.
    pub fn unary(&mut self, op: Unary, a: Id) -> Id {
        match self.op(a) {
            Op::Const(x) if !matches!(op, Unary::Spike | Unary::Surrogate) => {
                self.number(unary(op, x, |_| 0.0))
            }
            _ => self.push(Op::Unary(op, a)),
        }
    }

    /// An operation of two values.
    pub fn binary(&mut self, op: Binary, a: Id, b: Id) -> Id {
        match (self.op(a), self.op(b)) {
            (Op::Const(x), Op::Const(y)) => self.number(binary(op, x, y)),
            _ => self.push(Op::Binary(op, a, b)),
        }
    }

    /// A whole program, of `inputs` that are here; returns its outputs.
    ///
    /// # Panics
    /// If there are not as many inputs as the program takes.
    pub fn inline(&mut self, program: &Program, inputs: &[Id]) -> Vec<Id> {
        assert_eq!(inputs.len(), program.inputs(), "inputs of the program");
        let mut values: Vec<Id> = Vec::with_capacity(program.ops().len());
        for op in program.ops() {
            let value = match *op {
                Op::Input(number) => inputs[number as usize],
                Op::Const(x) => self.number(x),
                Op::Unary(op, a) => self.unary(op, values[a.index()]),
                Op::Binary(op, a, b) => self.binary(op, values[a.index()], values[b.index()]),
            };
            values.push(value);
        }
        program.outputs().iter().map(|id| values[id.index()]).collect()
    }

    /// The operation of this number.
    ///
    /// # Panics
    /// If the number is another builder's and larger than any of this one.
    #[must_use]
    pub fn op(&self, id: Id) -> Op {
        self.ops[id.index()]
    }

    /// How many operations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// The program that takes so many `inputs` and gives these `outputs`.
    ///
    /// # Panics
    /// If an input has a number beyond `inputs`, or an output is another builder's.
    #[must_use]
    pub fn finish(&self, inputs: usize, outputs: &[Id]) -> Program {
        let beyond = |op: &Op| matches!(*op, Op::Input(number) if number as usize >= inputs);
        assert!(!self.ops.iter().any(beyond), "an input beyond the {inputs} of the program");
        Program { inputs, ops: self.ops.clone(), outputs: outputs.to_vec() }.pruned()
    }

    fn push(&mut self, op: Op) -> Id {
        let key = match op {
            Op::Input(number) => (0, 0, number, 0),
            Op::Const(x) => (1, 0, x.to_bits(), 0),
            Op::Unary(op, a) => (2, op as u8, a.0, 0),
            Op::Binary(op, a, b) => (3, op as u8, a.0, b.0),
        };
        let next = Id(self.ops.len() as u32);
        let id = *self.known.entry(key).or_insert(next);
        if id == next {
            self.ops.push(op);
        }
        id
    }
}

/// The value of an operation of one value.
#[inline(always)]
pub(crate) fn unary<T: Real>(op: Unary, a: T, surrogate: impl Fn(T) -> T) -> T {
    match op {
        Unary::Neg => -a,
        Unary::Abs => a.abs(),
        Unary::Exp => a.exp(),
        Unary::Expm1 => a.expm1(),
        Unary::Log => a.log(),
        Unary::Sqrt => a.sqrt(),
        Unary::Tanh => a.tanh(),
        Unary::Sigmoid => a.sigmoid(),
        Unary::Stop => a,
        Unary::Spike => truth(a > T::default()),
        Unary::Surrogate => surrogate(a),
    }
}

/// The value of an operation of two values. Where min or max meet no number, or equal ones, the first is taken.
#[inline(always)]
pub(crate) fn binary<T: Real>(op: Binary, a: T, b: T) -> T {
    match op {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
        Binary::Min => {
            if a > b {
                b
            } else {
                a
            }
        }
        Binary::Max => {
            if b > a {
                b
            } else {
                a
            }
        }
        Binary::Greater => truth(a > b),
    }
}

#[inline(always)]
fn truth<T: Real>(holds: bool) -> T {
    T::from_f32(if holds { 1.0 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_operation_is_computed_once_and_numbers_at_once() {
        let mut builder = Builder::default();
        let x = builder.input(0);
        let two = builder.number(2.0);
        let three = builder.number(3.0);
        let six = builder.binary(Binary::Mul, two, three);
        assert_eq!(builder.op(six), Op::Const(6.0));
        let a = builder.binary(Binary::Add, x, six);
        let b = builder.binary(Binary::Add, x, six);
        assert_eq!(a, b);
        // The two and the three are of no use to the output.
        let program = builder.finish(1, &[b]);
        let expected = [Op::Input(0), Op::Const(6.0), Op::Binary(Binary::Add, Id(0), Id(1))];
        assert_eq!(program.ops(), expected);
    }
}

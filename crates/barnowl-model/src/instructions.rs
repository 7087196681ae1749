//! A program as the instructions that a machine runs: products that are used once, in a sum, together with it.

use crate::op::{Binary, Id, Op, Unary};
use crate::program::Program;
use alloc::vec;
use alloc::vec::Vec;

/// What an instruction computes of its operands a, b, c and d.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// a
    Copy,
    /// Of one value.
    Unary(Unary),
    /// Of two values.
    Binary(Binary),
    /// a · b + c
    ProductPlus,
    /// a · b − c
    ProductMinus,
    /// c − a · b
    MinusProduct,
    /// a · b + c · d
    Products,
    /// a · b − c · d
    ProductsMinus,
    /// What is there, plus a: of an output that is summed over rows.
    Sum,
}

/// Where an operand is, or a result goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// An input of the program, by number.
    Input(usize),
    /// A number.
    Number(f32),
    /// What the instruction of this operation computes.
    Computed(Id),
    /// An output of the program, by number.
    Output(usize),
}

/// One instruction.
#[derive(Debug, Clone, PartialEq)]
pub struct Instruction {
    /// What it computes.
    pub operation: Operation,
    /// Where its result goes: [`Value::Computed`] or [`Value::Output`].
    pub to: Value,
    /// As many as the operation has.
    pub operands: Vec<Value>,
}

impl Program {
    /// The instructions of the program. Its first outputs, so many as are `written`, are what is computed for them; those
    /// after them are [added](Operation::Sum) to what is there.
    ///
    /// A written output that is computed has no instruction of its own, unless an output before it is the same: see
    /// [`Program::places`].
    #[must_use]
    pub fn instructions(&self, written: usize) -> Vec<Instruction> {
        let (together, merged) = self.sums_of_products();
        let value = |id: Id| match self.ops()[id.index()] {
            Op::Input(number) => Value::Input(number as usize),
            Op::Const(x) => Value::Number(x),
            _ => Value::Computed(id),
        };
        let mut found = Vec::new();
        // What is added to an output, right after it is computed; what is not computed, first of all.
        let add = |found: &mut Vec<Instruction>, id: Option<Id>| {
            for (number, output) in self.outputs().iter().enumerate().skip(written) {
                let now = match id {
                    Some(id) => *output == id,
                    None => !self.is_computed(*output),
                };
                if now {
                    let (operation, to) = (Operation::Sum, Value::Output(number));
                    found.push(Instruction { operation, to, operands: vec![value(*output)] });
                }
            }
        };
        add(&mut found, None);
        for (i, op) in self.ops().iter().enumerate() {
            let (operation, operands) = match (&together[i], *op) {
                (_, Op::Input(_) | Op::Const(_)) => continue,
                _ if merged[i] => continue,
                (Some((operation, operands)), _) => (*operation, operands.clone()),
                (None, Op::Unary(Unary::Stop, a)) => (Operation::Copy, vec![a]),
                (None, Op::Unary(kind, a)) => (Operation::Unary(kind), vec![a]),
                (None, Op::Binary(kind, a, b)) => (Operation::Binary(kind), vec![a, b]),
            };
            let id = self.id(i);
            let operands = operands.into_iter().map(value).collect();
            found.push(Instruction { operation, to: Value::Computed(id), operands });
            add(&mut found, Some(id));
        }
        let places = self.places(written);
        for (number, id) in self.outputs()[..written].iter().enumerate() {
            if places[number].is_none() {
                let to = Value::Output(number);
                found.push(Instruction {
                    operation: Operation::Copy,
                    to,
                    operands: vec![value(*id)],
                });
            }
        }
        found
    }

    /// Of every written output, the operation whose result it is, if it is the first output that is that and computed at all.
    #[must_use]
    pub fn places(&self, written: usize) -> Vec<Option<Id>> {
        let outputs = &self.outputs()[..written];
        let of = |(number, id): (usize, &Id)| {
            (self.is_computed(*id) && !outputs[..number].contains(id)).then_some(*id)
        };
        outputs.iter().enumerate().map(of).collect()
    }

    /// Whether an operation is computed, not an input or a number.
    fn is_computed(&self, id: Id) -> bool {
        !matches!(self.ops()[id.index()], Op::Input(_) | Op::Const(_))
    }

    /// Of every operation, the instruction that it becomes together with its products; and which products these are.
    #[allow(clippy::type_complexity, reason = "two columns of the same table")]
    fn sums_of_products(&self) -> (Vec<Option<(Operation, Vec<Id>)>>, Vec<bool>) {
        let ops = self.ops();
        let mut uses = vec![0; ops.len()];
        for id in ops.iter().flat_map(|op| op.operands()).chain(self.outputs().iter().copied()) {
            uses[id.index()] += 1;
        }
        let product = |id: Id| match ops[id.index()] {
            Op::Binary(Binary::Mul, a, b) if uses[id.index()] == 1 => Some([a, b]),
            _ => None,
        };
        let mut together = vec![None; ops.len()];
        let mut merged = vec![false; ops.len()];
        for (i, op) in ops.iter().enumerate() {
            let Op::Binary(kind @ (Binary::Add | Binary::Sub), a, b) = *op else { continue };
            let of = |sum, difference| if kind == Binary::Add { sum } else { difference };
            together[i] = match (product(a), product(b)) {
                (Some([w, x]), Some([y, z])) => {
                    merged[a.index()] = true;
                    merged[b.index()] = true;
                    let operation = of(Operation::Products, Operation::ProductsMinus);
                    Some((operation, vec![w, x, y, z]))
                }
                (Some([w, x]), None) => {
                    merged[a.index()] = true;
                    Some((of(Operation::ProductPlus, Operation::ProductMinus), vec![w, x, b]))
                }
                (None, Some([y, z])) => {
                    merged[b.index()] = true;
                    Some((of(Operation::ProductPlus, Operation::MinusProduct), vec![y, z, a]))
                }
                (None, None) => None,
            };
        }
        (together, merged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Builder;

    #[test]
    fn products_join_the_sum_that_alone_uses_them() {
        let mut builder = Builder::default();
        let x: Vec<Id> = (0..4).map(|number| builder.input(number)).collect();
        let first = builder.binary(Binary::Mul, x[0], x[1]);
        let second = builder.binary(Binary::Mul, x[2], x[3]);
        let sum = builder.binary(Binary::Add, first, second);
        let difference = builder.binary(Binary::Sub, sum, first);
        // The first product is used twice.
        let program = builder.finish(4, &[sum, difference]);
        let found: Vec<Operation> =
            program.instructions(2).iter().map(|instruction| instruction.operation).collect();
        let mul = Operation::Binary(Binary::Mul);
        assert_eq!(found, [mul, Operation::ProductPlus, Operation::Binary(Binary::Sub)]);
    }

    #[test]
    fn outputs_are_written_once_and_added_to_otherwise() {
        let mut builder = Builder::default();
        let (x, y) = (builder.input(0), builder.input(1));
        let sum = builder.binary(Binary::Add, x, y);
        let program = builder.finish(2, &[sum, sum, x, sum, y]);
        assert_eq!(program.places(3), [Some(program.outputs()[0]), None, None]);
        let to: Vec<Value> =
            program.instructions(3).iter().map(|instruction| instruction.to).collect();
        let computed = Value::Computed(program.outputs()[0]);
        let output = Value::Output;
        assert_eq!(to, [output(4), computed, output(3), output(1), output(2)]);
    }
}

//! The gradient of a program, as a program: reverse mode over its operations.

use crate::op::{Binary, Id, Op, Unary};
use crate::program::{Builder, Program};
use alloc::vec;
use alloc::vec::Vec;

impl Program {
    /// The program of the gradients.
    ///
    /// Inputs: those of this program, then the gradient of each of its outputs. Outputs: the gradient of each of its
    /// inputs. `spike(v)` lets ψ(v) of its gradient through, `stop(x)` nothing; of two equal values, `min` and `max`
    /// let it through to the first. What the gradients need of the values themselves is computed anew.
    ///
    /// # Panics
    /// If this program is itself an adjoint with a surrogate or a comparison, whose gradients are not defined.
    #[must_use]
    pub fn adjoint(&self) -> Program {
        self.reversed(false)
    }

    /// The same with ψ from outside: after the gradients of the outputs follow, as inputs, the ψ(v) of every
    /// [spike](Program::spikes), in order.
    ///
    /// # Panics
    /// As [`Program::adjoint`].
    #[must_use]
    pub fn adjoint_of_surrogates(&self) -> Program {
        self.reversed(true)
    }

    fn reversed(&self, surrogates: bool) -> Program {
        let mut tape =
            Tape { builder: Builder::default(), gradients: vec![None; self.ops().len()] };
        let given = self.inputs() + self.outputs().len();
        let mut inputs = given;
        let mut values: Vec<Id> = Vec::with_capacity(self.ops().len());
        for op in self.ops() {
            let value = match *op {
                Op::Input(number) => tape.builder.input(number),
                Op::Const(x) => tape.builder.number(x),
                Op::Unary(op, a) => tape.builder.unary(op, values[a.index()]),
                Op::Binary(op, a, b) => {
                    tape.builder.binary(op, values[a.index()], values[b.index()])
                }
            };
            values.push(value);
        }
        // ψ of every spike, by operation.
        let mut psi = vec![None; self.ops().len()];
        for (i, op) in self.ops().iter().enumerate() {
            if let Op::Unary(Unary::Spike, v) = *op {
                psi[i] = Some(if surrogates {
                    inputs += 1;
                    tape.builder.input(inputs as u32 - 1)
                } else {
                    tape.builder.unary(Unary::Surrogate, values[v.index()])
                });
            }
        }
        for (number, &id) in self.outputs().iter().enumerate() {
            let gradient = tape.builder.input((self.inputs() + number) as u32);
            tape.add(id, gradient);
        }
        let mut of_inputs = vec![None; self.inputs()];
        for (i, op) in self.ops().iter().enumerate().rev() {
            let Some(g) = tape.gradients[i] else { continue };
            match *op {
                Op::Input(number) => of_inputs[number as usize] = Some(g),
                Op::Const(_) => {}
                Op::Unary(op, a) => match psi[i] {
                    Some(psi) => tape.add_product(a, g, psi),
                    None => tape.through_unary(op, a, values[a.index()], values[i], g),
                },
                Op::Binary(op, a, b) => {
                    let operands = (values[a.index()], values[b.index()]);
                    tape.through_binary(op, (a, b), operands, values[i], g);
                }
            }
        }
        let zero = tape.builder.number(0.0);
        let outputs: Vec<Id> = of_inputs.into_iter().map(|g| g.unwrap_or(zero)).collect();
        tape.builder.finish(inputs, &outputs)
    }
}

/// The way back: what is built, and the gradient so far of every operation of the program that is differentiated.
struct Tape {
    builder: Builder,
    gradients: Vec<Option<Id>>,
}

impl Tape {
    /// One more gradient of `of`.
    fn add(&mut self, of: Id, gradient: Id) {
        let sum = match self.gradients[of.index()] {
            Some(before) => self.builder.binary(Binary::Add, before, gradient),
            None => gradient,
        };
        self.gradients[of.index()] = Some(sum);
    }

    /// One more gradient of `of`, with its sign turned.
    fn subtract(&mut self, of: Id, gradient: Id) {
        let sum = match self.gradients[of.index()] {
            Some(before) => self.builder.binary(Binary::Sub, before, gradient),
            None => self.builder.unary(Unary::Neg, gradient),
        };
        self.gradients[of.index()] = Some(sum);
    }

    fn add_product(&mut self, of: Id, g: Id, factor: Id) {
        let product = self.builder.binary(Binary::Mul, g, factor);
        self.add(of, product);
    }

    /// `y = op(x)`, with the gradient `g` of y; `a` is x in the program that is differentiated.
    fn through_unary(&mut self, op: Unary, a: Id, x: Id, y: Id, g: Id) {
        match op {
            Unary::Neg => self.subtract(a, g),
            Unary::Abs => {
                let zero = self.builder.number(0.0);
                let above = self.builder.binary(Binary::Greater, x, zero);
                let below = self.builder.binary(Binary::Greater, zero, x);
                let sign = self.builder.binary(Binary::Sub, above, below);
                self.add_product(a, g, sign);
            }
            Unary::Exp => self.add_product(a, g, y),
            Unary::Expm1 => {
                let one = self.builder.number(1.0);
                let exp = self.builder.binary(Binary::Add, y, one);
                self.add_product(a, g, exp);
            }
            Unary::Log => {
                let quotient = self.builder.binary(Binary::Div, g, x);
                self.add(a, quotient);
            }
            // y' = 1 / 2y
            Unary::Sqrt => {
                let twice = self.builder.binary(Binary::Add, y, y);
                let quotient = self.builder.binary(Binary::Div, g, twice);
                self.add(a, quotient);
            }
            // y' = 1 − y²
            Unary::Tanh => {
                let one = self.builder.number(1.0);
                let square = self.builder.binary(Binary::Mul, y, y);
                let slope = self.builder.binary(Binary::Sub, one, square);
                self.add_product(a, g, slope);
            }
            // y' = y − y²
            Unary::Sigmoid => {
                let square = self.builder.binary(Binary::Mul, y, y);
                let slope = self.builder.binary(Binary::Sub, y, square);
                self.add_product(a, g, slope);
            }
            Unary::Stop => {}
            Unary::Spike | Unary::Surrogate => panic!("a surrogate has no gradient"),
        }
    }

    /// The same for `y = op(x.0, x.1)`.
    fn through_binary(&mut self, op: Binary, (a, b): (Id, Id), x: (Id, Id), y: Id, g: Id) {
        match op {
            Binary::Add => {
                self.add(a, g);
                self.add(b, g);
            }
            Binary::Sub => {
                self.add(a, g);
                self.subtract(b, g);
            }
            Binary::Mul => {
                self.add_product(a, g, x.1);
                self.add_product(b, g, x.0);
            }
            // ∂y/∂a = 1/b, ∂y/∂b = −y/b
            Binary::Div => {
                let quotient = self.builder.binary(Binary::Div, g, x.1);
                self.add(a, quotient);
                let product = self.builder.binary(Binary::Mul, quotient, y);
                self.subtract(b, product);
            }
            Binary::Min => self.choose(a, b, (x.0, x.1), g),
            Binary::Max => self.choose(a, b, (x.1, x.0), g),
            Binary::Greater => panic!("a comparison has no gradient"),
        }
    }

    /// The gradient goes to `b` where `compared.0 > compared.1`, else to `a`.
    fn choose(&mut self, a: Id, b: Id, compared: (Id, Id), g: Id) {
        let second = self.builder.binary(Binary::Greater, compared.0, compared.1);
        let one = self.builder.number(1.0);
        let first = self.builder.binary(Binary::Sub, one, second);
        self.add_product(a, g, first);
        self.add_product(b, g, second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The gradients of `x` by the adjoint of one output, where ψ(v) = 10 + v.
    fn gradients<const N: usize>(program: &Program, x: [f64; N]) -> [f64; N] {
        let adjoint = program.adjoint();
        let given: Vec<f64> = x.into_iter().chain([1.0]).collect();
        let mut found = [0.0; N];
        adjoint.run(&given, &mut found, |v| 10.0 + v);
        found
    }

    #[test]
    fn a_spike_lets_its_surrogate_through_and_stop_nothing() {
        let mut builder = Builder::default();
        let (u, theta) = (builder.input(0), builder.input(1));
        let v = builder.binary(Binary::Sub, u, theta);
        let spike = builder.unary(Unary::Spike, v);
        let program = builder.finish(2, &[spike]);
        assert_eq!(gradients(&program, [3.0, 1.0]), [12.0, -12.0]);
        assert_eq!(program.spikes().count(), 1);
        // u (1 − stop(s)): the factor, and nothing through s.
        let one = builder.number(1.0);
        let stopped = builder.unary(Unary::Stop, spike);
        let factor = builder.binary(Binary::Sub, one, stopped);
        let reset = builder.binary(Binary::Mul, u, factor);
        let program = builder.finish(2, &[reset]);
        assert_eq!(gradients(&program, [3.0, 1.0]), [0.0, 0.0]);
        assert_eq!(gradients(&program, [1.0, 3.0]), [1.0, 0.0]);
    }

    #[test]
    fn of_two_equal_values_the_first_has_the_gradient() {
        for op in [Binary::Min, Binary::Max] {
            let mut builder = Builder::default();
            let (a, b) = (builder.input(0), builder.input(1));
            let chosen = builder.binary(op, a, b);
            let program = builder.finish(2, &[chosen]);
            assert_eq!(gradients(&program, [2.0, 2.0]), [1.0, 0.0]);
            let lower = if op == Binary::Min { [1.0, 0.0] } else { [0.0, 1.0] };
            assert_eq!(gradients(&program, [1.0, 2.0]), lower);
        }
    }

    #[test]
    fn an_input_without_effect_has_no_gradient() {
        let mut builder = Builder::default();
        let x = builder.input(1);
        let program = builder.finish(3, &[x]);
        assert_eq!(gradients(&program, [1.0, 2.0, 3.0]), [0.0, 1.0, 0.0]);
    }
}

//! What a program costs.

use crate::op::{Binary, Op, Unary};
use crate::program::Program;

/// Operations by kind; what is merely read or passed on costs nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Operations {
    /// + and −
    pub additions: usize,
    /// ×
    pub multiplications: usize,
    /// ÷
    pub divisions: usize,
    /// min, max, spikes and other comparisons
    pub comparisons: usize,
    /// a sign turned or dropped
    pub signs: usize,
    /// √
    pub roots: usize,
    /// exp, expm1, log, tanh, sigmoid
    pub exponentials: usize,
    /// ψ, in adjoints
    pub surrogates: usize,
}

impl Operations {
    /// All kinds together.
    #[must_use]
    pub fn total(&self) -> usize {
        self.additions
            + self.multiplications
            + self.divisions
            + self.comparisons
            + self.signs
            + self.roots
            + self.exponentials
            + self.surrogates
    }

    /// Kinds by name, those that do not occur left out.
    pub fn by_kind(&self) -> impl Iterator<Item = (&'static str, usize)> {
        [
            ("additions", self.additions),
            ("multiplications", self.multiplications),
            ("divisions", self.divisions),
            ("comparisons", self.comparisons),
            ("changes of sign", self.signs),
            ("square roots", self.roots),
            ("exponentials", self.exponentials),
            ("surrogates", self.surrogates),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
    }
}

impl Program {
    /// How many operations of each kind one run takes.
    #[must_use]
    pub fn count(&self) -> Operations {
        let mut count = Operations::default();
        for op in self.ops() {
            match *op {
                Op::Input(_) | Op::Const(_) | Op::Unary(Unary::Stop, _) => {}
                Op::Unary(Unary::Neg | Unary::Abs, _) => count.signs += 1,
                Op::Unary(Unary::Sqrt, _) => count.roots += 1,
                Op::Unary(Unary::Spike, _) => count.comparisons += 1,
                Op::Unary(Unary::Surrogate, _) => count.surrogates += 1,
                Op::Unary(
                    Unary::Exp | Unary::Expm1 | Unary::Log | Unary::Tanh | Unary::Sigmoid,
                    _,
                ) => count.exponentials += 1,
                Op::Binary(Binary::Add | Binary::Sub, ..) => count.additions += 1,
                Op::Binary(Binary::Mul, ..) => count.multiplications += 1,
                Op::Binary(Binary::Div, ..) => count.divisions += 1,
                Op::Binary(Binary::Min | Binary::Max | Binary::Greater, ..) => {
                    count.comparisons += 1;
                }
            }
        }
        count
    }
}

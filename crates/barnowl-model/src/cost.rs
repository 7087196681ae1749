//! What a step costs a device that computes where something happens.

use crate::model::Model;
use crate::op::{Binary, Id, Op, Unary};
use alloc::vec;
use alloc::vec::Vec;

/// The operations of one neuron in one step, as neuromorphic hardware is accounted for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Multiplications, each with an addition of its product.
    pub mac: usize,
    /// Other additions and comparisons.
    pub ac: usize,
    /// Additions that are made only after a spike.
    pub after_spike: usize,
}

/// What an operation's value is, to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Known before the first step.
    Constant,
    /// The input current, perhaps times constants, which are in the weights then.
    Current,
    /// A spike, or what is left without one: a switch.
    Switch,
    /// Something that a switch lets through.
    Switched,
    /// A product that is used once, so that what it is added to costs nothing more.
    Product,
    /// Any other number.
    Number,
}

impl Model {
    /// Whether s is 0 or 1 at every step: a spike, or a product of spikes and of what is left without them.
    #[must_use]
    pub fn emits_spikes(&self) -> bool {
        let ops = self.step().ops();
        let mut switches: Vec<bool> = Vec::with_capacity(ops.len());
        for op in ops {
            let is = |id: Id| switches[id.index()];
            let one = |id: Id| ops[id.index()] == Op::Const(1.0);
            switches.push(match *op {
                Op::Input(number) => (number as usize)
                    .checked_sub(1)
                    .and_then(|number| self.states().get(number))
                    .is_some_and(|state| state.emitted),
                Op::Unary(Unary::Spike, _) => true,
                Op::Unary(Unary::Stop, a) => is(a),
                Op::Binary(Binary::Mul, a, b) => is(a) && is(b),
                Op::Binary(Binary::Sub, a, b) => one(a) && is(b),
                _ => false,
            });
        }
        self.step().outputs().last().is_some_and(|id| switches[id.index()])
    }

    /// What a step costs: its bias too, but no synapses.
    ///
    /// Constant factors of the input current are in the weights. A product with a spike is none: what it is added to is an
    /// addition after a spike. Divisions, roots, exponentials and their like count as a multiplication each.
    ///
    /// ```
    /// let cost = barnowl_model::built_in("lif:none")?.cost();
    /// // α u, then the bias and the comparison.
    /// assert_eq!((cost.mac, cost.ac, cost.after_spike), (1, 2, 0));
    /// # Ok::<(), barnowl_model::Error>(())
    /// ```
    #[must_use]
    pub fn cost(&self) -> Cost {
        let ops = self.step().ops();
        let mut uses = vec![0; ops.len()];
        for id in
            ops.iter().flat_map(|op| op.operands()).chain(self.step().outputs().iter().copied())
        {
            uses[id.index()] += 1;
        }
        // The bias.
        let mut cost = Cost { ac: 1, ..Cost::default() };
        let mut kinds: Vec<Kind> = Vec::with_capacity(ops.len());
        for (i, op) in ops.iter().enumerate() {
            let of = |id: Id| kinds[id.index()];
            let kind = match *op {
                Op::Const(_) => Kind::Constant,
                Op::Input(0) => Kind::Current,
                Op::Input(number) => match self.states().get(number as usize - 1) {
                    Some(state) if state.emitted => Kind::Switch,
                    Some(_) => Kind::Number,
                    None => Kind::Constant,
                },
                Op::Unary(Unary::Stop, a) => of(a),
                Op::Unary(Unary::Spike, _) => Kind::Switch,
                Op::Unary(Unary::Neg, a) => of(a),
                Op::Unary(Unary::Abs, _) => Kind::Number,
                Op::Unary(_, a) => {
                    cost.mac += usize::from(of(a) != Kind::Constant);
                    if of(a) == Kind::Constant { Kind::Constant } else { Kind::Number }
                }
                Op::Binary(Binary::Mul | Binary::Div, a, b) => match (of(a), of(b)) {
                    (Kind::Constant, Kind::Constant) => Kind::Constant,
                    (Kind::Constant, Kind::Current) | (Kind::Current, Kind::Constant) => {
                        Kind::Current
                    }
                    (Kind::Switch, Kind::Switch) => Kind::Switch,
                    (Kind::Switch, _) | (_, Kind::Switch) => Kind::Switched,
                    _ => {
                        cost.mac += 1;
                        if uses[i] == 1 { Kind::Product } else { Kind::Number }
                    }
                },
                Op::Binary(Binary::Add | Binary::Sub, a, b) => match (of(a), of(b)) {
                    (Kind::Constant, Kind::Constant) => Kind::Constant,
                    (Kind::Switch, Kind::Constant | Kind::Switch)
                    | (Kind::Constant, Kind::Switch) => Kind::Switch,
                    (Kind::Switched | Kind::Switch, _) | (_, Kind::Switched | Kind::Switch) => {
                        cost.after_spike += 1;
                        Kind::Number
                    }
                    (Kind::Product, _) | (_, Kind::Product) => Kind::Number,
                    _ => {
                        cost.ac += 1;
                        Kind::Number
                    }
                },
                Op::Binary(Binary::Min | Binary::Max | Binary::Greater, ..) => {
                    cost.ac += 1;
                    Kind::Number
                }
            };
            kinds.push(kind);
        }
        cost
    }
}

#[cfg(all(test, feature = "file"))]
mod tests {
    use crate::{Model, built_in, built_in_names, built_in_text};

    #[test]
    fn all_built_in_neurons_emit_spikes_and_others_are_told_apart() {
        for name in built_in_names() {
            assert!(built_in(&name).unwrap().emits_spikes(), "{name}");
        }
        let with = |s: &str| {
            let text = built_in_text("alif").unwrap().replace("= spike(u - theta)", s);
            Model::from_toml(&text).unwrap().emits_spikes()
        };
        assert!(with("= spike(u - theta)*(1 - stop(spike(b - 5)))"));
        for graded in [
            "= 2*spike(u - theta)",
            "= spike(u - theta) - spike(-u - theta)",
            "= spike(u - theta) + spike(u)",
            "= 1 + spike(u - theta)",
            "= -spike(u - theta)",
            "= beta - spike(u - theta)",
        ] {
            assert!(!with(graded), "{graded}");
        }
    }

    #[test]
    fn adaptive_neurons_cost_what_is_written() {
        let cost = built_in("alif").unwrap().cost();
        // ρ b, β b and α u; the bias and the comparison; the reset, and the adaptation after a spike.
        assert_eq!((cost.mac, cost.ac, cost.after_spike), (3, 2, 2));
    }
}

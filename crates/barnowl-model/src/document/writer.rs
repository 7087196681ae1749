//! Operations as text.

use crate::model::{Listing, Model};
use crate::op::{Binary, Id, Op, Unary};
use crate::words::{CURRENT, DT, EMITTED};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Latex,
}

/// How tightly the outermost sign of an expression binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bond {
    Sum,
    Product,
    Sign,
    Atom,
}

pub(super) struct Writer<'a> {
    model: &'a Model,
    pub(super) listing: &'a Listing,
    style: Style,
}

impl<'a> Writer<'a> {
    pub(super) fn new(model: &'a Model, style: Style) -> Self {
        Self { model, listing: &model.listing, style }
    }

    /// The names of the constants, or of the lines of the equations.
    pub(super) fn names(&self, early: bool) -> &'a [(String, Id)] {
        if early { &self.listing.early_names } else { &self.listing.late_names }
    }

    /// What stands behind the `=` of a line.
    pub(super) fn line(&self, early: bool, at: usize) -> String {
        let id = self.names(early)[at].1;
        if early { self.early(id, at).0 } else { self.late(id, at).0 }
    }

    /// The names that states, what is emitted and values at rest are written with, directly or through others.
    pub(super) fn used(&self) -> BTreeSet<&'a str> {
        let mut lines: BTreeMap<&str, (bool, usize)> = BTreeMap::new();
        for early in [true, false] {
            let names = self.names(early).iter().enumerate();
            lines.extend(names.map(|(at, (name, _))| (name.as_str(), (early, at))));
        }
        let all = self.listing.early_names.len();
        let mut texts: Vec<String> =
            self.listing.rest.iter().map(|&id| self.early(id, all).0).collect();
        texts.extend(self.model.states().iter().map(|state| state.name.clone()));
        texts.push(EMITTED.to_string());
        texts.extend(self.model.membrane().map(str::to_string));
        let mut used = BTreeSet::new();
        while let Some(text) = texts.pop() {
            for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
                if let Some((&name, &(early, at))) = lines.get_key_value(word)
                    && used.insert(name)
                {
                    texts.push(self.line(early, at));
                }
            }
        }
        used
    }

    /// A value of the step, by the name of one of the first `lines` lines if one of them has it.
    fn late(&self, id: Id, lines: usize) -> (String, Bond) {
        // A number or an early value is not what another line happens to call it.
        let op = self.listing.late.op(id);
        let inner = matches!(op, Op::Unary(..) | Op::Binary(..));
        if inner
            && let Some((name, _)) = self.listing.late_names[..lines].iter().find(|n| n.1 == id)
        {
            return (self.name(name, "t"), Bond::Atom);
        }
        match op {
            Op::Input(0) => (self.name(CURRENT, "t"), Bond::Atom),
            Op::Input(number) => {
                let number = number as usize - 1;
                match self.model.states().get(number) {
                    Some(state) if self.style == Style::Plain => {
                        (format!("{}'", state.name), Bond::Atom)
                    }
                    Some(state) => (self.name(&state.name, "t-1"), Bond::Atom),
                    None => {
                        let constant = self.listing.constants[number - self.model.states().len()];
                        self.early(constant, self.listing.early_names.len())
                    }
                }
            }
            _ => self.operation(op, |id| self.late(id, lines)),
        }
    }

    /// A value that is computed once, by the name of one of the first `lines` constants if one of them has it.
    pub(super) fn early(&self, id: Id, lines: usize) -> (String, Bond) {
        let op = self.listing.early.op(id);
        let inner = matches!(op, Op::Unary(..) | Op::Binary(..));
        if inner
            && let Some((name, _)) = self.listing.early_names[..lines].iter().find(|n| n.1 == id)
        {
            return (self.name(name, ""), Bond::Atom);
        }
        match op {
            Op::Input(number) => match self.model.parameters().get(number as usize) {
                Some(parameter) => (self.name(&parameter.name.text, ""), Bond::Atom),
                None => (self.name(DT, ""), Bond::Atom),
            },
            _ => self.operation(op, |id| self.early(id, lines)),
        }
    }

    fn operation(&self, op: Op, of: impl Fn(Id) -> (String, Bond)) -> (String, Bond) {
        let latex = self.style == Style::Latex;
        let within = |id: Id, least: Bond| {
            let (text, bond) = of(id);
            match bond >= least {
                true => text,
                false if latex => format!("\\left({text}\\right)"),
                false => format!("({text})"),
            }
        };
        match op {
            Op::Input(number) => (format!("input {number}"), Bond::Atom),
            Op::Const(x) => {
                // The sign of −0 counts too.
                let bond = if x.is_sign_negative() { Bond::Sign } else { Bond::Atom };
                (x.to_string(), bond)
            }
            Op::Unary(Unary::Neg, a) => (format!("-{}", within(a, Bond::Sign)), Bond::Sign),
            Op::Unary(op, a) => (self.call(op, &of(a).0), Bond::Atom),
            Op::Binary(Binary::Add, a, b) => {
                (format!("{} + {}", within(a, Bond::Sum), within(b, Bond::Product)), Bond::Sum)
            }
            Op::Binary(Binary::Sub, a, b) => {
                (format!("{} - {}", within(a, Bond::Sum), within(b, Bond::Product)), Bond::Sum)
            }
            Op::Binary(Binary::Div, a, b) if latex => {
                (format!("\\frac{{{}}}{{{}}}", of(a).0, of(b).0), Bond::Atom)
            }
            Op::Binary(op @ (Binary::Mul | Binary::Div), a, b) => {
                let sign = match (op, latex) {
                    (_, true) => " \\, ",
                    (Binary::Mul, false) => "*",
                    (_, false) => "/",
                };
                let right = if latex { Bond::Atom } else { Bond::Sign };
                (format!("{}{sign}{}", within(a, Bond::Product), within(b, right)), Bond::Product)
            }
            Op::Binary(op, a, b) => {
                let name = match op {
                    Binary::Min => "min",
                    Binary::Max => "max",
                    _ => "greater",
                };
                let (a, b) = (of(a).0, of(b).0);
                let call = match latex {
                    true => format!("\\{name}\\left({a}, {b}\\right)"),
                    false => format!("{name}({a}, {b})"),
                };
                (call, Bond::Atom)
            }
        }
    }

    fn call(&self, op: Unary, a: &str) -> String {
        if self.style == Style::Plain {
            return format!("{}({a})", function(op));
        }
        match op {
            Unary::Exp => format!("e^{{{a}}}"),
            Unary::Expm1 => format!("\\left(e^{{{a}}} - 1\\right)"),
            Unary::Abs => format!("\\left|{a}\\right|"),
            Unary::Sqrt => format!("\\sqrt{{{a}}}"),
            Unary::Log => format!("\\ln\\left({a}\\right)"),
            Unary::Tanh => format!("\\tanh\\left({a}\\right)"),
            Unary::Sigmoid => format!("\\sigma\\left({a}\\right)"),
            Unary::Spike => format!("H\\left({a}\\right)"),
            Unary::Surrogate => format!("\\psi\\left({a}\\right)"),
            Unary::Neg | Unary::Stop => format!("\\mathrm{{{}}}\\left({a}\\right)", function(op)),
        }
    }

    /// A name; in LaTeX with its Greek letter and the time, if it has one.
    pub(super) fn name(&self, name: &str, time: &str) -> String {
        if self.style == Style::Plain {
            return name.to_string();
        }
        let (base, index) = name.split_once('_').unwrap_or((name, ""));
        let mut written = match base {
            _ if GREEK.contains(&base) => format!("\\{base}"),
            _ if base.len() == 1 => base.to_string(),
            _ => format!("\\mathrm{{{base}}}"),
        };
        let index = index.replace('_', "\\_");
        let (word, comma) = match (index.is_empty(), time.is_empty()) {
            (true, _) => (String::new(), ""),
            (false, true) => (format!("\\mathrm{{{index}}}"), ""),
            (false, false) => (format!("\\mathrm{{{index}}}"), ","),
        };
        if !(word.is_empty() && time.is_empty()) {
            // Writing to a string does not fail.
            let _ = write!(written, "_{{{word}{comma}{time}}}");
        }
        written
    }
}

const GREEK: [&str; 18] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda", "mu",
    "nu", "rho", "sigma", "tau", "phi", "psi", "omega",
];

fn function(op: Unary) -> &'static str {
    match op {
        Unary::Neg => "-",
        Unary::Abs => "abs",
        Unary::Exp => "exp",
        Unary::Expm1 => "expm1",
        Unary::Log => "log",
        Unary::Sqrt => "sqrt",
        Unary::Tanh => "tanh",
        Unary::Sigmoid => "sigmoid",
        Unary::Stop => "stop",
        Unary::Spike => "spike",
        Unary::Surrogate => "surrogate",
    }
}

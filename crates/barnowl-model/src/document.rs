//! A model as people read it: its equations, in the form they were written, in LaTeX, and a page of Markdown.

use crate::model::{Listing, Model};
use crate::op::{Binary, Id, Op, Unary};
use crate::source::{Each, Parameter, Start, Transform};
use crate::words::{CURRENT, DT, EMITTED};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Latex,
}

/// How tightly the outermost sign of an expression binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bond {
    Sum,
    Product,
    Sign,
    Atom,
}

impl Model {
    /// The equations of the step, `name = expression` a line, as they could be written again.
    #[must_use]
    pub fn equations(&self) -> Vec<String> {
        self.written(Style::Plain, false)
    }

    /// The constants that the equations name, likewise.
    #[must_use]
    pub fn named_constants(&self) -> Vec<String> {
        self.written(Style::Plain, true)
    }

    /// What the constants of [`Model::constants`] are called: the name, or the expression of what has none.
    #[must_use]
    pub fn constant_names(&self) -> Vec<String> {
        let writer = Writer::new(self, Style::Plain);
        let all = writer.listing.early_names.len();
        writer.listing.constants.iter().map(|&id| writer.early(id, all).0).collect()
    }

    /// Constants and equations in LaTeX, one a line, for an `aligned` environment.
    #[must_use]
    pub fn latex(&self) -> String {
        let mut lines = self.written(Style::Latex, true);
        lines.extend(self.written(Style::Latex, false));
        lines.join(" \\\\\n")
    }

    /// A page about the model.
    #[must_use]
    pub fn markdown(&self) -> String {
        let source = self.source();
        let mut page = format!("# {}\n\n", self.name());
        for paragraph in [&source.title, &source.source] {
            if !paragraph.is_empty() {
                page += &format!("{paragraph}\n\n");
            }
        }
        page += "```text\n";
        for line in self.named_constants().iter().chain(&self.equations()) {
            page += &format!("{line}\n");
        }
        page += "```\n\n";
        page += "| parameter | meaning | unit | range | start | trained |\n| --- | --- | --- | --- | --- | --- |\n";
        for parameter in self.parameters() {
            page += &row(parameter);
        }
        page += "\n| state | meaning | unit | at rest |\n| --- | --- | --- | --- |\n";
        let writer = Writer::new(self, Style::Plain);
        let all = writer.listing.early_names.len();
        for (state, &rest) in self.states().iter().zip(&writer.listing.rest) {
            let rest = writer.early(rest, all).0;
            let (name, meaning, unit) = (&state.name, &state.description, &state.unit);
            page += &format!("| `{name}` | {meaning} | {unit} | {rest} |\n");
        }
        let count = self.step().count();
        let kinds: Vec<String> = count.by_kind().map(|(kind, n)| format!("{n} {kind}")).collect();
        page += &format!("\nA step takes {} operations: {}.\n", count.total(), kinds.join(", "));
        page
    }

    /// The lines of the constants or of the equations. What comes to another name, a parameter or a number is written
    /// as that where it is used, and has no line.
    fn written(&self, style: Style, early: bool) -> Vec<String> {
        let writer = Writer::new(self, style);
        let names = writer.names(early);
        let used = Writer::new(self, Style::Plain).used();
        let equal = if style == Style::Latex { " &= " } else { " = " };
        let time = if early { "" } else { "t" };
        let lines = (0..names.len()).filter(|&at| used.contains(names[at].0.as_str()));
        lines
            .map(|at| {
                format!("{}{equal}{}", writer.name(&names[at].0, time), writer.line(early, at))
            })
            .collect()
    }
}

fn row(parameter: &Parameter) -> String {
    let Parameter { name, description, unit, range: (low, high), .. } = parameter;
    let range = match (low.is_finite(), high.is_finite()) {
        (true, true) => format!("{low} to {high}"),
        (true, false) => format!("from {low}"),
        (false, true) => format!("up to {high}"),
        (false, false) => "any".to_string(),
    };
    let start = match parameter.start {
        Start::Value(value) => format!("{value}"),
        Start::Uniform(from, to) => format!("U({from}, {to})"),
        Start::Normal(mean, deviation) => format!("N({mean}, {deviation})"),
    };
    let trained = match (parameter.trained, parameter.transform) {
        (false, _) => "no",
        (true, Transform::Free) => "yes",
        (true, Transform::Log) => "its logarithm",
        (true, Transform::Interval) => "within its range",
    };
    let each = if parameter.each == Each::Layer { ", one a layer" } else { "" };
    format!("| `{}` | {description} | {unit} | {range} | {start} | {trained}{each} |\n", name.text)
}

struct Writer<'a> {
    model: &'a Model,
    listing: &'a Listing,
    style: Style,
}

impl<'a> Writer<'a> {
    fn new(model: &'a Model, style: Style) -> Self {
        Self { model, listing: &model.listing, style }
    }

    /// The names of the constants, or of the lines of the equations.
    fn names(&self, early: bool) -> &'a [(String, Id)] {
        if early { &self.listing.early_names } else { &self.listing.late_names }
    }

    /// What stands behind the `=` of a line.
    fn line(&self, early: bool, at: usize) -> String {
        let id = self.names(early)[at].1;
        if early { self.early(id, at).0 } else { self.late(id, at).0 }
    }

    /// The names that states, what is emitted and values at rest are written with, directly or through others.
    fn used(&self) -> BTreeSet<&'a str> {
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
    fn early(&self, id: Id, lines: usize) -> (String, Bond) {
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
    fn name(&self, name: &str, time: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Definition, Source, Text};

    fn model() -> Model {
        let mut tau = Parameter::new("tau_m", 20.0);
        (tau.description, tau.unit) = ("time constant".into(), "ms".into());
        (tau.range, tau.transform) = ((0.0, f32::INFINITY), Transform::Log);
        let source = Source {
            name: Text::new("lif"),
            title: "Leaky integrate-and-fire.".into(),
            source: String::new(),
            equations: Text::new(
                "leak = 1 - alpha\nv = alpha*u' + leak*(I - -2)\ns = spike(v - theta/2)\nu = v - (s - u')",
            ),
            constants: alloc::vec![Definition {
                name: Text::new("alpha"),
                expression: Text::new("exp(-dt/tau_m)"),
            }],
            parameters: alloc::vec![tau, Parameter::new("theta", 1.0)],
            values: Vec::new(),
        };
        Model::build(source).expect("a right model")
    }

    #[test]
    fn equations_are_written_with_no_more_signs_than_needed() {
        let model = model();
        // What does not change from step to step is no equation of the step.
        let expected =
            ["v = alpha*u' + (1 - alpha)*(I - -2)", "s = spike(v - theta/2)", "u = v - (s - u')"];
        assert_eq!(model.equations(), expected);
        assert_eq!(model.named_constants(), ["alpha = exp(-dt/tau_m)"]);
        assert_eq!(model.constant_names(), ["1 - alpha", "alpha", "theta/2"]);
    }

    #[test]
    fn latex_has_greek_letters_times_and_fractions() {
        let expected = [
            "\\alpha &= e^{\\frac{-\\mathrm{dt}}{\\tau_{\\mathrm{m}}}} \\\\",
            "v_{t} &= \\alpha \\, u_{t-1} + \\left(1 - \\alpha\\right) \\, \\left(I_{t} - -2\\right) \\\\",
            "s_{t} &= H\\left(v_{t} - \\frac{\\theta}{2}\\right) \\\\",
            "u_{t} &= v_{t} - \\left(s_{t} - u_{t-1}\\right)",
        ];
        assert_eq!(model().latex(), expected.join("\n"));
    }

    #[test]
    fn the_page_has_equations_parameters_states_and_cost() {
        let page = model().markdown();
        for line in [
            "# lif",
            "Leaky integrate-and-fire.",
            "v = alpha*u' + (1 - alpha)*(I - -2)",
            "| `tau_m` | time constant | ms | from 0 | 20 | its logarithm |",
            "| `u` |  |  | 0 |",
            "A step takes 8 operations: 5 additions, 2 multiplications, 1 comparisons.",
        ] {
            assert!(page.lines().any(|known| known == line), "no line {line:?} in\n{page}");
        }
    }
}

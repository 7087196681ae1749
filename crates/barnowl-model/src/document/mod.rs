//! A model as people read it: its equations, in the form they were written, in LaTeX, and a page of Markdown.

mod writer;

use crate::model::Model;
use crate::source::{Each, Parameter, Start, Transform};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use writer::{Style, Writer};

/// What [`Parameter::columns`] are.
pub const PARAMETER_COLUMNS: [&str; 6] =
    ["parameter", "meaning", "unit", "range", "start", "trained"];

/// What [`Model::state_columns`] are.
pub const STATE_COLUMNS: [&str; 4] = ["state", "meaning", "unit", "at rest"];

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
        let mut page = format!("# {}\n\n", self.name());
        for paragraph in [&self.title(), &self.source().source] {
            if !paragraph.is_empty() {
                page += &format!("{paragraph}\n\n");
            }
        }
        page += "```text\n";
        for line in self.named_constants().iter().chain(&self.equations()) {
            page += &format!("{line}\n");
        }
        page += "```\n\n";
        page += &table(PARAMETER_COLUMNS, self.parameters().iter().map(Parameter::columns));
        page += "\n";
        page += &table(STATE_COLUMNS, self.state_columns());
        if let Some(membrane) = self.membrane() {
            page += &format!("\nA readout is decoded from `{membrane}`.\n");
        }
        page += &format!("\n{}\n", self.operations_in_words());
        page
    }

    /// What operations a step takes, in a sentence.
    #[must_use]
    pub fn operations_in_words(&self) -> String {
        let count = self.step().count();
        let kinds: Vec<String> = count
            .by_kind()
            .map(|(kind, n)| match n {
                1 => format!("1 {}", kind.replace("changes", "change").trim_end_matches('s')),
                _ => format!("{n} {kind}"),
            })
            .collect();
        format!("A step takes {} operations: {}.", count.total(), kinds.join(", "))
    }

    /// Of every state: name, meaning, unit, value before the first step.
    #[must_use]
    pub fn state_columns(&self) -> Vec<[String; 4]> {
        let writer = Writer::new(self, Style::Plain);
        let all = writer.listing.early_names.len();
        let states = self.states().iter().zip(&writer.listing.rest);
        states
            .map(|(state, &rest)| {
                let meaning = match state.description.as_str() {
                    "" if state.emitted => "what the neuron emits",
                    known => known,
                };
                [state.name.clone(), meaning.into(), state.unit.clone(), writer.early(rest, all).0]
            })
            .collect()
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

impl Parameter {
    /// Name, meaning, unit, range, start, and whether it is trained.
    #[must_use]
    pub fn columns(&self) -> [String; 6] {
        let (low, high) = self.range;
        let range = match (low.is_finite(), high.is_finite()) {
            (true, true) => format!("{low} to {high}"),
            (true, false) => format!("from {low}"),
            (false, true) => format!("up to {high}"),
            (false, false) => "any".to_string(),
        };
        let start = match self.start {
            Start::Value(value) => format!("{value}"),
            Start::Uniform(from, to) => format!("U({from}, {to})"),
            Start::Normal(mean, deviation) => format!("N({mean}, {deviation})"),
        };
        let trained = match (self.trained, self.transform) {
            (false, _) => "no",
            (true, Transform::Free) => "yes",
            (true, Transform::Log) => "its logarithm",
            (true, Transform::Interval) => "within its range",
        };
        let each = if self.each == Each::Layer { ", one a layer" } else { "" };
        let (name, meaning) = (self.name.text.clone(), self.description.clone());
        [name, meaning, self.unit.clone(), range, start, format!("{trained}{each}")]
    }
}

/// A table of Markdown; names, in the first column, are code.
fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), " --- |".repeat(N));
    for mut row in rows {
        row[0] = format!("`{}`", row[0]);
        text += &format!("| {} |\n", row.join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Definition, Source, Text, Variant};

    fn model() -> Model {
        let mut tau = Parameter::new("tau_m", 20.0);
        (tau.description, tau.unit) = ("time constant".into(), "ms".into());
        (tau.range, tau.transform) = ((0.0, f32::INFINITY), Transform::Log);
        let source = Source {
            name: Text::new("lif"),
            title: "Leaky integrate-and-fire.".into(),
            source: String::new(),
            variants: alloc::vec![Variant::only(
                "leak = 1 - alpha\nv = alpha*u' + leak*(I - -2)\ns = spike(v - theta/2)\nu = v - (s - u')",
            )],
            membrane: None,
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
            "| state | meaning | unit | at rest |",
            "| --- | --- | --- | --- |",
            "A step takes 8 operations: 5 additions, 2 multiplications, 1 comparison.",
        ] {
            assert!(page.lines().any(|known| known == line), "no line {line:?} in\n{page}");
        }
    }
}

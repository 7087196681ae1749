//! What a model is, on the screen and as JSON.

use crate::print::{print_json, print_line};
use barnowl::error::{Error, Result};
use barnowl_model::document::{PARAMETER_COLUMNS, STATE_COLUMNS};
use barnowl_model::{
    Each, Model, Operations, Parameter, Start, Transform, built_in, built_in_names,
};
use serde_json::{Map, Value, json};

/// A row a built-in model.
pub fn list(as_json: bool) -> Result<()> {
    let models: Result<Vec<Model>> = built_in_names().map(|name| known(&name)).collect();
    let models = models?;
    if as_json {
        let models: Vec<Value> = models.iter().map(detail).collect();
        return print_json(&json!({ "neurons": models }));
    }
    let head = ["neuron", "states", "parameters", "operations", "what it is"].map(str::to_owned);
    let row = |model: &Model| {
        [
            model.name().to_owned(),
            model.states().len().to_string(),
            model.parameters().len().to_string(),
            model.step().count().total().to_string(),
            first_clause(&model.title()).to_owned(),
        ]
    };
    print_line(&table([head].into_iter().chain(models.iter().map(row))))?;
    print_line(
        "Operations are those of a step of one neuron. `barnowl neurons NAME` shows a model; docs/neurons.md says how to \
         write your own.",
    )
}

/// A page about a model.
pub fn show(model: &Model, as_json: bool) -> Result<()> {
    if as_json {
        return print_json(&detail(model));
    }
    let source = model.source();
    let mut text = format!("{}\n", model.name());
    for line in [&model.title(), &source.source] {
        if !line.is_empty() {
            text += &format!("{line}\n");
        }
    }
    if source.variants.len() > 1 {
        text += "\n";
        let rows = source.words().zip(&source.variants).map(|(word, variant)| {
            let here = if word == model.name() { "→" } else { "" };
            [here.to_owned(), word, variant.description.clone()]
        });
        text += &table(rows);
    }
    for lines in [model.named_constants(), model.equations()] {
        if !lines.is_empty() {
            text += &format!("\n  {}\n", lines.join("\n  "));
        }
    }
    text += "\n";
    let rows = model.parameters().iter().map(Parameter::columns);
    text += &table([PARAMETER_COLUMNS.map(str::to_owned)].into_iter().chain(rows));
    text += "\n";
    let rows = model.state_columns();
    text += &table([STATE_COLUMNS.map(str::to_owned)].into_iter().chain(rows));
    if let Some(membrane) = model.membrane() {
        text += &format!("\nA readout is decoded from {membrane}.");
    }
    text += &format!("\n{} {}\n", model.operations_in_words(), beside_alif(model)?);
    text += "u' is the value of u after the step before, I the input current, s what the neuron emits, dt the length of a step \
        in ms.";
    print_line(&text)
}

/// What a step and its gradient cost beside ALIF's.
pub fn beside_alif(model: &Model) -> Result<String> {
    let alif = known("alif")?;
    let ratio = |count: fn(&Model) -> Operations| {
        let (own, alif) = (count(model).total(), count(&alif).total());
        format!("{own} against {alif} (× {:.2})", own as f64 / alif.max(1) as f64)
    };
    let step = ratio(|model| model.step().count());
    let back = ratio(|model| model.step().adjoint().count());
    Ok(format!("Beside ALIF: {step}; on the way back {back}."))
}

fn known(name: &str) -> Result<Model> {
    built_in(name).map_err(|error| Error::config(error.to_string()))
}

/// Everything about a model.
pub fn detail(model: &Model) -> Value {
    let source = model.source();
    let finite = |x: f32| x.is_finite().then_some(x);
    let parameter = |parameter: &Parameter| {
        let (low, high) = parameter.range;
        json!({
            "name": parameter.name.text,
            "description": parameter.description,
            "unit": parameter.unit,
            "range": [finite(low), finite(high)],
            "start": match parameter.start {
                Start::Value(value) => json!(value),
                Start::Uniform(from, to) => json!({ "uniform": [from, to] }),
                Start::Normal(mean, deviation) => json!({ "normal": [mean, deviation] }),
            },
            "trained": parameter.trained,
            "transform": match parameter.transform {
                Transform::Free => "free",
                Transform::Log => "log",
                Transform::Interval => "interval",
            },
            "each": match parameter.each {
                Each::Neuron => "neuron",
                Each::Layer => "layer",
            },
        })
    };
    let state = |[name, description, unit, rest]: [String; 4]| json!({ "name": name, "description": description, "unit": unit, "rest": rest });
    json!({
        "name": model.name(),
        "title": model.title(),
        "source": source.source,
        "variants": source.words().collect::<Vec<_>>(),
        "constants": model.named_constants(),
        "equations": model.equations(),
        "parameters": model.parameters().iter().map(parameter).collect::<Vec<_>>(),
        "states": model.state_columns().into_iter().map(state).collect::<Vec<_>>(),
        "membrane": model.membrane(),
        "operations": operations(model.step().count()),
        "operations_back": operations(model.step().adjoint().count()),
    })
}

fn operations(count: Operations) -> Value {
    let mut kinds: Map<String, Value> =
        count.by_kind().map(|(kind, n)| (kind.replace(' ', "_"), json!(n))).collect();
    kinds.insert("total".into(), json!(count.total()));
    Value::Object(kinds)
}

/// As much of a title as fits a line of the list: its first clause, where the whole of it does not.
fn first_clause(title: &str) -> &str {
    const MOST: usize = 85;
    match title.find([':', ';']) {
        Some(end) if title.len() > MOST => &title[..end],
        _ => title,
    }
}

/// Rows whose columns are as wide as they need to be.
fn table<const N: usize>(rows: impl IntoIterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = rows.into_iter().collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).filter(|(_, width)| *width > 0);
        let cells: Vec<String> = cells.map(|(cell, width)| format!("{cell:width$}")).collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_title_ends_with_its_first_clause() {
        assert_eq!(first_clause("Leaky: it forgets."), "Leaky: it forgets.");
        let long = format!("Leaky: {}", "and so on ".repeat(9));
        assert_eq!(first_clause(&long), "Leaky");
    }

    #[test]
    fn columns_are_aligned_and_empty_ones_left_out() {
        let rows = [["α", "", "one"], ["beta", "", "two"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(rows), "α     one\nbeta  two\n");
    }
}

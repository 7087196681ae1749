//! Plain-text tables: what an evaluation says, for people.

use barnowl::metric::boundary::ClassBoundaries;
use barnowl::train::Evaluation;
use barnowl::words::counted;
use std::fmt::Write;

fn percent(value: Option<f64>) -> String {
    value.map_or("–".into(), |value| format!("{:.1}", 100.0 * value))
}

/// The score, and what to compare it with.
fn score(evaluation: &Evaluation) -> String {
    let score = format!("{} {:.4}", evaluation.judged_by.name(), evaluation.score);
    match (&evaluation.confusion, &evaluation.regression) {
        (Some(confusion), _) => {
            let majority = percent(confusion.majority_rate());
            format!("{score} (always the most frequent class: {majority} %)")
        }
        (None, Some(regression)) => {
            format!("{score} (always the mean: 0), root mean squared error {:.4}", regression.rmse)
        }
        (None, None) => format!("{score} of the labels"),
    }
}

/// A row a number.
fn values(evaluation: &Evaluation) -> String {
    let Some(regression) = &evaluation.regression else { return String::new() };
    let width = regression.values.iter().map(|value| value.name.chars().count());
    let width = width.max().unwrap_or(6).max(6);
    let mut text = format!(
        "{:width$}  {:>7}  {:>10}  {:>10}  {:>10}   steps or sequences\n",
        "number", "R²", "RMSE", "mean", "s.d."
    );
    for value in &regression.values {
        // Writing to a string makes no error.
        let _ = writeln!(
            text,
            "{:width$}  {:>7}  {:>10.4}  {:>10.4}  {:>10.4}   {:>18}",
            value.name,
            value.r2.map_or("–".into(), |r2| format!("{r2:.4}")),
            value.rmse,
            value.mean,
            value.sd,
            value.count,
        );
    }
    text
}

/// Loss, score, spike rates, and a row a class or number.
pub fn evaluation(
    evaluation: &Evaluation,
    class_names: &[String],
    boundaries: Option<&[ClassBoundaries]>,
) -> String {
    let mut text = String::new();
    let rates = &evaluation.spike_rate;
    let layers: Vec<String> = rates.layers.iter().map(|rate| format!("{rate:.3}")).collect();
    let readout = match rates.readout {
        Some(rate) => format!("; readout {rate:.3}; mean of layers {:.3}", rates.mean_of_layers),
        None => String::new(),
    };
    let loss = match evaluation.loss_per_step {
        Some(loss) => format!("loss {loss:.4} per step, {:.4} per sequence", evaluation.loss),
        None => format!("loss {:.4}", evaluation.loss),
    };
    // Writing to a string makes no error.
    let _ = writeln!(
        text,
        "{}   {loss}   {}\n\
         spikes per hidden neuron and step {:.3} (by layer: {}{readout})\n",
        score(evaluation),
        counted(evaluation.samples, "sequence"),
        rates.overall,
        layers.join(", "),
    );
    let Some(confusion) = &evaluation.confusion else {
        text += &values(evaluation);
        return text;
    };
    let width = class_names.iter().map(|name| name.chars().count()).max().unwrap_or(5).max(5);
    let _ = write!(text, "{:width$}  precision  recall     F1   steps or sequences", "class");
    if boundaries.is_some() {
        let _ = write!(text, "   onsets found %  of those called %  error ms");
    }
    let _ = writeln!(text);
    for (i, (name, score)) in class_names.iter().zip(confusion.class_scores()).enumerate() {
        let _ = write!(
            text,
            "{name:width$}  {:>9}  {:>6}  {:>5}   {:>18}",
            percent(score.precision),
            percent(score.recall),
            percent(score.f1),
            score.support,
        );
        if let Some(boundary) = boundaries.and_then(|all| all.get(i)) {
            let error = match (boundary.onset.mean_error_ms, boundary.onset.sd_error_ms) {
                (Some(mean), Some(sd)) => format!("{mean:+.1} ± {sd:.1}"),
                _ => "–".into(),
            };
            let _ = write!(
                text,
                "   {:>14}  {:>17}  {error}",
                percent(boundary.onset.sensitivity),
                percent(boundary.onset.positive_predictive_value),
            );
        }
        let _ = writeln!(text);
    }
    text
}

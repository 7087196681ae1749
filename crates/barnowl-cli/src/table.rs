//! Plain-text tables: what an evaluation says, for people.

use barnowl::metric::boundary::ClassBoundaries;
use barnowl::train::Evaluation;
use barnowl::words::counted;
use std::fmt::Write;

/// Loss, accuracy, spike rates, and a row a class.
pub fn evaluation(
    evaluation: &Evaluation,
    class_names: &[String],
    boundaries: Option<&[ClassBoundaries]>,
) -> String {
    let mut text = String::new();
    let percent =
        |value: Option<f64>| value.map_or("–".into(), |value| format!("{:.1}", 100.0 * value));
    let majority = percent(evaluation.confusion.majority_rate());
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
        "accuracy {:.4} (always the most frequent class: {majority} %)   {loss}   {}\n\
         spikes per hidden neuron and step {:.3} (by layer: {}{readout})\n",
        evaluation.accuracy,
        counted(evaluation.samples, "sequence"),
        rates.overall,
        layers.join(", "),
    );
    let width = class_names.iter().map(|name| name.chars().count()).max().unwrap_or(5).max(5);
    let _ = write!(text, "{:width$}  precision  recall     F1   steps or sequences", "class");
    if boundaries.is_some() {
        let _ = write!(text, "   onsets found %  of those called %  error ms");
    }
    let _ = writeln!(text);
    for (i, (name, score)) in
        class_names.iter().zip(evaluation.confusion.class_scores()).enumerate()
    {
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

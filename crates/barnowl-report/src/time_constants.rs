//! How training moved the time constants.

use super::FAINT;
use super::axis::{self, Scale};
use super::svg::{Svg, polyline};
use super::text::{Anchor, Style};

/// The time constants of one layer and kind, a value a neuron, in steps.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeConstantHistogram {
    /// Layer and kind, such as `layer 1, τ_m`.
    pub name: String,
    /// Before training.
    pub before: Vec<f32>,
    /// After training.
    pub after: Vec<f32>,
}

const PANEL: (f64, f64) = (370.0, 130.0);
const COLUMNS: [f64; 2] = [72.0, 530.0];
const TOP: f64 = 96.0;
const ROW: f64 = 226.0;
/// Bins of a full axis.
const BINS: usize = 32;

/// Draws histograms of time constants before and after training, on logarithmic axes, as an SVG document.
///
/// Values that are not positive and finite cannot be drawn; the panel says how many there are.
#[must_use]
pub fn time_constants(histograms: &[TimeConstantHistogram]) -> String {
    let rows = histograms.len().div_ceil(2).max(1);
    let height = TOP + ROW * rows as f64 - 26.0;
    let mut svg = Svg::new(920.0, height, "Time constants before and after training");
    svg.text(
        (COLUMNS[0], 32.0),
        Style::new(16.0).bold(),
        "Time constants before and after training",
    );
    legend(&mut svg, COLUMNS[1] + PANEL.0);
    if histograms.is_empty() {
        let style = Style::new(12.0).fill(FAINT);
        svg.text((COLUMNS[0], TOP), style, "no time constants");
    }
    for (i, histogram) in histograms.iter().enumerate() {
        panel(&mut svg, histogram, (COLUMNS[i % 2], TOP + ROW * (i / 2) as f64));
    }
    svg.finish()
}

fn legend(svg: &mut Svg, right: f64) {
    let style = Style::new(12.0);
    let x = right - style.width("after");
    svg.text((x, 32.0), style, "after");
    svg.path(&format!("M{} 22h20v10h-20z", x - 26.0), format_args!("{AFTER}"));
    let x = x - 42.0 - style.width("before");
    svg.text((x, 32.0), style, "before");
    svg.path(&format!("M{} 22h20v10h-20z", x - 26.0), format_args!("{BEFORE}"));
}

const BEFORE: &str =
    "fill=\"none\" stroke=\"#d55e00\" stroke-width=\"1.8\" stroke-linejoin=\"round\"";
const AFTER: &str = "fill=\"#0072b2\" fill-opacity=\"0.45\"";

fn panel(svg: &mut Svg, histogram: &TimeConstantHistogram, (left, top): (f64, f64)) {
    let (right, bottom) = (left + PANEL.0, top + PANEL.1);
    let before = valid(&histogram.before);
    let after = valid(&histogram.after);
    let style = Style::new(13.0).bold();
    svg.text_within((left, top - 28.0), style, &histogram.name, PANEL.0);
    let note = summary(histogram, &before, &after);
    svg.text((left, top - 11.0), Style::new(11.0).fill(FAINT), &note);
    let title = Style::new(12.0).anchor(Anchor::Middle);
    let Some(span) = super::extent(before.iter().chain(&after).copied()) else {
        let at = (left + PANEL.0 / 2.0, top + PANEL.1 / 2.0);
        svg.text(at, title.fill(FAINT), "nothing to draw");
        return;
    };
    let x = Scale::log(span, (left, right)).padded(0.03);
    let edges = x.domain();
    let (before, after) = (bin(&before, edges), bin(&after, edges));
    let most = before.iter().chain(&after).copied().max().unwrap_or(0);
    let y = Scale::linear((0.0, 1.08 * most as f64), (bottom, top)).whole();
    axis::vertical(svg, &y, left, right);
    svg.path(&outline(&after, left, &y), format_args!("{AFTER}"));
    svg.path(&outline(&before, left, &y), format_args!("{BEFORE}"));
    axis::horizontal(svg, &x, bottom);
    let at = (left + PANEL.0 / 2.0, bottom + 36.0);
    svg.text(at, title, "time constant (steps)");
    let at = (left - 48.0, top + PANEL.1 / 2.0);
    svg.text(at, title.rotated(-90.0), "neurons");
}

/// The values that can stand on a logarithmic axis, ascending.
fn valid(values: &[f32]) -> Vec<f64> {
    let mut valid: Vec<f64> = values
        .iter()
        .filter(|value| value.is_finite() && **value > 0.0)
        .map(|&value| f64::from(value))
        .collect();
    valid.sort_by(f64::total_cmp);
    valid
}

/// The medians, and how many values are left out.
fn summary(histogram: &TimeConstantHistogram, before: &[f64], after: &[f64]) -> String {
    let median = |sorted: &[f64]| match sorted.len() {
        0 => "—".to_owned(),
        n => short(f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2])),
    };
    let mut text = format!("median {} → {}", median(before), median(after));
    if let (Some(low), Some(high)) = (after.first(), after.last()) {
        text += &format!(" · after: {} to {}", short(*low), short(*high));
    }
    let left_out = histogram.before.len() + histogram.after.len() - before.len() - after.len();
    if left_out > 0 {
        text += &format!(" · {left_out} not positive and finite");
    }
    text
}

/// Three significant digits.
fn short(value: f64) -> String {
    if !(1e-3..1e5).contains(&value) {
        return format!("{value:.2e}");
    }
    let decimals = usize::try_from(2 - value.log10().floor() as i32).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// How many values fall into each of [`BINS`] bins, equally wide in the logarithm.
fn bin(values: &[f64], (low, high): (f64, f64)) -> Vec<usize> {
    let mut counts = vec![0; BINS];
    for value in values {
        let position = (value / low).ln() / (high / low).ln();
        counts[((position * BINS as f64) as usize).min(BINS - 1)] += 1;
    }
    counts
}

/// The outline of the bars, from and to the base line.
fn outline(counts: &[usize], left: f64, y: &Scale) -> String {
    let width = PANEL.0 / BINS as f64;
    let height = |count: usize| y.at(count as f64);
    let edge = |i: usize| left + i as f64 * width;
    // Bars that touch share an outline; an empty bin draws nothing.
    let mut data = String::new();
    for (start, run) in runs(counts) {
        let base = |i| height(0).map(|y| (edge(i), y));
        let steps = run.iter().enumerate().flat_map(|(i, &count)| {
            let i = start + i;
            [i, i + 1].map(|i| height(count).map(|y| (edge(i), y)))
        });
        let points = std::iter::once(base(start)).chain(steps);
        data += &polyline(points.chain([base(start + run.len())]));
        data.push('Z');
    }
    data
}

/// The runs of bins that are not empty, with their first bin.
fn runs(counts: &[usize]) -> Vec<(usize, &[usize])> {
    let mut start = 0;
    let mut runs = Vec::new();
    for run in counts.chunk_by(|a, b| (*a > 0) == (*b > 0)) {
        if run[0] > 0 {
            runs.push((start, run));
        }
        start += run.len();
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(before: &[f32], after: &[f32]) -> TimeConstantHistogram {
        TimeConstantHistogram {
            name: "layer 1, τ_m".into(),
            before: before.into(),
            after: after.into(),
        }
    }

    #[test]
    fn every_value_is_in_a_bin() {
        let values: Vec<f64> = (1..=1000).map(f64::from).collect();
        let counts = bin(&values, (1.0, 1000.0));
        assert_eq!(counts.iter().sum::<usize>(), 1000);
        // The bins are 10^(3/32) wide: the first holds 1 only, the last the values above 10^(3·31/32) = 805.8….
        assert_eq!((counts[0], counts[31]), (1, 195));
    }

    #[test]
    fn medians_and_values_left_out_are_told() {
        let svg = time_constants(&[histogram(&[20.0; 4], &[10.0, 40.0, -55.0, f32::NAN])]);
        assert!(svg.contains("median 20 → 25 · after: 10 to 40 · 2 not positive and finite"));
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn equal_values_and_none_are_drawn() {
        let svg = time_constants(&[histogram(&[20.0; 4], &[20.0; 4]), histogram(&[], &[])]);
        assert!(svg.contains("median 20 → 20") && svg.contains("median — → —"));
        assert!(time_constants(&[]).contains("no time constants"));
    }

    #[test]
    fn three_digits() {
        let texts = [1234.5, 123.4, 20.0, 0.0512, 1e6, 100.0].map(short);
        assert_eq!(texts, ["1234", "123", "20", "0.0512", "1.00e6", "100"]);
    }
}

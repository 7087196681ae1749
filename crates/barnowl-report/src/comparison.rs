//! Variants side by side: every run a dot, mean ± standard deviation a bar.

use super::axis::{self, Scale};
use super::svg::Svg;
use super::text::{Anchor, Style};
use super::{BLUE, FAINT, GRID, VERMILLION, drawable, extent};

/// What to compare.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The heading.
    pub title: String,
    /// What the values are, with their unit.
    pub axis: String,
    /// The least and the most that a value can be: the axis ends there.
    pub limits: (f64, f64),
    /// The variants, from the top down.
    pub rows: Vec<ComparisonRow>,
}

/// One variant.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonRow {
    /// Its name.
    pub name: String,
    /// The value of every run.
    pub values: Vec<f64>,
    /// Their mean, if there are runs.
    pub mean: Option<f64>,
    /// Their standard deviation, if there are several.
    pub sd: Option<f64>,
}

const LEFT: f64 = 300.0;
const PLOT: f64 = 480.0;
const TOP: f64 = 56.0;
const ROW: f64 = 30.0;

/// Draws the comparison as an SVG document. Values that are not finite are left out; a variant without any says so.
#[must_use]
pub fn comparison(comparison: &Comparison) -> String {
    let rows = &comparison.rows;
    let bottom = TOP + ROW * rows.len() as f64;
    let (right, middle) = (LEFT + PLOT, LEFT + PLOT / 2.0);
    let mut svg = Svg::new(right + 110.0, bottom + 48.0, &comparison.title);
    svg.text((20.0, 30.0), Style::new(16.0).bold(), &comparison.title);
    let ends = rows.iter().flat_map(|row| {
        let (mean, sd) = (row.mean.unwrap_or(f64::NAN), row.sd.unwrap_or(0.0));
        row.values.iter().copied().chain([mean - sd, mean + sd])
    });
    let style = Style::new(12.0).anchor(Anchor::Middle);
    let Some(extent) = extent(ends) else {
        svg.text((middle, bottom + 20.0), style.fill(FAINT), "nothing measured");
        return svg.finish();
    };
    let x = Scale::linear(extent, (LEFT, right)).padded(0.05).within(comparison.limits);
    for tick in x.ticks(60.0) {
        if let Some(at) = x.at(tick.value) {
            svg.line((at, TOP), (at, bottom), GRID, 1.0);
        }
    }
    axis::horizontal(&mut svg, &x, bottom);
    svg.text((middle, bottom + 38.0), style, &comparison.axis);
    for (i, row) in rows.iter().enumerate() {
        draw(&mut svg, row, TOP + ROW * (i as f64 + 0.5), &x, right);
    }
    svg.finish()
}

fn draw(svg: &mut Svg, row: &ComparisonRow, y: f64, x: &Scale, right: f64) {
    let name = Style::new(12.0).anchor(Anchor::End);
    svg.text_within((LEFT - 14.0, y + 4.0), name, &row.name, LEFT - 34.0);
    let faint = Style::new(axis::LABEL).fill(FAINT);
    let Some(mean) = row.mean.filter(|mean| drawable(*mean)) else {
        svg.text((LEFT + 8.0, y + 4.0), faint, "no run finished");
        return;
    };
    let sd = row.sd.filter(|sd| drawable(*sd));
    if let Some(((from, to), _)) =
        sd.and_then(|sd| Some(((x.at(mean - sd)?, x.at(mean + sd)?), sd)))
    {
        svg.line((from.max(LEFT), y), (to.min(right), y), VERMILLION, 2.0);
    }
    if let Some(at) = x.at(mean) {
        svg.line((at, y - 8.0), (at, y + 8.0), VERMILLION, 2.0);
    }
    for value in &row.values {
        if let Some(at) = x.at(*value) {
            svg.dot((at, y), 3.5, BLUE);
        }
    }
    let text = match sd {
        Some(sd) => format!("{mean:.4} ± {sd:.4}"),
        None => format!("{mean:.4}"),
    };
    svg.text((right + 10.0, y + 4.0), faint, &text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_is_left_out() {
        let row = |values: &[f64], mean: Option<f64>, sd: Option<f64>| ComparisonRow {
            name: "x < y".into(),
            values: values.into(),
            mean,
            sd,
        };
        let rows = vec![
            row(&[0.8, 0.9], Some(0.85), Some(0.07)),
            row(&[], None, None),
            row(&[f64::NAN, 0.5], Some(f64::NAN), Some(f64::INFINITY)),
        ];
        let limits = (0.0, 1.0);
        let plot = Comparison { title: "A & B".into(), axis: "accuracy".into(), limits, rows };
        let text = comparison(&plot);
        assert!(text.contains("0.8500 ± 0.0700") && text.contains("A &amp; B"));
        assert_eq!(text.matches("no run finished").count(), 2);
        assert!(!text.contains("NaN") && !text.contains("inf"));
        // No accuracy is more than 1.
        let rows = vec![row(&[1.0, 1.0], Some(1.0), Some(0.2)); 2];
        let perfect = comparison(&Comparison { rows, ..plot.clone() });
        assert!(perfect.contains(">1.00<") && !perfect.contains(">1.05<"), "{perfect}");
        assert!(!perfect.contains(">1.1"), "{perfect}");
        let empty = comparison(&Comparison { rows: Vec::new(), ..plot });
        assert!(empty.contains("nothing measured"));
    }
}

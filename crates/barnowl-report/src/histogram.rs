//! Histograms side by side, on linear axes.

use super::axis::{self, Scale};
use super::svg::Svg;
use super::text::{Anchor, Style};
use super::{BLUE, FAINT, drawable, extent};

/// One histogram.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Its heading.
    pub title: String,
    /// What the values are, with their unit.
    pub axis: String,
    /// What is counted.
    pub counted: String,
    /// Left edge, right edge and height of every bar.
    pub bars: Vec<(f64, f64, f64)>,
}

impl Histogram {
    /// Counts values in `bins` bins of equal width from `low` to `high`; what lies outside goes to the ends.
    #[must_use]
    pub fn of(
        values: impl IntoIterator<Item = f64>,
        (low, high): (f64, f64),
        bins: usize,
        [title, axis, counted]: [&str; 3],
    ) -> Self {
        let width = (high - low) / bins as f64;
        let mut counts = vec![0.0; bins];
        for value in values.into_iter().filter(|value| drawable(*value)) {
            let bin = ((value - low) / width).clamp(0.0, bins as f64 - 1.0) as usize;
            counts[bin] += 1.0;
        }
        let edge = |i: usize| low + width * i as f64;
        let bars = counts.iter().enumerate().map(|(i, count)| (edge(i), edge(i + 1), *count));
        Self {
            title: title.into(),
            axis: axis.into(),
            counted: counted.into(),
            bars: bars.collect(),
        }
    }
}

const PANEL: (f64, f64) = (370.0, 150.0);
const COLUMNS: [f64; 2] = [72.0, 530.0];
const TOP: f64 = 84.0;
const ROW: f64 = 236.0;

/// Draws histograms in two columns as an SVG document.
#[must_use]
pub fn histograms(title: &str, histograms: &[Histogram]) -> String {
    let rows = histograms.len().div_ceil(2).max(1);
    let mut svg = Svg::new(920.0, TOP + ROW * rows as f64 - 26.0, title);
    svg.text((20.0, 30.0), Style::new(16.0).bold(), title);
    for (i, histogram) in histograms.iter().enumerate() {
        panel(&mut svg, histogram, (COLUMNS[i % 2], TOP + ROW * (i / 2) as f64));
    }
    svg.finish()
}

fn panel(svg: &mut Svg, histogram: &Histogram, (left, top): (f64, f64)) {
    let (right, bottom) = (left + PANEL.0, top + PANEL.1);
    svg.text_within((left, top - 14.0), Style::new(13.0).bold(), &histogram.title, PANEL.0);
    let middle = Style::new(12.0).anchor(Anchor::Middle);
    let edges = extent(histogram.bars.iter().flat_map(|bar| [bar.0, bar.1]));
    let highest = histogram.bars.iter().map(|bar| bar.2).fold(0.0, f64::max);
    let (Some(edges), true) = (edges, highest > 0.0) else {
        let at = (left + PANEL.0 / 2.0, top + PANEL.1 / 2.0);
        svg.text(at, middle.fill(FAINT), "nothing to draw");
        return;
    };
    let x = Scale::linear(edges, (left, right));
    let y = Scale::linear((0.0, 1.05 * highest), (bottom, top)).whole();
    axis::vertical(svg, &y, left, right);
    for (from, to, height) in &histogram.bars {
        if let (Some(from), Some(to), Some(upper)) = (x.at(*from), x.at(*to), y.at(*height)) {
            svg.rect([from + 0.5, upper, to - from - 1.0, bottom - upper], BLUE);
        }
    }
    axis::horizontal(svg, &x, bottom);
    svg.text((left + PANEL.0 / 2.0, bottom + 36.0), middle, &histogram.axis);
    let side = middle.fill(FAINT).rotated(-90.0);
    svg.text((left - 46.0, top + PANEL.1 / 2.0), side, &histogram.counted);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_one_bar() {
        let values = [0.0, 0.1, 0.25, 0.99, 1.0, 7.0, -1.0, f64::NAN];
        let histogram = Histogram::of(values, (0.0, 1.0), 4, ["a", "b", "c"]);
        let heights: Vec<f64> = histogram.bars.iter().map(|bar| bar.2).collect();
        assert_eq!(heights, [3.0, 1.0, 0.0, 3.0]);
        let empty = Histogram::of([], (0.0, 1.0), 4, ["a", "b", "c"]);
        let text = histograms("Title", &[histogram, empty]);
        assert!(text.contains("nothing to draw") && !text.contains("NaN"));
    }
}

//! How long something takes while one thing varies: a row of small panels with one vertical scale.

use super::axis::{self, Scale};
use super::svg::{Svg, polyline};
use super::text::{Anchor, Style};
use super::{BLUE, FAINT, VERMILLION, drawable, extent};

/// A measurement. What is not a positive number is left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScalingPoint {
    /// What varies, where it stands.
    pub value: f64,
    /// How long it took, at best.
    pub seconds: f64,
    /// Whether this is the one that the panels have in common.
    pub base: bool,
}

/// The measurements of one thing that varies.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalingPanel {
    /// The name of what varies.
    pub title: String,
    /// The points, by ascending value.
    pub points: Vec<ScalingPoint>,
    /// The exponent of the points; not finite if it is not known.
    pub exponent: f64,
    /// The exponent of a line to compare with, drawn through the base.
    pub slope: Option<f64>,
}

/// A picture of several.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalingPlot {
    /// What was measured.
    pub title: String,
    /// What all panels have in common, in short lines.
    pub notes: Vec<String>,
    /// In the order of reading.
    pub panels: Vec<ScalingPanel>,
}

const COLUMNS: usize = 3;
const PANEL: (f64, f64) = (236.0, 190.0);
/// The upper left corner of the first panel, and the distance of the next.
const ORIGIN: (f64, f64) = (64.0, 96.0);
const PITCH: (f64, f64) = (296.0, 282.0);

/// Draws the panels as an SVG document, all axes logarithmic.
#[must_use]
pub fn scaling(plot: &ScalingPlot) -> String {
    let corner = |place: usize| {
        let (column, row) = ((place % COLUMNS) as f64, (place / COLUMNS) as f64);
        (ORIGIN.0 + column * PITCH.0, ORIGIN.1 + row * PITCH.1)
    };
    // The notes have the cell after the last panel.
    let (_, last) = corner(plot.panels.len());
    let width = ORIGIN.0 + (COLUMNS - 1) as f64 * PITCH.0 + PANEL.0 + 24.0;
    let mut svg = Svg::new(width, last + PANEL.1 + 56.0, &plot.title);
    svg.text((ORIGIN.0 - 40.0, 32.0), Style::new(16.0).bold(), &plot.title);
    let unit = "milliseconds; both axes logarithmic, one vertical scale";
    svg.text((ORIGIN.0 - 40.0, 52.0), Style::new(12.0).fill(FAINT), unit);
    let times = plot.panels.iter().flat_map(shown).map(|point| 1e3 * point.seconds);
    let times = extent(times).unwrap_or((1.0, 10.0));
    for (place, panel) in plot.panels.iter().enumerate() {
        draw(&mut svg, panel, corner(place), times);
    }
    let (left, mut y) = corner(plot.panels.len());
    for note in &plot.notes {
        svg.text((left, y + 4.0), Style::new(12.0), note);
        y += 18.0;
    }
    key(&mut svg, left, y + 22.0);
    svg.finish()
}

/// The points that a logarithmic axis has a place for.
fn shown(panel: &ScalingPanel) -> impl Iterator<Item = &ScalingPoint> {
    let positive = |value: f64| drawable(value) && value > 0.0;
    panel.points.iter().filter(move |point| positive(point.value) && positive(point.seconds))
}

fn draw(svg: &mut Svg, panel: &ScalingPanel, (left, top): (f64, f64), times: (f64, f64)) {
    let (right, bottom) = (left + PANEL.0, top + PANEL.1);
    svg.text((left, top - 14.0), Style::new(13.0).bold(), &panel.title);
    let Some(values) = extent(shown(panel).map(|point| point.value)) else {
        let style = Style::new(12.0).fill(FAINT).anchor(Anchor::Middle);
        svg.text((left + PANEL.0 / 2.0, top + PANEL.1 / 2.0), style, "nothing measured");
        return;
    };
    let x = Scale::log(values, (left, right)).padded(0.06);
    let y = Scale::log(times, (bottom, top)).padded(0.06);
    axis::vertical(svg, &y, left, right);
    svg.line((left, bottom), (right, bottom), FAINT, 1.0);
    let place = |point: &ScalingPoint| Some((x.at(point.value)?, y.at(1e3 * point.seconds)?));
    let base = shown(panel).find(|point| point.base);
    if let (Some(base), Some(slope)) = (base, panel.slope) {
        compare(svg, base, slope, (&x, &y));
    }
    svg.path(
        &polyline(shown(panel).map(place)),
        format_args!("fill=\"none\" stroke=\"{BLUE}\" stroke-width=\"1.7\""),
    );
    for point in shown(panel) {
        let Some((at, height)) = place(point) else { continue };
        if point.base {
            svg.dot((at, height), 6.5, VERMILLION);
        }
        svg.dot((at, height), 4.0, BLUE);
        // Ticks stand where measurements are, for those are what one asks about.
        svg.line((at, bottom), (at, bottom + 5.0), FAINT, 1.0);
        let style = Style::new(axis::LABEL).anchor(Anchor::Middle).fill(FAINT);
        svg.text((at, bottom + 6.0 + axis::LABEL), style, &short(point.value));
    }
    let mut text = String::new();
    if panel.exponent.is_finite() {
        text = format!("slope {:.2}", panel.exponent);
    }
    if let (Some(slope), false) = (panel.slope, text.is_empty()) {
        text += &format!(", dashed line {slope}");
    }
    let style = Style::new(12.0).anchor(Anchor::Middle);
    svg.text((left + PANEL.0 / 2.0, bottom + 36.0), style, &text.replace('-', "−"));
}

/// The line of a power through a point, as far as the panel reaches.
fn compare(svg: &mut Svg, base: &ScalingPoint, slope: f64, (x, y): (&Scale, &Scale)) {
    let power = |value: f64| 1e3 * base.seconds * (value / base.value).powf(slope);
    let ((low, high), (least, most)) = (x.domain(), y.domain());
    // Where the line meets the upper and the lower edge.
    let meets = |time: f64| base.value * (time / (1e3 * base.seconds)).powf(1.0 / slope);
    let (first, last) = (meets(least).min(meets(most)), meets(least).max(meets(most)));
    let ends = [low.max(first), high.min(last)];
    let [from, to] = ends.map(|value| Some((x.at(value)?, y.at(power(value))?)));
    let style = format_args!("fill=\"none\" stroke=\"{FAINT}\" stroke-dasharray=\"4 3\"");
    svg.path(&polyline([from, to]), style);
}

/// What lines and dots mean.
fn key(svg: &mut Svg, left: f64, y: f64) {
    let style = Style::new(12.0);
    svg.line((left, y), (left + 26.0, y), BLUE, 1.7);
    svg.dot((left + 13.0, y), 4.0, BLUE);
    svg.text((left + 36.0, y + 4.0), style, "measured, fastest of several");
    let data = polyline([Some((left, y + 20.0)), Some((left + 26.0, y + 20.0))]);
    svg.path(&data, format_args!("stroke=\"{FAINT}\" stroke-dasharray=\"4 3\""));
    svg.text((left + 36.0, y + 24.0), style, "a power law, slope as noted");
}

/// One significant digit of a fraction if that is nearly it, else two; whole numbers as they are.
fn short(value: f64) -> String {
    if value >= 10.0 || value.fract() == 0.0 {
        return format!("{value:.0}");
    }
    let place = -value.log10().floor();
    let rounded = |decimals: f64| {
        let decimals = decimals.clamp(0.0, 6.0) as usize;
        let text = format!("{value:.decimals$}");
        let near = text.parse().is_ok_and(|text: f64| (text / value - 1.0).abs() < 0.05);
        near.then(|| text.trim_end_matches('0').trim_end_matches('.').to_owned())
    };
    rounded(place).or_else(|| rounded(place + 1.0)).unwrap_or_else(|| format!("{value:.1e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(points: &[(f64, f64)], slope: Option<f64>) -> ScalingPanel {
        let point = |(i, &(value, seconds)): (usize, &(f64, f64))| ScalingPoint {
            value,
            seconds,
            base: i == 0,
        };
        let points = points.iter().enumerate().map(point).collect();
        ScalingPanel { title: "T & B".into(), points, exponent: 1.0, slope }
    }

    fn plot(panels: Vec<ScalingPanel>) -> String {
        scaling(&ScalingPlot { title: "Steps".into(), notes: vec!["note".into()], panels })
    }

    #[test]
    fn every_measurement_is_a_dot_and_the_base_has_a_ring() {
        let points = [(10.0, 0.1), (20.0, 0.2), (40.0, 0.4)];
        let svg = plot(vec![panel(&points, Some(1.0)), panel(&points, None)]);
        // Three dots and a ring in each panel, a dot in the key; a comparison in one panel and in the key.
        assert_eq!(svg.matches("<circle").count(), 9);
        assert_eq!(svg.matches("stroke-dasharray").count(), 2);
        for text in ["T &amp; B", ">40</text>", "slope 1.00", ">note</text>"] {
            assert!(svg.contains(text), "{text}");
        }
    }

    #[test]
    fn what_has_no_logarithm_is_left_out() {
        let points = [(0.0, 1.0), (1.0, -1.0), (2.0, f64::NAN), (3.0, 1.0), (4.0, f64::INFINITY)];
        let svg =
            plot(vec![panel(&points, Some(1.0)), panel(&[], None), panel(&[(1.0, 1.0)], None)]);
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        assert!(svg.contains("nothing measured"));
    }

    #[test]
    fn labels_are_short() {
        let labels = [0.0103, 0.0097, 0.5, 0.0853, 1.0, 128.0, 1.53, 1e-9].map(short);
        assert_eq!(labels, ["0.01", "0.01", "0.5", "0.085", "1", "128", "1.5", "1.0e-9"]);
    }
}

//! Numbers that were to be found beside those that were found: over the steps of a sequence, or one against the other.

use super::axis::{self, Scale};
use super::svg::{Svg, polyline};
use super::text::{Anchor, Style};
use super::{BLUE, FAINT, GRID, INK, VERMILLION, extent};

/// One of the numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct ValuePairs {
    /// What it is called, and how well it is found.
    pub name: String,
    /// What was to be found; NaN where that is not known.
    pub target: Vec<f32>,
    /// What was found.
    pub found: Vec<f32>,
}

/// Numbers beside those to be found.
#[derive(Debug, Clone, PartialEq)]
pub struct ValuesData {
    /// The title.
    pub title: String,
    /// Whether the pairs are the steps of one sequence, and not sequences.
    pub over_time: bool,
    /// Steps a second; without it the axis is one of steps.
    pub sampling_rate: Option<f64>,
    /// The numbers, a panel each.
    pub values: Vec<ValuePairs>,
}

const LEFT: f64 = 72.0;
const WIDTH: f64 = 820.0;
const TOP: f64 = 84.0;
const HEIGHT: f64 = 110.0;
const PITCH: f64 = 158.0;
/// Of one against the other: panels in a row, the side of each, and from one to the next.
const IN_A_ROW: usize = 3;
const SIDE: f64 = 220.0;
const NEXT: (f64, f64) = (300.0, 300.0);

/// Draws the numbers as an SVG document.
#[must_use]
pub fn values(data: &ValuesData) -> String {
    if data.over_time { over_time(data) } else { against(data) }
}

fn over_time(data: &ValuesData) -> String {
    let right = LEFT + WIDTH;
    let bottom = TOP + PITCH * data.values.len().max(1) as f64 - (PITCH - HEIGHT);
    let mut svg = Svg::new(right + 28.0, bottom + 52.0, &data.title);
    svg.text((LEFT - 52.0, 30.0), Style::new(16.0).bold(), &data.title);
    legend(&mut svg, right);
    let steps = data.values.iter().map(|pairs| pairs.target.len()).max().unwrap_or(0);
    let rate = data.sampling_rate.filter(|rate| *rate > 0.0).unwrap_or(1.0);
    let x = Scale::linear((0.0, steps.max(1) as f64 / rate), (LEFT, right));
    for (i, pairs) in data.values.iter().enumerate() {
        let (top, bottom) = (TOP + PITCH * i as f64, TOP + PITCH * i as f64 + HEIGHT);
        svg.text_within((LEFT, top - 12.0), Style::new(12.0).bold(), &pairs.name, WIDTH);
        let Some(extent) = extent(pairs.all()) else {
            svg.text((LEFT, top + 20.0), Style::new(axis::LABEL).fill(FAINT), "nothing to draw");
            continue;
        };
        let y = Scale::linear(extent, (bottom, top)).padded(0.04);
        axis::vertical(&mut svg, &y, LEFT, right);
        for (values, colour) in [(&pairs.target, INK), (&pairs.found, VERMILLION)] {
            let point = |(t, value): (usize, &f32)| {
                Some((x.at(t as f64 / rate)?, y.at(f64::from(*value))?))
            };
            let line = polyline(values.iter().enumerate().map(point));
            svg.path(
                &line,
                format_args!("fill=\"none\" stroke=\"{colour}\" stroke-linejoin=\"round\""),
            );
        }
    }
    axis::horizontal(&mut svg, &x, bottom);
    let unit = if data.sampling_rate.is_some() { "seconds" } else { "steps" };
    let style = Style::new(12.0).anchor(Anchor::Middle);
    svg.text((LEFT + WIDTH / 2.0, bottom + 40.0), style, unit);
    svg.finish()
}

fn against(data: &ValuesData) -> String {
    let rows = data.values.len().div_ceil(IN_A_ROW).max(1);
    let columns = data.values.len().clamp(1, IN_A_ROW);
    let size = (
        LEFT + NEXT.0 * (columns - 1) as f64 + SIDE + 40.0,
        TOP + NEXT.1 * (rows - 1) as f64 + SIDE + 60.0,
    );
    let mut svg = Svg::new(size.0.max(420.0), size.1, &data.title);
    svg.text_within((20.0, 30.0), Style::new(16.0).bold(), &data.title, size.0.max(420.0) - 40.0);
    for (i, pairs) in data.values.iter().enumerate() {
        let left = LEFT + NEXT.0 * (i % IN_A_ROW) as f64;
        let top = TOP + NEXT.1 * (i / IN_A_ROW) as f64;
        let (right, bottom) = (left + SIDE, top + SIDE);
        svg.text_within((left, top - 12.0), Style::new(12.0).bold(), &pairs.name, SIDE);
        let Some(extent) = extent(pairs.all()) else {
            svg.text((left, top + 20.0), Style::new(axis::LABEL).fill(FAINT), "nothing to draw");
            continue;
        };
        let x = Scale::linear(extent, (left, right)).padded(0.04);
        let y = Scale::linear(extent, (bottom, top)).padded(0.04);
        axis::vertical(&mut svg, &y, left, right);
        axis::horizontal(&mut svg, &x, bottom);
        // What was found exactly lies on it.
        svg.line((left, bottom), (right, top), GRID, 2.0);
        for (target, found) in pairs.target.iter().zip(&pairs.found) {
            if let (Some(x), Some(y)) = (x.at(f64::from(*target)), y.at(f64::from(*found))) {
                svg.dot((x, y), 2.5, BLUE);
            }
        }
        let style = Style::new(12.0).anchor(Anchor::Middle);
        svg.text((left + SIDE / 2.0, bottom + 36.0), style, "to be found");
        let style = Style::new(12.0).anchor(Anchor::Middle).rotated(-90.0);
        svg.text((left - 52.0, top + SIDE / 2.0), style, "found");
    }
    svg.finish()
}

fn legend(svg: &mut Svg, right: f64) {
    let mut x = right;
    for (name, colour) in [("found", VERMILLION), ("to be found", INK)] {
        x -= Style::new(12.0).width(name);
        svg.text((x, 30.0), Style::new(12.0), name);
        svg.line((x - 24.0, 26.0), (x - 6.0, 26.0), colour, 2.0);
        x -= 40.0;
    }
}

impl ValuePairs {
    fn all(&self) -> impl Iterator<Item = f64> {
        self.target.iter().chain(&self.found).map(|value| f64::from(*value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(over_time: bool) -> ValuesData {
        ValuesData {
            title: "Values & more".into(),
            over_time,
            sampling_rate: Some(250.0),
            values: vec![
                ValuePairs {
                    name: "lead 1: R² 0.9".into(),
                    target: vec![0.0, 1.0, f32::NAN, 2.0],
                    found: vec![0.1, 0.9, 1.5, 1.8],
                },
                ValuePairs { name: "none".into(), target: vec![f32::NAN], found: vec![f32::NAN] },
            ],
        }
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let svg = values(&data(true));
        assert!(!svg.contains("NaN") && svg.contains("seconds") && svg.contains("nothing to draw"));
        let svg = values(&data(false));
        assert!(!svg.contains("NaN") && svg.contains("&amp; more"));
        assert_eq!(svg.matches("<circle").count(), 3, "one a pair that is known");
        let none = ValuesData { values: Vec::new(), ..data(true) };
        assert!(values(&none).contains("Values"));
    }
}

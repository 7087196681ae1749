//! Learning curves: loss, accuracy, spike rate and learning rate over the epochs.

use super::axis::{self, Scale};
use super::svg::{Svg, polyline};
use super::text::{Anchor, Style};
use super::{BLUE, FAINT, GREEN, INK, ORANGE, VERMILLION, drawable, extent};

/// What one epoch came to. A value that was not measured is NaN; it is left out.
#[derive(Debug, Clone, PartialEq)]
pub struct CurvePoint {
    /// The number of the epoch.
    pub epoch: usize,
    /// The loss on the training samples; of which kind is said to [`curves`].
    pub train_loss: f64,
    /// The loss on the validation samples.
    pub valid_loss: f64,
    /// The score on the training samples, such as the accuracy; of which kind is said to [`curves`].
    pub train_score: f64,
    /// The score on the validation samples.
    pub valid_score: f64,
    /// Spikes per hidden neuron and step.
    pub spike_rate: f64,
    /// The same of each hidden layer.
    pub layer_spike_rates: Vec<f64>,
    /// The learning rate.
    pub learning_rate: f64,
    /// Whether this is the epoch whose model is kept.
    pub best: bool,
}

/// A line of a panel.
struct Curve {
    name: &'static str,
    colour: &'static str,
    value: fn(&CurvePoint) -> f64,
}

const LOSS: &str = "Loss";
/// Stands for the name of the score.
const SCORE: &str = "";
const TRAINING: &str = "training";
const VALIDATION: &str = "validation";

/// The panels in the order of reading.
const PANELS: [(&str, &[Curve]); 4] = [
    (
        LOSS,
        &[
            Curve { name: TRAINING, colour: BLUE, value: |p| p.train_loss },
            Curve { name: VALIDATION, colour: VERMILLION, value: |p| p.valid_loss },
        ],
    ),
    (
        SCORE,
        &[
            Curve { name: TRAINING, colour: BLUE, value: |p| p.train_score },
            Curve { name: VALIDATION, colour: VERMILLION, value: |p| p.valid_score },
        ],
    ),
    (
        "Spike rate (spikes per neuron and step)",
        &[Curve { name: "", colour: BLUE, value: |p| p.spike_rate }],
    ),
    ("Learning rate", &[Curve { name: "", colour: BLUE, value: |p| p.learning_rate }]),
];

/// The rates of the first layers, where there are several.
const BY_LAYER: (&str, &[Curve]) = (
    "Spike rate, by layer",
    &[
        Curve { name: "1", colour: BLUE, value: |p| rate(p, 0) },
        Curve { name: "2", colour: VERMILLION, value: |p| rate(p, 1) },
        Curve { name: "3", colour: GREEN, value: |p| rate(p, 2) },
        Curve { name: "4", colour: ORANGE, value: |p| rate(p, 3) },
    ],
);

fn rate(point: &CurvePoint, layer: usize) -> f64 {
    point.layer_spike_rates.get(layer).copied().unwrap_or(f64::NAN)
}

const WIDTH: f64 = 920.0;
const PANEL: (f64, f64) = (370.0, 190.0);
/// Left edges of the columns, upper edges of the rows.
const COLUMNS: [f64; 2] = [72.0, 530.0];
const ROWS: [f64; 2] = [78.0, 346.0];

/// Draws the learning curves as an SVG document; `loss` says of what the losses are, such as `per step`, and `score` what the
/// scores are, such as `Accuracy`.
///
/// An axis of losses is logarithmic if the losses are positive and span more than a decade. The best epoch, the last
/// one marked so, is a dashed line in all panels. Values that are not finite are left out and break their line; the
/// panel says how many there are.
#[must_use]
pub fn curves(points: &[CurvePoint], loss: &str, score: &str) -> String {
    let mut svg = Svg::new(WIDTH, 604.0, "Learning curves");
    let best = points.iter().rfind(|point| point.best);
    heading(&mut svg, best, score);
    let epochs = extent(points.iter().map(|point| point.epoch as f64)).unwrap_or((0.0, 1.0));
    let layered = points.iter().any(|point| point.layer_spike_rates.len() > 1);
    for (i, panel) in PANELS.iter().enumerate() {
        let (title, lines) = if i == 2 && layered { &BY_LAYER } else { panel };
        let (left, top) = (COLUMNS[i % 2], ROWS[i / 2]);
        let (right, bottom) = (left + PANEL.0, top + PANEL.1);
        let x = Scale::linear(epochs, (left, right)).padded(0.02).whole();
        let heading = match *title {
            LOSS => format!("{LOSS} {loss}"),
            SCORE => score.to_owned(),
            title => title.to_owned(),
        };
        svg.text((left, top - 14.0), Style::new(13.0).bold(), heading.trim_end());
        legend(&mut svg, lines, points, (right, top - 14.0));
        axis::horizontal(&mut svg, &x, bottom);
        let style = Style::new(12.0).anchor(Anchor::Middle);
        svg.text((left + PANEL.0 / 2.0, bottom + 36.0), style, "epoch");
        let values = || lines.iter().flat_map(|line| points.iter().map(line.value));
        let Some((low, high)) = extent(values()) else {
            let style = style.fill(FAINT);
            svg.text((left + PANEL.0 / 2.0, top + PANEL.1 / 2.0), style, "nothing measured");
            continue;
        };
        let log = *title == LOSS && low > 0.0 && high > 10.0 * low;
        let y =
            if log { Scale::log } else { Scale::linear }((low, high), (bottom, top)).padded(0.06);
        axis::vertical(&mut svg, &y, left, right);
        if let Some(x) = best.and_then(|best| x.at(best.epoch as f64)) {
            let data = polyline([Some((x, top)), Some((x, bottom))]);
            svg.path(&data, format_args!("stroke=\"{FAINT}\" stroke-dasharray=\"4 3\""));
        }
        for line in *lines {
            draw(&mut svg, points, line, best, (&x, &y));
        }
        let missing: usize = lines.iter().map(|line| gaps(points, line)).sum();
        if missing > 0 {
            let text = format!("missing: {missing}");
            let style = Style::new(axis::LABEL).anchor(Anchor::End).fill(FAINT);
            svg.text((right, bottom + 36.0), style, &text);
        }
    }
    svg.finish()
}

/// How many points a curve lacks; none if it was never measured, as without validation.
fn gaps(points: &[CurvePoint], curve: &Curve) -> usize {
    let shown = |point: &&CurvePoint| drawable((curve.value)(point));
    match points.iter().filter(shown).count() {
        0 => 0,
        shown => points.len() - shown,
    }
}

/// The line of a curve, a dot at the best epoch, and dots where a point has no neighbour to be joined to.
fn draw(
    svg: &mut Svg,
    points: &[CurvePoint],
    curve: &Curve,
    best: Option<&CurvePoint>,
    (x, y): (&Scale, &Scale),
) {
    let place = |point: &CurvePoint| Some((x.at(point.epoch as f64)?, y.at((curve.value)(point))?));
    let places: Vec<_> = points.iter().map(place).collect();
    svg.path(
        &polyline(places.iter().copied()),
        format_args!(
            "fill=\"none\" stroke=\"{}\" stroke-width=\"1.7\" stroke-linejoin=\"round\" stroke-linecap=\"round\"",
            curve.colour
        ),
    );
    for (i, &here) in places.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| places[i]);
        let after = places.get(i + 1).copied().flatten();
        if let (Some(here), None, None) = (here, before, after) {
            svg.dot(here, 3.5, curve.colour);
        }
    }
    if let Some(best) = best.and_then(place) {
        svg.dot(best, 4.5, curve.colour);
    }
}

/// The title, and what the epoch that was kept achieved.
fn heading(svg: &mut Svg, best: Option<&CurvePoint>, score: &str) {
    svg.text((COLUMNS[0], 32.0), Style::new(16.0).bold(), "Learning curves");
    let Some(best) = best else { return };
    let mut text = format!("epoch {} kept", best.epoch);
    // A word is small within a line, a sign stays as it is.
    let kind = if score == "Accuracy" { "accuracy" } else { score };
    for (name, value) in [(VALIDATION, best.valid_score), (TRAINING, best.train_score)] {
        if value.is_finite() {
            text += &format!(" · {name} {kind} {value:.4}");
        }
    }
    let style = Style::new(12.0);
    let x = COLUMNS[1] + PANEL.0 - style.width(&text) - 10.0;
    svg.text((x + 10.0, 32.0), style, &text);
    let data = polyline([Some((x, 19.0)), Some((x, 37.0))]);
    svg.path(&data, format_args!("stroke=\"{FAINT}\" stroke-dasharray=\"4 3\""));
}

/// The names of the lines that are drawn, from right to left, ending at a point.
fn legend(svg: &mut Svg, lines: &[Curve], points: &[CurvePoint], (mut right, y): (f64, f64)) {
    let style = Style::new(12.0).fill(INK);
    let drawn =
        |line: &&Curve| !line.name.is_empty() && extent(points.iter().map(line.value)).is_some();
    for line in lines.iter().rev().filter(drawn) {
        right -= style.width(line.name);
        svg.text((right, y), style, line.name);
        svg.line((right - 26.0, y - 4.0), (right - 6.0, y - 4.0), line.colour, 2.5);
        right -= 42.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(epoch: usize, loss: f64) -> CurvePoint {
        CurvePoint {
            epoch,
            train_loss: loss,
            valid_loss: 1.1 * loss,
            train_score: 0.5,
            valid_score: 0.4,
            spike_rate: 0.3,
            layer_spike_rates: vec![0.3],
            learning_rate: 1e-3,
            best: epoch == 2,
        }
    }

    #[test]
    fn best_epoch_is_named_and_marked() {
        let svg = curves(&[point(1, 2.0), point(2, 1.5), point(3, 1.4)], "", "Accuracy");
        assert!(
            svg.contains("epoch 2 kept · validation accuracy 0.4000 · training accuracy 0.5000")
        );
        // A dot on each of the six curves, a dashed line in each of the four panels and in the heading.
        assert_eq!(svg.matches("<circle").count(), 6);
        assert_eq!(svg.matches("stroke-dasharray").count(), 5);
    }

    #[test]
    fn loss_axis_is_logarithmic_beyond_a_decade() {
        let labels = |losses: [f64; 2]| {
            let svg = curves(&[point(1, losses[0]), point(3, losses[1])], "", "Accuracy");
            ["1", "10", "100"].map(|label| svg.contains(&format!("end\">{label}</text>")))
        };
        assert_eq!(labels([100.0, 1.0]), [true; 3]);
        assert_eq!(labels([8.0, 2.0]), [false; 3]);
        assert_eq!(labels([100.0, -1.0]), [false, false, true]);
    }

    #[test]
    fn several_layers_have_a_curve_each() {
        let layered =
            |epoch| CurvePoint { layer_spike_rates: vec![0.1, 0.2, 0.3], ..point(epoch, 1.0) };
        let svg = curves(&[layered(1), layered(2)], "", "Accuracy");
        assert!(svg.contains("by layer") && svg.contains(GREEN));
        // Three in place of one, and nothing of a fourth.
        assert_eq!(svg.matches("<circle").count(), 8);
        assert!(!svg.contains(ORANGE) && !svg.contains("missing"));
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let mut points = [1.0, f64::NAN, 3.0, f64::INFINITY, f64::MAX].map(|loss| point(5, loss));
        for (epoch, point) in points.iter_mut().enumerate() {
            point.epoch = epoch;
            point.spike_rate = f64::NAN;
        }
        let svg = curves(&points, "", "Accuracy");
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        assert!(svg.contains("nothing measured"));
        // Of five losses each in training and validation two are finite, 1 and 3.
        assert!(svg.contains("missing: 6"));
    }

    #[test]
    fn one_epoch_and_none() {
        // A single value of each of six curves is a dot.
        assert_eq!(curves(&[point(1, 2.0)], "", "Accuracy").matches("<circle").count(), 6);
        let of_numbers = curves(&[point(1, 2.0)], "", "R²");
        assert!(of_numbers.contains("R²") && !of_numbers.to_lowercase().contains("accuracy"));
        assert_eq!(curves(&[], "", "Accuracy").matches("nothing measured").count(), 4);
    }

    #[test]
    fn without_validation_nothing_is_missing() {
        let mut point = point(1, 2.0);
        (point.valid_loss, point.valid_score) = (f64::NAN, f64::NAN);
        assert!(!curves(&[point], "", "Accuracy").contains("missing"));
    }
}

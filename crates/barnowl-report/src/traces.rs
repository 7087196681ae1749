//! Membrane potential and threshold of chosen neurons over time, a panel each.

use super::axis::{self, Scale};
use super::svg::{Svg, polyline};
use super::text::{Anchor, Style};
use super::{BLUE, FAINT, INK, VERMILLION, extent};

/// One neuron over time.
#[derive(Debug, Clone, PartialEq)]
pub struct NeuronTrace {
    /// Which neuron, and what is known of it.
    pub name: String,
    /// u of every step.
    pub membrane: Vec<f32>,
    /// θ of every step.
    pub threshold: Vec<f32>,
    /// Whether it spiked.
    pub spikes: Vec<bool>,
}

const LEFT: f64 = 72.0;
const WIDTH: f64 = 820.0;
const TOP: f64 = 84.0;
const HEIGHT: f64 = 84.0;
const PITCH: f64 = 128.0;

/// Draws the traces as an SVG document; `sampling_rate` in steps per second makes the axis one of seconds.
#[must_use]
pub fn traces(title: &str, traces: &[NeuronTrace], sampling_rate: Option<f64>) -> String {
    let right = LEFT + WIDTH;
    let bottom = TOP + PITCH * traces.len().max(1) as f64 - (PITCH - HEIGHT);
    let mut svg = Svg::new(right + 28.0, bottom + 52.0, title);
    svg.text((LEFT - 52.0, 30.0), Style::new(16.0).bold(), title);
    legend(&mut svg, right);
    let steps = traces.iter().map(|trace| trace.membrane.len()).max().unwrap_or(0);
    let seconds = sampling_rate.filter(|rate| *rate > 0.0).unwrap_or(1.0);
    let x = Scale::linear((0.0, steps.max(1) as f64 / seconds), (LEFT, right));
    for (i, trace) in traces.iter().enumerate() {
        let top = TOP + PITCH * i as f64;
        svg.text_within((LEFT, top - 16.0), Style::new(12.0).bold(), &trace.name, WIDTH);
        draw(&mut svg, trace, (top, top + HEIGHT), &x, seconds);
    }
    if traces.is_empty() {
        svg.text((LEFT, TOP), Style::new(12.0).fill(FAINT), "no neurons");
    }
    axis::horizontal(&mut svg, &x, bottom);
    let unit = if sampling_rate.is_some() { "seconds" } else { "steps" };
    let style = Style::new(12.0).anchor(Anchor::Middle);
    svg.text((LEFT + WIDTH / 2.0, bottom + 40.0), style, unit);
    svg.finish()
}

fn legend(svg: &mut Svg, right: f64) {
    let mut x = right;
    for (name, colour) in
        [("spike", INK), ("threshold θ", VERMILLION), ("membrane potential u", BLUE)]
    {
        x -= Style::new(12.0).width(name);
        svg.text((x, 30.0), Style::new(12.0), name);
        svg.line((x - 24.0, 26.0), (x - 6.0, 26.0), colour, 2.0);
        x -= 40.0;
    }
}

fn draw(svg: &mut Svg, trace: &NeuronTrace, (top, bottom): (f64, f64), x: &Scale, rate: f64) {
    let numbers = trace.membrane.iter().chain(&trace.threshold).map(|value| f64::from(*value));
    let Some(extent) = extent(numbers) else {
        svg.text((LEFT, top + 20.0), Style::new(axis::LABEL).fill(FAINT), "nothing to draw");
        return;
    };
    let y = Scale::linear(extent, (bottom, top)).padded(0.04);
    axis::vertical(svg, &y, LEFT, LEFT + WIDTH);
    let at = |t: usize| x.at(t as f64 / rate);
    for (values, colour) in [(&trace.membrane, BLUE), (&trace.threshold, VERMILLION)] {
        let point = |(t, value): (usize, &f32)| Some((at(t)?, y.at(f64::from(*value))?));
        let line = polyline(values.iter().enumerate().map(point));
        svg.path(
            &line,
            format_args!("fill=\"none\" stroke=\"{colour}\" stroke-linejoin=\"round\""),
        );
    }
    // One path for all spikes: a busy neuron has hundreds.
    let mut spikes = String::new();
    for (t, _) in trace.spikes.iter().enumerate().filter(|(_, spike)| **spike) {
        if let Some(at) = at(t) {
            spikes += &polyline([Some((at, top - 9.0)), Some((at, top - 2.0))]);
        }
    }
    svg.path(&spikes, format_args!("stroke=\"{INK}\""));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spike_is_drawn_and_no_number_is_missing() {
        let trace = NeuronTrace {
            name: "neuron 3 & 4".into(),
            membrane: vec![0.0, 0.5, f32::NAN, -0.2],
            threshold: vec![0.1; 4],
            spikes: vec![false, true, true, false],
        };
        let text = traces("Traces", &[trace], Some(250.0));
        let spikes = text.lines().find(|line| line.contains(&format!("stroke=\"{INK}\"/>")));
        assert_eq!(spikes.unwrap().matches('M').count(), 2);
        assert!(!text.contains("NaN") && text.contains("seconds") && text.contains("3 &amp; 4"));
        assert!(traces("Traces", &[], None).contains("no neurons"));
    }
}

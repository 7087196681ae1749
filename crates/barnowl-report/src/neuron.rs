//! A neuron model under currents: its states, its spikes, and how often it spikes at which current.

use super::axis::{self, Scale};
use super::svg::{Svg, polyline};
use super::text::{Anchor, Style};
use super::{BLUE, FAINT, GREEN, INK, VERMILLION, extent};

/// A neuron by itself under a course of current, one value a step.
#[derive(Debug, Clone, PartialEq)]
pub struct NeuronRun {
    /// What the current is like.
    pub name: String,
    /// The current.
    pub current: Vec<f64>,
    /// Its states, in the same order in every run.
    pub states: Vec<Vec<f64>>,
    /// Whether it spiked.
    pub spikes: Vec<bool>,
}

/// What is drawn of a neuron model.
#[derive(Debug, Clone, PartialEq)]
pub struct NeuronPlot {
    /// The name of the model.
    pub title: String,
    /// What it is, in a line.
    pub about: String,
    /// Its states: name and meaning.
    pub states: Vec<String>,
    /// Runs, side by side.
    pub runs: Vec<NeuronRun>,
    /// Constant currents, and spikes a step at each.
    pub rates: Vec<(f64, f64)>,
    /// What all of it was drawn with, such as `tau_m = 20 ms`: lines beside the rates.
    pub notes: Vec<String>,
    /// The length of a step in ms.
    pub step: f64,
}

const LEFT: f64 = 72.0;
const WIDTH: f64 = 400.0;
const GAP: f64 = 76.0;
const TOP: f64 = 128.0;
const HEIGHT: f64 = 84.0;
const PITCH: f64 = 124.0;
const RATES: f64 = 160.0;
/// From line to line of the notes.
const LINE: f64 = 17.0;

/// Draws a neuron model as an SVG document: current, spikes and states of every run, then rate over current.
#[must_use]
pub fn neuron(plot: &NeuronPlot) -> String {
    let columns = plot.runs.len().max(1);
    let right = LEFT + WIDTH * columns as f64 + GAP * (columns - 1) as f64;
    let rates = TOP + PITCH * (1 + plot.states.len()) as f64 + 36.0;
    let notes = LINE * plot.notes.len() as f64;
    let mut svg = Svg::new(right + 28.0, rates + RATES.max(notes) + 56.0, &plot.title);
    let (left, width) = (LEFT - 52.0, right - LEFT + 52.0);
    svg.text_within((left, 32.0), Style::new(16.0).bold(), &plot.title, width);
    svg.text_within((left, 53.0), Style::new(12.0).fill(FAINT), &plot.about, width);
    for (column, run) in plot.runs.iter().enumerate() {
        let left = LEFT + (WIDTH + GAP) * column as f64;
        svg.text((left, 92.0), Style::new(13.0).bold(), &run.name);
        let time = Scale::linear((0.0, run.current.len() as f64 * plot.step), (left, left + WIDTH));
        let rows = |of: fn(&NeuronRun, usize) -> Option<&Vec<f64>>, row: usize| {
            extent(plot.runs.iter().filter_map(|run| of(run, row)).flatten().copied())
        };
        let current = Row { title: "I: input current", top: TOP, colour: GREEN };
        draw(
            &mut svg,
            &current,
            (&time, plot.step),
            &run.current,
            rows(|run, _| Some(&run.current), 0),
        );
        spikes(&mut svg, &time, plot.step, run);
        for (number, title) in plot.states.iter().enumerate() {
            let top = TOP + PITCH * (1 + number) as f64;
            let colour = if number % 2 == 0 { BLUE } else { VERMILLION };
            let values = run.states.get(number).map_or(&[][..], Vec::as_slice);
            let extent = rows(|run, number| run.states.get(number), number);
            draw(&mut svg, &Row { title, top, colour }, (&time, plot.step), values, extent);
        }
        let bottom = TOP + PITCH * plot.states.len() as f64 + HEIGHT;
        axis::horizontal(&mut svg, &time, bottom);
        under(&mut svg, left, bottom, "ms");
    }
    draw_rates(&mut svg, plot, rates);
    let left = LEFT + WIDTH + GAP;
    if !plot.notes.is_empty() {
        svg.text((left, rates - 12.0), Style::new(13.0).bold(), "With");
    }
    for (number, note) in plot.notes.iter().enumerate() {
        let at = (left, rates + LINE * (0.6 + number as f64));
        svg.text_within(at, Style::new(12.0), note, WIDTH);
    }
    svg.finish()
}

/// A row of one run.
struct Row<'a> {
    title: &'a str,
    top: f64,
    colour: &'static str,
}

fn draw(
    svg: &mut Svg,
    row: &Row<'_>,
    (time, step): (&Scale, f64),
    values: &[f64],
    extent: Option<(f64, f64)>,
) {
    let Some(left) = time.at(0.0) else { return };
    svg.text_within((left, row.top - 10.0), Style::new(12.0), row.title, WIDTH);
    let Some(extent) = extent else {
        let style = Style::new(axis::LABEL).fill(FAINT);
        svg.text((left, row.top + 20.0), style, "nothing to draw");
        return;
    };
    let y = Scale::linear(extent, (row.top + HEIGHT, row.top)).padded(0.04);
    axis::vertical(svg, &y, left, left + WIDTH);
    let points = values
        .iter()
        .enumerate()
        .map(|(t, value)| Some((time.at(t as f64 * step)?, y.at(*value)?)));
    let colour = row.colour;
    svg.path(
        &polyline(points),
        format_args!(
            "fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.3\" stroke-linejoin=\"round\" stroke-linecap=\"round\""
        ),
    );
}

/// Spikes between the current and the states, one path for all.
fn spikes(svg: &mut Svg, time: &Scale, step: f64, run: &NeuronRun) {
    let middle = TOP + HEIGHT + 10.0;
    let mut marks = String::new();
    for (t, _) in run.spikes.iter().enumerate().filter(|(_, spike)| **spike) {
        if let Some(x) = time.at(t as f64 * step) {
            marks += &polyline([Some((x, middle - 5.0)), Some((x, middle + 5.0))]);
        }
    }
    svg.path(&marks, format_args!("stroke=\"{INK}\""));
    let style = Style::new(axis::LABEL).anchor(Anchor::End).fill(FAINT);
    if let Some(left) = time.at(0.0) {
        svg.text((left - 6.0, middle + 4.0), style, "spikes");
    }
}

/// A text below the middle of an axis.
fn under(svg: &mut Svg, left: f64, bottom: f64, text: &str) {
    let style = Style::new(12.0).anchor(Anchor::Middle);
    svg.text((left + WIDTH / 2.0, bottom + 36.0), style, text);
}

fn draw_rates(svg: &mut Svg, plot: &NeuronPlot, top: f64) {
    let title = "Spikes a second at a constant current";
    svg.text((LEFT, top - 12.0), Style::new(13.0).bold(), title);
    let per_second = |rate: f64| 1000.0 * rate / plot.step;
    let currents = extent(plot.rates.iter().map(|(current, _)| *current));
    let Some((currents, highest)) =
        currents.zip(extent(plot.rates.iter().map(|(_, rate)| per_second(*rate))))
    else {
        let style = Style::new(12.0).fill(FAINT);
        svg.text((LEFT, top + 20.0), style, "it never spikes");
        return;
    };
    let x = Scale::linear(currents, (LEFT, LEFT + WIDTH));
    let y = Scale::linear((0.0, highest.1), (top + RATES, top)).padded(0.04);
    axis::vertical(svg, &y, LEFT, LEFT + WIDTH);
    axis::horizontal(svg, &x, top + RATES);
    under(svg, LEFT, top + RATES, "current");
    let point = |(current, rate): &(f64, f64)| Some((x.at(*current)?, y.at(per_second(*rate))?));
    svg.path(
        &polyline(plot.rates.iter().map(point)),
        format_args!(
            "fill=\"none\" stroke=\"{BLUE}\" stroke-width=\"1.7\" stroke-linejoin=\"round\" stroke-linecap=\"round\""
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot() -> NeuronPlot {
        let run = NeuronRun {
            name: "a step <of> current".into(),
            current: vec![0.0, 1.0, 1.0, 0.0],
            states: vec![vec![0.0, 0.5, f64::NAN, -0.2], vec![0.0; 4]],
            spikes: vec![false, true, true, false],
        };
        NeuronPlot {
            title: "lif".into(),
            about: "leaky".into(),
            notes: vec!["tau = 20 ms".into()],
            states: vec!["u: membrane potential".into(), "w".into()],
            runs: vec![run.clone(), run],
            rates: vec![(0.0, 0.0), (1.0, 0.1), (2.0, 0.2)],
            step: 1.0,
        }
    }

    #[test]
    fn every_run_has_its_current_spikes_and_states() {
        let text = neuron(&plot());
        for (colour, times) in [(GREEN, 2), (VERMILLION, 2), (BLUE, 3)] {
            assert_eq!(text.matches(&format!("stroke=\"{colour}\"")).count(), times, "{colour}");
        }
        let spikes = text.lines().filter(|line| line.contains(&format!("stroke=\"{INK}\"/>")));
        assert_eq!(spikes.map(|line| line.matches('M').count()).collect::<Vec<_>>(), [2, 2]);
        // 0.2 spikes a step of 1 ms.
        assert!(text.contains(">200</text>") && text.contains(">tau = 20 ms</text>"));
        assert!(text.contains("a step &lt;of&gt; current"));
        assert!(!text.contains("NaN"));
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let none = NeuronPlot { runs: Vec::new(), rates: Vec::new(), ..plot() };
        assert!(neuron(&none).contains("it never spikes"));
        let mut lost = plot();
        for run in &mut lost.runs {
            run.states[0] = vec![f64::NAN; 4];
        }
        assert_eq!(neuron(&lost).matches("nothing to draw").count(), 2);
    }
}

//! One sample on its way through a network: input events, hidden spikes, readout, labels.

use std::fmt::Write as _;

use super::axis::{self, Scale};
use super::svg::{Anchor, N, Style, Svg, polyline};
use super::{BLUE, FAINT, GRID, INK, VERMILLION, class_colour, extent};

/// What a raster shows. All arrays are row-major; `T` is the number of steps.
#[derive(Debug, Clone, PartialEq)]
pub struct RasterData {
    /// What is shown, such as `test sample 12`.
    pub title: String,
    /// The number of steps, `T`.
    pub steps: usize,
    /// Steps a second, if the steps stand for real time.
    pub sampling_rate: Option<f64>,
    /// The number of input channels, `C`.
    pub channels: usize,
    /// The input, `[T, C]`: events if all values are −1, 0 or 1, traces otherwise.
    pub input: Vec<f32>,
    /// The hidden layers, from the input on.
    pub layers: Vec<LayerSpikes>,
    /// What the readout traces are, such as `membrane`.
    pub readout_name: String,
    /// A trace for each class, `[T, classes]`.
    pub readout: Vec<f32>,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// The true class of every step, `[T]`, or of the whole sample, `[1]`.
    pub target: Vec<u16>,
    /// The predicted class, likewise.
    pub prediction: Vec<u16>,
}

/// The spikes of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerSpikes {
    /// What the layer is called.
    pub name: String,
    /// The number of neurons, `H`.
    pub neurons: usize,
    /// The spikes, `[T, H]`: a spike where the value is not 0.
    pub spikes: Vec<f32>,
}

const LEFT: f64 = 140.0;
const RIGHT: f64 = 1080.0;
const WIDTH: f64 = 1100.0;
const TOP: f64 = 56.0;
const GAP: f64 = 16.0;
/// More dashes than this in a layer are not drawn: the document would grow beyond what viewers open at ease.
const MOST_DASHES: usize = 220_000;
/// More points than this are not drawn in one trace; there are fewer pixels.
const MOST_POINTS: usize = 3000;

/// Draws one sample on its way through a network as an SVG document.
///
/// From top to bottom: input, the spikes of each hidden layer with a row for each neuron, the readout traces, a ribbon
/// of the true classes and one of the predicted. Of a layer with too many spikes every second, third … neuron is shown,
/// of a very long trace every second, third … step; the picture says which neurons.
///
/// # Panics
///
/// If an array does not have the length its documentation gives.
#[must_use]
pub fn raster(data: &RasterData) -> String {
    check(data);
    let heights: Vec<f64> = data
        .layers
        .iter()
        .map(|layer| rows(layer.neurons, 250.0))
        .collect();
    let legend = legend_rows(&data.classes);
    let height = TOP
        + rows(data.channels, 130.0)
        + heights.iter().map(|height| height + GAP).sum::<f64>()
        + (GAP + READOUT)
        + 2.0 * (RIBBON + 6.0)
        + if data.sampling_rate.is_some() {
            84.0
        } else {
            62.0
        }
        + 20.0 * legend.len() as f64;
    let mut svg = Svg::new(WIDTH, height, &data.title);
    svg.text_within((20.0, 32.0), Style::new(16.0).bold(), &data.title, 560.0);
    let x = Scale::linear((0.0, data.steps.max(1) as f64), (LEFT, RIGHT)).whole();
    let mut y = TOP;
    input(&mut svg, data, &x, y);
    y += rows(data.channels, 130.0) + GAP;
    for (layer, height) in data.layers.iter().zip(heights) {
        hidden(&mut svg, layer, data.steps, [LEFT, y, RIGHT - LEFT, height]);
        y += height + GAP;
    }
    readout(&mut svg, data, &x, y);
    y += READOUT + 12.0;
    for (name, classes) in [("true", &data.target), ("predicted", &data.prediction)] {
        ribbon(&mut svg, name, classes, data.steps, y);
        y += RIBBON + 4.0;
    }
    time_axis(&mut svg, data, &x, y);
    y += if data.sampling_rate.is_some() {
        72.0
    } else {
        50.0
    };
    for row in legend {
        for (class, at, width) in row {
            svg.rect([at, y - 10.0, 12.0, 12.0], &class_colour(class));
            svg.text_within((at + 18.0, y), CLASS, &data.classes[class], width);
        }
        y += 20.0;
    }
    svg.finish()
}

fn check(data: &RasterData) {
    let steps = data.steps;
    assert_eq!(data.input.len(), steps * data.channels, "input [T, C]");
    for layer in &data.layers {
        assert_eq!(
            layer.spikes.len(),
            steps * layer.neurons,
            "spikes [T, H] of {}",
            layer.name
        );
    }
    assert_eq!(
        data.readout.len(),
        steps * data.classes.len(),
        "readout [T, classes]"
    );
    for classes in [&data.target, &data.prediction] {
        assert!([steps, 1].contains(&classes.len()), "classes [T] or [1]");
    }
}

const READOUT: f64 = 120.0;
const RIBBON: f64 = 16.0;

/// The height of a panel with this many rows.
fn rows(rows: usize, most: f64) -> f64 {
    (rows as f64 * 6.0).clamp(44.0, most)
}

/// The name of a panel and a note below it, in the left margin.
fn label(svg: &mut Svg, middle: f64, name: &str, notes: &[String]) {
    let name_style = Style::new(12.0).bold().anchor(Anchor::End);
    let note_style = Style::new(11.0).fill(FAINT).anchor(Anchor::End);
    let mut y = middle + 4.0 - 7.0 * notes.len() as f64;
    svg.text_within((LEFT - 12.0, y), name_style, name, LEFT - 20.0);
    for note in notes {
        y += 14.0;
        svg.text_within((LEFT - 12.0, y), note_style, note, LEFT - 20.0);
    }
}

/// The frame of a panel of rows.
fn frame(svg: &mut Svg, [x, y, width, height]: [f64; 4]) {
    svg.path(
        &format!(
            "M{} {}h{}v{}h{}z",
            N(x),
            N(y),
            N(width),
            N(height),
            N(-width)
        ),
        format_args!("fill=\"none\" stroke=\"{GRID}\""),
    );
}

fn input(svg: &mut Svg, data: &RasterData, x: &Scale, y: f64) {
    let height = rows(data.channels, 130.0);
    let panel = [LEFT, y, RIGHT - LEFT, height];
    let channels = plural(data.channels, "channel");
    frame(svg, panel);
    let row = height / data.channels.max(1) as f64;
    if data
        .input
        .iter()
        .all(|value| [-1.0, 0.0, 1.0].contains(value))
    {
        label(svg, y + height / 2.0, "input events", &[channels]);
        for (sign, colour) in [(1.0, BLUE), (-1.0, VERMILLION)] {
            let event = |step, channel| data.input[step * data.channels + channel] == sign;
            let (dashes, _) = dashes(data.steps, data.channels, event);
            draw_dashes(svg, &dashes, data.steps, data.channels, panel, colour);
        }
        if data.input.contains(&-1.0) {
            sign_legend(svg);
        }
        return;
    }
    label(svg, y + height / 2.0, "input", &[channels]);
    let (low, high) = extent(data.input.iter().map(|&value| value.into())).unwrap_or((0.0, 1.0));
    for channel in 0..data.channels {
        let bottom = y + row * (channel + 1) as f64;
        let scale = Scale::linear((low, high), (bottom - 0.05 * row, bottom - 0.95 * row));
        trace(
            svg,
            &data.input,
            (channel, data.channels),
            (x, &scale),
            BLUE,
        );
    }
}

/// What the two colours of events mean, at the upper right.
fn sign_legend(svg: &mut Svg) {
    let style = Style::new(12.0);
    let mut right = RIGHT;
    for (name, colour) in [("−1", VERMILLION), ("+1", BLUE)] {
        right -= style.width(name);
        svg.text((right, 32.0), style, name);
        svg.rect([right - 10.0, 22.0, 4.0, 12.0], colour);
        right -= 26.0;
    }
    svg.text((right, 32.0), style.anchor(Anchor::End), "input events");
}

fn hidden(svg: &mut Svg, layer: &LayerSpikes, steps: usize, panel: [f64; 4]) {
    frame(svg, panel);
    let spike = |step, neuron| layer.spikes[step * layer.neurons + neuron] != 0.0;
    let (dashes, stride) = dashes(steps, layer.neurons, spike);
    draw_dashes(
        svg,
        &dashes,
        steps,
        layer.neurons.div_ceil(stride),
        panel,
        INK,
    );
    let spikes = layer.spikes.iter().filter(|&&spike| spike != 0.0).count();
    let rate = spikes as f64 / layer.spikes.len().max(1) as f64;
    let mut notes = vec![plural(layer.neurons, "neuron"), format!("rate {rate:.3}")];
    if stride > 1 {
        notes.push(format!("1 of {stride} shown"));
    }
    label(svg, panel[1] + panel[3] / 2.0, &layer.name, &notes);
}

/// The data of a path with a dash for every run of consecutive events, in units of steps and rows, and the least
/// stride of rows that keeps it short enough.
fn dashes(steps: usize, rows: usize, event: impl Fn(usize, usize) -> bool) -> (String, usize) {
    let begins = |step, row| event(step, row) && (step == 0 || !event(step - 1, row));
    let runs: Vec<usize> = (0..rows)
        .map(|row| (0..steps).filter(|&step| begins(step, row)).count())
        .collect();
    let mut stride = 1;
    while stride < rows && runs.iter().step_by(stride).sum::<usize>() > MOST_DASHES {
        stride += 1;
    }
    let mut data = String::new();
    for (line, row) in (0..rows).step_by(stride).enumerate() {
        // Moves are relative to the end of the last dash: short numbers, and many of them.
        let mut end = None;
        let mut step = 0;
        while step < steps {
            let length = (step..steps).take_while(|&step| event(step, row)).count();
            if length > 0 {
                // Writing to a `String` cannot fail.
                let _ = match end {
                    None => write!(data, "M{step} {line}.5h{length}"),
                    Some(end) => write!(data, "m{} 0h{length}", step - end),
                };
                end = Some(step + length);
            }
            step += length.max(1);
        }
    }
    (data, stride)
}

fn draw_dashes(
    svg: &mut Svg,
    dashes: &str,
    steps: usize,
    rows: usize,
    [x, y, width, height]: [f64; 4],
    colour: &str,
) {
    let (across, down) = (width / steps.max(1) as f64, height / rows.max(1) as f64);
    // Rows of a few pixels are kept apart; thinner ones would only fade.
    let thickness = if down > 3.0 { 0.8 } else { 1.0 };
    svg.path(
        dashes,
        format_args!(
            "transform=\"translate({} {}) scale({across:.5} {down:.5})\" fill=\"none\" stroke=\"{colour}\" \
             stroke-width=\"{thickness}\"",
            N(x),
            N(y)
        ),
    );
}

fn readout(svg: &mut Svg, data: &RasterData, x: &Scale, y: f64) {
    let notes = [
        data.readout_name.clone(),
        plural(data.classes.len(), "class"),
    ];
    label(svg, y + READOUT / 2.0, "readout", &notes[..]);
    frame(svg, [LEFT, y, RIGHT - LEFT, READOUT]);
    let Some(span) = extent(data.readout.iter().map(|&value| value.into())) else {
        return;
    };
    let scale = Scale::linear(span, (y + READOUT, y)).padded(0.05);
    for class in 0..data.classes.len() {
        let of = (class, data.classes.len());
        trace(svg, &data.readout, of, (x, &scale), &class_colour(class));
    }
}

/// Draws column `column` of `values`, `[T, columns]`.
fn trace(
    svg: &mut Svg,
    values: &[f32],
    (column, columns): (usize, usize),
    (x, y): (&Scale, &Scale),
    colour: &str,
) {
    let stride = (values.len() / columns).div_ceil(MOST_POINTS).max(1);
    let column = values.iter().skip(column).step_by(columns).enumerate();
    let points = column
        .step_by(stride)
        .map(|(step, &value)| Some((x.at(step as f64 + 0.5)?, y.at(value.into())?)));
    svg.path(
        &polyline(points),
        format_args!(
            "fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.3\" stroke-linejoin=\"round\" stroke-linecap=\"round\""
        ),
    );
}

/// The classes of the steps as runs of colour.
fn ribbon(svg: &mut Svg, name: &str, classes: &[u16], steps: usize, y: f64) {
    label(svg, y + RIBBON / 2.0, name, &[]);
    let whole = [classes.first().copied().unwrap_or(0)];
    let (classes, steps) = match classes.len() {
        1 => (&whole[..], 1),
        _ => (classes, steps),
    };
    let step = (RIGHT - LEFT) / steps.max(1) as f64;
    let mut start = 0;
    for run in classes.chunk_by(|a, b| a == b) {
        let (x, width) = (LEFT + step * start as f64, step * run.len() as f64);
        svg.rect([x, y, width, RIBBON], &class_colour(run[0].into()));
        start += run.len();
    }
}

/// Steps, and seconds below them if known.
fn time_axis(svg: &mut Svg, data: &RasterData, x: &Scale, y: f64) {
    let style = Style::new(12.0).anchor(Anchor::End);
    axis::horizontal(svg, x, y);
    svg.text((LEFT - 12.0, y + 17.0), style, "step");
    if let Some(rate) = data.sampling_rate {
        let seconds = Scale::linear((0.0, data.steps.max(1) as f64 / rate), (LEFT, RIGHT));
        axis::horizontal(svg, &seconds, y + 26.0);
        svg.text((LEFT - 12.0, y + 43.0), style, "time (s)");
    }
}

const CLASS: Style = Style {
    size: 12.0,
    anchor: Anchor::Start,
    bold: false,
    fill: INK,
    rotation: 0.0,
};

/// Where the names of the classes stand: rows of class, left edge and width of the text.
fn legend_rows(classes: &[String]) -> Vec<Vec<(usize, f64, f64)>> {
    let mut rows: Vec<Vec<_>> = vec![Vec::new()];
    let mut x = LEFT;
    for (class, name) in classes.iter().enumerate() {
        let width = CLASS.width(name).min(220.0);
        if x + 18.0 + width > RIGHT && x > LEFT {
            rows.push(Vec::new());
            x = LEFT;
        }
        if let Some(row) = rows.last_mut() {
            row.push((class, x, width));
        }
        x += 18.0 + width + 20.0;
    }
    rows
}

fn plural(count: usize, noun: &str) -> String {
    match (count, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "class") => format!("{count} classes"),
        _ => format!("{count} {noun}s"),
    }
}

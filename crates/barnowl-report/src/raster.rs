//! One sample on its way through a network: input events, hidden spikes, readout, labels.

use super::axis::{self, Scale};
use super::classes::{self, class_colour};
use super::spikes::Spikes;
use super::svg::{Svg, polyline};
use super::text::{Anchor, Style};
use super::{BLUE, FAINT, GRID, INK, VERMILLION, extent, left_out};
use barnowl_base::words::counted;

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
    /// The true class of every step, `[T]`, or of the whole sample, `[1]`; none, as of `prediction`, where answers are numbers.
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
const RIGHT: f64 = 1046.0;
const WIDTH: f64 = 1100.0;
const TOP: f64 = 56.0;
const GAP: f64 = 16.0;
/// More dashes than this are not drawn, hidden layers taken together: viewers open a document of 2 MB at ease.
const MOST_DASHES: usize = 180_000;
/// The same for input events of one sign.
const MOST_EVENTS: usize = 30_000;
/// More points than this are not drawn in one panel of traces.
const MOST_POINTS: usize = 30_000;

/// Draws one sample on its way through a network as an SVG document.
///
/// From top to bottom: input, the spikes of each hidden layer with a row for each neuron, the readout traces, a ribbon
/// of the true classes and one of the predicted. Of a layer with too many spikes every second, third … neuron is shown,
/// and the picture says so; of very long traces every second, third … step.
///
/// # Panics
///
/// If an array does not have the length its documentation gives.
#[must_use]
pub fn raster(data: &RasterData) -> String {
    check(data);
    let heights: Vec<f64> = data.layers.iter().map(|layer| rows(layer.neurons, 250.0)).collect();
    let legend = classes::Legend::new(&data.classes, (LEFT, RIGHT));
    let axes = if data.sampling_rate.is_some() { 70.0 } else { 48.0 };
    let height = TOP
        + rows(data.channels, 160.0)
        + heights.iter().map(|height| height + GAP).sum::<f64>()
        + (GAP + READOUT + 12.0)
        + if data.has_classes() { 2.0 * (RIBBON + 4.0) } else { 0.0 }
        + (axes + legend.height());
    let mut svg = Svg::new(WIDTH, height, &data.title);
    svg.text_within((20.0, 32.0), Style::new(16.0).bold(), &data.title, 760.0);
    let x = Scale::linear((0.0, data.steps.max(1) as f64), (LEFT, RIGHT)).whole();
    let mut y = TOP;
    let most = MOST_DASHES / data.layers.len().max(1);
    input(&mut svg, data, &x, y);
    y += rows(data.channels, 160.0) + GAP;
    for (layer, height) in data.layers.iter().zip(heights) {
        hidden(&mut svg, layer, data.steps, most, [LEFT, y, RIGHT - LEFT, height]);
        y += height + GAP;
    }
    readout(&mut svg, data, &x, y);
    y += READOUT + 12.0;
    let ribbons = [("true", &data.target), ("predicted", &data.prediction)];
    for (name, classes) in ribbons.into_iter().filter(|_| data.has_classes()) {
        label(&mut svg, y + RIBBON / 2.0, name, &[]);
        classes::ribbon(&mut svg, classes, &data.classes, [LEFT, y, RIGHT - LEFT, RIBBON]);
        y += RIBBON + 4.0;
    }
    time_axis(&mut svg, data, &x, y);
    legend.draw(&mut svg, y + axes);
    svg.finish()
}

impl RasterData {
    /// Whether the answers are classes, and no numbers.
    fn has_classes(&self) -> bool {
        !(self.target.is_empty() && self.prediction.is_empty())
    }
}

fn check(data: &RasterData) {
    let steps = data.steps;
    assert_eq!(data.input.len(), steps * data.channels, "input [T, C]");
    for layer in &data.layers {
        assert_eq!(layer.spikes.len(), steps * layer.neurons, "spikes [T, H] of {}", layer.name);
    }
    assert_eq!(data.readout.len(), steps * data.classes.len(), "readout [T, classes]");
    for classes in [&data.target, &data.prediction].into_iter().filter(|_| data.has_classes()) {
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

fn input(svg: &mut Svg, data: &RasterData, x: &Scale, y: f64) {
    let height = rows(data.channels, 160.0);
    let panel = [LEFT, y, RIGHT - LEFT, height];
    let channels = counted(data.channels, "channel");
    svg.frame(panel, GRID);
    let row = height / data.channels.max(1) as f64;
    if data.input.iter().all(|value| [-1.0, 0.0, 1.0].contains(value)) {
        let events = |sign, stride| {
            let event = |step, channel| data.input[step * data.channels + channel] == sign;
            Spikes::new([data.steps, data.channels], stride, MOST_EVENTS, panel[2], event)
        };
        // Both signs show the same channels: those that the denser of them leaves room for.
        let stride = events(1.0, 1).stride.max(events(-1.0, 1).stride);
        for (sign, colour) in [(1.0, BLUE), (-1.0, VERMILLION)] {
            events(sign, stride).draw(svg, panel, colour);
        }
        let notes: Vec<_> = std::iter::once(channels).chain(thinned(stride)).collect();
        label(svg, y + height / 2.0, "input events", &notes);
        if data.input.contains(&-1.0) {
            sign_legend(svg);
        }
        return;
    }
    let notes: Vec<_> = std::iter::once(channels).chain(left_out(&data.input)).collect();
    label(svg, y + height / 2.0, "input", &notes);
    let (low, high) = extent(data.input.iter().map(|&value| value.into())).unwrap_or((0.0, 1.0));
    for channel in 0..data.channels {
        let bottom = y + row * (channel + 1) as f64;
        let scale = Scale::linear((low, high), (bottom - 0.05 * row, bottom - 0.95 * row));
        trace(svg, &data.input, (channel, data.channels), (x, &scale), BLUE);
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

/// Draws the spikes of a layer, with at most `most` dashes.
fn hidden(svg: &mut Svg, layer: &LayerSpikes, steps: usize, most: usize, panel: [f64; 4]) {
    svg.frame(panel, GRID);
    let spike = |step, neuron| layer.spikes[step * layer.neurons + neuron] != 0.0;
    let spikes = Spikes::new([steps, layer.neurons], 1, most, panel[2], spike);
    spikes.draw(svg, panel, INK);
    let rate = format!("rate {:.3}", spikes.rate);
    let mut notes = vec![counted(layer.neurons, "neuron"), rate];
    notes.extend(thinned(spikes.stride));
    label(svg, panel[1] + panel[3] / 2.0, &layer.name, &notes);
}

fn thinned(stride: usize) -> Option<String> {
    (stride > 1).then(|| format!("1 of {stride} shown"))
}

fn readout(svg: &mut Svg, data: &RasterData, x: &Scale, y: f64) {
    let outputs = if data.has_classes() { "class" } else { "number" };
    let mut notes = vec![data.readout_name.clone(), counted(data.classes.len(), outputs)];
    notes.extend(left_out(&data.readout));
    label(svg, y + READOUT / 2.0, "readout", &notes);
    svg.frame([LEFT, y, RIGHT - LEFT, READOUT], GRID);
    let Some(span) = extent(data.readout.iter().map(|&value| value.into())) else {
        return;
    };
    let scale = Scale::linear(span, (y + READOUT, y)).padded(0.05);
    let style = Style::new(axis::LABEL).fill(FAINT);
    for tick in scale.ticks(30.0) {
        if let (Some(y), Some(label)) = (scale.at(tick.value), tick.label) {
            svg.line((LEFT, y), (RIGHT, y), GRID, 1.0);
            svg.text((RIGHT + 6.0, y + 4.0), style, &label);
        }
    }
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
    let stride = values.len().div_ceil(MOST_POINTS).max(1);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// `layers` layers of 512 neurons that spike as `spike` says.
    fn data(steps: usize, layers: usize, spike: fn(usize) -> bool) -> RasterData {
        let layer = LayerSpikes {
            name: "hidden & deep".into(),
            neurons: 512,
            spikes: (0..512 * steps).map(|i| f32::from(u8::from(spike(i / 512)))).collect(),
        };
        RasterData {
            title: "sample".into(),
            steps,
            sampling_rate: Some(250.0),
            channels: 2,
            input: vec![0.0; 2 * steps],
            layers: vec![layer; layers],
            readout_name: "membrane".into(),
            readout: vec![0.5; 2 * steps],
            classes: vec!["P".into(), "a class of a name as long as can be".repeat(9)],
            target: vec![0; steps],
            prediction: vec![1],
        }
    }

    #[test]
    fn the_largest_rasters_stay_below_two_megabytes() {
        // Alternating spikes take the most dashes.
        for layers in [1, 3] {
            let svg = raster(&data(1301, layers, |step| step % 2 == 0));
            assert!(svg.len() < 2_000_000, "{} bytes", svg.len());
            assert!(svg.contains("shown") && svg.contains("rate 0.500"));
        }
        // A quarter of the steps: every neuron is shown, each layer in one path.
        let svg = raster(&data(1301, 1, |step| step % 4 == 0));
        assert!(svg.len() < 2_000_000 && !svg.contains("shown"));
        assert_eq!(svg.matches("scale(").count(), 1);
    }

    #[test]
    fn silence_is_drawn() {
        let svg = raster(&data(20, 1, |_| false));
        assert!(svg.contains("rate 0.000") && !svg.contains("scale(") && !svg.contains("NaN"));
        assert!(svg.contains("hidden &amp; deep"));
    }

    /// Two layers and a readout, without a step: all their frames and names, and no coordinate that is no number.
    #[test]
    fn nothing_is_drawn() {
        let svg =
            raster(&RasterData { target: vec![], prediction: vec![], ..data(0, 2, |_| true) });
        assert!(!svg.contains("predicted") && svg.contains("2 numbers"), "of numbers: {svg}");
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"), "{svg}");
        assert_eq!(svg.matches("hidden &amp; deep").count(), 2);
        for text in ["NaN", "inf", "scale("] {
            assert!(!svg.contains(text), "{text} is in {svg}");
        }
    }

    #[test]
    fn input_is_events_or_traces() {
        let with =
            |input: [f32; 4]| raster(&RasterData { input: input.into(), ..data(2, 0, |_| false) });
        let events = with([1.0, 0.0, -1.0, 0.0]);
        assert!(events.contains("input events") && events.contains(">−1</text>"));
        assert!(!with([1.0, 0.0, 1.0, 0.0]).contains(">−1</text>"));
        let traces = with([0.5, f32::NAN, f32::INFINITY, 0.0]);
        assert!(
            traces.contains(">input</text>")
                && !traces.contains("NaN")
                && !traces.contains("inf\"")
        );
        assert!(traces.contains(">2 not finite</text>"));
    }

    #[test]
    fn both_signs_show_the_same_channels() {
        // +1 at every second step of the first 400 channels, −1 once in the last.
        let (steps, channels) = (200, 401);
        let mut input = vec![0.0; steps * channels];
        for row in input.chunks_exact_mut(channels).step_by(2) {
            row[..400].fill(1.0);
        }
        input[400] = -1.0;
        let svg = raster(&RasterData { channels, input, ..data(steps, 0, |_| false) });
        // 40,000 events are more than 30,000: every second channel is shown, channel 400 in row 200.
        assert!(svg.contains("1 of 2 shown") && svg.contains("\"M0 200.5h1\""));
    }

    #[test]
    #[should_panic(expected = "readout [T, classes]")]
    fn wrong_shapes_panic() {
        let _ = raster(&RasterData { readout: vec![0.0], ..data(2, 0, |_| false) });
    }
}

//! What a network gets: a few sequences of each class, as traces or as events.

use super::axis::{self, Scale};
use super::classes::{self, class_colour};
use super::spikes::Spikes;
use super::svg::{Svg, polyline};
use super::text::{Anchor, Style};
use super::{BLUE, FAINT, GRID, VERMILLION, extent};
use barnowl_base::words::counted;

/// Sequences to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct SequencesData {
    /// What is shown.
    pub title: String,
    /// Steps a second, if the steps stand for real time.
    pub sampling_rate: Option<f64>,
    /// The names of the channels.
    pub channels: Vec<String>,
    /// Whether the values are events of −1 and 1, and not real numbers.
    pub events: bool,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// A row of sequences for each class that is drawn.
    pub rows: Vec<(String, Vec<SequenceData>)>,
}

/// One sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceData {
    /// What it is called.
    pub name: String,
    /// The values, `[T, C]`.
    pub values: Vec<f32>,
    /// The class of every step, `[T]`; empty where there is one a sequence.
    pub labels: Vec<u16>,
}

const LEFT: f64 = 84.0;
const WIDTH: f64 = 270.0;
const HEIGHT: f64 = 96.0;
const GAP: f64 = 18.0;
const TOP: f64 = 92.0;
const RIBBON: f64 = 8.0;
/// The space of a row beside its panels: the name of the class, and those of the sequences.
const HEAD: f64 = 42.0;
/// More channels of real values are not told apart in one panel.
const MOST_TRACES: usize = 8;
/// More dashes of events than this are not drawn in one panel.
const MOST_DASHES: usize = 12_000;

/// Draws sequences as an SVG document, a row a class; all panels have the same axes.
#[must_use]
pub fn sequences(data: &SequencesData) -> String {
    let count = data.channels.len().max(1);
    let columns = data.rows.iter().map(|(_, row)| row.len()).max().unwrap_or(0).max(2);
    let panels = || data.rows.iter().flat_map(|(_, row)| row);
    let right = LEFT + columns as f64 * (WIDTH + GAP) - GAP;
    let labelled = panels().any(|panel| !panel.labels.is_empty());
    let pitch = HEAD + HEIGHT + if labelled { RIBBON + 4.0 } else { 0.0 };
    let shown: Vec<usize> = match data.events || count <= MOST_TRACES {
        true => (0..count).collect(),
        false => (0..MOST_TRACES).map(|n| n * (count - 1) / (MOST_TRACES - 1)).collect(),
    };
    let names: Vec<String> = shown.iter().filter_map(|c| data.channels.get(*c)).cloned().collect();
    let traces = classes::Legend::new(&names, (LEFT, right));
    let labels = classes::Legend::new(&data.classes, (LEFT, right));
    // The legend of events is one line.
    let above = if data.events { 0.0 } else { (traces.height() - 20.0).max(0.0) };
    let bottom = TOP + above + pitch * data.rows.len() as f64;
    let below = if labelled { labels.height() + 12.0 } else { 0.0 };
    let mut svg = Svg::new(right + 28.0, bottom + 64.0 + below, &data.title);
    svg.text_within((20.0, 30.0), Style::new(16.0).bold(), &data.title, right - 20.0);
    if data.events {
        legend_of_signs(&mut svg, panels().any(|panel| panel.values.contains(&-1.0)), count);
    } else {
        let note = match shown.len() < count {
            true => format!("{} of {}", shown.len(), counted(count, "channel")),
            false => String::new(),
        };
        svg.text((right, 30.0), Style::new(12.0).anchor(Anchor::End).fill(FAINT), &note);
        traces.draw(&mut svg, 58.0);
    }
    let steps = panels().map(|panel| panel.values.len() / count).max().unwrap_or(1).max(1);
    let rate = data.sampling_rate.filter(|rate| *rate > 0.0);
    let y_extent = match data.events {
        true => Some((0.0, count as f64)),
        false => extent(panels().flat_map(|panel| {
            let of = |row: &[f32]| shown.iter().map(|c| f64::from(row[*c])).collect::<Vec<_>>();
            panel.values.chunks_exact(count).flat_map(of).collect::<Vec<_>>()
        })),
    };
    let mut top = TOP + above;
    for (class, row) in &data.rows {
        svg.text_within((20.0, top + 14.0), Style::new(13.0).bold(), class, right - 40.0);
        for (column, panel) in row.iter().enumerate() {
            let left = LEFT + column as f64 * (WIDTH + GAP);
            let place = [left, top + HEAD - 8.0, WIDTH, HEIGHT];
            let style = Style::new(11.0).fill(FAINT);
            svg.text_within((left, top + HEAD - 13.0), style, &panel.name, WIDTH);
            frame(&mut svg, place, y_extent, data.events, column == 0);
            let width = WIDTH * (panel.values.len() / count) as f64 / steps as f64;
            let inside = [left, place[1], width, HEIGHT];
            match y_extent {
                Some(_) if data.events => draw_events(&mut svg, panel, count, inside),
                Some(extent) => draw_traces(&mut svg, panel, (&shown, count), extent, inside),
                None => svg.text((left + 8.0, place[1] + 20.0), style, "nothing to draw"),
            }
            let ribbon = [left, place[1] + HEIGHT + 2.0, width, RIBBON];
            classes::ribbon(&mut svg, &panel.labels, &[], ribbon);
        }
        top += pitch;
    }
    for column in 0..columns {
        let left = LEFT + column as f64 * (WIDTH + GAP);
        let most = steps as f64 / rate.unwrap_or(1.0);
        axis::horizontal(&mut svg, &Scale::linear((0.0, most), (left, left + WIDTH)), top + 4.0);
        let style = Style::new(12.0).anchor(Anchor::Middle);
        let unit = if rate.is_some() { "seconds" } else { "steps" };
        svg.text((left + WIDTH / 2.0, top + 40.0), style, unit);
    }
    if labelled {
        labels.draw(&mut svg, top + 64.0);
    }
    svg.finish()
}

fn legend_of_signs(svg: &mut Svg, signed: bool, channels: usize) {
    let style = Style::new(12.0);
    svg.text((LEFT, 58.0), style, &format!("events of {}", counted(channels, "channel")));
    if signed {
        let left = LEFT + 220.0;
        for (place, (name, colour)) in [("1", BLUE), ("−1", VERMILLION)].into_iter().enumerate() {
            let x = left + 60.0 * place as f64;
            svg.rect([x, 48.0, 12.0, 12.0], colour);
            svg.text((x + 18.0, 58.0), style, name);
        }
    }
}

/// The ground of a panel, with the numbers of its vertical axis if it is the first of its row.
fn frame(
    svg: &mut Svg,
    [left, top, width, height]: [f64; 4],
    extent: Option<(f64, f64)>,
    events: bool,
    first: bool,
) {
    svg.frame([left, top, width, height], GRID);
    let Some(extent) = extent.filter(|_| first) else { return };
    if events {
        let style = Style::new(axis::LABEL).anchor(Anchor::End).fill(FAINT);
        svg.text((left - 6.0, top + 10.0), style, "channel 0");
        svg.text((left - 6.0, top + height), style, &format!("{}", extent.1 - 1.0));
        return;
    }
    let scale = Scale::linear(extent, (top + height, top)).padded(0.04);
    axis::vertical(svg, &scale, left, left + width);
}

fn draw_events(svg: &mut Svg, panel: &SequenceData, channels: usize, place: [f64; 4]) {
    let steps = panel.values.len() / channels;
    for (sign, colour) in [(1.0, BLUE), (-1.0, VERMILLION)] {
        let is = |step: usize, row: usize| panel.values[step * channels + row] == sign;
        Spikes::new([steps, channels], 1, MOST_DASHES, place[2], is).draw(svg, place, colour);
    }
}

fn draw_traces(
    svg: &mut Svg,
    panel: &SequenceData,
    (shown, channels): (&[usize], usize),
    extent: (f64, f64),
    [left, top, width, height]: [f64; 4],
) {
    let steps = panel.values.len() / channels;
    let y = Scale::linear(extent, (top + height, top)).padded(0.04);
    let x = Scale::linear((0.0, steps.max(1) as f64), (left, left + width));
    for (colour, channel) in shown.iter().enumerate() {
        let values: Vec<f32> =
            panel.values.iter().skip(*channel).step_by(channels).copied().collect();
        let points = outline(&values, 2 * width.max(1.0) as usize);
        let line = polyline(
            points
                .into_iter()
                .map(|(step, value)| Some((x.at(step as f64 + 0.5)?, y.at(f64::from(value))?))),
        );
        let colour = class_colour(colour);
        svg.path(
            &line,
            format_args!(
                "fill=\"none\" stroke=\"{colour}\" stroke-linejoin=\"round\" stroke-linecap=\"round\""
            ),
        );
    }
}

/// Values with their steps; of more than `most` the smallest and the largest of every piece, so that no peak is lost.
fn outline(values: &[f32], most: usize) -> Vec<(usize, f32)> {
    let piece = (2 * values.len()).div_ceil(most.max(2)).max(1);
    if values.len() <= most {
        return values.iter().copied().enumerate().collect();
    }
    let mut points = Vec::new();
    for (n, values) in values.chunks(piece).enumerate() {
        let by = |a: &(usize, f32), b: &(usize, f32)| a.1.total_cmp(&b.1);
        let of = || values.iter().copied().enumerate().map(|(i, x)| (n * piece + i, x));
        let (Some(least), Some(largest)) = (of().min_by(by), of().max_by(by)) else { continue };
        points.extend(if least.0 <= largest.0 { [least, largest] } else { [largest, least] });
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(events: bool, values: &[f32], labels: Vec<u16>) -> SequencesData {
        let panel = SequenceData { name: "a/1.csv".into(), values: values.to_vec(), labels };
        SequencesData {
            title: "Gestures & more".into(),
            sampling_rate: Some(50.0),
            channels: vec!["x".into(), "y".into()],
            events,
            classes: vec!["rest".into(), "move".into()],
            rows: vec![("rest".into(), vec![panel.clone(), panel])],
        }
    }

    #[test]
    fn traces_events_and_labels_are_drawn() {
        let traces = sequences(&data(false, &[0.0, 1.0, 0.5, 2.0, 1.5, -1.0], vec![0, 1, 1]));
        for part in ["Gestures &amp; more", "seconds", "a/1.csv", ">x</text>", ">move</text>"] {
            assert!(traces.contains(part), "{part}: {traces}");
        }
        let lines = |svg: &str, colour: &str| {
            svg.matches(&format!("fill=\"none\" stroke=\"{colour}\"")).count()
        };
        assert_eq!([lines(&traces, BLUE), lines(&traces, VERMILLION)], [2, 2], "a line a channel");
        let events = sequences(&data(true, &[0.0, 1.0, -1.0, 0.0], Vec::new()));
        assert_eq!([lines(&events, BLUE), lines(&events, VERMILLION)], [2, 2], "a path a sign");
        assert!(events.contains("channel 0") && !events.contains("NaN"));
        let none = SequencesData { rows: Vec::new(), ..data(false, &[], Vec::new()) };
        assert!(sequences(&none).contains("</svg>"));
    }

    #[test]
    fn long_traces_keep_their_peaks() {
        let mut values = vec![0.0; 10_000];
        (values[1234], values[7001]) = (5.0, -3.0);
        let points = outline(&values, 500);
        assert!(
            points.len() <= 502 && points.contains(&(1234, 5.0)) && points.contains(&(7001, -3.0))
        );
        assert!(points.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        assert_eq!(outline(&values[..3], 500).len(), 3);
    }
}

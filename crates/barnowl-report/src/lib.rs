//! Pictures of a run, as SVG: learning curves, one sample from input to answer, confusion, time constants; of variants
//! side by side; of how long a step takes; and of a neuron model under currents.
//!
//! Every function takes plain numbers and gives the text of a stand-alone SVG document: a light background of its own,
//! the system's sans-serif font, the colour-blind-safe palette of Okabe & Ito (2008). Writing files is for the caller.

mod axis;
mod classes;
mod comparison;
mod confusion;
mod curves;
mod histogram;
mod neuron;
mod pixels;
mod raster;
mod scaling;
mod sequences;
mod spikes;
mod svg;
pub mod tensorboard;
mod text;
mod time_constants;
mod traces;
mod values;

pub use comparison::{Comparison, ComparisonRow, comparison};
pub use confusion::confusion;
pub use curves::{CurvePoint, curves};
pub use histogram::{Histogram, histograms};
pub use neuron::{NeuronPlot, NeuronRun, neuron};
pub use pixels::{Bitmap, raster_pixels};
pub use raster::{LayerSpikes, RasterData, raster};
pub use scaling::{ScalingPanel, ScalingPlot, ScalingPoint, scaling};
pub use sequences::{SequenceData, SequencesData, sequences};
pub use time_constants::{TimeConstantHistogram, time_constants};
pub use traces::{NeuronTrace, traces};
pub use values::{ValuePairs, ValuesData, values};

/// Text and the lines of axes.
const INK: &str = "#222222";
/// What may stand back: tick labels, notes.
const FAINT: &str = "#5c5c5c";
/// Grid lines.
const GRID: &str = "#e6e6e6";

const BLUE: &str = "#0072b2";
const VERMILLION: &str = "#d55e00";
const GREEN: &str = "#009e73";
const ORANGE: &str = "#e69f00";

fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Black or white, whichever has the greater contrast by the rule of WCAG 2.
fn readable_ink(ground: [u8; 3]) -> &'static str {
    let luminance = luminance(ground);
    if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) { "#000000" } else { "#ffffff" }
}

/// The relative luminance of WCAG 2.
fn luminance(colour: [u8; 3]) -> f64 {
    let [r, g, b] = colour.map(|channel| {
        let channel = f64::from(channel) / 255.0;
        if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// The smallest and the largest of the values that can be drawn; `None` if there are none.
fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values
        .into_iter()
        .filter(|&value| drawable(value))
        .map(|value| (value, value))
        .reduce(|(low, high), (value, _)| (low.min(value), high.max(value)))
}

/// Whether a value can stand in a plot: differences of such values are finite too.
fn drawable(value: f64) -> bool {
    value.abs() < 1e300
}

/// A note on how many values cannot be drawn, if any.
fn left_out(values: &[f32]) -> Option<String> {
    let count = values.iter().filter(|value| !value.is_finite()).count();
    (count > 0).then(|| format!("{count} not finite"))
}

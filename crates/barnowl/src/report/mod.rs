//! Pictures of a run, as SVG: learning curves, one sample from input to answer, confusion, time constants.
//!
//! Every function takes plain numbers and gives the text of a stand-alone SVG document: a light background of its own,
//! the system's sans-serif font, the colour-blind-safe palette of Okabe & Ito (2008). Writing files is for the caller.

mod axis;
mod confusion;
mod curves;
mod raster;
mod svg;
mod time_constants;

pub use confusion::confusion;
pub use curves::{CurvePoint, curves};
pub use raster::{LayerSpikes, RasterData, raster};
pub use time_constants::{TimeConstantHistogram, time_constants};

/// Text and the lines of axes.
const INK: &str = "#222222";
/// What may stand back: tick labels, notes.
const FAINT: &str = "#5c5c5c";
/// Grid lines.
const GRID: &str = "#e6e6e6";

const BLUE: &str = "#0072b2";
const VERMILLION: &str = "#d55e00";

/// Okabe & Ito's palette, those colours first that are best told apart on white.
const PALETTE: [[u8; 3]; 8] = [
    [0x00, 0x72, 0xb2],
    [0xd5, 0x5e, 0x00],
    [0x00, 0x9e, 0x73],
    [0xe6, 0x9f, 0x00],
    [0x56, 0xb4, 0xe9],
    [0xcc, 0x79, 0xa7],
    [0xf0, 0xe4, 0x42],
    [0x55, 0x55, 0x55],
];

/// The colour of a class. Beyond eight classes the palette comes again, lighter, then darker, and so on.
fn class_colour(class: usize) -> String {
    let [r, g, b] = PALETTE[class % PALETTE.len()];
    let shade = |channel: u8| match class / PALETTE.len() % 3 {
        0 => channel,
        1 => channel / 2 + 127,
        _ => channel / 5 * 3,
    };
    format!("#{:02x}{:02x}{:02x}", shade(r), shade(g), shade(b))
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

//! A confusion matrix as a heat map.

use super::axis::{self, Scale};
use super::svg::Svg;
use super::text::{Anchor, Style};
use super::{FAINT, INK, hex, readable_ink};
use barnowl_data::metric::ConfusionMatrix;

/// The widest class name, in pixels.
const NAME: f64 = 150.0;
const TITLE: f64 = 64.0;
/// The smallest cell that holds a count.
const COUNTED: f64 = 44.0;

/// Draws a confusion matrix as an SVG document: a row for each true class, coloured by the share of its answers, with
/// the percentage and the count written in the cells as far as there is room. Both show when the pointer rests on one.
///
/// A class without a name in `names` goes by its number.
#[must_use]
pub fn confusion(matrix: &ConfusionMatrix, names: &[String]) -> String {
    let classes = matrix.classes();
    let numbered = |class: usize| names.get(class).cloned().unwrap_or_else(|| class.to_string());
    let names: Vec<String> = (0..classes).map(numbered).collect();
    let cell = (640.0 / classes.max(1) as f64).clamp(17.0, 76.0);
    let side = cell * classes as f64;
    let style = Style::new((cell * 0.5).clamp(9.0, 13.0));
    let widest = names.iter().map(|name| style.width(name)).fold(0.0, f64::max).min(NAME);
    let counted = Style::new(11.0).fill(FAINT);
    let supports: Vec<u64> = (0..classes)
        .map(|row| (0..classes).map(|column| matrix.count(row, column)).sum())
        .collect();
    let widest_support = supports
        .iter()
        .map(|support| counted.width(&support.to_string()))
        .fold(counted.width("n"), f64::max);
    // Names of columns lie flat where they fit and stand upright otherwise.
    let upright = widest > cell - 4.0;
    let top = TITLE + 30.0 + if upright { widest + 8.0 } else { 20.0 };
    let left = 50.0 + widest;
    let bar = left + side + widest_support + 34.0;
    let note = Style::new(12.0).fill(FAINT);
    let summary = summary(matrix, cell >= COUNTED);
    let width = (bar + 74.0).max(note.width(&summary) + 40.0);
    let height = top + side.max(120.0) + 24.0;

    let mut svg = Svg::new(width, height, "Confusion matrix");
    svg.text((20.0, 32.0), Style::new(16.0).bold(), "Confusion matrix");
    svg.text((20.0, 52.0), note, &summary);
    let middle = Style::new(12.0).anchor(Anchor::Middle);
    svg.text((left + side / 2.0, TITLE + 16.0), middle, "predicted class");
    svg.text((20.0, top + side / 2.0), middle.rotated(-90.0), "true class");
    svg.text((left + side + 10.0, top - 8.0), counted, "n");
    for (class, name) in names.iter().enumerate() {
        let centre = (class as f64 + 0.5) * cell;
        let baseline = 0.36 * style.size;
        if upright {
            let at = (left + centre + baseline, top - 8.0);
            svg.text_within(at, style.rotated(-90.0), name, widest);
        } else {
            svg.text((left + centre, top - 8.0), style.anchor(Anchor::Middle), name);
        }
        let at = (left - 8.0, top + centre + baseline);
        svg.text_within(at, style.anchor(Anchor::End), name, widest);
        let at = (left + side + 10.0, top + centre + 4.0);
        svg.text(at, counted, &supports[class].to_string());
    }
    for row in 0..classes {
        for column in 0..classes {
            let corner = (left + column as f64 * cell, top + row as f64 * cell);
            let count = matrix.count(row, column);
            let share = (supports[row] > 0).then(|| count as f64 / supports[row] as f64);
            let about = match share {
                Some(share) => format!(
                    "{} called {}: {count} ({:.2} %)",
                    names[row],
                    names[column],
                    100.0 * share
                ),
                None => format!("{} does not occur", names[row]),
            };
            svg.group(&about, |svg| draw_cell(svg, corner, cell, share, count));
        }
    }
    colour_bar(&mut svg, (bar, top), side.clamp(120.0, 240.0));
    svg.finish()
}

/// `counted`: whether there is room for counts in the cells.
fn summary(matrix: &ConfusionMatrix, counted: bool) -> String {
    match matrix.accuracy() {
        Some(accuracy) => format!(
            "accuracy {:.2} % of {} answers; cells: % of the row{}",
            100.0 * accuracy,
            matrix.total(),
            if counted { ", count" } else { "" }
        ),
        None => "no answers".to_owned(),
    }
}

fn draw_cell(svg: &mut Svg, (x, y): (f64, f64), cell: f64, share: Option<f64>, count: u64) {
    let colour = share.map_or([0xf2; 3], shade);
    // The gap keeps neighbours of like colour apart.
    svg.rect([x + 0.5, y + 0.5, cell - 1.0, cell - 1.0], &hex(colour));
    let Some(share) = share else { return };
    let ink = readable_ink(colour);
    let (x, y) = (x + cell / 2.0, y + cell / 2.0);
    let style = Style::new((cell * 0.3).clamp(8.5, 14.0)).anchor(Anchor::Middle).fill(ink);
    let percent = 100.0 * share;
    let long = if cell >= 40.0 { format!("{percent:.1}") } else { format!("{percent:.0}") };
    // Where only whole per cent fit, a zero would say no more than the colour.
    if cell < 40.0 && long == "0" {
        return;
    }
    let small = Style { size: 10.0, ..style };
    let count = count.to_string();
    if cell >= COUNTED && small.width(&count) < cell - 4.0 {
        svg.text((x, y), style, &long);
        svg.text((x, y + 15.0), small, &count);
    } else if style.width(&long) < cell {
        svg.text((x, y + 0.36 * style.size), style, &long);
    }
}

/// From white through Okabe & Ito's blue to nearly black; the small shares are spread, for there the errors are.
fn shade(share: f64) -> [u8; 3] {
    const STOPS: [[f64; 3]; 3] = [[247.0, 250.0, 253.0], [0.0, 114.0, 178.0], [4.0, 36.0, 72.0]];
    let position = 2.0 * share.clamp(0.0, 1.0).powf(0.7);
    let stop = usize::from(position >= 1.0);
    let part = position - stop as f64;
    std::array::from_fn(|channel| {
        let (from, to) = (STOPS[stop][channel], STOPS[stop + 1][channel]);
        (from + part * (to - from)).round() as u8
    })
}

fn colour_bar(svg: &mut Svg, (x, top): (f64, f64), height: f64) {
    const STRIPS: usize = 60;
    let strip = height / STRIPS as f64;
    for i in 0..STRIPS {
        let y = i as f64 * strip;
        let colour = shade(1.0 - (i as f64 + 0.5) / STRIPS as f64);
        // Every strip reaches to the bottom, under those that follow: no seams.
        svg.rect([x, top + y, 14.0, height - y], &hex(colour));
    }
    let scale = Scale::linear((0.0, 100.0), (top + height, top));
    for percent in [0.0, 50.0, 100.0] {
        if let Some(y) = scale.at(percent) {
            svg.line((x + 14.0, y), (x + 18.0, y), INK, 1.0);
            svg.text(
                (x + 22.0, y + 4.0),
                Style::new(axis::LABEL).fill(FAINT),
                &format!("{percent} %"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::luminance;

    #[test]
    fn cells_hold_percentages_and_counts() {
        let mut matrix = ConfusionMatrix::new(3);
        for (target, predicted) in [(0, 0), (0, 0), (0, 1), (1, 1)] {
            matrix.add(target, predicted);
        }
        let svg = confusion(&matrix, &["P <wave>".into(), "QR".into()]);
        assert!(svg.contains("P &lt;wave&gt; called QR: 1 (33.33 %)"));
        assert!(svg.contains(">66.7</text>") && svg.contains("75.00 % of 4 answers"));
        // The third class has no name and no samples.
        assert!(svg.contains("2 does not occur") && !svg.contains("NaN"));
    }

    #[test]
    fn empty_matrices_are_drawn() {
        for classes in [0, 1, 35] {
            assert!(confusion(&ConfusionMatrix::new(classes), &[]).contains("no answers"));
        }
    }

    #[test]
    fn text_is_readable_on_every_shade_and_darker_means_more() {
        let mut last = f64::INFINITY;
        for percent in 0..=100 {
            let colour = shade(f64::from(percent) / 100.0);
            let ground = luminance(colour);
            let contrast = match readable_ink(colour) {
                "#000000" => (ground + 0.05) / 0.05,
                _ => 1.05 / (ground + 0.05),
            };
            assert!(contrast >= 4.5, "{percent} %: {contrast}");
            assert!(ground < last, "{percent} %");
            last = ground;
        }
    }
}

//! The colours of classes, and what is drawn of classes alone.

use super::svg::Svg;
use super::text::{Anchor, Style};
use super::{hex, readable_ink};
use barnowl_data::dataset::UNLABELLED;

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

/// Beyond eight classes the palette comes again, lighter, then darker, and so on.
pub(super) fn rgb(class: usize) -> [u8; 3] {
    PALETTE[class % PALETTE.len()].map(|channel| match class / PALETTE.len() % 3 {
        0 => channel,
        1 => channel / 2 + 127,
        _ => channel / 5 * 3,
    })
}

/// The colour of a class.
pub(super) fn class_colour(class: usize) -> String {
    hex(rgb(class))
}

/// Draws the classes of equally long steps as runs of colour, with the name of the class where there is room.
pub(super) fn ribbon(
    svg: &mut Svg,
    classes: &[u16],
    names: &[String],
    [left, y, width, height]: [f64; 4],
) {
    let step = width / classes.len().max(1) as f64;
    let mut start = 0;
    for run in classes.chunk_by(|a, b| a == b) {
        let (x, width) = (left + step * start as f64, step * run.len() as f64);
        // Steps without a label are left blank.
        if run[0] == UNLABELLED {
            start += run.len();
            continue;
        }
        let class = usize::from(run[0]);
        svg.rect([x, y, width, height], &class_colour(class));
        let style = Style::new(11.0).anchor(Anchor::Middle).fill(readable_ink(rgb(class)));
        if let Some(name) = names.get(class)
            && style.width(name) + 8.0 < width
        {
            svg.text((x + width / 2.0, y + height / 2.0 + 4.0), style, name);
        }
        start += run.len();
    }
}

/// The names of the classes beside their colours, in as many rows as that takes.
pub(super) struct Legend<'a> {
    style: Style,
    rows: Vec<Vec<Entry<'a>>>,
}

struct Entry<'a> {
    class: usize,
    name: &'a str,
    left: f64,
    width: f64,
}

impl<'a> Legend<'a> {
    const ROW: f64 = 20.0;

    /// A legend between two pixels, left and right.
    pub fn new(names: &'a [String], (from, to): (f64, f64)) -> Self {
        let style = Style::new(12.0);
        let mut rows = vec![Vec::new()];
        let mut left = from;
        for (class, name) in names.iter().enumerate() {
            let width = style.width(name).min(220.0);
            if left + 18.0 + width > to && left > from {
                rows.push(Vec::new());
                left = from;
            }
            if let Some(row) = rows.last_mut() {
                row.push(Entry { class, name, left, width });
            }
            left += 18.0 + width + 20.0;
        }
        Self { style, rows }
    }

    pub fn height(&self) -> f64 {
        Self::ROW * self.rows.len() as f64
    }

    /// Draws the legend; `y` is the first baseline.
    pub fn draw(&self, svg: &mut Svg, mut y: f64) {
        for row in &self.rows {
            for entry in row {
                svg.rect([entry.left, y - 10.0, 12.0, 12.0], &class_colour(entry.class));
                svg.text_within((entry.left + 18.0, y), self.style, entry.name, entry.width);
            }
            y += Self::ROW;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_told_apart() {
        let colours: std::collections::BTreeSet<_> = (0..24).map(class_colour).collect();
        assert_eq!(colours.len(), 24);
    }

    #[test]
    fn legends_wrap_and_stay_inside() {
        let names: Vec<String> = (0..30).map(|i| "name ".repeat(i)).collect();
        let legend = Legend::new(&names, (10.0, 500.0));
        assert!(legend.rows.len() > 1);
        for row in &legend.rows {
            assert!(row.iter().all(|entry| entry.left + 18.0 + entry.width <= 500.0));
            assert!(row.is_sorted_by(|a, b| a.left + 18.0 + a.width < b.left));
        }
        assert_eq!(
            legend.rows.iter().flatten().map(|entry| entry.class).collect::<Vec<_>>(),
            (0..30).collect::<Vec<_>>()
        );
    }

    #[test]
    fn ribbons_join_equal_steps_and_name_the_wide_ones() {
        let mut svg = Svg::new(200.0, 20.0, "");
        let names = ["P".to_owned(), "a long name".to_owned()];
        ribbon(&mut svg, &[0, 0, 1, 7, UNLABELLED], &names, [0.0, 0.0, 250.0, 16.0]);
        let svg = svg.finish();
        // The background and three runs; the second is too narrow for its name, the third has none.
        assert_eq!(svg.matches("<rect").count(), 4);
        assert!(
            svg.contains("width=\"100\"") && svg.contains(">P</text>") && !svg.contains("long")
        );
    }
}

//! Many spikes in few bytes: one path a layer, with a dash for every run of consecutive spikes.

use std::fmt::Write as _;

use super::svg::{N, Svg};

/// The pixels that a spike takes across, at least.
const LEAST: f64 = 0.8;
/// What is drawn larger than it is takes no more than this share of a panel.
const SHARE: f64 = 0.2;

/// Spikes of rows of neurons, drawn from a test of step and row.
pub(super) struct Spikes {
    /// The path, in units of steps and shown rows.
    data: String,
    steps: usize,
    rows: usize,
    /// Every how manieth row is shown.
    pub stride: usize,
    /// Spikes per row and step, of all rows.
    pub rate: f64,
}

impl Spikes {
    /// The path of the spikes of `[steps, rows]` in every `stride`-th row, or in fewer rows if there are more than `most` runs. In a
    /// panel of so small a `width` that a step would not be seen, a run covers as many as are.
    pub fn new(
        [steps, rows]: [usize; 2],
        mut stride: usize,
        most: usize,
        width: f64,
        spike: impl Fn(usize, usize) -> bool + Copy,
    ) -> Self {
        let spikes = |row| (0..steps).filter(move |step| spike(*step, row));
        let count: usize = (0..rows).map(|row| spikes(row).count()).sum();
        let rate = count as f64 / (steps * rows).max(1) as f64;
        // Where there are many, they are seen together, and are to be told from a line.
        let least = (LEAST * steps as f64 / width.max(1.0)).min(SHARE / rate.max(1e-9));
        let runs: Vec<Vec<(usize, usize)>> =
            (0..rows).map(|row| runs(steps, least.ceil() as usize, spikes(row))).collect();
        while stride < rows && runs.iter().step_by(stride).map(Vec::len).sum::<usize>() > most {
            stride += 1;
        }
        let mut data = String::new();
        for (line, runs) in runs.iter().step_by(stride).enumerate() {
            // Moves are relative to the end of the last dash: short numbers, and many of them.
            let mut end = None;
            for &(start, length) in runs {
                // Writing to a `String` cannot fail.
                let _ = match end {
                    None => write!(data, "M{start} {line}.5h{length}"),
                    Some(end) => write!(data, "m{} 0h{length}", start - end),
                };
                end = Some(start + length);
            }
        }
        Self { data, steps, rows: rows.div_ceil(stride), stride, rate }
    }

    /// Draws the spikes into a panel of left, upper edge, width and height.
    pub fn draw(&self, svg: &mut Svg, [x, y, width, height]: [f64; 4], colour: &str) {
        let (across, down) = (width / self.steps.max(1) as f64, height / self.rows.max(1) as f64);
        // Rows of several pixels are kept apart. Rows thinner than a pixel, where they are sparse, may overlap, for a
        // spike would hardly be seen.
        let visible = (1.2 / down).min(SHARE / self.rate.max(1e-9));
        let thickness = visible.max(if down > 3.0 { 0.8 } else { 1.0 });
        svg.path(
            &self.data,
            format_args!(
                "transform=\"translate({} {}) scale({across:.5} {down:.5})\" fill=\"none\" \
                 stroke=\"{colour}\" stroke-width=\"{}\"",
                N(x),
                N(y),
                N(thickness)
            ),
        );
    }
}

/// Start and length of every run of consecutive steps with a spike, each of at least so many of all `steps`; what overlaps then is
/// one.
fn runs(steps: usize, least: usize, spikes: impl Iterator<Item = usize>) -> Vec<(usize, usize)> {
    let least = least.clamp(1, steps.max(1));
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for step in spikes {
        let first = step.min(steps - least);
        match runs.last_mut() {
            Some((start, length)) if *start + *length >= first => {
                *length = (*length).max(first + least - *start);
            }
            _ => runs.push((first, least)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The spikes that a path shows.
    fn read(data: &str) -> Vec<(usize, usize)> {
        let mut spikes = Vec::new();
        let (mut x, mut y) = (0, 0);
        let number = |text: &str| text.parse::<usize>().unwrap();
        for dash in data.replace('m', " m").replace('M', " M").split(" M").flat_map(|row| {
            row.split(" m")
                .enumerate()
                .map(|(i, dash)| (i == 0, dash.to_owned()))
                .collect::<Vec<_>>()
        }) {
            let (first, dash) = dash;
            let Some((to, length)) = dash.trim().split_once('h') else {
                continue;
            };
            let (across, row) = to.split_once(' ').unwrap();
            if first {
                (x, y) = (number(across), number(row.strip_suffix(".5").unwrap()));
            } else {
                x += number(across);
            }
            spikes.extend((x..x + number(length)).map(|step| (step, y)));
            x += number(length);
        }
        spikes
    }

    proptest! {
        #[test]
        fn the_path_holds_exactly_the_spikes(
            rows in 0_usize..6,
            spikes in proptest::collection::vec(any::<bool>(), 0..200),
        ) {
            let steps = spikes.len() / rows.max(1);
            let all = Spikes::new([steps, rows], 1, usize::MAX, 1e3, |step, row| spikes[step * rows + row]);
            let expected: Vec<_> = (0..rows)
                .flat_map(|row| (0..steps).map(move |step| (step, row)))
                .filter(|&(step, row)| spikes[step * rows + row])
                .collect();
            prop_assert_eq!(read(&all.data), expected);
        }
    }

    #[test]
    fn what_is_too_much_is_thinned_out() {
        // 50 runs in each of 10 rows.
        let alternating =
            |most| Spikes::new([100, 10], 1, most, 1e3, |step, row| (step + row) % 2 == 0);
        let (all, some) = (alternating(500), alternating(499));
        assert_eq!((all.stride, some.stride, some.rows), (1, 2, 5));
        assert_eq!((all.rate, some.rate), (0.5, 0.5));
        assert_eq!(some.data.matches('h').count(), 250);
    }

    #[test]
    fn a_spike_of_a_long_time_is_seen() {
        // A step is a thousandth of a pixel.
        let at = [0, 500, 99_999];
        let spikes = Spikes::new([100_000, 1], 1, 9, 100.0, |step, _| at.contains(&step));
        assert_eq!(spikes.data, "M0 0.5h1300m97900 0h800");
        assert_eq!(spikes.rate, 3e-5);
    }

    #[test]
    fn no_spikes_draw_nothing() {
        let none = Spikes::new([10, 3], 1, 5, 1e3, |_, _| false);
        assert_eq!((none.data.as_str(), none.rate), ("", 0.0));
        assert_eq!(Spikes::new([0, 0], 1, 5, 1e3, |_, _| true).rate, 0.0);
    }
}

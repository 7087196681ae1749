//! A sequence in a few lines of a terminal: a curve a channel, or dots where events are.

use barnowl::words::counted;

/// Characters of a line.
const WIDTH: usize = 64;
/// Channels that are sketched.
const MOST: usize = 4;
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The bits of a Braille character's two columns of four dots, downwards.
const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// The values `[T, C]` of the channels `names`.
pub fn sequence(values: &[f32], names: &[String], events: bool) -> String {
    let channels = names.len().max(1);
    if events {
        return raster(values, channels);
    }
    let width = names.iter().take(MOST).map(|name| name.chars().count()).max().unwrap_or(0);
    let line = |(channel, name): (usize, &String)| {
        let values: Vec<f32> = values.iter().skip(channel).step_by(channels).copied().collect();
        format!("  {name:>width$} {}\n", curve(&values))
    };
    let mut text: String = names.iter().enumerate().take(MOST).map(line).collect();
    if names.len() > MOST {
        text.push_str(&format!("  and {}\n", counted(names.len() - MOST, "more channel")));
    }
    text
}

/// The means of pieces of equal length, from the smallest to the largest in eight levels.
fn curve(values: &[f32]) -> String {
    let pieces = WIDTH.min(values.len());
    let mean = |piece: usize| {
        let values = &values[piece * values.len() / pieces..(piece + 1) * values.len() / pieces];
        values.iter().map(|x| f64::from(*x)).sum::<f64>() / values.len() as f64
    };
    let means: Vec<f64> = (0..pieces).map(mean).collect();
    let least = means.iter().copied().fold(f64::INFINITY, f64::min);
    let span = means.iter().copied().fold(f64::NEG_INFINITY, f64::max) - least;
    let level = |mean: f64| match span > 0.0 {
        true => ((mean - least) / span * 7.0).round() as usize,
        false => 3,
    };
    means.into_iter().map(|mean| LEVELS[level(mean).min(7)]).collect()
}

/// A dot for every group of steps and channels in which an event is; channel 0 is above.
fn raster(values: &[f32], channels: usize) -> String {
    let steps = values.len() / channels;
    let (across, down) = (steps.clamp(1, 2 * WIDTH), channels.min(16));
    let mut cells = vec![vec![0_u32; across.div_ceil(2)]; down.div_ceil(4)];
    for (step, row) in values.chunks_exact(channels).enumerate() {
        for channel in (0..channels).filter(|channel| row[*channel] != 0.0) {
            let (x, y) = (step * across / steps, channel * down / channels);
            cells[y / 4][x / 2] |= DOTS[x % 2][y % 4];
        }
    }
    let dots = |cell: &u32| char::from_u32(0x2800 + cell).unwrap_or(' ');
    cells.iter().map(|row| format!("  {}\n", row.iter().map(dots).collect::<String>())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_and_dots() {
        let names = ["x", "long"].map(str::to_owned);
        let text = sequence(&[0.0, 5.0, 1.0, 5.0, 7.0, 5.0], &names, false);
        assert_eq!(text, "     x ▁▂█\n  long ▄▄▄\n");
        let long: Vec<f32> = (0..1000).map(|x| x as f32).collect();
        assert_eq!(curve(&long).chars().count(), WIDTH);
        assert_eq!(raster(&[1.0, 0.0, 0.0, -1.0], 2), "  ⠑\n");
        assert_eq!(raster(&vec![0.0; 700 * 300], 700).lines().count(), 4);
    }
}

//! Lists of events: a time and a channel a line.

use super::Sequences;
use super::csv::Table;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How events are put into steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binning {
    /// The number of channels.
    pub channels: usize,
    /// The length of a step, in the unit of the column `time`.
    pub step: f64,
}

/// A sequence of more values, 800 MB of them, is taken for a mistake in a time.
const MOST_VALUES: f64 = 2e8;

pub(super) fn read(folder: &Path, names: &[String], binning: Binning) -> Result<Sequences> {
    let Binning { channels, step } = binning;
    let most_steps = (MOST_VALUES / channels as f64).floor();
    if channels == 0 || most_steps < 1.0 || !(step > 0.0 && step.is_finite()) {
        return Err(Error::setting("dataset.form.events", binning)
            .expected("1 to 200000000 channels, and a positive step"));
    }
    let mut sequences = Sequences { channels, ..Sequences::default() };
    for (path, class) in super::files(folder, names, "csv")? {
        let class = class.ok_or_else(|| {
            Error::format("there is no label")
                .in_file(&path)
                .expected("a file in the folder of its class, such as train/left/1.csv")
        })?;
        let table = Table::read(&path)?;
        let column = |name: &str| table.names.iter().position(|found| found == name);
        let (Some(time), Some(channel)) = (column("time"), column("channel")) else {
            return Err(Error::format(format!("the columns are {}", table.names.join(", ")))
                .in_file(&path)
                .at_line(1)
                .expected("time, channel and, if there are signs, polarity"));
        };
        let polarity = column("polarity");
        let mut values: Vec<f32> = Vec::new();
        for (line, row) in &table.rows {
            let bad = |problem: String, expected: String| {
                Error::format(problem).in_file(&path).at_line(*line).expected(expected)
            };
            let at = f64::from(table.number(&path, *line, time, &row[time])?) / step;
            if !(0.0..most_steps).contains(&at) {
                return Err(bad(
                    format!("time is {}", row[time]),
                    format!("0 to {}", step * most_steps),
                ));
            }
            let to = table.number(&path, *line, channel, &row[channel])?;
            if !(0.0..channels as f32).contains(&to) || to.fract() != 0.0 {
                return Err(bad(format!("channel is {to}"), format!("0 to {}", channels - 1)));
            }
            let sign = match polarity.map(|polarity| row[polarity].as_str()) {
                None | Some("1" | "+1") => 1.0,
                Some("0" | "-1") => -1.0,
                Some(other) => {
                    return Err(bad(format!("polarity is {other:?}"), "1, or 0 or -1".into()));
                }
            };
            let row = at as usize * channels;
            if values.len() < row + channels {
                values.resize(row + channels, 0.0);
            }
            values[row + to as usize] = sign;
        }
        sequences.values.push(values);
        sequences.classes.push(vec![class]);
        sequences.places.push(path);
    }
    sequences.count = names.len();
    Ok(sequences)
}

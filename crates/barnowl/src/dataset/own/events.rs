//! Lists of events: a time and a channel a line.

use super::super::{Dataset, Events, Inputs, Split, Targets};
use super::MOST_VALUES;
use super::table::Table;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;

/// How events are put into steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Binning {
    /// The number of channels.
    /// Range: 1 to 32768.
    pub channels: usize,
    /// The length of a step, in the unit of the column `time`.
    /// Range: more than 0.
    pub step: f64,
}

/// A sequence of more steps times channels is taken for a mistake in a time.
const MOST_OF_ONE: f64 = 2e8;

/// Reads the lists of one part: `steps` is the length of sequences, by default that of the longest training sequence.
pub(super) fn load(
    folder: &Path,
    split: Split,
    binning: Binning,
    steps: Option<usize>,
    names: Vec<String>,
) -> Result<Dataset> {
    let Binning { channels, step } = binning;
    let possible = (1..=Events::MOST_CHANNELS).contains(&channels);
    if !(possible && step > 0.0 && step.is_finite()) {
        return Err(Error::setting("dataset.form.events", binning)
            .expected(format!("1 to {} channels, and a positive step", Events::MOST_CHANNELS)));
    }
    let part = folder.join(split.name());
    let (sequences, classes) = read(&part, &names, binning)?;
    let longest = |sequences: &[Events]| sequences.iter().map(Events::rows).max().unwrap_or(0);
    let steps = match (steps, split) {
        (Some(steps), _) => steps,
        (None, Split::Train) => longest(&sequences),
        (None, _) => longest(&read(&folder.join(Split::Train.name()), &names, binning)?.0),
    };
    let samples = sequences.len();
    if samples.checked_mul(steps).is_none_or(|rows| rows > MOST_VALUES) {
        let sequences = format!("{samples} sequences of {steps} steps");
        return Err(super::too_many(&part, sequences, "steps"));
    }
    let in_part = |error: Error| error.in_file(&part);
    let mut events = Events::new(channels)?;
    for sequence in &sequences {
        for step in 0..steps {
            let row = if step < sequence.rows() { sequence.row(step) } else { &[] };
            events.push_row(row).map_err(in_part)?;
        }
    }
    let count =
        |order: Ordering| sequences.iter().filter(|s| s.rows().cmp(&steps) == order).count();
    let noted = [count(Ordering::Greater), count(Ordering::Less)];
    let origin = super::origin(folder, split.name(), [samples, steps], noted);
    let (inputs, targets) = (Inputs::Events(events), Targets::PerSequence(classes));
    Dataset::new([samples, steps, channels], names, inputs, targets, origin).map_err(in_part)
}

/// The sequences of a part, each of its own length, and their classes.
fn read(part: &Path, names: &[String], binning: Binning) -> Result<(Vec<Events>, Vec<u16>)> {
    let (mut sequences, mut classes) = (Vec::new(), Vec::new());
    for (path, class) in super::files(part, names, "csv")? {
        classes.push(class.ok_or_else(|| {
            Error::format("there is no label")
                .in_file(&path)
                .expected("a file in the folder of its class, such as train/left/1.csv")
        })?);
        sequences.push(sequence(&path, binning)?);
    }
    if sequences.is_empty() {
        return Err(super::no_sequences(part));
    }
    Ok((sequences, classes))
}

/// The events of a file, up to the step of its last one.
fn sequence(path: &Path, Binning { channels, step }: Binning) -> Result<Events> {
    let most_steps = (MOST_OF_ONE / channels as f64).floor();
    let table = Table::read(path)?;
    let column = |name: &str| table.names.iter().position(|found| found == name);
    let (Some(time), Some(channel)) = (column("time"), column("channel")) else {
        return Err(Error::format(format!("the columns are {}", table.names.join(", ")))
            .in_file(path)
            .at_line(1)
            .expected("time, channel and, if there are signs, polarity"));
    };
    let polarity = column("polarity");
    // By step and channel: the last event of a channel in a step says the sign.
    let mut found = BTreeMap::new();
    for (line, row) in &table.rows {
        let bad = |problem: String, expected: String| {
            Error::format(problem).in_file(path).at_line(*line).expected(expected)
        };
        let at = f64::from(table.number(path, *line, time, &row[time])?) / step;
        if !(0.0..most_steps).contains(&at) {
            return Err(bad(
                format!("time is {}", row[time]),
                format!("0 to {}", step * most_steps),
            ));
        }
        let to = table.number(path, *line, channel, &row[channel])?;
        if !(0.0..channels as f32).contains(&to) || to.fract() != 0.0 {
            return Err(bad(format!("channel is {to}"), format!("0 to {}", channels - 1)));
        }
        let sign = match polarity.map(|polarity| row[polarity].as_str()) {
            None | Some("1" | "+1") => 0,
            Some("0" | "-1") => Events::NEGATIVE,
            Some(other) => {
                return Err(bad(format!("polarity is {other:?}"), "1, or 0 or -1".into()));
            }
        };
        found.insert((at as usize, to as u16), sign);
    }
    let mut events = Events::new(channels)?;
    let mut row: Vec<u16> = Vec::new();
    for ((step, channel), sign) in found {
        while events.rows() < step {
            events.push_row(&row)?;
            row.clear();
        }
        row.push(channel | sign);
    }
    events.push_row(&row)?;
    Ok(events)
}

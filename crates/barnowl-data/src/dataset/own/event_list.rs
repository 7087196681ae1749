//! One list of events: its columns, and what happened when.

use super::binning::Binning;
use super::common::LAYOUTS;
use super::instant::{Instant, step_of};
use super::span::{self, Span};
use super::table::Table;
use super::unit::TimeUnit;
use barnowl_base::error::{Error, Result};
use barnowl_base::nearest::nearest;
use std::path::{Path, PathBuf};

/// The events of a recording.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) path: PathBuf,
    pub(super) class: u16,
    /// Step, channel, and a sign of −1 or 1, in the order of their times.
    pub(super) events: Vec<(u32, u16, i8)>,
    /// When they were; none without events.
    pub(super) span: Option<Span>,
    /// How many are later than the last step that is wanted, and not among the events.
    pub(super) late: usize,
    /// Whether there is a column of polarities; without one, every event is 1.
    pub(super) polarity: bool,
    /// Columns that say nothing here.
    pub(super) unused: Vec<String>,
}

impl Recording {
    /// Steps up to that of the last event that is kept.
    pub(super) fn rows(&self) -> usize {
        self.events.last().map_or(0, |(step, ..)| *step as usize + 1)
    }

    /// Steps of the recording, if so many are wanted.
    pub(super) fn length(&self, steps: usize) -> usize {
        if self.late > 0 { steps } else { self.rows().clamp(1, steps) }
    }
}

/// A recording of more steps is refused, unless it is known where to cut it.
const MOST_STEPS: f64 = 1e6;

/// More steps times channels of one sequence are taken for a mistake in a time.
const MOST_OF_ONE: f64 = 2e8;

/// The events of a file within the first `steps`, if these are known.
pub(super) fn sequence(
    path: PathBuf,
    class: u16,
    binning: Binning,
    steps: Option<usize>,
) -> Result<Recording> {
    let table = Table::read(&path)?;
    let columns = Columns::of(&table, &path)?;
    let mut events = (0..table.rows.len())
        .map(|place| Event::read(&table, &columns, place, binning.channels))
        .collect::<Result<Vec<Event>>>()
        .map_err(|error| error.in_file(&path))?;
    // Of two at once, the later line.
    events.sort_by(|a, b| a.time.order(&b.time));
    let (unused, polarity) = (columns.unused(&table), columns.polarity.is_some());
    let (Some(first), Some(last)) = (events.first(), events.last()) else {
        let events = Vec::new();
        return Ok(Recording { path, class, events, span: None, late: 0, polarity, unused });
    };
    let start = (!binning.counts_from_zero()).then_some(first.time);
    let time = |event: &Event| match start {
        Some(start) => event.time.since(start),
        None => event.time.value(),
    };
    let span = Span { events: events.len(), first: time(first), last: time(last) };
    let length = binning.step_in_times();
    let most = steps
        .map_or(MOST_STEPS.min((MOST_OF_ONE / binning.channels as f64).floor()), |steps| {
            steps as f64
        });
    let refused = |event: &Event, expected: String| {
        Error::format(format!("time is {}", table.rows[event.row].1[columns.time]))
            .in_file(&path)
            .at_line(table.rows[event.row].0)
            .expected(expected)
            .remedy(span::remedy(span, binning))
    };
    if step_of(span.first, length) < 0.0 {
        return Err(refused(first, "0 or more, from the start of the recording".into()));
    }
    let mut kept = Vec::with_capacity(events.len());
    for event in &events {
        let step = step_of(time(event), length);
        if step < most {
            kept.push((step as u32, event.channel, event.sign));
        } else if steps.is_none() {
            let expected = format!("less than {}, which is {most} steps", most * length);
            return Err(refused(event, expected));
        }
    }
    let late = events.len() - kept.len();
    Ok(Recording { class, events: kept, span: Some(span), late, polarity, unused, path })
}

/// A line of a list.
struct Event {
    time: Instant,
    channel: u16,
    sign: i8,
    /// Its place in the table.
    row: usize,
}

/// Where in a row the facts of an event are.
struct Columns {
    time: usize,
    channel: usize,
    polarity: Option<usize>,
}

const TIME: [&str; 3] = ["time", "t", "timestamp"];
const CHANNEL: [&str; 2] = ["channel", "ch"];
const POLARITY: [&str; 3] = ["polarity", "p", "on"];

impl Columns {
    fn of(table: &Table, path: &Path) -> Result<Self> {
        let names: Vec<String> = table.names.iter().map(|name| name.to_lowercase()).collect();
        let error = |problem: String, expected: &str| {
            Error::format(problem).in_file(path).at_line(1).expected(expected)
        };
        let column = |wanted: &[&str]| {
            let mut found = (0..names.len()).filter(|at| wanted.contains(&names[*at].as_str()));
            let first = found.next();
            match found.next() {
                Some(second) => Err(error(
                    format!(
                        "there are the columns {} and {}",
                        table.names[first.unwrap_or(0)],
                        table.names[second]
                    ),
                    &format!("only one of {}", wanted.join(", ")),
                )),
                None => Ok(first),
            }
        };
        let (time, channel, polarity) = (column(&TIME)?, column(&CHANNEL)?, column(&POLARITY)?);
        let (Some(time), Some(channel)) = (time, channel) else {
            let missing = error(
                format!("the columns are {}", table.names.join(", ")),
                "time, channel and, if there are signs, polarity",
            );
            let hint = hint(&names, time.is_none(), channel.is_none());
            return Err(missing.remedy(hint.unwrap_or_else(|| LAYOUTS.to_owned())));
        };
        if polarity.is_none()
            && let Some(close) = names.iter().find(|name| nearest(name, ["polarity"]).is_some())
        {
            return Err(error(format!("there is a column {close}"), "polarity, if that is meant"));
        }
        Ok(Self { time, channel, polarity })
    }

    fn unused(&self, table: &Table) -> Vec<String> {
        let used = |at: usize| [self.time, self.channel].contains(&at) || self.polarity == Some(at);
        (0..table.names.len()).filter(|at| !used(*at)).map(|at| table.names[at].clone()).collect()
    }
}

impl Event {
    /// The event in a row of the table.
    fn read(table: &Table, columns: &Columns, place: usize, channels: usize) -> Result<Self> {
        let (line, row) = &table.rows[place];
        let bad = |problem: String, expected: &str| {
            Error::format(problem).at_line(*line).expected(expected)
        };
        let text = |at: usize| row.get(at).map_or("", String::as_str);
        let time = Instant::parse(text(columns.time))
            .ok_or_else(|| bad(format!("time is {:?}", text(columns.time)), "a number"))?;
        let given = text(columns.channel);
        let number: f64 = given
            .parse()
            .map_err(|_| bad(format!("channel is {given:?}"), "a whole number from 0"))?;
        if !(0.0..channels as f64).contains(&number) || number.fract() != 0.0 {
            let error = bad(format!("channel is {given}"), &format!("0 to {}", channels - 1));
            return Err(match number == channels as f64 {
                true => error.remedy(format!(
                    "channels are numbered from 0; if {given} is one of yours, set channels = {}",
                    channels + 1
                )),
                false => error,
            });
        }
        let polarity = columns.polarity.map(text);
        let sign = match polarity.map(str::to_lowercase).as_deref() {
            None | Some("1" | "+1" | "1.0" | "true" | "on") => 1,
            Some("0" | "-1" | "0.0" | "-1.0" | "false" | "off") => -1,
            Some(_) => {
                return Err(bad(
                    format!("polarity is {:?}", polarity.unwrap_or_default()),
                    "1, or 0 or -1",
                ));
            }
        };
        Ok(Self { time, channel: number as u16, sign, row: place })
    }
}

/// What to do about columns that are missing, where others look like them.
fn hint(names: &[String], no_time: bool, no_channel: bool) -> Option<String> {
    let unit = || names.iter().find_map(|name| Some((name, TimeUnit::of_heading(name)?)));
    if let Some((name, unit)) = unit().filter(|_| no_time) {
        return Some(format!(
            "call the column {name} time, and set unit = \"{}\" beside a step in seconds",
            unit.name()
        ));
    }
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if no_channel && has("x") && has("y") {
        return Some(
            "number the pixels of a camera: a column channel = x + width · y, with channels = width · height".into(),
        );
    }
    let missing: Vec<String> = [(no_time, "time"), (no_channel, "channel")]
        .into_iter()
        .filter(|(missing, _)| *missing)
        .map(|(_, name)| name.to_owned())
        .collect();
    names.iter().find_map(|name| {
        nearest(name, missing.iter().map(String::as_str))
            .map(|meant| format!("is the column {name} meant to be {meant}?"))
    })
}

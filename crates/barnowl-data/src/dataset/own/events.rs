//! Lists of events: a time and a channel a line.

use super::binning::{Binning, Several};
use super::common::{MOST_VALUES, no_file, no_sequences, origin, too_many};
use super::event_list::{Recording, sequence};
use super::layout;
use super::span::{self, Span};
use crate::dataset::{Dataset, Events, Inputs, Known, Split, Targets, UNLABELLED};
use barnowl_base::error::{Error, Result};
use barnowl_base::words::{agreeing, counted};
use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};
use std::path::{Path, PathBuf};

/// Recordings with an event in fewer steps than one in so many are taken for times in another unit.
const STEPS_PER_EVENT: usize = 1000;

/// So many events of one file, all in its first step, are taken for times in another unit.
const MANY_OF_ONE_STEP: usize = 10;

/// Counts up to here are whole numbers as 32-bit floats.
const MOST_COUNTED: i64 = 1 << 24;

/// Reads the lists of one part: `steps` is the length of sequences, where it is known, by default that of the longest training
/// sequence.
pub(super) fn load(
    folder: &Path,
    split: Split,
    binning: Binning,
    steps: Option<usize>,
    names: Vec<String>,
    known: Known<'_>,
) -> Result<Dataset> {
    binning.validate()?;
    let part = folder.join(split.name());
    let steps = match (steps, split) {
        (None, Split::Valid | Split::Test) => {
            Some(longest(&read(&folder.join(Split::Train.name()), &names, binning, None)?))
        }
        (steps, _) => steps,
    };
    let recordings = read(&part, &names, binning, steps)?;
    let polarity = polarity(&recordings, known)?;
    check_times(&recordings, &part, binning, steps)?;
    let steps = steps.unwrap_or_else(|| longest(&recordings));
    let data = dataset(&recordings, (folder, split.name()), binning, steps, names)?;
    Ok(data.with_polarity(polarity))
}

/// Reads lists whose classes are not known.
pub(super) fn of_files(
    paths: &[PathBuf],
    binning: Binning,
    steps: Option<usize>,
    known: Known<'_>,
) -> Result<Dataset> {
    binning.validate()?;
    let read = |path: &PathBuf| sequence(path.clone(), UNLABELLED, binning, steps);
    let recordings = paths.iter().map(read).collect::<Result<Vec<_>>>()?;
    if paths.is_empty() {
        return Err(no_file());
    }
    polarity(&recordings, known)?;
    // One file may be longer than any that was learned from, or short: only what cannot be meant is refused.
    let is_doubtful = |recording: &&Recording| {
        let events = recording.events.len() + recording.late;
        let of_one_step = recording.rows() <= 1 && events >= MANY_OF_ONE_STEP;
        10 * recording.late > 9 * events || of_one_step
    };
    for recording in recordings.iter().filter(is_doubtful) {
        check_times(std::slice::from_ref(recording), &recording.path, binning, steps)?;
    }
    let steps = steps.unwrap_or_else(|| longest(&recordings));
    dataset(&recordings, (Path::new(""), ""), binning, steps, known.classes.to_vec())
}

/// The recordings of a part. Events after so many steps are only counted.
fn read(
    part: &Path,
    names: &[String],
    binning: Binning,
    steps: Option<usize>,
) -> Result<Vec<Recording>> {
    let mut recordings = Vec::new();
    for (path, class) in layout::files(part, names, "csv")? {
        let class = class.ok_or_else(|| {
            Error::format("there is no label")
                .in_file(&path)
                .expected("a file in the folder of its class, such as train/left/1.csv")
        })?;
        recordings.push(sequence(path, class, binning, steps)?);
    }
    if recordings.is_empty() {
        return Err(no_sequences(part));
    }
    Ok(recordings)
}

/// Whether the events have a polarity; none if there are no events.
///
/// # Errors
///
/// If some have one and others have none, or it is not as in the training data: all events of a file without are 1.
fn polarity(recordings: &[Recording], known: Known<'_>) -> Result<Option<bool>> {
    let mut with_events = recordings.iter().filter(|recording| recording.span.is_some());
    let Some(first) = with_events.clone().next() else { return Ok(None) };
    let wanted = known.polarity.unwrap_or(first.polarity);
    let Some(other) = with_events.find(|recording| recording.polarity != wanted) else {
        return Ok(Some(wanted));
    };
    let others = match known.polarity {
        Some(_) => "the training data".to_owned(),
        None => first.path.display().to_string(),
    };
    let error = match wanted {
        true => Error::format("there is no column polarity")
            .expected(format!("one, as in {others}: without it, every event counts as 1"))
            .remedy("add the column; if signs mean nothing, take it out of all files, and train again"),
        false => Error::format("there is a column polarity")
            .expected(format!("none, as in {others}, where every event counts as 1"))
            .remedy("take the column out of this file; if signs mean something, add one to all files, and train again"),
    };
    Err(error.in_file(&other.path).at_line(1))
}

/// The steps of the longest recording; 1 if nothing happens in any.
fn longest(recordings: &[Recording]) -> usize {
    recordings.iter().map(Recording::rows).max().unwrap_or(0).max(1)
}

/// Refuses times that make sequences of mostly nothing, that leave out most events, or that tell no steps apart.
fn check_times(
    recordings: &[Recording],
    part: &Path,
    binning: Binning,
    steps: Option<usize>,
) -> Result<()> {
    let spans = || recordings.iter().filter_map(|recording| recording.span);
    let lasts = |span: &Span| span.last - span.first;
    let longest = || spans().max_by(|a, b| a.last.total_cmp(&b.last));
    let events: usize = spans().map(|span| span.events).sum();
    let Some(span) = longest() else {
        return match steps {
            Some(_) => Ok(()),
            None => Err(Error::format("no recording has an event")
                .in_file(part)
                .expected("events in some, or dataset.steps for the length of silence")),
        };
    };
    let late: usize = recordings.iter().map(|recording| recording.late).sum();
    if let Some(steps) = steps.filter(|_| late > events / 2) {
        return Err(Error::format(format!(
            "{late} of {} are after the last step",
            counted(events, "event")
        ))
        .in_file(part)
        .expected(format!("most of them within {} of {}", counted(steps, "step"), binning.step))
        .remedy(span::remedy(span, binning)));
    }
    let rows: usize = recordings.iter().map(Recording::rows).sum();
    if steps.is_none() && events.saturating_mul(STEPS_PER_EVENT) < rows {
        return Err(Error::format(format!(
            "there {} {} in {}",
            agreeing(events, "is", "are"),
            counted(events, "event"),
            counted(rows, "step")
        ))
        .in_file(part)
        .expected(format!("one in {STEPS_PER_EVENT} steps, at least"))
        .remedy(span::remedy(span, binning)));
    }
    let widest = spans().max_by(|a, b| lasts(a).total_cmp(&lasts(b))).unwrap_or(span);
    let one_step = recordings.iter().all(|recording| recording.rows() <= 1 && recording.late == 0);
    if steps != Some(1) && one_step && lasts(&widest) > 0.0 {
        return Err(Error::format("all events are in the first step")
            .in_file(part)
            .expected(format!("times of many steps of {}", binning.step))
            .remedy(span::remedy_of_one_step(widest, binning)));
    }
    Ok(())
}

/// Recordings of a part of a folder as sequences of so many steps. Each ends with its last event; those without any are silent
/// all the time.
fn dataset(
    recordings: &[Recording],
    (folder, part): (&Path, &str),
    binning: Binning,
    steps: usize,
    names: Vec<String>,
) -> Result<Dataset> {
    let Binning { channels, several, .. } = binning;
    let place = folder.join(part);
    let in_part = |error: Error| error.in_file(&place);
    let samples = recordings.len();
    let width = if several == Several::Count { channels } else { 1 };
    let size = samples.checked_mul(steps).and_then(|rows| rows.checked_mul(width));
    if size.is_none_or(|size| size > MOST_VALUES) {
        let sequences = format!("{} of {}", counted(samples, "sequence"), counted(steps, "step"));
        return Err(too_many(&place, sequences, if width > 1 { "values" } else { "steps" }));
    }
    let mut merged = 0;
    let inputs = if several == Several::Count {
        let mut values = vec![0.0; samples * steps * channels];
        for (recording, values) in recordings.iter().zip(values.chunks_exact_mut(steps * channels))
        {
            for ((step, channel), sum) in put_together(recording, several, &mut merged) {
                if sum.abs() > MOST_COUNTED {
                    return Err(Error::format(format!(
                        "{sum} events of channel {channel} in a step"
                    ))
                    .in_file(&recording.path)
                    .expected(format!("at most {MOST_COUNTED}"))
                    .remedy("take a shorter step"));
                }
                values[step as usize * channels + usize::from(channel)] = sum as f32;
            }
        }
        Inputs::Real(values)
    } else {
        let mut events = Events::new(channels)?;
        for recording in recordings {
            let found = put_together(recording, several, &mut merged);
            push(&mut events, found, steps).map_err(in_part)?;
        }
        Inputs::Events(events)
    };
    let lengths: Vec<usize> = recordings
        .iter()
        .map(|recording| if recording.span.is_none() { steps } else { recording.length(steps) })
        .collect();
    let cut = recordings.iter().filter(|recording| recording.late > 0).count();
    let filled = lengths.iter().filter(|length| **length < steps).count();
    let origin = origin(folder, part, [samples, steps], [cut, filled]);
    let classes = recordings.iter().map(|recording| recording.class).collect();
    let called =
        recordings.iter().map(|recording| layout::relative(&recording.path, &place)).collect();
    let targets = Targets::PerSequence(classes);
    let data = Dataset::new([samples, steps, channels], names, inputs, targets, origin)
        .and_then(|data| data.with_lengths(&lengths)?.with_sequence_names(called))
        .map_err(in_part)?;
    Ok(notes(recordings, several, steps, merged).into_iter().fold(data, Dataset::with_note))
}

/// What the events of each channel make of a step, in order; adds to `merged` those that share both with another.
fn put_together(
    recording: &Recording,
    several: Several,
    merged: &mut usize,
) -> BTreeMap<(u32, u16), i64> {
    let mut found = BTreeMap::new();
    // The events come in the order of their times.
    for (step, channel, sign) in &recording.events {
        let sign = i64::from(*sign);
        match found.entry((*step, *channel)) {
            Entry::Vacant(place) => {
                place.insert(sign);
            }
            Entry::Occupied(mut place) => {
                *merged += 1;
                let so_far = if several == Several::Last { 0 } else { *place.get() };
                place.insert(so_far + sign);
            }
        }
    }
    found
}

/// Appends a recording of so many steps, an event for every sum that is not 0.
fn push(events: &mut Events, found: BTreeMap<(u32, u16), i64>, steps: usize) -> Result<()> {
    let mut found = found.into_iter().filter(|(_, sum)| *sum != 0).peekable();
    let mut row: Vec<u16> = Vec::new();
    for step in 0..steps {
        row.clear();
        while let Some(((_, channel), sum)) = found.next_if(|((at, _), _)| *at as usize == step) {
            row.push(if sum < 0 { channel | Events::NEGATIVE } else { channel });
        }
        events.push_row(&row)?;
    }
    Ok(())
}

/// What was merged, left out or made up.
fn notes(recordings: &[Recording], several: Several, steps: usize, merged: usize) -> Vec<String> {
    let events: usize = recordings.iter().map(|recording| recording.events.len()).sum();
    let late: usize = recordings.iter().map(|recording| recording.late).sum();
    let silent = recordings.iter().filter(|recording| recording.span.is_none()).count();
    let mut notes = Vec::new();
    if merged > 0 {
        let much = if merged > events / 2 { ": a shorter step would keep more apart" } else { "" };
        notes.push(format!(
            "{merged} of {} {} step and channel with another; {}{much}",
            counted(events, "event"),
            agreeing(merged, "shares its", "share their"),
            several.name()
        ));
    }
    if late > 0 {
        let are = agreeing(late, "is", "are");
        let (all, steps) = (counted(events + late, "event"), counted(steps, "step"));
        notes.push(format!("{late} of {all} {are} after the last of {steps}: left out"));
    }
    if silent > 0 {
        let are = agreeing(silent, "is", "are");
        let (silent, steps) = (counted(silent, "recording"), counted(steps, "step"));
        notes.push(format!("{silent} without events {are} silence of {steps}"));
    }
    let unused: BTreeSet<&String> =
        recordings.iter().flat_map(|recording| &recording.unused).collect();
    if !unused.is_empty() {
        let names: Vec<&str> = unused.into_iter().map(String::as_str).collect();
        notes.push(format!("columns that are not used: {}", names.join(", ")));
    }
    notes
}

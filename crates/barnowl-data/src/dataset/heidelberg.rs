//! The Spiking Heidelberg Digits, Spiking Speech Commands, and other data in their layout.
//!
//! Speech as the spikes of 700 cochlear channels (Cramer, Stradmann, Schemmel & Zenke 2020, arXiv 1910.07407): an HDF5 file
//! with `spikes/times` (seconds) and `spikes/units` (0 to 699), a row of its own length for every recording, and `labels`;
//! `extra/keys` names the classes and `extra/speaker` the speakers, where they are there. [`load`] puts the spikes into
//! frames: a channel of a frame is 1 if its unit spiked within the frame's time, however often.

use super::hdf5::File;
use super::{Dataset, Events, Inputs, Split, Targets};
use barnowl_base::error::{Error, Result};
use barnowl_base::words::{agreeing, counted};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Channels of the cochlea.
pub const CHANNELS: usize = 700;

/// How spikes are put into frames.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Frames {
    /// The time of a frame, in ms. Default 4.
    /// Range: more than 0 ms.
    pub step_ms: f64,
    /// Frames of a sequence; later spikes are left out. Default 250.
    /// Range: 1 to 100000 frames.
    pub steps: usize,
}

impl Default for Frames {
    fn default() -> Self {
        Self { step_ms: 4.0, steps: 250 }
    }
}

impl Frames {
    /// Checks ranges; `key` names the frames in messages.
    ///
    /// # Errors
    ///
    /// Names the key, its value and what is allowed.
    pub fn validate(&self, key: &str) -> Result<()> {
        if !(self.step_ms > 0.0 && self.step_ms.is_finite()) {
            return Err(Error::setting(format!("{key}.step_ms"), self.step_ms)
                .expected("a positive time in ms"));
        }
        if !(1..=100_000).contains(&self.steps) {
            return Err(
                Error::setting(format!("{key}.steps"), self.steps).expected("1 to 100000 frames")
            );
        }
        Ok(())
    }
}

/// The file of a part in `directory/folder`: `train.h5`, `valid.h5` or `test.h5`, or, if there is no such file, the name
/// with `FOLDER_` before it.
#[must_use]
pub fn path(directory: impl AsRef<Path>, folder: &str, split: Split) -> PathBuf {
    let inside = directory.as_ref().join(folder);
    let plain = inside.join(format!("{}.h5", split.name()));
    if plain.is_file() { plain } else { inside.join(format!("{folder}_{}.h5", split.name())) }
}

/// Reads a file in the layout of the Spiking Heidelberg Digits.
///
/// # Errors
///
/// If the file is missing or damaged, lacks a group, or holds impossible spikes or labels: with the recording; and if the
/// times are not in seconds, or else make sequences of mostly nothing.
pub fn load(path: impl AsRef<Path>, frames: Frames) -> Result<Dataset> {
    read(&File::open(path)?, frames)
}

/// As [`load`], from an open file.
///
/// # Errors
///
/// As [`load`].
pub fn read(file: &File, frames: Frames) -> Result<Dataset> {
    frames.validate("frames")?;
    let (times, units) = (file.rows("spikes/times")?, file.rows("spikes/units")?);
    let labels = file.numbers("labels")?.values;
    let in_file = |error: Error| error.in_file(file.path());
    if times.len() != units.len() || times.len() != labels.len() {
        return Err(in_file(
            Error::format(format!(
                "{} of spikes/times, {} of spikes/units, {}",
                counted(times.len(), "row"),
                units.len(),
                counted(labels.len(), "label")
            ))
            .expected("as many of each as there are recordings"),
        ));
    }
    let class_names = class_names(file, &labels)?;
    let classes = classes(&labels, class_names.len()).map_err(in_file)?;
    let mut events = Events::new(CHANNELS)?;
    let mut tally = Tally::default();
    let mut rows = vec![Vec::new(); frames.steps];
    for recording in 0..times.len() {
        let (times, units) = (times.row(recording)?, units.row(recording)?);
        let placed = place(&times, &units, frames, &mut rows);
        let here = |error: Error| in_file(error.during(format_args!("recording {recording}")));
        tally.add(&times, placed.map_err(here)?);
        for row in &mut rows {
            row.sort_unstable();
            row.dedup();
            events.push_row(row)?;
            row.clear();
        }
    }
    let remark = tally.check(frames).map_err(in_file)?;
    let name = file.path().file_name().unwrap_or_default().to_string_lossy();
    let note = match tally.lost {
        0 => String::new(),
        n => format!("; {} after the last frame left out", counted(n, "spike")),
    };
    let origin = format!(
        "{name}: {} of {CHANNELS} channels, {} of {} ms{note}",
        counted(classes.len(), "recording"),
        counted(frames.steps, "frame"),
        frames.step_ms
    );
    let shape = [classes.len(), frames.steps, CHANNELS];
    let targets = Targets::PerSequence(classes);
    let data = Dataset::new(shape, class_names, Inputs::Events(events), targets, origin);
    Ok(remark.into_iter().fold(data.map_err(in_file)?, Dataset::with_note))
}

/// Times were rounded to single precision, or coarser, when they were written. One on the border between two frames shall
/// count in the later one, also if it came out a little less; those in half precision are never so near to a border of whole
/// milliseconds.
const ROUNDING: f64 = 1.0 / 4_194_304.0;

/// Spikes after the last frame that are named in a note: more than so many in a hundred.
const A_FEW: usize = 3;

/// What became of the spikes of a file.
#[derive(Default)]
struct Tally {
    spikes: usize,
    /// Spikes after the last frame.
    lost: usize,
    /// Recordings with spikes, all of which come after the last frame.
    silent: usize,
    /// The latest time.
    last: f64,
    /// Times that are no whole numbers.
    fractions: usize,
}

impl Tally {
    /// Adds a recording, of which so many spikes come after the last frame.
    fn add(&mut self, times: &[f64], lost: usize) {
        let spikes = times.len();
        self.spikes += spikes;
        self.lost += lost;
        self.silent += usize::from(spikes > 0 && lost == spikes);
        self.last = times.iter().copied().fold(self.last, f64::max);
        self.fractions += times.iter().filter(|time| time.fract() != 0.0).count();
    }

    /// Whether the frames hold the recordings; and what to say, if they leave more than a few spikes out.
    fn check(&self, frames: Frames) -> Result<Option<String>> {
        let Self { spikes, lost, silent, last, fractions } = *self;
        let span = frames.steps as f64 * frames.step_ms / 1000.0;
        if spikes == 0 {
            return Err(
                Error::format("no recording has a spike").expected("spikes/times, in seconds")
            );
        }
        // By how many powers of a thousand the recordings are longer than the frames.
        let mut longer = ((last / span).log10() / 3.0).round();
        if fractions == 0 && last > span {
            longer = longer.max(1.0);
        }
        if longer < 0.0 {
            // A tenth longer, so that the last spike is in a frame however the number is rounded.
            let step = (1.1 * last * 1000.0 / frames.steps as f64).max(1e-6);
            return Err(Error::format(format!("the last spike of all recordings is at {} s", last as f32))
                .expected(format!("times in seconds, of recordings about as long as the frames, {span} s"))
                .remedy(format!(
                    "if the times are right, take shorter frames, dataset.frames.step_ms = {step:.1e}; else write \
                     them in seconds"
                )));
        }
        let problem = format!(
            "{lost} of {} come after the last frame, which ends at {span} s",
            counted(spikes, "spike")
        );
        let found = || {
            Error::format(format!("{problem}; the last is at {last}")).expected("times in seconds")
        };
        if longer > 0.0 && 2 * lost > spikes {
            let (unit, factor) = match longer as u32 {
                1 => ("ms", "1e3"),
                2 => ("µs", "1e6"),
                _ => ("ns", "1e9"),
            };
            return Err(found().remedy(format!(
                "they look like {unit}: divide them by {factor} when you write spikes/times"
            )));
        }
        if lost == spikes {
            let steps = (last * 1000.0 / frames.step_ms).floor() + 1.0;
            return Err(found().remedy(format!(
                "if they are, more frames hold the recordings, dataset.frames.steps = {steps}"
            )));
        }
        let none = match silent {
            0 => String::new(),
            n => {
                let have = agreeing(n, "has", "have");
                format!("; {} {have} none before it", counted(n, "recording"))
            }
        };
        let many = 100 * lost > A_FEW * spikes || silent > 0;
        Ok(many.then(|| format!("{problem}, and are left out{none}")))
    }
}

/// Puts the spikes of a recording into frames, and returns how many come after the last.
fn place(times: &[f64], units: &[f64], frames: Frames, rows: &mut [Vec<u16>]) -> Result<usize> {
    if times.len() != units.len() {
        return Err(Error::format(format!("{} times and {} units", times.len(), units.len()))
            .expected("a unit for every time"));
    }
    let (mut lost, mut before) = (0, 0.0);
    for (spike, (time, unit)) in times.iter().zip(units).enumerate() {
        if !(before..f64::INFINITY).contains(time) {
            return Err(Error::format(format!("spike {spike} is at {time} s, after {before} s"))
                .expected("times that do not decrease, from 0 s on")
                .remedy("sort the spikes of every recording by time"));
        }
        before = *time;
        if !(0.0..CHANNELS as f64).contains(unit) || unit.fract() != 0.0 {
            return Err(Error::format(format!("spike {spike} is of unit {unit}"))
                .expected(format!("0 to {}", CHANNELS - 1))
                .remedy("the data have more channels than a cochlea of 700: encode them for it"));
        }
        let frame = time * 1000.0 / frames.step_ms * (1.0 + ROUNDING);
        match rows.get_mut(frame as usize) {
            Some(row) => row.push(*unit as u16),
            None => lost += 1,
        }
    }
    Ok(lost)
}

/// The names of the classes: those in the file, one a class or one a recording; else numbers.
fn class_names(file: &File, labels: &[f64]) -> Result<Vec<String>> {
    let keys = match file.contains("extra/keys") {
        true => file.texts("extra/keys")?,
        false => Vec::new(),
    };
    if !keys.is_empty() && keys.len() != labels.len() {
        return Ok(keys);
    }
    let count = labels.iter().copied().fold(-1.0, f64::max) + 1.0;
    // An impossible label is named by the caller.
    let count = if (0.0..=65_000.0).contains(&count) { count as usize } else { 1 };
    let mut names: Vec<String> = (0..count).map(|class| class.to_string()).collect();
    // Of a key for every recording, the first of a class names it.
    for (label, key) in labels.iter().zip(keys).rev() {
        if label.fract() == 0.0
            && let Some(name) = names.get_mut(*label as usize)
        {
            *name = key;
        }
    }
    Ok(names)
}

fn classes(labels: &[f64], count: usize) -> Result<Vec<u16>> {
    let class = |(recording, label): (usize, &f64)| {
        if (0.0..count as f64).contains(label) && label.fract() == 0.0 {
            return Ok(*label as u16);
        }
        Err(Error::format(format!("the label of recording {recording} is {label}"))
            .expected(format!("0 to {}", count.saturating_sub(1)))
            .remedy("labels are whole numbers from 0, and extra/keys, if it is there, names every class"))
    };
    labels.iter().enumerate().map(class).collect()
}

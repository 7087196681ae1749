//! Data of your own: arrays of NumPy, tables of numbers, lists of events, sounds.
//!
//! | files | layout |
//! | --- | --- |
//! | arrays | `train.npz` and `test.npz` with `x` `[N, T, C]` and `y` `[N]` or `[N, T]`; or `train/x.npy`, `train/y.npy` and so on |
//! | tables | `train/CLASS/*.csv`: a sequence a file, a step a line, a channel a column, names in the first line; or `train/*.csv` with a column `label` |
//! | sound | `train/CLASS/*.wav` |
//! | `.ts` | `FOLDER_TRAIN.ts` and `FOLDER_TEST.ts` of the UCR/UEA archive |
//! | events | `train/CLASS/*.csv` with the columns `time`, `channel` and, if there are signs, `polarity` |
//!
//! A part `valid` is used where there is one. Sequences have the length of the longest of the training data, or that of the
//! option `steps`: shorter ones are filled up with zeros (their steps without labels), longer ones cut. Classes are named by
//! `classes.txt`, a name a line, else by the folders, else by numbers.

mod arrays;
mod csv;
mod event_list;
mod events;
mod instant;
mod sound;
mod ts;
mod unit;

pub use events::{Binning, Origin, Several};
pub use sound::SoundEncoding;
pub use ts::Missing;
pub use unit::TimeUnit;

use super::{Dataset, Inputs, Known, Normalize, Split, Targets, UNLABELLED};
use crate::error::{Error, Result};
use crate::file;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What the files are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Arrays of NumPy.
    Arrays,
    /// Tables of numbers.
    Csv,
    /// Files `.ts` of the UCR/UEA archive of time series.
    Ts,
    /// Lists of events.
    Events(Binning),
    /// Sounds.
    Sound(SoundEncoding),
}

impl Form {
    /// Steps a second, where the form says it.
    #[must_use]
    pub fn sampling_rate(&self) -> Option<f64> {
        match self {
            Self::Sound(encoding) => Some(encoding.sampling_rate()),
            Self::Events(binning) => binning.sampling_rate(),
            Self::Arrays | Self::Csv | Self::Ts => None,
        }
    }
}

/// Where data of one's own are, and how they are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnConfig {
    /// The folder of the data: below the data folder, or anywhere.
    pub folder: PathBuf,
    /// What the files are.
    pub form: Form,
    /// Steps of a sequence: longer ones are cut. Default: all steps that there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// Steps a second, where time has a scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling_rate: Option<f64>,
    /// How the channels are brought to one scale, by the training part. Default: real values are standardized, events left
    /// alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<Normalize>,
    /// What is done about missing values in files `.ts`. Default: the data are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
}

impl OwnConfig {
    /// Files of a form in a folder, all else by default.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, form: Form) -> Self {
        Self {
            folder: folder.into(),
            form,
            steps: None,
            sampling_rate: None,
            normalize: None,
            missing: None,
        }
    }

    /// Checks ranges; `key` names the data set in messages.
    ///
    /// # Errors
    ///
    /// Names the key, its value and what is allowed.
    pub fn validate(&self, key: &str) -> Result<()> {
        if let Some(steps) = self.steps.filter(|steps| !(1..=100_000_000).contains(steps)) {
            return Err(Error::setting(format!("{key}.steps"), steps).expected("1 to 100000000"));
        }
        if let Some(rate) = self.sampling_rate.filter(|rate| !(*rate > 0.0 && rate.is_finite())) {
            return Err(
                Error::setting(format!("{key}.sampling_rate"), rate).expected("steps a second")
            );
        }
        if let Some(missing) = self.missing.filter(|_| self.form != Form::Ts) {
            return Err(Error::setting(format!("{key}.missing"), missing)
                .expected("none, unless form = \"ts\""));
        }
        Ok(())
    }
}

/// Classes are kept as 16-bit numbers.
const MOST_CLASSES: usize = 65_000;

/// More values than this, or steps of events, 8 GB of either, are taken for a mistake.
const MOST_VALUES: usize = 2_000_000_000;

const LAYOUTS: &str = "docs/own-data.md shows the layouts";

/// Sequences of different lengths, as a form has read them.
#[derive(Debug, Default)]
struct Sequences {
    channels: usize,
    /// The names of the channels, in the order of the values; none where the form has none.
    channel_names: Vec<String>,
    /// Values `[T, C]` of each.
    values: Vec<Vec<f32>>,
    /// The class of each, or of each step; [`UNLABELLED`] where it is not known.
    classes: Vec<Vec<u16>>,
    per_step: bool,
    /// The least number of classes that there must be.
    count: usize,
    /// The file of each, for messages.
    places: Vec<PathBuf>,
    /// What each is called in predictions; none where it is its file.
    names: Vec<String>,
    /// The group of each, such as a subject; none where there are no groups.
    groups: Vec<String>,
    /// What was left out, cut or merged, and why.
    notes: Vec<String>,
}

/// Reads one part of the data in `folder`; none if it is the validation part and not there.
///
/// # Errors
///
/// If a part is missing, a file is damaged, a number or label cannot be read, or sequences do not agree: with file and line.
pub fn load(
    folder: &Path,
    split: Split,
    config: &OwnConfig,
    known: Known<'_>,
) -> Result<Option<Dataset>> {
    let &OwnConfig { form, steps, .. } = config;
    let part = split.name();
    if split == Split::Valid && form != Form::Ts && !exists(folder, part) {
        return Ok(None);
    }
    let names = match known.classes {
        [] => names(folder)?,
        classes => classes.to_vec(),
    };
    if names.len() > MOST_CLASSES {
        return Err(Error::format(format!("there are {} classes", names.len()))
            .in_file(folder)
            .expected(format!("at most {MOST_CLASSES}")));
    }
    let reader: &dyn Fn(&str) -> Result<Sequences> = match form {
        Form::Arrays => &|part| arrays::read(folder, part),
        Form::Csv => &|part| csv::read(&folder.join(part), &names),
        Form::Ts => return ts::load(folder, split, config, known),
        Form::Events(binning) => {
            return events::load(folder, split, binning, steps, names).map(Some);
        }
        Form::Sound(encoding) => {
            return sound::load(folder, split, encoding, steps, names).map(Some);
        }
    };
    let training = read(folder, "train", reader)?;
    let longest = |sequences: &Sequences| {
        let lengths = sequences.values.iter().map(|values| values.len() / sequences.channels);
        lengths.max().unwrap_or(0)
    };
    let steps = steps.unwrap_or_else(|| longest(&training));
    let count = names.len().max(training.count);
    let sequences = if split == Split::Train { training } else { read(folder, part, reader)? };
    let names = match names.is_empty() {
        true => (0..count.max(sequences.count)).map(|class| class.to_string()).collect(),
        false => names,
    };
    sequences.dataset(folder, part, steps, names).map(Some)
}

fn exists(folder: &Path, part: &str) -> bool {
    folder.join(part).is_dir() || folder.join(format!("{part}.npz")).is_file()
}

fn read(
    folder: &Path,
    part: &str,
    reader: &dyn Fn(&str) -> Result<Sequences>,
) -> Result<Sequences> {
    if !exists(folder, part) {
        return Err(Error::format(format!("there is neither a folder {part} nor {part}.npz"))
            .in_file(folder)
            .expected("a part to train on and one to test with")
            .remedy(LAYOUTS));
    }
    let sequences = reader(part)?;
    if sequences.values.is_empty() || sequences.channels == 0 {
        return Err(no_sequences(&folder.join(part)));
    }
    Ok(sequences)
}

fn no_sequences(part: &Path) -> Error {
    Error::format("there are no sequences").in_file(part).expected("at least one").remedy(LAYOUTS)
}

/// Sequences that add up to more than [`MOST_VALUES`] of `what`.
fn too_many(part: &Path, sequences: String, what: &str) -> Error {
    Error::format(sequences)
        .in_file(part)
        .expected(format!("at most {MOST_VALUES} {what} in all"))
        .remedy("take fewer steps with dataset.steps, or a longer step")
}

/// What the data are, in one line; `cut` of the sequences were longer than `steps`, `filled` shorter.
fn origin(
    folder: &Path,
    part: &str,
    [samples, steps]: [usize; 2],
    [cut, filled]: [usize; 2],
) -> String {
    let note = |count: usize, what: &str| match count {
        0 => String::new(),
        n => format!("; {n} {what}"),
    };
    format!(
        "{}, {part}: {samples} sequences of {steps} steps{}{}",
        folder.display(),
        note(cut, "were longer and are cut"),
        note(filled, "were shorter and are filled up"),
    )
}

/// The names of the classes: those in `classes.txt`, else of the folders of `train`.
fn names(folder: &Path) -> Result<Vec<String>> {
    let list = folder.join("classes.txt");
    if list.is_file() {
        let text = file::read_text(&list)?;
        let names = text.lines().map(str::trim).filter(|line| !line.is_empty());
        return Ok(names.map(str::to_owned).collect());
    }
    let train = folder.join("train");
    if !train.is_dir() {
        return Ok(Vec::new());
    }
    Ok(file::folders(&train)?.iter().map(|path| name(path)).collect())
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The files of a part, each with the class that its folder names, if it lies in one.
fn files(folder: &Path, names: &[String], extension: &str) -> Result<Vec<(PathBuf, Option<u16>)>> {
    let files = file::files(folder, extension).map_err(|error| error.if_missing(LAYOUTS))?;
    let mut files: Vec<_> = files.into_iter().map(|path| (path, None)).collect();
    for inner in file::folders(folder)? {
        let class = names.iter().position(|known| *known == name(&inner)).ok_or_else(|| {
            Error::format("the folder has the name of no class")
                .in_file(&inner)
                .expected(format!("one of {}", names.join(", ")))
        })?;
        let inside = file::files(&inner, extension)?;
        files.extend(inside.into_iter().map(|path| (path, Some(class as u16))));
    }
    Ok(files)
}

impl Sequences {
    /// All of the same length.
    fn dataset(
        self,
        folder: &Path,
        part: &str,
        steps: usize,
        names: Vec<String>,
    ) -> Result<Dataset> {
        let Self {
            channels, channel_names, values, classes, per_step, places, names: called, ..
        } = self;
        let samples = values.len();
        let lengths: Vec<usize> =
            values.iter().map(|values| (values.len() / channels).clamp(1, steps)).collect();
        let called = match called.is_empty() {
            true => places.iter().map(|place| relative(place, &folder.join(part))).collect(),
            false => called,
        };
        let size = samples.checked_mul(steps).and_then(|rows| rows.checked_mul(channels));
        if size.is_none_or(|size| size > MOST_VALUES) {
            let sequences = format!("{samples} sequences of {steps} steps and {channels} channels");
            return Err(too_many(&folder.join(part), sequences, "values"));
        }
        let (mut all, mut targets, mut cut, mut filled) = (Vec::new(), Vec::new(), 0, 0);
        for ((mut values, mut classes), place) in values.into_iter().zip(classes).zip(&places) {
            if let Some(class) = classes.iter().find(|class| usize::from(**class) >= names.len()) {
                return Err(Error::format(format!("a label is {class}"))
                    .in_file(place)
                    .expected(format!("0 to {}", names.len() - 1)));
            }
            cut += usize::from(values.len() > steps * channels);
            filled += usize::from(values.len() < steps * channels);
            values.resize(steps * channels, 0.0);
            if per_step {
                classes.resize(steps, UNLABELLED);
            }
            all.extend(values);
            targets.extend(classes);
        }
        let targets =
            if per_step { Targets::PerStep(targets) } else { Targets::PerSequence(targets) };
        let origin = origin(folder, part, [samples, steps], [cut, filled]);
        let shape = [samples, steps, channels];
        // Spikes are kept as events.
        let data = if all.iter().all(|x| [-1.0, 0.0, 1.0].contains(x)) {
            let spikes: Vec<i8> = all.iter().map(|x| *x as i8).collect();
            Dataset::from_spikes(shape, names, &spikes, targets, origin)
        } else {
            Dataset::new(shape, names, Inputs::Real(all), targets, origin)
        };
        let described = |data: Dataset| {
            let mut data = data.with_lengths(&lengths)?.with_sequence_names(called)?;
            if !channel_names.is_empty() {
                data = data.with_channel_names(channel_names)?;
            }
            if !self.groups.is_empty() {
                data = data.with_groups(&self.groups)?;
            }
            Ok(self.notes.into_iter().fold(data, Dataset::with_note))
        };
        data.and_then(described).map_err(|error: Error| error.in_file(folder.join(part)))
    }
}

/// The path of a file from the folder of its part on.
fn relative(path: &Path, part: &Path) -> String {
    path.strip_prefix(part).unwrap_or(path).display().to_string()
}

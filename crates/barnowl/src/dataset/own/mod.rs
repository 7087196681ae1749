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
//! A part `valid` is used where there is one. Sequences keep their lengths; those of more steps than the option `steps` are cut.
//! Classes are named by `classes.txt`, a name a line, else by the folders, else by the data, else by numbers.
//!
//! | file | holds |
//! | --- | --- |
//! | `table.rs`, `csv.rs` | tables of text in any dialect; a sequence a table |
//! | `npy.rs`, `arrays.rs` | arrays of NumPy; a sequence a row of one |
//! | `labels.rs`, `groups.rs` | what is written for a class, for none, and for a subject |
//! | `events.rs`, `sound.rs` | lists of events, sounds |

mod arrays;
mod csv;
mod event_list;
mod events;
mod groups;
mod instant;
mod labels;
mod npy;
mod sound;
mod table;
mod ts;
mod unit;

pub use events::{Binning, Origin, Several};
pub use groups::{FileName, Groups};
pub use labels::NoLabel;
pub use sound::SoundEncoding;
pub use ts::Missing;
pub use unit::TimeUnit;

use super::{Dataset, Inputs, Known, Normalize, Split, Targets, UNLABELLED};
use crate::error::{Error, Result};
use crate::file;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What the files are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// Whether real values are as the user's instrument gave them, on whatever scale: those of sounds are made by an encoder.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Arrays | Self::Csv | Self::Ts)
    }

    /// Which files hold data of this form, in words.
    fn files(&self) -> &'static str {
        match self {
            Self::Arrays | Self::Csv => "tables (.csv) or arrays (.npz, .npy)",
            Self::Ts => "files of the UCR/UEA archive (.ts)",
            Self::Events(_) => "lists of events (.csv)",
            Self::Sound(_) => "sounds (.wav)",
        }
    }

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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnConfig {
    /// The folder of the data: below the data folder, or anywhere.
    pub folder: PathBuf,
    /// What the files are.
    pub form: Form,
    /// Steps of a sequence: longer ones are cut. Default: all steps that there are.
    /// Range: 1 to 100000000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// Steps a second, where time has a scale.
    /// Range: more than 0 steps a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling_rate: Option<f64>,
    /// How the channels are brought to one scale, by the training part. Default: real values are standardized, events left
    /// alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<Normalize>,
    /// A word or number that says that there is no label, beside −1, nan and nothing at all. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_label: Option<NoLabel>,
    /// Where the group of a sequence, such as its subject, is written: the name of a column or an array, or
    /// `{ before = "_" }`, what stands before that in the name of its file. Default: an array `groups` or `subjects`, if there
    /// is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Groups>,
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
            no_label: None,
            groups: None,
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
    /// The file of each, for messages.
    places: Vec<PathBuf>,
    /// What each is called in predictions; none where it is its file.
    names: Vec<String>,
    /// The group of each, such as a subject; none where there are no groups.
    groups: Vec<String>,
    /// What was left out, cut or merged, and why.
    notes: Vec<String>,
    /// The names of the classes, if the data name them.
    class_names: Vec<String>,
}

/// What readers are told.
struct Context<'a> {
    /// The names of the classes; none where nothing is known of them.
    names: &'a [String],
    /// The names of the channels in the order that is wanted; none where nothing is known of them.
    channels: &'a [String],
    no_label: Option<&'a NoLabel>,
    groups: Option<&'a Groups>,
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
    match form {
        Form::Ts => return ts::load(folder, split, config, known),
        Form::Events(binning) => {
            return events::load(folder, split, binning, steps, names).map(Some);
        }
        Form::Sound(encoding) => {
            return sound::load(folder, split, encoding, steps, names).map(Some);
        }
        Form::Arrays | Form::Csv => {}
    }
    let mut context = Context {
        names: &names,
        channels: known.channels,
        no_label: config.no_label.as_ref(),
        groups: config.groups.as_ref(),
    };
    let first;
    if split != Split::Train && known.channels.is_empty() && form == Form::Csv {
        // The order of the columns is that of the training part, where there is one.
        let train = folder.join(Split::Train.name());
        first = if train.is_dir() { csv::channels(&train, &context)? } else { Vec::new() };
        context.channels = &first;
    }
    let mut sequences = read(folder, part, form, &context)?;
    if split == Split::Train && names.is_empty() && sequences.class_names.is_empty() {
        let notes = labels::check_numbers(&sequences.classes);
        sequences
            .notes
            .extend(notes.map_err(|error| error.in_file(sequences.place(folder, part)))?);
    }
    sequences.drop_unlabelled();
    if sequences.values.is_empty() {
        return Err(no_sequences(&folder.join(part)));
    }
    let names = match (names.is_empty(), sequences.class_names.is_empty()) {
        (false, _) => names,
        (true, false) => std::mem::take(&mut sequences.class_names),
        (true, true) => {
            let largest = sequences.classes.iter().flatten().filter(|class| **class != UNLABELLED);
            let count = largest.max().map_or(0, |class| usize::from(*class) + 1);
            let count = count.max(known_count(folder, split, form, &context)?);
            (0..count).map(|class| class.to_string()).collect()
        }
    };
    let steps = steps.unwrap_or_else(|| sequences.longest());
    sequences.dataset(folder, part, steps, names).map(Some)
}

/// How many classes the training part has, where another part may have fewer.
fn known_count(folder: &Path, split: Split, form: Form, context: &Context<'_>) -> Result<usize> {
    if split == Split::Train || !exists(folder, Split::Train.name()) {
        return Ok(0);
    }
    let training = read(folder, Split::Train.name(), form, context)?;
    let classes = training.classes.iter().flatten().filter(|class| **class != UNLABELLED);
    Ok(classes.max().map_or(0, |class| usize::from(*class) + 1))
}

/// Reads files of a form, whose labels, if they have any, are not wanted: for a model that says what they are. `per_step` says
/// whether it gives a class a step.
///
/// # Errors
///
/// If a file cannot be read, or is of another form: with file and line.
pub fn read_files(
    paths: &[PathBuf],
    config: &OwnConfig,
    known: Known<'_>,
    per_step: bool,
) -> Result<Dataset> {
    let context = Context {
        names: known.classes,
        channels: known.channels,
        no_label: config.no_label.as_ref(),
        // Whose a sequence is does not matter to its answer.
        groups: None,
    };
    let mut all = Sequences::default();
    for path in paths {
        let kind = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let mut found = match (kind.as_str(), config.form) {
            ("npz" | "npy", Form::Arrays | Form::Csv) => arrays::read_unlabelled(path, &context)?,
            ("csv" | "tsv" | "txt" | "", Form::Arrays | Form::Csv) => {
                csv::read_unlabelled(path, &context)?
            }
            _ => {
                return Err(Error::format("the file is not of a form that the model reads")
                    .in_file(path)
                    .expected(config.form.files()));
            }
        };
        if paths.len() > 1 || found.names.is_empty() {
            let file = path.display();
            found.names = match found.values.len() {
                1 => vec![file.to_string()],
                count => (0..count).map(|n| format!("{file}:{n}")).collect(),
            };
        }
        all.append(found).map_err(|error| error.in_file(path))?;
    }
    if all.values.is_empty() {
        return Err(Error::config("there is no file to read"));
    }
    all.per_step = per_step;
    let classes = |values: &Vec<f32>| match per_step {
        true => vec![UNLABELLED; values.len() / all.channels],
        false => vec![UNLABELLED],
    };
    all.classes = all.values.iter().map(classes).collect();
    let steps = config.steps.unwrap_or_else(|| all.longest());
    all.dataset(Path::new(""), "", steps, known.classes.to_vec())
}

fn exists(folder: &Path, part: &str) -> bool {
    folder.join(part).is_dir() || folder.join(format!("{part}.npz")).is_file()
}

fn read(folder: &Path, part: &str, form: Form, context: &Context<'_>) -> Result<Sequences> {
    if !exists(folder, part) {
        return Err(Error::format(format!("there is neither a folder {part} nor {part}.npz"))
            .in_file(folder)
            .expected("a part to train on and one to test with")
            .remedy(LAYOUTS));
    }
    let sequences = match form {
        Form::Csv => csv::read(&folder.join(part), context)?,
        _ => arrays::read(folder, part, context)?,
    };
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
        let text = table::decode(&file::read(&list)?).map_err(|error| error.in_file(&list))?;
        let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
        let mut names: Vec<String> = Vec::new();
        for (place, name) in lines {
            if names.iter().any(|known| known == name) {
                return Err(Error::format(format!("the class {name} stands there twice"))
                    .in_file(&list)
                    .at_line(place + 1));
            }
            names.push(name.to_owned());
        }
        return Ok(names);
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
    /// Adds the sequences of another file.
    fn append(&mut self, other: Self) -> Result<()> {
        if self.values.is_empty() {
            *self = other;
            return Ok(());
        }
        if (self.channels, &self.channel_names) != (other.channels, &other.channel_names) {
            let of = |s: &Self| match s.channel_names.is_empty() {
                true => format!("{} channels", s.channels),
                false => format!("the channels {}", s.channel_names.join(", ")),
            };
            return Err(Error::mismatch(format!("the file has {}", of(&other))).expected(of(self)));
        }
        self.values.extend(other.values);
        self.places.extend(other.places);
        self.names.extend(other.names);
        self.notes.extend(other.notes);
        Ok(())
    }

    /// Steps of the longest.
    fn longest(&self) -> usize {
        self.values.iter().map(|values| values.len() / self.channels).max().unwrap_or(0)
    }

    /// The file that labels stand in, for messages.
    fn place(&self, folder: &Path, part: &str) -> PathBuf {
        match self.places.first() {
            Some(first) if self.places.iter().all(|place| place == first) => first.clone(),
            _ => folder.join(part),
        }
    }

    /// Puts the channels into another order, by their names.
    ///
    /// # Errors
    ///
    /// If the names are not the same.
    fn reorder(&mut self, wanted: &[String]) -> Result<()> {
        let places: Option<Vec<usize>> = wanted
            .iter()
            .map(|name| self.channel_names.iter().position(|found| found == name))
            .collect();
        let Some(places) = places.filter(|places| places.len() == self.channel_names.len()) else {
            return Err(Error::mismatch(format!(
                "the channels are {}",
                self.channel_names.join(", ")
            ))
            .expected(format!("those of the model: {}", wanted.join(", "))));
        };
        if self.channel_names != wanted {
            for values in &mut self.values {
                for row in values.chunks_exact_mut(places.len()) {
                    let before = row.to_vec();
                    row.iter_mut().zip(&places).for_each(|(to, from)| *to = before[*from]);
                }
            }
            self.notes.push(format!("the channels are put into the order {}", wanted.join(", ")));
            self.channel_names = wanted.to_vec();
        }
        Ok(())
    }

    /// Leaves sequences out that have no label at all: nothing can be learned from them, nor judged by them.
    fn drop_unlabelled(&mut self) {
        let labelled: Vec<bool> = self
            .classes
            .iter()
            .map(|classes| classes.iter().any(|class| *class != UNLABELLED))
            .collect();
        let count = labelled.iter().filter(|labelled| !**labelled).count();
        if count == 0 {
            return;
        }
        fn keep<T>(all: &mut Vec<T>, which: &[bool]) {
            let mut which = which.iter();
            // As many as there are, or none.
            all.retain(|_| which.next().copied().unwrap_or(true));
        }
        keep(&mut self.values, &labelled);
        keep(&mut self.classes, &labelled);
        keep(&mut self.places, &labelled);
        keep(&mut self.names, &labelled);
        keep(&mut self.groups, &labelled);
        self.notes.push(format!("{count} sequences have no label and are left out"));
    }

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
            if let Some(class) = classes
                .iter()
                .find(|class| **class != UNLABELLED && usize::from(**class) >= names.len())
            {
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

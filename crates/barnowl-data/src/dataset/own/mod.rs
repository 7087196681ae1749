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
//! With the option `targets`, numbers are to be found, and no classes: `y` of arrays, columns of tables, `@targetLabel` of `.ts`.
//!
//! | file | holds |
//! | --- | --- |
//! | `table.rs`, `csv.rs` | tables of text in any dialect; a sequence a table |
//! | `npy.rs`, `arrays.rs`, `padding.rs` | arrays of NumPy; a sequence a row of one; what may be no part of it |
//! | `labels.rs`, `groups.rs` | what is written for a class, for none, and for a subject |
//! | `target_kind.rs`, `numbers.rs` | whether classes or numbers are to be found; what is written for a number |
//! | `array_numbers.rs`, `csv_numbers.rs` | where arrays and tables have the numbers |
//! | `ts.rs`, `ts_header.rs` | the UCR/UEA archive; a sequence a line |
//! | `events.rs`, `event_list.rs`, `instant.rs`, `unit.rs` | lists of events, and when they are |
//! | `sound.rs` | sounds |
//! | `layout.rs` | which files a part has |
//! | `sequences.rs` | what all of them but events and sounds make: sequences of any length, and the data set of them |
//! | `unlabelled.rs` | files that a model is to answer to |

mod array_numbers;
mod arrays;
mod csv;
mod csv_numbers;
mod event_list;
mod events;
mod groups;
mod instant;
mod labels;
mod layout;
mod npy;
mod numbers;
mod padding;
mod sequences;
mod sound;
mod table;
mod target_kind;
#[cfg(test)]
mod tests;
mod ts;
mod ts_header;
mod unit;
mod unlabelled;

pub use events::{Binning, Origin, Several};
pub use groups::{FileName, Groups};
pub use labels::NoLabel;
pub use sound::SoundEncoding;
pub use target_kind::TargetKind;
pub use ts::Missing;
pub use unit::TimeUnit;
pub use unlabelled::read_files;

use layout::{exists, listed, names_of_folders, relative};
use sequences::Sequences;

use super::{Dataset, Ends, Known, Normalize, Split, UNLABELLED};
use barnowl_base::error::{Error, Result};
use barnowl_base::words::counted;
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
    /// What is to be found: classes, or real numbers, and in which columns these stand: `"values"`, or
    /// `{ columns = ["glucose", "heart_rate"] }`. Default: classes.
    #[serde(default, skip_serializing_if = "TargetKind::is_default")]
    pub targets: TargetKind,
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
    /// A word or number that says that there is no label, or that a number is not known, beside nan and nothing at all; of
    /// classes, −1 says so too. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_label: Option<NoLabel>,
    /// Where the group of a sequence, such as its subject, is written: the name of a column or an array, or
    /// `{ before = "_" }`, what stands before that in the name of its file. Default: an array `groups` or `subjects`, if there
    /// is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Groups>,
    /// Columns of tables that are no channels, such as `["time"]`: they are left out. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
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
            targets: TargetKind::Classes,
            steps: None,
            sampling_rate: None,
            normalize: None,
            no_label: None,
            groups: None,
            ignore: Vec::new(),
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
        if let (Some(rate), Some(of_form)) = (self.sampling_rate, self.form.sampling_rate()) {
            return Err(Error::setting(format!("{key}.sampling_rate"), rate)
                .expected(format!("none: the form says it, {of_form} steps a second")));
        }
        self.targets.validate(key, self)?;
        let by_name = matches!(self.groups, None | Some(Groups::Name(_)));
        match (&self.form, &self.no_label, &self.groups) {
            (Form::Ts, _, Some(groups)) => {
                return Err(Error::setting(format!("{key}.groups"), groups)
                    .expected("none: files .ts say nothing of groups"));
            }
            (Form::Events(_) | Form::Sound(_), _, Some(groups)) if !by_name => {
                return Err(Error::setting(format!("{key}.groups"), groups).expected(
                    "{ before = \"_\" }, what stands before a sign in the name of the file",
                ));
            }
            (Form::Ts | Form::Events(_) | Form::Sound(_), Some(word), _)
                if !self.targets.is_real() =>
            {
                return Err(Error::setting(format!("{key}.no_label"), word)
                    .expected("none: every sequence of this form has a class"));
            }
            _ => {}
        }
        if !self.ignore.is_empty() && self.form != Form::Csv {
            return Err(Error::setting(format!("{key}.ignore"), &self.ignore).expected(
                "none, unless form = \"csv\": other forms have no columns to leave out",
            ));
        }
        if let Some(Groups::Column(name)) = &self.groups
            && self.ignore.contains(name)
        {
            return Err(Error::setting(format!("{key}.ignore"), &self.ignore).expected(format!(
                "no {name}: {key}.groups says what that column is, and it is no channel"
            )));
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

/// What readers are told.
struct Context<'a> {
    /// What is to be found.
    targets: &'a TargetKind,
    /// The names of the classes, or of the numbers that are to be found; none where nothing is known of them.
    names: &'a [String],
    /// The names that numbers stand for, by place: those of `classes.txt`, or of a model whose classes were listed.
    listed: &'a [String],
    /// The names of the channels in the order that is wanted; none where nothing is known of them.
    channels: &'a [String],
    no_label: Option<&'a NoLabel>,
    groups: Option<&'a Groups>,
    /// Columns that are left out.
    ignore: &'a [String],
    /// How the training sequences end, where that is known.
    ends: Option<Ends>,
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
    if config.targets.is_real() {
        config.targets.validate("dataset", config)?;
        return match form {
            Form::Ts => ts::load_numbers(folder, split, config, known),
            _ => numbers::load(folder, split, config, known),
        };
    }
    let listed = listed(folder)?;
    let names = match (known.classes, listed.is_empty()) {
        ([], true) => names_of_folders(folder)?,
        ([], false) => listed.clone(),
        (classes, _) => classes.to_vec(),
    };
    if names.len() > MOST_CLASSES {
        return Err(Error::format(format!("there are {} classes", names.len()))
            .in_file(folder)
            .expected(format!("at most {MOST_CLASSES}")));
    }
    match form {
        Form::Ts => return ts::load(folder, split, config, known, &listed),
        Form::Events(binning) => {
            return with_groups(
                events::load(folder, split, binning, steps.or(known.steps), names, known)?,
                config,
            );
        }
        Form::Sound(encoding) => {
            return with_groups(sound::load(folder, split, encoding, steps, names, known)?, config);
        }
        Form::Arrays | Form::Csv => {}
    }
    let listed = match (listed.is_empty(), known.classes_are_listed) {
        (true, true) => known.classes.to_vec(),
        _ => listed,
    };
    let mut context = Context {
        targets: &config.targets,
        names: &names,
        listed: &listed,
        channels: known.channels,
        no_label: config.no_label.as_ref(),
        groups: config.groups.as_ref(),
        ignore: &config.ignore,
        ends: known.ends,
    };
    let first;
    if split != Split::Train && known.channels.is_empty() && form == Form::Csv {
        // The order of the columns is that of the training part, where there is one.
        let train = folder.join(Split::Train.name());
        first = if train.is_dir() { csv::channels(&train, &context)? } else { Vec::new() };
        context.channels = &first;
    }
    let mut sequences = read(folder, part, form, &context)?;
    if split == Split::Train {
        check_ignored(config, &sequences, &folder.join(part))?;
    }
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

/// A part of which each sequence is a file, with the groups that the names of the files say.
fn with_groups(data: Dataset, config: &OwnConfig) -> Result<Option<Dataset>> {
    let Some(groups) = &config.groups else { return Ok(Some(data)) };
    let of = |sample| groups.of_name(Path::new(&data.sequence_name(sample)));
    let found = (0..data.samples()).map(of).collect::<Result<Vec<String>>>()?;
    data.with_groups(&found).map(Some)
}

/// Refuses columns to be left out that are in no table.
fn check_ignored(config: &OwnConfig, sequences: &Sequences, part: &Path) -> Result<()> {
    let is_there = |name: &&String| sequences.left_out.contains(*name);
    match config.ignore.iter().find(|name| !is_there(name)) {
        None => Ok(()),
        Some(absent) => Err(Error::setting("dataset.ignore", &config.ignore)
            .in_file(part)
            .expected(format!("names of columns, and no table has a column {absent}"))
            .remedy(format!("the channels are {}", sequences.channel_names.join(", ")))),
    }
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

fn read(folder: &Path, part: &str, form: Form, context: &Context<'_>) -> Result<Sequences> {
    if !exists(folder, part) {
        return Err(Error::format(format!("there is neither a folder {part} nor {part}.npz"))
            .in_file(folder)
            .expected("a part to train on and one to test with")
            .remedy(LAYOUTS));
    }
    let sequences = match form {
        Form::Csv if context.targets.is_real() => csv_numbers::read(&folder.join(part), context)?,
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

fn no_file() -> Error {
    Error::config("there is no file to read")
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
    let note = |count: usize, was: &str, is: &str| match count {
        0 => String::new(),
        1 => format!("; 1 was {was} and is {is}"),
        n => format!("; {n} were {was} and are {is}"),
    };
    format!(
        "{}, {part}: {} of {}{}{}",
        folder.display(),
        counted(samples, "sequence"),
        counted(steps, "step"),
        note(cut, "longer", "cut"),
        note(filled, "shorter", "filled up"),
    )
}

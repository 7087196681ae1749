//! Files that a model is to answer to: their labels, if they have any, are not wanted.

use super::common::no_file;
use super::config::{Form, OwnConfig};
use super::context::Context;
use super::sequences::Sequences;
use super::{arrays, csv, events, number, sound, ts};
use crate::dataset::{Dataset, Known, UNLABELLED};
use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use std::path::{Path, PathBuf};

/// Reads files of a form, whose labels, if they have any, are not wanted: for a model that says what they are. `per_step` says
/// whether it gives a class a step, or numbers. Where these are to be found, [`Known::classes`] are their names.
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
    for path in paths {
        if !config.form.takes(&kind(path)?) {
            return Err(Error::format("the file is not of a form that the model reads")
                .in_file(path)
                .expected(config.form.files()));
        }
    }
    config.validate_targets("dataset")?;
    let names = known.classes.to_vec();
    match config.form {
        Form::Events(binning) => {
            return events::of_files(paths, binning, config.steps.or(known.steps), known);
        }
        Form::Sound(encoding) => {
            return sound::of_files(paths, encoding, config.steps, names, known);
        }
        Form::Arrays | Form::Csv | Form::Ts => {}
    }
    let context = Context {
        targets: &config.targets,
        names: known.classes,
        listed: &[],
        channels: known.channels,
        no_label: config.no_label.as_ref(),
        // Whose a sequence is does not matter to its answer.
        groups: None,
        ignore: &config.ignore,
        ends: known.ends,
    };
    let mut all = Sequences::default();
    for path in paths {
        let mut found = match kind(path)?.as_str() {
            "npz" | "npy" => arrays::read_unlabelled(path, &context, known.width)?,
            "ts" => ts::read_unlabelled(path, config.missing.unwrap_or_default())?,
            _ => csv::read_unlabelled(path, &context, config.groups.as_ref())?,
        };
        if found.channels == 0 {
            return Err(Error::format("there is no channel")
                .in_file(path)
                .expected("at least one"));
        }
        found.groups.clear();
        all.notes.extend(found.order_of_channels(known.channels));
        if found.channel_names.is_empty() && found.channels == known.channels.len() {
            found.channel_names = known.channels.to_vec();
        }
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
        return Err(no_file());
    }
    all.per_step = per_step;
    let steps_of = |values: &Vec<f32>| if per_step { values.len() / all.channels } else { 1 };
    let names = match (config.targets.is_real(), config.targets.columns()) {
        (true, said) if names.is_empty() => {
            said.map_or_else(|| number::plain_names(1), <[String]>::to_vec)
        }
        _ => names,
    };
    if config.targets.is_real() {
        let unknown = |values: &Vec<f32>| vec![f32::NAN; steps_of(values) * names.len()];
        all.numbers = all.values.iter().map(unknown).collect();
    } else {
        let unknown = |values: &Vec<f32>| vec![UNLABELLED; steps_of(values)];
        all.classes = all.values.iter().map(unknown).collect();
    }
    let steps = config.steps.unwrap_or_else(|| all.longest());
    all.dataset(Path::new(""), "", steps, names)
}

impl Sequences {
    /// What is said of the order of the channels, where names do not tell it.
    fn order_of_channels(&self, known: &[String]) -> Option<String> {
        match (known, self.channel_names.as_slice()) {
            ([], []) => None,
            ([], found) => Some(format!(
                "the model knows no names of its channels: the columns are taken as they stand, {}",
                found.join(", ")
            )),
            (known, []) if self.channels == known.len() => Some(format!(
                "the channels have no names: they are taken in the order of the model, {}",
                known.join(", ")
            )),
            _ => None,
        }
    }
}

/// The end of a file's name, in small letters; of a file whose name has none, such as standard input, that which its first
/// bytes say.
fn kind(path: &Path) -> Result<String> {
    if let Some(end) = path.extension() {
        return Ok(end.to_string_lossy().to_ascii_lowercase());
    }
    let bytes = file::read(path)?;
    let is_series = || {
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(1 << 16)]);
        let mut lines = text.lines().map(|line| line.trim().trim_start_matches('\u{feff}'));
        lines
            .find(|line| !line.is_empty() && !line.starts_with('#'))
            .is_some_and(|line| line.starts_with('@'))
    };
    Ok(match bytes.as_slice() {
        [b'P', b'K', 3, 4, ..] => "npz",
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => "npy",
        [b'R', b'I', b'F', b'F', ..] => "wav",
        _ if is_series() => "ts",
        _ => "",
    }
    .to_owned())
}

impl Form {
    /// Whether a file whose name has this end may hold data of this form.
    fn takes(&self, end: &str) -> bool {
        match self {
            Self::Arrays | Self::Csv | Self::Ts => {
                ["npz", "npy", "csv", "tsv", "txt", "ts", ""].contains(&end)
            }
            Self::Events(_) => ["csv", "tsv", "txt", ""].contains(&end),
            Self::Sound(_) => end == "wav",
        }
    }

    /// Which files hold data of this form, in words.
    fn files(&self) -> &'static str {
        match self {
            Self::Arrays | Self::Csv | Self::Ts => {
                "tables (.csv), arrays (.npz, .npy) or files of the UCR/UEA archive (.ts)"
            }
            Self::Events(_) => "lists of events (.csv)",
            Self::Sound(_) => "sounds (.wav)",
        }
    }
}

//! A part of data of one's own, whatever its form.

use super::common::{MOST_CLASSES, no_sequences};
use super::config::{Form, OwnConfig};
use super::context::Context;
use super::layout::{exists, listed, names_of_folders};
use super::part::{check_ignored, read};
use super::{csv, events, labels, load_numbers, sound, ts};
use crate::dataset::{Dataset, Known, Split, UNLABELLED};
use barnowl_base::error::{Error, Result};
use std::path::Path;

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
        config.validate_targets("dataset")?;
        return match form {
            Form::Ts => ts::load_numbers(folder, split, config, known),
            _ => load_numbers::load(folder, split, config, known),
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

/// How many classes the training part has, where another part may have fewer.
fn known_count(folder: &Path, split: Split, form: Form, context: &Context<'_>) -> Result<usize> {
    if split == Split::Train || !exists(folder, Split::Train.name()) {
        return Ok(0);
    }
    let training = read(folder, Split::Train.name(), form, context)?;
    let classes = training.classes.iter().flatten().filter(|class| **class != UNLABELLED);
    Ok(classes.max().map_or(0, |class| usize::from(*class) + 1))
}

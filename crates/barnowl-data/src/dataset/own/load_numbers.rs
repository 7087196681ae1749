//! A part of arrays or tables whose numbers are to be found.

use super::config::{Form, OwnConfig};
use super::context::Context;
use super::csv_numbers;
use super::layout::exists;
use super::part::{check_ignored, read};
use crate::dataset::{Dataset, Known, Split};
use barnowl_base::error::{Error, Result};
use std::path::Path;

/// What another part must agree with: the numbers and channels of the training part.
#[derive(Default)]
struct Training {
    names: Vec<String>,
    channels: Vec<String>,
    /// Whether there are numbers at every step, where that may differ.
    per_step: Option<bool>,
}

/// Reads one part of arrays or tables whose numbers are to be found.
pub(super) fn load(
    folder: &Path,
    split: Split,
    config: &OwnConfig,
    known: Known<'_>,
) -> Result<Option<Dataset>> {
    let part = split.name();
    let mut context = Context {
        targets: &config.targets,
        names: known.classes,
        listed: &[],
        channels: known.channels,
        no_label: config.no_label.as_ref(),
        groups: config.groups.as_ref(),
        ignore: &config.ignore,
        ends: known.ends,
    };
    let training = match split {
        Split::Train => Training::default(),
        Split::Valid | Split::Test => training(folder, config.form, &context)?,
    };
    if known.classes.is_empty() {
        context.names = &training.names;
    }
    if known.channels.is_empty() && config.form == Form::Csv {
        context.channels = &training.channels;
    }
    let mut sequences = read(folder, part, config.form, &context)?;
    let place = folder.join(part);
    if split == Split::Train {
        check_ignored(config, &sequences, &place)?;
    }
    if let Some(per_step) = training.per_step.filter(|was| *was != sequences.per_step) {
        let said = |per_step| if per_step { "numbers at every step" } else { "numbers a sequence" };
        return Err(Error::mismatch(format!("there are {}", said(sequences.per_step)))
            .in_file(sequences.place(folder, part))
            .expected(format!("{}, as in the training data", said(per_step))));
    }
    sequences.finish_numbers(config.steps).map_err(|error| error.in_file(&place))?;
    let steps = config.steps.unwrap_or_else(|| sequences.longest());
    let names = std::mem::take(&mut sequences.class_names);
    sequences.dataset(folder, part, steps, names).map(Some)
}

/// What the training part says; nothing if there is none, or all is known.
fn training(folder: &Path, form: Form, context: &Context<'_>) -> Result<Training> {
    let train = Split::Train.name();
    if !exists(folder, train) {
        return Ok(Training::default());
    }
    if form == Form::Csv {
        let is_known = !context.names.is_empty() && !context.channels.is_empty();
        if is_known || !folder.join(train).is_dir() {
            return Ok(Training::default());
        }
        let (names, channels) = csv_numbers::columns(&folder.join(train), context)?;
        return Ok(Training { names, channels, per_step: None });
    }
    if !context.names.is_empty() {
        return Ok(Training::default());
    }
    let read = read(folder, train, form, context)?;
    Ok(Training { names: read.class_names, channels: Vec::new(), per_step: Some(read.per_step) })
}

//! The sequences of a part, from tables or arrays.

use super::common::{LAYOUTS, no_sequences};
use super::config::{Form, OwnConfig};
use super::context::Context;
use super::layout::exists;
use super::sequences::Sequences;
use super::{arrays, csv, csv_numbers};
use barnowl_base::error::{Error, Result};
use std::path::Path;

/// Reads the sequences of a part.
pub(super) fn read(
    folder: &Path,
    part: &str,
    form: Form,
    context: &Context<'_>,
) -> Result<Sequences> {
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

/// Refuses columns to be left out that are in no table.
pub(super) fn check_ignored(config: &OwnConfig, sequences: &Sequences, part: &Path) -> Result<()> {
    let is_there = |name: &&String| sequences.left_out.contains(*name);
    match config.ignore.iter().find(|name| !is_there(name)) {
        None => Ok(()),
        Some(absent) => Err(Error::setting("dataset.ignore", &config.ignore)
            .in_file(part)
            .expected(format!("names of columns, and no table has a column {absent}"))
            .remedy(format!("the channels are {}", sequences.channel_names.join(", ")))),
    }
}

//! Numbers that are to be found in tables: at every step, a column each.

use super::context::Context;
use super::csv::{Reader, channels_of};
use super::layout::files_without_classes;
use super::number;
use super::sequences::Sequences;
use super::table::Table;
use barnowl_base::error::{Error, Result};
use std::path::Path;

/// Reads the tables of a part.
pub(super) fn read(folder: &Path, context: &Context<'_>) -> Result<Sequences> {
    let group = context.group_column();
    let mut reader = Reader::new(context);
    let mut wanted = context.names.to_vec();
    let mut all = Vec::new();
    let mut in_folders = false;
    for path in files_without_classes(folder, "csv")? {
        let mut table = reader.table(&path)?;
        let at_top = |error: Error| error.in_file(&path).at_line(1);
        let found = context.target_columns(&table.names).map_err(at_top)?;
        if wanted.is_empty() {
            wanted.clone_from(&found);
        }
        let others =
            if context.names.is_empty() { "the other files have" } else { "in the training data" };
        number::places(&found, &wanted, others).map_err(at_top)?;
        all.push(numbers_of(&table, &path, &wanted, context)?);
        table.leave_out(&wanted);
        if channels_of(&table, group).is_empty() {
            return Err(at_top(Error::format("there is no channel"))
                .expected(format!("columns beside {}, to find it from", wanted.join(", "))));
        }
        in_folders |= path.parent() != Some(folder);
        reader.push(&table, path, group)?;
    }
    let mut sequences = reader.finish();
    sequences.numbers = all;
    sequences.per_step = true;
    if in_folders {
        sequences.notes.push(format!(
            "the names of folders say nothing: what is to be found stands in {}",
            wanted.join(", ")
        ));
    }
    sequences.class_names = wanted;
    Ok(sequences)
}

/// The numbers `[T, K]` of a table.
fn numbers_of(
    table: &Table,
    path: &Path,
    wanted: &[String],
    context: &Context<'_>,
) -> Result<Vec<f32>> {
    // In range: the names are those of the table.
    let places: Vec<usize> = wanted.iter().filter_map(|name| table.column(name)).collect();
    let number = |(line, row): &(usize, Vec<String>), column: usize| {
        table.target(path, *line, column, &row[column], context.no_label)
    };
    let rows = table.rows.iter();
    rows.flat_map(|row| places.iter().map(move |column| number(row, *column))).collect()
}

/// What is to be found in the first table of a part, and the names of its channels.
pub(super) fn columns(folder: &Path, context: &Context<'_>) -> Result<(Vec<String>, Vec<String>)> {
    let Some(path) = files_without_classes(folder, "csv")?.into_iter().next() else {
        return Ok((Vec::new(), Vec::new()));
    };
    let mut table = Reader::new(context).table(&path)?;
    let found = context.target_columns(&table.names);
    let found = found.map_err(|error| error.in_file(&path).at_line(1))?;
    table.leave_out(&found);
    let channels = channels_of(&table, context.group_column());
    Ok((found, channels))
}

//! Tables of numbers: a sequence a file, a step a line, a channel a column.

use super::context::Context;
use super::groups::Groups;
use super::labels::{Classes, other_order, taken_for_none};
use super::layout;
use super::sequences::Sequences;
use super::table::Table;
use super::target_kind::is_target;
use barnowl_base::error::{Error, Result};
use barnowl_base::words::{agreeing, counted};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The column of labels.
const LABEL: &str = "label";

/// The class that the folder of a file names, and its labels by line, if it has any.
type Labels = (Option<u16>, Vec<(usize, String)>);

/// Reads the tables of a part.
pub(super) fn read(folder: &Path, context: &Context<'_>) -> Result<Sequences> {
    let files = layout::files(folder, context.names, "csv")?;
    let of_group = context.group_column();
    let mut reader = Reader::new(context);
    let mut labels: Vec<Labels> = Vec::new();
    for (path, class) in files {
        let table = reader.table(&path)?;
        let label = table.column(LABEL);
        if label.is_none() && class.is_none() {
            return Err(Error::format(format!(
                "there is no label: the columns are {}",
                table.names.join(", ")
            ))
            .in_file(&path)
            .expected(
                "a file in the folder of its class, such as train/walking/1.csv, or a column label",
            ));
        }
        if let Some(first) = labels.first()
            && first.1.is_empty() == label.is_some()
        {
            return Err(Error::format("some files have a column label, and others have none")
                .in_file(&path)
                .expected("a class a step in all files, or one a file in all"));
        }
        let texts = label.map(|column| {
            table.rows.iter().map(|(line, row)| (*line, row[column].clone())).collect()
        });
        labels.push((class, texts.unwrap_or_default()));
        reader.push(&table, path, of_group)?;
    }
    let mut sequences = reader.finish();
    sequences.per_step = labels.first().is_some_and(|(_, texts)| !texts.is_empty());
    let texts = labels.iter().flat_map(|(_, texts)| texts.iter().map(|(_, text)| text.as_str()));
    sequences.notes.extend(taken_for_none(context, texts.clone()));
    let is_number = |text: &str| text.parse::<f64>().is_ok_and(|number| number >= 0.0);
    if texts.clone().any(is_number) && !context.names.iter().any(|name| is_number(name)) {
        sequences.notes.extend(other_order(context.listed, context.names));
    }
    let classes = Classes::of(context, texts);
    for ((class, texts), path) in labels.iter().zip(&sequences.places) {
        let class_of = |(line, text): &(usize, String)| {
            classes
                .class(text, context.no_label)
                .map_err(|error| error.in_file(path).at_line(*line))
        };
        sequences.classes.push(match sequences.per_step {
            true => texts.iter().map(class_of).collect::<Result<_>>()?,
            false => class.iter().copied().collect(),
        });
    }
    sequences.are_listed = !context.listed.is_empty() || matches!(classes, Classes::Numbered);
    if let (Classes::Named { names, .. }, true) = (classes, context.names.is_empty()) {
        sequences.class_names = names;
    }
    Ok(sequences)
}

/// Reads a table whose labels, if it has any, are not wanted.
pub(super) fn read_unlabelled(
    path: &Path,
    context: &Context<'_>,
    group: Option<&Groups>,
) -> Result<Sequences> {
    let mut reader = Reader::new(context);
    let group = match group {
        Some(Groups::Column(name)) => Some(name.as_str()),
        _ => None,
    };
    let mut table = reader.table(path)?;
    if context.targets.is_real() {
        let wanted = table.names.iter().filter(|name| context.is_wanted(name));
        let wanted: Vec<String> = wanted.cloned().collect();
        table.leave_out(&wanted);
    }
    reader.push(&table, path.to_path_buf(), group)?;
    Ok(reader.finish())
}

/// The names of the channels of the first table of a part.
pub(super) fn channels(folder: &Path, context: &Context<'_>) -> Result<Vec<String>> {
    match layout::files(folder, context.names, "csv")?.first() {
        Some((path, _)) => {
            let table = Reader::new(context).table(path)?;
            Ok(channels_of(&table, context.group_column()))
        }
        None => Ok(Vec::new()),
    }
}

pub(super) fn channels_of(table: &Table, group: Option<&str>) -> Vec<String> {
    let is_channel = |name: &&String| *name != LABEL && Some(name.as_str()) != group;
    table.names.iter().filter(is_channel).cloned().collect()
}

/// Puts tables together whose columns are the same, in whatever order.
pub(super) struct Reader<'a> {
    sequences: Sequences,
    notes: BTreeSet<String>,
    /// How many files had their columns in another order.
    reordered: usize,
    context: &'a Context<'a>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(context: &'a Context<'a>) -> Self {
        let sequences =
            Sequences { channel_names: context.channels.to_vec(), ..Sequences::default() };
        Self { sequences, notes: BTreeSet::new(), reordered: 0, context }
    }

    /// A table with values, without the columns that are no channels.
    pub(super) fn table(&mut self, path: &Path) -> Result<Table> {
        let mut table = Table::read(path)?;
        if table.rows.is_empty() {
            return Err(Error::format("there is nothing below the names of the columns")
                .in_file(path)
                .expected("a line for every step"));
        }
        self.sequences.left_out.extend(table.leave_out(self.context.ignore));
        Ok(table)
    }

    pub(super) fn push(&mut self, table: &Table, path: PathBuf, group: Option<&str>) -> Result<()> {
        let found = channels_of(table, group);
        if self.sequences.channel_names.is_empty() {
            self.sequences.channel_names.clone_from(&found);
        }
        let wanted = &self.sequences.channel_names;
        let lacks = |all: &[String], some: &[String]| -> Vec<String> {
            some.iter().filter(|name| !all.contains(name)).cloned().collect()
        };
        let (missing, more) = (lacks(&found, wanted), lacks(wanted, &found));
        if !missing.is_empty() || !more.is_empty() {
            let others = self.context.others();
            let error = Error::format(format!("the columns are {}", table.names.join(", ")))
                .in_file(&path)
                .at_line(1)
                .expected(format!("{}, as in {others}, in any order", wanted.join(", ")));
            return Err(match missing.is_empty() {
                true => error.remedy(self.context.leaving_out(&more)),
                false => error,
            });
        }
        self.reordered += usize::from(found != *wanted);
        // In range: the names are those of the table.
        let places: Vec<usize> = wanted.iter().filter_map(|name| table.column(name)).collect();
        let mut values = Vec::with_capacity(table.rows.len() * places.len());
        for (line, row) in &table.rows {
            for &column in &places {
                let number = table.number(&path, *line, column, &row[column]);
                values.push(number.map_err(|error| self.context.explain(error, table, column))?);
            }
        }
        if let Some(groups) = self.context.groups {
            self.sequences.groups.push(groups.of_table(table, &path)?);
        }
        self.sequences.channels = places.len();
        self.sequences.values.push(values);
        self.sequences.places.push(path);
        self.notes.extend(table.notes.iter().cloned());
        Ok(())
    }

    pub(super) fn finish(self) -> Sequences {
        let mut sequences = self.sequences;
        sequences.notes.extend(self.notes);
        if !sequences.left_out.is_empty() {
            let names: Vec<&str> = sequences.left_out.iter().map(String::as_str).collect();
            let note =
                format!("columns that are left out, as dataset.ignore says: {}", names.join(", "));
            sequences.notes.push(note);
        }
        if self.context.channels.is_empty() {
            let doubts = sequences.channel_names.iter().filter_map(|name| self.context.doubt(name));
            let doubts: Vec<String> = doubts.collect();
            sequences.notes.extend(doubts);
        }
        if self.reordered > 0 {
            sequences.notes.push(format!(
                "{} {} columns in another order, which are read by name, as {}",
                counted(self.reordered, "file"),
                agreeing(self.reordered, "has its", "have their"),
                sequences.channel_names.join(", ")
            ));
        }
        sequences
    }
}

/// What columns are called that count steps, and that say whose a sequence is.
const COUNTS: [&str; 8] =
    ["time", "timestamp", "seconds", "index", "step", "frame", "sample", "row"];
const OWNERS: [&str; 7] = ["subject", "participant", "person", "user", "patient", "session", "id"];

impl Groups {
    /// The group of a table.
    ///
    /// # Errors
    ///
    /// If it has none, or several.
    fn of_table(&self, table: &Table, path: &Path) -> Result<String> {
        let Self::Column(name) = self else {
            return self.of_name(path);
        };
        let Some(column) = table.column(name) else {
            return Err(Error::format(format!("there is no column {name}"))
                .in_file(path)
                .at_line(1)
                .expected(format!("a column {name}, as dataset.groups says"))
                .remedy(format!("the columns are {}", table.names.join(", "))));
        };
        let mut rows = table.rows.iter();
        let first = rows.next().map(|(_, row)| row[column].clone()).unwrap_or_default();
        match rows.find(|(_, row)| row[column] != first) {
            None => Ok(first),
            Some((line, row)) => {
                Err(Error::format(format!("{name} is {:?} and was {first:?}", row[column]))
                    .in_file(path)
                    .at_line(*line)
                    .expected("one group a file"))
            }
        }
    }
}

impl Context<'_> {
    /// Where the columns are known from.
    fn others(&self) -> &'static str {
        if self.channels.is_empty() { "the other files" } else { "the training data" }
    }

    /// How columns are left out beside those that are.
    fn leaving_out(&self, names: &[String]) -> String {
        format!(
            "if {} no {}: {}",
            names.join(", ") + agreeing(names.len(), " is", " are"),
            agreeing(names.len(), "channel, leave it out", "channels, leave them out"),
            self.ignoring(names)
        )
    }

    /// What to say of a channel that is likely none.
    fn doubt(&self, name: &str) -> Option<String> {
        let plain = name.to_lowercase();
        let plain = plain.trim_end_matches("_id");
        let owner = OWNERS.contains(&plain);
        let names = [name.to_owned()];
        if is_target(name) && !self.targets.is_real() {
            return Some(format!(
                "the column {name} is read as a channel; if it is what is to be found, set dataset.targets = \"values\"; {}",
                self.leaving_out(&names)
            ));
        }
        (owner || COUNTS.contains(&plain)).then(|| {
            format!(
                "the column {name} is read as a channel; {}{}",
                self.leaving_out(&names),
                if owner { Self::as_group(name) } else { String::new() }
            )
        })
    }

    fn as_group(name: &str) -> String {
        format!("; if it says whose a sequence is, set dataset.groups = {name:?}")
    }

    /// What to do about a column in which something else than numbers stands.
    fn explain(&self, error: Error, table: &Table, column: usize) -> Error {
        if !self.channels.is_empty() {
            return error;
        }
        let name = &table.names[column];
        let names = std::slice::from_ref(name);
        error.or_remedy(self.leaving_out(names) + &Self::as_group(name))
    }
}

//! Tables of numbers: a sequence a file, a step a line, a channel a column.

use super::Sequences;
use crate::error::{Error, Result};
use crate::file;
use std::path::Path;

pub(super) fn read(folder: &Path, names: &[String]) -> Result<Sequences> {
    let mut sequences = Sequences::default();
    let mut header: Option<(Vec<String>, bool)> = None;
    for (path, class) in super::files(folder, names, "csv")? {
        let table = Table::read(&path)?;
        if table.rows.is_empty() {
            return Err(Error::format("there is nothing below the names of the columns")
                .in_file(&path)
                .expected("a line for every step"));
        }
        let label = table.names.iter().position(|name| name == "label");
        let found = (table.names.clone(), label.is_some());
        let (expected, per_step) = header.get_or_insert(found);
        if *expected != table.names {
            return Err(Error::format(format!("the columns are {}", table.names.join(", ")))
                .in_file(&path)
                .at_line(1)
                .expected(format!("{}, as in the other files", expected.join(", "))));
        }
        let mut classes = Vec::new();
        if !*per_step {
            classes.push(class.ok_or_else(|| {
                Error::format("there is no label").in_file(&path).expected(
                    "a file in the folder of its class, such as train/walking/1.csv, or a column label",
                )
            })?);
        }
        let mut values = Vec::new();
        for (line, row) in &table.rows {
            for (column, text) in row.iter().enumerate() {
                if Some(column) == label {
                    classes.push(
                        self::class(text, names)
                            .map_err(|error| error.in_file(&path).at_line(*line))?,
                    );
                } else {
                    values.push(table.number(&path, *line, column, text)?);
                }
            }
        }
        sequences.channels = table.names.len() - usize::from(label.is_some());
        sequences.per_step = *per_step;
        let most = classes.iter().map(|class| usize::from(*class) + 1).max();
        sequences.count = sequences.count.max(most.unwrap_or(0));
        sequences.values.push(values);
        sequences.classes.push(classes);
        sequences.places.push(path);
    }
    Ok(sequences)
}

/// A class by its name, else by its number.
fn class(text: &str, names: &[String]) -> Result<u16> {
    let named = names.iter().position(|name| name == text).map(|place| place as u16);
    let numbered = || text.parse().ok().filter(|class| usize::from(*class) < super::MOST_CLASSES);
    named.or_else(numbered).ok_or_else(|| {
        let error = Error::format(format!("the label is {text:?}"));
        match names.is_empty() {
            true => error
                .expected("a number from 0")
                .remedy("name the classes in classes.txt, a line each, to use names"),
            false => error.expected(format!("one of {}, or a number", names.join(", "))),
        }
    })
}

/// A file with a header, as text.
pub(super) struct Table {
    pub(super) names: Vec<String>,
    /// The number of the line, and what is in it.
    pub(super) rows: Vec<(usize, Vec<String>)>,
}

impl Table {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = file::read_text(path)?;
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let bad = |error: csv::Error| {
            let line = error.position().map_or(1, |position| position.line() as usize);
            Error::format(error.to_string())
                .in_file(path)
                .at_line(line)
                .expected("as many columns in every line as in the first, separated by commas")
        };
        let names: Vec<String> = reader.headers().map_err(bad)?.iter().map(str::to_owned).collect();
        if names.is_empty() || names.iter().all(|name| name.parse::<f64>().is_ok()) {
            return Err(Error::format("the first line names no columns")
                .in_file(path)
                .at_line(1)
                .expected("a name for every column, such as x,y,z"));
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(bad)?;
            let line = record.position().map_or(0, |position| position.line() as usize);
            rows.push((line, record.iter().map(str::to_owned).collect()));
        }
        Ok(Self { names, rows })
    }

    pub(super) fn number(
        &self,
        path: &Path,
        line: usize,
        column: usize,
        text: &str,
    ) -> Result<f32> {
        let number: Option<f32> = text.parse().ok().filter(|x: &f32| x.is_finite());
        number.ok_or_else(|| {
            Error::format(format!("{} is {text:?}", self.names[column]))
                .in_file(path)
                .at_line(line)
                .expected("a number")
        })
    }
}

//! Files `.ts` of the UCR/UEA archive of time series: a header of keys with `@`, then a series a line.
//!
//! A line is `dimension:dimension:…:label`, a dimension `value,value,…`. Sequences may be of any length. A dimension is a
//! channel. The label is a class, or, with `@targetLabel`, a number.

use super::common::LAYOUTS;
use super::config::{Missing, OwnConfig};
use super::no_label::NoLabel;
use super::number;
use super::sequences::Sequences;
use super::ts_header::{Endings, Header};
use crate::dataset::{Dataset, Known, Split};
use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use barnowl_base::nearest::nearest;
use barnowl_base::words::{agreeing, counted};
use std::path::{Path, PathBuf};

/// Reads one part of the data in `folder`; none if it is the validation part and not there.
pub(super) fn load(
    folder: &Path,
    split: Split,
    config: &OwnConfig,
    known: Known<'_>,
    listed: &[String],
) -> Result<Option<Dataset>> {
    let missing = config.missing.unwrap_or_default();
    let find = |split: Split| find(folder, split.name());
    let Some(path) = find(split)? else {
        return if split == Split::Valid { Ok(None) } else { Err(no_part(folder, split.name())) };
    };
    let read = |path: &Path| Series::read(path, Endings::Classes);
    let train = match known.classes {
        [] => {
            let path = find(Split::Train)?.ok_or_else(|| no_part(folder, "train"))?;
            Some(read(&path)?)
        }
        _ => None,
    };
    let names = match (known.classes, &train) {
        ([], Some(train)) if listed.is_empty() => train.classes.clone(),
        ([], Some(train)) => match train.classes.iter().find(|class| !listed.contains(class)) {
            None => listed.to_vec(),
            Some(class) => {
                return Err(Error::format(format!("@classLabel names the class {class}"))
                    .in_file(&train.path)
                    .expected(format!("one of {}, as classes.txt says", listed.join(", ")))
                    .remedy("add it to classes.txt, or take that file away: the header names the classes"));
            }
        },
        (classes, _) => classes.to_vec(),
    };
    let sequences = read(&path)?.sequences(Some(&names), missing)?;
    let own = || sequences.values.iter().map(|values| values.len() / sequences.channels).max();
    let steps = config.steps.or_else(own).unwrap_or(1);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    sequences.dataset(folder, &name, steps, names).map(Some)
}

/// Reads one part whose numbers are to be found, one a series; none if it is the validation part and not there.
pub(super) fn load_numbers(
    folder: &Path,
    split: Split,
    config: &OwnConfig,
    known: Known<'_>,
) -> Result<Option<Dataset>> {
    let Some(path) = find(folder, split.name())? else {
        return if split == Split::Valid { Ok(None) } else { Err(no_part(folder, split.name())) };
    };
    let series = Series::read(&path, Endings::Numbers)?;
    let mut sequences = series.sequences(None, config.missing.unwrap_or_default())?;
    sequences.numbers = series.numbers(config.no_label.as_ref())?;
    let plain = number::plain_names(1);
    let names = config.targets.columns().unwrap_or(&plain);
    let wanted = if known.classes.is_empty() { names } else { known.classes };
    let in_file = |error: Error| error.in_file(&path);
    number::places(names, wanted, "in the training data").map_err(in_file)?;
    sequences.class_names = names.to_vec();
    sequences.finish_numbers(config.steps).map_err(in_file)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let steps = config.steps.unwrap_or_else(|| sequences.longest());
    sequences.dataset(folder, &name, steps, names.to_vec()).map(Some)
}

/// Reads the series of a file, whose classes or numbers, if it has any, are not wanted.
pub(super) fn read_unlabelled(path: &Path, missing: Missing) -> Result<Sequences> {
    Series::read(path, Endings::Nothing)?.sequences(None, missing)
}

fn no_part(folder: &Path, part: &str) -> Error {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    Error::format(format!("there is no file of the part {part}"))
        .in_file(folder)
        .expected(format!("{name}_{}.ts, or {part}.ts", part.to_uppercase()))
        .remedy(LAYOUTS)
}

/// The file of a part: that with the name of the folder, if there are several.
fn find(folder: &Path, part: &str) -> Result<Option<PathBuf>> {
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let end = format!("_{part}");
    let found: Vec<PathBuf> = file::files(folder, "ts")?
        .into_iter()
        .filter(|path| !stem(path).starts_with('.'))
        .filter(|path| stem(path) == part || stem(path).ends_with(&end))
        .collect();
    if let [one] = found.as_slice() {
        return Ok(Some(one.clone()));
    }
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let wanted = format!("{}{end}", stem_of_folder(&whole));
    if let Some(path) = found.iter().find(|path| stem(path) == wanted) {
        return Ok(Some(path.clone()));
    }
    match found.as_slice() {
        [] => Ok(None),
        [first, second, ..] => Err(Error::format(format!(
            "there are {} and {}",
            first.file_name().unwrap_or_default().to_string_lossy(),
            second.file_name().unwrap_or_default().to_string_lossy()
        ))
        .in_file(folder)
        .expected("one file a part, or one that has the name of the folder")
        .remedy("put the files of each data set into a folder of their own")),
        [one] => Ok(Some(one.clone())),
    }
}

fn stem_of_folder(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// What a file holds.
struct Series {
    path: PathBuf,
    classes: Vec<String>,
    channels: usize,
    lines: Vec<Line>,
}

/// One series.
struct Line {
    number: usize,
    label: String,
    /// A vector a channel, all of the same length; NaN where a value is missing.
    values: Vec<Vec<f32>>,
}

impl Series {
    fn read(path: &Path, wanted: Endings) -> Result<Self> {
        Self::parse(path, &file::read(path)?, wanted).map_err(|error| error.in_file(path))
    }

    /// Series of which each line ends in what is wanted; if that is nothing, in a class, in a number or in none.
    fn parse(path: &Path, bytes: &[u8], wanted: Endings) -> Result<Self> {
        if bytes.contains(&0) {
            return Err(Error::format("the file is not text in UTF-8: it holds zeros")
                .remedy("save it as text in UTF-8"));
        }
        // Comments are in any encoding.
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_start_matches('\u{feff}');
        let (mut header, mut in_data) = (Header::default(), false);
        let mut series =
            Self { path: path.into(), classes: Vec::new(), channels: 0, lines: Vec::new() };
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') || line.starts_with('%') {
                continue;
            }
            let at_line = |error: Error| error.at_line(number);
            match line.strip_prefix('@') {
                Some(key) if key.trim().eq_ignore_ascii_case("data") => {
                    in_data = true;
                    header.check_end(wanted).map_err(at_line)?;
                    series.classes = header.classes.take().unwrap_or_default();
                }
                Some(key) if !in_data => {
                    header.take(key.trim()).map_err(at_line)?;
                    header.check(wanted).map_err(at_line)?;
                }
                _ if in_data => {
                    let with_label = !series.classes.is_empty() || header.with_numbers;
                    let line = Line::parse(line, number, with_label).map_err(at_line)?;
                    // Without its number, a line would lose its last dimension.
                    if header.with_numbers && line.label.contains(',') {
                        let found = format!("the line ends in {:?}", line.label);
                        return Err(at_line(Error::format(found))
                            .expected("a number after the last \":\", as @targetLabel says"));
                    }
                    series.add(line, &header).map_err(at_line)?;
                }
                _ => {
                    return Err(at_line(Error::format("there is no @data before the values"))
                        .expected("a header of lines that begin with @, then @data"));
                }
            }
        }
        if series.lines.is_empty() {
            return Err(Error::format("there are no series")
                .expected("@data, and a series a line below it"));
        }
        Ok(series)
    }

    /// Adds a series, if it is as the header and the others say.
    fn add(&mut self, line: Line, header: &Header) -> Result<()> {
        let dimensions = header.dimensions.or((header.univariate == Some(true)).then_some(1));
        let found = line.values.len();
        let expected = match self.lines.first() {
            Some(_) => self.channels,
            None => dimensions.unwrap_or(found),
        };
        if found != expected {
            return Err(Error::format(format!("the series has {}", counted(found, "dimension")))
                .expected(format!("{expected}, as the header or the first series says")));
        }
        let length = line.values[0].len();
        let first = self.lines.first().map(|first| first.values[0].len());
        let expected = header.length.or(first).filter(|_| header.equal_length);
        if let Some(expected) = expected.filter(|expected| *expected != length) {
            return Err(Error::format(format!("the series has {}", counted(length, "value")))
                .expected(format!("{expected}: @equalLength true"))
                .remedy("if series may differ, write @equalLength false"));
        }
        self.channels = found;
        self.lines.push(line);
        Ok(())
    }

    /// The series, with their classes if their names are given.
    fn sequences(&self, names: Option<&[String]>, missing: Missing) -> Result<Sequences> {
        self.check_missing(missing)?;
        let mut sequences = Sequences {
            channels: self.channels,
            names: (0..self.lines.len()).map(|place| place.to_string()).collect(),
            ..Sequences::default()
        };
        let (mut filled, mut shortened) = (0, 0);
        for line in &self.lines {
            let error =
                |problem: String| Error::format(problem).in_file(&self.path).at_line(line.number);
            if let Some(names) = names {
                let class = names.iter().position(|name| *name == line.label).ok_or_else(|| {
                    let error = error(format!("the label is {:?}", line.label))
                        .expected(format!("one of {}", names.join(", ")));
                    match nearest(&line.label, names.iter().map(String::as_str)) {
                        Some(meant) => error.remedy(format!("is {meant} meant?")),
                        None => error,
                    }
                })?;
                sequences.classes.push(vec![class as u16]);
            }
            let mut values = line.values.clone();
            let length = values.iter().filter_map(|channel| last_given(channel)).max();
            let Some(length) = length else {
                return Err(error("the series has no value that is not missing".into()));
            };
            shortened += usize::from(length < values[0].len());
            for (channel, values) in values.iter_mut().enumerate() {
                values.truncate(length);
                filled += interpolate(values).ok_or_else(|| {
                    error(format!("all values of dimension {} are missing", channel + 1))
                        .expected("at least one, to interpolate from")
                })?;
            }
            let rows = (0..length).flat_map(|step| values.iter().map(move |values| values[step]));
            sequences.values.push(rows.collect());
            sequences.places.push(self.path.clone());
        }
        if filled > 0 {
            let are = agreeing(filled, "is", "are");
            let values = counted(filled, "missing value");
            sequences.notes.push(format!("{values} {are} interpolated"));
        }
        if shortened > 0 {
            let note = "only missing values at the end, and ends before";
            let many = "only missing values at their end, and end before";
            let note = match shortened {
                1 => format!("1 series has {note}"),
                n => format!("{n} series have {many}"),
            };
            sequences.notes.push(note);
        }
        Ok(sequences)
    }

    /// The number that ends each line; NaN where it is not known.
    fn numbers(&self, no_label: Option<&NoLabel>) -> Result<Vec<Vec<f32>>> {
        let number = |line: &Line| {
            let text = line.label.as_str();
            if text == "?" || number::is_unknown(no_label, text) {
                return Ok(vec![f32::NAN]);
            }
            let number = text.parse().ok().and_then(|found| number::number(no_label, found));
            number.map(|number| vec![number]).ok_or_else(|| {
                Error::format(format!("the number to be found is {text:?}"))
                    .in_file(&self.path)
                    .at_line(line.number)
                    .expected("a number below 3e38, or ? where it is not known")
            })
        };
        self.lines.iter().map(number).collect()
    }

    fn check_missing(&self, missing: Missing) -> Result<()> {
        let count = |line: &Line| line.values.iter().flatten().filter(|x| x.is_nan()).count();
        let with = self.lines.iter().filter(|line| count(line) > 0).count();
        let Some((place, first)) = self.lines.iter().enumerate().find(|(_, line)| count(line) > 0)
        else {
            return Ok(());
        };
        if missing == Missing::Interpolate {
            return Ok(());
        }
        let all: usize = self.lines.iter().map(count).sum();
        Err(Error::format(format!(
            "{} of series {} {} missing; {all} of {with} series in all",
            counted(count(first), "value"),
            place + 1,
            agreeing(count(first), "is", "are")
        ))
        .in_file(&self.path)
        .at_line(first.number)
        .expected("no value ? or NaN")
        .remedy("set dataset.missing = \"interpolate\" to put them between their neighbours"))
    }
}

impl Line {
    fn parse(text: &str, number: usize, with_label: bool) -> Result<Self> {
        if text.starts_with('(') {
            return Err(Error::format("the values have time stamps")
                .expected("values at equal distances in time, without time stamps")
                .remedy("resample them at a fixed rate"));
        }
        let parts = if with_label { text.rsplit_once(':') } else { Some((text, "")) };
        let Some((dimensions, label)) = parts else {
            return Err(Error::format("the line has no \":\"")
                .expected("values, separated by commas, then : and the class or number"));
        };
        let dimension = |(place, text): (usize, &str)| {
            let value = |text: &str| match text.trim() {
                "?" => Ok(f32::NAN),
                text if text.eq_ignore_ascii_case("nan") => Ok(f32::NAN),
                text => text.parse().ok().filter(|x: &f32| x.is_finite()).ok_or_else(|| {
                    Error::format(format!("a value of dimension {} is {text:?}", place + 1))
                        .expected("a number, or ? where it is missing")
                }),
            };
            text.split(',').map(value).collect()
        };
        let values: Vec<Vec<f32>> =
            dimensions.split(':').enumerate().map(dimension).collect::<Result<_>>()?;
        let length = values[0].len();
        if let Some(other) = values.iter().position(|values| values.len() != length) {
            return Err(Error::format(format!(
                "dimension {} has {}",
                other + 1,
                counted(values[other].len(), "value")
            ))
            .expected(format!("{length}, as dimension 1 has")));
        }
        Ok(Self { number, label: label.trim().to_owned(), values })
    }
}

/// How many values there are up to the last one that is not missing; none if all are.
fn last_given(values: &[f32]) -> Option<usize> {
    values.iter().rposition(|value| !value.is_nan()).map(|last| last + 1)
}

/// Puts missing values between their neighbours and returns their number; none if all are missing.
fn interpolate(values: &mut [f32]) -> Option<usize> {
    let given: Vec<usize> = (0..values.len()).filter(|at| !values[*at].is_nan()).collect();
    let (first, last) = (*given.first()?, *given.last()?);
    let count = values.len() - given.len();
    let (start, end) = (values[first], values[last]);
    values[..first].fill(start);
    values[last..].fill(end);
    for pair in given.windows(2) {
        let (from, to) = (values[pair[0]], values[pair[1]]);
        let steps = (pair[1] - pair[0]) as f32;
        for at in pair[0] + 1..pair[1] {
            values[at] = from + (to - from) * ((at - pair[0]) as f32 / steps);
        }
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_put_between_their_neighbours() {
        let mut values = [f32::NAN, 1.0, f32::NAN, f32::NAN, 4.0, f32::NAN];
        assert_eq!(interpolate(&mut values), Some(4));
        assert_eq!(values, [1.0, 1.0, 2.0, 3.0, 4.0, 4.0]);
        assert_eq!(interpolate(&mut [f32::NAN; 3]), None);
        assert_eq!(last_given(&[1.0, f32::NAN]), Some(1));
    }
}

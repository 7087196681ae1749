//! Numbers that are to be found: what says that one is not known, what they are called, and the data set of them.

use super::labels::{NOTHING, NoLabel};
use super::sequences::Sequences;
use super::target_kind::{TARGET, twice};
use super::{Context, Form, OwnConfig, csv_numbers, exists};
use crate::dataset::{Dataset, Known, Split};
use barnowl_base::error::{Error, Result};
use barnowl_base::words::{agreeing, counted};
use std::path::Path;

/// A number as it is kept; NaN where it is not known. None if it is infinite, or too large for single precision.
pub(super) fn number(no_label: Option<&NoLabel>, number: f64) -> Option<f32> {
    let single = number as f32;
    // An array of single precision holds 99.9 as 99.90000153.
    let is =
        |unknown: f64| number == unknown || f64::from(single) == number && single == unknown as f32;
    let is_unknown = matches!(no_label, Some(NoLabel::Number(unknown)) if is(*unknown));
    match number.is_nan() || is_unknown {
        true => Some(f32::NAN),
        false => single.is_finite().then_some(single),
    }
}

/// Whether a text says that a number is not known.
pub(super) fn is_unknown(no_label: Option<&NoLabel>, text: &str) -> bool {
    let is_word = matches!(no_label, Some(NoLabel::Word(word)) if word == text);
    is_word || NOTHING.contains(&text.to_ascii_lowercase().as_str())
}

/// What so many numbers are called that have no names.
pub(super) fn plain_names(count: usize) -> Vec<String> {
    match count {
        1 => vec![TARGET.to_owned()],
        _ => (0..count).map(|place| place.to_string()).collect(),
    }
}

/// Where the numbers that are `found` stand among those that are `wanted`, by their names.
///
/// # Errors
///
/// If they are not the same; `others` are those that are wanted.
pub(super) fn places(found: &[String], wanted: &[String], others: &str) -> Result<Vec<usize>> {
    let place = |name: &String| found.iter().position(|other| other == name);
    let places: Option<Vec<usize>> = wanted.iter().map(place).collect();
    places.filter(|places| places.len() == found.len()).ok_or_else(|| {
        let are = agreeing(found.len(), "number to be found is", "numbers to be found are");
        Error::mismatch(format!("the {are} {}", found.join(", ")))
            .expected(format!("{}, as {others}", wanted.join(", ")))
    })
}

/// Refuses names of numbers that are empty, or there twice.
pub(super) fn check_names(names: &[String]) -> Result<()> {
    if names.iter().any(|name| name.trim().is_empty()) {
        return Err(Error::format("the name of a number to be found is empty").expected("a name"));
    }
    match twice(names) {
        None => Ok(()),
        Some(name) => Err(Error::format(format!("two numbers to be found are called {name}"))
            .expected("a name of its own for each")),
    }
}

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
    let mut sequences = super::read(folder, part, config.form, &context)?;
    let place = folder.join(part);
    if split == Split::Train {
        super::check_ignored(config, &sequences, &place)?;
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
    let read = super::read(folder, train, form, context)?;
    Ok(Training { names: read.class_names, channels: Vec::new(), per_step: Some(read.per_step) })
}

impl Sequences {
    /// Leaves out what cannot be learned from, and says how much is not known. Numbers after so many steps do not count.
    ///
    /// # Errors
    ///
    /// If no number is known.
    pub(super) fn finish_numbers(&mut self, steps: Option<usize>) -> Result<()> {
        if let Some(steps) = steps.filter(|_| self.per_step) {
            let count = self.class_names.len();
            self.numbers.iter_mut().for_each(|numbers| numbers.truncate(steps * count));
        }
        self.drop_unlabelled();
        if self.values.is_empty() {
            return Err(Error::format("no number that is to be found is known")
                .expected("one in some sequence, at least"));
        }
        let all = || self.numbers.iter().flatten();
        let unknown = all().filter(|number| number.is_nan()).count();
        if unknown > 0 {
            self.notes.push(format!(
                "{unknown} of {} to be found {} not known, and {} nowhere",
                counted(all().count(), "number"),
                agreeing(unknown, "is", "are"),
                agreeing(unknown, "counts", "count")
            ));
        }
        self.notes.extend(self.copies());
        Ok(())
    }

    /// What to say of numbers that are read as a channel too, step by step: such a network would learn to copy.
    fn copies(&self) -> Vec<String> {
        if !self.per_step {
            return Vec::new();
        }
        let (count, channels) = (self.class_names.len(), self.channels);
        let is_copy = |place: usize, channel: usize| {
            let rows = self.values.iter().zip(&self.numbers).flat_map(|(values, numbers)| {
                let numbers = numbers.iter().skip(place).step_by(count);
                numbers.zip(values.iter().skip(channel).step_by(channels))
            });
            let mut known = rows.filter(|(number, _)| !number.is_nan());
            let first = known.clone().next().map(|(number, _)| *number);
            // A channel that never changes tells nothing.
            let changes = || known.clone().any(|(number, _)| Some(*number) != first);
            changes() && known.all(|(number, value)| number == value)
        };
        let name = |channel: usize| match self.channel_names.get(channel) {
            Some(name) => name.clone(),
            None => channel.to_string(),
        };
        let pairs = (0..count).flat_map(|place| (0..channels).map(move |channel| (place, channel)));
        let note = |(place, channel): (usize, usize)| {
            format!(
                "{} is to be found, and is the same as the channel {} at every step: it is read, and need not be found",
                self.class_names[place],
                name(channel)
            )
        };
        pairs.filter(|(place, channel)| is_copy(*place, *channel)).map(note).collect()
    }

    /// Puts the numbers into another order, by their names.
    ///
    /// # Errors
    ///
    /// If the names are not the same; `others` are those that are wanted.
    pub(super) fn reorder_numbers(&mut self, wanted: &[String], others: &str) -> Result<()> {
        let places = places(&self.class_names, wanted, others)?;
        if self.class_names != wanted {
            for numbers in &mut self.numbers {
                for row in numbers.chunks_exact_mut(places.len()) {
                    let before = row.to_vec();
                    row.iter_mut().zip(&places).for_each(|(to, from)| *to = before[*from]);
                }
            }
            self.notes.push(format!(
                "the numbers to be found are put into the order {}",
                wanted.join(", ")
            ));
            self.class_names = wanted.to_vec();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_no_number() {
        let of = |unknown: f64, x| number(Some(&NoLabel::Number(unknown)), x);
        assert!(number(None, f64::NAN).is_some_and(f32::is_nan));
        assert_eq!(number(None, -1.0), Some(-1.0), "−1 is a number");
        assert_eq!([number(None, f64::INFINITY), number(None, 1e300)], [None, None]);
        assert!(of(99.9, 99.9).is_some_and(f32::is_nan));
        assert!(of(99.9, f64::from(99.9_f32)).is_some_and(f32::is_nan));
        assert_eq!(of(99.9, 99.91), Some(99.91));
        let word = NoLabel::Word("?".into());
        assert!(is_unknown(Some(&word), "?") && !is_unknown(None, "?"));
        assert!(is_unknown(None, "") && is_unknown(None, "NaN") && !is_unknown(None, "-1"));
    }
}

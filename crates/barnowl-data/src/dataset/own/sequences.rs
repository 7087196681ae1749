//! Sequences of different lengths, between the files that they are read from and a data set.

use super::common::{MOST_VALUES, origin, too_many};
use super::layout::relative;
use crate::dataset::{Dataset, Ends, Inputs, Targets, UNLABELLED};
use barnowl_base::error::{Error, Result};
use barnowl_base::words::counted;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Sequences of different lengths, as a form has read them.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    pub(super) channels: usize,
    /// The names of the channels, in the order of the values; none where the form has none.
    pub(super) channel_names: Vec<String>,
    /// Values `[T, C]` of each.
    pub(super) values: Vec<Vec<f32>>,
    /// The class of each, or of each step; [`UNLABELLED`] where it is not known.
    pub(super) classes: Vec<Vec<u16>>,
    /// The numbers that are to be found, `[K]` of each, or `[T, K]`; NaN where one is not known. None where classes are.
    pub(super) numbers: Vec<Vec<f32>>,
    pub(super) per_step: bool,
    /// The file of each, for messages.
    pub(super) places: Vec<PathBuf>,
    /// What each is called in predictions; none where it is its file.
    pub(super) names: Vec<String>,
    /// The group of each, such as a subject; none where there are no groups.
    pub(super) groups: Vec<String>,
    /// Columns that were left out since they are no channels.
    pub(super) left_out: BTreeSet<String>,
    /// How they end, where the form says it.
    pub(super) ends: Option<Ends>,
    /// What was left out, cut or merged, and why.
    pub(super) notes: Vec<String>,
    /// Whether a number stands for a class by its place, since the classes are listed or are numbers.
    pub(super) are_listed: bool,
    /// The names of the classes, if the data name them, or of the numbers that are to be found.
    pub(super) class_names: Vec<String>,
}

impl Sequences {
    /// Adds the sequences of another file.
    pub(super) fn append(&mut self, other: Self) -> Result<()> {
        if self.values.is_empty() {
            let notes = std::mem::take(&mut self.notes);
            *self = other;
            self.notes.splice(0..0, notes);
            return Ok(());
        }
        if (self.channels, &self.channel_names) != (other.channels, &other.channel_names) {
            let of = |s: &Self| match s.channel_names.is_empty() {
                true => counted(s.channels, "channel"),
                false => format!("the channels {}", s.channel_names.join(", ")),
            };
            return Err(Error::mismatch(format!("the file has {}", of(&other))).expected(of(self)));
        }
        self.values.extend(other.values);
        self.places.extend(other.places);
        self.names.extend(other.names);
        self.notes.extend(other.notes);
        Ok(())
    }

    /// Steps of the longest.
    pub(super) fn longest(&self) -> usize {
        self.values.iter().map(|values| values.len() / self.channels).max().unwrap_or(0)
    }

    /// The file that labels stand in, for messages.
    pub(super) fn place(&self, folder: &Path, part: &str) -> PathBuf {
        match self.places.first() {
            Some(first) if self.places.iter().all(|place| place == first) => first.clone(),
            _ => folder.join(part),
        }
    }

    /// Puts the channels into another order, by their names.
    ///
    /// # Errors
    ///
    /// If the names are not the same.
    pub(super) fn reorder(&mut self, wanted: &[String]) -> Result<()> {
        let places: Option<Vec<usize>> = wanted
            .iter()
            .map(|name| self.channel_names.iter().position(|found| found == name))
            .collect();
        let Some(places) = places.filter(|places| places.len() == self.channel_names.len()) else {
            return Err(Error::mismatch(format!(
                "the channels are {}",
                self.channel_names.join(", ")
            ))
            .expected(format!("those of the model: {}", wanted.join(", "))));
        };
        if self.channel_names != wanted {
            for values in &mut self.values {
                for row in values.chunks_exact_mut(places.len()) {
                    let before = row.to_vec();
                    row.iter_mut().zip(&places).for_each(|(to, from)| *to = before[*from]);
                }
            }
            self.notes.push(format!("the channels are put into the order {}", wanted.join(", ")));
            self.channel_names = wanted.to_vec();
        }
        Ok(())
    }

    /// Leaves sequences out that have no label at all, or no number that is known: nothing can be learned from them, nor judged
    /// by them.
    pub(super) fn drop_unlabelled(&mut self) {
        let are_numbers = !self.numbers.is_empty();
        let labelled: Vec<bool> = match are_numbers {
            true => self.numbers.iter().map(|all| all.iter().any(|x| !x.is_nan())).collect(),
            false => {
                let is_labelled =
                    |classes: &Vec<u16>| classes.iter().any(|class| *class != UNLABELLED);
                self.classes.iter().map(is_labelled).collect()
            }
        };
        let count = labelled.iter().filter(|labelled| !**labelled).count();
        if count == 0 {
            return;
        }
        fn keep<T>(all: &mut Vec<T>, which: &[bool]) {
            let mut which = which.iter();
            // As many as there are, or none.
            all.retain(|_| which.next().copied().unwrap_or(true));
        }
        keep(&mut self.values, &labelled);
        keep(&mut self.classes, &labelled);
        keep(&mut self.numbers, &labelled);
        keep(&mut self.places, &labelled);
        keep(&mut self.names, &labelled);
        keep(&mut self.groups, &labelled);
        let what = if are_numbers { "number that is known" } else { "label" };
        self.notes.push(match count {
            1 => format!("1 sequence has no {what} and is left out"),
            n => format!("{n} sequences have no {what} and are left out"),
        });
    }

    /// The targets of sequences of one length.
    fn targets(&mut self, steps: usize, names: &[String]) -> Result<Targets> {
        if !self.numbers.is_empty() {
            let mut all = Vec::new();
            for mut numbers in std::mem::take(&mut self.numbers) {
                if self.per_step {
                    numbers.resize(steps * names.len(), f32::NAN);
                }
                all.extend(numbers);
            }
            return Ok(match self.per_step {
                true => Targets::ValuesPerStep(all),
                false => Targets::ValuesPerSequence(all),
            });
        }
        let mut all = Vec::new();
        for (mut classes, place) in std::mem::take(&mut self.classes).into_iter().zip(&self.places)
        {
            let is_other =
                |class: &&u16| **class != UNLABELLED && usize::from(**class) >= names.len();
            if let Some(class) = classes.iter().find(is_other) {
                return Err(Error::format(format!("a label is {class}"))
                    .in_file(place)
                    .expected(format!("0 to {}", names.len() - 1)));
            }
            if self.per_step {
                classes.resize(steps, UNLABELLED);
            }
            all.extend(classes);
        }
        Ok(if self.per_step { Targets::PerStep(all) } else { Targets::PerSequence(all) })
    }

    /// All of the same length.
    pub(super) fn dataset(
        mut self,
        folder: &Path,
        part: &str,
        steps: usize,
        names: Vec<String>,
    ) -> Result<Dataset> {
        // Numbers at every step may be more than the values that they are found from.
        let numbers = if self.numbers.is_empty() || !self.per_step { 0 } else { names.len() };
        let width = self.channels.max(numbers);
        let size = self.values.len().checked_mul(steps).and_then(|rows| rows.checked_mul(width));
        if size.is_none_or(|size| size > MOST_VALUES) {
            let sequences = format!(
                "{} of {} and {}",
                counted(self.values.len(), "sequence"),
                counted(steps, "step"),
                counted(width, if width > self.channels { "number" } else { "channel" })
            );
            return Err(too_many(&folder.join(part), sequences, "values"));
        }
        let targets = self.targets(steps, &names)?;
        let Self { channels, channel_names, values, places, names: called, .. } = self;
        let samples = values.len();
        let lengths: Vec<usize> =
            values.iter().map(|values| (values.len() / channels).clamp(1, steps)).collect();
        let called = match called.is_empty() {
            true => places.iter().map(|place| relative(place, &folder.join(part))).collect(),
            false => called,
        };
        let (mut all, mut cut, mut filled) = (Vec::new(), 0, 0);
        for mut values in values {
            cut += usize::from(values.len() > steps * channels);
            filled += usize::from(values.len() < steps * channels);
            values.resize(steps * channels, 0.0);
            all.extend(values);
        }
        let origin = origin(folder, part, [samples, steps], [cut, filled]);
        let shape = [samples, steps, channels];
        // Spikes are kept as events.
        let data = if all.iter().all(|x| [-1.0, 0.0, 1.0].contains(x)) {
            let spikes: Vec<i8> = all.iter().map(|x| *x as i8).collect();
            Dataset::from_spikes(shape, names, &spikes, targets, origin)
        } else {
            Dataset::new(shape, names, Inputs::Real(all), targets, origin)
        };
        let described = |data: Dataset| {
            let mut data = data
                .with_lengths(&lengths)?
                .with_sequence_names(called)?
                .with_listed_classes(self.are_listed)
                .with_ends(self.ends);
            if !channel_names.is_empty() {
                data = data.with_channel_names(channel_names)?;
            }
            if !self.groups.is_empty() {
                data = data.with_groups(&self.groups)?;
            }
            Ok(self.notes.into_iter().fold(data, Dataset::with_note))
        };
        data.and_then(described).map_err(|error: Error| error.in_file(folder.join(part)))
    }
}

//! Sequences with numbers that are to be found.

use super::number::places;
use super::sequences::Sequences;
use barnowl_base::error::{Error, Result};
use barnowl_base::words::{agreeing, counted};

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

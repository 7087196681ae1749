//! The parts of a task's data: what a run trains on, validates with and tests with, and the same for a model later on.

use super::{Split, TaskConfig};
use crate::dataset::{DataCard, Dataset, Known};
use crate::error::{Error, Result};
use crate::objective::Answer;
use crate::recipe::TrainConfig;
use std::path::Path;

/// The data of a run.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What the weights are trained on.
    pub train: Dataset,
    /// What the epoch is chosen by.
    pub valid: Dataset,
    /// What is reported, if it was wanted.
    pub test: Option<Dataset>,
    /// What a model will remember of them.
    pub card: DataCard,
}

impl TaskConfig {
    /// The training and validation data: the data set's own parts, or a split of its training part.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, or do not fit the network.
    pub fn training_data(&self, data: Option<&Path>) -> Result<(Dataset, Dataset)> {
        let prepared = self.prepare(data, false)?;
        Ok((prepared.train, prepared.valid))
    }

    /// The training part without the fold or the group that is held out, and what is held out; none where nothing is.
    fn hold_out(&self, train: &Dataset) -> Result<Option<(Dataset, Dataset)>> {
        let TrainConfig { fold, leave_out, split_seed, .. } = &self.train;
        match (fold, leave_out) {
            (Some(fold), _) => train.hold_out(*fold, *split_seed).map(Some),
            (None, Some(group)) => train.leave_out(group).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The names of the groups of the training part, such as its subjects.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, or have no groups.
    pub fn groups(&self, data: Option<&Path>) -> Result<Vec<String>> {
        let train = self.raw_part(data, Split::Train, Known::default())?;
        match train.groups() {
            Some(_) => Ok(train.group_names().to_vec()),
            None => Err(Error::mismatch(format!(
                "{} does not say which group its sequences are of",
                self.dataset.source()
            ))
            .expected("a group, such as the subject, for every sequence")
            .remedy(
                "say which subject or group each sequence is of, or use `barnowl study folds`",
            )),
        }
    }

    /// One part of the data, normalized as the task says by the training data.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, or do not fit the network.
    pub fn data(&self, data: Option<&Path>, split: Split) -> Result<Dataset> {
        let is_scaled = self.dataset.is_normalized() || self.normalizes_targets();
        if split == Split::Test && !is_scaled && !self.train.holds_out() {
            return self.raw_part(data, split, Known::default());
        }
        let prepared = self.prepare(data, split == Split::Test)?;
        Ok(match split {
            Split::Train => prepared.train,
            Split::Valid => prepared.valid,
            // Asked for, so there.
            Split::Test => prepared.test.unwrap_or(prepared.valid),
        })
    }

    /// The data of a run: to train on, to validate with and, if wanted, to test with, and the card by which a model will know
    /// them again.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, or do not fit the network.
    pub fn prepare(&self, data: Option<&Path>, with_test: bool) -> Result<Prepared> {
        let whole = self.raw_part(data, Split::Train, Known::default())?;
        let mut card = DataCard::of(&whole, self.sampling_rate());
        let (whole, held_out) = match self.hold_out(&whole)? {
            Some((rest, out)) => (rest, Some(out)),
            None => (whole, None),
        };
        // A validation part of the data set's own may share groups with what is held out.
        let valid = match held_out {
            Some(_) => None,
            None => self.read(data, Split::Valid, card.known())?,
        };
        if let Some(valid) = &valid {
            self.check(valid)?;
            card = card.with(Split::Valid, valid);
        }
        let test = match (with_test, held_out) {
            (true, None) => {
                let test = self.raw_part(data, Split::Test, card.known())?;
                card = card.with(Split::Test, &test);
                Some(test)
            }
            (true, held_out) => held_out,
            (false, _) => None,
        };
        if let Some(test) = &test {
            // Said now, and not after the training.
            let check = self.network.check_labelled(test);
            check.map_err(|error| error.during("the test data"))?;
            card.count_repeated(Split::Test, test, &whole);
        }
        let (train, valid) = match valid {
            Some(valid) => (whole, valid),
            None => whole.split(self.train.validation, self.train.split_seed)?,
        };
        card.count_repeated(Split::Valid, &valid, &train);
        card.normalization = train.fit_normalization(self.dataset.normalize(&train));
        let normal = |data: Dataset| match &card.normalization {
            Some(by) => data.normalized(by),
            None => Ok(data),
        };
        card.target_normalization = match self.normalizes_targets() {
            true => train.fit_target_normalization(),
            false => None,
        };
        let by = card.target_normalization.as_ref();
        let scaled = |data: Dataset| match by {
            Some(by) => normal(data)?.with_normalized_targets(by),
            None => normal(data),
        };
        let test = test.map(scaled).transpose()?;
        Ok(Prepared { train: scaled(train)?, valid: scaled(valid)?, test, card })
    }

    /// A part of the data as a model with this card is to read it, and in what it differs from the data that the model was trained
    /// on: in words, none if it is the same. With `other`, data whose classes or channels have other names are read as they come.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, or do not fit the network.
    pub fn part_of(
        &self,
        card: &DataCard,
        folder: Option<&Path>,
        split: Split,
        other: bool,
    ) -> Result<(Dataset, Vec<String>)> {
        // A part that was taken from the training part is known by that one.
        let holds_out = self.train.holds_out();
        let is_split = split != Split::Test && !card.fingerprints.contains_key("valid");
        let source = if is_split || holds_out { Split::Train } else { split };
        let raw = match self.raw_part(folder, source, card.known()) {
            Err(error) if other => {
                self.raw_part(folder, source, Known::default()).map_err(|_| error)?
            }
            raw => raw?,
        };
        let rate = self.sampling_rate();
        let mut differences = card.differences_in_kind(&raw, rate);
        let same = match card.is_same(source, &raw) {
            Some(same) => same,
            // A run without a test has not seen that part: its training part tells.
            None => {
                let train = self.raw_part(folder, Split::Train, card.known())?;
                card.is_same(Split::Train, &train) == Some(true)
            }
        };
        if !same {
            differences.push(match card.origin == raw.origin() {
                true => format!("the files have changed since: {}", raw.origin()),
                false => format!("the data were {}, and are {}", card.origin, raw.origin()),
            });
        }
        let share = |data: Dataset| -> Result<Dataset> {
            let (train, valid) = data.split(self.train.validation, self.train.split_seed)?;
            Ok(if split == Split::Train { train } else { valid })
        };
        let part = match self.hold_out(&raw)? {
            Some((_, out)) if split == Split::Test => out,
            Some((rest, _)) => share(rest)?,
            None if is_split => share(raw)?,
            None => raw,
        };
        let part = match &card.normalization {
            Some(by) => part.normalized(by)?,
            None => part,
        };
        let part = match &card.target_normalization {
            Some(by) => part.with_normalized_targets(by)?,
            None => part,
        };
        Ok((part, differences))
    }

    /// A part of the data as it is read: not split, not normalized. `known` is what a model knows of its data.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, do not fit the network, or there is no such part.
    pub fn raw_part(&self, data: Option<&Path>, split: Split, known: Known<'_>) -> Result<Dataset> {
        let loaded = self.read(data, split, known).map_err(|error| match data {
            // Without a file to name, the task says what was asked for.
            None => error.during(format_args!("task {}", self.name)),
            Some(_) => error,
        });
        let dataset = loaded?.ok_or_else(|| {
            Error::mismatch(format!("{} has no {} part", self.dataset.source(), split.name()))
        })?;
        self.check(&dataset)?;
        Ok(dataset)
    }

    /// A part of the data with what is to be found, as the task says; none where the data set has no such part of its own.
    fn read(&self, data: Option<&Path>, split: Split, known: Known<'_>) -> Result<Option<Dataset>> {
        let Some(ahead) = self.forecast else {
            return self.dataset.load(data, split, known);
        };
        // What a model of forecasts calls classes are channels: the files have classes of their own, which do not matter.
        let known = Known { classes: &[], classes_are_listed: false, ..known };
        let loaded = self.dataset.load(data, split, known)?;
        loaded.map(|dataset| dataset.forecasting(ahead)).transpose()
    }

    /// Whether what is to be found is brought to one scale: numbers are, labels are 0 and 1.
    fn normalizes_targets(&self) -> bool {
        self.network.decode.answer == Answer::Values
    }
}

//! What a model remembers of the data that it was trained on, to know them again and to notice others.

use super::{Dataset, Ends, Known, Normalization, Split};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A description of a data set, small enough for the header of a model file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DataCard {
    /// What the training data were, in one line.
    pub origin: String,
    /// The names of the classes, in the order of the readout's neurons.
    pub class_names: Vec<String>,
    /// Whether the classes were listed, so that a number stands for one by its place.
    #[serde(default)]
    pub classes_are_listed: bool,
    /// The names of the channels, in the order of the network's inputs; none where the source names none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channel_names: Vec<String>,
    /// C, the number of channels.
    pub channels: usize,
    /// Steps a second, where time has a scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling_rate: Option<f64>,
    /// Samples a second of the sounds that the sequences were made of, where they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound_rate: Option<u32>,
    /// Whether the events had a polarity, where it was events; without one, each counts as 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polarity: Option<bool>,
    /// How the sequences ended, where the source says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Ends>,
    /// Steps of the shortest and of the longest training sequence.
    pub steps: [usize; 2],
    /// Whether there is a class at every step, or there are numbers, rather than one a sequence.
    pub per_step: bool,
    /// Whether the targets were numbers, and no classes: `class_names` then names them.
    #[serde(default, skip_serializing_if = "is_false")]
    pub values: bool,
    /// What was done to the numbers that are to be found, by what the training data say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_normalization: Option<Normalization>,
    /// What was done to the values, by what the training data say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalization: Option<Normalization>,
    /// [Fingerprints](Dataset::fingerprint) of the parts, by their names: `train`, `valid`, `test`. A part that was split off
    /// the training part is in that one's.
    pub fingerprints: BTreeMap<String, String>,
    /// How many sequences of another part are in the training part too; parts without any are left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub repeated: BTreeMap<String, usize>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
fn is_false(value: &bool) -> bool {
    !value
}

impl DataCard {
    /// The card of a training part, as it was read: before it is split or normalized.
    #[must_use]
    pub fn of(train: &Dataset, sampling_rate: Option<f64>) -> Self {
        let lengths = (0..train.samples()).map(|sample| train.length(sample));
        let card = Self {
            origin: train.origin().to_owned(),
            class_names: train.class_names().to_vec(),
            classes_are_listed: train.has_listed_classes(),
            channel_names: train.channel_names().to_vec(),
            channels: train.channels(),
            sampling_rate: train.sampling_rate().or(sampling_rate),
            sound_rate: train.sound_rate(),
            polarity: train.polarity(),
            ends: train.ends(),
            steps: [lengths.clone().min().unwrap_or(0), lengths.max().unwrap_or(0)],
            per_step: train.targets().is_per_step(),
            values: train.targets().is_real(),
            target_normalization: None,
            normalization: None,
            fingerprints: BTreeMap::new(),
            repeated: BTreeMap::new(),
        };
        card.with(Split::Train, train)
    }

    /// The card with the fingerprint of one more part, as it was read.
    #[must_use]
    pub fn with(mut self, part: Split, data: &Dataset) -> Self {
        self.fingerprints.insert(part.name().to_owned(), data.fingerprint());
        self
    }

    /// Counts the sequences of a part that are among those that are trained on.
    pub fn count_repeated(&mut self, part: Split, data: &Dataset, train: &Dataset) {
        let count = data.repeats_of(train);
        if count > 0 {
            self.repeated.insert(part.name().to_owned(), count);
        }
    }

    /// What readers need to know of the data, to put others in the same order.
    #[must_use]
    pub fn known(&self) -> Known<'_> {
        Known {
            classes: &self.class_names,
            classes_are_listed: self.classes_are_listed,
            width: Some(self.channels).filter(|channels| *channels > 0),
            channels: &self.channel_names,
            steps: Some(self.steps[1]).filter(|steps| *steps > 0),
            sound_rate: self.sound_rate,
            polarity: self.polarity,
            // Sequences of different lengths end where they end, whatever they were read from.
            ends: self.ends.or((self.steps[0] < self.steps[1]).then_some(Ends::Given)),
        }
    }

    /// In what a part of a data set, as it was read, is of another kind than the card's data: classes, channels, rate. Each in
    /// words; none if data of this kind mean to the model what its own meant.
    #[must_use]
    pub fn differences_in_kind(&self, data: &Dataset, sampling_rate: Option<f64>) -> Vec<String> {
        let mut found = Vec::new();
        let mut differ = |what: &str, was: String, is: String| {
            if was != is {
                found.push(format!("the {what} were {was}, and are {is}"));
            }
        };
        let names = |names: &[String]| names.join(", ");
        let targets = |values| if values { "numbers" } else { "classes" };
        differ("targets", targets(self.values).into(), targets(data.targets().is_real()).into());
        differ(targets(self.values), names(&self.class_names), names(data.class_names()));
        if self.channel_names.is_empty() || data.channel_names().is_empty() {
            differ("channels", self.channels.to_string(), data.channels().to_string());
        } else {
            differ("channels", names(&self.channel_names), names(data.channel_names()));
        }
        if let (Some(was), Some(is)) = (self.sampling_rate, data.sampling_rate().or(sampling_rate))
        {
            differ("steps a second", was.to_string(), is.to_string());
        }
        if let (Some(was), Some(is)) = (self.sound_rate, data.sound_rate()) {
            differ("samples a second", was.to_string(), is.to_string());
        }
        if let (Some(was), Some(is)) = (self.polarity, data.polarity()) {
            let signs = |polarity| if polarity { "with a polarity" } else { "without a polarity" };
            differ("events", signs(was).to_owned(), signs(is).to_owned());
        }
        if let (Some(was), Some(is)) = (self.known().ends, data.ends()) {
            let ends = |ends| match ends {
                Ends::Given => "where each ends",
                Ends::Zeros => "at the last of their rows of zeros",
            };
            differ("ends of sequences", ends(was).to_owned(), ends(is).to_owned());
        }
        let kind = |per_step| if per_step { "one a step" } else { "one a sequence" };
        let is = data.targets().is_per_step();
        differ("labels", kind(self.per_step).to_owned(), kind(is).to_owned());
        found
    }

    /// Whether a part, as it was read, is that of the card; `None` if the card does not know that part.
    #[must_use]
    pub fn is_same(&self, part: Split, data: &Dataset) -> Option<bool> {
        self.fingerprints.get(part.name()).map(|known| *known == data.fingerprint())
    }

    /// The parts whose fingerprints differ from those of another card that knows them too.
    #[must_use]
    pub fn changed_parts(&self, other: &Self) -> Vec<&'static str> {
        let of = |card: &Self, part: Split| card.fingerprints.get(part.name()).cloned();
        let changed = |part: &Split| match (of(self, *part), of(other, *part)) {
            (Some(ours), Some(theirs)) => ours != theirs,
            _ => false,
        };
        Split::ALL.into_iter().filter(changed).map(Split::name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::data::tests::small;
    use super::*;

    #[test]
    fn a_card_knows_its_data_again() {
        let named = |names: [&str; 2]| {
            let names = names.map(str::to_owned).to_vec();
            small().with_channel_names(names).unwrap()
        };
        let data = named(["x", "y"]);
        let card = DataCard::of(&data, Some(50.0)).with(Split::Test, &small());
        assert!(card.differences_in_kind(&data, Some(50.0)).is_empty());
        assert_eq!(card.is_same(Split::Train, &data), Some(true));
        assert_eq!(card.is_same(Split::Test, &data), Some(false));
        assert_eq!(card.is_same(Split::Valid, &data), None);
        let found = card.differences_in_kind(&named(["y", "x"]), Some(100.0));
        assert_eq!(
            found,
            ["the channels were x, y, and are y, x", "the steps a second were 50, and are 100"]
        );
        let other = DataCard::of(&named(["y", "x"]), None).with(Split::Test, &small());
        assert_eq!(card.changed_parts(&other), ["train"]);
        let text = serde_json::to_string(&card).unwrap();
        assert_eq!(serde_json::from_str::<DataCard>(&text).unwrap(), card);
    }
}

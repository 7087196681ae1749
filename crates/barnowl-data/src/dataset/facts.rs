//! What is known of a data set's sequences beside their values and classes: lengths, names, who they are of.

use super::{Dataset, Ends, Normalization, Targets, UNLABELLED};
use barnowl_base::error::{Error, Result};

impl Dataset {
    /// The same data, of which sequence n ends after `lengths[n]` steps. What comes after is padding: it counts in no answer,
    /// no loss, no accuracy and no spike rate. Labels there are taken away.
    ///
    /// # Errors
    ///
    /// If there is not a length for every sequence, or one is 0 or more than T.
    pub fn with_lengths(mut self, lengths: &[usize]) -> Result<Self> {
        self.check_count(lengths.len(), "lengths")?;
        let steps = self.steps;
        if let Some(n) = lengths.iter().position(|length| !(1..=steps).contains(length)) {
            return Err(Error::format(format!("the length of sequence {n} is {}", lengths[n]))
                .expected(format!("1 to {steps} steps")));
        }
        let count = self.class_names.len();
        match &mut self.targets {
            Targets::PerStep(classes) => {
                for (classes, length) in classes.chunks_exact_mut(steps).zip(lengths) {
                    classes[*length..].fill(UNLABELLED);
                }
            }
            Targets::ValuesPerStep(values) => {
                for (values, length) in values.chunks_exact_mut(steps * count).zip(lengths) {
                    values[length * count..].fill(f32::NAN);
                }
            }
            Targets::PerSequence(_) | Targets::ValuesPerSequence(_) => {}
        }
        let shorter = lengths.iter().any(|length| *length < steps);
        self.details.lengths = shorter.then(|| lengths.iter().map(|n| *n as u32).collect());
        Ok(self)
    }

    /// The same data, with the recording that each sequence was cut from.
    ///
    /// # Errors
    ///
    /// If there is not one for every sequence.
    pub fn with_recordings(mut self, recordings: Vec<u32>) -> Result<Self> {
        self.check_count(recordings.len(), "recordings")?;
        self.details.recordings = Some(recordings);
        Ok(self)
    }

    /// The same data, with the group of each sequence, such as the subject that it is of: no group is ever split between
    /// training and validation data.
    ///
    /// # Errors
    ///
    /// If there is not one for every sequence.
    pub fn with_groups(mut self, groups: &[String]) -> Result<Self> {
        self.check_count(groups.len(), "groups")?;
        let mut names = groups.to_vec();
        names.sort();
        names.dedup();
        let place = |group| names.binary_search(group).unwrap_or_default() as u32;
        self.details.groups = Some(groups.iter().map(place).collect());
        self.details.group_names = names;
        Ok(self)
    }

    /// The same data, with a name for each sequence: its file, or its place in an array.
    ///
    /// # Errors
    ///
    /// If there is not one for every sequence.
    pub fn with_sequence_names(mut self, names: Vec<String>) -> Result<Self> {
        self.check_count(names.len(), "names of sequences")?;
        self.details.sequence_names = Some(names);
        Ok(self)
    }

    /// The same data, with a name for each channel.
    ///
    /// # Errors
    ///
    /// If there is not one for every channel.
    pub fn with_channel_names(mut self, names: Vec<String>) -> Result<Self> {
        if names.len() != self.channels {
            return Err(Error::format(format!("there are {} names of channels", names.len()))
                .expected(format!("one for each of {} channels", self.channels)));
        }
        self.details.channel_names = names;
        Ok(self)
    }

    /// The same data, of so many steps a second.
    #[must_use]
    pub fn with_sampling_rate(mut self, rate: Option<f64>) -> Self {
        self.details.sampling_rate = rate;
        self
    }

    /// The same data, made of sounds of so many samples a second.
    #[must_use]
    pub fn with_sound_rate(mut self, rate: u32) -> Self {
        self.details.sound_rate = Some(rate);
        self
    }

    /// The same data, whose classes are listed, so that a number stands for one by its place, or are not.
    #[must_use]
    pub fn with_listed_classes(mut self, are_listed: bool) -> Self {
        self.details.are_listed = are_listed;
        self
    }

    /// The same data, whose events have a polarity or have none.
    #[must_use]
    pub fn with_polarity(mut self, polarity: Option<bool>) -> Self {
        self.details.polarity = polarity;
        self
    }

    /// The same data, whose sequences end in this way.
    #[must_use]
    pub fn with_ends(mut self, ends: Option<Ends>) -> Self {
        self.details.ends = ends;
        self
    }

    /// The same data, with a note of what was left out, cut or merged while they were read, and why.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.details.notes.push(note.into());
        self
    }

    fn check_count(&self, found: usize, what: &str) -> Result<()> {
        if found == self.samples {
            return Ok(());
        }
        Err(Error::format(format!("there are {found} {what}"))
            .expected(format!("one for each of {} sequences", self.samples)))
    }

    /// The steps of sequence `sample`, of which there may be fewer than T.
    ///
    /// # Panics
    ///
    /// If there is no such sequence.
    #[must_use]
    pub fn length(&self, sample: usize) -> usize {
        self.details.lengths.as_ref().map_or(self.steps, |lengths| lengths[sample] as usize)
    }

    /// The steps of every sequence, if some end before T.
    #[must_use]
    pub fn lengths(&self) -> Option<&[u32]> {
        self.details.lengths.as_deref()
    }

    /// The steps of all sequences together, without padding.
    #[must_use]
    pub fn total_steps(&self) -> usize {
        match &self.details.lengths {
            Some(lengths) => lengths.iter().map(|length| *length as usize).sum(),
            None => self.samples * self.steps,
        }
    }

    /// Which recording each sequence was cut from, if several may be of one.
    #[must_use]
    pub fn recordings(&self) -> Option<&[u32]> {
        self.details.recordings.as_deref()
    }

    /// The group of each sequence, as a place in [`Dataset::group_names`].
    #[must_use]
    pub fn groups(&self) -> Option<&[u32]> {
        self.details.groups.as_deref()
    }

    /// The names of the groups, such as subjects.
    #[must_use]
    pub fn group_names(&self) -> &[String] {
        &self.details.group_names
    }

    /// What sequence `sample` is called: its file, or its place in an array.
    ///
    /// # Panics
    ///
    /// If there is no such sequence.
    #[must_use]
    pub fn sequence_name(&self, sample: usize) -> String {
        match &self.details.sequence_names {
            Some(names) => names[sample].clone(),
            None => sample.to_string(),
        }
    }

    /// The names of the channels; none where the source names none.
    #[must_use]
    pub fn channel_names(&self) -> &[String] {
        &self.details.channel_names
    }

    /// Steps a second, where the data say it.
    #[must_use]
    pub fn sampling_rate(&self) -> Option<f64> {
        self.details.sampling_rate
    }

    /// Samples a second of the sounds that the sequences were made of, where they were.
    #[must_use]
    pub fn sound_rate(&self) -> Option<u32> {
        self.details.sound_rate
    }

    /// Whether the classes are listed, in a list of their names or as numbers, so that a number stands for one by its place.
    #[must_use]
    pub fn has_listed_classes(&self) -> bool {
        self.details.are_listed
    }

    /// Whether events have a polarity, where the source says it; without one, each counts as 1.
    #[must_use]
    pub fn polarity(&self) -> Option<bool> {
        self.details.polarity
    }

    /// How the sequences end, where the source says it.
    #[must_use]
    pub fn ends(&self) -> Option<Ends> {
        self.details.ends
    }

    /// What has been done to the values since they were read.
    #[must_use]
    pub fn normalization(&self) -> Option<&Normalization> {
        self.details.normalization.as_ref()
    }

    /// What was left out, cut or merged while the data were read, and why.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.details.notes
    }

    /// The sequences that a split keeps together: those of a group, of a recording, or each by itself.
    pub(super) fn inseparable(&self) -> Vec<Vec<usize>> {
        let Some(of) = self.details.groups.as_ref().or(self.details.recordings.as_ref()) else {
            return (0..self.samples).map(|sample| vec![sample]).collect();
        };
        let mut groups = std::collections::BTreeMap::<u32, Vec<usize>>::new();
        for (sample, group) in of.iter().enumerate() {
            groups.entry(*group).or_default().push(sample);
        }
        groups.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::data::tests::small;

    #[test]
    fn lengths_take_labels_of_padding_away() {
        let data = small().with_lengths(&[3, 1, 2, 3]).unwrap();
        assert_eq!(data.lengths(), Some(&[3, 1, 2, 3][..]));
        assert_eq!([data.length(1), data.total_steps()], [1, 9]);
        assert_eq!(data.batch_targets(&[1, 2]), [0, 0, -1, 0, -1, -1]);
        assert_eq!(data.subset(&[2, 0]).unwrap().lengths(), Some(&[2, 3][..]));
        assert!(small().with_lengths(&[3; 4]).unwrap().lengths().is_none());
        let refused = |lengths: &[usize]| small().with_lengths(lengths).unwrap_err().to_string();
        assert!(refused(&[3, 3]).contains("one for each of 4"));
        assert!(refused(&[3, 0, 3, 3]).contains("sequence 1 is 0; expected 1 to 3"));
        assert!(refused(&[3, 3, 3, 4]).contains("sequence 3 is 4"));
    }

    #[test]
    fn a_split_keeps_groups_whole() {
        let groups: Vec<String> = ["eve", "adam", "eve", "adam"].map(str::to_owned).to_vec();
        let data = small().with_groups(&groups).unwrap();
        assert_eq!(data.group_names(), ["adam", "eve"]);
        let (train, valid) = data.split(0.25, 1).unwrap();
        assert_eq!([train.samples(), valid.samples()], [2, 2]);
        let of = |data: &super::Dataset| data.groups().unwrap().to_vec();
        assert_ne!(of(&train)[0], of(&valid)[0]);
        assert!(of(&train)[0] == of(&train)[1] && of(&valid)[0] == of(&valid)[1]);
    }
}

//! Sequences and their targets.

use super::details::Details;
use super::inputs::{Inputs, check_finite, check_length};
use super::rows::pick;
use super::targets::Targets;
use barnowl_base::error::{Error, Result};
use barnowl_base::words::counted;
use barnowl_engine::events::Events;

/// Sequences and their targets; checked when it is made, so that training meets no surprise after an hour.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    pub(super) samples: usize,
    pub(super) steps: usize,
    pub(super) channels: usize,
    pub(super) class_names: Vec<String>,
    pub(super) inputs: Inputs,
    pub(super) targets: Targets,
    pub(super) origin: String,
    pub(super) scaled_by_batch: bool,
    pub(super) details: Details,
}

impl Dataset {
    /// A data set of `[samples, steps, channels]`; `origin` says in one line what the data are.
    ///
    /// # Errors
    ///
    /// If it is empty, lengths do not agree, a class is out of range or a value is not finite: with the sequence and
    /// step.
    pub fn new(
        [samples, steps, channels]: [usize; 3],
        class_names: Vec<String>,
        inputs: Inputs,
        targets: Targets,
        origin: impl Into<String>,
    ) -> Result<Self> {
        if samples == 0 || steps == 0 || channels == 0 {
            return Err(Error::format(format!(
                "the data set is empty: {} of {} and {}",
                counted(samples, "sequence"),
                counted(steps, "step"),
                counted(channels, "channel")
            ))
            .expected("at least one of each"));
        }
        samples
            .checked_mul(steps)
            .filter(|rows| rows.checked_mul(channels).is_some())
            .ok_or_else(|| Error::format("the data set is larger than memory can be"))?;
        targets.check([samples, steps], class_names.len())?;
        let data = Self {
            samples,
            steps,
            channels,
            class_names,
            inputs,
            targets,
            origin: origin.into(),
            scaled_by_batch: false,
            details: Details::default(),
        };
        data.check_inputs()?;
        Ok(data)
    }

    /// Whether the inputs are as many as the shape says, and numbers.
    pub(super) fn check_inputs(&self) -> Result<()> {
        let Self { samples, steps, channels, .. } = *self;
        let place =
            |i: usize| format!("sequence {}, step {}", i / channels / steps, i / channels % steps);
        match &self.inputs {
            Inputs::Events(events) => {
                if [events.rows(), events.channels()] != [samples * steps, channels] {
                    return Err(Error::format(format!(
                        "there are {} rows of events on {} channels",
                        events.rows(),
                        events.channels()
                    ))
                    .expected(format!(
                        "{samples} × {steps} = {} rows on {channels}",
                        samples * steps
                    )));
                }
            }
            Inputs::Pixels(pixels) => {
                let found = [pixels.samples(), pixels.steps(), pixels.window()];
                if found != [samples, steps, channels] {
                    return Err(Error::format(format!("pixels of {found:?}"))
                        .expected(format!("{:?}", [samples, steps, channels])));
                }
            }
            Inputs::Half(values) => {
                check_length(values.len(), [samples, steps, channels])?;
                check_finite(
                    values.iter().map(|x| x.to_f32()),
                    "a number of at most 65504",
                    place,
                )?;
            }
            Inputs::Real(values) => {
                check_length(values.len(), [samples, steps, channels])?;
                check_finite(values.iter().copied(), "a finite number", place)?;
            }
        }
        Ok(())
    }

    /// Whether they are [scaled by batch](Self::scaled_by_batch).
    #[must_use]
    pub fn is_scaled_by_batch(&self) -> bool {
        self.scaled_by_batch
    }

    /// The values of step `row % steps` of sequence `row / steps`, one a channel.
    pub fn read(&self, row: usize, to: &mut [f32]) {
        match &self.inputs {
            Inputs::Real(values) => {
                to.copy_from_slice(&values[row * self.channels..(row + 1) * self.channels]);
            }
            Inputs::Half(values) => {
                let values = &values[row * self.channels..(row + 1) * self.channels];
                to.iter_mut().zip(values).for_each(|(to, value)| *to = value.to_f32());
            }
            Inputs::Pixels(pixels) => pixels.read(row, to),
            Inputs::Events(events) => {
                to.fill(0.0);
                events.signed(row).for_each(|(channel, sign)| to[channel] = f32::from(sign));
            }
        }
    }

    /// A data set of events given as a dense array `[samples, steps, channels]` of −1, 0 and 1.
    ///
    /// # Errors
    ///
    /// As [`Dataset::new`].
    pub fn from_spikes(
        shape: [usize; 3],
        class_names: Vec<String>,
        spikes: &[i8],
        targets: Targets,
        origin: impl Into<String>,
    ) -> Result<Self> {
        let [_, steps, channels] = shape;
        check_length(spikes.len(), shape)?;
        if let Some(i) = spikes.iter().position(|value| !(-1..=1).contains(value)) {
            return Err(Error::format(format!(
                "the event at sequence {}, step {} is {}",
                i / channels / steps,
                i / channels % steps,
                spikes[i]
            ))
            .expected("−1, 0 or 1"));
        }
        let events = Events::from_dense(channels, spikes)?;
        Self::new(shape, class_names, Inputs::Events(events), targets, origin)
    }

    /// N, the number of sequences.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// T, the steps of a sequence.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// C, the input channels.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The names of the classes, or of the numbers that are to be found.
    #[must_use]
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The values, `[N, T, C]`.
    #[must_use]
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// What is to be found: classes, or numbers.
    #[must_use]
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// What the data are, in one line.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The sequences of the given indices.
    ///
    /// # Errors
    ///
    /// If there are none.
    ///
    /// # Panics
    ///
    /// If an index is out of range.
    pub fn subset(&self, indices: &[usize]) -> Result<Self> {
        let size = self.steps * self.channels;
        let inputs = match &self.inputs {
            Inputs::Events(events) => Inputs::Events(events.pick(self.steps, indices)),
            Inputs::Real(values) => Inputs::Real(pick(values, size, indices)),
            Inputs::Half(values) => Inputs::Half(pick(values, size, indices)),
            Inputs::Pixels(pixels) => Inputs::Pixels(pixels.pick(indices)),
        };
        let targets = self.targets.pick([self.steps, self.class_names.len()], indices);
        let shape = [indices.len(), self.steps, self.channels];
        let names = self.class_names.clone();
        let subset = Self::new(shape, names, inputs, targets, self.origin.clone())?;
        let details = self.details.pick(indices);
        Ok(Self { scaled_by_batch: self.scaled_by_batch, details, ..subset })
    }

    /// The same sequences, to be given other inputs.
    pub(super) fn clone_without_inputs(&self) -> Self {
        Self {
            inputs: Inputs::Real(Vec::new()),
            class_names: self.class_names.clone(),
            targets: self.targets.clone(),
            origin: self.origin.clone(),
            details: self.details.clone(),
            ..*self
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn names() -> Vec<String> {
        ["a", "b"].map(str::to_owned).to_vec()
    }

    pub(in crate::dataset) fn small() -> Dataset {
        // Sequence n, step t, channel c holds 100 n + 10 t + c.
        let value = |i: usize| (100 * (i / 6) + 10 * (i / 2 % 3) + i % 2) as f32;
        let inputs = Inputs::Real((0..24).map(value).collect());
        let targets = Targets::PerStep((0..12).map(|i| (i % 5 == 0).into()).collect());
        Dataset::new([4, 3, 2], names(), inputs, targets, "numbers").unwrap()
    }

    #[test]
    fn batches_are_time_first() {
        let batch = small().batch(&[2, 0]);
        assert_eq!(batch.inputs, [200., 201., 0., 1., 210., 211., 10., 11., 220., 221., 20., 21.]);
        assert_eq!(batch.targets, [0, 1, 0, 0, 0, 0]);
        assert_eq!([batch.steps, batch.batch, batch.channels], [3, 2, 2]);
    }

    #[test]
    fn a_split_keeps_recordings_whole() {
        let names = vec!["a".to_owned()];
        let data = |recordings: Vec<u32>| {
            let count = recordings.len();
            let (inputs, targets) =
                (Inputs::Real(vec![0.0; count]), Targets::PerSequence(vec![0; count]));
            let data = Dataset::new([count, 1, 1], names.clone(), inputs, targets, "made up");
            data.unwrap().with_recordings(recordings).unwrap()
        };
        let recordings: Vec<u32> = (0..60).map(|sample| sample / 6).collect();
        for seed in 0..20 {
            let (train, valid) = data(recordings.clone()).split(0.25, seed).unwrap();
            assert_eq!([train.samples(), valid.samples()], [42, 18], "whole recordings of six");
            let of = |data: &Dataset| data.recordings().unwrap().to_vec();
            assert!(of(&valid).iter().all(|recording| !of(&train).contains(recording)));
        }
        let (train, valid) = data(vec![0, 0, 0, 1]).split(0.7, 1).unwrap();
        assert!(train.samples() > 0 && valid.samples() > 0);
        assert!(data(vec![7; 4]).split(0.5, 1).is_err());
    }

    #[test]
    fn a_split_keeps_every_sequence_once() {
        let data = small();
        let (train, valid) = data.split(0.25, 7).unwrap();
        assert_eq!([train.samples(), valid.samples()], [3, 1]);
        let first = |data: &Dataset| {
            let batch = data.batch(&(0..data.samples()).collect::<Vec<_>>());
            batch.inputs[..2 * data.samples()].iter().step_by(2).copied().collect::<Vec<_>>()
        };
        let mut all = [first(&train), first(&valid)].concat();
        all.sort_by(f32::total_cmp);
        assert_eq!(all, [0., 100., 200., 300.]);
        assert_eq!(data.split(0.25, 7).unwrap().1, valid);
        assert!(data.split(0.01, 7).is_err() && data.split(0.99, 7).is_err());
    }

    #[test]
    fn bad_data_are_refused_with_their_place() {
        let make = |inputs, targets| Dataset::new([1, 2, 2], names(), inputs, targets, "");
        let spikes =
            |spikes: &[i8], targets| Dataset::from_spikes([1, 2, 2], names(), spikes, targets, "");
        let good = || Targets::PerStep(vec![0, 1]);
        let message = |result: Result<Dataset>| result.unwrap_err().to_string();
        let bad = Inputs::Real(vec![0.0, 0.0, f32::NAN, 0.0]);
        assert!(message(make(bad, good())).contains("sequence 0, step 1"));
        assert!(message(spikes(&[0, 0, 0, 2], good())).contains("step 1 is 2"));
        assert!(message(spikes(&[0; 3], good())).contains("3 input values"));
        let wrong = Targets::PerStep(vec![0, 2]);
        assert!(message(spikes(&[0; 4], wrong)).contains("step 1 is 2; expected 0 to 1"));
        let short = Targets::PerSequence(vec![]);
        assert!(message(spikes(&[0; 4], short)).contains("0 targets"));
        let empty = Dataset::from_spikes([0, 2, 2], names(), &[], Targets::PerSequence(vec![]), "");
        assert!(message(empty).contains("empty"));
    }
}

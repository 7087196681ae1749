//! Data sets: sequences of equal length with a class at every step or one a sequence.
//!
//! One file per source: [`qtdb`] reads the QT Database, [`ecg_model`] generates ECGs. [`Dataset::new`] takes arrays of
//! your own.

pub mod ecg_model;
pub mod mat;
pub mod qtdb;

use crate::error::{Error, Result};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The values of a data set, row-major `[N, T, C]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Inputs {
    /// Events: −1, 0 or 1.
    Spikes(Vec<i8>),
    /// Real values.
    Real(Vec<f32>),
}

/// The classes of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// A class at every step, row-major `[N, T]`.
    PerStep(Vec<u16>),
    /// One class a sequence, `[N]`.
    PerSequence(Vec<u16>),
}

impl Targets {
    /// Whether there is a class at every step.
    #[must_use]
    pub fn is_per_step(&self) -> bool {
        matches!(self, Self::PerStep(_))
    }
}

/// Sequences and their classes; checked when it is made, so that training meets no surprise after an hour.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    samples: usize,
    steps: usize,
    channels: usize,
    class_names: Vec<String>,
    inputs: Inputs,
    targets: Targets,
    origin: String,
}

/// A mini-batch, time first.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Row-major `[T, B, C]`.
    pub inputs: Vec<f32>,
    /// Row-major `[T, B]`, or `[B]`.
    pub targets: Vec<i32>,
    /// T.
    pub steps: usize,
    /// B.
    pub batch: usize,
    /// C.
    pub channels: usize,
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
                "the data set is empty: {samples} sequences of {steps} steps and {channels} channels"
            ))
            .expected("at least one of each"));
        }
        let length = samples
            .checked_mul(steps)
            .and_then(|n| n.checked_mul(channels))
            .ok_or_else(|| Error::format("the data set is larger than memory can be"))?;
        let found = match &inputs {
            Inputs::Spikes(values) => values.len(),
            Inputs::Real(values) => values.len(),
        };
        if found != length {
            return Err(Error::format(format!("there are {found} input values"))
                .expected(format!("{samples} × {steps} × {channels} = {length}")));
        }
        let place =
            |i: usize| format!("sequence {}, step {}", i / channels / steps, i / channels % steps);
        match &inputs {
            Inputs::Spikes(values) => {
                if let Some(i) = values.iter().position(|value| !(-1..=1).contains(value)) {
                    return Err(Error::format(format!(
                        "the event at {} is {}",
                        place(i),
                        values[i]
                    ))
                    .expected("−1, 0 or 1"));
                }
            }
            Inputs::Real(values) => {
                if let Some(i) = values.iter().position(|value| !value.is_finite()) {
                    return Err(Error::format(format!(
                        "the input at {} is {}",
                        place(i),
                        values[i]
                    ))
                    .expected("a finite number"));
                }
            }
        }
        let (classes, expected, per) = match &targets {
            Targets::PerStep(classes) => (classes, samples * steps, steps),
            Targets::PerSequence(classes) => (classes, samples, 1),
        };
        if classes.len() != expected {
            return Err(Error::format(format!("there are {} targets", classes.len()))
                .expected(expected.to_string()));
        }
        let count = class_names.len();
        if let Some(i) = classes.iter().position(|class| usize::from(*class) >= count) {
            return Err(Error::format(format!(
                "the class of sequence {}, step {} is {}",
                i / per,
                i % per,
                classes[i]
            ))
            .expected(format!("0 to {}", count.saturating_sub(1))));
        }
        Ok(Self { samples, steps, channels, class_names, inputs, targets, origin: origin.into() })
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

    /// The names of the classes.
    #[must_use]
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The values, `[N, T, C]`.
    #[must_use]
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// The classes.
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
            Inputs::Spikes(values) => Inputs::Spikes(pick(values, size, indices)),
            Inputs::Real(values) => Inputs::Real(pick(values, size, indices)),
        };
        let targets = match &self.targets {
            Targets::PerStep(classes) => Targets::PerStep(pick(classes, self.steps, indices)),
            Targets::PerSequence(classes) => Targets::PerSequence(pick(classes, 1, indices)),
        };
        let shape = [indices.len(), self.steps, self.channels];
        Self::new(shape, self.class_names.clone(), inputs, targets, self.origin.clone())
    }

    /// Splits off a validation set: the given share of the sequences, drawn without replacement from `seed`.
    ///
    /// Returns the rest and the validation set, each in the original order.
    ///
    /// # Errors
    ///
    /// If there are fewer than two sequences, or the share would leave a part empty.
    pub fn split(&self, share: f64, seed: u64) -> Result<(Self, Self)> {
        let count = (share * self.samples as f64).round() as usize;
        if count == 0 || count >= self.samples {
            return Err(Error::format(format!(
                "a share of {share} of {} sequences leaves the training or the validation data empty",
                self.samples
            ))
            .remedy("set train.validation to a share between 0 and 1 that leaves both some sequences"));
        }
        let mut order: Vec<usize> = (0..self.samples).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let (valid, train) = order.split_at_mut(count);
        valid.sort_unstable();
        train.sort_unstable();
        Ok((self.subset(train)?, self.subset(valid)?))
    }

    /// A mini-batch of the given sequences, time first.
    ///
    /// # Panics
    ///
    /// If an index is out of range.
    #[must_use]
    pub fn batch(&self, indices: &[usize]) -> Batch {
        let (steps, channels, batch) = (self.steps, self.channels, indices.len());
        let mut inputs = vec![0.0; steps * batch * channels];
        for (b, &sample) in indices.iter().enumerate() {
            let rows = inputs.chunks_exact_mut(batch * channels);
            let start = sample * steps * channels;
            let end = start + steps * channels;
            match &self.inputs {
                Inputs::Spikes(values) => {
                    for (row, values) in rows.zip(values[start..end].chunks_exact(channels)) {
                        let row = &mut row[b * channels..(b + 1) * channels];
                        row.iter_mut().zip(values).for_each(|(to, from)| *to = f32::from(*from));
                    }
                }
                Inputs::Real(values) => {
                    for (row, values) in rows.zip(values[start..end].chunks_exact(channels)) {
                        row[b * channels..(b + 1) * channels].copy_from_slice(values);
                    }
                }
            }
        }
        let targets = match &self.targets {
            Targets::PerStep(classes) => (0..steps)
                .flat_map(|t| indices.iter().map(move |sample| sample * steps + t))
                .map(|i| i32::from(classes[i]))
                .collect(),
            Targets::PerSequence(classes) => {
                indices.iter().map(|&sample| i32::from(classes[sample])).collect()
            }
        };
        Batch { inputs, targets, steps, batch, channels }
    }
}

fn pick<T: Copy>(values: &[T], size: usize, indices: &[usize]) -> Vec<T> {
    indices.iter().flat_map(|i| &values[i * size..(i + 1) * size]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        ["a", "b"].map(str::to_owned).to_vec()
    }

    fn small() -> Dataset {
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
        let good = || Targets::PerStep(vec![0, 1]);
        let message = |result: Result<Dataset>| result.unwrap_err().to_string();
        let bad = Inputs::Real(vec![0.0, 0.0, f32::NAN, 0.0]);
        assert!(message(make(bad, good())).contains("sequence 0, step 1"));
        assert!(message(make(Inputs::Spikes(vec![0, 0, 0, 2]), good())).contains("step 1 is 2"));
        assert!(message(make(Inputs::Spikes(vec![0; 3]), good())).contains("3 input values"));
        let wrong = Targets::PerStep(vec![0, 2]);
        assert!(
            message(make(Inputs::Spikes(vec![0; 4]), wrong))
                .contains("step 1 is 2; expected 0 to 1")
        );
        let short = Targets::PerSequence(vec![]);
        assert!(message(make(Inputs::Spikes(vec![0; 4]), short)).contains("0 targets"));
        let empty = Dataset::new(
            [0, 2, 2],
            names(),
            Inputs::Spikes(vec![]),
            Targets::PerSequence(vec![]),
            "",
        );
        assert!(message(empty).contains("empty"));
    }
}

//! Data sets: sequences, filled up to one length, with a class (or numbers) at every step or one a sequence.
//!
//! One file per source: [`qtdb`] reads the QT Database, [`mnist`] MNIST, [`ecg_model`] generates ECGs. [`Dataset::new`]
//! takes arrays of your own.

pub mod audio;
mod augment;
mod card;
pub mod catalog;
mod details;
pub mod ecg_model;
mod fingerprint;
mod folds;
pub mod fsdd;
pub mod gsc;
pub mod hdf5;
pub mod heidelberg;
pub mod mat;
pub mod mnist;
mod normalize;
pub mod own;
mod pixels;
pub mod qtdb;
pub mod qtdb_raw;
mod repeats;
mod scaling;
pub mod soli;
pub mod speech;
mod split;
mod summary;
mod targets;
pub mod timit;
pub mod wfdb;

pub use augment::Augmentation;
pub use barnowl_engine::events::Events;
pub use card::DataCard;
pub use details::Ends;
pub use folds::Fold;
pub use normalize::{Normalization, Normalize};
pub use pixels::Pixels;
pub use split::Split;
pub use summary::{ChannelSummary, ClassSummary, Summary};
pub use targets::{Targets, UNLABELLED};

use barnowl_base::error::{Error, Result};
use barnowl_base::words::counted;
use details::Details;
use half::f16;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The values of a data set, row-major `[N, T, C]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Inputs {
    /// Events of −1 or 1, a row per sequence and step.
    Events(Events),
    /// Real values.
    Real(Vec<f32>),
    /// Real values in half the memory, to three digits.
    Half(Vec<f16>),
    /// Grey values of images, a few pixels a step.
    Pixels(Pixels),
}

impl Inputs {
    /// Whether the inputs are real numbers, and no events.
    #[must_use]
    pub fn is_real(&self) -> bool {
        !matches!(self, Self::Events(_))
    }
}

/// What a model knows of its data. Other data are read to match: in the order of its classes and channels, where a source has
/// names for them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// The names of the classes; none where nothing is known.
    pub classes: &'a [String],
    /// Whether a number stands for one of them by its place.
    pub classes_are_listed: bool,
    /// The names of the channels; none where nothing is known.
    pub channels: &'a [String],
    /// The number of channels.
    pub width: Option<usize>,
    /// Steps of the longest training sequence.
    pub steps: Option<usize>,
    /// Samples a second of the sounds, where it was sounds.
    pub sound_rate: Option<u32>,
    /// Whether events had a polarity, where it was events.
    pub polarity: Option<bool>,
    /// How the sequences ended, where that is known.
    pub ends: Option<Ends>,
}

/// Sequences and their targets; checked when it is made, so that training meets no surprise after an hour.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    samples: usize,
    steps: usize,
    channels: usize,
    class_names: Vec<String>,
    inputs: Inputs,
    targets: Targets,
    origin: String,
    scaled_by_batch: bool,
    details: Details,
}

/// A mini-batch, time first.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Row-major `[T, B, C]`.
    pub inputs: Vec<f32>,
    /// Row-major `[T, B]`, or `[B]`; −1 at steps without a label. Empty where the targets are numbers.
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
    fn check_inputs(&self) -> Result<()> {
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
    fn clone_without_inputs(&self) -> Self {
        Self {
            inputs: Inputs::Real(Vec::new()),
            class_names: self.class_names.clone(),
            targets: self.targets.clone(),
            origin: self.origin.clone(),
            details: self.details.clone(),
            ..*self
        }
    }

    /// Splits off a validation set: the given share of the sequences, drawn without replacement from `seed`. Sequences of one
    /// [group](Self::with_groups), or of one [recording](Self::with_recordings), stay together, and the share is then rounded
    /// up to whole ones.
    ///
    /// Returns the rest and the validation set, each in the original order.
    ///
    /// # Errors
    ///
    /// If there are fewer than two sequences, recordings or groups, or the share would leave a part empty.
    pub fn split(&self, share: f64, seed: u64) -> Result<(Self, Self)> {
        let count = (share * self.samples as f64).round() as usize;
        let mut groups = self.inseparable();
        if count == 0 || count >= self.samples || groups.len() < 2 {
            return Err(Error::format(format!(
                "a share of {share} of {} leaves the training or the validation data empty",
                counted(self.samples, "sequence")
            ))
            .remedy(
                "set train.validation to a share between 0 and 1 that leaves both some sequences",
            ));
        }
        groups.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let last = groups.len() - 1;
        let (mut train, mut valid) = (Vec::new(), Vec::new());
        for (place, group) in groups.into_iter().enumerate() {
            if valid.len() < count && place < last { &mut valid } else { &mut train }.extend(group);
        }
        valid.sort_unstable();
        train.sort_unstable();
        Ok((self.subset(&train)?, self.subset(&valid)?))
    }

    /// A mini-batch of the given sequences, time first, with zeros after the end of each.
    ///
    /// # Panics
    ///
    /// If an index is out of range.
    #[must_use]
    pub fn batch(&self, indices: &[usize]) -> Batch {
        let (steps, channels, batch) = (self.steps, self.channels, indices.len());
        let mut inputs = vec![0.0; steps * batch * channels];
        let factors = self.batch_factors(indices);
        for (t, rows) in inputs.chunks_exact_mut(batch * channels).enumerate() {
            for (&sample, row) in indices.iter().zip(rows.chunks_exact_mut(channels)) {
                if t >= self.length(sample) {
                    continue;
                }
                self.read(sample * steps + t, row);
                if let Some(factors) = &factors {
                    row.iter_mut().zip(factors).for_each(|(x, factor)| *x *= factor);
                }
            }
        }
        let targets = self.batch_targets(indices);
        Batch { inputs, targets, steps, batch, channels }
    }
}

/// Refuses an array that does not have as many values as its shape says.
fn check_length(found: usize, shape: [usize; 3]) -> Result<()> {
    let expected = shape.iter().try_fold(1_usize, |product, n| product.checked_mul(*n));
    if expected == Some(found) {
        return Ok(());
    }
    let [samples, steps, channels] = shape;
    Err(Error::format(format!("there are {found} input values"))
        .expected(format!("{samples} × {steps} × {channels}")))
}

/// Refuses NaN and infinity, with its place.
fn check_finite(
    mut values: impl Iterator<Item = f32>,
    expected: &str,
    place: impl Fn(usize) -> String,
) -> Result<()> {
    let mut found = 0.0;
    let bad = values.position(|value| {
        found = value;
        !value.is_finite()
    });
    match bad {
        None => Ok(()),
        Some(i) => {
            Err(Error::format(format!("the input at {} is {found}", place(i))).expected(expected))
        }
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

    pub(super) fn small() -> Dataset {
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

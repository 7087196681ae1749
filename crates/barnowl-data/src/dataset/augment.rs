//! Augmentation: training sequences that are changed at random in every epoch, as other speakers and moments would.

use super::{Dataset, Events, Inputs};
use barnowl_base::error::{Error, Result};
use half::f16;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How sequences are changed; what is 0 is left alone. Each sequence draws its own values in every epoch.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Moves the sequence in time by up to so many steps, either way; what leaves at an end is lost. A sequence stays as long as
    /// it is: nothing moves into its padding.
    /// Range: 0 to 1000000000 steps.
    pub time_shift: usize,
    /// Stretches or squeezes time by a factor between 1 − and 1 + this, below 1.
    /// Range: 0 or more, less than 1.
    pub time_stretch: f64,
    /// Moves all events by up to so many channels, either way: a higher or a lower voice.
    /// Range: 0 to 1000000 channels.
    pub channel_shift: usize,
    /// Moves every event by a normal number of channels with this standard deviation.
    /// Range: 0 or more channels.
    pub channel_jitter: f64,
    /// Drops every event with this probability, below 1.
    /// Range: 0 or more, less than 1.
    pub drop: f64,
    /// Multiplies real-valued inputs by a factor exp(±this).
    /// Range: 0 or more.
    pub gain: f64,
    /// Adds normal noise of this standard deviation to real-valued inputs.
    /// Range: 0 or more.
    pub noise: f64,
}

impl Augmentation {
    /// Checks ranges; `key` names the augmentation in messages.
    ///
    /// # Errors
    ///
    /// Names the key, its value and what is allowed.
    pub fn validate(&self, key: &str) -> Result<()> {
        let share = |name: &str, value: f64| match (0.0..1.0).contains(&value) {
            true => Ok(()),
            false => Err(Error::setting(format!("{key}.{name}"), value).expected("0 to below 1")),
        };
        share("time_stretch", self.time_stretch)?;
        share("drop", self.drop)?;
        for (name, value) in
            [("channel_jitter", self.channel_jitter), ("gain", self.gain), ("noise", self.noise)]
        {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::setting(format!("{key}.{name}"), value).expected("0 or more"));
            }
        }
        Ok(())
    }

    /// Whether sequences can be changed in this way.
    ///
    /// # Errors
    ///
    /// If the data are pixels, or have labels per step and time is to be changed: labels stay where they are.
    pub fn check(&self, data: &Dataset) -> Result<()> {
        if matches!(data.inputs, Inputs::Pixels(_)) {
            return Err(Error::setting("train.augmentation", self)
                .expected("none: pixels are read as they are"));
        }
        let refuse = |name: &str, value: f64| {
            Err(Error::setting(format!("train.augmentation.{name}"), value)
                .expected("0: the data have a label at every step, and labels stay where they are"))
        };
        match data.targets.is_per_step() {
            true if self.time_shift > 0 => refuse("time_shift", self.time_shift as f64),
            true if self.time_stretch > 0.0 => refuse("time_stretch", self.time_stretch),
            _ => Ok(()),
        }
    }

    /// The sequences, changed. The same `seed` and `epoch` change them alike, on any number of threads.
    ///
    /// # Errors
    ///
    /// As [`Augmentation::check`].
    pub fn apply(&self, data: &Dataset, seed: u64, epoch: u64) -> Result<Dataset> {
        self.check(data)?;
        let rng = |sample: usize| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xA5A5_0000_0000_0000);
            rng.set_stream((epoch << 32) | sample as u64);
            rng
        };
        let inputs = match &data.inputs {
            Inputs::Events(events) => Inputs::Events(self.events(data, events, rng)?),
            Inputs::Real(_) => Inputs::Real(self.real(data, rng)),
            Inputs::Half(_) => {
                Inputs::Half(self.real(data, rng).into_iter().map(f16::from_f32).collect())
            }
            // Refused.
            Inputs::Pixels(pixels) => Inputs::Pixels(pixels.clone()),
        };
        Ok(Dataset { inputs, ..data.clone_without_inputs() })
    }

    fn events(
        &self,
        data: &Dataset,
        events: &Events,
        rng: impl Fn(usize) -> ChaCha8Rng + Sync,
    ) -> Result<Events> {
        let (steps, channels) = (data.steps, data.channels);
        let change = |sample: usize| -> Vec<Vec<u16>> {
            let rng = &mut rng(sample);
            let length = data.length(sample);
            let time = self.time(length, rng);
            let shift = symmetric(self.channel_shift, rng);
            let mut rows = vec![Vec::new(); steps];
            for step in 0..length {
                let Some(to) = time(step) else { continue };
                for event in events.row(sample * steps + step) {
                    if self.drop > 0.0 && rng.random::<f64>() < self.drop {
                        continue;
                    }
                    let mut channel = i64::from(event & !Events::NEGATIVE) + shift;
                    if self.channel_jitter > 0.0 {
                        let jitter: f64 = StandardNormal.sample(rng);
                        channel += (jitter * self.channel_jitter).round() as i64;
                    }
                    if (0..channels as i64).contains(&channel) {
                        rows[to].push(channel as u16 | event & Events::NEGATIVE);
                    }
                }
            }
            for row in &mut rows {
                // Of events that meet on a channel, one stays.
                row.sort_unstable_by_key(|event| (event & !Events::NEGATIVE, *event));
                row.dedup_by_key(|event| *event & !Events::NEGATIVE);
            }
            rows
        };
        let changed: Vec<Vec<Vec<u16>>> = (0..data.samples).into_par_iter().map(change).collect();
        let mut events = Events::new(channels)?;
        changed.iter().flatten().try_for_each(|row| events.push_row(row))?;
        Ok(events)
    }

    fn real(&self, data: &Dataset, rng: impl Fn(usize) -> ChaCha8Rng + Sync) -> Vec<f32> {
        let (steps, channels) = (data.steps, data.channels);
        let mut changed = vec![0.0; data.samples * steps * channels];
        let samples = changed.par_chunks_mut(steps * channels).enumerate();
        samples.for_each(|(sample, to)| {
            let rng = &mut rng(sample);
            let mut from = vec![0.0; channels];
            let length = data.length(sample);
            let source = self.source(length, rng);
            let shift = symmetric(self.channel_shift, rng);
            let gain = (self.gain * (2.0 * rng.random::<f64>() - 1.0)).exp() as f32;
            for (step, to) in to.chunks_exact_mut(channels).enumerate().take(length) {
                let Some(source) = source(step) else { continue };
                data.read(sample * steps + source, &mut from);
                for (channel, to) in to.iter_mut().enumerate() {
                    let place = channel as i64 - shift;
                    let value = usize::try_from(place).ok().and_then(|place| from.get(place));
                    *to = gain * value.copied().unwrap_or(0.0);
                    if self.noise > 0.0 {
                        let noise: f64 = StandardNormal.sample(rng);
                        *to += (self.noise * noise) as f32;
                    }
                }
            }
        });
        changed
    }

    /// Where a step goes to.
    fn time(&self, steps: usize, rng: &mut ChaCha8Rng) -> impl Fn(usize) -> Option<usize> + use<> {
        let (stretch, shift) = self.draw_time(rng);
        move |step| within((step as f64 * stretch).round() + shift, steps)
    }

    /// Where a step comes from.
    fn source(
        &self,
        steps: usize,
        rng: &mut ChaCha8Rng,
    ) -> impl Fn(usize) -> Option<usize> + use<> {
        let (stretch, shift) = self.draw_time(rng);
        move |step| within(((step as f64 - shift) / stretch).round(), steps)
    }

    fn draw_time(&self, rng: &mut ChaCha8Rng) -> (f64, f64) {
        let stretch = 1.0 + self.time_stretch * (2.0 * rng.random::<f64>() - 1.0);
        (stretch, symmetric(self.time_shift, rng) as f64)
    }
}

/// A whole number between −`most` and `most`.
fn symmetric(most: usize, rng: &mut ChaCha8Rng) -> i64 {
    let most = most as i64;
    rng.random_range(-most..=most)
}

fn within(step: f64, steps: usize) -> Option<usize> {
    (step >= 0.0 && step < steps as f64).then_some(step as usize)
}

#[cfg(test)]
mod tests {
    use super::super::Targets;
    use super::*;

    fn spikes() -> Dataset {
        let spikes: Vec<i8> = (0..6 * 20 * 30).map(|i| i8::from(i % 7 == 0)).collect();
        let names = vec!["a".to_owned(), "b".to_owned()];
        let targets = Targets::PerSequence(vec![0, 1, 0, 1, 0, 1]);
        Dataset::from_spikes([6, 20, 30], names, &spikes, targets, "").unwrap()
    }

    fn count(data: &Dataset) -> usize {
        match data.inputs() {
            Inputs::Events(events) => events.len(),
            _ => panic!("no events"),
        }
    }

    #[test]
    fn nothing_changes_nothing() {
        let data = spikes();
        assert_eq!(Augmentation::default().apply(&data, 1, 1).unwrap(), data);
    }

    #[test]
    fn every_epoch_is_another_and_the_same_again() {
        let data = spikes();
        let all = Augmentation {
            time_shift: 3,
            time_stretch: 0.2,
            channel_shift: 4,
            channel_jitter: 1.0,
            drop: 0.1,
            ..Augmentation::default()
        };
        let first = all.apply(&data, 1, 1).unwrap();
        assert_eq!(first, all.apply(&data, 1, 1).unwrap());
        assert_ne!(first, all.apply(&data, 1, 2).unwrap());
        assert_ne!(first, all.apply(&data, 2, 1).unwrap());
        assert_eq!(first.targets(), data.targets());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        assert_eq!(pool.install(|| all.apply(&data, 1, 1)).unwrap(), first);
    }

    #[test]
    fn a_shift_moves_all_events_alike() {
        // One event in the middle of each sequence.
        let mut dense = vec![0; 6 * 21 * 31];
        (0..6).for_each(|n| dense[(n * 21 + 10) * 31 + 15] = -1);
        let names = vec!["a".to_owned()];
        let targets = Targets::PerSequence(vec![0; 6]);
        let data = Dataset::from_spikes([6, 21, 31], names, &dense, targets, "").unwrap();
        let shift = Augmentation { time_shift: 10, channel_shift: 15, ..Default::default() };
        let mut places = Vec::new();
        for epoch in 0..50 {
            let moved = shift.apply(&data, 1, epoch).unwrap();
            let Inputs::Events(events) = moved.inputs() else { panic!("no events") };
            assert_eq!(events.len(), 6, "none is lost: no shift is too far");
            for row in 0..events.rows() {
                places.extend(events.signed(row).map(|(channel, sign)| (row % 21, channel, sign)));
            }
        }
        assert!(places.iter().all(|place| place.2 == -1));
        for extreme in [0, 20] {
            assert!(places.iter().any(|place| place.0 == extreme), "step {extreme}");
        }
        assert!(places.iter().any(|place| place.1 == 0) && places.iter().any(|p| p.1 == 30));
    }

    #[test]
    fn drops_are_as_frequent_as_asked() {
        let data = spikes();
        let drop = Augmentation { drop: 0.3, ..Default::default() };
        let kept: usize = (0..50).map(|epoch| count(&drop.apply(&data, 1, epoch).unwrap())).sum();
        let share = kept as f64 / (50 * count(&data)) as f64;
        assert!((share - 0.7).abs() < 0.02, "{share}");
    }

    #[test]
    fn real_values_are_shifted_with_zeros_behind() {
        let values: Vec<f32> = (1..=40).map(|i| i as f32).collect();
        let targets = Targets::PerSequence(vec![0]);
        let data =
            Dataset::new([1, 20, 2], vec!["a".into()], Inputs::Real(values), targets, "").unwrap();
        let shift = Augmentation { time_shift: 5, ..Default::default() };
        let mut shifts = std::collections::BTreeSet::new();
        for epoch in 0..100 {
            let moved = shift.apply(&data, 1, epoch).unwrap();
            let Inputs::Real(values) = moved.inputs() else { panic!("no real values") };
            let (step, value) =
                values.iter().enumerate().find(|(_, value)| **value != 0.0).unwrap();
            let by = (step / 2) as i64 - (*value as i64 - 1) / 2;
            assert_eq!(values.iter().filter(|value| **value == 0.0).count() as i64, 2 * by.abs());
            shifts.insert(by);
        }
        assert_eq!(shifts.into_iter().collect::<Vec<_>>(), (-5..=5).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_moves_into_padding() {
        let all = Augmentation {
            time_shift: 9,
            time_stretch: 0.5,
            channel_shift: 1,
            noise: 1.0,
            ..Augmentation::default()
        };
        let values = vec![1.0; 3 * 20 * 2];
        let targets = Targets::PerSequence(vec![0; 3]);
        let real = Dataset::new([3, 20, 2], vec!["a".into()], Inputs::Real(values), targets, "");
        let lengths = [20, 11, 4];
        let real = real.unwrap().with_lengths(&lengths).unwrap();
        let events = spikes().subset(&[0, 1, 2]).unwrap().with_lengths(&lengths).unwrap();
        for epoch in 0..50 {
            for data in [&real, &events] {
                let changed = all.apply(data, 1, epoch).unwrap();
                let mut row = vec![0.0; data.channels()];
                for (sample, length) in lengths.into_iter().enumerate() {
                    assert_eq!(changed.length(sample), length);
                    for step in length..20 {
                        changed.read(sample * 20 + step, &mut row);
                        assert!(row.iter().all(|x| *x == 0.0), "sequence {sample}, step {step}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_it_cannot_change_is_refused() {
        let targets = Targets::PerStep(vec![0; 20]);
        let inputs = Inputs::Real(vec![0.0; 40]);
        let data = Dataset::new([1, 20, 2], vec!["a".into()], inputs, targets, "").unwrap();
        let shift = Augmentation { time_shift: 5, ..Default::default() };
        assert!(shift.apply(&data, 1, 1).unwrap_err().to_string().contains("every step"));
        for bad in [
            Augmentation { drop: 1.0, ..Default::default() },
            Augmentation { time_stretch: -0.1, ..Default::default() },
            Augmentation { noise: f64::NAN, ..Default::default() },
        ] {
            assert!(bad.validate("train.augmentation").is_err());
        }
    }
}

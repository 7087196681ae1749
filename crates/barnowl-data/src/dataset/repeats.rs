//! Sequences of one part that are in another too: a test on them tells nothing of data that were never seen.

use super::{Dataset, Inputs};
use rayon::prelude::*;
use std::collections::HashMap;

impl Dataset {
    /// How many sequences have the very values of one in `others`, step by step, whatever their labels. Silent ones, which are
    /// all 0, do not count.
    #[must_use]
    pub fn repeats_of(&self, others: &Self) -> usize {
        if self.channels != others.channels {
            return 0;
        }
        let hashes = |data: &Self| -> Vec<Option<u64>> {
            (0..data.samples).into_par_iter().map(|sample| data.hash(sample)).collect()
        };
        let mut known = HashMap::<u64, Vec<usize>>::new();
        for (other, hash) in hashes(others).into_iter().enumerate() {
            if let Some(hash) = hash {
                known.entry(hash).or_default().push(other);
            }
        }
        let repeats = |(sample, hash): (usize, &Option<u64>)| {
            let alike = hash.and_then(|hash| known.get(&hash));
            alike.is_some_and(|alike| alike.iter().any(|other| self.equals(sample, others, *other)))
        };
        hashes(self).iter().enumerate().filter(|found| repeats(*found)).count()
    }

    /// A number of the values that are not 0 and of their places; none where all are.
    fn hash(&self, sample: usize) -> Option<u64> {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut row = vec![0.0; self.channels];
        let (mut hash, mut is_silent) = (self.length(sample) as u64, true);
        let mut add = |step: usize, channel: usize, value: f32| {
            let place = (step * self.channels + channel) as u64;
            let word = place.rotate_left(32) ^ u64::from(value.to_bits());
            hash = (hash.rotate_left(29) ^ word).wrapping_mul(FACTOR);
            is_silent = false;
        };
        for step in 0..self.length(sample) {
            let at = sample * self.steps + step;
            if let Inputs::Events(events) = &self.inputs {
                events.signed(at).for_each(|(channel, sign)| add(step, channel, sign.into()));
                continue;
            }
            self.read(at, &mut row);
            let values = row.iter().enumerate().filter(|(_, value)| **value != 0.0);
            values.for_each(|(channel, value)| add(step, channel, *value));
        }
        (!is_silent).then_some(hash)
    }

    fn equals(&self, sample: usize, others: &Self, other: usize) -> bool {
        let (mut a, mut b) = (vec![0.0; self.channels], vec![0.0; self.channels]);
        let length = self.length(sample);
        length == others.length(other)
            && (0..length).all(|step| {
                self.read(sample * self.steps + step, &mut a);
                others.read(other * others.steps + step, &mut b);
                a == b
            })
    }
}

#[cfg(test)]
mod tests {
    use super::super::data::tests::small;
    use super::super::{Inputs, Targets};
    use super::*;

    #[test]
    fn sequences_of_both_parts_are_counted() {
        let data = small();
        assert_eq!(data.repeats_of(&data), 4);
        assert_eq!(data.subset(&[1, 2]).unwrap().repeats_of(&data.subset(&[2, 3]).unwrap()), 1);
        // The beginning of a sequence is another one.
        let shorter = data.clone().with_lengths(&[3, 3, 2, 3]).unwrap();
        assert_eq!(shorter.repeats_of(&data), 3);
        let spikes = |spikes: [i8; 8]| {
            let names = vec!["a".to_owned()];
            Dataset::from_spikes([2, 2, 2], names, &spikes, Targets::PerSequence(vec![0, 0]), "")
                .unwrap()
        };
        let events = spikes([1, 0, 0, -1, 0, 0, 0, 0]);
        // Silence is no recording that is there twice; what is kept as events may be real elsewhere.
        assert_eq!(events.repeats_of(&events), 1);
        let values = vec![1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0];
        let targets = Targets::PerSequence(vec![0, 0]);
        let names = vec!["a".to_owned()];
        let real = Dataset::new([2, 2, 2], names, Inputs::Real(values), targets, "").unwrap();
        assert_eq!(real.repeats_of(&events), 1);
        assert_eq!(events.repeats_of(&spikes([0, 1, 0, -1, 0, 0, 1, 0])), 0);
    }
}

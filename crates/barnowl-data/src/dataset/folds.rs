//! Training data in two: a part to validate with; and cross-validation, for which a part is held out, in turn, and judged in the
//! place of the test data.

use super::{Dataset, Targets};
use barnowl_base::error::{Error, Result};
use barnowl_base::words::counted;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

/// Which of several equal parts is held out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fold {
    /// The part, from 1.
    /// Range: 1 or more.
    pub index: usize,
    /// How many there are.
    /// Range: 2 or more.
    pub count: usize,
}

impl Dataset {
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

    /// The sequences outside a fold, and those in it. Folds are drawn from `seed`, are about as large as one another, hold
    /// classes alike where every sequence has one class, and never share a [group](Self::with_groups) or a
    /// [recording](Self::with_recordings).
    ///
    /// # Errors
    ///
    /// If there are fewer groups, recordings or sequences than folds.
    pub fn hold_out(&self, fold: Fold, seed: u64) -> Result<(Self, Self)> {
        let mut units = self.inseparable();
        if units.len() < fold.count {
            let what = match (self.groups(), self.recordings()) {
                (Some(_), _) => "groups",
                (None, Some(_)) => "recordings",
                (None, None) => "sequences",
            };
            return Err(Error::setting("train.fold.count", fold.count).expected(format!(
                "at most {}: there are no more {what} to share out",
                units.len()
            )));
        }
        units.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        if let (Targets::PerSequence(classes), None, None) =
            (self.targets(), self.groups(), self.recordings())
        {
            // Dealt out class by class.
            units.sort_by_key(|unit| classes[unit[0]]);
        } else {
            units.sort_by_key(|unit| std::cmp::Reverse(unit.len()));
        }
        // Each goes to the fold that has the least; of several, to the one that has waited longest.
        let mut sizes = vec![(0, 0); fold.count];
        let mut held = vec![false; self.samples()];
        for (turn, unit) in units.iter().enumerate() {
            let place = (0..fold.count).min_by_key(|place| sizes[*place]).unwrap_or_default();
            sizes[place] = (sizes[place].0 + unit.len(), turn + 1);
            if place + 1 == fold.index {
                unit.iter().for_each(|sample| held[*sample] = true);
            }
        }
        self.parted(&held, &format!("fold {} of {}", fold.index, fold.count))
    }

    /// The sequences of all groups but one, and those of that group.
    ///
    /// # Errors
    ///
    /// If the data have no groups, no such group, or no other.
    pub fn leave_out(&self, group: &str) -> Result<(Self, Self)> {
        let refuse = || Error::setting("train.leave_out", group);
        let Some(groups) = self.groups() else {
            return Err(refuse().expected("none, since the data say of no sequence which group it is of").remedy(
                "say which subject or group each sequence is of, or use train.fold = { index = 1, count = 5 }",
            ));
        };
        let known = self.group_names();
        let Some(place) = known.iter().position(|name| name == group) else {
            return Err(refuse().expected(format!("one of the groups: {}", known.join(", "))));
        };
        let held: Vec<bool> = groups.iter().map(|of| *of as usize == place).collect();
        if held.iter().all(|held| *held) || held.iter().all(|held| !*held) {
            return Err(refuse().expected("a group beside others: there is no more than one"));
        }
        self.parted(&held, &format!("group {group}"))
    }

    fn parted(&self, held: &[bool], name: &str) -> Result<(Self, Self)> {
        let those =
            |of: bool| -> Vec<usize> { (0..held.len()).filter(|i| held[*i] == of).collect() };
        let (rest, out) = (those(false), those(true));
        let note = format!(
            "{name} is held out: {} of {}, on which the network is tested",
            out.len(),
            counted(self.samples(), "training sequence")
        );
        Ok((self.subset(&rest)?.with_note(note), self.subset(&out)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Inputs;

    /// Sequence n has the value n throughout.
    fn data(classes: &[u16]) -> Dataset {
        let values = (0..classes.len()).flat_map(|n| [n as f32; 3]).collect();
        let names = ["a", "b"].map(str::to_owned).to_vec();
        let targets = Targets::PerSequence(classes.to_vec());
        Dataset::new([classes.len(), 3, 1], names, Inputs::Real(values), targets, "made").unwrap()
    }

    fn members(data: &Dataset) -> Vec<usize> {
        (0..data.samples()).map(|n| data.batch(&[n]).inputs[0] as usize).collect()
    }

    #[test]
    fn every_sequence_is_held_out_once_and_classes_are_alike() {
        let classes: Vec<u16> = (0..30).map(|n| u16::from(n % 3 == 0)).collect();
        let data = data(&classes);
        let mut seen = Vec::new();
        for index in 1..=5 {
            let (rest, out) = data.hold_out(Fold { index, count: 5 }, 7).unwrap();
            assert_eq!([rest.samples(), out.samples()], [24, 6]);
            let ones = members(&out).iter().filter(|n| classes[**n] == 1).count();
            assert_eq!(ones, 2);
            assert!(members(&rest).iter().all(|n| !members(&out).contains(n)));
            assert!(rest.notes()[0].contains(&format!("fold {index} of 5")));
            seen.extend(members(&out));
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..30).collect::<Vec<_>>());
        let [one, other] = [7, 8]
            .map(|seed| members(&data.hold_out(Fold { index: 1, count: 5 }, seed).unwrap().1));
        assert_ne!(one, other);
    }

    #[test]
    fn groups_and_recordings_are_never_in_two_parts() {
        let groups: Vec<String> = (0..30).map(|n| format!("subject {}", n * n % 7)).collect();
        let recordings: Vec<u32> = (0..30).map(|n| n * n % 7).collect();
        let by_group = data(&[0; 30]).with_groups(&groups).unwrap();
        let by_recording = data(&[0; 30]).with_recordings(recordings).unwrap();
        for data in [by_group, by_recording] {
            let mut seen = 0;
            for index in 1..=3 {
                let (rest, out) = data.hold_out(Fold { index, count: 3 }, 1).unwrap();
                let of = |part: &Dataset| -> std::collections::HashSet<usize> {
                    members(part).iter().map(|n| n * n % 7).collect()
                };
                assert!(of(&rest).is_disjoint(&of(&out)) && !of(&out).is_empty());
                seen += out.samples();
            }
            assert_eq!(seen, 30);
            let error = data.hold_out(Fold { index: 1, count: 5 }, 1).unwrap_err().to_string();
            assert!(error.contains("at most 4"), "{error}");
        }
    }

    #[test]
    fn a_group_is_left_out_by_its_name() {
        let groups: Vec<String> = ["eve", "adam", "eve", "cain"].map(str::to_owned).to_vec();
        let grouped = data(&[0, 1, 0, 1]).with_groups(&groups).unwrap();
        let (rest, out) = grouped.leave_out("eve").unwrap();
        assert_eq!((members(&rest), members(&out)), (vec![1, 3], vec![0, 2]));
        let error = grouped.leave_out("eva").unwrap_err().to_string();
        assert!(error.contains("adam, cain, eve"), "{error}");
        let error = data(&[0, 1]).leave_out("eve").unwrap_err().to_string();
        assert!(error.contains("train.fold"), "{error}");
        // A part knows the names of all groups, and has but one.
        assert!(out.leave_out("eve").is_err() && out.leave_out("adam").is_err());
    }
}

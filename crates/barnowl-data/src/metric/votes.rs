//! Votes: from a class at every step to one a sequence and one a recording, as for the gestures of deep-soli.

use super::Prediction;
use crate::dataset::{Dataset, Targets, UNLABELLED};
use serde::Serialize;
use std::collections::BTreeMap;

/// The share of right answers when steps vote.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Votes {
    /// Of the sequences, by the class that most of their labelled steps are given.
    pub per_sequence: f64,
    /// Of the recordings that the sequences were cut from, by the class that most steps of all their sequences are given.
    pub per_recording: f64,
}

impl Votes {
    /// Counts the votes of the steps from `skip` on; none where the data have no recordings, or a recording has steps of
    /// several classes.
    ///
    /// # Panics
    ///
    /// If the prediction is of other data.
    #[must_use]
    pub fn count(data: &Dataset, prediction: &Prediction, skip: usize) -> Option<Self> {
        let (Targets::PerStep(targets), Some(recordings)) = (data.targets(), data.recordings())
        else {
            return None;
        };
        let (steps, classes) = (data.steps(), data.class_names().len());
        let mut of_recording: BTreeMap<u32, (u16, Vec<u32>)> = BTreeMap::new();
        let (mut right, mut counted) = (0_u64, 0_u64);
        let sequences = targets.chunks_exact(steps).zip(prediction.classes.chunks_exact(steps));
        for ((targets, found), recording) in sequences.zip(recordings) {
            let mut votes = vec![0; classes];
            let mut class = None;
            for (target, found) in targets.iter().zip(found).skip(skip) {
                if *target == UNLABELLED {
                    continue;
                }
                if *class.get_or_insert(*target) != *target {
                    return None;
                }
                votes[usize::from(*found)] += 1;
            }
            let Some(class) = class else { continue };
            right += u64::from(winner(&votes) == class);
            counted += 1;
            let (expected, sum) =
                of_recording.entry(*recording).or_insert_with(|| (class, vec![0; classes]));
            if *expected != class {
                return None;
            }
            sum.iter_mut().zip(&votes).for_each(|(sum, votes)| *sum += votes);
        }
        if counted == 0 {
            return None;
        }
        let recordings_right =
            of_recording.values().filter(|(class, votes)| winner(votes) == *class).count();
        Some(Self {
            per_sequence: right as f64 / counted as f64,
            per_recording: recordings_right as f64 / of_recording.len() as f64,
        })
    }
}

/// The class with the most votes; the first where several have as many.
fn winner(votes: &[u32]) -> u16 {
    let mut best = 0;
    for (class, count) in votes.iter().enumerate() {
        if *count > votes[best] {
            best = class;
        }
    }
    best as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Inputs;

    fn data(targets: Vec<u16>) -> Dataset {
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let inputs = Inputs::Real(vec![0.0; 16]);
        Dataset::new([4, 4, 1], names, inputs, Targets::PerStep(targets), "")
            .unwrap()
            .with_recordings(vec![7, 7, 9, 9])
            .unwrap()
    }

    #[test]
    fn most_steps_decide() {
        const NONE: u16 = UNLABELLED;
        let data = data(vec![1, 1, 1, 1, 1, NONE, NONE, NONE, 2, 2, 2, 2, 2, 2, 2, NONE]);
        // The second piece is wrong, and its recording right; the third right and its recording wrong.
        let classes = vec![0, 1, 1, 1, 0, 1, 1, 1, 2, 2, 0, 2, 0, 0, 0, 2];
        let prediction = Prediction { classes, steps: 4, ..Prediction::default() };
        let votes = Votes::count(&data, &prediction, 0).unwrap();
        assert_eq!((votes.per_sequence, votes.per_recording), (0.5, 0.5));
        // From the second step on, the second piece has no vote left.
        let votes = Votes::count(&data, &prediction, 1).unwrap();
        assert_eq!((votes.per_sequence, votes.per_recording), (2.0 / 3.0, 0.5));
    }

    #[test]
    fn steps_of_several_classes_do_not_vote() {
        let prediction = Prediction { classes: vec![0; 16], steps: 4, ..Prediction::default() };
        let mixed = data(vec![1, 2, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2]);
        assert_eq!(Votes::count(&mixed, &prediction, 0), None);
        assert_eq!(Votes::count(&data(vec![UNLABELLED; 16]), &prediction, 0), None);
    }
}

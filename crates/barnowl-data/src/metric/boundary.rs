//! How well the onsets and ends of labelled segments are found.
//!
//! A *segment* is a longest run of one class. Its *onset* is its first step, its *end* the last one; both must be seen
//! to happen, so what lies at the first or last counted step because the sequence is cut there is no boundary.
//!
//! Boundaries of one class and kind in the target are matched to those in the prediction, one to one, in the order of
//! time, and only where they are no farther apart than the tolerance. Of all such matchings one with the most pairs is
//! taken, and of these one with the least sum of absolute timing errors. Matched boundaries are true positives,
//! unmatched ones misses (of the target) and false alarms (of the prediction). A tolerance of 150 ms is what
//! ANSI/AAMI EC57 uses for beats, and what is customary for the waves of the ECG (Martínez et al., IEEE Transactions
//! on Biomedical Engineering 51, 570–581, 2004, doi:10.1109/TBME.2003.821031).

use serde::Serialize;

/// Compares the boundaries of predicted segments with those of the target, sequence by sequence.
///
/// ```
/// use barnowl_data::metric::boundary::BoundaryDetection;
///
/// let mut detection = BoundaryDetection::new(2, 250.0, 8.0, 0); // 8 ms: two steps
/// detection.add(&[0, 0, 0, 1, 1, 1, 0, 0], &[0, 0, 1, 1, 1, 1, 1, 0]);
/// let onset = detection.scores()[1].onset;
/// assert_eq!((onset.true_positives, onset.mean_error_ms), (1, Some(-4.0)));
/// ```
#[derive(Debug, Clone)]
pub struct BoundaryDetection {
    /// Milliseconds a step.
    step_ms: f64,
    /// The largest timing error of a match, in steps.
    tolerance: usize,
    skip: usize,
    counts: Vec<[Counts; 2]>,
}

/// How well the boundaries of one class are found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassBoundaries {
    /// Where segments begin.
    pub onset: BoundaryScore,
    /// Where segments end.
    pub end: BoundaryScore,
}

/// How well one kind of boundary is found. A ratio whose denominator is zero is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BoundaryScore {
    /// Boundaries of the target that were found.
    pub true_positives: u64,
    /// Boundaries of the target that were not found.
    pub misses: u64,
    /// Predicted boundaries that match none of the target.
    pub false_alarms: u64,
    /// The share of the target's boundaries that were found: TP / (TP + misses).
    pub sensitivity: Option<f64>,
    /// The share of the predicted boundaries that are right: TP / (TP + false alarms).
    pub positive_predictive_value: Option<f64>,
    /// The harmonic mean of the two: 2 TP / (2 TP + misses + false alarms).
    pub f1: Option<f64>,
    /// The mean timing error of the matches in milliseconds, positive if predicted late; `None` without a match.
    pub mean_error_ms: Option<f64>,
    /// The standard deviation of the timing errors (over n − 1) in milliseconds; `None` below two matches.
    pub sd_error_ms: Option<f64>,
}

impl BoundaryDetection {
    /// Counts for `classes` classes. `sampling_rate` is in steps a second; timing errors up to `tolerance_ms`
    /// milliseconds, rounded down to whole steps, match; the first `skip` steps of every sequence are not looked at.
    ///
    /// # Panics
    ///
    /// If the sampling rate is not positive and finite, or the tolerance is negative or not a number.
    #[must_use]
    pub fn new(classes: usize, sampling_rate: f64, tolerance_ms: f64, skip: usize) -> Self {
        assert!(
            sampling_rate.is_finite() && sampling_rate > 0.0,
            "a sampling rate of {sampling_rate} steps a second"
        );
        assert!(tolerance_ms >= 0.0, "a tolerance of {tolerance_ms} ms");
        Self {
            step_ms: 1000.0 / sampling_rate,
            // Seven steps of 1/360 s are 7 once rounded back from milliseconds, not 6.999…; `as` saturates: an endless
            // tolerance means every distance.
            tolerance: (tolerance_ms * sampling_rate / 1000.0 * (1.0 + 1e-12)) as usize,
            skip,
            counts: vec![[Counts::default(); 2]; classes],
        }
    }

    /// Compares one sequence: the class of every step, `[T]`, in target and prediction.
    ///
    /// # Panics
    ///
    /// If the two are not equally long, or a class is out of range.
    pub fn add(&mut self, target: &[u16], prediction: &[u16]) {
        assert_eq!(target.len(), prediction.len(), "steps of target and prediction");
        let target = boundaries(target, self.skip, self.counts.len());
        let prediction = boundaries(prediction, self.skip, self.counts.len());
        for (counts, (target, prediction)) in
            self.counts.iter_mut().zip(target.iter().zip(&prediction))
        {
            for (counts, (target, prediction)) in
                counts.iter_mut().zip(target.iter().zip(prediction))
            {
                counts.add(target, prediction, self.tolerance);
            }
        }
    }

    /// Adds what another has counted; the order does not matter.
    ///
    /// # Panics
    ///
    /// If the other has other classes, another step, tolerance or skip.
    pub fn merge(&mut self, other: &Self) {
        let setting = |it: &Self| (it.counts.len(), it.step_ms, it.tolerance, it.skip);
        assert_eq!(setting(self), setting(other), "detections of one setting");
        for (counts, other) in self.counts.iter_mut().flatten().zip(other.counts.iter().flatten()) {
            counts.merge(other);
        }
    }

    /// The scores of every class, over all sequences so far.
    #[must_use]
    pub fn scores(&self) -> Vec<ClassBoundaries> {
        let score = |[onset, end]: &[Counts; 2]| ClassBoundaries {
            onset: onset.score(self.step_ms),
            end: end.score(self.step_ms),
        };
        self.counts.iter().map(score).collect()
    }
}

/// What was counted of one kind of boundary; whole numbers, so that the order of the sequences does not matter.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    target: u64,
    predicted: u64,
    matched: u64,
    /// The sum of the timing errors in steps.
    error: i64,
    /// The sum of their squares.
    squared_error: u64,
}

impl Counts {
    fn add(&mut self, target: &[usize], prediction: &[usize], tolerance: usize) {
        self.target += target.len() as u64;
        self.predicted += prediction.len() as u64;
        for (target, predicted) in matching(target, prediction, tolerance) {
            self.matched += 1;
            self.error += predicted as i64 - target as i64;
            self.squared_error += (predicted.abs_diff(target) as u64).pow(2);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.target += other.target;
        self.predicted += other.predicted;
        self.matched += other.matched;
        self.error += other.error;
        self.squared_error += other.squared_error;
    }

    fn score(&self, step_ms: f64) -> BoundaryScore {
        let ratio = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        // (n Σe² − (Σe)²) / (n (n − 1)): exact up to the division.
        let (n, sum) = (i128::from(self.matched), i128::from(self.error));
        let spread = n * i128::from(self.squared_error) - sum * sum;
        BoundaryScore {
            true_positives: self.matched,
            misses: self.target - self.matched,
            false_alarms: self.predicted - self.matched,
            sensitivity: ratio(self.matched, self.target),
            positive_predictive_value: ratio(self.matched, self.predicted),
            f1: ratio(2 * self.matched, self.target + self.predicted),
            mean_error_ms: (n > 0).then(|| sum as f64 / n as f64 * step_ms),
            sd_error_ms: (n > 1).then(|| (spread as f64 / (n * (n - 1)) as f64).sqrt() * step_ms),
        }
    }
}

/// Onsets and ends of every class, in the order of time.
fn boundaries(labels: &[u16], skip: usize, classes: usize) -> Vec<[Vec<usize>; 2]> {
    let mut found = vec![[Vec::new(), Vec::new()]; classes];
    for (step, pair) in labels.windows(2).enumerate().skip(skip) {
        if pair[0] == pair[1] {
            continue;
        }
        // Steps without a label are of no class, but bound those that are.
        if let Some([_, ends]) = found.get_mut(usize::from(pair[0])) {
            ends.push(step);
        }
        if let Some([onsets, _]) = found.get_mut(usize::from(pair[1])) {
            onsets.push(step + 1);
        }
    }
    found
}

/// The pairs of the best matching: the most pairs, then the least sum of distances. Both lists are ascending; time and
/// memory grow with the product of their lengths.
///
/// Dynamic programming over prefixes: the best of the first i and j boundaries either leaves out the last one of
/// either list or pairs the two, `best(i, j) = max(best(i−1, j), best(i, j−1), best(i−1, j−1) + pair)`.
fn matching(target: &[usize], prediction: &[usize], tolerance: usize) -> Vec<(usize, usize)> {
    let columns = prediction.len() + 1;
    // More pairs first, then the smaller distance.
    let mut best = vec![(0_usize, std::cmp::Reverse(0_usize)); (target.len() + 1) * columns];
    let paired = |(pairs, distance): (usize, std::cmp::Reverse<usize>), t: usize, p: usize| {
        let gap = t.abs_diff(p);
        (gap <= tolerance).then_some((pairs + 1, std::cmp::Reverse(distance.0 + gap)))
    };
    for (i, &t) in target.iter().enumerate() {
        for (j, &p) in prediction.iter().enumerate() {
            let unpaired = best[i * columns + j + 1].max(best[(i + 1) * columns + j]);
            let with_pair = paired(best[i * columns + j], t, p);
            best[(i + 1) * columns + j + 1] = with_pair.map_or(unpaired, |with| with.max(unpaired));
        }
    }
    let (mut i, mut j) = (target.len(), prediction.len());
    let mut pairs = Vec::with_capacity(best[i * columns + j].0);
    while i > 0 && j > 0 {
        let here = best[i * columns + j];
        if here == best[(i - 1) * columns + j] {
            i -= 1;
        } else if here == best[i * columns + j - 1] {
            j -= 1;
        } else {
            (i, j) = (i - 1, j - 1);
            pairs.push((target[i], prediction[j]));
        }
    }
    pairs.reverse();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Labels from (class, length) runs.
    fn runs(runs: &[(u16, usize)]) -> Vec<u16> {
        runs.iter().flat_map(|&(class, length)| std::iter::repeat_n(class, length)).collect()
    }

    #[test]
    fn scores_by_hand() {
        // At 250 Hz, 150 ms are 37 steps and not 38.
        let mut detection = BoundaryDetection::new(2, 250.0, 150.0, 0);
        let target = runs(&[(0, 100), (1, 100), (0, 200), (1, 100), (0, 100)]);
        let late = runs(&[(0, 137), (1, 63), (0, 200), (1, 138), (0, 62)]);
        detection.add(&target, &late);
        let [_, ClassBoundaries { onset, end }] = detection.scores()[..] else {
            panic!("two classes")
        };
        assert_eq!((onset.true_positives, onset.misses), (2, 0));
        assert_eq!(onset.mean_error_ms, Some(74.0));
        // Errors 148 and 0 ms: s.d. √((74² + 74²) / 1).
        assert!((onset.sd_error_ms.unwrap() - 74.0 * 2.0_f64.sqrt()).abs() < 1e-9);
        assert_eq!((end.true_positives, end.misses, end.false_alarms), (1, 1, 1));
        assert_eq!((end.sensitivity, end.f1), (Some(0.5), Some(0.5)));
        assert_eq!((end.mean_error_ms, end.sd_error_ms), (Some(0.0), None));
    }

    #[test]
    fn tolerances_of_whole_steps_stay_whole() {
        for rate in [100.0, 128.0, 250.0, 257.0, 360.0, 500.0, 1000.0] {
            for steps in 0..1000 {
                let tolerance_ms = f64::from(steps) * 1000.0 / rate;
                let detection = BoundaryDetection::new(1, rate, tolerance_ms, 0);
                assert_eq!(detection.tolerance, steps as usize, "{steps} steps at {rate} Hz");
            }
        }
    }

    #[test]
    fn edges_of_the_sequence_are_no_boundaries() {
        let mut detection = BoundaryDetection::new(3, 1000.0, 5.0, 0);
        detection.add(&[1; 20], &[1; 20]);
        detection.add(&[], &[]);
        for class in detection.scores() {
            assert_eq!(class.onset.sensitivity, None);
            assert_eq!(class.end.f1, None);
            assert_eq!(class.end.mean_error_ms, None);
        }
    }

    #[test]
    fn skipped_steps_do_not_count() {
        let labels = runs(&[(0, 10), (1, 10), (0, 10)]);
        let onsets = |skip| {
            let mut detection = BoundaryDetection::new(2, 1000.0, 5.0, skip);
            detection.add(&labels, &labels);
            detection.scores()[1].onset.true_positives
        };
        // The onset at step 10 is seen from step 9 on.
        assert_eq!([onsets(9), onsets(10), onsets(100)], [1, 0, 0]);
    }

    #[test]
    fn nearest_is_taken_unless_that_costs_a_pair() {
        assert_eq!(matching(&[100], &[70, 99, 120], 37), [(100, 99)]);
        assert_eq!(matching(&[100, 130], &[70, 99], 31), [(100, 70), (130, 99)]);
        assert_eq!(matching(&[10, 20], &[], 31), []);
    }

    /// The best (pairs, −distance) by trying every matching.
    fn exhaustive(target: &[usize], prediction: &[usize], tolerance: usize) -> (usize, i64) {
        let Some((&t, rest)) = target.split_first() else {
            return (0, 0);
        };
        let mut best = exhaustive(rest, prediction, tolerance);
        for (j, &p) in prediction.iter().enumerate() {
            if t.abs_diff(p) <= tolerance {
                let (pairs, distance) = exhaustive(rest, &prediction[j + 1..], tolerance);
                best = best.max((pairs + 1, distance - t.abs_diff(p) as i64));
            }
        }
        best
    }

    fn times() -> impl Strategy<Value = Vec<usize>> {
        proptest::collection::btree_set(0_usize..60, 0..8).prop_map(|set| set.into_iter().collect())
    }

    proptest! {
        #[test]
        fn merging_is_adding_all_sequences_to_one(
            sequences in proptest::collection::vec(
                proptest::collection::vec((0_u16..3, 0_u16..3), 0..60),
                0..6,
            ),
            split in 0_usize..6,
        ) {
            let detect = |sequences: &[Vec<(u16, u16)>]| {
                let mut detection = BoundaryDetection::new(3, 250.0, 20.0, 1);
                for sequence in sequences {
                    let (target, prediction): (Vec<_>, Vec<_>) = sequence.iter().copied().unzip();
                    detection.add(&target, &prediction);
                }
                detection
            };
            let (first, second) = sequences.split_at(split.min(sequences.len()));
            let mut merged = detect(second);
            merged.merge(&detect(first));
            prop_assert_eq!(merged.scores(), detect(&sequences).scores());
        }

        #[test]
        fn matching_is_best_ordered_and_one_to_one(t in times(), p in times(), tolerance in 0_usize..20) {
            let pairs = matching(&t, &p, tolerance);
            prop_assert!(pairs.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
            for &(a, b) in &pairs {
                prop_assert!(t.contains(&a) && p.contains(&b) && a.abs_diff(b) <= tolerance);
            }
            let distance: usize = pairs.iter().map(|(a, b)| a.abs_diff(*b)).sum();
            prop_assert_eq!((pairs.len(), -(distance as i64)), exhaustive(&t, &p, tolerance));
        }

        #[test]
        fn counts_agree(
            labels in proptest::collection::vec((0_u16..4, 0_u16..4), 0..200),
            tolerance in 0_u32..50,
            skip in 0_usize..20,
        ) {
            let (target, prediction): (Vec<_>, Vec<_>) = labels.into_iter().unzip();
            let score = |target: &[u16], prediction: &[u16]| {
                let mut detection = BoundaryDetection::new(4, 1000.0, f64::from(tolerance), skip);
                detection.add(target, prediction);
                detection.scores()
            };
            // Every boundary is found in the target itself; exchanging the two exchanges misses and false alarms.
            for class in score(&target, &target) {
                for kind in [class.onset, class.end] {
                    prop_assert_eq!((kind.misses, kind.false_alarms), (0, 0));
                    prop_assert!(kind.mean_error_ms.is_none_or(|error| error == 0.0));
                }
            }
            let (there, back) = (score(&target, &prediction), score(&prediction, &target));
            for (there, back) in there.iter().zip(&back) {
                prop_assert_eq!(there.onset.true_positives, back.onset.true_positives);
                prop_assert_eq!(there.end.misses, back.end.false_alarms);
                prop_assert_eq!(there.end.f1, back.end.f1);
            }
        }
    }
}

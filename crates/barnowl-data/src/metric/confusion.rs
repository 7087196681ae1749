//! True classes against predicted ones.

use serde::Serialize;

/// Counts of true classes (rows) against predicted ones (columns).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfusionMatrix {
    counts: Vec<Vec<u64>>,
}

/// How well one class is recognised. A ratio whose denominator is zero is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassScore {
    /// Of what was called this class, the share that is.
    pub precision: Option<f64>,
    /// Of what is this class, the share that was called so.
    pub recall: Option<f64>,
    /// The harmonic mean of precision and recall.
    pub f1: Option<f64>,
    /// How often the class occurs.
    pub support: u64,
}

impl ConfusionMatrix {
    /// An empty matrix.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self { counts: vec![vec![0; classes]; classes] }
    }

    /// Counts one answer.
    ///
    /// # Panics
    ///
    /// If a class is out of range.
    pub fn add(&mut self, target: usize, predicted: usize) {
        self.counts[target][predicted] += 1;
    }

    /// Adds the counts of another matrix of the same classes.
    ///
    /// # Panics
    ///
    /// If the other has another number of classes.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.classes(), other.classes(), "matrices of the same classes");
        for (row, other) in self.counts.iter_mut().zip(&other.counts) {
            row.iter_mut().zip(other).for_each(|(count, other)| *count += other);
        }
    }

    /// The number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.counts.len()
    }

    /// How often `target` was called `predicted`.
    ///
    /// # Panics
    ///
    /// If a class is out of range.
    #[must_use]
    pub fn count(&self, target: usize, predicted: usize) -> u64 {
        self.counts[target][predicted]
    }

    /// How often a class occurs.
    fn support(&self, class: usize) -> u64 {
        self.counts[class].iter().sum()
    }

    /// The number of answers.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// The share of right answers; `None` if there are no answers.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        ratio((0..self.classes()).map(|class| self.counts[class][class]).sum(), self.total())
    }

    /// The accuracy of always answering the most frequent class; `None` if there are no answers.
    #[must_use]
    pub fn majority_rate(&self) -> Option<f64> {
        ratio((0..self.classes()).map(|class| self.support(class)).max()?, self.total())
    }

    /// Precision, recall and F1 of every class.
    #[must_use]
    pub fn class_scores(&self) -> Vec<ClassScore> {
        let score = |class: usize| {
            let right = self.counts[class][class];
            let support = self.support(class);
            let predicted: u64 = self.counts.iter().map(|row| row[class]).sum();
            ClassScore {
                precision: ratio(right, predicted),
                recall: ratio(right, support),
                f1: ratio(2 * right, support + predicted),
                support,
            }
        };
        (0..self.classes()).map(score).collect()
    }

    /// The mean F1 of the classes that occur or were predicted; `None` if there are none.
    #[must_use]
    pub fn macro_f1(&self) -> Option<f64> {
        let scores: Vec<f64> = self.class_scores().iter().filter_map(|score| score.f1).collect();
        (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_by_hand() {
        let mut matrix = ConfusionMatrix::new(3);
        for (target, predicted) in [(0, 0), (0, 0), (0, 1), (1, 1), (1, 0)] {
            matrix.add(target, predicted);
        }
        assert_eq!(matrix.accuracy(), Some(0.6));
        assert_eq!(matrix.majority_rate(), Some(0.6));
        let scores = matrix.class_scores();
        assert_eq!((scores[0].precision, scores[0].recall), (Some(2.0 / 3.0), Some(2.0 / 3.0)));
        assert_eq!((scores[1].precision, scores[1].f1), (Some(0.5), Some(0.5)));
        let absent = ClassScore { precision: None, recall: None, f1: None, support: 0 };
        assert_eq!(scores[2], absent);
        assert!((matrix.macro_f1().unwrap() - (2.0 / 3.0 + 0.5) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn merging_adds() {
        let mut matrix = ConfusionMatrix::new(2);
        matrix.add(0, 1);
        matrix.merge(&matrix.clone());
        assert_eq!((matrix.count(0, 1), matrix.total()), (2, 2));
        assert_eq!(ConfusionMatrix::new(2).accuracy(), None);
    }
}

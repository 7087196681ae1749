//! How well numbers are found: R² and the root of the mean squared error.

use serde::{Deserialize, Serialize};

/// Sums over pairs of a number and the one that was found, for each of K numbers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RegressionSums {
    of: Vec<Sums>,
}

/// Sums of one number; mean and squares by Welford's recurrence.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Sums {
    count: u64,
    mean: f64,
    /// Σ (y − mean)²
    squares: f64,
    /// Σ (ŷ − y)²
    errors: f64,
}

/// How well numbers are found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Regression {
    /// The mean of R² over the numbers that change: 1 if all are found exactly, 0 for always answering their means. A number
    /// that never changes has none.
    pub r2: f64,
    /// The root of the mean squared error, over all numbers, in their own units.
    pub rmse: f64,
    /// Of each number.
    pub values: Vec<ValueScore>,
}

/// How well one number is found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValueScore {
    /// What it is called.
    pub name: String,
    /// 1 − Σ (ŷ − y)² / Σ (y − mean)²; none of a number that never changes.
    pub r2: Option<f64>,
    /// The root of the mean squared error, in its own unit.
    pub rmse: f64,
    /// The mean of the true numbers.
    pub mean: f64,
    /// Their standard deviation.
    pub sd: f64,
    /// How many were to be found.
    pub count: u64,
}

impl RegressionSums {
    /// Adds K numbers `found` for K `targets`; those that are not known, NaN, are left out.
    pub fn add(&mut self, targets: &[f32], found: &[f32]) {
        self.of.resize(self.of.len().max(targets.len()), Sums::default());
        for ((sums, target), found) in self.of.iter_mut().zip(targets).zip(found) {
            if target.is_nan() {
                continue;
            }
            let (target, found) = (f64::from(*target), f64::from(*found));
            sums.count += 1;
            let from_mean = target - sums.mean;
            sums.mean += from_mean / sums.count as f64;
            sums.squares += from_mean * (target - sums.mean);
            sums.errors += (found - target).powi(2);
        }
    }

    /// How many numbers were to be found.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.of.iter().map(|sums| sums.count).sum()
    }

    /// The mean of R² over the numbers that change; not a number as long as none does.
    #[must_use]
    pub fn r2(&self) -> f64 {
        let all: Vec<f64> = self.of.iter().filter_map(Sums::r2).collect();
        all.iter().sum::<f64>() / all.len() as f64
    }

    /// The scores, of numbers of these names that were brought to a scale by (y − center) / scale, if they were.
    #[must_use]
    pub fn scores(
        &self,
        names: &[String],
        by: Option<&crate::dataset::Normalization>,
    ) -> Regression {
        let scale = |place: usize| by.map_or(1.0, |by| f64::from(by.scale[place]));
        let center = |place: usize| by.map_or(0.0, |by| f64::from(by.center[place]));
        let values: Vec<ValueScore> = (self.of.iter().zip(names).enumerate())
            .map(|(place, (sums, name))| {
                let number = sums.count as f64;
                ValueScore {
                    name: name.clone(),
                    r2: sums.r2(),
                    rmse: (sums.errors / number).sqrt() * scale(place),
                    mean: sums.mean * scale(place) + center(place),
                    sd: (sums.squares / number).sqrt() * scale(place),
                    count: sums.count,
                }
            })
            .collect();
        let errors = |(place, sums): (usize, &Sums)| sums.errors * scale(place).powi(2);
        let errors: f64 = self.of.iter().enumerate().map(errors).sum();
        Regression { r2: self.r2(), rmse: (errors / self.count() as f64).sqrt(), values }
    }
}

impl Sums {
    fn r2(&self) -> Option<f64> {
        (self.squares > 0.0).then(|| 1.0 - self.errors / self.squares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Normalization, Normalize};

    #[test]
    fn scores_are_those_of_the_formulas() {
        let mut sums = RegressionSums::default();
        // The second number never changes; the third pair of the first is not known.
        for (targets, found) in
            [([1.0, 5.0], [1.5, 5.0]), ([3.0, 5.0], [2.5, 4.0]), ([f32::NAN, 5.0], [9.0, 5.0])]
        {
            sums.add(&targets, &found);
        }
        let names = ["a".to_owned(), "b".to_owned()];
        let scores = sums.scores(&names, None);
        // Errors 0.5, −0.5 about a mean of 2 with squares 2.
        assert_eq!(scores.values[0].r2, Some(0.75));
        assert_eq!(scores.values[0].rmse, 0.5);
        assert_eq!(
            (scores.values[0].mean, scores.values[0].sd, scores.values[0].count),
            (2.0, 1.0, 2)
        );
        assert_eq!(scores.values[1].r2, None);
        assert_eq!(scores.r2, 0.75);
        assert!((scores.rmse - (1.5_f64 / 5.0).sqrt()).abs() < 1e-12);
        let by = Normalization {
            kind: Normalize::Standardize,
            center: vec![10.0, 0.0],
            scale: vec![2.0, 1.0],
        };
        let scaled = sums.scores(&names, Some(&by));
        assert_eq!((scaled.values[0].rmse, scaled.values[0].mean), (1.0, 14.0));
        assert_eq!(scaled.values[0].r2, Some(0.75), "no unit changes R²");
        assert!((scaled.rmse - ((2.0 + 1.0) / 5.0_f64).sqrt()).abs() < 1e-12);
    }
}

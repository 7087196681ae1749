//! How far a measured accuracy can be trusted.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// How often the sequences are drawn again.
const RESAMPLES: usize = 2000;

/// The 95 % interval of an accuracy by the bootstrap (Efron 1979): sequences are drawn again with replacement, because the
/// steps of one sequence are right or wrong together. The same every time. `None` if nothing was counted.
///
/// `sequences` holds, for every sequence, how many answers were right and how many there were.
#[must_use]
pub fn accuracy_interval(sequences: &[(u64, u64)]) -> Option<(f64, f64)> {
    let total: u64 = sequences.iter().map(|(_, counted)| counted).sum();
    if total == 0 {
        return None;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut accuracies: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            let drawn =
                (0..sequences.len()).map(|_| sequences[rng.random_range(0..sequences.len())]);
            let (right, counted) = drawn.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            (counted > 0).then(|| right as f64 / counted as f64)
        })
        .collect();
    accuracies.sort_by(f64::total_cmp);
    let at = |share: f64| accuracies[(share * (accuracies.len() - 1) as f64).round() as usize];
    (!accuracies.is_empty()).then(|| (at(0.025), at(0.975)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_binomial_where_answers_are_independent() {
        let sequences: Vec<(u64, u64)> = (0..400).map(|i| (u64::from(i % 5 > 0), 1)).collect();
        let (low, high) = accuracy_interval(&sequences).unwrap();
        // 0.8 ± 1.96 √(0.8 · 0.2 / 400)
        assert!((low - 0.7608).abs() < 0.006 && (high - 0.8392).abs() < 0.006, "{low} {high}");
        assert_eq!(accuracy_interval(&sequences), Some((low, high)));
    }

    #[test]
    fn few_sequences_say_little() {
        let many: Vec<(u64, u64)> = (0..10).map(|i| (100 * (i % 2), 100)).collect();
        let (low, high) = accuracy_interval(&many).unwrap();
        assert!(high - low > 0.4, "{low} {high}");
        assert_eq!(accuracy_interval(&[]), None);
        assert_eq!(accuracy_interval(&[(0, 0)]), None);
    }
}

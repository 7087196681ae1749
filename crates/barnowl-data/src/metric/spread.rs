//! Mean and standard deviation over runs.

use serde::Serialize;
use std::fmt;

/// Mean and spread of the results of some runs; shown as `0.864 ± 0.002`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The sample standard deviation (over n − 1); none of a single run.
    pub sd: Option<f64>,
    /// n.
    pub runs: usize,
}

impl Spread {
    /// Of some values; `None` if there are none.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().collect();
        let runs = values.len();
        if runs == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / runs as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let sd = (runs > 1).then(|| (squares / (runs - 1) as f64).sqrt());
        Some(Self { mean, sd, runs })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(4);
        match self.sd {
            Some(sd) => write!(f, "{:.digits$} ± {sd:.digits$}", self.mean),
            None => write!(f, "{:.digits$}", self.mean),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_deviation_by_hand() {
        let spread = Spread::of([1.0, 2.0, 6.0]).unwrap();
        assert_eq!((spread.mean, spread.sd, spread.runs), (3.0, Some(7.0_f64.sqrt()), 3));
        assert_eq!(format!("{spread:.2}"), "3.00 ± 2.65");
        assert_eq!(Spread::of([0.5]).unwrap().to_string(), "0.5000");
        assert_eq!(Spread::of([]), None);
    }
}

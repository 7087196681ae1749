//! Weight initialisers.
//!
//! Drawn from a seeded ChaCha stream on the host, so that the same seed gives the same bits on every device and
//! whatever else draws random numbers in the process.

use crate::error::{Error, Result};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// How a weight matrix starts.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Initializer {
    /// Uniform within ±gain √(6 / (fan_in + fan_out)) (Glorot & Bengio 2010).
    XavierUniform {
        /// Scales the bound.
        /// Range: more than 0.
        #[serde(default = "one")]
        gain: f64,
    },
    /// Normal with s.d. gain √(2 / (fan_in + fan_out)) (Glorot & Bengio 2010).
    XavierNormal {
        /// Scales the standard deviation.
        /// Range: more than 0.
        #[serde(default = "one")]
        gain: f64,
    },
    /// Uniform within ±gain √(3 / fan_in) (He et al. 2015); gain 1/√3 is what `torch.nn.Linear` does.
    KaimingUniform {
        /// Scales the bound.
        /// Range: more than 0.
        #[serde(default = "one")]
        gain: f64,
    },
    /// Normal with s.d. gain / √fan_in (He et al. 2015).
    KaimingNormal {
        /// Scales the standard deviation.
        /// Range: more than 0.
        #[serde(default = "one")]
        gain: f64,
    },
    /// A random orthogonal matrix times gain (Saxe et al. 2014): rows or columns, whichever are fewer, are orthonormal.
    Orthogonal {
        /// Scales the matrix.
        /// Range: more than 0.
        #[serde(default = "one")]
        gain: f64,
    },
    /// All zero.
    #[default]
    Zeros,
}

fn one() -> f64 {
    1.0
}

impl Initializer {
    /// Xavier uniform with gain 1.
    pub const XAVIER: Self = Self::XavierUniform { gain: 1.0 };
    /// Orthogonal with gain 1.
    pub const ORTHOGONAL: Self = Self::Orthogonal { gain: 1.0 };

    /// Checks the gain; `key` names the setting in messages.
    ///
    /// # Errors
    ///
    /// If the gain is not a positive number.
    pub fn validate(&self, key: &str) -> Result<()> {
        let gain = match *self {
            Self::XavierUniform { gain }
            | Self::XavierNormal { gain }
            | Self::KaimingUniform { gain }
            | Self::KaimingNormal { gain }
            | Self::Orthogonal { gain } => gain,
            Self::Zeros => 1.0,
        };
        if gain > 0.0 && gain.is_finite() {
            Ok(())
        } else {
            Err(Error::setting(format!("{key}.gain"), gain).expected("a positive number"))
        }
    }

    /// A matrix `[fan_in, fan_out]`, row-major.
    #[must_use]
    pub fn draw(&self, [fan_in, fan_out]: [usize; 2], rng: &mut ChaCha8Rng) -> Vec<f32> {
        let size = fan_in * fan_out;
        let (inward, both) = (fan_in as f64, (fan_in + fan_out) as f64);
        let mut uniform = |bound: f64| -> Vec<f32> {
            (0..size).map(|_| (rng.random_range(-1.0..1.0) * bound) as f32).collect()
        };
        match *self {
            Self::XavierUniform { gain } => uniform(gain * (6.0 / both).sqrt()),
            Self::KaimingUniform { gain } => uniform(gain * (3.0 / inward).sqrt()),
            Self::XavierNormal { gain } => normal(size, gain * (2.0 / both).sqrt(), rng),
            Self::KaimingNormal { gain } => normal(size, gain / inward.sqrt(), rng),
            Self::Orthogonal { gain } => orthogonal(fan_in, fan_out, gain, rng),
            Self::Zeros => vec![0.0; size],
        }
    }
}

fn normal(size: usize, sd: f64, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let draw =
        |_| (sd * <StandardNormal as Distribution<f64>>::sample(&StandardNormal, rng)) as f32;
    (0..size).map(draw).collect()
}

/// Gram–Schmidt on normal vectors, twice for accuracy: uniformly distributed over the orthogonal matrices.
fn orthogonal(rows: usize, columns: usize, gain: f64, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let (count, length) = (rows.min(columns), rows.max(columns));
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    while basis.len() < count {
        let mut vector: Vec<f64> = (0..length).map(|_| StandardNormal.sample(rng)).collect();
        for _ in 0..2 {
            for other in &basis {
                let dot: f64 = vector.iter().zip(other).map(|(a, b)| a * b).sum();
                vector.iter_mut().zip(other).for_each(|(a, b)| *a -= dot * b);
            }
        }
        let norm = vector.iter().map(|a| a * a).sum::<f64>().sqrt();
        // A vector in the span of the others has probability zero; rounding could still make one.
        if norm > 1e-6 {
            basis.push(vector.into_iter().map(|a| a / norm).collect());
        }
    }
    let entry = |row: usize, column: usize| {
        let value = if rows <= columns { basis[row][column] } else { basis[column][row] };
        (gain * value) as f32
    };
    (0..rows)
        .flat_map(|row| (0..columns).map(move |column| (row, column)))
        .map(|(row, column)| entry(row, column))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    fn draw(initializer: Initializer, shape: [usize; 2]) -> Vec<f32> {
        initializer.draw(shape, &mut ChaCha8Rng::seed_from_u64(1))
    }

    #[test]
    fn orthogonal_matrices_are_orthogonal() {
        for [rows, columns] in [[7, 7], [5, 12], [12, 5], [1, 1]] {
            let gain = 1.5;
            let w = draw(Initializer::Orthogonal { gain }, [rows, columns]);
            let at = |row: usize, column: usize| f64::from(w[row * columns + column]);
            let count = rows.min(columns);
            for i in 0..count {
                for j in 0..count {
                    let dot: f64 = if rows <= columns {
                        (0..columns).map(|k| at(i, k) * at(j, k)).sum()
                    } else {
                        (0..rows).map(|k| at(k, i) * at(k, j)).sum()
                    };
                    let expected = if i == j { gain * gain } else { 0.0 };
                    assert!((dot - expected).abs() < 1e-5, "{rows}×{columns} {i} {j}: {dot}");
                }
            }
        }
    }

    #[test]
    fn variances_are_those_of_the_papers() {
        let variance =
            |w: &[f32]| w.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / w.len() as f64;
        let shape = [200, 300];
        for (initializer, expected) in [
            (Initializer::XAVIER, 2.0 / 500.0),
            (Initializer::XavierNormal { gain: 2.0 }, 8.0 / 500.0),
            (Initializer::KaimingUniform { gain: 1.0 }, 1.0 / 200.0),
            (Initializer::KaimingNormal { gain: 1.0 }, 1.0 / 200.0),
        ] {
            let found = variance(&draw(initializer, shape));
            assert!((found / expected - 1.0).abs() < 0.03, "{initializer:?}: {found}");
        }
        assert_eq!(draw(Initializer::Zeros, [3, 2]), [0.0; 6]);
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(draw(Initializer::XAVIER, [4, 4]), draw(Initializer::XAVIER, [4, 4]));
        let other = Initializer::XAVIER.draw([4, 4], &mut ChaCha8Rng::seed_from_u64(2));
        assert_ne!(draw(Initializer::XAVIER, [4, 4]), other);
    }
}

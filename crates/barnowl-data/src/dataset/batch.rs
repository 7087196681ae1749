//! Mini-batches.

use super::rows::pick;
use super::{Dataset, Targets, UNLABELLED};

/// A mini-batch, time first.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Row-major `[T, B, C]`.
    pub inputs: Vec<f32>,
    /// Row-major `[T, B]`, or `[B]`; −1 at steps without a label. Empty where the targets are numbers.
    pub targets: Vec<i32>,
    /// T.
    pub steps: usize,
    /// B.
    pub batch: usize,
    /// C.
    pub channels: usize,
}

impl Dataset {
    /// A mini-batch of the given sequences, time first, with zeros after the end of each.
    ///
    /// # Panics
    ///
    /// If an index is out of range.
    #[must_use]
    pub fn batch(&self, indices: &[usize]) -> Batch {
        let (steps, channels, batch) = (self.steps, self.channels, indices.len());
        let mut inputs = vec![0.0; steps * batch * channels];
        let factors = self.batch_factors(indices);
        for (t, rows) in inputs.chunks_exact_mut(batch * channels).enumerate() {
            for (&sample, row) in indices.iter().zip(rows.chunks_exact_mut(channels)) {
                if t >= self.length(sample) {
                    continue;
                }
                self.read(sample * steps + t, row);
                if let Some(factors) = &factors {
                    row.iter_mut().zip(factors).for_each(|(x, factor)| *x *= factor);
                }
            }
        }
        let targets = self.batch_targets(indices);
        Batch { inputs, targets, steps, batch, channels }
    }

    /// The classes of a mini-batch: `[T, B]`, time first, or `[B]`; −1 where there is no label. None where the targets are
    /// numbers.
    ///
    /// # Panics
    ///
    /// If an index is out of range.
    #[must_use]
    pub fn batch_targets(&self, indices: &[usize]) -> Vec<i32> {
        let target = |class| if class == UNLABELLED { -1 } else { i32::from(class) };
        match &self.targets {
            Targets::PerStep(classes) => (0..self.steps)
                .flat_map(|t| indices.iter().map(move |sample| sample * self.steps + t))
                .map(|i| target(classes[i]))
                .collect(),
            Targets::PerSequence(classes) => {
                indices.iter().map(|&sample| target(classes[sample])).collect()
            }
            Targets::ValuesPerStep(_) | Targets::ValuesPerSequence(_) => Vec::new(),
        }
    }

    /// The numbers that a mini-batch is to find: `[T, B, K]`, time first, or `[B, K]`; NaN where one is not known. None where
    /// the targets are classes.
    ///
    /// # Panics
    ///
    /// If an index is out of range.
    #[must_use]
    pub fn batch_values(&self, indices: &[usize]) -> Vec<f32> {
        let count = self.class_names.len();
        match &self.targets {
            Targets::PerStep(_) | Targets::PerSequence(_) => Vec::new(),
            Targets::ValuesPerStep(values) => (0..self.steps)
                .flat_map(|t| indices.iter().map(move |sample| sample * self.steps + t))
                .flat_map(|row| &values[row * count..(row + 1) * count])
                .copied()
                .collect(),
            Targets::ValuesPerSequence(values) => pick(values, count, indices),
        }
    }
}

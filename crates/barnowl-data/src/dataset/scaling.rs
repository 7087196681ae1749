//! Channels divided by their standard deviations: over a batch, or by given numbers.

use super::{Dataset, Inputs};
use barnowl_base::error::{Error, Result};
use half::f16;
use rayon::prelude::*;

impl Dataset {
    /// The same data, whose real values are divided, in every batch, by the standard deviation that each channel has over
    /// the batch: as in the speech scripts of Yin, Corradi & Bohté (2021).
    ///
    /// What a sequence looks like then depends on the others of its batch. A device has no batches: divide by the
    /// standard deviations of the training data ([`Dataset::divided`]) for one.
    #[must_use]
    pub fn scaled_by_batch(self) -> Self {
        Self { scaled_by_batch: true, ..self }
    }

    /// What the values of each channel are multiplied by in the batch of the given sequences, if by anything but 1.
    ///
    /// # Panics
    ///
    /// If an index is out of range.
    #[must_use]
    pub fn batch_factors(&self, indices: &[usize]) -> Option<Vec<f32>> {
        self.scaled_by_batch.then(|| {
            let factor = |sd: f32| if sd > 0.0 { 1.0 / sd } else { 1.0 };
            self.channel_sd(indices).into_iter().map(factor).collect()
        })
    }

    /// The standard deviation of each channel over all steps of the given sequences.
    ///
    /// # Panics
    ///
    /// If an index is out of range.
    #[must_use]
    pub fn channel_sd(&self, indices: &[usize]) -> Vec<f32> {
        let (steps, channels) = (self.steps, self.channels);
        // In order, whatever the threads: sums of a sequence first, then over sequences.
        let sums: Vec<(Vec<f64>, Vec<f64>)> = indices
            .par_iter()
            .map(|sample| {
                let (mut sum, mut squares) = (vec![0.0; channels], vec![0.0; channels]);
                let mut row = vec![0.0; channels];
                for step in 0..self.length(*sample) {
                    self.read(sample * steps + step, &mut row);
                    for ((sum, square), x) in sum.iter_mut().zip(&mut squares).zip(&row) {
                        *sum += f64::from(*x);
                        *square += f64::from(*x).powi(2);
                    }
                }
                (sum, squares)
            })
            .collect();
        let count = indices.iter().map(|sample| self.length(*sample)).sum::<usize>() as f64;
        let total = |channel: usize| {
            let [mut sum, mut squares] = [0.0; 2];
            for (sums, squares_of) in &sums {
                sum += sums[channel];
                squares += squares_of[channel];
            }
            (squares / count - (sum / count).powi(2)).max(0.0).sqrt() as f32
        };
        (0..channels).map(total).collect()
    }

    /// The same data, the real values of each channel divided by a number; those of 0 are left as they are.
    ///
    /// # Errors
    ///
    /// If the inputs are no real values, there is not a number for every channel, or a value becomes infinite.
    pub fn divided(mut self, by: &[f32]) -> Result<Self> {
        let channels = self.channels;
        if by.len() != channels {
            return Err(Error::format(format!("there are {} numbers to divide by", by.len()))
                .expected(format!("one for each of {channels} channels")));
        }
        let factors: Vec<f32> =
            by.iter().map(|by| if *by == 0.0 { 1.0 } else { 1.0 / by }).collect();
        match &mut self.inputs {
            Inputs::Real(values) => values.par_chunks_exact_mut(channels).for_each(|row| {
                row.iter_mut().zip(&factors).for_each(|(x, factor)| *x *= factor);
            }),
            Inputs::Half(values) => values.par_chunks_exact_mut(channels).for_each(|row| {
                let scaled =
                    |(x, factor): (&mut f16, &f32)| *x = f16::from_f32(x.to_f32() * factor);
                row.iter_mut().zip(&factors).for_each(scaled);
            }),
            Inputs::Events(_) | Inputs::Pixels(_) => {
                return Err(Error::format("events and pixels are not scaled"));
            }
        }
        // A small divisor may have made a value infinite.
        self.check_inputs()?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Targets;
    use super::super::data::tests::small;
    use super::*;

    #[test]
    fn channels_are_scaled_by_their_batch_or_by_given_numbers() {
        let data = small();
        // Channel 0 of sequences 0 and 1: 0, 10, 20, 100, 110, 120.
        let sd = |indices: &[usize]| data.channel_sd(indices);
        assert!((sd(&[0])[0] - (200.0_f32 / 3.0).sqrt()).abs() < 1e-4);
        let expected = sd(&[0, 2])[1];
        let scaled = data.clone().scaled_by_batch();
        let (batch, plain) = (scaled.batch(&[0, 2]), data.batch(&[0, 2]));
        for (a, b) in batch.inputs.iter().zip(&plain.inputs) {
            assert!((a - b / expected).abs() < 1e-4);
        }
        assert!(scaled.split(0.25, 1).unwrap().0.batch_factors(&[0]).is_some());
        assert!(data.batch_factors(&[0]).is_none());
        let divided = data.divided(&[2.0, 0.0]).unwrap();
        assert_eq!(divided.batch(&[3]).inputs, [150., 301., 155., 311., 160., 321.]);
        let half = |data: &Dataset| {
            let values = data.batch(&[0, 1, 2, 3]).inputs;
            let values = values.iter().map(|x| f16::from_f32(*x)).collect();
            let targets = Targets::PerSequence(vec![0; 4]);
            Dataset::new([4, 3, 2], data.class_names().to_vec(), Inputs::Half(values), targets, "")
        };
        let divided = half(&small()).unwrap().divided(&[2.0, 0.5]).unwrap();
        assert_eq!(divided.batch(&[0]).inputs[..4], [0.0, 2.0, 50.0, 202.0]);
        let infinite = half(&small()).unwrap().divided(&[1e-3, 1.0]).unwrap_err().to_string();
        assert!(infinite.contains("is inf"), "{infinite}");
        assert!(small().divided(&[1.0]).unwrap_err().to_string().contains("2 channels"));
    }
}

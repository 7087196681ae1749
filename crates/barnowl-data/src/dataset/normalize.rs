//! Normalization: every channel of real values shifted and scaled, by what the training data say.

use super::{Dataset, Inputs, Normalization, Normalize};
use barnowl_base::error::{Error, Result};
use barnowl_base::words::counted;
use half::f16;
use rayon::prelude::*;

/// The share of a normal distribution's standard deviation that its interquartile range is.
const QUARTILES_OF_NORMAL: f64 = 1.349;

/// Values this many standard deviations from the training data's mean, in the root mean square, are hardly of the same kind.
const FAR: f64 = 10.0;

impl Dataset {
    /// What brings these data to one scale; padding does not count. `None` of events and pixels, and of [`Normalize::None`].
    #[must_use]
    pub fn fit_normalization(&self, kind: Normalize) -> Option<Normalization> {
        if !matches!(self.inputs, Inputs::Real(_) | Inputs::Half(_)) {
            return None;
        }
        let fit: fn(&mut [f32]) -> (f64, f64) = match kind {
            Normalize::None => return None,
            Normalize::Standardize => |values| {
                let count = values.len() as f64;
                let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
                let square = |x: &f32| (f64::from(*x) - mean).powi(2);
                (mean, (values.iter().map(square).sum::<f64>() / count).sqrt())
            },
            Normalize::Robust => |values| {
                values.sort_unstable_by(f32::total_cmp);
                let quantile = |share: f64| {
                    let at = share * (values.len() - 1) as f64;
                    let (low, high) = (values[at.floor() as usize], values[at.ceil() as usize]);
                    f64::from(low) + at.fract() * (f64::from(high) - f64::from(low))
                };
                (quantile(0.5), (quantile(0.75) - quantile(0.25)) / QUARTILES_OF_NORMAL)
            },
        };
        let fitted: Vec<(f32, f32)> = (0..self.channels)
            .into_par_iter()
            .map(|channel| {
                let mut row = vec![0.0; self.channels];
                let mut values = Vec::with_capacity(self.total_steps());
                for sample in 0..self.samples {
                    for step in 0..self.length(sample) {
                        self.read(sample * self.steps + step, &mut row);
                        values.push(row[channel]);
                    }
                }
                let (center, scale) = fit(&mut values);
                // Half of the values may be the same while others are not.
                let scale = if scale > 0.0 { scale } else { spread(&values, center) };
                (center as f32, if scale as f32 > 0.0 { scale as f32 } else { 1.0 })
            })
            .collect();
        let (center, scale) = fitted.into_iter().unzip();
        Some(Normalization { kind, center, scale })
    }

    /// The channels whose values are far from those that the normalization was made of, each in words: most likely in another
    /// unit. None of data that are not normalized.
    #[must_use]
    pub fn far_channels(&self) -> Vec<String> {
        if self.normalization().is_none() {
            return Vec::new();
        }
        let mut squares = vec![0.0; self.channels];
        let mut row = vec![0.0; self.channels];
        for sample in 0..self.samples {
            for step in 0..self.length(sample) {
                self.read(sample * self.steps + step, &mut row);
                squares.iter_mut().zip(&row).for_each(|(sum, x)| *sum += f64::from(*x).powi(2));
            }
        }
        let far = |(channel, square): (usize, &f64)| {
            let distance = (square / self.total_steps().max(1) as f64).sqrt();
            let name = self.channel_names().get(channel).cloned().unwrap_or(channel.to_string());
            (distance > FAR).then(|| format!("{name} ({distance:.0} s.d.)"))
        };
        squares.iter().enumerate().filter_map(far).collect()
    }

    /// The same data, brought to a scale that [fits](Self::fit_normalization) these or others; padding stays as it is.
    ///
    /// # Errors
    ///
    /// If the inputs are pixels, were normalized before, there is not a number for every channel, or a value becomes
    /// infinite.
    pub fn normalized(mut self, by: &Normalization) -> Result<Self> {
        let channels = self.channels;
        if [by.center.len(), by.scale.len()] != [channels; 2] {
            return Err(Error::mismatch(format!(
                "the normalization is of {}",
                counted(by.center.len(), "channel")
            ))
            .expected(format!("{channels}, as the data have")));
        }
        if self.details.normalization.is_some() {
            return Err(Error::mismatch("the data are normalized already"));
        }
        if let Inputs::Events(events) = &self.inputs {
            // Real numbers of a part in which each happens to be −1, 0 or 1.
            let mut values = vec![0.0; events.rows() * channels];
            for (row, values) in values.chunks_exact_mut(channels).enumerate() {
                events.signed(row).for_each(|(channel, sign)| values[channel] = f32::from(sign));
            }
            self.inputs = Inputs::Real(values);
        }
        let (steps, lengths) = (self.steps, self.details.lengths.clone());
        let length =
            |sample: usize| lengths.as_ref().map_or(steps, |lengths| lengths[sample] as usize);
        let change = |x: f32, channel: usize| (x - by.center[channel]) / by.scale[channel];
        match &mut self.inputs {
            Inputs::Real(values) => {
                let sequences = values.par_chunks_exact_mut(steps * channels).enumerate();
                sequences.for_each(|(sample, values)| {
                    for row in values[..length(sample) * channels].chunks_exact_mut(channels) {
                        row.iter_mut().enumerate().for_each(|(c, x)| *x = change(*x, c));
                    }
                });
            }
            Inputs::Half(values) => {
                let sequences = values.par_chunks_exact_mut(steps * channels).enumerate();
                sequences.for_each(|(sample, values)| {
                    for row in values[..length(sample) * channels].chunks_exact_mut(channels) {
                        let new = |(c, x): (usize, &mut f16)| {
                            *x = f16::from_f32(change(x.to_f32(), c));
                        };
                        row.iter_mut().enumerate().for_each(new);
                    }
                });
            }
            Inputs::Events(_) | Inputs::Pixels(_) => {
                return Err(Error::mismatch("events and pixels are not normalized")
                    .remedy("set dataset.normalize to \"none\""));
            }
        }
        self.check_inputs()?;
        self.details.normalization = Some(by.clone());
        Ok(self)
    }
}

/// The standard deviation from a center.
fn spread(values: &[f32], center: f64) -> f64 {
    let square = |x: &f32| (f64::from(*x) - center).powi(2);
    (values.iter().map(square).sum::<f64>() / values.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::Targets;
    use super::super::data::tests::small;
    use super::*;

    #[test]
    fn data_in_another_unit_are_far() {
        let made = |scale: f32| {
            let values = (0..24).map(|i| scale * ((i * 7 % 12) as f32 - 5.5)).collect();
            let targets = super::super::Targets::PerSequence(vec![0, 1, 0, 1]);
            let names = ["a", "b"].map(String::from).to_vec();
            Dataset::new([4, 3, 2], names, Inputs::Real(values), targets, "made").unwrap()
        };
        let by = made(1.0).fit_normalization(Normalize::Standardize).unwrap();
        let far = |scale| made(scale).normalized(&by).unwrap().far_channels();
        assert!(far(1.0).is_empty() && far(3.0).is_empty());
        let found = far(1000.0);
        assert!(found.len() == 2 && found[0].starts_with("0 (10"), "{found:?}");
        assert!(made(1000.0).far_channels().is_empty(), "not normalized");
    }

    #[test]
    fn channels_come_to_mean_zero_and_deviation_one_without_their_padding() {
        for kind in [Normalize::Standardize, Normalize::Robust] {
            let data = small().with_lengths(&[3, 1, 3, 2]).unwrap();
            let by = data.fit_normalization(kind).unwrap();
            let normal = data.clone().normalized(&by).unwrap();
            let again = normal.fit_normalization(kind).unwrap();
            for channel in 0..2 {
                assert!(again.center[channel].abs() < 1e-5, "{again:?}");
                assert!((again.scale[channel] - 1.0).abs() < 1e-5, "{again:?}");
            }
            let (mut before, mut after) = ([0.0; 2], [0.0; 2]);
            data.read(4, &mut before);
            normal.read(4, &mut after);
            assert_eq!(before, after, "padding stays");
            assert!(normal.normalized(&by).is_err(), "only once");
        }
        assert!(small().fit_normalization(Normalize::None).is_none());
    }

    #[test]
    fn channels_that_never_change_and_wild_values() {
        let data = |values: Vec<f32>| {
            let steps = values.len() / 2;
            let targets = Targets::PerSequence(vec![0]);
            Dataset::new([1, steps, 2], vec!["a".into()], Inputs::Real(values), targets, "")
                .unwrap()
        };
        let still = data(vec![5.0, 1.0, 5.0, 2.0, 5.0, 3.0]);
        let by = still.fit_normalization(Normalize::Standardize).unwrap();
        assert_eq!((by.center[0], by.scale[0]), (5.0, 1.0));
        let wild = data(vec![0.0, 1.0, 0.0, 2.0, 0.0, 3.0, 0.0, 4.0, 9.0, 1e9]);
        let by = wild.fit_normalization(Normalize::Robust).unwrap();
        assert_eq!(by.center, [0.0, 3.0]);
        assert!(by.scale[0] > 1.0, "more than half are 0, and not all");
        assert!((by.scale[1] - 2.0 / 1.349).abs() < 1e-3);
    }
}

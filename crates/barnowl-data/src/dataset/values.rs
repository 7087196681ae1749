//! Numbers that are to be found: their scale, and forecasts.

use super::{Dataset, Normalization, Normalize, Targets};
use barnowl_base::error::{Error, Result};
use barnowl_base::words::counted;

impl Dataset {
    /// The same sequences, of which numbers of these names are to be found, none of which is known.
    ///
    /// # Errors
    ///
    /// If there are no names.
    pub fn to_be_found(mut self, names: &[String], per_step: bool) -> Result<Self> {
        let steps = if per_step { self.steps } else { 1 };
        let values = vec![f32::NAN; self.samples * steps * names.len()];
        let targets = match per_step {
            true => Targets::ValuesPerStep(values),
            false => Targets::ValuesPerSequence(values),
        };
        targets.check([self.samples, self.steps], names.len())?;
        self.class_names = names.to_vec();
        self.targets = targets;
        Ok(self)
    }

    /// What brings the numbers that are to be found to mean 0 and standard deviation 1, each by itself. `None` of classes.
    #[must_use]
    pub fn fit_target_normalization(&self) -> Option<Normalization> {
        let (values, count) = (self.targets.values()?, self.class_names.len());
        let fit = |place: usize| {
            let known = || values.iter().skip(place).step_by(count).filter(|x| !x.is_nan());
            let number = known().count().max(1) as f64;
            let mean = known().map(|x| f64::from(*x)).sum::<f64>() / number;
            let square = known().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>();
            let sd = (square / number).sqrt() as f32;
            (mean as f32, if sd > 0.0 { sd } else { 1.0 })
        };
        let (center, scale) = (0..count).map(fit).unzip();
        Some(Normalization { kind: Normalize::Standardize, center, scale })
    }

    /// The same data, with the numbers that are to be found brought to a scale that [fits](Self::fit_target_normalization) these
    /// or others.
    ///
    /// # Errors
    ///
    /// If the targets are classes, or other in number, or were normalized before.
    pub fn with_normalized_targets(mut self, by: &Normalization) -> Result<Self> {
        let count = self.class_names.len();
        if self.details.target_normalization.is_some() {
            return Err(Error::mismatch("the targets are normalized already"));
        }
        match &mut self.targets {
            Targets::ValuesPerStep(values) | Targets::ValuesPerSequence(values)
                if by.center.len() == count =>
            {
                for (at, value) in values.iter_mut().enumerate() {
                    *value = (*value - by.center[at % count]) / by.scale[at % count];
                }
            }
            _ => {
                return Err(Error::mismatch(format!(
                    "the normalization is of {}",
                    counted(by.center.len(), "number")
                ))
                .expected(format!("{count} numbers to be found, as the data have")));
            }
        }
        self.details.target_normalization = Some(by.clone());
        Ok(self)
    }

    /// What has been done to the numbers that are to be found since they were read.
    #[must_use]
    pub fn target_normalization(&self) -> Option<&Normalization> {
        self.details.target_normalization.as_ref()
    }

    /// The same sequences, of which the values so many steps later are to be found at every step: forecasting. The last steps
    /// of each have none.
    ///
    /// # Errors
    ///
    /// If that is no step later, or a sequence has no more steps than that.
    pub fn forecasting(mut self, ahead: usize) -> Result<Self> {
        let shortest = (0..self.samples).map(|sample| self.length(sample)).min().unwrap_or(0);
        if !(1..shortest).contains(&ahead) {
            return Err(Error::setting("forecast", ahead).expected(format!(
                "1 to {} steps, less than the shortest sequence has",
                shortest.saturating_sub(1)
            )));
        }
        let (steps, channels) = (self.steps, self.channels);
        let mut values = vec![f32::NAN; self.samples * steps * channels];
        for (sample, values) in values.chunks_exact_mut(steps * channels).enumerate() {
            let known = self.length(sample) - ahead;
            for (step, to) in values.chunks_exact_mut(channels).take(known).enumerate() {
                self.read(sample * steps + step + ahead, to);
            }
        }
        self.class_names = match self.channel_names() {
            [] => (0..channels).map(|channel| channel.to_string()).collect(),
            names => names.to_vec(),
        };
        self.targets = Targets::ValuesPerStep(values);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::data::tests::small;
    use super::*;
    use crate::dataset::Inputs;

    #[test]
    fn forecasts_are_the_values_to_come() {
        let data = small().with_lengths(&[3, 2, 3, 3]).unwrap().forecasting(1).unwrap();
        let nan = f32::NAN;
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let expected = [110., 111., 10., 11., nan, nan, 20., 21., nan, nan, nan, nan];
        assert_eq!(bits(&data.batch_values(&[1, 0])), bits(&expected));
        assert!(data.batch_targets(&[1, 0]).is_empty());
        assert_eq!(data.class_names(), ["0", "1"]);
        let part = data.subset(&[1]).unwrap();
        assert_eq!(bits(&part.batch_values(&[0])), bits(&[110., 111., nan, nan, nan, nan]));
        let refused = |ahead| small().forecasting(ahead).unwrap_err().to_string();
        assert!(refused(0).contains("1 to 2 steps") && refused(3).contains("1 to 2 steps"));
    }

    #[test]
    fn targets_come_to_one_scale_and_back() {
        let make = |values: Vec<f32>| {
            let inputs = Inputs::Real(vec![0.0; 6]);
            let names = vec!["a".to_owned(), "b".to_owned()];
            Dataset::new([3, 2, 1], names, inputs, Targets::ValuesPerSequence(values), "").unwrap()
        };
        let data = make(vec![10.0, 7.0, f32::NAN, 7.0, 14.0, 7.0]);
        let by = data.fit_target_normalization().unwrap();
        assert_eq!(
            (by.center.as_slice(), by.scale.as_slice()),
            (&[12.0, 7.0][..], &[2.0, 1.0][..])
        );
        let data = data.with_normalized_targets(&by).unwrap();
        assert_eq!(data.batch_values(&[0, 2]), [-1.0, 0.0, 1.0, 0.0]);
        assert!(data.batch_values(&[1])[0].is_nan());
        assert!(data.with_normalized_targets(&by).is_err(), "once is enough");
        assert!(small().fit_target_normalization().is_none());
        assert!(small().with_normalized_targets(&by).is_err());
    }

    #[test]
    fn numbers_are_checked() {
        let make = |values: Vec<f32>| {
            let inputs = Inputs::Real(vec![0.0; 4]);
            let names = vec!["a".to_owned(), "b".to_owned()];
            Dataset::new([2, 2, 1], names, inputs, Targets::ValuesPerSequence(values), "")
        };
        let data = make(vec![1.0, f32::NAN, 3.0, 4.0]).unwrap();
        assert_eq!(data.batch_values(&[1]), [3.0, 4.0]);
        assert!(make(vec![1.0; 3]).unwrap_err().to_string().contains("3 targets; expected 4"));
        let error = make(vec![0.0, 0.0, f32::INFINITY, 0.0]).unwrap_err().to_string();
        assert!(error.contains("sequence 1, step 0 is inf"), "{error}");
    }
}

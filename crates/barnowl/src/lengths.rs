//! How long the sequences of a batch are: what comes after a sequence's end is padding, and counts nowhere.

use burn::tensor::{Device, Tensor, TensorData};
use std::ops::Range;

/// The lengths of the rows of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths<'a> {
    steps: usize,
    rows: usize,
    of: Option<&'a [usize]>,
}

impl<'a> Lengths<'a> {
    /// Of `rows` rows of `steps` steps, of which each ends after as many steps as `of` says, or at the last one.
    ///
    /// # Panics
    ///
    /// If there is not a length for every row, or one is 0 or more than `steps`.
    #[must_use]
    pub fn new(steps: usize, rows: usize, of: Option<&'a [usize]>) -> Self {
        if let Some(of) = of {
            assert_eq!(of.len(), rows, "a length for every row of the batch");
            let in_range = of.iter().all(|length| (1..=steps).contains(length));
            assert!(in_range, "lengths of 1 to {steps} steps, found {of:?}");
        }
        Self { steps, rows, of }
    }

    /// T, padding included.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The length of every row, if some may end before T.
    #[must_use]
    pub fn by_row(&self) -> Option<&'a [usize]> {
        self.of
    }

    /// The length of a row.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    #[must_use]
    pub fn row(&self, row: usize) -> usize {
        self.of.map_or(self.steps, |of| of[row])
    }

    /// The lengths of all rows.
    pub(crate) fn all(self) -> impl Iterator<Item = usize> {
        (0..self.rows).map(move |row| self.row(row))
    }

    /// The steps of all rows together within a window of time, without padding.
    #[must_use]
    pub fn within(&self, window: &Range<usize>) -> usize {
        match self.of {
            None => window.len() * self.rows,
            Some(_) => self.all().map(|n| n.min(window.end).saturating_sub(window.start)).sum(),
        }
    }

    /// 1 before the end of a row and 0 after it, for every step of a window, `[repeat · L, B, 1]`, every step `repeat` times;
    /// `None` if no row has an end.
    #[must_use]
    pub fn mask(&self, window: &Range<usize>, repeat: usize, device: &Device) -> Option<Tensor<3>> {
        self.of?;
        let runs = |step: usize| self.all().map(move |length| f32::from(u8::from(step < length)));
        let steps = window.clone().flat_map(|step| std::iter::repeat_n(step, repeat));
        let mask: Vec<f32> = steps.flat_map(runs).collect();
        let shape = [window.len() * repeat, self.rows, 1];
        Some(Tensor::from_data(TensorData::new(mask, shape), device))
    }
}

/// Reverses each row of `[T, B, C]` in time, from its own end on; its padding stays where it is.
pub(crate) fn reversed(sequences: Tensor<3>, lengths: Option<&[usize]>) -> Tensor<3> {
    let Some(lengths) = lengths else {
        return sequences.flip([0]);
    };
    let [steps, batch, channels] = sequences.dims();
    let from = |step: usize, row: usize, length: usize| {
        let step = if step < length { length - 1 - step } else { step };
        (step * batch + row) as i64
    };
    let places: Vec<i64> = (0..steps)
        .flat_map(|step| lengths.iter().enumerate().map(move |(row, n)| from(step, row, *n)))
        .collect();
    let places = TensorData::new(places, [steps * batch]);
    let places = Tensor::from_data(places, &sequences.device());
    let rows: Tensor<2> = sequences.reshape([steps * batch, channels]);
    rows.select(0, places).reshape([steps, batch, channels])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_reversed_from_its_own_end() {
        let device = Device::flex();
        let values: Vec<f32> = (0..8).map(|i| i as f32).collect();
        let x = Tensor::<3>::from_data(TensorData::new(values, [4, 2, 1]), &device);
        let of = |lengths: Option<&[usize]>| -> Vec<f32> {
            reversed(x.clone(), lengths).into_data().try_to_vec().unwrap()
        };
        assert_eq!(of(None), [6.0, 7.0, 4.0, 5.0, 2.0, 3.0, 0.0, 1.0]);
        assert_eq!(of(Some(&[3, 2])), [4.0, 3.0, 2.0, 1.0, 0.0, 5.0, 6.0, 7.0]);
    }

    #[test]
    fn steps_of_a_window_are_those_before_the_ends() {
        let lengths = Lengths::new(5, 3, Some(&[5, 1, 3]));
        assert_eq!([lengths.within(&(0..5)), lengths.within(&(2..4)), lengths.row(2)], [9, 3, 3]);
        let mask = lengths.mask(&(1..3), 2, &Device::flex()).unwrap();
        assert_eq!(mask.dims(), [4, 3, 1]);
        let mask: Vec<f32> = mask.into_data().try_to_vec().unwrap();
        assert_eq!(mask, [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0]);
        assert!(Lengths::new(5, 3, None).mask(&(0..5), 1, &Device::flex()).is_none());
    }
}

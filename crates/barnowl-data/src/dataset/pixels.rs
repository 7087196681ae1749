//! Grey pixels, read one after the other: of every step a few neighbours.

use super::rows::pick;
use barnowl_base::error::{Error, Result};

/// Sequences of grey values, of which step t shows `window` in a row, the first being pixel t.
///
/// A byte a pixel, where the dense array of all steps would take 4 · `window`: all of MNIST in 47 MB and not in 1.5 GB. The
/// last windows stand still at the end: none reaches beyond the last pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// `[N, length]`.
    values: Vec<u8>,
    length: usize,
    window: usize,
}

impl Pixels {
    /// `values` `[N, length]`, 0 to 255.
    ///
    /// # Errors
    ///
    /// If the values are no whole number of sequences, or a window is empty or longer than a sequence.
    pub fn new(values: Vec<u8>, length: usize, window: usize) -> Result<Self> {
        if length == 0 || !values.len().is_multiple_of(length) {
            return Err(Error::format(format!("there are {} pixels", values.len()))
                .expected(format!("a multiple of {length}")));
        }
        if !(1..=length).contains(&window) {
            return Err(Error::format(format!("windows of {window} pixels"))
                .expected(format!("1 to {length}")));
        }
        Ok(Self { values, length, window })
    }

    /// The number of sequences.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.values.len() / self.length
    }

    /// The steps of a sequence, as many as it has pixels.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.length
    }

    /// The pixels of a step.
    #[must_use]
    pub fn window(&self) -> usize {
        self.window
    }

    /// The grey values of step `row % steps` of sequence `row / steps`, from 0 to 1, into `to`.
    pub(crate) fn read(&self, row: usize, to: &mut [f32]) {
        let (sample, step) = (row / self.length, row % self.length);
        let start = sample * self.length + step.min(self.length - self.window);
        let from = &self.values[start..start + self.window];
        to.iter_mut().zip(from).for_each(|(to, &grey)| *to = f32::from(grey) / 255.0);
    }

    /// The sequences of the given indices.
    pub(super) fn pick(&self, indices: &[usize]) -> Self {
        Self { values: pick(&self.values, self.length, indices), ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_slide_and_stop_at_the_end() {
        let pixels = Pixels::new(vec![0, 51, 102, 255, 1, 2, 3, 4], 4, 3).unwrap();
        assert_eq!([pixels.samples(), pixels.steps(), pixels.window()], [2, 4, 3]);
        let row = |row: usize| {
            let mut x = [9.0; 3];
            pixels.read(row, &mut x);
            x
        };
        assert_eq!(row(0), [0.0, 0.2, 0.4]);
        assert_eq!([row(1), row(2), row(3)], [[0.2, 0.4, 1.0]; 3]);
        assert_eq!(row(4), [1.0 / 255.0, 2.0 / 255.0, 3.0 / 255.0]);
        let second = pixels.pick(&[1]);
        assert_eq!(second, Pixels::new(vec![1, 2, 3, 4], 4, 3).unwrap());
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        for (values, length, window) in [(7, 4, 2), (8, 0, 1), (8, 4, 0), (8, 4, 5)] {
            assert!(Pixels::new(vec![0; values], length, window).is_err());
        }
    }
}

//! Arrays of numbers that begin where a cache line does.
//!
//! A block of 16 numbers is one cache line long. One that lies across two lines takes two accesses, twice the time.

use super::simd::LANES;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Cache lines of a page of 4 KiB.
const LINES_OF_PAGE: usize = 64;
/// Lines from the beginning of one array to that of the next, within a page; prime to the above.
const SKEW: usize = 9;

/// A cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LANES]);

/// An array of 32-bit floats at the start of a cache line.
///
/// Large arrays start where a page does, and the same place of two arrays would compete for the same few lines of the
/// nearest cache. A kernel walks along seven of them at once. So each begins a different number of lines into its page.
#[derive(Debug, Clone, Default)]
pub struct Floats {
    lines: Vec<Line>,
    /// Lines before the first number.
    skew: usize,
    length: usize,
}

/// How many arrays there have been.
static ARRAYS: AtomicUsize = AtomicUsize::new(0);

impl Floats {
    /// `length` zeros.
    pub fn zeros(length: usize) -> Self {
        let mut zeros = Self::default();
        zeros.resize(length);
        zeros
    }

    /// Makes the array `length` long; what is new is zero, or what was there when the array was last as long.
    pub fn resize(&mut self, length: usize) {
        if self.lines.is_empty() && length > 0 {
            self.skew = ARRAYS.fetch_add(1, Ordering::Relaxed) * SKEW % LINES_OF_PAGE;
        }
        let lines = self.skew + length.div_ceil(LANES);
        if lines > self.lines.len() {
            self.lines.resize(lines, Line([0.0; LANES]));
        }
        self.length = length;
    }

    /// `length` times `value`.
    pub fn refill(&mut self, length: usize, value: f32) {
        self.resize(length);
        self.fill(value);
    }

    /// The values of `from`.
    pub fn copy_of(&mut self, from: &[f32]) {
        self.resize(from.len());
        self.copy_from_slice(from);
    }
}

impl Deref for Floats {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: `length` numbers lie side by side in the lines from `skew` on, which are arrays of them without
        // padding; an array without lines has no length.
        unsafe {
            std::slice::from_raw_parts(
                self.lines.as_ptr().wrapping_add(self.skew).cast(),
                self.length,
            )
        }
    }
}

impl DerefMut for Floats {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above, and the lines are borrowed for writing.
        unsafe {
            std::slice::from_raw_parts_mut(
                self.lines.as_mut_ptr().wrapping_add(self.skew).cast(),
                self.length,
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begins_at_a_line_and_keeps_its_values() {
        for length in [0, 1, 16, 17, 4096] {
            let mut floats = Floats::zeros(length);
            assert_eq!(floats.len(), length);
            assert_eq!(floats.as_ptr() as usize % 64, 0);
            assert!(floats.iter().all(|x| *x == 0.0));
            floats.refill(length + 3, 2.0);
            assert_eq!(floats[..], vec![2.0; length + 3]);
            floats.copy_of(&[1.0, 2.0, 3.0]);
            assert_eq!(floats[..], [1.0, 2.0, 3.0]);
        }
    }
}

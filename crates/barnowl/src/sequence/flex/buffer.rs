//! Output that several tiles write at the same time, each its own batch rows.

use std::marker::PhantomData;

/// A `[T, B, H]` array of which each tile writes the rows of its own batch elements.
///
/// The rows of a tile are contiguous within a step and strided across steps, which no safe split of a slice expresses.
pub(super) struct TileRows<'a> {
    values: *mut f32,
    length: usize,
    marker: PhantomData<&'a mut [f32]>,
}

// SAFETY: threads write disjoint rows (the contract of `rows`), and `f32` may move between threads.
unsafe impl Sync for TileRows<'_> {}

impl<'a> TileRows<'a> {
    /// Shares `values` among tiles.
    pub(super) fn new(values: &'a mut [f32]) -> Self {
        Self { values: values.as_mut_ptr(), length: values.len(), marker: PhantomData }
    }

    /// The range `start..start + length`.
    ///
    /// # Safety
    ///
    /// No other tile asks for a range that overlaps, and this one does not hold two that do.
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "disjoint ranges, see the contract")]
    pub(super) unsafe fn rows(&self, start: usize, length: usize) -> &mut [f32] {
        assert!(start + length <= self.length, "a tile left its array");
        // SAFETY: in bounds by the assertion, not aliased by the contract.
        unsafe { std::slice::from_raw_parts_mut(self.values.add(start), length) }
    }
}

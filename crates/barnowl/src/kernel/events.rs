//! The input events of a tile.

use crate::dataset::Events;

/// The input events of a tile's chunk.
#[derive(Clone, Copy)]
pub(crate) struct EventRows<'a> {
    /// The events of the data set.
    pub(crate) events: &'a Events,
    /// For every batch row, the row of `events` that holds its first step.
    pub(crate) first: &'a [usize],
    /// The first step of the chunk.
    pub(crate) step: usize,
}

impl<'a> EventRows<'a> {
    /// The events of batch row `row` at step `k` of the chunk.
    #[inline(always)]
    pub(crate) fn entry(&self, k: usize, row: usize) -> &'a [u16] {
        self.events.row(self.first[row] + self.step + k)
    }
}

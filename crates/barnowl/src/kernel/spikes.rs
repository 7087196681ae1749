//! Spikes of a chunk: as bits, as lists of neurons per entry, as lists of entries per neuron.
//!
//! Bits are what is kept for the whole sequence, an eighth of a byte each. Lists are made from them a chunk at a time:
//! a forward sum wants the neurons of an entry, a weight gradient the entries of a neuron.

use super::simd::{Isa, LANES, dispatch};

/// The neurons that spiked, one list for every entry of a chunk.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    indices: Vec<u16>,
    counts: Vec<u16>,
    /// Places per entry: the width, and one block that a write may run over.
    stride: usize,
}

impl Lists {
    /// Makes room for `entries` lists of neurons of a layer of this width.
    pub(crate) fn resize(&mut self, entries: usize, width: usize) {
        self.stride = width + LANES;
        self.indices.resize(entries * self.stride, 0);
        self.counts.resize(entries, 0);
    }

    /// The neurons of an entry, in ascending order.
    #[inline(always)]
    pub(crate) fn entry(&self, entry: usize) -> &[u16] {
        let start = entry * self.stride;
        &self.indices[start..start + usize::from(self.counts[entry])]
    }

    /// Two parts of the lists: those before `entry`, and the list of `entry` to be written.
    #[inline(always)]
    pub(crate) fn writer(&mut self, entry: usize) -> Writer<'_> {
        let start = entry * self.stride;
        Writer {
            indices: &mut self.indices[start..start + self.stride],
            count: &mut self.counts[entry],
            length: 0,
        }
    }

    /// Makes the `rows` lists from `from` on those from 0 on: the last step of a chunk is the step before the next.
    pub(crate) fn rewind(&mut self, from: usize, rows: usize) {
        let start = from * self.stride;
        self.indices.copy_within(start..start + rows * self.stride, 0);
        self.counts.copy_within(from..from + rows, 0);
    }

    /// Reads the list of an entry from bits.
    pub(crate) fn read(&mut self, entry: usize, bits: &[u16]) {
        let mut writer = self.writer(entry);
        for (block, &mask) in bits.iter().enumerate() {
            writer.push(super::simd::Portable, mask, block);
        }
        writer.finish();
    }
}

/// Writes one list.
pub(crate) struct Writer<'a> {
    indices: &'a mut [u16],
    count: &'a mut u16,
    length: usize,
}

impl Writer<'_> {
    /// Adds the neurons of a block's bits.
    #[inline(always)]
    pub(crate) fn push<I: Isa>(&mut self, isa: I, mask: u16, block: usize) {
        let to = &mut self.indices[self.length..self.length + LANES];
        if let Some(to) = to.first_chunk_mut::<LANES>() {
            isa.compress(mask, (block * LANES) as u16, to);
        }
        self.length += mask.count_ones() as usize;
    }

    /// Ends the list.
    #[inline(always)]
    pub(crate) fn finish(self) {
        *self.count = self.length as u16;
    }
}

/// The entries at which each neuron spiked, in ascending order, over `steps + 1` steps of a chunk: entries
/// `0..rows` are those of the step before it.
///
/// Recurrent weights want the spikes one step before an entry's gradient, the weights of the next layer those of the
/// same step: the same lists without their last or first step.
#[derive(Debug, Default)]
pub(crate) struct ByNeuron {
    entries: Vec<u16>,
    spans: Vec<Span>,
    stride: usize,
}

/// Where a neuron's list ends, where it ends without the last step, and where the step before the chunk ends in it.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    all: u16,
    without_last: u16,
    before: u16,
}

impl ByNeuron {
    /// Makes room for `entries` entries of `width` neurons.
    pub(crate) fn resize(&mut self, entries: usize, width: usize) {
        self.stride = entries;
        self.entries.resize(width * entries, 0);
        self.spans.resize(width, Span::default());
    }

    /// Entries at which `neuron` spiked one step before: `e` names the gradient of entry `e` of the chunk.
    #[inline(always)]
    pub(crate) fn step_before(&self, neuron: usize) -> &[u16] {
        let start = neuron * self.stride;
        &self.entries[start..start + usize::from(self.spans[neuron].without_last)]
    }

    /// Entries at which `neuron` spiked, counted from `rows`: `e` names the gradient of entry `e − rows`.
    #[inline(always)]
    pub(crate) fn same_step(&self, neuron: usize) -> &[u16] {
        let start = neuron * self.stride;
        let Span { all, before, .. } = self.spans[neuron];
        &self.entries[start + usize::from(before)..start + usize::from(all)]
    }

    /// Sorts the bits of `steps + 1` steps, `[steps + 1, rows, blocks]`, by neuron.
    pub(crate) fn fill(&mut self, bits: &[u16], rows: usize, blocks: usize) {
        fill(self, bits, rows, blocks);
    }
}

dispatch! {
    fn fill(lists: &mut ByNeuron, bits: &[u16], rows: usize, blocks: usize) = fill_kernel
}

#[inline(always)]
fn fill_kernel<I: Isa>(isa: I, lists: &mut ByNeuron, bits: &[u16], rows: usize, blocks: usize) {
    let entries = bits.len() / blocks;
    let stride = lists.stride;
    assert!(entries <= stride && lists.spans.len() >= blocks * LANES);
    for block in 0..blocks {
        let first = block * LANES;
        let mut ends = [0_u16; LANES];
        let spans = &mut lists.spans[first..first + LANES];
        let places = &mut lists.entries[first * stride..(first + LANES) * stride];
        let mut fired = [0_u16; LANES];
        for entry in 0..entries {
            if entry == rows {
                spans.iter_mut().zip(ends).for_each(|(span, end)| span.before = end);
            }
            if entry + rows == entries {
                spans.iter_mut().zip(ends).for_each(|(span, end)| span.without_last = end);
            }
            let mask = bits[entry * blocks + block];
            isa.compress(mask, 0, &mut fired);
            for &lane in &fired[..mask.count_ones() as usize] {
                let lane = usize::from(lane) & (LANES - 1);
                // In bounds: a neuron spikes at most once an entry, so its list is never longer than `stride`.
                places[lane * stride + usize::from(ends[lane])] = entry as u16;
                ends[lane] += 1;
            }
        }
        spans.iter_mut().zip(ends).for_each(|(span, end)| span.all = end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_bits_agree() {
        let (rows, blocks, steps) = (3, 2, 4);
        let bits: Vec<u16> = (0..(steps + 1) * rows * blocks)
            .map(|i| (i as u32 * 40_503 + 7) as u16 & (i as u32 * 9_973) as u16)
            .collect();
        let fired = |entry: usize, neuron: usize| {
            bits[entry * blocks + neuron / LANES] >> (neuron % LANES) & 1 == 1
        };
        let mut lists = Lists::default();
        lists.resize((steps + 1) * rows, blocks * LANES);
        let mut by_neuron = ByNeuron::default();
        by_neuron.resize((steps + 1) * rows, blocks * LANES);
        by_neuron.fill(&bits, rows, blocks);
        for entry in 0..(steps + 1) * rows {
            lists.read(entry, &bits[entry * blocks..(entry + 1) * blocks]);
            let expected: Vec<u16> =
                (0..32).filter(|n| fired(entry, *n)).map(|n| n as u16).collect();
            assert_eq!(lists.entry(entry), expected);
        }
        for neuron in 0..32 {
            let entries = |range: std::ops::Range<usize>| -> Vec<u16> {
                range.filter(|e| fired(*e, neuron)).map(|e| e as u16).collect()
            };
            assert_eq!(by_neuron.step_before(neuron), entries(0..steps * rows));
            assert_eq!(by_neuron.same_step(neuron), entries(rows..(steps + 1) * rows));
        }
        let last = lists.entry(steps * rows + 1).to_vec();
        lists.rewind(steps * rows, rows);
        assert_eq!(lists.entry(1), last);
    }
}

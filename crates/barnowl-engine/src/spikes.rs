//! Spikes of a chunk: the neurons of an entry, as bits and as a list, and the entries of a neuron.
//!
//! Bits are what is kept for the whole sequence, an eighth of a byte each. A forward sum wants the neurons of an entry,
//! as a list; a weight gradient wants the entries of a neuron, which are the same bits transposed.

use super::events::EventRows;
use super::simd::{Isa, LANES, dispatch};
use super::{CHUNK, ROWS};
use crate::events::Events;

/// The neurons that spiked, one list for every entry of a chunk.
#[derive(Debug, Default)]
pub struct Lists {
    indices: Vec<u16>,
    counts: Vec<u16>,
    /// Places per entry: the width, and one block that a write may run over.
    stride: usize,
}

impl Lists {
    /// Makes room for `entries` lists of neurons of a layer of this width.
    pub fn resize(&mut self, entries: usize, width: usize) {
        self.stride = width + LANES;
        self.indices.resize(entries * self.stride, 0);
        self.counts.resize(entries, 0);
    }

    /// The neurons of an entry, in ascending order.
    #[inline(always)]
    pub fn entry(&self, entry: usize) -> &[u16] {
        let start = entry * self.stride;
        &self.indices[start..start + usize::from(self.counts[entry])]
    }

    /// Two parts of the lists: those before `entry`, and the list of `entry` to be written.
    #[inline(always)]
    pub fn writer(&mut self, entry: usize) -> Writer<'_> {
        let start = entry * self.stride;
        Writer {
            indices: &mut self.indices[start..start + self.stride],
            count: &mut self.counts[entry],
            length: 0,
        }
    }

    /// Makes the `rows` lists from `from` on those from 0 on: the last step of a chunk is the step before the next.
    pub fn rewind(&mut self, from: usize, rows: usize) {
        let start = from * self.stride;
        self.indices.copy_within(start..start + rows * self.stride, 0);
        self.counts.copy_within(from..from + rows, 0);
    }

    /// Reads the list of an entry from bits.
    pub fn read(&mut self, entry: usize, bits: &[u16]) {
        let mut writer = self.writer(entry);
        for (block, &mask) in bits.iter().enumerate() {
            writer.push(super::simd::Portable, mask, block);
        }
        writer.finish();
    }
}

/// Writes one list.
pub struct Writer<'a> {
    indices: &'a mut [u16],
    count: &'a mut u16,
    length: usize,
}

impl Writer<'_> {
    /// Adds the neurons of a block's bits.
    #[inline(always)]
    pub fn push<I: Isa>(&mut self, isa: I, mask: u16, block: usize) {
        let to = &mut self.indices[self.length..self.length + LANES];
        if let Some(to) = to.first_chunk_mut::<LANES>() {
            isa.compress(mask, (block * LANES) as u16, to);
        }
        self.length += mask.count_ones() as usize;
    }

    /// Ends the list.
    #[inline(always)]
    pub fn finish(self) {
        *self.count = self.length as u16;
    }
}

/// The entries of a chunk at which each neuron spiked, as bits.
#[derive(Debug, Default)]
pub struct Entries {
    /// 16 entries each, in order.
    bits: Vec<[u16; WORDS]>,
}

/// Words of 16 entries in the largest chunk.
const WORDS: usize = CHUNK * ROWS / 16;

impl Entries {
    /// Sorts the bits of a chunk, `[entries, blocks]`, by neuron.
    pub fn fill(&mut self, bits: &[u16], blocks: usize) {
        self.bits.resize(blocks * LANES, [0; WORDS]);
        fill(&mut self.bits, bits, blocks);
    }

    /// Sorts the positive (or the negative) events of a chunk of `[steps, rows]` by channel; says whether there are any.
    pub fn fill_events(
        &mut self,
        events: EventRows<'_>,
        [steps, rows]: [usize; 2],
        channels: usize,
        negative: bool,
    ) -> bool {
        self.bits.clear();
        self.bits.resize(channels, [0; WORDS]);
        let sign = if negative { Events::NEGATIVE } else { 0 };
        let mut any = false;
        for k in 0..steps {
            for row in 0..rows {
                let entry = k * rows + row;
                for &event in events.entry(k, row) {
                    if event & Events::NEGATIVE == sign {
                        let channel = usize::from(event & !Events::NEGATIVE);
                        self.bits[channel][entry / 16] |= 1 << (entry % 16);
                        any = true;
                    }
                }
            }
        }
        any
    }

    /// The entries of a neuron, 64 bits at a time.
    #[inline(always)]
    pub fn of(&self, neuron: usize) -> [u64; WORDS / 4] {
        let bits = &self.bits[neuron];
        std::array::from_fn(|i| {
            let part = |k: usize| u64::from(bits[4 * i + k]) << (16 * k);
            part(0) | part(1) | part(2) | part(3)
        })
    }
}

dispatch! {
    fn fill(to: &mut [[u16; WORDS]], bits: &[u16], blocks: usize) = fill_kernel
}

#[inline(always)]
fn fill_kernel<I: Isa>(isa: I, to: &mut [[u16; WORDS]], bits: &[u16], blocks: usize) {
    let entries = bits.len() / blocks;
    assert!(entries <= 16 * WORDS, "a chunk has at most {} entries", 16 * WORDS);
    for block in 0..blocks {
        let to = &mut to[block * LANES..][..LANES];
        for word in 0..WORDS {
            let mut masks = [0; LANES];
            let valid = entries.saturating_sub(16 * word).min(16);
            for (i, mask) in masks[..valid].iter_mut().enumerate() {
                *mask = bits[(16 * word + i) * blocks + block];
            }
            let masks = isa.transpose(&masks);
            for lane in 0..LANES {
                to[lane][word] = masks[lane];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instruction_set_transposes_alike() {
        let masks: [u16; LANES] = std::array::from_fn(|i| (i as u16 + 3).wrapping_mul(40_503));
        let plain = super::super::simd::Portable.transpose(&masks);
        for i in 0..LANES {
            for j in 0..LANES {
                assert_eq!(plain[i] >> j & 1, masks[j] >> i & 1);
            }
        }
        dispatch! {
            fn transpose(masks: &[u16; LANES]) -> [u16; LANES] = kernel
        }
        #[inline(always)]
        fn kernel<I: Isa>(isa: I, masks: &[u16; LANES]) -> [u16; LANES] {
            isa.transpose(masks)
        }
        assert_eq!(transpose(&masks), plain);
    }

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
        let mut sorted = Entries::default();
        sorted.fill(&bits, blocks);
        for entry in 0..(steps + 1) * rows {
            lists.read(entry, &bits[entry * blocks..(entry + 1) * blocks]);
            let expected: Vec<u16> =
                (0..32).filter(|n| fired(entry, *n)).map(|n| n as u16).collect();
            assert_eq!(lists.entry(entry), expected);
        }
        for neuron in 0..32 {
            for entry in 0..16 * WORDS {
                let set = sorted.of(neuron)[entry / 64] >> (entry % 64) & 1 == 1;
                assert_eq!(set, entry < (steps + 1) * rows && fired(entry, neuron));
            }
        }
        let last = lists.entry(steps * rows + 1).to_vec();
        lists.rewind(steps * rows, rows);
        assert_eq!(lists.entry(1), last);
    }
}

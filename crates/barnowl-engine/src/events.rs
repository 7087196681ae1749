//! Input events of many sequences, kept sparsely: for every step, the channels at which something happened.

use barnowl_base::error::{Error, Result};

/// Events of −1 and 1 on up to 32,768 channels, a row per sequence and step.
///
/// A row takes 4 bytes and 2 for each of its events: a dense array of 700 channels in which one value in 50 is set
/// would take twenty times as much.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Events {
    channels: usize,
    /// Where each row starts, and where the last one ends.
    offsets: Vec<u32>,
    /// Channels, with [`Events::NEGATIVE`] set for an event of −1.
    events: Vec<u16>,
}

impl Events {
    /// The bit that marks an event of −1.
    pub const NEGATIVE: u16 = 1 << 15;
    /// The most channels.
    pub const MOST_CHANNELS: usize = 1 << 15;

    /// No rows yet, of so many channels.
    ///
    /// # Errors
    ///
    /// If there are no channels, or more than [`Events::MOST_CHANNELS`].
    pub fn new(channels: usize) -> Result<Self> {
        if (1..=Self::MOST_CHANNELS).contains(&channels) {
            Ok(Self { channels, offsets: vec![0], events: Vec::new() })
        } else {
            Err(Error::format(format!("the events have {channels} channels"))
                .expected(format!("1 to {}", Self::MOST_CHANNELS)))
        }
    }

    /// The events of a dense array `[rows, channels]` of −1, 0 and 1.
    ///
    /// # Errors
    ///
    /// As [`Events::new`] and [`Events::push_row`]; and if the array does not hold whole rows, or holds another value:
    /// with its row and channel.
    pub fn from_dense(channels: usize, values: &[i8]) -> Result<Self> {
        let mut events = Self::new(channels)?;
        if !values.len().is_multiple_of(channels) {
            return Err(Error::format(format!("there are {} input values", values.len()))
                .expected(format!("a multiple of {channels} channels")));
        }
        let mut row = Vec::new();
        for (i, values) in values.chunks_exact(channels).enumerate() {
            row.clear();
            for (channel, &value) in values.iter().enumerate() {
                match value {
                    0 => {}
                    1 => row.push(channel as u16),
                    -1 => row.push(channel as u16 | Self::NEGATIVE),
                    _ => {
                        return Err(Error::format(format!(
                            "the event of row {i}, channel {channel} is {value}"
                        ))
                        .expected("−1, 0 or 1"));
                    }
                }
            }
            events.push_row(&row)?;
        }
        Ok(events)
    }

    /// Adds a row: channels in ascending order, with [`Events::NEGATIVE`] set for events of −1.
    ///
    /// # Errors
    ///
    /// If a channel is out of range or not in order, or there are more than 4 billion events.
    pub fn push_row(&mut self, row: &[u16]) -> Result<()> {
        let channel = |event: &u16| usize::from(event & !Self::NEGATIVE);
        let place = || format!("row {}", self.rows());
        if let Some(event) = row.iter().find(|event| channel(event) >= self.channels) {
            return Err(Error::format(format!(
                "an event of {} is on channel {}",
                place(),
                channel(event)
            ))
            .expected(format!("a channel below {}", self.channels)));
        }
        if row.windows(2).any(|pair| channel(&pair[0]) >= channel(&pair[1])) {
            return Err(Error::format(format!(
                "the channels of {} are not in ascending order",
                place()
            ))
            .expected("each channel once, in order"));
        }
        let end = u32::try_from(self.events.len() + row.len()).map_err(|_| {
            Error::format("the data set has more than 4 billion events")
                .remedy("split it, or take longer steps")
        })?;
        self.events.extend_from_slice(row);
        self.offsets.push(end);
        Ok(())
    }

    /// Adds a row of events of these channels, as another one has it.
    pub fn push(&mut self, row: &[u16]) {
        self.events.extend_from_slice(row);
        self.offsets.push(self.events.len() as u32);
    }

    /// Adds a row of real numbers as events: 1 above `threshold`, −1 below −`threshold`. One value a channel.
    pub fn push_above(&mut self, values: &[f32], threshold: f32) {
        for (channel, value) in values.iter().enumerate() {
            if *value > threshold {
                self.events.push(channel as u16);
            } else if *value < -threshold {
                self.events.push(channel as u16 | Self::NEGATIVE);
            }
        }
        self.offsets.push(self.events.len() as u32);
    }

    /// Drops all rows, to hold those of `channels` channels.
    pub fn clear(&mut self, channels: usize) {
        self.channels = channels;
        self.events.clear();
        self.offsets.clear();
        self.offsets.push(0);
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The number of channels.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The number of events in all rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether nothing happens at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The events of a row: channels in ascending order, with [`Events::NEGATIVE`] set for −1.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    #[must_use]
    #[inline]
    pub fn row(&self, row: usize) -> &[u16] {
        &self.events[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }

    /// The channels and signs (−1 or 1) of a row's events.
    pub fn signed(&self, row: usize) -> impl Iterator<Item = (usize, i8)> {
        self.row(row).iter().map(|event| {
            (usize::from(event & !Self::NEGATIVE), if event & Self::NEGATIVE == 0 { 1 } else { -1 })
        })
    }

    /// The rows of some blocks of `size` rows, in the given order.
    #[must_use]
    pub fn pick(&self, size: usize, blocks: &[usize]) -> Self {
        let mut picked = Self { channels: self.channels, offsets: vec![0], events: Vec::new() };
        for row in blocks.iter().flat_map(|block| block * size..(block + 1) * size) {
            picked.events.extend_from_slice(self.row(row));
            picked.offsets.push(picked.events.len() as u32);
        }
        picked
    }
}

/// The input events of a tile's chunk.
#[derive(Clone, Copy)]
pub struct EventRows<'a> {
    /// The events of the data set.
    pub events: &'a Events,
    /// For every batch row, the row of `events` that holds its first step.
    pub first: &'a [usize],
    /// The first step of the chunk.
    pub step: usize,
}

impl<'a> EventRows<'a> {
    /// The events of batch row `row` at step `k` of the chunk.
    #[inline(always)]
    pub fn entry(&self, k: usize, row: usize) -> &'a [u16] {
        self.events.row(self.first[row] + self.step + k)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dense_and_sparse_agree() {
        let dense = [0, 1, -1, 0, 0, 0, -1, 0, 1];
        let events = Events::from_dense(3, &dense).unwrap();
        assert_eq!([events.rows(), events.len(), events.channels()], [3, 4, 3]);
        assert_eq!(events.row(0), [1, 2 | Events::NEGATIVE]);
        assert!(events.row(1).is_empty());
        assert_eq!(events.signed(2).collect::<Vec<_>>(), [(0, -1), (2, 1)]);
        let picked = events.pick(1, &[2, 0, 2]);
        assert_eq!(picked, Events::from_dense(3, &[-1, 0, 1, 0, 1, -1, -1, 0, 1]).unwrap());
    }

    #[test]
    fn bad_rows_are_refused_with_their_place() {
        let message = |result: Result<Events>| result.unwrap_err().to_string();
        assert!(message(Events::new(0)).contains("0 channels"));
        assert!(message(Events::new(40_000)).contains("40000 channels"));
        assert!(message(Events::from_dense(2, &[0, 1, 0])).contains("3 input values"));
        assert!(message(Events::from_dense(2, &[0, 1, 0, 2])).contains("row 1, channel 1 is 2"));
        let mut events = Events::new(4).unwrap();
        events.push_row(&[0, 3]).unwrap();
        let mut refused = |row: &[u16]| events.push_row(row).unwrap_err().to_string();
        assert!(refused(&[4]).contains("row 1 is on channel 4"));
        assert!(refused(&[1, 1]).contains("row 1 are not in ascending order"));
        assert!(refused(&[2, 1 | Events::NEGATIVE]).contains("ascending"));
        assert_eq!(events.rows(), 1);
    }
}

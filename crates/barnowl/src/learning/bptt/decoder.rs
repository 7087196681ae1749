//! Decoders on a tile: scores and predictions while it runs forward, the gradient of the loss while it runs back.
//!
//! The definitions are those of [`crate::loss`]. The loss of a batch is the mean over its sequences, so the gradient of
//! each sequence needs nothing of the others, and a tile can run back before the next one starts.

use crate::kernel::floats::Floats;
use crate::kernel::simd::LANES;
use crate::kernel::softmax::softmax;
use crate::loss::{Decoder, DecoderKind};
use std::ops::Range;

/// What has been read of a tile.
#[derive(Debug, Default)]
pub(super) struct Readings {
    /// The score, `[rows, width]`: a sum or a maximum over time so far.
    score: Floats,
    /// ∂L/∂score, `[rows, width]`.
    gradient: Floats,
    /// The step of each maximum, `[rows, width]`.
    at: Vec<u32>,
    /// Scratch: softmax of a chunk, and its logarithms.
    p: Floats,
    log_sum: Vec<f32>,
    /// Σ over the tile's sequences of their losses.
    pub(super) loss: f64,
    /// Predicted classes, `[window, rows]` or `[rows]`.
    pub(super) classes: Vec<u16>,
}

/// Where the readings of a sequence stand between two windows.
#[derive(Debug, Default)]
pub(super) struct Score {
    score: Floats,
    at: Vec<u32>,
}

/// A chunk of a readout's output.
#[derive(Clone, Copy)]
pub(super) struct Output<'a> {
    /// Membrane potentials, `[steps, rows, width]`.
    pub(super) membrane: &'a [f32],
    /// Spikes as bits, `[steps, rows, blocks]`; empty if the readout does not spike.
    pub(super) bits: &'a [u16],
    /// The step of the sequence at which the chunk starts.
    pub(super) start: usize,
}

/// What all chunks of a tile share.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    pub(super) decoder: Decoder,
    pub(super) classes: usize,
    pub(super) width: usize,
    /// T.
    pub(super) steps: usize,
    /// The steps that are run: all, or a window of them.
    pub(super) window: Range<usize>,
    /// Batch rows of the tile, and its first.
    pub(super) rows: usize,
    pub(super) first: usize,
    /// B.
    pub(super) batch: usize,
    /// `[T, B]` or `[B]`.
    pub(super) targets: &'a [i32],
}

impl Reader<'_> {
    /// The steps of a chunk that count, as a range within it.
    fn counted(&self, output: Output<'_>) -> Range<usize> {
        let steps = output.membrane.len() / (self.rows * self.width);
        let from = match self.decoder.kind {
            DecoderKind::LastMembrane => self.steps - 1,
            _ => self.decoder.skip,
        };
        from.saturating_sub(output.start).min(steps)..steps
    }

    /// The steps that count before step `end`, at least 1.
    fn count(&self, end: usize) -> f32 {
        end.saturating_sub(self.decoder.skip).max(1) as f32
    }

    /// The class; none at a step without a label.
    fn target(&self, step: usize, row: usize) -> Option<usize> {
        let at = if self.decoder.is_per_step() { step * self.batch } else { 0 };
        usize::try_from(self.targets[at + self.first + row]).ok()
    }
}

impl Readings {
    /// Nothing read yet.
    pub(super) fn start(&mut self, reader: &Reader<'_>) {
        let start = match reader.decoder.kind {
            DecoderKind::MaxMembrane => f32::NEG_INFINITY,
            _ => 0.0,
        };
        self.score.refill(reader.rows * reader.width, start);
        refill(&mut self.at, reader.rows * reader.width, 0);
        let steps = if reader.decoder.is_per_step() { reader.window.len() } else { 1 };
        refill(&mut self.classes, steps * reader.rows, 0);
        self.loss = 0.0;
    }

    /// Goes on where the window before ended.
    pub(super) fn enter(&mut self, reader: &Reader<'_>, from: &Score) {
        self.score.copy_from_slice(&from.score);
        self.at.copy_from_slice(&from.at);
        if reader.decoder.kind == DecoderKind::MeanMembrane {
            // The mean so far, as its share of the mean of this window and all before.
            let share = reader.count(reader.window.start) / reader.count(reader.window.end);
            self.score.iter_mut().for_each(|score| *score *= share);
        }
    }

    /// Keeps where a window ends.
    pub(super) fn leave(&self, to: &mut Score) {
        to.score.copy_of(&self.score);
        self.at.clone_into(&mut to.at);
    }

    /// Reads a chunk on its way forward.
    pub(super) fn observe(&mut self, reader: &Reader<'_>, output: Output<'_>) {
        let counted = reader.counted(output);
        let span = reader.rows * reader.width;
        match reader.decoder.kind {
            DecoderKind::PerStep => {
                self.p.refill(output.membrane.len(), 0.0);
                let mut p = std::mem::take(&mut self.p);
                self.per_step(reader, output, 1.0, &mut p);
                self.p = p;
            }
            DecoderKind::SoftmaxSum => {
                let membrane = &output.membrane[counted.start * span..];
                self.softmax(reader, membrane);
                for p in self.p.chunks_exact(span) {
                    self.score.iter_mut().zip(p).for_each(|(score, p)| *score += p);
                }
            }
            DecoderKind::MeanMembrane | DecoderKind::LastMembrane => {
                let count = match reader.decoder.kind {
                    DecoderKind::MeanMembrane => reader.count(reader.window.end),
                    _ => 1.0,
                };
                for m in output.membrane[counted.start * span..].chunks_exact(span) {
                    self.score.iter_mut().zip(m).for_each(|(score, m)| *score += m / count);
                }
            }
            DecoderKind::MaxMembrane => {
                for k in counted {
                    let m = &output.membrane[k * span..(k + 1) * span];
                    for ((score, at), m) in self.score.iter_mut().zip(&mut self.at).zip(m) {
                        if *m > *score {
                            (*score, *at) = (*m, (output.start + k) as u32);
                        }
                    }
                }
            }
            DecoderKind::SpikeCount => {
                let blocks = span / LANES;
                for bits in output.bits[counted.start * blocks..].chunks_exact(blocks) {
                    for (score, mask) in self.score.chunks_exact_mut(LANES).zip(bits) {
                        for (lane, score) in score.iter_mut().enumerate() {
                            *score += f32::from(mask >> lane & 1);
                        }
                    }
                }
            }
        }
    }

    /// Ends the forward pass: the loss, the predictions and the gradient of a score per sequence.
    pub(super) fn finish(&mut self, reader: &Reader<'_>) {
        if reader.decoder.is_per_step() {
            return;
        }
        let (width, classes) = (reader.width, reader.classes);
        let scale = 1.0 / reader.batch as f32;
        self.gradient.refill(self.score.len(), 0.0);
        refill(&mut self.log_sum, reader.rows, 0.0);
        softmax(&self.score, width, classes, scale, &mut self.gradient, &mut self.log_sum);
        for row in 0..reader.rows {
            let score = &self.score[row * width..row * width + classes];
            self.classes[row] = best(score);
            if let Some(target) = reader.target(0, row) {
                self.loss += f64::from(self.log_sum[row] - score[target]);
                self.gradient[row * width + target] -= scale;
            } else {
                self.gradient[row * width..(row + 1) * width].fill(0.0);
            }
        }
    }

    /// ∂L/∂output of a chunk, `[steps, rows, width]`, on the way back. Of a class per step, the loss and the predictions
    /// are read here too, so that the softmax is computed once.
    pub(super) fn gradient(&mut self, reader: &Reader<'_>, output: Output<'_>, g: &mut [f32]) {
        let span = reader.rows * reader.width;
        let g = &mut g[..output.membrane.len()];
        let counted = reader.counted(output);
        if reader.decoder.is_per_step() {
            self.per_step(reader, output, 1.0 / reader.batch as f32, g);
            return;
        }
        g.fill(0.0);
        let g = &mut g[counted.start * span..];
        match reader.decoder.kind {
            DecoderKind::SoftmaxSum => {
                self.softmax(reader, &output.membrane[counted.start * span..]);
                let rows = g.chunks_exact_mut(reader.width).zip(self.p.chunks_exact(reader.width));
                for (entry, (g, p)) in rows.enumerate() {
                    let row = entry % reader.rows;
                    let given = &self.gradient[row * reader.width..(row + 1) * reader.width];
                    let mean: f32 = p.iter().zip(given).map(|(p, g)| p * g).sum();
                    for ((g, p), given) in g.iter_mut().zip(p).zip(given) {
                        *g = p * (given - mean);
                    }
                }
            }
            DecoderKind::MeanMembrane => {
                let count = reader.count(reader.window.end);
                for g in g.chunks_exact_mut(span) {
                    g.iter_mut()
                        .zip(self.gradient.iter())
                        .for_each(|(g, given)| *g = given / count);
                }
            }
            DecoderKind::MaxMembrane => {
                for (k, g) in counted.zip(g.chunks_exact_mut(span)) {
                    let step = (output.start + k) as u32;
                    for ((g, given), at) in g.iter_mut().zip(self.gradient.iter()).zip(&self.at) {
                        *g = if *at == step { *given } else { 0.0 };
                    }
                }
            }
            DecoderKind::LastMembrane | DecoderKind::SpikeCount | DecoderKind::PerStep => {
                for g in g.chunks_exact_mut(span) {
                    g.copy_from_slice(&self.gradient);
                }
            }
        }
    }

    /// Softmax of membranes, into `self.p`.
    fn softmax(&mut self, reader: &Reader<'_>, membrane: &[f32]) {
        self.p.refill(membrane.len(), 0.0);
        refill(&mut self.log_sum, membrane.len() / reader.width, 0.0);
        let (width, classes) = (reader.width, reader.classes);
        softmax(membrane, width, classes, 1.0, &mut self.p, &mut self.log_sum);
    }

    /// Loss, predictions and gradient (times `scale`) of a class per step.
    fn per_step(&mut self, reader: &Reader<'_>, output: Output<'_>, scale: f32, g: &mut [f32]) {
        let (rows, width, classes) = (reader.rows, reader.width, reader.classes);
        let m = output.membrane;
        refill(&mut self.log_sum, m.len() / width, 0.0);
        softmax(m, width, classes, scale, g, &mut self.log_sum);
        let entries = m.chunks_exact(width).zip(g.chunks_exact_mut(width)).zip(&self.log_sum);
        for (entry, ((m, g), log_sum)) in entries.enumerate() {
            let (k, row) = (entry / rows, entry % rows);
            let step = output.start + k;
            self.classes[(step - reader.window.start) * rows + row] = best(&m[..classes]);
            match reader.target(step, row) {
                Some(target) if step >= reader.decoder.skip => {
                    g[target] -= scale;
                    self.loss += f64::from(log_sum - m[target]);
                }
                _ => g.fill(0.0),
            }
        }
    }
}

/// `length` times `value`, without a new allocation where there is room.
pub(super) fn refill<T: Clone>(values: &mut Vec<T>, length: usize, value: T) {
    values.clear();
    values.resize(length, value);
}

/// The class of the largest score; the first where several are largest.
fn best(scores: &[f32]) -> u16 {
    let mut best = 0;
    for (class, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = class;
        }
    }
    best as u16
}

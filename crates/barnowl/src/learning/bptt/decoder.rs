//! Decoders on a tile: scores and predictions while it runs forward, the gradient of the loss while it runs back.
//!
//! The definitions are those of [`crate::loss`]. The loss of a batch is the mean over its sequences, so the gradient of
//! each sequence needs nothing of the others, and a tile can run back before the next one starts.

use crate::class_loss::ClassLoss;
use crate::loss::{Decoder, DecoderKind};
use crate::objective::Objective;
use barnowl_engine::floats::Floats;
use barnowl_engine::simd::LANES;
use barnowl_engine::softmax::softmax;
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
    /// Predicted numbers, `[window, rows, K]` or `[rows, K]`.
    pub(super) values: Vec<f32>,
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
    /// Neurons of the readout.
    pub(super) classes: usize,
    pub(super) width: usize,
    /// The steps of each row of the tile, the longest first; where none ends before the others, `steps` is that of all.
    pub(super) lengths: Option<&'a [usize]>,
    pub(super) steps: usize,
    /// The steps that are run: all of the tile's longest row, or a window of them.
    pub(super) window: Range<usize>,
    /// Batch rows of the tile, and its first.
    pub(super) rows: usize,
    pub(super) first: usize,
    /// B.
    pub(super) batch: usize,
    /// Classes, `[T, B]` or `[B]`.
    pub(super) targets: &'a [i32],
    /// Numbers, `[T, B, K]` or `[B, K]`.
    pub(super) values: &'a [f32],
    /// How the loss of classes is weighed, if it is.
    pub(super) class_loss: Option<&'a ClassLoss>,
}

impl Reader<'_> {
    /// The steps of a row.
    pub(super) fn length(&self, row: usize) -> usize {
        self.lengths.map_or(self.steps, |lengths| lengths[row])
    }

    /// How many rows have a step, from the first on.
    pub(super) fn running(&self, step: usize) -> usize {
        match self.lengths {
            None if step < self.steps => self.rows,
            None => 0,
            Some(lengths) => lengths.partition_point(|length| *length > step),
        }
    }

    /// The steps of a chunk from the first on that counts for some row, as a range within it.
    fn counted(&self, output: Output<'_>) -> Range<usize> {
        let steps = output.membrane.len() / (self.rows * self.width);
        let first = self.decoder.first(self.length(self.rows - 1));
        first.saturating_sub(output.start).min(steps)..steps
    }

    /// Where, of values `[rows, width]` at a step from the first that counts on, those of the rows are for which it counts.
    fn counting(&self, step: usize) -> Range<usize> {
        let from = match self.decoder.kind {
            DecoderKind::LastMembrane => self.running(step + 1),
            _ => 0,
        };
        from * self.width..self.running(step) * self.width
    }

    /// The steps of a row that count before step `end`, at least 1.
    fn count(&self, row: usize, end: usize) -> f32 {
        end.min(self.length(row)).saturating_sub(self.decoder.skip).max(1) as f32
    }

    /// The class; none at a step without a label.
    fn target(&self, step: usize, row: usize) -> Option<usize> {
        usize::try_from(self.targets[self.entry(step, row)]).ok()
    }

    /// The numbers to be found; NaN where one is not known.
    fn values(&self, step: usize, row: usize) -> &[f32] {
        &self.values[self.entry(step, row) * self.classes..][..self.classes]
    }

    /// The loss of an entry; of `p`, the softmax of its scores times `scale`, it makes the gradient.
    #[inline]
    fn compare(&self, scores: &[f32], log_sum: f32, y: usize, scale: f32, p: &mut [f32]) -> f64 {
        if let Some(loss) = self.class_loss {
            return loss.entry(scores, log_sum, y, scale, p);
        }
        p[y] -= scale;
        f64::from(log_sum - scores[y])
    }

    fn entry(&self, step: usize, row: usize) -> usize {
        let at = if self.decoder.is_per_step() { step * self.batch } else { 0 };
        at + self.first + row
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
        match reader.decoder.answer.is_real() {
            true => refill(&mut self.values, steps * reader.rows * reader.classes, 0.0),
            false => refill(&mut self.classes, steps * reader.rows, 0),
        }
        self.loss = 0.0;
    }

    /// Goes on where the window before ended.
    pub(super) fn enter(&mut self, reader: &Reader<'_>, from: &Score) {
        self.score.copy_from_slice(&from.score);
        self.at.copy_from_slice(&from.at);
        if reader.decoder.kind == DecoderKind::MeanMembrane {
            // The mean so far, as its share of the mean of this window and all before.
            let window = &reader.window;
            for (row, score) in self.score.chunks_exact_mut(reader.width).enumerate() {
                let share = reader.count(row, window.start) / reader.count(row, window.end);
                score.iter_mut().for_each(|score| *score *= share);
            }
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
        let (width, span) = (reader.width, reader.rows * reader.width);
        let steps = counted.clone().map(|k| output.start + k);
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
                for (step, p) in steps.zip(self.p.chunks_exact(span)) {
                    let rows = reader.counting(step);
                    let score = self.score[rows.clone()].iter_mut();
                    score.zip(&p[rows]).for_each(|(score, p)| *score += p);
                }
            }
            DecoderKind::MeanMembrane => {
                let membrane = output.membrane[counted.start * span..].chunks_exact(span);
                for (step, m) in steps.zip(membrane) {
                    let rows = reader.counting(step);
                    let scores = self.score[rows.clone()].chunks_exact_mut(width);
                    for (row, (score, m)) in scores.zip(m[rows].chunks_exact(width)).enumerate() {
                        let count = reader.count(row, reader.window.end);
                        score.iter_mut().zip(m).for_each(|(score, m)| *score += m / count);
                    }
                }
            }
            DecoderKind::LastMembrane => {
                let membrane = output.membrane[counted.start * span..].chunks_exact(span);
                for (step, m) in steps.zip(membrane) {
                    let rows = reader.counting(step);
                    let score = self.score[rows.clone()].iter_mut();
                    score.zip(&m[rows]).for_each(|(score, m)| *score += m);
                }
            }
            DecoderKind::MaxMembrane => {
                let membrane = output.membrane[counted.start * span..].chunks_exact(span);
                for (step, m) in steps.zip(membrane) {
                    let rows = reader.counting(step);
                    let best = self.score[rows.clone()].iter_mut().zip(&mut self.at[rows.clone()]);
                    for ((score, at), m) in best.zip(&m[rows]) {
                        if *m > *score {
                            (*score, *at) = (*m, step as u32);
                        }
                    }
                }
            }
            DecoderKind::SpikeCount => {
                let blocks = span / LANES;
                let bits = output.bits[counted.start * blocks..].chunks_exact(blocks);
                for (step, bits) in steps.zip(bits) {
                    let score = self.score[reader.counting(step)].chunks_exact_mut(LANES);
                    for (score, mask) in score.zip(bits) {
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
        if let Some(objective) = reader.decoder.answer.objective() {
            self.finish_values(reader, objective, scale);
            return;
        }
        refill(&mut self.log_sum, reader.rows, 0.0);
        softmax(&self.score, width, classes, scale, &mut self.gradient, &mut self.log_sum);
        for row in 0..reader.rows {
            let score = &self.score[row * width..row * width + classes];
            self.classes[row] = best(score);
            let target = reader.target(0, row);
            if let Some(target) = target {
                let gradient = &mut self.gradient[row * width..row * width + classes];
                self.loss += reader.compare(score, self.log_sum[row], target, scale, gradient);
            }
            // What has ended before the window has its loss, and teaches no more.
            let counts = reader.decoder.counts_row(&reader.window, reader.length(row));
            if target.is_none() || !counts {
                self.gradient[row * width..(row + 1) * width].fill(0.0);
            }
        }
    }

    /// As [`finish`](Self::finish), of numbers.
    fn finish_values(&mut self, reader: &Reader<'_>, objective: &dyn Objective, scale: f32) {
        let (width, outputs) = (reader.width, reader.classes);
        for row in 0..reader.rows {
            let score = &self.score[row * width..][..outputs];
            let gradient = &mut self.gradient[row * width..][..outputs];
            let answers = &mut self.values[row * outputs..][..outputs];
            let entry = Entry { score, target: reader.values(0, row), scale };
            self.loss += entry.compare(objective, answers, gradient);
            if !reader.decoder.counts_row(&reader.window, reader.length(row)) {
                gradient.fill(0.0);
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
        if reader.decoder.kind == DecoderKind::SoftmaxSum {
            self.softmax(reader, &output.membrane[counted.start * span..]);
        }
        let width = reader.width;
        for (place, k) in counted.enumerate() {
            let step = output.start + k;
            let rows = reader.counting(step);
            let given = &self.gradient[rows.clone()];
            let g = &mut g[k * span..][rows.clone()];
            match reader.decoder.kind {
                DecoderKind::SoftmaxSum => {
                    let p = self.p[place * span..][rows].chunks_exact(width);
                    let rows = g.chunks_exact_mut(width).zip(p).zip(given.chunks_exact(width));
                    for ((g, p), given) in rows {
                        let mean: f32 = p.iter().zip(given).map(|(p, g)| p * g).sum();
                        for ((g, p), given) in g.iter_mut().zip(p).zip(given) {
                            *g = p * (given - mean);
                        }
                    }
                }
                DecoderKind::MeanMembrane => {
                    let rows = g.chunks_exact_mut(width).zip(given.chunks_exact(width));
                    for (row, (g, given)) in rows.enumerate() {
                        let count = reader.count(row, reader.window.end);
                        g.iter_mut().zip(given).for_each(|(g, given)| *g = given / count);
                    }
                }
                DecoderKind::MaxMembrane => {
                    for ((g, given), at) in g.iter_mut().zip(given).zip(&self.at[rows]) {
                        *g = if *at == step as u32 { *given } else { 0.0 };
                    }
                }
                DecoderKind::LastMembrane | DecoderKind::SpikeCount | DecoderKind::PerStep => {
                    g.copy_from_slice(given);
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

    /// Loss, predictions and gradient (times `scale`) of an answer per step.
    fn per_step(&mut self, reader: &Reader<'_>, output: Output<'_>, scale: f32, g: &mut [f32]) {
        if let Some(objective) = reader.decoder.answer.objective() {
            self.values_per_step(reader, objective, output, scale, g);
            return;
        }
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
                    let (scores, g) = (&m[..classes], &mut g[..classes]);
                    self.loss += reader.compare(scores, *log_sum, target, scale, g);
                }
                _ => g.fill(0.0),
            }
        }
    }

    /// As [`per_step`](Self::per_step), of numbers.
    fn values_per_step(
        &mut self,
        reader: &Reader<'_>,
        objective: &dyn Objective,
        output: Output<'_>,
        scale: f32,
        g: &mut [f32],
    ) {
        let (rows, width, outputs) = (reader.rows, reader.width, reader.classes);
        let membranes = output.membrane.chunks_exact(width);
        for (entry, (m, g)) in membranes.zip(g.chunks_exact_mut(width)).enumerate() {
            let (k, row) = (entry / rows, entry % rows);
            let step = output.start + k;
            g.fill(0.0);
            let at = ((step - reader.window.start) * rows + row) * outputs;
            let target = reader.values(step, row);
            let entry = Entry { score: &m[..outputs], target, scale };
            let answers = &mut self.values[at..at + outputs];
            let loss = entry.compare(objective, answers, &mut g[..outputs]);
            if step >= reader.decoder.skip {
                self.loss += loss;
            } else {
                g.fill(0.0);
            }
        }
    }
}

/// A score, what it should have been, and what the gradient is multiplied by.
struct Entry<'a> {
    score: &'a [f32],
    target: &'a [f32],
    scale: f32,
}

impl Entry<'_> {
    /// The loss of an entry; writes its answers, and the gradient of what is known.
    fn compare(&self, objective: &dyn Objective, answers: &mut [f32], g: &mut [f32]) -> f64 {
        let outputs = self.score.len() as f64;
        let scale = self.scale / outputs as f32;
        let mut sum = 0.0;
        for (place, (score, target)) in self.score.iter().zip(self.target).enumerate() {
            answers[place] = objective.answer(*score);
            g[place] = 0.0;
            if !target.is_nan() {
                let (loss, derivative) = objective.loss(*score, *target);
                sum += loss;
                g[place] = derivative * scale;
            }
        }
        sum / outputs
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

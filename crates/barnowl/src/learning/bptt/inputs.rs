//! What the first layer of a tile reads of the data: events, real numbers, or real numbers that a trained threshold turns
//! into spikes; and the gradient of that threshold.

use super::job::Job;
use super::plan::LayerPlan;
use super::stage::Stage;
use crate::dataset::{Events, Inputs};
use barnowl_engine::events::EventRows;
use barnowl_engine::floats::Floats;
use barnowl_engine::product::set_product;
use barnowl_engine::simd::padded;
use barnowl_neuron::Surrogate;

/// The data as a stage reads them.
#[derive(Debug, Default)]
pub(super) struct Feed {
    /// Events of the tile's own, a row for every batch row and step: those above the threshold, which are few, so that the
    /// kernels for events skip the rest; or those of the data in the order of a stage that does not read them as they are.
    own: Option<Events>,
    /// For every batch row, the row of these events, or of the data's, that holds its first step.
    first: Vec<usize>,
    /// The first step.
    start: usize,
    /// Real-valued inputs of a chunk, `[steps, rows, channels]`.
    x: Floats,
    /// ∂L/∂s of a chunk, `[steps, rows, padded channels]`.
    gradient: Floats,
}

impl Feed {
    /// Makes ready what a stage reads in the window of a tile.
    pub(super) fn start(&mut self, job: &Job<'_>, stage: &Stage) {
        let rows = job.reader.rows;
        let window = stage.window(&job.reader.window);
        let of_data = match job.data.inputs() {
            Inputs::Events(events) => Some(events),
            _ => None,
        };
        self.first.clear();
        self.start = window.start;
        if job.threshold.is_none() && (of_data.is_none() || stage.is_plain()) {
            self.own = None;
            self.start = 0;
            self.first.extend(job.indices.iter().map(|sample| sample * job.data.steps()));
            return;
        }
        self.first.extend((0..rows).map(|row| row * window.len()));
        let channels = job.data.channels();
        let mut own = self.own.take().unwrap_or_default();
        own.clear(channels);
        for row in 0..rows {
            for step in window.clone() {
                let place = job.data_row(stage, step, row);
                match (job.threshold, of_data, place) {
                    (None, Some(events), Some(place)) => own.push(events.row(place)),
                    (Some(threshold), _, Some(place)) => {
                        self.x.resize(channels);
                        job.read(place, &mut self.x);
                        own.push_above(&self.x, threshold);
                    }
                    _ => own.push(&[]),
                }
            }
        }
        self.own = Some(own);
    }

    /// The events of a chunk that starts at step `step`, if there are events.
    pub(super) fn events<'a>(&'a self, job: &Job<'a>, step: usize) -> Option<EventRows<'a>> {
        let events = match (&self.own, job.data.inputs()) {
            (Some(own), _) => own,
            (None, Inputs::Events(events)) => events,
            (None, _) => return None,
        };
        Some(EventRows { events, first: &self.first, step: step - self.start })
    }

    /// Reads a chunk of real numbers, `[steps, rows, channels]`; zeros where a row has ended.
    pub(super) fn read(&mut self, job: &Job<'_>, stage: &Stage, start: usize, steps: usize) {
        let (rows, channels) = (job.reader.rows, job.data.channels());
        self.x.resize(steps * rows * channels);
        let places = (start..start + steps).flat_map(|k| (0..rows).map(move |row| (k, row)));
        for (to, (step, row)) in self.x.chunks_exact_mut(channels).zip(places) {
            match job.data_row(stage, step, row) {
                Some(place) => job.read(place, to),
                None => to.fill(0.0),
            }
        }
    }

    /// What was read last.
    pub(super) fn numbers(&self) -> &[f32] {
        &self.x
    }

    /// ∂L/∂θ over the chunk that was read last, from the gradient of the first layer's currents `g`
    /// `[steps, rows, gates · width]`; x are the inputs:
    ///
    /// `∂L/∂s = W gI`, `∂L/∂θ = Σ ∂L/∂s (ψ(−θ − x) − ψ(x − θ))`.
    pub(super) fn threshold_gradient(
        &mut self,
        layer: &LayerPlan,
        g: &[f32],
        threshold: f32,
        surrogate: Surrogate,
    ) -> f64 {
        let (channels, wide) = (layer.inputs.width(), layer.currents());
        let width = padded(channels);
        self.gradient.resize(g.len() / wide * width);
        set_product(g, wide, &layer.input.transposed, &mut self.gradient, width);
        let rows = self.gradient.chunks_exact(width).zip(self.x.chunks_exact(channels));
        rows.map(|(g, x)| {
            let slope = |x: f32| {
                surrogate.pseudo_derivative(-threshold - x)
                    - surrogate.pseudo_derivative(x - threshold)
            };
            g.iter().zip(x).map(|(g, x)| f64::from(g * slope(*x))).sum::<f64>()
        })
        .sum()
    }
}

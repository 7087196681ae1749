//! Real-valued inputs that a trained threshold turns into spikes, and the gradient of that threshold.

use super::plan::LayerPlan;
use crate::dataset::Events;
use barnowl_engine::events::EventRows;
use barnowl_engine::floats::Floats;
use barnowl_engine::product::set_product;
use barnowl_engine::simd::padded;
use barnowl_neuron::Surrogate;

/// The inputs of a tile as events: few of them are above the threshold, and the kernels for events skip the rest.
#[derive(Debug, Default)]
pub(super) struct Encoded {
    /// A row for every step and batch row, step by step.
    events: Events,
    /// For every batch row, the row of `events` that holds its first step.
    first: Vec<usize>,
    /// The first step.
    start: usize,
    /// ∂L/∂s of a chunk, `[steps, rows, padded channels]`.
    gradient: Floats,
}

impl Encoded {
    /// Drops all events, to hold those of `rows` batch rows of `steps` steps from step `start` on.
    pub(super) fn start(&mut self, channels: usize, rows: usize, start: usize, steps: usize) {
        self.events.clear(channels);
        self.start = start;
        self.first.clear();
        self.first.extend((0..rows).map(|row| row * steps));
    }

    /// Adds the inputs of one batch row, `[steps, channels]`.
    pub(super) fn push(&mut self, x: &[f32], channels: usize, threshold: f32) {
        x.chunks_exact(channels).for_each(|values| self.events.push_above(values, threshold));
    }

    /// The events of a chunk that starts at step `step`.
    pub(super) fn rows(&self, step: usize) -> EventRows<'_> {
        EventRows { events: &self.events, first: &self.first, step: step - self.start }
    }

    /// ∂L/∂θ over a chunk, from the gradient of the first layer's currents `g` `[steps, rows, width]` and the inputs `x`
    /// `[steps, rows, channels]`:
    ///
    /// `∂L/∂s = W gI`, `∂L/∂θ = Σ ∂L/∂s (ψ(−θ − x) − ψ(x − θ))`.
    pub(super) fn threshold_gradient(
        &mut self,
        layer: &LayerPlan,
        g: &[f32],
        x: &[f32],
        threshold: f32,
        surrogate: Surrogate,
    ) -> f64 {
        let width = padded(layer.inputs);
        self.gradient.resize(g.len() / layer.width * width);
        set_product(g, layer.width, &layer.input.transposed, &mut self.gradient, width);
        let rows = self.gradient.chunks_exact(width).zip(x.chunks_exact(layer.inputs));
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

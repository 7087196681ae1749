//! Logits: `m_t = I_t`, neurons without state, for the readouts of baselines.

use super::neurons::{Backward, Forward, Neurons, Output, Shape, Sums};
use super::simd::padded;
use super::weights::Weights;
use barnowl_neuron::Surrogate;

/// A layer of them. The trace is m.
#[derive(Debug)]
pub struct Logits {
    neurons: usize,
    width: usize,
}

impl Logits {
    /// So many.
    pub fn new(neurons: usize) -> Self {
        Self { neurons, width: padded(neurons) }
    }
}

impl Neurons for Logits {
    fn shape(&self) -> Shape {
        let shape = Shape::of_spiking(self.neurons, self.width, 0, 0);
        Shape { output: Output::Trace, ..shape }
    }

    fn set(&mut self, _: &[Vec<f32>], _: f32) {}

    fn parameter_gradients(&self, _: &Sums, _: &[Vec<f32>], _: f32) -> Vec<Vec<f64>> {
        Vec::new()
    }

    fn rest(&self, trace: &mut [f32], _: &mut [f32]) {
        trace.fill(0.0);
    }

    /// The currents are in their place.
    fn forward(&self, _: Option<&Weights>, _: Forward<'_>) {}

    fn backward(&self, _: Option<&Weights>, _: Surrogate, chunk: Backward<'_>) {
        let g = &mut chunk.current_gradient[..chunk.steps * chunk.rows * self.width];
        match chunk.membrane_gradient {
            Some(given) => g.copy_from_slice(&given[..g.len()]),
            None => g.fill(0.0),
        }
        for row in g.chunks_exact(self.width) {
            chunk.sums.bias.iter_mut().zip(row).for_each(|(sum, g)| *sum += f64::from(*g));
        }
    }
}

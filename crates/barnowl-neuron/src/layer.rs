//! Whole layers, step by step, in memory that the caller owns.
//!
//! Weights are stored by input: `weight[i * outputs + o]`, so that a spike of input `i` adds one contiguous row. An
//! input of zero costs one comparison, hence the work of a step is proportional to the spikes that arrive.

use crate::alif::{AlifParameters, AlifState, Decay, integrate};

/// A weight matrix, row per input: `[inputs, outputs]`.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a> {
    values: &'a [f32],
    outputs: usize,
}

impl<'a> Weights<'a> {
    /// A matrix over `values`, `[inputs, outputs]` in row-major order; `None` where the length is no multiple of
    /// `outputs`, or `outputs` is zero.
    #[must_use]
    pub fn new(values: &'a [f32], outputs: usize) -> Option<Self> {
        (outputs > 0 && values.len().is_multiple_of(outputs)).then_some(Self { values, outputs })
    }

    /// The number of inputs.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.values.len() / self.outputs
    }

    /// The number of outputs.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// `current += x W` for real-valued or spiking input `x` of length [`inputs`](Self::inputs).
    #[inline]
    pub fn add_product(&self, x: &[f32], current: &mut [f32]) {
        for (x, row) in x.iter().zip(self.values.chunks_exact(self.outputs)) {
            if *x != 0.0 {
                for (current, weight) in current.iter_mut().zip(row) {
                    *current += x * weight;
                }
            }
        }
    }

    /// `current += s W` for the spikes of a layer: one row is added per spike.
    #[inline]
    fn add_spikes(&self, state: &[AlifState], current: &mut [f32]) {
        for (state, row) in state.iter().zip(self.values.chunks_exact(self.outputs)) {
            if state.spike {
                for (current, weight) in current.iter_mut().zip(row) {
                    *current += weight;
                }
            }
        }
    }
}

/// A layer of ALIF neurons, recurrent or feed-forward, on borrowed parameters.
#[derive(Debug, Clone, Copy)]
pub struct AlifLayer<'a> {
    /// Input weights, `[inputs, neurons]`.
    pub input: Weights<'a>,
    /// Sum of input and recurrent bias, one per neuron.
    pub bias: &'a [f32],
    /// Recurrent weights, `[neurons, neurons]`, row per presynaptic neuron; `None` in a feed-forward layer.
    pub recurrent: Option<Weights<'a>>,
    /// One entry per neuron.
    pub neurons: &'a [AlifParameters],
}

impl AlifLayer<'_> {
    /// One step of time: input `x`, the layer's `state` (updated), scratch for the currents and the spikes out (0 or
    /// 1), so that they can be the input of the next layer. Returns the number of spikes.
    ///
    /// # Panics
    ///
    /// If `x` is not as long as the input, or another slice not as long as the layer.
    pub fn step(
        &self,
        x: &[f32],
        state: &mut [AlifState],
        current: &mut [f32],
        spikes: &mut [f32],
    ) -> usize {
        let neurons = self.neurons.len();
        assert_eq!(x.len(), self.input.inputs(), "input of the wrong length");
        assert!(
            [state.len(), current.len(), spikes.len(), self.bias.len()] == [neurons; 4],
            "state, scratch, spikes and bias are as long as the layer",
        );
        current.copy_from_slice(self.bias);
        self.input.add_product(x, current);
        if let Some(recurrent) = &self.recurrent {
            recurrent.add_spikes(state, current);
        }
        let mut count = 0;
        for (((neuron, state), current), spike) in
            self.neurons.iter().zip(state).zip(current).zip(spikes)
        {
            let fired = neuron.step(state, *current);
            *spike = if fired { 1.0 } else { 0.0 };
            count += usize::from(fired);
        }
        count
    }
}

/// A readout of leaky integrators on borrowed parameters.
#[derive(Debug, Clone, Copy)]
pub struct IntegratorLayer<'a> {
    /// Input weights, `[inputs, outputs]`.
    pub input: Weights<'a>,
    /// One bias per output.
    pub bias: &'a [f32],
    /// One decay per output.
    pub decays: &'a [Decay],
}

impl IntegratorLayer<'_> {
    /// One step of time: input `x`, the membrane potentials (updated) and scratch for the currents.
    ///
    /// # Panics
    ///
    /// If `x` is not as long as the input, or another slice not as long as the layer.
    pub fn step(&self, x: &[f32], membrane: &mut [f32], current: &mut [f32]) {
        assert_eq!(x.len(), self.input.inputs(), "input of the wrong length");
        assert!(
            [membrane.len(), current.len(), self.bias.len()] == [self.decays.len(); 3],
            "membrane, scratch and bias are as long as the layer",
        );
        current.copy_from_slice(self.bias);
        self.input.add_product(x, current);
        for ((membrane, decay), current) in membrane.iter_mut().zip(self.decays).zip(current) {
            *membrane = integrate(*decay, *membrane, *current);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alif::Threshold;

    #[test]
    fn weights_need_whole_rows() {
        assert!(Weights::new(&[0.0; 6], 3).is_some_and(|w| w.inputs() == 2 && w.outputs() == 3));
        assert!(Weights::new(&[0.0; 5], 3).is_none());
        assert!(Weights::new(&[], 0).is_none());
    }

    #[test]
    fn a_spike_reaches_its_neighbour_one_step_later() {
        let threshold = Threshold { b0: 0.1, beta: 0.0, resistance: 1.0 };
        let neurons = [AlifParameters::new(1e-3, 10.0, 1.0, threshold); 2];
        let layer = AlifLayer {
            input: Weights::new(&[1.0, 0.0], 2).unwrap(),
            bias: &[0.0; 2],
            // Neuron 0 drives neuron 1.
            recurrent: Weights::new(&[0.0, 1.0, 0.0, 0.0], 2),
            neurons: &neurons,
        };
        let mut state = [AlifState::at_rest(0.1); 2];
        let (mut current, mut spikes) = ([0.0; 2], [0.0; 2]);
        assert_eq!(layer.step(&[1.0], &mut state, &mut current, &mut spikes), 1);
        assert_eq!(spikes, [1.0, 0.0]);
        assert_eq!(layer.step(&[0.0], &mut state, &mut current, &mut spikes), 1);
        assert_eq!(spikes, [0.0, 1.0]);
    }

    #[test]
    fn integrators_decay_to_their_input() {
        let decays = [Decay::from_time_constant(5.0, 1.0); 2];
        let weights = [1.0, -2.0];
        let readout = IntegratorLayer {
            input: Weights::new(&weights, 2).unwrap(),
            bias: &[0.0, 0.5],
            decays: &decays,
        };
        let (mut membrane, mut current) = ([0.0; 2], [0.0; 2]);
        for _ in 0..200 {
            readout.step(&[1.0], &mut membrane, &mut current);
        }
        assert!((membrane[0] - 1.0).abs() < 1e-5 && (membrane[1] + 1.5).abs() < 1e-5);
    }
}

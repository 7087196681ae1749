//! A forward pass: how it runs, and where its neurons start.

use crate::neuron::InitialState;
use crate::sequence::state_at_rest;
use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Which implementation of the sequence operations to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SequencePath {
    /// The fused kernels.
    #[default]
    Fused,
    /// The plain-tensor reference, for tests.
    Reference,
}

/// What a forward pass depends on besides input and parameters.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pass<'a> {
    /// Fused or reference.
    pub path: SequencePath,
    /// Where random initial states come from; the same seed gives the same states.
    pub seed: u64,
    /// Whether the readout returns both spikes and membrane, whatever its decoder needs.
    pub observe_all: bool,
    /// The steps of each row of the batch, if some end before the last one: what follows is padding. Of the steps of the data,
    /// also where the hidden layers take several of each. Learning rules take them from the data.
    pub lengths: Option<&'a [usize]>,
    /// The place of each row's sequence in its data set, by which random initial states are drawn, so that they do not depend
    /// on the batch. Default: the rows are the first sequences. Learning rules take them from the data.
    pub sequences: Option<&'a [usize]>,
}

/// The bit that sets the random streams of initial states apart from all others of a seed.
const STATES: u64 = 1 << 63;

impl Pass<'_> {
    /// The membrane potentials `[B, neurons]` before the first step, by the [stream] of a layer; `None` for zero. Of a stream,
    /// every sequence has a part of its own.
    pub(crate) fn membrane(
        &self,
        state: InitialState,
        stream: u64,
        [batch, neurons]: [usize; 2],
    ) -> Option<Vec<f32>> {
        let row = |row: usize| {
            let sequence = self.sequences.map_or(row, |sequences| sequences[row]);
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            rng.set_stream(STATES | stream << 40 | sequence as u64);
            state.draw(neurons, &mut rng)
        };
        let rows: Option<Vec<Vec<f32>>> = (0..batch).map(row).collect();
        rows.map(|rows| rows.concat())
    }

    /// The same on a device.
    pub(crate) fn membrane_on(
        &self,
        state: InitialState,
        stream: u64,
        shape: [usize; 2],
        device: &Device,
    ) -> Option<Tensor<2>> {
        let values = self.membrane(state, stream, shape)?;
        Some(Tensor::from_data(TensorData::new(values, shape), device))
    }
}

/// The stream of the initial states of a layer, counted from 0 with the readout last. That of neurons that read backward
/// follows it.
pub(crate) fn stream(layer: usize) -> u64 {
    2 * layer as u64
}

/// Where neurons start.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "one a layer")]
pub enum Start {
    /// From the initial state of their configuration; where that is random, from the stream of this number, and neurons that
    /// read backward from the next one.
    Drawn(u64),
    /// From where the window of time before ended: what the layer returned then.
    At(Tensor<3>),
}

impl Start {
    /// The state of adaptive neurons, `[3, B, H]`: u, b and s; `None` for rest.
    pub(crate) fn alif(
        self,
        state: InitialState,
        b0: f32,
        shape: [usize; 2],
        device: &Device,
        pass: Pass<'_>,
    ) -> Option<Tensor<3>> {
        match self {
            Self::At(state) => Some(state),
            Self::Drawn(stream) => pass.membrane_on(state, stream, shape, device).map(|u| {
                let rest = state_at_rest(shape, b0, device);
                Tensor::cat(vec![u.unsqueeze_dim(0), rest.narrow(0, 1, 2)], 0)
            }),
        }
    }
}

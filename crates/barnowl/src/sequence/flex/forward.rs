//! The forward pass of a layer of ALIF neurons.

use super::super::{AlifArguments, AlifForward, Observe};
use super::alif::{CHUNK, Layer, State, Tiles, gather, step_row};
use super::buffer::TileRows;
use super::simd::{Isa, blocks_mut, dispatch, for_each_block, pack};
use super::{dims, tensor};
use burn::backend::Flex;
use rayon::prelude::*;

/// Everything that the tiles share.
struct Pass<'a> {
    layer: Layer,
    tiles: Tiles,
    current: &'a [f32],
    initial: &'a [f32],
    spikes: Option<TileRows<'a>>,
    membrane: Option<TileRows<'a>>,
    /// The state before every chunk, `[chunks, 3, B, H]`, and after the last step.
    trace: Option<TileRows<'a>>,
    state: TileRows<'a>,
}

/// Runs a layer over all steps.
pub(super) fn run(arguments: &AlifArguments<Flex>, trace: bool) -> AlifForward<Flex> {
    let [steps, batch, neurons] = dims(&arguments.current);
    let size = steps * batch * neurons;
    let tiles = Tiles::new(steps, batch);
    let chunks = steps.div_ceil(CHUNK);
    let (current, initial) = (arguments.current.to_contiguous(), arguments.initial.to_contiguous());

    let observe = arguments.options.observe;
    let both = usize::from(observe == Observe::Both);
    let mut output = vec![0.0; size * (1 + both)];
    let mut trace = trace.then(|| vec![0.0; chunks * 3 * batch * neurons]);
    let mut state = vec![0.0; 3 * batch * neurons];
    {
        let (first, second) = output.split_at_mut(size);
        let (spikes, membrane) = match observe {
            Observe::Spikes => (Some(TileRows::new(first)), None),
            Observe::Membrane => (None, Some(TileRows::new(first))),
            Observe::Both => (Some(TileRows::new(first)), Some(TileRows::new(second))),
        };
        let pass = Pass {
            layer: Layer::new(arguments, neurons),
            tiles,
            current: current.storage(),
            initial: initial.storage(),
            spikes,
            membrane,
            trace: trace.as_deref_mut().map(TileRows::new),
            state: TileRows::new(&mut state),
        };
        (0..tiles.count()).into_par_iter().for_each(|tile| run_tile(&pass, tile));
    }
    AlifForward {
        output: match observe {
            Observe::Both => tensor(output, [2, steps, batch, neurons]),
            _ => tensor(output, [steps, batch, neurons]),
        },
        state: tensor(state, [3, batch, neurons]),
        trace: trace.map(|trace| tensor(trace, [chunks, 3, batch, neurons])),
    }
}

dispatch! {
    /// All steps of one tile.
    fn run_tile(pass: &Pass<'_>, tile: usize) = tile_kernel
}

#[inline(always)]
fn tile_kernel<I: Isa>(isa: I, pass: &Pass<'_>, tile: usize) {
    let layer = &pass.layer;
    let (neurons, width) = (layer.neurons, layer.width);
    let Tiles { steps, batch, .. } = pass.tiles;
    let (first, rows) = pass.tiles.range(tile);
    let mut state = State::new(rows, width);
    state.load(layer, pass.initial, batch, first);
    let mut next = State::new(rows, width);
    let mut current = vec![0.0; width];

    for t in 0..steps {
        if let Some(trace) = &pass.trace
            && t.is_multiple_of(CHUNK)
        {
            store(&state, trace, t / CHUNK, pass, first);
        }
        let start = (t * batch + first) * neurons;
        // SAFETY: rows `first..first + rows` of step t, which are this tile's alone.
        let spikes_out = pass.spikes.as_ref().map(|out| unsafe { out.rows(start, rows * neurons) });
        // SAFETY: as above.
        let membrane_out =
            pass.membrane.as_ref().map(|out| unsafe { out.rows(start, rows * neurons) });
        let input = &pass.current[start..start + rows * neurons];
        for row in 0..rows {
            for_each_block(input, row * neurons, neurons, |k, block| {
                blocks_mut(&mut current)[k] = block;
            });
            if let Some(weights) = &layer.recurrent {
                gather(isa, weights, state.spikes[row].as_slice(), &mut current);
            }
            step_row(layer, &current, &state.row(row, width), next.row_mut(row, width));
        }
        std::mem::swap(&mut state, &mut next);
        if let Some(out) = spikes_out {
            pack(&state.s, width, out, neurons);
        }
        if let Some(out) = membrane_out {
            pack(&state.u, width, out, neurons);
        }
    }
    store(&state, &pass.state, 0, pass, first);
}

/// Writes a tile's state to entry `index` of `[_, 3, B, H]`.
fn store(state: &State, to: &TileRows<'_>, index: usize, pass: &Pass<'_>, first: usize) {
    let (neurons, width, batch) = (pass.layer.neurons, pass.layer.width, pass.tiles.batch);
    for (part, values) in [&state.u, &state.b, &state.s].into_iter().enumerate() {
        let start = ((index * 3 + part) * batch + first) * neurons;
        let length = values.len() / width * neurons;
        // SAFETY: the tile's own rows of this part of the state.
        let to = unsafe { to.rows(start, length) };
        pack(values, width, to, neurons);
    }
}

//! The forward pass of a layer of ALIF neurons.

use super::super::{AlifArguments, AlifForward, Observe};
use super::buffer::TileRows;
use super::tile::{Layer, Tile, Tiles};
use super::{dims, tensor};
use crate::kernel::CHUNK;
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
    /// The state before every chunk, `[chunks, 3, B, H]`.
    trace: Option<TileRows<'a>>,
    /// The state after the last step.
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
            layer: Layer::new(arguments, neurons, false),
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

/// All steps of one tile.
fn run_tile(pass: &Pass<'_>, tile: usize) {
    let Tiles { steps, batch, .. } = pass.tiles;
    let neurons = pass.layer.neurons.neurons;
    let mut tile = Tile::new(&pass.layer, pass.tiles.range(tile));
    tile.load(pass.initial, batch);
    for (chunk, start) in (0..steps).step_by(CHUNK).enumerate() {
        let length = CHUNK.min(steps - start);
        if let Some(trace) = &pass.trace {
            tile.store(trace, chunk, batch);
        }
        tile.run(&pass.layer, pass.current, batch, start, length);
        for k in 0..length {
            let (at, size) = (((start + k) * batch + tile.first) * neurons, tile.rows * neurons);
            if let Some(out) = &pass.spikes {
                // SAFETY: the tile's rows of step `start + k`, which are its alone.
                tile.spikes(k + 1, unsafe { out.rows(at, size) });
            }
            if let Some(out) = &pass.membrane {
                // SAFETY: as above.
                tile.membrane(k + 1, unsafe { out.rows(at, size) });
            }
        }
        tile.rewind(length);
    }
    tile.store(&pass.state, 0, batch);
}

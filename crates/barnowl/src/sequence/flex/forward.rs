//! The forward pass of a layer of neurons that spike.

use super::super::Observe;
use super::buffer::TileRows;
use super::tile::{Layer, Tile, Tiles};
use barnowl_engine::CHUNK;
use rayon::prelude::*;

/// Everything that the tiles share.
struct Pass<'a> {
    layer: &'a Layer<'a>,
    tiles: Tiles,
    current: &'a [f32],
    initial: &'a [f32],
    spikes: Option<TileRows<'a>>,
    membrane: Option<TileRows<'a>>,
    /// The state before every chunk, `[chunks, planes, B, H]`.
    trace: Option<TileRows<'a>>,
    /// The state after the last step.
    state: TileRows<'a>,
}

/// What a forward pass gives.
pub(super) struct Forward {
    /// What is observed, `[T, B, H]`, or both, the spikes first.
    pub(super) output: Vec<f32>,
    /// The state after the last step, `[planes, B, H]`.
    pub(super) state: Vec<f32>,
    /// The state before every chunk, `[chunks, planes, B, H]`, if asked for.
    pub(super) trace: Option<Vec<f32>>,
}

/// Runs a layer over all steps of the current `[T, B, H]` from a state `[planes, B, H]`.
pub(super) fn run(
    layer: &Layer<'_>,
    [steps, batch]: [usize; 2],
    current: &[f32],
    initial: &[f32],
    observe: Observe,
    trace: bool,
) -> Forward {
    let size = current.len();
    let tiles = Tiles::new(steps, batch);
    let both = usize::from(observe == Observe::Both);
    let mut output = vec![0.0; size * (1 + both)];
    let mut trace = trace.then(|| vec![0.0; steps.div_ceil(CHUNK) * initial.len()]);
    let mut state = vec![0.0; initial.len()];
    {
        let (first, second) = output.split_at_mut(size);
        let (spikes, membrane) = match observe {
            Observe::Spikes => (Some(TileRows::new(first)), None),
            Observe::Membrane => (None, Some(TileRows::new(first))),
            Observe::Both => (Some(TileRows::new(first)), Some(TileRows::new(second))),
        };
        let pass = Pass {
            layer,
            tiles,
            current,
            initial,
            spikes,
            membrane,
            trace: trace.as_deref_mut().map(TileRows::new),
            state: TileRows::new(&mut state),
        };
        (0..tiles.count()).into_par_iter().for_each(|tile| run_tile(&pass, tile));
    }
    Forward { output, state, trace }
}

/// All steps of one tile.
fn run_tile(pass: &Pass<'_>, tile: usize) {
    let Tiles { steps, batch, .. } = pass.tiles;
    let neurons = pass.layer.neurons.shape().neurons;
    let mut tile = Tile::new(pass.layer, pass.tiles.range(tile));
    tile.load(pass.initial, batch);
    for (chunk, start) in (0..steps).step_by(CHUNK).enumerate() {
        let length = CHUNK.min(steps - start);
        if let Some(trace) = &pass.trace {
            tile.store(trace, chunk, batch);
        }
        tile.run(pass.layer, pass.current, batch, start, length);
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

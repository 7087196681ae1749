//! The backward pass of a layer of neurons that spike.
//!
//! Each tile walks back over chunks of time: it runs a chunk forward again from the state saved before it (the same
//! code, hence the same bits), and then backward, so that the trace in memory is one state a chunk.

use super::super::Observe;
use super::buffer::TileRows;
use super::tile::{Layer, Tile, Tiles, pad, unpad};
use barnowl_engine::CHUNK;
use barnowl_engine::floats::Floats;
use barnowl_engine::gather::add_gradient;
use barnowl_engine::neurons::{Backward, Carry, Shape, Sums};
use barnowl_engine::simd::LANES;
use barnowl_engine::spikes::Entries;
use barnowl_neuron::Surrogate;
use rayon::prelude::*;

/// Everything that the tiles share.
struct Pass<'a> {
    layer: &'a Layer<'a>,
    surrogate: Surrogate,
    tiles: Tiles,
    current: &'a [f32],
    trace: &'a [f32],
    spikes_gradient: Option<&'a [f32]>,
    membrane_gradient: Option<&'a [f32]>,
    current_gradient: TileRows<'a>,
    initial_gradient: TileRows<'a>,
}

/// What a pass over a layer was given on its way forward.
pub(super) struct Given<'a> {
    /// T and B.
    pub(super) shape: [usize; 2],
    /// `[T, B, H]`.
    pub(super) current: &'a [f32],
    /// What the forward pass left.
    pub(super) trace: &'a [f32],
    /// What was observed, and its gradient.
    pub(super) observe: Observe,
    pub(super) gradient: &'a [f32],
}

/// The gradients of a layer.
pub(super) struct Found {
    /// `[T, B, H]`.
    pub(super) current: Vec<f32>,
    /// `[H, H]`.
    pub(super) recurrent: Option<Vec<f32>>,
    /// Of the constants.
    pub(super) sums: Sums,
    /// Of the state before the first step, `[planes, B, H]`.
    pub(super) initial: Vec<f32>,
}

/// Runs a layer backward over all steps.
pub(super) fn run(layer: &Layer<'_>, surrogate: Surrogate, given: &Given<'_>) -> Found {
    let [steps, batch] = given.shape;
    let size = given.current.len();
    let tiles = Tiles::new(steps, batch);
    let (spikes_gradient, membrane_gradient) = match given.observe {
        Observe::Spikes => (Some(given.gradient), None),
        Observe::Membrane => (None, Some(given.gradient)),
        Observe::Both => (Some(&given.gradient[..size]), Some(&given.gradient[size..])),
    };
    let shape = layer.neurons.shape();
    let Shape { neurons, width, .. } = shape;
    let mut current = vec![0.0; size];
    let mut initial = vec![0.0; shape.planes() * batch * neurons];
    let pass = Pass {
        layer,
        surrogate,
        tiles,
        current: given.current,
        trace: given.trace,
        spikes_gradient,
        membrane_gradient,
        current_gradient: TileRows::new(&mut current),
        initial_gradient: TileRows::new(&mut initial),
    };
    let found: Vec<(Sums, Floats)> =
        (0..tiles.count()).into_par_iter().map(|tile| run_tile(&pass, tile)).collect();

    // In the order of the tiles, so that the result does not depend on the number of threads.
    let mut sums = Sums::default();
    sums.reset(shape);
    found.iter().for_each(|(part, _)| sums.add(part));
    let recurrent = layer.recurrent.is_some().then(|| {
        let mut rows = vec![0.0; neurons * neurons];
        rows.par_chunks_exact_mut(neurons).enumerate().for_each(|(j, row)| {
            for (_, recurrent) in &found {
                let part = &recurrent[j * width..j * width + neurons];
                row.iter_mut().zip(part).for_each(|(total, part)| *total += part);
            }
        });
        rows
    });
    Found { current, recurrent, sums, initial }
}

/// All steps of one tile, backward: its sums, and the gradient of its recurrent weights `[neurons, width]`.
fn run_tile(pass: &Pass<'_>, tile: usize) -> (Sums, Floats) {
    let Layer { neurons: layer, recurrent } = pass.layer;
    let shape = layer.shape();
    let Shape { neurons, width, .. } = shape;
    let Tiles { steps, batch, .. } = pass.tiles;
    let mut tile = Tile::new(pass.layer, pass.tiles.range(tile));
    let (first, rows) = (tile.first, tile.rows);
    let span = rows * width;

    let (mut sums, mut carry) = (Sums::default(), Carry::default());
    sums.reset(shape);
    carry.reset(shape, rows);
    let weights = if recurrent.is_some() { neurons * width } else { 0 };
    let mut recurrent_gradient = Floats::zeros(weights);
    let mut entries = Entries::default();
    let mut given = [pass.spikes_gradient, pass.membrane_gradient]
        .map(|given| given.map(|given| (given, Floats::zeros(CHUNK * span))));
    let mut current_gradient = Floats::zeros(CHUNK * span);
    let mut scratch = Floats::default();

    for chunk in (0..steps.div_ceil(CHUNK)).rev() {
        let start = chunk * CHUNK;
        let length = CHUNK.min(steps - start);
        let size = shape.planes() * batch * neurons;
        tile.load(&pass.trace[chunk * size..(chunk + 1) * size], batch);
        let state = tile.state.clone();
        tile.run(pass.layer, pass.current, batch, start, length);
        let place = |k: usize| ((start + k) * batch + first) * neurons;
        for (from, to) in given.iter_mut().flatten() {
            for k in 0..length {
                let from = &from[place(k)..place(k) + rows * neurons];
                pad(from, neurons, &mut to[k * span..], width);
            }
        }
        let [spikes_gradient, membrane_gradient] =
            [&given[0], &given[1]].map(|given| given.as_ref().map(|(_, padded)| &padded[..]));
        layer.backward(
            recurrent.as_ref(),
            pass.surrogate,
            Backward {
                rows,
                steps: length,
                trace: &tile.trace,
                bits: &tile.bits,
                numbers: &[],
                state: &state,
                spikes_gradient,
                membrane_gradient,
                carry: &mut carry,
                current_gradient: &mut current_gradient,
                recurrent_gradient: &mut [],
                sums: &mut sums,
                scratch: &mut scratch,
            },
        );
        if recurrent.is_some() {
            let blocks = width / LANES;
            entries.fill(&tile.bits[..length * rows * blocks], blocks);
            add_gradient(&entries, false, &current_gradient, width, &mut recurrent_gradient);
        }
        for k in 0..length {
            // SAFETY: the tile's rows of step `start + k`, which are its alone.
            let out = unsafe { pass.current_gradient.rows(place(k), rows * neurons) };
            unpad(&current_gradient[k * span..], width, out, neurons);
        }
    }
    // That of the trace comes first; where it is no state, nothing comes after the others.
    let planes = shape.planes();
    for (part, g) in
        carry.state.chunks_exact(span).take(planes - 1).chain([&carry.s[..]]).enumerate()
    {
        // SAFETY: the tile's own rows of this part of the state.
        let out =
            unsafe { pass.initial_gradient.rows((part * batch + first) * neurons, rows * neurons) };
        unpad(g, width, out, neurons);
    }
    (sums, recurrent_gradient)
}

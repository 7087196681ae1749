//! The backward pass of a layer of ALIF neurons.
//!
//! Each tile walks back over chunks of time: it runs a chunk forward again from the state saved before it (the same
//! code, hence the same bits), and then backward, so that the trace in memory is one state a chunk.

use super::super::{AlifArguments, AlifGradients, Observe};
use super::buffer::TileRows;
use super::tile::{Layer, Tile, Tiles, pad, unpad};
use super::{dims, tensor};
use crate::kernel::CHUNK;
use crate::kernel::alif::{BackwardChunk, Carry, Sums, backward};
use crate::kernel::floats::Floats;
use crate::kernel::gather::add_gradient;
use crate::kernel::simd::LANES;
use crate::kernel::spikes::Entries;
use burn::backend::Flex;
use burn_flex::FlexTensor;
use rayon::prelude::*;

/// Everything that the tiles share.
struct Pass<'a> {
    arguments: &'a AlifArguments<Flex>,
    layer: Layer,
    tiles: Tiles,
    current: &'a [f32],
    trace: &'a [f32],
    spikes_gradient: Option<&'a [f32]>,
    membrane_gradient: Option<&'a [f32]>,
    current_gradient: TileRows<'a>,
    initial_gradient: TileRows<'a>,
}

/// Runs a layer backward over all steps.
pub(super) fn run(
    arguments: &AlifArguments<Flex>,
    trace: &FlexTensor,
    gradient: &FlexTensor,
) -> AlifGradients<Flex> {
    let [steps, batch, neurons] = dims(&arguments.current);
    let size = steps * batch * neurons;
    let tiles = Tiles::new(steps, batch);
    let (current, gradient) = (arguments.current.to_contiguous(), gradient.to_contiguous());
    let gradient: &[f32] = gradient.storage();
    let (spikes_gradient, membrane_gradient) = match arguments.options.observe {
        Observe::Spikes => (Some(gradient), None),
        Observe::Membrane => (None, Some(gradient)),
        Observe::Both => (Some(&gradient[..size]), Some(&gradient[size..])),
    };
    let mut current_gradient = vec![0.0; size];
    let mut initial_gradient = vec![0.0; 3 * batch * neurons];
    let pass = Pass {
        arguments,
        layer: Layer::new(arguments, neurons, true),
        tiles,
        current: current.storage(),
        trace: trace.storage(),
        spikes_gradient,
        membrane_gradient,
        current_gradient: TileRows::new(&mut current_gradient),
        initial_gradient: TileRows::new(&mut initial_gradient),
    };
    let found: Vec<(Sums, Floats)> =
        (0..tiles.count()).into_par_iter().map(|tile| run_tile(&pass, tile)).collect();

    // In the order of the tiles, so that the result does not depend on the number of threads.
    let width = pass.layer.neurons.width;
    let mut sums = Sums::default();
    sums.reset(width);
    found.iter().for_each(|(part, _)| sums.add(part));
    let recurrent = pass.layer.recurrent.is_some().then(|| {
        let mut rows = vec![0.0; neurons * neurons];
        rows.par_chunks_exact_mut(neurons).enumerate().for_each(|(j, row)| {
            for (_, recurrent) in &found {
                let part = &recurrent[j * width..j * width + neurons];
                row.iter_mut().zip(part).for_each(|(total, part)| *total += part);
            }
        });
        tensor(rows, [neurons, neurons])
    });
    let (tau_m, tau_adp) = (arguments.tau_m.to_contiguous(), arguments.tau_adp.to_contiguous());
    let (tau_m, tau_adp) =
        sums.tau_gradients(&pass.layer.neurons, tau_m.storage(), tau_adp.storage());
    AlifGradients {
        recurrent,
        tau_m: tensor(tau_m, [neurons]),
        tau_adp: tensor(tau_adp, [neurons]),
        current: tensor(current_gradient, [steps, batch, neurons]),
        initial: tensor(initial_gradient, [3, batch, neurons]),
    }
}

/// All steps of one tile, backward: its sums, and the gradient of its recurrent weights `[neurons, width]`.
fn run_tile(pass: &Pass<'_>, tile: usize) -> (Sums, Floats) {
    let Layer { neurons: constants, recurrent } = &pass.layer;
    let (neurons, width) = (constants.neurons, constants.width);
    let Tiles { steps, batch, .. } = pass.tiles;
    let mut tile = Tile::new(&pass.layer, pass.tiles.range(tile));
    let (first, rows) = (tile.first, tile.rows);
    let span = rows * width;

    let (mut sums, mut carry) = (Sums::default(), Carry::default());
    sums.reset(width);
    carry.reset(span);
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
        let size = 3 * batch * neurons;
        tile.load(&pass.trace[chunk * size..(chunk + 1) * size], batch);
        let b = tile.b.clone();
        tile.run(&pass.layer, pass.current, batch, start, length);
        let place = |k: usize| ((start + k) * batch + first) * neurons;
        for (from, to) in given.iter_mut().flatten() {
            for k in 0..length {
                let from = &from[place(k)..place(k) + rows * neurons];
                pad(from, neurons, &mut to[k * span..], width);
            }
        }
        let [spikes_gradient, membrane_gradient] =
            [&given[0], &given[1]].map(|given| given.as_ref().map(|(_, padded)| &padded[..]));
        backward(
            constants,
            pass.arguments.options.surrogate,
            recurrent.as_ref().map(|weights| &weights.transposed),
            BackwardChunk {
                rows,
                steps: length,
                u: &tile.u,
                bits: &tile.bits,
                b: &b,
                spikes_gradient,
                membrane_gradient,
                carry: &mut carry,
                current_gradient: &mut current_gradient,
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
    for (part, g) in [&carry.u, &carry.b, &carry.s].into_iter().enumerate() {
        // SAFETY: the tile's own rows of this part of the state.
        let out =
            unsafe { pass.initial_gradient.rows((part * batch + first) * neurons, rows * neurons) };
        unpad(g, width, out, neurons);
    }
    (sums, recurrent_gradient)
}

//! The backward pass of a layer of ALIF neurons.
//!
//! With every `t+1` term zero at the last step:
//!
//! ```text
//! gs_t = ∂L/∂s_t + W_recᵀ gI_{t+1} + (1−ρ) gb_{t+1} − θ_{t+1} gu_{t+1}
//! gv_t = gs_t ψ(v_t)        gu_t = ∂L/∂u_t + gv_t + α gu_{t+1}        gI_t = (1−α) R gu_t
//! gθ_t = −gv_t − s_{t−1} gu_t        gb_t = β gθ_t + ρ gb_{t+1}
//! dW_rec += gI_t s_{t−1}ᵀ    dα += gu_t (u_{t−1} − R I_t)    dρ += gb_t (b_{t−1} − s_{t−1})
//! dτ = dα · α / τ²
//! ```

use super::super::{AlifArguments, AlifGradients, Observe};
use super::alif::{CHUNK, Layer, Row, RowMut, Spikes, State, Tiles, gather, step_row};
use super::buffer::TileRows;
use super::dense::add_product;
use super::psi::{Psi, WithPsi, choose};
use super::simd::{Isa, LANES, blocks, blocks_mut, dispatch, for_each_block, pack};
use super::{dims, tensor};
use burn::backend::Flex;
use burn_flex::FlexTensor;
use rayon::prelude::*;
use std::ops::Range;

/// Everything that the tiles share.
struct Pass<'a> {
    layer: Layer,
    /// `[H, width]`, a row per postsynaptic neuron.
    transposed: Option<Vec<f32>>,
    tiles: Tiles,
    current: &'a [f32],
    trace: &'a [f32],
    spikes_gradient: Option<&'a [f32]>,
    membrane_gradient: Option<&'a [f32]>,
    current_gradient: TileRows<'a>,
    initial_gradient: TileRows<'a>,
}

/// The sums of a tile over its rows and all of time.
struct Sums {
    /// `[H, width]`, a row per presynaptic neuron.
    recurrent: Vec<f32>,
    /// `[width]`, in double precision: thousands of steps add up.
    alpha: Vec<f64>,
    rho: Vec<f64>,
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
    let layer = Layer::new(arguments, neurons);
    let width = layer.width;
    let transposed = layer.recurrent.as_ref().map(|rows| transpose(rows, neurons, width));

    let mut current_gradient = vec![0.0; size];
    let mut initial_gradient = vec![0.0; 3 * batch * neurons];
    let pass = Pass {
        layer,
        transposed,
        tiles,
        current: current.storage(),
        trace: trace.storage(),
        spikes_gradient,
        membrane_gradient,
        current_gradient: TileRows::new(&mut current_gradient),
        initial_gradient: TileRows::new(&mut initial_gradient),
    };
    let with = AllTiles(&pass);
    let sums = choose(arguments.options.surrogate, with);

    // In the order of the tiles, so that the result does not depend on the number of threads.
    let total = |part: fn(&Sums) -> &[f64]| {
        let mut total = vec![0.0; width];
        for sums in &sums {
            total.iter_mut().zip(part(sums)).for_each(|(total, part)| *total += part);
        }
        total
    };
    let tau_gradients = |tau: &FlexTensor, decay: Vec<f64>| {
        let tau = tau.to_contiguous();
        let values = tau.storage::<f32>().iter().zip(decay);
        tensor(values.map(|(&tau, decay)| tau_gradient(tau, decay)).collect(), [neurons])
    };
    let recurrent = pass.layer.recurrent.is_some().then(|| {
        let mut rows = vec![0.0; neurons * neurons];
        rows.par_chunks_exact_mut(neurons).enumerate().for_each(|(j, row)| {
            for sums in &sums {
                let part = &sums.recurrent[j * width..j * width + neurons];
                row.iter_mut().zip(part).for_each(|(total, part)| *total += part);
            }
        });
        tensor(rows, [neurons, neurons])
    });
    let (tau_m, tau_adp) = (total(|sums| &sums.alpha), total(|sums| &sums.rho));
    AlifGradients {
        recurrent,
        tau_m: tau_gradients(&arguments.tau_m, tau_m),
        tau_adp: tau_gradients(&arguments.tau_adp, tau_adp),
        current: tensor(current_gradient, [steps, batch, neurons]),
        initial: tensor(initial_gradient, [3, batch, neurons]),
    }
}

/// dτ = dα · α / τ², as dα · exp(−x) x² with x = 1/τ: 0 and not NaN for the fastest neurons.
pub(super) fn tau_gradient(tau: f32, decay_gradient: f64) -> f32 {
    let x = (1.0 / f64::from(tau)).min(1e3);
    (decay_gradient * (-x).exp() * x * x) as f32
}

/// `[H, width]` transposed.
fn transpose(rows: &[f32], neurons: usize, width: usize) -> Vec<f32> {
    let mut transposed = vec![0.0; neurons * width];
    for (i, row) in rows.chunks_exact(width).enumerate() {
        for (j, &value) in row[..neurons].iter().enumerate() {
            transposed[j * width + i] = value;
        }
    }
    transposed
}

/// Runs every tile with the ψ that was chosen.
struct AllTiles<'a, 'b>(&'a Pass<'b>);

impl WithPsi for AllTiles<'_, '_> {
    type Output = Vec<Sums>;

    fn call<P: Psi>(self, psi: P) -> Vec<Sums> {
        let tiles = (0..self.0.tiles.count()).into_par_iter();
        tiles.map(|tile| run_tile(self.0, tile, psi)).collect()
    }
}

dispatch! {
    /// All steps of one tile, backward.
    fn run_tile[P: Psi](pass: &Pass<'_>, tile: usize, psi: P) -> Sums = tile_kernel
}

/// Potentials of one chunk of time, recomputed: `[CHUNK + 1, rows, width]`, entry 0 the state before the chunk.
struct Replay {
    u: Vec<f32>,
    b: Vec<f32>,
    s: Vec<f32>,
    /// The whole input current, `[CHUNK, rows, width]`.
    current: Vec<f32>,
    /// Spike lists, `[CHUNK + 1, rows]`.
    spikes: Vec<Spikes>,
}

#[inline(always)]
fn tile_kernel<I: Isa, P: Psi>(isa: I, pass: &Pass<'_>, tile: usize, psi: P) -> Sums {
    let layer = &pass.layer;
    let (neurons, width) = (layer.neurons, layer.width);
    let Tiles { steps, batch, .. } = pass.tiles;
    let (first, rows) = pass.tiles.range(tile);
    let span = rows * width;
    // Step `t` of the chunk that starts at `start` is entry `t − start + 1`; entry 0 is the state before it.
    let mut replay = Replay {
        u: vec![0.0; (CHUNK + 1) * span],
        b: vec![0.0; (CHUNK + 1) * span],
        s: vec![0.0; (CHUNK + 1) * span],
        current: vec![0.0; CHUNK * span],
        spikes: vec![Spikes::new(width); (CHUNK + 1) * rows],
    };
    let mut state = State::new(rows, width);
    let mut sums = Sums {
        recurrent: vec![0.0; if layer.recurrent.is_some() { neurons * width } else { 0 }],
        alpha: vec![0.0; width],
        rho: vec![0.0; width],
    };
    let mut g = Carry {
        s: vec![0.0; span],
        u: vec![0.0; span],
        b: vec![0.0; span],
        current: vec![0.0; span],
    };

    for chunk in (0..steps.div_ceil(CHUNK)).rev() {
        let start = chunk * CHUNK;
        let length = CHUNK.min(steps - start);
        let size = 3 * batch * neurons;
        state.load(layer, &pass.trace[chunk * size..(chunk + 1) * size], batch, first);
        recompute(isa, pass, &state, &mut replay, start, length, (first, rows));

        let (mut alpha, mut rho) = (vec![0.0; width], vec![0.0; width]);
        for k in (0..length).rev() {
            let t = start + k;
            let place = (t * batch + first) * neurons;
            for row in 0..rows {
                let at = row * width..(row + 1) * width;
                let given = place + row * neurons;
                add(pass.spikes_gradient, given, neurons, &mut g.s[at.clone()]);
                add(pass.membrane_gradient, given, neurons, &mut g.u[at.clone()]);
                step_back(layer, psi, &replay, k * span, at.clone(), &mut g, &mut alpha, &mut rho);
                if layer.recurrent.is_some() {
                    let spikes = replay.spikes[k * rows + row].as_slice();
                    scatter(isa, spikes, &g.current[at], &mut sums.recurrent);
                }
            }
            // SAFETY: rows `first..first + rows` of step t, which are this tile's alone.
            let out = unsafe { pass.current_gradient.rows(place, rows * neurons) };
            pack(&g.current, width, out, neurons);
            if let Some(transposed) = &pass.transposed {
                add_product(isa, &g.current, transposed, width, rows, &mut g.s);
            }
        }
        let widen = |sums: &mut [f64], part: &[f32]| {
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += f64::from(*part));
        };
        widen(&mut sums.alpha, &alpha);
        widen(&mut sums.rho, &rho);
    }
    for (part, g) in [&g.u, &g.b, &g.s].into_iter().enumerate() {
        // SAFETY: the tile's own rows of this part of the state.
        let out =
            unsafe { pass.initial_gradient.rows((part * batch + first) * neurons, rows * neurons) };
        pack(g, width, out, neurons);
    }
    sums
}

/// What a step sends to the step before it, `[rows, width]` each; nothing at the end of the sequence.
struct Carry {
    /// W_recᵀ gI + (1−ρ) gb − θ gu
    s: Vec<f32>,
    /// α gu
    u: Vec<f32>,
    /// ρ gb
    b: Vec<f32>,
    /// gI of the step itself.
    current: Vec<f32>,
}

/// Runs a chunk forward again from the state before it: the same code as the forward pass, hence the same bits.
#[inline(always)]
fn recompute<I: Isa>(
    isa: I,
    pass: &Pass<'_>,
    state: &State,
    replay: &mut Replay,
    start: usize,
    length: usize,
    (first, rows): (usize, usize),
) {
    let layer = &pass.layer;
    let (neurons, width) = (layer.neurons, layer.width);
    let span = rows * width;
    replay.u[..span].copy_from_slice(&state.u);
    replay.b[..span].copy_from_slice(&state.b);
    replay.s[..span].copy_from_slice(&state.s);
    replay.spikes[..rows].clone_from_slice(&state.spikes);
    for k in 0..length {
        let place = ((start + k) * pass.tiles.batch + first) * neurons;
        let input = &pass.current[place..place + rows * neurons];
        let (u_before, u) = replay.u[k * span..(k + 2) * span].split_at_mut(span);
        let (b_before, b) = replay.b[k * span..(k + 2) * span].split_at_mut(span);
        let (s_before, s) = replay.s[k * span..(k + 2) * span].split_at_mut(span);
        let (before, after) = replay.spikes[k * rows..(k + 2) * rows].split_at_mut(rows);
        let current = &mut replay.current[k * span..(k + 1) * span];
        for (row, current) in current.chunks_exact_mut(width).enumerate() {
            for_each_block(input, row * neurons, neurons, |k, block| {
                blocks_mut(current)[k] = block;
            });
            if let Some(weights) = &layer.recurrent {
                gather(isa, weights, before[row].as_slice(), current);
            }
            let at = row * width..(row + 1) * width;
            let before = Row {
                u: &u_before[at.clone()],
                b: &b_before[at.clone()],
                s: &s_before[at.clone()],
            };
            let after = RowMut {
                u: &mut u[at.clone()],
                b: &mut b[at.clone()],
                s: &mut s[at],
                spikes: &mut after[row],
            };
            step_row(layer, current, &before, after);
        }
    }
}

/// Adds a row of a packed `[.., neurons]` gradient to a padded one, if it is given.
#[inline(always)]
fn add(given: Option<&[f32]>, start: usize, neurons: usize, to: &mut [f32]) {
    if let Some(given) = given {
        for_each_block(given, start, neurons, |k, block| {
            let to = &mut blocks_mut(to)[k];
            for i in 0..LANES {
                to[i] += block[i];
            }
        });
    }
}

/// One step of one row, backward: the carry of step t+1 (with ∂L/∂s_t and ∂L/∂u_t added) becomes that of step t.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "one kernel, called once")]
fn step_back<P: Psi>(
    layer: &Layer,
    psi: P,
    replay: &Replay,
    before: usize,
    row: Range<usize>,
    g: &mut Carry,
    alpha_sum: &mut [f32],
    rho_sum: &mut [f32],
) {
    let (b0, beta) = (layer.threshold.b0, layer.threshold.beta);
    let resistance = layer.threshold.resistance;
    let span = replay.current.len() / CHUNK;
    let count = layer.width / LANES;
    let before = before + row.start..before + row.end;
    let now = before.start + span..before.end + span;
    let u = &blocks(&replay.u[now.clone()])[..count];
    let b = &blocks(&replay.b[now])[..count];
    let u_before = &blocks(&replay.u[before.clone()])[..count];
    let b_before = &blocks(&replay.b[before.clone()])[..count];
    let s_before = &blocks(&replay.s[before.clone()])[..count];
    let current = &blocks(&replay.current[before])[..count];
    let alpha = &blocks(&layer.alpha)[..count];
    let leak = &blocks(&layer.leak)[..count];
    let rho = &blocks(&layer.rho)[..count];
    let gain = &blocks(&layer.gain)[..count];
    let gs = &mut blocks_mut(&mut g.s[row.clone()])[..count];
    let gu = &mut blocks_mut(&mut g.u[row.clone()])[..count];
    let gb = &mut blocks_mut(&mut g.b[row.clone()])[..count];
    let gi = &mut blocks_mut(&mut g.current[row])[..count];
    let alpha_sum = &mut blocks_mut(alpha_sum)[..count];
    let rho_sum = &mut blocks_mut(rho_sum)[..count];
    for k in 0..count {
        for i in 0..LANES {
            let theta = b0 + beta * b[k][i];
            let gv = gs[k][i] * psi.psi(u[k][i] - theta);
            let gu_now = gu[k][i] + gv;
            let gtheta = -gv - s_before[k][i] * gu_now;
            let gb_now = beta * gtheta + gb[k][i];
            gi[k][i] = leak[k][i] * resistance * gu_now;
            alpha_sum[k][i] += gu_now * (u_before[k][i] - resistance * current[k][i]);
            rho_sum[k][i] += gb_now * (b_before[k][i] - s_before[k][i]);
            gs[k][i] = gain[k][i] * gb_now - theta * gu_now;
            gu[k][i] = alpha[k][i] * gu_now;
            gb[k][i] = rho[k][i] * gb_now;
        }
    }
}

/// `dW_j += gI` for every neuron j that spiked one step before.
#[inline(always)]
fn scatter<I: Isa>(isa: I, spikes: &[u16], g: &[f32], weights: &mut [f32]) {
    let width = g.len();
    for &j in spikes {
        let start = usize::from(j) * width;
        let row = blocks_mut(&mut weights[start..start + width]);
        for (weights, g) in row.iter_mut().zip(blocks(g)) {
            isa.store(isa.add(isa.load(weights), isa.load(g)), weights);
        }
    }
}

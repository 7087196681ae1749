//! Sparse products: sums of the rows that a list names.
//!
//! Forward, `I += Σ_j W_j` over the neurons j that spiked; for a weight gradient, `dW_j += Σ_e g_e` over the entries e
//! at which neuron j spiked. Either way up to 16 blocks of the sum stay in registers while the list is read once.

use super::alif::EventRows;
use super::simd::{Isa, LANES, Lanes, blocks, blocks_mut, dispatch};
use super::spikes::{ByNeuron, Lists};
use crate::dataset::Events;

const NEGATIVE: u16 = Events::NEGATIVE;

/// Adds to `sum` the blocks `column..column + V` of the rows that `list` names.
#[inline(always)]
pub(crate) fn add_rows<I: Isa, const V: usize>(
    isa: I,
    rows: &[Lanes],
    stride: usize,
    column: usize,
    list: &[u16],
    sum: &mut [I::Block; V],
) {
    for &j in list {
        let row = &rows[usize::from(j) * stride + column..][..V];
        for v in 0..V {
            sum[v] = isa.add(sum[v], isa.load(&row[v]));
        }
    }
}

/// The same for events, whose rows are subtracted where they are negative.
#[inline(always)]
pub(crate) fn add_signed_rows<I: Isa, const V: usize>(
    isa: I,
    rows: &[Lanes],
    stride: usize,
    column: usize,
    list: &[u16],
    sum: &mut [I::Block; V],
) {
    for &event in list {
        let row = &rows[usize::from(event & !NEGATIVE) * stride + column..][..V];
        // A product by ±1 is exact, so this is an addition or a subtraction without a branch.
        let sign = isa.splat(if event & NEGATIVE == 0 { 1.0 } else { -1.0 });
        for v in 0..V {
            sum[v] = isa.mul_add(sign, isa.load(&row[v]), sum[v]);
        }
    }
}

/// Runs `$body` for groups of blocks that fit the registers: `$v` blocks from `$column` on, `$v` a constant.
macro_rules! for_column_groups {
    ($isa:ty, $count:expr, |$column:ident, $v:ident| $body:expr) => {{
        let count: usize = $count;
        let mut $column = 0;
        macro_rules! take {
            ($n:literal) => {{
                const $v: usize = $n;
                $body;
                $column += $n;
            }};
        }
        if <$isa>::REGISTERS == 1 {
            while count - $column >= 16 {
                take!(16);
            }
            if count - $column >= 8 {
                take!(8);
            }
        }
        while count - $column >= 4 {
            take!(4);
        }
        match count - $column {
            3 => take!(3),
            2 => take!(2),
            1 => take!(1),
            _ => {}
        }
        debug_assert_eq!($column, count);
    }};
}
pub(crate) use for_column_groups;

/// `current[e] = bias + Σ_j W_j` over the neurons that spiked at entry `first + e` of `lists`; `current` `[entries,
/// width]`.
pub(crate) fn drive(
    bias: &[f32],
    weights: &[f32],
    lists: &Lists,
    first: usize,
    current: &mut [f32],
) {
    run_drive(bias, weights, lists, first, current);
}

dispatch! {
    fn run_drive(bias: &[f32], weights: &[f32], lists: &Lists, first: usize, current: &mut [f32]) = drive_kernel
}

#[inline(always)]
fn drive_kernel<I: Isa>(
    isa: I,
    bias: &[f32],
    weights: &[f32],
    lists: &Lists,
    first: usize,
    current: &mut [f32],
) {
    let stride = bias.len() / LANES;
    let (bias, weights) = (blocks(bias), blocks(weights));
    for (entry, current) in blocks_mut(current).chunks_exact_mut(stride).enumerate() {
        let list = lists.entry(first + entry);
        for_column_groups!(I, stride, |column, V| {
            let mut sum: [I::Block; V] = std::array::from_fn(|v| isa.load(&bias[column + v]));
            add_rows::<I, V>(isa, weights, stride, column, list, &mut sum);
            for v in 0..V {
                isa.store(sum[v], &mut current[column + v]);
            }
        });
    }
}

/// `weights[j] += Σ g[e]` over the entries `e` at which presynaptic neuron j spiked one step before.
///
/// `g` is `[entries, width]`, `weights` `[neurons, width]`.
pub(crate) fn add_recurrent_gradient(
    spikes: &ByNeuron,
    g: &[f32],
    width: usize,
    weights: &mut [f32],
) {
    add_gradient(spikes, true, 0, g, width, weights);
}

/// `weights[j] += Σ g[e]` over the entries `e` at which neuron j of the layer below, with `rows` entries a step, spiked.
pub(crate) fn add_input_gradient(
    spikes: &ByNeuron,
    rows: usize,
    g: &[f32],
    width: usize,
    weights: &mut [f32],
) {
    add_gradient(spikes, false, rows, g, width, weights);
}

dispatch! {
    fn add_gradient(spikes: &ByNeuron, before: bool, offset: usize, g: &[f32], width: usize, weights: &mut [f32]) = add_gradient_kernel
}

#[inline(always)]
fn add_gradient_kernel<I: Isa>(
    isa: I,
    spikes: &ByNeuron,
    before: bool,
    offset: usize,
    g: &[f32],
    width: usize,
    weights: &mut [f32],
) {
    let stride = width / LANES;
    let g = blocks(g);
    for (j, row) in weights.chunks_exact_mut(width).enumerate() {
        let list = if before { spikes.step_before(j) } else { spikes.same_step(j) };
        let row = blocks_mut(row);
        for_column_groups!(I, stride, |column, V| {
            let row = &mut row[column..][..V];
            let mut sum: [I::Block; V] = std::array::from_fn(|v| isa.load(&row[v]));
            for &e in list {
                let g = &g[(usize::from(e) - offset) * stride + column..][..V];
                for v in 0..V {
                    sum[v] = isa.add(sum[v], isa.load(&g[v]));
                }
            }
            for v in 0..V {
                isa.store(sum[v], &mut row[v]);
            }
        });
    }
}

/// `weights[c] ± g[e]` for every event of every entry of a chunk; `g` `[steps, rows, width]`.
///
/// Added event by event: in a chunk, few channels have more than one or two.
pub(crate) fn add_event_gradient(
    events: EventRows<'_>,
    [steps, rows]: [usize; 2],
    g: &[f32],
    width: usize,
    weights: &mut [f32],
) {
    add_events(events, steps, rows, g, width, weights);
}

dispatch! {
    fn add_events(events: EventRows<'_>, steps: usize, rows: usize, g: &[f32], width: usize, weights: &mut [f32]) = add_events_kernel
}

#[inline(always)]
fn add_events_kernel<I: Isa>(
    isa: I,
    events: EventRows<'_>,
    steps: usize,
    rows: usize,
    g: &[f32],
    width: usize,
    weights: &mut [f32],
) {
    let (stride, g, weights) = (width / LANES, blocks(g), blocks_mut(weights));
    for k in 0..steps {
        for row in 0..rows {
            let g = &g[(k * rows + row) * stride..][..stride];
            for &event in events.entry(k, row) {
                let weights = &mut weights[usize::from(event & !NEGATIVE) * stride..][..stride];
                let sign = isa.splat(if event & NEGATIVE == 0 { 1.0 } else { -1.0 });
                for (weights, g) in weights.iter_mut().zip(g) {
                    isa.store(isa.mul_add(sign, isa.load(g), isa.load(weights)), weights);
                }
            }
        }
    }
}

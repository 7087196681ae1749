//! Sparse products: sums of the rows that a list names.
//!
//! Forward, `I += Σ_j W_j` over the neurons j that spiked; for a weight gradient, `dW_j += Σ_e g_e` over the entries e
//! at which neuron j spiked. Either way the sum stays in registers while the list is read.

use super::events::EventRows;
use super::product::add_product;
use super::simd::{Flag, Isa, LANES, Lanes, Off, On, blocks, blocks_mut, dispatch};
use super::spikes::{Entries, Lists};
use super::weights::{Weights, groups};
use super::{CHUNK, ROWS};
use crate::events::Events;

const NEGATIVE: u16 = Events::NEGATIVE;

/// `sum` and the blocks `column..column + V` of the rows that `list` names.
///
/// By value: sums behind a reference would be stored at every turn.
#[inline(always)]
pub fn add_rows<I: Isa, const V: usize>(
    isa: I,
    rows: &[Lanes],
    stride: usize,
    column: usize,
    list: &[u16],
    mut sum: [I::Block; V],
) -> [I::Block; V] {
    for &j in list {
        let row = &rows[usize::from(j) * stride + column..][..V];
        for v in 0..V {
            sum[v] = isa.add(sum[v], isa.load(&row[v]));
        }
    }
    sum
}

/// The same for events, whose rows are subtracted where they are negative.
#[inline(always)]
fn add_signed_rows<I: Isa, const V: usize>(
    isa: I,
    rows: &[Lanes],
    stride: usize,
    column: usize,
    list: &[u16],
    mut sum: [I::Block; V],
) -> [I::Block; V] {
    for &event in list {
        let row = &rows[usize::from(event & !NEGATIVE) * stride + column..][..V];
        // A product by ±1 is exact, so this is an addition or a subtraction without a branch.
        let sign = isa.splat(if event & NEGATIVE == 0 { 1.0 } else { -1.0 });
        for v in 0..V {
            sum[v] = isa.mul_add(sign, isa.load(&row[v]), sum[v]);
        }
    }
    sum
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
            while count - $column >= 8 {
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

/// Which rows of the weights an entry of a chunk adds up.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// Those of the neurons of the layer below that spiked; its lists of the chunk start at `first`.
    Spikes {
        /// Of the layer below.
        lists: &'a Lists,
        /// The list of the chunk's first entry.
        first: usize,
    },
    /// Those of the input channels that have an event.
    Events(EventRows<'a>),
    /// All, times real-valued inputs `[steps, rows, inputs]`.
    Real(&'a [f32]),
}

/// `current[k, row] = bias + Σ_j W_j` over the rows that `source` names; `current` `[steps, rows, width]`.
///
/// All entries of a chunk before their neurons run, one [group](Weights::group) of columns after the other.
pub fn drive(
    bias: &[f32],
    weights: &Weights,
    source: Source<'_>,
    rows: usize,
    current: &mut [f32],
) {
    match source {
        Source::Real(x) => {
            let entries = current.chunks_exact_mut(bias.len());
            entries.for_each(|entry| entry.copy_from_slice(bias));
            let inputs = weights.rows.len() / bias.len();
            add_product(x, inputs, &weights.panels, current, bias.len());
        }
        Source::Spikes { lists, first } => {
            let list = |entry| lists.entry(first + entry);
            run_drive(bias, weights, list, Off, current);
        }
        Source::Events(events) => {
            let list = |entry| events.entry(entry / rows, entry % rows);
            run_drive(bias, weights, list, On, current);
        }
    }
}

dispatch! {
    fn run_drive['a, S: Flag](bias: &[f32], weights: &Weights, list: impl Fn(usize) -> &'a [u16], signed: S, current: &mut [f32]) = drive_kernel
}

#[inline(always)]
fn drive_kernel<'a, I: Isa, S: Flag>(
    isa: I,
    bias: &[f32],
    weights: &Weights,
    list: impl Fn(usize) -> &'a [u16],
    _: S,
    current: &mut [f32],
) {
    let stride = bias.len() / LANES;
    let inputs = weights.rows.len() / bias.len();
    let (bias, current) = (blocks(bias), blocks_mut(current));
    for (first, size) in groups(stride, weights.group) {
        let weights = &blocks(&weights.rows)[first * inputs..(first + size) * inputs];
        for (entry, current) in current.chunks_exact_mut(stride).enumerate() {
            let list = list(entry);
            for_column_groups!(I, size, |column, V| {
                let mut sum = [isa.splat(0.0); V];
                for v in 0..V {
                    sum[v] = isa.load(&bias[first + column + v]);
                }
                let sum = if S::ON {
                    add_signed_rows::<I, V>(isa, weights, size, column, list, sum)
                } else {
                    add_rows::<I, V>(isa, weights, size, column, list, sum)
                };
                for v in 0..V {
                    isa.store(sum[v], &mut current[first + column + v]);
                }
            });
        }
    }
}

/// `weights[j] ± Σ g[e]` over the entries `e` of neuron (or channel) j; `g` is `[entries, width]`, `weights` `[neurons,
/// width]`.
pub fn add_gradient(
    entries: &Entries,
    negative: bool,
    g: &[f32],
    width: usize,
    weights: &mut [f32],
) {
    if negative {
        gradient(entries, On, g, width, weights);
    } else {
        gradient(entries, Off, g, width, weights);
    }
}

dispatch! {
    fn gradient[N: Flag](entries: &Entries, negative: N, g: &[f32], width: usize, weights: &mut [f32]) = gradient_kernel
}

/// Blocks of columns that are summed at a time: those of a whole chunk fill the nearest cache, 32 KiB.
const COLUMNS: usize = 4;

/// Those blocks, each a cache line.
#[repr(align(64))]
struct Panel([Lanes; COLUMNS * CHUNK * ROWS]);

#[inline(always)]
fn gradient_kernel<I: Isa, N: Flag>(
    isa: I,
    entries: &Entries,
    _: N,
    g: &[f32],
    width: usize,
    weights: &mut [f32],
) {
    let stride = width / LANES;
    let mut panel = Panel([[0.0; LANES]; COLUMNS * CHUNK * ROWS]);
    let panel = &mut panel.0;
    let (g, weights) = (blocks(g), blocks_mut(weights));
    let mut column = 0;
    while column < stride {
        let (g, weights) = (&g[column..], &mut weights[column..]);
        column += match stride - column {
            4.. => columns::<I, N, 4>(isa, entries, g, stride, panel, weights),
            3 => columns::<I, N, 3>(isa, entries, g, stride, panel, weights),
            2 => columns::<I, N, 2>(isa, entries, g, stride, panel, weights),
            _ => columns::<I, N, 1>(isa, entries, g, stride, panel, weights),
        };
    }
}

/// `V` blocks of columns; returns `V`. The columns are copied side by side first: rows a power of two apart would keep
/// pushing each other out of the cache.
#[inline(always)]
fn columns<I: Isa, N: Flag, const V: usize>(
    isa: I,
    entries: &Entries,
    g: &[Lanes],
    stride: usize,
    panel: &mut [Lanes],
    weights: &mut [Lanes],
) -> usize {
    for (to, from) in panel.chunks_exact_mut(V).zip(g.chunks(stride)) {
        for v in 0..V {
            isa.store(isa.load(&from[v]), &mut to[v]);
        }
    }
    for (j, row) in weights.chunks_mut(stride).enumerate() {
        let [mut low, mut high] = entries.of(j);
        if low | high == 0 {
            continue;
        }
        let row = &mut row[..V];
        let mut sum = [isa.splat(0.0); V];
        for v in 0..V {
            sum[v] = isa.load(&row[v]);
        }
        // One loop over both words: its end is the one branch that the processor can't foresee.
        while low | high != 0 {
            let entry = match low {
                0 => 64 + high.trailing_zeros(),
                _ => low.trailing_zeros(),
            } as usize;
            (low, high) = match low {
                0 => (0, high & (high - 1)),
                _ => (low & (low - 1), high),
            };
            let g = &panel[V * entry..][..V];
            for v in 0..V {
                let g = isa.load(&g[v]);
                sum[v] = if N::ON { isa.sub(sum[v], g) } else { isa.add(sum[v], g) };
            }
        }
        for v in 0..V {
            isa.store(sum[v], &mut row[v]);
        }
    }
    V
}

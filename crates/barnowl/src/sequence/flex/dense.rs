//! The one dense product of the backward step: `gs += gI Wᵀ` for the rows of a tile.
//!
//! Too thin for a general matrix product (8 rows), and called once per step: the accumulators of all rows and up to
//! three blocks of columns stay in registers, each weight is loaded once per tile and step.

use super::simd::{Isa, LANES, blocks, blocks_mut};

/// `out[r, j] += Σ_i x[r, i] · weights[i, j]` for `rows` rows; `x` and `out` are `[rows, width]`, `weights` `[H, width]`.
#[inline(always)]
pub(super) fn add_product<I: Isa>(
    isa: I,
    x: &[f32],
    weights: &[f32],
    width: usize,
    rows: usize,
    out: &mut [f32],
) {
    let mut row = 0;
    while row < rows {
        let (x, out) = (&x[row * width..], &mut out[row * width..]);
        // 32 registers hold 8 rows of 3 blocks; with 16 narrower ones, 4 rows of 1 block.
        let wide = I::REGISTERS == 1;
        row += match rows - row {
            8.. if wide => columns::<I, 8, 3>(isa, x, weights, width, out),
            4.. if wide => columns::<I, 4, 3>(isa, x, weights, width, out),
            4.. => columns::<I, 4, 1>(isa, x, weights, width, out),
            2.. => columns::<I, 2, 2>(isa, x, weights, width, out),
            _ => columns::<I, 1, 4>(isa, x, weights, width, out),
        };
    }
}

/// All columns of `R` rows, `V` blocks at a time and the rest one by one; returns `R`.
#[inline(always)]
fn columns<I: Isa, const R: usize, const V: usize>(
    isa: I,
    x: &[f32],
    weights: &[f32],
    width: usize,
    out: &mut [f32],
) -> usize {
    let mut column = 0;
    while column + V * LANES <= width {
        block::<I, R, V>(isa, x, weights, width, column, out);
        column += V * LANES;
    }
    while column < width {
        block::<I, R, 1>(isa, x, weights, width, column, out);
        column += LANES;
    }
    R
}

#[inline(always)]
fn block<I: Isa, const R: usize, const V: usize>(
    isa: I,
    x: &[f32],
    weights: &[f32],
    width: usize,
    column: usize,
    out: &mut [f32],
) {
    let mut sum = [[isa.splat(0.0); V]; R];
    for (i, weights) in weights.chunks_exact(width).enumerate() {
        let weights = &blocks(&weights[column..column + V * LANES])[..V];
        for r in 0..R {
            let x = isa.splat(x[r * width + i]);
            for v in 0..V {
                sum[r][v] = isa.mul_add(x, isa.load(&weights[v]), sum[r][v]);
            }
        }
    }
    for r in 0..R {
        let start = r * width + column;
        let out = &mut blocks_mut(&mut out[start..start + V * LANES])[..V];
        for v in 0..V {
            let total = isa.add(isa.load(&out[v]), sum[r][v]);
            isa.store(total, &mut out[v]);
        }
    }
}

//! Dense products: the gradient that flows back through weights, and real-valued inputs.
//!
//! Too thin for a general matrix product (8 rows at a time in the recurrence), and called once a step: the sums of 8
//! rows and 3 blocks of columns stay in registers, each weight is loaded once for 8 rows, and the weights lie in the
//! order in which they are read.

use super::floats::Floats;
use super::simd::{Flag, Isa, LANES, Lanes, Off, On, blocks, blocks_mut, dispatch};

/// A matrix `[inner, columns]` in panels: the columns of up to three blocks, for all of `inner` in turn.
#[derive(Debug, Default)]
pub struct Panels {
    inner: usize,
    values: Floats,
    /// First block and number of blocks of every panel.
    panels: Vec<(usize, usize)>,
}

impl Panels {
    /// Takes over the transpose of `rows`, which is `[columns, inner]`.
    pub fn set_transposed(&mut self, rows: &[f32], columns: usize, inner: usize) {
        self.layout(inner, columns.div_ceil(LANES));
        for &(first, count) in &self.panels {
            let wide = count * LANES;
            let values = &mut self.values[first * LANES * inner..(first + count) * LANES * inner];
            let valid = wide.min(columns - first * LANES);
            for (i, values) in values.chunks_exact_mut(wide).enumerate() {
                let from = rows[first * LANES * inner + i..].iter().step_by(inner);
                values[..valid].iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                values[valid..].fill(0.0);
            }
        }
    }

    /// Takes over `rows`, `[inner, columns]`.
    pub fn set(&mut self, rows: &[f32], inner: usize, columns: usize) {
        self.layout(inner, columns.div_ceil(LANES));
        for &(first, count) in &self.panels {
            let wide = count * LANES;
            let values = &mut self.values[first * LANES * inner..(first + count) * LANES * inner];
            let valid = first * LANES..columns.min(first * LANES + wide);
            for (values, row) in values.chunks_exact_mut(wide).zip(rows.chunks_exact(columns)) {
                let (to, padding) = values.split_at_mut(valid.len());
                to.copy_from_slice(&row[valid.clone()]);
                padding.fill(0.0);
            }
        }
    }

    /// Panels of three blocks; where one would be left over, the last four are two and two.
    fn layout(&mut self, inner: usize, count: usize) {
        self.inner = inner;
        self.values.resize(inner * count * LANES);
        self.panels.clear();
        let mut first = 0;
        while first < count {
            let size = match count - first {
                4 => 2,
                left => left.min(3),
            };
            self.panels.push((first, size));
            first += size;
        }
    }
}

/// `out[e] += x[e] · M` for every entry: `x` `[entries, x_stride]`, `out` `[entries, out_stride]`.
pub fn add_product(
    x: &[f32],
    x_stride: usize,
    matrix: &Panels,
    out: &mut [f32],
    out_stride: usize,
) {
    run(x, x_stride, matrix, On, out, out_stride);
}

/// `out[e] = x[e] · M`; as [`add_product`].
pub fn set_product(
    x: &[f32],
    x_stride: usize,
    matrix: &Panels,
    out: &mut [f32],
    out_stride: usize,
) {
    run(x, x_stride, matrix, Off, out, out_stride);
}

dispatch! {
    fn run[A: Flag](x: &[f32], x_stride: usize, matrix: &Panels, add: A, out: &mut [f32], out_stride: usize) = product_kernel
}

#[inline(always)]
fn product_kernel<I: Isa, A: Flag>(
    isa: I,
    x: &[f32],
    x_stride: usize,
    matrix: &Panels,
    _: A,
    out: &mut [f32],
    out_stride: usize,
) {
    let entries = out.len() / out_stride;
    assert!(x.len() >= entries * x_stride && matrix.inner <= x_stride);
    for &(first, count) in &matrix.panels {
        let start = first * LANES * matrix.inner;
        let panel = blocks(&matrix.values[start..start + count * LANES * matrix.inner]);
        let mut entry = 0;
        while entry < entries {
            let x = &x[entry * x_stride..];
            let out = &mut blocks_mut(&mut out[entry * out_stride..])[first..];
            let strides = (x_stride, out_stride / LANES);
            entry += match entries - entry {
                8.. if I::REGISTERS == 1 => {
                    panel_rows::<I, A, 8>(isa, x, panel, count, out, strides)
                }
                4.. => panel_rows::<I, A, 4>(isa, x, panel, count, out, strides),
                2.. => panel_rows::<I, A, 2>(isa, x, panel, count, out, strides),
                _ => panel_rows::<I, A, 1>(isa, x, panel, count, out, strides),
            };
        }
    }
}

/// One panel of `R` rows; returns `R`.
#[inline(always)]
fn panel_rows<I: Isa, A: Flag, const R: usize>(
    isa: I,
    x: &[f32],
    panel: &[Lanes],
    count: usize,
    out: &mut [Lanes],
    strides: (usize, usize),
) -> usize {
    match count {
        // 16 narrower registers hold the sums of 4 rows of one block only.
        _ if I::REGISTERS > 1 => {
            for v in 0..count {
                tile::<I, A, R, 1>(isa, x, &panel[v..], count, &mut out[v..], strides);
            }
        }
        3 => tile::<I, A, R, 3>(isa, x, panel, 3, out, strides),
        2 => tile::<I, A, R, 2>(isa, x, panel, 2, out, strides),
        _ => tile::<I, A, R, 1>(isa, x, panel, 1, out, strides),
    }
    R
}

#[inline(always)]
fn tile<I: Isa, A: Flag, const R: usize, const V: usize>(
    isa: I,
    x: &[f32],
    panel: &[Lanes],
    panel_stride: usize,
    out: &mut [Lanes],
    (x_stride, out_stride): (usize, usize),
) {
    let inner = panel.len().div_ceil(panel_stride);
    let x: [&[f32]; R] = std::array::from_fn(|r| &x[r * x_stride..][..inner]);
    let mut sum = [[isa.splat(0.0); V]; R];
    for (i, weights) in panel.chunks(panel_stride).enumerate() {
        let weights: [I::Block; V] = std::array::from_fn(|v| isa.load(&weights[v]));
        for r in 0..R {
            // SAFETY: `i < inner`, and each of the slices has `inner` values. The check would cost as much as the sum.
            let x = isa.splat(unsafe { *x[r].get_unchecked(i) });
            for v in 0..V {
                sum[r][v] = isa.mul_add(x, weights[v], sum[r][v]);
            }
        }
    }
    for r in 0..R {
        let out = &mut out[r * out_stride..][..V];
        for v in 0..V {
            let total = if A::ON { isa.add(isa.load(&out[v]), sum[r][v]) } else { sum[r][v] };
            isa.store(total, &mut out[v]);
        }
    }
}

/// `weights[c] += Σ_e x[e, c] g[e]` for every channel: `x` `[entries, channels]`, `g` `[entries, width]`, `weights`
/// `[channels, width]`.
pub fn add_outer(x: &[f32], channels: usize, g: &[f32], width: usize, weights: &mut [f32]) {
    outer(x, channels, g, width, weights);
}

dispatch! {
    fn outer(x: &[f32], channels: usize, g: &[f32], width: usize, weights: &mut [f32]) = outer_kernel
}

#[inline(always)]
fn outer_kernel<I: Isa>(
    isa: I,
    x: &[f32],
    channels: usize,
    g: &[f32],
    width: usize,
    weights: &mut [f32],
) {
    let stride = width / LANES;
    let (g, weights) = (blocks(g), blocks_mut(weights));
    let mut channel = 0;
    while channel < channels {
        let x = &x[channel..];
        let weights = &mut weights[channel * stride..];
        channel += match channels - channel {
            4.. => outer_channels::<I, 4>(isa, x, channels, g, stride, weights),
            _ => outer_channels::<I, 1>(isa, x, channels, g, stride, weights),
        };
    }
}

/// `R` channels; returns `R`.
#[inline(always)]
fn outer_channels<I: Isa, const R: usize>(
    isa: I,
    x: &[f32],
    channels: usize,
    g: &[Lanes],
    stride: usize,
    weights: &mut [Lanes],
) -> usize {
    let mut column = 0;
    while column < stride {
        let weights = &mut weights[column..];
        column += match stride - column {
            4.. if I::REGISTERS == 1 => {
                outer_tile::<I, R, 4>(isa, x, channels, &g[column..], stride, weights)
            }
            2.. => outer_tile::<I, R, 2>(isa, x, channels, &g[column..], stride, weights),
            _ => outer_tile::<I, R, 1>(isa, x, channels, &g[column..], stride, weights),
        };
    }
    R
}

#[inline(always)]
fn outer_tile<I: Isa, const R: usize, const V: usize>(
    isa: I,
    x: &[f32],
    channels: usize,
    g: &[Lanes],
    stride: usize,
    weights: &mut [Lanes],
) -> usize {
    let mut sum = [[isa.splat(0.0); V]; R];
    for (x, g) in x.chunks(channels).zip(g.chunks(stride)) {
        let (x, g) = (&x[..R], &g[..V]);
        for r in 0..R {
            let x = isa.splat(x[r]);
            for v in 0..V {
                sum[r][v] = isa.mul_add(x, isa.load(&g[v]), sum[r][v]);
            }
        }
    }
    for r in 0..R {
        let weights = &mut weights[r * stride..][..V];
        for v in 0..V {
            isa.store(isa.add(isa.load(&weights[v]), sum[r][v]), &mut weights[v]);
        }
    }
    V
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        (0..count as u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) ^ seed) as f32 / 4.3e9 - 0.5)
            .collect()
    }

    #[test]
    fn products_agree_with_the_definition() {
        for (entries, inner, width) in
            [(1, 3, 16), (5, 20, 64), (8, 36, 48), (13, 17, 112), (9, 40, 256)]
        {
            let (x, m) = (numbers(entries * inner, 1), numbers(inner * width, 2));
            let mut panels = Panels::default();
            panels.set(&m, inner, width);
            let mut out = numbers(entries * width, 3);
            let mut expected = out.clone();
            for e in 0..entries {
                for i in 0..inner {
                    for c in 0..width {
                        expected[e * width + c] += x[e * inner + i] * m[i * width + c];
                    }
                }
            }
            let before = out.clone();
            add_product(&x, inner, &panels, &mut out, width);
            let mut alone = vec![7.0; entries * width];
            set_product(&x, inner, &panels, &mut alone, width);
            let pairs = alone.iter().zip(&before).zip(&out);
            assert!(pairs.clone().all(|((product, before), sum)| *sum == before + product));
            let far = |(a, b): (&f32, &f32)| (a - b).abs() > 1e-5;
            assert!(!out.iter().zip(&expected).any(far), "{entries} {inner} {width}");

            // The same through the transpose of the transpose, 5 columns short of whole blocks.
            let columns = width - 5;
            let mut transposed = vec![0.0; columns * inner];
            for i in 0..inner {
                for c in 0..columns {
                    transposed[c * inner + i] = m[i * width + c];
                }
            }
            panels.set_transposed(&transposed, columns, inner);
            let mut again = numbers(entries * width, 3);
            add_product(&x, inner, &panels, &mut again, width);
            for e in 0..entries {
                let row = e * width..e * width + columns;
                assert_eq!(again[row.clone()], out[row]);
            }

            let mut weights = vec![0.0; inner * width];
            add_outer(&x, inner, &out, width, &mut weights);
            for i in 0..inner {
                for c in 0..width {
                    let expected: f32 =
                        (0..entries).map(|e| x[e * inner + i] * out[e * width + c]).sum();
                    assert!((weights[i * width + c] - expected).abs() < 1e-4);
                }
            }
        }
    }
}

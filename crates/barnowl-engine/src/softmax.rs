//! Softmax over the classes of every entry.

use super::simd::{Isa, LANES, blocks, blocks_mut, dispatch, exp};

/// Softmax of rows of `classes` values in `[entries, width]`, times `scale`, into `p` of the same shape, zero beyond
/// the classes; and the logarithm of every entry's sum of exponentials into `log_sum`, `[entries]`.
pub fn softmax(
    m: &[f32],
    width: usize,
    classes: usize,
    scale: f32,
    p: &mut [f32],
    log_sum: &mut [f32],
) {
    run(m, width, classes, scale, p, log_sum);
}

dispatch! {
    fn run(m: &[f32], width: usize, classes: usize, scale: f32, p: &mut [f32], log_sum: &mut [f32]) = kernel
}

#[inline(always)]
fn kernel<I: Isa>(
    isa: I,
    m: &[f32],
    width: usize,
    classes: usize,
    scale: f32,
    p: &mut [f32],
    log_sum: &mut [f32],
) {
    // Four entries side by side: each is a chain of steps that wait for each other.
    let mut entry = 0;
    while entry + 4 <= log_sum.len() {
        let at = entry * width..(entry + 4) * width;
        let log_sum = &mut log_sum[entry..entry + 4];
        entries::<I, 4>(isa, &m[at.clone()], width, classes, scale, &mut p[at], log_sum);
        entry += 4;
    }
    for entry in entry..log_sum.len() {
        let at = entry * width..(entry + 1) * width;
        let log_sum = &mut log_sum[entry..=entry];
        entries::<I, 1>(isa, &m[at.clone()], width, classes, scale, &mut p[at], log_sum);
    }
}

/// `N` entries.
#[inline(always)]
fn entries<I: Isa, const N: usize>(
    isa: I,
    m: &[f32],
    width: usize,
    classes: usize,
    scale: f32,
    p: &mut [f32],
    log_sum: &mut [f32],
) {
    let stride = width / LANES;
    let (m, p) = (&blocks(m)[..N * stride], &mut blocks_mut(p)[..N * stride]);
    let zero = isa.splat(0.0);
    let mut peak = [isa.splat(f32::NEG_INFINITY); N];
    for i in 0..stride {
        for n in 0..N {
            // Far below any membrane beyond the classes.
            let m = isa.load(&m[n * stride + i]);
            peak[n] = isa.max(peak[n], isa.sub_where(!valid(classes, i), m, isa.splat(1e38)));
        }
    }
    let mut peaks = [0.0; N];
    for n in 0..N {
        peaks[n] = isa.max_of(peak[n]);
        peak[n] = isa.splat(peaks[n]);
    }
    let mut sum = [zero; N];
    for i in 0..stride {
        let mut x = [zero; N];
        for n in 0..N {
            x[n] = isa.sub(isa.load(&m[n * stride + i]), peak[n]);
        }
        let e = exp(isa, x);
        for n in 0..N {
            let e = isa.add_where(valid(classes, i), zero, e[n]);
            sum[n] = isa.add(sum[n], e);
            isa.store(e, &mut p[n * stride + i]);
        }
    }
    for n in 0..N {
        let sum = isa.sum_of(sum[n]);
        let factor = isa.splat(scale / sum);
        for p in &mut p[n * stride..(n + 1) * stride] {
            isa.store(isa.mul(isa.load(p), factor), p);
        }
        log_sum[n] = peaks[n] + sum.ln();
    }
}

/// The lanes of block `i` that are classes.
#[inline(always)]
fn valid(classes: usize, i: usize) -> u16 {
    match classes.saturating_sub(i * LANES) {
        0 => 0,
        left => u16::MAX >> LANES.saturating_sub(left),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_to_one_over_the_classes() {
        for classes in [1, 2, 6, 16, 17, 20, 35] {
            let width = super::super::simd::padded(classes);
            let m: Vec<f32> = (0..3 * width).map(|i| (i * 37 % 19) as f32 * 0.4 - 30.0).collect();
            let (mut p, mut log_sum) = (vec![1.0; 3 * width], [0.0; 3]);
            softmax(&m, width, classes, 1.0, &mut p, &mut log_sum);
            for row in 0..3 {
                let m: Vec<f64> =
                    m[row * width..row * width + classes].iter().map(|m| f64::from(*m)).collect();
                let total: f64 = m.iter().map(|m| m.exp()).sum();
                assert!((f64::from(log_sum[row]) - total.ln()).abs() < 1e-5);
                for (c, p) in p[row * width..(row + 1) * width].iter().enumerate() {
                    let expected = m.get(c).map_or(0.0, |m| m.exp() / total);
                    assert!((f64::from(*p) - expected).abs() < 1e-6, "{classes} classes: {c}");
                }
            }
        }
    }
}

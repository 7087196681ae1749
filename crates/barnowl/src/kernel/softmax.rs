//! Softmax over the classes of every entry.

use super::simd::{Isa, LANES, blocks, blocks_mut, dispatch, exp, max_of_lanes, sum_of_lanes};

/// Softmax of rows of `classes` values in `[entries, width]`, times `scale`, into `p` of the same shape, zero beyond
/// the classes; and the logarithm of every entry's sum of exponentials into `log_sum`, `[entries]`.
pub(crate) fn softmax(
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
    let zero = isa.splat(0.0);
    let rows = m.chunks_exact(width).zip(p.chunks_exact_mut(width));
    for ((m, p), log_sum) in rows.zip(log_sum) {
        let mut peak = isa.splat(f32::NEG_INFINITY);
        for (i, m) in blocks(m).iter().enumerate() {
            // Far below any membrane beyond the classes.
            let m = isa.sub_where(!valid(classes, i), isa.load(m), isa.splat(1e38));
            peak = isa.max(peak, m);
        }
        let mut lanes = [0.0; LANES];
        isa.store(peak, &mut lanes);
        let peak = max_of_lanes(&lanes);
        let p = blocks_mut(p);
        let mut sum = zero;
        for (i, (m, p)) in blocks(m).iter().zip(p.iter_mut()).enumerate() {
            let [e] = exp(isa, [isa.sub(isa.load(m), isa.splat(peak))]);
            let e = isa.add_where(valid(classes, i), zero, e);
            sum = isa.add(sum, e);
            isa.store(e, p);
        }
        isa.store(sum, &mut lanes);
        let sum = sum_of_lanes(&lanes);
        let factor = isa.splat(scale / sum);
        for p in p {
            isa.store(isa.mul(isa.load(p), factor), p);
        }
        *log_sum = peak + sum.ln();
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

//! Deltas: how features change over time.

/// Derivatives over nine steps, as `librosa.feature.delta` computes them: of the straight line (`order` 1) or parabola
/// (`order` 2) that fits nine values best,
///
/// ```text
/// Δx_t = Σ_k k x_{t+k} / 60        ΔΔx_t = Σ_k 2 (k² − 20/3) x_{t+k} / 308        k = −4 … 4
/// ```
///
/// The first and last four steps have the derivative of the fit to the first and last nine. `values` and result are row-major
/// `[T, channels]`; of fewer than nine steps there is no derivative, and the result is zero.
///
/// # Panics
///
/// If `order` is neither 1 nor 2, or `values` are not whole rows.
#[must_use]
pub fn savitzky_golay(values: &[f32], channels: usize, order: usize) -> Vec<f32> {
    assert!(order == 1 || order == 2, "order {order}");
    assert!(values.len().is_multiple_of(channels), "rows of {channels} channels");
    let weight = |k: i32| match order {
        1 => f64::from(k) / 60.0,
        _ => 2.0 * (f64::from(k * k) - 20.0 / 3.0) / 308.0,
    };
    let weights: Vec<f64> = (-4..=4).map(weight).collect();
    let steps = values.len() / channels;
    let mut deltas = vec![0.0; values.len()];
    if steps < 9 {
        return deltas;
    }
    for (t, row) in deltas.chunks_exact_mut(channels).enumerate() {
        let first = t.clamp(4, steps - 5) - 4;
        for (channel, delta) in row.iter_mut().enumerate() {
            let terms = weights.iter().enumerate();
            let term =
                |(k, w): (usize, &f64)| w * f64::from(values[(first + k) * channels + channel]);
            *delta = terms.map(term).sum::<f64>() as f32;
        }
    }
    deltas
}

/// Slopes over 2 · `reach` + 1 steps, as `python_speech_features.delta` computes them, the first and last step repeated
/// beyond the ends: `Δx_t = Σ_n n (x_{t+n} − x_{t−n}) / (2 Σ_n n²)`, n = 1 … reach.
///
/// # Panics
///
/// If `values` are not whole rows.
#[must_use]
pub fn regression(values: &[f32], channels: usize, reach: usize) -> Vec<f32> {
    assert!(values.len().is_multiple_of(channels), "rows of {channels} channels");
    let steps = values.len() / channels;
    let norm: f64 = 2.0 * (1..=reach).map(|n| (n * n) as f64).sum::<f64>();
    let at = |t: usize, channel: usize| f64::from(values[t * channels + channel]);
    let delta = |i: usize| {
        let (t, channel) = (i / channels, i % channels);
        let term = |n: usize| {
            let (after, before) = ((t + n).min(steps - 1), t.saturating_sub(n));
            n as f64 * (at(after, channel) - at(before, channel))
        };
        ((1..=reach).map(term).sum::<f64>() / norm) as f32
    };
    (0..values.len()).map(delta).collect()
}

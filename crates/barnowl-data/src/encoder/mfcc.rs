//! Mel-frequency cepstral coefficients, the features of classical speech recognition.

use barnowl_base::error::{Error, Result};
use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::PI;
use std::fmt;
use std::sync::Arc;

/// The configuration of MFCCs; the defaults are those of `python_speech_features.mfcc`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MfccConfig {
    /// Samples a second.
    pub rate: u32,
    /// The length of a window, in ms. Default 25.
    pub window_ms: f64,
    /// From one window to the next, in ms. Default 10.
    pub hop_ms: f64,
    /// Coefficients. Default 13.
    pub coefficients: usize,
    /// Mel filters. Default 26.
    pub filters: usize,
}

impl MfccConfig {
    /// The defaults, at so many samples a second.
    #[must_use]
    pub fn new(rate: u32) -> Self {
        Self { rate, window_ms: 25.0, hop_ms: 10.0, coefficients: 13, filters: 26 }
    }
}

/// MFCCs as `python_speech_features.mfcc` computes them.
///
/// A pre-emphasis of 0.97 (`y_n = x_n − 0.97 x_{n−1}`), windows without taper, power spectra over the next power of two of
/// samples, triangles on the mel scale `2595 lg(1 + f/700)` from 0 to half the rate, logarithms, a cosine transform of unit
/// norm, a lifter `1 + 11 sin(π n / 22)`; the first coefficient is replaced by the logarithm of the window's energy.
///
/// ```
/// use barnowl_data::encoder::{Mfcc, MfccConfig};
///
/// let mfcc = Mfcc::new(&MfccConfig::new(16_000))?;
/// let tone: Vec<f32> = (0..16_000).map(|n| (0.3 * n as f32).sin()).collect();
/// assert_eq!(mfcc.features(&tone).len(), 99 * 13);
/// # Ok::<(), barnowl_base::error::Error>(())
/// ```
#[derive(Clone)]
pub struct Mfcc {
    config: MfccConfig,
    window: usize,
    hop: usize,
    length: usize,
    /// For every filter, its first bin and the weights from there.
    filters: Vec<(usize, Vec<f64>)>,
    /// The cosine transform with its norm and the lifter, `[coefficients, filters]`.
    cosines: Vec<f64>,
    transform: Arc<dyn RealToComplex<f64>>,
}

impl fmt::Debug for Mfcc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mfcc").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Mfcc {
    /// Prepares the filters.
    ///
    /// # Errors
    ///
    /// If windows or hops have no sample, or there are no coefficients or fewer filters than these.
    pub fn new(config: &MfccConfig) -> Result<Self> {
        let MfccConfig { rate, window_ms, hop_ms, coefficients, filters } = *config;
        let samples = |ms: f64| (ms / 1000.0 * f64::from(rate) + 0.5).floor() as usize;
        let (window, hop) = (samples(window_ms), samples(hop_ms));
        if window == 0 || hop == 0 || window > super::LONGEST_WINDOW {
            return Err(Error::setting("window_ms, hop_ms", (window_ms, hop_ms))
                .expected("at least one sample, and at most a million"));
        }
        if coefficients == 0 || filters < coefficients || filters > super::MOST_BANDS {
            return Err(Error::setting("filters", filters).expected(format!(
                "at least the {coefficients} coefficients, and one of them; at most {}",
                super::MOST_BANDS
            )));
        }
        let length = window.next_power_of_two();
        let mel = |hertz: f64| 2595.0 * (1.0 + hertz / 700.0).log10();
        let hertz = |mel: f64| 700.0 * (10_f64.powf(mel / 2595.0) - 1.0);
        let top = mel(f64::from(rate) / 2.0);
        // Edges fall on whole bins.
        let edge = |i: usize| {
            let f = hertz(top * i as f64 / (filters + 1) as f64);
            ((length + 1) as f64 * f / f64::from(rate)).floor() as usize
        };
        let filter = |m: usize| {
            let [left, centre, right] = [edge(m), edge(m + 1), edge(m + 2)];
            let rising = (left..centre).map(|bin| (bin - left) as f64 / (centre - left) as f64);
            let falling = (centre..right).map(|bin| (right - bin) as f64 / (right - centre) as f64);
            (left, rising.chain(falling).collect())
        };
        let cosine = |i: usize| {
            let (c, m) = (i / filters, i % filters);
            let norm = if c == 0 { 1.0 } else { 2.0 } / filters as f64;
            let lifter = 1.0 + 11.0 * (PI * c as f64 / 22.0).sin();
            let angle = PI * c as f64 * (2 * m + 1) as f64 / (2 * filters) as f64;
            norm.sqrt() * lifter * angle.cos()
        };
        Ok(Self {
            config: *config,
            window,
            hop,
            length,
            filters: (0..filters).map(filter).collect(),
            cosines: (0..coefficients * filters).map(cosine).collect(),
            transform: RealFftPlanner::new().plan_fft_forward(length),
        })
    }

    /// Frames of a sound of so many samples; the last one may be filled up with zeros.
    #[must_use]
    pub fn frames(&self, samples: usize) -> usize {
        1 + samples.saturating_sub(self.window).div_ceil(self.hop)
    }

    /// Samples from one window to the next, and those of a window.
    #[must_use]
    pub fn hop_and_window(&self) -> (usize, usize) {
        (self.hop, self.window)
    }

    /// The coefficients, row-major `[frames, coefficients]`.
    #[must_use]
    pub fn features(&self, samples: &[f32]) -> Vec<f32> {
        let MfccConfig { coefficients, filters, .. } = self.config;
        let sample = |n: usize| samples.get(n).map_or(0.0, |x| f64::from(*x));
        let emphasised = |n: usize| match n {
            0 => sample(0),
            n if n < samples.len() => sample(n) - 0.97 * sample(n - 1),
            _ => 0.0,
        };
        let positive = |x: f64| if x == 0.0 { f64::EPSILON } else { x };
        let mut input = self.transform.make_input_vec();
        let mut spectrum = self.transform.make_output_vec();
        let mut features = Vec::with_capacity(self.frames(samples.len()) * coefficients);
        for frame in 0..self.frames(samples.len()) {
            input.fill(0.0);
            let window = input[..self.window].iter_mut().enumerate();
            window.for_each(|(n, x)| *x = emphasised(frame * self.hop + n));
            // All lengths are those that the plan asked for.
            let done = self.transform.process(&mut input, &mut spectrum);
            debug_assert!(done.is_ok());
            let power: Vec<f64> =
                spectrum.iter().map(|x| x.norm_sqr() / self.length as f64).collect();
            let energy = positive(power.iter().sum());
            let log = |(first, weights): &(usize, Vec<f64>)| {
                positive(weights.iter().zip(&power[*first..]).map(|(w, p)| w * p).sum()).ln()
            };
            let logs: Vec<f64> = self.filters.iter().map(log).collect();
            let cepstrum =
                |row: &[f64]| row.iter().zip(&logs).map(|(c, log)| c * log).sum::<f64>() as f32;
            features.push(energy.ln() as f32);
            features.extend(self.cosines.chunks_exact(filters).skip(1).map(cepstrum));
        }
        features
    }
}

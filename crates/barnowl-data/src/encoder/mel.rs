//! Mel spectrogram: the power of a sound in bands as wide as the ear hears them.

use barnowl_base::error::{Error, Result};
use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::fmt;
use std::sync::Arc;

/// The configuration of a mel spectrogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MelConfig {
    /// Samples a second.
    pub rate: u32,
    /// Samples of a window, which is also the length of the transform.
    pub window: usize,
    /// Samples from one window to the next.
    pub hop: usize,
    /// Bands.
    pub mels: usize,
    /// The lowest frequency, in Hz.
    pub low: f64,
    /// The highest frequency, in Hz.
    pub high: f64,
}

/// Mel spectrograms as `librosa.feature.melspectrogram` computes them.
///
/// Windows are centred on multiples of the hop, the sound padded with zeros. With a periodic Hann window w of length N,
///
/// ```text
/// w_n = (1 − cos(2π n / N)) / 2      P_k = |Σ_n w_n x_n exp(−2πi k n / N)|²      S_m = Σ_k F_mk P_k
/// ```
///
/// F being triangles on the mel scale of Slaney's Auditory Toolbox (1998: linear to 1 kHz, logarithmic above), each of unit
/// area.
///
/// ```
/// use barnowl_data::encoder::{MelConfig, MelSpectrogram};
///
/// let config = MelConfig { rate: 8000, window: 240, hop: 80, mels: 40, low: 20.0, high: 4000.0 };
/// let mel = MelSpectrogram::new(&config)?;
/// let tone: Vec<f32> = (0..8000).map(|n| (0.5 * n as f32).sin()).collect();
/// let power = mel.power(&tone);
/// assert_eq!(power.len(), 101 * 40);
/// # Ok::<(), barnowl_base::error::Error>(())
/// ```
#[derive(Clone)]
pub struct MelSpectrogram {
    config: MelConfig,
    window: Vec<f64>,
    /// For every band, its first bin and the weights from there.
    bands: Vec<(usize, Vec<f64>)>,
    transform: Arc<dyn RealToComplex<f64>>,
}

impl fmt::Debug for MelSpectrogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MelSpectrogram").field("config", &self.config).finish_non_exhaustive()
    }
}

impl MelSpectrogram {
    /// Prepares windows and bands.
    ///
    /// # Errors
    ///
    /// If a number is zero or far too large, or the frequencies are not in order and below half the rate.
    pub fn new(config: &MelConfig) -> Result<Self> {
        let MelConfig { rate, window, hop, mels, low, high } = *config;
        for (name, value) in
            [("rate", rate as usize), ("window", window), ("hop", hop), ("mels", mels)]
        {
            if value == 0 {
                return Err(Error::setting(name, value).expected("1 or more"));
            }
        }
        if mels > super::MOST_BANDS {
            return Err(
                Error::setting("mels", mels).expected(format!("at most {}", super::MOST_BANDS))
            );
        }
        if window > super::LONGEST_WINDOW {
            return Err(Error::setting("window", window)
                .expected(format!("at most {} samples", super::LONGEST_WINDOW)));
        }
        let nyquist = f64::from(rate) / 2.0;
        if !(low >= 0.0 && low < high && high <= nyquist) {
            return Err(Error::setting("low, high", (low, high))
                .expected(format!("frequencies in order, at most {nyquist} Hz")));
        }
        // mels + 2 edges, evenly spaced on the mel scale.
        let (first, last) = (mel(low), mel(high));
        let edge = |i: usize| hertz(first + (last - first) * i as f64 / (mels + 1) as f64);
        let bins = window / 2 + 1;
        let frequency = |bin: usize| bin as f64 * f64::from(rate) / window as f64;
        let band = |m: usize| {
            let [left, centre, right] = [edge(m), edge(m + 1), edge(m + 2)];
            let weight = |bin: usize| {
                let f = frequency(bin);
                let slope = ((f - left) / (centre - left)).min((right - f) / (right - centre));
                slope.max(0.0) * 2.0 / (right - left)
            };
            let weights: Vec<f64> = (0..bins).map(weight).collect();
            let first = weights.iter().position(|w| *w > 0.0).unwrap_or(0);
            let end = weights.iter().rposition(|w| *w > 0.0).map_or(first, |last| last + 1);
            (first, weights[first..end].to_vec())
        };
        let hann = |n: usize| (1.0 - (TAU * n as f64 / window as f64).cos()) / 2.0;
        Ok(Self {
            config: *config,
            window: (0..window).map(hann).collect(),
            bands: (0..mels).map(band).collect(),
            transform: RealFftPlanner::new().plan_fft_forward(window),
        })
    }

    /// Frames of a sound of so many samples.
    #[must_use]
    pub fn frames(&self, samples: usize) -> usize {
        1 + samples / self.config.hop
    }

    /// The power in every band, row-major `[frames, mels]`.
    #[must_use]
    pub fn power(&self, samples: &[f32]) -> Vec<f32> {
        let half = self.config.window / 2;
        let mut input = self.transform.make_input_vec();
        let mut spectrum = self.transform.make_output_vec();
        let mut scratch = self.transform.make_scratch_vec();
        let mut power = Vec::with_capacity(self.frames(samples.len()) * self.config.mels);
        for frame in 0..self.frames(samples.len()) {
            for (n, (x, window)) in input.iter_mut().zip(&self.window).enumerate() {
                let place = (frame * self.config.hop + n).checked_sub(half);
                let sample = place.and_then(|place| samples.get(place)).copied().unwrap_or(0.0);
                *x = window * f64::from(sample);
            }
            // All lengths are those that the plan asked for.
            let done = self.transform.process_with_scratch(&mut input, &mut spectrum, &mut scratch);
            debug_assert!(done.is_ok());
            for (first, weights) in &self.bands {
                let bins = spectrum[*first..].iter().zip(weights);
                power.push(bins.map(|(x, w)| w * x.norm_sqr()).sum::<f64>() as f32);
            }
        }
        power
    }
}

/// Slaney's mel scale: 3 mel for 200 Hz up to 1 kHz, from there 27 for a factor of 6.4.
fn mel(hertz: f64) -> f64 {
    if hertz < 1000.0 {
        hertz * 3.0 / 200.0
    } else {
        15.0 + (hertz / 1000.0).ln() * 27.0 / 6.4_f64.ln()
    }
}

fn hertz(mel: f64) -> f64 {
    if mel < 15.0 { mel * 200.0 / 3.0 } else { 1000.0 * ((mel - 15.0) * 6.4_f64.ln() / 27.0).exp() }
}

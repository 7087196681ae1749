//! Features of spoken words: mel bands and how they change, as in the speech scripts of Yin, Corradi & Bohté (2021).

use crate::encoder::{MelConfig, MelSpectrogram, deltas};
use barnowl_base::error::{Error, Result};
use half::f16;
use serde::{Deserialize, Serialize};

/// How the features of a word are computed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SpeechFeatures {
    /// The length that sounds are padded with silence, or cut, to. Default 1.
    /// Range: more than 0, at most 60 s.
    pub seconds: f64,
    /// The length of a window. Default 30.
    /// Range: more than 0, at most 10000 ms.
    pub window_ms: f64,
    /// From one window to the next: the length of a step. Default 10.
    /// Range: more than 0, at most 10000 ms.
    pub hop_ms: f64,
    /// Mel bands. Default 40.
    /// Range: 1 to 10000.
    pub mels: usize,
    /// The lowest frequency, in Hz. Default 20.
    /// Range: 0 or more Hz, below `high`.
    pub low: f64,
    /// The highest frequency, in Hz. Default 4000.
    /// Range: more than 0 Hz, at most half the samples a second.
    pub high: f64,
    /// Whether every channel of a word is divided by its standard deviation over the word. Default true.
    pub unit_variance: bool,
    /// Whether the channels of a batch are divided by their standard deviations over the batch. Default true.
    pub scale_batches: bool,
}

impl Default for SpeechFeatures {
    fn default() -> Self {
        Self {
            seconds: 1.0,
            window_ms: 30.0,
            hop_ms: 10.0,
            mels: 40,
            low: 20.0,
            high: 4000.0,
            unit_variance: true,
            scale_batches: true,
        }
    }
}

impl SpeechFeatures {
    /// Channels of a step: the bands, their first and their second derivative.
    #[must_use]
    pub fn channels(&self) -> usize {
        3 * self.mels
    }

    /// What computes the features of sounds of so many samples a second.
    ///
    /// # Errors
    ///
    /// If a number is out of range, with its key below `key`.
    pub fn extractor(&self, key: &str, rate: u32) -> Result<Extractor> {
        for (name, value, most) in [
            ("seconds", self.seconds, 60.0),
            ("window_ms", self.window_ms, 10_000.0),
            ("hop_ms", self.hop_ms, 10_000.0),
        ] {
            if !(value > 0.0 && value <= most) {
                return Err(Error::setting(format!("{key}.{name}"), value)
                    .expected(format!("a positive number, at most {most}")));
            }
        }
        let samples = |seconds: f64| (seconds * f64::from(rate)).round() as usize;
        let config = MelConfig {
            rate,
            window: samples(self.window_ms / 1000.0),
            hop: samples(self.hop_ms / 1000.0),
            mels: self.mels,
            low: self.low,
            high: self.high,
        };
        let mel = MelSpectrogram::new(&config)
            .map_err(|error| error.during(format_args!("{key}, at {rate} Hz")).with_key(key))?;
        Ok(Extractor { features: *self, mel, samples: samples(self.seconds) })
    }
}

/// Computes the features of words.
#[derive(Debug, Clone)]
pub struct Extractor {
    features: SpeechFeatures,
    mel: MelSpectrogram,
    /// Samples of a word.
    samples: usize,
}

impl Extractor {
    /// Steps of a word.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.mel.frames(self.samples)
    }

    /// Samples of a word.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The features `[steps, 3 · mels]` of a sound: bands, first derivatives, second derivatives.
    ///
    /// The sound is brought to a peak of 1, put in the middle of silence (or cut at the end), and its mel spectrogram S to
    /// `log(1 + S / max S)`. Half precision: the 100,000 words of Speech Commands then take 2.6 GB.
    #[must_use]
    pub fn features(&self, sound: &[f32]) -> Vec<f16> {
        let peak = sound.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
        // The inverse of a smaller number is infinite.
        let scale = if peak >= f32::MIN_POSITIVE { 1.0 / peak } else { 1.0 };
        let mut samples = vec![0.0; self.samples];
        let start = (self.samples.saturating_sub(sound.len())) / 2;
        for (to, from) in samples[start..].iter_mut().zip(sound) {
            *to = from * scale;
        }
        let mut bands = self.mel.power(&samples);
        let most = bands.iter().copied().fold(0.0, f32::max);
        if most > 0.0 {
            bands.iter_mut().for_each(|band| *band = (*band / most).ln_1p());
        }
        let mels = self.features.mels;
        let parts =
            [deltas::savitzky_golay(&bands, mels, 1), deltas::savitzky_golay(&bands, mels, 2)];
        let channels = self.features.channels();
        let mut features = vec![0.0; self.steps() * channels];
        for (t, row) in features.chunks_exact_mut(channels).enumerate() {
            for (part, to) in [&bands, &parts[0], &parts[1]].iter().zip(row.chunks_exact_mut(mels))
            {
                to.copy_from_slice(&part[t * mels..(t + 1) * mels]);
            }
        }
        if self.features.unit_variance {
            unit_variance(&mut features, channels);
        }
        features.into_iter().map(f16::from_f32).collect()
    }
}

/// Divides every channel by its standard deviation over time, unless that is 0.
fn unit_variance(features: &mut [f32], channels: usize) {
    let steps = (features.len() / channels) as f64;
    for channel in 0..channels {
        let values = || features[channel..].iter().step_by(channels).map(|x| f64::from(*x));
        let mean = values().sum::<f64>() / steps;
        let sd = (values().map(|x| (x - mean).powi(2)).sum::<f64>() / steps).sqrt();
        if sd > 0.0 {
            let values = features[channel..].iter_mut().step_by(channels);
            values.for_each(|x| *x = (f64::from(*x) / sd) as f32);
        }
    }
}

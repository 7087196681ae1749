//! The cochlea of the Spiking Heidelberg Digits: sound as the spikes of 700 channels.
//!
//! The chain of Cramer, Stradmann, Schemmel & Zenke (2020, arXiv 1910.07407), with the parameters of the tool that they
//! published with it (`lauscher`):
//!
//! 1. the sound is brought to one loudness and tapered by a Hann window as long as itself;
//! 2. the basilar membrane, a hydrodynamic model (Sieroka, Dosch & Rupp 2006), moves at 700 places of its length;
//! 3. a hair cell at every place (Meddis 1986) turns velocity into the chance that an auditory nerve fibre fires;
//! 4. a bushy cell, a leaky integrate-and-fire neuron, receives forty such fibres and spikes where they fire together.
//!
//! Place 0 is at the oval window and hears the highest frequencies. As in the published data, places of low frequencies
//! move before those of high ones: the model's phase runs against that of the Fourier transform.

mod bushy_cell;
mod hair_cell;
mod hankel;
mod membrane;

use barnowl_base::error::{Error, Result};
use membrane::Membrane;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

/// The configuration of a cochlea; the defaults are those of the Spiking Heidelberg Digits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CochleaConfig {
    /// Places along the membrane. Default 700.
    pub channels: usize,
    /// The root mean square that sounds are brought to. Default 0.3.
    pub level: f64,
    /// How often the membrane's velocity is computed, per second. Default 24,000, half the rate of the published
    /// recordings. Frequencies above half of it are left out. Cells at rest spike more often at lower rates (0.7 times a
    /// second at 24,000, 5 times at 8000), as the cells are stepped at this rate.
    pub velocity_rate: u32,
}

impl Default for CochleaConfig {
    fn default() -> Self {
        Self { channels: 700, level: 0.3, velocity_rate: 24_000 }
    }
}

/// A spike of a channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CochleaSpike {
    /// When, in seconds from the start of the sound.
    pub time: f64,
    /// The channel.
    pub unit: u16,
}

/// Encodes sounds as spikes.
///
/// ```
/// use barnowl_data::encoder::{Cochlea, CochleaConfig};
///
/// let cochlea = Cochlea::new(&CochleaConfig { channels: 40, ..CochleaConfig::default() }, 8000)?;
/// // A quarter of a second of a tone of 440 Hz.
/// let tone: Vec<f32> = (0..2000).map(|n| (2.0 * 3.1416 * 440.0 * n as f32 / 8000.0).sin()).collect();
/// let spikes = cochlea.encode(&tone, 7);
/// // It is heard where low frequencies are.
/// let heard = spikes.iter().filter(|spike| spike.unit >= 20).count();
/// assert!(heard > 4 * (spikes.len() - heard));
/// assert_eq!(cochlea.encode(&tone, 7), spikes);
/// # Ok::<(), barnowl_base::error::Error>(())
/// ```
#[derive(Debug)]
pub struct Cochlea {
    config: CochleaConfig,
    membrane: Membrane,
}

impl Cochlea {
    /// A cochlea for sounds of `rate` samples a second.
    ///
    /// # Errors
    ///
    /// If a number is out of range.
    pub fn new(config: &CochleaConfig, rate: u32) -> Result<Self> {
        let CochleaConfig { channels, level, velocity_rate } = *config;
        if !(2..=10_000).contains(&channels) {
            return Err(Error::setting("channels", channels).expected("2 to 10000"));
        }
        if !(level > 0.0 && level.is_finite()) {
            return Err(Error::setting("level", level).expected("a positive number"));
        }
        if !(hair_cell::LEAST_RATE..=400_000).contains(&velocity_rate) {
            return Err(Error::setting("velocity_rate", velocity_rate)
                .expected(format!("{} to 400000 per second", hair_cell::LEAST_RATE)));
        }
        if !(1000..=400_000).contains(&rate) {
            return Err(Error::setting("rate", rate).expected("1000 to 400000 samples a second"));
        }
        Ok(Self { config: *config, membrane: Membrane::new(channels, rate, velocity_rate) })
    }

    /// Places along the membrane.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.config.channels
    }

    /// The spikes of a sound, by time and then by channel. The same seed gives the same spikes; silence has those of cells
    /// at rest. Values that are not finite count as 0.
    #[must_use]
    pub fn encode(&self, sound: &[f32], seed: u64) -> Vec<CochleaSpike> {
        let rate = f64::from(self.config.velocity_rate);
        let velocity = self.membrane.move_by(&self.tapered(sound));
        let of_channel = |channel: usize| {
            let chances = hair_cell::firing_chances(&velocity.at(channel), rate);
            // Every channel has random numbers of its own: the spikes do not depend on the threads.
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(channel as u64);
            let spikes = bushy_cell::spikes(&chances, rate, &mut rng);
            let spike =
                |step: usize| CochleaSpike { time: step as f64 / rate, unit: channel as u16 };
            spikes.into_iter().map(spike).collect::<Vec<_>>()
        };
        let channels: Vec<Vec<CochleaSpike>> =
            (0..self.config.channels).into_par_iter().map(of_channel).collect();
        let mut spikes = channels.concat();
        spikes.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.unit.cmp(&b.unit)));
        spikes
    }

    /// The chance that a fibre fires in every step of the velocity, `[channels, steps]`: what spikes are drawn from.
    #[must_use]
    pub fn firing_chances(&self, sound: &[f32]) -> Vec<Vec<f64>> {
        let velocity = self.membrane.move_by(&self.tapered(sound));
        let rate = f64::from(self.config.velocity_rate);
        let of_channel = |channel| hair_cell::firing_chances(&velocity.at(channel), rate);
        (0..self.config.channels).into_par_iter().map(of_channel).collect()
    }

    /// The sound at its level, under the window w_n = (1 − cos(2π n / (N − 1))) / 2.
    fn tapered(&self, sound: &[f32]) -> Vec<f64> {
        let value = |x: &f32| if x.is_finite() { f64::from(*x) } else { 0.0 };
        let power = sound.iter().map(|x| value(x).powi(2)).sum::<f64>() / sound.len().max(1) as f64;
        let factor = if power > 0.0 { self.config.level / power.sqrt() } else { 0.0 };
        let turn = std::f64::consts::TAU / sound.len().saturating_sub(1).max(1) as f64;
        let window = |n: usize| (1.0 - (turn * n as f64).cos()) / 2.0;
        sound.iter().enumerate().map(|(n, x)| factor * window(n) * value(x)).collect()
    }
}

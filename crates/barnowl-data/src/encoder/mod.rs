//! Spike encoders and what stands before them: from real-valued signals to features and events. One file each; they work on
//! plain slices.
//!
//! | file | from | to |
//! | --- | --- | --- |
//! | [`level_crossing`] | a signal | events when it has moved by a level |
//! | [`delta`] | a signal | events when it changes fast |
//! | [`threshold`] | features | −1, 0 or 1 by a threshold |
//! | [`poisson`] | values from 0 to 1 | spikes at random, more of larger values |
//! | [`latency`] | values from 0 to 1 | one spike each, earlier of larger values |
//! | [`population`] | values | activities of neurons that prefer others |
//! | [`mel`] | sound | power in mel bands |
//! | [`mfcc`] | sound | cepstral coefficients |
//! | [`cochlea`] | sound | spikes of 700 channels |
//! | [`deltas`] | features | how they change |

pub mod cochlea;
pub mod delta;
pub mod deltas;
pub mod latency;
pub mod level_crossing;
pub mod mel;
pub mod mfcc;
pub mod poisson;
pub mod population;
pub mod threshold;

pub use cochlea::{Cochlea, CochleaConfig, CochleaSpike};
pub use delta::Delta;
pub use latency::{Curve, Latency};
pub use level_crossing::LevelCrossing;
pub use mel::{MelConfig, MelSpectrogram};
pub use mfcc::{Mfcc, MfccConfig};
pub use poisson::Poisson;
pub use population::Population;
pub use threshold::SymmetricThreshold;

use barnowl_base::error::{Error, Result};

/// No spectrogram needs more bands; a number beyond is a mistake.
const MOST_BANDS: usize = 10_000;
/// Nor longer windows, in samples.
const LONGEST_WINDOW: usize = 1 << 20;

/// Refuses thresholds below zero, NaN and infinity.
fn check_threshold(threshold: f32) -> Result<()> {
    if threshold >= 0.0 && threshold.is_finite() {
        return Ok(());
    }
    Err(Error::setting("threshold", threshold).expected("0 or more"))
}

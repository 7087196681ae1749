//! Spike encoders and what stands before them: from real-valued signals to features and events. One file each; they work on
//! plain slices.
//!
//! | file | from | to |
//! | --- | --- | --- |
//! | [`level_crossing`] | a signal | events when it has moved by a level |
//! | `trained_threshold.rs` | features | −1, 0 or 1 by a threshold that is trained with the network |
//! | [`mel`] | sound | power in mel bands |
//! | [`mfcc`] | sound | cepstral coefficients |
//! | [`deltas`] | features | how they change |

pub mod deltas;
pub mod level_crossing;
pub mod mel;
pub mod mfcc;
mod trained_threshold;

pub use level_crossing::LevelCrossing;
pub use mel::{MelConfig, MelSpectrogram};
pub use mfcc::{Mfcc, MfccConfig};
pub(crate) use trained_threshold::LEAST_THRESHOLD;
pub use trained_threshold::{EncoderConfig, TrainedThreshold};

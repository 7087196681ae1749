//! Sound files: WAV and NIST SPHERE, as one channel of numbers.

mod encoding;
mod read;
mod sound;
mod sphere;
mod wav;

pub use read::read_all;
pub use sound::Sound;

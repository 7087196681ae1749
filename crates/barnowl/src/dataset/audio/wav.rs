//! WAV files, by the crate `hound`.

use super::Sound;
use crate::error::{Error, Result};
use hound::{SampleFormat, WavReader};

pub(super) fn read(bytes: &[u8]) -> Result<Sound> {
    let damaged = |error: &dyn std::fmt::Display, sample: usize| {
        Error::format(format!("after {sample} samples, {error}"))
            .expected("a whole WAV file of 8 to 32 bits")
            .remedy("it may be cut short: get it again, or convert it: sox INPUT OUTPUT.wav")
    };
    let mut reader = WavReader::new(bytes).map_err(|error| damaged(&error, 0))?;
    let spec = reader.spec();
    let channels = usize::from(spec.channels.max(1));
    let announced = reader.len() as usize;
    let mut values = Vec::with_capacity(announced.min(bytes.len()));
    match spec.sample_format {
        SampleFormat::Float => {
            for sample in reader.samples::<f32>() {
                values.push(sample.map_err(|error| damaged(&error, values.len()))?);
            }
        }
        SampleFormat::Int => {
            // Full scale is 2^(bits − 1).
            let scale = (0.5_f64).powi(i32::from(spec.bits_per_sample) - 1);
            for sample in reader.samples::<i32>() {
                let sample = sample.map_err(|error| damaged(&error, values.len()))?;
                values.push((f64::from(sample) * scale) as f32);
            }
        }
    }
    if values.len() < announced {
        return Err(damaged(&format!("{announced} were announced"), values.len()));
    }
    if let Some(sample) = values.iter().position(|value| !value.is_finite()) {
        return Err(Error::format(format!("sample {sample} is {}", values[sample]))
            .expected("a finite number"));
    }
    let samples = match channels {
        1 => values,
        n => values.chunks_exact(n).map(|frame| frame.iter().sum::<f32>() / n as f32).collect(),
    };
    Ok(Sound { rate: spec.sample_rate, samples })
}

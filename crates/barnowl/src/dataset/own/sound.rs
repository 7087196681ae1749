//! Sounds: a file a sequence, as the spikes of a cochlea or as mel bands.

use super::super::audio::{Sound, read_all};
use super::super::speech::SpeechFeatures;
use super::super::{Dataset, Events, Inputs, Split, Targets};
use crate::encoder::{Cochlea, CochleaConfig, CochleaSpike};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How sounds become sequences.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "encoder", rename_all = "snake_case", deny_unknown_fields)]
pub enum SoundEncoding {
    /// Spikes of the [cochlea](crate::encoder::cochlea) of the Spiking Heidelberg Digits: a channel of a step is 1 if it
    /// spiked within the step's time, however often.
    Cochlea {
        /// The time of a step, in ms. Default 4.
        /// Range: 0.01 to 1000000 ms.
        #[serde(default = "four")]
        step_ms: f64,
        /// Places along the membrane. Default 700.
        /// Range: 2 to 10000.
        #[serde(default = "seven_hundred")]
        channels: usize,
    },
    /// Mel bands and how they change, of sounds brought to one length.
    Mel {
        /// How they are computed.
        #[serde(default)]
        features: SpeechFeatures,
    },
}

fn four() -> f64 {
    4.0
}

fn seven_hundred() -> usize {
    CochleaConfig::default().channels
}

impl SoundEncoding {
    /// Steps a second.
    pub(super) fn sampling_rate(&self) -> f64 {
        1000.0
            / match self {
                Self::Cochlea { step_ms, .. } => *step_ms,
                Self::Mel { features } => features.hop_ms,
            }
    }
}

/// Reads the sounds of one part: `steps` is the length of spike sequences, by default that of the longest training sound.
pub(super) fn load(
    folder: &Path,
    split: Split,
    encoding: SoundEncoding,
    steps: Option<usize>,
    names: Vec<String>,
) -> Result<Dataset> {
    let (paths, classes) = files(&folder.join(split.name()), &names)?;
    let part = folder.join(split.name());
    let called: Vec<String> = paths.iter().map(|path| super::relative(path, &part)).collect();
    let rate = Sound::read(&paths[0])?.rate;
    check_rate(folder, split, &names, (&paths[0], rate))?;
    let targets = Targets::PerSequence(classes);
    let origin = format!("{}, {}: {} sounds", folder.display(), split.name(), paths.len());
    match encoding {
        SoundEncoding::Cochlea { step_ms, channels } => {
            if !(0.01..=1e6).contains(&step_ms) {
                return Err(Error::setting("dataset.form.sound.step_ms", step_ms)
                    .expected("0.01 to 1000000 ms"));
            }
            let cochlea = Cochlea::new(&CochleaConfig { channels, ..Default::default() }, rate)
                .map_err(|error| error.during("dataset.form.sound"))?;
            let length = |samples: usize| {
                (samples as f64 * 1000.0 / f64::from(rate) / step_ms).ceil() as usize
            };
            let steps = match steps {
                Some(steps) => steps,
                None => {
                    let (training, _) = files(&folder.join(Split::Train.name()), &names)?;
                    let lengths = read_all(&training, rate, |_, sound| Ok(sound.samples.len()))?;
                    length(lengths.into_iter().max().unwrap_or(0)).max(1)
                }
            };
            let spikes = read_all(&paths, rate, |place, sound| {
                let end = length(sound.samples.len()).clamp(1, steps);
                let frame =
                    |spike: CochleaSpike| ((spike.time * 1000.0 / step_ms) as usize, spike.unit);
                let spikes = cochlea.encode(&sound.samples, place as u64);
                let mut spikes: Vec<(usize, u16)> =
                    spikes.into_iter().map(frame).filter(|(step, _)| *step < end).collect();
                spikes.sort_unstable();
                spikes.dedup();
                Ok((end, spikes))
            })?;
            let lengths: Vec<usize> = spikes.iter().map(|(end, _)| *end).collect();
            let mut events = Events::new(channels)?;
            let mut row = Vec::new();
            for (_, spikes) in &spikes {
                let mut spikes = spikes.iter().peekable();
                for step in 0..steps {
                    row.clear();
                    while let Some((_, unit)) = spikes.next_if(|(at, _)| *at == step) {
                        row.push(*unit);
                    }
                    events.push_row(&row)?;
                }
            }
            let origin =
                format!("{origin} as spikes of {channels} cochlear channels, {step_ms} ms a step");
            let shape = [paths.len(), steps, channels];
            Dataset::new(shape, names, Inputs::Events(events), targets, origin)?
                .with_lengths(&lengths)?
                .with_sequence_names(called)
        }
        SoundEncoding::Mel { features } => {
            if let Some(steps) = steps {
                return Err(Error::setting("dataset.steps", steps)
                    .expected("none: mel bands last dataset.form.sound.features.seconds"));
            }
            let extractor = features.extractor("dataset.form.sound.features", rate)?;
            let values = read_all(&paths, rate, |_, sound| Ok(extractor.features(&sound.samples)))?;
            let shape = [paths.len(), extractor.steps(), features.channels()];
            let origin = format!("{origin} in {} mel bands with deltas", features.mels);
            let inputs = Inputs::Half(values.concat());
            let data =
                Dataset::new(shape, names, inputs, targets, origin)?.with_sequence_names(called)?;
            Ok(if features.scale_batches { data.scaled_by_batch() } else { data })
        }
    }
}

/// Refuses a part of another rate than the training part, if that is there: the features of the two would not compare.
fn check_rate(folder: &Path, split: Split, names: &[String], of: (&Path, u32)) -> Result<()> {
    let training = folder.join(Split::Train.name());
    if split == Split::Train || !training.is_dir() {
        return Ok(());
    }
    let (paths, _) = files(&training, names)?;
    let rate = Sound::read(&paths[0])?.rate;
    if of.1 == rate {
        return Ok(());
    }
    Err(Error::mismatch(format!("{} samples a second", of.1))
        .in_file(of.0)
        .expected(format!("{rate}, as of {}", paths[0].display()))
        .remedy(format!("one rate for all parts: ffmpeg -i INPUT -ar {rate} OUTPUT.wav, or sox INPUT -r {rate} OUTPUT.wav")))
}

/// The sounds of a part and their classes.
fn files(part: &Path, names: &[String]) -> Result<(Vec<PathBuf>, Vec<u16>)> {
    let (mut paths, mut classes) = (Vec::new(), Vec::new());
    for (path, class) in super::files(part, names, "wav")? {
        classes.push(class.ok_or_else(|| {
            Error::format("the sound has no label")
                .in_file(&path)
                .expected("a file in the folder of its class, such as train/cough/1.wav")
        })?);
        paths.push(path);
    }
    if paths.is_empty() {
        return Err(Error::format("there are no sounds")
            .in_file(part)
            .expected("folders of classes, with WAV files"));
    }
    Ok((paths, classes))
}

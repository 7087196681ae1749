//! Sounds: a file a sequence, as the spikes of a cochlea or as mel bands.

use super::common::no_file;
use super::layout;
use crate::dataset::audio::{Sound, read_all};
use crate::dataset::speech::SpeechFeatures;
use crate::dataset::{Dataset, Events, Inputs, Known, Split, Targets, UNLABELLED};
use crate::encoder::{Cochlea, CochleaConfig, CochleaSpike};
use barnowl_base::error::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
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

    fn validate(&self) -> Result<()> {
        match self {
            Self::Cochlea { step_ms, .. } if !(0.01..=1e6).contains(step_ms) => {
                Err(Error::setting("dataset.form.sound.step_ms", step_ms)
                    .expected("0.01 to 1000000 ms"))
            }
            _ => Ok(()),
        }
    }

    /// The steps of sequences: as many as are wanted, else, of spikes, those of the longest of these sounds.
    fn steps(
        &self,
        wanted: Option<usize>,
        known: Known<'_>,
        rate: u32,
        sounds: impl FnOnce() -> Result<Vec<PathBuf>>,
    ) -> Result<Option<usize>> {
        self.validate()?;
        let step_ms = match self {
            Self::Mel { .. } => return Ok(wanted),
            Self::Cochlea { step_ms, .. } => *step_ms,
        };
        if let Some(steps) = wanted.or(known.steps) {
            return Ok(Some(steps));
        }
        let lengths = read_all(&sounds()?, rate, |_, sound| Ok(sound.samples.len()))?;
        Ok(Some(steps_of(lengths.into_iter().max().unwrap_or(0), rate, step_ms).max(1)))
    }
}

/// Reads the sounds of one part: `steps` is the length of spike sequences, by default that of the longest training sound.
pub(super) fn load(
    folder: &Path,
    split: Split,
    encoding: SoundEncoding,
    steps: Option<usize>,
    names: Vec<String>,
    known: Known<'_>,
) -> Result<Dataset> {
    let part = folder.join(split.name());
    let (paths, classes) = files(&part, &names)?;
    let rate = Sound::read(&paths[0])?.rate;
    match known.sound_rate {
        Some(wanted) => check_rate((&paths[0], rate), wanted, "the sounds of the model")?,
        None => check_rate_of_training(folder, split, &names, (&paths[0], rate))?,
    }
    let training = || Ok(files(&folder.join(Split::Train.name()), &names)?.0);
    let steps = encoding.steps(steps, known, rate, training)?;
    let origin = format!("{}, {}: {} sounds", folder.display(), split.name(), paths.len());
    let called = paths.iter().map(|path| layout::relative(path, &part)).collect();
    encode(&paths, rate, encoding, steps)?
        .dataset(names, classes, origin)?
        .with_sequence_names(called)
}

/// Reads sounds whose classes are not known.
pub(super) fn of_files(
    paths: &[PathBuf],
    encoding: SoundEncoding,
    steps: Option<usize>,
    names: Vec<String>,
    known: Known<'_>,
) -> Result<Dataset> {
    let Some(first) = paths.first() else { return Err(no_file()) };
    let rate = Sound::read(first)?.rate;
    if let Some(wanted) = known.sound_rate {
        check_rate((first, rate), wanted, "the sounds of the model")?;
    }
    let steps = encoding.steps(steps, known, rate, || Ok(paths.to_vec()))?;
    let classes = vec![UNLABELLED; paths.len()];
    let called = paths.iter().map(|path| path.display().to_string()).collect();
    encode(paths, rate, encoding, steps)?
        .dataset(names, classes, String::new())?
        .with_sequence_names(called)
}

/// Sounds as a network reads them.
struct Encoded {
    inputs: Inputs,
    steps: usize,
    channels: usize,
    /// The steps of each sound, where they are not all of one length.
    lengths: Option<Vec<usize>>,
    rate: u32,
    scaled_by_batch: bool,
    /// What was made of them, in words.
    how: String,
}

impl Encoded {
    fn dataset(self, names: Vec<String>, classes: Vec<u16>, origin: String) -> Result<Dataset> {
        let shape = [classes.len(), self.steps, self.channels];
        let origin = format!("{origin} {}", self.how);
        let targets = Targets::PerSequence(classes);
        let data =
            Dataset::new(shape, names, self.inputs, targets, origin)?.with_sound_rate(self.rate);
        let data = match &self.lengths {
            Some(lengths) => data.with_lengths(lengths)?,
            None => data,
        };
        Ok(if self.scaled_by_batch { data.scaled_by_batch() } else { data })
    }
}

/// Encodes sounds of one rate; spike sequences have `steps` steps.
fn encode(
    paths: &[PathBuf],
    rate: u32,
    encoding: SoundEncoding,
    steps: Option<usize>,
) -> Result<Encoded> {
    match encoding {
        SoundEncoding::Cochlea { step_ms, channels } => {
            let cochlea = Cochlea::new(&CochleaConfig { channels, ..Default::default() }, rate)
                .map_err(|error| error.during("dataset.form.sound"))?;
            let steps = steps.unwrap_or(1);
            let spikes = read_all(paths, rate, |_, sound| {
                let end = steps_of(sound.samples.len(), rate, step_ms).clamp(1, steps);
                let frame =
                    |spike: CochleaSpike| ((spike.time * 1000.0 / step_ms) as usize, spike.unit);
                let spikes = cochlea.encode(&sound.samples, seed_of(&sound));
                let mut spikes: Vec<(usize, u16)> =
                    spikes.into_iter().map(frame).filter(|(step, _)| *step < end).collect();
                spikes.sort_unstable();
                spikes.dedup();
                Ok((end, spikes))
            })?;
            let lengths = spikes.iter().map(|(end, _)| *end).collect();
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
            let how = format!("as spikes of {channels} cochlear channels, {step_ms} ms a step");
            let (inputs, lengths) = (Inputs::Events(events), Some(lengths));
            Ok(Encoded { inputs, steps, channels, lengths, rate, scaled_by_batch: false, how })
        }
        SoundEncoding::Mel { features } => {
            if let Some(steps) = steps {
                return Err(Error::setting("dataset.steps", steps)
                    .expected("none: mel bands last dataset.form.sound.features.seconds"));
            }
            let extractor = features.extractor("dataset.form.sound.features", rate)?;
            let values = read_all(paths, rate, |_, sound| Ok(extractor.features(&sound.samples)))?;
            Ok(Encoded {
                inputs: Inputs::Half(values.concat()),
                steps: extractor.steps(),
                channels: features.channels(),
                lengths: None,
                rate,
                scaled_by_batch: features.scale_batches,
                how: format!("in {} mel bands with deltas", features.mels),
            })
        }
    }
}

/// Steps that so many samples last.
fn steps_of(samples: usize, rate: u32, step_ms: f64) -> usize {
    (samples as f64 * 1000.0 / f64::from(rate) / step_ms).ceil() as usize
}

/// The seed of a sound's random spikes: of what is heard, not of the place of its file among others, so that the sound gives
/// the same spikes wherever it lies.
fn seed_of(sound: &Sound) -> u64 {
    let mut hash = Sha256::new();
    sound.samples.iter().for_each(|sample| hash.update(sample.to_le_bytes()));
    let digest = hash.finalize();
    digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

/// Refuses a part of another rate than the training part, if that is there.
fn check_rate_of_training(
    folder: &Path,
    split: Split,
    names: &[String],
    of: (&Path, u32),
) -> Result<()> {
    let training = folder.join(Split::Train.name());
    if split == Split::Train || !training.is_dir() {
        return Ok(());
    }
    let (paths, _) = files(&training, names)?;
    let rate = Sound::read(&paths[0])?.rate;
    check_rate(of, rate, &paths[0].display().to_string())
}

/// Refuses a sound of another rate than that `of` others: the features of the two would not compare.
fn check_rate((path, found): (&Path, u32), rate: u32, of: &str) -> Result<()> {
    if found == rate {
        return Ok(());
    }
    Err(Error::mismatch(format!("{found} samples a second"))
        .in_file(path)
        .expected(format!("{rate}, as of {of}"))
        .remedy(format!("one rate for all: ffmpeg -i INPUT -ar {rate} OUTPUT.wav, or sox INPUT -r {rate} OUTPUT.wav")))
}

/// The sounds of a part and their classes.
fn files(part: &Path, names: &[String]) -> Result<(Vec<PathBuf>, Vec<u16>)> {
    let (mut paths, mut classes) = (Vec::new(), Vec::new());
    for (path, class) in layout::files(part, names, "wav")? {
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

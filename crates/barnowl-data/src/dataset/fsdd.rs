//! The Free Spoken Digit Dataset: ten digits, six speakers, fifty times each (Jackson et al.,
//! <https://github.com/Jakobovski/free-spoken-digit-dataset>).
//!
//! `recordings/{digit}_{speaker}_{index}.wav` at 8 kHz; indices 0 to 4 are the official test part.

use super::speech::SpeechFeatures;
use super::{Dataset, Inputs, Split, Targets, audio};
use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use barnowl_base::words::counted;
use std::path::{Path, PathBuf};

/// Samples a second.
pub const RATE: u32 = 8000;

/// Indices below this one are the test part.
const TEST_INDICES: u32 = 5;

/// Reads `directory/fsdd/recordings` and computes features `[N, T, 3 · mels]`.
///
/// # Errors
///
/// If the folder or a file is missing, damaged or of another rate, or has another name: with the file.
pub fn load(
    directory: impl AsRef<Path>,
    split: Split,
    features: &SpeechFeatures,
) -> Result<Dataset> {
    let test = split.is_test_of_two("the Free Spoken Digit Dataset")?;
    let folder = directory.as_ref().join("fsdd/recordings");
    let extractor = features.extractor("dataset.features", RATE)?;
    let mut files = Vec::new();
    let mut classes = Vec::new();
    for path in file::files(&folder, "wav")? {
        let (digit, index) = name(&path)?;
        if (index < TEST_INDICES) == test {
            files.push(path);
            classes.push(digit);
        }
    }
    let part = split.purpose();
    if files.is_empty() {
        return Err(Error::format(format!("there are no {part} recordings"))
            .in_file(&folder)
            .expected("files such as 7_jackson_32.wav"));
    }
    let values = audio::read_all(&files, RATE, |_, sound| Ok(extractor.features(&sound.samples)))?;
    let shape = [files.len(), extractor.steps(), features.channels()];
    let origin = format!(
        "Free Spoken Digit Dataset, {}, {} with deltas every {} ms",
        counted(files.len(), &format!("{part} recording")),
        counted(features.mels, "mel band"),
        features.hop_ms
    );
    let names = (0..10).map(|digit| digit.to_string()).collect();
    let inputs = Inputs::Half(values.concat());
    let data = Dataset::new(shape, names, inputs, Targets::PerSequence(classes), origin)?;
    Ok(if features.scale_batches { data.scaled_by_batch() } else { data })
}

/// Digit and index.
fn name(path: &PathBuf) -> Result<(u16, u32)> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let parts: Vec<&str> = stem.split('_').collect();
    let parsed = match parts.as_slice() {
        [digit, _, index] => digit.parse().ok().filter(|digit| *digit < 10).zip(index.parse().ok()),
        _ => None,
    };
    parsed.ok_or_else(|| {
        Error::format("the name says neither digit nor index")
            .in_file(path)
            .expected("digit_speaker_index.wav, such as 7_jackson_32.wav")
    })
}

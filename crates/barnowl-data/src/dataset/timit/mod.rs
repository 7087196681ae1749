//! TIMIT: read sentences, every phone labelled (Garofolo et al. 1993, LDC93S1).
//!
//! `TRAIN` and `TEST`, in the folder or up to two below (`data/TRAIN`), with `DRn/SPEAKER/SENTENCE.WAV` (NIST SPHERE) and
//! `.PHN` (a line `begin end phone` for every phone, in samples), in either case. Mirrors have a copy `SENTENCE.WAV.wav` (RIFF)
//! beside, or in place of, `SENTENCE.WAV`: of a sentence one file is read. The sentences SA1 and SA2, which all speakers read,
//! are left out. Training: all speakers of
//! `TRAIN`; validation: the 50 speakers of the customary development set; test: the 24 of the core test set (Halberstadt
//! 1998), both from `TEST`.
//!
//! Thirteen MFCCs and their first and second slopes every 10 ms, each channel brought to between 0 and 1 over the training
//! data; a frame is labelled by the phone in the middle of its window. Sentences are cut into pieces; the last one is filled
//! up with frames without a label.

mod files;
mod phones;

pub use phones::{PHONES, fold, folded_accuracy, number};

use super::{Dataset, Inputs, Split, Targets, UNLABELLED, audio};
use crate::encoder::{Mfcc, MfccConfig, deltas};
use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use barnowl_base::words::counted;
use files::Recording;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Samples a second.
pub const RATE: u32 = 16_000;
/// Features of a frame.
pub const CHANNELS: usize = 39;

/// How far beyond the end of its sound a transcription may end, in samples: 0.1 s. Published ends differ a little from the
/// length of the sound; those of another sentence or in another unit differ by more.
const TOLERANCE: usize = 1600;

/// What to do about a line that cannot be.
const PUBLISHED: &str =
    "take the transcription as the LDC publishes it, not one that was converted or folded";

const CORE_TEST: &str = "mdab0 mwbt0 felc0 mtas1 mwew0 fpas0 mjmp0 mlnt0 fpkt0 mlll0 mtls0 fjlm0 \
    mbpm0 mklt0 fnlp0 mcmj0 mjdh0 fmgd0 mgrt0 mnjm0 fdhc0 mjln0 mpam0 fmld0";
const DEVELOPMENT: &str = "faks0 fdac1 fjem0 mgwt0 mjar0 mmdb1 mmdm2 mpdf0 fcmh0 fkms0 mbdg0 mbwm0 \
    mcsh0 fadg0 fdms0 fedw0 mgjf0 mglb0 mrtk0 mtaa0 mtdt0 mthc0 mwjg0 fnmr0 frew0 fsem0 mbns0 mmjr0 \
    mdls0 mdlf0 mdvc0 mers0 fmah0 fdrw0 mrcs0 mrjm4 fcal1 mmwh0 fjsj0 majc0 mjsw0 mreb0 fgjd0 fjmg0 \
    mroa0 mteb0 mjfc0 mrjr0 fmml0 mrws1";

/// How sentences are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pieces {
    /// Frames of a piece. Default 100.
    /// Range: 1 to 100000 frames.
    pub frames: usize,
}

impl Default for Pieces {
    fn default() -> Self {
        Self { frames: 100 }
    }
}

/// Features `[frames, 39]` and phones of a sentence.
struct Sentence {
    features: Vec<f32>,
    phones: Vec<u16>,
}

/// Reads `directory/timit`.
///
/// # Errors
///
/// If a folder is missing, a sound is damaged or of another rate, or a transcription has an unknown phone, times that
/// decrease or ends elsewhere than its sound: with file and line.
pub fn load(directory: impl AsRef<Path>, split: Split, pieces: Pieces) -> Result<Dataset> {
    if !(1..=100_000).contains(&pieces.frames) {
        return Err(
            Error::setting("dataset.pieces.frames", pieces.frames).expected("1 to 100000 frames")
        );
    }
    let root = files::root(&directory.as_ref().join("timit"))?;
    let training = sentences(&root, Split::Train)?;
    let range = range(&training.0);
    let (sentences, note) = if split == Split::Train { training } else { sentences(&root, split)? };
    let (mut values, mut phones, mut of) = (Vec::new(), Vec::new(), Vec::new());
    for (number, sentence) in (0..).zip(&sentences) {
        let whole = sentence.phones.len().next_multiple_of(pieces.frames);
        let rows = sentence.features.chunks_exact(CHANNELS);
        for row in rows {
            let scaled = row
                .iter()
                .zip(&range)
                .map(|(x, (low, high))| if high > low { (x - low) / (high - low) } else { 0.0 });
            values.extend(scaled);
        }
        phones.extend(&sentence.phones);
        let missing = whole - sentence.phones.len();
        values.extend(std::iter::repeat_n(0.0, missing * CHANNELS));
        phones.extend(std::iter::repeat_n(UNLABELLED, missing));
        of.extend(std::iter::repeat_n(number, whole / pieces.frames));
    }
    let name = match split {
        Split::Train => "training",
        Split::Valid => "development",
        Split::Test => "core test",
    };
    let origin = format!(
        "TIMIT, {} in {} of {} of 10 ms",
        counted(sentences.len(), &format!("{name} sentence")),
        counted(of.len(), "piece"),
        counted(pieces.frames, "frame")
    );
    let shape = [of.len(), pieces.frames, CHANNELS];
    let names = PHONES.map(str::to_owned).to_vec();
    let data = Dataset::new(shape, names, Inputs::Real(values), Targets::PerStep(phones), origin)?;
    Ok(note.into_iter().fold(data.with_recordings(of)?, Dataset::with_note))
}

/// Least and largest value of every channel.
fn range(sentences: &[Sentence]) -> Vec<(f32, f32)> {
    let mut range = vec![(f32::INFINITY, f32::NEG_INFINITY); CHANNELS];
    for row in sentences.iter().flat_map(|sentence| sentence.features.chunks_exact(CHANNELS)) {
        for ((low, high), x) in range.iter_mut().zip(row) {
            (*low, *high) = (low.min(*x), high.max(*x));
        }
    }
    range
}

/// The sentences of a part, and what to say of its folders.
fn sentences(root: &Path, split: Split) -> Result<(Vec<Sentence>, Option<String>)> {
    let (part, speakers) = match split {
        Split::Train => ("TRAIN", None),
        Split::Valid => ("TEST", Some(DEVELOPMENT)),
        Split::Test => ("TEST", Some(CORE_TEST)),
    };
    let top = files::part(root, part)?;
    let speakers: Option<Vec<&str>> = speakers.map(|names| names.split_whitespace().collect());
    let of_part = |name: &str| speakers.as_ref().is_none_or(|speakers| speakers.contains(&name));
    let (recordings, note) = files::recordings(&top, of_part)?;
    if recordings.is_empty() {
        return Err(Error::format(format!(
            "there are no sentences of the {} part",
            split.purpose()
        ))
        .in_file(&top)
        .expected("DRn/SPEAKER/SENTENCE.WAV, with the speakers of the customary parts"));
    }
    let (sounds, transcriptions): (Vec<PathBuf>, Vec<PathBuf>) = recordings
        .into_iter()
        .map(|Recording { sound, transcription }| (sound, transcription))
        .unzip();
    let mfcc = Mfcc::new(&MfccConfig::new(RATE))?;
    let sentences = audio::read_all(&sounds, RATE, |place, sound| {
        let spans = spans(&transcriptions[place], sound.samples.len())?;
        let features = features(&mfcc, &sound.samples);
        if features.iter().any(|x| !x.is_finite()) {
            return Err(Error::format("the features are not finite")
                .expected("samples from -1 to 1, if they are floats"));
        }
        let (hop, window) = mfcc.hop_and_window();
        let phone = |frame: usize| {
            let centre = frame * hop + window / 2;
            let found = spans.iter().find(|span| (span.0..span.1).contains(&centre));
            found.map_or(UNLABELLED, |span| span.2)
        };
        let phones = (0..features.len() / CHANNELS).map(phone).collect();
        Ok(Sentence { features, phones })
    })?;
    Ok((sentences, note))
}

/// Coefficients, their slopes over five frames, and the slopes of those.
fn features(mfcc: &Mfcc, samples: &[f32]) -> Vec<f32> {
    // As 16-bit numbers, which the energy is customarily computed of.
    let samples: Vec<f32> = samples.iter().map(|x| x * 32768.0).collect();
    let coefficients = mfcc.features(&samples);
    let first = deltas::regression(&coefficients, 13, 2);
    let second = deltas::regression(&first, 13, 2);
    let rows =
        coefficients.chunks_exact(13).zip(first.chunks_exact(13)).zip(second.chunks_exact(13));
    rows.flat_map(|((c, d), dd)| [c, d, dd].concat()).collect()
}

/// The phones of a sentence of so many samples: first sample, the one after the last, number.
fn spans(path: &Path, samples: usize) -> Result<Vec<(usize, usize, u16)>> {
    let text = file::read_text(path)?;
    let mut spans: Vec<(usize, usize, u16)> = Vec::new();
    let mut last = 0;
    for (line, words) in (1..).zip(text.lines()) {
        let bad = |problem: String, expected: &str| {
            let error = Error::format(problem).in_file(path).at_line(line);
            error.expected(expected).remedy(PUBLISHED)
        };
        let words: Vec<&str> = words.split_whitespace().collect();
        let [begin, end, phone] = words.as_slice() else {
            if words.is_empty() {
                continue;
            }
            return Err(bad(format!("{:?}", words.join(" ")), "begin, end and phone"));
        };
        let (Ok(begin), Ok(end)) = (begin.parse::<usize>(), end.parse::<usize>()) else {
            return Err(bad(format!("{begin} to {end}"), "two numbers of samples"));
        };
        let before = spans.last().map_or(0, |span| span.1);
        if end < begin || begin < before {
            return Err(bad(
                format!("{begin} to {end}, after {before}"),
                "times that do not decrease",
            ));
        }
        let Some(number) = number(phone) else {
            return Err(bad(format!("the phone {phone:?}"), "one of the 61 phones of TIMIT"));
        };
        spans.push((begin, end, number));
        last = line;
    }
    let Some(&(_, end, _)) = spans.last() else {
        return Err(Error::format("there are no phones")
            .in_file(path)
            .expected("begin end phone")
            .remedy(PUBLISHED));
    };
    let other = |problem: String, expected: String| {
        Error::format(problem).in_file(path).at_line(last).expected(expected).remedy(
            "it is of another sentence, cut short, or not in samples at 16 kHz: take both files from one copy of TIMIT",
        )
    };
    if end > samples.saturating_add(TOLERANCE) {
        return Err(other(
            format!("the last phone ends at sample {end}"),
            format!("an end near {samples}, that of the sound"),
        ));
    }
    let covered = |span: &(usize, usize, u16)| span.1.min(samples).saturating_sub(span.0);
    let covered: usize = spans.iter().map(covered).sum();
    if covered < samples / 2 {
        return Err(other(
            format!("the phones cover {covered} of the sound's {samples} samples"),
            "phones from its beginning to its end".to_owned(),
        ));
    }
    Ok(spans)
}

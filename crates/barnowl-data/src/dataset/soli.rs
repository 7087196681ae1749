//! deep-soli: eleven gestures before a radar (Wang, Song, Lien, Poupyrev & Hilliges 2016, doi:10.1145/2984511.2984565).
//!
//! A folder of `GESTURE_SESSION_INSTANCE.h5` files, each with range-Doppler images `ch0` to `ch3` `[frames, 1024]` and
//! `label` `[frames, 1]`, and the published split `file_half.json` with the lists `train` and `eval`.

use super::hdf5::File;
use super::{Dataset, Inputs, Split, Targets, UNLABELLED};
use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use barnowl_base::words::counted;
use half::f16;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Gestures.
pub const CLASSES: usize = 11;
/// Pixels of an image.
pub const CHANNELS: usize = 1024;

/// What to do about the published split.
const SPLIT: &str = "it is the authors' split of the recordings: take it from https://github.com/simonwsw/deep-soli";

/// How recordings are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pieces {
    /// Frames of a piece; the last piece of a recording is filled up with frames without a label. Default 40.
    /// Range: 1 to 10000 frames.
    pub frames: usize,
    /// The receiver. Default 0.
    /// Range: 0 to 3.
    pub channel: usize,
}

impl Default for Pieces {
    fn default() -> Self {
        Self { frames: 40, channel: 0 }
    }
}

#[derive(Deserialize)]
struct Lists {
    train: Vec<String>,
    eval: Vec<String>,
}

/// Reads the recordings of `directory/soli` that the split names, those of its list `eval` for testing.
///
/// # Errors
///
/// If the split or a recording is missing or damaged: with the file.
pub fn load(directory: impl AsRef<Path>, split: Split, pieces: Pieces) -> Result<Dataset> {
    let test = split.is_test_of_two("deep-soli")?;
    if !(1..=10_000).contains(&pieces.frames) {
        return Err(
            Error::setting("dataset.pieces.frames", pieces.frames).expected("1 to 10000 frames")
        );
    }
    if pieces.channel > 3 {
        return Err(Error::setting("dataset.pieces.channel", pieces.channel).expected("0 to 3"));
    }
    let folder = directory.as_ref().join("soli");
    let path = folder.join("file_half.json");
    let text = file::read_text(&path).map_err(|error| {
        error.if_missing(format!("{SPLIT}; `barnowl data` lists what is expected"))
    })?;
    let lists: Lists = serde_json::from_str(&text).map_err(|error| {
        Error::format(error.to_string())
            .in_file(&path)
            .expected("two lists of recordings, train and eval, as published")
            .remedy(SPLIT)
    })?;
    let names = if test { lists.eval } else { lists.train };
    if names.is_empty() {
        let list = if test { "eval" } else { "train" };
        return Err(Error::format(format!("the list {list} is empty"))
            .in_file(&path)
            .expected("names of recordings, such as 0_1_0")
            .remedy(SPLIT));
    }
    let recordings: Vec<Result<_>> = names
        .par_iter()
        .map(|name| recording(&folder.join(format!("{name}.h5")), pieces))
        .collect();
    let (mut values, mut labels, mut of) = (Vec::new(), Vec::new(), Vec::new());
    for (number, recording) in (0..).zip(recordings) {
        let (images, classes) = recording?;
        let count = classes.len() / pieces.frames;
        values.extend(images);
        labels.extend(classes);
        of.extend(std::iter::repeat_n(number, count));
    }
    let part = split.purpose();
    let origin = format!(
        "deep-soli, {} in {} of {}, receiver {}",
        counted(names.len(), &format!("{part} recording")),
        counted(of.len(), "piece"),
        counted(pieces.frames, "frame"),
        pieces.channel
    );
    let shape = [of.len(), pieces.frames, CHANNELS];
    let class_names = (0..CLASSES).map(|class| class.to_string()).collect();
    Dataset::new(shape, class_names, Inputs::Half(values), Targets::PerStep(labels), origin)?
        .with_recordings(of)
}

/// Images and labels of a recording, filled up to whole pieces.
fn recording(path: &Path, pieces: Pieces) -> Result<(Vec<f16>, Vec<u16>)> {
    let file = File::open(path).map_err(|error| {
        error.if_missing("file_half.json names it: `barnowl data` lists what is expected")
    })?;
    let name = format!("ch{}", pieces.channel);
    let (images, labels) = (file.numbers(&name)?, file.numbers("label")?);
    let in_file = |error: Error| error.in_file(path);
    let &[frames, CHANNELS] = images.shape.as_slice() else {
        return Err(in_file(
            Error::format(format!("{name} is {:?}", images.shape))
                .expected(format!("[frames, {CHANNELS}]")),
        ));
    };
    if labels.values.len() != frames || frames == 0 {
        return Err(in_file(
            Error::format(format!(
                "{} and {}",
                counted(frames, "frame"),
                counted(labels.values.len(), "label")
            ))
            .expected("a label for every frame, and one of them"),
        ));
    }
    let class = |(frame, label): (usize, &f64)| {
        if (0.0..CLASSES as f64).contains(label) && label.fract() == 0.0 {
            return Ok(*label as u16);
        }
        Err(in_file(
            Error::format(format!("the label of frame {frame} is {label}"))
                .expected(format!("0 to {}", CLASSES - 1))
                .remedy("the file is damaged, or of other gestures: get it again"),
        ))
    };
    let mut classes = labels.values.iter().enumerate().map(class).collect::<Result<Vec<_>>>()?;
    let fits = |x: &f64| f16::from_f64(*x).is_finite();
    if let Some(bad) = images.values.iter().position(|x| !fits(x)) {
        return Err(in_file(
            Error::format(format!("a pixel of frame {} is {}", bad / CHANNELS, images.values[bad]))
                .expected("a number that half precision holds, -65504 to 65504"),
        ));
    }
    let whole = frames.next_multiple_of(pieces.frames);
    let mut values: Vec<f16> = images.values.iter().map(|x| f16::from_f64(*x)).collect();
    values.resize(whole * CHANNELS, f16::ZERO);
    classes.resize(whole, UNLABELLED);
    Ok((values, classes))
}

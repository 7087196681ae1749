//! Google Speech Commands: one-second words (Warden 2018, arXiv 1804.03209).
//!
//! A folder for every word, `_background_noise_`, and the official lists `validation_list.txt` and `testing_list.txt`. Of
//! twelve classes, ten are words, one all other words, one silence: pieces of the background noise, cut at random places.

use super::speech::SpeechFeatures;
use super::{Dataset, Inputs, Split, Targets, audio};
use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use barnowl_base::words::counted;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Samples a second.
pub const RATE: u32 = 16_000;

/// The ten words of twelve classes.
pub const WORDS: [&str; 10] =
    ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"];

/// Pieces of silence to train on, to validate with and to test with: as many as in the script of Yin, Corradi & Bohté (2021)
/// to train on and to validate with.
pub const SILENCES: [usize; 3] = [2300, 260, 260];

/// Which words are classes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Classes {
    /// Ten words ([`WORDS`]: yes, no, up, down, left, right, on, off, stop, go), `silence` and `unknown`.
    #[default]
    Twelve,
    /// Every word.
    All,
}

/// What to do where a part of the archive is not there.
const UNPACK: &str = "the archive was unpacked in part: unpack it again, or get it with `barnowl data fetch gsc --data DIR`";

/// What a sequence is made from.
enum Piece {
    /// A file.
    Word(PathBuf),
    /// A second of background noise: which file, and how far into it (0 to 1).
    Silence(usize, f64),
}

/// Reads a part of `directory/gsc`, by the official lists (what stands on neither is the training part), and computes features `[N, T, 3 · mels]`; with twelve classes, so many pieces of `silences` are added
/// to the training, validation and test part, such as [`SILENCES`].
///
/// # Errors
///
/// If a list, a file that it names or a folder is missing, or a file is damaged or of another rate: with the file.
pub fn load(
    directory: impl AsRef<Path>,
    split: Split,
    classes: Classes,
    silences: [usize; 3],
    features: &SpeechFeatures,
) -> Result<Dataset> {
    let folder = directory.as_ref().join("gsc");
    let extractor = features.extractor("dataset.features", RATE)?;
    let [valid, test] =
        ["validation_list.txt", "testing_list.txt"].map(|name| List::read(folder.join(name)));
    let (mut valid, mut test) = (valid?, test?);
    let (words, empty) = words(&folder)?;
    let names: Vec<String> = match classes {
        Classes::Twelve => {
            WORDS.iter().copied().chain(["silence", "unknown"]).map(str::to_owned).collect()
        }
        Classes::All => words.clone(),
    };
    let mut pieces = Vec::new();
    let mut targets = Vec::new();
    for word in &words {
        let class = names.iter().position(|name| name == word).unwrap_or(names.len() - 1);
        for path in file::files(folder.join(word), "wav")? {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let key = format!("{word}/{file}");
            let of = match (valid.files.remove(&key), test.files.remove(&key)) {
                (Some(_), _) => Split::Valid,
                (_, Some(_)) => Split::Test,
                _ => Split::Train,
            };
            if of == split {
                pieces.push(Piece::Word(path));
                targets.push(class as u16);
            }
        }
    }
    valid.check_all_found()?;
    test.check_all_found()?;
    let mut noise = Vec::new();
    if classes == Classes::Twelve {
        let files = file::files(folder.join("_background_noise_"), "wav")
            .map_err(|error| error.if_missing(UNPACK))?;
        noise = audio::read_all(&files, RATE, |_, sound| Ok(sound.samples))?;
        if noise.is_empty() {
            return Err(Error::format("there is no background noise")
                .in_file(folder.join("_background_noise_"))
                .expected("WAV files, which silence is cut from")
                .remedy(UNPACK));
        }
        let place = split as usize;
        let mut rng = ChaCha8Rng::seed_from_u64(0x51_1E_7C_E0 + place as u64);
        for _ in 0..silences[place] {
            pieces.push(Piece::Silence(rng.random_range(0..noise.len()), rng.random()));
            targets.push(WORDS.len() as u16);
        }
    }
    if pieces.is_empty() {
        return Err(Error::format(format!("there are no words of the {} part", split.purpose()))
            .in_file(&folder)
            .expected("a folder for every word, with WAV files"));
    }
    let paths: Vec<PathBuf> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Word(path) => Some(path.clone()),
            Piece::Silence(..) => None,
        })
        .collect();
    // Words stand before silences.
    let mut values =
        audio::read_all(&paths, RATE, |_, sound| Ok(extractor.features(&sound.samples)))?;
    for piece in &pieces {
        if let Piece::Silence(file, place) = piece {
            let sound = &noise[*file];
            let last = sound.len().saturating_sub(extractor.samples());
            let start = (place * last as f64) as usize;
            let end = sound.len().min(start + extractor.samples());
            values.push(extractor.features(&sound[start..end]));
        }
    }
    let shape = [pieces.len(), extractor.steps(), features.channels()];
    let origin = format!(
        "Google Speech Commands, {} of the {} part, {}, {} with deltas every {} ms",
        counted(pieces.len(), "sound"),
        split.purpose(),
        counted(names.len(), "class"),
        counted(features.mels, "mel band"),
        features.hop_ms
    );
    let inputs = Inputs::Half(values.concat());
    let mut data = Dataset::new(shape, names, inputs, Targets::PerSequence(targets), origin)?;
    if !empty.is_empty() {
        data = data.with_note(format!("folders without sounds are no words: {}", empty.join(", ")));
    }
    Ok(if features.scale_batches { data.scaled_by_batch() } else { data })
}

/// The words, which are folders with sounds whose names do not begin with `_`, and the folders without sounds; sorted.
fn words(folder: &Path) -> Result<(Vec<String>, Vec<String>)> {
    let (mut words, mut empty) = (Vec::new(), Vec::new());
    for path in file::folders(folder)? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if !name.starts_with('_') {
            let has_sounds = !file::files(&path, "wav")?.is_empty();
            if has_sounds { &mut words } else { &mut empty }.push(name.to_owned());
        }
    }
    if words.is_empty() {
        return Err(Error::format("there are no folders of words")
            .in_file(folder)
            .expected("yes/, no/ and so on, each with WAV files"));
    }
    Ok((words, empty))
}

/// An official list: its files that were not found yet, each with its line.
struct List {
    path: PathBuf,
    files: BTreeMap<String, usize>,
}

impl List {
    fn read(path: PathBuf) -> Result<Self> {
        let text = file::read_text(&path).map_err(|error| {
            error.if_missing(
                "it is part of the data set, and the official split needs it: `barnowl data` says where gsc comes from",
            )
        })?;
        let mut files = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            if line.split('/').count() != 2 {
                return Err(Error::format(format!("{line:?}"))
                    .in_file(&path)
                    .at_line(number)
                    .expected("word/file.wav")
                    .remedy("take the list out of the archive again"));
            }
            files.entry(line.to_owned()).or_insert(number);
        }
        if files.is_empty() {
            // All of its files would count as training data.
            return Err(Error::format("the list is empty")
                .in_file(&path)
                .at_line(1)
                .expected("word/file.wav, a line for every file of the part")
                .remedy(UNPACK));
        }
        Ok(Self { path, files })
    }

    /// Refuses a list of which files are not there: the part would be another one than that of published results.
    fn check_all_found(&self) -> Result<()> {
        let Some((file, line)) = self.files.iter().min_by_key(|(_, line)| **line) else {
            return Ok(());
        };
        let more = match self.files.len() {
            1 => String::new(),
            n => format!(", {n} files of the list are missing"),
        };
        Err(Error::format(format!("{file} is not there{more}"))
            .in_file(&self.path)
            .at_line(*line)
            .expected("every file of the list")
            .remedy(format!("{UNPACK}; words that are left out have to leave the lists too")))
    }
}

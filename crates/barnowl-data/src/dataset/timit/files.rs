//! Where sentences and their transcriptions are, in the LDC's layout and in those of mirrors.

use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use barnowl_base::words::{agreeing, counted};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The files of a sentence.
pub(super) struct Recording {
    pub(super) sound: PathBuf,
    pub(super) transcription: PathBuf,
}

/// How far below its folder TIMIT may lie: `data/TRAIN`, `TIMIT/TRAIN`, `archive/data/TRAIN`.
const DEEPEST: usize = 2;

/// The folder that holds `TRAIN` and `TEST`.
///
/// # Errors
///
/// If there is none, or several.
pub(super) fn root(folder: &Path) -> Result<PathBuf> {
    let mut level = vec![folder.to_path_buf()];
    for _ in 0..=DEEPEST {
        let inner: Vec<Vec<PathBuf>> = level
            .iter()
            .map(file::folders)
            .collect::<Result<_>>()
            .map_err(|error| error.if_missing("`barnowl data` says where timit comes from"))?;
        let holds = |inside: &Vec<PathBuf>| inside.iter().any(|path| name(path) == "train");
        let found = level.iter().zip(&inner).filter(|(_, inside)| holds(inside));
        match found.map(|(path, _)| path).collect::<Vec<_>>().as_slice() {
            [] => {}
            [root] => return Ok((*root).clone()),
            [first, second, ..] => {
                return Err(Error::format(format!(
                    "there is another copy in {}",
                    second.display()
                ))
                .in_file(first)
                .expected("one copy of TIMIT")
                .remedy("move one of the two out of the folder"));
            }
        }
        level = inner.concat();
    }
    Err(missing(folder, "TRAIN"))
}

/// The folder of a part, `TRAIN` or `TEST`, in either case.
///
/// # Errors
///
/// If it is not there.
pub(super) fn part(root: &Path, part: &str) -> Result<PathBuf> {
    let found = file::folders(root)?.into_iter().find(|path| name(path).eq_ignore_ascii_case(part));
    found.ok_or_else(|| missing(root, part))
}

fn missing(folder: &Path, part: &str) -> Error {
    Error::format("there is no such folder")
        .in_file(folder.join(part))
        .expected("TRAIN/ and TEST/ of TIMIT, there or in a folder such as data/ or TIMIT/ below")
        .remedy("`barnowl data` says where timit comes from")
}

/// The sentences of the speakers that are `of_part`, by region, speaker and sentence, each once, without those that all
/// read; and what to say of folders of speakers that hold none.
///
/// # Errors
///
/// If a folder cannot be read, or a sentence has no transcription.
pub(super) fn recordings(
    top: &Path,
    of_part: impl Fn(&str) -> bool,
) -> Result<(Vec<Recording>, Option<String>)> {
    let mut sounds = BTreeMap::<[String; 3], PathBuf>::new();
    let mut transcriptions = BTreeMap::new();
    let mut empty = Vec::new();
    for region in file::folders(top)? {
        for speaker in file::folders(&region)?.iter().filter(|speaker| of_part(&name(speaker))) {
            let key = |path: &Path| [name(&region), name(speaker), sentence(path)];
            let files = file::files(speaker, "wav")?;
            if files.is_empty() {
                empty.push(speaker.display().to_string());
            }
            // Of several copies the one with the shortest name, which is the LDC's.
            for path in files {
                let kept = sounds.entry(key(&path)).or_insert_with(|| path.clone());
                if name(&path).len() < name(kept).len() {
                    *kept = path;
                }
            }
            for path in file::files(speaker, "phn")? {
                transcriptions.entry(key(&path)).or_insert(path);
            }
        }
    }
    sounds.retain(|[.., sentence], _| !sentence.starts_with("sa"));
    let recording = |(key, sound): ([String; 3], PathBuf)| match transcriptions.remove(&key) {
        Some(transcription) => Ok(Recording { sound, transcription }),
        None => Err(no_transcription(&sound)),
    };
    let recordings = sounds.into_iter().map(recording).collect::<Result<_>>()?;
    let note = (!empty.is_empty()).then(|| {
        format!(
            "{} of speakers {} no sounds: {}",
            counted(empty.len(), "folder"),
            agreeing(empty.len(), "holds", "hold"),
            empty.join(", ")
        )
    });
    Ok((recordings, note))
}

/// The name of a file or folder in lower case.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// The sentence that a file is of, in lower case: `sx1` of `SX1.WAV`, `SX1.WAV.wav` and `SX1.PHN`.
fn sentence(path: &Path) -> String {
    let name = name(path);
    name.split('.').next().unwrap_or_default().to_owned()
}

fn no_transcription(sound: &Path) -> Error {
    let file = sound.file_name().unwrap_or_default().to_string_lossy();
    let sentence = file.split('.').next().unwrap_or_default();
    Error::format("there is no transcription")
        .in_file(sound.with_file_name(format!("{sentence}.PHN")))
        .expected(format!("a .PHN file beside {file}"))
        .remedy("copy it from TIMIT: `barnowl data` lists what is expected")
}

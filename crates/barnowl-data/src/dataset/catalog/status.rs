//! Whether the files of a data set are there, and what was published.

use super::checksum::Checksum;
use super::source::{A_FEW, Expected, Source};
use super::sources::SOURCES;
use super::sums::Sums;
use crate::dataset::mnist;
use barnowl_base::error::Result;
use barnowl_base::file;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Whether a data set is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "status", content = "missing")]
pub enum Status {
    /// No folder of its name.
    Absent,
    /// Some files are missing: their names, or how many there are.
    Incomplete(Vec<String>),
    /// All files are there.
    Complete,
}

/// The data set of a name.
#[must_use]
pub fn source(name: &str) -> Option<&'static Source> {
    SOURCES.iter().find(|source| source.name == name)
}

impl Source {
    /// Whether the files are there, in `data/NAME`. What they hold is not looked at.
    #[must_use]
    pub fn status(&self, data: &Path) -> Status {
        let folder = data.join(self.name);
        if !folder.is_dir() {
            return Status::Absent;
        }
        let mut missing = Vec::new();
        for expected in self.files {
            match expected {
                Expected::File { path, .. } => {
                    if present(&folder, path).is_none() {
                        missing.push((*path).to_owned());
                    }
                }
                Expected::Files { folder: inner, extension, counts } => {
                    let found = count_files(&folder.join(inner), extension, 0);
                    if !suffices(found, counts) {
                        let place = if inner.is_empty() { self.name } else { inner };
                        let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
                        missing.push(format!(
                            "more than {found} of {} .{extension} files in {place}",
                            counts.join(" or ")
                        ));
                    }
                }
            }
        }
        if missing.is_empty() { Status::Complete } else { Status::Incomplete(missing) }
    }

    /// The published checksum of what a file holds, by its path in the folder, with `.gz` behind its name or not.
    #[must_use]
    pub fn checksum(&self, path: &str) -> Option<Checksum<'static>> {
        let name = path.strip_suffix(".gz").unwrap_or(path);
        self.files.iter().find_map(|expected| match expected {
            Expected::File { path, checksum } if *path == name => *checksum,
            _ => None,
        })
    }

    /// Compares the files that are there with their checksums, those known here and those of a list in the folder
    /// ([`Sums`]): every file that has one, and the result.
    ///
    /// # Errors
    ///
    /// If the list cannot be read.
    pub fn compare(&self, data: &Path) -> Result<Vec<(PathBuf, Result<()>)>> {
        let folder = data.join(self.name);
        let known = self.files.iter().filter_map(|expected| match expected {
            Expected::File { path, checksum: Some(checksum) } => {
                let path = present(&folder, path)?;
                let compared = checksum.verify_contents(&path);
                Some((path, compared))
            }
            _ => None,
        });
        let sums = Sums::read(&folder)?;
        let listed = sums.iter().filter_map(|(path, checksum)| {
            let path = folder.join(path);
            if !path.is_file() {
                return None;
            }
            let compared = checksum.verify_file(&path);
            Some((path, compared))
        });
        Ok(known.chain(listed).collect())
    }

    /// [Compares](Self::compare), and returns how many files have a checksum.
    ///
    /// # Errors
    ///
    /// The first that differs, or cannot be read.
    pub fn verify(&self, data: &Path) -> Result<usize> {
        let compared = self.compare(data)?;
        let count = compared.len();
        compared.into_iter().try_for_each(|(_, result)| result)?;
        Ok(count)
    }
}

/// The file, or the same with `.gz` behind its name or under another name that its reader knows.
fn present(folder: &Path, path: &str) -> Option<PathBuf> {
    mnist::places(path).into_iter().map(|place| folder.join(place)).find(|path| path.is_file())
}

/// Whether as many files were found as one of the versions of the data has.
fn suffices(found: usize, counts: &[usize]) -> bool {
    match counts {
        [others @ .., last] => {
            found >= *last || others.iter().any(|count| (*count..=count + A_FEW).contains(&found))
        }
        [] => true,
    }
}

/// Files with an extension in a folder and below, hidden ones left out; folders that cannot be read count as empty. A copy
/// of a file, with the extension once more behind its name (`SX1.WAV.wav`), counts once.
fn count_files(folder: &Path, extension: &str, depth: usize) -> usize {
    const DEEPEST: usize = 8;
    let stem = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        name.trim_end_matches(&format!(".{extension}")).to_owned()
    };
    let files = file::files(folder, extension).unwrap_or_default();
    let count = files.iter().map(stem).collect::<std::collections::BTreeSet<_>>().len();
    let folders = if depth < DEEPEST { file::folders(folder) } else { Ok(Vec::new()) };
    let folders = folders.unwrap_or_default();
    count + folders.iter().map(|inner| count_files(inner, extension, depth + 1)).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: Checksum<'static> = Checksum::Md5("d41d8cd98f00b204e9800998ecf8427e");

    const TOY: Source = Source {
        name: "toy",
        title: "a toy",
        tasks: &["toy"],
        licence: "none",
        page: "nowhere",
        expects: "a.bin and two sounds",
        files: &[
            Expected::File { path: "a.bin", checksum: Some(EMPTY) },
            Expected::Files { folder: "sounds", extension: "wav", counts: &[2] },
        ],
        downloads: &[],
        by_hand: "",
    };

    #[test]
    fn status_and_checksums() {
        let temp = tempfile::tempdir().unwrap();
        let data = temp.path();
        assert_eq!(TOY.status(data), Status::Absent);
        std::fs::create_dir_all(data.join("toy/sounds/deep")).unwrap();
        for name in ["1.WAV", "1.WAV.wav", "._1.WAV"] {
            std::fs::write(data.join("toy/sounds/deep").join(name), "").unwrap();
        }
        let Status::Incomplete(missing) = TOY.status(data) else { panic!("not incomplete") };
        assert_eq!(missing, ["a.bin", "more than 1 of 2 .wav files in sounds"]);
        std::fs::write(data.join("toy/sounds/2.wav"), "").unwrap();
        std::fs::write(data.join("toy/a.bin"), "").unwrap();
        assert_eq!(TOY.status(data), Status::Complete);
        assert_eq!(TOY.verify(data).unwrap(), 1);
        std::fs::write(data.join("toy/a.bin"), "x").unwrap();
        let error = TOY.verify(data).unwrap_err().to_string();
        assert!(error.contains("9dd4e461268c8034f5c8564e155c67a6"), "{error}");
        assert!(error.contains("d41d8cd98f00b204e9800998ecf8427e, as published"), "{error}");
    }

    #[test]
    fn a_compressed_file_is_judged_by_what_it_holds() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("toy")).unwrap();
        let path = temp.path().join("toy/a.bin.gz");
        let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let packed = gzip.finish().unwrap();
        std::fs::write(&path, &packed).unwrap();
        assert_eq!(TOY.verify(temp.path()).unwrap(), 1);
        assert_eq!(TOY.checksum("a.bin.gz"), Some(EMPTY));
        for damaged in [&b"garbage"[..], &packed[..packed.len() - 3]] {
            std::fs::write(&path, damaged).unwrap();
            let error = TOY.verify(temp.path()).unwrap_err().to_string();
            assert!(error.contains("a.bin.gz") && error.contains("get it again"), "{error}");
        }
    }

    #[test]
    fn files_are_compared_with_a_list_beside_them() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("toy");
        std::fs::create_dir(&folder).unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        std::fs::write(folder.join(Sums::FILE), format!("{abc} b.txt\n{abc} c.txt\n")).unwrap();
        std::fs::write(folder.join("b.txt"), "abc").unwrap();
        assert_eq!(TOY.verify(temp.path()).unwrap(), 1);
        std::fs::write(folder.join("c.txt"), "abd").unwrap();
        let compared = TOY.compare(temp.path()).unwrap();
        let equal: Vec<bool> = compared.iter().map(|(_, result)| result.is_ok()).collect();
        assert_eq!(equal, [true, false]);
    }

    #[test]
    fn a_later_version_cut_short_is_no_earlier_one() {
        let versions = [64_727, 105_829];
        for whole in [64_727, 64_733, 105_829, 105_835, 200_000] {
            assert!(suffices(whole, &versions), "{whole}");
        }
        for part in [0, 64_726, 64_738, 90_000, 105_828] {
            assert!(!suffices(part, &versions), "{part}");
        }
    }
}

//! The data sets of the tasks: where each comes from, under which licence, which files are expected, and whether they are
//! there.

mod sources;

pub use sources::SOURCES;

use crate::error::{Error, Result};
use crate::file;
use flate2::read::MultiGzDecoder;
use md5::Md5;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

/// A data set, and how to come by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The name, which is that of the folder below the data folder.
    pub name: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// The tasks that use it.
    pub tasks: &'static [&'static str],
    /// The licence of the data.
    pub licence: &'static str,
    /// The page that describes it.
    pub page: &'static str,
    /// What the folder has to hold, for a reader.
    pub expects: &'static str,
    /// What the folder has to hold.
    pub files: &'static [Expected],
    /// What can be downloaded; nothing, where the data are not openly served.
    pub downloads: &'static [Download],
}

/// Files that a data set consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Expected {
    /// One file, plain or with `.gz` behind its name.
    File {
        /// Its path in the folder.
        path: &'static str,
        /// The checksum of its contents, not compressed, where one is published.
        checksum: Option<Checksum>,
    },
    /// So many files with an extension in a folder and those below it, whatever their names.
    Files {
        /// The path of the folder in the folder of the data set; empty for that itself.
        folder: &'static str,
        /// In lower case, without the dot; upper case counts too.
        extension: &'static str,
        /// At least so many.
        count: usize,
    },
}

/// A file to download.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Download {
    /// Where it is served.
    pub url: &'static str,
    /// Its checksum, where one is published.
    pub checksum: Option<Checksum>,
    /// What becomes of it.
    pub archive: Archive,
}

impl Download {
    /// The last part of the address.
    #[must_use]
    pub fn file_name(&self) -> &'static str {
        self.url.rsplit('/').next().unwrap_or(self.url)
    }
}

/// What becomes of a downloaded file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Archive {
    /// It is kept as it is.
    None,
    /// The files of a zip archive go into the folder.
    Zip,
    /// The files of a compressed tape archive go into the folder, less so many leading parts of their paths.
    TarGz {
        /// The parts that are dropped.
        strip: usize,
    },
}

/// A published checksum, in hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Checksum {
    /// MD5: tells damage, not malice.
    Md5(&'static str),
    /// SHA-256.
    Sha256(&'static str),
}

impl Checksum {
    /// Compares with the checksum of what `reader` gives.
    ///
    /// # Errors
    ///
    /// If they differ, or reading fails.
    pub fn verify(&self, mut reader: impl Read, path: &Path) -> Result<()> {
        let (name, expected, found) = match self {
            Self::Md5(expected) => ("MD5", expected, digest::<Md5>(&mut reader)),
            Self::Sha256(expected) => ("SHA-256", expected, digest::<Sha256>(&mut reader)),
        };
        let found = found.map_err(|error| Error::io("read", path, error))?;
        if found == *expected {
            return Ok(());
        }
        Err(Error::format(format!("the {name} checksum is {found}"))
            .in_file(path)
            .expected(format!("{expected}, as published"))
            .remedy("the file is damaged or another one: get it again"))
    }
}

fn digest<D: Digest>(reader: &mut impl Read) -> std::io::Result<String> {
    let (mut digest, mut buffer) = (D::new(), vec![0; 1 << 16]);
    loop {
        match reader.read(&mut buffer)? {
            0 => break,
            n => digest.update(&buffer[..n]),
        }
    }
    Ok(digest.finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string makes no error.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

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
                Expected::Files { folder: inner, extension, count } => {
                    let found = count_files(&folder.join(inner), extension, 0);
                    if found < *count {
                        let place = if inner.is_empty() { self.name } else { inner };
                        missing.push(format!("{found} of {count} .{extension} files in {place}"));
                    }
                }
            }
        }
        if missing.is_empty() { Status::Complete } else { Status::Incomplete(missing) }
    }

    /// Compares the files with their published checksums, and returns how many have one.
    ///
    /// # Errors
    ///
    /// The first that differs, or cannot be read.
    pub fn verify(&self, data: &Path) -> Result<usize> {
        let folder = data.join(self.name);
        let mut verified = 0;
        for expected in self.files {
            let Expected::File { path, checksum: Some(checksum) } = expected else { continue };
            let Some(path) = present(&folder, path) else {
                return Err(Error::format("there is no such file").in_file(folder.join(path)));
            };
            let file = std::io::BufReader::new(file::open(&path)?);
            if path.extension().is_some_and(|extension| extension == "gz") {
                checksum.verify(MultiGzDecoder::new(file), &path)?;
            } else {
                checksum.verify(file, &path)?;
            }
            verified += 1;
        }
        Ok(verified)
    }
}

/// The file, or the same with `.gz` behind its name.
fn present(folder: &Path, path: &str) -> Option<std::path::PathBuf> {
    [folder.join(path), folder.join(format!("{path}.gz"))].into_iter().find(|path| path.is_file())
}

/// Files with an extension in a folder and below; folders that cannot be read count as empty.
fn count_files(folder: &Path, extension: &str, depth: usize) -> usize {
    const DEEPEST: usize = 8;
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let mut count = 0;
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() && depth < DEEPEST {
            count += count_files(&path, extension, depth + 1);
        } else if path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension)) {
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: Checksum = Checksum::Md5("d41d8cd98f00b204e9800998ecf8427e");

    const TOY: Source = Source {
        name: "toy",
        title: "a toy",
        tasks: &["toy"],
        licence: "none",
        page: "nowhere",
        expects: "a.bin and two sounds",
        files: &[
            Expected::File { path: "a.bin", checksum: Some(EMPTY) },
            Expected::Files { folder: "sounds", extension: "wav", count: 2 },
        ],
        downloads: &[],
    };

    #[test]
    fn status_and_checksums() {
        let temp = tempfile::tempdir().unwrap();
        let data = temp.path();
        assert_eq!(TOY.status(data), Status::Absent);
        std::fs::create_dir_all(data.join("toy/sounds/deep")).unwrap();
        std::fs::write(data.join("toy/sounds/deep/1.WAV"), "").unwrap();
        let Status::Incomplete(missing) = TOY.status(data) else { panic!("not incomplete") };
        assert_eq!(missing, ["a.bin", "1 of 2 .wav files in sounds"]);
        assert!(TOY.verify(data).unwrap_err().to_string().contains("a.bin"));
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
    fn sha_256_is_that_of_the_standard() {
        let sum =
            Checksum::Sha256("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        sum.verify(&b"abc"[..], Path::new("abc")).unwrap();
        assert!(sum.verify(&b"abd"[..], Path::new("abd")).is_err());
    }

    #[test]
    fn every_source_is_whole() {
        for source in SOURCES {
            assert!(!source.tasks.is_empty() && !source.files.is_empty(), "{}", source.name);
            for download in source.downloads {
                assert!(download.url.starts_with("https://"), "{}", download.url);
                assert!(!download.file_name().is_empty());
            }
            for checksum in source
                .files
                .iter()
                .filter_map(|expected| match expected {
                    Expected::File { checksum, .. } => *checksum,
                    Expected::Files { .. } => None,
                })
                .chain(source.downloads.iter().filter_map(|download| download.checksum))
            {
                let (digits, length) = match checksum {
                    Checksum::Md5(digits) => (digits, 32),
                    Checksum::Sha256(digits) => (digits, 64),
                };
                assert!(digits.len() == length && digits.chars().all(|c| c.is_ascii_hexdigit()));
            }
        }
    }
}

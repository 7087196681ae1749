//! Lists of checksums, as PhysioNet serves them beside its files.

use super::Checksum;
use barnowl_base::error::Result;
use barnowl_base::file;
use std::collections::BTreeMap;
use std::path::Path;

/// The SHA-256 checksums of files in a folder, by their paths in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums(BTreeMap<String, String>);

impl Sums {
    /// The name of the list: a line a file, its digits before its path.
    pub const FILE: &'static str = "SHA256SUMS.txt";

    /// Reads the list of a folder; without one, or without such lines in it, there are no checksums.
    ///
    /// # Errors
    ///
    /// If the list is there and cannot be read.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(Self::FILE);
        if !path.is_file() {
            return Ok(Self::default());
        }
        let text = file::read_text(&path)?;
        let sum = |line: &str| {
            let (digits, name) = line.split_once(char::is_whitespace)?;
            let is_sum = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            // `sha256sum` marks files that it read as binary.
            let name = name.trim().trim_start_matches('*');
            is_sum.then(|| (name.to_owned(), digits.to_ascii_lowercase()))
        };
        Ok(Self(text.lines().filter_map(sum).collect()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The checksum of a file.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Checksum<'_>> {
        self.0.get(path).map(|digits| Checksum::Sha256(digits.as_str()))
    }

    /// Paths and checksums, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Checksum<'_>)> {
        self.0.iter().map(|(path, digits)| (path.as_str(), Checksum::Sha256(digits.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_digits_and_paths_are_read_and_others_left_out() {
        let temp = tempfile::tempdir().unwrap();
        assert!(Sums::read(temp.path()).unwrap().is_empty());
        let (a, b) = ("0a".repeat(32), "1B".repeat(32));
        let text = format!("{a} sel100.hea\n{b}  *doc/index.html\n\n1234 short\nnothing\n");
        std::fs::write(temp.path().join(Sums::FILE), text).unwrap();
        let sums = Sums::read(temp.path()).unwrap();
        assert_eq!(sums.get("sel100.hea"), Some(Checksum::Sha256(&a)));
        assert_eq!(sums.get("short"), None);
        let paths: Vec<&str> = sums.iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["doc/index.html", "sel100.hea"]);
        assert_eq!(sums.get(paths[0]), Some(Checksum::Sha256(&b.to_lowercase())));
    }
}

//! The arrays of a part: an `.npz` archive, or `.npy` files in a folder.

use super::context::Context;
use super::groups::Groups;
use super::npy::{Array, Values, array};
use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

/// The arrays that are read, each under any of its names.
pub(super) const X: &[&str] = &["x"];
pub(super) const Y: &[&str] = &["y"];
pub(super) const LENGTHS: &[&str] = &["lengths", "length"];
pub(super) const CLASS_NAMES: &[&str] = &["class_names", "classes"];
pub(super) const CHANNEL_NAMES: &[&str] = &["channel_names", "channels"];
pub(super) const GROUPS: &[&str] = &["groups", "subjects"];

/// What the numbers are called, under either name.
pub(super) const TARGET_NAMES: &[&str] = &["target_names", "class_names"];

/// A member of an archive takes no more than this, however well it is packed.
const MOST_BYTES: u64 = 32 << 30;

/// The arrays of a part, by name.
pub(super) struct Arrays {
    all: BTreeMap<String, Array>,
    place: PathBuf,
}

impl Arrays {
    /// An array alone.
    pub(super) fn of_array(x: Array, path: &Path) -> Self {
        Self { all: BTreeMap::from([("x".to_owned(), x)]), place: path.to_path_buf() }
    }

    pub(super) fn of_part(folder: &Path, part: &str, context: &Context<'_>) -> Result<Self> {
        let archive = folder.join(format!("{part}.npz"));
        if archive.is_file() {
            return Self::of_archive(&archive, context);
        }
        let place = folder.join(part);
        let mut all = BTreeMap::new();
        for path in file::files(&place, "npy")? {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if Self::is_known(&name, context) {
                let array = array(&file::read(&path)?, &path, &name)?;
                all.insert(name, array);
            }
        }
        Ok(Self { all, place })
    }

    pub(super) fn of_archive(path: &Path, context: &Context<'_>) -> Result<Self> {
        let bytes = file::read(path)?;
        let damaged = |error: &dyn Display| {
            Error::format(format!("the archive cannot be read: {error}"))
                .in_file(path)
                .expected("what numpy.savez or numpy.savez_compressed writes")
        };
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
        let names = zip.file_names().map(|name| name.map(|name| name.into_owned()));
        let names: Vec<String> =
            names.collect::<std::result::Result<_, _>>().map_err(|error| damaged(&error))?;
        let mut all = BTreeMap::new();
        for file_name in &names {
            let name = file_name.strip_suffix(".npy").unwrap_or(file_name).to_owned();
            if !Self::is_known(&name, context) {
                continue;
            }
            let entry = zip.by_name(file_name).map_err(|error| damaged(&error))?;
            let mut bytes = Vec::new();
            let mut entry = entry.take(MOST_BYTES + 1);
            entry.read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
            if bytes.len() as u64 > MOST_BYTES {
                return Err(damaged(&format!("{name} takes more than {MOST_BYTES} bytes")));
            }
            all.insert(name.clone(), array(&bytes, path, &name)?);
        }
        let arrays = Self { all, place: path.to_path_buf() };
        if arrays.get(X).is_none() {
            let mut found: Vec<&str> =
                names.iter().map(|name| name.trim_end_matches(".npy")).collect();
            found.sort();
            return Err(Error::format(format!("there is no array x, but {}", found.join(", ")))
                .in_file(path)
                .expected("x [N, T, C] and y [N] or [N, T]")
                .remedy("numpy.savez(path, x=x, y=y); `x` is the sequences, `y` their labels"));
        }
        Ok(arrays)
    }

    /// Whether an array is one of those that are read.
    fn is_known(name: &str, context: &Context<'_>) -> bool {
        let group = matches!(context.groups, Some(Groups::Column(group)) if group == name);
        let of_numbers = context.targets.is_real() && TARGET_NAMES.contains(&name);
        group
            || of_numbers
            || [X, Y, LENGTHS, CLASS_NAMES, CHANNEL_NAMES, GROUPS]
                .iter()
                .any(|all| all.contains(&name))
    }

    pub(super) fn get(&self, names: &[&str]) -> Option<&Array> {
        names.iter().find_map(|name| self.all.get(*name))
    }

    /// The arrays that there are.
    pub(super) fn names(&self) -> Vec<&str> {
        self.all.keys().map(String::as_str).collect()
    }

    /// The archive, or the folder of the arrays.
    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    pub(super) fn wrong(&self, problem: impl Into<String>, expected: impl Into<String>) -> Error {
        Error::format(problem).in_file(&self.place).expected(expected)
    }

    /// Words, or numbers as words, one for each of `count` things.
    pub(super) fn texts(
        &self,
        names: &[&str],
        count: usize,
        what: &str,
    ) -> Result<Option<Vec<String>>> {
        let Some(name) = names.iter().find(|name| self.all.contains_key(**name)) else {
            return Ok(None);
        };
        let array = &self.all[*name];
        let texts: Vec<String> = match &array.values {
            Values::Texts(texts) => texts.clone(),
            Values::Numbers(numbers) => numbers.iter().map(f64::to_string).collect(),
        };
        match array.shape.as_slice() {
            [found] if *found == count || count == 0 => Ok(Some(texts)),
            shape => {
                let expected = format!("[{count}], one for {what}");
                Err(self.wrong(format!("{name} is {shape:?}"), expected))
            }
        }
    }
}

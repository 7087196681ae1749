//! Tests of data whose targets are numbers: what is written is what is read, and the rest is refused.

mod arrays;
mod csv;
mod settings;
mod ts;

use super::{Form, OwnConfig, TargetKind, load, read_files};
use crate::dataset::{Dataset, Inputs, Known, Split, Targets};
use barnowl_base::error::Result;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder with these files.
fn folder<T: AsRef<[u8]>>(files: &[(&str, T)]) -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, bytes)| write(&temp, name, bytes));
    temp
}

fn write(temp: &TempDir, name: &str, bytes: impl AsRef<[u8]>) {
    let path = temp.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The settings of numbers in files of a form.
fn values(form: Form) -> OwnConfig {
    OwnConfig { targets: TargetKind::Values, ..OwnConfig::new("x", form) }
}

/// The same, of columns or names.
fn columns(form: Form, names: &[&str]) -> OwnConfig {
    OwnConfig { targets: TargetKind::Columns(owned(names)), ..OwnConfig::new("x", form) }
}

/// A part that is there, of which nothing is known.
fn read(temp: &TempDir, split: Split, config: &OwnConfig) -> Result<Dataset> {
    read_as(temp, split, config, Known::default())
}

fn read_as(temp: &TempDir, split: Split, config: &OwnConfig, known: Known<'_>) -> Result<Dataset> {
    load(temp.path(), split, config, known).map(|data| data.expect("the part is there"))
}

fn train(temp: &TempDir, config: &OwnConfig) -> Dataset {
    read(temp, Split::Train, config).unwrap()
}

/// An error, with all of these in its message.
fn refused(result: Result<Dataset>, parts: &[&str]) {
    let error = result.expect_err(&format!("no error with {parts:?}")).to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{error} lacks one of {parts:?}");
}

/// A note, with all of these in it.
fn noted(data: &Dataset, parts: &[&str]) -> bool {
    data.notes().iter().any(|note| parts.iter().all(|part| note.contains(part)))
}

fn real(data: &Dataset) -> &[f32] {
    match data.inputs() {
        Inputs::Real(values) => values,
        _ => panic!("no real values"),
    }
}

/// The numbers that are to be found, as words: NaN is equal to NaN.
fn found(data: &Dataset) -> (bool, String) {
    let said = |values: &[f32]| values.iter().map(f32::to_string).collect::<Vec<_>>().join(" ");
    match data.targets() {
        Targets::ValuesPerStep(values) => (true, said(values)),
        Targets::ValuesPerSequence(values) => (false, said(values)),
        _ => panic!("classes"),
    }
}

fn per_step(values: &str) -> (bool, String) {
    (true, values.to_owned())
}

fn per_sequence(values: &str) -> (bool, String) {
    (false, values.to_owned())
}

/// Changes and cuts a file at every place: an error that names a file, or data of numbers, and no panic.
fn damage(temp: &TempDir, name: &str, config: &OwnConfig) {
    let path: PathBuf = temp.path().join(name);
    let bytes = std::fs::read(&path).unwrap();
    let check = |bad: &[u8]| {
        std::fs::write(&path, bad).unwrap();
        match read(temp, Split::Train, config) {
            Ok(data) => assert!(data.targets().is_real()),
            Err(error) => {
                let folder = temp.path().display().to_string();
                assert!(error.to_string().starts_with(&folder), "{error}");
            }
        }
    };
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 0x55;
        check(&bad);
        check(&bytes[..at]);
    }
    std::fs::write(&path, bytes).unwrap();
}

/// What is read of a file that a model answers.
fn unlabelled(
    temp: &TempDir,
    name: &str,
    config: &OwnConfig,
    known: Known<'_>,
    per_step: bool,
) -> Result<Dataset> {
    let path: &Path = temp.path();
    read_files(&[path.join(name)], config, known, per_step)
}

//! Files: read, written and appended to with errors that say what to do.

mod atomic;
pub mod gzip;
mod lock;

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

pub use atomic::{write_atomic, write_atomic_bytes};
pub use lock::FolderLock;

use crate::error::{Error, Result};

/// Appends `line` and a line feed to `path`, which is created if need be.
///
/// Line and line feed go out in one write, so that a reader never sees half a line, nor a killed run leaves
/// one.
///
/// # Errors
///
/// If the file cannot be opened or written; an incomplete line is then taken back.
///
/// # Panics
///
/// If `line` contains a line feed.
pub fn append_line(path: impl AsRef<Path>, line: &str) -> Result<()> {
    let path = path.as_ref();
    assert!(!line.contains('\n'), "a line of a log holds no line feed");
    let open = || {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let length = file.metadata()?.len();
        Ok((file, length))
    };
    let (mut file, before) = open().map_err(|e| write_error("append to", path, e))?;
    file.write_all(format!("{line}\n").as_bytes()).map_err(|source| {
        let kept = match file.set_len(before) {
            Ok(()) => "the lines before it are unchanged",
            Err(_) => "its last line may be incomplete",
        };
        write_error_keeping("append to", path, source, kept)
    })
}

/// Creates the folder `path` and those above it, where they do not exist.
///
/// # Errors
///
/// If a part of `path` is a file, or a folder cannot be written.
pub fn create_folder(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    fs::create_dir_all(path).map_err(|e| write_error("create the folder", path, e))
}

/// Creates the folder `path`, below one that is there, if it is not there yet; whether this call has created it. Of several
/// processes at once, one creates it.
///
/// # Errors
///
/// If the folder cannot be written.
pub fn claim_folder(path: impl AsRef<Path>) -> Result<bool> {
    let path = path.as_ref();
    match fs::create_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(write_error("create the folder", path, error)),
    }
}

/// What is in the folder `path`, hidden or not, in no order.
///
/// # Errors
///
/// If there is no such folder, or it may not be read.
pub fn entries(path: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
    let path = path.as_ref();
    let failed = |error| Error::io("read the folder", path, error);
    let entries = fs::read_dir(path).map_err(failed)?;
    entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect()
}

/// Whether a file or folder is never data: its name begins with a dot, or it is what a system or a program leaves behind,
/// such as `._a.csv`, `.ipynb_checkpoints`, `__MACOSX`, `Thumbs.db`, `desktop.ini` or `~$a.csv`.
#[must_use]
pub fn is_hidden(path: impl AsRef<Path>) -> bool {
    const LEFT_BEHIND: [&str; 9] = [
        "__macosx",
        "__pycache__",
        "@eadir",
        "#recycle",
        "$recycle.bin",
        "system volume information",
        "lost+found",
        "thumbs.db",
        "desktop.ini",
    ];
    let name = path.as_ref().file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    name.starts_with('.') || name.starts_with("~$") || LEFT_BEHIND.contains(&name.as_str())
}

/// The files in the folder `path` that have this extension, in either case, by name; none that are [hidden](is_hidden).
///
/// # Errors
///
/// As [`entries`].
pub fn files(path: impl AsRef<Path>, extension: &str) -> Result<Vec<PathBuf>> {
    let has = |path: &Path| path.extension().is_some_and(|x| x.eq_ignore_ascii_case(extension));
    // A link that leads nowhere is a file, which cannot be read: that is said when it is.
    visible(path, |path| has(path) && !path.is_dir())
}

/// The folders in the folder `path`, by name; none that are [hidden](is_hidden).
///
/// # Errors
///
/// As [`entries`].
pub fn folders(path: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
    visible(path, Path::is_dir)
}

fn visible(path: impl AsRef<Path>, keep: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let mut paths = entries(path)?;
    paths.retain(|path| !is_hidden(path) && keep(path));
    paths.sort();
    Ok(paths)
}

/// Opens `path` for reading.
///
/// # Errors
///
/// If there is no such file, it is a folder, or it may not be read.
pub fn open(path: impl AsRef<Path>) -> Result<File> {
    let path = path.as_ref();
    let open = || {
        let file = File::open(path)?;
        // On Unix a folder opens, and fails only at the first read.
        if file.metadata()?.is_dir() {
            return Err(io::Error::from(ErrorKind::IsADirectory));
        }
        Ok(file)
    };
    open().map_err(|e| read_error(path, e))
}

/// The path that stands for standard input.
pub const STDIN: &str = "/dev/stdin";

/// The whole of a file. Standard input is there but once: what it held is kept, for readers that look at a file twice.
///
/// # Errors
///
/// As [`open`], and if reading fails on the way.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    static HELD: Mutex<Option<Vec<u8>>> = Mutex::new(None);
    let path = path.as_ref();
    if path == Path::new(STDIN) {
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = &*held {
            return Ok(bytes.clone());
        }
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map_err(|e| read_error(path, e))?;
        return Ok(held.insert(bytes).clone());
    }
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes).map_err(|e| read_error(path, e))?;
    Ok(bytes)
}

/// The first bytes of a file, at most `length`.
///
/// # Errors
///
/// As [`read`].
pub fn read_start(path: impl AsRef<Path>, length: u64) -> Result<Vec<u8>> {
    let path = path.as_ref();
    let mut bytes = Vec::new();
    open(path)?.take(length).read_to_end(&mut bytes).map_err(|e| read_error(path, e))?;
    Ok(bytes)
}

/// The whole of a text file in UTF-8.
///
/// # Errors
///
/// As [`read`], and at the first byte that is not UTF-8.
pub fn read_text(path: impl AsRef<Path>) -> Result<String> {
    let path = path.as_ref();
    String::from_utf8(read(path)?).map_err(|e| {
        let offset = e.utf8_error().valid_up_to();
        Error::format(format!("found the byte 0x{:02x}", e.as_bytes()[offset]))
            .in_file(path)
            .at_byte(offset as u64)
            .expected("text in UTF-8")
    })
}

/// Bytes as digits of hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An error of reading, with the likely remedy.
pub fn read_error(path: &Path, source: io::Error) -> Error {
    let remedy = match source.kind() {
        ErrorKind::NotFound => "there is no such file: check the path".to_string(),
        ErrorKind::IsADirectory => "this is a folder: name the file inside it".to_string(),
        ErrorKind::PermissionDenied => {
            "you may not read this file: change its permissions".to_string()
        }
        ErrorKind::NotADirectory => file_in_the_way(path),
        _ => "check the disk and copy the file again".to_string(),
    };
    Error::io("read", path, source).remedy(remedy)
}

fn write_error(action: &str, path: &Path, source: io::Error) -> Error {
    write_error_keeping(action, path, source, "nothing was written")
}

/// An error of writing, with the likely remedy and what is left of the file.
fn write_error_keeping(action: &str, path: &Path, source: io::Error, kept: &str) -> Error {
    let remedy = match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "the disk is full: free some space and try again".to_string()
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "you may not write here: choose another folder or change its permissions".to_string()
        }
        ErrorKind::IsADirectory => "this is a folder: name a file inside it".to_string(),
        ErrorKind::NotFound if !folder_of(path).exists() => {
            format!("there is no folder {}: create it first", folder_of(path).display())
        }
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => file_in_the_way(path),
        _ => "check the path and the disk".to_string(),
    };
    Error::io(action, path, source).remedy(format!("{remedy}; {kept}"))
}

/// Names the part of `path` that is a file where a folder is needed.
fn file_in_the_way(path: &Path) -> String {
    match path.ancestors().find(|part| part.exists() && !part.is_dir()) {
        Some(file) => format!("{} is a file, not a folder: choose another path", file.display()),
        None => "choose another path".to_string(),
    }
}

/// The folder that holds `path`.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in a folder, sorted.
    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_device_is_written_and_stays_a_device() {
        write_atomic_bytes("/dev/null", b"gone").unwrap();
        for error in [
            write_atomic_bytes("/dev/full", b"x").unwrap_err(),
            append_line("/dev/full", "x").unwrap_err(),
        ] {
            assert!(error.to_string().contains("the disk is full"), "{error}");
        }
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn a_path_that_cannot_be_is_explained() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        write_atomic_bytes(&file, b"text").unwrap();
        let (below, absent) = (file.join("a/b"), folder.path().join("absent/model"));
        for (error, expected) in [
            (write_atomic_bytes(&below, b"").unwrap_err(), "file is a file, not a folder"),
            (read(&below).unwrap_err(), "file is a file, not a folder"),
            (create_folder(&below).unwrap_err(), "file is a file, not a folder"),
            (create_folder(&file).unwrap_err(), "file is a file, not a folder"),
            (append_line(&below, "").unwrap_err(), "file is a file, not a folder"),
            (write_atomic_bytes(&absent, b"").unwrap_err(), "absent: create it first"),
            (append_line(&absent, "").unwrap_err(), "absent: create it first"),
            (write_atomic_bytes(folder.path(), b"").unwrap_err(), "this is a folder"),
            (read(folder.path()).unwrap_err(), "this is a folder"),
            (read(&absent).unwrap_err(), "there is no such file"),
        ] {
            assert_eq!(error.kind(), crate::error::ErrorKind::Io);
            assert!(error.to_string().contains(expected), "{error} lacks: {expected}");
        }
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[test]
    fn hidden_files_and_folders_are_left_out() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path();
        for name in ["b.csv", "a.CSV", "._a.csv", ".c.csv", "~$b.csv", "c.csv~", "desktop.ini"] {
            fs::write(folder.join(name), "").unwrap();
        }
        let hidden = [".ipynb_checkpoints", "__MACOSX", "__pycache__", "@eaDir", "Thumbs.db"];
        for name in [&hidden[..], &["walk", "_rest_", "folder.csv"]].concat() {
            fs::create_dir(folder.join(name)).unwrap();
        }
        let names = |paths: Vec<PathBuf>| -> Vec<String> {
            let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
            paths.iter().map(name).collect()
        };
        assert_eq!(names(files(folder, "csv").unwrap()), ["a.CSV", "b.csv"]);
        assert_eq!(names(files(folder, "ini").unwrap()), [""; 0]);
        assert_eq!(names(folders(folder).unwrap()), ["_rest_", "folder.csv", "walk"]);
        // What lies above does not hide it.
        assert!(!is_hidden(".cache/data/a.csv") && is_hidden("data/THUMBS.DB"));
    }

    #[test]
    fn lines_are_appended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/metrics.jsonl");
        create_folder(path.parent().unwrap()).unwrap();
        append_line(&path, "{}").unwrap();
        append_line(&path, "τ").unwrap();
        assert_eq!(read_text(&path).unwrap(), "{}\nτ\n");
        write_atomic_bytes(&path, b"ab\xff").unwrap();
        let error = read_text(&path).unwrap_err().to_string();
        assert!(error.contains("byte 2: found the byte 0xff"), "{error}");
    }
}

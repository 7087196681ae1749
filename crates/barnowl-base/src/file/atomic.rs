//! Files that are written whole or not at all.
//!
//! A model, a checkpoint or a plot is first written beside its final place, brought to the disk, and then renamed
//! over the previous file: a full disk, a crash or a power cut leaves either the old file or the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{folder_of, write_error, write_error_keeping};
use crate::error::{Error, Result};

/// Replaces `path` by what `write` writes, or leaves it as it was.
///
/// A symbolic link stays a link: the file that it points to is replaced. The permissions of a previous file are kept.
/// What is not a regular file (a pipe, `/dev/stdout`) is written directly.
///
/// # Errors
///
/// If the folder does not exist or cannot be written, the previous file is write-protected, or `write` or the disk
/// fails on the way. The previous file is then untouched and the temporary file removed; only when making the renaming
/// itself durable fails is the new file in place, and the error says so.
pub fn write_atomic(
    path: impl AsRef<Path>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let path = path.as_ref();
    let previous = match fs::metadata(path) {
        Ok(metadata) => Some(metadata),
        Err(e) if e.kind() == ErrorKind::NotFound => None,
        Err(e) => return Err(write_error("write", path, e)),
    };
    let (place, kept) = match &previous {
        None => (path.to_path_buf(), "nothing was written"),
        Some(m) if m.is_dir() => {
            let source = io::Error::from(ErrorKind::IsADirectory);
            return Err(write_error("write", path, source));
        }
        Some(m) if !m.is_file() => return write_through(path, write),
        Some(m) if m.permissions().readonly() => {
            let source = io::Error::from(ErrorKind::PermissionDenied);
            return Err(Error::io("replace", path, source).remedy(
                "the file is write-protected: remove the protection or choose another name",
            ));
        }
        Some(_) => {
            let place = fs::canonicalize(path).map_err(|e| write_error("write", path, e))?;
            (place, "the previous file is unchanged")
        }
    };

    let failed = |source| write_error_keeping("write", path, source, kept);
    let folder = folder_of(&place);
    let mut temporary = Temporary::create_in(folder).map_err(failed)?;
    let mut buffer = BufWriter::new(&mut temporary.file);
    write(&mut buffer).and_then(|()| buffer.flush()).map_err(failed)?;
    drop(buffer);
    if let Some(metadata) = previous {
        temporary.file.set_permissions(metadata.permissions()).map_err(failed)?;
    }
    temporary.file.sync_all().map_err(failed)?;
    temporary.rename_to(&place).map_err(failed)?;
    sync_folder(folder).map_err(|source| {
        Error::io("make durable", path, source)
            .remedy("the new file is in place, but a power cut now may bring the previous one back")
    })
}

/// Replaces `path` by `bytes`, or leaves it as it was.
///
/// # Errors
///
/// As [`write_atomic`].
pub fn write_atomic_bytes(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    write_atomic(path, |writer| writer.write_all(bytes))
}

/// Writes what cannot be replaced, such as a pipe.
fn write_through(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let all = || {
        let mut buffer = BufWriter::new(OpenOptions::new().write(true).open(path)?);
        write(&mut buffer)?;
        buffer.flush()
    };
    all().map_err(|e| write_error_keeping("write", path, e, "a part may have been written"))
}

/// A rename survives a power cut once the folder itself is on the disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// A file under a name of its own, removed unless it is renamed.
struct Temporary {
    path: PathBuf,
    file: File,
    renamed: bool,
}

impl Temporary {
    fn create_in(folder: &Path) -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!(".barnowl-{}-{number}.tmp", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    return Ok(Self { path, file, renamed: false });
                }
                // Left by a killed process of the same number.
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn rename_to(mut self, place: &Path) -> io::Result<()> {
        fs::rename(&self.path, place)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            // The failure that led here is being reported; one more, of tidying up, would only hide it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::read;

    /// The names in a folder, sorted.
    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_created_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        for contents in [&b"first"[..], b"", b"third"] {
            write_atomic_bytes(&path, contents).unwrap();
            assert_eq!(read(&path).unwrap(), contents);
            assert_eq!(names(folder.path()), ["model"]);
        }
    }

    #[test]
    fn a_failure_half_way_leaves_the_previous_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        write_atomic_bytes(&path, b"previous").unwrap();
        let error = write_atomic(&path, |writer| {
            writer.write_all(&[1; 100_000])?;
            Err(ErrorKind::StorageFull.into())
        })
        .unwrap_err();
        let text = error.to_string();
        assert!(text.contains("model") && text.contains("the disk is full"), "{text}");
        assert!(text.contains("the previous file is unchanged"), "{text}");
        assert_eq!(read(&path).unwrap(), b"previous");
        assert_eq!(names(folder.path()), ["model"]);
    }

    #[test]
    fn a_panic_half_way_leaves_the_previous_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        write_atomic_bytes(&path, b"previous").unwrap();
        let panicked = std::panic::catch_unwind(|| {
            let _ = write_atomic(&path, |_| panic!("the writer gives up"));
        });
        assert!(panicked.is_err());
        assert_eq!(read(&path).unwrap(), b"previous");
        assert_eq!(names(folder.path()), ["model"]);
    }

    #[test]
    #[cfg(unix)]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        write_atomic_bytes(&file, b"1").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("file", &link).unwrap();
        write_atomic_bytes(&link, b"2").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(read(&file).unwrap(), b"2");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);

        fs::set_permissions(&file, fs::Permissions::from_mode(0o440)).unwrap();
        let error = write_atomic_bytes(&link, b"3").unwrap_err().to_string();
        assert!(error.contains("write-protected"), "{error}");
        assert_eq!(read(&file).unwrap(), b"2");
    }
}

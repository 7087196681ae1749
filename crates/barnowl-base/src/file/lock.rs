//! A lock on a folder: one process at a time works in it.

use crate::error::{Error, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The name of the file that is locked.
const NAME: &str = ".barnowl.lock";
/// How often the process that holds a lock is asked for its number, 20 ms apart: it may be about to write it.
const ASKED: usize = 25;

/// Held as long as a process works in a folder. The operating system gives it back when the process ends, however it ends.
#[derive(Debug)]
pub struct FolderLock {
    path: PathBuf,
    _file: File,
}

impl FolderLock {
    /// Locks a folder for this process.
    ///
    /// # Errors
    ///
    /// If another process works in the folder, with its number; or the folder cannot be written.
    pub fn acquire(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let path = folder.join(NAME);
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(|error| super::write_error("lock", &path, error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(held(folder, &mut file)),
                Err(TryLockError::Error(error)) => {
                    return Err(super::write_error("lock", &path, error));
                }
            }
            // The process before may have removed the file between our opening and locking it.
            if !is_at(&file, &path) {
                continue;
            }
            file.set_len(0)
                .and_then(|()| writeln!(file, "{}", std::process::id()))
                .map_err(|error| super::write_error("lock", &path, error))?;
            return Ok(Self { path, _file: file });
        }
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Still locked, so that no other process can hold this file. One that stays is in nobody's way.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn held(folder: &Path, file: &mut File) -> Error {
    let mut holder = String::new();
    for _ in 0..ASKED {
        holder.clear();
        let read = file.rewind().and_then(|()| file.read_to_string(&mut holder));
        if read.is_ok() && holder.ends_with('\n') {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let holder = match holder.trim() {
        "" => "another process".to_owned(),
        number => format!("process {number}"),
    };
    Error::config(format!("{holder} is working in this folder"))
        .in_file(folder)
        .remedy("wait until it ends or stop it, or give another folder with --out")
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |data: std::fs::Metadata| (data.dev(), data.ino());
    match (file.metadata().map(place), std::fs::metadata(path).map(place)) {
        (Ok(ours), Ok(there)) => ours == there,
        _ => false,
    }
}

/// Elsewhere a file that is open cannot be removed.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::acquire(folder.path()).unwrap();
        let refused = FolderLock::acquire(folder.path()).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(first);
        assert!(!folder.path().join(NAME).exists());
        // A file that a killed process left is no lock.
        std::fs::write(folder.path().join(NAME), "1\n").unwrap();
        FolderLock::acquire(folder.path()).unwrap();
    }

    #[test]
    fn many_at_once_get_it_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let inside = std::sync::atomic::AtomicUsize::new(0);
        let got: usize = std::thread::scope(|scope| {
            let work = || {
                let mut got = 0;
                for _ in 0..200 {
                    if let Ok(_lock) = FolderLock::acquire(folder.path()) {
                        let others = inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        assert_eq!(others, 0);
                        std::thread::yield_now();
                        inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        got += 1;
                    }
                }
                got
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert!(got > 0);
    }
}

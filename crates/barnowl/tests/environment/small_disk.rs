//! A disk of 64 KiB that fills up.

use crate::needs::Found;
use barnowl::file::{append_line, read, read_text, write_atomic_bytes};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Tells this program that it runs again, beside a small disk in this folder.
pub const VARIABLE: &str = "BARNOWL_SMALL_DISK";

/// Runs a program where a small disk is mounted on `folder`. A name space of its own needs no rights, where the kernel
/// allows it, and leaves no mount behind.
fn beside_a_small_disk(folder: &Path, program: &Path) -> std::io::Result<Output> {
    let script = format!("mount -t tmpfs -o size=64k tmpfs \"${VARIABLE}\" && exec \"$0\"");
    Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
        .arg(program)
        .env(VARIABLE, folder)
        .output()
}

/// A folder, if this machine lets a test mount a small disk on it.
pub fn find() -> Found<TempDir> {
    let folder = tempfile::tempdir().unwrap();
    match beside_a_small_disk(folder.path(), Path::new("true")) {
        Ok(output) if output.status.success() => Ok(folder),
        _ => Err("this machine does not let a test mount a small disk".into()),
    }
}

pub fn fill_elsewhere(folder: TempDir) {
    let output = beside_a_small_disk(folder.path(), &std::env::current_exe().unwrap()).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

pub fn fill(folder: &Path) {
    let (model, log) = (folder.join("model"), folder.join("log"));
    write_atomic_bytes(&model, &[7; 40_000]).unwrap();
    let error = write_atomic_bytes(&model, &[8; 40_000]).unwrap_err().to_string();
    assert!(error.contains("the disk is full"), "{error}");
    assert!(error.contains("the previous file is unchanged"), "{error}");
    assert_eq!(read(&model).unwrap(), [7; 40_000]);
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);

    append_line(&log, "first").unwrap();
    let error = append_line(&log, &"x".repeat(40_000)).unwrap_err().to_string();
    assert!(error.contains("the disk is full"), "{error}");
    assert_eq!(read_text(&log).unwrap(), "first\n");
}

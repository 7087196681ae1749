//! Runs the command, and looks at what it answers.

// No target uses all of it.
#![allow(dead_code)]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub fn barnowl(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_barnowl"));
    command.args(args).env_remove("BARNOWL_DATA").stdin(Stdio::null());
    command
}

pub fn run(mut command: Command) -> Output {
    command.output().unwrap()
}

pub fn succeeds(command: Command) -> Output {
    let output = run(command);
    assert!(output.status.success(), "{}", stderr(&output));
    output
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The command fails with status 2 and one message that says all of `parts`.
pub fn refuses(command: Command, parts: &[&str]) {
    let output = run(command);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    let errors = text.lines().filter(|line| line.starts_with("error:")).count();
    assert_eq!(errors, 1, "one error: {text}");
    assert!(!text.contains("panicked"), "{text}");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

pub fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Data sets of a few samples each, in their published folders.
pub fn few_samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../barnowl/tests/fixtures/data")
}

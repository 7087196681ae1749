//! Tests of what not every machine has: without it they are ignored, and say what is missing.
//!
//! For targets with `harness = false`: the standard harness decides before it runs what is ignored.

// No target uses all of it.
#![allow(dead_code)]

use libtest_mimic::{Arguments, Completion, Trial};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What a test needs, or why it is not here.
pub type Found<T> = Result<T, String>;

/// Runs those tests that the command line asks for.
pub fn run(tests: Vec<Trial>) -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

/// A test that needs nothing.
pub fn always(name: &str, test: fn()) -> Trial {
    with(name, || Ok(()), move |()| test())
}

/// A test of what `find` finds.
pub fn with<T>(
    name: &str,
    find: impl FnOnce() -> Found<T> + Send + 'static,
    test: impl FnOnce(T) + Send + 'static,
) -> Trial {
    Trial::ignorable_test(name, || match find() {
        Ok(found) => {
            test(found);
            Ok(Completion::Completed)
        }
        Err(reason) => Ok(Completion::ignored_with(reason)),
    })
}

/// A variable of the environment.
pub fn variable(name: &str) -> Found<String> {
    std::env::var(name).map_err(|_| format!("{name} is not set"))
}

/// The folder that a variable names, relative to the workspace, with all of `parts` in it.
pub fn folder(name: &str, parts: &[&str]) -> Found<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(variable(name)?);
    match parts.iter().find(|part| !folder.join(part).exists()) {
        Some(part) => Err(format!("{name} has no {part}")),
        None => Ok(folder),
    }
}

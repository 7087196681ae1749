//! Limits, and what is said in several places.

use barnowl_base::error::Error;
use barnowl_base::words::counted;
use std::path::Path;

/// Classes are kept as 16-bit numbers.
pub(super) const MOST_CLASSES: usize = 65_000;

/// More values than this, or steps of events, 8 GB of either, are taken for a mistake.
pub(super) const MOST_VALUES: usize = 2_000_000_000;

pub(super) const LAYOUTS: &str = "docs/own-data.md shows the layouts";

pub(super) fn no_sequences(part: &Path) -> Error {
    Error::format("there are no sequences").in_file(part).expected("at least one").remedy(LAYOUTS)
}

pub(super) fn no_file() -> Error {
    Error::config("there is no file to read")
}

/// Sequences that add up to more than [`MOST_VALUES`] of `what`.
pub(super) fn too_many(part: &Path, sequences: String, what: &str) -> Error {
    Error::format(sequences)
        .in_file(part)
        .expected(format!("at most {MOST_VALUES} {what} in all"))
        .remedy("take fewer steps with dataset.steps, or a longer step")
}

/// What the data are, in one line; `cut` of the sequences were longer than `steps`, `filled` shorter.
pub(super) fn origin(
    folder: &Path,
    part: &str,
    [samples, steps]: [usize; 2],
    [cut, filled]: [usize; 2],
) -> String {
    let note = |count: usize, was: &str, is: &str| match count {
        0 => String::new(),
        1 => format!("; 1 was {was} and is {is}"),
        n => format!("; {n} were {was} and are {is}"),
    };
    format!(
        "{}, {part}: {} of {}{}{}",
        folder.display(),
        counted(samples, "sequence"),
        counted(steps, "step"),
        note(cut, "longer", "cut"),
        note(filled, "shorter", "filled up"),
    )
}

//! Exit statuses.

use barnowl::error::{Error, ErrorKind};

/// The exit status of bad input: a file, a flag, a configuration, a disk that refuses.
const REFUSED: u8 = 2;
/// The exit status of a training run that diverged.
pub const DIVERGED: u8 = 3;
/// The exit status of a device that failed while it computed.
const FAILED: u8 = 4;
/// The exit status of a run that Ctrl-C stopped: 128 + SIGINT, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// The exit status of an error.
pub fn status(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Divergence => DIVERGED,
        ErrorKind::Device => FAILED,
        _ => REFUSED,
    }
}

//! Golden vectors, and tests of what only some machines have: published data and checkpoints, a graphics processor, a small
//! disk. `cargo test --release --workspace --test environment -- golden` runs those of one file.

mod checkpoints;
mod data;
mod device;
mod golden;
#[path = "../needs/mod.rs"]
mod needs;
#[cfg(target_os = "linux")]
mod small_disk;

use needs::{folder, with};
use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if let Some(folder) = std::env::var_os(small_disk::VARIABLE) {
        small_disk::fill(folder.as_ref());
        return ExitCode::SUCCESS;
    }
    let data = |parts: &'static [&'static str]| move || folder("BARNOWL_DATA", parts);
    let mut tests = vec![
        with(
            "the_published_checkpoints_are_read",
            || folder("BARNOWL_CHECKPOINT_DIR", &["ecg.pth"]),
            checkpoints::are_read,
        ),
        with(
            "the_published_qt_database_holds_what_scipy_finds",
            data(&["qtdb/QTDB_train.mat", "qtdb/QTDB_test.mat"]),
            data::qt_database,
        ),
        with(
            "published_spikes_of_spoken_digits_are_read",
            data(&["fsdd-spikes/train.h5"]),
            data::spoken_digits,
        ),
        with(
            "published_spikes_are_recognised",
            data(&["fsdd/recordings", "fsdd-spikes/train.h5"]),
            data::recognised_spikes,
        ),
        #[cfg(target_os = "linux")]
        with("a_full_disk_leaves_the_previous_file", small_disk::find, small_disk::fill_elsewhere),
    ];
    tests.extend(golden::tests());
    tests.extend(device::tests());
    needs::run(tests)
}

//! What the targets share: files in memory, for readers that take paths, and what is asked of every reader.
//!
//! A reader answers with data or with an error, in bounded time and memory. libFuzzer notices panics, hangs and what all
//! memory adds up to; a single allocation that is absurd and an error that names no file are noticed here.

use barnowl::dataset::own::{self, Form, OwnConfig};
use barnowl::dataset::{Dataset, Known, Split};
use barnowl::error::Result;
use std::alloc::{GlobalAlloc, Layout, System};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// A folder of this process, in memory where there is such a place: files are written thousands of times a second.
///
/// libFuzzer leaves without destructors; `fuzz/run` says by `TMPDIR` where the folder shall be, and removes it.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let make = || {
        let memory = Path::new("/dev/shm");
        let made = match std::env::var_os("TMPDIR").is_none() && memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        made.expect("a folder for the files of this process")
    };
    FOLDER.get_or_init(make).path()
}

/// Writes a file of the folder; `name` is its path from there.
pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    let above = path.parent().unwrap_or(folder());
    let written = std::fs::create_dir_all(above).and_then(|()| std::fs::write(&path, bytes));
    written.expect("room for the files of this process");
    path
}

/// What stands between the parts of an input; `fuzz/seed` writes the same.
const CUT: &[u8] = b"\n----\n";

/// The parts of an input that stands for several files; those that are missing are empty.
///
/// They are told apart by a mark and not by their lengths, so that mutations that insert or delete change one part.
pub fn parts<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut rest = input;
    std::array::from_fn(|place| {
        let cut = rest.windows(CUT.len()).position(|bytes| bytes == CUT);
        let (part, after) = match cut {
            Some(at) if place + 1 < N => (&rest[..at], &rest[at + CUT.len()..]),
            _ => (rest, &rest[rest.len()..]),
        };
        rest = after;
        part
    })
}

/// The training part of data of one's own in the folder.
pub fn own(form: Form) -> Result<Option<Dataset>> {
    own::load(folder(), Split::Train, &OwnConfig::new(folder(), form), Known::default())
}

/// What a reader returned; an error must name a file of the folder, ahead of all else.
pub fn named<T>(result: Result<T>) -> Option<T> {
    let named_first = |message: &str| message.starts_with(&*folder().to_string_lossy());
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            let message = error.to_string();
            assert!(named_first(&message), "the error names no file: {message}");
            None
        }
    }
}

/// No input is longer than 64 KiB, and deflate packs to a thousandth at best: whoever asks for more at once has believed a
/// number in the file.
const MOST_BYTES: usize = 1 << 30;

/// The system's allocator, up to [`MOST_BYTES`]. libFuzzer's `-malloc_limit_mb` has no effect without a sanitizer.
struct Bounded;

#[global_allocator]
static ALLOCATOR: Bounded = Bounded;

/// The panic hook of libfuzzer-sys says where this was and aborts: nothing unwinds through the allocator.
fn check(bytes: usize) {
    assert!(bytes <= MOST_BYTES, "an allocation of {bytes} bytes");
}

// SAFETY: every call goes on to the system's allocator as it came, or does not return.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        check(layout.size());
        // SAFETY: what the caller promises is what the system's allocator asks for; and so below.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        check(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        check(size);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

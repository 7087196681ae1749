//! What the C library and the system would bring: an allocator, and the functions on memory that the compiler calls by name.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering};

const SIZE: usize = 1 << 22;

/// Hands memory out from its start, and takes none back.
#[repr(align(16))]
struct Heap {
    memory: UnsafeCell<[u8; SIZE]>,
    used: AtomicUsize,
}

// SAFETY: every part of the memory is handed out once.
unsafe impl Sync for Heap {}

#[global_allocator]
static HEAP: Heap = Heap { memory: UnsafeCell::new([0; SIZE]), used: AtomicUsize::new(0) };

// SAFETY: what is handed out lies in the memory, is aligned and overlaps nothing that was handed out before.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let used = self.used.load(Ordering::Relaxed).next_multiple_of(layout.align());
        let end = used + layout.size();
        // One thread.
        self.used.store(end, Ordering::Relaxed);
        if layout.align() > 16 || end > SIZE {
            return null_mut();
        }
        // SAFETY: `used <= end <= SIZE`.
        unsafe { self.memory.get().cast::<u8>().add(used) }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

// SAFETY: the C contract of `memcpy`: both ranges are valid for `n` bytes and do not overlap.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    for i in 0..n {
        // SAFETY: `i < n`. Volatile, so that the loop is not turned into a call of itself.
        unsafe { to.add(i).write_volatile(from.add(i).read()) }
    }
    to
}

// SAFETY: the C contract of `memmove`: both ranges are valid for `n` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    for i in 0..n {
        // From the end, where the start would be written over before it is read.
        let i = if (to as usize) < (from as usize) { i } else { n - 1 - i };
        // SAFETY: `i < n`. Volatile as above.
        unsafe { to.add(i).write_volatile(from.add(i).read()) }
    }
    to
}

// SAFETY: the C contract of `memset`: the range is valid for `n` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, value: i32, n: usize) -> *mut u8 {
    for i in 0..n {
        // SAFETY: `i < n`. Volatile as above.
        unsafe { to.add(i).write_volatile(value as u8) }
    }
    to
}

// SAFETY: the C contract of `memcmp`: both ranges are valid for `n` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    for i in 0..n {
        // SAFETY: `i < n`. Volatile as above.
        let (a, b) = unsafe { (a.add(i).read_volatile(), b.add(i).read_volatile()) };
        if a != b {
            return i32::from(a) - i32::from(b);
        }
    }
    0
}

// SAFETY: the C contract of `bcmp`, which that of `memcmp` contains.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { memcmp(a, b, n) }
}

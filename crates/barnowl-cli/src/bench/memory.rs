//! Resident memory of a process, from the system's own count. Linux only; elsewhere nothing is known.

use serde::Serialize;

/// The memory of this process while one shape was timed.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Memory {
    /// The most since the shape began, in bytes; of the whole life of the process if `since_start`.
    pub peak_memory: Option<u64>,
    /// What the process held when the shape began: network, data, and little else.
    pub memory_before: Option<u64>,
    /// Whether the system would not begin a new count for the shape.
    pub peak_since_start: bool,
}

/// A count that began before something was timed.
pub struct Watch {
    before: Option<u64>,
    since_start: bool,
}

impl Watch {
    /// Begins a new count of the peak, where the system lets us, without what is no longer used.
    pub fn begin() -> Self {
        give_back();
        // 5 resets the peak to what is resident now (Linux, proc(5)).
        let reset = std::fs::write("/proc/self/clear_refs", "5").is_ok();
        Self { before: resident("self", "VmRSS:"), since_start: !reset }
    }

    pub fn end(&self) -> Memory {
        Memory {
            peak_memory: peak_of("self"),
            memory_before: self.before,
            peak_since_start: self.since_start,
        }
    }
}

/// Has every thread give the memory that it keeps for later back to the system: what one shape has left over would
/// count for the next.
fn give_back() {
    // SAFETY: a thread may collect its own heaps at any time; no pointer that is in use is touched.
    rayon::broadcast(|_| unsafe { libmimalloc_sys::mi_collect(true) });
    // SAFETY: as above.
    unsafe { libmimalloc_sys::mi_collect(true) };
}

/// The peak of a process, `self` or an id.
pub fn peak_of(process: &str) -> Option<u64> {
    resident(process, "VmHWM:")
}

fn resident(process: &str, entry: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(entry))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(1024 * kilobytes)
}

/// Bytes as gigabytes, for people.
pub fn gigabytes(bytes: Option<u64>) -> String {
    bytes.map_or("–".into(), |bytes| format!("{:.2}", bytes as f64 / 1e9))
}

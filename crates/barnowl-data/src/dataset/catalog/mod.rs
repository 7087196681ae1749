//! The data sets of the tasks: where each comes from, under which licence, which files are expected, and whether they are
//! there.

mod checksum;
mod source;
mod sources;
mod status;
mod sums;

pub use checksum::Checksum;
pub use source::{A_FEW, Archive, Download, Expected, Source};
pub use sources::SOURCES;
pub use status::{Status, source};
pub use sums::Sums;

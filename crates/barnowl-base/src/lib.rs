//! What the crates of Barnowl share.
//!
//! | module | holds |
//! | --- | --- |
//! | [`error`](mod@error) | one error type: what was done, where, what was found and expected, what to do next |
//! | [`file`](mod@file) | files that are read with a clear error and written whole or not at all; locks |
//! | [`nearest`](mod@nearest) | the known name that an unknown one was probably meant for |
//! | [`words`] | counts with their nouns |

pub mod error;
pub mod file;
pub mod nearest;
pub mod words;

pub use error::{Error, Result};

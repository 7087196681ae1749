//! Barnowl
pub mod error;
pub mod sequence;

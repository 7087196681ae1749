//! Tests of the library that need nothing but it, linked once: `cargo test --release --workspace --test library -- bptt::`
//! runs those of one file.

mod bptt;
mod cells;
mod cochlea;
mod energy;
mod equations;
mod exchange;
mod gradients;
mod hdf5;
mod lengths;
mod mat;
mod own;
mod published;
mod sequence;
mod settings;
mod speech;
mod truncated;
mod wfdb;

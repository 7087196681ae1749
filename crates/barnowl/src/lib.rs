//! Barnowl
pub mod error;
pub mod initializer;
pub mod layer;
pub mod loss;
pub mod network;
pub mod neuron;
pub mod readout;
pub mod sequence;

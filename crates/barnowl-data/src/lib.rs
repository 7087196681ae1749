//! Time-domain data: what a spiking network is trained on and judged by. Nothing here knows of networks.
//!
//! | module | holds |
//! | --- | --- |
//! | [`dataset`] | sequences and labels: published data sets, a generator, files of your own |
//! | [`encoder`] | from signals to features and spikes |
//! | [`metric`] | from answers to figures: confusion, segment boundaries, votes, spread |

pub mod dataset;
pub mod encoder;
pub mod metric;

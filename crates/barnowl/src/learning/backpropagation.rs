//! Which learner backpropagates on which device.

use super::bptt::{Bptt, BpttOptions};
use super::layerwise::Layerwise;
use super::learner::Learner;
use crate::device::is_cpu;
use crate::error::Result;
use crate::network::NetworkConfig;
use burn::tensor::Device;

/// Backpropagation through time on `device`: by [`Bptt`] on processors, by [`Layerwise`] on graphics processors, which keeps
/// the whole of a layer whatever `options.checkpoint_steps`.
///
/// # Errors
///
/// As [`Bptt::new`].
pub fn backpropagation(
    config: &NetworkConfig,
    options: BpttOptions,
    device: &Device,
) -> Result<Box<dyn Learner>> {
    match is_cpu(device) {
        true => Ok(Box::new(Bptt::new(config, options)?)),
        false => Ok(Box::new(Layerwise::new(config).with_cut(options.cut))),
    }
}

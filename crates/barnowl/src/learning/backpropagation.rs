//! Which learner backpropagates on which device.

use super::bptt::{Bptt, BpttOptions};
use super::layerwise::Layerwise;
use super::learner::Learner;
use crate::device::is_cpu;
use crate::error::{Error, Result};
use crate::network::NetworkConfig;
use burn::tensor::Device;

/// Backpropagation through time on `device`: by [`Bptt`] on processors, by [`Layerwise`] on graphics processors, which keeps
/// the whole of a layer whatever `options.checkpoint_steps`.
///
/// # Errors
///
/// As [`Bptt::new`]; on graphics processors, also if gradients are to be cut of a network that is not
/// [resumable](NetworkConfig::is_resumable).
pub fn backpropagation(
    config: &NetworkConfig,
    options: BpttOptions,
    device: &Device,
) -> Result<Box<dyn Learner>> {
    if is_cpu(device) {
        return Ok(Box::new(Bptt::new(config, options)?));
    }
    config.validate("network")?;
    options.validate(config)?;
    if let (Some(cut), false) = (options.cut, config.is_resumable()) {
        return Err(Error::setting("cut", cut).expected(
            "none on a graphics processor: there it is for spiking networks with a readout of neurons",
        ));
    }
    Ok(Box::new(Layerwise::new(config).with_cut(options.cut)))
}

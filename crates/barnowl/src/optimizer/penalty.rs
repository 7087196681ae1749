//! Constants as Burn's update rules take them.

use burn::optim::decay::WeightDecayConfig;

/// Burn's L2 penalty; none for zero, which saves a pass over the parameter.
pub(super) fn l2_penalty(weight_decay: f64) -> Option<WeightDecayConfig> {
    (weight_decay > 0.0).then(|| WeightDecayConfig::new(single(weight_decay)))
}

/// Rounded to the single precision in which Burn's update rules hold their constants.
pub(super) fn single(value: f64) -> f32 {
    value as f32
}

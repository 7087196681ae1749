//! What the configurations of all layers of neurons have in common: the paper's defaults, and the ranges.

use super::TimeConstants;
use crate::error::{Error, Result};
use crate::initializer::Initializer;

pub(crate) fn yes() -> bool {
    true
}
pub(crate) fn b0() -> f32 {
    0.01
}
pub(crate) fn beta() -> f32 {
    1.8
}
pub(crate) fn unit() -> f32 {
    1.0
}
pub(crate) fn one() -> f64 {
    1.0
}
pub(crate) fn tau_m() -> TimeConstants {
    TimeConstants::constant(20.0)
}
pub(crate) fn tau_adp() -> TimeConstants {
    TimeConstants::constant(150.0)
}
pub(crate) fn xavier() -> Initializer {
    Initializer::XAVIER
}

/// The most neurons of a layer: spike lists hold 16-bit indices.
const MOST_NEURONS: usize = 65_000;

/// Refuses a layer without neurons, or with more than the kernels can index.
pub(crate) fn check_size(key: &str, size: usize) -> Result<()> {
    if (1..=MOST_NEURONS).contains(&size) {
        Ok(())
    } else {
        Err(Error::setting(key, size).expected(format!("1 to {MOST_NEURONS}")))
    }
}

/// Refuses thresholds, resistances and steps that are no numbers or of the wrong sign.
pub(crate) fn check_threshold(key: &str, b0: f32, beta: f32, r: f32, dt: f64) -> Result<()> {
    let error = |name: &str, value: f64, expected: &str| {
        Err(Error::setting(format!("{key}.{name}"), value).expected(expected))
    };
    if !(b0 >= 0.0 && b0.is_finite()) {
        return error("b0", b0.into(), "0 or more");
    }
    if !(beta >= 0.0 && beta.is_finite()) {
        return error("beta", beta.into(), "0 or more");
    }
    if !(r > 0.0 && r.is_finite()) {
        return error("resistance", r.into(), "a positive number");
    }
    if !(dt > 0.0 && dt.is_finite()) {
        return error("dt", dt, "a positive number");
    }
    Ok(())
}

//! The values of sequences, as they are kept.

use super::pixels::Pixels;
use barnowl_base::error::{Error, Result};
use barnowl_engine::events::Events;
use half::f16;

/// The values of a data set, row-major `[N, T, C]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Inputs {
    /// Events of −1 or 1, a row per sequence and step.
    Events(Events),
    /// Real values.
    Real(Vec<f32>),
    /// Real values in half the memory, to three digits.
    Half(Vec<f16>),
    /// Grey values of images, a few pixels a step.
    Pixels(Pixels),
}

impl Inputs {
    /// Whether the inputs are real numbers, and no events.
    #[must_use]
    pub fn is_real(&self) -> bool {
        !matches!(self, Self::Events(_))
    }
}

/// Refuses an array that does not have as many values as its shape says.
pub(super) fn check_length(found: usize, shape: [usize; 3]) -> Result<()> {
    let expected = shape.iter().try_fold(1_usize, |product, n| product.checked_mul(*n));
    if expected == Some(found) {
        return Ok(());
    }
    let [samples, steps, channels] = shape;
    Err(Error::format(format!("there are {found} input values"))
        .expected(format!("{samples} × {steps} × {channels}")))
}

/// Refuses NaN and infinity, with its place.
pub(super) fn check_finite(
    mut values: impl Iterator<Item = f32>,
    expected: &str,
    place: impl Fn(usize) -> String,
) -> Result<()> {
    let mut found = 0.0;
    let bad = values.position(|value| {
        found = value;
        !value.is_finite()
    });
    match bad {
        None => Ok(()),
        Some(i) => {
            Err(Error::format(format!("the input at {} is {found}", place(i))).expected(expected))
        }
    }
}

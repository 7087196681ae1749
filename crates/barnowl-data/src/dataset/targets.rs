//! What a network is to find: classes or real numbers, at every step or one a sequence.

use super::rows::pick;
use barnowl_base::error::{Error, Result};

/// The class of a step or a sequence without a label: it counts neither in the loss nor in the accuracy.
pub const UNLABELLED: u16 = u16::MAX;

/// The targets of a data set.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// A class, or [`UNLABELLED`], at every step, row-major `[N, T]`.
    PerStep(Vec<u16>),
    /// One class, or [`UNLABELLED`], a sequence, `[N]`.
    PerSequence(Vec<u16>),
    /// K numbers at every step, row-major `[N, T, K]`; NaN where one is not known.
    ValuesPerStep(Vec<f32>),
    /// K numbers a sequence, row-major `[N, K]`; NaN where one is not known.
    ValuesPerSequence(Vec<f32>),
}

impl Targets {
    /// Whether there is a class, or there are numbers, at every step.
    #[must_use]
    pub fn is_per_step(&self) -> bool {
        matches!(self, Self::PerStep(_) | Self::ValuesPerStep(_))
    }

    /// Whether they are numbers, and no classes.
    #[must_use]
    pub fn is_real(&self) -> bool {
        self.values().is_some()
    }

    /// The classes, `[N, T]` or `[N]`.
    #[must_use]
    pub fn classes(&self) -> Option<&[u16]> {
        match self {
            Self::PerStep(classes) | Self::PerSequence(classes) => Some(classes),
            Self::ValuesPerStep(_) | Self::ValuesPerSequence(_) => None,
        }
    }

    /// The numbers, `[N, T, K]` or `[N, K]`.
    #[must_use]
    pub fn values(&self) -> Option<&[f32]> {
        match self {
            Self::PerStep(_) | Self::PerSequence(_) => None,
            Self::ValuesPerStep(values) | Self::ValuesPerSequence(values) => Some(values),
        }
    }

    /// Refuses targets of other than `[samples, steps]` sequences, and classes that are not below `count`; of numbers, `count` is
    /// K.
    pub(super) fn check(&self, [samples, steps]: [usize; 2], count: usize) -> Result<()> {
        let per = if self.is_per_step() { steps } else { 1 };
        let place = |at: usize| format!("of sequence {}, step {}", at / per, at % per);
        let of_count =
            |found: usize, expected: usize| match found == expected {
                true => Ok(()),
                false => Err(Error::format(format!("there are {found} targets"))
                    .expected(expected.to_string())),
            };
        if let Some(classes) = self.classes() {
            of_count(classes.len(), samples * per)?;
            let known = |class: u16| usize::from(class) < count || class == UNLABELLED;
            if let Some(at) = classes.iter().position(|class| !known(*class)) {
                return Err(Error::format(format!("the class {} is {}", place(at), classes[at]))
                    .expected(format!("0 to {}", count.saturating_sub(1))));
            }
        }
        if let Some(values) = self.values() {
            if count == 0 {
                return Err(Error::format("there are no numbers to be found").expected("1 or more"));
            }
            of_count(values.len(), samples * per * count)?;
            if let Some(at) = values.iter().position(|value| value.is_infinite()) {
                return Err(Error::format(format!(
                    "the target {} is {}",
                    place(at / count),
                    values[at]
                ))
                .expected("a finite number, or NaN where it is not known"));
            }
        }
        Ok(())
    }

    /// Those of the sequences `indices`, of so many steps and numbers.
    pub(super) fn pick(&self, [steps, count]: [usize; 2], indices: &[usize]) -> Self {
        match self {
            Self::PerStep(classes) => Self::PerStep(pick(classes, steps, indices)),
            Self::PerSequence(classes) => Self::PerSequence(pick(classes, 1, indices)),
            Self::ValuesPerStep(values) => {
                Self::ValuesPerStep(pick(values, steps * count, indices))
            }
            Self::ValuesPerSequence(values) => {
                Self::ValuesPerSequence(pick(values, count, indices))
            }
        }
    }
}

//! The parts of a data set.

use barnowl_base::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// A part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// What the weights are trained on.
    Train,
    /// What epochs and settings are chosen by: the data set's own validation part, else split off the training part.
    Valid,
    /// What is reported, once.
    Test,
}

impl Split {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Train, Self::Valid, Self::Test];

    /// `train`, `valid` or `test`: what folders and files are called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }

    /// `training`, `validation` or `test`.
    #[must_use]
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Train => "training",
            Self::Valid => "validation",
            Self::Test => "test",
        }
    }

    /// Whether this is the test part of the data set `source`, which has but two.
    ///
    /// # Errors
    ///
    /// If it is the validation part.
    pub(crate) fn is_test_of_two(self, source: &str) -> Result<bool> {
        match self {
            Self::Train => Ok(false),
            Self::Test => Ok(true),
            Self::Valid => Err(Error::mismatch(format!("{source} has no validation part"))
                .expected("the training or the test part")
                .remedy("split one off the training part: Dataset::split")),
        }
    }
}

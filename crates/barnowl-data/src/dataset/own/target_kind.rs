//! What is to be found in data of one's own.

use serde::{Deserialize, Serialize};

/// What is to be found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// Classes.
    #[default]
    Classes,
    /// Real numbers: `y` of arrays; in tables the column `target`, or all columns whose names begin with `target_`; the
    /// number that ends a line of files `.ts` with `@targetLabel`.
    Values,
    /// Real numbers: the columns of these names, which are no channels. Of arrays and files `.ts`, the names that the numbers
    /// get, in order.
    Columns(Vec<String>),
}

/// A column of this name holds what is to be found, and so do columns whose names begin so.
pub(super) const TARGET: &str = "target";
pub(super) const TARGETS: &str = "target_";

/// Whether a column says by its name that it holds what is to be found.
pub(super) fn is_target(name: &str) -> bool {
    name == TARGET || name.starts_with(TARGETS)
}

impl TargetKind {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether numbers are to be found, and no classes.
    #[must_use]
    pub fn is_real(&self) -> bool {
        !matches!(self, Self::Classes)
    }

    /// The columns that are named one by one.
    #[must_use]
    pub fn columns(&self) -> Option<&[String]> {
        match self {
            Self::Columns(names) => Some(names),
            Self::Classes | Self::Values => None,
        }
    }
}

/// The first name that is there twice.
pub(super) fn twice(names: &[String]) -> Option<&String> {
    (1..names.len()).find(|at| names[..*at].contains(&names[*at])).map(|at| &names[at])
}

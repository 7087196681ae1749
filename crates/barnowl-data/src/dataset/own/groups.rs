//! Groups of sequences, such as subjects: no group is ever in two parts that are made of one.

use barnowl_base::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Where the group of a sequence is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Groups {
    /// In a column of this name, the same in all lines of a file; of arrays, in an array of this name.
    Column(String),
    /// In the name of the file.
    Name(FileName),
}

/// How the name of a file begins with its group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileName {
    /// The group is what stands before this: of `eve_03.csv` and `_`, `eve`.
    pub before: String,
}

impl Groups {
    /// The group that the name of a file says.
    ///
    /// # Errors
    ///
    /// If it says none, or it is a column that is asked for.
    pub(super) fn of_name(&self, path: &Path) -> Result<String> {
        let Self::Name(FileName { before }) = self else {
            return Err(Error::setting("dataset.groups", self)
                .in_file(path)
                .expected("{ before = \"_\" }: these files have no columns with a group"));
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match name.split_once(before.as_str()) {
            Some((group, _)) if !before.is_empty() && !group.is_empty() => Ok(group.to_owned()),
            _ => Err(Error::format(format!("the name of the file has nothing before {before:?}"))
                .in_file(path)
                .expected(format!("GROUP{before}…, as dataset.groups says"))),
        }
    }
}

//! Which columns of a table hold what is to be found.

use super::context::Context;
use super::target_kind::{TARGET, TARGETS, is_target};
use barnowl_base::error::{Error, Result};

impl Context<'_> {
    /// The columns of a table that hold what is to be found: in the order of the setting, else in that of the table.
    ///
    /// # Errors
    ///
    /// If there are none, or a column may be one or not.
    pub(super) fn target_columns(&self, columns: &[String]) -> Result<Vec<String>> {
        let group = self.group_column();
        let candidates = || columns.iter().filter(move |name| group != Some(name.as_str()));
        let there_are = format!("the columns are {}", columns.join(", "));
        let found: Vec<String> = match self.targets.columns() {
            Some(names) => {
                if let Some(absent) = names.iter().find(|name| !columns.contains(name)) {
                    return Err(Error::format(format!("there is no column {absent}"))
                        .expected(format!("a column {absent}, as dataset.targets says"))
                        .remedy(there_are));
                }
                names.to_vec()
            }
            None => candidates().filter(|name| is_target(name)).cloned().collect(),
        };
        let Some(first) = found.first() else {
            return Err(Error::format(format!("there is no column {TARGET}: {there_are}"))
                .expected(format!(
                    "a column {TARGET}, or columns whose names begin with {TARGETS}, as dataset.targets says"
                ))
                .remedy(naming(columns.iter().rev().take(1))));
        };
        if self.targets.columns().is_none()
            && found.len() > 1
            && let Some(alone) = found.iter().find(|name| *name == TARGET)
        {
            let other = if first == alone { &found[1] } else { first };
            return Err(Error::format(format!("there is a column {alone}, and a column {other}"))
                .expected(format!("one column {TARGET}, or several that begin with {TARGETS}"))
                .remedy(naming(found.iter())));
        }
        // What a network is to find must not be among what it reads.
        let is_doubtful = |name: &&String| {
            let plain = name.to_lowercase();
            !found.contains(name) && (is_target(&plain) || plain == "label")
        };
        match candidates().find(is_doubtful) {
            None => Ok(found),
            Some(name) => Err(Error::format(format!(
                "the column {name} is neither among dataset.targets nor surely a channel"
            ))
            .expected("channels, and what is to be found")
            .remedy(format!(
                "leave it out: {}; or find it too: {}; a channel needs another name",
                self.ignoring(std::slice::from_ref(name)),
                naming(found.iter().chain([name]))
            ))),
        }
    }

    /// Whether a column of a file without labels is what the answer will be, and no channel.
    pub(super) fn is_wanted(&self, column: &str) -> bool {
        let is_in = |names: &[String]| names.iter().any(|name| name == column);
        // Numbers without names of their own are called by their places, as columns may be.
        let is_name = column.parse::<f64>().is_err();
        let is_said = is_target(column) || self.targets.columns().is_some_and(is_in);
        !is_in(self.channels) && (is_said || is_name && is_in(self.names))
    }
}

/// How columns are named as those that are to be found.
fn naming<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<String> = names.map(|name| format!("{name:?}")).collect();
    format!("dataset.targets = {{ columns = [{}] }}", names.join(", "))
}

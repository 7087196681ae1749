//! What is to be found in data of one's own, and which columns of tables hold it.

use super::groups::Groups;
use super::{Context, Form, NoLabel, OwnConfig};
use barnowl_base::error::{Error, Result};
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

    /// Refuses what the form of the data has no place for, and names that name nothing.
    pub(super) fn validate(&self, key: &str, config: &OwnConfig) -> Result<()> {
        let wrong = || Error::setting(format!("{key}.targets"), self);
        match config.form {
            Form::Arrays | Form::Csv | Form::Ts => {}
            Form::Events(_) | Form::Sound(_) if !self.is_real() => {}
            Form::Events(_) => {
                return Err(wrong()
                    .expected("\"classes\": a list of events has no place for numbers to be found")
                    .remedy(
                        "use form = \"arrays\": x of −1, 0 and 1 is kept as events, and y holds the numbers",
                    ));
            }
            Form::Sound(_) => {
                return Err(wrong()
                    .expected("\"classes\": a sound has no place for numbers to be found")
                    .remedy(
                        "use form = \"arrays\": x holds the sounds as spikes or bands, and y the numbers",
                    ));
            }
        }
        if let (Form::Arrays, true, Some(NoLabel::Word(word))) =
            (config.form, self.is_real(), &config.no_label)
        {
            return Err(Error::setting(format!("{key}.no_label"), word).expected(
                "a number, or nothing: the targets of arrays are numbers, and no words",
            ));
        }
        let Self::Columns(names) = self else { return Ok(()) };
        if names.is_empty() || names.iter().any(|name| name.trim().is_empty()) {
            return Err(wrong().expected("{ columns = [\"…\"] } with the name of each number"));
        }
        if let Some(twice) = twice(names) {
            return Err(wrong().expected(format!("each name once, and not {twice} twice")));
        }
        if config.form == Form::Ts && names.len() > 1 {
            return Err(wrong().expected("one name: a series of a file .ts has one number"));
        }
        if config.form != Form::Csv {
            return Ok(());
        }
        if let Some(name) = names.iter().find(|name| config.ignore.contains(name)) {
            return Err(wrong().expected(format!(
                "no {name}, or no {key}.ignore with it: a column is to be found, or left out"
            )));
        }
        match &config.groups {
            Some(Groups::Column(group)) if names.contains(group) => {
                Err(wrong().expected(format!("no {group}: {key}.groups says what that column is")))
            }
            _ => Ok(()),
        }
    }
}

/// The first name that is there twice.
pub(super) fn twice(names: &[String]) -> Option<&String> {
    (1..names.len()).find(|at| names[..*at].contains(&names[*at])).map(|at| &names[at])
}

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

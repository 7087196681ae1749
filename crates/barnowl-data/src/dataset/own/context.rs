//! What readers are told.

use super::groups::Groups;
use super::no_label::NoLabel;
use super::target_kind::TargetKind;
use crate::dataset::Ends;

/// What readers are told.
pub(super) struct Context<'a> {
    /// What is to be found.
    pub(super) targets: &'a TargetKind,
    /// The names of the classes, or of the numbers that are to be found; none where nothing is known of them.
    pub(super) names: &'a [String],
    /// The names that numbers stand for, by place: those of `classes.txt`, or of a model whose classes were listed.
    pub(super) listed: &'a [String],
    /// The names of the channels in the order that is wanted; none where nothing is known of them.
    pub(super) channels: &'a [String],
    pub(super) no_label: Option<&'a NoLabel>,
    pub(super) groups: Option<&'a Groups>,
    /// Columns that are left out.
    pub(super) ignore: &'a [String],
    /// How the training sequences end, where that is known.
    pub(super) ends: Option<Ends>,
}

impl Context<'_> {
    /// The column that says the group, if one does.
    pub(super) fn group_column(&self) -> Option<&str> {
        match self.groups {
            Some(Groups::Column(name)) => Some(name),
            _ => None,
        }
    }

    /// The setting that leaves columns out beside those that are.
    pub(super) fn ignoring(&self, names: &[String]) -> String {
        let all: Vec<String> =
            self.ignore.iter().chain(names).map(|name| format!("{name:?}")).collect();
        format!("dataset.ignore = [{}]", all.join(", "))
    }
}

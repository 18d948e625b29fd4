//! How many households of an area are honoured for their conduct points, and how long a public notice stands.

use super::table::Table;

/// `rules.md` §10, and the notice of `tables.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConductRules {
    /// Last rank in an area that is honoured.
    pub honoured_max: u32,
    /// Days that a public notice stands.
    pub notice_days: u32,
}

pub(super) fn read(version: &Table<'_>) -> Option<ConductRules> {
    let honoured_max = version.count("honoured_max");
    let notice_days = version.count("notice_days");
    Some(ConductRules { honoured_max: honoured_max?, notice_days: notice_days? })
}

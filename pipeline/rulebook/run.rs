//! How many rows of a table may be set aside before a night is not published.

use super::table::Table;
use crate::decimal::Decimal;

/// `tables.md`: the audit fails when both are exceeded in one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRules {
    /// Share of the rows read, 0 to 1.
    pub quarantine_share_max: Decimal,
    pub quarantine_rows_min: u32,
}

pub(super) fn read(version: &Table<'_>) -> Option<RunRules> {
    let quarantine_share_max = version.share("quarantine_share_max");
    let quarantine_rows_min = version.count("quarantine_rows_min");
    Some(RunRules { quarantine_share_max: quarantine_share_max?, quarantine_rows_min: quarantine_rows_min? })
}

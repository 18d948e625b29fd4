//! How many households a published cell must hold at least.

use super::table::Table;

/// `indicators.md`, disclosure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisclosureRules {
    /// Households; a smaller cell is suppressed.
    pub cell_min: u32,
}

pub(super) fn read(version: &Table<'_>) -> Option<DisclosureRules> {
    Some(DisclosureRules { cell_min: version.positive_count("cell_min")? })
}

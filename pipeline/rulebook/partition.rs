//! How many households a grid should hold, and how far a village may differ from the civil register.

use super::table::Table;
use super::words::GRID_KINDS;
use crate::decimal::Decimal;

/// `rules.md` §6. Every grid kind has exactly one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionRules {
    pub sizes: Vec<GridSize>,
    /// Share of the register's count, 0 to 1.
    pub count_tolerance: Decimal,
}

/// Households that a grid of a kind should hold, both ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridSize {
    pub grid_kind: String,
    pub at_least: u32,
    pub at_most: u32,
}

pub(super) fn read(version: &Table<'_>) -> Option<PartitionRules> {
    let sizes = read_sizes(version);
    let count_tolerance = version.share("count_tolerance");
    Some(PartitionRules { sizes: sizes?, count_tolerance: count_tolerance? })
}

fn read_sizes(version: &Table<'_>) -> Option<Vec<GridSize>> {
    let mut sizes: Vec<GridSize> = Vec::new();
    let mut is_whole = true;
    for row in version.tables("sizes")? {
        let grid_kind = row.word("grid_kind", GRID_KINDS);
        let (at_least, at_most) = (row.count("at_least"), row.count("at_most"));
        row.close();
        let (Some(grid_kind), Some(at_least), Some(at_most)) = (grid_kind, at_least, at_most) else {
            is_whole = false;
            continue;
        };
        if at_least > at_most {
            let sentence = format!("no grid of kind `{grid_kind}` can be of the right size");
            row.fault("at_least", &sentence, "at_least must not be more than at_most");
        }
        if sizes.iter().any(|size| size.grid_kind == grid_kind) {
            row.fault("grid_kind", &format!("the grid kind `{grid_kind}` stands twice"), "write one row per kind");
        }
        sizes.push(GridSize { grid_kind, at_least, at_most });
    }
    for kind in GRID_KINDS {
        if is_whole && sizes.iter().all(|size| size.grid_kind != *kind) {
            version.fault("sizes", &format!("the grid kind `{kind}` has no size"), "write one row per kind");
        }
    }
    is_whole.then_some(sizes)
}

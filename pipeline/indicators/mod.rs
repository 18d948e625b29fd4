//! The inclusive-finance indicators of the catalogue (`indicators.md`) for the bank, its branches and every area: parts
//! first, as whole numbers at the finest key, summed to every level; values last; then what may not leave the bank.
//! Leaves the definitions to `rulebook`, the table to `outputs` and the files for the regulator to `regulator`.

mod base;
mod condition;
pub mod disclosure;
pub mod distance;
pub mod inequality;
mod nodes;
mod observed;
mod parts;
mod values;

use rayon::prelude::*;

use crate::contract::Contracts;
use crate::coverage::{Coverage, Rated};
use crate::fault::Result;
use crate::rulebook::indicators::{BaseTable, Indicator};

pub use nodes::{Node, Nodes, Place};
pub use values::{Amount, Breakdown, Row, Status};

/// Every indicator of the run; key (indicator, node, breakdown).
#[derive(Debug)]
pub struct Indicators {
    /// The bank, its branches and areas, by level and identifier.
    pub nodes: Nodes,
    /// In the order of the table's key.
    pub rows: Vec<Row>,
}

/// What the stages before found, which indicators add up.
#[derive(Clone, Copy)]
pub struct Covered<'a> {
    pub rated: &'a Rated<'a>,
    pub coverage: &'a Coverage,
}

/// Computes every indicator in force and decides which cells may not leave the bank.
pub fn measure(covered: &Covered) -> Result<Indicators> {
    let mut measured = measure_all(covered)?;
    let rulebook = covered.rated.rulebook;
    disclosure::protect(
        &mut measured,
        &rulebook.indicators,
        &covered.rated.tables.areas,
        i64::from(rulebook.disclosure.cell_min),
        disclosure::Protection::Complete,
    );
    Ok(measured)
}

/// The same before anything is suppressed: what the bank itself may see.
pub fn measure_all(covered: &Covered) -> Result<Indicators> {
    let rulebook = covered.rated.rulebook;
    let contracts = covered.rated.contracts;
    let nodes = Nodes::of(covered)?;
    let nearest = needs_distances(&rulebook.indicators, contracts)?.then(|| distance::to_nearest_point(covered.rated));
    let bases = base::Bases { covered, nearest: nearest.flatten() };
    let tables = BaseTable::ALL
        .par_iter()
        .map(|&table| bases.rows(table, &read_columns(&rulebook.indicators, table)))
        .collect::<Result<Vec<_>>>()?;
    let totals = parts::add_up(&rulebook.indicators, &tables, &nodes, covered.rated.tables)?;
    let observed = observed::observe(&rulebook.indicators, &tables, &nodes, covered.rated.tables)?;
    let rows = values::rows(covered, &nodes, &totals, &observed)?;
    Ok(Indicators { nodes, rows })
}

/// The columns of a base table that some definition reads, by their positions.
fn read_columns(indicators: &[Indicator], table: BaseTable) -> Vec<usize> {
    let mut columns = Vec::new();
    for indicator in indicators {
        let kind = &indicator.definition.kind;
        for part in kind.parts().into_iter().filter(|part| part.table == table) {
            part.columns(&mut columns);
        }
        if let Some(observations) = kind.observations().filter(|observations| observations.table == table) {
            observations.columns(&mut columns);
        }
    }
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// Whether any definition in force reads a distance: the index over the service points is built only then.
fn needs_distances(indicators: &[Indicator], contracts: &Contracts) -> Result<bool> {
    let position = contracts.base(BaseTable::Households.name())?.require(distance::NEAREST_POINT)?;
    Ok(read_columns(indicators, BaseTable::Households).contains(&position))
}

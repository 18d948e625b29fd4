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

use arrow::array::Float64Array;

use crate::clean::typed::Areas;
use crate::coverage::{Coverage, Rated};
use crate::fault::Result;
use crate::rulebook::Rulebook;
use crate::rulebook::indicators::{BaseTable, Indicator};

use base::BaseRows;
pub use nodes::{BANK, Node, Nodes, Place};
use observed::Observed;
use parts::Parts;
pub use values::{Amount, Breakdown, Row, Status};

/// Every indicator of the run; key (indicator, node, breakdown).
#[derive(Clone, Debug, Default)]
pub struct Indicators {
    /// The bank, its branches and areas, by level and identifier.
    pub nodes: Nodes,
    /// In the order of the table's key.
    pub rows: Vec<Row>,
}

/// Every indicator of the run as the bank itself may see it: nothing is withheld yet.
#[derive(Clone, Debug, Default)]
pub struct Measured(Indicators);

impl Measured {
    pub fn for_the_bank(&self) -> &Indicators {
        &self.0
    }

    /// Decides which cells may not leave the bank.
    pub fn withhold(self, rulebook: &Rulebook, areas: &Areas) -> Indicators {
        let Measured(mut indicators) = self;
        let cell_min = i64::from(rulebook.disclosure.cell_min);
        let complete = disclosure::Protection::Complete;
        disclosure::protect(&mut indicators, &rulebook.indicators, areas, cell_min, complete);
        indicators
    }
}

/// What the stages before found, which indicators add up.
#[derive(Clone, Copy)]
pub struct Covered<'a> {
    pub rated: &'a Rated<'a>,
    pub coverage: &'a Coverage,
}

/// Metres from each household of the run to the nearest open service point; None where no definition in force asks, or
/// where the bank has no service points.
pub type Distances = Option<Float64Array>;

/// Finds the nearest service points, where a definition asks for them.
pub fn distances(covered: &Covered) -> Result<Distances> {
    let rated = covered.rated;
    let position = rated.contracts.base(BaseTable::Households.name())?.require(distance::NEAREST_POINT)?;
    let is_read = read_columns(&rated.rulebook.indicators, BaseTable::Households).contains(&position);
    Ok(if is_read { distance::to_nearest_point(rated).map(Float64Array::from) } else { None })
}

/// Computes every indicator in force.
pub fn measure_all(covered: &Covered, distances: Distances) -> Result<Measured> {
    let (catalogue, bank) = (&covered.rated.rulebook.indicators, covered.rated.tables);
    let nodes = Nodes::of(covered)?;
    let bases = base::Bases { covered, nearest: distances };
    let (mut parts, mut observed) = (Parts::of(catalogue), Observed::none(catalogue));
    // One table after the other, so that no two of them are in memory as a whole: what statistics are taken of is a part,
    // and the next table is made meanwhile. Those of many rows come first.
    let mut tables = BaseTable::ALL;
    tables.sort_by_key(|table| !matches!(table, BaseTable::Households | BaseTable::Visits));
    let mut observe = |before: Option<(BaseTable, BaseRows)>| {
        before.map_or(Ok(()), |(table, base)| observed.observe(catalogue, table, &base, &nodes, bank))
    };
    let mut before = None;
    for table in tables {
        let (taken, base) = rayon::join(
            || observe(before),
            || -> Result<BaseRows> {
                let mut base = bases.rows(table, &read_columns(catalogue, table))?;
                parts.add_up(table, &base, &nodes, bank)?;
                base.let_go_of_all_but(&observed_columns(catalogue, table));
                Ok(base)
            },
        );
        taken?;
        before = Some((table, base?));
    }
    observe(before)?;
    let rows = values::rows(covered, &nodes, &parts.end()?, &observed);
    Ok(Measured(Indicators { nodes, rows }))
}

/// The columns of a base table that some definition reads, by their positions.
fn read_columns(indicators: &[Indicator], table: BaseTable) -> Vec<usize> {
    let mut columns = Vec::new();
    for indicator in indicators {
        let kind = &indicator.definition.kind;
        for part in kind.parts().into_iter().filter(|part| part.table == table) {
            part.columns(&mut columns);
        }
    }
    columns.extend(observed_columns(indicators, table));
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// Those of them that statistics over all values read.
fn observed_columns(indicators: &[Indicator], table: BaseTable) -> Vec<usize> {
    let mut columns = Vec::new();
    for observations in indicators.iter().filter_map(|indicator| indicator.definition.kind.observations()) {
        if observations.table == table {
            observations.columns(&mut columns);
        }
    }
    columns
}

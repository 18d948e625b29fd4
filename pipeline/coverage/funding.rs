//! What the grid work of a village or community is funded with (`rules.md` §11): a fund by the households of the area,
//! and a service rate for each household by the settlement of its grid. Money is in cents.

use crate::clean::typed::Rows as _;
use crate::contract::Contracts;
use crate::fault::Result;
use crate::rulebook::GridFunding;

use super::Rated;
use super::branch::GridCoverage;
use super::counts::Count;

/// The funding of one area with households in valid grids; key area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AreaFunding {
    /// Position in `areas`.
    pub area: usize,
    pub households: i64,
    pub work_fund: i128,
    pub service_fund: i128,
}

/// Funds every area in whose valid grids there are households; in the order of `areas`.
pub fn fund<'g>(rated: &Rated, grids: impl Iterator<Item = &'g GridCoverage>) -> Result<Vec<AreaFunding>> {
    let (tables, rules) = (rated.tables, &rated.rulebook.grid_funding);
    let rates = rates(rules, rated.contracts)?;
    let mut areas: Vec<AreaFunding> =
        (0..tables.areas.rows).map(|area| AreaFunding { area, ..AreaFunding::default() }).collect();
    for grid in grids {
        let households = grid.counts.all().get(Count::Households);
        let settlement = tables.grids.settlement.get(grid.grid);
        let rate = settlement.and_then(|settlement| rates.get(usize::from(settlement)).copied()).unwrap_or(0);
        if let Some(area) = tables.grids.area_id.get(grid.grid).and_then(|area| areas.get_mut(area)) {
            area.households += households;
            area.service_fund += i128::from(rate) * i128::from(households);
        }
    }
    areas.retain(|area| area.households > 0);
    for area in &mut areas {
        area.work_fund = i128::from(work_fund(area.households, rules));
    }
    Ok(areas)
}

/// Cents per household, by the code of the settlement.
fn rates(rules: &GridFunding, contracts: &Contracts) -> Result<Vec<i64>> {
    let words = &contracts.input("grids")?.column("settlement")?.words;
    let rate = |word: &String| rules.service_rates.iter().find(|rate| rate.settlement == *word);
    Ok(words.iter().map(|word| rate(word).map_or(0, |rate| rate.rate_cents)).collect())
}

fn work_fund(households: i64, rules: &GridFunding) -> i64 {
    let fits = |max: Option<u32>| max.is_none_or(|max| households <= i64::from(max));
    rules.work_fund.iter().find(|band| fits(band.households_max)).map_or(0, |band| band.amount_cents)
}

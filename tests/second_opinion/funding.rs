//! Grid funding: what the grid work of each village and community with households is funded with.

use std::collections::BTreeMap;

use super::Night;
use super::exact::{Ratio, format_money};
use super::policy::Policy;
use super::reading::Grid;
use super::tables::Table;

pub fn grid_funding(night: &Night) -> Table {
    let mut areas: BTreeMap<&str, Vec<(&Grid, i128)>> = BTreeMap::new();
    for grid in night.register.grids.values() {
        let households = night.households_in(&grid.grid_id).len() as i128;
        areas.entry(&grid.area_id).or_default().push((*grid, households));
    }
    let mut rows = Vec::new();
    for (area_id, grids) in areas {
        let households: i128 = grids.iter().map(|(_, households)| households).sum();
        if households > 0 {
            let service_fund: i128 =
                grids.iter().map(|(grid, households)| service_rate(night.policy, grid) * households).sum();
            rows.push(vec![
                area_id.to_string(),
                households.to_string(),
                format_money(work_fund(night.policy, households)),
                format_money(service_fund),
            ]);
        }
    }
    Table::new("grid_funding", &["area_id", "households", "work_fund", "service_fund"], rows)
}

fn work_fund(policy: &Policy, households: i128) -> i128 {
    let band = policy.work_funds.iter().find(|(bound, _)| bound.matches(Ratio::new(households, 1)));
    band.map_or(0, |(_, fund)| *fund)
}

/// *rate[settlement]*; 0 without a settlement.
fn service_rate(policy: &Policy, grid: &Grid) -> i128 {
    let Some(settlement) = &grid.settlement else {
        return 0;
    };
    let rate = policy.service_rates.iter().find(|(name, _)| name == settlement);
    rate.unwrap_or_else(|| panic!("no service rate for `{settlement}`")).1
}

#[cfg(test)]
mod tests {
    use super::super::examples::{bank, grid, household, run};
    use super::super::reading::Bank;
    use super::*;

    #[test]
    fn bands_change_after_5000_and_at_10000() {
        let fund = |households| work_fund(&Policy::default(), households) / 100;
        assert_eq!([1, 5_000, 5_001, 9_999, 10_000].map(fund), [20_000, 20_000, 30_000, 30_000, 40_000]);
    }

    #[test]
    fn each_grid_has_the_rate_of_its_settlement() {
        let settled = |grid_id: &str, settlement: Option<&str>| {
            let mut grid = grid(grid_id);
            grid.settlement = settlement.map(str::to_string);
            grid
        };
        let grids = vec![settled("G1", Some("unit")), settled("G2", None), settled("G3", Some("dispersed"))];
        let mut households = ["H1", "H2", "H3", "H4"].map(household).to_vec();
        households[2].grid_id = "G2".to_string();
        households[3].grid_id = "G3".to_string();
        let tables = run(Bank { grids, households, ..bank() });
        assert_eq!(tables["grid_funding"].rows, [["A1", "4", "20000.00", "170.00"]]);
        let empty = run(Bank { households: Vec::new(), ..bank() });
        assert!(empty["grid_funding"].rows.is_empty());
    }
}

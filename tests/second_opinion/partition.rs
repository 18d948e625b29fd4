//! Partition faults: gaps, overlaps and grids out of size. The English detail of a fault is not
//! modelled.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::Night;
use super::exact::Ratio;
use super::reading::{Area, Grid};
use super::register::{is_open, is_village_or_community};
use super::tables::Table;

pub fn partition_faults(night: &Night) -> Table {
    let mut faults: Vec<(&str, &str, &str)> = Vec::new();
    for grid in night.register.grids.values() {
        faults.extend(grid_faults(night, grid).into_iter().map(|fault| (fault, grid.grid_id.as_str(), "grid")));
    }
    for area in night.register.areas.values() {
        faults.extend(area_faults(night, area).into_iter().map(|fault| (fault, area.area_id.as_str(), "area")));
    }
    for (officer_id, grids) in night.register.grids_of_primaries() {
        let own_branch = &night.register.officers[officer_id].branch_id;
        if grids.len() > 1 {
            faults.push(("officer_with_many_grids", officer_id, "officer"));
        }
        if grids.iter().any(|grid| grid.branch_id != *own_branch) {
            faults.push(("officer_of_other_branch", officer_id, "officer"));
        }
    }
    for outcome in night.outcomes {
        if !night.register.grids.contains_key(outcome.grid.grid_id.as_str()) {
            faults.push(("grid_not_valid", &outcome.evidence.household.household_id, "household"));
        }
    }
    faults.sort();
    let rows = faults.into_iter().map(|(fault, id, kind)| [fault, kind, id].map(str::to_string).to_vec());
    Table::new("partition_faults", &["fault", "subject_kind", "subject_id"], rows.collect())
}

fn grid_faults(night: &Night, grid: &Grid) -> Vec<&'static str> {
    let officers = |duty| night.register.officers_of(&grid.grid_id, duty).len();
    let households = night.households_in(&grid.grid_id).len() as i128;
    let size = night.policy.sizes.iter().find(|(kind, _, _)| *kind == grid.kind);
    let (_, smallest, greatest) = size.unwrap_or_else(|| panic!("no size for grids of kind `{}`", grid.kind));
    let branch = night.register.branches[grid.branch_id.as_str()];
    let all = [
        ("grid_without_primary", officers("primary") == 0),
        ("grid_with_many_primaries", officers("primary") > 1),
        ("grid_without_backup", officers("backup") == 0),
        ("grid_too_small", households < *smallest),
        ("grid_too_large", households > *greatest),
        ("branch_closed", !is_open(branch, night.as_of)),
    ];
    those_that_hold(&all)
}

fn area_faults(night: &Night, area: &Area) -> Vec<&'static str> {
    let grids = night.register.grids_in(&area.area_id);
    let branches: BTreeSet<&str> = grids.iter().map(|grid| grid.branch_id.as_str()).collect();
    let households: usize = grids.iter().map(|grid| night.households_in(&grid.grid_id).len()).sum();
    let households = households as i128;
    let is_counted = is_village_or_community(area) && !grids.is_empty();
    let is_beyond = |off: i128| is_beyond_tolerance(off, area.household_count, night.policy.count_tolerance);
    let all = [
        ("area_without_grid", is_village_or_community(area) && grids.is_empty()),
        ("rural_overlap", area.is_rural && branches.len() > 1),
        ("households_short", is_counted && is_beyond(area.household_count - households)),
        ("households_over", is_counted && is_beyond(households - area.household_count)),
    ];
    those_that_hold(&all)
}

/// Off by more than `tolerance × household_count`.
fn is_beyond_tolerance(off: i128, household_count: i128, tolerance: Ratio) -> bool {
    let allowed = Ratio::new(tolerance.numerator * household_count, tolerance.denominator);
    Ratio::new(off, 1).compare(allowed) == Ordering::Greater
}

fn those_that_hold(all: &[(&'static str, bool)]) -> Vec<&'static str> {
    all.iter().filter(|(_, holds)| *holds).map(|(fault, _)| *fault).collect()
}

#[cfg(test)]
mod tests {
    use super::super::calendar::Date;
    use super::super::examples::{area, assignment, bank, date, grid, household, officer, run};
    use super::super::reading::{Assignment, Bank};

    /// The faults of a bank, with the subjects, those of sizes and register counts aside.
    fn faults(bank: Bank) -> Vec<String> {
        let tables = run(bank);
        let rows = tables["partition_faults"].rows.iter();
        let rows = rows.filter(|row| !["grid_too_small", "households_short", "households_over"].contains(&&*row[0]));
        rows.map(|row| row.join(" ")).collect()
    }

    fn staffed(assignments: Vec<Assignment>) -> Bank {
        let mut other = officer("O9");
        other.branch_id = "B2".to_string();
        Bank { officers: vec![officer("O1"), officer("O2"), other], assignments, ..bank() }
    }

    #[test]
    fn officers_are_counted_and_not_rows() {
        let backup = || assignment("G1", "O2", "backup");
        let primary = |officer_id| assignment("G1", officer_id, "primary");
        assert_eq!(faults(staffed(vec![primary("O1"), primary("O1"), backup()])), [""; 0]);
        assert_eq!(
            faults(staffed(vec![primary("O1"), primary("O9"), backup()])),
            ["grid_with_many_primaries grid G1", "officer_of_other_branch officer O9"]
        );
        assert_eq!(faults(staffed(Vec::new())), ["grid_without_backup grid G1", "grid_without_primary grid G1"]);
    }

    #[test]
    fn an_assignment_needs_its_own_days_and_those_of_its_officer() {
        let with_end = |assignment_to: Option<Date>, active_to: Option<Date>| {
            let mut row = assignment("G1", "O1", "primary");
            row.valid_to = assignment_to;
            let mut bank = staffed(vec![row, assignment("G1", "O2", "backup")]);
            bank.officers[0].active_to = active_to;
            faults(bank).len()
        };
        assert_eq!(with_end(None, None), 0);
        assert_eq!(with_end(Some(date("2026-06-30")), None), 1);
        assert_eq!(with_end(None, Some(date("2026-06-30"))), 1);
        assert_eq!(with_end(Some(date("2026-07-01")), Some(date("2026-07-01"))), 0);
    }

    #[test]
    fn only_valid_grids_make_an_officer_or_an_area_overloaded() {
        let mut ended = grid("G2");
        ended.branch_id = "B2".to_string();
        ended.valid_to = Some(date("2026-06-30"));
        let row = |grid_id| assignment(grid_id, "O1", "primary");
        let backups = || [assignment("G1", "O2", "backup"), assignment("G2", "O2", "backup")];
        let with_second = |second| {
            let assignments = [row("G1"), row("G2")].into_iter().chain(backups()).collect();
            faults(Bank { grids: vec![grid("G1"), second], ..staffed(assignments) })
        };
        assert_eq!(with_second(ended.clone()), [""; 0]);
        ended.valid_to = None;
        assert_eq!(
            with_second(ended),
            ["officer_of_other_branch officer O1", "officer_with_many_grids officer O1", "rural_overlap area A1"]
        );
    }

    #[test]
    fn households_without_a_valid_grid_and_villages_without_one_are_told() {
        let mut bank = bank();
        bank.grids[0].valid_from = date("2026-07-01");
        bank.areas.push(area("T1", "township", None));
        assert_eq!(faults(bank), ["area_without_grid area A1", "grid_not_valid household H1"]);
    }

    #[test]
    fn a_branch_that_is_closed_or_not_yet_open_may_hold_no_grid() {
        let with_days = |opened_on: &str, closed_on: Option<&str>| {
            let mut bank = staffed(vec![assignment("G1", "O1", "primary"), assignment("G1", "O2", "backup")]);
            bank.branches[0].opened_on = date(opened_on);
            bank.branches[0].closed_on = closed_on.map(date);
            faults(bank)
        };
        assert_eq!(with_days("2026-06-30", Some("2026-07-01")), [""; 0]);
        assert_eq!(with_days("2000-01-01", Some("2026-06-30")), ["branch_closed grid G1"]);
        assert_eq!(with_days("2026-07-01", None), ["branch_closed grid G1"]);
    }

    /// Faults of size and count with so many households in the grid and in the register.
    fn counted(households: usize, household_count: i128) -> Vec<String> {
        let mut bank = bank();
        bank.areas[0].household_count = household_count;
        bank.households = (0..households).map(|number| household(&format!("H{number:03}"))).collect();
        let tables = run(bank);
        let rows = tables["partition_faults"].rows.iter().map(|row| row[0].clone());
        rows.filter(|fault| fault.starts_with("grid_too") || fault.starts_with("households")).collect()
    }

    #[test]
    fn sizes_and_tolerances_include_their_ends() {
        assert_eq!(counted(100, 100), [""; 0]);
        assert_eq!(counted(99, 99), ["grid_too_small"]);
        assert_eq!(counted(500, 500), [""; 0]);
        assert_eq!(counted(501, 501), ["grid_too_large"]);
        // 5 % of 120 are 6.
        assert_eq!(counted(114, 120), [""; 0]);
        assert_eq!(counted(113, 120), ["households_short"]);
        assert_eq!(counted(126, 120), [""; 0]);
        assert_eq!(counted(127, 120), ["households_over"]);
        assert_eq!(counted(100, 0), ["households_over"]);
        assert_eq!(counted(0, 0), ["grid_too_small"]);
    }
}

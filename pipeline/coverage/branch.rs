//! One branch from its own rows (`rules.md` §7): its grids counted by segment, the visits made in them, and from these
//! its officers' assessments and work lists. Branches are computed in parallel; what needs more than one is added up
//! from their parts by `areas`, `partition` and the rest.

use arrow::array::Int64Array;

use crate::calendar::Date;
use crate::clean::typed::Rows as _;
use crate::facts::whole_at;
use crate::fault::Result;
use crate::visits::tallies::GridVisits;

use super::Rated;
use super::counts::{BySegment, Count, Segment};
use super::credit::CreditParts;
use super::groups::Groups;
use super::officers::{self, OfficerAssessment};
use super::staffing::{Duty, Staffing};
use super::standing::Standing;
use super::work_list::{WorkItem, WorkLists};

const MONTHS_A_YEAR: u32 = 12;

/// What was done in one grid; key grid_id.
#[derive(Clone, Debug)]
pub struct GridCoverage {
    /// Position in `grids`.
    pub grid: usize,
    /// The officer who alone is its primary, by position.
    pub primary: Option<usize>,
    /// 0 before the grid joined.
    pub programme_year: u32,
    pub counts: BySegment,
    pub visits: GridVisits,
    pub credit: CreditParts,
}

/// Everything that the rows of one branch give.
#[derive(Debug)]
pub struct BranchResult {
    /// Valid grids, in the order of `grids`.
    pub grids: Vec<GridCoverage>,
    pub officers: Vec<OfficerAssessment>,
    pub work: Vec<WorkItem>,
}

/// The rows of every branch, laid together.
pub struct Branches<'a> {
    rated: &'a Rated<'a>,
    staffing: &'a Staffing,
    standings: &'a [Standing],
    is_valid_grid: &'a [bool],
    /// Valid grids by branch, and each grid's place there.
    grids: Groups,
    grid_places: Vec<u32>,
    /// Households of the run in valid grids, by number.
    households: Groups,
    officers: Groups,
    work_lists: WorkLists<'a>,
    instalments_due: &'a Int64Array,
    delay_days_max: &'a Int64Array,
    outstanding: &'a Int64Array,
    bad_outstanding: &'a Int64Array,
}

impl<'a> Branches<'a> {
    pub fn of(
        rated: &'a Rated<'a>,
        staffing: &'a Staffing,
        standings: &'a [Standing],
        is_valid_grid: &'a [bool],
    ) -> Result<Branches<'a>> {
        let (tables, register) = (rated.tables, rated.register);
        let is_valid = |grid: usize| is_valid_grid.get(grid) == Some(&true);
        let branches = tables.branches.rows;
        let grids = Groups::of(branches, || {
            let valid = (0..tables.grids.rows).filter(|&grid| is_valid(grid));
            valid.filter_map(|grid| Some((tables.grids.branch_id.get(grid)?, grid as u32)))
        });
        let households = Groups::of(branches, || {
            let counted = (0..register.len()).filter(|&number| is_valid(register.grid(number)));
            counted.map(|number| (register.branch(number), number as u32))
        });
        let officers = Groups::of(branches, || {
            (0..tables.officers.rows).filter_map(|row| Some((tables.officers.branch_id.get(row)?, row as u32)))
        });
        Ok(Branches {
            grid_places: grids.places(tables.grids.rows),
            work_lists: WorkLists::of(rated)?,
            instalments_due: rated.facts.whole("instalments_due_24m")?,
            delay_days_max: rated.facts.whole("delay_days_max_24m")?,
            outstanding: rated.facts.whole("own_outstanding")?,
            bad_outstanding: rated.facts.whole("own_bad_outstanding")?,
            rated,
            staffing,
            standings,
            is_valid_grid,
            grids,
            households,
            officers,
        })
    }

    /// Computes one branch from the rows of its households, grids, officers and visits.
    pub fn cover(&self, branch: usize) -> BranchResult {
        let mut grids: Vec<GridCoverage> =
            self.grids.get(branch).iter().map(|&grid| self.empty_grid(grid as usize)).collect();
        self.count_households(branch, &mut grids);
        self.set_targets(&mut grids);
        let officers = self.assess_officers(branch, &grids);
        let work = self.list_work(branch, &grids);
        BranchResult { grids, officers, work }
    }

    fn empty_grid(&self, grid: usize) -> GridCoverage {
        let primary = match self.staffing.serving(grid, Duty::Primary).as_slice() {
            &[officer] => Some(officer),
            _ => None,
        };
        GridCoverage {
            grid,
            primary,
            programme_year: programme_year(self.rated.tables.grids.joined_on.get(grid), self.rated.register.as_of),
            counts: BySegment::default(),
            visits: self.rated.visits.grids.get(grid).copied().unwrap_or_default(),
            credit: CreditParts::default(),
        }
    }

    fn grid_of<'g>(&self, grids: &'g mut [GridCoverage], grid: usize) -> Option<&'g mut GridCoverage> {
        let is_valid = self.is_valid_grid.get(grid) == Some(&true);
        self.grid_places.get(grid).filter(|_| is_valid).and_then(|&place| grids.get_mut(place as usize))
    }

    fn count_households(&self, branch: usize, grids: &mut [GridCoverage]) {
        for number in self.households.get(branch).iter().map(|&number| number as usize) {
            let standing = self.standings.get(number);
            let grid = self.grid_of(grids, self.rated.register.grid(number));
            if let (Some(standing), Some(grid)) = (standing, grid) {
                grid.counts.segment_mut(standing.segment).add_household(standing.marks);
                grid.credit += self.credit(number);
            }
        }
    }

    fn credit(&self, number: usize) -> CreditParts {
        let rated = self.rated;
        let amount = |column: &Int64Array| i128::from(whole_at(column, number).unwrap_or(0));
        let is_borrower = whole_at(self.instalments_due, number).is_some_and(|due| due > 0);
        let prompt_days = i64::from(rated.rulebook.credit_villages.prompt_days);
        let is_prompt = whole_at(self.delay_days_max, number).is_some_and(|days| days <= prompt_days);
        CreditParts {
            households: 1,
            credit_households: i64::from(rated.is_credit_household(number)),
            borrowers: i64::from(is_borrower),
            prompt_borrowers: i64::from(is_borrower && is_prompt),
            outstanding: amount(self.outstanding),
            bad_outstanding: amount(self.bad_outstanding),
        }
    }

    /// Profiles required: the target of the grid's year and of the segment, rounded up for each grid and segment.
    fn set_targets(&self, grids: &mut [GridCoverage]) {
        let years = &self.rated.rulebook.coverage_targets.years;
        for grid in grids {
            let targets = match grid.programme_year {
                0 => continue,
                year => years.iter().rfind(|targets| targets.programme_year <= year),
            };
            let Some(targets) = targets else { continue };
            for segment in Segment::ALL {
                let target = match segment {
                    Segment::Rural => targets.rural,
                    Segment::Resident => targets.resident,
                    Segment::Business => targets.business,
                };
                let counts = grid.counts.segment_mut(segment);
                let required = target.times_up(i128::from(counts.get(Count::Households)));
                counts.add(Count::ProfilesRequired, required as i64);
            }
        }
    }

    fn assess_officers(&self, branch: usize, grids: &[GridCoverage]) -> Vec<OfficerAssessment> {
        let rules = &self.rated.rulebook.officers;
        let own = self.officers.get(branch).iter();
        own.filter_map(|&officer| {
            let visits = self.rated.visits.officers.get(officer as usize).copied().unwrap_or_default();
            let primary = self.staffing.primary_grids(officer as usize).iter();
            let served: Vec<&GridCoverage> = primary
                .filter(|&&grid| self.rated.tables.grids.branch_id.get(grid as usize) == Some(branch))
                .filter_map(|&grid| grids.get(*self.grid_places.get(grid as usize)? as usize))
                .collect();
            officers::assess(officer as usize, &served, visits, rules)
        })
        .collect()
    }

    fn list_work(&self, branch: usize, grids: &[GridCoverage]) -> Vec<WorkItem> {
        let workers: Vec<(Duty, Vec<usize>)> =
            grids.iter().map(|grid| super::work_list::workers(self.staffing, grid.grid)).collect();
        let mut work = Vec::new();
        for &number in self.households.get(branch) {
            let visits = self.rated.visits.households.get(number as usize).copied().unwrap_or_default();
            let grid = self.rated.register.grid(number as usize);
            let of_grid = self.grid_places.get(grid).and_then(|&place| workers.get(place as usize));
            if let Some((duty, officers)) = of_grid
                && !officers.is_empty()
                && let Some(item) = self.work_lists.item(number as usize, &visits.follow_up, self.standings)
            {
                work.extend(officers.iter().map(|&officer| item.given_to(officer, *duty)));
            }
        }
        work
    }
}

/// 1 in the first twelve months from the day on which the grid joined, 0 before it.
pub fn programme_year(joined_on: Option<Date>, as_of: Date) -> u32 {
    let joined = joined_on.filter(|&joined| joined <= as_of);
    joined.map_or(0, |joined| joined.whole_months_to(as_of) / MONTHS_A_YEAR + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programme_year_begins_on_the_day_of_joining() {
        let day = |text: &str| Date::parse(text).unwrap();
        let year = |as_of: &str| programme_year(Some(day("2025-06-30")), day(as_of));
        assert_eq!(["2025-06-29", "2025-06-30", "2026-06-29", "2026-06-30", "2028-06-30"].map(year), [0, 1, 1, 2, 4]);
    }
}

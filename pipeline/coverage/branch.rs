//! One branch from its own rows (`rules.md` §7): its grids counted by segment, the visits made in them, and from these
//! its officers' assessments and work lists. Branches are computed in parallel; what needs more than one is added up
//! from their parts by `areas`, `partition` and the rest.

use arrow::array::Int64Array;

use crate::calendar::{Date, Window, day_of};
use crate::clean::typed::Rows as _;
use crate::contract::Contracts;
use crate::facts::whole_at;
use crate::fault::Result;

use super::Rated;
use super::counts::{BySegment, Count, Segment};
use super::credit::CreditParts;
use super::groups::Groups;
use super::officers::{self, OfficerAssessment, OfficerVisits};
use super::staffing::{Duty, Staffing};
use super::standing::Standing;
use super::work_list::{FollowUp, WorkItem, WorkLists};

/// What is counted of visits looks back for 12 months, by the names of its columns, and for one month.
const VISIT_MONTHS: u32 = 12;
const PATROL_MONTHS: u32 = 1;
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

/// Visits made in a grid, to a household or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GridVisits {
    pub visits_12m: i64,
    pub valid_visits_12m: i64,
    pub valid_visits_1m: i64,
    pub issues_raised_12m: i64,
    pub issues_resolved_in_grid: i64,
    pub issues_resolved_in_community: i64,
    pub issues_resolved_in_township: i64,
    pub urgent_open: i64,
}

impl GridVisits {
    pub fn is_patrol_met(&self) -> bool {
        self.valid_visits_1m >= 1
    }

    pub fn issues_resolved(&self) -> i64 {
        self.issues_resolved_in_grid + self.issues_resolved_in_community + self.issues_resolved_in_township
    }

    pub fn issues_open(&self) -> i64 {
        self.issues_raised_12m - self.issues_resolved()
    }
}

/// Everything that the rows of one branch give.
#[derive(Debug)]
pub struct BranchResult {
    /// Valid grids, in the order of `grids`.
    pub grids: Vec<GridCoverage>,
    pub officers: Vec<OfficerAssessment>,
    pub work: Vec<WorkItem>,
}

/// The words of visits that coverage tells apart, as codes.
struct VisitWords {
    onsite: u8,
    no_issue: u8,
    urgent: u8,
    in_grid: u8,
    in_community: u8,
    in_township: u8,
}

impl VisitWords {
    fn of(contracts: &Contracts) -> Result<VisitWords> {
        let visits = contracts.input("visits")?;
        Ok(VisitWords {
            onsite: visits.word_code("channel", "onsite")?,
            no_issue: visits.word_code("issue_level", "none")?,
            urgent: visits.word_code("issue_level", "urgent")?,
            in_grid: visits.word_code("issue_status", "resolved_in_grid")?,
            in_community: visits.word_code("issue_status", "resolved_in_community")?,
            in_township: visits.word_code("issue_status", "resolved_in_township")?,
        })
    }
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
    household_places: Vec<u32>,
    officers: Groups,
    officer_places: Vec<u32>,
    /// Visits of `W(12)` in grids of the branch, by their place in the visit checks.
    visits: Groups,
    words: VisitWords,
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
        let recent = Window::months_to(register.as_of, VISIT_MONTHS);
        let evaluated = || (0..).zip(rated.checks.days.iter().zip(&rated.checks.branches));
        let visits = Groups::of(branches, || {
            let recent = evaluated().filter(|(_, (day, _))| recent.contains(**day));
            recent.map(|(place, (_, &branch))| (branch as usize, place))
        });
        Ok(Branches {
            grid_places: grids.places(tables.grids.rows),
            household_places: households.places(register.len()),
            officer_places: officers.places(tables.officers.rows),
            visits,
            words: VisitWords::of(rated.contracts)?,
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
        let (visited, follow_ups) = self.count_visits(branch, &mut grids);
        let officers = self.assess_officers(branch, &grids, &visited);
        let work = self.list_work(branch, &grids, &follow_ups);
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
            visits: GridVisits::default(),
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

    /// Counts the visits of the branch by grid, by officer and by household.
    fn count_visits(&self, branch: usize, grids: &mut [GridCoverage]) -> (Vec<OfficerVisits>, Vec<FollowUp>) {
        let (visits, checks) = (&self.rated.tables.visits, self.rated.checks);
        let patrols = Window::months_to(self.rated.register.as_of, PATROL_MONTHS);
        let mut by_officer = vec![OfficerVisits::default(); self.officers.get(branch).len()];
        let mut by_household = vec![FollowUp::default(); self.households.get(branch).len()];
        for &place in self.visits.get(branch) {
            let row = checks.rows.get(place as usize).copied().unwrap_or_default() as usize;
            let is_valid = checks.flags.get(place as usize).is_some_and(|flags| flags.is_valid());
            let day = checks.days.get(place as usize).copied().unwrap_or(self.rated.register.as_of);
            let is_onsite = visits.channel.get(row) == Some(self.words.onsite);
            let issue = self.issue(row);
            if let Some(grid) = visits.grid_id.get(row).and_then(|grid| self.grid_of(grids, grid)) {
                grid.visits.visits_12m += 1;
                grid.visits.valid_visits_12m += i64::from(is_valid);
                grid.visits.valid_visits_1m += i64::from(is_valid && patrols.contains(day));
                grid.visits.count_issue(issue);
            }
            if let Some(officer) = self.own_officer(branch, visits.officer_id.get(row))
                && let Some(tally) = by_officer.get_mut(officer)
                && is_onsite
            {
                tally.onsite += 1;
                tally.invalid += i64::from(!is_valid);
            }
            if let Some(household) = self.own_household(branch, visits.household_id.get(row))
                && let Some(follow_up) = by_household.get_mut(household)
                && let Some(started_at) = visits.started_at.get(row)
            {
                follow_up.note_visit(started_at, is_onsite, is_valid, issue == Issue::OpenUrgent);
            }
        }
        (by_officer, by_household)
    }

    /// The place of an officer among those of the branch.
    fn own_officer(&self, branch: usize, officer: Option<usize>) -> Option<usize> {
        let officer = officer.filter(|&officer| self.rated.tables.officers.branch_id.get(officer) == Some(branch))?;
        self.officer_places.get(officer).map(|&place| place as usize)
    }

    /// The place of a household among those that the branch counts.
    fn own_household(&self, branch: usize, position: Option<usize>) -> Option<usize> {
        let register = self.rated.register;
        let number = register.number(position?).filter(|&number| register.branch(number) == branch)?;
        let is_counted = self.is_valid_grid.get(register.grid(number)) == Some(&true);
        self.household_places.get(number).filter(|_| is_counted).map(|&place| place as usize)
    }

    /// What became of the issue that a visit raised. An issue counts as resolved from the day on which it was.
    fn issue(&self, row: usize) -> Issue {
        let (visits, words) = (&self.rated.tables.visits, &self.words);
        let level = visits.issue_level.get(row);
        if level.is_none_or(|level| level == words.no_issue) {
            return Issue::None;
        }
        let is_resolved =
            visits.issue_resolved_at.get(row).is_some_and(|moment| day_of(moment) <= self.rated.register.as_of);
        match visits.issue_status.get(row).filter(|_| is_resolved) {
            Some(status) if status == words.in_grid => Issue::ResolvedInGrid,
            Some(status) if status == words.in_community => Issue::ResolvedInCommunity,
            Some(status) if status == words.in_township => Issue::ResolvedInTownship,
            _ if level == Some(words.urgent) => Issue::OpenUrgent,
            _ => Issue::Open,
        }
    }

    fn assess_officers(
        &self,
        branch: usize,
        grids: &[GridCoverage],
        visited: &[OfficerVisits],
    ) -> Vec<OfficerAssessment> {
        let rules = &self.rated.rulebook.officers;
        let own = self.officers.get(branch).iter().zip(visited);
        own.filter_map(|(&officer, visits)| {
            let primary = self.staffing.primary_grids(officer as usize).iter();
            let served: Vec<&GridCoverage> = primary
                .filter(|&&grid| self.rated.tables.grids.branch_id.get(grid as usize) == Some(branch))
                .filter_map(|&grid| grids.get(*self.grid_places.get(grid as usize)? as usize))
                .collect();
            officers::assess(officer as usize, &served, *visits, rules)
        })
        .collect()
    }

    fn list_work(&self, branch: usize, grids: &[GridCoverage], follow_ups: &[FollowUp]) -> Vec<WorkItem> {
        let workers: Vec<(Duty, Vec<usize>)> =
            grids.iter().map(|grid| super::work_list::workers(self.staffing, grid.grid)).collect();
        let mut work = Vec::new();
        for (&number, follow_up) in self.households.get(branch).iter().zip(follow_ups) {
            let grid = self.rated.register.grid(number as usize);
            let of_grid = self.grid_places.get(grid).and_then(|&place| workers.get(place as usize));
            if let Some((duty, officers)) = of_grid
                && !officers.is_empty()
                && let Some(item) = self.work_lists.item(number as usize, follow_up, self.standings)
            {
                work.extend(officers.iter().map(|&officer| item.given_to(officer, *duty)));
            }
        }
        work
    }
}

/// What became of an issue by the as-of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Issue {
    None,
    ResolvedInGrid,
    ResolvedInCommunity,
    ResolvedInTownship,
    Open,
    OpenUrgent,
}

impl GridVisits {
    fn count_issue(&mut self, issue: Issue) {
        self.issues_raised_12m += i64::from(issue != Issue::None);
        match issue {
            Issue::ResolvedInGrid => self.issues_resolved_in_grid += 1,
            Issue::ResolvedInCommunity => self.issues_resolved_in_community += 1,
            Issue::ResolvedInTownship => self.issues_resolved_in_township += 1,
            Issue::OpenUrgent => self.urgent_open += 1,
            Issue::None | Issue::Open => {}
        }
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

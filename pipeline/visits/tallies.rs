//! What the checked visits add up to, by household, grid and officer, so that no later stage looks at visits one by one.
//! All of it is of visits to a branch's own grids, so each branch gives its part by itself.

use crate::calendar::Date;

use super::by_number::ByNumber;

/// The visits to one household of the run that were made in grids of its present branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HouseholdVisits {
    /// Visits of W(12) that count.
    pub valid_12m: u32,
    /// Days since 1970; `NEVER` where no visit counts.
    latest_valid: i32,
    pub follow_up: FollowUp,
}

const NEVER: i32 = i32::MIN;

impl Default for HouseholdVisits {
    fn default() -> Self {
        HouseholdVisits { valid_12m: 0, latest_valid: NEVER, follow_up: FollowUp::default() }
    }
}

impl HouseholdVisits {
    /// The day of the latest visit of W(24) that counts.
    pub fn latest_valid(&self) -> Option<Date> {
        (self.latest_valid != NEVER).then_some(Date(self.latest_valid))
    }

    pub(super) fn note_valid(&mut self, day: Date, is_recent: bool) {
        self.valid_12m += u32::from(is_recent);
        self.latest_valid = self.latest_valid.max(day.0);
    }
}

/// What the visits of twelve months to a household left to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowUp {
    /// When the latest visit on site began; the least moment where there was none.
    latest_onsite: i64,
    /// When the earliest visit began whose urgent issue is open; the greatest moment where there is none.
    urgent_since: i64,
    /// Whether the latest visit on site counts.
    is_valid: bool,
}

impl Default for FollowUp {
    fn default() -> Self {
        FollowUp { latest_onsite: i64::MIN, urgent_since: i64::MAX, is_valid: true }
    }
}

impl FollowUp {
    /// Takes a visit in. Visits come in the order in which they began, and of two that began together the one with the
    /// later visit_id stands.
    pub(super) fn note_visit(&mut self, started_at: i64, is_onsite: bool, is_valid: bool, is_open_urgent: bool) {
        if is_onsite && self.latest_onsite <= started_at {
            (self.latest_onsite, self.is_valid) = (started_at, is_valid);
        }
        if is_open_urgent {
            self.urgent_since = self.urgent_since.min(started_at);
        }
    }

    /// When the latest visit on site began, where it does not count.
    pub fn to_repeat(&self) -> Option<i64> {
        (self.latest_onsite != i64::MIN && !self.is_valid).then_some(self.latest_onsite)
    }

    /// When the earliest visit began whose urgent issue is open.
    pub fn urgent_since(&self) -> Option<i64> {
        (self.urgent_since != i64::MAX).then_some(self.urgent_since)
    }
}

/// Visits of twelve months made in a grid, to a household or not.
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

    pub(super) fn count_issue(&mut self, issue: Issue) {
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

/// An officer's own visits on site in twelve months, in grids of the own branch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfficerVisits {
    pub onsite: i64,
    pub invalid: i64,
}

/// What became of the issue that a visit raised, by the as-of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Issue {
    None,
    ResolvedInGrid,
    ResolvedInCommunity,
    ResolvedInTownship,
    Open,
    OpenUrgent,
}

impl Issue {
    pub(super) const ALL: [Issue; 6] = [
        Issue::None,
        Issue::ResolvedInGrid,
        Issue::ResolvedInCommunity,
        Issue::ResolvedInTownship,
        Issue::Open,
        Issue::OpenUrgent,
    ];
}

/// The tallies of every household of the run, every grid and every officer, by their numbers and positions.
#[derive(Debug, Default)]
pub struct VisitTallies {
    pub households: Vec<HouseholdVisits>,
    pub grids: Vec<GridVisits>,
    pub officers: Vec<OfficerVisits>,
}

/// The part of one branch. No household, grid or officer has tallies of two branches.
#[derive(Debug, Default)]
pub(super) struct BranchTallies {
    pub households: ByNumber<HouseholdVisits>,
    pub grids: ByNumber<GridVisits>,
    pub officers: ByNumber<OfficerVisits>,
}

impl VisitTallies {
    pub(super) fn empty(households: usize, grids: usize, officers: usize) -> VisitTallies {
        VisitTallies {
            households: vec![HouseholdVisits::default(); households],
            grids: vec![GridVisits::default(); grids],
            officers: vec![OfficerVisits::default(); officers],
        }
    }

    pub(super) fn take(&mut self, branch: BranchTallies) {
        put(&mut self.households, branch.households);
        put(&mut self.grids, branch.grids);
        put(&mut self.officers, branch.officers);
    }
}

fn put<T: Clone + Default + PartialEq>(all: &mut [T], some: ByNumber<T>) {
    // What nobody touched may be another branch's.
    for (place, value) in some.touched() {
        if let Some(slot) = all.get_mut(place as usize) {
            *slot = value;
        }
    }
}

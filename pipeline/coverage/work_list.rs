//! What each officer has to do next, household by household, and the day by which it is due: files to make or renew,
//! visits to make or to repeat, urgent issues. A share tells nobody what to do; this does. How long each takes stands
//! in the rulebook. A function of the household's own rows; sorting and joining of lists is left to `outputs`.

use arrow::array::Int64Array;

use crate::calendar::{Date, day_of};
use crate::clean::typed::Rows as _;
use crate::facts::{FactValue, whole_at};
use crate::fault::Result;
use crate::limit::credit_list::profile_valid_until;
use crate::rulebook::WorkListRules;
use crate::visits::EVALUATED_MONTHS;
use crate::visits::tallies::FollowUp;

use super::Rated;
use super::counts::Count;
use super::staffing::{Duty, Staffing};
use super::standing::{Standing, last_visit};

/// Why a household is on the list; of reasons due on one day the first stands first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    NoProfile,
    StaleProfile,
    ProfileExpiring,
    NotVisited,
    CareNotVisited,
    UrgentIssue,
    RepeatVisit,
}

impl Reason {
    pub const ALL: [Reason; 7] = [
        Reason::NoProfile,
        Reason::StaleProfile,
        Reason::ProfileExpiring,
        Reason::NotVisited,
        Reason::CareNotVisited,
        Reason::UrgentIssue,
        Reason::RepeatVisit,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Reason::NoProfile => "no_profile",
            Reason::StaleProfile => "stale_profile",
            Reason::ProfileExpiring => "profile_expiring",
            Reason::NotVisited => "not_visited",
            Reason::CareNotVisited => "care_not_visited",
            Reason::UrgentIssue => "urgent_issue",
            Reason::RepeatVisit => "repeat_visit",
        }
    }
}

/// One household on the list of one officer; key (officer, household).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkItem {
    /// Position in `officers`.
    pub officer: usize,
    pub duty: Duty,
    /// Number in the register.
    pub household: usize,
    /// When each reason falls due, in the order of `Reason::ALL`; None for one that does not apply.
    dues: [Option<Date>; Reason::ALL.len()],
    pub last_valid_visit_on: Option<Date>,
    pub profile_valid_until: Option<Date>,
}

impl WorkItem {
    /// The same work as another officer's.
    #[must_use]
    pub fn given_to(self, officer: usize, duty: Duty) -> WorkItem {
        WorkItem { officer, duty, ..self }
    }

    /// The reasons that apply, by the day on which they fall due.
    pub fn reasons(&self) -> Vec<(Date, Reason)> {
        let due = Reason::ALL.into_iter().zip(self.dues).filter_map(|(reason, due)| Some((due?, reason)));
        let mut reasons: Vec<(Date, Reason)> = due.collect();
        reasons.sort_unstable();
        reasons
    }

    /// The earliest of those days.
    pub fn due_on(&self) -> Option<Date> {
        self.dues.into_iter().flatten().min()
    }
}

/// Who has the work of a grid: its primaries, or its backups where it has none.
pub fn workers(staffing: &Staffing, grid: usize) -> (Duty, Vec<usize>) {
    let primaries = staffing.serving(grid, Duty::Primary);
    if primaries.is_empty() { (Duty::Backup, staffing.serving(grid, Duty::Backup)) } else { (Duty::Primary, primaries) }
}

/// The facts and rules that work lists read, looked up once.
pub struct WorkLists<'a> {
    rated: &'a Rated<'a>,
    rules: &'a WorkListRules,
    profile_age_days: &'a Int64Array,
    days_since_valid_visit: &'a Int64Array,
}

impl<'a> WorkLists<'a> {
    pub fn of(rated: &'a Rated<'a>) -> Result<WorkLists<'a>> {
        Ok(WorkLists {
            rated,
            rules: &rated.rulebook.work_list,
            profile_age_days: rated.facts.whole("profile_age_days")?,
            days_since_valid_visit: rated.facts.whole("days_since_valid_visit")?,
        })
    }

    /// What is to be done for a household, for nobody yet; None when nothing is.
    pub fn item(&self, household: usize, follow_up: &FollowUp, standings: &[Standing]) -> Option<WorkItem> {
        let (rated, rules) = (self.rated, self.rules);
        let as_of = rated.register.as_of;
        let last_valid_visit_on = last_visit(as_of, whole_at(self.days_since_valid_visit, household));
        let age = whole_at(self.profile_age_days, household);
        let valid_until = profile_valid_until(as_of, age.map(FactValue::Whole), rated.rulebook);
        let needs_care = standings.get(household).is_some_and(|standing| standing.marks.has(Count::CareHouseholds));
        let began = self.began(household);
        let last_expiry = as_of.days_later(rules.expiry_notice_days);
        let dues = Reason::ALL.map(|reason| match reason {
            Reason::NoProfile if age.is_none() => Some(began.days_later(rules.filing_days)),
            Reason::NoProfile => None,
            Reason::StaleProfile => self.no_longer_fresh_on(age?),
            Reason::ProfileExpiring => valid_until.filter(|&until| as_of <= until && until <= last_expiry),
            Reason::NotVisited => self.visit_due(last_valid_visit_on, began, rules.visit_months),
            Reason::CareNotVisited if needs_care => self.visit_due(last_valid_visit_on, began, rules.care_visit_months),
            Reason::CareNotVisited => None,
            Reason::UrgentIssue => {
                follow_up.urgent_since().map(|since| day_of(since).days_later(rules.urgent_issue_days))
            }
            Reason::RepeatVisit => follow_up.to_repeat().map(|began| day_of(began).days_later(rules.repeat_visit_days)),
        });
        let item = WorkItem {
            officer: usize::MAX,
            duty: Duty::Primary,
            household,
            dues,
            last_valid_visit_on,
            profile_valid_until: valid_until,
        };
        item.due_on().map(|_| item)
    }

    /// The first day on which the household was in a grid that takes part.
    fn began(&self, household: usize) -> Date {
        let (tables, register) = (self.rated.tables, self.rated.register);
        let valid_from = tables.households.valid_from.get(register.row(household));
        let joined_on = tables.grids.joined_on.get(register.grid(household));
        valid_from.max(joined_on).unwrap_or(register.as_of)
    }

    /// The last day on which a profile of this age was fresh, when it no longer is.
    fn no_longer_fresh_on(&self, age: i64) -> Option<Date> {
        let fresh_days = self.rated.rulebook.fact_rules.fresh_days;
        let profiled_on = self.rated.register.as_of.days_earlier(age)?;
        (age > i64::from(fresh_days)).then(|| profiled_on.days_later(fresh_days))
    }

    /// When a visit fell due that was not made. A household without any is counted from its first day in the grid, and
    /// from no earlier day than visits are looked at: of the time before, nobody knows that there was none.
    fn visit_due(&self, last_visit_on: Option<Date>, began: Date, months: u32) -> Option<Date> {
        let as_of = self.rated.register.as_of;
        let since = last_visit_on.unwrap_or_else(|| began.max(as_of.months_earlier(EVALUATED_MONTHS)));
        (since <= as_of.months_earlier(months)).then(|| since.months_later(months))
    }
}

//! What one officer can take along: the grids that the officer serves, and household by household what there is to do
//! and by when. Households stand by the day by which the first thing is due, so what is overdue comes first.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::calendar::Date;
use crate::coverage::staffing::Duty;
use crate::coverage::work_list::Reason;
use crate::explanation::Language;
use crate::fault::Result;
use crate::read::published::PublishedRun;

use super::lines::{Figures, GRID_COLUMNS, GridLine, OFFICER_COLUMNS, OfficerLine};
use super::rows::{Row, Rows};
use super::words::{TASK_OF_EXPIRED_PROFILE, TASKS};
use super::{RunHead, unknown, work_list_text};

/// The list of one officer.
#[derive(Clone, Debug, Serialize)]
pub struct WorkList {
    pub run: RunHead,
    pub officer_id: String,
    /// Households with nothing due by this day are left out.
    pub due_by: Option<String>,
    /// None for an officer who is primary of no grid of the own branch.
    pub assessment: Option<OfficerLine>,
    /// By grid_id.
    pub grids: Vec<ServedGrid>,
    /// Listed households with something overdue.
    pub overdue_households: usize,
    /// Listed households by reason.
    pub tasks: BTreeMap<String, i64>,
    /// Households that are left out.
    pub households_due_later: usize,
    /// By due day, then household_id.
    pub households: Vec<HouseholdWork>,
}

/// A grid that the officer serves, as its primary, or as its backup because it has no primary.
#[derive(Clone, Debug, Serialize)]
pub struct ServedGrid {
    pub duty: String,
    #[serde(flatten)]
    pub grid: GridLine,
}

/// One household with something to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HouseholdWork {
    pub household_id: String,
    pub grid_id: String,
    pub duty: String,
    pub due_on: String,
    pub is_overdue: bool,
    /// By due day.
    pub reasons: Vec<ReasonLine>,
    pub last_valid_visit_on: Option<String>,
    pub profile_valid_until: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReasonLine {
    pub reason: String,
    /// What to do, in words.
    pub text: String,
    pub due_on: String,
    /// Days by which it is overdue on the as-of date; 0 when it is not.
    pub days_overdue: i32,
}

/// Reads back the list of an officer; an officer whom the run does not know is wrong usage.
pub fn work_list(run: &PublishedRun, officer: &str, due_by: Option<Date>, language: Language) -> Result<WorkList> {
    let tables = Tables::read(run)?;
    let mut households = tables.households(officer, run.as_of, language)?;
    let assessment = tables.assessment(officer)?;
    let grids = tables.grids(officer, &households)?;
    if households.is_empty() && assessment.is_none() && grids.is_empty() {
        let message = format!("no officer `{officer}` serves a grid in run {}", run.run_id);
        return Err(unknown(message, officer, &tables.officers()?));
    }
    households.sort_by(|one, other| (one.0, &one.1.household_id).cmp(&(other.0, &other.1.household_id)));
    let listed = households.iter().take_while(|(due_on, _)| due_by.is_none_or(|due_by| *due_on <= due_by)).count();
    let households_due_later = households.len() - listed;
    let households: Vec<HouseholdWork> = households.into_iter().take(listed).map(|(_, household)| household).collect();
    let mut tasks = BTreeMap::new();
    for reason in households.iter().flat_map(|household| &household.reasons) {
        *tasks.entry(reason.reason.clone()).or_default() += 1;
    }
    Ok(WorkList {
        run: RunHead::of(run),
        officer_id: officer.to_string(),
        due_by: due_by.map(|day| day.to_string()),
        assessment,
        grids,
        overdue_households: households.iter().filter(|household| household.is_overdue).count(),
        tasks,
        households_due_later,
        households,
    })
}

/// The tables that name officers.
struct Tables<'a> {
    work_list: Rows<'a>,
    assessments: Rows<'a>,
    grids: Rows<'a>,
}

impl<'a> Tables<'a> {
    fn read(run: &'a PublishedRun) -> Result<Tables<'a>> {
        Ok(Tables {
            work_list: Rows::read(run, "work_list", &COLUMNS)?,
            assessments: Rows::read(run, "officer_assessments", &OFFICER_COLUMNS)?,
            grids: Rows::read(run, "grid_coverage", &Figures::columns(&GRID_COLUMNS))?,
        })
    }

    /// What the officer has to do, with the day to sort by.
    fn households(&self, officer: &str, as_of: Date, language: Language) -> Result<Vec<(Date, HouseholdWork)>> {
        let mut households = Vec::new();
        for row in self.work_list.iter() {
            if row.text("officer_id")? == officer {
                households.push(HouseholdWork::of(&row, as_of, language)?);
            }
        }
        Ok(households)
    }

    fn assessment(&self, officer: &str) -> Result<Option<OfficerLine>> {
        for row in self.assessments.iter() {
            if row.text("officer_id")? == officer {
                return OfficerLine::of(&row).map(Some);
            }
        }
        Ok(None)
    }

    /// The grids that the officer alone is primary of, and those of the households on the list.
    fn grids(&self, officer: &str, households: &[(Date, HouseholdWork)]) -> Result<Vec<ServedGrid>> {
        let listed = households.iter().map(|(_, household)| (household.grid_id.as_str(), household.duty.as_str()));
        let duties: BTreeMap<&str, &str> = listed.collect();
        let mut served = Vec::new();
        for row in self.grids.iter() {
            let is_primary = row.text_if_any("primary_officer_id")? == Some(officer);
            let duty = duties.get(row.text("grid_id")?).copied().or(is_primary.then(|| Duty::Primary.name()));
            if let Some(duty) = duty {
                served.push(ServedGrid { duty: duty.to_string(), grid: GridLine::of(&row)? });
            }
        }
        Ok(served)
    }

    /// Every officer whom the run names.
    fn officers(&self) -> Result<BTreeSet<&str>> {
        let mut officers = BTreeSet::new();
        for row in self.work_list.iter().chain(self.assessments.iter()) {
            officers.insert(row.text("officer_id")?);
        }
        for row in self.grids.iter() {
            officers.extend(row.text_if_any("primary_officer_id")?);
        }
        Ok(officers)
    }
}

/// The list as text for people.
pub fn in_words(list: &WorkList, language: Language) -> String {
    work_list_text::in_words(list, language)
}

const COLUMNS: [&str; 9] = [
    "officer_id",
    "household_id",
    "grid_id",
    "duty",
    "due_on",
    "reasons",
    "reason_due_on",
    "last_valid_visit_on",
    "profile_valid_until",
];

impl HouseholdWork {
    /// The household, and its due day to sort by.
    fn of(row: &Row, as_of: Date, language: Language) -> Result<(Date, HouseholdWork)> {
        let due_on = row.day_if_any("due_on")?.ok_or_else(|| row.unreadable("due_on"))?;
        let valid_until = row.day_if_any("profile_valid_until")?;
        let is_expired = valid_until.is_some_and(|day| day < as_of);
        let mut reasons = Vec::new();
        for (reason, due_on) in row.texts("reasons")?.into_iter().zip(row.texts("reason_due_on")?) {
            let day = Date::parse(&due_on).ok_or_else(|| row.unreadable("reason_due_on"))?;
            let text = match is_expired && reason == Reason::StaleProfile.name() {
                true => language.pick(TASK_OF_EXPIRED_PROFILE.0, TASK_OF_EXPIRED_PROFILE.1).to_string(),
                false => language.word(TASKS, &reason),
            };
            reasons.push(ReasonLine { reason, text, due_on, days_overdue: (as_of.0 - day.0).max(0) });
        }
        let household = HouseholdWork {
            household_id: row.text("household_id")?.to_string(),
            grid_id: row.text("grid_id")?.to_string(),
            duty: row.text("duty")?.to_string(),
            due_on: due_on.to_string(),
            is_overdue: due_on < as_of,
            reasons,
            last_valid_visit_on: row.day_if_any("last_valid_visit_on")?.map(|day| day.to_string()),
            profile_valid_until: valid_until.map(|day| day.to_string()),
        };
        Ok((due_on, household))
    }
}

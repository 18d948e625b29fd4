//! A second opinion: every result, calculated slowly, row by row, from the written rules and never
//! from the program's own code, so that a test can compare the two. Covers the household stages
//! (visits to list), unsound decisions, what is made of them for grids, branches, areas and officers,
//! and indicators up to primary suppression. Input rows are taken to be sound.

mod calendar;
mod conduct;
mod coverage;
mod decisions;
mod evidence;
mod exact;
#[cfg(test)]
mod examples;
mod facts;
mod funding;
mod grading;
mod indicators;
mod issues;
mod known;
mod limits;
mod list;
mod notice;
mod officers;
mod outputs;
mod partition;
mod policy;
mod reading;
mod register;
mod tables;
mod villages;
mod visits;
mod work_list;

use std::collections::BTreeMap;
use std::path::Path;

#[allow(unused_imports)] // For the tests outside.
pub use exact::Ratio;
#[allow(unused_imports)] // For the tests outside.
pub use indicators::disclosure::{Settled, settle};
pub use policy::Policy;
#[allow(unused_imports)] // For the tests outside.
pub use tables::{Previous, Table, Tables, compare};

use calendar::Date;
use decisions::{Final, Judged};
use evidence::{Evidence, Ledgers};
use facts::Facts;
use grading::Grading;
use limits::Limit;
use reading::{Bank, Grid, Household};
use register::Register;
use visits::CheckedVisit;

/// Everything that was found out about one household of the run.
struct Outcome<'a> {
    evidence: Evidence<'a>,
    grid: &'a Grid,
    facts: Facts,
    grading: Grading<'a>,
    limit: Limit,
    judged: Judged<'a>,
    final_result: Final<'a>,
    credit_list: &'static str,
    list_reason: &'static str,
    previous_grade: Option<&'a str>,
    previous_limit: Option<i128>,
    stars: i128,
}

impl Outcome<'_> {
    /// What the decision in force does: accept, adjust, decline, suspend; none.
    fn decision(&self) -> &str {
        self.judged.in_force.map_or("none", |decision| decision.action.as_str())
    }
}

/// What the tables above the households are made from.
struct Night<'a> {
    policy: &'a Policy,
    as_of: Date,
    register: &'a Register<'a>,
    /// Every household of the run, by household_id.
    outcomes: &'a [Outcome<'a>],
    /// Every evaluated visit.
    checked: &'a [CheckedVisit<'a>],
    previous: &'a Previous,
    outcomes_by_grid: BTreeMap<&'a str, Vec<&'a Outcome<'a>>>,
    visits_by_grid: BTreeMap<&'a str, Vec<&'a CheckedVisit<'a>>>,
    visits_by_household: BTreeMap<&'a str, Vec<&'a CheckedVisit<'a>>>,
}

impl<'a> Night<'a> {
    fn of(
        policy: &'a Policy,
        as_of: Date,
        register: &'a Register<'a>,
        outcomes: &'a [Outcome<'a>],
        checked: &'a [CheckedVisit<'a>],
        previous: &'a Previous,
    ) -> Night<'a> {
        let mut outcomes_by_grid: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
        for outcome in outcomes {
            outcomes_by_grid.entry(&outcome.grid.grid_id).or_default().push(outcome);
        }
        let mut visits_by_grid: BTreeMap<&str, Vec<&CheckedVisit>> = BTreeMap::new();
        let mut visits_by_household: BTreeMap<&str, Vec<&CheckedVisit>> = BTreeMap::new();
        for checked in checked {
            visits_by_grid.entry(&checked.visit.grid_id).or_default().push(checked);
            if let Some(household_id) = &checked.visit.household_id {
                visits_by_household.entry(household_id).or_default().push(checked);
            }
        }
        Night {
            policy,
            as_of,
            register,
            outcomes,
            checked,
            previous,
            outcomes_by_grid,
            visits_by_grid,
            visits_by_household,
        }
    }

    /// The households of the run that count above the household: those whose grid is valid on T.
    fn outcomes_in_valid_grids(&self) -> impl Iterator<Item = &'a Outcome<'a>> {
        self.outcomes.iter().filter(|outcome| self.register.grids.contains_key(outcome.grid.grid_id.as_str()))
    }

    fn households_in(&self, grid_id: &str) -> &[&'a Outcome<'a>] {
        self.outcomes_by_grid.get(grid_id).map_or(&[], Vec::as_slice)
    }

    /// Every evaluated visit made in a grid, patrols too.
    fn visits_in(&self, grid_id: &str) -> &[&'a CheckedVisit<'a>] {
        self.visits_by_grid.get(grid_id).map_or(&[], Vec::as_slice)
    }

    /// Every evaluated visit to a household, wherever it was made.
    fn visits_to(&self, household_id: &str) -> &[&'a CheckedVisit<'a>] {
        self.visits_by_household.get(household_id).map_or(&[], Vec::as_slice)
    }
}

/// The tables of the night of `as_of`, under the signed rulebook.
#[allow(dead_code)] // For the tests outside.
pub fn calculate(bank: &Path, as_of: &str, previous: Option<&Previous>) -> Tables {
    calculate_with(&Policy::default(), bank, as_of, previous)
}

/// The same under another rulebook.
pub fn calculate_with(policy: &Policy, bank: &Path, as_of: &str, previous: Option<&Previous>) -> Tables {
    calculate_bank(policy, Bank::read(bank), Date::parse(as_of), previous)
}

fn calculate_bank(policy: &Policy, bank: Bank, as_of: Date, previous: Option<&Previous>) -> Tables {
    let bank = known::known_on(as_of, bank);
    let grids: BTreeMap<&str, &Grid> = bank.grids.iter().map(|grid| (grid.grid_id.as_str(), grid)).collect();
    let households: BTreeMap<&str, &Household> = bank
        .households
        .iter()
        .filter(|row| row.valid_from <= as_of && row.valid_to.is_none_or(|end| as_of < end))
        .map(|row| (row.household_id.as_str(), row))
        .collect();
    let checked = visits::check_visits(policy, as_of, &bank, &grids, &households);
    let ledgers = Ledgers::gather(policy, as_of, &bank, &checked);
    let decisions = decisions::group_by_household(bank.decisions.as_deref().unwrap_or_default());
    let no_previous = Previous::default();
    let previous = previous.unwrap_or(&no_previous);
    let outcomes: Vec<Outcome> = households
        .iter()
        .map(|(household_id, household)| {
            let grid = grids[household.grid_id.as_str()];
            let evidence = ledgers.of_household(household, &grid.branch_id);
            let decisions = decisions.get(household_id).map_or(&[][..], Vec::as_slice);
            judge_household(policy, evidence, grid, decisions, previous)
        })
        .collect();
    let mut tables = outputs::publish(policy, &bank, &checked, &outcomes);
    let register = Register::on(as_of, &bank);
    let night = Night::of(policy, as_of, &register, &outcomes, &checked, previous);
    tables.extend(above_households(&night).into_iter().map(|table| (table.name, table)));
    tables.insert("indicators", indicators::indicators(&night, &bank));
    tables
}

fn above_households(night: &Night) -> [Table; 10] {
    let covered = coverage::cover(night);
    [
        partition::partition_faults(night),
        coverage::grid_coverage(night, &covered),
        coverage::branch_coverage(&covered),
        coverage::area_coverage(night, &covered),
        officers::officer_assessments(night, &covered),
        villages::village_ratings(night),
        conduct::conduct_ranking(night),
        funding::grid_funding(night),
        work_list::work_list(night),
        notice::public_notice(night),
    ]
}

fn judge_household<'a>(
    policy: &'a Policy,
    evidence: Evidence<'a>,
    grid: &'a Grid,
    decisions: &[&'a reading::Decision],
    previous: &'a Previous,
) -> Outcome<'a> {
    let household_id = &evidence.household.household_id;
    let previous_grade = previous.model_grades.get(household_id).map(String::as_str);
    let previous_limit = previous.suggested_limits.get(household_id).copied();
    let stars = previous.stars.get(&grid.area_id).copied().unwrap_or(0);
    let facts = Facts::measure(&evidence);
    let grading = grading::grade_household(policy, &evidence, &facts, previous_grade);
    let limit = limits::suggest(policy, &facts, &grading, previous_grade.zip(previous_limit));
    let judged = decisions::judge(policy, decisions, &grading.vetoes);
    let final_result = decisions::finalise(policy, &facts, &grading, &limit, judged.in_force);
    let (credit_list, list_reason) = list::credit_list(policy, &facts, &grading.vetoes, judged.in_force, &final_result);
    Outcome {
        evidence,
        grid,
        facts,
        grading,
        limit,
        judged,
        final_result,
        credit_list,
        list_reason,
        previous_grade,
        previous_limit,
        stars,
    }
}

//! A second opinion: every household's results, calculated slowly, row by row, from the written
//! rules and never from the program's own code, so that a test can compare the two. Covers the
//! household stages (visits to list) and unsound decisions; leaves coverage, ratings and
//! indicators out. Input rows are taken to be sound.

mod calendar;
mod decisions;
mod evidence;
mod exact;
#[cfg(test)]
mod examples;
mod facts;
mod grading;
mod known;
mod limits;
mod list;
mod outputs;
mod policy;
mod reading;
mod tables;
mod visits;

use std::collections::BTreeMap;
use std::path::Path;

#[allow(unused_imports)] // For the tests outside.
pub use exact::Ratio;
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

/// The household tables of the night of `as_of`, under the signed rulebook.
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
    outputs::publish(policy, &bank, &checked, &outcomes)
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

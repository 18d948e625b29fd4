//! The 100-point assessment of the officers with primary grids of their own branch, its rating, and
//! the veto of an officer whose visits are not credible.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::Night;
use super::coverage::Covered;
use super::exact::{Ratio, divide_down, format_scaled};
use super::policy::OfficerPolicy;
use super::reading::Officer;
use super::tables::Table;
use super::visits::CheckedVisit;

pub fn officer_assessments(night: &Night, covered: &BTreeMap<&str, Covered>) -> Table {
    let columns = [
        "officer_id",
        "branch_id",
        "grids",
        "households",
        "visiting_points",
        "filing_points",
        "truthfulness_points",
        "issue_points",
        "score",
        "rating",
        "veto",
        "onsite_visits_12m",
        "invalid_visits_12m",
    ];
    let mut rows = Vec::new();
    for (officer_id, grids) in night.register.grids_of_primaries() {
        let officer = night.register.officers[officer_id];
        let own: Vec<&Covered> = grids
            .iter()
            .filter(|grid| grid.branch_id == officer.branch_id)
            .map(|grid| &covered[grid.grid_id.as_str()])
            .collect();
        if !own.is_empty() {
            rows.push(assess(night, officer, &own));
        }
    }
    Table::new("officer_assessments", &columns, rows)
}

fn assess(night: &Night, officer: &Officer, grids: &[&Covered]) -> Vec<String> {
    let policy = &night.policy.officers;
    let households = |name| grids.iter().map(|covered| covered.households(name)).sum::<i128>();
    let visits = |name| grids.iter().map(|covered| covered.visits(name)).sum::<i128>();
    let patrolled = grids.iter().filter(|covered| covered.is_patrol_met()).count() as i128;
    let resolved = ["issues_resolved_in_grid", "issues_resolved_in_community", "issues_resolved_in_township"];
    let onsite = onsite_visits_12m(night, officer);
    let valid = onsite.iter().filter(|checked| checked.is_valid).count() as i128;
    let onsite = onsite.len() as i128;

    let visiting = term(policy.households_visited, households("visited_12m"), households("households"))
        + term(policy.care_households_visited, households("care_visited_3m"), households("care_households"))
        + term(policy.grids_patrolled, patrolled, grids.len() as i128);
    let filing = term(policy.profiles_fresh, households("profiled_fresh"), households("households"));
    // "0 with no onsite visit"
    let truthfulness = if onsite == 0 { 0 } else { term(policy.visits_valid, valid, onsite) };
    let issues = term(policy.issues_resolved, resolved.map(visits).iter().sum(), visits("issues_raised_12m"));
    let score = visiting + filing + truthfulness + issues;
    let is_vetoed = is_not_credible(policy, onsite, onsite - valid);
    let points = [visiting, filing, truthfulness, issues, score].map(|tenths| format_scaled(tenths, 1));

    let mut row = vec![officer.officer_id.clone(), officer.branch_id.clone()];
    row.extend([grids.len().to_string(), households("households").to_string()]);
    row.extend(points);
    row.push(rating(policy, score, is_vetoed).to_string());
    row.push(if is_vetoed { "visits_not_credible".to_string() } else { String::new() });
    row.extend([onsite.to_string(), (onsite - valid).to_string()]);
    row
}

/// The officer's own onsite visits of W(12) in grids of the officer's branch. (Phone and online
/// visits are never valid, so the officer's valid visits are among them.)
fn onsite_visits_12m<'a>(night: &Night<'a>, officer: &Officer) -> Vec<&'a CheckedVisit<'a>> {
    let visits = night.checked.iter().filter(|checked| {
        checked.visit.officer_id == officer.officer_id
            && checked.branch_id == officer.branch_id
            && checked.visit.channel == "onsite"
            && night.as_of.window_contains(12, checked.visit.started_at.date)
    });
    visits.collect()
}

/// "Each of the six terms is rounded down to tenths by itself", "a zero denominator counts as fully
/// met".
fn term(points_tenths: i128, numerator: i128, denominator: i128) -> i128 {
    if denominator == 0 { points_tenths } else { divide_down(points_tenths * numerator, denominator) }
}

/// At least *onsite_min* onsite visits, more than *invalid_share_max* of them invalid.
fn is_not_credible(policy: &OfficerPolicy, onsite: i128, invalid: i128) -> bool {
    let share = Ratio::share(invalid, onsite);
    onsite >= policy.onsite_min
        && share.is_some_and(|share| share.compare(policy.invalid_share_max) == Ordering::Greater)
}

fn rating(policy: &OfficerPolicy, score_tenths: i128, is_vetoed: bool) -> &'static str {
    let mut ratings = policy.ratings.iter();
    let reached = if is_vetoed { None } else { ratings.find(|(_, at_least)| *at_least <= score_tenths) };
    reached.or(policy.ratings.last()).map_or("", |(rating, _)| *rating)
}

#[cfg(test)]
mod tests {
    use super::super::examples::{assignment, bank, cell, grid, household, officer, profile, run, visit};
    use super::super::policy::Policy;
    use super::super::reading::{Bank, Visit};
    use super::*;

    fn with_visits(visits: Vec<Visit>) -> Bank {
        Bank {
            officers: vec![officer("O1")],
            assignments: vec![assignment("G1", "O1", "primary")],
            households: vec![household("H1"), household("H2"), household("H3")],
            profiles: Some(vec![profile("2026-01-01")]),
            visits,
            ..bank()
        }
    }

    fn assessment(bank: Bank, column: &str) -> String {
        cell(&run(bank)["officer_assessments"], "O1", column).to_string()
    }

    #[test]
    fn each_term_is_rounded_down_by_itself() {
        let one = || with_visits(vec![visit("V1", "2026-06-01T09:00:00", "2026-06-01T09:30:00")]);
        // 20 / 3 is 6.6, no care household 10, the grid patrolled 10.
        assert_eq!(assessment(one(), "visiting_points"), "26.6");
        assert_eq!(assessment(one(), "filing_points"), "10.0");
        assert_eq!(assessment(one(), "truthfulness_points"), "20.0");
        assert_eq!(assessment(one(), "issue_points"), "10.0");
        assert_eq!(assessment(one(), "score"), "66.6");
        assert_eq!(assessment(one(), "rating"), "qualified");
        let none = || with_visits(Vec::new());
        assert_eq!(assessment(none(), "truthfulness_points"), "0.0");
        assert_eq!(assessment(none(), "score"), "30.0");
        assert_eq!(assessment(none(), "rating"), "unqualified");
    }

    #[test]
    fn only_grids_of_the_own_branch_count() {
        let mut elsewhere = grid("G2");
        elsewhere.branch_id = "B2".to_string();
        let both = |own_branch: &str| {
            let mut bank = with_visits(Vec::new());
            bank.grids.push(elsewhere.clone());
            bank.assignments.push(assignment("G2", "O1", "primary"));
            bank.officers[0].branch_id = own_branch.to_string();
            bank
        };
        assert_eq!(assessment(both("B1"), "grids"), "1");
        assert_eq!(assessment(both("B2"), "households"), "0");
        assert!(run(both("B3"))["officer_assessments"].rows.is_empty());
    }

    #[test]
    fn visits_lose_their_credit_above_the_share() {
        let policy = &Policy::default().officers;
        assert!(!is_not_credible(policy, 10, 3));
        assert!(is_not_credible(policy, 10, 4));
        assert!(!is_not_credible(policy, 9, 9));
        assert!(!is_not_credible(policy, 0, 0));
        assert_eq!(rating(policy, 900, false), "excellent");
        assert_eq!(rating(policy, 899, false), "good");
        assert_eq!(rating(policy, 1000, true), "unqualified");
    }

    #[test]
    fn truthfulness_looks_at_the_officers_own_onsite_visits_in_the_branch() {
        let mut short = visit("V1", "2026-06-01T09:00:00", "2026-06-01T09:01:00");
        short.issue_level = "routine".to_string();
        let mut by_phone = visit("V2", "2026-06-02T09:00:00", "2026-06-02T09:30:00");
        by_phone.channel = "phone".to_string();
        let mut of_another = visit("V3", "2026-06-03T09:00:00", "2026-06-03T09:30:00");
        of_another.officer_id = "O2".to_string();
        let old = visit("V4", "2025-06-30T09:00:00", "2025-06-30T09:30:00");
        let good = visit("V5", "2025-07-01T09:00:00", "2025-07-01T09:30:00");
        let visits =
            || with_visits(vec![short.clone(), by_phone.clone(), of_another.clone(), old.clone(), good.clone()]);
        assert_eq!(assessment(visits(), "onsite_visits_12m"), "2");
        assert_eq!(assessment(visits(), "invalid_visits_12m"), "1");
        assert_eq!(assessment(visits(), "truthfulness_points"), "10.0");
        assert_eq!(assessment(visits(), "issue_points"), "0.0");
    }
}

//! Writes what was found out as the published tables: their columns, their order, their text
//! cells. Decides nothing except `change`, which compares two nights.

use std::collections::BTreeMap;

use super::Outcome;
use super::exact::{format_money, format_scaled};
use super::facts::{FACTS, latest_profile};
use super::limits::rate_spread_bp;
use super::policy::Policy;
use super::reading::Bank;
use super::tables::{Table, Tables};
use super::visits::CheckedVisit;

/// `outcomes` are sorted by household_id, `checked` by visit_id.
pub fn publish(policy: &Policy, bank: &Bank, checked: &[CheckedVisit], outcomes: &[Outcome]) -> Tables {
    let tables = [
        visit_checks(checked),
        household_facts(outcomes),
        scorecard_points(outcomes),
        household_grades(policy, outcomes),
        grant_limits(policy, outcomes),
        quarantine(bank, outcomes),
    ];
    tables.into_iter().map(|table| (table.name, table)).collect()
}

fn visit_checks(checked: &[CheckedVisit]) -> Table {
    let columns = ["visit_id", "officer_id", "grid_id", "household_id", "branch_id", "started_at", "is_valid", "flags"];
    let rows = checked.iter().map(|checked| {
        let visit = checked.visit;
        vec![
            visit.visit_id.clone(),
            visit.officer_id.clone(),
            visit.grid_id.clone(),
            visit.household_id.clone().unwrap_or_default(),
            checked.branch_id.to_string(),
            visit.started_at.to_string(),
            checked.is_valid.to_string(),
            checked.flags.join("|"),
        ]
    });
    Table::new("visit_checks", &columns, rows.collect())
}

fn household_facts(outcomes: &[Outcome]) -> Table {
    let mut columns = vec!["household_id", "branch_id", "grid_id", "area_id", "kind", "member_count", "care_category"];
    columns.extend(FACTS.iter().map(|(fact, _)| fact));
    let rows = outcomes.iter().map(|outcome| {
        let household = outcome.evidence.household;
        let mut row = vec![
            household.household_id.clone(),
            outcome.grid.branch_id.clone(),
            outcome.grid.grid_id.clone(),
            outcome.grid.area_id.clone(),
            household.kind.clone(),
            household.member_count.to_string(),
            household.care_category.clone(),
        ];
        let facts = outcome.facts.0.iter();
        row.extend(facts.map(|(_, value)| value.map_or(String::new(), |value| value.cell())));
        row
    });
    Table::new("household_facts", &columns, rows.collect())
}

fn scorecard_points(outcomes: &[Outcome]) -> Table {
    let columns =
        ["household_id", "scorecard_id", "block", "characteristic", "value", "points", "max_points", "is_missing"];
    let mut rows = Vec::new();
    for outcome in outcomes {
        let mut lines: Vec<_> = outcome.grading.lines.iter().collect();
        lines.sort_by_key(|line| line.characteristic.fact);
        for line in lines {
            let value = line.value.map(|value| value.as_float().to_string());
            rows.push(vec![
                outcome.evidence.household.household_id.clone(),
                outcome.grading.scorecard.id.to_string(),
                line.characteristic.block.to_string(),
                line.characteristic.fact.to_string(),
                value.unwrap_or_default(),
                format_scaled(line.points_tenths, 1),
                format_scaled(line.characteristic.maximum_tenths(), 1),
                line.value.is_none().to_string(),
            ]);
        }
    }
    Table::new("scorecard_points", &columns, rows)
}

fn household_grades(policy: &Policy, outcomes: &[Outcome]) -> Table {
    let columns = [
        "household_id",
        "branch_id",
        "grid_id",
        "area_id",
        "kind",
        "scorecard_id",
        "score",
        "model_grade",
        "vetoes",
        "reasons",
        "grade_kept",
        "previous_grade",
        "change",
        "final_grade",
        "decision_id",
        "decision",
        "credit_list",
        "notice_consent",
        "list_reason",
        "profile_valid_until",
    ];
    let rows = outcomes.iter().map(|outcome| household_grade(policy, outcome)).collect();
    Table::new("household_grades", &columns, rows)
}

fn household_grade(policy: &Policy, outcome: &Outcome) -> Vec<String> {
    let household = outcome.evidence.household;
    let grading = &outcome.grading;
    let decision = outcome.judged.in_force;
    let vetoes: Vec<&str> = grading.vetoes.iter().map(|veto| veto.code).collect();
    let score = grading.score_tenths.map(|score| format_scaled(score, 1));
    let consent = household.notice_consent.map(|consent| consent.to_string());
    // "profiled_on + *profile_days_max* days, the last day on which the profile rates"
    let valid_until = latest_profile(&outcome.evidence).map(|profile| {
        let last_day = profile.profiled_on.plus_days(policy.profile_days_max);
        last_day.to_string()
    });
    vec![
        household.household_id.clone(),
        outcome.grid.branch_id.clone(),
        outcome.grid.grid_id.clone(),
        outcome.grid.area_id.clone(),
        household.kind.clone(),
        grading.scorecard.id.to_string(),
        score.unwrap_or_default(),
        grading.model_grade.to_string(),
        vetoes.join("|"),
        grading.reasons.join("|"),
        grading.is_kept.to_string(),
        outcome.previous_grade.unwrap_or_default().to_string(),
        change(policy, outcome).to_string(),
        outcome.final_result.grade.to_string(),
        decision.map_or(String::new(), |decision| decision.decision_id.clone()),
        decision.map_or("none".to_string(), |decision| decision.action.clone()),
        outcome.credit_list.to_string(),
        consent.unwrap_or_default(),
        outcome.list_reason.to_string(),
        valid_until.unwrap_or_default(),
    ]
}

/// `new` without a previous grade, `same` when equal, else by the order AAA … C, D, NR.
fn change(policy: &Policy, outcome: &Outcome) -> &'static str {
    let now = outcome.grading.model_grade;
    match outcome.previous_grade {
        None => "new",
        Some(before) if before == now => "same",
        Some(before) if policy.rank(now) < policy.rank(before) => "up",
        Some(_) => "down",
    }
}

fn grant_limits(policy: &Policy, outcomes: &[Outcome]) -> Table {
    let columns = [
        "household_id",
        "model_grade",
        "cap_grade",
        "cap_product",
        "cap_income",
        "cap_net_assets",
        "cap_service",
        "gross",
        "own_unsecured_outstanding",
        "outside_outstanding",
        "guarantees_weighted",
        "deductions",
        "suggested_limit",
        "limit_held",
        "binding",
        "previous_limit",
        "final_grade",
        "final_limit",
        "rate_spread_bp",
        "term_months",
    ];
    let rows = outcomes.iter().map(|outcome| grant_limit(policy, outcome)).collect();
    Table::new("grant_limits", &columns, rows)
}

fn grant_limit(policy: &Policy, outcome: &Outcome) -> Vec<String> {
    let limit = &outcome.limit;
    let optional_money = |money: Option<i128>| money.map_or(String::new(), format_money);
    let spread = rate_spread_bp(policy, outcome.final_result.grade, outcome.stars);
    // term_months is null exactly where the spread is.
    let term_months = spread.map(|_| policy.term_months.to_string());
    let mut row = vec![outcome.evidence.household.household_id.clone(), outcome.grading.model_grade.to_string()];
    row.extend(limit.caps.map(optional_money));
    row.extend([
        format_money(limit.gross),
        format_money(limit.own_unsecured_outstanding),
        format_money(limit.outside_outstanding),
        format_money(limit.guarantees_weighted),
        format_money(limit.deductions),
        format_money(limit.suggested),
        limit.is_held.to_string(),
        limit.binding.clone(),
        optional_money(outcome.previous_limit),
        outcome.final_result.grade.to_string(),
        format_money(outcome.final_result.limit),
        spread.map_or(String::new(), |spread| spread.to_string()),
        term_months.unwrap_or_default(),
    ]);
    row
}

/// Unsound decisions only, in the order of their file.
fn quarantine(bank: &Bank, outcomes: &[Outcome]) -> Table {
    let unsound: BTreeMap<&str, &str> = outcomes
        .iter()
        .flat_map(|outcome| &outcome.judged.unsound)
        .map(|(decision, rule)| (decision.decision_id.as_str(), *rule))
        .collect();
    let decisions = bank.decisions.iter().flatten();
    let rows = decisions.filter_map(|decision| {
        let rule = unsound.get(decision.decision_id.as_str())?;
        let row = ["decisions", &decision.decision_id, rule];
        Some(row.map(str::to_string).to_vec())
    });
    Table::new("quarantine", &["table_name", "key", "rule"], rows.collect())
}

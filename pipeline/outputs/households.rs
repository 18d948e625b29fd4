//! The tables of the household stages: visits and facts, points, grades, limits, and what was set aside.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::Int64Type;

use crate::clean::SetAside;
use crate::clean::typed::Rows as _;
use crate::facts::{FactValue, value_at};
use crate::fault::{Error, Result};
use crate::grade::Ranks;
use crate::limit::credit_list::profile_valid_until;
use crate::limit::{Cap, Limit};
use crate::previous::PreviousHousehold;
use crate::rulebook::{FactKind, kind_of};
use crate::score::unit_scale;
use crate::visits::Flag;

use super::{MONEY, POINTS, Results, decimals, list, text};

/// Key visit_id.
pub(super) fn visit_checks(results: &Results) -> Result<Vec<ArrayRef>> {
    let (tables, visits, checks) = (results.tables, &results.tables.visits, results.checks);
    let rows = || checks.rows.iter().map(|&row| row as usize);
    let names = Flag::ALL.map(Flag::name);
    let flags = checks
        .flags
        .iter()
        .map(|flags| flags.iter().map(|flag| names.get(flag as usize).copied().unwrap_or("").to_string()).collect());
    Ok(vec![
        text(rows().map(|row| Some(visits.visit_id.text(row)))),
        text(rows().map(|row| visits.officer_id.get(row).map(|officer| tables.officers.officer_id.text(officer)))),
        text(rows().map(|row| visits.grid_id.get(row).map(|grid| tables.grids.grid_id.text(grid)))),
        text(
            rows().map(|row| visits.household_id.get(row).map(|household| tables.households.ids.id(household as u32))),
        ),
        text(checks.branches.iter().map(|&branch| Some(tables.branches.branch_id.text(branch as usize)))),
        Arc::new(rows().map(|row| visits.started_at.get(row)).collect::<TimestampMicrosecondArray>()),
        Arc::new(checks.flags.iter().map(|flags| Some(flags.is_valid())).collect::<BooleanArray>()),
        list(flags),
    ])
}

/// Key household_id.
pub(super) fn household_facts(results: &Results) -> Result<Vec<ArrayRef>> {
    let households = &results.tables.households;
    let row = |number: usize| results.register.row(number);
    let cares = &results.contracts.input("households")?.column("care_category")?.words;
    let care = |number: usize| households.care_category.get(row(number)).map_or(usize::MAX, usize::from);
    let mut columns = results.identity()?;
    columns.push(Arc::new(
        results.numbers().map(|number| households.member_count.get(row(number))).collect::<Int64Array>(),
    ));
    columns.push(text(results.numbers().map(|number| cares.get(care(number)).map(String::as_str))));
    let contract = results.contracts.output("household_facts")?;
    for (fact, column) in results.facts.columns() {
        let kind = contract.column(fact.name)?.kind;
        columns.push(match fact.kind {
            FactKind::Money | FactKind::Points => {
                let whole = column.as_primitive_opt::<Int64Type>();
                let whole = whole.ok_or_else(|| Error::internal(format!("`{}` is not whole", fact.name)))?;
                decimals(kind, whole.iter().map(|value| value.map(i128::from)))?
            }
            _ => cast(column, &kind.arrow()).map_err(|error| Error::internal(error.to_string()))?,
        });
    }
    Ok(columns)
}

/// Key (household_id, characteristic).
pub(super) fn scorecard_points(results: &Results) -> Result<Vec<ArrayRef>> {
    struct Line<'a> {
        household: usize,
        card: &'a str,
        block: &'a str,
        characteristic: &'a str,
        value: Option<f64>,
        points: i32,
        max_points: i32,
        is_missing: bool,
    }
    let cards = &results.rulebook.scorecards;
    // Characteristics in the byte order of their names, which is the key's, each with its fact.
    let orders = cards.iter().map(|card| {
        let mut order: Vec<_> = card.characteristics.iter().enumerate().collect();
        order.sort_by_key(|(_, characteristic)| characteristic.fact.as_str());
        let facts = order.into_iter().map(|(at, characteristic)| {
            let column = results.facts.column(&characteristic.fact);
            let column = column.ok_or_else(|| Error::internal(format!("no fact `{}`", characteristic.fact)))?;
            Ok((at, characteristic, column, kind_of(&characteristic.fact)))
        });
        facts.collect::<Result<Vec<_>>>()
    });
    let orders = orders.collect::<Result<Vec<_>>>()?;
    let mut lines = Vec::new();
    for (household, score) in results.scores.iter().enumerate() {
        let (Some(card), Some(order)) = (cards.get(score.scorecard), orders.get(score.scorecard)) else { continue };
        lines.extend(order.iter().filter_map(|&(at, characteristic, column, kind)| {
            Some(Line {
                household,
                card: &card.id,
                block: card.blocks.get(characteristic.block).map_or("", |block| block.id.as_str()),
                characteristic: &characteristic.fact,
                value: value_at(column, household).map(|value| as_written(kind, value)),
                points: *score.points.get(at)?,
                max_points: characteristic.max_points(),
                is_missing: *score.is_missing.get(at)?,
            })
        }));
    }
    let tenths = |of: fn(&Line) -> i32| decimals(POINTS, lines.iter().map(|line| Some(i128::from(of(line)))));
    Ok(vec![
        text(lines.iter().map(|line| Some(results.household_id(line.household)))),
        text(lines.iter().map(|line| Some(line.card))),
        text(lines.iter().map(|line| Some(line.block))),
        text(lines.iter().map(|line| Some(line.characteristic))),
        Arc::new(lines.iter().map(|line| line.value).collect::<Float64Array>()),
        tenths(|line| line.points)?,
        tenths(|line| line.max_points)?,
        Arc::new(lines.iter().map(|line| Some(line.is_missing)).collect::<BooleanArray>()),
    ])
}

/// A fact's value as people write it: money in currency units, points with their decimal.
fn as_written(kind: FactKind, value: FactValue) -> f64 {
    match value {
        FactValue::Whole(whole) => whole as f64 / 10_f64.powi(unit_scale(kind).cast_signed()),
        FactValue::Ratio(ratio) => ratio,
    }
}

/// Key household_id.
pub(super) fn household_grades(results: &Results) -> Result<Vec<ArrayRef>> {
    let (grades, finals, rulebook) = (results.grades, &results.decided.finals, results.rulebook);
    let ranks = Ranks::of(&rulebook.scale);
    let households = &results.tables.households;
    let decision_ids = finals.iter().map(|outcome| {
        let decisions = results.tables.decisions.as_ref()?;
        Some(decisions.decision_id.text(outcome.decision?.row))
    });
    let as_of = results.register.as_of;
    let until = results.numbers().map(|number| {
        let age = results.facts.value("profile_age_days", number);
        profile_valid_until(as_of, age, rulebook).map(|day| day.0)
    });
    let cards =
        results.scores.iter().map(|score| rulebook.scorecards.get(score.scorecard).map(|card| card.id.as_str()));
    let mut columns = results.identity()?;
    columns.extend([
        text(cards),
        decimals(POINTS, grades.iter().map(|grade| grade.score.map(i128::from)))?,
        text(grades.iter().map(|grade| Some(ranks.name(grade.rank)))),
        list(grades.iter().map(|grade| results.veto_codes(grade))),
        list(grades.iter().map(|grade| grade.reasons.clone())),
        Arc::new(grades.iter().map(|grade| Some(grade.is_kept)).collect::<BooleanArray>()),
        text(grades.iter().map(|grade| grade.previous_grade.as_deref())),
        text(grades.iter().map(|grade| Some(grade.change.name()))),
        text(finals.iter().map(|outcome| Some(ranks.name(outcome.rank)))),
        text(decision_ids),
        text(finals.iter().map(|outcome| Some(outcome.decision.map_or("none", |decision| decision.action.name())))),
        text(results.lists.iter().map(|(list, _)| Some(list.name()))),
        Arc::new(
            results
                .numbers()
                .map(|number| households.notice_consent.get(results.register.row(number)))
                .collect::<BooleanArray>(),
        ),
        text(results.lists.iter().map(|(_, reason)| Some(*reason))),
        Arc::new(until.collect::<Date32Array>()),
    ]);
    Ok(columns)
}

/// Key household_id.
pub(super) fn grant_limits(results: &Results) -> Result<Vec<ArrayRef>> {
    let (limits, finals, rulebook) = (results.limits, &results.decided.finals, results.rulebook);
    let ranks = Ranks::of(&rulebook.scale);
    let previous: Vec<Option<&PreviousHousehold>> = results.register.align(results.tables, results.previous);
    let money = |of: &dyn Fn(&Limit) -> Option<i128>| decimals(MONEY, limits.iter().map(of));
    let fact = |name: &str| -> Result<ArrayRef> {
        let column = results.facts.whole(name)?;
        decimals(MONEY, column.iter().map(|value| Some(value.map_or(0, i128::from))))
    };
    let spreads = results.numbers().map(|number| {
        let rank = finals.get(number)?.rank;
        let of_grade = crate::limit::grade_limits(&rulebook.limits, &ranks, rank).ok().flatten()?;
        let area = results.tables.areas.area_id.text(results.register.area(number));
        let stars = results.previous.stars.get(area).copied().unwrap_or(0);
        Some(crate::limit::rate_spread_bp(of_grade, stars, &rulebook.limits))
    });
    let terms =
        finals.iter().map(|outcome| ranks.in_scale(outcome.rank).map(|_| i64::from(rulebook.limits.term_months)));
    let mut columns = vec![
        text(results.numbers().map(|number| Some(results.household_id(number)))),
        text(results.grades.iter().map(|grade| Some(ranks.name(grade.rank)))),
    ];
    for position in 0..Cap::ALL.len() {
        columns.push(money(&|limit| limit.caps.get(position).copied().flatten())?);
    }
    let bindings: Vec<String> = limits.iter().map(|limit| limit.binding.name()).collect();
    columns.extend([
        money(&|limit| Some(limit.gross))?,
        fact("own_unsecured_outstanding")?,
        fact("outside_outstanding")?,
        money(&|limit| Some(limit.guarantees_weighted))?,
        money(&|limit| Some(limit.deductions))?,
        money(&|limit| Some(limit.suggested))?,
        Arc::new(limits.iter().map(|limit| Some(limit.is_held)).collect::<BooleanArray>()),
        text(bindings.iter().map(|binding| Some(binding.as_str()))),
        decimals(MONEY, previous.iter().map(|earlier| earlier.map(|earlier| i128::from(earlier.suggested_limit))))?,
        text(finals.iter().map(|outcome| Some(ranks.name(outcome.rank)))),
        decimals(MONEY, finals.iter().map(|outcome| Some(outcome.limit)))?,
        Arc::new(spreads.collect::<Int64Array>()),
        Arc::new(terms.collect::<Int64Array>()),
    ]);
    Ok(columns)
}

/// Key (table_name, source, row_number).
pub(super) fn quarantine(results: &Results) -> Result<Vec<ArrayRef>> {
    let mut rows: Vec<&SetAside> = results.set_aside.iter().collect();
    rows.sort_by_key(|row| (&row.table, &row.source, row.row_number));
    Ok(vec![
        text(rows.iter().map(|row| Some(row.table.as_str()))),
        text(rows.iter().map(|row| Some(row.source.as_str()))),
        Arc::new(rows.iter().map(|row| Some(row.row_number.cast_signed())).collect::<Int64Array>()),
        text(rows.iter().map(|row| Some(row.key.as_str()))),
        text(rows.iter().map(|row| Some(row.rule.as_str()))),
        text(rows.iter().map(|row| row.column.as_deref())),
        text(rows.iter().map(|row| Some(row.message.as_str()))),
    ])
}

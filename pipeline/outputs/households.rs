//! The tables of the household stages: visits and facts, points, grades, limits, and what was set aside.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, UInt32Array, new_empty_array,
};
use arrow::buffer::ScalarBuffer;
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Int64Type};

use crate::clean::SetAside;
use crate::clean::typed::Rows as _;
use crate::facts::{FactValue, value_at};
use crate::fault::{Error, Result};
use crate::grade::Ranks;
use crate::limit::credit_list::profile_valid_until;
use crate::limit::{Cap, Limit};
use crate::previous::PreviousHousehold;
use crate::rulebook::{FactKind, kind_of};
use crate::score::{HouseholdScore, unit_scale};
use crate::visits::{CheckedVisits, Flag, Flags};

use super::{MONEY, POINTS, Results, at_once, coded, decimals, list, text};

/// Key visit_id.
pub(super) fn visit_checks(results: &Results) -> Result<Vec<ArrayRef>> {
    let parts = (0..results.checks.parts()).map(|part| visit_checks_part(results, part)).collect::<Result<Vec<_>>>()?;
    let contract = results.contracts.output("visit_checks")?;
    let columns = (0..contract.columns.len()).map(|place| {
        let columns: Vec<&dyn Array> = parts.iter().filter_map(|part| part.get(place)).map(AsRef::as_ref).collect();
        match columns.is_empty() {
            true => {
                Ok(new_empty_array(&contract.columns.get(place).map_or(DataType::Null, |column| column.kind.arrow())))
            }
            false => concat(&columns).map_err(|error| Error::internal(error.to_string())),
        }
    });
    columns.collect()
}

/// The rows of one part of the visits.
fn visit_checks_part(results: &Results, part: usize) -> Result<Vec<ArrayRef>> {
    let tables = results.tables;
    let CheckedVisits { visits, flags, .. } = results.checks.part(part)?;
    let names = Flag::ALL.map(Flag::name);
    let named = move |flags: Flags| flags.iter().map(move |flag| names.get(flag as usize).copied().unwrap_or(""));
    let positions = |column: &UInt32Array| column.values().clone();
    let (officers, grids) = (positions(&visits.officers), positions(&visits.grids));
    let of =
        |positions: &ScalarBuffer<u32>| positions.iter().map(|&position| Some(position as usize)).collect::<Vec<_>>();
    let branches = grids.iter().map(|&grid| tables.grids.branch_id.get(grid as usize)).collect::<Vec<_>>();
    at_once(vec![
        Box::new(|| Ok(Arc::new(visits.ids.clone()))),
        Box::new(|| coded(of(&officers).into_iter(), tables.officers.ids.ids())),
        Box::new(|| coded(of(&grids).into_iter(), tables.grids.ids.ids())),
        Box::new(|| coded((0..visits.len()).map(|row| visits.household(row)), tables.households.ids.ids())),
        Box::new(|| coded(branches.iter().copied(), tables.branches.ids.ids())),
        Box::new(|| Ok(Arc::new(visits.started_at.clone()))),
        Box::new(|| Ok(Arc::new(flags.iter().map(|flags| Some(flags.is_valid())).collect::<BooleanArray>()))),
        Box::new(|| Ok(list(flags.iter().map(|&of| named(of))))),
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
    let cards = &results.rulebook.scorecards;
    // Characteristics in the byte order of their names, which is the key's, each with its fact.
    let mut order: Vec<Vec<Characteristic>> = Vec::new();
    let (mut blocks, mut names) = (Vec::new(), Vec::new());
    for card in cards {
        let mut of_card: Vec<_> = card.characteristics.iter().enumerate().collect();
        of_card.sort_by_key(|(_, characteristic)| characteristic.fact.as_str());
        let characteristics = of_card.into_iter().map(|(at, characteristic)| {
            let column = results.facts.column(&characteristic.fact);
            let column = column.ok_or_else(|| Error::internal(format!("no fact `{}`", characteristic.fact)))?;
            blocks.push(card.blocks.get(characteristic.block).map_or("", |block| block.id.as_str()));
            names.push(characteristic.fact.as_str());
            let (kind, max_points) = (kind_of(&characteristic.fact), characteristic.max_points());
            Ok(Characteristic { at, place: names.len() - 1, column, kind, max_points })
        });
        order.push(characteristics.collect::<Result<_>>()?);
    }
    let lines = || {
        results.scores.iter().enumerate().flat_map(|(household, score)| {
            let characteristics = order.get(score.scorecard).into_iter().flatten();
            characteristics.map(move |characteristic| Line { household, score, characteristic })
        })
    };
    let tenths = |of: fn(&Line) -> i32| decimals(POINTS, lines().map(|line| Some(i128::from(of(&line)))));
    at_once(vec![
        Box::new(|| {
            let ids = results.numbers().map(|number| results.household_id(number));
            coded(lines().map(|line| Some(line.household)), ids)
        }),
        Box::new(|| coded(lines().map(|line| Some(line.score.scorecard)), cards.iter().map(|card| card.id.as_str()))),
        Box::new(|| coded(lines().map(|line| Some(line.characteristic.place)), blocks.iter().copied())),
        Box::new(|| coded(lines().map(|line| Some(line.characteristic.place)), names.iter().copied())),
        Box::new(|| Ok(Arc::new(lines().map(|line| line.value()).collect::<Float64Array>()))),
        Box::new(|| tenths(|line| line.score.points.get(line.characteristic.at).copied().unwrap_or(0))),
        Box::new(|| tenths(|line| line.characteristic.max_points)),
        Box::new(|| {
            let missing = lines().map(|line| line.score.is_missing.get(line.characteristic.at).copied());
            Ok(Arc::new(missing.collect::<BooleanArray>()))
        }),
    ])
}

/// A characteristic of a scorecard: its place on the card, its place among those of all cards, and its fact.
struct Characteristic<'a> {
    at: usize,
    place: usize,
    column: &'a ArrayRef,
    kind: FactKind,
    max_points: i32,
}

/// One row of `scorecard_points`.
struct Line<'a> {
    household: usize,
    score: &'a HouseholdScore,
    characteristic: &'a Characteristic<'a>,
}

impl Line<'_> {
    fn value(&self) -> Option<f64> {
        let Characteristic { column, kind, .. } = self.characteristic;
        value_at(column, self.household).map(|value| as_written(*kind, value))
    }
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

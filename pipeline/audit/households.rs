//! What must hold of every household: it stands in each table once, its points make up its score, and its limits keep
//! within every cap, in whole steps, and are nothing where a veto stands.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, BooleanArray, ListArray};

use crate::fault::{Error, Result};
use crate::limit::Cap;
use crate::rulebook::Rulebook;
use crate::score::share_of_100;

use super::{AuditRow, Outputs, Texts, column, decimals, strings, with_examples};

pub(super) fn audit(tables: &Outputs, rulebook: &Rulebook) -> Result<Vec<AuditRow>> {
    let mut rows = same_households(tables)?;
    rows.push(points_sum_to_score(tables, rulebook)?);
    rows.push(limits_within_caps(tables)?);
    rows.push(limits_in_steps(tables, rulebook)?);
    rows.push(vetoed_without_limit(tables)?);
    rows.push(final_limits_within_caps(tables, rulebook)?);
    Ok(rows)
}

/// Every household of the run stands in every household table, once; the failures are the households of one table
/// only.
fn same_households(tables: &Outputs) -> Result<Vec<AuditRow>> {
    let expected: BTreeSet<&str> = strings(tables, "household_facts", "household_id")?.iter().flatten().collect();
    ["household_grades", "grant_limits", "scorecard_points"]
        .into_iter()
        .map(|table| {
            let ids = Texts::of(tables, table, "household_id")?;
            // Many rows of a household follow each other; one of them is enough.
            let is_new = |&row: &usize| row == 0 || ids.value(row - 1) != ids.value(row);
            let found: BTreeSet<&str> = (0..ids.len()).filter(is_new).map(|row| ids.value(row)).collect();
            let wrong = expected.symmetric_difference(&found).copied();
            Ok(with_examples("every_household_once", table, wrong, ids.len()))
        })
        .collect()
}

/// The points of the blocks that are on make up the score of every household that has one.
fn points_sum_to_score(tables: &Outputs, rulebook: &Rulebook) -> Result<AuditRow> {
    let (table, grades) = ("scorecard_points", "household_grades");
    let off: BTreeSet<(&str, &str)> = rulebook
        .scorecards
        .iter()
        .flat_map(|card| {
            card.blocks.iter().filter(|block| !block.is_on).map(|block| (card.id.as_str(), block.id.as_str()))
        })
        .collect();
    let (ids, cards) = (Texts::of(tables, table, "household_id")?, Texts::of(tables, table, "scorecard_id")?);
    let blocks = Texts::of(tables, table, "block")?;
    let (points, max_points) = (decimals(tables, table, "points")?, decimals(tables, table, "max_points")?);
    let mut sums: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    let mut start = 0;
    while start < ids.len() {
        let id = ids.value(start);
        let rows = (start..ids.len()).take_while(|&row| ids.value(row) == id).count();
        let counted = (start..start + rows).filter(|&row| !off.contains(&(cards.value(row), blocks.value(row))));
        for row in counted {
            let sum = sums.entry(id).or_default();
            sum.0 += points.value(row) as i64;
            sum.1 += max_points.value(row) as i64;
        }
        start += rows;
    }
    let (ids, scores) = (strings(tables, grades, "household_id")?, decimals(tables, grades, "score")?);
    let wrong = (0..ids.len()).filter(|&row| {
        let expected = sums.get(ids.value(row)).map(|&(points, maximum)| share_of_100(points, maximum));
        scores.is_valid(row) && expected.map(i128::from) != Some(scores.value(row))
    });
    Ok(with_examples("points_sum_to_score", table, wrong.map(|row| ids.value(row)), ids.len()))
}

/// A suggested limit is not negative, and not above gross or any cap that is known.
fn limits_within_caps(tables: &Outputs) -> Result<AuditRow> {
    let table = "grant_limits";
    let ids = strings(tables, table, "household_id")?;
    let suggested = decimals(tables, table, "suggested_limit")?;
    let caps = Cap::ALL.iter().map(|cap| decimals(tables, table, cap.name()));
    let mut bounds = caps.collect::<Result<Vec<_>>>()?;
    bounds.push(decimals(tables, table, "gross")?);
    let wrong = (0..ids.len()).filter(|&row| {
        let limit = suggested.value(row);
        limit < 0 || bounds.iter().any(|bound| bound.is_valid(row) && limit > bound.value(row))
    });
    Ok(with_examples("limit_within_caps", table, wrong.map(|row| ids.value(row)), ids.len()))
}

/// A suggested limit is a whole number of steps, but for one that is held at the last night's.
fn limits_in_steps(tables: &Outputs, rulebook: &Rulebook) -> Result<AuditRow> {
    let table = "grant_limits";
    let (ids, suggested) = (strings(tables, table, "household_id")?, decimals(tables, table, "suggested_limit")?);
    let held = truths(tables, table, "limit_held")?;
    let step = i128::from(rulebook.limits.step_cents).max(1);
    let wrong = (0..ids.len()).filter(|&row| !held.value(row) && suggested.value(row) % step != 0);
    Ok(with_examples("limit_in_steps", table, wrong.map(|row| ids.value(row)), ids.len()))
}

/// A household under a veto is suggested nothing.
fn vetoed_without_limit(tables: &Outputs) -> Result<AuditRow> {
    let table = "grant_limits";
    let vetoes = column(tables, "household_grades", "vetoes")?.as_list_opt::<i32>();
    let vetoes: &ListArray = vetoes.ok_or_else(|| Error::internal("`vetoes` of `household_grades` is no list"))?;
    let graded = strings(tables, "household_grades", "household_id")?;
    let vetoed: BTreeSet<&str> =
        (0..graded.len()).filter(|&row| vetoes.value_length(row) > 0).map(|row| graded.value(row)).collect();
    let (ids, suggested) = (strings(tables, table, "household_id")?, decimals(tables, table, "suggested_limit")?);
    let wrong = (0..ids.len()).filter(|&row| suggested.value(row) != 0 && vetoed.contains(ids.value(row)));
    Ok(with_examples("vetoed_without_limit", table, wrong.map(|row| ids.value(row)), ids.len()))
}

fn truths<'a>(tables: &Outputs<'a>, table: &str, name: &str) -> Result<&'a BooleanArray> {
    let found = column(tables, table, name)?.as_boolean_opt();
    found.ok_or_else(|| Error::internal(format!("`{name}` of `{table}` is neither true nor false")))
}

/// A final limit is within the cap of the final grade and of the product.
fn final_limits_within_caps(tables: &Outputs, rulebook: &Rulebook) -> Result<AuditRow> {
    let table = "grant_limits";
    let (ids, grades) = (strings(tables, table, "household_id")?, strings(tables, table, "final_grade")?);
    let limits = decimals(tables, table, "final_limit")?;
    let rules = &rulebook.limits;
    let cap = |grade: &str| {
        let of_grade = rules.grades.iter().find(|limits| limits.grade == grade);
        of_grade.map_or(0, |limits| limits.cap_cents.min(rules.product_cap_cents))
    };
    let wrong = (0..ids.len()).filter(|&row| limits.value(row) > i128::from(cap(grades.value(row))));
    Ok(with_examples("final_limit_within_cap", table, wrong.map(|row| ids.value(row)), ids.len()))
}

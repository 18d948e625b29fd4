//! What must hold of every household: it stands in each table once, its points make up its score, and its limits keep
//! within every cap, in whole steps, and are nothing where a veto stands. Looked at piece by piece: a piece holds all
//! rows of its households in all their tables. Where tables name the same households, which is nearly always, the rows
//! of a household are found by their place.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, BooleanArray, ListArray, StringArray};

use crate::fault::{Error, Result};
use crate::limit::Cap;
use crate::rulebook::Rulebook;
use crate::score::share_of_100;

use super::{AuditRow, Counted, Outputs, Texts, column, decimals, strings};

/// The checks and their tables, in the order in which they are told.
const CHECKS: [(&str, &str); 8] = [
    ("every_household_once", "household_grades"),
    ("every_household_once", "grant_limits"),
    ("every_household_once", "scorecard_points"),
    ("points_sum_to_score", "scorecard_points"),
    ("limit_within_caps", "grant_limits"),
    ("limit_in_steps", "grant_limits"),
    ("vetoed_without_limit", "grant_limits"),
    ("final_limit_within_cap", "grant_limits"),
];

/// What was found of some households, check by check.
#[derive(Default)]
pub(super) struct Households([Counted; CHECKS.len()]);

impl Households {
    /// All rows of some households.
    pub fn of(tables: &Outputs, rulebook: &Rulebook) -> Result<Households> {
        let expected = strings(tables, "household_facts", "household_id")?;
        let points = PointsOfHouseholds::of(tables, rulebook)?;
        Ok(Households([
            same_households(expected, &ids(tables, "household_grades")?),
            same_households(expected, &ids(tables, "grant_limits")?),
            Counted { rows: points.rows, ..same_households(expected, &points.ids) },
            points_sum_to_score(tables, &points)?,
            limits_within_caps(tables)?,
            limits_in_steps(tables, rulebook)?,
            vetoed_without_limit(tables)?,
            final_limits_within_caps(tables, rulebook)?,
        ]))
    }

    /// Adds other households.
    pub fn add(&mut self, others: Households) {
        self.0.iter_mut().zip(others.0).for_each(|(counted, more)| counted.add(more));
    }

    pub fn outcomes(&self) -> impl Iterator<Item = AuditRow> {
        CHECKS.iter().zip(&self.0).map(|((check, table), counted)| counted.outcome(check, table))
    }
}

fn ids<'a>(tables: &Outputs<'a>, table: &str) -> Result<Vec<&'a str>> {
    Ok(strings(tables, table, "household_id")?.iter().flatten().collect())
}

/// Every household of the run stands in every household table, once; the failures are the households of one table
/// only.
fn same_households(expected: &StringArray, found: &[&str]) -> Counted {
    if expected.iter().flatten().eq(found.iter().copied()) {
        return Counted::of(std::iter::empty(), found.len());
    }
    let expected: BTreeSet<&str> = expected.iter().flatten().collect();
    let distinct: BTreeSet<&str> = found.iter().copied().collect();
    Counted::of(expected.symmetric_difference(&distinct).copied(), found.len())
}

/// The points of households: the rows of one follow each other, and are one entry.
struct PointsOfHouseholds<'a> {
    rows: u64,
    ids: Vec<&'a str>,
    /// Points and most points in the blocks that are on; None where no row of the household is in one.
    sums: Vec<Option<(i64, i64)>>,
}

impl<'a> PointsOfHouseholds<'a> {
    fn of(tables: &Outputs<'a>, rulebook: &Rulebook) -> Result<PointsOfHouseholds<'a>> {
        let table = "scorecard_points";
        let ids = Texts::of(tables, table, "household_id")?;
        let is_off = blocks_off(tables, rulebook)?;
        let (points, max_points) = (decimals(tables, table, "points")?, decimals(tables, table, "max_points")?);
        let mut found = PointsOfHouseholds { rows: ids.len() as u64, ids: Vec::new(), sums: Vec::new() };
        for row in 0..ids.len() {
            if row == 0 || !ids.is_same(row - 1, row) {
                found.ids.push(ids.value(row));
                found.sums.push(None);
            }
            if let Some(sum) = found.sums.last_mut().filter(|_| !is_off(row)) {
                let (earned, most) = sum.unwrap_or_default();
                *sum = Some((earned + points.value(row) as i64, most + max_points.value(row) as i64));
            }
        }
        Ok(found)
    }
}

/// Whether a row of points stands in a block that is switched off.
fn blocks_off<'a>(tables: &Outputs<'a>, rulebook: &Rulebook) -> Result<Box<dyn Fn(usize) -> bool + 'a>> {
    let table = "scorecard_points";
    let (cards, blocks) = (Texts::of(tables, table, "scorecard_id")?, Texts::of(tables, table, "block")?);
    let off: BTreeSet<(String, String)> = rulebook
        .scorecards
        .iter()
        .flat_map(|card| {
            card.blocks.iter().filter(|block| !block.is_on).map(|block| (card.id.clone(), block.id.clone()))
        })
        .collect();
    let is_off = move |card: &str, block: &str| off.contains(&(card.to_string(), block.to_string()));
    Ok(match (cards, blocks) {
        (Texts::Coded(cards, of_cards), Texts::Coded(blocks, of_blocks)) => {
            // Few cards and few blocks: each pair is looked up once, and not in every row.
            let pairs = of_cards.iter().flat_map(|card| of_blocks.iter().map(move |block| (card, block)));
            let pairs: Vec<bool> =
                pairs.map(|(card, block)| is_off(card.unwrap_or_default(), block.unwrap_or_default())).collect();
            let width = of_blocks.len();
            Box::new(move |row| {
                let pair = cards.value(row) as usize * width + blocks.value(row) as usize;
                pairs.get(pair).copied().unwrap_or(false)
            })
        }
        (cards, blocks) => Box::new(move |row| is_off(cards.value(row), blocks.value(row))),
    })
}

/// The points of the blocks that are on make up the score of every household that has one.
fn points_sum_to_score(tables: &Outputs, points: &PointsOfHouseholds) -> Result<Counted> {
    let grades = "household_grades";
    let (ids, scores) = (strings(tables, grades, "household_id")?, decimals(tables, grades, "score")?);
    let is_wrong = |row: usize, sum: Option<(i64, i64)>| {
        let expected = sum.map(|(points, maximum)| share_of_100(points, maximum));
        scores.is_valid(row) && expected.map(i128::from) != Some(scores.value(row))
    };
    if ids.iter().flatten().eq(points.ids.iter().copied()) {
        let wrong = points.sums.iter().enumerate().filter(|(row, sum)| is_wrong(*row, **sum));
        return Ok(Counted::of(wrong.map(|(row, _)| ids.value(row)), ids.len()));
    }
    let mut sums: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for (id, (earned, most)) in points.ids.iter().zip(&points.sums).filter_map(|(id, sum)| Some((*id, (*sum)?))) {
        let sum = sums.entry(id).or_default();
        *sum = (sum.0 + earned, sum.1 + most);
    }
    let wrong = (0..ids.len()).filter(|&row| is_wrong(row, sums.get(ids.value(row)).copied()));
    Ok(Counted::of(wrong.map(|row| ids.value(row)), ids.len()))
}

/// A suggested limit is not negative, and not above gross or any cap that is known.
fn limits_within_caps(tables: &Outputs) -> Result<Counted> {
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
    Ok(Counted::of(wrong.map(|row| ids.value(row)), ids.len()))
}

/// A suggested limit is a whole number of steps, but for one that is held at the last night's.
fn limits_in_steps(tables: &Outputs, rulebook: &Rulebook) -> Result<Counted> {
    let table = "grant_limits";
    let (ids, suggested) = (strings(tables, table, "household_id")?, decimals(tables, table, "suggested_limit")?);
    let held = truths(tables, table, "limit_held")?;
    let step = i128::from(rulebook.limits.step_cents).max(1);
    let wrong = (0..ids.len()).filter(|&row| !held.value(row) && suggested.value(row) % step != 0);
    Ok(Counted::of(wrong.map(|row| ids.value(row)), ids.len()))
}

/// A household under a veto is suggested nothing.
fn vetoed_without_limit(tables: &Outputs) -> Result<Counted> {
    let table = "grant_limits";
    let vetoes = column(tables, "household_grades", "vetoes")?.as_list_opt::<i32>();
    let vetoes: &ListArray = vetoes.ok_or_else(|| Error::internal("`vetoes` of `household_grades` is no list"))?;
    let graded = strings(tables, "household_grades", "household_id")?;
    let (ids, suggested) = (strings(tables, table, "household_id")?, decimals(tables, table, "suggested_limit")?);
    let is_vetoed = |row: usize| vetoes.value_length(row) > 0;
    let limited = (0..ids.len()).filter(|&row| suggested.value(row) != 0);
    if graded == ids {
        let wrong = limited.filter(|&row| is_vetoed(row));
        return Ok(Counted::of(wrong.map(|row| ids.value(row)), ids.len()));
    }
    let vetoed: BTreeSet<&str> = (0..graded.len()).filter(|&row| is_vetoed(row)).map(|row| graded.value(row)).collect();
    let wrong = limited.map(|row| ids.value(row)).filter(|id| vetoed.contains(id));
    Ok(Counted::of(wrong, ids.len()))
}

fn truths<'a>(tables: &Outputs<'a>, table: &str, name: &str) -> Result<&'a BooleanArray> {
    let found = column(tables, table, name)?.as_boolean_opt();
    found.ok_or_else(|| Error::internal(format!("`{name}` of `{table}` is neither true nor false")))
}

/// A final limit is within the cap of the final grade and of the product.
fn final_limits_within_caps(tables: &Outputs, rulebook: &Rulebook) -> Result<Counted> {
    let table = "grant_limits";
    let (ids, grades) = (strings(tables, table, "household_id")?, strings(tables, table, "final_grade")?);
    let limits = decimals(tables, table, "final_limit")?;
    let rules = &rulebook.limits;
    let cap = |grade: &str| {
        let of_grade = rules.grades.iter().find(|limits| limits.grade == grade);
        of_grade.map_or(0, |limits| limits.cap_cents.min(rules.product_cap_cents))
    };
    let wrong = (0..ids.len()).filter(|&row| limits.value(row) > i128::from(cap(grades.value(row))));
    Ok(Counted::of(wrong.map(|row| ids.value(row)), ids.len()))
}

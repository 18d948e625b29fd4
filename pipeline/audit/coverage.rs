//! What must hold of the tables of coverage: nothing is lost on the way from grids to branches, areas and segments,
//! officers' points make up their scores, and the public notice names nobody whom it may not name.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, Int64Array, StringArray};

use crate::clean::typed::{Areas, Rows as _};
use crate::coverage::counts::Count;
use crate::fault::{Error, Result};
use crate::rulebook::FULL_TENTHS;

use super::{AuditRow, Outputs, column, counts, decimals, outcome, strings, with_examples};

/// The segment that holds all households.
const ALL: &str = "all";

/// `households` are the rows of `household_grades`.
pub(super) fn audit(tables: &Outputs, areas: &Areas, households: u64) -> Result<Vec<AuditRow>> {
    Ok(vec![
        every_household_counted(tables, households)?,
        branches_add_up(tables)?,
        areas_add_up(tables, areas)?,
        segments_add_up(tables, "branch_coverage", "branch_id")?,
        segments_add_up(tables, "area_coverage", "area_id")?,
        officer_points_sum(tables)?,
    ])
}

/// A household is counted in one grid, or reported because its grid is not valid.
fn every_household_counted(tables: &Outputs, households: u64) -> Result<AuditRow> {
    let table = "grid_coverage";
    let counted: i64 = counts(tables, table, Count::Households.name())?.iter().flatten().sum();
    let faults = strings(tables, "partition_faults", "fault")?;
    let reported = faults.iter().flatten().filter(|fault| *fault == "grid_not_valid").count();
    let missing = households.abs_diff(counted.cast_unsigned() + reported as u64);
    let detail =
        format!("{households} households = {counted} in valid grids + {reported} reported as `grid_not_valid`");
    Ok(outcome("every_household_counted", table, missing, detail))
}

/// The counts of a table's rows under a name, each row's in the order of `Count::ALL`, and the number of grids.
type Sums<'a> = BTreeMap<&'a str, Vec<i64>>;

fn add(sums: &mut Vec<i64>, more: &[i64]) {
    sums.resize(more.len(), 0);
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

/// The columns of a table's counts, in the order of `Count::ALL`.
fn count_columns<'t>(tables: &Outputs<'t>, table: &str) -> Result<Vec<&'t Int64Array>> {
    Count::ALL.into_iter().map(|count| counts(tables, table, count.name())).collect()
}

/// The grids of each branch or area, added up.
fn sums_of_grids<'t>(tables: &Outputs<'t>, by: &str) -> Result<Sums<'t>> {
    let names = strings(tables, "grid_coverage", by)?;
    let columns = count_columns(tables, "grid_coverage")?;
    let mut sums = Sums::new();
    for row in 0..names.len() {
        let grid: Vec<i64> = columns.iter().map(|column| column.value(row)).chain([1]).collect();
        add(sums.entry(names.value(row)).or_default(), &grid);
    }
    Ok(sums)
}

/// What a table says of each branch or area, all segments together.
fn published_sums<'t>(tables: &Outputs<'t>, table: &str, by: &str) -> Result<Sums<'t>> {
    let (names, segments) = (strings(tables, table, by)?, strings(tables, table, "segment")?);
    let mut columns = count_columns(tables, table)?;
    columns.push(counts(tables, table, "grids")?);
    let all = (0..names.len()).filter(|&row| segments.value(row) == ALL);
    Ok(all.map(|row| (names.value(row), columns.iter().map(|column| column.value(row)).collect())).collect())
}

fn differing<'a>(expected: &'a Sums, found: &Sums) -> impl Iterator<Item = &'a str> {
    expected.iter().filter(|(name, sums)| found.get(**name) != Some(sums)).map(|(name, _)| *name)
}

/// Every count of a branch is the sum over its grids.
fn branches_add_up(tables: &Outputs) -> Result<AuditRow> {
    let table = "branch_coverage";
    let expected = sums_of_grids(tables, "branch_id")?;
    let found = published_sums(tables, table, "branch_id")?;
    let stray = found.keys().copied().filter(|branch| !expected.contains_key(branch));
    Ok(with_examples("coverage_adds_up", table, differing(&expected, &found).chain(stray), found.len()))
}

/// Every count of an area is the sum over its own grids and the areas right below it, so the tops of the tree hold
/// every grid once.
fn areas_add_up(tables: &Outputs, areas: &Areas) -> Result<AuditRow> {
    let table = "area_coverage";
    let found = published_sums(tables, table, "area_id")?;
    let mut expected = sums_of_grids(tables, "area_id")?;
    let nothing = vec![0; Count::ALL.len() + 1];
    for area in 0..areas.rows {
        let id = areas.area_id.text(area);
        add(expected.entry(id).or_default(), &nothing);
        let parent = areas.parent_area_id.get(area).map(|parent| areas.area_id.text(parent));
        if let (Some(parent), Some(sums)) = (parent, found.get(id)) {
            add(expected.entry(parent).or_default(), sums);
        }
    }
    Ok(with_examples("coverage_adds_up", table, differing(&expected, &found), found.len()))
}

/// The row of all segments is the sum of the three.
fn segments_add_up(tables: &Outputs, table: &str, by: &str) -> Result<AuditRow> {
    let (names, segments) = (strings(tables, table, by)?, strings(tables, table, "segment")?);
    let mut columns = count_columns(tables, table)?;
    columns.push(counts(tables, table, "profile_gap")?);
    let mut sums = Sums::new();
    for row in 0..names.len() {
        let sign = if segments.value(row) == ALL { -1 } else { 1 };
        let signed: Vec<i64> = columns.iter().map(|column| sign * column.value(row)).collect();
        add(sums.entry(names.value(row)).or_default(), &signed);
    }
    let wrong = sums.iter().filter(|(_, sums)| sums.iter().any(|sum| *sum != 0)).map(|(name, _)| *name);
    Ok(with_examples("segments_add_up", table, wrong, sums.len()))
}

/// An officer's score is the sum of the four groups of points, and lies in 0 to 100.
fn officer_points_sum(tables: &Outputs) -> Result<AuditRow> {
    let table = "officer_assessments";
    let ids = strings(tables, table, "officer_id")?;
    let parts = ["visiting_points", "filing_points", "truthfulness_points", "issue_points"];
    let parts = parts.map(|part| decimals(tables, table, part)).into_iter().collect::<Result<Vec<_>>>()?;
    let score = decimals(tables, table, "score")?;
    let wrong = (0..ids.len()).filter(|&row| {
        let sum: i128 = parts.iter().map(|part| part.value(row)).sum();
        sum != score.value(row) || !(0..=i128::from(FULL_TENTHS)).contains(&sum)
    });
    Ok(with_examples("points_sum_to_score", table, wrong.map(|row| ids.value(row)), ids.len()))
}

/// Who is under public notice: every one of them is white-listed, agreed to be named, was accepted or adjusted with the
/// grade that is posted, and is named by one character only. Which of them are is found as the households pass by.
pub(super) struct Notices<'a> {
    ids: &'a StringArray,
    names: &'a StringArray,
    posted: &'a StringArray,
    /// Rows of the notice in the byte order of their households.
    by_id: Vec<usize>,
}

impl<'a> Notices<'a> {
    const TABLE: &'static str = "public_notice";

    pub fn of(tables: &Outputs<'a>) -> Result<Notices<'a>> {
        let text = |name: &str| strings(tables, Notices::TABLE, name);
        let (ids, names, posted) = (text("household_id")?, text("masked_name")?, text("final_grade")?);
        let mut by_id: Vec<usize> = (0..ids.len()).collect();
        by_id.sort_by_key(|&notice| ids.value(notice));
        Ok(Notices { ids, names, posted, by_id })
    }

    /// The rows of the notice that name one of these households and may.
    pub fn allowed(&self, tables: &Outputs) -> Result<Vec<usize>> {
        let grades = "household_grades";
        let text = |name: &str| strings(tables, grades, name);
        let ids = text("household_id")?;
        let (lists, decisions, finals) = (text("credit_list")?, text("decision")?, text("final_grade")?);
        let consents = column(tables, grades, "notice_consent")?.as_boolean_opt();
        let consents = consents.ok_or_else(|| Error::internal("`notice_consent` is neither true nor false"))?;
        let is_allowed = |notice: usize| {
            let Some(row) = find_sorted(ids, self.ids.value(notice)) else { return false };
            let is_masked = self.names.value(notice).chars().skip(1).all(|letter| letter == '＊');
            let consents = consents.is_valid(row) && consents.value(row);
            let is_decided = matches!(decisions.value(row), "accept" | "adjust");
            let is_white = lists.value(row) == "white";
            is_masked && consents && is_decided && is_white && finals.value(row) == self.posted.value(notice)
        };
        let Some(last) = ids.len().checked_sub(1) else { return Ok(Vec::new()) };
        let (first, last) = (ids.value(0), ids.value(last));
        let begin = self.by_id.partition_point(|&notice| self.ids.value(notice) < first);
        let named = self.by_id.iter().skip(begin).copied();
        Ok(named.take_while(|&notice| self.ids.value(notice) <= last).filter(|&notice| is_allowed(notice)).collect())
    }

    /// `allowed` are the rows of the notice that were found to be in order.
    pub fn are_allowed(&self, allowed: &[usize]) -> AuditRow {
        let allowed: BTreeSet<usize> = allowed.iter().copied().collect();
        let wrong = (0..self.ids.len()).filter(|notice| !allowed.contains(notice));
        with_examples("notice_is_allowed", Notices::TABLE, wrong.map(|notice| self.ids.value(notice)), self.ids.len())
    }
}

/// The row of an identifier in a column that is sorted by it.
fn find_sorted(ids: &StringArray, id: &str) -> Option<usize> {
    let (mut low, mut high) = (0, ids.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        if ids.value(middle) < id { low = middle + 1 } else { high = middle }
    }
    (low < ids.len() && ids.value(low) == id).then_some(low)
}

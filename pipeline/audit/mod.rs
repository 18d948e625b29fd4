//! What must hold of every run before anybody sees it. Each check is a named row with its figures; a failed one
//! keeps the run from being published. Looks at the output tables as they will be written, not at the stages' own
//! memory. Leaves to `publish` the comparison of files with what was computed.

mod coverage;
mod indicators;

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Decimal128Type, Float64Type, Int64Type};
use arrow::row::{RowConverter, SortField};
use rayon::prelude::*;
use serde::Serialize;

use crate::clean::{RowCounts, Tables};
use crate::contract::{Contract, Contracts, Type};
use crate::decimal::Decimal;
use crate::fault::{Error, Fault, Result};
use crate::limit::Cap;
use crate::outputs::OutputTable;
use crate::rulebook::Rulebook;
use crate::score::share_of_100;

/// The output tables by name.
type Outputs<'t> = BTreeMap<&'t str, &'t RecordBatch>;

/// Example keys that a failed check tells.
const EXAMPLES_MAX: usize = 5;

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditRow {
    pub check: String,
    /// The table that was looked at.
    pub table: String,
    pub passed: bool,
    /// The check failed, and the run was told to go on all the same.
    pub allowed: bool,
    /// Rows that break the check.
    pub failures: u64,
    pub detail: String,
}

/// Tables of which more rows than the rulebook allows may be set aside tonight.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    pub all: bool,
    pub tables: BTreeSet<String>,
}

impl Allowed {
    fn covers(&self, table: &str) -> bool {
        self.all || self.tables.contains(table)
    }
}

/// Checks the counts of the inputs, every output table and what is released to the regulator. Of the inputs' own rows it
/// needs the tree of areas.
pub fn audit(
    counts: &BTreeMap<String, RowCounts>,
    inputs: &Tables,
    outputs: &[OutputTable],
    released: &RecordBatch,
    rulebook: &Rulebook,
    contracts: &Contracts,
    allowed: &Allowed,
) -> Result<Vec<AuditRow>> {
    let mut rows = audit_inputs(counts, rulebook);
    for row in &mut rows {
        row.allowed = !row.passed && allowed.covers(&row.table);
    }
    rows.extend(counts.iter().map(|(table, counts)| rows_add_up(table, counts)));
    let keys = outputs.par_iter().map(|output| key_is_sorted(contracts.output(&output.name)?, &output.batch));
    rows.extend(keys.collect::<Result<Vec<_>>>()?);
    let tables: Outputs = outputs.iter().map(|output| (output.name.as_str(), &output.batch)).collect();
    rows.extend(same_households(&tables)?);
    rows.push(points_sum_to_score(&tables, rulebook)?);
    rows.push(limits_within_caps(&tables)?);
    rows.push(final_limits_within_caps(&tables, rulebook)?);
    rows.extend(shares_in_bounds(outputs, contracts)?);
    rows.extend(coverage::audit(&tables, &inputs.areas)?);
    rows.extend(indicators::audit(&tables, released, &inputs.areas, rulebook, contracts)?);
    Ok(rows)
}

/// Whether too many rows of a table were set aside, decided on the counts alone.
pub fn audit_inputs(counts: &BTreeMap<String, RowCounts>, rulebook: &Rulebook) -> Vec<AuditRow> {
    counts.iter().map(|(table, counts)| set_aside_share(table, counts, rulebook)).collect()
}

/// Every failed check as a fault, or nothing.
pub fn verdict(rows: &[AuditRow]) -> Result<()> {
    let faults: Vec<Fault> = rows
        .iter()
        .filter(|row| !row.passed && !row.allowed)
        .map(|row| {
            let fault = Fault::new(format!("audit `{}` of table `{}` failed: {}", row.check, row.table, row.detail));
            if row.check == "set_aside_share" {
                fault.hint(format!(
                    "mend the export, see what was set aside with `wellfield check`, or publish all the same with \
                     `--allow-quarantine {}`",
                    row.table
                ))
            } else {
                fault.hint("nothing was published; please report this with the command that you ran")
            }
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::AuditFailed(faults)) }
}

fn set_aside_share(table: &str, counts: &RowCounts, rulebook: &Rulebook) -> AuditRow {
    let rules = &rulebook.run;
    let share_max: Decimal = rules.quarantine_share_max;
    let is_above_share =
        i128::from(counts.set_aside) * share_max.denominator() > share_max.mantissa() * i128::from(counts.read);
    let is_too_many = is_above_share && counts.set_aside > u64::from(rules.quarantine_rows_min);
    AuditRow {
        check: "set_aside_share".into(),
        table: table.into(),
        passed: !is_too_many,
        allowed: false,
        failures: if is_too_many { counts.set_aside } else { 0 },
        detail: format!(
            "{} of {} rows set aside; more than {} % of them and more than {} rows are too many",
            counts.set_aside,
            counts.read,
            share_max.times_hundred(),
            rules.quarantine_rows_min
        ),
    }
}

fn rows_add_up(table: &str, counts: &RowCounts) -> AuditRow {
    let sum = counts.accepted + counts.set_aside + counts.not_yet_known;
    let detail = format!(
        "{} read = {} accepted + {} set aside + {} not yet known",
        counts.read, counts.accepted, counts.set_aside, counts.not_yet_known
    );
    outcome("rows_add_up", table, u64::from(sum != counts.read), detail)
}

fn outcome(check: &str, table: &str, failures: u64, detail: String) -> AuditRow {
    AuditRow { check: check.into(), table: table.into(), passed: failures == 0, allowed: false, failures, detail }
}

/// Keys rise strictly from row to row: so they are unique, and the table is sorted.
fn key_is_sorted(contract: &Contract, batch: &RecordBatch) -> Result<AuditRow> {
    let positions = contract.key.iter().map(|name| contract.require(name)).collect::<Result<Vec<_>>>()?;
    let columns: Vec<_> = positions.iter().map(|&position| batch.column(position).clone()).collect();
    let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    let rows = RowConverter::new(fields).and_then(|converter| converter.convert_columns(&columns));
    let rows = rows.map_err(|error| Error::internal(error.to_string()))?;
    let mut failures = 0;
    for (one, next) in rows.iter().zip(rows.iter().skip(1)) {
        failures += u64::from(one >= next);
    }
    Ok(outcome("key_unique", &contract.table, failures, format!("{failures} rows repeat a key or stand out of order")))
}

fn column<'a>(tables: &Outputs<'a>, table: &str, name: &str) -> Result<&'a dyn Array> {
    let found = tables.get(table).and_then(|batch| batch.column_by_name(name));
    found.map(AsRef::as_ref).ok_or_else(|| Error::internal(format!("table `{table}` has no column `{name}`")))
}

fn strings<'a>(tables: &Outputs<'a>, table: &str, name: &str) -> Result<&'a StringArray> {
    let found = column(tables, table, name)?.as_string_opt::<i32>();
    found.ok_or_else(|| Error::internal(format!("`{name}` of `{table}` is no text")))
}

fn counts<'a>(tables: &Outputs<'a>, table: &str, name: &str) -> Result<&'a Int64Array> {
    let found = column(tables, table, name)?.as_primitive_opt::<Int64Type>();
    found.ok_or_else(|| Error::internal(format!("`{name}` of `{table}` is no count")))
}

fn decimals<'a>(tables: &Outputs<'a>, table: &str, name: &str) -> Result<&'a Decimal128Array> {
    let found = column(tables, table, name)?.as_primitive_opt::<Decimal128Type>();
    found.ok_or_else(|| Error::internal(format!("`{name}` of `{table}` is no decimal")))
}

/// A part is not more than its whole: every share lies in 0 to 1.
fn shares_in_bounds(outputs: &[OutputTable], contracts: &Contracts) -> Result<Vec<AuditRow>> {
    let mut rows = Vec::new();
    for output in outputs {
        let contract = contracts.output(&output.name)?;
        let shares = contract.columns.iter().filter(|column| column.kind == Type::Share);
        let columns = shares.map(|column| floats(&output.batch, &output.name, &column.name));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        if columns.is_empty() {
            continue;
        }
        let outside =
            |shares: &Float64Array| shares.iter().flatten().filter(|share| !(0.0..=1.0).contains(share)).count();
        let failures: usize = columns.iter().map(|shares| outside(shares)).sum();
        let detail = format!("{failures} values of {} columns lie outside 0 to 1", columns.len());
        rows.push(outcome("share_in_bounds", &output.name, failures as u64, detail));
    }
    Ok(rows)
}

fn floats<'a>(batch: &'a RecordBatch, table: &str, name: &str) -> Result<&'a Float64Array> {
    let found = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Float64Type>());
    found.ok_or_else(|| Error::internal(format!("`{name}` of `{table}` is no share")))
}

/// Every household of the run stands in every household table, once.
fn same_households(tables: &Outputs) -> Result<Vec<AuditRow>> {
    let expected = strings(tables, "household_facts", "household_id")?;
    ["household_grades", "grant_limits"]
        .into_iter()
        .map(|table| {
            let found = strings(tables, table, "household_id")?;
            let missing = u64::from(found != expected);
            let detail = format!("{} households, {} in `household_facts`", found.len(), expected.len());
            Ok(outcome("every_household_once", table, missing, detail))
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
    let (ids, cards) = (strings(tables, table, "household_id")?, strings(tables, table, "scorecard_id")?);
    let blocks = strings(tables, table, "block")?;
    let (points, max_points) = (decimals(tables, table, "points")?, decimals(tables, table, "max_points")?);
    let mut sums: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for row in 0..ids.len() {
        if !off.contains(&(cards.value(row), blocks.value(row))) {
            let sum = sums.entry(ids.value(row)).or_default();
            sum.0 += points.value(row) as i64;
            sum.1 += max_points.value(row) as i64;
        }
    }
    let (ids, scores) = (strings(tables, grades, "household_id")?, decimals(tables, grades, "score")?);
    let wrong = (0..ids.len()).filter(|&row| {
        let expected = sums.get(ids.value(row)).map(|&(points, maximum)| share_of_100(points, maximum));
        scores.is_valid(row) && expected.map(i128::from) != Some(scores.value(row))
    });
    Ok(with_examples("points_sum_to_score", table, wrong.map(|row| ids.value(row)), ids.len()))
}

fn with_examples<'a>(check: &str, table: &str, wrong: impl Iterator<Item = &'a str>, rows: usize) -> AuditRow {
    let wrong: Vec<&str> = wrong.collect();
    let examples: Vec<String> = wrong.iter().take(EXAMPLES_MAX).map(|id| format!("`{id}`")).collect();
    let detail = if wrong.is_empty() {
        format!("{rows} rows looked at")
    } else {
        format!("{} of {rows} rows, for example {}", wrong.len(), examples.join(", "))
    };
    outcome(check, table, wrong.len() as u64, detail)
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

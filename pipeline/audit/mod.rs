//! What must hold of every run before anybody sees it. Each check is a named row with its figures; a failed one
//! keeps the run from being published. Looks at the output tables as they will be written, not at the stages' own
//! memory. Leaves to `publish` the comparison of files with what was computed.

mod coverage;
mod feed;
mod households;
mod indicators;

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray, UInt32Array,
};
use arrow::datatypes::{Decimal128Type, Float64Type, Int64Type, UInt32Type};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use arrow::util::display::array_value_to_string;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clean::{CleanBank, RowCounts};
use crate::contract::{Contract, Contracts, Type};
use crate::fault::{Error, Fault, Result};
use crate::outputs::OutputTable;
use crate::previous::Previous;
use crate::rulebook::Rulebook;

/// The output tables by name.
type Outputs<'t> = BTreeMap<&'t str, &'t RecordBatch>;

/// Example keys that a failed check tells.
const EXAMPLES_MAX: usize = 5;

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditRow {
    /// The check's name.
    pub check: String,
    /// The table that was looked at.
    pub table: String,
    /// Whether what the check asks for holds.
    pub passed: bool,
    /// The check failed, and the run was told to go on all the same.
    pub allowed: bool,
    /// Rows that break the check.
    pub failures: u64,
    /// The figures that were compared, in words; where it failed with example keys.
    pub detail: String,
}

/// What a person may let pass for one night, table by table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Allowance {
    /// More rows set aside than the rulebook allows.
    Quarantine,
    /// Rows that fell or rose more against the run before.
    Change,
    /// A newest row that is older.
    Stale,
}

impl Allowance {
    /// The option of the command line that allows it.
    pub fn option(self) -> &'static str {
        match self {
            Allowance::Quarantine => "--allow-quarantine",
            Allowance::Change => "--allow-change",
            Allowance::Stale => "--allow-stale",
        }
    }
}

/// What was allowed tonight, and for which tables; `all` stands for every table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed(BTreeSet<(Allowance, String)>);

impl Allowed {
    pub fn add(&mut self, allowance: Allowance, tables: &[String]) {
        self.0.extend(tables.iter().map(|table| (allowance, table.clone())));
    }

    fn covers(&self, allowance: Allowance, table: &str) -> bool {
        [table, "all"].into_iter().any(|table| self.0.contains(&(allowance, table.to_string())))
    }
}

/// What is looked at: the cleaned inputs with their counts, every output table, what is released to the regulator, and
/// the run before.
pub struct Audited<'a> {
    pub cleaned: &'a CleanBank,
    pub outputs: &'a [OutputTable],
    pub released: &'a RecordBatch,
    pub previous: &'a Previous,
    pub rulebook: &'a Rulebook,
    pub contracts: &'a Contracts,
}

/// Every check, passed or not.
pub fn audit(audited: &Audited, allowed: &Allowed) -> Result<Vec<AuditRow>> {
    let Audited { cleaned, outputs, released, previous, rulebook, contracts } = *audited;
    let tables: Outputs = outputs.iter().map(|output| (output.name.as_str(), &output.batch)).collect();
    let households = strings(&tables, "household_grades", "household_id")?.len() as u64;
    let mut rows = feed::audit(cleaned, households, previous, rulebook);
    for row in rows.iter_mut().filter(|row| !row.passed) {
        row.allowed = feed::allowance(&row.check).is_some_and(|allowance| allowed.covers(allowance, &row.table));
    }
    rows.extend(cleaned.counts.iter().map(|(table, counts)| rows_add_up(table, counts)));
    let keys = outputs.par_iter().map(|output| key_is_sorted(contracts.output(&output.name)?, &output.batch));
    rows.extend(keys.collect::<Result<Vec<_>>>()?);
    rows.extend(households::audit(&tables, rulebook)?);
    rows.extend(shares_in_bounds(outputs, contracts)?);
    rows.extend(coverage::audit(&tables, &cleaned.tables.areas)?);
    rows.extend(indicators::audit(&tables, released, &cleaned.tables.areas, rulebook, contracts)?);
    Ok(rows)
}

/// Whether too many rows of a table were set aside, decided on the counts alone.
pub fn audit_inputs(counts: &BTreeMap<String, RowCounts>, rulebook: &Rulebook) -> Vec<AuditRow> {
    feed::set_aside_shares(counts, rulebook)
}

/// Every failed check as a fault, or nothing.
pub fn verdict(rows: &[AuditRow]) -> Result<()> {
    let faults: Vec<Fault> = rows
        .iter()
        .filter(|row| !row.passed && !row.allowed)
        .map(|row| {
            let fault = Fault::new(format!("audit `{}` of table `{}` failed: {}", row.check, row.table, row.detail));
            fault.hint(hint(row))
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::AuditFailed(faults)) }
}

/// What can be done about a failed check.
fn hint(row: &AuditRow) -> String {
    let Some(allowance) = feed::allowance(&row.check) else {
        return "nothing was published; please report this with the command that you ran".to_string();
    };
    let first = match allowance {
        Allowance::Quarantine => "mend the export, see what was set aside with `wellfield check`",
        Allowance::Change => "see whether the export is whole, or sign another tolerance in `run.toml`",
        Allowance::Stale => "see why nothing newer was exported, or sign another tolerance in `run.toml`",
    };
    format!("{first}, or publish all the same with `{} {}`", allowance.option(), row.table)
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

/// Rows of a table whose keys are compared at once.
const ROWS_AT_ONCE: usize = 1 << 16;

/// Keys rise strictly from row to row: so they are unique, and the table is sorted.
fn key_is_sorted(contract: &Contract, batch: &RecordBatch) -> Result<AuditRow> {
    let positions = contract.key.iter().map(|name| contract.require(name)).collect::<Result<Vec<_>>>()?;
    let columns: Vec<_> = positions.iter().map(|&position| batch.column(position).clone()).collect();
    let last = batch.num_rows().saturating_sub(1);
    let starts: Vec<usize> = (0..last).step_by(ROWS_AT_ONCE).collect();
    // Each part ends with the first row of the next one, so that every row is compared with the one before it.
    let parts = starts.into_par_iter().map(|start| {
        let rows = ROWS_AT_ONCE.min(last - start) + 1;
        let columns: Vec<_> = columns.iter().map(|column| column.slice(start, rows)).collect();
        not_above(&columns).map(|wrong| wrong.into_iter().map(|row| start + row).collect::<Vec<_>>())
    });
    let internal = |error: ArrowError| Error::internal(error.to_string());
    let wrong = parts.collect::<std::result::Result<Vec<_>, _>>().map_err(internal)?.concat();
    let examples = wrong.iter().take(EXAMPLES_MAX).map(|&row| {
        let values = columns.iter().map(|column| array_value_to_string(column, row));
        Ok(format!("`{}`", values.collect::<std::result::Result<Vec<_>, _>>().map_err(internal)?.join("|")))
    });
    let examples = examples.collect::<Result<Vec<_>>>()?;
    let detail = format!("{} rows repeat a key or stand out of order{}", wrong.len(), for_example(&examples));
    Ok(outcome("key_unique", &contract.table, wrong.len() as u64, detail))
}

/// Rows whose key is not above that of the row before.
fn not_above(columns: &[ArrayRef]) -> std::result::Result<Vec<usize>, ArrowError> {
    let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    let rows = RowConverter::new(fields)?.convert_columns(columns)?;
    let pairs = rows.iter().zip(rows.iter().skip(1)).enumerate();
    Ok(pairs.filter(|(_, (one, next))| one >= next).map(|(place, _)| place + 1).collect())
}

/// The end of a sentence that names some of what it counts.
fn for_example(examples: &[String]) -> String {
    if examples.is_empty() { String::new() } else { format!(", for example {}", examples.join(", ")) }
}

fn column<'a>(tables: &Outputs<'a>, table: &str, name: &str) -> Result<&'a dyn Array> {
    let found = tables.get(table).and_then(|batch| batch.column_by_name(name));
    found.map(AsRef::as_ref).ok_or_else(|| Error::internal(format!("table `{table}` has no column `{name}`")))
}

fn strings<'a>(tables: &Outputs<'a>, table: &str, name: &str) -> Result<&'a StringArray> {
    let found = column(tables, table, name)?.as_string_opt::<i32>();
    found.ok_or_else(|| Error::internal(format!("`{name}` of `{table}` is no text")))
}

/// A column of text, coded or not.
enum Texts<'a> {
    Plain(&'a StringArray),
    Coded(&'a UInt32Array, &'a StringArray),
}

impl<'a> Texts<'a> {
    fn of(tables: &Outputs<'a>, table: &str, name: &str) -> Result<Texts<'a>> {
        let Some(coded) = column(tables, table, name)?.as_dictionary_opt::<UInt32Type>() else {
            return strings(tables, table, name).map(Texts::Plain);
        };
        let texts = coded.values().as_string_opt::<i32>();
        let texts = texts.ok_or_else(|| Error::internal(format!("`{name}` of `{table}` is no text")))?;
        Ok(Texts::Coded(coded.keys(), texts))
    }

    fn len(&self) -> usize {
        match self {
            Texts::Plain(texts) => texts.len(),
            Texts::Coded(codes, _) => codes.len(),
        }
    }

    fn value(&self, row: usize) -> &'a str {
        match self {
            Texts::Plain(texts) => texts.value(row),
            Texts::Coded(codes, texts) => texts.value(codes.value(row) as usize),
        }
    }
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

fn with_examples<'a>(check: &str, table: &str, wrong: impl Iterator<Item = &'a str>, rows: usize) -> AuditRow {
    let wrong: Vec<&str> = wrong.collect();
    let examples: Vec<String> = wrong.iter().take(EXAMPLES_MAX).map(|id| format!("`{id}`")).collect();
    let detail = if wrong.is_empty() {
        format!("{rows} rows looked at")
    } else {
        format!("{} of {rows} rows{}", wrong.len(), for_example(&examples))
    };
    outcome(check, table, wrong.len() as u64, detail)
}

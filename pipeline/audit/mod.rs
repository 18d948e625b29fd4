//! What must hold of every run before anybody sees it. Each check is a named row with its figures; a failed one
//! keeps the run from being published. Looks at the output tables as they will be written, not at the stages' own
//! memory; the large ones pass by piece by piece, and what is kept of a piece is counts and a few examples. Leaves to
//! `publish` the comparison of files with what was computed.

mod coverage;
mod feed;
mod households;
mod indicators;
mod keys;

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{Decimal128Type, Float64Type, Int64Type, UInt32Type};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clean::{CleanBank, RowCounts};
use crate::contract::{Contract, Contracts, Type};
use crate::fault::{Error, Fault, Result};
use crate::outputs::{self, OutputTable};
use crate::previous::Previous;
use crate::rulebook::Rulebook;

use self::coverage::Notices;
use self::households::Households;
use self::keys::Keys;

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

/// What is looked at: the cleaned inputs with their counts, output tables that are there as a whole, and the run before.
pub struct Audited<'a> {
    pub cleaned: &'a CleanBank,
    pub outputs: &'a [OutputTable],
    pub previous: &'a Previous,
    pub rulebook: &'a Rulebook,
    pub contracts: &'a Contracts,
}

/// Every check, passed or not, where every output table is there as a whole. `released` is what is released to the
/// regulator.
pub fn audit(audited: &Audited, released: &RecordBatch, allowed: &Allowed) -> Result<Vec<AuditRow>> {
    let of_households: Vec<&str> = outputs::of_households().collect();
    let is_large =
        |table: &OutputTable| table.name == outputs::VISIT_CHECKS || of_households.contains(&table.name.as_str());
    let (mut large, mut small, mut indicators) = (Vec::new(), Vec::new(), None);
    for table in audited.outputs.iter().cloned() {
        match table.name.as_str() {
            outputs::INDICATORS => indicators = Some(table),
            _ if is_large(&table) => large.push(table),
            _ => small.push(table),
        }
    }
    let indicators = indicators.ok_or_else(|| Error::internal("there is no table of indicators"))?;
    let audited = Audited { outputs: &small, ..*audited };
    let auditor = Auditor::of(&audited)?;
    let mut audit = auditor.begin();
    audit.take(auditor.look(&large)?)?;
    audit.end(auditor.indicators(&indicators, released)?, allowed)
}

/// Looks at output tables. The large ones pass piece by piece: `visit_checks` batch by batch, and the tables of households
/// by households, of which a piece holds all rows in all those tables. Any thread may look at any piece.
pub struct Auditor<'a> {
    audited: &'a Audited<'a>,
    notices: Notices<'a>,
}

/// An audit under way: what an auditor found of the pieces so far, in the order of their rows.
pub struct Audit<'a, 'b> {
    auditor: &'b Auditor<'a>,
    seen: Seen,
}

/// What was found of rows that follow each other.
#[derive(Default)]
pub struct Seen {
    tables: BTreeMap<String, SeenTable>,
    households: Households,
    /// The rows of the public notice that name a household who may be named so.
    noticed: Vec<usize>,
}

/// What was found of the indicators: as of every table, and by the checks of their own.
pub struct SeenIndicators {
    seen: Seen,
    checks: Vec<AuditRow>,
}

struct SeenTable {
    rows: u64,
    keys: Keys,
    /// Columns of shares, and their values that are none.
    shares: usize,
    outside: u64,
}

impl<'a> Auditor<'a> {
    pub fn of(audited: &'a Audited<'a>) -> Result<Auditor<'a>> {
        Ok(Auditor { audited, notices: Notices::of(&by_name(audited.outputs))? })
    }

    pub fn begin(&self) -> Audit<'a, '_> {
        Audit { auditor: self, seen: Seen::default() }
    }

    /// Looks at the table of indicators as a whole, beside what is released to the regulator.
    pub fn indicators(&self, table: &OutputTable, released: &RecordBatch) -> Result<SeenIndicators> {
        let Audited { cleaned, rulebook, contracts, .. } = *self.audited;
        let table = std::slice::from_ref(table);
        let checks = indicators::audit(&by_name(table), released, &cleaned.tables.areas, rulebook, contracts)?;
        Ok(SeenIndicators { seen: self.look(table)?, checks })
    }

    /// Looks at the next rows of some tables: a batch of visits, or all rows of some households.
    pub fn look(&self, tables: &[OutputTable]) -> Result<Seen> {
        let seen = tables.par_iter().with_max_len(1).map(|output| {
            let contract = self.audited.contracts.output(&output.name)?;
            Ok((output.name.clone(), SeenTable::of(contract, &output.batch)?))
        });
        let seen = Seen { tables: seen.collect::<Result<_>>()?, ..Seen::default() };
        let tables = by_name(tables);
        if !outputs::of_households().all(|table| tables.contains_key(table)) {
            return Ok(seen);
        }
        let households = Households::of(&tables, self.audited.rulebook)?;
        Ok(Seen { households, noticed: self.notices.allowed(&tables)?, ..seen })
    }
}

impl Audit<'_, '_> {
    /// Adds what was found of the rows that come next.
    pub fn take(&mut self, seen: Seen) -> Result<()> {
        for (name, next) in seen.tables {
            match self.seen.tables.get_mut(&name) {
                Some(table) => table.add(next)?,
                None => drop(self.seen.tables.insert(name, next)),
            }
        }
        self.seen.households.add(seen.households);
        self.seen.noticed.extend(seen.noticed);
        Ok(())
    }

    /// Every check, passed or not.
    pub fn end(mut self, indicators: SeenIndicators, allowed: &Allowed) -> Result<Vec<AuditRow>> {
        let Audited { cleaned, outputs, previous, rulebook, .. } = *self.auditor.audited;
        self.take(indicators.seen)?;
        self.take(self.auditor.look(outputs)?)?;
        let (tables, areas) = (by_name(outputs), &cleaned.tables.areas);
        let households = self.seen.tables.get("household_grades").map_or(0, |table| table.rows);
        let mut rows = feed::audit(cleaned, households, previous, rulebook);
        for row in rows.iter_mut().filter(|row| !row.passed) {
            row.allowed = feed::allowance(&row.check).is_some_and(|allowance| allowed.covers(allowance, &row.table));
        }
        rows.extend(cleaned.counts.iter().map(|(table, counts)| rows_add_up(table, counts)));
        let seen = || outputs::names().filter_map(|name| Some((name, self.seen.tables.get(name)?)));
        rows.extend(seen().map(|(name, table)| table.keys.outcome(name)));
        rows.extend(self.seen.households.outcomes());
        rows.extend(seen().filter_map(|(name, table)| table.share_in_bounds(name)));
        rows.extend(coverage::audit(&tables, areas, households)?);
        rows.push(self.auditor.notices.are_allowed(&self.seen.noticed));
        rows.extend(indicators.checks);
        Ok(rows)
    }
}

fn by_name(outputs: &[OutputTable]) -> Outputs<'_> {
    outputs.iter().map(|output| (output.name.as_str(), &output.batch)).collect()
}

impl SeenTable {
    fn of(contract: &Contract, batch: &RecordBatch) -> Result<SeenTable> {
        let shares = contract.columns.iter().filter(|column| column.kind == Type::Share);
        let shares = shares.map(|column| floats(batch, &contract.table, &column.name));
        let shares = shares.collect::<Result<Vec<_>>>()?;
        let is_outside = |share: &f64| !(0.0..=1.0).contains(share);
        let outside = shares.iter().map(|shares| shares.iter().flatten().filter(is_outside).count() as u64).sum();
        let keys = Keys::of(contract, batch)?;
        Ok(SeenTable { rows: batch.num_rows() as u64, keys, shares: shares.len(), outside })
    }

    fn add(&mut self, next: SeenTable) -> Result<()> {
        self.rows += next.rows;
        self.outside += next.outside;
        self.keys.add(next.keys)
    }

    /// A part is not more than its whole: every share lies in 0 to 1.
    fn share_in_bounds(&self, table: &str) -> Option<AuditRow> {
        let detail = format!("{} values of {} columns lie outside 0 to 1", self.outside, self.shares);
        (self.shares > 0).then(|| outcome("share_in_bounds", table, self.outside, detail))
    }
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

    fn is_same(&self, row: usize, other: usize) -> bool {
        match self {
            Texts::Coded(codes, _) if codes.value(row) == codes.value(other) => true,
            _ => self.value(row) == self.value(other),
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

fn floats<'a>(batch: &'a RecordBatch, table: &str, name: &str) -> Result<&'a Float64Array> {
    let found = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Float64Type>());
    found.ok_or_else(|| Error::internal(format!("`{name}` of `{table}` is no share")))
}

/// Rows that break a check, among those that were looked at, and the first of them by name.
#[derive(Default)]
struct Counted {
    rows: u64,
    wrong: u64,
    examples: Vec<String>,
}

impl Counted {
    fn of<'a>(wrong: impl Iterator<Item = &'a str>, rows: usize) -> Counted {
        let mut counted = Counted { rows: rows as u64, ..Counted::default() };
        for id in wrong {
            counted.wrong += 1;
            if counted.examples.len() < EXAMPLES_MAX {
                counted.examples.push(format!("`{id}`"));
            }
        }
        counted
    }

    /// Adds the rows that follow.
    fn add(&mut self, next: Counted) {
        self.rows += next.rows;
        self.wrong += next.wrong;
        self.examples.extend(next.examples);
        self.examples.truncate(EXAMPLES_MAX);
    }

    fn outcome(&self, check: &str, table: &str) -> AuditRow {
        let Counted { rows, wrong, examples } = self;
        let detail = match wrong {
            0 => format!("{rows} rows looked at"),
            _ => format!("{wrong} of {rows} rows{}", for_example(examples)),
        };
        outcome(check, table, *wrong, detail)
    }
}

fn with_examples<'a>(check: &str, table: &str, wrong: impl Iterator<Item = &'a str>, rows: usize) -> AuditRow {
    Counted::of(wrong, rows).outcome(check, table)
}

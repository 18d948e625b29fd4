//! Sound rows out of a bank's exports: every table is checked against its contract in the order in which tables
//! refer to each other. A fault of a table refuses the run, a fault of a row sets the row aside, and a row that is
//! not yet known on the as-of date has no effect.
//! Leaves decisions that are unsound by the rules of credit to `grade`, which knows the grades.

mod index;
mod keys;
mod parse;
mod rules;
mod table;
pub mod typed;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::UInt8Type;

use crate::calendar::Date;
use crate::contract::{Contract, Contracts};
use crate::fault::{Collector, Result};
use crate::read::bank::{Bank, Input};
use crate::read::{self, ReadFile, Source};

pub use self::index::{IdIndex, Meaning};
pub use self::rules::Rule;
use self::table::{Before, Cleaned, Table};
pub use self::table::{RowCounts, SetAside};
use self::typed::{
    AccountMonths, Accounts, Areas, Assignments, Branches, ConductEvents, Decisions, Grids, Households, Instalments,
    LoanMonths, Loans, Officers, OutsideDebts, PeerReviews, Profiles, ServicePoints, Visits, Watchlist,
};

/// Everything that a run knows of a bank on its as-of date. An optional table that is absent is None.
#[derive(Debug)]
pub struct Tables {
    pub areas: Areas,
    pub branches: Branches,
    pub grids: Grids,
    pub officers: Officers,
    pub assignments: Assignments,
    pub households: Households,
    pub profiles: Option<Profiles>,
    pub visits: Visits,
    pub accounts: Accounts,
    pub account_months: AccountMonths,
    pub loans: Loans,
    pub loan_months: LoanMonths,
    pub instalments: Option<Instalments>,
    pub outside_debts: Option<OutsideDebts>,
    pub conduct_events: Option<ConductEvents>,
    pub peer_reviews: Option<PeerReviews>,
    pub watchlist: Option<Watchlist>,
    pub service_points: Option<ServicePoints>,
    pub decisions: Option<Decisions>,
}

/// A bank after cleaning.
#[derive(Debug)]
pub struct CleanBank {
    pub tables: Tables,
    /// Rows that were set aside, in the order of tables and rows.
    pub set_aside: Vec<SetAside>,
    /// Row counts of every table that the bank has.
    pub counts: BTreeMap<String, RowCounts>,
    /// Every file that was read.
    pub files: Vec<ReadFile>,
    /// Source file and row number of each accepted decision.
    pub decision_origins: Vec<(String, u64)>,
    /// By table and file, the own date of the newest known row.
    pub newest: BTreeMap<(String, String), Date>,
    /// Tables of which the bank says that nothing newer is to come.
    pub historic: BTreeSet<String>,
    /// What a reader should know though nothing is refused: optional tables without rows, missing optional columns.
    pub remarks: Vec<String>,
}

/// Reads and checks every input table. Refuses with all faults of all tables at once.
pub fn clean(bank: &Bank, contracts: &Contracts, as_of: Date) -> Result<CleanBank> {
    let mut cleaning =
        Cleaning { contracts, as_of, done: BTreeMap::new(), indices: BTreeMap::new(), area_levels: Vec::new() };
    let mut outcome = Outcome::default();
    let mut collector = Collector::default();
    for contract in &contracts.inputs {
        let source = collector.take(read::table(bank, contract))?;
        let is_there = matches!(source, Some(Some(_)));
        let table = match source.flatten() {
            Some(source) => {
                remark(contract, &source, &mut outcome.remarks);
                outcome.files.extend(source.files.iter().cloned());
                collector.take(cleaning.clean(contract, source))?.map(|cleaned| outcome.take(contract, cleaned))
            }
            None => None,
        };
        cleaning.keep(contract, table, is_there)?;
    }
    outcome.files.sort();
    outcome.files.dedup();
    read::unchanged(bank, &outcome.files)?;
    // From here on a file is what its bytes are, whenever they were written.
    outcome.files.iter_mut().for_each(|file| file.written_ns = None);
    collector.refuse()?;
    Ok(CleanBank {
        tables: cleaning.typed()?,
        set_aside: outcome.set_aside,
        counts: outcome.counts,
        files: outcome.files,
        decision_origins: outcome.decision_origins,
        newest: outcome.newest,
        historic: historic(bank),
        remarks: outcome.remarks,
    })
}

fn historic(bank: &Bank) -> BTreeSet<String> {
    let said = bank.inputs.iter().filter(|(_, input)| matches!(input, Input::Files(files) if files.is_historic));
    said.map(|(table, _)| table.clone()).collect()
}

#[derive(Default)]
struct Outcome {
    set_aside: Vec<SetAside>,
    counts: BTreeMap<String, RowCounts>,
    files: Vec<ReadFile>,
    decision_origins: Vec<(String, u64)>,
    newest: BTreeMap<(String, String), Date>,
    remarks: Vec<String>,
}

impl Outcome {
    fn take(&mut self, contract: &Contract, cleaned: Cleaned) -> Table {
        self.set_aside.extend(cleaned.set_aside);
        self.counts.insert(contract.table.clone(), cleaned.counts);
        let newest = cleaned.newest.into_iter().map(|(path, day)| ((contract.table.clone(), path), day));
        self.newest.extend(newest);
        if contract.table == "decisions" {
            self.decision_origins = cleaned.origins;
        }
        cleaned.table
    }
}

fn remark(contract: &Contract, source: &Source, remarks: &mut Vec<String>) {
    if source.rows() == 0 {
        remarks.push(format!("table `{}` is there and has no rows", contract.table));
    }
    if !source.missing.is_empty() {
        let columns: Vec<String> = source.missing.iter().map(|name| format!("`{name}`")).collect();
        remarks.push(format!("table `{}` has no column {}: taken as null", contract.table, columns.join(", ")));
    }
}

struct Cleaning<'a> {
    contracts: &'a Contracts,
    as_of: Date,
    /// Tables that are there.
    done: BTreeMap<String, Table>,
    indices: BTreeMap<String, Arc<IdIndex>>,
    area_levels: Vec<String>,
}

impl Cleaning<'_> {
    fn clean(&self, contract: &Contract, source: Source) -> Result<Cleaned> {
        let before = Before {
            as_of: self.as_of,
            indices: &self.indices,
            area_levels: &self.area_levels,
            is_referenced: self.is_referenced(&contract.table),
        };
        table::clean(contract, source, &before)
    }

    fn is_referenced(&self, table: &str) -> bool {
        let columns = self.contracts.inputs.iter().flat_map(|contract| &contract.columns);
        columns.into_iter().any(|column| column.references.as_deref() == Some(table))
    }

    /// Notes a table for those that refer to it. A required table that is not there is empty: the bank said so, or
    /// its fault is already noted.
    fn keep(&mut self, contract: &Contract, table: Option<Table>, is_there: bool) -> Result<()> {
        let table = match table {
            Some(table) => table,
            None if contract.required || is_there => self.empty(contract)?,
            None => return Ok(()),
        };
        if let Some(index) = &table.index {
            self.indices.insert(contract.table.clone(), Arc::clone(index));
        }
        if contract.table == "areas" {
            let words = &contract.column("level")?.words;
            let codes =
                table.columns.get(contract.require("level")?).and_then(|column| column.as_primitive_opt::<UInt8Type>());
            let word = |code: Option<u8>| words.get(code.map_or(usize::MAX, usize::from)).cloned().unwrap_or_default();
            self.area_levels = codes.map_or_else(Vec::new, |codes| codes.iter().map(word).collect());
        }
        self.done.insert(contract.table.clone(), table);
        Ok(())
    }

    fn empty(&self, contract: &Contract) -> Result<Table> {
        let columns = contract.columns.iter().map(|column| values::empty(column, column.references.is_some()));
        let index = self.is_referenced(&contract.table).then(|| Arc::new(IdIndex::default()));
        Ok(Table { rows: 0, columns: columns.collect::<Result<_>>()?, index })
    }

    fn typed(&self) -> Result<Tables> {
        Ok(Tables {
            areas: self.required("areas", Areas::take)?,
            branches: self.required("branches", Branches::take)?,
            grids: self.required("grids", Grids::take)?,
            officers: self.required("officers", Officers::take)?,
            assignments: self.required("assignments", Assignments::take)?,
            households: self.required("households", Households::take)?,
            profiles: self.optional("profiles", Profiles::take)?,
            visits: self.required("visits", Visits::take)?,
            accounts: self.required("accounts", Accounts::take)?,
            account_months: self.required("account_months", AccountMonths::take)?,
            loans: self.required("loans", Loans::take)?,
            loan_months: self.required("loan_months", LoanMonths::take)?,
            instalments: self.optional("instalments", Instalments::take)?,
            outside_debts: self.optional("outside_debts", OutsideDebts::take)?,
            conduct_events: self.optional("conduct_events", ConductEvents::take)?,
            peer_reviews: self.optional("peer_reviews", PeerReviews::take)?,
            watchlist: self.optional("watchlist", Watchlist::take)?,
            service_points: self.optional("service_points", ServicePoints::take)?,
            decisions: self.optional("decisions", Decisions::take)?,
        })
    }

    fn optional<T>(&self, table: &str, take: fn(&Contract, &Table) -> Result<T>) -> Result<Option<T>> {
        let contract = self.contracts.input(table)?;
        self.done.get(table).map(|table| take(contract, table)).transpose()
    }

    fn required<T>(&self, table: &str, take: fn(&Contract, &Table) -> Result<T>) -> Result<T> {
        let taken = self.optional(table, take)?;
        taken.ok_or_else(|| crate::fault::Error::internal(format!("required table `{table}` was not cleaned")))
    }
}

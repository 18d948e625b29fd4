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

use rayon::prelude::*;

use crate::calendar::Date;
use crate::contract::{Contract, Contracts};
use crate::fault::{Collector, Error, Result};
use crate::read::bank::{Bank, Input};
use crate::read::{self, ReadFile, Source};

pub use self::index::{IdIndex, Meaning};
pub use self::rules::Rule;
pub use self::table::{Accepted, RowCounts, SetAside};
use self::table::{Before, Cleaned, Prepare, Table};
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

impl Tables {
    /// Lets go of the rows of tables that only facts are measured from; whether the bank has them stays known.
    pub fn let_go_of_evidence(&mut self, contracts: &Contracts) -> Result<()> {
        self.accounts = none(contracts, "accounts", Accounts::take)?;
        empty_out(&mut self.profiles, contracts, "profiles", Profiles::take)?;
        empty_out(&mut self.outside_debts, contracts, "outside_debts", OutsideDebts::take)?;
        empty_out(&mut self.conduct_events, contracts, "conduct_events", ConductEvents::take)?;
        empty_out(&mut self.peer_reviews, contracts, "peer_reviews", PeerReviews::take)
    }

    /// Lets go of the rows of the loans.
    pub fn let_go_of_loans(&mut self, contracts: &Contracts) -> Result<()> {
        self.loans = none(contracts, "loans", Loans::take)?;
        Ok(())
    }
}

/// A table without rows.
fn none<T>(contracts: &Contracts, table: &str, take: fn(&Contract, &Table) -> Result<T>) -> Result<T> {
    let contract = contracts.input(table)?;
    take(contract, &without_rows(contract)?)
}

fn empty_out<T>(
    slot: &mut Option<T>,
    contracts: &Contracts,
    table: &str,
    take: fn(&Contract, &Table) -> Result<T>,
) -> Result<()> {
    if slot.is_some() {
        *slot = Some(none(contracts, table, take)?);
    }
    Ok(())
}

fn without_rows(contract: &Contract) -> Result<Table> {
    let columns = contract.columns.iter().map(|column| values::empty(column, column.references.is_some()));
    Ok(Table { rows: 0, columns: columns.collect::<Result<_>>()?, index: None })
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

/// Whoever takes the logs in, piece by piece, as they are cleaned: the tables that have many rows for each household,
/// which so need never be in memory as a whole. What is taken in is of no use once a later piece is refused.
pub trait TakeLogs: Send {
    /// What rows are prepared with.
    type Preparation: Sync;
    /// Some rows of a log, prepared.
    type Prepared: Send;
    /// Before any log: `tables` hold everything but the logs, and `visits` is about how many rows that log has.
    fn begin(&mut self, tables: &Tables, visits: u64) -> Result<Self::Preparation>;
    /// Prepares the accepted ones of some rows, while others prepare others.
    fn prepare(preparation: &Self::Preparation, rows: LogRows, accepted: Accepted) -> Result<Self::Prepared>;
    /// Takes the next rows of a log in, in the order of its files.
    fn take(&mut self, tables: &Tables, prepared: Self::Prepared) -> Result<()>;
}

/// Takes no row: for a bank that is only looked at for its faults.
pub struct NoLogs;

impl TakeLogs for NoLogs {
    type Preparation = ();
    type Prepared = ();

    fn begin(&mut self, _: &Tables, _: u64) -> Result<()> {
        Ok(())
    }

    fn prepare((): &(), _: LogRows, _: Accepted) -> Result<()> {
        Ok(())
    }

    fn take(&mut self, _: &Tables, (): ()) -> Result<()> {
        Ok(())
    }
}

/// Rows of a log, accepted or not.
pub enum LogRows {
    Visits(Box<Visits>),
    AccountMonths(AccountMonths),
    LoanMonths(LoanMonths),
    Instalments(Instalments),
}

/// The logs; no other table refers to them.
const LOGS: [&str; 4] = ["visits", "account_months", "loan_months", "instalments"];

fn log_rows(contract: &Contract, table: &Table) -> Result<LogRows> {
    match contract.table.as_str() {
        "visits" => Visits::take(contract, table).map(|rows| LogRows::Visits(Box::new(rows))),
        "account_months" => AccountMonths::take(contract, table).map(LogRows::AccountMonths),
        "loan_months" => LoanMonths::take(contract, table).map(LogRows::LoanMonths),
        "instalments" => Instalments::take(contract, table).map(LogRows::Instalments),
        other => Err(Error::internal(format!("`{other}` is no log"))),
    }
}

/// Reads and checks every input table. Refuses with all faults of all tables at once.
pub fn clean(bank: &Bank, contracts: &Contracts, as_of: Date) -> Result<CleanBank> {
    let mut cleaning = Cleaning::begin(contracts, as_of);
    cleaning.tables(bank)?;
    for (place, contract) in logs(contracts) {
        let looked = cleaning.look_at(bank, contract)?;
        cleaning.note(contract, place, looked)?;
    }
    let tables = cleaning.typed()?;
    cleaning.end(bank, tables)
}

fn is_log(contract: &Contract) -> bool {
    LOGS.contains(&contract.table.as_str())
}

fn refers_to(contract: &Contract, table: &str) -> bool {
    contract.columns.iter().any(|column| column.references.as_deref() == Some(table))
}

/// The contracts of the logs, and their places among all.
fn logs(contracts: &Contracts) -> impl Iterator<Item = (usize, &Contract)> {
    contracts.inputs.iter().enumerate().filter(|(_, contract)| is_log(contract))
}

/// Reads and checks every input table; the logs are handed to `logs` as they come, and are empty in what is returned.
/// Accepts, sets aside and refuses the same as `clean`.
pub fn clean_with<L: TakeLogs>(bank: &Bank, contracts: &Contracts, as_of: Date, logs: &mut L) -> Result<CleanBank> {
    let mut cleaning = Cleaning::begin(contracts, as_of);
    cleaning.tables(bank)?;
    let mut opened = Vec::new();
    for (place, contract) in self::logs(contracts) {
        let source = open(read::table(bank, contract), contract, cleaning.outcome(place)?)?;
        let is_there = matches!(source, Opened::There(_) | Opened::Refused);
        let table = if contract.required || is_there { Some(cleaning.empty(contract)?) } else { None };
        cleaning.keep(contract, table, is_there)?;
        opened.extend(source.there().map(|source| (place, contract, source)));
    }
    let tables = cleaning.typed()?;
    let visits = opened.iter().find(|(_, contract, _)| contract.table == "visits");
    let visits = visits.map_or(0, |(_, _, source)| source.rows() as u64);
    // What is refused already is checked to its end, so that all faults are told, and is of no use to anybody.
    let preparation = if cleaning.is_refused() { None } else { Some(logs.begin(&tables, visits)?) };
    for (place, contract, source) in opened {
        let prepare = |rows: &Table, accepted: Accepted| match &preparation {
            Some(preparation) => L::prepare(preparation, log_rows(contract, rows)?, accepted).map(Some),
            None => Ok(None),
        };
        let mut take = |rows: Option<L::Prepared>| rows.map_or(Ok(()), |rows| logs.take(&tables, rows));
        cleaning.stream(contract, place, &source, &prepare, &mut take)?;
    }
    cleaning.end(bank, tables)
}

fn historic(bank: &Bank) -> BTreeSet<String> {
    let said = bank.inputs.iter().filter(|(_, input)| matches!(input, Input::Files(files) if files.is_historic));
    said.map(|(table, _)| table.clone()).collect()
}

/// What became of one table beside its rows.
#[derive(Default)]
struct Outcome {
    set_aside: Vec<SetAside>,
    counts: Option<RowCounts>,
    files: Vec<ReadFile>,
    decision_origins: Vec<(String, u64)>,
    newest: BTreeMap<String, Date>,
    remarks: Vec<String>,
    faults: Collector,
}

impl Outcome {
    fn take(&mut self, cleaned: Cleaned, contract: &Contract) -> Table {
        self.set_aside = cleaned.set_aside;
        self.counts = Some(cleaned.counts);
        self.newest = cleaned.newest;
        if contract.table == "decisions" {
            self.decision_origins = cleaned.origins;
        }
        cleaned.table
    }
}

/// What there is of a table to be cleaned.
enum Opened {
    There(Arc<Source>),
    /// Its fault is noted.
    Refused,
    Absent,
}

impl Opened {
    fn there(self) -> Option<Arc<Source>> {
        match self {
            Opened::There(source) => Some(source),
            Opened::Refused | Opened::Absent => None,
        }
    }
}

/// A table that was cleaned, and what became of it.
struct Looked {
    outcome: Outcome,
    table: Option<Table>,
    is_there: bool,
}

fn open(source: Result<Option<Source>>, contract: &Contract, outcome: &mut Outcome) -> Result<Opened> {
    let Some(source) = outcome.faults.take(source)? else { return Ok(Opened::Refused) };
    let Some(source) = source else { return Ok(Opened::Absent) };
    remark(contract, &source, &mut outcome.remarks);
    outcome.files.extend(source.files.iter().cloned());
    Ok(Opened::There(Arc::new(source)))
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
    /// In the order of the contracts.
    outcomes: Vec<Outcome>,
}

impl<'a> Cleaning<'a> {
    fn begin(contracts: &'a Contracts, as_of: Date) -> Cleaning<'a> {
        let outcomes = contracts.inputs.iter().map(|_| Outcome::default()).collect();
        let (done, indices, area_levels) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Cleaning { contracts, as_of, done, indices, area_levels, outcomes }
    }

    fn outcome(&mut self, place: usize) -> Result<&mut Outcome> {
        self.outcomes.get_mut(place).ok_or_else(|| Error::internal("a table has no place among the contracts"))
    }

    fn is_refused(&self) -> bool {
        self.outcomes.iter().any(|outcome| !outcome.faults.is_empty())
    }

    fn before(&self, contract: &Contract) -> Before<'_> {
        Before {
            as_of: self.as_of,
            indices: &self.indices,
            area_levels: &self.area_levels,
            is_referenced: self.is_referenced(&contract.table),
        }
    }

    /// Cleans every table but the logs, each after those that it refers to, and side by side those that have nothing to
    /// do with each other.
    fn tables(&mut self, bank: &Bank) -> Result<()> {
        let mut waiting: Vec<(usize, &Contract)> =
            self.contracts.inputs.iter().enumerate().filter(|(_, contract)| !is_log(contract)).collect();
        while !waiting.is_empty() {
            let is_free = |(_, contract): &(usize, &Contract)| {
                !waiting.iter().any(|(_, other)| other.table != contract.table && refers_to(contract, &other.table))
            };
            let (free, others): (Vec<_>, Vec<_>) = waiting.iter().copied().partition(is_free);
            if free.is_empty() {
                return Err(Error::internal("tables refer to each other in a circle"));
            }
            let looked: Vec<Result<Looked>> =
                free.par_iter().with_max_len(1).map(|(_, contract)| self.look_at(bank, contract)).collect();
            for ((place, contract), looked) in free.into_iter().zip(looked) {
                self.note(contract, place, looked?)?;
            }
            waiting = others;
        }
        Ok(())
    }

    /// Cleans a table that stays in memory.
    fn look_at(&self, bank: &Bank, contract: &Contract) -> Result<Looked> {
        let mut outcome = Outcome::default();
        let source = open(read::table(bank, contract), contract, &mut outcome)?;
        let is_there = matches!(source, Opened::There(_));
        let cleaned = match source.there() {
            Some(source) => {
                let one_pass = source.one_pass();
                let cleaned = table::clean(contract, source, &self.before(contract));
                outcome.files.extend(one_pass.found());
                outcome.faults.take(cleaned)?
            }
            None => None,
        };
        let table = cleaned.map(|cleaned| outcome.take(cleaned, contract));
        Ok(Looked { outcome, table, is_there })
    }

    fn note(&mut self, contract: &Contract, place: usize, looked: Looked) -> Result<()> {
        *self.outcome(place)? = looked.outcome;
        self.keep(contract, looked.table, looked.is_there)
    }

    /// Cleans a log piece by piece.
    fn stream<P: Send>(
        &mut self,
        contract: &Contract,
        place: usize,
        source: &Arc<Source>,
        prepare: Prepare<P>,
        take: &mut (dyn FnMut(P) -> Result<()> + Send),
    ) -> Result<()> {
        let cleaned = table::stream(contract, source, &self.before(contract), prepare, take);
        let outcome = self.outcome(place)?;
        outcome.files.extend(source.one_pass().found());
        if let Some(cleaned) = outcome.faults.take(cleaned)? {
            outcome.take(cleaned, contract);
        }
        Ok(())
    }

    /// When all tables are done: refuses, or puts together what became of them.
    fn end(self, bank: &Bank, tables: Tables) -> Result<CleanBank> {
        let mut cleaned = CleanBank {
            tables,
            set_aside: Vec::new(),
            counts: BTreeMap::new(),
            files: Vec::new(),
            decision_origins: Vec::new(),
            newest: BTreeMap::new(),
            historic: historic(bank),
            remarks: Vec::new(),
        };
        let mut faults = Collector::default();
        for (contract, outcome) in self.contracts.inputs.iter().zip(self.outcomes) {
            let table = &contract.table;
            cleaned.set_aside.extend(outcome.set_aside);
            cleaned.counts.extend(outcome.counts.map(|counts| (table.clone(), counts)));
            cleaned.files.extend(outcome.files);
            cleaned.decision_origins.extend(outcome.decision_origins);
            cleaned.newest.extend(outcome.newest.into_iter().map(|(path, day)| ((table.clone(), path), day)));
            cleaned.remarks.extend(outcome.remarks);
            faults.extend(outcome.faults);
        }
        cleaned.files.sort();
        cleaned.files.dedup();
        read::unchanged(bank, &cleaned.files)?;
        // From here on a file is what its bytes are, whenever they were written.
        cleaned.files.iter_mut().for_each(|file| (file.written_ns, file.stayed) = (None, None));
        faults.refuse()?;
        Ok(cleaned)
    }

    fn is_referenced(&self, table: &str) -> bool {
        self.contracts.inputs.iter().any(|contract| refers_to(contract, table))
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
        let index = self.is_referenced(&contract.table).then(|| Arc::new(IdIndex::default()));
        Ok(Table { index, ..without_rows(contract)? })
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
        taken.ok_or_else(|| Error::internal(format!("required table `{table}` was not cleaned")))
    }
}

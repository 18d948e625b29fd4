//! One night from cleaned tables to output tables: the household stages in the order in which data flows, then coverage.
//! Puts the stages together and computes nothing itself; reading stands before it, audit and publishing after it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clean::typed::{AccountMonths, Instalments, LoanMonths};
use crate::clean::{Accepted, CleanBank, LogRows, RowCounts, SetAside, Tables, TakeLogs};
use crate::contract::Contracts;
use crate::coverage::{self, Coverage, Rated};
use crate::facts::ledgers::{Ledgers, Standings};
use crate::facts::{self, Facts};
use crate::fault::Result;
use crate::grade::{self, ModelGrade, Ranks};
use crate::indicators::{self, Covered, Indicators, Measured};
use crate::limit::credit_list::{self, Place};
use crate::limit::decisions::{self, Decided, Desk};
use crate::limit::{self, Limit};
use crate::outputs::{self, OutputTable, Results};
use crate::previous::{Previous, PreviousHousehold};
use crate::read::ReadFile;
use crate::read::bank::Bank;
use crate::read::published::MadeFrom;
use crate::register::Register;
use crate::rulebook::Rulebook;
use crate::score::{self, Scores};
use crate::visits::tallies::VisitTallies;
use crate::visits::{self, PreparedVisits, Room, VisitChecks, VisitIntake, VisitLog};
use crate::watch::Watch;

/// Everything that one night found, household by household.
pub struct Night {
    pub cleaned: CleanBank,
    pub register: Register,
    pub checks: VisitChecks,
    /// What the checked visits add up to.
    pub visited: VisitTallies,
    pub facts: Facts,
    pub scores: Scores,
    pub grades: Vec<ModelGrade>,
    pub limits: Vec<Limit>,
    pub decided: Decided,
    /// The credit list of every household.
    pub lists: Vec<Place>,
    pub coverage: Coverage,
    /// What may leave the bank of them is decided later.
    pub measured: Measured,
    /// Rows that cleaning set aside, and unsound decisions.
    pub set_aside: Vec<SetAside>,
    /// Row counts by input table, unsound decisions among the rows set aside.
    pub counts: BTreeMap<String, RowCounts>,
}

/// The logs of a bank, taken in as they are cleaned: what each stage needs of a row is kept, and the row is not.
pub struct Logs<'a> {
    rulebook: &'a Rulebook,
    contracts: &'a Contracts,
    room: &'a (dyn Fn(u64) -> Room + Sync),
    taken: Option<Taken>,
}

/// What was kept of the logs.
pub struct Taken {
    register: Register,
    visits: VisitLog,
    ledgers: Ledgers,
}

impl<'a> Logs<'a> {
    /// `room` says how much room there is for a number of visits.
    pub fn new(rulebook: &'a Rulebook, contracts: &'a Contracts, room: &'a (dyn Fn(u64) -> Room + Sync)) -> Logs<'a> {
        Logs { rulebook, contracts, room, taken: None }
    }

    /// What was kept; None where nothing was handed over.
    pub fn taken(self) -> Option<Taken> {
        self.taken
    }
}

/// Some rows of a log as they are taken in.
pub enum Prepared {
    Visits(Box<PreparedVisits>),
    AccountMonths(Box<AccountMonths>, Accepted),
    LoanMonths(Box<LoanMonths>, Accepted),
    Instalments(Box<Instalments>, Accepted),
}

impl TakeLogs for Logs<'_> {
    type Preparation = Arc<VisitIntake>;
    type Prepared = Prepared;

    fn begin(&mut self, tables: &Tables, visits: u64) -> Result<Arc<VisitIntake>> {
        let register = Register::of(tables, self.rulebook.as_of);
        let room = (self.room)(visits);
        let (visits, ledgers) = rayon::join(
            || VisitLog::begin(tables, &register, &self.rulebook.visit_checks, self.contracts, &room),
            || Ledgers::begin(tables, &register),
        );
        let visits = visits?;
        let intake = visits.intake();
        self.taken = Some(Taken { register, visits, ledgers });
        Ok(intake)
    }

    fn prepare(intake: &Arc<VisitIntake>, rows: LogRows, accepted: Accepted) -> Result<Prepared> {
        // The rows of a ledger are added up as they are.
        Ok(match rows {
            LogRows::Visits(rows) => Prepared::Visits(Box::new(intake.prepare(&rows, accepted.rows()))),
            LogRows::AccountMonths(rows) => Prepared::AccountMonths(Box::new(rows), accepted),
            LogRows::LoanMonths(rows) => Prepared::LoanMonths(Box::new(rows), accepted),
            LogRows::Instalments(rows) => Prepared::Instalments(Box::new(rows), accepted),
        })
    }

    fn take(&mut self, tables: &Tables, prepared: Prepared) -> Result<()> {
        let Some(Taken { register, visits, ledgers }) = &mut self.taken else { return Ok(()) };
        match prepared {
            Prepared::Visits(prepared) => visits.take(*prepared)?,
            Prepared::AccountMonths(months, accepted) => {
                ledgers.take_account_months(tables, register, &months, accepted.rows());
            }
            Prepared::LoanMonths(months, accepted) => {
                ledgers.take_loan_months(tables, register, &months, accepted.rows());
            }
            Prepared::Instalments(instalments, accepted) => {
                ledgers.take_instalments(tables, register, &instalments, accepted.rows());
            }
        }
        Ok(())
    }
}

/// Rates every household of a bank whose logs are in memory.
pub fn rate(
    cleaned: CleanBank,
    previous: &Previous,
    rulebook: &Rulebook,
    contracts: &Contracts,
    watch: &mut Watch,
) -> Result<Night> {
    let register = Register::of(&cleaned.tables, rulebook.as_of);
    let check = || visits::check(&cleaned.tables, &register, &rulebook.visit_checks, contracts);
    let checked = watch.stage("visits", checked_visits, check)?;
    let ledgers = Ledgers::of(&cleaned.tables, &register);
    let (found, rules) = (Found { register, checked, ledgers, keeps_rows: true }, (previous, rulebook, contracts));
    rate_households(cleaned, found, rules, watch)
}

/// Rates every household of a bank whose logs were taken in as they were cleaned.
pub fn rate_taken(
    cleaned: CleanBank,
    taken: Taken,
    previous: &Previous,
    rulebook: &Rulebook,
    contracts: &Contracts,
    watch: &mut Watch,
) -> Result<Night> {
    let Taken { register, visits, ledgers } = taken;
    let checked = watch.stage("visits", checked_visits, || visits.check())?;
    let (found, rules) = (Found { register, checked, ledgers, keeps_rows: false }, (previous, rulebook, contracts));
    let mut night = rate_households(cleaned, found, rules, watch)?;
    night.let_go_of_measures(contracts)?;
    Ok(night)
}

/// What was found before any household is looked at.
struct Found {
    register: Register,
    checked: (VisitChecks, VisitTallies),
    ledgers: Ledgers,
    /// Whether somebody will show the rows that facts were measured from.
    keeps_rows: bool,
}

fn checked_visits((checks, _): &(VisitChecks, VisitTallies)) -> u64 {
    checks.len() as u64
}

fn rate_households(
    mut cleaned: CleanBank,
    found: Found,
    (previous, rulebook, contracts): (&Previous, &Rulebook, &Contracts),
    watch: &mut Watch,
) -> Result<Night> {
    let Found { register, checked: (checks, visited), ledgers, keeps_rows } = found;
    let tables = &cleaned.tables;
    let facts = watch.stage(
        "facts",
        |facts: &Facts| facts.households as u64,
        || facts::measure(tables, &register, ledgers, &visited, &rulebook.fact_rules, contracts),
    )?;
    if !keeps_rows {
        cleaned.tables.let_go_of_evidence(contracts)?;
    }
    let tables = &cleaned.tables;
    let households = register.len() as u64;
    let scores =
        watch.stage("score", |_| households, || score::score(tables, &register, &facts, rulebook, contracts))?;
    let earlier = register.align(tables, previous);
    let grades = watch.stage(
        "grade",
        |_| households,
        || grade::grade(tables, &register, &facts, &scores, &earlier, rulebook, contracts),
    )?;
    let limited = || limit_all(tables, &register, &facts, &grades, &earlier, rulebook, contracts);
    let (limits, decided, lists) = watch.stage("limit", |_| households, limited)?;
    let rated = Rated {
        tables,
        register: &register,
        checks: &checks,
        visits: &visited,
        facts: &facts,
        grades: &grades,
        limits: &limits,
        decided: &decided,
        lists: &lists,
        previous,
        earlier: &earlier,
        ranks: Ranks::of(&rulebook.scale),
        rulebook,
        contracts,
    };
    let coverage =
        watch.stage("coverage", |coverage: &Coverage| coverage.grids.len() as u64, || coverage::cover(&rated))?;
    let measured = indicate(&Covered { rated: &rated, coverage: &coverage }, watch)?;
    let (set_aside, counts) = with_unsound_decisions(&cleaned, &decided);
    Ok(Night {
        cleaned,
        register,
        checks,
        visited,
        facts,
        scores,
        grades,
        limits,
        decided,
        lists,
        coverage,
        measured,
        set_aside,
        counts,
    })
}

/// Limits that are suggested, decisions on them, and the list of every household.
fn limit_all(
    tables: &Tables,
    register: &Register,
    facts: &Facts,
    grades: &[ModelGrade],
    earlier: &[Option<&PreviousHousehold>],
    rulebook: &Rulebook,
    contracts: &Contracts,
) -> Result<(Vec<Limit>, Decided, Vec<Place>)> {
    let (limits, desk) = rayon::join(
        || limit::suggest_all(facts, grades, earlier, rulebook),
        || Desk::of(tables, register, grades, rulebook, contracts),
    );
    let limits = limits?;
    let decided = desk?.decide(facts, grades, &limits)?;
    let lists = credit_list::place_all(facts, grades, &decided.finals, rulebook);
    Ok((limits, decided, lists))
}

/// What cleaning set aside and counted, and the decisions that proved unsound.
fn with_unsound_decisions(cleaned: &CleanBank, decided: &Decided) -> (Vec<SetAside>, BTreeMap<String, RowCounts>) {
    let (mut set_aside, mut counts) = (cleaned.set_aside.clone(), cleaned.counts.clone());
    let unsound = decisions::set_aside(decided, &cleaned.tables, &cleaned.decision_origins);
    if let Some(counts) = counts.get_mut("decisions") {
        counts.accepted -= unsound.len() as u64;
        counts.set_aside += unsound.len() as u64;
    }
    set_aside.extend(unsound);
    (set_aside, counts)
}

/// The indicators of the run. Finding the nearest service points is told apart: other things bound it.
fn indicate(covered: &Covered, watch: &mut Watch) -> Result<Measured> {
    let households = covered.rated.register.len() as u64;
    let distances = watch.stage("distances", |_| households, || indicators::distances(covered))?;
    let rows = |measured: &Measured| measured.for_the_bank().rows.len() as u64;
    watch.stage("indicators", rows, || indicators::measure_all(covered, distances))
}

impl Night {
    /// Lets go of what the stages measured with and no table shows.
    fn let_go_of_measures(&mut self, contracts: &Contracts) -> Result<()> {
        self.checks.let_go_of_recent();
        self.visited = VisitTallies::default();
        self.facts.standings = Standings::default();
        self.cleaned.tables.let_go_of_loans(contracts)
    }

    /// The indicators, and what may leave the bank of them.
    pub fn indicators(&self, rulebook: &Rulebook) -> Indicators {
        self.measured.clone().withhold(rulebook, &self.cleaned.tables.areas)
    }

    /// What the output tables are made from, but that of indicators.
    pub fn results<'a>(
        &'a self,
        previous: &'a Previous,
        rulebook: &'a Rulebook,
        contracts: &'a Contracts,
    ) -> Results<'a> {
        Results {
            tables: &self.cleaned.tables,
            register: &self.register,
            checks: &self.checks,
            facts: &self.facts,
            scores: &self.scores,
            grades: &self.grades,
            limits: &self.limits,
            decided: &self.decided,
            lists: &self.lists,
            coverage: &self.coverage,
            set_aside: &self.set_aside,
            previous,
            rulebook,
            contracts,
        }
    }

    /// Every output table, whole.
    pub fn outputs(&self, previous: &Previous, rulebook: &Rulebook, contracts: &Contracts) -> Result<Vec<OutputTable>> {
        outputs::tables(self.results(previous, rulebook, contracts), &self.indicators(rulebook))
    }
}

/// What the run is a function of: the program, the bank's files and how they are read, the rulebook and the run before.
pub fn made_from(bank: &Bank, files: &[ReadFile], rulebook: &Rulebook, previous: &Previous) -> MadeFrom {
    let definitions = rulebook.indicators.iter();
    MadeFrom {
        program_version: env!("CARGO_PKG_VERSION").into(),
        rulebook_digest: rulebook.digest.clone(),
        definitions: definitions.map(|indicator| (indicator.id.clone(), indicator.definition.digest.clone())).collect(),
        previous_run: previous.run_id.clone(),
        bank_digest: blake3::hash(bank.text.as_bytes()).to_hex().to_string(),
        inputs: files.to_vec(),
    }
}

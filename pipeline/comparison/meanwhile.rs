//! What lies between two runs of different days, computed from the files of the later one: what was known on the earlier
//! day, measured as of the earlier day and as of the later one. From the earlier run to the first of the two only files
//! and rules differ, from the first to the second only days went by, and from the second to the later run only something
//! became known: rows, and events that older rows bear, a payment, a delisting, a loan that was closed.

use arrow::array::{Array, ArrayRef, StringArray};

use crate::calendar::Date;
use crate::clean::typed::Dates;
use crate::clean::{CleanBank, Tables};
use crate::contract::Contracts;
use crate::facts::ledgers::Ledgers;
use crate::facts::{self, FactValue, value_at};
use crate::fault::Result;
use crate::grade;
use crate::register::Register;
use crate::rulebook::Rulebook;
use crate::visits;

/// The files of the later run as they were known on the earlier day.
pub struct Meanwhile {
    pub before: Measured,
    pub after: Measured,
}

/// Facts as of one day; grain one household, in the byte order of household_id.
pub struct Measured {
    ids: StringArray,
    /// In the order of `FACTS`.
    facts: Vec<ArrayRef>,
    /// The watchlists on which each household stands, one bit each.
    watched: Vec<u32>,
}

/// A walk over the households of one day.
pub struct Cursor<'a> {
    ids: &'a StringArray,
    row: usize,
}

impl Meanwhile {
    /// `cleaned` holds the rows known on the earlier day; the rules are those of the later run.
    pub fn of(
        cleaned: CleanBank,
        earlier: Date,
        later: Date,
        rulebook: &Rulebook,
        contracts: &Contracts,
    ) -> Result<Meanwhile> {
        let tables = without_later_events(cleaned.tables, earlier);
        let measure = |as_of: Date| Measured::of(&tables, as_of, rulebook, contracts);
        Ok(Meanwhile { before: measure(earlier)?, after: measure(later)? })
    }
}

/// Input tables whose rows bear events that became known after the rows themselves.
pub const WITH_EVENTS: [&str; 5] = ["households", "accounts", "loans", "instalments", "watchlist"];

/// The tables as if nothing had happened after a day.
fn without_later_events(mut tables: Tables, day: Date) -> Tables {
    let hide = |dates: &mut Dates| *dates = dates.known_by(day);
    hide(&mut tables.households.valid_from);
    hide(&mut tables.households.valid_to);
    hide(&mut tables.accounts.closed_on);
    hide(&mut tables.loans.closed_on);
    if let Some(instalments) = &mut tables.instalments {
        hide(&mut instalments.paid_on);
    }
    if let Some(watchlist) = &mut tables.watchlist {
        hide(&mut watchlist.delisted_on);
    }
    tables
}

impl Measured {
    fn of(tables: &Tables, as_of: Date, rulebook: &Rulebook, contracts: &Contracts) -> Result<Measured> {
        let register = Register::of(tables, as_of);
        let (_, visited) = visits::check(tables, &register, &rulebook.visit_checks, contracts)?;
        let ledgers = Ledgers::of(tables, &register);
        let facts = facts::measure(tables, &register, ledgers, &visited, &rulebook.fact_rules, contracts)?;
        let ids = (0..register.len()).map(|number| Some(tables.households.household_id.text(register.row(number))));
        Ok(Measured {
            ids: ids.collect(),
            facts: facts.columns().map(|(_, column)| ArrayRef::clone(column)).collect(),
            watched: grade::watched_lists(tables, &register),
        })
    }

    pub fn cursor(&self) -> Cursor<'_> {
        Cursor { ids: &self.ids, row: 0 }
    }

    pub fn fact(&self, place: usize, row: usize) -> Option<FactValue> {
        value_at(self.facts.get(place)?, row)
    }

    pub fn is_watched(&self, row: usize, list: u8) -> bool {
        self.watched.get(row).is_some_and(|lists| lists & (1 << list) != 0)
    }
}

impl Cursor<'_> {
    /// The row of a household; asked for in the byte order of household_id, so that one walk is enough.
    pub fn advance(&mut self, household_id: &str) -> Option<usize> {
        while self.row < self.ids.len() && self.ids.value(self.row) < household_id {
            self.row += 1;
        }
        (self.row < self.ids.len() && self.ids.value(self.row) == household_id).then_some(self.row)
    }
}

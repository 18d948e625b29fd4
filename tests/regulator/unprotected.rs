//! A night of a bank inside the test, exported with as much suppression as the test asks for: how the attacker is shown
//! what the program itself never publishes.

use std::collections::BTreeMap;
use std::path::Path;

use wellfield::calendar::Date;
use wellfield::clean;
use wellfield::contract::Contracts;
use wellfield::indicators::Indicators;
use wellfield::indicators::disclosure::{self, Protection};
use wellfield::night::{self, Night};
use wellfield::previous::Previous;
use wellfield::read::bank::Bank;
use wellfield::read::published::MadeFrom;
use wellfield::regulator::{self, Vintage};
use wellfield::rulebook::{FACTS, Rulebook, RulebookPlace};
use wellfield::watch::Watch;

use super::attacker::{Cell, counts_of};
use super::publication::{Publication, UNITS};

/// A bank's night, not exported yet.
pub struct Unprotected {
    contracts: Contracts,
    rulebook: Rulebook,
    night: Night,
}

impl Unprotected {
    pub fn of(bank: &Path, as_of: &str) -> Unprotected {
        let as_of = Date::parse(as_of).unwrap();
        let contracts = Contracts::built_in().unwrap();
        let rulebook = Rulebook::load(&RulebookPlace::BuiltIn, as_of, FACTS).unwrap();
        let bank = Bank::open(bank, &contracts).unwrap();
        let cleaned = clean::clean(&bank, &contracts, as_of).unwrap();
        let night =
            night::rate(cleaned, &Previous::default(), &rulebook, &contracts, &mut Watch::new(&mut |_| ())).unwrap();
        Unprotected { contracts, rulebook, night }
    }

    /// The indicators before anything is suppressed.
    fn measured(&self) -> Indicators {
        self.night.measured.for_the_bank().clone()
    }

    /// Every count of households as the bank keeps it.
    pub fn counts(&self) -> BTreeMap<Cell, i128> {
        let publication = self.export(&self.measured());
        let counts = publication.rows.iter().flat_map(|row| {
            counts_of(row).into_iter().filter_map(|(count, units)| Some((Cell::of(count?, row), units? / UNITS)))
        });
        counts.collect()
    }

    /// What leaves the bank with so much suppressed.
    pub fn publication(&self, protection: Protection) -> Publication {
        let (tables, rulebook) = (&self.night.cleaned.tables, &self.rulebook);
        let mut measured = self.measured();
        let cell_min = i64::from(rulebook.disclosure.cell_min);
        disclosure::protect(&mut measured, &rulebook.indicators, &tables.areas, cell_min, protection);
        self.export(&measured)
    }

    fn export(&self, measured: &Indicators) -> Publication {
        let (as_of, made_from) = (self.rulebook.as_of, MadeFrom::default());
        let vintage = Vintage { bank: "A bank", as_of, run_id: "run", sequence: 1, made_from: &made_from };
        let tables = &self.night.cleaned.tables;
        let export = regulator::export(measured, tables, &self.rulebook, &self.contracts, &vintage, None).unwrap();
        let bytes = |name: &str| &export.files.iter().find(|file| file.name == name).unwrap().bytes;
        Publication::of(bytes("indicators.csv"), bytes("ref_areas.csv"))
    }
}

//! The bytes are a text file as in `csv`, and the whole night is run on the bank that it belongs to: whatever rows are
//! accepted, every stage comes to its end, and the audit finds nothing but what a person could allow.

use std::collections::BTreeMap;
use std::path::Path;

use wellfield::audit::{self, Allowance, Allowed, Audited};
use wellfield::clean::{self, CleanBank};
use wellfield::contract::Contracts;
use wellfield::fault::Result;
use wellfield::night;
use wellfield::previous::Previous;
use wellfield::read::bank::Bank;
use wellfield::regulator::{self, Vintage};
use wellfield::rulebook::{FACTS, Rulebook, RulebookPlace};
use wellfield::watch::Watch;

use super::{as_of, choose, csv, refusal, scratch};

const FILE: &str = "fuzzed.csv";

thread_local! {
    static RULEBOOK: Rulebook =
        Rulebook::load(&RulebookPlace::BuiltIn, as_of(), FACTS).expect("the built-in rulebook is sound");
}

pub fn run(mut data: &[u8]) {
    let table = choose(&mut data, usize::from(u8::MAX));
    let format = csv::format(choose(&mut data, usize::from(u8::MAX)));
    scratch::with_file(FILE, data, |folder, contracts| {
        let table = &contracts.inputs[table % contracts.inputs.len()].table;
        let bank = csv::bank(folder, table, FILE, format);
        match clean::clean(&bank, contracts, as_of()) {
            Ok(cleaned) => RULEBOOK.with(|rulebook| check_night(&bank, cleaned, rulebook, contracts)),
            Err(error) => refusal::check(&error, &[FILE]),
        }
    });
}

/// The mini bank's night under a rulebook.
pub fn check_mini(folder: &Path, rulebook: &Rulebook, contracts: &Contracts) {
    let bank = Bank {
        folder: folder.to_path_buf(),
        name: "Mini bank".into(),
        rulebook: None,
        inputs: BTreeMap::new(),
        text: String::new(),
        is_read_in_passing: false,
    };
    let cleaned = clean::clean(&bank, contracts, as_of()).expect("the mini bank is sound");
    check_night(&bank, cleaned, rulebook, contracts);
}

/// Runs the night on cleaned tables to the end of its audit.
fn check_night(bank: &Bank, cleaned: CleanBank, rulebook: &Rulebook, contracts: &Contracts) {
    if let Err(error) = rate_and_audit(bank, cleaned, rulebook, contracts) {
        let reports: Vec<String> = error.faults().iter().map(|fault| fault.report()).collect();
        panic!("the night ends with exit code {}:\n{}", error.exit_code(), reports.join("\n"));
    }
}

fn rate_and_audit(bank: &Bank, cleaned: CleanBank, rulebook: &Rulebook, contracts: &Contracts) -> Result<()> {
    let previous = Previous::default();
    let night = night::rate(cleaned, &previous, rulebook, contracts, &mut Watch::new(&mut |_| {}))?;
    let outputs = night.outputs(&previous, rulebook, contracts)?;
    let made_from = night::made_from(bank, &night.cleaned.files, rulebook, &previous);
    let vintage =
        Vintage { bank: &bank.name, as_of: rulebook.as_of, run_id: "fuzzed", sequence: 1, made_from: &made_from };
    let tables = &night.cleaned.tables;
    let export = regulator::export(&night.indicators(rulebook), tables, rulebook, contracts, &vintage, None)?;
    let audited = Audited { cleaned: &night.cleaned, outputs: &outputs, previous: &previous, rulebook, contracts };
    let mut allowed = Allowed::default();
    for allowance in [Allowance::Quarantine, Allowance::Change, Allowance::Stale] {
        allowed.add(allowance, &["all".to_string()]);
    }
    audit::verdict(&audit::audit(&audited, &export.table.batch, &allowed)?)
}

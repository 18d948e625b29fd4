//! The banks that cases are run in. Cases of one as-of date and rulebook share a bank: each brings an area, branch, grid
//! and household of its own, and its identifiers are marked with its number, so that no case can touch another.
//! Earlier runs are published from the rows that cases give; nothing is checked here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray};
use wellfield::calendar::Date;
use wellfield::contract::{Contract, Contracts, Type};
use wellfield::manifest::Manifest;
use wellfield::outputs::OutputTable;
use wellfield::publish;

use super::format::{Case, EarlierHousehold, EarlierNotice, RulebookEdit, expand};
use crate::second_opinion::{Table, Tables};
use crate::support::bank::{BankBuilder, REGISTER, Row};
use crate::support::scratch::{Scratch, scratch};
use crate::support::{copy_folder, program, published, read, repository};

/// A case and the mark that its identifiers bear in its bank; empty in a bank of its own.
pub struct MarkedCase {
    pub case: Case,
    pub mark: String,
}

impl MarkedCase {
    /// An identifier as it stands in the bank.
    pub fn id(&self, id: &str) -> String {
        if id.is_empty() { String::new() } else { format!("{}{id}", self.mark) }
    }

    /// A key, its values joined by `|`, as it stands in the bank.
    pub fn key(&self, contract: &Contract, key: &str) -> String {
        let parts = key.split('|').zip(&contract.key).map(|(part, name)| match contract.column(name).unwrap().kind {
            Type::Id => self.id(part),
            _ => part.to_string(),
        });
        parts.collect::<Vec<_>>().join("|")
    }
}

/// Cases that share a bank, and the night that was run on it.
pub struct Night {
    pub cases: Vec<MarkedCase>,
    folder: Scratch,
    run: PathBuf,
}

/// Puts cases together where they can share a bank, and runs each bank once.
pub fn run(cases: Vec<Case>) -> Vec<Night> {
    let mut groups: Vec<(String, Vec<MarkedCase>)> = Vec::new();
    for (number, case) in cases.into_iter().enumerate() {
        let alone = if case.own_bank { number.to_string() } else { String::new() };
        let key = format!("{} {:?} {:?} {alone}", case.as_of, case.absent, case.rulebook);
        let mark = if case.own_bank { String::new() } else { format!("c{number:03}-") };
        let marked = MarkedCase { case, mark };
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, cases)) => cases.push(marked),
            None => groups.push((key, vec![marked])),
        }
    }
    groups.into_iter().map(|(_, cases)| Night::run(cases)).collect()
}

impl Night {
    fn run(cases: Vec<MarkedCase>) -> Night {
        let folder = scratch();
        let first = &cases[0].case;
        let edits = (!first.rulebook.is_empty()).then_some(&first.rulebook);
        if let Some(edits) = edits {
            write_rulebook(&folder.path().join("rulebook"), edits);
        }
        let mut bank = BankBuilder::new();
        first.absent.iter().for_each(|table| bank.leave_out(table));
        cases.iter().for_each(|case| add_case(&mut bank, case));
        bank.write(folder.path(), edits.map(|_| "rulebook"));
        publish_earlier_run(folder.path(), &cases);
        let run = program::published_night(folder.path(), &first.as_of, &UNTYPICAL);
        Night { cases, folder, run }
    }

    /// The tables of the run, and as `regulator` what leaves the bank.
    pub fn tables(&self) -> Tables {
        let mut tables = published::tables(&self.run);
        let exported = published::table(&self.run.join("regulator"), "indicators");
        tables.insert("regulator", Table { name: "regulator", ..exported });
        tables
    }

    pub fn manifest(&self) -> serde_json::Value {
        serde_json::from_str(&read(&self.folder.path().join(&self.run).join("manifest.json"))).unwrap()
    }
}

fn add_case(bank: &mut BankBuilder, case: &MarkedCase) {
    let given = &case.case.given;
    let ordinary = [toml::Table::new()];
    for table in REGISTER.iter().filter(|table| !given.contains_key(**table)) {
        add_rows(bank, case, table, &ordinary);
    }
    for (table, rows) in given.iter().filter(|(table, _)| !case.case.absent.contains(table)) {
        add_rows(bank, case, table, rows);
    }
}

fn add_rows(bank: &mut BankBuilder, case: &MarkedCase, table: &str, rows: &[toml::Table]) {
    let contract = bank.contract(table).clone();
    let defaults = bank.default_row(table).clone();
    for row in rows.iter().flat_map(|row| expand(row, &contract, &defaults)) {
        let mut row: Row = defaults.clone().into_iter().chain(row).collect();
        for column in contract.columns.iter().filter(|column| column.kind == Type::Id) {
            if let Some(id) = row.get_mut(&column.name) {
                *id = case.id(id);
            }
        }
        bank.add_row(table, row);
    }
}

/// The signed rulebook with the edits of a case.
fn write_rulebook(folder: &Path, edits: &[RulebookEdit]) {
    copy_folder(&repository().join("schemas/policies"), folder);
    for edit in edits {
        let path = folder.join(format!("{}.toml", edit.policy));
        let mut policy: toml::Table = toml::from_str(&read(&path)).unwrap();
        let versions = policy["versions"].as_array_mut().expect("a policy has versions");
        if let Some(day) = &edit.valid_from {
            let day = toml::Value::Datetime(day.parse().expect("`valid_from` is a date"));
            let mut version = versions.last().expect("a policy has a version").clone();
            version["valid_from"] = day.clone();
            versions.last_mut().and_then(toml::Value::as_table_mut).unwrap().insert("valid_to".into(), day);
            set(&mut version, &edit.set);
            versions.push(version);
        } else {
            versions.iter_mut().for_each(|version| set(version, &edit.set));
        }
        std::fs::write(&path, toml::to_string(&policy).unwrap()).unwrap();
    }
}

/// A key that a version does not have yet is added; one that is misspelt is refused by the program.
fn set(version: &mut toml::Value, values: &toml::Table) {
    for (place, value) in values {
        let parts: Vec<&str> = place.split('.').collect();
        let (last, above) = parts.split_last().expect("a place");
        let slot = above.iter().fold(&mut *version, |slot, part| match part.parse::<usize>() {
            Ok(position) => &mut slot[position],
            Err(_) => &mut slot[*part],
        });
        match slot {
            toml::Value::Array(items) => items[last.parse::<usize>().expect("a position")] = value.clone(),
            toml::Value::Table(table) => drop(table.insert(last.to_string(), value.clone())),
            other => panic!("there is no `{place}` in {other}"),
        }
    }
}

/// A bank made of cases is none that a night would be published for: most of its rows are odd, and hardly any of its
/// households stood in the earlier run.
const UNTYPICAL: [&str; 6] = ["--allow-quarantine", "all", "--allow-change", "all", "--allow-stale", "all"];

/// Publishes, as of the day before, what the cases say that an earlier run said; notices only where a case gives some,
/// so that there are earlier runs without them too.
fn publish_earlier_run(bank: &Path, cases: &[MarkedCase]) {
    let is_given =
        |case: &Case| !case.previous.is_empty() || !case.previous_stars.is_empty() || !case.previous_notice.is_empty();
    if !cases.iter().any(|case| is_given(&case.case)) {
        return;
    }
    let mut outputs = Vec::from(earlier_households(cases));
    outputs.push(earlier_stars(cases));
    if cases.iter().any(|case| !case.case.previous_notice.is_empty()) {
        outputs.push(earlier_notices(cases));
    }
    let as_of = Date(Date::parse(&cases[0].case.as_of).unwrap().0 - 1);
    let manifest = Manifest { run_id: "earlier".into(), as_of: as_of.to_string(), sequence: 1, ..Manifest::default() };
    let contracts = Contracts::built_in().unwrap();
    publish::publish(&bank.join("runs"), &outputs, None, &contracts, manifest, &|_| Ok(String::new())).unwrap();
}

fn earlier_households(cases: &[MarkedCase]) -> [OutputTable; 2] {
    let households = cases.iter().flat_map(|case| {
        let households = case.case.previous.iter();
        households.map(|(id, household)| (case.id(id), household))
    });
    let households: Vec<(String, &EarlierHousehold)> = households.collect();
    let texts = |of: fn(&EarlierHousehold) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(households.iter().map(|(_, household)| of(household))))
    };
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(households.iter().map(|(id, _)| id)));
    let consents: BooleanArray = households.iter().map(|(_, household)| household.notice_consent).collect();
    let limits = households.iter().map(|(_, household)| i128::from(household.limit) * 100);
    let limits = Decimal128Array::from_iter_values(limits).with_precision_and_scale(18, 2).unwrap();
    let grades = vec![
        ("household_id", ids.clone()),
        ("model_grade", texts(|household| &household.grade)),
        ("final_grade", texts(|household| household.final_grade.as_deref().unwrap_or(&household.grade))),
        ("decision", texts(|household| &household.decision)),
        ("credit_list", texts(|household| &household.credit_list)),
        ("notice_consent", Arc::new(consents)),
    ];
    let limits: Vec<(&str, ArrayRef)> = vec![("household_id", ids), ("suggested_limit", Arc::new(limits))];
    [earlier_table("household_grades", grades), earlier_table("grant_limits", limits)]
}

fn earlier_stars(cases: &[MarkedCase]) -> OutputTable {
    let stars = cases.iter().flat_map(|case| case.case.previous_stars.iter().map(|(id, stars)| (case.id(id), *stars)));
    let (areas, stars): (Vec<String>, Vec<i64>) = stars.unzip();
    let columns: Vec<(&str, ArrayRef)> =
        vec![("area_id", Arc::new(StringArray::from(areas))), ("stars", Arc::new(Int64Array::from(stars)))];
    earlier_table("village_ratings", columns)
}

fn earlier_notices(cases: &[MarkedCase]) -> OutputTable {
    let notices: Vec<_> = cases
        .iter()
        .flat_map(|case| case.case.previous_notice.iter().map(|(id, notice)| (case.id(id), notice)))
        .collect();
    let ids = StringArray::from_iter_values(notices.iter().map(|(id, _)| id));
    let days = |of: fn(&EarlierNotice) -> &str| -> ArrayRef {
        Arc::new(Date32Array::from_iter_values(notices.iter().map(|(_, notice)| Date::parse(of(notice)).unwrap().0)))
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("household_id", Arc::new(ids)),
        ("notice_from", days(|notice| &notice.notice_from)),
        ("notice_until", days(|notice| &notice.notice_until)),
    ];
    earlier_table("public_notice", columns)
}

fn earlier_table(name: &str, columns: Vec<(&str, ArrayRef)>) -> OutputTable {
    OutputTable { name: name.to_string(), batch: RecordBatch::try_from_iter(columns).unwrap() }
}

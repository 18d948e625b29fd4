//! The banks that cases are run in. Cases of one as-of date and rulebook share a bank: each brings an area, branch, grid
//! and household of its own, and its identifiers are marked with its number, so that no case can touch another.
//! Earlier runs are published from the rows that cases give; nothing is checked here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray};
use tempfile::TempDir;
use wellfield::calendar::Date;
use wellfield::contract::{Contract, Contracts, Type};
use wellfield::outputs::OutputTable;
use wellfield::publish;
use wellfield::publish::manifest::Manifest;

use super::format::{Case, RulebookEdit, expand};
use crate::second_opinion::Tables;
use crate::support::bank::{BankBuilder, REGISTER, Row};
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
    folder: TempDir,
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
        let folder = tempfile::tempdir().unwrap();
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
        let run = program::published_night(folder.path(), &first.as_of, &["--allow-quarantine", "all"]);
        Night { cases, folder, run }
    }

    pub fn tables(&self) -> Tables {
        published::tables(&self.run)
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
    let numbered = match contract.key.as_slice() {
        [own] if contract.column(own).unwrap().kind == Type::Id => Some(own.as_str()),
        _ => None,
    };
    let defaults = bank.default_row(table).clone();
    for row in rows.iter().flat_map(|row| expand(&with_own_id(row, numbered, &defaults), numbered)) {
        let mut row: Row = defaults.clone().into_iter().chain(row).collect();
        for column in contract.columns.iter().filter(|column| column.kind == Type::Id) {
            if let Some(id) = row.get_mut(&column.name) {
                *id = case.id(id);
            }
        }
        bank.add_row(table, row);
    }
}

/// The row with its identifier written out, so that it can be numbered.
fn with_own_id(row: &toml::Table, numbered: Option<&str>, defaults: &Row) -> toml::Table {
    let mut row = row.clone();
    if let Some(own) = numbered.filter(|own| !row.contains_key(*own)) {
        row.insert(own.to_string(), toml::Value::String(defaults[own].clone()));
    }
    row
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

fn set(version: &mut toml::Value, values: &toml::Table) {
    for (place, value) in values {
        let mut slot = &mut *version;
        for part in place.split('.') {
            slot = match part.parse::<usize>() {
                Ok(position) => &mut slot[position],
                Err(_) => &mut slot[part],
            };
        }
        *slot = value.clone();
    }
}

/// Publishes, as of the day before, what the cases say that an earlier run said.
fn publish_earlier_run(bank: &Path, cases: &[MarkedCase]) {
    let households = cases.iter().flat_map(|case| {
        let households = case.case.previous.iter();
        households.map(|(id, household)| (case.id(id), household.grade.as_str(), i128::from(household.limit) * 100))
    });
    let households: Vec<_> = households.collect();
    let stars = cases.iter().flat_map(|case| case.case.previous_stars.iter().map(|(id, stars)| (case.id(id), *stars)));
    let stars: Vec<_> = stars.collect();
    if households.is_empty() && stars.is_empty() {
        return;
    }
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(households.iter().map(|(id, _, _)| id)));
    let grades: ArrayRef = Arc::new(StringArray::from_iter_values(households.iter().map(|(_, grade, _)| grade)));
    let limits = Decimal128Array::from_iter_values(households.iter().map(|(_, _, limit)| *limit));
    let limits: ArrayRef = Arc::new(limits.with_precision_and_scale(18, 2).unwrap());
    let areas: ArrayRef = Arc::new(StringArray::from_iter_values(stars.iter().map(|(id, _)| id)));
    let stars: ArrayRef = Arc::new(Int64Array::from_iter_values(stars.iter().map(|(_, stars)| *stars)));
    let outputs = [
        ("household_grades", vec![("household_id", ids.clone()), ("model_grade", grades)]),
        ("grant_limits", vec![("household_id", ids), ("suggested_limit", limits)]),
        ("village_ratings", vec![("area_id", areas), ("stars", stars)]),
    ]
    .map(|(name, columns)| OutputTable { name: name.to_string(), batch: RecordBatch::try_from_iter(columns).unwrap() });
    let as_of = Date(Date::parse(&cases[0].case.as_of).unwrap().0 - 1);
    let manifest = Manifest { run_id: "earlier".into(), as_of: as_of.to_string(), sequence: 1, ..Manifest::default() };
    publish::publish(&bank.join("runs"), &outputs, &Contracts::built_in().unwrap(), manifest, as_of).unwrap();
}

//! One night of a random bank inside the test: read, cleaned, rated and made into output tables, without a program that
//! is started and without a published run. Cells are given as text; what they must be is said by each property.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use wellfield::calendar::Date;
use wellfield::clean;
use wellfield::contract::Contracts;
use wellfield::night;
use wellfield::previous::Previous;
use wellfield::read::bank::Bank;
use wellfield::rulebook::{FACTS, Rulebook, RulebookPlace};
use wellfield::watch::Watch;

use super::book::{AS_OF, Book};

pub static CONTRACTS: LazyLock<Contracts> = LazyLock::new(|| Contracts::built_in().unwrap());
pub static RULEBOOK: LazyLock<Rulebook> =
    LazyLock::new(|| Rulebook::load(&RulebookPlace::BuiltIn, as_of(), FACTS).unwrap());

fn as_of() -> Date {
    Date::parse(&AS_OF.to_string()).unwrap()
}

/// The output tables of a night.
pub struct Outputs(BTreeMap<String, RecordBatch>);

/// Rates a bank; no run was before.
pub fn rate(book: &Book) -> Outputs {
    let folder = tempfile::tempdir().unwrap();
    book.write(folder.path());
    let bank = Bank::open(folder.path(), &CONTRACTS).unwrap();
    let cleaned = clean::clean(&bank, &CONTRACTS, as_of()).unwrap();
    let previous = Previous::default();
    let night = night::rate(cleaned, &previous, &RULEBOOK, &CONTRACTS, &mut Watch::new(&mut |_| ())).unwrap();
    let outputs = night.outputs(&previous, &RULEBOOK, &CONTRACTS).unwrap();
    Outputs(outputs.into_iter().map(|output| (output.name, output.batch)).collect())
}

impl Outputs {
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn table(&self, name: &str) -> Table {
        let batch = &self.0[name];
        let columns: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        let options = FormatOptions::default();
        let formats: Vec<ArrayFormatter> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        let cells = |row: usize| formats.iter().map(|format| format.value(row).to_string()).collect::<Vec<_>>();
        let key = &CONTRACTS.output(name).unwrap().key;
        let places: Vec<usize> =
            key.iter().map(|part| columns.iter().position(|column| column == part).unwrap()).collect();
        let mut order = Vec::new();
        let mut rows = BTreeMap::new();
        for row in (0..batch.num_rows()).map(cells) {
            let key = places.iter().map(|&place| row[place].as_str()).collect::<Vec<_>>().join("|");
            assert!(rows.insert(key.clone(), row).is_none(), "`{name}` has two rows of {key}");
            order.push(key);
        }
        Table { columns, rows, order }
    }
}

/// One output table, its rows by their key: its values joined by `|`. Null is the empty text.
pub struct Table {
    pub columns: Vec<String>,
    pub rows: BTreeMap<String, Vec<String>>,
    /// The keys in the order in which the rows stand.
    pub order: Vec<String>,
}

impl Table {
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(String::as_str)
    }

    pub fn cell(&self, key: &str, column: &str) -> &str {
        let place = self.columns.iter().position(|other| other == column);
        &self.rows[key][place.unwrap_or_else(|| panic!("no column `{column}`"))]
    }

    pub fn count(&self, key: &str, column: &str) -> i64 {
        self.cell(key, column).parse().unwrap_or_else(|_| panic!("{key}: `{column}` is no count"))
    }

    /// A decimal of one place, in tenths.
    pub fn tenths(&self, key: &str, column: &str) -> Option<i64> {
        let cell = self.cell(key, column);
        (!cell.is_empty()).then(|| cell.replace('.', "").parse().unwrap())
    }

    /// The keys of the rows whose cell is this.
    pub fn keys_with<'a>(&'a self, column: &str, value: &str) -> Vec<&'a str> {
        self.keys().filter(|key| self.cell(key, column) == value).collect()
    }

    /// The sum of a count over rows.
    pub fn sum<'a>(&self, keys: impl IntoIterator<Item = &'a str>, column: &str) -> i64 {
        keys.into_iter().map(|key| self.count(key, column)).sum()
    }

    /// Fails with the cells that differ, or rows that are not in both or stand in another order.
    pub fn must_equal(&self, other: &Table, what: &str) -> TestCaseResult {
        prop_assert_eq!(&self.order, &other.order, "the rows of {}", what);
        for (key, cells) in &self.rows {
            for (column, (cell, other)) in self.columns.iter().zip(cells.iter().zip(&other.rows[key])) {
                prop_assert_eq!(cell, other, "{} of {} in {}", column, key, what);
            }
        }
        Ok(())
    }

    /// The same rows with fewer columns.
    pub fn without(&self, columns: &[&str]) -> Table {
        let kept: Vec<bool> = self.columns.iter().map(|column| !columns.contains(&column.as_str())).collect();
        let keep = |cells: &Vec<String>| {
            cells.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(cell, _)| cell.clone()).collect::<Vec<_>>()
        };
        Table {
            columns: keep(&self.columns),
            rows: self.rows.iter().map(|(key, cells)| (key.clone(), keep(cells))).collect(),
            order: self.order.clone(),
        }
    }
}

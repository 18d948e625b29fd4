//! The program against the second opinion: generated banks and the sample bank, two consecutive nights each, every
//! table cell by cell. The second opinion takes rows to be sound, so of `quarantine` only unsound decisions are compared;
//! it writes no English, so of `partition_faults` all but the detail is; and of the suppression in `indicators` it works
//! out the primary one.

use std::path::Path;

use crate::second_opinion::{self, Previous, Table, Tables, compare, settle};
use crate::support::scratch::scratch;
use crate::support::{program, published, repository};

const HOUSEHOLDS: u32 = 400;
/// Differences that are printed; one wrong rule makes hundreds.
const SHOWN: usize = 20;
/// Rows with households enough that may be suppressed all the same, so that nothing is found by subtraction: a third.
const HIDDEN_ONE_IN: usize = 3;

#[test]
fn a_summer_month_end() {
    agree(1, ["2026-05-31", "2026-06-30"]);
}

#[test]
fn a_summer_month_end_of_another_bank() {
    agree(2, ["2026-06-29", "2026-06-30"]);
}

#[test]
fn the_end_of_february() {
    agree(3, ["2026-02-27", "2026-02-28"]);
}

#[test]
fn a_leap_day() {
    agree(4, ["2024-02-28", "2024-02-29"]);
}

/// Five days apart: the notices of the first night have just ended.
#[test]
fn a_day_in_mid_month() {
    agree(5, ["2026-06-11", "2026-06-16"]);
}

/// What nobody collects is no zero.
#[test]
fn a_bank_without_profiles_decisions_and_service_points() {
    let folder = scratch();
    let nights = ["2026-05-31", "2026-06-30"];
    program::generate(folder.path(), HOUSEHOLDS, 6, nights[1]);
    for table in ["profiles", "decisions", "service_points"] {
        std::fs::remove_file(folder.path().join(format!("{table}.csv"))).unwrap();
    }
    agree_on(folder.path(), nights);
}

#[test]
fn the_sample_bank() {
    agree_on(&repository().join("sample-data/bank"), ["2026-05-31", "2026-06-30"]);
}

/// Generates a bank and compares both nights.
fn agree(seed: u32, nights: [&str; 2]) {
    let folder = scratch();
    let bank = folder.path().join("bank");
    program::generate(&bank, HOUSEHOLDS, seed, nights[1]);
    agree_on(&bank, nights);
}

/// Compares two nights of a bank; each second opinion looks back at its own first night.
fn agree_on(bank: &Path, nights: [&str; 2]) {
    let runs = scratch();
    let mut previous: Option<Previous> = None;
    for as_of in nights {
        let arguments = ["--allow-quarantine", "all", "--out", runs.path().to_str().unwrap()];
        let run = program::published_night(bank, as_of, &arguments);
        let expected = second_opinion::calculate(bank, as_of, previous.as_ref());
        let differences = differences(&expected, &run);
        assert!(
            differences.is_empty(),
            "{} as of {as_of}: {} differences, the first are\n{}",
            bank.display(),
            differences.len(),
            differences.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n")
        );
        previous = Some(Previous::from_tables(&expected));
    }
}

fn differences(expected: &Tables, run: &Path) -> Vec<String> {
    published::TABLES
        .into_iter()
        .flat_map(|name| {
            let actual = published::table(run, name);
            match name {
                "quarantine" => compare(&expected[name], &unsound_decisions(&actual)),
                "partition_faults" => compare(&expected[name], &without_detail(actual)),
                "indicators" => indicator_differences(&expected[name], &actual),
                _ => compare(&expected[name], &actual),
            }
        })
        .collect()
}

/// Complementary suppression is taken from the program, as long as it leaves most of the rows that may be told.
fn indicator_differences(expected: &Table, actual: &Table) -> Vec<String> {
    let settled = settle(expected, actual);
    let mut differences = compare(&settled.expected, actual);
    if settled.hidden * HIDDEN_ONE_IN > settled.open {
        differences.push(format!("indicators: {} of {} rows are hidden for others", settled.hidden, settled.open));
    }
    differences
}

fn without_detail(mut faults: Table) -> Table {
    let place = faults.columns.iter().position(|column| column == "detail").unwrap();
    faults.columns.remove(place);
    faults.rows.iter_mut().for_each(|row| drop(row.remove(place)));
    faults
}

fn unsound_decisions(quarantine: &Table) -> Table {
    const COLUMNS: [&str; 3] = ["table_name", "key", "rule"];
    let rows = quarantine.rows.iter().filter(|row| quarantine.cell(row, "table_name") == Some("decisions"));
    let rows = rows.map(|row| COLUMNS.map(|column| quarantine.cell(row, column).unwrap().to_string()).to_vec());
    Table::new("quarantine", &COLUMNS, rows.collect())
}

//! A bank's own indicator: one more file in its rulebook, and it stands in the bank's table, in every file for the
//! regulator and in what the program prints, computed by the program as it is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::disclosure::{AS_OF, received};
use super::equality::defined;
use super::publication::{UNITS, units};
use super::vintages::bank;
use crate::support::program::{self, published_night, wellfield};
use crate::support::scratch::scratch;
use crate::support::{files_below, published, read, repository};

const OWN: &str = "indebted_elsewhere_share";
const FILE: &str = r#"# Signed here: who of the bank's borrowers owes elsewhere too.

policy = "indicators/indebted_elsewhere_share"
name = { en = "Borrowers indebted elsewhere", zh = "他行负债借款户占比" }

[[versions]]
valid_from = 1990-01-01
last_checked = 2026-06-30
source = { id = "house", provision = "asked for by the board" }
version = "1"
dimension = "quality"
kind = "ratio"
unit = "share"
decimals = 4
direction = "down"
levels = ["bank", "branch", "county", "township", "village", "community"]
breakdowns = ["segment"]
numerator = { id = "indebted_elsewhere", table = "households", measure = "count", where = "borrowing AND outside_outstanding > 0" }
denominator = { id = "borrowing", table = "households", measure = "count", where = "borrowing" }
subset = true
"#;

/// A copy of the sample bank with a copy of the built-in rulebook as its own.
pub fn bank_with_rulebook(folder: &Path) -> PathBuf {
    let bank = bank(folder);
    let policies = repository().join("schemas/policies");
    for file in files_below(&policies, &|path| path.extension().is_some_and(|end| end == "toml")) {
        let target = bank.join("rulebook").join(file.strip_prefix(&policies).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(&file, &target).unwrap();
    }
    let settings = read(&bank.join("bank.toml")).replace("[bank]\n", "[bank]\nrulebook = \"rulebook\"\n");
    std::fs::write(bank.join("bank.toml"), settings).unwrap();
    bank
}

#[test]
fn a_file_in_the_rulebook_is_an_indicator_everywhere() {
    let folder = scratch();
    let bank = bank_with_rulebook(folder.path());
    std::fs::write(bank.join(format!("rulebook/indicators/{OWN}.toml")), FILE).unwrap();
    let night = published_night(&bank, AS_OF, &[]);

    let expected = borrowers(&night);
    let table = published::table(&night, "indicators");
    let cell = |row: &[String], column: &str| table.cell(row, column).unwrap().to_string();
    let own: Vec<&Vec<String>> = table.rows.iter().filter(|row| cell(row, "indicator_id") == OWN).collect();
    let of_bank = own.iter().find(|row| cell(row, "level") == "bank" && cell(row, "breakdown") == "all").unwrap();
    let parts = ["numerator", "denominator"].map(|part| units(&cell(of_bank, part)).unwrap() / UNITS);
    assert_eq!(parts, expected);
    assert!(0 < expected[0] && expected[0] < expected[1], "{expected:?} shows nothing");

    let rows = received(&night).rows;
    assert_eq!(rows.iter().filter(|row| row.indicator == OWN).count(), own.len());
    let workbook = night.join("regulator/indicators.xlsx");
    assert!(defined(&workbook).contains(OWN));
    printed(&bank, expected);
}

/// Households in valid grids that owe the bank, and those of them that owe elsewhere too, from the published facts.
fn borrowers(night: &Path) -> [i128; 2] {
    let grids = published::table(night, "grid_coverage");
    let valid: BTreeSet<&str> = grids.rows.iter().map(|row| grids.cell(row, "grid_id").unwrap()).collect();
    let facts = published::table(night, "household_facts");
    let is_positive = |row: &[String], column: &str| {
        let text = facts.cell(row, column).unwrap();
        !text.is_empty() && text.parse::<f64>().unwrap() > 0.0
    };
    let in_grids = facts.rows.iter().filter(|row| valid.contains(facts.cell(row, "grid_id").unwrap()));
    let borrowing: Vec<&Vec<String>> = in_grids.filter(|row| is_positive(row, "own_outstanding")).collect();
    let elsewhere = borrowing.iter().filter(|row| is_positive(row, "outside_outstanding")).count();
    [elsewhere, borrowing.len()].map(|count| i128::try_from(count).unwrap())
}

fn printed(bank: &Path, [numerator, denominator]: [i128; 2]) {
    let rulebook = bank.join("rulebook");
    let told = program::run(wellfield().args(["rule", OWN, "--rulebook"]).arg(&rulebook));
    assert_eq!(told.exit, 0, "{}", told.shown(&[]));
    for part in ["Borrowers indebted elsewhere", "outside_outstanding > 0"] {
        assert!(told.stdout.contains(part), "`{part}` is missing:\n{}", told.stdout);
    }
    let shown = program::run(wellfield().arg("indicators").arg(bank).args(["--id", OWN]));
    assert_eq!(shown.exit, 0, "{}", shown.shown(&[]));
    for part in ["Borrowers indebted elsewhere", &numerator.to_string(), &denominator.to_string()] {
        assert!(shown.stdout.contains(part), "`{part}` is missing:\n{}", shown.stdout);
    }
}

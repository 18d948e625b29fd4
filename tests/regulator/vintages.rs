//! A night that is run again with other inputs or rules is a further vintage: `revisions.csv` lists what differs from the
//! vintage before, and why. What was published before is read, not trusted: a damaged vintage ends the night.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::disclosure::{AS_OF, received, sample};
use super::own_indicator::bank_with_rulebook;
use super::publication::{Record, records};
use crate::support::program::{nightly, published_night};
use crate::support::scratch::scratch;
use crate::support::{copy_folder, files_below, read};

/// What a revision says of the old and the new row, under the columns of `indicators.csv`.
const COMPARED: [(&str, &str); 5] = [
    ("OBS_VALUE", "VALUE"),
    ("NUMERATOR", "NUMERATOR"),
    ("DENOMINATOR", "DENOMINATOR"),
    ("OBS_STATUS", "STATUS"),
    ("DEF_VERSION", "VERSION"),
];

/// A copy of the sample bank without its runs.
pub fn bank(folder: &Path) -> PathBuf {
    let bank = folder.join("bank");
    copy_folder(&sample(), &bank);
    let _ = std::fs::remove_dir_all(bank.join("runs"));
    bank
}

fn file(night: &Path, name: &str) -> Vec<Record> {
    records(&std::fs::read(night.join("regulator").join(name)).unwrap())
}

/// What differs between two vintages, by key: the compared cells of both; blank where a row is not there.
fn differences(before: &Path, after: &Path) -> BTreeMap<[String; 3], [Vec<String>; 2]> {
    let rows = |night: &Path| -> BTreeMap<[String; 3], Vec<String>> {
        let of = |record: &Record| (key(record), COMPARED.map(|(column, _)| record.cell(column).to_string()).to_vec());
        file(night, "indicators.csv").iter().map(of).collect()
    };
    let (before, after) = (rows(before), rows(after));
    let keys: BTreeSet<&[String; 3]> = before.keys().chain(after.keys()).collect();
    let blank = vec![String::new(); COMPARED.len()];
    let of = |rows: &BTreeMap<_, Vec<String>>, key| rows.get(key).unwrap_or(&blank).clone();
    let both = keys.into_iter().map(|key| (key.clone(), [of(&before, key), of(&after, key)]));
    both.filter(|(_, [old, new])| old != new).collect()
}

fn key(record: &Record) -> [String; 3] {
    ["REF_AREA", "INDICATOR", "BREAKDOWN"].map(|column| record.cell(column).to_string())
}

/// The revisions of a vintage in the same form; each must name the two runs and one of the causes.
fn revisions(
    before: &Path,
    after: &Path,
    is_cause: &dyn Fn(&Record) -> bool,
) -> BTreeMap<[String; 3], [Vec<String>; 2]> {
    let run = |night: &Path| night.file_name().unwrap().to_string_lossy().into_owned();
    let mut found = BTreeMap::new();
    for record in file(after, "revisions.csv") {
        let both = ["OLD", "NEW"]
            .map(|side| COMPARED.map(|(_, name)| record.cell(&format!("{side}_{name}")).to_string()).to_vec());
        assert_eq!([record.cell("OLD_VINTAGE"), record.cell("NEW_VINTAGE")], ["1", "2"]);
        assert_eq!([record.cell("OLD_RUN"), record.cell("NEW_RUN")], [run(before), run(after)]);
        assert_eq!(record.cell("TIME_PERIOD"), AS_OF);
        assert!(is_cause(&record), "{:?}: the cause is `{}`", key(&record), record.cell("CAUSE"));
        assert!(found.insert(key(&record), both).is_none(), "{:?} is revised twice", key(&record));
    }
    found
}

#[test]
fn other_inputs_are_a_further_vintage() {
    let folder = scratch();
    let bank = bank(folder.path());
    let first = published_night(&bank, AS_OF, &[]);
    assert!(file(&first, "revisions.csv").is_empty(), "there is nothing to revise");
    leave_out_rows(&bank.join("profiles.csv"), 60);
    let second = published_night(&bank, AS_OF, &[]);
    let expected = differences(&first, &second);
    assert!(expected.len() > 20, "too little differs: {expected:?}");
    assert_eq!(revisions(&first, &second, &|record| record.cell("CAUSE") == "inputs"), expected);
    for (night, vintage) in [(&first, 1), (&second, 2)] {
        assert!(received(night).rows.iter().all(|row| row.vintage == vintage));
    }
    let vintages: BTreeSet<String> = expected.into_keys().map(|[_, indicator, _]| indicator).collect();
    assert!(vintages.contains("profile_share") && !vintages.contains("account_share"), "{vintages:?}");
}

/// Every n-th row of a table is not exported.
pub fn leave_out_rows(path: &Path, every: usize) {
    let text = read(path);
    let kept = text.lines().enumerate().filter(|(number, _)| *number == 0 || number % every != 0);
    std::fs::write(path, kept.map(|(_, line)| format!("{line}\n")).collect::<String>()).unwrap();
}

#[test]
fn another_definition_is_a_further_vintage() {
    let folder = scratch();
    let bank = bank_with_rulebook(folder.path());
    let first = published_night(&bank, AS_OF, &[]);
    let path = bank.join("rulebook/indicators/borrowers_per_1000_households.toml");
    let changed = read(&path).replace("factor = 1000", "factor = 100");
    assert_ne!(changed, read(&path));
    std::fs::write(&path, changed).unwrap();
    let second = published_night(&bank, AS_OF, &[]);
    let expected = differences(&first, &second);
    let revised: BTreeSet<&str> = expected.keys().map(|[_, indicator, _]| indicator.as_str()).collect();
    assert_eq!(revised, BTreeSet::from(["borrowers_per_1000_households"]));
    assert_eq!(revisions(&first, &second, &|record| record.cell("CAUSE") == "definition"), expected);
}

#[test]
fn another_policy_is_a_further_vintage() {
    let folder = scratch();
    let bank = bank_with_rulebook(folder.path());
    let first = published_night(&bank, AS_OF, &[]);
    let path = bank.join("rulebook/disclosure.toml");
    let changed = read(&path).replace("cell_min = 3", "cell_min = 10");
    assert_ne!(changed, read(&path));
    std::fs::write(&path, changed).unwrap();
    let second = published_night(&bank, AS_OF, &[]);
    let expected = differences(&first, &second);
    assert!(!expected.is_empty(), "a larger smallest cell hides more");
    assert_eq!(revisions(&first, &second, &|record| record.cell("CAUSE") == "rulebook"), expected);
}

#[test]
fn the_order_of_rows_revises_nothing() {
    let folder = scratch();
    let bank = bank(folder.path());
    let first = published_night(&bank, AS_OF, &[]);
    for table in ["households.csv", "profiles.csv", "loans.csv"] {
        let text = read(&bank.join(table));
        let (header, rows) = text.split_once('\n').unwrap();
        let turned: String = rows.lines().rev().map(|line| format!("{line}\n")).collect();
        std::fs::write(bank.join(table), format!("{header}\n{turned}")).unwrap();
    }
    let second = published_night(&bank, AS_OF, &[]);
    assert_ne!(first, second, "other bytes are another run");
    assert!(differences(&first, &second).is_empty());
    assert!(file(&second, "revisions.csv").is_empty());
    assert!(received(&second).rows.iter().all(|row| row.vintage == 2));
}

#[test]
fn a_vintage_that_cannot_be_read_ends_the_night() {
    for damage in ["manifest.json", "regulator/indicators.parquet"] {
        let folder = scratch();
        let bank = bank(folder.path());
        let first = published_night(&bank, AS_OF, &[]);
        let bytes = std::fs::read(first.join(damage)).unwrap();
        std::fs::write(first.join(damage), &bytes[..bytes.len() / 2]).unwrap();
        leave_out_rows(&bank.join("profiles.csv"), 60);
        let before = files_below(&bank.join("runs"), &|_| true);
        let outcome = nightly(&bank, AS_OF, &[]);
        let name = first.file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(outcome.exit, 1, "{damage}: {}", outcome.shown(&[]));
        assert!(outcome.stderr.contains("damaged") && outcome.stderr.contains(&name), "{damage}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("hint:"), "{damage}: {}", outcome.stderr);
        assert_eq!(files_below(&bank.join("runs"), &|_| true), before, "{damage}: something was published");
    }
}

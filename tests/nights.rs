//! Whole nights of the sample banks: against their expected results, twins with one fault against their message, a messy
//! export against the clean tables that it was made from, and what must not matter: threads, the future, the machine.
//! What a command prints otherwise is looked at in `command_line`, single rules in `cases`.

mod later;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use wellfield::contract::{Contract, Contracts};

use crate::second_opinion::{Table, compare};
use crate::support::program::{self, Outcome, published_night, wellfield};
use crate::support::published::{self, TABLES};
use crate::support::scratch::scratch;
use crate::support::{copy_folder, files_below, read, repository};

const AS_OF: &str = "2026-06-30";

fn sample(folder: &str) -> PathBuf {
    repository().join("sample-data").join(folder)
}

/// A night of a sample bank, published elsewhere.
fn night(bank: &Path, as_of: &str, runs: &Path, arguments: &[&str]) -> PathBuf {
    let out = ["--out", runs.to_str().unwrap()];
    published_night(bank, as_of, &[&out, arguments].concat())
}

#[test]
fn the_sample_bank_gives_what_is_expected() {
    let runs = scratch();
    let bank = sample("bank");
    let first = night(&bank, AS_OF, &runs.path().join("alone"), &[]);
    let before = night(&bank, "2026-05-31", &runs.path().join("two"), &[]);
    let after = night(&bank, AS_OF, &runs.path().join("two"), &[]);
    let mut wrong = differences("2026-06-30", &first, &["scorecard_points"]);
    wrong.extend(differences("2026-05-31", &before, &TABLES));
    wrong.extend(differences("2026-06-30-after-2026-05-31", &after, &TABLES));
    assert!(wrong.is_empty(), "{} differences, the first are\n{}", wrong.len(), first_of(&wrong));
}

/// What differs between the tables of a run and the files of `sample-data/expected`; of tables in `parts` the files hold
/// only a selection of the rows.
fn differences(expected: &str, run: &Path, parts: &[&str]) -> Vec<String> {
    let folder = sample("expected").join(expected);
    let files = files_below(&folder, &|path| path.extension().is_some_and(|end| end == "csv"));
    assert!(!files.is_empty(), "{} holds no table", folder.display());
    let contracts = Contracts::built_in().unwrap();
    let mut wrong = Vec::new();
    for file in files {
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        let name = TABLES.into_iter().find(|name| *name == stem).expect("the file is named after a table");
        let (expected, actual) = (published::from_csv(&file, name), published::table(run, name));
        let contract = contracts.output(name).unwrap();
        let shown = format!("{}/{stem}", folder.file_name().unwrap().to_string_lossy());
        if expected.columns != actual.columns {
            wrong.push(format!("{shown}: the columns are {:?}", actual.columns));
        }
        if !parts.contains(&name) && expected.rows.len() != actual.rows.len() {
            wrong.push(format!("{shown}: {} rows instead of {}", actual.rows.len(), expected.rows.len()));
        }
        let rows = by_key(&actual, contract);
        for (key, row) in by_key(&expected, contract) {
            match rows.get(&key) {
                None => wrong.push(format!("{shown} {key}: the row is missing")),
                Some(actual) if *actual == row => {}
                Some(actual) => wrong.push(format!("{shown} {key}:\n  must be {row:?}\n  is      {actual:?}")),
            }
        }
    }
    wrong
}

fn by_key<'a>(table: &'a Table, contract: &Contract) -> BTreeMap<String, &'a Vec<String>> {
    let key = |row: &[String]| {
        let cells: Vec<&str> = contract.key.iter().map(|column| table.cell(row, column).unwrap()).collect();
        cells.join("|")
    };
    table.rows.iter().map(|row| (key(row), row)).collect()
}

fn first_of(wrong: &[String]) -> String {
    wrong.iter().take(20).cloned().collect::<Vec<_>>().join("\n")
}

#[test]
fn every_bad_twin_says_what_is_expected() {
    let mut wrong = Vec::new();
    for twin in twins() {
        let expected = read(&twin.join("expected.txt"));
        let shown = twin.strip_prefix(repository()).unwrap();
        let outcome = program::run(wellfield().arg("check").arg(shown));
        let actual = format!("exit: {}\n{}{}", outcome.exit, outcome.stdout, outcome.stderr);
        if expected.trim_end() != actual.trim_end() {
            wrong.push(format!("{}: must be\n{expected}\nis\n{actual}", shown.display()));
        }
    }
    assert!(wrong.is_empty(), "{} twins say something else\n\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_twin_that_is_refused_leaves_nothing_behind() {
    for twin in twins() {
        let is_refused = read(&twin.join("expected.txt")).starts_with("exit: 3");
        let runs = scratch();
        let outcome = program::nightly(&twin, AS_OF, &["--out", runs.path().join("runs").to_str().unwrap()]);
        assert_eq!(outcome.exit == 3, is_refused, "{}: {}", twin.display(), outcome.shown(&[]));
        if outcome.exit != 0 {
            assert_eq!(outcome.stdout, "", "{}", twin.display());
            let left = files_below(runs.path(), &|_| true);
            assert!(left.is_empty(), "{} leaves {left:?}", twin.display());
        }
    }
}

fn twins() -> Vec<PathBuf> {
    let found = files_below(&sample("bad"), &|path| path.ends_with("expected.txt"));
    assert!(!found.is_empty(), "there are no bad twins");
    found.iter().map(|file| file.parent().unwrap().to_path_buf()).collect()
}

#[test]
fn unsound_decisions_are_set_aside_by_the_night() {
    let runs = scratch();
    let twin = sample("bad/unsound_decisions");
    let run = night(&twin, AS_OF, runs.path(), &[]);
    let expected = published::from_csv(&twin.join("quarantine.csv"), "quarantine");
    assert_eq!(published::table(&run, "quarantine"), expected);
}

/// The twin breaks the well-field rule in every way there is, and the night goes on.
#[test]
fn every_fault_of_the_partition_is_reported() {
    let runs = scratch();
    let twin = sample("bad/partition_faults");
    let run = night(&twin, AS_OF, runs.path(), &[]);
    let found = published::table(&run, "partition_faults");
    assert_eq!(found, published::from_csv(&twin.join("partition_faults.csv"), "partition_faults"));
    let reported: BTreeSet<&str> = found.rows.iter().filter_map(|row| found.cell(row, "fault")).collect();
    let contracts = Contracts::built_in().unwrap();
    let kinds = &contracts.output("partition_faults").unwrap().column("fault").unwrap().words;
    assert_eq!(reported, kinds.iter().map(String::as_str).collect());
}

#[test]
fn too_many_rows_set_aside_publish_nothing_unless_allowed() {
    let twin = sample("bad/too_many_set_aside");
    let runs = scratch();
    let out = runs.path().to_str().unwrap();
    assert_eq!(program::nightly(&twin, AS_OF, &["--out", out]).exit, 4);
    assert_eq!(program::nightly(&twin, AS_OF, &["--out", out, "--allow-quarantine", "loans"]).exit, 4);
    assert_eq!(program::nightly(&twin, AS_OF, &["--out", out, "--allow-quarantine", "visits"]).exit, 0);
}

#[test]
fn a_messy_export_gives_the_bytes_of_its_clean_tables() {
    let runs = scratch();
    let clean = night(&sample("messy/clean"), AS_OF, &runs.path().join("clean"), &[]);
    let messy = night(&sample("messy/export"), AS_OF, &runs.path().join("messy"), &[]);
    let (clean_id, messy_id) =
        (clean.file_name().unwrap().as_encoded_bytes(), messy.file_name().unwrap().as_encoded_bytes());
    assert_ne!(clean_id, messy_id, "the two banks have other files");
    for table in TABLES {
        let bytes = |run: &Path| std::fs::read(run.join(format!("{table}.parquet"))).unwrap();
        let named_alike = replace(&bytes(&messy), messy_id, clean_id);
        assert!(named_alike == bytes(&clean), "`{table}` differs between the messy and the clean bank");
    }
    assert!(!published::table(&clean, "household_grades").rows.is_empty());
}

/// Every occurrence of one run id by another of the same length.
fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = bytes.to_vec();
    for start in 0..bytes.len().saturating_sub(from.len() - 1) {
        if bytes[start..].starts_with(from) {
            replaced[start..start + to.len()].copy_from_slice(to);
        }
    }
    replaced
}

#[test]
fn one_thread_and_two_give_the_same_bytes() {
    let runs = scratch();
    let one = night(&sample("bank"), AS_OF, &runs.path().join("one"), &["--threads", "1"]);
    let two = night(&sample("bank"), AS_OF, &runs.path().join("two"), &["--threads", "2"]);
    assert_eq!(one.file_name(), two.file_name());
    for table in TABLES {
        let bytes = |run: &Path| std::fs::read(run.join(format!("{table}.parquet"))).unwrap();
        assert!(bytes(&one) == bytes(&two), "`{table}` differs between one thread and two");
    }
}

#[test]
fn what_is_known_later_changes_no_row() {
    let folder = scratch();
    let (bank, later) = (folder.path().join("bank"), folder.path().join("later"));
    for copy in [&bank, &later] {
        copy_folder(&sample("bank"), copy);
        let _ = std::fs::remove_dir_all(copy.join("runs"));
    }
    later::add_later_rows(&later);
    let (run, run_later) = (published_night(&bank, AS_OF, &[]), published_night(&later, AS_OF, &[]));
    assert_ne!(run.file_name(), run_later.file_name(), "the second bank has other files");
    for name in TABLES {
        let table = without_row_numbers(published::table(&run, name));
        let table_later = without_row_numbers(published::table(&run_later, name));
        let changes = compare(&table, &table_later);
        assert!(table == table_later, "`{name}` changes:\n{}", first_of(&changes));
    }
}

fn without_row_numbers(mut table: Table) -> Table {
    if let Some(place) = table.columns.iter().position(|column| column == "row_number") {
        table.columns.remove(place);
        table.rows.iter_mut().for_each(|row| drop(row.remove(place)));
    }
    table
}

#[test]
fn the_manifest_holds_what_the_run_holds() {
    let runs = scratch();
    let run = night(&sample("messy/clean"), AS_OF, runs.path(), &[]);
    let manifest: serde_json::Value = serde_json::from_str(&read(&run.join("manifest.json"))).unwrap();
    assert_eq!(manifest["as_of"], AS_OF);
    assert_eq!(manifest["run_id"], run.file_name().unwrap().to_str().unwrap());
    assert_eq!(manifest["sequence"], 1);
    let tables = manifest["tables"].as_object().unwrap();
    assert!(!tables.is_empty());
    for (table, counts) in tables {
        let count = |what: &str| counts[what].as_u64().unwrap_or_else(|| panic!("{table} {what}"));
        assert_eq!(count("read"), count("accepted") + count("set_aside") + count("not_yet_known"), "{table}");
    }
    let outputs = manifest["outputs"].as_object().unwrap();
    assert_eq!(outputs.keys().map(String::as_str).collect::<BTreeSet<_>>(), TABLES.into_iter().collect());
    for (name, output) in outputs {
        let path = run.join(output["files"][0]["path"].as_str().unwrap());
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(output["files"][0]["digest"], blake3::hash(&bytes).to_hex().as_str(), "{name}");
        assert_eq!(output["files"][0]["bytes"], bytes.len(), "{name}");
        let table = TABLES.into_iter().find(|table| table == name).unwrap();
        assert_eq!(output["rows"], published::table(&run, table).rows.len(), "{name}");
    }
    for input in manifest["inputs"].as_array().unwrap() {
        let bytes = std::fs::read(sample("messy/clean").join(input["path"].as_str().unwrap())).unwrap();
        assert_eq!(input["digest"], blake3::hash(&bytes).to_hex().as_str(), "{}", input["path"]);
    }
    assert!(manifest["audit"].as_array().unwrap().iter().all(|check| check["passed"] == true));
    let latest: serde_json::Value = serde_json::from_str(&read(&runs.path().join("latest.json"))).unwrap();
    assert_eq!(latest["run_id"], manifest["run_id"]);
    assert_eq!(runs.path().join(latest["path"].as_str().unwrap()), run);
}

#[test]
fn published_files_are_for_owner_and_group_only() {
    let runs = scratch();
    let run = night(&sample("mini"), AS_OF, &runs.path().join("runs"), &[]);
    for path in files_below(&runs.path().join("runs"), &|_| true).into_iter().chain([run]) {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o007, 0, "{} has mode {mode:o}", path.display());
    }
}

#[test]
fn the_berka_bank_gives_what_its_readme_says() {
    let data = repository().join("../shared/data/berka");
    if !data.is_dir() {
        // Straight to stderr: the harness keeps what a passing test prints to itself.
        let _ = writeln!(std::io::stderr(), "skipped: there is no copy of the Berka export beside the repository");
        return;
    }
    let folder = scratch();
    let (bank, runs) = (folder.path().join("berka"), folder.path().join("runs"));
    copy_folder(&sample("berka"), &bank);
    let exports = bank.join("exports");
    let _ = std::fs::remove_dir_all(&exports);
    std::fs::create_dir(&exports).unwrap();
    for file in files_below(&data, &|path| path.extension().is_some_and(|end| end == "asc")) {
        std::fs::copy(&file, exports.join(file.file_name().unwrap())).unwrap();
    }
    let run = night(&bank, "1998-12-31", &runs, &[]);
    assert!(published::table(&run, "quarantine").rows.is_empty());
    let facts = published::table(&run, "household_facts");
    assert_eq!(facts.rows.len(), 4_500);
    assert_eq!(published::table(&run, "household_grades").rows.len(), 4_500);
    assert_eq!(loans_by_letter(&facts), BTreeMap::from([("A", 203), ("B", 31), ("C", 403), ("D", 45)]));
}

/// The export's letters, as the README's table of classes tells them from facts; a household has one loan at most.
/// Open loans have days past due; closed ones only a class.
fn loans_by_letter(facts: &Table) -> BTreeMap<&'static str, usize> {
    let mut letters = BTreeMap::new();
    for row in &facts.rows {
        let cell = |column: &str| facts.cell(row, column).unwrap();
        let is_open = !cell("days_past_due_now").is_empty();
        let letter = match (is_open, cell("risk_class_worst_12m")) {
            (false, "0") => "A",
            (true, "3") => "B",
            (true, "0") => "C",
            (true, "2") => "D",
            (false, "") => continue,
            other => panic!("no letter stands for {other:?}"),
        };
        *letters.entry(letter).or_insert(0) += 1;
    }
    letters
}

#[test]
fn the_same_night_again_publishes_nothing_new() {
    let runs = scratch();
    let first = night(&sample("mini"), AS_OF, runs.path(), &[]);
    let written = std::fs::metadata(first.join("manifest.json")).unwrap().modified().unwrap();
    let again: Outcome = program::nightly(&sample("mini"), AS_OF, &["--out", runs.path().to_str().unwrap()]);
    assert_eq!((again.exit, again.stdout.trim()), (0, first.to_str().unwrap()));
    assert_eq!(std::fs::metadata(first.join("manifest.json")).unwrap().modified().unwrap(), written);
}

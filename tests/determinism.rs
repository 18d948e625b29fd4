//! The same inputs give the same bytes: on one thread or many, in whatever order rows and files come, for the bank as a
//! whole or branch by branch.

mod cut;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::second_opinion::Table;
use crate::support::digests::{digests, digests_without_run_id};
use crate::support::program::published_night;
use crate::support::published::{self, TABLES};
use crate::support::scratch::{make_writable, scratch};
use crate::support::{copy_folder, files_below, repository};

use self::cut::{Rows, by_branch};

const AS_OF: &str = "2026-06-30";
const BEFORE: &str = "2026-05-31";
const THREADS: [&str; 3] = ["1", "2", "8"];
/// Parts into which each file is split.
const PARTS: usize = 5;
/// What the program makes for a household or a visit from the rows of its branch alone.
const OF_A_BRANCH: [&str; 5] =
    ["visit_checks", "household_facts", "scorecard_points", "household_grades", "grant_limits"];

/// The sample bank's tables, without runs that somebody published beside them.
fn sample_bank(to: &Path) {
    copy_folder(&repository().join("sample-data/bank"), to);
    make_writable(to);
    let _ = std::fs::remove_dir_all(to.join("runs"));
}

fn night(bank: &Path, as_of: &str, runs: &Path, arguments: &[&str]) -> PathBuf {
    published_night(bank, as_of, &[&["--out", runs.to_str().unwrap()], arguments].concat())
}

/// The harness keeps what a passing test prints to itself.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Every digest of a run in one, and one line for each file.
fn told(what: &str, digests: &BTreeMap<impl AsRef<str>, String>) -> String {
    let lines: Vec<String> =
        digests.iter().map(|(name, digest)| format!("{} {}", &digest[..16], name.as_ref())).collect();
    format!("{what}: {}\n{}", &blake3::hash(lines.join("\n").as_bytes()).to_hex()[..16], lines.join("\n"))
}

/// Two nights, the second of which looks back at the first.
#[test]
fn threads_change_no_byte() {
    let folder = scratch();
    let bank = folder.path().join("bank");
    sample_bank(&bank);
    let mut seen: Vec<(BTreeMap<String, String>, PathBuf)> = Vec::new();
    for threads in THREADS {
        let runs = folder.path().join(threads);
        night(&bank, BEFORE, &runs, &["--threads", threads]);
        let run = night(&bank, AS_OF, &runs, &["--threads", threads]);
        seen.push((digests(&run), run.strip_prefix(&runs).unwrap().to_path_buf()));
    }
    assert!(seen.windows(2).all(|pair| pair[0].1 == pair[1].1), "the run's id depends on threads");
    let lines: Vec<String> =
        seen[0].0.keys().filter(|name| seen.iter().any(|(run, _)| run[*name] != seen[0].0[*name])).cloned().collect();
    assert!(lines.is_empty(), "{lines:?} differ with the number of threads");
    assert_eq!(seen[0].0.len(), TABLES.len() + 5);
    tell(&told(&format!("the same on {} threads", THREADS.join(", ")), &seen[0].0));
}

/// Rows of every table in another order, and each file in parts whose names sort in another order still.
#[test]
fn the_order_of_rows_and_files_changes_no_byte() {
    let folder = scratch();
    let [bank, shuffled, split] = ["bank", "shuffled", "split"].map(|name| folder.path().join(name));
    for copy in [&bank, &shuffled, &split] {
        sample_bank(copy);
    }
    for (number, path) in
        files_below(&bank, &|path| path.extension().is_some_and(|end| end == "csv")).iter().enumerate()
    {
        let mut rows = Rows::read(path);
        rows.shuffle(number as u64);
        let name = path.file_name().unwrap().to_string_lossy();
        rows.write(&shuffled.join(&*name), |_| true);
        rows.shuffle(1000 + number as u64);
        std::fs::remove_file(split.join(&*name)).unwrap();
        let parts = split.join(name.trim_end_matches(".csv"));
        std::fs::create_dir(&parts).unwrap();
        for part in 0..PARTS {
            let mut at = 0;
            rows.write(&parts.join(format!("{}-of-the-export.csv", ["m", "a", "z", "k", "c"][part])), |_| {
                at += 1;
                at % PARTS == part
            });
        }
    }
    let runs = [&bank, &shuffled, &split].map(|bank| {
        let runs = bank.join("runs");
        night(bank, BEFORE, &runs, &[]);
        night(bank, AS_OF, &runs, &[])
    });
    assert_ne!(runs[0].file_name(), runs[1].file_name(), "other files, and the same run's id");
    let [mut whole, shuffled, split] = [&runs[0], &runs[1], &runs[2]].map(|run| digests_without_run_id(run));
    // A row that is set aside is named by its file and its number there: that table does tell the order of rows.
    for other in [&shuffled, &split] {
        let differing: Vec<&str> = whole.keys().filter(|name| other[*name] != whole[*name]).copied().collect();
        assert!(differing.is_empty() || differing == ["quarantine"], "{differing:?} differ with the order of rows");
    }
    for other in [&runs[1], &runs[2]] {
        assert_eq!(set_aside(&runs[0]), set_aside(other));
    }
    whole.remove("quarantine");
    tell(&told("the same for shuffled rows and for files in parts", &whole));
}

/// What was set aside, wherever it stood.
fn set_aside(run: &Path) -> Vec<Vec<String>> {
    let table = published::table(run, "quarantine");
    let is_place = |column: &str| ["source", "row_number"].contains(&column);
    let kept: Vec<usize> = (0..table.columns.len()).filter(|&at| !is_place(&table.columns[at])).collect();
    let mut rows: Vec<Vec<String>> =
        table.rows.iter().map(|row| kept.iter().map(|&at| row[at].clone()).collect()).collect();
    rows.sort();
    rows
}

/// A branch's own rows, with the registers that everybody knows, are enough for its households.
#[test]
fn branches_rated_alone_give_what_the_bank_gives() {
    let folder = scratch();
    let bank = folder.path().join("bank");
    sample_bank(&bank);
    let whole = night(&bank, AS_OF, &folder.path().join("whole"), &[]);
    let shards: Vec<PathBuf> = by_branch(&bank, folder.path(), AS_OF);
    assert!(shards.len() > 1, "the bank has one branch");
    let allowed = ["--allow-quarantine", "all", "--allow-stale", "all"];
    let runs: Vec<PathBuf> = shards.iter().map(|shard| night(shard, AS_OF, &shard.join("runs"), &allowed)).collect();
    for name in OF_A_BRANCH {
        let expected = published::table(&whole, name);
        let mut rows: Vec<Vec<String>> = runs.iter().flat_map(|run| published::table(run, name).rows).collect();
        let mut expected_rows = expected.rows.clone();
        rows.sort();
        expected_rows.sort();
        let together = Table { rows, ..expected.clone() };
        let expected = Table { rows: expected_rows, ..expected };
        let first = together.rows.iter().zip(&expected.rows).find(|(one, other)| one != other);
        assert!(together == expected, "`{name}`: {} and {} rows; {first:#?}", together.rows.len(), expected.rows.len());
    }
    tell(&format!("{} branches rated alone: {} the same as in the whole bank", shards.len(), OF_A_BRANCH.join(", ")));
}

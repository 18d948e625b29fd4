//! The folder in which a target writes its one file: the mini bank of the sample data, so that references lead somewhere.
//! Each thread has one, because tests run beside each other.

use std::path::Path;

use tempfile::TempDir;
use wellfield::contract::Contracts;

macro_rules! mini_files {
    ($($name:literal),+ $(,)?) => { &[$(
        ($name, include_str!(concat!("../../../sample-data/mini/", $name))),
    )+] };
}

const MINI: &[(&str, &str)] = mini_files![
    "account_months.csv",
    "accounts.csv",
    "areas.csv",
    "assignments.csv",
    "bank.toml",
    "branches.csv",
    "conduct_events.csv",
    "decisions.csv",
    "grids.csv",
    "households.csv",
    "instalments.csv",
    "loan_months.csv",
    "loans.csv",
    "officers.csv",
    "profiles.csv",
    "visits.csv",
    "watchlist.csv",
];

/// What a `bank.toml` may name beside the mini bank's own files.
const EXTRA: &[(&str, &str)] = &[
    ("exports/day=2026-06-01/visits.csv", include_str!("../../../sample-data/mini/visits.csv")),
    ("exports/day=2026-06-02/visits.csv", include_str!("../../../sample-data/mini/visits.csv")),
    ("exports/loan.asc", "loan_id;amount\n1;2,50\n"),
    ("exports/empty.csv", ""),
    ("adapters/loans.sql", "SELECT loan_id FROM loans"),
];

thread_local! {
    static FOLDER: TempDir = mini_bank();
    static CONTRACTS: Contracts = Contracts::built_in().expect("the contracts are sound");
}

fn mini_bank() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in MINI.iter().chain(EXTRA) {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for the mini bank");
        std::fs::write(path, text).expect("a file of the mini bank");
    }
    folder
}

/// Runs with the mini bank, and the contracts of its tables.
pub fn with_mini<T>(run: impl FnOnce(&Path, &Contracts) -> T) -> T {
    FOLDER.with(|folder| CONTRACTS.with(|contracts| run(folder.path(), contracts)))
}

/// The same with one more file in its folder.
pub fn with_file<T>(name: &str, bytes: &[u8], run: impl FnOnce(&Path, &Contracts) -> T) -> T {
    with_mini(|folder, contracts| {
        std::fs::write(folder.join(name), bytes).expect("the fuzzed file");
        run(folder, contracts)
    })
}

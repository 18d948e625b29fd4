//! A bank's CSV files as rows: shuffled, split, and cut by branch.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::support::files_below;

/// The rows of one file.
pub struct Rows {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Rows {
    pub fn read(path: &Path) -> Rows {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let headings = reader.headers().unwrap().iter().map(String::from).collect();
        let rows = reader.records().map(|row| row.unwrap().iter().map(String::from).collect()).collect();
        Rows { headings, rows }
    }

    /// Another order, the same one for the same seed.
    pub fn shuffle(&mut self, seed: u64) {
        self.rows.sort_by_key(|row| *blake3::hash(format!("{seed}|{}", row.join("|")).as_bytes()).as_bytes());
    }

    /// Writes the rows that are kept; whether there were any.
    pub fn write(&self, path: &Path, mut is_kept: impl FnMut(&[String]) -> bool) -> bool {
        let mut writer = csv::Writer::from_path(path).unwrap();
        writer.write_record(&self.headings).unwrap();
        let mut has_rows = false;
        for row in self.rows.iter().filter(|row| is_kept(row)) {
            writer.write_record(row).unwrap();
            has_rows = true;
        }
        writer.flush().unwrap();
        has_rows
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.headings.iter().position(|heading| heading == name)
    }

    /// Pairs of the cells of two columns.
    fn pairs<'a>(&'a self, key: &str, value: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let (key, value) = (self.column(key).unwrap(), self.column(value).unwrap());
        self.rows.iter().map(move |row| (row[key].as_str(), row[value].as_str()))
    }
}

/// Registers that every branch knows whole.
const REGISTERS: [&str; 5] = ["areas", "branches", "grids", "officers", "assignments"];

/// One bank for each branch that has grids: its own rows, and the registers.
pub fn by_branch(bank: &Path, folder: &Path, as_of: &str) -> Vec<PathBuf> {
    let files: BTreeMap<String, Rows> = files_below(bank, &|path| path.extension().is_some_and(|end| end == "csv"))
        .iter()
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), Rows::read(path)))
        .collect();
    let branch_of_grid: BTreeMap<&str, &str> = files["grids"].pairs("grid_id", "branch_id").collect();
    let branch_of = |table: &str, key: &str, by: &str, of: &BTreeMap<&str, &str>| -> BTreeMap<String, String> {
        let known = files[table].pairs(key, by).filter_map(|(key, by)| Some((key.into(), (*of.get(by)?).into())));
        known.collect()
    };
    let households = in_force(&files["households"], as_of, &branch_of_grid);
    let by_household: BTreeMap<&str, &str> =
        households.iter().map(|(key, branch)| (key.as_str(), branch.as_str())).collect();
    let loans = branch_of("loans", "loan_id", "household_id", &by_household);
    let accounts = branch_of("accounts", "account_id", "household_id", &by_household);
    let branches: BTreeSet<&str> = branch_of_grid.values().copied().collect();
    let shards = branches.into_iter().map(|branch| {
        let shard = folder.join(format!("branch-{branch}"));
        std::fs::create_dir(&shard).unwrap();
        let mut settings = std::fs::read_to_string(bank.join("bank.toml")).unwrap() + "\n[inputs]\n";
        for (table, rows) in &files {
            let own = |row: &[String]| {
                let cell =
                    |column: &str| rows.column(column).map(|at| row[at].as_str()).filter(|cell| !cell.is_empty());
                let owner = match (cell("household_id"), cell("loan_id"), cell("account_id"), cell("grid_id")) {
                    (Some(household), ..) => by_household.get(household).copied(),
                    (_, Some(loan), ..) => loans.get(loan).map(String::as_str),
                    (_, _, Some(account), _) => accounts.get(account).map(String::as_str),
                    (.., Some(grid)) => branch_of_grid.get(grid).copied(),
                    _ => cell("branch_id"),
                };
                REGISTERS.contains(&table.as_str()) || owner == Some(branch)
            };
            if !rows.write(&shard.join(format!("{table}.csv")), own) {
                std::fs::remove_file(shard.join(format!("{table}.csv"))).unwrap();
                settings.push_str(&format!("{table} = \"none\"\n"));
            }
        }
        std::fs::write(shard.join("bank.toml"), settings).unwrap();
        shard
    });
    shards.collect()
}

/// The branch of every household by the row that is in force on the day, or its last one.
fn in_force(households: &Rows, as_of: &str, branch_of_grid: &BTreeMap<&str, &str>) -> BTreeMap<String, String> {
    let mut newest: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    let grids = households.pairs("household_id", "grid_id");
    for ((household, grid), (_, from)) in grids.zip(households.pairs("household_id", "valid_from")) {
        let known = newest.entry(household).or_insert((from, grid));
        if from <= as_of && from >= known.0 {
            *known = (from, grid);
        }
    }
    newest.into_iter().map(|(household, (_, grid))| (household.into(), branch_of_grid[grid].into())).collect()
}

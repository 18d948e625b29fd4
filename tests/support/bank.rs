//! Banks made of a few rows: a test writes the columns that matter, `defaults.toml` fills in the rest, and the result
//! is a folder of contract-shaped CSV files with its `bank.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use wellfield::contract::{Contract, Contracts};

/// Cells by column, as a CSV file writes them.
pub type Row = BTreeMap<String, String>;

/// What a household stands in; a bank has one of each unless a test says otherwise.
pub const REGISTER: [&str; 6] = ["areas", "branches", "grids", "officers", "assignments", "households"];

/// A bank under construction.
pub struct BankBuilder {
    contracts: Contracts,
    defaults: BTreeMap<String, Row>,
    tables: BTreeMap<String, Vec<Row>>,
    absent: BTreeSet<String>,
}

impl BankBuilder {
    pub fn new() -> BankBuilder {
        let defaults: BTreeMap<String, toml::Table> =
            toml::from_str(include_str!("defaults.toml")).expect("the defaults are TOML");
        BankBuilder {
            contracts: Contracts::built_in().unwrap(),
            defaults: defaults.into_iter().map(|(table, row)| (table, cells(&row))).collect(),
            tables: BTreeMap::new(),
            absent: BTreeSet::new(),
        }
    }

    /// An empty bank with one ordinary row in each table of the register.
    pub fn with_register() -> BankBuilder {
        let mut bank = BankBuilder::new();
        for table in REGISTER {
            bank.add(table, &[]);
        }
        bank
    }

    /// Adds a row; every column that is not named has its default.
    pub fn add(&mut self, table: &str, columns: &[(&str, &str)]) -> &mut BankBuilder {
        self.add_row(table, columns.iter().map(|(column, value)| (column.to_string(), value.to_string())).collect())
    }

    pub fn add_row(&mut self, table: &str, columns: Row) -> &mut BankBuilder {
        let contract = self.contract(table);
        for column in columns.keys() {
            assert!(contract.position(column).is_some(), "table `{table}` has no column `{column}`");
        }
        let mut row = self.default_row(table).clone();
        row.extend(columns);
        self.tables.entry(table.to_string()).or_default().push(row);
        self
    }

    /// Leaves an optional table out altogether, which is more than leaving it empty.
    pub fn leave_out(&mut self, table: &str) {
        assert!(!self.contract(table).required, "table `{table}` is required");
        self.absent.insert(table.to_string());
    }

    /// Leaves out every optional table that has no row.
    pub fn leave_out_empty(&mut self) {
        let optional = self.contracts.inputs.iter().filter(|contract| !contract.required);
        let empty = optional.map(|contract| contract.table.clone()).filter(|table| !self.tables.contains_key(table));
        self.absent.extend(empty.collect::<Vec<_>>());
    }

    pub fn contract(&self, table: &str) -> &Contract {
        self.contracts.input(table).unwrap_or_else(|_| panic!("there is no input table `{table}`"))
    }

    pub fn default_row(&self, table: &str) -> &Row {
        self.defaults.get(table).unwrap_or_else(|| panic!("`defaults.toml` has no table `{table}`"))
    }

    /// Writes the bank; `rulebook` is the folder of its policy files, relative to the bank.
    pub fn write(&self, folder: &Path, rulebook: Option<&str>) {
        std::fs::create_dir_all(folder).unwrap();
        let mut settings = "[bank]\nname = \"Test bank\"\n".to_string();
        settings.extend(rulebook.map(|rulebook| format!("rulebook = \"{rulebook}\"\n")));
        settings.push_str("\n[inputs]\n");
        for contract in &self.contracts.inputs {
            let table = contract.table.as_str();
            let rows = self.tables.get(table).map_or(&[][..], Vec::as_slice);
            if self.absent.contains(table) {
                assert!(rows.is_empty(), "table `{table}` is left out and has rows");
            } else if rows.is_empty() && contract.required {
                settings.push_str(&format!("{table} = \"none\"\n"));
            } else {
                write_csv(&folder.join(format!("{table}.csv")), contract, rows);
            }
        }
        std::fs::write(folder.join("bank.toml"), settings).unwrap();
    }
}

fn write_csv(path: &Path, contract: &Contract, rows: &[Row]) {
    let mut writer = csv::Writer::from_path(path).unwrap();
    writer.write_record(contract.columns.iter().map(|column| &column.name)).unwrap();
    for row in rows {
        let cells = contract.columns.iter().map(|column| row.get(&column.name).map_or("", String::as_str));
        writer.write_record(cells).unwrap();
    }
    writer.flush().unwrap();
}

/// The cells of a row that is written as TOML.
pub fn cells(row: &toml::Table) -> Row {
    row.iter().map(|(column, value)| (column.clone(), text(value))).collect()
}

/// A TOML value as a CSV file writes it.
pub fn text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

//! A bank's exports as they might come after the as-of date: rows that were not known on it, put before the others so
//! that they would win every repeated key. What they may change, which is nothing, is said by the test.

use std::path::Path;

use wellfield::contract::{Contract, Contracts, DayRule, Type};

use crate::second_opinion::Table;
use crate::support::published;

/// Rows of each table that are taken as the pattern of later ones.
const ROWS: usize = 40;
/// The day after the as-of date of the sample bank, and the first month end after it.
const NEXT_DAY: &str = "2026-07-01";
const NEXT_MONTH_END: &str = "2026-07-31";

/// Adds later rows to every input of a bank that can have some: all but areas, which bear no date.
pub fn add_later_rows(bank: &Path) {
    for contract in &Contracts::built_in().unwrap().inputs {
        let path = bank.join(format!("{}.csv", contract.table));
        let table = published::from_csv(&path, "input");
        let rows = later_rows(contract, &table);
        let mut writer = csv::Writer::from_path(&path).unwrap();
        writer.write_record(&table.columns).unwrap();
        for row in rows.iter().chain(&table.rows) {
            writer.write_record(row).unwrap();
        }
        writer.flush().unwrap();
    }
}

fn later_rows(contract: &Contract, table: &Table) -> Vec<Vec<String>> {
    let pattern =
        || table.rows.iter().take(ROWS).enumerate().map(|(number, row)| (number, Row { table, row: row.clone() }));
    match contract.table.as_str() {
        "areas" => Vec::new(),
        // Known with their loan, so they belong to loans of the next day.
        "instalments" => pattern().map(|(_, row)| row.renamed("loan_id").row).collect(),
        "loans" => {
            let renamed = table.rows.iter().map(|row| Row { table, row: row.clone() }.renamed("loan_id"));
            let renamed = renamed.map(|row| row.moved(contract).row);
            renamed.chain(pattern().map(|(number, row)| row.moved_or_broken(contract, number))).collect()
        }
        "assignments" => pattern().map(|(_, row)| row.opened_later("valid_from").row).collect(),
        // Always known: their dates say that they are not open, active or valid yet.
        "branches" | "officers" | "grids" | "households" => {
            let opening = ["opened_on", "active_from", "valid_from"];
            let opening = opening.into_iter().find(|column| contract.position(column).is_some()).unwrap();
            let rows = pattern().map(|(number, row)| row.numbered(&contract.key[0], number).opened_later(opening).row);
            rows.collect()
        }
        _ => pattern().map(|(number, row)| row.moved_or_broken(contract, number)).collect(),
    }
}

struct Row<'a> {
    table: &'a Table,
    row: Vec<String>,
}

impl Row<'_> {
    fn cell(&mut self, column: &str) -> Option<&mut String> {
        let place = self.table.columns.iter().position(|own| own == column)?;
        self.row.get_mut(place)
    }

    fn set(&mut self, column: &str, value: &str) {
        *self.cell(column).unwrap_or_else(|| panic!("no column `{column}`")) = value.to_string();
    }

    fn renamed(mut self, id: &str) -> Self {
        self.cell(id).unwrap().insert_str(0, "LATER-");
        self
    }

    fn numbered(mut self, id: &str, number: usize) -> Self {
        self.set(id, &format!("LATER-{number}"));
        self
    }

    /// Open, active or valid from the next day on, without end.
    fn opened_later(mut self, opening: &str) -> Self {
        self.set(opening, NEXT_DAY);
        self.without_end()
    }

    fn without_end(mut self) -> Self {
        for end in ["valid_to", "active_to", "closed_on"] {
            if let Some(cell) = self.cell(end) {
                cell.clear();
            }
        }
        self
    }

    /// The row's own date becomes the first that is not known.
    fn moved(mut self, contract: &Contract) -> Self {
        let own = contract.known_from.as_deref().expect("the table has a date of its own");
        let column = contract.column(own).unwrap();
        let date = if column.day == Some(DayRule::LastOfMonth) { NEXT_MONTH_END } else { NEXT_DAY };
        let date = if column.kind == Type::Time { format!("{date}T00:00:00") } else { date.to_string() };
        self.set(own, &date);
        self
    }

    /// A row with the key of a known one: of the next day, or entered on the next day; every second one broken besides,
    /// because nothing of it is looked at.
    fn moved_or_broken(mut self, contract: &Contract, number: usize) -> Vec<String> {
        let is_late = contract.recorded_at.is_some() && number.is_multiple_of(3);
        self = if is_late { self } else { self.moved(contract) };
        if is_late {
            self.set("recorded_at", &format!("{NEXT_DAY}T00:00:00"));
        }
        let words = contract.columns.iter().filter(|column| column.kind == Type::Word);
        let word = words.filter(|column| !contract.key.contains(&column.name)).map(|column| &column.name).next();
        if let Some(word) = word.filter(|_| number % 2 == 1) {
            self.set(word, "nonsense");
        }
        self.row
    }
}

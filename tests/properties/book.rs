//! The rows of a bank before they are written: what a property changes between two nights of it. Shown as text when a
//! property fails. Which rows there are is left to `plan` and `ledgers`, writing them to `support::bank`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use chrono::{Days, NaiveDate, NaiveDateTime, TimeDelta};

use super::draw::Draw;
use crate::support::bank::{BankBuilder, Row};

pub const AS_OF: NaiveDate = NaiveDate::from_ymd_opt(2026, 6, 30).unwrap();

/// The day that lies some days before the as-of date; after it when they are negative.
pub fn day(days_before: i64) -> NaiveDate {
    match u64::try_from(days_before) {
        Ok(before) => AS_OF - Days::new(before),
        Err(_) => AS_OF + Days::new(days_before.unsigned_abs()),
    }
}

pub fn moment(days_before: i64, minute_of_day: i64) -> NaiveDateTime {
    day(days_before).and_time(chrono::NaiveTime::MIN) + TimeDelta::minutes(minute_of_day)
}

/// The end of the as-of date.
pub fn end_of_day() -> NaiveDateTime {
    moment(-1, 0)
}

/// A moment as a CSV file writes it.
pub fn written(moment: NaiveDateTime) -> String {
    moment.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Rows by table.
#[derive(Clone, Default)]
pub struct Book(BTreeMap<&'static str, Vec<Row>>);

impl Book {
    /// Adds a row; columns that are not named have their default.
    pub fn add(&mut self, table: &'static str, cells: &[(&str, &dyn fmt::Display)]) {
        let row = cells.iter().map(|(column, value)| (column.to_string(), value.to_string())).collect();
        self.add_row(table, row);
    }

    pub fn add_row(&mut self, table: &'static str, row: Row) {
        self.0.entry(table).or_default().push(row);
    }

    pub fn rows(&self, table: &str) -> &[Row] {
        self.0.get(table).map_or(&[], Vec::as_slice)
    }

    pub fn rows_mut(&mut self, table: &str) -> &mut [Row] {
        self.0.get_mut(table).map_or(&mut [], Vec::as_mut_slice)
    }

    /// Any row of a table that has some.
    pub fn any(&self, table: &str, draw: &mut Draw) -> &Row {
        let rows = self.rows(table);
        &rows[draw.below(rows.len())]
    }

    /// The row of a household on the as-of date.
    pub fn present(&self, household_id: &str) -> &Row {
        self.rows("households").iter().find(|row| row["household_id"] == household_id && is_present(row)).unwrap()
    }

    pub fn move_household(&mut self, household_id: &str, grid_id: &str) {
        let mut rows = self.rows_mut("households").iter_mut();
        let row = rows.find(|row| row["household_id"] == household_id && is_present(row)).unwrap();
        row.insert("grid_id".into(), grid_id.into());
    }

    /// Puts the rows of every table in another order.
    pub fn shuffle(&mut self, draw: &mut Draw) {
        self.0.values_mut().for_each(|rows| draw.shuffle(rows));
    }

    pub fn write(&self, folder: &Path) {
        let mut bank = BankBuilder::new();
        for (table, rows) in &self.0 {
            for row in rows {
                bank.add_row(table, row.clone());
            }
        }
        bank.leave_out_empty();
        bank.write(folder, None);
    }
}

/// Whether a row of a household is the one that is valid on the as-of date.
pub fn is_present(row: &Row) -> bool {
    let as_of = AS_OF.to_string();
    let ends = row.get("valid_to").map_or("", String::as_str);
    // ISO days stand in the order of their text.
    row["valid_from"] <= as_of && (ends.is_empty() || *ends > *as_of)
}

impl fmt::Debug for Book {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (table, rows) in &self.0 {
            for row in rows {
                let cells = row.iter().filter(|(_, value)| !value.is_empty());
                let cells: Vec<String> = cells.map(|(column, value)| format!("{column}={value}")).collect();
                writeln!(formatter, "{table}: {}", cells.join(" "))?;
            }
        }
        Ok(())
    }
}

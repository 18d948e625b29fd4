//! Published Parquet tables as text cells in one canonical form: null is empty, decimals have their scale, floats are
//! written as short as they can be read back, lists are joined by `|`.

use std::fs::File;
use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use chrono::{DateTime, NaiveDate};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use wellfield::decimal::format_scaled;

use crate::second_opinion::{Table, Tables};

/// Every output table, in the order of the stages.
pub const TABLES: [&str; 17] = [
    "visit_checks",
    "household_facts",
    "scorecard_points",
    "household_grades",
    "grant_limits",
    "partition_faults",
    "grid_coverage",
    "branch_coverage",
    "area_coverage",
    "officer_assessments",
    "village_ratings",
    "conduct_ranking",
    "grid_funding",
    "work_list",
    "indicators",
    "public_notice",
    "quarantine",
];

/// Every table of a published run.
pub fn tables(run: &Path) -> Tables {
    TABLES.into_iter().map(|name| (name, table(run, name))).collect()
}

/// One table of a published run, its rows as they stand in the file.
pub fn table(run: &Path, name: &'static str) -> Table {
    let path = run.join(format!("{name}.parquet"));
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let columns: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut rows = Vec::new();
    for batch in builder.build().unwrap() {
        let batch = batch.unwrap();
        rows.extend((0..batch.num_rows()).map(|row| batch.columns().iter().map(|column| cell(column, row)).collect()));
    }
    Table { name, columns, rows }
}

fn cell(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return String::new();
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).to_string(),
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Date32 => {
            NaiveDate::from_epoch_days(column.as_primitive::<Date32Type>().value(row)).unwrap().to_string()
        }
        DataType::Decimal128(_, scale) => {
            format_scaled(column.as_primitive::<Decimal128Type>().value(row), scale.unsigned_abs().into())
        }
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            let moment = column.as_primitive::<TimestampMicrosecondType>().value(row);
            DateTime::from_timestamp_micros(moment).unwrap().format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
        }
        DataType::List(_) => {
            let list = column.as_list::<i32>().value(row);
            (0..list.len()).map(|item| cell(&list, item)).collect::<Vec<_>>().join("|")
        }
        other => panic!("no output table has a column of type {other}"),
    }
}

/// A table that is kept as CSV, in the same canonical form.
pub fn from_csv(path: &Path, name: &'static str) -> Table {
    let mut reader = csv::Reader::from_path(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let columns = reader.headers().unwrap().iter().map(String::from).collect();
    let rows = reader.records().map(|record| record.unwrap().iter().map(String::from).collect()).collect();
    Table { name, columns, rows }
}

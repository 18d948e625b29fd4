//! A table as CSV by RFC 4180, on which SDMX-CSV rests: UTF-8, headings always, every record ended by CRLF. The RFC knows
//! no other end of line, so that a receiver who checks by it refuses nothing, and readers of LF take CRLF too.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int64Type};
use csv::{Terminator, WriterBuilder};

use crate::calendar::Date;
use crate::decimal::format_scaled;
use crate::fault::{Error, Result};

use super::ExportFile;

/// A table as a file.
pub(super) fn file(name: &str, batch: &RecordBatch) -> Result<ExportFile> {
    let bytes = write(batch).map_err(|error| Error::internal(format!("`{name}` cannot be written: {error}")))?;
    Ok(ExportFile { name: name.into(), bytes, rows: Some(batch.num_rows() as u64) })
}

fn write(batch: &RecordBatch) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(batch.schema().fields().iter().map(|field| field.name()))?;
    for row in 0..batch.num_rows() {
        for column in batch.columns() {
            writer.write_field(field(column, row)?)?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(writer.into_inner()?)
}

/// One value: null is an empty field, numbers are as short as they can be read back exactly.
fn field(column: &dyn Array, row: usize) -> Result<String> {
    if column.is_null(row) {
        return Ok(String::new());
    }
    Ok(match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Date32 => Date(column.as_primitive::<Date32Type>().value(row)).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Decimal128(_, scale) => {
            let units = column.as_primitive::<Decimal128Type>().value(row);
            decimal(units, scale.unsigned_abs().into())
        }
        other => return Err(Error::internal(format!("no table for the regulator has a column of type {other}"))),
    })
}

/// Whole units of 10^−scale without zeros at the end: `12.5`, `12`.
fn decimal(units: i128, scale: u32) -> String {
    let text = format_scaled(units, scale);
    if scale == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray};

    use super::*;

    fn csv(columns: Vec<(&str, ArrayRef)>) -> String {
        let columns = columns.into_iter().map(|(name, column)| (name, column, true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        String::from_utf8(write(&batch).unwrap()).unwrap()
    }

    #[test]
    fn what_would_break_a_record_is_quoted() {
        let names = ["plain", "a, b", "say \"yes\"", "two\nlines", " 村"];
        let names: ArrayRef = Arc::new(StringArray::from_iter_values(names));
        let expected = "NAME\r\nplain\r\n\"a, b\"\r\n\"say \"\"yes\"\"\"\r\n\"two\nlines\"\r\n 村\r\n";
        assert_eq!(csv(vec![("NAME", names)]), expected);
    }

    #[test]
    fn numbers_are_short_and_exact() {
        let values: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.1), Some(f64::NAN), Some(1e21), None]));
        let parts: Decimal128Array = vec![Some(125_000), Some(-1), Some(1_200_000), None].into_iter().collect();
        let parts: ArrayRef = Arc::new(parts.with_precision_and_scale(24, 4).unwrap());
        let days: ArrayRef = Arc::new(Date32Array::from_value(20_634, 4));
        let counts: ArrayRef = Arc::new(Int64Array::from(vec![1, 20, 300, 0]));
        let expected = "V,P,D,C\r\n0.1,12.5,2026-06-30,1\r\nNaN,-0.0001,2026-06-30,20\r\n\
                        1000000000000000000000,120,2026-06-30,300\r\n,,2026-06-30,0\r\n";
        assert_eq!(csv(vec![("V", values), ("P", parts), ("D", days), ("C", counts)]), expected);
    }

    #[test]
    fn a_table_without_rows_has_its_headings() {
        let none: ArrayRef = Arc::new(StringArray::from_iter_values([""; 0]));
        assert_eq!(csv(vec![("A", none.clone()), ("B", none)]), "A,B\r\n");
    }
}

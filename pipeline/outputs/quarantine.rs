//! The table of what cleaning set aside.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};

use crate::clean::SetAside;
use crate::fault::Result;

use super::{Results, text};

/// Key (table_name, source, row_number).
pub(super) fn quarantine(results: &Results) -> Result<Vec<ArrayRef>> {
    let mut rows: Vec<&SetAside> = results.set_aside.iter().collect();
    rows.sort_by_key(|row| (&row.table, &row.source, row.row_number));
    Ok(vec![
        text(rows.iter().map(|row| Some(row.table.as_str()))),
        text(rows.iter().map(|row| Some(row.source.as_str()))),
        Arc::new(rows.iter().map(|row| Some(row.row_number.cast_signed())).collect::<Int64Array>()),
        text(rows.iter().map(|row| Some(row.key.as_str()))),
        text(rows.iter().map(|row| Some(row.rule.as_str()))),
        text(rows.iter().map(|row| row.column.as_deref())),
        text(rows.iter().map(|row| Some(row.message.as_str()))),
    ])
}

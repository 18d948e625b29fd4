//! A table of a published run, row by row, each cell as what its contract says it holds. The file is opened by
//! `read::published`; a cell that is not what it should be is a damaged run.

use arrow::array::{
    Array, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray, RecordBatch, StringArray,
};

use crate::calendar::Date;
use crate::fault::{Error, Fault, Result};
use crate::read::published::{self, PublishedRun};

/// The columns of one table that were asked for.
pub struct Rows<'a> {
    run: &'a PublishedRun,
    table: &'static str,
    batches: Vec<RecordBatch>,
}

impl<'a> Rows<'a> {
    pub fn read(run: &'a PublishedRun, table: &'static str, columns: &[&str]) -> Result<Rows<'a>> {
        Ok(Rows { run, table, batches: published::table(run, table, columns)? })
    }

    /// In the order of the table's key.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.batches.iter().flat_map(|batch| (0..batch.num_rows()).map(|row| Row { rows: self, batch, row }))
    }
}

/// One row; a cell is asked for by the name of its column.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    rows: &'a Rows<'a>,
    batch: &'a RecordBatch,
    row: usize,
}

impl<'a> Row<'a> {
    pub fn text(&self, column: &str) -> Result<&'a str> {
        self.text_if_any(column)?.ok_or_else(|| self.unreadable(column))
    }

    /// None where the cell is null.
    pub fn text_if_any(&self, column: &str) -> Result<Option<&'a str>> {
        Ok(self.cell::<StringArray>(column)?.map(|texts| texts.value(self.row)))
    }

    pub fn count(&self, column: &str) -> Result<i64> {
        self.count_if_any(column)?.ok_or_else(|| self.unreadable(column))
    }

    pub fn count_if_any(&self, column: &str) -> Result<Option<i64>> {
        Ok(self.cell::<Int64Array>(column)?.map(|counts| counts.value(self.row)))
    }

    pub fn is_true(&self, column: &str) -> Result<bool> {
        self.is_true_if_any(column)?.ok_or_else(|| self.unreadable(column))
    }

    pub fn is_true_if_any(&self, column: &str) -> Result<Option<bool>> {
        Ok(self.cell::<BooleanArray>(column)?.map(|values| values.value(self.row)))
    }

    pub fn day_if_any(&self, column: &str) -> Result<Option<Date>> {
        Ok(self.cell::<Date32Array>(column)?.map(|days| Date(days.value(self.row))))
    }

    pub fn share_if_any(&self, column: &str) -> Result<Option<f64>> {
        Ok(self.cell::<Float64Array>(column)?.map(|shares| shares.value(self.row)))
    }

    /// A decimal in its smallest unit: cents, tenths of a point.
    pub fn units(&self, column: &str) -> Result<i128> {
        self.units_if_any(column)?.ok_or_else(|| self.unreadable(column))
    }

    pub fn units_if_any(&self, column: &str) -> Result<Option<i128>> {
        Ok(self.cell::<Decimal128Array>(column)?.map(|values| values.value(self.row)))
    }

    pub fn texts(&self, column: &str) -> Result<Vec<String>> {
        let list = self.cell::<ListArray>(column)?.map(|lists| lists.value(self.row));
        let list = list.ok_or_else(|| self.unreadable(column))?;
        let texts = list.as_any().downcast_ref::<StringArray>().ok_or_else(|| self.unreadable(column))?;
        Ok(texts.iter().flatten().map(String::from).collect())
    }

    /// The column, where its cell in this row is not null.
    fn cell<T: Array + 'static>(&self, column: &str) -> Result<Option<&'a T>> {
        let array = self.batch.column_by_name(column).and_then(|array| array.as_any().downcast_ref::<T>());
        let array = array.ok_or_else(|| self.unreadable(column))?;
        Ok(array.is_valid(self.row).then_some(array))
    }

    pub fn unreadable(&self, column: &str) -> Error {
        let (table, folder) = (self.rows.table, self.rows.run.folder.display());
        let fault = Fault::new(format!("column `{column}` of `{table}` in the published run `{folder}` is damaged"));
        Error::could_not_run(fault.hint("restore the run from a backup, or move its folder away and publish it again"))
    }
}

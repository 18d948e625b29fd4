//! The base tables of indicators: rows that stages before have found, with the columns that some definition reads, and
//! the place where each row counts. Their documentation is `schemas/tables/base/`; a column is made here under the name
//! that it bears there. Leaves conditions and sums to the rest of `indicators`.

mod households;
pub mod loans;
pub mod places;
mod visits;

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, UInt8Array};
use arrow::buffer::BooleanBuffer;
use rayon::prelude::*;

use crate::contract::Contract;
use crate::fault::{Error, Result};
use crate::rulebook::indicators::BaseTable;

use super::{Covered, Distances};

/// A row that counts nowhere: a household of a grid that is not valid.
pub const NOWHERE: u32 = u32::MAX;

/// A place where rows count: the finest key, of which every level is a sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// None: in the bank's row only, or in areas only.
    pub branch: Option<usize>,
    /// None: in no area.
    pub area: Option<usize>,
    /// Place of the segment among `Segment::ALL`; None where rows have none.
    pub segment: Option<usize>,
}

/// The rows of one base table.
#[derive(Debug, Default)]
pub struct BaseRows {
    /// By position in the contract; None: no definition reads it, or its source is absent.
    pub columns: Vec<Option<ArrayRef>>,
    pub rows: usize,
    pub cells: Vec<Cell>,
    /// Whether rows stand in segments, if there are any rows.
    pub has_segments: bool,
    /// For each row its cell, or `NOWHERE`.
    pub cell_of_row: Vec<u32>,
    /// For each row its customer, numbered from 0; of loans only.
    pub customers: Vec<u32>,
    /// Optional input tables that the bank does not have.
    pub absent: Vec<&'static str>,
}

impl BaseRows {
    /// Lets go of columns that nobody reads any more.
    pub fn let_go_of_all_but(&mut self, wanted: &[usize]) {
        let columns = self.columns.iter_mut().enumerate();
        columns.filter(|(position, _)| !wanted.contains(position)).for_each(|(_, column)| *column = None);
    }
}

/// What the base tables are made from.
pub struct Bases<'a> {
    pub covered: &'a Covered<'a>,
    pub nearest: Distances,
}

/// A base table that knows how to make its columns.
trait Source: Sync {
    fn column(&self, name: &str) -> Result<ArrayRef>;
}

impl Bases<'_> {
    /// The rows of a base table with the wanted columns.
    pub fn rows(&self, table: BaseTable, wanted: &[usize]) -> Result<BaseRows> {
        let contract = self.covered.rated.contracts.base(table.name())?;
        let mut base = match table {
            BaseTable::Households => households::Households::of(self).rows(contract, wanted)?,
            BaseTable::Loans => loans::Loans::of(self.covered).rows(contract, wanted)?,
            BaseTable::Grids => places::Grids::of(self.covered).rows(contract, wanted)?,
            BaseTable::Areas => places::Areas::of(self.covered)?.rows(contract, wanted)?,
            BaseTable::Branches => places::Branches::of(self.covered).rows(contract, wanted)?,
            BaseTable::ServicePoints => match places::ServicePoints::of(self.covered) {
                Some(points) => points.rows(contract, wanted)?,
                None => BaseRows { columns: vec![None; contract.columns.len()], ..BaseRows::default() },
            },
            BaseTable::Visits => visits::Visits::of(self.covered)?.rows(contract, wanted)?,
        };
        base.absent = self.absent();
        Ok(base)
    }

    fn absent(&self) -> Vec<&'static str> {
        let tables = self.covered.rated.tables;
        let optional = [
            ("profiles", tables.profiles.is_none()),
            ("instalments", tables.instalments.is_none()),
            ("outside_debts", tables.outside_debts.is_none()),
            ("conduct_events", tables.conduct_events.is_none()),
            ("peer_reviews", tables.peer_reviews.is_none()),
            ("watchlist", tables.watchlist.is_none()),
            ("service_points", tables.service_points.is_none()),
            ("decisions", tables.decisions.is_none()),
        ];
        optional.into_iter().filter(|(_, is_absent)| *is_absent).map(|(table, _)| table).collect()
    }
}

fn columns(source: &dyn Source, contract: &Contract, wanted: &[usize]) -> Result<Vec<Option<ArrayRef>>> {
    let made = wanted.par_iter().with_max_len(1).map(|&position| {
        let column = contract.columns.get(position).ok_or_else(|| Error::internal("no such column of a base table"))?;
        Ok((position, source.column(&column.name)?))
    });
    let mut columns = vec![None; contract.columns.len()];
    for (position, column) in made.collect::<Result<Vec<_>>>()? {
        if let Some(slot) = columns.get_mut(position) {
            *slot = Some(column);
        }
    }
    Ok(columns)
}

fn no_column<T>(table: &str, name: &str) -> Result<T> {
    Err(Error::internal(format!("column `{name}` of base table `{table}` is documented and not made")))
}

/// A column of truths, none of them null.
fn truths(rows: usize, holds: impl FnMut(usize) -> bool) -> ArrayRef {
    Arc::new(BooleanArray::new(BooleanBuffer::collect_bool(rows, holds), None))
}

fn wholes(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

fn words(values: impl Iterator<Item = Option<u8>>) -> ArrayRef {
    Arc::new(values.collect::<UInt8Array>())
}

/// Codes of one contract's words as codes of another's, where the two lists are not the same.
fn word_codes(contract: &Contract, column: &str, known: &[&str]) -> Result<Vec<Option<u8>>> {
    let column = contract.column(column)?;
    Ok(known.iter().map(|word| column.word_code(word)).collect())
}

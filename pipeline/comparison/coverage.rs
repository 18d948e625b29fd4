//! How the counts of coverage went: of the bank, its branches and its areas. A count of the bank is the sum of its
//! branches; only what moved is listed.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use serde::Serialize;

use crate::coverage::counts::Count;
use crate::fault::{Error, Result};

use super::side::CoverageTables;

#[derive(Clone, Debug, Serialize)]
pub struct CoverageMoves {
    pub bank: Vec<CountMove>,
    /// Those that moved most first.
    pub branches: Vec<PlaceMoves>,
    pub areas: Vec<PlaceMoves>,
}

/// A branch or an area with counts that moved.
#[derive(Clone, Debug, Serialize)]
pub struct PlaceMoves {
    pub id: String,
    pub counts: Vec<CountMove>,
}

/// One count of all segments together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CountMove {
    pub count: &'static str,
    pub from: i64,
    pub to: i64,
}

/// The columns that are counted, in the order of the tables.
pub fn counts() -> Vec<&'static str> {
    Count::ALL.iter().map(|count| count.name()).chain(["profile_gap"]).collect()
}

pub fn moves(from: &CoverageTables, to: &CoverageTables) -> Result<CoverageMoves> {
    let (old, new) = (of_all(&from.branches, "branch_id")?, of_all(&to.branches, "branch_id")?);
    let (old_areas, new_areas) = (of_all(&from.areas, "area_id")?, of_all(&to.areas, "area_id")?);
    Ok(CoverageMoves {
        bank: moved(&sum(&old), &sum(&new)),
        branches: places(&old, &new),
        areas: places(&old_areas, &new_areas),
    })
}

type Counts = Vec<i64>;

/// The rows of the segment `all`, by their key.
fn of_all(table: &RecordBatch, key: &str) -> Result<BTreeMap<String, Counts>> {
    let unreadable = || Error::internal(format!("coverage by `{key}` has columns of another type"));
    let column = |name: &str| table.column_by_name(name).ok_or_else(unreadable);
    let texts = |name: &str| -> Result<StringArray> {
        let array: &ArrayRef = column(name)?;
        array.as_string_opt::<i32>().cloned().ok_or_else(unreadable)
    };
    let (ids, segments) = (texts(key)?, texts("segment")?);
    let columns = counts().into_iter().map(|name| {
        let array = column(name)?.as_any().downcast_ref::<Int64Array>();
        array.cloned().ok_or_else(unreadable)
    });
    let columns: Vec<Int64Array> = columns.collect::<Result<_>>()?;
    let rows = (0..table.num_rows()).filter(|&row| segments.value(row) == "all");
    let counts = |row: usize| columns.iter().map(|column| column.value(row)).collect();
    Ok(rows.map(|row| (ids.value(row).to_string(), counts(row))).collect())
}

fn sum(places: &BTreeMap<String, Counts>) -> Counts {
    let mut sums = nothing();
    for counts in places.values() {
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    sums
}

fn nothing() -> Counts {
    vec![0; counts().len()]
}

fn moved(from: &Counts, to: &Counts) -> Vec<CountMove> {
    let steps = counts().into_iter().zip(from).zip(to);
    let moved = steps.filter(|((_, from), to)| from != to);
    moved.map(|((count, &from), &to)| CountMove { count, from, to }).collect()
}

/// Places whose counts moved; one that is in one run only counted nothing in the other.
fn places(from: &BTreeMap<String, Counts>, to: &BTreeMap<String, Counts>) -> Vec<PlaceMoves> {
    let ids: std::collections::BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    let none = nothing();
    let all = ids.into_iter().map(|id| {
        let counts = moved(from.get(id).unwrap_or(&none), to.get(id).unwrap_or(&none));
        PlaceMoves { id: id.clone(), counts }
    });
    let mut places: Vec<PlaceMoves> = all.filter(|place| !place.counts.is_empty()).collect();
    places.sort_by_key(|place| {
        std::cmp::Reverse(place.counts.iter().map(|count| (count.to - count.from).unsigned_abs()).sum::<u64>())
    });
    places
}

//! The keys of a table rise strictly from row to row: so they are unique, and the table is sorted. Looked at piece by
//! piece: a piece knows its own rows, and its first and last one for those who come before and after it.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray, DynComparator, RecordBatch, StringArray, UInt32Array, make_comparator};
use arrow::compute::{SortOptions, cast, take};
use arrow::datatypes::{DataType, UInt32Type};
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;

use crate::contract::Contract;
use crate::fault::{Error, Result};

use super::{AuditRow, EXAMPLES_MAX, for_example, outcome};

/// The keys of some rows of a table that follow each other.
pub(super) struct Keys {
    wrong: u64,
    examples: Vec<String>,
    /// The first key and the last; None where there is no row.
    ends: Option<(Key, Key)>,
}

/// One row of the columns of a key, text not coded.
type Key = Vec<ArrayRef>;

impl Keys {
    pub fn of(contract: &Contract, batch: &RecordBatch) -> Result<Keys> {
        let positions = contract.key.iter().map(|name| contract.require(name)).collect::<Result<Vec<_>>>()?;
        let columns: Vec<ArrayRef> = positions.iter().map(|&position| batch.column(position).clone()).collect();
        Keys::look(&columns, batch.num_rows()).map_err(internal)
    }

    fn look(columns: &[ArrayRef], rows: usize) -> std::result::Result<Keys, ArrowError> {
        let compared = columns.iter().map(Compared::of).collect::<std::result::Result<Vec<_>, _>>()?;
        let is_wrong = |row: &usize| order(&compared, row - 1, *row) != Ordering::Less;
        let (mut wrong, mut examples) = (0, Vec::new());
        for row in (1..rows).filter(is_wrong) {
            wrong += 1;
            if examples.len() < EXAMPLES_MAX {
                examples.push(named(columns, row)?);
            }
        }
        let ends = match rows.checked_sub(1) {
            Some(last) => Some((key(columns, 0)?, key(columns, last)?)),
            None => None,
        };
        Ok(Keys { wrong, examples, ends })
    }

    /// Adds the rows that follow.
    pub fn add(&mut self, next: Keys) -> Result<()> {
        let Some((first, last)) = next.ends else { return Ok(()) };
        if let Some((_, before)) = &self.ends
            && !is_below(before, &first).map_err(internal)?
        {
            self.wrong += 1;
            self.examples.push(named(&first, 0).map_err(internal)?);
        }
        self.wrong += next.wrong;
        self.examples.extend(next.examples);
        self.examples.truncate(EXAMPLES_MAX);
        let first = self.ends.take().map_or(first, |(first, _)| first);
        self.ends = Some((first, last));
        Ok(())
    }

    pub fn outcome(&self, table: &str) -> AuditRow {
        let detail = format!("{} rows repeat a key or stand out of order{}", self.wrong, for_example(&self.examples));
        outcome("key_unique", table, self.wrong, detail)
    }
}

fn internal(error: ArrowError) -> Error {
    Error::internal(error.to_string())
}

/// A column whose rows are compared. Text is compared as it stands, and not at all where its codes are the same; of coded
/// text that many rows share the places in its order are.
enum Compared<'a> {
    Texts(&'a StringArray),
    Coded(&'a UInt32Array, &'a StringArray),
    Ranked(&'a UInt32Array, Vec<u32>),
    Other(DynComparator),
}

impl Compared<'_> {
    fn of(column: &ArrayRef) -> std::result::Result<Compared<'_>, ArrowError> {
        let coded = column.as_dictionary_opt::<UInt32Type>();
        let coded = coded.and_then(|coded| Some((coded.keys(), coded.values().as_string_opt::<i32>()?)));
        Ok(match (column.as_string_opt::<i32>(), coded) {
            _ if column.null_count() > 0 => Compared::Other(comparator(column, column)?),
            (Some(texts), _) => Compared::Texts(texts),
            (_, Some((codes, texts))) if texts.len() < codes.len() / ROWS_A_TEXT => {
                Compared::Ranked(codes, ranks(texts))
            }
            (_, Some((codes, texts))) => Compared::Coded(codes, texts),
            _ => Compared::Other(comparator(column, column)?),
        })
    }

    fn order(&self, one: usize, other: usize) -> Ordering {
        match self {
            Compared::Texts(texts) => texts.value(one).cmp(texts.value(other)),
            Compared::Coded(codes, texts) => match (codes.value(one), codes.value(other)) {
                (one, other) if one == other => Ordering::Equal,
                (one, other) => texts.value(one as usize).cmp(texts.value(other as usize)),
            },
            Compared::Ranked(codes, ranks) => {
                let rank = |row: usize| ranks.get(codes.value(row) as usize);
                rank(one).cmp(&rank(other))
            }
            Compared::Other(order) => order(one, other),
        }
    }
}

/// From so many rows for each text on it pays to put the texts in order first.
const ROWS_A_TEXT: usize = 16;

/// The place of each text in the order of all; equal texts have one place.
fn ranks(texts: &StringArray) -> Vec<u32> {
    let text = |place: &u32| texts.value(*place as usize);
    let mut order: Vec<u32> = (0..texts.len() as u32).collect();
    order.sort_unstable_by_key(text);
    let mut ranks = vec![0; texts.len()];
    let mut rank = 0;
    let mut before: Option<&str> = None;
    for place in order {
        rank += u32::from(before.is_some_and(|before| before != text(&place)));
        before = Some(text(&place));
        if let Some(slot) = ranks.get_mut(place as usize) {
            *slot = rank;
        }
    }
    ranks
}

fn comparator(one: &ArrayRef, other: &ArrayRef) -> std::result::Result<DynComparator, ArrowError> {
    make_comparator(one, other, SortOptions::default())
}

fn order(columns: &[Compared], one: usize, other: usize) -> Ordering {
    columns.iter().map(|column| column.order(one, other)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn is_below(one: &Key, other: &Key) -> std::result::Result<bool, ArrowError> {
    for (one, other) in one.iter().zip(other) {
        match comparator(one, other)?(0, 0) {
            Ordering::Equal => {}
            order => return Ok(order.is_lt()),
        }
    }
    Ok(false)
}

/// The key of a row, on its own: nothing else of its table is held by it.
fn key(columns: &[ArrayRef], row: usize) -> std::result::Result<Key, ArrowError> {
    let row = UInt32Array::from(vec![row as u32]);
    let columns = columns.iter().map(|column| {
        let taken = take(column, &row, None)?;
        match taken.data_type() {
            DataType::Dictionary(_, texts) => cast(&taken, texts),
            _ => Ok(taken),
        }
    });
    columns.collect()
}

fn named(columns: &[ArrayRef], row: usize) -> std::result::Result<String, ArrowError> {
    let values = columns.iter().map(|column| array_value_to_string(column, row));
    Ok(format!("`{}`", values.collect::<std::result::Result<Vec<_>, _>>()?.join("|")))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{DictionaryArray, Int64Array};

    use super::*;

    #[test]
    fn coded_text_is_compared_as_text_however_it_is_coded() {
        // The list is in no order and has a text twice.
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["c", "a", "b", "a"]));
        let names = ["c", "a", "b", "a"];
        for rows in [8, 400] {
            let codes: Vec<u32> = (0..rows).map(|row| row * 7 / 3 % 4).collect();
            let plain = StringArray::from_iter_values(codes.iter().map(|&code| names[code as usize]));
            let coded = DictionaryArray::try_new(UInt32Array::from(codes), Arc::clone(&texts)).unwrap();
            let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((0..i64::from(rows)).map(|row| row * 5 % 3)));
            let of = |text: ArrayRef| Keys::look(&[text, Arc::clone(&numbers)], rows as usize).unwrap();
            let (found, expected) = (of(Arc::new(coded)), of(Arc::new(plain)));
            assert_eq!((found.wrong, found.examples), (expected.wrong, expected.examples));
            assert!((1..u64::from(rows) - 1).contains(&found.wrong));
        }
    }
}

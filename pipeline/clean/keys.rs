//! Rules that look across the rows of one table: primary keys, parents within the table, overlapping validity.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

use arrow::array::{Array, AsArray, LargeStringArray};
use arrow::datatypes::{Date32Type, UInt8Type, UInt32Type};
use rayon::prelude::*;

use crate::fault::{Error, Result};

use super::rules::Rule;
use super::table::Rows;

/// The rows of which keys are compared.
struct Keyed {
    /// The position of the first column of the key.
    position: usize,
    /// By row, whether it passed so far and its key can be compared as it is held.
    has_key: Vec<bool>,
    /// A row whose key refers to nothing has no position there: it is compared by its text. Such rows are few, and share
    /// no key with the others.
    stray: Vec<usize>,
}

impl Keyed {
    fn of(rows: &Rows) -> Result<Keyed> {
        let first_key = rows.contract.key.first().map_or("", String::as_str);
        let position = rows.contract.require(first_key)?;
        let mut has_key: Vec<bool> = rows.is_unknown.iter().map(|is_unknown| !is_unknown).collect();
        let mut stray = Vec::new();
        for row in rows.marks.keys().map(|&row| row as usize) {
            let passed = rows.passed(row, Rule::DuplicateKey);
            let is_whole = has_whole_key(rows, row);
            if let Some(has_key) = has_key.get_mut(row) {
                *has_key = passed && is_whole;
            }
            if passed && !is_whole {
                stray.push(row);
            }
        }
        Ok(Keyed { position, has_key, stray })
    }
}

/// Marks every row whose primary key an earlier row has, among the rows that passed so far.
pub fn mark_duplicates(rows: &mut Rows) -> Result<()> {
    let Keyed { position, has_key, stray } = Keyed::of(rows)?;
    let mut duplicates = match rows.contract.key.as_slice() {
        [_] => single_key_duplicates(rows, position, &has_key),
        _ => composite_key_duplicates(rows, &has_key)?,
    };
    let mut seen = HashSet::new();
    duplicates.extend(stray.into_iter().filter(|&row| !seen.insert(rows.key(row))));
    for row in duplicates {
        rows.mark(row, Rule::DuplicateKey, position);
    }
    Ok(())
}

/// The keys of the rows of a table that came before. Exports mostly stand in the order of their key; while they do, the
/// last one is enough.
#[derive(Default)]
pub struct Seen {
    last: Option<Key>,
    /// Every key so far, once one came out of order: packed, or a digest of the text of 128 bits.
    all: hashbrown::HashSet<u128>,
    is_all: bool,
    stray: HashSet<String>,
}

/// A key that can be compared with the next one.
#[derive(Clone, PartialEq, PartialOrd)]
pub enum Key {
    Text(String),
    Packed(u128),
}

impl Seen {
    /// Remembers the keys of rows that came before.
    pub fn remember(&mut self, rows: &Rows) -> Result<()> {
        let Keyed { position, has_key, .. } = Keyed::of(rows)?;
        let key = packed_keys(rows, position, &has_key)?;
        self.all.extend(with_key(&has_key).map(key));
        Ok(())
    }

    /// From here on every key is remembered.
    pub fn remember_all(&mut self) {
        self.is_all = true;
    }

    /// Whether every key is remembered.
    pub fn is_all(&self) -> bool {
        self.is_all
    }
}

/// How the keys of some rows stand.
pub enum Order {
    /// No row has a key.
    Empty,
    /// Each is above the one before; the first and the last.
    Rising(Key, Key),
    Other,
}

/// How the keys of rows stand, without those that came before.
pub fn order(rows: &Rows) -> Result<Order> {
    let Keyed { position, has_key, .. } = Keyed::of(rows)?;
    let ends = with_key(&has_key).next().zip(with_key_backwards(&has_key).next());
    let Some((first, last)) = ends else { return Ok(Order::Empty) };
    if let Some(ids) = single_key(rows, position) {
        let text = |row: usize| Key::Text(ids.value(row).to_string());
        let is_rising = is_ascending(&has_key, |row| ids.value(row));
        return Ok(if is_rising { Order::Rising(text(first), text(last)) } else { Order::Other });
    }
    let parts = whole_parts(rows, &has_key)?;
    let key = |row: usize| Key::Packed(packed(&parts, row));
    Ok(if are_ascending(&has_key, &parts) { Order::Rising(key(first), key(last)) } else { Order::Other })
}

/// Marks every row whose primary key a row has that came earlier, among these rows or those seen before them. False, and
/// nothing marked, where all keys seen before must be known for that and are not. Of rows that rise and follow the
/// last one none is marked that would be accepted otherwise.
pub fn follow(rows: &mut Rows, order: &Order, seen: &mut Seen) -> Result<bool> {
    let Keyed { position, has_key, stray } = Keyed::of(rows)?;
    let mut duplicates = Vec::new();
    if seen.is_all {
        let key = packed_keys(rows, position, &has_key)?;
        duplicates.extend(with_key(&has_key).filter(|&row| !seen.all.insert(key(row))));
    } else {
        match order {
            Order::Empty => {}
            Order::Rising(first, last) if seen.last.as_ref().is_none_or(|before| before < first) => {
                seen.last = Some(last.clone());
            }
            Order::Rising(..) | Order::Other => return Ok(false),
        }
    }
    duplicates.extend(stray.into_iter().filter(|&row| !seen.stray.insert(rows.key(row))));
    for row in duplicates {
        rows.mark(row, Rule::DuplicateKey, position);
    }
    Ok(true)
}

/// Whether packed keys rise. Of what most logs have for a key this is asked of every row.
fn are_ascending(has_key: &[bool], parts: &[Part]) -> bool {
    match parts {
        [Part::Positions(positions), Part::Days(days)] => is_ascending(has_key, |row| {
            let pair = positions.get(row).zip(days.get(row));
            pair.map_or((0, 0), |(&position, &day)| (position, day))
        }),
        _ => is_ascending(has_key, |row| packed(parts, row)),
    }
}

/// The key of each row in 128 bits.
fn packed_keys<'a>(
    rows: &'a Rows,
    position: usize,
    has_key: &[bool],
) -> Result<Box<dyn Fn(usize) -> u128 + Sync + 'a>> {
    if let Some(ids) = single_key(rows, position) {
        return Ok(Box::new(|row| {
            let digest = blake3::hash(ids.value(row).as_bytes());
            u128::from_le_bytes(digest.as_bytes().first_chunk::<16>().copied().unwrap_or_default())
        }));
    }
    let parts = whole_parts(rows, has_key)?;
    Ok(Box::new(move |row| packed(&parts, row)))
}

/// The columns of a key whose numbers mean the same in every piece.
fn whole_parts<'a>(rows: &'a Rows, has_key: &[bool]) -> Result<Vec<Part<'a>>> {
    let parts = parts(rows, has_key)?;
    if parts.iter().any(|part| matches!(part, Part::Numbered(_))) {
        return Err(Error::internal(format!("keys of `{}` cannot be compared piece by piece", rows.contract.table)));
    }
    Ok(parts)
}

fn single_key<'a>(rows: &'a Rows, position: usize) -> Option<&'a LargeStringArray> {
    let column = rows.columns.get(position).filter(|_| rows.contract.key.len() == 1);
    column.and_then(|column| column.as_string_opt::<i64>())
}

fn packed(parts: &[Part], row: usize) -> u128 {
    parts.iter().fold(0_u128, |key, part| (key << part.width()) | u128::from(part.value(row)))
}

fn has_whole_key(rows: &Rows, row: usize) -> bool {
    let mut positions = rows.contract.key.iter().filter_map(|name| rows.contract.position(name));
    positions.all(|at| rows.columns.get(at).is_some_and(|column| column.is_valid(row)))
}

fn single_key_duplicates(rows: &Rows, position: usize, has_key: &[bool]) -> Vec<usize> {
    let Some(ids) = rows.columns.get(position).and_then(|column| column.as_string_opt::<i64>()) else {
        return Vec::new();
    };
    if is_ascending(has_key, |row| ids.value(row)) {
        return Vec::new();
    }
    let mut seen = hashbrown::HashSet::with_capacity(ids.len());
    with_key(has_key).filter(|&row| !seen.insert(ids.value(row))).collect()
}

fn composite_key_duplicates(rows: &Rows, has_key: &[bool]) -> Result<Vec<usize>> {
    if let Some(duplicates) = duplicates_in_runs(&columns(rows)?, has_key) {
        return Ok(duplicates);
    }
    let parts = parts(rows, has_key)?;
    if are_ascending(has_key, &parts) {
        return Ok(Vec::new());
    }
    let mut sorted: Vec<(u128, usize)> = with_key(has_key).map(|row| (packed(&parts, row), row)).collect();
    sorted.par_sort_unstable();
    let repeated = sorted.windows(2).filter_map(|pair| match pair {
        &[(key, _), (next, row)] if key == next => Some(row),
        _ => None,
    });
    Ok(repeated.collect())
}

/// Rows of one first key that are compared with one another.
const RUN_MAX: usize = 64;

/// Of rows that stand in the order of the first column of their key, those whose key an earlier row has: only rows
/// beside it can. None where they stand in no such order, or too many have the same first key.
fn duplicates_in_runs(columns: &[Column], has_key: &[bool]) -> Option<Vec<usize>> {
    let (first, others) = columns.split_first()?;
    let (mut run, mut duplicates): (Vec<usize>, _) = (Vec::new(), Vec::new());
    for row in with_key(has_key) {
        match run.last().map_or(Ordering::Less, |&before| first.compare(before, row)) {
            Ordering::Less => run.clear(),
            Ordering::Equal if run.len() < RUN_MAX => {}
            Ordering::Equal | Ordering::Greater => return None,
        }
        if run.iter().any(|&earlier| others.iter().all(|column| column.compare(earlier, row).is_eq())) {
            duplicates.push(row);
        }
        run.push(row);
    }
    Some(duplicates)
}

fn with_key(has_key: &[bool]) -> impl Iterator<Item = usize> {
    has_key.iter().enumerate().filter(|(_, has_key)| **has_key).map(|(row, _)| row)
}

fn with_key_backwards(has_key: &[bool]) -> impl Iterator<Item = usize> {
    has_key.iter().enumerate().rev().filter(|(_, has_key)| **has_key).map(|(row, _)| row)
}

/// Rows that one thread compares.
const ROWS_AT_ONCE: usize = 1 << 18;

/// Whether each key is above the one before it. Exports mostly stand in the order of their key; then no memory of what
/// came before is needed.
fn is_ascending<K: PartialOrd>(has_key: &[bool], key: impl Fn(usize) -> K + Sync) -> bool {
    (0..has_key.len().div_ceil(ROWS_AT_ONCE)).into_par_iter().all(|part| {
        let start = part * ROWS_AT_ONCE;
        // The last key before this part is compared with its first one.
        let before = (0..start).rev().find(|&row| has_key.get(row) == Some(&true));
        let rows = (start..has_key.len().min(start + ROWS_AT_ONCE)).filter(|&row| has_key.get(row) == Some(&true));
        let mut last = before.map(&key);
        rows.into_iter().all(|row| {
            let next = key(row);
            let is_above = last.as_ref().is_none_or(|last| *last < next);
            last = Some(next);
            is_above
        })
    })
}

/// One column of a key.
#[derive(Clone, Copy)]
enum Column<'a> {
    Positions(&'a [u32]),
    Days(&'a [i32]),
    Codes(&'a [u8]),
    Texts(&'a LargeStringArray),
}

impl Column<'_> {
    /// The values of two rows that have the key.
    fn compare(&self, one: usize, other: usize) -> Ordering {
        match self {
            Column::Positions(positions) => positions.get(one).cmp(&positions.get(other)),
            Column::Days(days) => days.get(one).cmp(&days.get(other)),
            Column::Codes(codes) => codes.get(one).cmp(&codes.get(other)),
            Column::Texts(texts) => texts.value(one).cmp(texts.value(other)),
        }
    }
}

fn columns<'a>(rows: &'a Rows) -> Result<Vec<Column<'a>>> {
    let column = |name: &String| {
        let column = rows.columns.get(rows.contract.require(name)?);
        let column = column.ok_or_else(|| Error::internal(format!("no column `{name}`")))?;
        Ok(if let Some(positions) = column.as_primitive_opt::<UInt32Type>() {
            Column::Positions(positions.values())
        } else if let Some(days) = column.as_primitive_opt::<Date32Type>() {
            Column::Days(days.values())
        } else if let Some(codes) = column.as_primitive_opt::<UInt8Type>() {
            Column::Codes(codes.values())
        } else if let Some(texts) = column.as_string_opt::<i64>() {
            Column::Texts(texts)
        } else {
            return Err(Error::internal(format!("key column `{name}` is of a type that keys do not have")));
        })
    };
    rows.contract.key.iter().map(column).collect()
}

/// One column of a key as numbers of so many bits; only of rows that have the key.
enum Part<'a> {
    Positions(&'a [u32]),
    Days(&'a [i32]),
    Codes(&'a [u8]),
    Numbered(Vec<u32>),
}

impl Part<'_> {
    fn width(&self) -> u32 {
        if matches!(self, Part::Codes(_)) { 8 } else { 32 }
    }

    fn value(&self, row: usize) -> u32 {
        let value = match self {
            Part::Positions(positions) => positions.get(row).copied(),
            // Shifted so that days before 1970 stay in order.
            Part::Days(days) => days.get(row).map(|days| days.cast_unsigned() ^ (1 << 31)),
            Part::Codes(codes) => codes.get(row).map(|&code| u32::from(code)),
            Part::Numbered(numbers) => numbers.get(row).copied(),
        };
        value.unwrap_or(0)
    }
}

/// The columns of the key, which fit into 128 bits one after the other.
fn parts<'a>(rows: &'a Rows, has_key: &[bool]) -> Result<Vec<Part<'a>>> {
    let part = |column| match column {
        Column::Positions(positions) => Part::Positions(positions),
        Column::Days(days) => Part::Days(days),
        Column::Codes(codes) => Part::Codes(codes),
        Column::Texts(texts) => Part::Numbered(numbered(texts, has_key)),
    };
    let parts: Vec<Part> = columns(rows)?.into_iter().map(part).collect();
    if parts.iter().map(Part::width).sum::<u32>() > 128 {
        Err(Error::internal(format!("the key of `{}` is too wide", rows.contract.table)))
    } else {
        Ok(parts)
    }
}

/// Each distinct text gets the next number; a row without the key gets none.
fn numbered(texts: &LargeStringArray, has_key: &[bool]) -> Vec<u32> {
    let mut numbers = hashbrown::HashMap::new();
    let number = |(row, has_key): (usize, &bool)| {
        let next = numbers.len() as u32;
        if *has_key { *numbers.entry(texts.value(row)).or_insert(next) } else { 0 }
    };
    has_key.iter().enumerate().map(number).collect()
}

/// Each distinct text once, in the order of its first appearance.
pub fn distinct(texts: &LargeStringArray) -> LargeStringArray {
    let all = || texts.iter().flatten();
    if all().zip(all().skip(1)).all(|(one, next)| one <= next) {
        let mut last = None;
        return all().filter(|&text| last.replace(text) != Some(text)).map(Some).collect();
    }
    let mut seen = hashbrown::HashSet::with_capacity(texts.len());
    all().filter(|text| seen.insert(*text)).map(Some).collect()
}

/// Marks rows whose parent is missing, set aside, not of a higher level, or that stand in a loop of parents, and
/// everything that hangs on them.
pub fn mark_parents(rows: &mut Rows) -> Result<()> {
    let parent = rows.contract.columns.iter().position(|column| column.parent);
    let Some(parent) = parent else { return Ok(()) };
    let id = rows.contract.require(rows.contract.key.first().map_or("", String::as_str))?;
    let texts = |position: usize| {
        let column = rows.columns.get(position).and_then(|column| column.as_string_opt::<i64>());
        column.cloned().ok_or_else(|| Error::internal("identifiers and parents are text until their table is known"))
    };
    let (ids, parents) = (texts(id)?, texts(parent)?);
    let heights = heights(rows, parent)?;
    let sound: Vec<usize> = (0..rows.len()).filter(|&row| !rows.marks.contains_key(&(row as u32))).collect();
    let by_id: BTreeMap<&str, usize> = sound.iter().map(|&row| (ids.value(row), row)).collect();
    let faulty: Vec<usize> =
        sound.iter().copied().filter(|&row| !reaches_the_top(row, &parents, &by_id, heights.as_deref())).collect();
    for row in faulty {
        rows.mark(row, Rule::Reference, parent);
    }
    Ok(())
}

/// Whether the parents of a row, all the way up, are sound.
fn reaches_the_top(
    start: usize,
    parents: &LargeStringArray,
    by_id: &BTreeMap<&str, usize>,
    heights: Option<&[Option<usize>]>,
) -> bool {
    let mut row = start;
    // A chain longer than the table must have come round.
    for _ in 0..=by_id.len() {
        if parents.is_null(row) {
            return true;
        }
        let Some(&above) = by_id.get(parents.value(row)) else { return false };
        if let Some(heights) = heights
            && heights.get(above) >= heights.get(row)
        {
            return false;
        }
        row = above;
    }
    false
}

/// The height of each row's level, 0 the highest; None where the contract asks for no order of levels.
fn heights(rows: &Rows, parent: usize) -> Result<Option<Vec<Option<usize>>>> {
    let Some(column) = rows.contract.columns.get(parent) else { return Ok(None) };
    let Some(level) = &column.higher_level else { return Ok(None) };
    let position = rows.contract.require(level)?;
    let words = &rows.contract.column(level)?.words;
    let height = |code: u8| {
        let word = words.get(code as usize)?;
        let equal = column.equal_levels.first().filter(|_| column.equal_levels.contains(word));
        words.iter().position(|own| own == equal.unwrap_or(word))
    };
    let codes = rows.columns.get(position).and_then(|column| column.as_primitive_opt::<UInt8Type>());
    let codes = codes.ok_or_else(|| Error::internal("levels are words"))?;
    Ok(Some(codes.iter().map(|code| height(code?)).collect()))
}

/// Marks rows of one subject that are valid while an earlier kept row of it is.
pub fn mark_overlaps(rows: &mut Rows) -> Result<()> {
    let Some(subject) = &rows.contract.validity_of else { return Ok(()) };
    let subject = rows.contract.require(subject)?;
    let (from, to) = (rows.contract.require("valid_from")?, rows.contract.require("valid_to")?);
    let dates = |position: usize| {
        let column = rows.columns.get(position).and_then(|column| column.as_primitive_opt::<Date32Type>());
        column.cloned().ok_or_else(|| Error::internal("validity is made of dates"))
    };
    let (from_days, to_days) = (dates(from)?, dates(to)?);
    let subjects = rows.columns.get(subject).and_then(|column| column.as_string_opt::<i64>()).cloned();
    let subjects = subjects.ok_or_else(|| Error::internal("the subject of validity is text"))?;
    let mut sound: Vec<usize> = (0..rows.len()).filter(|&row| !rows.marks.contains_key(&(row as u32))).collect();
    sound.sort_by_key(|&row| (subjects.value(row), from_days.value(row)));
    let mut overlapping = Vec::new();
    let mut kept: Option<usize> = None;
    for row in sound {
        let before = kept.filter(|&before| subjects.value(before) == subjects.value(row));
        let is_overlapping =
            before.is_some_and(|before| to_days.is_null(before) || to_days.value(before) > from_days.value(row));
        if is_overlapping { overlapping.push(row) } else { kept = Some(row) }
    }
    for row in overlapping {
        rows.mark(row, Rule::OverlappingValidity, from);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_beside_each_other_are_enough_where_they_stand_in_order(
            mut keys in prop::collection::vec((0..6_u32, 0..3_i32, any::<bool>()), 0..40),
            is_in_order in any::<bool>(),
        ) {
            if is_in_order {
                keys.sort_by_key(|&(first, _, _)| first);
            }
            let firsts: Vec<u32> = keys.iter().map(|&(first, _, _)| first).collect();
            let days: Vec<i32> = keys.iter().map(|&(_, day, _)| day).collect();
            let has_key: Vec<bool> = keys.iter().map(|&(_, _, has_key)| has_key).collect();
            let found = duplicates_in_runs(&[Column::Positions(&firsts), Column::Days(&days)], &has_key);
            let mut seen = HashSet::new();
            let expected = with_key(&has_key).filter(|&row| !seen.insert((firsts[row], days[row])));
            let rises = with_key(&has_key).zip(with_key(&has_key).skip(1)).all(|(one, next)| firsts[one] <= firsts[next]);
            prop_assert_eq!(found, rises.then(|| expected.collect::<Vec<_>>()));
        }
    }

    #[test]
    fn a_long_run_is_looked_at_in_another_way() {
        let (firsts, days): (Vec<u32>, Vec<i32>) = (0..=RUN_MAX as i32).map(|day| (7, day)).unzip();
        let columns = [Column::Positions(&firsts), Column::Days(&days)];
        assert_eq!(duplicates_in_runs(&columns, &[true; RUN_MAX + 1]), None);
        assert_eq!(duplicates_in_runs(&columns, &[true; RUN_MAX]), Some(Vec::new()));
    }
}

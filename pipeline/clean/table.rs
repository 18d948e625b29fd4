//! One input table from its source to its accepted rows: every rule of `quarantine` in order, the rows that are not
//! yet known dropped and counted before anything else is checked.
//! Single columns are checked in `values`, keys and validity in `keys`; this file puts them together.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, LargeStringArray, NullArray, PrimitiveArray,
    RecordBatch, UInt32Array,
};
use arrow::compute::{cast, concat, filter, max, take_record_batch};
use arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::{Date, MICROSECONDS_A_DAY, Month, day_of};
use crate::contract::{Column, Contract, Type};
use crate::fault::{Collector, Error, Result};
use crate::in_order;
use crate::read::{Origin, Source, SourceBatch, Take, Undigested};

use super::index::{IdIndex, Meaning};
use super::keys;
use super::parse::TextForms;
use super::rules::Rule;
use super::typed;
use super::values::{self, Checked};

/// The accepted rows of one input table, in the order of its files, each column as it is kept in memory:
/// identifiers of the table itself and texts as text, references as positions, words as codes, days, microseconds,
/// whole units of a decimal, floats.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub rows: usize,
    pub columns: Vec<ArrayRef>,
    /// Where other tables refer to this one: its identifiers.
    pub index: Option<Arc<IdIndex>>,
}

/// Which rows of a table in memory are accepted: stretches of them that follow each other.
#[derive(Clone, Debug)]
pub struct Accepted(Vec<Range<usize>>);

impl Accepted {
    fn of(is_accepted: &[bool]) -> Accepted {
        let (mut stretches, mut start) = (Vec::new(), 0);
        for not_accepted in is_accepted.iter().enumerate().filter(|(_, is)| !**is).map(|(row, _)| row) {
            stretches.push(start..not_accepted);
            start = not_accepted + 1;
        }
        stretches.push(start..is_accepted.len());
        Accepted(stretches.into_iter().filter(|rows| !rows.is_empty()).collect())
    }

    fn all(rows: usize) -> Accepted {
        Accepted(Vec::from_iter((rows > 0).then_some(0..rows)))
    }

    /// The rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().flat_map(Clone::clone)
    }
}

/// How many rows of a table were read, and what became of them; `read = accepted + set_aside + not_yet_known`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowCounts {
    /// Rows of the table's files.
    pub read: u64,
    /// Rows that the run was made from.
    pub accepted: u64,
    /// Faulty rows, listed in the table `quarantine`.
    pub set_aside: u64,
    /// Rows that were not known on the as-of date; they have no effect.
    pub not_yet_known: u64,
}

/// A row of the `quarantine` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    pub table: String,
    pub source: String,
    pub row_number: u64,
    pub key: String,
    pub rule: String,
    pub column: Option<String>,
    pub message: String,
}

impl std::ops::AddAssign for RowCounts {
    fn add_assign(&mut self, more: RowCounts) {
        self.read += more.read;
        self.accepted += more.accepted;
        self.set_aside += more.set_aside;
        self.not_yet_known += more.not_yet_known;
    }
}

/// What became of a table.
#[derive(Default)]
pub struct Cleaned {
    pub table: Table,
    pub counts: RowCounts,
    pub set_aside: Vec<SetAside>,
    /// Where each accepted row came from is kept for tables whose rows a later stage may still set aside.
    pub origins: Vec<(String, u64)>,
    /// By file the latest own date among the rows that are known.
    pub newest: BTreeMap<String, Date>,
}

/// One batch after its own rows were checked.
struct CheckedBatch {
    /// Its piece of the source, and which batch of it it is.
    place: (usize, usize),
    origin: Origin,
    as_written: Option<AsWritten>,
    columns: Vec<ArrayRef>,
    /// The first rule that each faulty row breaks, and the position of the column at which it does.
    marks: BTreeMap<u32, (Rule, usize)>,
    is_unknown: Vec<bool>,
    newest: BTreeMap<String, Date>,
}

/// What the check of one table needs of the tables before it.
pub struct Before<'a> {
    pub as_of: Date,
    /// Identifiers of the tables checked so far, by table.
    pub indices: &'a BTreeMap<String, Arc<IdIndex>>,
    /// The level of each accepted area, by position, as its word.
    pub area_levels: &'a [String],
    /// Whether other tables refer to this one.
    pub is_referenced: bool,
}

/// Checks one table. Refuses columns of a type that cannot be read as the contract's, all at once.
pub fn clean(contract: &Contract, source: Arc<Source>, before: &Before) -> Result<Cleaned> {
    let forms = TextForms::of(&contract.table, &source.format)?;
    let batches = check_pieces(contract, &source, &forms, before)?;
    let mut rows = Rows::join(contract, source, batches)?;
    keys::mark_duplicates(&mut rows)?;
    keys::mark_parents(&mut rows)?;
    keys::mark_overlaps(&mut rows)?;
    rows.finish(before)
}

/// What rows of a log are prepared with.
pub type Prepare<'a, P> = &'a (dyn Fn(&Table, Accepted) -> Result<P> + Sync);

/// Checks a table piece by piece. Its accepted rows are prepared, several pieces side by side, and handed over in the
/// order of its files; the same rows as `clean` accepts. For tables without an order of parents or validity, to which no
/// other table refers; the table that is returned is empty.
pub fn stream<P: Send>(
    contract: &Contract,
    source: &Arc<Source>,
    before: &Before,
    prepare: Prepare<P>,
    take: &mut (dyn FnMut(P) -> Result<()> + Send),
) -> Result<Cleaned> {
    let forms = TextForms::of(&contract.table, &source.format)?;
    let is_out_of_order = AtomicBool::new(false);
    let mut log = Log {
        contract,
        source,
        forms: &forms,
        before,
        seen: keys::Seen::default(),
        is_out_of_order: &is_out_of_order,
        again: None,
        cleaned: Cleaned::default(),
        prepare,
        take,
    };
    let mut faults = Collector::default();
    // Enough pieces that no thread waits for another, and no more rows than must be.
    let ahead = rayon::current_num_threads() + 2;
    // A batch is prepared as soon as it is checked, while a processor still has it at hand, and let go.
    let make = |piece: usize| {
        let mut batches = Vec::new();
        let mut prepared = |batch: CheckedBatch| {
            let place = batch.place;
            let mut rows = Rows::join(contract, Arc::clone(source), vec![batch])?;
            let order = keys::order(&rows)?;
            let is_accepted_so = !matches!(order, keys::Order::Other) && !is_out_of_order.load(Ordering::Relaxed);
            let prepared = if is_accepted_so { Some(rows.take_prepared(prepare)?) } else { None };
            batches.push(Batch { place, rows, order, prepared });
            Ok(())
        };
        let read = source.read(piece, &mut checking(contract, source, piece, &forms, before, &mut prepared))?;
        Ok((read, batches))
    };
    in_order::make_and_take(source.pieces(), ahead, make, |_, checked: Result<(Undigested, Vec<Batch<P>>)>| {
        let Some((read, batches)) = faults.take(checked)?.filter(|_| faults.is_empty()) else { return Ok(()) };
        source.digest(read)?;
        batches.into_iter().try_for_each(|batch| log.next(batch))
    })?;
    faults.refuse()?;
    Ok(log.cleaned)
}

/// A batch of a log that was checked.
struct Batch<'a, P> {
    /// Its piece, and which batch of it it is.
    place: (usize, usize),
    rows: Rows<'a>,
    order: keys::Order,
    /// The accepted rows, where keys that came before do not change which they are; `rows` has let go of them then.
    prepared: Option<P>,
}

/// A table that is cleaned piece by piece.
struct Log<'a, P> {
    contract: &'a Contract,
    source: &'a Arc<Source>,
    forms: &'a TextForms,
    before: &'a Before<'a>,
    /// The keys of the rows so far.
    seen: keys::Seen,
    /// For those who prepare batches: what they would prepare is of no use any more.
    is_out_of_order: &'a AtomicBool,
    /// The piece that was checked once more last, for batches that were prepared to no use.
    again: Option<(usize, Vec<CheckedBatch>)>,
    /// What became of the rows so far.
    cleaned: Cleaned,
    prepare: Prepare<'a, P>,
    take: &'a mut (dyn FnMut(P) -> Result<()> + Send),
}

impl<P> Log<'_, P> {
    /// Takes the next checked batch in, in the order of the files.
    fn next(&mut self, batch: Batch<P>) -> Result<()> {
        let Batch { place, mut rows, order, prepared } = batch;
        let is_prepared = prepared.is_some();
        if !keys::follow(&mut rows, &order, &mut self.seen)? {
            self.look_back(place)?;
            keys::follow(&mut rows, &order, &mut self.seen)?;
        }
        let prepared = match prepared.filter(|_| !self.seen.is_all()) {
            Some(prepared) => prepared,
            None => {
                if is_prepared {
                    rows.take_back(self.again(place)?);
                }
                rows.take_prepared(self.prepare)?
            }
        };
        (self.take)(prepared)?;
        let found = rows.outcome(self.before);
        self.cleaned.counts += found.counts;
        self.cleaned.set_aside.extend(found.set_aside);
        for (path, day) in found.newest {
            let latest = self.cleaned.newest.entry(path).or_insert(day);
            *latest = day.max(*latest);
        }
        Ok(())
    }

    /// Keys came out of order: from here on all of them are remembered, those of the batches before too, which are read
    /// once more.
    fn look_back(&mut self, (next, at): (usize, usize)) -> Result<()> {
        let Log { contract, source, forms, before, seen, .. } = self;
        for piece in 0..=next {
            let ((), batches) = check_piece(contract, source, piece, forms, before, Source::read_again)?;
            let earlier = if piece < next { batches.len() } else { at };
            for batch in batches.into_iter().take(earlier) {
                seen.remember(&Rows::join(contract, Arc::clone(source), vec![batch])?)?;
            }
        }
        seen.remember_all();
        self.is_out_of_order.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The columns of a batch, checked once more.
    fn again(&mut self, (piece, at): (usize, usize)) -> Result<Vec<ArrayRef>> {
        if self.again.as_ref().is_none_or(|(last, _)| *last != piece) {
            let Log { contract, source, forms, before, .. } = self;
            let ((), batches) = check_piece(contract, source, piece, forms, before, Source::read_again)?;
            self.again = Some((piece, batches));
        }
        let batch = self.again.as_mut().and_then(|(_, batches)| batches.get_mut(at));
        let batch = batch.ok_or_else(|| Error::internal("a piece has fewer batches when it is read again"))?;
        Ok(std::mem::take(&mut batch.columns))
    }
}

/// Reads every piece and checks its rows, several pieces at a time.
fn check_pieces(contract: &Contract, source: &Source, forms: &TextForms, before: &Before) -> Result<Vec<CheckedBatch>> {
    let (mut faults, mut batches) = (Collector::default(), Vec::new());
    let check = |piece| check_piece(contract, source, piece, forms, before, Source::read);
    let ahead = rayon::current_num_threads() + 2;
    in_order::make_and_take(source.pieces(), ahead, check, |_, checked: Result<(Undigested, Vec<CheckedBatch>)>| {
        let Some((read, checked)) = faults.take(checked)?.filter(|_| faults.is_empty()) else { return Ok(()) };
        batches.extend(checked);
        source.digest(read)
    })?;
    faults.refuse()?;
    Ok(batches)
}

/// Reads a piece, for the first time or once more, and checks its rows batch by batch.
fn check_piece<T>(
    contract: &Contract,
    source: &Source,
    piece: usize,
    forms: &TextForms,
    before: &Before,
    read: fn(&Source, usize, Take) -> Result<T>,
) -> Result<(T, Vec<CheckedBatch>)> {
    let mut checked = Vec::new();
    let mut keep = |batch: CheckedBatch| {
        checked.push(batch);
        Ok(())
    };
    let read = read(source, piece, &mut checking(contract, source, piece, forms, before, &mut keep))?;
    Ok((read, checked))
}

/// Checks the batches of a piece as they are read and hands them over; what one held is let go before the next one is
/// read.
fn checking<'a>(
    contract: &'a Contract,
    source: &'a Source,
    piece: usize,
    forms: &'a TextForms,
    before: &'a Before,
    take: &'a mut dyn FnMut(CheckedBatch) -> Result<()>,
) -> impl FnMut(&SourceBatch) -> Result<()> + 'a {
    let mut number = 0;
    move |batch| {
        let mut next = check_batch(contract, source, batch, forms, before)?;
        next.place = (piece, number);
        number += 1;
        take(next)
    }
}

fn check_batch(
    contract: &Contract,
    source: &Source,
    batch: &SourceBatch,
    forms: &TextForms,
    before: &Before,
) -> Result<CheckedBatch> {
    let rows = batch.columns.num_rows();
    let mut checked = CheckedBatch {
        place: (0, 0),
        origin: batch.origin().clone(),
        as_written: None,
        columns: Vec::new(),
        marks: BTreeMap::new(),
        is_unknown: vec![false; rows],
        newest: BTreeMap::new(),
    };
    let mut collector = Collector::default();
    for (position, column) in contract.columns.iter().enumerate() {
        let raw = batch.columns.column_by_name(&column.name);
        let index = column.references.as_ref().filter(|_| !column.parent);
        let index = index.map(|table| {
            before
                .indices
                .get(table)
                .ok_or_else(|| Error::internal(format!("table `{table}` is checked after `{}`", contract.table)))
        });
        let index = index.transpose()?.map(Arc::as_ref);
        let is_text = batch.is_text_column(&column.name);
        match values::check(column, raw, rows, is_text, forms, index) {
            Ok(values) => checked.take(column, position, values, before),
            Err(wrong) => {
                let shown = source.place(batch.origin(), 0).0;
                let found = raw.map_or(&DataType::Null, |raw| raw.data_type());
                collector.take(Err::<(), _>(wrong.refuse(shown, column, found)))?;
            }
        }
    }
    collector.refuse()?;
    checked.mark_pairs(contract)?;
    checked.mark_date_order(contract)?;
    checked.drop_unknown(contract, before.as_of)?;
    checked.note_newest(contract, source, batch)?;
    checked.keep_as_written(batch)?;
    checked.let_go(contract);
    Ok(checked)
}

/// The faulty rows of a batch as their file writes them, for messages.
struct AsWritten {
    /// Their numbers in the batch, in order.
    rows: Vec<u32>,
    columns: RecordBatch,
}

impl AsWritten {
    fn of(batch: &RecordBatch, rows: Vec<u32>) -> Result<AsWritten> {
        let columns = take_record_batch(batch, &UInt32Array::from(rows.clone()));
        let columns = columns.map_err(|error| Error::internal(error.to_string()))?;
        Ok(AsWritten { rows, columns })
    }

    /// The text of one value, where its row is one of these.
    fn text(&self, row: usize, column: &Column) -> Option<String> {
        let at = self.rows.binary_search(&(row as u32)).ok()?;
        Some(values::shown(column, self.columns.column_by_name(&column.name), at))
    }
}

impl CheckedBatch {
    fn keep_as_written(&mut self, batch: &SourceBatch) -> Result<()> {
        let is_known = |row: &u32| self.is_unknown.get(*row as usize) == Some(&false);
        let rows: Vec<u32> = self.marks.keys().copied().filter(is_known).collect();
        if !rows.is_empty() {
            self.as_written = Some(AsWritten::of(&batch.columns, rows)?);
        }
        Ok(())
    }

    /// Lets go of columns that were checked and that nothing reads.
    fn let_go(&mut self, contract: &Contract) {
        for (column, array) in contract.columns.iter().zip(&mut self.columns) {
            if !typed::is_read(&contract.table, &column.name) && !contract.key.contains(&column.name) {
                *array = Arc::new(NullArray::new(array.len()));
            }
        }
    }

    fn take(&mut self, column: &Column, position: usize, mut values: Checked, before: &Before) {
        if !column.area_levels.is_empty() {
            mark_wrong_levels(column, &mut values, before.area_levels);
        }
        for (row, rule) in values.marks {
            self.mark(row, rule, position);
        }
        for row in values.refers_to_unknown {
            if let Some(is_unknown) = self.is_unknown.get_mut(row as usize) {
                *is_unknown = true;
            }
        }
        self.columns.push(values.array);
    }

    fn mark(&mut self, row: u32, rule: Rule, position: usize) {
        keep_first(&mut self.marks, row, (rule, position));
    }

    /// A row has both of two columns or neither; the missing one is at fault.
    fn mark_pairs(&mut self, contract: &Contract) -> Result<()> {
        for (position, column) in contract.columns.iter().enumerate() {
            let Some(other) = &column.together else { continue };
            let other = contract.require(other)?;
            let (Some(own), Some(other)) = (self.columns.get(position), self.columns.get(other)) else { continue };
            if own.null_count() == 0 || own.nulls() == other.nulls() {
                continue;
            }
            let lonely: Vec<u32> =
                (0..own.len()).filter(|&row| own.is_null(row) && other.is_valid(row)).map(|row| row as u32).collect();
            for row in lonely {
                self.mark(row, Rule::Range, position);
            }
        }
        Ok(())
    }

    fn mark_date_order(&mut self, contract: &Contract) -> Result<()> {
        for order in &contract.date_order {
            let position = contract.require(&order.column)?;
            let (bound, is_strict) = match (&order.not_before, &order.after) {
                (Some(bound), None) => (bound, false),
                (None, Some(bound)) => (bound, true),
                _ => return Err(Error::internal(format!("`{}` has a date order without one bound", contract.table))),
            };
            let bound = self.columns.get(contract.require(bound)?);
            let early = self.columns.get(position).zip(bound).map(|(own, bound)| too_early(own, bound, is_strict));
            for row in early.into_iter().flatten() {
                self.mark(row, Rule::DateOrder, position);
            }
        }
        Ok(())
    }

    /// Rows whose own date or recording lies after the as-of date are not yet known, whatever else is wrong with them.
    fn drop_unknown(&mut self, contract: &Contract, as_of: Date) -> Result<()> {
        for name in [&contract.known_from, &contract.recorded_at].into_iter().flatten() {
            let counts_from_month_end = contract.known_at.is_some() && contract.known_from.as_ref() == Some(name);
            // A month counts from its last day, so the as-of month itself counts only on that day.
            let latest = if counts_from_month_end && as_of != as_of.last_of_month() {
                Date(Month::of(as_of).first_day().0 - 1)
            } else {
                as_of
            };
            let Some(column) = self.columns.get(contract.require(name)?) else { continue };
            if let Some(days) = column.as_primitive_opt::<Date32Type>() {
                mark_later(&mut self.is_unknown, days, latest.0);
            } else if let Some(moments) = column.as_primitive_opt::<TimestampMicrosecondType>() {
                mark_later(&mut self.is_unknown, moments, latest.midnight() + (MICROSECONDS_A_DAY - 1));
            }
        }
        Ok(())
    }

    /// How new the data of each file is: the own date of its newest known row.
    fn note_newest(&mut self, contract: &Contract, source: &Source, batch: &SourceBatch) -> Result<()> {
        let Some(name) = &contract.known_from else { return Ok(()) };
        let Some(column) = self.columns.get(contract.require(name)?) else { return Ok(()) };
        let is_known = |row: usize| self.is_unknown.get(row) == Some(&false);
        if let Some(path) = source.single_file(batch) {
            let newest = match self.is_unknown.contains(&true) {
                true => newest_known_day(column, is_known),
                false => newest_day(column),
            };
            self.newest.extend(newest.map(|day| (path.to_string(), day)));
            return Ok(());
        }
        let mut latest: BTreeMap<&str, Date> = BTreeMap::new();
        for (row, day) in days(column).into_iter().filter(|(row, _)| is_known(*row)) {
            let newest = latest.entry(source.place(batch.origin(), row).0).or_insert(day);
            *newest = day.max(*newest);
        }
        self.newest = latest.into_iter().map(|(path, day)| (path.to_string(), day)).collect();
        Ok(())
    }
}

/// Rows of which one date is before another, or not after it; so of two times.
fn too_early(own: &ArrayRef, bound: &ArrayRef, is_strict: bool) -> Vec<u32> {
    fn of<T: ArrowPrimitiveType>(own: &ArrayRef, bound: &ArrayRef, is_strict: bool) -> Option<Vec<u32>> {
        let (own, bound) = own.as_primitive_opt::<T>().zip(bound.as_primitive_opt::<T>())?;
        let is_early = |(own, bound): (&T::Native, &T::Native)| (own < bound) | (is_strict & (own == bound));
        let pairs = || own.values().iter().zip(bound.values());
        // Mostly none is, which is seen of all at once; the value of a null is anything.
        if !pairs().fold(false, |is_any, pair| is_any | is_early(pair)) {
            return Some(Vec::new());
        }
        let early = (0..).zip(pairs()).filter(|(_, pair)| is_early(*pair)).map(|(row, _)| row);
        Some(early.filter(|&row| own.is_valid(row as usize) && bound.is_valid(row as usize)).collect())
    }
    let of_days = of::<Date32Type>(own, bound, is_strict);
    of_days.or_else(|| of::<TimestampMicrosecondType>(own, bound, is_strict)).unwrap_or_default()
}

/// Marks the rows whose value is above the last one that counts.
fn mark_later<T: ArrowPrimitiveType>(is_later: &mut [bool], values: &PrimitiveArray<T>, last: T::Native) {
    // Mostly none is, which is seen of all at once.
    if !values.values().iter().fold(false, |is_any, value| is_any | (*value > last)) {
        return;
    }
    for (row, (is_later, value)) in is_later.iter_mut().zip(values.values()).enumerate() {
        *is_later |= *value > last && values.is_valid(row);
    }
}

/// The rows of a column of dates or times that have one, and their days.
fn days(column: &ArrayRef) -> Vec<(usize, Date)> {
    let dates = column.as_primitive_opt::<Date32Type>().into_iter().flatten().map(|day| day.map(Date));
    let times = column.as_primitive_opt::<TimestampMicrosecondType>().into_iter().flatten();
    let days = dates.chain(times.map(|moment| moment.map(day_of))).enumerate();
    days.filter_map(|(row, day)| Some((row, day?))).collect()
}

/// The latest day of a column of dates or times.
fn newest_day(column: &ArrayRef) -> Option<Date> {
    match column.as_primitive_opt::<Date32Type>() {
        Some(days) => max(days).map(Date),
        None => max(column.as_primitive_opt::<TimestampMicrosecondType>()?).map(day_of),
    }
}

/// The latest day of those rows of a column of dates or times that are known.
fn newest_known_day(column: &ArrayRef, is_known: impl Fn(usize) -> bool) -> Option<Date> {
    fn newest<T: ArrowPrimitiveType<Native: Ord>>(
        values: &PrimitiveArray<T>,
        is_known: impl Fn(usize) -> bool,
    ) -> Option<T::Native> {
        let known = values.values().iter().enumerate().filter(|(row, _)| is_known(*row) && values.is_valid(*row));
        known.map(|(_, &value)| value).max()
    }
    match column.as_primitive_opt::<Date32Type>() {
        Some(days) => newest(days, is_known).map(Date),
        None => newest(column.as_primitive_opt::<TimestampMicrosecondType>()?, is_known).map(day_of),
    }
}

/// A referenced area of a level that the column does not allow is a reference to nothing.
fn mark_wrong_levels(column: &Column, values: &mut Checked, levels: &[String]) {
    let Some(positions) = values.array.as_primitive_opt::<arrow::datatypes::UInt32Type>() else { return };
    for (row, position) in (0..).zip(positions.iter()) {
        let level = position.and_then(|position| levels.get(position as usize));
        if level.is_some_and(|level| !column.area_levels.contains(level)) {
            values.marks.push((row, Rule::Reference));
        }
    }
}

/// Keeps the first rule in order, and of one rule the first column.
fn keep_first(marks: &mut BTreeMap<u32, (Rule, usize)>, row: u32, mark: (Rule, usize)) {
    let kept = marks.entry(row).or_insert(mark);
    *kept = mark.min(*kept);
}

/// The parts of one column as one array.
fn joined(parts: Vec<ArrayRef>) -> Result<ArrayRef> {
    let internal = |error: ArrowError| Error::internal(error.to_string());
    if let [one] = parts.as_slice() {
        return Ok(Arc::clone(one));
    }
    let kind = parts.first().map(|part| part.data_type().clone());
    let are_alike = parts.iter().all(|part| Some(part.data_type()) == kind.as_ref());
    // One file may hold its text coded and the next one not.
    let as_text = |part: &ArrayRef| cast(part, &DataType::LargeUtf8).map_err(internal);
    let parts = if are_alike { parts } else { parts.iter().map(as_text).collect::<Result<_>>()? };
    concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>()).map_err(internal)
}

/// Whether rules across rows look at a column: keys always, every column where rows are of one tree or valid by day.
fn is_looked_at(contract: &Contract, column: &Column) -> bool {
    let is_register = contract.validity_of.is_some() || contract.columns.iter().any(|column| column.parent);
    is_register || contract.key.contains(&column.name)
}

/// The accepted rows of a column, whose parts are freed as they are joined.
fn accepted(parts: Vec<ArrayRef>, is_accepted: Option<&BooleanArray>) -> Result<ArrayRef> {
    let Some(is_accepted) = is_accepted else { return joined(parts) };
    let mut start = 0;
    let kept = parts.into_iter().map(|part| {
        let of_part = is_accepted.slice(start, part.len());
        start += part.len();
        filter(&part, &of_part).map_err(|error| Error::internal(error.to_string()))
    });
    joined(kept.collect::<Result<_>>()?)
}

/// All rows of one table, while the rules that look across rows are applied.
pub struct Rows<'a> {
    pub contract: &'a Contract,
    source: Arc<Source>,
    /// The columns that rules across rows look at; of the others there are parts.
    pub columns: Vec<ArrayRef>,
    /// By column and batch what is joined only when it is known which rows are accepted.
    parts: Vec<Vec<ArrayRef>>,
    /// The first rule that each faulty row breaks, and the position of its column.
    pub marks: BTreeMap<u32, (Rule, usize)>,
    pub is_unknown: Vec<bool>,
    batches: Vec<BatchOfRows>,
    /// The piece that was read again last, for the values of rows that are faulty only beside others.
    read_again: RefCell<Option<(usize, Vec<RecordBatch>)>>,
    newest: BTreeMap<String, Date>,
}

/// Where the rows of one batch are, and came from.
struct BatchOfRows {
    /// The number of its first row.
    start: usize,
    place: (usize, usize),
    origin: Origin,
    as_written: Option<AsWritten>,
}

impl<'a> Rows<'a> {
    fn join(contract: &'a Contract, source: Arc<Source>, mut batches: Vec<CheckedBatch>) -> Result<Rows<'a>> {
        let mut marks = BTreeMap::new();
        let mut is_unknown = Vec::new();
        let mut places = Vec::new();
        let mut newest = BTreeMap::new();
        for batch in &mut batches {
            for (path, &day) in &batch.newest {
                let latest = newest.entry(path.clone()).or_insert(day);
                *latest = day.max(*latest);
            }
            let start = is_unknown.len();
            let (place, origin) = (batch.place, batch.origin.clone());
            places.push(BatchOfRows { start, place, origin, as_written: batch.as_written.take() });
            is_unknown.extend_from_slice(&batch.is_unknown);
            marks.extend(batch.marks.iter().map(|(&row, &mark)| (row + start as u32, mark)));
        }
        // Column by column, so that the parts of one are freed before the next is joined.
        let mut parts: Vec<Vec<ArrayRef>> =
            contract.columns.iter().map(|_| Vec::with_capacity(batches.len())).collect();
        for batch in batches {
            parts.iter_mut().zip(batch.columns).for_each(|(parts, part)| parts.push(part));
        }
        // A column that is joined has no parts any more.
        let join = |(column, parts): (&Column, &mut Vec<ArrayRef>)| match is_looked_at(contract, column) {
            true => joined(std::mem::take(parts)),
            false => Ok(Arc::new(NullArray::new(0)) as ArrayRef),
        };
        let columns =
            contract.columns.par_iter().zip(&mut parts).with_max_len(1).map(join).collect::<Result<Vec<_>>>()?;
        Ok(Rows {
            contract,
            source,
            columns,
            parts,
            marks,
            is_unknown,
            batches: places,
            read_again: RefCell::new(None),
            newest,
        })
    }

    pub fn len(&self) -> usize {
        self.is_unknown.len()
    }

    /// Whether a row is known and broke no rule before `rule`.
    pub fn passed(&self, row: usize, rule: Rule) -> bool {
        !self.is_unknown.get(row).copied().unwrap_or(true)
            && self.marks.get(&(row as u32)).is_none_or(|&(broken, _)| broken >= rule)
    }

    pub fn mark(&mut self, row: usize, rule: Rule, position: usize) {
        keep_first(&mut self.marks, row as u32, (rule, position));
    }

    fn finish(mut self, before: &Before) -> Result<Cleaned> {
        let set_aside = self.set_aside(before);
        let is_accepted = self.accepted_rows();
        let counts = self.counts();
        let keeps_origins = self.contract.table == "decisions";
        let origins = if keeps_origins {
            (0..self.len()).filter(|&row| is_accepted.get(row) == Some(&true)).map(|row| self.origin(row)).collect()
        } else {
            Vec::new()
        };
        let others = if before.is_referenced { self.other_ids()? } else { Vec::new() };
        // Nothing looks at the files' own values any more; a large table is not held twice.
        if let Some(source) = Arc::get_mut(&mut self.source) {
            source.let_go();
        }
        self.read_again = RefCell::new(None);
        let is_accepted = is_accepted.contains(&false).then(|| BooleanArray::from(is_accepted));
        let whole =
            std::mem::take(&mut self.columns).into_par_iter().zip(std::mem::take(&mut self.parts)).with_max_len(1);
        let columns = whole
            .map(|(column, parts)| accepted(if parts.is_empty() { vec![column] } else { parts }, is_accepted.as_ref()));
        let mut columns = columns.collect::<Result<Vec<_>>>()?;
        let index = if before.is_referenced { Some(Arc::new(self.index(&columns, others)?)) } else { None };
        self.resolve_own(&mut columns, index.as_deref())?;
        let table = Table { rows: usize::try_from(counts.accepted).unwrap_or(0), columns, index };
        Ok(Cleaned { table, counts, set_aside, origins, newest: self.newest })
    }

    /// Prepares the accepted rows of a batch. Of its columns only those are kept that are asked for afterwards: keys, and
    /// days, which are told in their own form.
    fn take_prepared<P>(&mut self, prepare: Prepare<P>) -> Result<P> {
        let columns = self.parts.iter().zip(&self.columns);
        let columns = columns.map(|(part, column)| Arc::clone(part.first().unwrap_or(column)));
        let table = Table { rows: self.len(), columns: columns.collect(), index: None };
        let are_all_accepted = self.marks.is_empty() && !self.is_unknown.contains(&true);
        let accepted = if are_all_accepted { Accepted::all(self.len()) } else { Accepted::of(&self.accepted_rows()) };
        let prepared = prepare(&table, accepted)?;
        for part in self.parts.iter_mut().flatten().filter(|part| part.as_primitive_opt::<Date32Type>().is_none()) {
            *part = Arc::new(NullArray::new(part.len()));
        }
        Ok(prepared)
    }

    /// Takes the columns of a batch back that let go of them.
    fn take_back(&mut self, columns: Vec<ArrayRef>) {
        let parts = self.parts.iter_mut().zip(columns).flat_map(|(parts, column)| Some((parts.first_mut()?, column)));
        parts.for_each(|(part, column)| *part = column);
    }

    /// What became of the rows.
    fn outcome(self, before: &Before) -> Cleaned {
        let set_aside = self.set_aside(before);
        Cleaned { counts: self.counts(), set_aside, newest: self.newest, ..Cleaned::default() }
    }

    /// By row, whether it is known and broke no rule.
    fn accepted_rows(&self) -> Vec<bool> {
        let mut is_accepted: Vec<bool> = self.is_unknown.iter().map(|is_unknown| !is_unknown).collect();
        for &row in self.marks.keys() {
            if let Some(is_accepted) = is_accepted.get_mut(row as usize) {
                *is_accepted = false;
            }
        }
        is_accepted
    }

    fn counts(&self) -> RowCounts {
        let is_known = |row: &u32| self.is_unknown.get(*row as usize) == Some(&false);
        let set_aside = self.marks.keys().filter(|row| is_known(row)).count() as u64;
        let not_yet_known = self.is_unknown.iter().filter(|&&is_unknown| is_unknown).count() as u64;
        let read = self.len() as u64;
        RowCounts { read, accepted: read - set_aside - not_yet_known, set_aside, not_yet_known }
    }

    /// The text column by which other tables refer to rows of this one: the first of its key.
    fn id_column<'c>(&self, columns: &'c [ArrayRef]) -> Result<&'c LargeStringArray> {
        let position = self.contract.require(self.contract.key.first().map_or("", String::as_str))?;
        let ids = columns.get(position).and_then(|column| column.as_string_opt::<i64>());
        ids.ok_or_else(|| Error::internal(format!("the key of `{}` is no text", self.contract.table)))
    }

    /// Identifiers of rows that were set aside, then of rows that are not known.
    fn other_ids(&self) -> Result<Vec<(String, Meaning)>> {
        let ids = self.id_column(&self.columns)?;
        let is_unknown = |row: usize| self.is_unknown.get(row) == Some(&true);
        let marked = self.marks.keys().map(|&row| row as usize).filter(|&row| !is_unknown(row));
        let unknown = (0..self.len()).filter(|&row| is_unknown(row));
        let others = marked.map(|row| (row, Meaning::SetAside)).chain(unknown.map(|row| (row, Meaning::NotKnown)));
        let others = others.filter(|&(row, _)| ids.is_valid(row));
        Ok(others.map(|(row, meaning)| (ids.value(row).to_string(), meaning)).collect())
    }

    /// The identifiers that other tables may refer to, each distinct one once.
    fn index(&self, accepted: &[ArrayRef], others: Vec<(String, Meaning)>) -> Result<IdIndex> {
        let own = self.id_column(accepted)?;
        let own = if self.contract.key.len() > 1 { keys::distinct(own) } else { own.clone() };
        Ok(IdIndex::new(own, others))
    }

    /// Parents, which stayed text until the table's own identifiers were known, become positions too.
    fn resolve_own(&self, columns: &mut [ArrayRef], index: Option<&IdIndex>) -> Result<()> {
        for (position, column) in self.contract.columns.iter().enumerate().filter(|(_, column)| column.parent) {
            let Some(slot) = columns.get_mut(position) else { continue };
            let index = index.ok_or_else(|| Error::internal(format!("`{}` has no index", column.name)))?;
            let forms = TextForms::of(&self.contract.table, &self.source.format)?;
            let checked = values::check(column, Some(slot), slot.len(), true, &forms, Some(index));
            *slot = checked.map_err(|_| Error::internal(format!("`{}` is not text", column.name)))?.array;
        }
        Ok(())
    }

    fn batch_of(&self, row: usize) -> Option<(&BatchOfRows, usize)> {
        let at = self.batches.partition_point(|batch| batch.start <= row).checked_sub(1)?;
        let batch = self.batches.get(at)?;
        Some((batch, row - batch.start))
    }

    fn origin(&self, row: usize) -> (String, u64) {
        let origin = self.batch_of(row).map(|(batch, row)| self.source.place(&batch.origin, row));
        origin.map_or_else(Default::default, |(source, row)| (source.to_string(), row))
    }

    /// The value of a column of days, where it could be read.
    fn day(&self, row: usize, position: usize) -> Option<Date> {
        let (array, row) = match self.parts.get(position).filter(|parts| !parts.is_empty()) {
            Some(parts) => {
                let at = self.batches.partition_point(|batch| batch.start <= row).checked_sub(1)?;
                (parts.get(at)?, row - self.batches.get(at)?.start)
            }
            None => (self.columns.get(position)?, row),
        };
        let days = array.as_primitive_opt::<Date32Type>()?;
        days.is_valid(row).then(|| Date(days.value(row)))
    }

    /// The text of one value as the file writes it, dates as `2026-06-30`.
    pub fn text(&self, row: usize, position: usize) -> String {
        let Some(column) = self.contract.columns.get(position) else { return String::new() };
        if let Some(day) = self.day(row, position) {
            return day.to_string();
        }
        let Some((batch, row)) = self.batch_of(row) else { return String::new() };
        let as_written = batch.as_written.as_ref().and_then(|rows| rows.text(row, column));
        as_written.unwrap_or_else(|| self.text_read_again(batch.place, row, column))
    }

    /// The text of a value that was sound by itself: it is still in its file. One that is gone from there is empty here;
    /// the file has changed then, and the run ends for that.
    fn text_read_again(&self, (piece, batch): (usize, usize), row: usize, column: &Column) -> String {
        let mut read_again = self.read_again.borrow_mut();
        if read_again.as_ref().is_none_or(|(last, _)| *last != piece) {
            let mut batches = Vec::new();
            let _ = self.source.read_again(piece, &mut |batch| {
                batches.push(batch.columns.clone());
                Ok(())
            });
            *read_again = Some((piece, batches));
        }
        let batch = read_again.as_ref().and_then(|(_, batches)| batches.get(batch));
        batch.map_or_else(String::new, |batch| values::shown(column, batch.column_by_name(&column.name), row))
    }

    /// The values of the primary key, joined by `|`.
    pub fn key(&self, row: usize) -> String {
        let positions = self.contract.key.iter().filter_map(|name| self.contract.position(name));
        positions.map(|position| self.text(row, position)).collect::<Vec<_>>().join("|")
    }

    fn set_aside(&self, before: &Before) -> Vec<SetAside> {
        let known = self.marks.iter().filter(|(row, _)| self.is_unknown.get(**row as usize) == Some(&false));
        known
            .map(|(&row, &(rule, position))| {
                let (source, row_number) = self.origin(row as usize);
                let column = match rule {
                    Rule::DuplicateKey => self.contract.key.join("|"),
                    _ => self.contract.columns.get(position).map_or_else(String::new, |column| column.name.clone()),
                };
                SetAside {
                    table: self.contract.table.clone(),
                    source,
                    row_number,
                    key: self.key(row as usize),
                    rule: rule.name().into(),
                    message: self.message(row as usize, rule, position, before),
                    column: Some(column),
                }
            })
            .collect()
    }

    fn message(&self, row: usize, rule: Rule, position: usize, before: &Before) -> String {
        let Some(column) = self.contract.columns.get(position) else { return String::new() };
        let (name, value) = (&column.name, self.quoted(row, position, before));
        match rule {
            Rule::Null => {
                let reason = if self.source.missing.contains(name) { "the column is missing" } else { "it is empty" };
                format!("`{name}` is required, and {reason}")
            }
            Rule::Type => format!("`{name}` is {value}, which is not {}", column.kind.describe()),
            Rule::Word => format!("`{name}` is {value}; its words are {}", column.words.join(", ")),
            Rule::Range if self.text(row, position).is_empty() => {
                format!("`{name}` is empty while `{}` is not", column.together.as_deref().unwrap_or(""))
            }
            Rule::Range => range_message(column, &value),
            Rule::DateOrder => {
                let order = self.contract.date_order.iter().find(|order| order.column == *name);
                let bound = order.and_then(|order| order.not_before.as_ref().or(order.after.as_ref()));
                let bound = bound.map_or("", String::as_str);
                let limit = self.contract.position(bound).map_or_else(String::new, |at| self.quoted(row, at, before));
                format!("`{name}` is {value}, too early against `{bound}` {limit}")
            }
            Rule::DuplicateKey => {
                format!("another row with the key `{}` came first", self.key(row))
            }
            Rule::Reference => {
                let table = column.references.as_deref().unwrap_or("");
                format!("`{name}` is {value}, and `{table}` has no such row that is sound and fits")
            }
            Rule::OverlappingValidity => {
                let subject = self.contract.validity_of.as_ref().and_then(|name| self.contract.position(name));
                let subject = subject.map_or_else(String::new, |position| self.text(row, position));
                format!("the row is valid on days on which an earlier row of `{subject}` is valid too")
            }
        }
    }

    /// The value as a message may say it. In a table that holds names of people a cell may have slipped into another
    /// column, so only what was read as a date, short numbers and identifiers that other tables know are told there.
    fn quoted(&self, row: usize, position: usize, before: &Before) -> String {
        let value = self.text(row, position);
        let holds_names = self.contract.columns.iter().any(|column| column.sensitive);
        if !holds_names || is_short_number(&value) || self.is_known(row, position, &value, before) {
            return format!("`{value}`");
        }
        let length = value.chars().count();
        let characters = if length == 1 { "character" } else { "characters" };
        format!("a text of {length} {characters} (not shown: a name may have slipped into this column)")
    }

    /// Whether a value was read as a date, or identifies a row of another table, sound or not.
    fn is_known(&self, row: usize, position: usize, value: &str, before: &Before) -> bool {
        let Some(column) = self.contract.columns.get(position) else { return false };
        let index = column.references.as_ref().and_then(|table| before.indices.get(table));
        self.day(row, position).is_some() || index.is_some_and(|index| index.find(value) != Meaning::Nothing)
    }
}

/// Whether a text is a number too short to say who somebody is.
fn is_short_number(text: &str) -> bool {
    let whole = text.strip_prefix('-').unwrap_or(text).split('.').next().unwrap_or("");
    whole.len() <= 4 && text.len() <= 12 && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// What a value that is out of bounds should be; `value` as a message says it.
fn range_message(column: &Column, value: &str) -> String {
    let name = &column.name;
    let mut bounds = Vec::new();
    match column.kind {
        Type::Id => bounds.push("it must have 1 to 64 bytes and no control characters".to_string()),
        Type::Count if column.minimum.is_none() => bounds.push("it must not be negative".to_string()),
        _ => {}
    }
    bounds.extend(column.minimum.map(|least| format!("it must be at least {least}")));
    bounds.extend(column.more_than.map(|bound| format!("it must be more than {bound}")));
    bounds.extend(column.maximum.map(|most| format!("it must be at most {most}")));
    bounds.extend(column.day.map(|day| match day {
        crate::contract::DayRule::FirstOfMonth => "it must be the first of a month".to_string(),
        crate::contract::DayRule::LastOfMonth => "it must be the last of a month".to_string(),
    }));
    if matches!(column.kind, Type::Date | Type::Time) && bounds.is_empty() {
        bounds.push("it must lie in the years 1 to 9999".to_string());
    }
    if bounds.is_empty() {
        bounds.push("it is too large, or no finite number".to_string());
    }
    format!("`{name}` is {value}; {}", bounds.join(" and "))
}

#[cfg(test)]
mod tests {
    use arrow::array::{DictionaryArray, StringArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn text_of_several_files_is_one_column_however_each_keeps_it() {
        let coded = |texts: Vec<Option<&str>>| -> ArrayRef {
            Arc::new(texts.into_iter().collect::<DictionaryArray<Int32Type>>())
        };
        let plain: ArrayRef = Arc::new(LargeStringArray::from(vec![Some("c"), Some("a")]));
        let texts = |column: ArrayRef| {
            let texts = cast(&column, &DataType::Utf8).unwrap();
            texts.as_string::<i32>().iter().map(|text| text.map(String::from)).collect::<Vec<_>>()
        };
        let (first, second) = (coded(vec![Some("a"), None, Some("a")]), coded(vec![Some("b"), Some("a")]));
        let alike = joined(vec![Arc::clone(&first), Arc::clone(&second)]).unwrap();
        let expected = [Some("a"), None, Some("a"), Some("b"), Some("a"), Some("c"), Some("a")];
        let expected: Vec<Option<String>> = expected.iter().map(|text| text.map(String::from)).collect();
        assert_eq!(texts(alike), expected[..5]);
        let mixed = joined(vec![first, second, plain]).unwrap();
        assert_eq!((mixed.data_type(), texts(Arc::clone(&mixed))), (&DataType::LargeUtf8, expected));
        let is_accepted = BooleanArray::from(vec![true, false, true, false, true]);
        let parts =
            vec![coded(vec![Some("a"), Some("b"), None]), Arc::new(StringArray::from(vec!["c", "d"])) as ArrayRef];
        assert_eq!(texts(accepted(parts, Some(&is_accepted)).unwrap()), [Some("a".into()), None, Some("d".into())]);
    }

    #[test]
    fn accepted_rows_are_those_that_are_marked_so() {
        let found = |is_accepted: &[bool]| Accepted::of(is_accepted).rows().collect::<Vec<_>>();
        assert_eq!(found(&[]), [0; 0]);
        assert_eq!(found(&[false, false]), [0; 0]);
        assert_eq!(found(&[true, true]), [0, 1]);
        assert_eq!(found(&[false, true, true, false, false, true]), [1, 2, 5]);
    }
}

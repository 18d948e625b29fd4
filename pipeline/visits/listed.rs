//! The evaluated visits as the table of checks lists them, in the order of visit_id. They come in the order of their
//! files, which is mostly that of visit_id too; where it is not, they are sorted once all of them are there.

use arrow::array::{Array, ArrayRef, AsArray, StringArray, TimestampMicrosecondArray, UInt32Array};
use arrow::buffer::{BooleanBuffer, OffsetBuffer};
use arrow::compute::interleave;
use arrow::datatypes::{TimestampMicrosecondType, UInt32Type};
use rayon::prelude::*;

use crate::clean::typed::{References, Rows as _, Visits};
use crate::fault::{Error, Result};
use crate::read::spill::{Kept, Spill};

use super::packed::{Packer, Unpacker, lost};
use super::record::{NONE, none_or, or_none};

/// Visits of one part of a table that had to be sorted.
const SORTED_PART: usize = 1 << 17;

/// Some evaluated visits: the columns of the table of checks that are the visit's own.
#[derive(Clone, Debug)]
pub struct ListedVisits {
    pub ids: StringArray,
    /// Positions of officers, grids and households; of a visit to no household `u32::MAX`.
    pub officers: UInt32Array,
    pub grids: UInt32Array,
    pub households: UInt32Array,
    pub started_at: TimestampMicrosecondArray,
}

impl Default for ListedVisits {
    fn default() -> Self {
        let none = || UInt32Array::from(Vec::<u32>::new());
        ListedVisits {
            ids: StringArray::from(Vec::<&str>::new()),
            officers: none(),
            grids: none(),
            households: none(),
            started_at: TimestampMicrosecondArray::from(Vec::<i64>::new()),
        }
    }
}

impl ListedVisits {
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The position of a visit's household.
    pub fn household(&self, row: usize) -> Option<usize> {
        self.households.values().get(row).filter(|&&position| position != NONE).map(|&position| position as usize)
    }

    /// The positions of households, null where there is none.
    pub fn households_or_null(&self) -> UInt32Array {
        let positions = self.households.values();
        let has_household: BooleanBuffer = positions.iter().map(|&position| position != NONE).collect();
        UInt32Array::new(positions.clone(), Some(has_household.into()))
    }

    fn columns(&self) -> [ArrayRef; 5] {
        let ListedVisits { ids, officers, grids, households, started_at } = self.clone();
        [
            std::sync::Arc::new(ids),
            std::sync::Arc::new(officers),
            std::sync::Arc::new(grids),
            std::sync::Arc::new(households),
            std::sync::Arc::new(started_at),
        ]
    }

    fn of_columns(columns: &[ArrayRef]) -> Option<ListedVisits> {
        let numbers = |place: usize| columns.get(place)?.as_primitive_opt::<UInt32Type>().cloned();
        Some(ListedVisits {
            ids: columns.first()?.as_string_opt::<i32>()?.clone(),
            officers: numbers(1)?,
            grids: numbers(2)?,
            households: numbers(3)?,
            started_at: columns.get(4)?.as_primitive_opt::<TimestampMicrosecondType>()?.clone(),
        })
    }

    fn pack(&self, packer: &mut Packer) -> PackedList {
        let ids: Vec<&str> = self.ids.iter().map(Option::unwrap_or_default).collect();
        let positions = [&self.officers, &self.grids, &self.households].map(|column| column.values().iter().copied());
        pack_columns(&ids, positions, self.started_at.values().iter().copied(), packer)
    }

    fn unpack(bytes: &[u8], rows: usize) -> Result<ListedVisits> {
        let mut columns = Unpacker::of(bytes);
        let ids = unpack_ids(&mut columns, rows)?;
        let mut numbers = || columns.column(rows, none_or).map(UInt32Array::from);
        let (officers, grids, households) = (numbers()?, numbers()?, numbers()?);
        let started_at = TimestampMicrosecondArray::from(columns.column(rows, |moment| moment)?);
        Ok(ListedVisits { ids, officers, grids, households, started_at })
    }
}

/// Some evaluated visits that follow each other, packed.
pub(super) struct PackedList {
    rows: usize,
    bytes: Box<[u8]>,
    /// The first identifier and the last; None of no visit.
    ends: Option<(String, String)>,
    /// Whether each comes after the one before it in the order of visit_id.
    is_rising: bool,
}

/// Packs some rows of the log.
pub(super) fn pack(
    visits: &Visits,
    rows: impl ExactSizeIterator<Item = usize> + Clone,
    packer: &mut Packer,
) -> PackedList {
    let ids: Vec<&str> = rows.clone().map(|row| visits.visit_id.text(row)).collect();
    let positions = [&visits.officer_id, &visits.grid_id, &visits.household_id];
    let position = |column: &References, row| column.get(row).map_or(NONE, |position| position as u32);
    let positions = positions.map(|column| rows.clone().map(move |row| position(column, row)));
    let started_at = rows.map(|row| visits.started_at.get(row).unwrap_or_default());
    pack_columns(&ids, positions, started_at, packer)
}

fn pack_columns(
    ids: &[&str],
    positions: [impl Iterator<Item = u32>; 3],
    started_at: impl Iterator<Item = i64>,
    packer: &mut Packer,
) -> PackedList {
    let is_rising = ids.is_sorted_by(|one, next| one < next);
    pack_ids(ids, packer);
    for column in positions {
        packer.numbers(column.map(or_none));
    }
    packer.moments(started_at);
    let ends = ids.first().zip(ids.last()).map(|(first, last)| (first.to_string(), last.to_string()));
    PackedList { rows: ids.len(), bytes: packer.end(), ends, is_rising }
}

/// Identifiers of neighbours mostly begin alike: of each is kept how long it is, with how many bytes of the one before it
/// begins, and the others.
fn pack_ids(ids: &[&str], packer: &mut Packer) {
    let each = || ids.iter().map(|id| id.as_bytes());
    packer.numbers(each().map(|id| id.len() as i64));
    let mut rest = Vec::new();
    let mut before = &[][..];
    packer.numbers(each().map(|id| {
        let alike = alike(before, id);
        rest.extend_from_slice(id.get(alike..).unwrap_or_default());
        before = id;
        alike as i64
    }));
    packer.bytes(&rest);
}

/// With how many same bytes two texts begin.
fn alike(one: &[u8], other: &[u8]) -> usize {
    let (ones, _) = one.as_chunks::<8>();
    let (others, _) = other.as_chunks::<8>();
    let pairs = ones.iter().zip(others).map(|(one, other)| u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other));
    if let Some((eights, difference)) = (0..).zip(pairs).find(|(_, difference)| *difference != 0) {
        return 8 * eights + difference.trailing_zeros() as usize / 8;
    }
    let eights = 8 * ones.len().min(others.len());
    let rest = one.iter().zip(other).skip(eights);
    eights + rest.take_while(|(one, other)| one == other).count()
}

fn unpack_ids(columns: &mut Unpacker, rows: usize) -> Result<StringArray> {
    let lengths = columns.column(rows, |length| length as usize)?;
    let alike = columns.column(rows, |alike| alike as usize)?;
    let mut rest = columns.bytes()?;
    let mut offsets = Vec::with_capacity(rows + 1);
    let mut texts = Vec::with_capacity(lengths.iter().sum());
    offsets.push(0);
    let mut before = 0..0;
    for (length, alike) in lengths.into_iter().zip(alike) {
        let own = length.checked_sub(alike).and_then(|own| rest.split_at_checked(own));
        let (own, after) = own.filter(|_| alike <= before.len()).ok_or_else(lost)?;
        let first = texts.len();
        texts.extend_from_within(before.start..before.start + alike);
        texts.extend_from_slice(own);
        offsets.push(i32::try_from(texts.len()).map_err(|_| lost())?);
        before = first..texts.len();
        rest = after;
    }
    StringArray::try_new(OffsetBuffer::new(offsets.into()), texts.into(), None).map_err(|_| lost())
}

/// Visits that came together.
#[derive(Debug)]
struct Part {
    rows: usize,
    kept: Kept,
}

/// The evaluated visits, part by part.
#[derive(Debug, Default)]
pub(super) struct Listed {
    parts: Vec<Part>,
    spill: Spill,
    /// The visit that came last, while each came after the one before it in the order of visit_id.
    last: Option<String>,
    is_out_of_order: bool,
    /// Where they came out of order, the number in the log of each visit in order.
    order: Option<Vec<u32>>,
}

impl Listed {
    pub fn begin(spill: Spill) -> Listed {
        Listed { spill, ..Listed::default() }
    }

    /// Takes the next visits in.
    pub fn push(&mut self, visits: PackedList) -> Result<()> {
        let Some((first, last)) = visits.ends else { return Ok(()) };
        let follows = self.last.as_deref().is_none_or(|before| before < first.as_str());
        self.is_out_of_order |= !follows || !visits.is_rising;
        self.last = Some(last);
        self.parts.push(Part { rows: visits.rows, kept: self.spill.keep(visits.bytes)? });
        Ok(())
    }

    /// When all are there: the place of each visit of the log in the order of visit_id; None where it is its number.
    pub fn sort(&mut self) -> Result<Option<Vec<u32>>> {
        if !self.is_out_of_order {
            return Ok(None);
        }
        let parts = (0..self.parts.len()).map(|part| self.held(part)).collect::<Result<Vec<_>>>()?;
        let mut order: Vec<(u32, u32)> = Vec::new();
        for (part, visits) in (0..).zip(&parts) {
            order.extend((0..visits.len() as u32).map(|row| (part, row)));
        }
        let id =
            |&(part, row): &(u32, u32)| parts.get(part as usize).map_or("", |visits| visits.ids.value(row as usize));
        order.par_sort_unstable_by(|one, other| id(one).cmp(id(other)));
        let mut starts = vec![0_u32; parts.len()];
        let mut next = 0;
        for (start, visits) in starts.iter_mut().zip(&parts) {
            *start = next;
            next += visits.len() as u32;
        }
        let number = |&(part, row): &(u32, u32)| starts.get(part as usize).copied().unwrap_or(0) + row;
        let numbers: Vec<u32> = order.iter().map(number).collect();
        let mut places = vec![0_u32; numbers.len()];
        for (place, &number) in (0..).zip(&numbers) {
            if let Some(slot) = places.get_mut(number as usize) {
                *slot = place;
            }
        }
        let columns: Vec<[ArrayRef; 5]> = parts.iter().map(ListedVisits::columns).collect();
        let (mut sorted, mut packer) = (Vec::new(), Packer::default());
        for stretch in order.chunks(SORTED_PART) {
            let packed = gather(&columns, stretch)?.pack(&mut packer);
            sorted.push(Part { rows: packed.rows, kept: self.spill.keep(packed.bytes)? });
        }
        (self.parts, self.order) = (sorted, Some(numbers));
        Ok(Some(places))
    }

    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// One part, and the numbers of its visits in the log.
    pub fn part(&self, part: usize) -> Result<(ListedVisits, impl Iterator<Item = u32> + '_)> {
        let first: usize = self.parts.iter().take(part).map(|part| part.rows).sum();
        let visits = self.held(part)?;
        let numbers = (first..first + visits.len()).map(|place| match &self.order {
            Some(order) => order.get(place).copied().unwrap_or(u32::MAX),
            None => place as u32,
        });
        Ok((visits, numbers))
    }

    fn held(&self, part: usize) -> Result<ListedVisits> {
        let part = self.parts.get(part).ok_or_else(|| Error::internal("there are fewer visits than were asked for"))?;
        ListedVisits::unpack(&self.spill.find(&part.kept)?, part.rows)
    }
}

/// Rows of several parts as one.
fn gather(parts: &[[ArrayRef; 5]], rows: &[(u32, u32)]) -> Result<ListedVisits> {
    let rows: Vec<(usize, usize)> = rows.iter().map(|&(part, row)| (part as usize, row as usize)).collect();
    let columns = (0..5).map(|place| {
        let columns: Vec<&dyn Array> =
            parts.iter().filter_map(|columns| columns.get(place)).map(AsRef::as_ref).collect();
        interleave(&columns, &rows).map_err(|error| Error::internal(error.to_string()))
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    ListedVisits::of_columns(&columns).ok_or_else(|| Error::internal("sorted visits are of other columns"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visits(ids: &[&str]) -> ListedVisits {
        let numbers = |first: u32| UInt32Array::from_iter_values(first..first + ids.len() as u32);
        ListedVisits {
            ids: StringArray::from_iter_values(ids),
            officers: numbers(1),
            grids: numbers(10),
            households: UInt32Array::from(vec![NONE; ids.len()]),
            started_at: TimestampMicrosecondArray::from_iter_values(0..ids.len() as i64),
        }
    }

    fn handed_over(listed: &Listed) -> Vec<(String, u32)> {
        let mut all = Vec::new();
        for part in 0..listed.parts() {
            let (visits, numbers) = listed.part(part).unwrap();
            assert_eq!((visits.household(0), visits.officers.len()), (None, visits.len()));
            all.extend(visits.ids.iter().flatten().map(String::from).zip(numbers));
        }
        all
    }

    #[test]
    fn identifiers_are_the_same_when_they_were_packed() {
        let long = "a branch and a grid and a visit ".repeat(20);
        let of_long = [format!("{long}1"), format!("{long}12"), format!("{}é", &long[..9])];
        let of_long = of_long.iter().map(String::as_str);
        let ids: Vec<&str> =
            ["V001-017", "V001-018", "V001-018", "", "", "W", "V001-01", "é", "è"].into_iter().chain(of_long).collect();
        for count in 0..=ids.len() {
            let mut packer = Packer::default();
            pack_ids(&ids[..count], &mut packer);
            let packed = packer.end();
            let found = unpack_ids(&mut Unpacker::of(&packed), count).unwrap();
            assert_eq!(found.iter().flatten().collect::<Vec<_>>(), ids[..count]);
        }
    }

    #[test]
    fn visits_are_handed_over_by_their_id_wherever_they_lie() {
        for spill in [Spill::in_memory(), Spill::in_a_file().unwrap()] {
            let mut listed = Listed::begin(spill);
            let push = |listed: &mut Listed, ids: &[&str]| {
                listed.push(visits(ids).pack(&mut Packer::default())).unwrap();
            };
            push(&mut listed, &["a", "c"]);
            push(&mut listed, &["d"]);
            assert_eq!(listed.sort().unwrap(), None);
            assert_eq!(handed_over(&listed), [("a".into(), 0), ("c".into(), 1), ("d".into(), 2)]);
            push(&mut listed, &["b"]);
            assert_eq!(listed.sort().unwrap(), Some(vec![0, 2, 3, 1]));
            assert_eq!(handed_over(&listed), [("a".into(), 0), ("b".into(), 3), ("c".into(), 1), ("d".into(), 2)]);
        }
    }
}

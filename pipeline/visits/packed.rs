//! Columns of whole numbers in few bytes: each number as what it is above the smallest of its column, in a unit that
//! divides them all, in as many bytes as the largest of them needs. A log of visits is held so: memory that is not
//! touched is time that is not spent.

use crate::fault::{Error, Result};

/// Bytes that follow the last column, so that eight bytes can be read at once wherever a number begins.
const PAD: usize = 8;

/// Units in which moments are mostly written, in microseconds.
const MINUTE: u64 = 60_000_000;
const SECOND: u64 = 1_000_000;
const MILLISECOND: u64 = 1_000;

fn above(value: i64, least: i64) -> u64 {
    value.wrapping_sub(least).cast_unsigned()
}

/// Columns that are being packed one after the other.
#[derive(Debug, Default)]
pub(super) struct Packer {
    bytes: Vec<u8>,
    /// The column that is being packed.
    column: Vec<i64>,
}

impl Packer {
    /// Adds a column.
    pub fn numbers(&mut self, values: impl Iterator<Item = i64>) {
        let least = self.begin(values);
        self.write::<1>(least);
    }

    /// Adds a column of microseconds, which are mostly whole minutes, seconds or milliseconds.
    pub fn moments(&mut self, values: impl Iterator<Item = i64>) {
        let least = self.begin(values);
        // Each unit is known to the compiler, so that nothing is divided number by number.
        match () {
            () if self.is_in::<MINUTE>(least) => self.write::<MINUTE>(least),
            () if self.is_in::<SECOND>(least) => self.write::<SECOND>(least),
            () if self.is_in::<MILLISECOND>(least) => self.write::<MILLISECOND>(least),
            () => self.write::<1>(least),
        }
    }

    /// Takes the numbers of a column; the smallest of them.
    fn begin(&mut self, values: impl Iterator<Item = i64>) -> i64 {
        self.column.clear();
        self.column.extend(values);
        self.column.iter().copied().min().unwrap_or(0)
    }

    fn is_in<const UNIT: u64>(&self, least: i64) -> bool {
        self.column.iter().all(|&value| above(value, least).is_multiple_of(UNIT))
    }

    fn write<const UNIT: u64>(&mut self, least: i64) {
        let mut most = 0;
        for value in &mut self.column {
            let packed = above(*value, least) / UNIT;
            most = packed.max(most);
            *value = packed.cast_signed();
        }
        let width = (u64::BITS - most.leading_zeros()).div_ceil(8) as usize;
        self.bytes.extend(least.to_le_bytes());
        self.bytes.extend(UNIT.to_le_bytes());
        self.bytes.push(width as u8);
        match width {
            0 => {}
            1 => self.lay::<1>(),
            2 => self.lay::<2>(),
            3 => self.lay::<3>(),
            4 => self.lay::<4>(),
            5 => self.lay::<5>(),
            6 => self.lay::<6>(),
            7 => self.lay::<7>(),
            _ => self.lay::<8>(),
        }
    }

    /// Lays the lowest bytes of each number down. How many is known to the compiler.
    fn lay<const WIDTH: usize>(&mut self) {
        let first = self.bytes.len();
        self.bytes.resize(first + WIDTH * self.column.len(), 0);
        let (slots, _) = self.bytes.get_mut(first..).unwrap_or_default().as_chunks_mut::<WIDTH>();
        for (slot, value) in slots.iter_mut().zip(&self.column) {
            if let Some(lowest) = value.to_le_bytes().first_chunk::<WIDTH>() {
                *slot = *lowest;
            }
        }
    }

    /// Adds bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.numbers(std::iter::once(bytes.len() as i64));
        self.bytes.extend(bytes);
    }

    /// Everything that was packed, and begins anew.
    pub fn end(&mut self) -> Box<[u8]> {
        self.bytes.resize(self.bytes.len() + PAD, 0);
        let packed = self.bytes.as_slice().into();
        self.bytes.clear();
        packed
    }
}

/// Columns that are taken out again one after the other, in the order in which they were packed.
pub(super) struct Unpacker<'a> {
    bytes: &'a [u8],
}

impl<'a> Unpacker<'a> {
    pub fn of(bytes: &'a [u8]) -> Unpacker<'a> {
        Unpacker { bytes }
    }

    /// The numbers of the next column.
    pub fn numbers(&mut self, rows: usize) -> Result<impl Iterator<Item = i64> + use<'a>> {
        let (least, unit) = (self.number()?, self.number()?);
        let (&width, rest) = self.bytes.split_first().ok_or_else(lost)?;
        let width = usize::from(width);
        let end = width * rows;
        // With what follows the column, so that its last number too can be read as eight bytes.
        let column = rest.get(..end + PAD).ok_or_else(lost)?;
        self.bytes = rest.get(end..).ok_or_else(lost)?;
        let mask = u64::MAX.checked_shr(u64::BITS - 8 * width as u32).unwrap_or(0);
        Ok((0..rows).map(move |row| {
            let at = row * width;
            let eight = column.get(at..at + PAD).and_then(|bytes| bytes.first_chunk::<PAD>());
            let packed = eight.map_or(0, |bytes| u64::from_le_bytes(*bytes)) & mask;
            least.wrapping_add((packed.wrapping_mul(unit.cast_unsigned())).cast_signed())
        }))
    }

    /// The next bytes as they are.
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let count = self.numbers(1)?.next().and_then(|count| usize::try_from(count).ok()).ok_or_else(lost)?;
        let (bytes, rest) = self.bytes.split_at_checked(count).ok_or_else(lost)?;
        self.bytes = rest;
        Ok(bytes)
    }

    fn number(&mut self) -> Result<i64> {
        let (first, rest) = self.bytes.split_first_chunk::<8>().ok_or_else(lost)?;
        self.bytes = rest;
        Ok(i64::from_le_bytes(*first))
    }
}

pub(super) fn lost() -> Error {
    Error::internal("visits were set down and not found again")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_packed_is_small() {
        let mut packer = Packer::default();
        packer.moments((0..1000).map(|row| 1_780_000_000_000_000 + row % 250 * 60_000_000));
        assert_eq!(packer.end().len(), 8 + 8 + 1 + 1000 + PAD);
        packer.numbers(std::iter::repeat_n(7, 1000));
        assert_eq!(packer.end().len(), 8 + 8 + 1 + PAD);
    }

    #[test]
    fn what_ends_early_is_told() {
        let mut packer = Packer::default();
        packer.numbers([1, 500].into_iter());
        let packed = packer.end();
        assert!(Unpacker::of(&packed).numbers(2).is_ok());
        assert!(Unpacker::of(&packed).numbers(3).is_err());
        assert!(Unpacker::of(&[]).numbers(0).is_err());
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_out_again(
            numbers in prop::collection::vec(any::<i64>(), 0..50),
            small in prop::collection::vec(-300..300_i64, 0..50),
            text in prop::collection::vec(any::<u8>(), 0..50),
        ) {
            let mut packer = Packer::default();
            packer.numbers(numbers.iter().copied());
            packer.moments(numbers.iter().copied());
            packer.bytes(&text);
            packer.moments(small.iter().map(|number| number * 1_000_000));
            let packed = packer.end();
            let mut unpacker = Unpacker::of(&packed);
            prop_assert_eq!(&unpacker.numbers(numbers.len()).unwrap().collect::<Vec<_>>(), &numbers);
            prop_assert_eq!(&unpacker.numbers(numbers.len()).unwrap().collect::<Vec<_>>(), &numbers);
            prop_assert_eq!(unpacker.bytes().unwrap(), text);
            let found: Vec<i64> = unpacker.numbers(small.len()).unwrap().map(|number| number / 1_000_000).collect();
            prop_assert_eq!(found, small);
        }
    }
}

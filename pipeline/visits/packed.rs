//! Columns of whole numbers in few bytes: each number as what it is above the smallest of its column, in a unit that
//! divides them all, in as many bytes as the largest of them needs. A log of visits is held so: memory that is not
//! touched is time that is not spent.

use crate::fault::{Error, Result};

/// Units in which moments are mostly written, in microseconds.
const MINUTE: u64 = 60_000_000;
const SECOND: u64 = 1_000_000;
const MILLISECOND: u64 = 1_000;
/// Before a column stands the place of its unit here, beside its width.
const UNITS: [u64; 4] = [1, MILLISECOND, SECOND, MINUTE];
const WIDTH_BITS: u8 = 4;

/// Parts of a degree, of which positions are mostly whole numbers: they are written to six decimals, or to seven.
const PARTS: [f64; 2] = [1e6, 1e7];
/// What stands in place of the place of such parts before degrees that are none of them.
const AS_BITS: u8 = u8::MAX;

fn above(value: i64, least: i64) -> u64 {
    value.wrapping_sub(least).cast_unsigned()
}

/// A number of which neighbours are 1 apart: what is added to it is rounded to a whole number, which its last bits are.
const WHOLE: f64 = 6_755_399_441_055_744.0;

/// Turns the bits of degrees into whole numbers of parts of one; whether all of them are what those stand for.
fn to_parts(degrees: &mut [i64], parts: f64) -> bool {
    let mut differ = 0;
    for slot in degrees {
        let degree = f64::from_bits(slot.cast_unsigned());
        let whole = (WHOLE + degree * parts).to_bits().wrapping_sub(WHOLE.to_bits()).cast_signed();
        differ |= of_parts(whole, parts).to_bits() ^ degree.to_bits();
        *slot = whole;
    }
    differ == 0
}

fn of_parts(whole: i64, parts: f64) -> f64 {
    (f64::from_bits(WHOLE.to_bits().wrapping_add_signed(whole)) - WHOLE) / parts
}

/// Bytes for which room is taken before they come.
const ROOM_MAX: usize = 16 << 20;

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
        let (least, most) = self.begin(values);
        self.write::<1>(least, most);
    }

    /// Adds a column of microseconds, which are mostly whole minutes, seconds or milliseconds.
    pub fn moments(&mut self, values: impl Iterator<Item = i64>) {
        let (least, most) = self.begin(values);
        // Each unit is known to the compiler, so that nothing is divided number by number.
        match () {
            () if self.is_in::<MINUTE>(least) => self.write::<MINUTE>(least, most),
            () if self.is_in::<SECOND>(least) => self.write::<SECOND>(least, most),
            () if self.is_in::<MILLISECOND>(least) => self.write::<MILLISECOND>(least, most),
            () => self.write::<1>(least, most),
        }
    }

    /// Adds a column of degrees: as whole numbers of parts, where those are the same degrees bit by bit, or as the numbers
    /// of their bits. Either lie close together where the degrees do.
    pub fn degrees(&mut self, degrees: impl Iterator<Item = f64> + Clone) {
        let bits = || degrees.clone().map(|degree| degree.to_bits().cast_signed());
        let mut are_parts_of = |&(_, parts): &(u8, f64)| {
            self.take(bits());
            to_parts(&mut self.column, parts)
        };
        let parts = (0..).zip(PARTS).find(|parts| are_parts_of(parts));
        if parts.is_none() {
            self.take(bits());
        }
        self.bytes.push(parts.map_or(AS_BITS, |(place, _)| place));
        let (least, most) = self.ends();
        self.write::<1>(least, most);
    }

    /// Takes the numbers of a column; the smallest and the largest of them.
    fn begin(&mut self, values: impl Iterator<Item = i64>) -> (i64, i64) {
        self.take(values);
        self.ends()
    }

    fn take(&mut self, values: impl Iterator<Item = i64>) {
        self.column.clear();
        self.column.extend(values);
    }

    fn ends(&self) -> (i64, i64) {
        let Some((&first, others)) = self.column.split_first() else { return (0, 0) };
        others.iter().fold((first, first), |(least, most), &value| (least.min(value), most.max(value)))
    }

    fn is_in<const UNIT: u64>(&self, least: i64) -> bool {
        self.column.iter().all(|&value| above(value, least).is_multiple_of(UNIT))
    }

    fn write<const UNIT: u64>(&mut self, least: i64, most: i64) {
        let width = (u64::BITS - (above(most, least) / UNIT).leading_zeros()).div_ceil(8) as usize;
        let unit = UNITS.iter().position(|&unit| unit == UNIT).unwrap_or_default();
        self.bytes.extend(least.to_le_bytes());
        self.bytes.push((unit as u8) << WIDTH_BITS | width as u8);
        match width {
            0 => {}
            1 => self.lay::<1, UNIT>(least),
            2 => self.lay::<2, UNIT>(least),
            3 => self.lay::<3, UNIT>(least),
            4 => self.lay::<4, UNIT>(least),
            5 => self.lay::<5, UNIT>(least),
            6 => self.lay::<6, UNIT>(least),
            7 => self.lay::<7, UNIT>(least),
            _ => self.lay::<8, UNIT>(least),
        }
    }

    /// Lays the lowest bytes of each number down. How many is known to the compiler.
    fn lay<const WIDTH: usize, const UNIT: u64>(&mut self, least: i64) {
        let first = self.bytes.len();
        self.bytes.resize(first + WIDTH * self.column.len(), 0);
        let (slots, _) = self.bytes.get_mut(first..).unwrap_or_default().as_chunks_mut::<WIDTH>();
        for (slot, &value) in slots.iter_mut().zip(&self.column) {
            if let Some(lowest) = (above(value, least) / UNIT).to_le_bytes().first_chunk::<WIDTH>() {
                *slot = *lowest;
            }
        }
    }

    /// Adds bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.numbers(std::iter::once(bytes.len() as i64));
        self.bytes.extend(bytes);
    }

    /// Bytes that were packed so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Everything that was packed, and begins anew. What comes next is mostly about as long: room for it is taken at once,
    /// so that what was packed need not be copied.
    pub fn end(&mut self) -> Box<[u8]> {
        let room = (self.bytes.len() + self.bytes.len() / 8).min(ROOM_MAX);
        self.column.shrink_to(ROOM_MAX / size_of::<i64>());
        std::mem::replace(&mut self.bytes, Vec::with_capacity(room)).into_boxed_slice()
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

    /// Hands the numbers of the next column over.
    pub fn each(&mut self, rows: usize, mut take: impl FnMut(i64)) -> Result<()> {
        let least = self.number()?;
        let coded = self.byte()?;
        let width = coded & ((1 << WIDTH_BITS) - 1);
        let unit = *UNITS.get(usize::from(coded >> WIDTH_BITS)).ok_or_else(lost)?;
        let (column, rest) = self.bytes.split_at_checked(usize::from(width) * rows).ok_or_else(lost)?;
        self.bytes = rest;
        match width {
            0 => (0..rows).for_each(|_| take(least)),
            1 => lift::<1>(column, least, unit, take),
            2 => lift::<2>(column, least, unit, take),
            3 => lift::<3>(column, least, unit, take),
            4 => lift::<4>(column, least, unit, take),
            5 => lift::<5>(column, least, unit, take),
            6 => lift::<6>(column, least, unit, take),
            7 => lift::<7>(column, least, unit, take),
            8 => lift::<8>(column, least, unit, take),
            _ => return Err(lost()),
        }
        Ok(())
    }

    /// Hands the degrees of the next column over.
    pub fn degrees(&mut self, rows: usize, mut take: impl FnMut(f64)) -> Result<()> {
        match PARTS.get(usize::from(self.byte()?)) {
            Some(&parts) => self.each(rows, |whole| take(of_parts(whole, parts))),
            None => self.each(rows, |bits| take(f64::from_bits(bits.cast_unsigned()))),
        }
    }

    /// What the numbers of the next column stand for.
    pub fn column<T>(&mut self, rows: usize, of: impl Fn(i64) -> T) -> Result<Vec<T>> {
        let mut column = Vec::with_capacity(rows);
        self.each(rows, |number| column.push(of(number)))?;
        Ok(column)
    }

    /// The next bytes as they are.
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let mut count = 0;
        self.each(1, |bytes| count = bytes)?;
        let count = usize::try_from(count).map_err(|_| lost())?;
        let (bytes, rest) = self.bytes.split_at_checked(count).ok_or_else(lost)?;
        self.bytes = rest;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8> {
        let (&byte, rest) = self.bytes.split_first().ok_or_else(lost)?;
        self.bytes = rest;
        Ok(byte)
    }

    fn number(&mut self) -> Result<i64> {
        let (first, rest) = self.bytes.split_first_chunk::<8>().ok_or_else(lost)?;
        self.bytes = rest;
        Ok(i64::from_le_bytes(*first))
    }
}

/// Hands over numbers of so many bytes. How many is known to the compiler.
fn lift<const WIDTH: usize>(column: &[u8], least: i64, unit: u64, mut take: impl FnMut(i64)) {
    let (numbers, _) = column.as_chunks::<WIDTH>();
    for number in numbers {
        let mut eight = [0; 8];
        eight.first_chunk_mut::<WIDTH>().into_iter().for_each(|lowest| *lowest = *number);
        take(least.wrapping_add(u64::from_le_bytes(eight).wrapping_mul(unit).cast_signed()));
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
        assert_eq!(packer.end().len(), 8 + 1 + 1000);
        packer.numbers(std::iter::repeat_n(7, 1000));
        assert_eq!(packer.end().len(), 8 + 1);
        packer.degrees((0..250).map(|row| 113.25 - f64::from(row) / 1e6));
        assert_eq!(packer.end().len(), 1 + 8 + 1 + 250);
    }

    #[test]
    fn degrees_are_the_same_bit_by_bit() {
        let odd = [0.1 + 0.2, -0.0, f64::MIN_POSITIVE, f64::MAX, f64::NEG_INFINITY, 113.123_456_78];
        for (degrees, is_small) in [
            (vec![113.25, -0.000_001, 0.0, 180.0, -89.999_999], true),
            (vec![113.123_456_7, 29.0, -29.000_000_1], true),
            (odd.to_vec(), false),
            ([&odd[..1], &[113.25]].concat(), false),
            (Vec::new(), true),
        ] {
            let mut packer = Packer::default();
            packer.degrees(degrees.iter().copied());
            packer.numbers([7].into_iter());
            let packed = packer.end();
            assert_eq!(packed.len() <= 8 + 1 + 1 + 5 * degrees.len() + 8 + 1, is_small, "{degrees:?}");
            let (mut unpacker, mut found) = (Unpacker::of(&packed), Vec::new());
            unpacker.degrees(degrees.len(), |degree| found.push(degree)).unwrap();
            assert!(found.iter().map(|degree| degree.to_bits()).eq(degrees.iter().map(|degree| degree.to_bits())));
            assert_eq!(unpacker.column(1, |number| number).unwrap(), [7]);
        }
    }

    #[test]
    fn what_ends_early_is_told() {
        let mut packer = Packer::default();
        packer.numbers([1, 500].into_iter());
        let packed = packer.end();
        assert!(Unpacker::of(&packed).each(2, |_| ()).is_ok());
        assert!(Unpacker::of(&packed).each(3, |_| ()).is_err());
        assert!(Unpacker::of(&[]).each(0, |_| ()).is_err());
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_out_again(
            numbers in prop::collection::vec(any::<i64>(), 0..50),
            small in prop::collection::vec(-300..300_i64, 0..50),
            text in prop::collection::vec(any::<u8>(), 0..50),
            millionths in prop::collection::vec(-180_000_000..180_000_000_i32, 0..50),
        ) {
            let mut packer = Packer::default();
            packer.numbers(numbers.iter().copied());
            packer.moments(numbers.iter().copied());
            packer.bytes(&text);
            packer.moments(small.iter().map(|number| number * 1_000_000));
            // As a reader of text makes them.
            let read = millionths.iter().map(|&number| format!("{}e-6", number).parse().unwrap());
            let degrees: Vec<f64> = read.collect();
            packer.degrees(degrees.iter().copied());
            let packed = packer.end();
            let mut unpacker = Unpacker::of(&packed);
            prop_assert_eq!(&unpacker.column(numbers.len(), |number| number).unwrap(), &numbers);
            prop_assert_eq!(&unpacker.column(numbers.len(), |number| number).unwrap(), &numbers);
            prop_assert_eq!(unpacker.bytes().unwrap(), text);
            prop_assert_eq!(unpacker.column(small.len(), |number| number / 1_000_000).unwrap(), small);
            // Each is a whole number of parts.
            prop_assert_eq!(unpacker.bytes.first(), Some(&0));
            let mut found = Vec::new();
            unpacker.degrees(degrees.len(), |degree| found.push(degree)).unwrap();
            prop_assert_eq!(found, degrees);
        }
    }
}

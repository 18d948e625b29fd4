//! One evaluated visit as its branch needs it to check it against the others: numbers only, each visit in one place, so
//! that the visits of a branch fit into a processor's cache. What a visit shows by itself is already flagged.

use crate::fault::Result;

use super::Flags;
use super::distance::Position;
use super::packed::{Packer, Unpacker};
use super::tallies::Issue;

/// No household of the run in the visit's branch; no device.
pub(super) const NONE: u32 = u32::MAX;

/// A number for the photo of a visit, in two halves; nothing where there is no photo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Photo(u64, u64);

impl Photo {
    pub const NONE: Photo = Photo(0, 0);
    /// Some photo, of which it is not known yet which.
    const ANY: Photo = Photo(1, 1);

    pub fn of(number: u128) -> Photo {
        Photo((number >> 64) as u64, number as u64)
    }

    /// A number whose first bits are others for photos that differ a little.
    pub fn mixed(self) -> u64 {
        (self.0 ^ self.1.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub started_at: i64,
    pub ended_at: i64,
    /// Not a number where the visit has no position.
    pub longitude: f64,
    pub latitude: f64,
    pub photo: Photo,
    /// The number of the visit in the log.
    pub number: u32,
    pub officer: u32,
    pub grid: u32,
    /// The household's number in the run, where it lives in the branch of the visit's grid.
    pub household: u32,
    pub device: u32,
    pub flags: Flags,
    pub is_onsite: bool,
    pub issue: Issue,
}

impl Record {
    /// What is filled in column by column.
    pub const BLANK: Record = Record {
        started_at: 0,
        ended_at: 0,
        longitude: 0.0,
        latitude: 0.0,
        photo: Photo::NONE,
        number: 0,
        officer: NONE,
        grid: NONE,
        household: NONE,
        device: NONE,
        flags: Flags(0),
        is_onsite: false,
        issue: Issue::None,
    };

    pub fn position(&self) -> Option<Position> {
        let Record { longitude, latitude, .. } = *self;
        (!longitude.is_nan()).then_some(Position { longitude, latitude })
    }

    /// What is no number, in three bits: what became of the issue; in one bit each whether the visit was on site, whether
    /// it has a position and whether it has a photo.
    fn coded(&self) -> i64 {
        let (has_position, has_photo) = (!self.longitude.is_nan(), self.photo != Photo::NONE);
        self.issue as i64 | i64::from(self.is_onsite) << 3 | i64::from(has_position) << 4 | i64::from(has_photo) << 5
    }
}

/// A number of which the greatest means that there is none, so that this one is small too.
pub(super) fn or_none(number: u32) -> i64 {
    i64::from(number.wrapping_add(1))
}

pub(super) fn none_or(number: i64) -> u32 {
    (number as u32).wrapping_sub(1)
}

/// Records that are packed together at most: as many as a processor has at hand.
pub(super) const BLOCK: usize = 256;

/// Packs records, behind what was packed before.
pub(super) fn pack(records: &[Record], packer: &mut Packer) {
    let each = || records.iter();
    packer.moments(each().map(|record| record.started_at));
    packer.moments(each().map(|record| record.ended_at.wrapping_sub(record.started_at)));
    packer.numbers(each().map(Record::coded));
    packer.degrees(or_before(each().map(|record| record.longitude), 0.0, |degrees| !degrees.is_nan()));
    packer.degrees(or_before(each().map(|record| record.latitude), 0.0, |degrees| !degrees.is_nan()));
    let photos = || or_before(each().map(|record| record.photo), Photo::NONE, |photo| *photo != Photo::NONE);
    packer.numbers(photos().map(|photo| photo.0.cast_signed()));
    packer.numbers(photos().map(|photo| photo.1.rotate_left(8).cast_signed()));
    packer.numbers(each().map(|record| i64::from(record.number)));
    packer.numbers(each().map(|record| or_none(record.officer)));
    packer.numbers(each().map(|record| i64::from(record.grid)));
    packer.numbers(each().map(|record| or_none(record.household)));
    packer.numbers(each().map(|record| or_none(record.device)));
    packer.numbers(each().map(|record| i64::from(record.flags.bits())));
}

/// Values, of which some are not there: in place of such a one the one before stands again, and before the first one that
/// is there this one. So none of them is far from the others.
fn or_before<T: Copy>(
    values: impl Iterator<Item = T> + Clone,
    blank: T,
    is_there: impl Fn(&T) -> bool + Clone,
) -> impl Iterator<Item = T> + Clone {
    let first = values.clone().find(&is_there).unwrap_or(blank);
    values.scan(first, move |last, value| {
        *last = if is_there(&value) { value } else { *last };
        Some(*last)
    })
}

/// What the numbers and devices of packed records stand for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meant<'a> {
    /// Themselves.
    AsTheyAre,
    /// Numbers count from the first one; a device is a place in the list.
    Within { first: u32, devices: &'a [u32] },
}

impl Meant<'_> {
    pub fn number(self, number: u32) -> u32 {
        match self {
            Meant::AsTheyAre => number,
            Meant::Within { first, .. } => first + number,
        }
    }

    pub fn device(self, device: u32) -> u32 {
        match self {
            Meant::AsTheyAre => device,
            Meant::Within { devices, .. } => devices.get(device as usize).copied().unwrap_or(NONE),
        }
    }
}

/// Hands over when each of some packed visits began.
pub(super) fn starts(bytes: &[u8], rows: usize, take: impl FnMut(i64)) -> Result<()> {
    Unpacker::of(bytes).each(rows, take)
}

/// Writes packed records over as many others, column by column: the records of a block are at hand meanwhile.
pub(super) fn unpack(bytes: &[u8], meant: Meant, records: &mut [Record]) -> Result<()> {
    let mut columns = Unpacker::of(bytes);
    fill(&mut columns, records, |record, moment| record.started_at = moment)?;
    fill(&mut columns, records, |record, lasted| record.ended_at = record.started_at.wrapping_add(lasted))?;
    fill(&mut columns, records, |record, coded| {
        record.is_onsite = coded & 1 << 3 != 0;
        record.issue = Issue::ALL.get((coded & 7) as usize).copied().unwrap_or(Issue::None);
        let known = if coded & 1 << 4 == 0 { f64::NAN } else { 0.0 };
        (record.longitude, record.latitude) = (known, known);
        record.photo = if coded & 1 << 5 == 0 { Photo::NONE } else { Photo::ANY };
    })?;
    fill_degrees(&mut columns, records, |record| &mut record.longitude)?;
    fill_degrees(&mut columns, records, |record| &mut record.latitude)?;
    let half = |photo: Photo, half: i64| if photo == Photo::NONE { 0 } else { half.cast_unsigned() };
    fill(&mut columns, records, |record, first| record.photo.0 = half(record.photo, first))?;
    fill(&mut columns, records, |record, second| record.photo.1 = half(record.photo, second).rotate_right(8))?;
    fill(&mut columns, records, |record, number| record.number = meant.number(number as u32))?;
    fill(&mut columns, records, |record, officer| record.officer = none_or(officer))?;
    fill(&mut columns, records, |record, grid| record.grid = grid as u32)?;
    fill(&mut columns, records, |record, household| record.household = none_or(household))?;
    fill(&mut columns, records, |record, device| record.device = meant.device(none_or(device)))?;
    fill(&mut columns, records, |record, flags| record.flags = Flags::of_bits(flags as u16))
}

/// Lays the next column into records.
fn fill(columns: &mut Unpacker, records: &mut [Record], set: impl Fn(&mut Record, i64)) -> Result<()> {
    let (rows, mut records) = (records.len(), records.iter_mut());
    columns.each(rows, |number| records.next().into_iter().for_each(|record| set(record, number)))
}

/// Lays the next column into records that have a position.
fn fill_degrees(columns: &mut Unpacker, records: &mut [Record], slot: impl Fn(&mut Record) -> &mut f64) -> Result<()> {
    let (rows, mut slots) = (records.len(), records.iter_mut().map(slot));
    columns.degrees(rows, |degrees| {
        slots.next().filter(|slot| !slot.is_nan()).into_iter().for_each(|slot| *slot = degrees)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_were_packed_are_the_same() {
        let record = Record {
            started_at: -1,
            ended_at: i64::MAX,
            longitude: 113.5,
            latitude: 29.25,
            photo: Photo::of(u128::MAX - 7),
            number: 1,
            officer: 2,
            grid: 3,
            household: NONE,
            device: 5,
            flags: Flags::of_bits(0x5a5),
            is_onsite: true,
            issue: Issue::OpenUrgent,
        };
        let nowhere = Record { longitude: f64::NAN, latitude: f64::NAN, photo: Photo::NONE, device: NONE, ..record };
        let other = Record { started_at: 60_000_000, ended_at: 0, is_onsite: false, issue: Issue::None, ..nowhere };
        for records in [vec![record], vec![nowhere], vec![nowhere, record, other], vec![other; 300]] {
            let mut packer = Packer::default();
            pack(&records, &mut packer);
            let packed = packer.end();
            let found = |meant: Meant| {
                // Whatever was there before is written over.
                let mut found: Vec<Record> = records.iter().rev().copied().collect();
                unpack(&packed, meant, &mut found).unwrap();
                format!("{found:?}")
            };
            assert_eq!(found(Meant::AsTheyAre), format!("{records:?}"));
            let devices = [9, 8, 7, 6, 5, 4];
            let within = |record: &Record| {
                let device = if record.device == NONE { NONE } else { devices[record.device as usize] };
                Record { number: record.number + 10, device, ..*record }
            };
            let expected: Vec<Record> = records.iter().map(within).collect();
            assert_eq!(found(Meant::Within { first: 10, devices: &devices }), format!("{expected:?}"));
            assert!(unpack(&packed[1..], Meant::AsTheyAre, &mut records.clone()).is_err());
        }
    }
}

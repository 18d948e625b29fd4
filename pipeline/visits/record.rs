//! One evaluated visit as its branch needs it to check it against the others: numbers only, each visit in one place, so
//! that the visits of a branch fit into a processor's cache. What a visit shows by itself is already flagged.

use super::Flags;
use super::distance::Position;
use super::tallies::Issue;

/// No household of the run in the visit's branch; no device.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub started_at: i64,
    pub ended_at: i64,
    /// Not a number where the visit has no position.
    pub longitude: f64,
    pub latitude: f64,
    /// A digest of the photo's hash; nothing where there is no photo.
    pub photo: u128,
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
    pub fn position(&self) -> Option<Position> {
        let Record { longitude, latitude, .. } = *self;
        (!longitude.is_nan()).then_some(Position { longitude, latitude })
    }
}

/// Bytes of a record that is set down, its branch first.
pub(super) const RECORD_BYTES: usize = 4 + 4 * 8 + 16 + 5 * 4 + 2 + 2;

/// Sets a record down.
pub(super) fn write(branch: u32, record: &Record, bytes: &mut Vec<u8>) {
    bytes.extend(branch.to_le_bytes());
    bytes.extend(record.started_at.to_le_bytes());
    bytes.extend(record.ended_at.to_le_bytes());
    bytes.extend(record.longitude.to_le_bytes());
    bytes.extend(record.latitude.to_le_bytes());
    bytes.extend(record.photo.to_le_bytes());
    for number in [record.number, record.officer, record.grid, record.household, record.device] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(record.flags.bits().to_le_bytes());
    bytes.extend([u8::from(record.is_onsite), record.issue as u8]);
}

/// Takes up a record that was set down, and its branch; None of bytes that are none.
pub(super) fn read(bytes: &[u8]) -> Option<(u32, Record)> {
    let mut rest = bytes;
    let branch = u32::from_le_bytes(next(&mut rest)?);
    let record = Record {
        started_at: i64::from_le_bytes(next(&mut rest)?),
        ended_at: i64::from_le_bytes(next(&mut rest)?),
        longitude: f64::from_le_bytes(next(&mut rest)?),
        latitude: f64::from_le_bytes(next(&mut rest)?),
        photo: u128::from_le_bytes(next(&mut rest)?),
        number: u32::from_le_bytes(next(&mut rest)?),
        officer: u32::from_le_bytes(next(&mut rest)?),
        grid: u32::from_le_bytes(next(&mut rest)?),
        household: u32::from_le_bytes(next(&mut rest)?),
        device: u32::from_le_bytes(next(&mut rest)?),
        flags: Flags::of_bits(u16::from_le_bytes(next(&mut rest)?)),
        is_onsite: next::<1>(&mut rest)? == [1],
        issue: Issue::ALL.get(usize::from(next::<1>(&mut rest)?.first().copied()?)).copied()?,
    };
    Some((branch, record))
}

fn next<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_was_set_down_is_the_same() {
        let record = Record {
            started_at: -1,
            ended_at: i64::MAX,
            longitude: 113.5,
            latitude: f64::NAN,
            photo: u128::MAX - 7,
            number: 1,
            officer: 2,
            grid: 3,
            household: NONE,
            device: 5,
            flags: Flags::of_bits(0x5a5),
            is_onsite: true,
            issue: Issue::OpenUrgent,
        };
        let mut bytes = Vec::new();
        write(77, &record, &mut bytes);
        assert_eq!(bytes.len(), RECORD_BYTES);
        let (branch, found) = read(&bytes).unwrap();
        assert_eq!(branch, 77);
        assert_eq!(format!("{found:?}"), format!("{record:?}"));
        assert!(read(&bytes[1..]).is_none());
    }
}

//! The visits of twelve months as indicators count them, column by column, packed until somebody asks for a column.

use hashbrown::HashMap;
use rayon::prelude::*;

use crate::fault::{Error, Result};
use crate::read::spill::{Kept, Spill};

use super::packed::{Packer, Unpacker};

/// A column of small numbers: codes of words, what became of an issue, whether there was a household.
#[derive(Clone, Copy, Debug)]
pub enum Coded {
    Channel,
    Purpose,
    IssueLevel,
    /// `Issue` as a number.
    Issue,
    /// 1 or 0.
    HasHousehold,
}

/// The code of a word that is not there.
pub const NO_WORD: u8 = u8::MAX;

/// Delays that are listed. Most are whole minutes of some days.
const DELAYS_MAX: usize = 1 << 20;

/// One visit.
pub(super) struct Recent {
    /// Its number in the log.
    pub number: u32,
    pub grid: u32,
    /// Days since 1970.
    pub day: i32,
    /// In the order of `Coded`.
    pub coded: [u8; 5],
    /// Microseconds from the end of the visit to its entry in the system.
    pub record_delay: i64,
}

/// Some visits that follow each other, packed.
pub(super) struct PackedRecent {
    rows: usize,
    columns: Columns<Box<[u8]>>,
}

/// In the order of the log.
#[derive(Debug, Default)]
pub struct RecentVisits {
    spill: Spill,
    parts: Vec<Part>,
    rows: usize,
}

#[derive(Debug)]
struct Part {
    /// What numbers count from.
    first: u32,
    rows: usize,
    columns: Columns<Kept>,
}

#[derive(Debug)]
struct Columns<T> {
    numbers: T,
    grids: T,
    days: T,
    coded: [T; 5],
    record_delays: T,
}

pub(super) fn pack(visits: &[Recent], packer: &mut Packer) -> PackedRecent {
    let columns = Columns {
        numbers: column(visits, packer, |visit| i64::from(visit.number)),
        grids: column(visits, packer, |visit| i64::from(visit.grid)),
        days: column(visits, packer, |visit| i64::from(visit.day)),
        coded: [0, 1, 2, 3, 4]
            .map(|place| column(visits, packer, |visit| visit.coded.get(place).copied().map_or(0, i64::from))),
        record_delays: {
            packer.moments(visits.iter().map(|visit| visit.record_delay));
            packer.end()
        },
    };
    PackedRecent { rows: visits.len(), columns }
}

fn column(visits: &[Recent], packer: &mut Packer, of: impl Fn(&Recent) -> i64) -> Box<[u8]> {
    packer.numbers(visits.iter().map(of));
    packer.end()
}

impl RecentVisits {
    pub(super) fn begin(spill: Spill) -> RecentVisits {
        RecentVisits { spill, ..RecentVisits::default() }
    }

    /// Takes the next visits in, whose numbers count from `first`.
    pub(super) fn push(&mut self, first: u32, PackedRecent { rows, columns }: PackedRecent) -> Result<()> {
        let mut keep = |bytes: Box<[u8]>| self.spill.keep(bytes);
        let [channel, purpose, issue_level, issue, has_household] = columns.coded;
        let columns = Columns {
            numbers: keep(columns.numbers)?,
            grids: keep(columns.grids)?,
            days: keep(columns.days)?,
            coded: [keep(channel)?, keep(purpose)?, keep(issue_level)?, keep(issue)?, keep(has_household)?],
            record_delays: keep(columns.record_delays)?,
        };
        self.parts.push(Part { first, rows, columns });
        self.rows += rows;
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.rows
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Numbers in the log, which rise.
    pub fn numbers(&self) -> Result<Vec<u32>> {
        self.numbers_as(|number| number)
    }

    /// What each number in the log stands for. A column is unpacked to what it is wanted as: two of a bank's visits are
    /// not in memory at once.
    pub fn numbers_as<T>(&self, of: impl Fn(u32) -> T) -> Result<Vec<T>> {
        self.column(|columns| Some(&columns.numbers), |number, first| of(first + number as u32))
    }

    /// Positions of grids.
    pub fn grids(&self) -> Result<Vec<u32>> {
        self.column(|columns| Some(&columns.grids), |grid, _| grid as u32)
    }

    /// Days since 1970.
    pub fn days(&self) -> Result<Vec<i32>> {
        self.column(|columns| Some(&columns.days), |day, _| day as i32)
    }

    pub fn coded(&self, column: Coded) -> Result<Vec<u8>> {
        self.column(|columns| columns.coded.get(column as usize), |code, _| code as u8)
    }

    /// What the microseconds from the end of each visit to its entry in the system stand for.
    pub fn record_delays_as<T>(&self, of: impl Fn(i64) -> T) -> Result<Vec<T>> {
        self.column(|columns| Some(&columns.record_delays), |delay, _| of(delay))
    }

    /// The microseconds from the end of each visit to its entry in the system, as places in the list of those that occur,
    /// which rises. None where so many occur that places would save nothing.
    pub fn record_delays_coded(&self) -> Result<Option<(Vec<u32>, Vec<i64>)>> {
        let coded = self.parts.par_iter().map(|Part { rows, columns, .. }| {
            let bytes = self.spill.find(&columns.record_delays)?;
            let (mut codes, mut delays, mut places) = (Vec::with_capacity(*rows), Vec::new(), HashMap::new());
            Unpacker::of(&bytes).each(*rows, |delay| {
                codes.push(*places.entry(delay).or_insert_with(|| {
                    delays.push(delay);
                    delays.len() as u32 - 1
                }));
            })?;
            Ok((codes, delays))
        });
        let coded: Vec<(Vec<u32>, Vec<i64>)> = coded.collect::<Result<_>>()?;
        let mut listed: Vec<i64> = coded.iter().flat_map(|(_, delays)| delays).copied().collect();
        listed.par_sort_unstable();
        listed.dedup();
        if listed.len() > DELAYS_MAX {
            return Ok(None);
        }
        let in_list = coded.into_par_iter().map(|(mut codes, delays)| {
            let place = |delay: &i64| listed.partition_point(|one| one < delay) as u32;
            let places: Vec<u32> = delays.iter().map(place).collect();
            codes.iter_mut().for_each(|code| *code = places.get(*code as usize).copied().unwrap_or_default());
            codes
        });
        let in_list: Vec<Vec<u32>> = in_list.collect();
        Ok(Some((in_list.concat(), listed)))
    }

    /// A column, of each value and what the numbers of its part count from.
    fn column<T>(&self, of: impl Fn(&Columns<Kept>) -> Option<&Kept>, value: impl Fn(i64, u32) -> T) -> Result<Vec<T>> {
        let mut column = Vec::with_capacity(self.rows);
        for Part { first, rows, columns } in &self.parts {
            let bytes = self.spill.find(of(columns).ok_or_else(no_column)?)?;
            Unpacker::of(&bytes).each(*rows, |packed| column.push(value(packed, *first)))?;
        }
        Ok(column)
    }
}

fn no_column() -> Error {
    Error::internal("a visit has fewer columns")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_the_same_wherever_it_lies() {
        let coded = |number: u32| [1, 2, 3, 4, 5].map(|code| (number % 7) as u8 + code);
        for spill in [Spill::in_memory(), Spill::in_a_file().unwrap()] {
            let mut visits = RecentVisits::begin(spill);
            for first in [0, 1000, 1500] {
                let some = (0..500).map(|number| Recent {
                    number,
                    grid: first + number / 2,
                    day: -(number as i32),
                    coded: coded(first + number),
                    record_delay: -i64::from(number),
                });
                visits.push(first, pack(&some.collect::<Vec<_>>(), &mut Packer::default())).unwrap();
            }
            let numbers = visits.numbers().unwrap();
            let expected: Vec<u32> = (0..500).chain(1000..1500).chain(1500..2000).collect();
            assert_eq!((visits.len(), &numbers), (expected.len(), &expected));
            assert_eq!(visits.grids().unwrap()[750], 1000 + 250 / 2);
            assert_eq!(visits.days().unwrap()[750], -250);
            let delays = visits.record_delays_as(|delay| delay).unwrap();
            assert_eq!(delays[750], -250);
            let (codes, listed) = visits.record_delays_coded().unwrap().unwrap();
            assert!(listed.is_sorted_by(|one, next| one < next));
            assert!(codes.iter().map(|&code| listed[code as usize]).eq(delays));
            for column in [Coded::Channel, Coded::Purpose, Coded::IssueLevel, Coded::Issue, Coded::HasHousehold] {
                let found = visits.coded(column).unwrap();
                assert!(found.iter().zip(&expected).all(|(&code, &number)| code == coded(number)[column as usize]));
            }
        }
    }
}

//! The visits of twelve months as indicators count them, column by column, packed until somebody asks for a column.

use crate::fault::{Error, Result};
use crate::read::spill::{Kept, Spill};

use super::packed::{Packer, Unpacker};
use super::record::MOMENT_UNITS;

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

/// Rows that are packed at once.
const ROWS_AT_ONCE: usize = 1 << 16;

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

/// In the order of the log.
#[derive(Debug, Default)]
pub struct RecentVisits {
    spill: Spill,
    packer: Packer,
    /// What is not packed yet.
    open: Columns<Vec<i64>>,
    packed: Vec<(usize, Columns<Kept>)>,
    rows: usize,
}

#[derive(Debug, Default)]
struct Columns<T> {
    numbers: T,
    grids: T,
    days: T,
    coded: [T; 5],
    record_delays: T,
}

impl<T> Columns<T> {
    /// The same columns, each as something else.
    fn each<U>(&mut self, mut of: impl FnMut(&mut T, &[i64]) -> Result<U>) -> Result<Columns<U>> {
        let [channel, purpose, issue_level, issue, has_household] = &mut self.coded;
        Ok(Columns {
            numbers: of(&mut self.numbers, &[])?,
            grids: of(&mut self.grids, &[])?,
            days: of(&mut self.days, &[])?,
            coded: [
                of(channel, &[])?,
                of(purpose, &[])?,
                of(issue_level, &[])?,
                of(issue, &[])?,
                of(has_household, &[])?,
            ],
            record_delays: of(&mut self.record_delays, &MOMENT_UNITS)?,
        })
    }
}

impl RecentVisits {
    pub(super) fn begin(spill: Spill) -> RecentVisits {
        RecentVisits { spill, ..RecentVisits::default() }
    }

    pub(super) fn push(&mut self, visit: &Recent) -> Result<()> {
        let open = &mut self.open;
        open.numbers.push(i64::from(visit.number));
        open.grids.push(i64::from(visit.grid));
        open.days.push(i64::from(visit.day));
        open.coded.iter_mut().zip(visit.coded).for_each(|(column, code)| column.push(i64::from(code)));
        open.record_delays.push(visit.record_delay);
        self.rows += 1;
        let rows = open.numbers.len();
        if rows == ROWS_AT_ONCE {
            let (spill, packer) = (&mut self.spill, &mut self.packer);
            let packed = open.each(|column, units| {
                packer.numbers(column.drain(..), units);
                spill.keep(packer.end())
            })?;
            self.packed.push((rows, packed));
        }
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
        self.column(&self.open.numbers, |columns| Some(&columns.numbers), |number| number as u32)
    }

    /// Positions of grids.
    pub fn grids(&self) -> Result<Vec<u32>> {
        self.column(&self.open.grids, |columns| Some(&columns.grids), |grid| grid as u32)
    }

    /// Days since 1970.
    pub fn days(&self) -> Result<Vec<i32>> {
        self.column(&self.open.days, |columns| Some(&columns.days), |day| day as i32)
    }

    pub fn coded(&self, column: Coded) -> Result<Vec<u8>> {
        let place = column as usize;
        let open = self.open.coded.get(place).ok_or_else(no_column)?;
        self.column(open, |columns| columns.coded.get(place), |code| code as u8)
    }

    /// Microseconds from the end of the visit to its entry in the system.
    pub fn record_delays(&self) -> Result<Vec<i64>> {
        self.column(&self.open.record_delays, |columns| Some(&columns.record_delays), |delay| delay)
    }

    fn column<T>(
        &self,
        open: &[i64],
        of: impl Fn(&Columns<Kept>) -> Option<&Kept>,
        number: impl Fn(i64) -> T,
    ) -> Result<Vec<T>> {
        let mut column = Vec::with_capacity(self.rows);
        for (rows, columns) in &self.packed {
            let bytes = self.spill.find(of(columns).ok_or_else(no_column)?)?;
            column.extend(Unpacker::of(&bytes).numbers(*rows)?.map(&number));
        }
        column.extend(open.iter().map(|&value| number(value)));
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
        let rows = ROWS_AT_ONCE as u32 + 3;
        let of = |spill: Spill| {
            let mut visits = RecentVisits::begin(spill);
            for number in 0..rows {
                let coded = [1, 2, 3, 4, 5].map(|code| (number % 7) as u8 + code);
                let (day, record_delay) = (-(number as i32), -i64::from(number));
                visits.push(&Recent { number, grid: number / 2, day, coded, record_delay }).unwrap();
            }
            visits
        };
        let (held, lying) = (of(Spill::in_memory()), of(Spill::in_a_file().unwrap()));
        assert_eq!((held.packed.len(), lying.packed.len()), (1, 1));
        let number = |row: u32| held.numbers().unwrap().get(row as usize).copied();
        assert_eq!([0, 1, rows - 1].map(number), [0, 1, rows - 1].map(Some));
        assert_eq!((held.len(), lying.len()), (rows as usize, rows as usize));
        assert!(held.numbers().unwrap() == lying.numbers().unwrap());
        assert!(held.grids().unwrap() == lying.grids().unwrap());
        assert!(held.days().unwrap() == lying.days().unwrap());
        assert!(held.record_delays().unwrap() == lying.record_delays().unwrap());
        for column in [Coded::Channel, Coded::Purpose, Coded::IssueLevel, Coded::Issue, Coded::HasHousehold] {
            assert!(held.coded(column).unwrap() == lying.coded(column).unwrap());
        }
    }
}

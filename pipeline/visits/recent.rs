//! The visits of twelve months as indicators count them, column by column. Where there is no room they are set down in a
//! file, and a column is taken up when somebody asks for it.

use std::borrow::Cow;

use arrow::buffer::{Buffer, ScalarBuffer};
use arrow::datatypes::ArrowNativeType;

use crate::fault::{Error, Result};
use crate::read::spill::{Spill, Stretch};

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

/// Rows that are set down at once.
const ROWS_AT_ONCE: usize = 1 << 20;

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
    numbers: Vec<u32>,
    grids: Vec<u32>,
    days: Vec<i32>,
    coded: [Vec<u8>; 5],
    record_delays: Vec<i64>,
    /// What was set down before those.
    spill: Option<Spill>,
    set_down: Vec<SetDown>,
    rows: usize,
}

#[derive(Debug)]
struct SetDown {
    numbers: Stretch,
    grids: Stretch,
    days: Stretch,
    coded: [Stretch; 5],
    record_delays: Stretch,
}

impl RecentVisits {
    pub(super) fn begin(is_held: bool) -> Result<RecentVisits> {
        let spill = if is_held { None } else { Some(Spill::begin()?) };
        Ok(RecentVisits { spill, ..RecentVisits::default() })
    }

    pub(super) fn push(&mut self, visit: &Recent) -> Result<()> {
        self.numbers.push(visit.number);
        self.grids.push(visit.grid);
        self.days.push(visit.day);
        self.coded.iter_mut().zip(visit.coded).for_each(|(column, code)| column.push(code));
        self.record_delays.push(visit.record_delay);
        self.rows += 1;
        match &mut self.spill {
            Some(spill) if self.numbers.len() >= ROWS_AT_ONCE => {
                let mut coded = Vec::with_capacity(self.coded.len());
                for column in &mut self.coded {
                    coded.push(set_down(spill, column)?);
                }
                let coded = <[Stretch; 5]>::try_from(coded);
                self.set_down.push(SetDown {
                    numbers: set_down(spill, &mut self.numbers)?,
                    grids: set_down(spill, &mut self.grids)?,
                    days: set_down(spill, &mut self.days)?,
                    coded: coded.map_err(|_| Error::internal("a visit has other columns"))?,
                    record_delays: set_down(spill, &mut self.record_delays)?,
                });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub fn len(&self) -> usize {
        self.rows
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Numbers in the log, which rise.
    pub fn numbers(&self) -> Result<Cow<'_, [u32]>> {
        self.column(&self.numbers, |set_down| set_down.numbers)
    }

    /// Positions of grids.
    pub fn grids(&self) -> Result<Cow<'_, [u32]>> {
        self.column(&self.grids, |set_down| set_down.grids)
    }

    /// Days since 1970.
    pub fn days(&self) -> Result<Cow<'_, [i32]>> {
        self.column(&self.days, |set_down| set_down.days)
    }

    pub fn coded(&self, column: Coded) -> Result<Cow<'_, [u8]>> {
        let place = column as usize;
        let held = self.coded.get(place).ok_or_else(|| Error::internal("a visit has fewer columns"))?;
        self.column(held, |set_down| *set_down.coded.get(place).unwrap_or(&set_down.numbers))
    }

    /// Microseconds from the end of the visit to its entry in the system.
    pub fn record_delays(&self) -> Result<Cow<'_, [i64]>> {
        self.column(&self.record_delays, |set_down| set_down.record_delays)
    }

    fn column<'a, T: ArrowNativeType>(
        &'a self,
        held: &'a [T],
        stretch: impl Fn(&SetDown) -> Stretch,
    ) -> Result<Cow<'a, [T]>> {
        let Some(spill) = self.spill.as_ref().filter(|_| !self.set_down.is_empty()) else {
            return Ok(Cow::Borrowed(held));
        };
        let mut column = Vec::with_capacity(self.rows);
        for set_down in &self.set_down {
            let bytes: Buffer = spill.read(stretch(set_down))?;
            column.extend_from_slice(&ScalarBuffer::<T>::from(bytes));
        }
        column.extend_from_slice(held);
        Ok(Cow::Owned(column))
    }
}

/// Sets a column down and empties it.
fn set_down<T: ArrowNativeType>(spill: &mut Spill, column: &mut Vec<T>) -> Result<Stretch> {
    let rows = column.len();
    let bytes: ScalarBuffer<T> = std::mem::replace(column, Vec::with_capacity(rows)).into();
    spill.write(bytes.inner().as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_the_same_wherever_it_lies() {
        let rows = ROWS_AT_ONCE as u32 + 3;
        let of = |is_held: bool| {
            let mut visits = RecentVisits::begin(is_held).unwrap();
            for number in 0..rows {
                let coded = [1, 2, 3, 4, 5].map(|code| (number % 7) as u8 + code);
                let (day, record_delay) = (-(number as i32), -i64::from(number));
                visits.push(&Recent { number, grid: number / 2, day, coded, record_delay }).unwrap();
            }
            visits
        };
        let (held, lying) = (of(true), of(false));
        assert_eq!((held.set_down.len(), lying.set_down.len()), (0, 1));
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

//! A synthetic bank of any size, the same rows for the same options, for ever and on any machine.
//! The bank is laid out first (areas, branches, grids, staff); then household after household is drawn, each from
//! streams of its own, and handed out in blocks of whole grids. Blocks are drawn side by side, a few at a time, so that
//! memory grows with the threads and not with the bank.
//! Amounts, dates and counts come from whole numbers alone; floats hold positions and land, divided once.
//! Leaves the writing of files to the caller, who gets every input table of `tables.md` in key order.

mod accounts;
mod conduct;
mod decisions;
mod households;
mod layout;
mod loans;
mod names;
mod points;
mod profiles;
mod random;
mod registers;
mod rows;
mod staff;
mod tables;
mod visits;

use crate::calendar::{CompleteMonths, Date, Month};
use crate::fault::{Error, Fault, Result};
use arrow::array::RecordBatch;
use households::Household;
use layout::{Grid, Layout};
use rayon::prelude::*;
use std::ops::{Range, RangeInclusive};
use tables::Tables;

/// A block ends with the grid that makes it this many households, or loans to borrowers outside the grids.
const BLOCK_HOUSEHOLDS: i64 = 2_000;
/// Blocks that are drawn at once, for each thread: while one thread still draws, the others have some left.
const BLOCKS_A_THREAD: usize = 2;

const HOUSEHOLDS_MAX: u64 = 100_000_000;
const MONTHS_MAX: u32 = 240;
/// One a day, on average.
const VISITS_A_MONTH_MAX: u32 = 30;

/// What somebody who exports ten days after the as-of date can know of payments.
const EXPORT_DAYS: i32 = 10;

#[derive(Clone, Debug)]
pub struct Options {
    pub households: u64,
    pub seed: u64,
    /// The day that the bank is made for: most rows are known on it, about one in a hundred is not yet.
    pub as_of: Date,
    /// Months of history before the as-of date.
    pub months: u32,
    /// Visits of a household in the history, on average.
    pub visits_per_household: u32,
    /// None: about one for 5,000 households, two at least when there are 1,000 households or more.
    pub townships: Option<u32>,
    pub shape: Shape,
}

/// How evenly the bank's rows lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    #[default]
    Even,
    /// Half of all households belong to one branch.
    HugeBranch,
    /// The first household has 10,000 visits on top of its usual ones.
    BusyHousehold,
}

/// The next rows of a table, in key order.
pub type TableRows = (&'static str, RecordBatch);

impl Options {
    /// Two years of history with one visit a month.
    pub fn new(households: u64, seed: u64, as_of: Date) -> Self {
        Options { households, seed, as_of, months: 24, visits_per_household: 24, townships: None, shape: Shape::Even }
    }

    /// Refuses what no bank can be made of, with every reason.
    pub fn check(&self) -> Result<()> {
        let mut faults = Vec::new();
        let mut fault = |message: String, hint: &str| faults.push(Fault::new(message).hint(hint));
        if self.households > HOUSEHOLDS_MAX {
            fault(format!("{} households are too many", self.households), "a bank has 100,000,000 at most");
        }
        let (first, last) = (Date::from_ymd(1900, 1, 1), Date::from_ymd(2200, 1, 1));
        if Some(self.as_of) < first || Some(self.as_of) > last {
            fault(format!("no bank is made as of {}", self.as_of), "name a day from 1900-01-01 to 2200-01-01");
        }
        if !(1..=MONTHS_MAX).contains(&self.months) {
            fault(format!("a history of {} months is not made", self.months), "name 1 to 240 months");
        }
        if self.visits_per_household > self.months.saturating_mul(VISITS_A_MONTH_MAX) {
            let message = format!("{} visits are more than one a day", self.visits_per_household);
            fault(message, "name 30 at most for each month of history");
        }
        match (self.townships, self.shape) {
            (Some(0), _) => fault("a bank without townships has no place for households".to_owned(), "name 1 or more"),
            (Some(1), Shape::HugeBranch) => {
                let message = "in one township no branch can be huger than the others".to_owned();
                fault(message, "name 2 townships or more, or leave `--townships` out");
            }
            (Some(townships), _) if u64::from(townships) > self.households.max(2) => {
                fault(format!("{townships} townships are more than there are households"), "name fewer");
            }
            _ => {}
        }
        if self.shape == Shape::BusyHousehold && self.households == 0 {
            fault("a bank without households has no busy one".to_owned(), "name 1 household or more");
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::WrongUsage(faults)) }
    }
}

/// Calls `sink` with the next rows of every input table, which may be none, until there are no more. It is called on
/// one thread of the pool after the other while the next blocks are drawn; what it gets of a table, put together, is
/// the same for any number of threads.
pub fn generate(options: &Options, sink: &mut (dyn FnMut(Vec<TableRows>) -> Result<()> + Send)) -> Result<()> {
    options.check()?;
    let setting = Setting::new(options);
    let mut layout = layout::lay_out(&setting);
    let staff = staff::appoint(&setting, &mut layout);
    let mut tables = Tables::new();
    layout.write(&mut tables);
    staff.write(&mut tables);
    points::write(&setting, &layout, &mut tables);
    let mut drawn = tables.finish()?;

    for blocks in blocks(&setting, &layout).chunks(rayon::current_num_threads() * BLOCKS_A_THREAD) {
        let draw = || blocks.par_iter().map(|block| block.draw(&setting, &layout)).collect::<Result<Vec<_>>>();
        let (sunk, next) = rayon::join(|| sink(drawn), draw);
        sunk?;
        drawn = next?.into_iter().flatten().collect();
    }
    sink(drawn)
}

/// What is drawn at once by one thread: rows that follow from the options and the block alone.
enum Block {
    /// The grids at these places, with their households.
    Grids(Range<usize>),
    /// Loans to borrowers outside the grids, by their numbers.
    OutsideLoans(RangeInclusive<i64>),
}

/// All blocks in the order of their rows.
fn blocks(setting: &Setting, layout: &Layout) -> Vec<Block> {
    let (mut blocks, mut first, mut gathered) = (Vec::new(), 0, 0);
    for (position, grid) in layout.grids.iter().enumerate() {
        gathered += grid.size;
        if gathered >= BLOCK_HOUSEHOLDS {
            blocks.push(Block::Grids(first..position + 1));
            (first, gathered) = (position + 1, 0);
        }
    }
    blocks.push(Block::Grids(first..layout.grids.len()));
    let (last, size) = (loans::outside_count(setting), BLOCK_HOUSEHOLDS);
    let outside = (1..=last).step_by(size as usize).map(|first| first..=last.min(first + size - 1));
    blocks.extend(outside.map(Block::OutsideLoans));
    blocks
}

impl Block {
    fn draw(&self, setting: &Setting, layout: &Layout) -> Result<Vec<TableRows>> {
        let mut tables = Tables::new();
        match self {
            Block::Grids(places) => {
                for (place, grid) in layout.grids.iter().enumerate().take(places.end).skip(places.start) {
                    let before = place.checked_sub(1).and_then(|before| layout.grids.get(before));
                    let neighbours = Neighbours {
                        before: before.filter(|_| grid.follows_in_area),
                        after: layout.grids.get(place + 1).filter(|after| after.follows_in_area),
                    };
                    write_grid(setting, grid, &neighbours, &mut tables);
                }
            }
            Block::OutsideLoans(numbers) => {
                numbers.clone().for_each(|number| loans::write_outside(setting, layout, number, &mut tables));
            }
        }
        tables.finish()
    }
}

/// The grids of the same area that a household of the grid may have come from or may move to.
struct Neighbours<'a> {
    before: Option<&'a Grid>,
    after: Option<&'a Grid>,
}

fn write_grid(setting: &Setting, grid: &Grid, neighbours: &Neighbours, tables: &mut Tables) {
    visits::write_patrols(setting, grid, tables);
    for rank in 1..=grid.size {
        let mut household = Household::draw(setting, grid, neighbours, rank);
        household.write(setting, grid, neighbours, tables);
        if household.is_blank {
            continue;
        }
        loans::write(setting, grid, &mut household, tables);
        registers::write_outside_debts(setting, &mut household, tables);
        registers::write_watchlist(setting, &mut household, tables);
        profiles::write(setting, grid, &household, tables);
        accounts::write(setting, &household, tables);
        visits::write(setting, grid, neighbours, &household, tables);
        conduct::write_events(setting, &mut household, tables);
        conduct::write_peer_reviews(setting, grid, &mut household, tables);
        decisions::write(setting, grid, &household, tables);
    }
}

/// What every part of the generator needs to know, worked out once from the options.
struct Setting {
    seed: u64,
    as_of: Date,
    /// The day before the history's first.
    history_from: Date,
    history_days: i64,
    history_months: u32,
    /// The latest complete month of the history; `months − 1` more lie before it.
    last_month: Month,
    households: i64,
    visits_per_household: i64,
    townships: i64,
    shape: Shape,
    widths: Widths,
}

/// Digits of the ids, so that they sort as their numbers do.
struct Widths {
    area: usize,
    branch: usize,
    grid: usize,
    officer: usize,
    household: usize,
}

impl Setting {
    fn new(options: &Options) -> Self {
        let households = i64::try_from(options.households).unwrap_or(i64::MAX);
        let usual_townships = match options.shape {
            Shape::Even | Shape::BusyHousehold if households < 1_000 => 1,
            _ => (households / 5_000).max(2),
        };
        let townships = options.townships.map_or(usual_townships, |townships| i64::from(townships).max(1));
        let history_from = options.as_of.months_earlier(options.months);
        let this_month = Month::of(options.as_of);
        let latest_is_complete = CompleteMonths::until(options.as_of, 1).position(options.as_of).is_some();
        // More grids than there can be: most have a hundred households or more.
        let grids_most = households / 90 + townships * 8 + 10;
        Setting {
            seed: options.seed,
            as_of: options.as_of,
            history_from,
            history_days: i64::from(options.as_of.0 - history_from.0).max(1),
            history_months: options.months,
            last_month: if latest_is_complete { this_month } else { Month(this_month.0 - 1) },
            households,
            visits_per_household: i64::from(options.visits_per_household),
            townships,
            shape: options.shape,
            widths: Widths {
                area: digits(grids_most + townships * 2).max(4),
                branch: digits(townships * 2 + 10).max(3),
                grid: digits(grids_most).max(4),
                officer: digits(grids_most * 4).max(4),
                household: digits(households).max(7),
            },
        }
    }

    /// Whether this is the household of a busy bank that is visited all the time.
    fn is_busy(&self, household_number: i64) -> bool {
        self.shape == Shape::BusyHousehold && household_number == 1
    }

    fn days_before(&self, days: i64) -> Date {
        Date(self.as_of.0 - days as i32)
    }

    fn days_after(&self, days: i64) -> Date {
        Date(self.as_of.0 + days as i32)
    }

    /// The last day whose payments stand in the export.
    fn exported_on(&self) -> Date {
        Date(self.as_of.0 + EXPORT_DAYS)
    }
}

fn digits(number: i64) -> usize {
    number.max(1).ilog10() as usize + 1
}

/// `B003`: a letter and a number with leading zeros.
fn id(letter: char, number: i64, width: usize) -> String {
    format!("{letter}{number:0width$}")
}

/// A wall-clock moment: seconds into a day.
fn moment(day: Date, seconds: i64) -> i64 {
    day.midnight() + seconds * 1_000_000
}

/// A place on the map in millionths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position {
    longitude: i64,
    latitude: i64,
}

impl Position {
    const MILLIONTHS: i64 = 1_000_000;

    fn moved(self, east: i64, north: i64) -> Self {
        Position { longitude: self.longitude + east, latitude: self.latitude + north }
    }
}

#[cfg(test)]
mod tests;

//! A synthetic bank of any size, the same rows for the same options, for ever and on any machine.
//! The bank is laid out first (areas, branches, grids, staff); then household after household is drawn, each from
//! streams of its own, and handed out in chunks of whole grids, so that memory does not grow with the logs.
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

use crate::calendar::{CompleteMonths, Date, MICROSECONDS_A_DAY, Month};
use crate::fault::Result;
use arrow::array::RecordBatch;
use households::Household;
use layout::Grid;
use tables::Tables;

/// Whole grids gather until there are this many households; then their rows are handed over.
const CHUNK_HOUSEHOLDS: i64 = 2_000;

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
    /// The first household has 10,000 visits more.
    BusyHousehold,
}

impl Options {
    /// Two years of history with one visit a month.
    pub fn new(households: u64, seed: u64, as_of: Date) -> Self {
        Options { households, seed, as_of, months: 24, visits_per_household: 24, townships: None, shape: Shape::Even }
    }
}

/// Calls `sink(table, batch)`: the batches of one table come in key order, and every input table gets at least one.
pub fn generate(options: &Options, sink: &mut dyn FnMut(&'static str, RecordBatch) -> Result<()>) -> Result<()> {
    let setting = Setting::new(options);
    let mut tables = Tables::new();
    let mut layout = layout::lay_out(&setting);
    let staff = staff::appoint(&setting, &mut layout);
    layout.write(&mut tables);
    staff.write(&mut tables);
    points::write(&setting, &layout, &mut tables);
    tables.flush(sink)?;

    let mut gathered = 0;
    for (position, grid) in layout.grids.iter().enumerate() {
        let before = position.checked_sub(1).and_then(|position| layout.grids.get(position));
        let neighbours = Neighbours {
            before: before.filter(|_| grid.follows_in_area),
            after: layout.grids.get(position + 1).filter(|after| after.follows_in_area),
        };
        write_grid(&setting, grid, &neighbours, &mut tables);
        gathered += grid.size;
        if gathered >= CHUNK_HOUSEHOLDS {
            tables.flush(sink)?;
            gathered = 0;
        }
    }
    for number in 1..=loans::outside_count(&setting) {
        loans::write_outside(&setting, &layout, number, &mut tables);
        if number % CHUNK_HOUSEHOLDS == 0 {
            tables.flush(sink)?;
        }
    }
    tables.close(sink)
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
        let usual_townships = if households < 1_000 { 1 } else { (households / 5_000).max(2) };
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
    i64::from(day.0) * MICROSECONDS_A_DAY + seconds * 1_000_000
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

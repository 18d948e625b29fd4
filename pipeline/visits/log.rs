//! The log of visits, taken in piece by piece: what each visit shows by itself is flagged at once, and of every visit only
//! that is kept which its branch, the table of checks and the indicators need. Then the branches are checked.

use hashbrown::HashMap;
use rayon::prelude::*;

use arrow::array::{Array, BooleanArray, UInt32Array};
use arrow::compute::filter;

use crate::calendar::{Date, MICROSECONDS_A_DAY, Window, day_of};
use crate::clean::Tables;
use crate::clean::typed::{Rows as _, Visits};
use crate::contract::{Contract, Contracts};
use crate::fault::{Error, Result};
use crate::in_order;
use crate::register::Register;
use crate::rulebook::VisitChecks as Rules;

use super::checker::{Checked, Checker, MICROSECONDS_AN_HOUR};
use super::distance::{Position, at_most_m, distance_m};
use super::listed::{Listed, ListedVisits};
use super::recent::{NO_WORD, Recent, RecentVisits};
use super::record::{NONE, Record};
use super::store::{Room, Store};
use super::tallies::{Issue, VisitTallies};
use super::{EVALUATED_MONTHS, Flag, Flags, VisitChecks};

const MICROSECONDS_A_MINUTE: i64 = 60_000_000;
const RECENT_MONTHS: u32 = 12;
const PATROL_MONTHS: u32 = 1;
/// Rows that one thread takes at once.
const ROWS_AT_ONCE: usize = 1 << 14;
/// Branches that are checked, and not yet added to the others, for each thread.
const BRANCHES_A_THREAD: usize = 4;

/// The visits that were taken in so far.
pub struct VisitLog {
    lookups: Lookups,
    /// Numbers of devices, in the order in which they first appeared.
    devices: HashMap<String, u32>,
    store: Store,
    listed: Listed,
    recent: RecentVisits,
    visits: u32,
    /// Households of the run, grids and officers.
    sizes: (usize, usize, usize),
}

/// What a visit is looked up in, by the positions of its household, grid and officer.
struct Lookups {
    rules: Rules,
    window: Window,
    recent: Window,
    as_of: Date,
    words: Words,
    homes: Vec<Home>,
    assignments: Spans,
    grid_branches: Vec<u32>,
    officer_branches: Vec<u32>,
}

/// Where a household lives on the as-of date, and its number and branch there; not a number where it has no position.
#[derive(Clone, Copy)]
struct Home {
    longitude: f64,
    latitude: f64,
    number: u32,
    branch: u32,
}

/// Days on which an officer is assigned to a grid: from, and up to but not including.
type Spans = HashMap<(u32, u32), Vec<(Date, Option<Date>)>>;

/// The words that are told apart, as codes.
struct Words {
    onsite: u8,
    no_issue: u8,
    urgent: u8,
    /// Of an issue that is resolved: in the grid, the community, the township.
    resolved: [u8; 3],
}

impl Words {
    fn of(visits: &Contract) -> Result<Words> {
        let status = |word: &str| visits.word_code("issue_status", word);
        Ok(Words {
            onsite: visits.word_code("channel", "onsite")?,
            no_issue: visits.word_code("issue_level", "none")?,
            urgent: visits.word_code("issue_level", "urgent")?,
            resolved: [status("resolved_in_grid")?, status("resolved_in_community")?, status("resolved_in_township")?],
        })
    }
}

impl VisitLog {
    /// Before any visit. `tables` holds the households, grids, officers and assignments to which visits refer.
    pub fn begin(
        tables: &Tables,
        register: &Register,
        rules: &Rules,
        contracts: &Contracts,
        room: &Room,
    ) -> Result<VisitLog> {
        let mut branch_sizes = vec![0_u32; tables.branches.rows];
        for number in 0..register.len() {
            if let Some(size) = branch_sizes.get_mut(register.branch(number)) {
                *size += 1;
            }
        }
        Ok(VisitLog {
            lookups: Lookups::of(tables, register, rules, contracts)?,
            devices: HashMap::new(),
            store: Store::begin(&branch_sizes, room)?,
            listed: Listed::begin(room.spill()?),
            recent: RecentVisits::begin(room.spill()?),
            visits: 0,
            sizes: (register.len(), tables.grids.rows, tables.officers.rows),
        })
    }

    /// Takes the next visits of the log in.
    pub fn take(&mut self, visits: &Visits) -> Result<()> {
        let (lookups, devices) = (&self.lookups, &self.devices);
        let known = |row: usize| visits.device_id.get(row).and_then(|device| devices.get(device)).copied();
        let record = |row: usize| {
            let (branch, record) = lookups.record(visits, row)?;
            Some((row, (branch, Record { device: known(row).unwrap_or(NONE), ..record })))
        };
        let made = (0..visits.rows.div_ceil(ROWS_AT_ONCE)).into_par_iter().map(|part| {
            let rows = part * ROWS_AT_ONCE..visits.rows.min((part + 1) * ROWS_AT_ONCE);
            rows.filter_map(record).collect::<Vec<_>>()
        });
        let made: Vec<Vec<(usize, (u32, Record))>> = made.collect();
        let mut is_evaluated = vec![false; visits.rows];
        for (row, (branch, mut record)) in made.into_iter().flatten() {
            record.number = self.visits;
            if record.device == NONE {
                record.device = visits.device_id.get(row).map_or(NONE, |device| self.device(device));
            }
            self.visits =
                self.visits.checked_add(1).ok_or_else(|| Error::internal("more visits than can be counted"))?;
            if self.lookups.recent.contains(day_of(record.started_at)) {
                self.recent.push(&recent(visits, row, &record))?;
            }
            self.store.push(branch, record)?;
            if let Some(slot) = is_evaluated.get_mut(row) {
                *slot = true;
            }
        }
        self.listed.push(listed(visits, is_evaluated)?)
    }

    fn device(&mut self, device: &str) -> u32 {
        let next = self.devices.len() as u32;
        match self.devices.get(device) {
            Some(&number) => number,
            None => *self.devices.entry(device.to_string()).or_insert(next),
        }
    }

    /// Checks every branch.
    pub fn check(mut self) -> Result<(VisitChecks, VisitTallies)> {
        let places = self.listed.sort()?;
        let as_of = self.lookups.as_of;
        let checker = Checker {
            rules: &self.lookups.rules,
            places: places.as_deref(),
            officer_branches: &self.lookups.officer_branches,
            recent: self.lookups.recent,
            patrols: Window::months_to(as_of, PATROL_MONTHS),
        };
        let mut flags = vec![Flags::default(); self.visits as usize];
        let (households, grids, officers) = self.sizes;
        let mut tallies = VisitTallies::empty(households, grids, officers);
        for shard in 0..self.store.shards() {
            let branches = self.store.take(shard);
            let store = &self.store;
            let check = |branch: usize| {
                let branch = branches.get(branch).ok_or_else(|| Error::internal("a shard has fewer branches"))?;
                Ok(checker.check(branch.number(), store.records(branch)?))
            };
            let ahead = rayon::current_num_threads() * BRANCHES_A_THREAD;
            in_order::make_and_take(branches.len(), ahead, check, |_, checked: Result<Checked>| {
                let (of_visits, of_branch) = checked?;
                for (number, of_visit) in of_visits {
                    if let Some(slot) = flags.get_mut(number as usize) {
                        *slot = of_visit;
                    }
                }
                tallies.take(of_branch);
                Ok(())
            })?;
        }
        Ok((VisitChecks { flags, listed: self.listed, recent: self.recent }, tallies))
    }
}

/// The visits that are evaluated, as the table of checks lists them.
fn listed(visits: &Visits, is_evaluated: Vec<bool>) -> Result<ListedVisits> {
    let is_whole = !is_evaluated.contains(&false);
    let is_evaluated = BooleanArray::from(is_evaluated);
    let kept = |column: &dyn Array| {
        let kept = if is_whole { Ok(column.slice(0, column.len())) } else { filter(column, &is_evaluated) };
        kept.map_err(|error| Error::internal(error.to_string()))
    };
    let numbers = |column: &UInt32Array| {
        let kept = kept(column)?;
        let numbers: UInt32Array = UInt32Array::from(kept.to_data());
        if numbers.null_count() == 0 {
            return Ok(numbers);
        }
        Ok::<_, Error>(UInt32Array::from_iter_values(numbers.iter().map(|number| number.unwrap_or(NONE))))
    };
    let ids = arrow::compute::cast(&kept(visits.visit_id.array())?, &arrow::datatypes::DataType::Utf8);
    let ids = ids.map_err(|error| Error::internal(error.to_string()))?;
    Ok(ListedVisits {
        ids: ids.to_data().into(),
        officers: numbers(visits.officer_id.array())?,
        grids: numbers(visits.grid_id.array())?,
        households: numbers(visits.household_id.array())?,
        started_at: kept(visits.started_at.array())?.to_data().into(),
    })
}

fn recent(visits: &Visits, row: usize, record: &Record) -> Recent {
    let recorded_at = visits.recorded_at.get(row).unwrap_or_default();
    let word = |code: Option<u8>| code.unwrap_or(NO_WORD);
    Recent {
        number: record.number,
        grid: record.grid,
        day: day_of(record.started_at).0,
        coded: [
            word(visits.channel.get(row)),
            word(visits.purpose.get(row)),
            word(visits.issue_level.get(row)),
            record.issue as u8,
            u8::from(visits.household_id.get(row).is_some()),
        ],
        record_delay: recorded_at - visits.ended_at.get(row).unwrap_or_default(),
    }
}

impl Lookups {
    fn of(tables: &Tables, register: &Register, rules: &Rules, contracts: &Contracts) -> Result<Lookups> {
        let households = &tables.households;
        let home = |position: usize| {
            let number = register.number(position);
            let row = number.map(|number| register.row(number));
            let at = row.and_then(|row| Position::of(households.longitude.get(row), households.latitude.get(row)));
            Home {
                longitude: at.map_or(f64::NAN, |at| at.longitude),
                latitude: at.map_or(f64::NAN, |at| at.latitude),
                number: number.map_or(NONE, |number| number as u32),
                branch: number.map_or(NONE, |number| register.branch(number) as u32),
            }
        };
        let branch = |branch: Option<usize>| branch.map_or(NONE, |branch| branch as u32);
        let (grids, officers) = (&tables.grids, &tables.officers);
        Ok(Lookups {
            rules: rules.clone(),
            window: Window::months_to(register.as_of, EVALUATED_MONTHS),
            recent: Window::months_to(register.as_of, RECENT_MONTHS),
            as_of: register.as_of,
            words: Words::of(contracts.input("visits")?)?,
            homes: (0..households.ids.accepted()).map(home).collect(),
            assignments: assignments(tables),
            grid_branches: (0..grids.rows).map(|grid| branch(grids.branch_id.get(grid))).collect(),
            officer_branches: (0..officers.rows).map(|officer| branch(officers.branch_id.get(officer))).collect(),
        })
    }

    /// An evaluated visit with what it shows by itself, and its branch; not yet its number and device.
    fn record(&self, visits: &Visits, row: usize) -> Option<(u32, Record)> {
        let started_at = visits.started_at.get(row)?;
        let day = day_of(started_at);
        if !self.window.contains(day) {
            return None;
        }
        let grid = visits.grid_id.get(row)?;
        let branch = *self.grid_branches.get(grid)?;
        let ended_at = visits.ended_at.get(row).unwrap_or(started_at);
        let officer = visits.officer_id.get(row).map_or(NONE, |officer| officer as u32);
        let household = visits.household_id.get(row);
        let home = household.and_then(|position| self.homes.get(position));
        let position = Position::of(visits.longitude.get(row), visits.latitude.get(row));
        let is_onsite = visits.channel.get(row) == Some(self.words.onsite);
        let mut flags = Flags::default();
        flags.set(Flag::Remote, !is_onsite);
        if is_onsite {
            let is_short = ended_at - started_at < i64::from(self.rules.minutes_min) * MICROSECONDS_A_MINUTE;
            flags.set(Flag::TooShort, household.is_some() && is_short);
            flags.set(Flag::TooFar, position.zip(home).is_some_and(|(here, home)| self.is_too_far(here, home)));
            flags.set(Flag::NoPosition, position.is_none());
        }
        let recorded_at = visits.recorded_at.get(row).unwrap_or(ended_at);
        let late = i64::from(self.rules.record_hours_max) * MICROSECONDS_AN_HOUR;
        flags.set(Flag::LateRecord, recorded_at - ended_at > late);
        flags.set(Flag::OddHours, self.is_at_odd_hours(started_at));
        flags.set(Flag::NotAssigned, !self.is_assigned(officer, grid as u32, day));
        let record = Record {
            started_at,
            ended_at,
            longitude: position.map_or(f64::NAN, |position| position.longitude),
            latitude: position.map_or(f64::NAN, |position| position.latitude),
            photo: visits.photo_hash.get(row).map_or(0, fingerprint),
            number: 0,
            officer,
            grid: grid as u32,
            household: home.filter(|home| home.branch == branch).map_or(NONE, |home| home.number),
            device: NONE,
            flags,
            is_onsite,
            issue: self.issue(visits, row),
        };
        Some((branch, record))
    }

    /// The distance is computed only where a bound of it does not settle the question.
    fn is_too_far(&self, here: Position, home: &Home) -> bool {
        let most = f64::from(self.rules.distance_max_m);
        let home = Position { longitude: home.longitude, latitude: home.latitude };
        // Nothing is far from a home without a position.
        !home.longitude.is_nan() && at_most_m(here, home) > most && distance_m(here, home) > most
    }

    fn is_at_odd_hours(&self, started_at: i64) -> bool {
        let minute = |minute: u32| i64::from(minute) * MICROSECONDS_A_MINUTE;
        let day = minute(self.rules.day_starts_minute)..minute(self.rules.day_ends_minute);
        !day.contains(&started_at.rem_euclid(MICROSECONDS_A_DAY))
    }

    fn is_assigned(&self, officer: u32, grid: u32, day: Date) -> bool {
        let spans = self.assignments.get(&(officer, grid));
        spans.is_some_and(|spans| spans.iter().any(|&(from, to)| day.is_within(from, to)))
    }

    /// What became of the issue that a visit raised. An issue counts as resolved from the day on which it was.
    fn issue(&self, visits: &Visits, row: usize) -> Issue {
        let level = visits.issue_level.get(row);
        if level.is_none_or(|level| level == self.words.no_issue) {
            return Issue::None;
        }
        let is_resolved = visits.issue_resolved_at.get(row).is_some_and(|moment| day_of(moment) <= self.as_of);
        let [in_grid, in_community, in_township] = self.words.resolved;
        match visits.issue_status.get(row).filter(|_| is_resolved) {
            Some(status) if status == in_grid => Issue::ResolvedInGrid,
            Some(status) if status == in_community => Issue::ResolvedInCommunity,
            Some(status) if status == in_township => Issue::ResolvedInTownship,
            _ if level == Some(self.words.urgent) => Issue::OpenUrgent,
            _ => Issue::Open,
        }
    }
}

fn assignments(tables: &Tables) -> Spans {
    let assignments = &tables.assignments;
    let mut spans = Spans::new();
    for row in 0..assignments.rows {
        let who = assignments.officer_id.get(row).zip(assignments.grid_id.get(row));
        if let (Some((officer, grid)), Some(from)) = (who, assignments.valid_from.get(row)) {
            let spans = spans.entry((officer as u32, grid as u32)).or_default();
            spans.push((from, assignments.valid_to.get(row)));
        }
    }
    spans
}

/// A number for a photo's hash, never nothing, the same for the same text and for no other: a short one is the number
/// itself, and of a longer one a digest is taken whose first byte no short one has.
fn fingerprint(hash: &str) -> u128 {
    let bytes = hash.as_bytes();
    if bytes.len() < 16 {
        return packed(bytes, bytes.len() as u8 + 1);
    }
    if let Some(packed) = hexadecimal(bytes) {
        return packed;
    }
    let digest = blake3::hash(bytes);
    packed(digest.as_bytes().get(..15).unwrap_or_default(), u8::MAX)
}

/// The most digits that fit beside the first byte.
const HEXADECIMAL_MAX: usize = 30;

fn hexadecimal(bytes: &[u8]) -> Option<u128> {
    let digits = u8::try_from(bytes.len()).ok().filter(|_| bytes.len() <= HEXADECIMAL_MAX)?;
    let mut packed = u128::from(digits + 32);
    for byte in bytes {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        packed = (packed << 4) | u128::from(digit);
    }
    Some(packed << (4 * (HEXADECIMAL_MAX - bytes.len())))
}

fn packed(bytes: &[u8], first: u8) -> u128 {
    let rest = bytes.iter().fold(u128::from(first), |packed, &byte| (packed << 8) | u128::from(byte));
    rest << (8 * (15 - bytes.len().min(15)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_that_differ_have_different_numbers() {
        let long = "f".repeat(31);
        let hashes = [
            "",
            "0",
            "00",
            "a",
            "A",
            "000000000000000",
            "0000000000000000",
            "097a8337a3f49cbf",
            "097A8337A3F49CBF",
            "097a8337a3f49cbf0",
            "ffffffffffffffffffffffffffffff",
            &long,
            "photo of a house, front",
            "照片",
        ];
        let mut numbers: Vec<u128> = hashes.iter().map(|hash| fingerprint(hash)).collect();
        assert!(numbers.iter().all(|&number| number != 0));
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), hashes.len());
    }
}

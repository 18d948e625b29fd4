//! What is done to each visit of the log by itself, some visits at a time and on any thread: it is flagged for what it shows
//! alone, and of it only that is kept which its branch, the table of checks and the indicators need.

use std::cell::RefCell;
use std::ops::Range;

use hashbrown::HashMap;

use crate::calendar::{Date, MICROSECONDS_A_DAY, Window, day_of};
use crate::clean::Tables;
use crate::clean::typed::{Rows as _, Texts, Visits};
use crate::contract::{Contract, Contracts};
use crate::fault::Result;
use crate::register::Register;
use crate::rulebook::VisitChecks as Rules;

use super::buckets::Slots;
use super::checker::MICROSECONDS_AN_HOUR;
use super::distance::{Position, at_most_m, distance_m};
use super::listed::{self, PackedList};
use super::packed::Packer;
use super::recent::{self, NO_WORD, PackedRecent, Recent};
use super::record::{self, BLOCK, NONE, Photo, Record};
use super::tallies::Issue;
use super::{EVALUATED_MONTHS, Flag, Flags};

const MICROSECONDS_A_MINUTE: i64 = 60_000_000;
const RECENT_MONTHS: u32 = 12;

thread_local! {
    /// Of each thread that prepares visits: it is there already when the next ones come.
    static DESK: RefCell<Desk> = RefCell::default();
}

/// What visits are prepared on.
#[derive(Default)]
struct Desk {
    /// One for each of what is kept of them, which is about as long from time to time.
    of_list: Packer,
    of_recent: Packer,
    of_blocks: Packer,
    /// Room for what is found of the visits in turn.
    evaluated: Vec<Evaluated>,
    recent: Vec<Recent>,
    records: Vec<Record>,
}

/// Visits that are laid by branch at once: as many as a file's reader hands over. What an adapter has made comes as a whole.
const LAID_AT_ONCE: usize = 1 << 16;

/// The fewest visits that are worth a block of their own.
const BLOCK_MIN: usize = 64;

/// The evaluated visits among some that follow each other in the log. In what is kept of them for their branches numbers
/// count from 0 here, and devices by their place among `devices`.
pub struct PreparedVisits {
    pub(super) visits: usize,
    pub(super) blocks: PreparedBlocks,
    /// Visits of branches that have few here.
    pub(super) others: Vec<(u32, Record)>,
    pub(super) devices: Vec<String>,
    pub(super) listed: PackedList,
    pub(super) recent: PackedRecent,
}

/// Blocks of visits, packed one after the other.
pub(super) struct PreparedBlocks {
    pub bytes: Box<[u8]>,
    pub blocks: Vec<PreparedBlock>,
}

/// Visits of one branch, and where they lie.
pub(super) struct PreparedBlock {
    pub branch: u32,
    pub rows: u32,
    pub part: Range<usize>,
}

/// An evaluated visit among those that are prepared.
struct Evaluated {
    row: u32,
    branch: u32,
    day: Date,
    issue: Issue,
}

/// What a visit is looked up in, by the positions of its household, grid and officer.
pub struct VisitIntake {
    pub(super) rules: Rules,
    window: Window,
    pub(super) recent: Window,
    pub(super) as_of: Date,
    words: Words,
    homes: Vec<Home>,
    assignments: Assignments,
    branches: usize,
    grid_branches: Vec<u32>,
    pub(super) officer_branches: Vec<u32>,
}

/// Where a household lives on the as-of date, and its number and branch there; not a number where it has no position.
#[derive(Clone, Copy)]
struct Home {
    longitude: f64,
    latitude: f64,
    number: u32,
    branch: u32,
}

/// By grid its officers, and the days on which each is assigned to it: from, and up to but not including.
type Assignments = Vec<Vec<(u32, Date, Option<Date>)>>;

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

impl VisitIntake {
    /// `tables` holds the households, grids, officers and assignments to which visits refer.
    pub(super) fn of(
        tables: &Tables,
        register: &Register,
        rules: &Rules,
        contracts: &Contracts,
    ) -> Result<VisitIntake> {
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
        Ok(VisitIntake {
            rules: rules.clone(),
            window: Window::months_to(register.as_of, EVALUATED_MONTHS),
            recent: Window::months_to(register.as_of, RECENT_MONTHS),
            as_of: register.as_of,
            words: Words::of(contracts.input("visits")?)?,
            homes: (0..households.ids.accepted()).map(home).collect(),
            assignments: assignments(tables),
            branches: tables.branches.rows,
            grid_branches: (0..grids.rows).map(|grid| branch(grids.branch_id.get(grid))).collect(),
            officer_branches: (0..officers.rows).map(|officer| branch(officers.branch_id.get(officer))).collect(),
        })
    }

    /// Prepares some visits, those of accepted rows.
    pub fn prepare(&self, visits: &Visits, rows: impl Iterator<Item = usize>) -> PreparedVisits {
        DESK.with_borrow_mut(|desk| self.prepare_on(desk, visits, rows))
    }

    fn prepare_on(&self, desk: &mut Desk, visits: &Visits, rows: impl Iterator<Item = usize>) -> PreparedVisits {
        let Desk { of_list, of_recent, of_blocks, evaluated, recent, records } = desk;
        evaluated.clear();
        rows.for_each(|row| evaluated.extend(self.evaluated(visits, row)));
        let listed = listed::pack(visits, evaluated.iter().map(|visit| visit.row as usize), of_list);
        recent.clear();
        let of_recent_days = (0..).zip(evaluated.iter()).filter(|(_, visit)| self.recent.contains(visit.day));
        of_recent_days.for_each(|(number, visit)| recent.push(self.recent_of(visits, visit, number)));
        let packed_recent = recent::pack(recent, of_recent);
        recent.shrink_to(LAID_AT_ONCE);
        let mut devices = Devices::of(&visits.device_id);
        let (mut blocks, mut others) = (Vec::new(), Vec::new());
        for (first, laid) in (0..).step_by(LAID_AT_ONCE).zip(evaluated.chunks(LAID_AT_ONCE)) {
            let ends = lay_by_branch(laid, self.branches, records, |place, visit, slot| {
                *slot = self.record(visits, visit, first + place, devices.number(visit.row as usize));
            });
            for (branch, some) in chunks(records, &ends) {
                if some.len() < BLOCK_MIN {
                    others.extend(some.iter().map(|record| (branch, *record)));
                    continue;
                }
                let start = of_blocks.len();
                record::pack(some, of_blocks);
                blocks.push(PreparedBlock { branch, rows: some.len() as u32, part: start..of_blocks.len() });
            }
        }
        let blocks = PreparedBlocks { bytes: of_blocks.end(), blocks };
        let visits = evaluated.len();
        evaluated.shrink_to(LAID_AT_ONCE);
        PreparedVisits { visits, blocks, others, devices: devices.texts(), listed, recent: packed_recent }
    }

    /// The visit of a row, if it is evaluated.
    #[inline]
    fn evaluated(&self, visits: &Visits, row: usize) -> Option<Evaluated> {
        let day = day_of(visits.started_at.get(row)?);
        let branch = self.grid_branches.get(visits.grid_id.get(row).filter(|_| self.window.contains(day))?)?;
        Some(Evaluated { row: row as u32, branch: *branch, day, issue: self.issue(visits, row) })
    }

    /// What an evaluated visit shows by itself. Laid in line where the record goes: a record that is made elsewhere and
    /// moved at once is waited for.
    #[inline(always)]
    fn record(&self, visits: &Visits, visit: &Evaluated, number: u32, device: u32) -> Record {
        let &Evaluated { row, branch, day, issue } = visit;
        let row = row as usize;
        let started_at = visits.started_at.get(row).unwrap_or_default();
        let grid = visits.grid_id.get(row).map_or(NONE, |grid| grid as u32);
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
        flags.set(Flag::NotAssigned, !self.is_assigned(officer, grid, day));
        Record {
            started_at,
            ended_at,
            longitude: position.map_or(f64::NAN, |position| position.longitude),
            latitude: position.map_or(f64::NAN, |position| position.latitude),
            photo: visits.photo_hash.get(row).map_or(Photo::NONE, |hash| Photo::of(fingerprint(hash))),
            number,
            officer,
            grid,
            household: home.filter(|home| home.branch == branch).map_or(NONE, |home| home.number),
            device,
            flags,
            is_onsite,
            issue,
        }
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
        let officers = self.assignments.get(grid as usize);
        let is_on = |&(of, from, to): &(u32, Date, Option<Date>)| of == officer && day.is_within(from, to);
        officers.is_some_and(|officers| officers.iter().any(is_on))
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

    /// What indicators count of a visit of the last twelve months.
    #[inline(always)]
    fn recent_of(&self, visits: &Visits, &Evaluated { row, day, issue, .. }: &Evaluated, number: u32) -> Recent {
        let row = row as usize;
        let recorded_at = visits.recorded_at.get(row).unwrap_or_default();
        let word = |code: Option<u8>| code.unwrap_or(NO_WORD);
        Recent {
            number,
            grid: visits.grid_id.get(row).map_or(NONE, |grid| grid as u32),
            day: day.0,
            coded: [
                word(visits.channel.get(row)),
                word(visits.purpose.get(row)),
                word(visits.issue_level.get(row)),
                issue as u8,
                u8::from(visits.household_id.get(row).is_some()),
            ],
            record_delay: recorded_at - visits.ended_at.get(row).unwrap_or_default(),
        }
    }
}

fn assignments(tables: &Tables) -> Assignments {
    let assignments = &tables.assignments;
    let mut of_grids = vec![Vec::new(); tables.grids.rows];
    for row in 0..assignments.rows {
        let who = assignments.officer_id.get(row).zip(assignments.grid_id.get(row));
        if let (Some((officer, grid)), Some(from)) = (who, assignments.valid_from.get(row))
            && let Some(officers) = of_grids.get_mut(grid)
        {
            officers.push((officer as u32, from, assignments.valid_to.get(row)));
        }
    }
    of_grids
}

/// Makes a record of each visit, in their order, in which the columns of the log lie too. Each is laid where its branch
/// lies, in place of what `records` held; where each branch ends among them, those of no branch last.
fn lay_by_branch(
    visits: &[Evaluated],
    branches: usize,
    records: &mut Vec<Record>,
    mut record: impl FnMut(u32, &Evaluated, &mut Record),
) -> Vec<usize> {
    let bucket = |visit: &Evaluated| branches.min(visit.branch as usize);
    let mut slots = Slots::of(visits.iter().map(bucket), branches + 1);
    if records.len() < visits.len() {
        records.resize(visits.len(), Record::BLANK);
    }
    for (number, visit) in (0..).zip(visits) {
        if let Some(slot) = slots.next(bucket(visit)).and_then(|slot| records.get_mut(slot)) {
            record(number, visit, slot);
        }
    }
    slots.ends()
}

/// Records that were laid by branch in chunks of a block at most, each of one branch and with it.
fn chunks<'r>(records: &'r [Record], ends: &[usize]) -> impl Iterator<Item = (u32, &'r [Record])> {
    let starts = [0].into_iter().chain(ends.iter().copied());
    let no_branch = ends.len().saturating_sub(1);
    (0..).zip(starts.zip(ends)).flat_map(move |(branch, (start, &end))| {
        let branch = if branch == no_branch { NONE } else { branch as u32 };
        records.get(start..end).unwrap_or_default().chunks(BLOCK).map(move |some| (branch, some))
    })
}

/// The devices of some visits, and the number of each.
struct Devices<'a> {
    of_visits: &'a Texts,
    /// Of texts that are coded their numbers, by place, so that each is looked up once.
    of_places: Vec<u32>,
    numbered: Numbered<'a>,
}

impl<'a> Devices<'a> {
    fn of(of_visits: &'a Texts) -> Devices<'a> {
        let listed = if let Texts::Coded(coded) = of_visits { coded.listed() } else { 0 };
        Devices { of_visits, of_places: vec![NONE; listed], numbered: Numbered::default() }
    }

    fn number(&mut self, row: usize) -> u32 {
        let place = if let Texts::Coded(coded) = self.of_visits { coded.place(row) } else { None };
        match place.and_then(|place| self.of_places.get_mut(place)) {
            Some(&mut number) if number != NONE => number,
            slot => {
                let number = self.of_visits.get(row).map_or(NONE, |device| self.numbered.number(device));
                slot.into_iter().for_each(|slot| *slot = number);
                number
            }
        }
    }

    fn texts(self) -> Vec<String> {
        self.numbered.texts()
    }
}

/// Texts and the number of each, in the order in which they first appeared.
#[derive(Default)]
struct Numbered<'a> {
    numbers: HashMap<&'a str, u32>,
    last: Option<(&'a str, u32)>,
}

impl<'a> Numbered<'a> {
    fn number(&mut self, text: &'a str) -> u32 {
        if let Some((_, number)) = self.last.filter(|(last, _)| *last == text) {
            return number;
        }
        let next = self.numbers.len() as u32;
        let number = *self.numbers.entry(text).or_insert(next);
        self.last = Some((text, number));
        number
    }

    fn texts(self) -> Vec<String> {
        let mut texts: Vec<(u32, &str)> = self.numbers.into_iter().map(|(text, number)| (number, text)).collect();
        texts.sort_unstable();
        texts.into_iter().map(|(_, text)| text.to_string()).collect()
    }
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
    let count = u8::try_from(bytes.len()).ok().filter(|_| bytes.len() <= HEXADECIMAL_MAX)?;
    let (eights, rest) = bytes.as_chunks::<8>();
    let mut packed = u128::from(count + 32);
    for eight in eights {
        packed = packed << 32 | u128::from(eight_digits(*eight)?);
    }
    for &byte in rest {
        let digit = char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase())?;
        packed = packed << 4 | u128::from(digit);
    }
    Some(packed << (4 * (HEXADECIMAL_MAX - bytes.len())))
}

/// Eight hexadecimal digits in lower case, all at once: each byte of the number is one of them.
fn eight_digits(digits: [u8; 8]) -> Option<u32> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let written = u64::from_be_bytes(digits);
    let is_letter = written >> 6 & EACH;
    let values = (written & (0x0f * EACH)) + 9 * is_letter;
    let is_above_9 = (values + 6 * EACH) >> 4 & EACH;
    let as_written = values + u64::from(b'0') * EACH + u64::from(b'a' - b'9' - 1) * is_letter;
    if values & (0xf0 * EACH) != 0 || is_above_9 != is_letter || as_written != written {
        return None;
    }
    let pairs = (values | values >> 4) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    Some((fours | fours >> 16) as u32)
}

fn packed(bytes: &[u8], first: u8) -> u128 {
    let rest = bytes.iter().fold(u128::from(first), |packed, &byte| (packed << 8) | u128::from(byte));
    rest << (8 * (15 - bytes.len().min(15)))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, StringArray};

    use super::*;
    use crate::clean::typed::Coded;

    #[test]
    fn visits_of_a_branch_stand_together() {
        let visits =
            [3, 0, NONE, 1, 3, 0, NONE, 3].map(|branch| Evaluated { row: 0, branch, day: Date(0), issue: Issue::None });
        // What was there before is written over.
        let mut records = vec![Record { number: 99, ..Record::BLANK }; 3];
        let mut lay = |visits: &[Evaluated]| {
            let record = |number, visit: &Evaluated, slot: &mut Record| {
                *slot = Record { number, officer: visit.branch, ..Record::BLANK };
            };
            let ends = lay_by_branch(visits, 4, &mut records, record);
            let of_branches = chunks(&records, &ends).map(|(branch, some)| (branch, some.len())).collect::<Vec<_>>();
            (ends, of_branches, records.iter().map(|record| (record.officer, record.number)).collect::<Vec<_>>())
        };
        let order = [(0, 1), (0, 5), (1, 3), (3, 0), (3, 4), (3, 7), (NONE, 2), (NONE, 6)];
        let of_branches = [(0, 2), (1, 1), (3, 3), (NONE, 2)];
        assert_eq!(lay(&visits), (vec![2, 3, 3, 6, 8], of_branches.to_vec(), order.to_vec()));
        assert_eq!(lay(&[]).0, [0; 5]);
        assert_eq!(lay(&[]).1, []);
    }

    #[test]
    fn a_device_has_one_number_however_its_text_is_kept() {
        let devices = ["b", "a", "b", "", "c", "a", "b"].map(|text| (!text.is_empty()).then_some(text));
        // A list may name a text twice.
        let texts = StringArray::from(vec!["a", "b", "c", "b"]);
        let places = Int32Array::from(vec![Some(1), Some(0), Some(3), None, Some(2), Some(0), Some(1)]);
        let each = Texts::Each(devices.into_iter().collect());
        let coded = Texts::Coded(Coded::of(places, texts));
        for of_visits in [each, coded] {
            let mut devices = Devices::of(&of_visits);
            assert_eq!([0, 1, 2, 3, 4, 5, 6].map(|row| devices.number(row)), [0, 1, 0, NONE, 2, 1, 0]);
            assert_eq!(devices.texts(), ["b", "a", "c"]);
        }
    }

    #[test]
    fn eight_digits_are_read_as_each_by_itself() {
        let digits = *b"09afc3e7";
        assert_eq!(eight_digits(digits), Some(0x09af_c3e7));
        for (place, byte) in (0..8).flat_map(|place| (0..=u8::MAX).map(move |byte| (place, byte))) {
            let mut some = digits;
            some[place] = byte;
            let text = str::from_utf8(&some).ok().filter(|text| !text.contains(|letter: char| letter.is_uppercase()));
            let expected = text.filter(|text| !text.contains('+')).and_then(|text| u32::from_str_radix(text, 16).ok());
            assert_eq!(eight_digits(some), expected, "{byte:#x} at {place}");
        }
    }

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

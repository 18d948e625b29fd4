//! Which visits count (`rules.md` §3): every evaluated visit with the flags that apply to it. The evaluated visits of
//! one branch are enough to check them; branches are checked in parallel.
//! Leaves to `facts` what follows from a visit that counts, and to coverage what follows from one that does not.

use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;

use crate::calendar::{Date, MICROSECONDS_A_DAY, Window, day_of};
use crate::clean::Tables;
use crate::clean::typed::{Rows as _, Visits};
use crate::contract::Contracts;
use crate::fault::Result;
use crate::register::Register;
use crate::rulebook::VisitChecks as Rules;

/// Months of visits that are evaluated: `W(24)`.
pub const EVALUATED_MONTHS: u32 = 24;
const EARTH_RADIUS_M: f64 = 6_371_008.8;
const MICROSECONDS_A_MINUTE: i64 = 60_000_000;
const MICROSECONDS_AN_HOUR: i64 = 3_600_000_000;

/// Why a visit is to be looked at, in the order in which flags are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    Remote,
    TooShort,
    TooFar,
    Overlapping,
    ImpossibleSpeed,
    DuplicatePhoto,
    NoPosition,
    LateRecord,
    OddHours,
    NotAssigned,
    SharedDevice,
}

impl Flag {
    pub const ALL: [Flag; 11] = [
        Flag::Remote,
        Flag::TooShort,
        Flag::TooFar,
        Flag::Overlapping,
        Flag::ImpossibleSpeed,
        Flag::DuplicatePhoto,
        Flag::NoPosition,
        Flag::LateRecord,
        Flag::OddHours,
        Flag::NotAssigned,
        Flag::SharedDevice,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Flag::Remote => "remote",
            Flag::TooShort => "too_short",
            Flag::TooFar => "too_far",
            Flag::Overlapping => "overlapping",
            Flag::ImpossibleSpeed => "impossible_speed",
            Flag::DuplicatePhoto => "duplicate_photo",
            Flag::NoPosition => "no_position",
            Flag::LateRecord => "late_record",
            Flag::OddHours => "odd_hours",
            Flag::NotAssigned => "not_assigned",
            Flag::SharedDevice => "shared_device",
        }
    }

    /// Whether a visit with the flag does not count.
    pub fn invalidates(self) -> bool {
        INVALIDATING & (1 << self as u16) != 0
    }
}

/// The flags with which a visit does not count, one bit each; they stand first.
const INVALIDATING: u16 = (1 << (Flag::DuplicatePhoto as u16 + 1)) - 1;

/// The flags of one visit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u16);

impl Flags {
    fn set(&mut self, flag: Flag, applies: bool) {
        if applies {
            self.0 |= 1 << (flag as u16);
        }
    }

    pub fn has(self, flag: Flag) -> bool {
        self.0 & (1 << (flag as u16)) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.into_iter().filter(move |&flag| self.has(flag))
    }

    /// No invalidating flag.
    pub fn is_valid(self) -> bool {
        self.0 & INVALIDATING == 0
    }
}

/// The evaluated visits, ordered by visit_id; grain one visit, key visit_id.
#[derive(Debug, Default)]
pub struct VisitChecks {
    /// Row in `visits`.
    pub rows: Vec<u32>,
    pub flags: Vec<Flags>,
    /// Position of the branch of the visit's grid.
    pub branches: Vec<u32>,
    /// The day on which the visit began.
    pub days: Vec<Date>,
}

/// Checks every known visit of `W(24)`.
pub fn check(tables: &Tables, register: &Register, rules: &Rules, contracts: &Contracts) -> Result<VisitChecks> {
    let visits = &tables.visits;
    let window = Window::months_to(register.as_of, EVALUATED_MONTHS);
    let contract = contracts.input("visits")?;
    let checker = Checker {
        visits,
        tables,
        register,
        rules,
        assignments: assignments(tables),
        onsite: contract.word_code("channel", "onsite")?,
    };
    let mut evaluated: Vec<Ordered> = (0..visits.rows)
        .filter_map(|row| {
            let started_at = visits.started_at.get(row)?;
            let grid = visits.grid_id.get(row)?;
            let branch = tables.grids.branch_id.get(grid)? as u32;
            window.contains(day_of(started_at)).then_some(Ordered { branch, started_at, row: row as u32 })
        })
        .collect();
    let place = IdOrder::of(visits);
    // Visits of a branch one after the other, in the order in which "earlier" is meant.
    evaluated.par_sort_unstable_by(|one, other| {
        let by_time = (one.branch, one.started_at).cmp(&(other.branch, other.started_at));
        by_time.then_with(|| place.compare(one.row, other.row))
    });
    let branches: Vec<&[Ordered]> = evaluated.chunk_by(|one, other| one.branch == other.branch).collect();
    let flags: Vec<Vec<Flags>> = branches.par_iter().map(|branch| checker.check_branch(branch)).collect();
    let mut checked: Vec<(Ordered, Flags)> = evaluated.iter().copied().zip(flags.into_iter().flatten()).collect();
    checked.par_sort_unstable_by(|(one, _), (other, _)| place.compare(one.row, other.row));
    Ok(VisitChecks {
        rows: checked.iter().map(|(visit, _)| visit.row).collect(),
        flags: checked.iter().map(|&(_, flags)| flags).collect(),
        branches: checked.iter().map(|(visit, _)| visit.branch).collect(),
        days: checked.iter().map(|(visit, _)| day_of(visit.started_at)).collect(),
    })
}

/// The order of visit_id. Exports mostly stand in it, and then rows are compared by their place instead of their text.
enum IdOrder<'a> {
    ByRow,
    ByText(&'a Visits),
}

impl IdOrder<'_> {
    fn of(visits: &Visits) -> IdOrder<'_> {
        let ids = || (0..visits.rows).map(|row| visits.visit_id.text(row));
        let is_ascending = ids().zip(ids().skip(1)).all(|(one, next)| one < next);
        if is_ascending { IdOrder::ByRow } else { IdOrder::ByText(visits) }
    }

    fn compare(&self, one: u32, other: u32) -> std::cmp::Ordering {
        match self {
            IdOrder::ByRow => one.cmp(&other),
            IdOrder::ByText(visits) => visits.visit_id.text(one as usize).cmp(visits.visit_id.text(other as usize)),
        }
    }
}

#[derive(Clone, Copy)]
struct Ordered {
    branch: u32,
    started_at: i64,
    row: u32,
}

/// Days on which an officer is assigned to a grid: from, and up to but not including.
type Spans = HashMap<(usize, usize), Vec<(Date, Option<Date>)>>;

fn assignments(tables: &Tables) -> Spans {
    let assignments = &tables.assignments;
    let mut spans = Spans::new();
    for row in 0..assignments.rows {
        let who = assignments.officer_id.get(row).zip(assignments.grid_id.get(row));
        if let (Some(who), Some(from)) = (who, assignments.valid_from.get(row)) {
            spans.entry(who).or_default().push((from, assignments.valid_to.get(row)));
        }
    }
    spans
}

struct Checker<'a> {
    visits: &'a Visits,
    tables: &'a Tables,
    register: &'a Register,
    rules: &'a Rules,
    assignments: Spans,
    onsite: u8,
}

/// What the earlier visits of a branch leave behind.
#[derive(Default)]
struct Earlier<'a> {
    /// By officer, the latest end of the onsite visits.
    latest_end: HashMap<usize, i64>,
    /// By officer, position and end of the latest onsite visit that has a position.
    last_seen: HashMap<usize, (Position, i64)>,
    photos: HashSet<&'a str>,
}

/// A place on earth, in degrees.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    pub longitude: f64,
    pub latitude: f64,
}

impl Position {
    /// None unless both are there.
    pub fn of(longitude: Option<f64>, latitude: Option<f64>) -> Option<Position> {
        longitude.zip(latitude).map(|(longitude, latitude)| Position { longitude, latitude })
    }
}

impl<'a> Checker<'a> {
    fn check_branch(&self, visits: &[Ordered]) -> Vec<Flags> {
        let shared = self.shared_devices(visits);
        let mut earlier = Earlier::default();
        visits
            .iter()
            .map(|visit| {
                let mut flags = self.check_alone(visit);
                self.check_against(visit, &mut earlier, &mut flags);
                let row = visit.row as usize;
                let device = self.visits.device_id.get(row);
                flags.set(
                    Flag::SharedDevice,
                    device.is_some_and(|device| shared.contains(&(device, day_of(visit.started_at)))),
                );
                flags
            })
            .collect()
    }

    /// The flags that the visit shows by itself.
    fn check_alone(&self, visit: &Ordered) -> Flags {
        let row = visit.row as usize;
        let (visits, rules, started_at) = (self.visits, self.rules, visit.started_at);
        let ended_at = visits.ended_at.get(row).unwrap_or(started_at);
        let is_onsite = visits.channel.get(row) == Some(self.onsite);
        let household = visits.household_id.get(row);
        let position = Position::of(visits.longitude.get(row), visits.latitude.get(row));
        let home = household.and_then(|household| self.home(household));
        let mut flags = Flags::default();
        flags.set(Flag::Remote, !is_onsite);
        let is_short = ended_at - started_at < i64::from(rules.minutes_min) * MICROSECONDS_A_MINUTE;
        flags.set(Flag::TooShort, is_onsite && household.is_some() && is_short);
        let away = position.zip(home).map(|(here, home)| distance_m(here, home));
        flags.set(Flag::TooFar, is_onsite && away.is_some_and(|away| away > f64::from(rules.distance_max_m)));
        flags.set(Flag::NoPosition, is_onsite && position.is_none());
        let recorded_at = visits.recorded_at.get(row).unwrap_or(ended_at);
        flags.set(Flag::LateRecord, recorded_at - ended_at > i64::from(rules.record_hours_max) * MICROSECONDS_AN_HOUR);
        let time_of_day = started_at.rem_euclid(MICROSECONDS_A_DAY);
        let day = i64::from(rules.day_starts_minute) * MICROSECONDS_A_MINUTE
            ..i64::from(rules.day_ends_minute) * MICROSECONDS_A_MINUTE;
        flags.set(Flag::OddHours, !day.contains(&time_of_day));
        flags.set(Flag::NotAssigned, !self.is_assigned(row, day_of(started_at)));
        flags
    }

    /// The flags that show against earlier visits of the branch, in which this one is then noted.
    fn check_against(&self, visit: &Ordered, earlier: &mut Earlier<'a>, flags: &mut Flags) {
        let row = visit.row as usize;
        if let Some(photo) = self.visits.photo_hash.get(row) {
            flags.set(Flag::DuplicatePhoto, !earlier.photos.insert(photo));
        }
        let officer = self.visits.officer_id.get(row).unwrap_or_default();
        if self.visits.channel.get(row) != Some(self.onsite) {
            return;
        }
        let ended_at = self.visits.ended_at.get(row).unwrap_or(visit.started_at);
        let latest_end = earlier.latest_end.entry(officer).or_insert(i64::MIN);
        flags.set(Flag::Overlapping, visit.started_at < *latest_end);
        *latest_end = ended_at.max(*latest_end);
        if let Some(here) = Position::of(self.visits.longitude.get(row), self.visits.latitude.get(row))
            && let Some((there, left_at)) = earlier.last_seen.insert(officer, (here, ended_at))
        {
            flags.set(Flag::ImpossibleSpeed, self.is_impossible(distance_m(here, there), visit.started_at - left_at));
        }
    }

    fn is_impossible(&self, metres: f64, gap_microseconds: i64) -> bool {
        if metres <= f64::from(self.rules.speed_distance_min_m) {
            return false;
        }
        let kmh = (metres / 1000.0) / (gap_microseconds as f64 / MICROSECONDS_AN_HOUR as f64);
        gap_microseconds <= 0 || kmh > f64::from(self.rules.speed_max_kmh)
    }

    fn is_assigned(&self, row: usize, day: Date) -> bool {
        let who = self.visits.officer_id.get(row).zip(self.visits.grid_id.get(row));
        let spans = who.and_then(|who| self.assignments.get(&who));
        spans.is_some_and(|spans| spans.iter().any(|&(from, to)| day.is_within(from, to)))
    }

    /// Where the household lives on the as-of date.
    fn home(&self, household: usize) -> Option<Position> {
        let row = self.register.row(self.register.number(household)?);
        let households = &self.tables.households;
        Position::of(households.longitude.get(row), households.latitude.get(row))
    }

    /// Devices that more than one officer used on a day.
    fn shared_devices(&self, visits: &[Ordered]) -> HashSet<(&'a str, Date)> {
        let mut users = HashMap::new();
        let mut shared = HashSet::new();
        for visit in visits {
            let row = visit.row as usize;
            let Some(device) = self.visits.device_id.get(row) else { continue };
            let officer = self.visits.officer_id.get(row);
            let used = (device, day_of(visit.started_at));
            if *users.entry(used).or_insert(officer) != officer {
                shared.insert(used);
            }
        }
        shared
    }
}

/// Great-circle distance by the haversine formula, in metres. The portable functions make it the same on every machine.
pub fn distance_m(one: Position, other: Position) -> f64 {
    let (latitude_one, latitude_other) = (one.latitude.to_radians(), other.latitude.to_radians());
    let half_latitude = libm::sin((latitude_other - latitude_one) / 2.0);
    let half_longitude = libm::sin((other.longitude - one.longitude).to_radians() / 2.0);
    let across = libm::cos(latitude_one) * libm::cos(latitude_other) * half_longitude * half_longitude;
    let chord = half_latitude * half_latitude + across;
    2.0 * EARTH_RADIUS_M * libm::asin(libm::sqrt(chord).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_degree_of_latitude_is_111_195_metres() {
        let at = |longitude, latitude| Position { longitude, latitude };
        assert!((distance_m(at(113.0, 29.0), at(113.0, 30.0)) - 111_195.08).abs() < 0.01);
        assert!((distance_m(at(0.0, 0.0), at(180.0, 0.0)) - EARTH_RADIUS_M * std::f64::consts::PI).abs() < 0.01);
    }

    #[test]
    fn six_flags_make_a_visit_invalid() {
        assert_eq!(Flag::ALL.into_iter().filter(|flag| flag.invalidates()).count(), 6);
    }
}

//! Visits, planned as a branch would: in every round the officer comes by each household of the grid once, at a time
//! of day that is nobody else's, and finds some of them in. So two honest visits never collide, however the bank is
//! cut, and what the visit checks find was put there: some visits have a flaw, those of a careless officer many.

use super::households::Household;
use super::layout::{Flaw, Grid};
use super::random::{Random, Subject, mix};
use super::tables::Tables;
use super::{Neighbours, Position, Setting, Shape, digits, moment};
use crate::calendar::Date;
use std::fmt::Write as _;

/// Turns in every round that belong to no household of the grid: those that moved away since, and the patrol.
const SPARE_TURNS: i64 = 8;
const FIRST_SECOND: i64 = 8 * 3_600;
const WORKING_SECONDS: i64 = 10 * 3_600;
/// The visits that one household has on top in a bank of that shape.
const BUSY_VISITS: i64 = 10_000;

/// When the officers of a grid are where.
struct Rota {
    rounds: i64,
    turns: i64,
    days: i64,
    turns_a_day: i64,
    history_from: Date,
}

/// A turn's place in time.
struct Turn {
    day: Date,
    /// Seconds into the day, and how many there are until the next turn.
    from: i64,
    length: i64,
}

impl Rota {
    fn of(setting: &Setting, grid: &Grid) -> Self {
        // More rounds than visits, because nobody is always in; and one a month for the patrols.
        let rounds = ((setting.visits_per_household * 4 + 2) / 3).max(i64::from(setting.history_months)).max(1);
        let turns = grid.size + SPARE_TURNS;
        let days = setting.history_days;
        let turns_a_day = (rounds * turns + days - 1) / days;
        Rota { rounds, turns, days, turns_a_day, history_from: setting.history_from }
    }

    /// Turns are spread evenly over the days, in order, and no two share a place. Rounds from `rounds` on lie after
    /// the as-of date.
    fn turn(&self, round: i64, turn: i64) -> Turn {
        let place = (round * self.turns + turn) * (self.days * self.turns_a_day) / (self.rounds * self.turns);
        let length = WORKING_SECONDS / self.turns_a_day;
        Turn {
            day: Date(self.history_from.0 + 1 + (place / self.turns_a_day) as i32),
            from: FIRST_SECOND + place % self.turns_a_day * length,
            length,
        }
    }
}

/// What is wrong with a visit.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Slip {
    #[default]
    None,
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

const SLIPS: [(i64, Slip); 10] = [
    (10, Slip::TooShort),
    (12, Slip::TooFar),
    (6, Slip::Overlapping),
    (5, Slip::ImpossibleSpeed),
    (10, Slip::DuplicatePhoto),
    (15, Slip::NoPosition),
    (10, Slip::LateRecord),
    (8, Slip::OddHours),
    (4, Slip::NotAssigned),
    (2, Slip::SharedDevice),
];

struct Visit<'a> {
    officer_id: &'a str,
    /// Whose device: an officer's id.
    device_of: &'a str,
    grid_id: &'a str,
    household_id: Option<&'a str>,
    day: Date,
    /// Seconds into the day.
    started: i64,
    seconds: i64,
    channel: &'static str,
    purpose: &'static str,
    position: Option<Position>,
    photo: Option<u64>,
    has_device: bool,
    is_recorded_late: bool,
}

/// Writes visits under ids that sort by grid, household and time.
struct Log<'a> {
    setting: &'a Setting,
    random: Random,
    tables: &'a mut Tables,
    grid_number: i64,
    /// 0 for the patrols of the grid.
    rank: i64,
    next: i64,
    photos: u64,
    id: String,
}

impl Log<'_> {
    fn write(&mut self, visit: &Visit) {
        let width = if self.setting.shape == Shape::BusyHousehold { 5 } else { self.sequence_width() };
        self.id.clear();
        let grid_width = self.setting.widths.grid;
        let _ = write!(self.id, "V{:0grid_width$}-{:03}-{:0width$}", self.grid_number, self.rank, self.next);
        self.next += 1;
        let (started_at, ended_at) =
            (moment(visit.day, visit.started), moment(visit.day, visit.started + visit.seconds));
        let minutes =
            if visit.is_recorded_late { self.random.between(5_000, 14_000) } else { self.random.between(1, 700) };
        let rows = self.tables.visits.text(self.id.as_str()).text(visit.officer_id).text(visit.grid_id);
        rows.text(visit.household_id).time(started_at).time(ended_at).time(ended_at + minutes * 60_000_000);
        rows.text(visit.channel).text(visit.purpose).position(visit.position);
        self.id.clear();
        let photo = visit.photo.map(|photo| {
            let _ = write!(self.id, "{photo:016x}");
            self.id.as_str()
        });
        rows.text(photo);
        self.id.clear();
        let _ = write!(self.id, "D{}", visit.device_of);
        rows.text(visit.has_device.then_some(self.id.as_str()));
        self.write_issue(ended_at);
    }

    fn write_issue(&mut self, ended_at: i64) {
        let random = &mut self.random;
        let level = random.weighted(&[(930, "none"), (50, "routine"), (15, "coordination"), (5, "urgent")]);
        let status = match level {
            "none" => "none",
            "routine" => random.weighted(&[(780, "resolved_in_grid"), (100, "resolved_in_community"), (120, "open")]),
            _ => random.weighted(&[
                (150, "resolved_in_grid"),
                (450, "resolved_in_community"),
                (250, "resolved_in_township"),
                (150, "open"),
            ]),
        };
        let is_resolved = !matches!(status, "none" | "open");
        let hours = if level == "routine" { random.between(0, 72) } else { random.between(12, 1_000) };
        let rows = self.tables.visits.text(level).text(status);
        rows.time(is_resolved.then_some(ended_at + hours * 3_600_000_000));
    }

    /// A photo that nobody else has: each has a number of its own, and mixing keeps different numbers different.
    fn photo(&mut self) -> u64 {
        self.photos += 1;
        mix(mix(self.setting.seed) ^ (((self.grid_number as u64) << 32) | ((self.rank as u64) << 20) | self.photos))
    }

    fn sequence_width(&self) -> usize {
        digits(self.setting.visits_per_household * 4 + 50).max(3)
    }
}

/// The patrols of a grid: once a round or so, to no household.
pub fn write_patrols(setting: &Setting, grid: &Grid, tables: &mut Tables) {
    if grid.size == 0 {
        return;
    }
    let rota = Rota::of(setting, grid);
    let mut log = Log::of(setting, grid, 0, Subject::Patrols, grid.number, tables);
    for round in 0..=rota.rounds {
        if !log.random.chance(850) {
            continue;
        }
        let turn = rota.turn(round, grid.size + SPARE_TURNS - 1);
        let Some(officer_id) = officer_on(grid, turn.day, 0) else { continue };
        let position = grid.centre.moved(log.random.between(-3_000, 3_000), log.random.between(-3_000, 3_000));
        let visit = Visit {
            officer_id,
            device_of: officer_id,
            grid_id: &grid.id,
            household_id: None,
            day: turn.day,
            started: turn.from,
            seconds: turn.length * log.random.between(30, 70) / 100,
            channel: "onsite",
            purpose: log.random.weighted(&[(800, "patrol"), (200, "publicity")]),
            position: log.random.chance(970).then_some(position),
            photo: Some(log.photo()),
            has_device: true,
            is_recorded_late: log.random.chance(10),
        };
        log.write(&visit);
    }
}

/// The visits to a household, and now and then what its officer logged beside them.
pub fn write(setting: &Setting, grid: &Grid, neighbours: &Neighbours, household: &Household, tables: &mut Tables) {
    let rota = Rota::of(setting, grid);
    let mut log = Log::of(setting, grid, household.rank, Subject::Visits, household.number, tables);
    // Where nine in ten are found in equally often, so that the mean comes out over all.
    let usual = setting.visits_per_household * 1_000_000 / (rota.rounds * 930);
    let found_in = log.random.weighted(&[(30, 0), (80, usual / 4), (890, usual)]);
    let mut last_photo = None;
    for round in 0..rota.rounds {
        if log.random.below(1_000) < found_in {
            call(&mut log, &rota, round, grid, neighbours, household, &mut last_photo);
        }
    }
    // After the as-of date: about one visit in a hundred.
    if log.random.below(1_000) < setting.visits_per_household * 10 {
        call(&mut log, &rota, rota.rounds, grid, neighbours, household, &mut last_photo);
    }
    if setting.is_busy(household.number) {
        let turns_a_day = (BUSY_VISITS + rota.days - 1) / rota.days;
        let busy = Rota { rounds: BUSY_VISITS, turns: 1, turns_a_day, ..rota };
        for round in 0..busy.rounds {
            call(&mut log, &busy, round, grid, neighbours, household, &mut last_photo);
        }
    }
}

fn call(
    log: &mut Log,
    rota: &Rota,
    round: i64,
    home_grid: &Grid,
    neighbours: &Neighbours,
    household: &Household,
    last_photo: &mut Option<u64>,
) {
    let own_turn = rota.turn(round, household.rank - 1);
    let grid = household.grid_on(own_turn.day, home_grid, neighbours);
    let turn = if grid.number == home_grid.number {
        own_turn
    } else {
        // A spare turn of the grid that it still belonged to; near in time, but that grid's own.
        Rota::of(log.setting, grid).turn(round, grid.size + household.rank % (SPARE_TURNS - 1))
    };
    if !household.lives_here_on(turn.day) {
        return;
    }
    let channel = log.random.weighted(&[(850, "onsite"), (105, "phone"), (45, "online")]);
    let slip = draw_slip(grid, &mut log.random);
    let Some(officer_id) = officer_on(grid, turn.day, log.random.below(1_000)) else { return };
    let mut visit = plan(log, &turn, grid, household, officer_id, channel);
    if channel == "onsite" {
        visit.photo = visit.photo.filter(|_| slip != Slip::NoPosition || log.random.chance(500));
        spoil(log, &mut visit, slip, grid, household, *last_photo);
    }
    if slip == Slip::ImpossibleSpeed && channel == "onsite" {
        write_far_patrol(log, &visit);
    }
    log.write(&visit);
    *last_photo = visit.photo.or(*last_photo);
    if slip == Slip::Overlapping && channel == "onsite" {
        write_twin(log, visit);
    }
}

/// A visit with nothing wrong.
fn plan<'a>(
    log: &mut Log,
    turn: &Turn,
    grid: &'a Grid,
    household: &'a Household,
    officer_id: &'a str,
    channel: &'static str,
) -> Visit<'a> {
    let is_onsite = channel == "onsite";
    let random = &mut log.random;
    let started = turn.from + turn.length * random.between(0, 15) / 100;
    // Six minutes at least where the turn is long enough, and time left to walk on.
    let shortest = 360.min(turn.length * 3 / 5);
    let seconds = random.between(shortest, (turn.length * 3 / 5).clamp(shortest, 2_400));
    let position = household.home.moved(random.between(-800, 800), random.between(-800, 800));
    let purpose = if household.has_loan {
        random.weighted(&[
            (350, "service"),
            (250, "post_loan"),
            (100, "pre_loan"),
            (40, "collection"),
            (120, "profiling"),
            (100, "publicity"),
            (40, "issue"),
        ])
    } else {
        random.weighted(&[(520, "service"), (230, "publicity"), (180, "profiling"), (30, "pre_loan"), (40, "issue")])
    };
    let (has_photo, has_device) = (is_onsite && random.chance(940), random.chance(985));
    Visit {
        officer_id,
        device_of: officer_id,
        grid_id: &grid.id,
        household_id: Some(&household.id),
        day: turn.day,
        started,
        seconds,
        channel,
        purpose,
        position: is_onsite.then_some(position),
        photo: has_photo.then(|| log.photo()),
        has_device,
        is_recorded_late: false,
    }
}

fn draw_slip(grid: &Grid, random: &mut Random) -> Slip {
    // All slips together are 82 in a thousand; a careless officer makes one in two of three visits.
    let mut rest = random.below(if grid.flaw == Flaw::CarelessOfficer { 120 } else { 1_000 });
    for (per_mille, slip) in SLIPS {
        if rest < per_mille {
            return slip;
        }
        rest -= per_mille;
    }
    Slip::None
}

fn spoil<'a>(
    log: &mut Log,
    visit: &mut Visit<'a>,
    slip: Slip,
    grid: &'a Grid,
    household: &Household,
    last_photo: Option<u64>,
) {
    let random = &mut log.random;
    match slip {
        Slip::TooShort => visit.seconds = random.between(20, 290),
        Slip::TooFar => {
            let east = random.between(7_000, 30_000) * random.pick(&[-1, 1]);
            visit.position = Some(household.home.moved(east, random.between(-9_000, 9_000)));
        }
        Slip::DuplicatePhoto => visit.photo = last_photo.or(visit.photo),
        Slip::NoPosition => visit.position = None,
        Slip::LateRecord => visit.is_recorded_late = true,
        Slip::OddHours if random.chance(500) => visit.started = random.between(19_000, 24_600),
        Slip::OddHours => visit.started = random.between(75_700, 81_000),
        Slip::NotAssigned => {
            visit.officer_id = &grid.crew.manager_id;
            visit.device_of = &grid.crew.manager_id;
        }
        Slip::SharedDevice => {
            let others = [&grid.crew.primary_id, &grid.crew.backup_id];
            let other = others.into_iter().flatten().find(|other| other.as_str() != visit.officer_id);
            visit.device_of = other.map_or(visit.device_of, String::as_str);
        }
        Slip::None | Slip::Overlapping | Slip::ImpossibleSpeed => {}
    }
}

/// The same call logged once more, a minute after it began.
fn write_twin(log: &mut Log, first: Visit) {
    let twin = Visit { started: first.started + 60, purpose: "profiling", photo: Some(log.photo()), ..first };
    log.write(&twin);
}

/// A patrol logged far away a minute before the visit began, by the same officer.
fn write_far_patrol(log: &mut Log, visit: &Visit) {
    let far = visit.position.map(|position| position.moved(log.random.between(150_000, 300_000), 20_000));
    let patrol = Visit {
        household_id: None,
        started: visit.started - 200,
        seconds: 140,
        purpose: "patrol",
        position: far,
        photo: Some(log.photo()),
        is_recorded_late: false,
        ..*visit
    };
    log.write(&patrol);
}

/// The primary officer, or one time in eight the backup; the predecessor before the day of the change.
fn officer_on(grid: &Grid, day: Date, draw: i64) -> Option<&str> {
    let crew = &grid.crew;
    let backup = crew.backup_id.as_deref();
    let primary = match &crew.predecessor {
        Some((officer_id, until)) if day < *until => Some(officer_id.as_str()),
        _ => crew.primary_id.as_deref().filter(|_| !crew.backup_only),
    };
    if draw >= 875 { backup.or(primary) } else { primary.or(backup) }
}

impl<'a> Log<'a> {
    fn of(setting: &'a Setting, grid: &Grid, rank: i64, subject: Subject, number: i64, tables: &'a mut Tables) -> Self {
        let random = Random::of(setting.seed, subject, number);
        Log { setting, random, tables, grid_number: grid.number, rank, next: 1, photos: 0, id: String::new() }
    }
}

//! The visits of one branch against each other, in the order in which they began: what each shows beside earlier ones,
//! and what all of them add up to.

use hashbrown::{HashMap, HashSet};

use crate::calendar::{Date, Window, day_of};
use crate::rulebook::VisitChecks as Rules;

use super::distance::{Position, at_most_m, distance_m};
use super::record::{NONE, Record};
use super::tallies::BranchTallies;
use super::{Flag, Flags};

pub(super) const MICROSECONDS_AN_HOUR: i64 = 3_600_000_000;

/// What the check of a branch looks at beside its visits.
pub(super) struct Checker<'a> {
    pub rules: &'a Rules,
    /// For each visit of the log its place in the order of visit_id; None where that is its number.
    pub places: Option<&'a [u32]>,
    /// By officer, the branch.
    pub officer_branches: &'a [u32],
    /// What is counted of visits looks back for twelve months, by the names of its columns, and for one.
    pub recent: Window,
    pub patrols: Window,
}

/// What the earlier visits of a branch leave behind.
#[derive(Default)]
struct Earlier {
    /// By officer, the latest end of the onsite visits.
    latest_end: HashMap<u32, i64>,
    /// By officer, position and end of the latest onsite visit that has a position.
    last_seen: HashMap<u32, (Position, i64)>,
    photos: HashSet<u128>,
}

/// The flags of each visit of a branch, by its number in the log, and what the visits add up to.
pub(super) type Checked = (Vec<(u32, Flags)>, BranchTallies);

impl Checker<'_> {
    pub fn check(&self, branch: u32, mut visits: Vec<Record>) -> Checked {
        let place = |visit: &Record| match self.places {
            Some(places) => places.get(visit.number as usize).copied().unwrap_or(visit.number),
            None => visit.number,
        };
        visits.sort_unstable_by_key(|visit| (visit.started_at, place(visit)));
        let shared = shared_devices(&visits);
        let mut earlier = Earlier::default();
        let mut tallies = BranchTallies::default();
        let mut flags = Vec::with_capacity(visits.len());
        for visit in &mut visits {
            let day = day_of(visit.started_at);
            self.check_against(visit, &mut earlier);
            visit.flags.set(Flag::SharedDevice, visit.device != NONE && shared.contains(&(visit.device, day)));
            flags.push((visit.number, visit.flags));
            self.count(branch, visit, day, &mut tallies);
        }
        (flags, tallies)
    }

    /// The flags that show against earlier visits of the branch, in which this one is then noted.
    fn check_against(&self, visit: &mut Record, earlier: &mut Earlier) {
        let is_new = visit.photo == 0 || earlier.photos.insert(visit.photo);
        visit.flags.set(Flag::DuplicatePhoto, !is_new);
        if !visit.is_onsite {
            return;
        }
        let latest_end = earlier.latest_end.entry(visit.officer).or_insert(i64::MIN);
        visit.flags.set(Flag::Overlapping, visit.started_at < *latest_end);
        *latest_end = visit.ended_at.max(*latest_end);
        if let Some(here) = visit.position()
            && let Some((there, left_at)) = earlier.last_seen.insert(visit.officer, (here, visit.ended_at))
        {
            visit.flags.set(Flag::ImpossibleSpeed, self.is_impossible(here, there, visit.started_at - left_at));
        }
    }

    /// Whether somebody came from one place to another too fast. The distance is computed only where it matters.
    fn is_impossible(&self, here: Position, there: Position, gap_microseconds: i64) -> bool {
        let bound = at_most_m(here, there);
        let is_possible = |metres: f64| {
            let kmh = (metres / 1000.0) / (gap_microseconds as f64 / MICROSECONDS_AN_HOUR as f64);
            gap_microseconds > 0 && kmh <= f64::from(self.rules.speed_max_kmh)
        };
        let is_near = |metres: f64| metres <= f64::from(self.rules.speed_distance_min_m);
        if is_near(bound) || is_possible(bound) {
            return false;
        }
        let metres = distance_m(here, there);
        !is_near(metres) && !is_possible(metres)
    }

    fn count(&self, branch: u32, visit: &Record, day: Date, tallies: &mut BranchTallies) {
        let is_valid = visit.flags.is_valid();
        let is_recent = self.recent.contains(day);
        if visit.household != NONE && (is_valid || is_recent) {
            let household = tallies.households.entry(visit.household).or_default();
            if is_valid {
                household.note_valid(day, is_recent);
            }
            if is_recent {
                let is_open_urgent = visit.issue == super::tallies::Issue::OpenUrgent;
                household.follow_up.note_visit(visit.started_at, visit.is_onsite, is_valid, is_open_urgent);
            }
        }
        if !is_recent {
            return;
        }
        let grid = tallies.grids.entry(visit.grid).or_default();
        grid.visits_12m += 1;
        grid.valid_visits_12m += i64::from(is_valid);
        grid.valid_visits_1m += i64::from(is_valid && self.patrols.contains(day));
        grid.count_issue(visit.issue);
        if visit.is_onsite && self.officer_branches.get(visit.officer as usize) == Some(&branch) {
            let officer = tallies.officers.entry(visit.officer).or_default();
            officer.onsite += 1;
            officer.invalid += i64::from(!is_valid);
        }
    }
}

/// Devices that more than one officer used on a day.
fn shared_devices(visits: &[Record]) -> HashSet<(u32, Date)> {
    let mut users = HashMap::new();
    let mut shared = HashSet::new();
    for visit in visits.iter().filter(|visit| visit.device != NONE) {
        let used = (visit.device, day_of(visit.started_at));
        if *users.entry(used).or_insert(visit.officer) != visit.officer {
            shared.insert(used);
        }
    }
    shared
}

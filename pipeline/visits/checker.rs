//! The visits of one branch against each other, in the order in which they began: what each shows beside earlier ones,
//! and what all of them add up to.

use hashbrown::{HashMap, HashSet};

use crate::calendar::{Date, MICROSECONDS_A_DAY, Window, day_of};
use crate::rulebook::VisitChecks as Rules;

use super::by_number::ByNumber;
use super::distance::{Position, at_most_m, distance_m};
use super::photos::Repeated;
use super::record::{NONE, Photo, Record};
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
struct Earlier {
    /// By officer, of the onsite visits.
    officers: ByNumber<Onsite>,
    /// Of the photos that may be there more than once.
    photos: HashSet<Photo>,
    repeated: Repeated,
}

/// The earlier onsite visits of one officer.
#[derive(Clone)]
struct Onsite {
    latest_end: i64,
    /// Position and end of the latest one that has a position.
    last_seen: Option<(Position, i64)>,
}

impl Default for Onsite {
    fn default() -> Self {
        Onsite { latest_end: i64::MIN, last_seen: None }
    }
}

/// The flags of each visit of a branch, by its number in the log, and what the visits add up to.
pub(super) type Checked = (Vec<(u32, Flags)>, BranchTallies);

impl Checker<'_> {
    /// Checks the visits of a branch, those of a day beside each other; `days` are where each day ends among them.
    pub fn check(&self, branch: u32, visits: &mut [Record], days: &[usize]) -> Checked {
        let columns = Columns::of(visits);
        let shared = shared_devices(&columns, visits);
        let repeated = Repeated::among(columns.photos.iter().copied());
        let officers = || columns.users.iter().map(|&(_, officer)| officer);
        let mut earlier = Earlier { officers: ByNumber::of(officers()), photos: HashSet::new(), repeated };
        let mut tallies = BranchTallies {
            households: ByNumber::of(visits.iter().map(|visit| visit.household).filter(|&household| household != NONE)),
            grids: ByNumber::of(visits.iter().map(|visit| visit.grid)),
            officers: ByNumber::of(officers()),
        };
        let mut flags = Vec::with_capacity(visits.len());
        let (mut order, mut start) = (Order::default(), 0);
        for &end in days {
            let of_day = visits.get_mut(start..end).unwrap_or_default();
            for &at in order.of(of_day, self.places) {
                let Some(visit) = of_day.get_mut(at as usize) else { continue };
                let day = day_of(visit.started_at);
                self.check_against(visit, &mut earlier);
                let is_shared = !shared.is_empty() && visit.device != NONE && shared.contains(&(visit.device, day));
                visit.flags.set(Flag::SharedDevice, is_shared);
                flags.push((visit.number, visit.flags));
                self.count(branch, visit, day, &mut tallies);
            }
            start = end;
        }
        (flags, tallies)
    }

    /// The flags that show against earlier visits of the branch, in which this one is then noted.
    fn check_against(&self, visit: &mut Record, earlier: &mut Earlier) {
        let may_be_there = visit.photo != Photo::NONE && earlier.repeated.may_have(visit.photo);
        let is_new = !may_be_there || earlier.photos.insert(visit.photo);
        visit.flags.set(Flag::DuplicatePhoto, !is_new);
        if !visit.is_onsite {
            return;
        }
        let Some(onsite) = earlier.officers.of_number(visit.officer) else { return };
        visit.flags.set(Flag::Overlapping, visit.started_at < onsite.latest_end);
        onsite.latest_end = visit.ended_at.max(onsite.latest_end);
        if let Some(here) = visit.position()
            && let Some((there, left_at)) = onsite.last_seen.replace((here, visit.ended_at))
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
        if visit.household != NONE
            && (is_valid || is_recent)
            && let Some(household) = tallies.households.of_number(visit.household)
        {
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
        if let Some(grid) = tallies.grids.of_number(visit.grid) {
            grid.visits_12m += 1;
            grid.valid_visits_12m += i64::from(is_valid);
            grid.valid_visits_1m += i64::from(is_valid && self.patrols.contains(day));
            grid.count_issue(visit.issue);
        }
        if visit.is_onsite
            && self.officer_branches.get(visit.officer as usize) == Some(&branch)
            && let Some(officer) = tallies.officers.of_number(visit.officer)
        {
            officer.onsite += 1;
            officer.invalid += i64::from(!is_valid);
        }
    }
}

/// What is asked of all visits of a branch before any is checked. They are more than a processor has at hand, so that they
/// are looked at once for all of it.
struct Columns {
    /// Of each visit its device and its officer.
    users: Vec<(u32, u32)>,
    /// Of visits that have one.
    photos: Vec<Photo>,
}

impl Columns {
    fn of(visits: &[Record]) -> Columns {
        let mut users = Vec::with_capacity(visits.len());
        let mut photos = Vec::with_capacity(visits.len());
        for visit in visits {
            users.push((visit.device, visit.officer));
            if visit.photo != Photo::NONE {
                photos.push(visit.photo);
            }
        }
        Columns { users, photos }
    }
}

/// Puts the visits of a day in the order in which they began, and those that began together in the order of visit_id. One
/// comparison of two numbers tells which of two visits comes first.
#[derive(Default)]
struct Order {
    narrow: Vec<u64>,
    wide: Vec<u128>,
    /// The places of the visits among those of their day.
    order: Vec<u32>,
}

/// Bits of a place among the visits of a day, beside the microseconds of a day: of more visits the numbers are wider.
const PLACE_BITS: u32 = 26;

impl Order {
    /// `visits` are of one day; `places` says for each number its place in the order of visit_id, where that is not the
    /// number.
    fn of(&mut self, visits: &[Record], places: Option<&[u32]>) -> &[u32] {
        self.order.clear();
        let moment = |visit: &Record| visit.started_at.rem_euclid(MICROSECONDS_A_DAY).cast_unsigned();
        // Mostly they stand in the order of their numbers, so that their places among each other tell it.
        let is_narrow = || visits.len() < 1 << PLACE_BITS && visits.is_sorted_by_key(|visit| visit.number);
        match places {
            None if is_narrow() => {
                self.narrow.clear();
                self.narrow.extend((0..).zip(visits).map(|(at, visit)| moment(visit) << PLACE_BITS | at));
                self.narrow.sort_unstable();
                self.order.extend(self.narrow.iter().map(|key| (key & ((1 << PLACE_BITS) - 1)) as u32));
            }
            _ => {
                let place = |number: u32| places.and_then(|places| places.get(number as usize).copied());
                let key = |(at, visit): (u32, &Record)| {
                    let place = place(visit.number).unwrap_or(visit.number);
                    u128::from(moment(visit)) << 64 | u128::from(place) << 32 | u128::from(at)
                };
                self.wide.clear();
                self.wide.extend((0..).zip(visits).map(key));
                self.wide.sort_unstable();
                self.order.extend(self.wide.iter().map(|&key| key as u32));
            }
        }
        &self.order
    }
}

/// Devices that more than one officer used on a day.
fn shared_devices(Columns { users, .. }: &Columns, visits: &[Record]) -> HashSet<(u32, Date)> {
    // Most devices are one officer's all the time; only of the others the days are looked at.
    let with_device = || users.iter().filter(|(device, _)| *device != NONE);
    let (mut owners, mut lent) =
        (ByNumber::<Option<u32>>::of(with_device().map(|&(device, _)| device)), HashSet::new());
    for &(device, officer) in with_device() {
        let owner = owners.of_number(device);
        if owner.is_some_and(|owner| *owner.get_or_insert(officer) != officer) {
            lent.insert(device);
        }
    }
    let (mut users_of_day, mut shared) = (HashMap::new(), HashSet::new());
    if lent.is_empty() {
        return shared;
    }
    for visit in visits.iter().filter(|visit| lent.contains(&visit.device)) {
        let used = (visit.device, day_of(visit.started_at));
        if *users_of_day.entry(used).or_insert(visit.officer) != visit.officer {
            shared.insert(used);
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visits_are_in_the_order_of_their_beginning_and_then_of_their_place() {
        for midnight in [0, MICROSECONDS_A_DAY, -MICROSECONDS_A_DAY] {
            let moments = [MICROSECONDS_A_DAY - 1, 5, 0, 5, 5];
            let visit = |(number, moment)| Record { number, started_at: midnight + moment, ..Record::BLANK };
            let visits: Vec<Record> = (10..).zip(moments).map(visit).collect();
            let mut order = Order::default();
            assert_eq!(order.of(&visits, None), [2, 1, 3, 4, 0]);
            let mut places: Vec<u32> = (0..15).collect();
            assert_eq!(order.of(&visits, Some(&places)), [2, 1, 3, 4, 0]);
            places.swap(11, 14);
            assert_eq!(order.of(&visits, Some(&places)), [2, 4, 3, 1, 0]);
            places[13] = u32::MAX;
            assert_eq!(order.of(&visits, Some(&places)), [2, 4, 1, 3, 0]);
            let turned: Vec<Record> = visits.into_iter().rev().collect();
            assert_eq!(order.of(&turned, None), [2, 3, 1, 0, 4]);
        }
    }
}

//! The visits of one branch against each other, in the order in which they began: what each shows beside earlier ones,
//! and what all of them add up to.

use hashbrown::{HashMap, HashSet};

use crate::calendar::{Date, Window, day_of};
use crate::rulebook::VisitChecks as Rules;

use super::buckets::by_bucket;
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
    officers: HashMap<u32, Onsite>,
    /// Of the photos that may be there more than once.
    photos: HashSet<Photo>,
    repeated: Repeated,
}

/// The earlier onsite visits of one officer.
struct Onsite {
    latest_end: i64,
    /// Position and end of the latest one that has a position.
    last_seen: Option<(Position, i64)>,
}

/// The flags of each visit of a branch, by its number in the log, and what the visits add up to.
pub(super) type Checked = (Vec<(u32, Flags)>, BranchTallies);

impl Checker<'_> {
    pub fn check(&self, branch: u32, mut visits: Vec<Record>) -> Checked {
        let columns = Columns::of(&visits);
        let shared = shared_devices(&columns);
        let repeated = Repeated::among(columns.photos.iter().copied());
        let mut earlier = Earlier { officers: HashMap::new(), photos: HashSet::new(), repeated };
        let mut tallies = BranchTallies::default();
        let mut flags = Vec::with_capacity(visits.len());
        let (by_day, ends) = by_day(&columns.days);
        let (mut order, mut start) = (Vec::new(), 0);
        for end in ends {
            let of_day = by_day.get(start..end).unwrap_or_default();
            self.put_in_order(&visits, of_day, &mut order);
            for &(started_at, _, at) in &order {
                let (Some(visit), day) = (visits.get_mut(at as usize), day_of(started_at)) else { continue };
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

    /// Visits in the order in which they began, and those that began together in the order of visit_id.
    fn put_in_order(&self, visits: &[Record], places: &[u32], order: &mut Vec<Key>) {
        let place = |visit: &Record| match self.places {
            Some(places) => places.get(visit.number as usize).copied().unwrap_or(visit.number),
            None => visit.number,
        };
        let visits = places.iter().filter_map(|&at| Some((at, visits.get(at as usize)?)));
        order.clear();
        order.extend(visits.map(|(at, visit)| (visit.started_at, place(visit), at)));
        order.sort_unstable();
    }

    /// The flags that show against earlier visits of the branch, in which this one is then noted.
    fn check_against(&self, visit: &mut Record, earlier: &mut Earlier) {
        let may_be_there = visit.photo != Photo::NONE && earlier.repeated.may_have(visit.photo);
        let is_new = !may_be_there || earlier.photos.insert(visit.photo);
        visit.flags.set(Flag::DuplicatePhoto, !is_new);
        if !visit.is_onsite {
            return;
        }
        let none = || Onsite { latest_end: i64::MIN, last_seen: None };
        let onsite = earlier.officers.entry(visit.officer).or_insert_with(none);
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

/// What is asked of all visits of a branch before any is checked. They are more than a processor has at hand, so that they
/// are looked at once for all of it.
struct Columns {
    /// Of each visit its day, as days since 1970.
    days: Vec<i32>,
    /// Of each visit its device and its officer.
    users: Vec<(u32, u32)>,
    /// Of visits that have one.
    photos: Vec<Photo>,
}

impl Columns {
    fn of(visits: &[Record]) -> Columns {
        let mut days = Vec::with_capacity(visits.len());
        let mut users = Vec::with_capacity(visits.len());
        let mut photos = Vec::with_capacity(visits.len());
        for visit in visits {
            days.push(day_of(visit.started_at).0);
            users.push((visit.device, visit.officer));
            if visit.photo != Photo::NONE {
                photos.push(visit.photo);
            }
        }
        Columns { days, users, photos }
    }
}

/// When a visit began, its place in the order of visit_id, and its place among the visits of its branch.
type Key = (i64, u32, u32);

/// The places of visits of these days day by day, and where each day ends among them. The visits themselves stay where
/// they lie: those of a day are few enough for a processor to have all of them at hand once they were looked at.
fn by_day(days: &[i32]) -> (Vec<u32>, Vec<usize>) {
    let Some((&first, &last)) = days.iter().min().zip(days.iter().max()) else {
        return (Vec::new(), Vec::new());
    };
    let since_first = |day: i32| first.abs_diff(day) as usize;
    by_bucket(days.iter().map(|&day| since_first(day)), since_first(last) + 1)
}

/// Devices that more than one officer used on a day.
fn shared_devices(Columns { days, users, .. }: &Columns) -> HashSet<(u32, Date)> {
    // Most devices are one officer's all the time; only of the others the days are looked at.
    let (mut owners, mut lent) = (HashMap::new(), HashSet::new());
    for &(device, officer) in users.iter().filter(|(device, _)| *device != NONE) {
        if *owners.entry(device).or_insert(officer) != officer {
            lent.insert(device);
        }
    }
    let (mut users_of_day, mut shared) = (HashMap::new(), HashSet::new());
    if lent.is_empty() {
        return shared;
    }
    for (&(device, officer), &day) in users.iter().zip(days).filter(|((device, _), _)| lent.contains(device)) {
        let used = (device, Date(day));
        if *users_of_day.entry(used).or_insert(officer) != officer {
            shared.insert(used);
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::calendar::MICROSECONDS_A_DAY;
    use crate::visits::tallies::Issue;

    fn visit(started_at: i64, number: u32) -> Record {
        Record {
            started_at,
            ended_at: started_at,
            longitude: f64::NAN,
            latitude: f64::NAN,
            photo: Photo::NONE,
            number,
            officer: 0,
            grid: 0,
            household: NONE,
            device: NONE,
            flags: Flags::default(),
            is_onsite: true,
            issue: Issue::None,
        }
    }

    proptest! {
        #[test]
        fn visits_of_a_day_stand_together(moments in prop::collection::vec((-40..40_i64, 0..24_i64), 0..200)) {
            let moment = |(day, hour)| day * MICROSECONDS_A_DAY + hour * MICROSECONDS_AN_HOUR;
            let visits: Vec<Record> = (0..).zip(&moments).map(|(number, &of)| visit(moment(of), number)).collect();
            let mut expected: Vec<(i64, u32)> = (0..).zip(&moments).map(|(number, of)| (of.0, number)).collect();
            expected.sort_unstable();
            let (places, ends) = by_day(&Columns::of(&visits).days);
            let sorted: Vec<&Record> = places.iter().map(|&at| &visits[at as usize]).collect();
            let day = |visit: &Record| i64::from(day_of(visit.started_at).0);
            let found: Vec<(i64, u32)> = sorted.iter().map(|visit| (day(visit), visit.number)).collect();
            prop_assert_eq!(found, expected);
            let is_end = |&end: &usize| sorted.get(end).is_none_or(|next| day(next) != day(sorted[end - 1]));
            prop_assert!(ends.iter().filter(|&&end| end > 0).all(is_end));
            prop_assert_eq!(ends.last().copied().unwrap_or(0), sorted.len());
        }
    }
}

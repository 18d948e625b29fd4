//! Visit checks: which visits of the last 24 months count, and the flags of those that do not.
//! A check looks only at evaluated visits of the same branch. What a valid visit is worth to a
//! household is left to `facts`.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::{Date, MICROSECONDS_PER_HOUR, MICROSECONDS_PER_MINUTE};
use super::policy::Policy;
use super::reading::{Assignment, Bank, Grid, Household, Position, Visit};

const EARTH_RADIUS_M: f64 = 6_371_008.8;

#[derive(Debug)]
pub struct CheckedVisit<'a> {
    pub visit: &'a Visit,
    pub branch_id: &'a str,
    pub is_valid: bool,
    pub flags: Vec<&'static str>,
}

/// What one visit is checked against: the evaluated visits of its branch and the bank's registers.
struct Surroundings<'a> {
    policy: &'a Policy,
    households: &'a BTreeMap<&'a str, &'a Household>,
    assignments: &'a BTreeMap<(&'a str, &'a str), Vec<&'a Assignment>>,
    /// Officers by device and day, in this branch.
    device_users: BTreeMap<(&'a str, Date), BTreeSet<&'a str>>,
    /// Photos of the earlier visits in this branch.
    earlier_photos: BTreeSet<&'a str>,
    /// The earlier onsite visits in this branch by officer, in order.
    earlier_onsite: BTreeMap<&'a str, Vec<&'a Visit>>,
}

/// Checks every known visit of `W(24)`. `households` are those of the run, by their id.
pub fn check_visits<'a>(
    policy: &Policy,
    as_of: Date,
    bank: &'a Bank,
    grids: &BTreeMap<&str, &'a Grid>,
    households: &BTreeMap<&str, &Household>,
) -> Vec<CheckedVisit<'a>> {
    let mut assignments: BTreeMap<(&str, &str), Vec<&Assignment>> = BTreeMap::new();
    for row in &bank.assignments {
        let key = (row.officer_id.as_str(), row.grid_id.as_str());
        assignments.entry(key).or_default().push(row);
    }
    let mut branches: BTreeMap<&str, Vec<&Visit>> = BTreeMap::new();
    for visit in &bank.visits {
        if as_of.window_contains(24, visit.started_at.date) {
            let branch_id = grids[visit.grid_id.as_str()].branch_id.as_str();
            branches.entry(branch_id).or_default().push(visit);
        }
    }
    let mut checked = Vec::new();
    for (branch_id, mut visits) in branches {
        visits.sort_by_key(|visit| (visit.started_at, visit.visit_id.as_str()));
        let mut around = Surroundings {
            policy,
            households,
            assignments: &assignments,
            device_users: device_users(&visits),
            earlier_photos: BTreeSet::new(),
            earlier_onsite: BTreeMap::new(),
        };
        for visit in visits {
            checked.push(check_visit(visit, branch_id, &around));
            around.remember(visit);
        }
    }
    checked.sort_by_key(|checked| checked.visit.visit_id.as_str());
    checked
}

fn device_users<'a>(visits: &[&'a Visit]) -> BTreeMap<(&'a str, Date), BTreeSet<&'a str>> {
    let mut users: BTreeMap<(&str, Date), BTreeSet<&str>> = BTreeMap::new();
    for visit in visits {
        if let Some(device_id) = &visit.device_id {
            let key = (device_id.as_str(), visit.started_at.date);
            users.entry(key).or_default().insert(&visit.officer_id);
        }
    }
    users
}

impl<'a> Surroundings<'a> {
    fn remember(&mut self, visit: &'a Visit) {
        if let Some(photo_hash) = &visit.photo_hash {
            self.earlier_photos.insert(photo_hash);
        }
        if visit.channel == "onsite" {
            let officer = self.earlier_onsite.entry(&visit.officer_id).or_default();
            officer.push(visit);
        }
    }

    fn officers_earlier_onsite(&self, visit: &Visit) -> &[&'a Visit] {
        let earlier = self.earlier_onsite.get(visit.officer_id.as_str());
        earlier.map_or(&[], Vec::as_slice)
    }
}

fn check_visit<'a>(visit: &'a Visit, branch_id: &'a str, around: &Surroundings) -> CheckedVisit<'a> {
    let invalidating = [
        ("remote", is_remote(visit)),
        ("too_short", is_too_short(visit, around)),
        ("too_far", is_too_far(visit, around)),
        ("overlapping", is_overlapping(visit, around)),
        ("impossible_speed", is_impossible_speed(visit, around)),
        ("duplicate_photo", is_duplicate_photo(visit, around)),
    ];
    let remarks = [
        ("no_position", is_onsite(visit) && visit.position.is_none()),
        ("late_record", is_late_record(visit, around)),
        ("odd_hours", is_odd_hours(visit, around)),
        ("not_assigned", is_not_assigned(visit, around)),
        ("shared_device", is_shared_device(visit, around)),
    ];
    let all = invalidating.iter().chain(&remarks);
    CheckedVisit {
        visit,
        branch_id,
        is_valid: invalidating.iter().all(|(_, raised)| !raised),
        flags: all.filter(|(_, raised)| *raised).map(|(flag, _)| *flag).collect(),
    }
}

fn is_onsite(visit: &Visit) -> bool {
    visit.channel == "onsite"
}

/// Channel is phone or online.
fn is_remote(visit: &Visit) -> bool {
    visit.channel == "phone" || visit.channel == "online"
}

/// Onsite, with a household, `ended_at − started_at` < *minutes_min*.
fn is_too_short(visit: &Visit, around: &Surroundings) -> bool {
    let length = visit.ended_at.microseconds_since(visit.started_at);
    is_onsite(visit) && visit.household_id.is_some() && length < around.policy.minutes_min * MICROSECONDS_PER_MINUTE
}

/// Onsite, visit and household both have a position, distance > *distance_max_m*. The household's
/// position is the one on T; a household that is not in the run has none.
fn is_too_far(visit: &Visit, around: &Surroundings) -> bool {
    let household = visit.household_id.as_ref().and_then(|household_id| around.households.get(household_id.as_str()));
    let positions = (visit.position, household.and_then(|household| household.position));
    match positions {
        (Some(here), Some(there)) => is_onsite(visit) && distance_m(here, there) > around.policy.distance_max_m,
        _ => false,
    }
}

/// Onsite and `started_at` < the latest `ended_at` among the officer's earlier onsite visits.
fn is_overlapping(visit: &Visit, around: &Surroundings) -> bool {
    let earlier = around.officers_earlier_onsite(visit);
    let latest_end = earlier.iter().map(|other| other.ended_at).max();
    is_onsite(visit) && latest_end.is_some_and(|end| visit.started_at < end)
}

/// Onsite with position; against the officer's latest earlier onsite visit with position:
/// distance > *speed_distance_min_m* and the gap is ≤ 0 or distance / gap > *speed_max_kmh*.
fn is_impossible_speed(visit: &Visit, around: &Surroundings) -> bool {
    let Some(here) = visit.position.filter(|_| is_onsite(visit)) else {
        return false;
    };
    let earlier = around.officers_earlier_onsite(visit);
    let Some(other) = earlier.iter().rfind(|other| other.position.is_some()) else {
        return false;
    };
    let Some(there) = other.position else {
        return false;
    };
    let distance = distance_m(here, there);
    let gap = visit.started_at.microseconds_since(other.ended_at);
    let gap_hours = gap as f64 / MICROSECONDS_PER_HOUR as f64;
    distance > around.policy.speed_distance_min_m
        && (gap <= 0 || distance / 1_000.0 / gap_hours > around.policy.speed_max_kmh)
}

/// An earlier visit, by anybody and through any channel, has the same `photo_hash`.
fn is_duplicate_photo(visit: &Visit, around: &Surroundings) -> bool {
    visit.photo_hash.as_ref().is_some_and(|photo| around.earlier_photos.contains(photo.as_str()))
}

/// `recorded_at − ended_at` > *record_hours_max*.
fn is_late_record(visit: &Visit, around: &Surroundings) -> bool {
    visit.recorded_at.microseconds_since(visit.ended_at) > around.policy.record_hours_max * MICROSECONDS_PER_HOUR
}

/// `started_at` before *day_starts* or not before *day_ends*.
fn is_odd_hours(visit: &Visit, around: &Surroundings) -> bool {
    let clock = visit.started_at.microseconds;
    clock < around.policy.day_starts_minute * MICROSECONDS_PER_MINUTE
        || clock >= around.policy.day_ends_minute * MICROSECONDS_PER_MINUTE
}

/// No assignment (primary or backup) of the officer to the grid is valid on the day.
fn is_not_assigned(visit: &Visit, around: &Surroundings) -> bool {
    let key = (visit.officer_id.as_str(), visit.grid_id.as_str());
    let day = visit.started_at.date;
    let rows = around.assignments.get(&key).map_or(&[][..], Vec::as_slice);
    !rows.iter().any(|row| row.valid_from <= day && row.valid_to.is_none_or(|end| day < end))
}

/// The `device_id` was used by more than one officer on that day.
fn is_shared_device(visit: &Visit, around: &Surroundings) -> bool {
    visit.device_id.as_ref().is_some_and(|device_id| {
        let key = (device_id.as_str(), visit.started_at.date);
        around.device_users[&key].len() > 1
    })
}

/// The haversine distance on a sphere.
pub fn distance_m(a: Position, b: Position) -> f64 {
    let (latitude_a, latitude_b) = (a.latitude.to_radians(), b.latitude.to_radians());
    let north = ((latitude_b - latitude_a) / 2.0).sin();
    let east = ((b.longitude - a.longitude).to_radians() / 2.0).sin();
    let chord = north * north + latitude_a.cos() * latitude_b.cos() * east * east;
    2.0 * EARTH_RADIUS_M * chord.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::super::calendar::Time;
    use super::super::examples::{bank, cell, date, run, visit};
    use super::super::reading::{Assignment, Bank, Position, Visit};

    /// The flags of V2 among `visits`, with O1 assigned to the grid from 2 January to 29 June 2026.
    fn flags(visits: Vec<Visit>) -> String {
        let checked = Bank {
            visits,
            assignments: vec![Assignment {
                grid_id: "G1".to_string(),
                officer_id: "O1".to_string(),
                duty: "backup".to_string(),
                valid_from: date("2026-01-02"),
                valid_to: Some(date("2026-06-30")),
            }],
            ..bank()
        };
        cell(&run(checked)["visit_checks"], "V2", "flags").to_string()
    }

    fn first() -> Visit {
        visit("V1", "2026-06-01T09:00:00", "2026-06-01T09:30:00")
    }

    fn second(started_at: &str, ended_at: &str) -> Visit {
        let mut second = visit("V2", started_at, ended_at);
        second.position = Some(Position { longitude: 112.0, latitude: 28.0 });
        second
    }

    #[test]
    fn a_visit_of_five_minutes_is_long_enough() {
        let at = second("2026-06-01T10:00:00", "2026-06-01T10:05:00");
        assert_eq!(flags(vec![at]), "");
        let mut below = second("2026-06-01T10:00:00", "2026-06-01T10:04:59.999999");
        assert_eq!(flags(vec![below.clone()]), "too_short");
        below.household_id = None;
        assert_eq!(flags(vec![below]), "");
    }

    #[test]
    fn overlap_is_against_the_latest_end_of_all_earlier_onsite_visits() {
        let at = second("2026-06-01T09:30:00", "2026-06-01T09:40:00");
        assert_eq!(flags(vec![first(), at]), "");
        let inside = second("2026-06-01T09:29:59", "2026-06-01T09:40:00");
        assert_eq!(flags(vec![first(), inside.clone()]), "overlapping");
        let between = visit("V0", "2026-06-01T09:10:00", "2026-06-01T09:20:00");
        assert_eq!(flags(vec![first(), between, inside.clone()]), "overlapping");
        let mut by_phone = first();
        by_phone.channel = "phone".to_string();
        assert_eq!(flags(vec![by_phone, inside]), "");
    }

    #[test]
    fn speed_is_against_the_latest_earlier_visit_with_a_position() {
        let mut before = first();
        // 0.1 degree of latitude is 11.12 km: 10 minutes are 66.7 km/h, 5 minutes 133.4 km/h.
        before.position = Some(Position { longitude: 112.0, latitude: 28.1 });
        let slow = second("2026-06-01T09:40:00", "2026-06-01T09:50:00");
        assert_eq!(flags(vec![before.clone(), slow]), "");
        let fast = second("2026-06-01T09:35:00", "2026-06-01T09:50:00");
        assert_eq!(flags(vec![before.clone(), fast.clone()]), "impossible_speed");
        let no_gap = second("2026-06-01T09:30:00", "2026-06-01T09:50:00");
        assert_eq!(flags(vec![before.clone(), no_gap]), "impossible_speed");
        let unplaced = visit("V1b", "2026-06-01T09:32:00", "2026-06-01T09:33:00");
        assert_eq!(flags(vec![before, unplaced, fast]), "impossible_speed");
    }

    #[test]
    fn a_photo_may_be_used_once_whoever_used_it_first() {
        let mut earlier = first();
        earlier.officer_id = "O9".to_string();
        earlier.channel = "online".to_string();
        earlier.photo_hash = Some("abc".to_string());
        let mut later = second("2026-06-01T10:00:00", "2026-06-01T10:10:00");
        later.photo_hash = Some("abc".to_string());
        assert_eq!(flags(vec![later.clone(), earlier.clone()]), "duplicate_photo");
        earlier.started_at = Time::parse("2026-06-01T10:00:00");
        earlier.visit_id = "V3".to_string();
        assert_eq!(flags(vec![later, earlier]), "");
    }

    #[test]
    fn remarks_do_not_make_a_visit_invalid() {
        let mut odd = visit("V2", "2026-06-30T21:00:00", "2026-06-30T21:10:00");
        odd.device_id = Some("D1".to_string());
        let mut other = visit("V9", "2026-06-30T08:00:00", "2026-06-30T08:10:00");
        other.officer_id = "O9".to_string();
        other.device_id = Some("D1".to_string());
        assert_eq!(flags(vec![odd, other]), "no_position|odd_hours|not_assigned|shared_device");
        let mut late = second("2026-01-02T07:00:00", "2026-01-02T07:10:00");
        late.recorded_at = Time::parse("2026-01-05T07:10:00");
        assert_eq!(flags(vec![late.clone()]), "");
        late.recorded_at = Time::parse("2026-01-05T07:10:00.000001");
        assert_eq!(flags(vec![late]), "late_record");
        let early = second("2026-01-01T06:59:59", "2026-01-01T07:10:00");
        assert_eq!(flags(vec![early]), "odd_hours|not_assigned");
    }

    #[test]
    fn distance_is_measured_to_the_household_of_the_run() {
        let with_household = |latitude| {
            let mut bank = bank();
            bank.households[0].position = Some(Position { longitude: 112.0, latitude });
            bank.visits = vec![second("2026-06-01T10:00:00", "2026-06-01T10:10:00")];
            bank
        };
        let is_valid = |bank| cell(&run(bank)["visit_checks"], "V2", "is_valid").to_string();
        // 500 m are 0.0044966 degrees of latitude.
        assert_eq!(is_valid(with_household(28.00449)), "true");
        assert_eq!(is_valid(with_household(28.00450)), "false");
        let mut left = with_household(28.5);
        left.households[0].valid_to = Some(date("2026-06-30"));
        assert_eq!(is_valid(left), "true");
    }

    #[test]
    fn only_visits_of_the_last_24_months_are_listed() {
        let mut bank = bank();
        let mut unrecorded = visit("V3", "2026-06-30T09:00:00", "2026-06-30T09:30:00");
        unrecorded.recorded_at = Time::parse("2026-07-01T00:00:00");
        bank.visits = vec![
            visit("V1", "2024-06-30T23:59:59", "2024-07-01T09:30:00"),
            visit("V2", "2024-07-01T00:00:00", "2024-07-01T09:30:00"),
            unrecorded,
        ];
        let tables = run(bank);
        let rows = &tables["visit_checks"].rows;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0][0], "V2");
        assert_eq!(rows[0][5], "2024-07-01T00:00:00.000000");
    }
}

//! Service points: a counter at every branch, machines in the towns, withdrawal points and stations in the villages;
//! some closed, some out of use, some still to come, and a few villages with none.

use super::layout::{Area, Layout};
use super::random::{Random, Subject};
use super::tables::Tables;
use super::{Position, Setting, digits, id};
use crate::calendar::Date;

pub fn write(setting: &Setting, layout: &Layout, tables: &mut Tables) {
    let most = layout.branches.len() * 3 + layout.areas.len() * 4;
    let mut points = Points {
        setting,
        random: Random::of(setting.seed, Subject::Points, 0),
        width: digits(most as i64).max(4),
        next: 1,
        tables,
    };
    for branch in &layout.branches {
        let place = Place { area_id: &branch.area_id, branch_id: &branch.id, centre: branch.position };
        points.open(&place, "branch", branch.opened_on, branch.closed_on);
        if branch.closed_on.is_none() {
            points.open_some(&place, &[(900, "self_service"), (700, "atm")]);
        }
    }
    for area in &layout.areas {
        let place = Place { area_id: &area.id, branch_id: &area.branch_id, centre: area.centre };
        points.open_some(&place, kinds(area));
    }
}

/// What an area has, and how often in a thousand.
fn kinds(area: &Area) -> &'static [(i64, &'static str)] {
    match area.level {
        "village" => &[(850, "withdrawal_point"), (350, "station"), (300, "pos"), (40, "atm")],
        "community" => &[(700, "pos"), (600, "atm"), (600, "station"), (300, "self_service")],
        "township" => &[(700, "mobile_station")],
        _ => &[],
    }
}

struct Place<'a> {
    area_id: &'a str,
    branch_id: &'a str,
    centre: Position,
}

struct Points<'a> {
    setting: &'a Setting,
    random: Random,
    width: usize,
    next: i64,
    tables: &'a mut Tables,
}

impl Points<'_> {
    fn open_some(&mut self, place: &Place, kinds: &[(i64, &'static str)]) {
        for &(per_mille, kind) in kinds {
            if !self.random.chance(per_mille) {
                continue;
            }
            let is_to_come = self.random.chance(12);
            let opened_on = if is_to_come {
                self.setting.days_after(self.random.between(1, 90))
            } else {
                self.setting.days_before(self.random.between(100, 2_500))
            };
            let closed_on = (!is_to_come && self.random.chance(50))
                .then(|| Date(opened_on.0 + self.random.between(60, 2_600) as i32));
            self.open(place, kind, opened_on, closed_on);
        }
    }

    fn open(&mut self, place: &Place, kind: &str, opened_on: Date, closed_on: Option<Date>) {
        let point_id = id('S', self.next, self.width);
        self.next += 1;
        let random = &mut self.random;
        let days_ago = random.weighted(&[(820, 1), (120, 60), (60, 200)]) + random.between(0, 80);
        let used_until = closed_on.unwrap_or(self.setting.as_of).min(self.setting.days_before(days_ago));
        let last_used_on = (used_until >= opened_on && random.chance(950)).then_some(used_until);
        let position = place.centre.moved(random.between(-4_000, 4_000), random.between(-4_000, 4_000));
        let items = if random.chance(600) { 10 } else { random.between(4, 9) };
        let rows = self.tables.service_points.text(point_id.as_str()).text(place.area_id).text(place.branch_id);
        rows.text(kind).date(opened_on).date(closed_on).date(last_used_on);
        rows.position(random.chance(960).then_some(position)).count((kind == "station").then_some(items));
    }
}

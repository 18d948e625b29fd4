//! What neighbours know: conduct events with their points, and back-to-back peer reviews.
//! Sets the vetoes that follow from them.

use super::Setting;
use super::households::Household;
use super::id;
use super::layout::Grid;
use super::random::{Random, Subject};
use super::tables::Tables;
use crate::calendar::{Date, Window};

/// The eight heads under which points are given.
const CATEGORIES: [&str; 8] =
    ["环境卫生", "孝老爱亲", "邻里和睦", "公益事业", "移风易俗", "好人好事", "先进典型", "诚信守法"];

pub fn write_events(setting: &Setting, household: &mut Household, tables: &mut Tables) {
    let mut random = Random::of(setting.seed, Subject::Conduct, household.number);
    if !random.chance(if household.kind.is_rural() { 760 } else { 380 }) {
        return;
    }
    let past_year = Window::months_to(setting.as_of, 12);
    for number in 1..=random.between(1, 7) {
        let is_bad = random.below(4_000) < household.carelessness();
        let tenths =
            if is_bad { -random.between(1, 8) * 10 } else { (40 + household.quality / 3) * random.between(2, 14) / 10 };
        let is_veto = is_bad && random.chance(200);
        let status = random.weighted(&[
            (850, "posted"),
            (40, "publicised"),
            (40, "reviewed"),
            (40, "declared"),
            (30, "rejected"),
        ]);
        let status_on = match random.chance(10) {
            true => setting.days_after(random.between(1, 60)),
            false => setting.days_before(random.between(0, 450)),
        };
        let happened_on = Date(status_on.0 - random.between(3, 60) as i32);
        let event_id = format!("E{:0width$}-{number}", household.number, width = setting.widths.household);
        let rows = tables.conduct_events.text(event_id.as_str()).text(household.id.as_str()).date(happened_on);
        rows.text(if is_veto { "诚信守法" } else { random.pick(&CATEGORIES) }).decimal(tenths);
        rows.text(status).date(status_on).bool(is_veto);
        household.vetoes.conduct |= is_veto && status == "posted" && past_year.contains(status_on);
    }
}

/// Three to five neighbours from the same grid review a rural household, in the order of their numbers.
pub fn write_peer_reviews(setting: &Setting, grid: &Grid, household: &mut Household, tables: &mut Tables) {
    let mut random = Random::of(setting.seed, Subject::PeerReviews, household.number);
    if !household.kind.is_rural() || grid.size < 20 || !random.chance(800) {
        return;
    }
    let reviewed_on = setting.days_before(random.between(10, 700));
    let dislike = household.carelessness();
    let mut against = 0;
    let count = random.between(3, 5);
    let start = random.below(grid.size - 15) + 1;
    let mut rank = start;
    for _ in 0..count {
        rank += random.between(1, 2);
        rank += i64::from(rank == household.rank);
        let reviewer_id = id('H', grid.first_household + rank - 1, setting.widths.household);
        let knows = random.chance(930);
        let tenths = (1_000 - dislike / 2 - random.between(0, 140)).clamp(200, 1_000);
        let is_veto = random.below(6_000) < dislike;
        let mut review = |day: Date, tenths: i64| {
            let rows = tables.peer_reviews.text(household.id.as_str()).text(reviewer_id.as_str()).date(day);
            rows.bool(knows).decimal(knows.then_some(tenths)).bool(is_veto);
        };
        if random.chance(40) {
            review(Date(reviewed_on.0 - 365), (tenths - 50).max(200));
        }
        review(reviewed_on, tenths);
        if random.chance(10) {
            review(setting.days_after(random.between(1, 60)), tenths);
        }
        against += i64::from(knows && is_veto);
    }
    household.vetoes.peers |= against >= 2;
}
